/* The kernel's object caches that hold most: read on a thread of its own, for /proc/slabinfo locks out
 * whoever creates or destroys a cache, and is long. Root only. */
#pragma once

#include "daemon/sample/aside.h"
#include "daemon/sample/fields.h"
#include "daemon/sample/sample.h"

struct slabs {
        struct slab_sample rows[SLABS_MAX]; /* the largest first */
        size_t count;
};

/* A struct slabs every minute. */
extern const struct aside_source slabinfo_source;

/* The largest caches of the text that is_reclaimable() does not know as given back under pressure; 0, or
 * -EBADMSG if it is no slabinfo of a version that is known. */
int slabinfo_parse(struct span text, uint64_t page_bytes,
                   bool (*is_reclaimable)(const void *userdata, const char *name), const void *userdata,
                   struct slabs *ret_slabs);
