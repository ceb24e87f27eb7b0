/* A server with a process for each connection, each of which looks into the same large shared memory: `sharer
 * PROCESSES-IN-10-SECONDS [MAXIMUM]`; at the maximum it stays as it is. A look into each 2 MB of it is enough
 * for the kernel to need page tables for all of it, 2 MB a process. */
#define _GNU_SOURCE /* memfd_create */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define SHARED_BYTES ((size_t)1 << 30)
#define STEP_BYTES   ((size_t)2 << 20)

static void serve(int fd)
{
        const volatile char *shared = mmap(NULL, SHARED_BYTES, PROT_READ, MAP_SHARED, fd, 0);
        if (shared == MAP_FAILED)
                _exit(1);
        for (size_t at = 0; at < SHARED_BYTES; at += STEP_BYTES)
                (void)shared[at];
        for (;;)
                (void)pause();
}

int main(int argc, char **argv)
{
        int fd = memfd_create("shared", MFD_CLOEXEC);
        if (argc < 2 || atoi(argv[1]) <= 0 || fd < 0 || ftruncate(fd, (off_t)SHARED_BYTES) < 0)
                return 2;
        useconds_t pause_usec = (useconds_t)(10000000 / atoi(argv[1]));
        int maximum = argc > 2 ? atoi(argv[2]) : -1;
        for (int count = 0; count != maximum; count++) {
                pid_t child = fork();
                if (child == 0)
                        serve(fd);
                if (child < 0)
                        break;
                (void)usleep(pause_usec);
        }
        for (;;)
                (void)pause();
}
