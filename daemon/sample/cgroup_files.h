/* The files of a control group and what each tells: two tables, for v2 and for v1. Pure parsing; which group
 * is read when is decided in cgroup.c. */
#pragma once

#include <stddef.h>

#include "common/text.h"
#include "daemon/sample/sample.h"

/* A v1 machine has a tree per controller; a hybrid one has them beside a v2 tree without controllers. */
enum cgroup_hierarchy {
        HIERARCHY_V2,
        HIERARCHY_CPU,
        HIERARCHY_CPUACCT,
        HIERARCHY_MEMORY,
        HIERARCHY_BLKIO,
        HIERARCHY_PIDS,
        HIERARCHY_MAX
};

enum cgroup_tier {
        TIER_COUNTERS, /* cheap, and cannot wait: CPU used, throttling, kills */
        TIER_LEVELS,   /* move by themselves too: memory is reclaimed from a group in which nothing runs */
        TIER_DETAILS,  /* counters dearer to make for the kernel: memory.stat sums over CPUs, io.stat over
                          disks */
        TIER_LIMITS,   /* change when an administrator changes them */
};

/* What a parser needs beside the text. */
struct cgroup_context {
        const struct disk_sample *disks; /* of this sample: to tell stacked ones apart */
        size_t disk_count;
};

struct cgroup_file {
        const char *name;
        enum cgroup_hierarchy hierarchy;
        enum cgroup_tier tier;
        /* Errors as in parsers.h. */
        int (*parse)(struct span text, const struct cgroup_context *context, struct cgroup_sample *ret_group);
};

extern const struct cgroup_file cgroup_files_v2[];
extern const size_t cgroup_files_v2_count;
extern const struct cgroup_file cgroup_files_v1[]; /* after those of v2: a controller on v1 is not on v2 */
extern const size_t cgroup_files_v1_count;
#define CGROUP_FILES_MAX 40 /* both together */

/* I/O summed over devices. What goes through dm or md shows again on the disk below it, what goes to a loop
 * device mostly not: so the larger of both sums counts. */
struct cgroup_io {
        uint64_t plain[4], stacked[4]; /* read and written bytes, reads, writes */
};
bool cgroup_is_stacked(const struct cgroup_context *context, struct span device);
void cgroup_io_add(uint64_t *sum, uint64_t value);
static inline uint64_t cgroup_io_total(const struct cgroup_io *io, size_t column)
{
        return io->plain[column] > io->stacked[column] ? io->plain[column] : io->stacked[column];
}
