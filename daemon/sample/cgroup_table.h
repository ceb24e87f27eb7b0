/* The control groups that are followed, sorted by id, and how they are learned from the processes in them. */
#pragma once

#include "daemon/sample/cgroup_group.h"

#define CGROUP_TABLE_MAX (2 * CGROUPS_MAX) /* ancestors without a limit are followed, but in no sample */
#define CGROUP_MEET_MAX  128 /* asked for at one tick: each new one costs twenty files to read */

struct cgroup_table {
        struct group **groups;
        size_t count, capacity;
        /* of this tick */
        uint64_t dropped; /* over the cap */
        size_t met;
        int error;
};

void cgroup_table_done(struct cgroup_table *table, struct cgroup_trees *trees);

struct group *cgroup_table_find(const struct cgroup_table *table, uint64_t id);

/* Follows the group of a process, and all above it. A process that has moved to another group or is gone
 * cannot tell: the group is then in the table, but not followed. NULL over a cap. */
struct group *cgroup_table_meet(struct cgroup_table *table, const struct root *root, struct buffer *buffer,
                                const struct process_sample *process, usec_t now);
