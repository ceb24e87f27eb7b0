/* slowd-generate, a program of the build that is never installed: prints one of the documents that are made
 * from the table of checks, so that the catalog, the manual and the configuration cannot disagree with it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "systemd/document.h"

int main(int argc, char **argv)
{
        const char *what = argc > 1 ? argv[1] : "";
        int r = 0;
        if (argc == 2 && strcmp(what, "catalog") == 0) {
                document_catalog(stdout, checks);
        } else if (argc == 2 && strcmp(what, "example") == 0) {
                document_example(stdout, checks);
        } else if (argc == 2 && strcmp(what, "names") == 0) {
                document_names(stdout, checks);
        } else if (argc == 3 && strcmp(what, "manual") == 0) {
                FILE *page = fopen(argv[2], "re");
                if (!page) {
                        perror(argv[2]);
                        return EXIT_FAILURE;
                }
                r = document_manual(page, stdout, checks);
                if (r < 0 || ferror(page))
                        fprintf(stderr, "%s: a line that begins with '@' and names nothing known\n", argv[2]);
                (void)fclose(page);
        } else {
                fputs("usage: slowd-generate catalog | example | names | manual PAGE\n", stderr);
                return 2;
        }
        if (fflush(stdout) != 0) {
                perror("standard output");
                return EXIT_FAILURE;
        }
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
