/* The pager. */
#include "cli/pager.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/text.h"

/* What sh(1) says of a command that it cannot find or run. */
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND      127

static bool is_installed(const char *name)
{
        const char *path = getenv("PATH");
        struct span rest = span_of(path ? path : "/usr/bin:/bin"), directory;
        char file[PATH_MAX];
        while (rest.length > 0) {
                if (!span_take_until(&rest, ':', &directory)) {
                        directory = rest;
                        rest.length = 0;
                }
                text_format(file, sizeof(file), "%.*s/%s", (int)directory.length, directory.at, name);
                if (access(file, X_OK) == 0)
                        return true;
        }
        return false;
}

/* The command line for sh(1), or NULL. */
static const char *find_pager(void)
{
        const char *pager = getenv("SLOWD_PAGER");
        if (!pager)
                pager = getenv("PAGER");
        if (pager)
                return pager[0] && strcmp(pager, "cat") != 0 ? pager : NULL;
        return is_installed("less") ? "less" : is_installed("more") ? "more" : NULL;
}

int pager_show(const char *text, size_t size)
{
        const char *pager = find_pager();
        if (!pager)
                return -ENOENT;
        /* -F: leave at once if it fits, -R: colours, -X: leave the text on the screen. */
        (void)setenv("LESS", "FRX", 0);
        (void)setenv("LESSCHARSET", "utf-8", 0);
        /* Nobody who was allowed `sudo slowctl` alone shall get a root shell out of its pager. */
        (void)setenv("LESSSECURE", "1", 1);
        FILE *pipe = popen(pager, "we");
        if (!pipe)
                return -ENOENT;
        /* Ctrl-C at the pager's prompt is the pager's. */
        (void)signal(SIGINT, SIG_IGN);
        /* A reader who quits early closes the pipe; SIGPIPE is ignored, and that is no error. */
        (void)fwrite(text, 1, size, pipe);
        int status = pclose(pipe);
        (void)signal(SIGINT, SIG_DFL);
        bool has_not_run =
                status != -1 && WIFEXITED(status) &&
                (WEXITSTATUS(status) == EXIT_NOT_FOUND || WEXITSTATUS(status) == EXIT_NOT_EXECUTABLE);
        return has_not_run ? -ENOENT : 0;
}
