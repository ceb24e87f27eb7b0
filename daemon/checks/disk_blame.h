/* What the checks of disks share: which disk a device is part of, what is mounted on it, and who waits for
 * it. Decides nothing. */
#pragma once

#include "daemon/checks/blame.h"

/* The device of that name, NULL if it is gone. */
const struct disk_sample *disk_find(const struct snapshot *snapshot, const char *name);
const struct disk_rate *disk_rate_find(const struct snapshot *snapshot, const char *name);
/* The whole disk of a partition; any other device is itself, also one that is gone. */
const char *disk_whole(const struct snapshot *snapshot, const char *name);
/* Whether what happens on `upper` ends up on `lower`, or both are one: a partition on its disk, a mapped or
 * loop device on what it lies on. */
bool disk_lies_on(const struct snapshot *snapshot, const char *upper, const char *lower);
/* Where file systems on it, or on what lies on it, are mounted: "/, /home and 2 more"; "" for nowhere. */
const char *disk_mounts(char *buffer, size_t size, const struct snapshot *snapshot, const char *name);
/* The first mount of exactly this device; NULL for none. */
const struct mount_sample *disk_mount_of(const struct snapshot *snapshot, const char *device);
struct subject subject_of_disk(const char *name);

/* How a disk says that it is. */
enum disk_state { DISK_STATE_UNKNOWN, DISK_STATE_WELL, DISK_STATE_WARNS, DISK_STATE_FAILING };
enum disk_state disk_state_of(const struct disk_health_sample *disk);

/* ---- who waits for it ---- */

struct disk_wait {
        struct family families[FAMILIES_MAX];
        size_t count;
        const struct family *victims[FAMILIES_MAX]; /* the one that waits most first */
        size_t victim_count;
        double waited; /* by all of them: task seconds per second */
        int32_t lost_permille;
};

/* The programs that wait for disks, if it is this one that keeps them waiting. The kernel counts a program's
 * waits, not for which disk: those that have files open on it, and those of which that is not known unless
 * another disk that is no part of it is busier. */
void disk_wait_make(const struct history *history, const char *name, usec_t window_usec,
                    struct disk_wait *ret_wait);
void disk_wait_tell(const struct history *history, const struct disk_wait *wait, struct finding *finding);
