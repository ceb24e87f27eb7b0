/* A herd of processes to be watched: mostly asleep, some of them a little active. Dies with whoever made it.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#define HERD_MAX 20000

/* What one member has: memory in several mappings, so that its /proc files cost what a small daemon's do. */
#define HERD_MAPPINGS        8
#define HERD_MAPPING_BYTES   ((size_t)512 * 1024)
#define HERD_TOUCHED_BYTES   ((size_t)8 * 1024) /* of each mapping */
#define HERD_ACTIVE_PER_CENT 2

struct herd {
        pid_t pids[HERD_MAX];
        size_t count;
};

/* Forks n members with distinct names ("herd-00017") and waits until all have got to their sleep. 0, or
 * negative errno with those that were made. */
int herd_start(struct herd *herd, size_t n);
void herd_stop(struct herd *herd);
