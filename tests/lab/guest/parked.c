/* A pool of threads that wait for work which never comes: `parked THREADS`. */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;

static void *wait_for_work(void *argument)
{
        (void)pthread_mutex_lock(&lock);
        for (;;)
                (void)pthread_cond_wait(&work, &lock);
        return argument;
}

int main(int argc, char **argv)
{
        pthread_t thread;
        for (int i = argc > 1 ? atoi(argv[1]) : 100; i > 0; i--)
                if (pthread_create(&thread, NULL, wait_for_work, NULL) != 0)
                        return 1;
        return pause();
}
