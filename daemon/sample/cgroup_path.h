/* Which unit a process belongs to, from /proc/PID/cgroup, and the number by which processes and control
 * groups are joined. Pure text work: shared by the process source and the cgroup source, so that both compute
 * one id.
 *
 * The unit is the innermost path component that ends like a unit's name (.service, .scope, .slice, .mount
 * ...); what a service does in sub-groups of its own counts to the service. The id is the hash of the path up
 * to and including that component. Without systemd the group itself is the unit: its path without the leading
 * slash.
 *
 * On a v1 machine without systemd each controller may put a process into another group. Its id is then
 * cgroup_id_of_paths(cpu, memory, blkio): the plain id of the path if all those that are not "/" agree, else
 * a hash of the three together, so that one cgroup_sample can carry the limits of each. */
#pragma once

#include "common/text.h"
#include "daemon/sample/sample.h"

/* What /proc/PID/cgroup says. Paths are parts of the parsed buffer; length 0 where the line is missing. */
struct cgroup_membership {
        char unit[UNIT_NAME_MAX];             /* "" in the root group; a longer one is cut */
        uint64_t id;                          /* 0 in the root group */
        struct span v2;                       /* of "0::" */
        struct span systemd;                  /* of the v1 hierarchy name=systemd */
        struct span cpu, memory, blkio, pids; /* v1 controllers */
};

/* Parses a whole /proc/PID/cgroup; lines that are no such lines are passed over. 0, or -EINVAL if there was
 * not one good line. */
int cgroup_parse_proc(const char *buffer, struct cgroup_membership *ret);

/* How much of `path` names the unit's directory: up to the end of the innermost component that is a unit;
 * the whole path if none is. ret_unit (may be NULL) gets the unit's name, for a plain group its path without
 * the slash, and for "/" an empty span. */
struct span cgroup_unit_directory(struct span path, struct span *ret_unit);

/* The id of the group at `path` ("/system.slice/nginx.service", from the hierarchy's root, with or without a
 * sub-group behind the unit); 0 for "" and "/". */
uint64_t cgroup_id_of_path(const char *path);
uint64_t cgroup_id_of_span(struct span path);
/* The id of a process that v1 controllers put into these groups. */
uint64_t cgroup_id_of_paths(struct span cpu, struct span memory, struct span blkio);
