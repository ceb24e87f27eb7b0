/* Three results go round: one is written by a look, one is finished, one is in the tick's hands. They change
 * places under a lock that nobody holds for longer than that. */
#include "daemon/sample/aside.h"

#include <errno.h>
#include <limits.h>
#include <linux/ioprio.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define FREE_PATIENCE_USEC (200 * USEC_PER_MSEC) /* for a look that is under way when slowd ends */
#define POLITE_NICE        19

enum { WRITTEN, FINISHED, TAKEN, RESULTS };

struct aside {
        const struct aside_source *source;
        const struct root *root;
        const struct clock *clock;
        void *state, *results[RESULTS];
        bool has_thread;
        pthread_t thread;

        pthread_mutex_t lock;
        pthread_cond_t has_changed; /* by CLOCK_MONOTONIC */
        bool is_stopping, is_looking, has_ended;
        bool is_abandoned; /* the thread outlives its owner and is to clean up */
        bool has_finished, has_taken, is_new;
        int error; /* of the last look; -EAGAIN before the end of the first */
        usec_t due_usec, looking_since_usec;
        usec_t finished_begun_usec, taken_begun_usec;
};

static void release(struct aside *aside)
{
        for (size_t i = 0; i < RESULTS; i++) {
                if (aside->results[i] && aside->source->done)
                        aside->source->done(NULL, aside->results[i]);
                free(aside->results[i]);
        }
        if (aside->state && aside->source->done)
                aside->source->done(aside->state, NULL);
        free(aside->state);
        (void)pthread_cond_destroy(&aside->has_changed);
        (void)pthread_mutex_destroy(&aside->lock);
        free(aside);
}

static void swap(void **a, void **b)
{
        void *c = *a;
        *a = *b;
        *b = c;
}

/* With the lock held, which is given up meanwhile. */
static void look(struct aside *aside)
{
        usec_t begun_usec = clock_now(aside->clock).monotonic_usec;
        aside->is_looking = true;
        aside->looking_since_usec = begun_usec;
        (void)pthread_mutex_unlock(&aside->lock);
        int r = aside->source->look(aside->root, aside->clock, aside->state, aside->results[WRITTEN]);
        (void)pthread_mutex_lock(&aside->lock);
        aside->is_looking = false;
        aside->error = r;
        if (r == 0) {
                swap(&aside->results[WRITTEN], &aside->results[FINISHED]);
                aside->has_finished = aside->is_new = true;
                aside->finished_begun_usec = begun_usec;
        }
        const struct aside_source *source = aside->source;
        if (!aside->is_abandoned) /* else there may be no clock any more */
                aside->due_usec = clock_now(aside->clock).monotonic_usec +
                                  (source->interval ? source->interval(aside->state) : source->interval_usec);
}

/* So that a walk over a disk takes nothing from those who wait for it. Not permitted everywhere. */
static void be_polite(void)
{
        pid_t self = (pid_t)syscall(SYS_gettid); /* Linux: nice and I/O class belong to a thread */
        (void)setpriority(PRIO_PROCESS, (id_t)self, POLITE_NICE);
        (void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, self, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
}

static void *run(void *userdata)
{
        struct aside *aside = userdata;
        if (aside->source->is_polite)
                be_polite();
        (void)pthread_mutex_lock(&aside->lock);
        while (!aside->is_stopping) {
                if (clock_now(aside->clock).monotonic_usec >= aside->due_usec) {
                        look(aside);
                        continue;
                }
                struct timespec until = { .tv_sec = (time_t)(aside->due_usec / USEC_PER_SEC),
                                          .tv_nsec = (long)(aside->due_usec % USEC_PER_SEC * NSEC_PER_USEC) };
                (void)pthread_cond_timedwait(&aside->has_changed, &aside->lock, &until);
        }
        bool is_abandoned = aside->is_abandoned;
        aside->has_ended = true;
        (void)pthread_cond_broadcast(&aside->has_changed);
        (void)pthread_mutex_unlock(&aside->lock);
        if (is_abandoned)
                release(aside);
        return NULL;
}

static int start(struct aside *aside)
{
        pthread_attr_t attributes;
        sigset_t all, before;
        int r = pthread_attr_init(&attributes);
        if (r != 0)
                return -r;
        size_t stack = ASIDE_STACK_BYTES;
        if (stack < (size_t)PTHREAD_STACK_MIN)
                stack = (size_t)PTHREAD_STACK_MIN;
        (void)pthread_attr_setstacksize(&attributes, stack);
        (void)sigfillset(&all); /* signals are the loop's */
        (void)pthread_sigmask(SIG_BLOCK, &all, &before);
        r = pthread_create(&aside->thread, &attributes, run, aside);
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
        (void)pthread_attr_destroy(&attributes);
        if (r != 0)
                return -r;
        aside->has_thread = true;
        (void)pthread_setname_np(aside->thread, aside->source->name);
        return 0;
}

static int init_lock(struct aside *aside)
{
        pthread_condattr_t attributes;
        int r = pthread_condattr_init(&attributes);
        if (r != 0)
                return -r;
        (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        r = pthread_cond_init(&aside->has_changed, &attributes);
        (void)pthread_condattr_destroy(&attributes);
        if (r != 0)
                return -r;
        r = pthread_mutex_init(&aside->lock, NULL);
        if (r != 0)
                (void)pthread_cond_destroy(&aside->has_changed);
        return -r;
}

int aside_new(const struct aside_source *source, const struct root *root, const struct clock *clock,
              struct aside **ret_aside)
{
        struct aside *aside = calloc(1, sizeof(*aside));
        if (!aside)
                return -ENOMEM;
        aside->source = source;
        aside->root = root;
        aside->clock = clock;
        aside->error = -EAGAIN;
        aside->due_usec = clock_now(clock).monotonic_usec + source->delay_usec;
        int r = init_lock(aside);
        if (r < 0) {
                free(aside);
                return r;
        }
        aside->state = calloc(1, source->state_size ? source->state_size : 1);
        r = aside->state ? 0 : -ENOMEM;
        for (size_t i = 0; i < RESULTS && r == 0; i++) {
                aside->results[i] = calloc(1, source->result_size);
                r = aside->results[i] ? 0 : -ENOMEM;
        }
        if (r == 0 && root->is_live)
                r = start(aside);
        if (r < 0) {
                release(aside);
                return r;
        }
        *ret_aside = aside;
        return 0;
}

/* Waits by the kernel's clock, whatever clock the looks are given. */
static bool wait_for_end(struct aside *aside)
{
        usec_t until_usec = clock_now(&clock_real).monotonic_usec + FREE_PATIENCE_USEC;
        struct timespec until = { .tv_sec = (time_t)(until_usec / USEC_PER_SEC),
                                  .tv_nsec = (long)(until_usec % USEC_PER_SEC * NSEC_PER_USEC) };
        while (!aside->has_ended)
                if (pthread_cond_timedwait(&aside->has_changed, &aside->lock, &until) == ETIMEDOUT)
                        break;
        return aside->has_ended;
}

struct aside *aside_free(struct aside *aside)
{
        if (!aside)
                return NULL;
        if (!aside->has_thread) {
                release(aside);
                return NULL;
        }
        (void)pthread_mutex_lock(&aside->lock);
        aside->is_stopping = true;
        (void)pthread_cond_broadcast(&aside->has_changed);
        bool has_ended = wait_for_end(aside);
        aside->is_abandoned = !has_ended;
        pthread_t thread = aside->thread; /* an abandoned one may release the aside at any moment from here */
        (void)pthread_mutex_unlock(&aside->lock);
        if (has_ended) {
                (void)pthread_join(thread, NULL);
                release(aside);
        } else {
                (void)pthread_detach(thread);
        }
        return NULL;
}

int aside_take(struct aside *aside, const void **ret_result, usec_t *ret_begun_usec, bool *ret_is_new)
{
        usec_t now_usec = clock_now(aside->clock).monotonic_usec;
        (void)pthread_mutex_lock(&aside->lock);
        if (!aside->has_thread && now_usec >= aside->due_usec)
                look(aside);
        *ret_is_new = aside->is_new;
        if (aside->is_new) {
                swap(&aside->results[FINISHED], &aside->results[TAKEN]);
                aside->taken_begun_usec = aside->finished_begun_usec;
                aside->has_taken = true;
                aside->is_new = false;
        }
        *ret_result = aside->has_taken ? aside->results[TAKEN] : NULL;
        *ret_begun_usec = aside->taken_begun_usec;
        int r = aside->error;
        if (aside->is_looking && now_usec - aside->looking_since_usec > aside->source->deadline_usec)
                r = -ETIMEDOUT;
        (void)pthread_mutex_unlock(&aside->lock);
        return r;
}
