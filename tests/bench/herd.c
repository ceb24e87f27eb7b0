#include "tests/bench/herd.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void work(long nsec)
{
        struct timespec begin, now;
        (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
        do
                (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        while ((now.tv_sec - begin.tv_sec) * 1000000000L + now.tv_nsec - begin.tv_nsec < nsec);
}

static void live(size_t number, int ready_fd)
{
        char name[16];
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)snprintf(name, sizeof(name), "herd-%05zu", number);
        (void)prctl(PR_SET_NAME, name);
        for (size_t i = 0; i < HERD_MAPPINGS; i++) {
                /* Alternating protection keeps the kernel from joining them to one. */
                int protection = PROT_READ | PROT_WRITE | (i % 2 ? PROT_EXEC : 0);
                char *memory = mmap(NULL, HERD_MAPPING_BYTES, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                for (size_t at = 0; memory != MAP_FAILED && at < HERD_TOUCHED_BYTES; at += 4096)
                        memory[at] = 1;
        }
        if (write(ready_fd, "", 1) < 0)
                _exit(1);
        (void)close(ready_fd);
        if (number % 100 >= HERD_ACTIVE_PER_CENT)
                for (;;)
                        (void)pause();
        for (;;) {
                struct timespec rest = { .tv_nsec = 200000000L + (long)(number * 7919 % 600) * 1000000L };
                (void)nanosleep(&rest, NULL);
                work(200000);
        }
}

int herd_start(struct herd *herd, size_t n)
{
        int ready[2], r = 0;
        herd->count = 0;
        if (n > HERD_MAX)
                return -E2BIG;
        if (pipe(ready) < 0)
                return -errno;
        (void)fflush(NULL); /* or the members carry what is still to be printed */
        for (size_t i = 0; i < n && r == 0; i++) {
                pid_t pid = fork();
                if (pid == 0) {
                        (void)close(ready[0]);
                        live(i, ready[1]);
                }
                if (pid < 0)
                        r = -errno;
                else
                        herd->pids[herd->count++] = pid;
        }
        (void)close(ready[1]);
        char byte;
        for (size_t i = 0; i < herd->count; i++)
                if (read(ready[0], &byte, 1) != 1)
                        break;
        (void)close(ready[0]);
        return r;
}

void herd_stop(struct herd *herd)
{
        for (size_t i = 0; i < herd->count; i++)
                (void)kill(herd->pids[i], SIGKILL);
        for (size_t i = 0; i < herd->count; i++)
                (void)waitpid(herd->pids[i], NULL, 0);
        herd->count = 0;
}
