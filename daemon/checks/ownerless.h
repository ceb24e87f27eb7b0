/* What memory_ownerless.c has found, for ownerless_words.c to say. */
#pragma once

#include "daemon/checks/check.h"
#include "daemon/checks/growth.h"

enum {
        OWNERLESS_HORIZON,
        OWNERLESS_MINIMUM_GROWTH,
        OWNERLESS_WARNING,
        OWNERLESS_MINIMUM_OWNED,
        OWNERLESS_BOUNDED,
};

struct ownerless_pool {
        enum field field;
        const char *words, *name;
        bool can_swap;
};

#define OWNERLESS_CACHES_TOLD 4

struct ownerless_cache {
        const struct slab_sample *slab;
        double grown; /* bytes */
};

struct ownerless {
        const struct history *history;
        const struct snapshot *latest;
        const double *p;
        bool was_found;
        double total, available, swap_free;
        const struct ownerless_pool *pool; /* the one that uses memory up first */
        struct growth growth;
        double room;
        /* Who has most of the growth, if that can be told; at most one of them. */
        const struct file_system_sample *mount;
        const struct program *program;
        const struct slab_sample *slab;
        double owned; /* of the growth */
        /* That have grown, the one that has most first. */
        struct ownerless_cache caches[OWNERLESS_CACHES_TOLD];
        size_t cache_count;
        bool is_bounded; /* the tmpfs is full before memory is */
        double left_sec; /* until memory, or what a tmpfs may hold, is used up */
};

/* The finding: culprit, evidence, remedies, summary. */
void ownerless_found(const struct ownerless *s, struct finding *finding);
