/* Looks that take long or may hang (statvfs on a sick disk, a walk over directories, a bus): each kind has
 * one thread of its own, and the tick takes the last result with its age. A look that never comes back costs
 * that one thread and is told as such; no further one is begun. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "daemon/clock.h"
#include "daemon/root.h"

#define ASIDE_STACK_BYTES (128 * 1024)

/* One kind of look; const and static. `state` is its own memory between looks, zeroed at the start; a result
 * is zeroed before its first use, and then holds what an older look has left there. */
struct aside_source {
        const char *name;     /* of the thread, 15 characters at most */
        usec_t delay_usec;    /* before the first look */
        usec_t interval_usec; /* from the end of one look to the begin of the next */
        usec_t deadline_usec; /* a look that takes longer hangs */
        bool is_polite;       /* nice 19 and idle I/O class, as far as permitted: must still pace itself */
        size_t state_size, result_size;
        /* On the thread. 0, or negative errno: the result is then not handed on, the older one stays. */
        int (*look)(const struct root *root, const struct clock *clock, void *state, void *ret_result);
        /* Instead of interval_usec, where how soon to look again depends on what was seen; may be NULL. */
        usec_t (*interval)(const void *state);
        /* Releases what a state or a result holds (the other is NULL); may be NULL. */
        void (*done)(void *state, void *result);
};

struct aside;

/* Starts the thread. The source, root and clock must outlive it. Below a root that is not live there is no
 * thread: aside_take() looks by itself when a look is due. 0, or negative errno. */
int aside_new(const struct aside_source *source, const struct root *root, const struct clock *clock,
              struct aside **ret_aside);
/* Waits a moment for a look that is under way; one that hangs is left behind. Returns NULL; accepts NULL. */
struct aside *aside_free(struct aside *aside);

/* For the tick; never waits for a look. The newest result, valid until the next call, NULL before the first;
 * when it was begun (monotonic); whether this call is the first to hand it out. 0; -EAGAIN before the end of
 * the first look; the error of the last look; -ETIMEDOUT while one hangs. */
int aside_take(struct aside *aside, const void **ret_result, usec_t *ret_begun_usec, bool *ret_is_new);
