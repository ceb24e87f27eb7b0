/* Control groups: which there are, learned from the processes in them, and what each of them uses, waits for
 * and may use at most. Works on v2, on v1 and on both beside each other. */
#pragma once

#include "daemon/root.h"
#include "daemon/sample/buffer.h"
#include "daemon/sample/sample.h"

struct cgroup_source;

/* root must outlive the source. 0, or -ENOMEM. */
int cgroup_source_new(const struct root *root, struct cgroup_source **ret_source);
struct cgroup_source *cgroup_source_free(struct cgroup_source *source); /* returns NULL; accepts NULL */

/* Fills sample->cgroups; time, disks and processes must be there already. Groups in which something ran since
 * the last sample are read each time, the others in turn, each once a minute. In a group that is read
 * (is_stale false) counters that were left out are ABSENT, so that every counter present is as of read_usec.
 * 0; -ENOENT if this machine has no control groups; else the first error. */
int cgroup_source_collect(struct cgroup_source *source, struct buffer *buffer, struct sample *sample);

/* The ids of the groups with processes that a CPU quota, their own or an ancestor's, held back within the
 * last minute, up to max. Returns how many. */
size_t cgroup_source_held_back(const struct cgroup_source *source, uint64_t *ret_ids, size_t max);
