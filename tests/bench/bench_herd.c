/* A herd for others to watch: bench_herd N forks it, says "ready" and keeps it until its standard input ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/herd.h"

int main(int argc, char **argv)
{
        static struct herd herd;
        char byte;
        int r = herd_start(&herd, argc == 2 ? (size_t)strtoul(argv[1], NULL, 10) : 0);
        if (argc != 2 || r < 0) {
                (void)fprintf(stderr, "bench_herd: %s\n", argc != 2 ? "how many?" : strerror(-r));
                herd_stop(&herd);
                return 1;
        }
        printf("ready\n");
        (void)fflush(stdout);
        while (read(STDIN_FILENO, &byte, 1) > 0)
                ;
        herd_stop(&herd);
        return 0;
}
