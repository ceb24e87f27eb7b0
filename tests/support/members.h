/* Processes as the cgroup source sees them: who is in which group, and whether it ran. For tests. */
#pragma once

#include "daemon/sample/cgroup.h"
#include "tests/support/tree.h"

#define MEMBERS_MAX 64

struct members {
        struct process_identity identities[MEMBERS_MAX];
        struct process_sample processes[MEMBERS_MAX];
        size_t count;
};

/* A process with this /proc/PID/cgroup; its id is computed as the process source does it. */
struct process_sample *members_add(struct members *members, const struct tree *tree, uint32_t pid,
                                   const char *cgroup_file);
/* The same for a file that exists already: of a process on the live machine. */
struct process_sample *members_add_live(struct members *members, const struct root *root, uint32_t pid);
/* One tick of the source at `now` (monotonic). */
int members_collect(struct members *members, struct cgroup_source *source, struct buffer *buffer, usec_t now,
                    struct sample *sample);
/* The group of a unit, NULL if it is not in the sample. */
const struct cgroup_sample *members_find_unit(const struct sample *sample, const char *unit);
