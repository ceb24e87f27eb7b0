/* Scope-bound release of what a function owns (GNU cleanup attribute). */
#pragma once

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free_(void *pointer)
{
        free(*(void **)pointer);
}

static inline void cleanup_close_(const int *fd)
{
        if (*fd >= 0)
                (void)close(*fd);
}

static inline void cleanup_closedir_(DIR **dir)
{
        if (*dir)
                (void)closedir(*dir);
}

#define CLEANUP_FREE     __attribute__((cleanup(cleanup_free_)))
#define CLEANUP_CLOSE    __attribute__((cleanup(cleanup_close_)))
#define CLEANUP_CLOSEDIR __attribute__((cleanup(cleanup_closedir_)))

/* Hands an owned pointer on: the variable is NULL afterwards, so its cleanup releases nothing. */
#define TAKE(pointer)                                                                                        \
        ({                                                                                                   \
                __typeof__(pointer) taken_ = (pointer);                                                      \
                (pointer) = NULL;                                                                            \
                taken_;                                                                                      \
        })

/* The same for a descriptor: the variable is -1 afterwards. */
static inline int take_fd(int *fd)
{
        int taken = *fd;
        *fd = -1;
        return taken;
}
