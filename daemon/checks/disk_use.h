/* Which disks a family works on, how much it moves there, and who can be in whose way. */
#pragma once

#include "daemon/checks/blame.h"

#define DISK_USE_MAX 6

/* The whole disks of a family's open files, see process_places.h. */
struct disk_use {
        const struct disk_rate *disks[DISK_USE_MAX]; /* none: it works on no disk at all (network, memory) */
        size_t count;
        const struct disk_rate *below[DISK_USE_MAX]; /* and what those that are stacked lie on */
        size_t below_count;
        bool is_known; /* of all its processes that move or wait for something */
};
/* Of all families at once: ret_uses stands in their order. */
void disk_uses_make(const struct snapshot *latest, const struct family *families, size_t count,
                    struct disk_use *ret_uses);
/* Whether somebody who works at the place may hold up who works on `other`: on the same disk, or on what lies
 * on it. What is not known may be there. */
bool disk_use_meets(const struct snapshot *latest, const struct disk_use *place,
                    const struct disk_use *other);
/* Somebody who works on several disks may be in the way on one of them. How many places there are to look at:
 * its disks and those below, or one if it is not known where it works. */
size_t disk_use_places(const struct disk_use *use);
/* One of them: a single disk, or the unknown use itself. */
struct disk_use disk_use_place(const struct disk_use *use, size_t index);
/* The disk of a place; where it is not known, the busiest of all. NULL: there is none. */
const struct disk_rate *disk_use_disk(const struct snapshot *latest, const struct disk_use *place);

/* Bytes per second: read and written by a family, carried by a disk. */
double disk_moved(const struct family *family);
double disk_carried(const struct disk_rate *disk);
/* What a family moves, counted in full if it waits for its own requests, as whoever fills a disk sooner or
 * later does; of what goes into the cache unhindered, which may belong to any disk, a part. */
double disk_weight(const struct family *family);
/* Of a family of which no disk is known: whether what it moves cannot be on this busy disk. */
bool disk_is_elsewhere(const struct snapshot *latest, const struct disk_rate *busy,
                       const struct family *family);
/* Whether most of what is carried at one of the places of families[index] is its own: where its disk is
 * known, by the disk's own figures; else by what all others move that may be there. `share` 0..1. */
bool disk_is_main_user(const struct snapshot *latest, const struct family *families,
                       const struct disk_use *uses, size_t count, size_t index, const struct disk_use *place,
                       double share);
/* How much of what others wait at a disk can come from one that waits for it itself: its part of the queue.
 * `disk` may be NULL. */
double disk_part(const struct disk_rate *disk, double own_wait, double others_wait);
