/* Which disks a family works on, how much it moves there, and who can be in whose way. */
#pragma once

#include "daemon/checks/blame.h"

#define DISK_USE_MAX 6

/* The whole disks of a family's open files, see process_places.h. */
struct disk_use {
        const struct disk_rate *disks[DISK_USE_MAX]; /* none: it works on no disk at all (network, memory) */
        size_t count;
        bool is_known; /* of all its processes that move or wait for something */
};
struct disk_use disk_use_of(const struct snapshot *latest, const struct family *family);
/* Whether both may queue at one disk: what is not known may, and so may what is stacked on a busy one. */
bool disk_use_meets(const struct snapshot *latest, const struct disk_use *a, const struct disk_use *b);
/* The busiest of them; where none is known, of all that there are. NULL: there is none. */
const struct disk_rate *disk_use_disk(const struct snapshot *latest, const struct disk_use *use);

/* Bytes per second: read and written by a family, carried by a disk. */
double disk_moved(const struct family *family);
double disk_carried(const struct disk_rate *disk);
/* What a family moves, counted in full if it waits for its own requests, as whoever fills a disk sooner or
 * later does; of what goes into the cache unhindered, which may belong to any disk, a part. */
double disk_weight(const struct family *family);
/* Of a family of which no disk is known: whether what it moves cannot be on this busy disk. */
bool disk_is_elsewhere(const struct snapshot *latest, const struct disk_rate *busy,
                       const struct family *family);
/* Whether most of what a disk carries is this family's: where its disk is known, by the disk's own figures;
 * else by what all others move that may be there. `share` 0..1. */
bool disk_is_main_user(const struct snapshot *latest, const struct family *families, size_t count,
                       const struct family *family, double share);
/* How much of what others wait at a disk can come from one that waits for it itself: its part of the queue.
 * `disk` may be NULL. */
double disk_part(const struct disk_rate *disk, double own_wait, double others_wait);
