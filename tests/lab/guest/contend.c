/* Threads that do their work one at a time, for all of it is done under one lock: `contend THREADS`. Each
 * holds the lock for 5 ms without computing (it waits for a device, say). How long a turn takes, with the
 * wait for it, is written to /run/lab/contend each second: "turn_usec 40000". */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define HOLD_USEC 5000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_llong turns, turns_usec;

static int64_t now_usec(void)
{
        struct timespec t;
        (void)clock_gettime(CLOCK_MONOTONIC, &t);
        return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void *work(void *argument)
{
        for (;;) {
                int64_t began = now_usec();
                (void)pthread_mutex_lock(&lock);
                (void)usleep(HOLD_USEC);
                (void)pthread_mutex_unlock(&lock);
                atomic_fetch_add(&turns_usec, now_usec() - began);
                atomic_fetch_add(&turns, 1);
                (void)usleep(HOLD_USEC); /* or the one that has just had it gets it again */
        }
        return argument;
}

int main(int argc, char **argv)
{
        pthread_t thread;
        for (int i = argc > 1 ? atoi(argv[1]) : 8; i > 0; i--)
                if (pthread_create(&thread, NULL, work, NULL) != 0)
                        return 1;
        for (;;) {
                (void)sleep(1);
                long long count = atomic_exchange(&turns, 0), usec = atomic_exchange(&turns_usec, 0);
                FILE *file = fopen("/run/lab/contend", "we");
                if (!file)
                        return 1;
                (void)fprintf(file, "turn_usec %lld\n", count ? usec / count : 0);
                (void)fclose(file);
        }
}
