/* One control group that the source follows: where its files are, what was read last, and reading them. */
#pragma once

#include "daemon/root.h"
#include "daemon/sample/buffer.h"
#include "daemon/sample/cgroup_files.h"

/* Descriptors kept open over all groups. Two files of a busy group, ten of one that is watched: enough for a
 * hundred busy units, and a quarter of the usual limit of 1024. */
#define CGROUP_FDS_MAX 256

/* The trees of this machine. */
struct cgroup_trees {
        const struct root *root;
        const char *mount[HIERARCHY_MAX]; /* "sys/fs/cgroup/memory"; NULL if there is none */
        bool is_hybrid;                   /* v2 has no controllers */
        size_t open_fds;
};

struct group {
        uint64_t id;
        struct group *parent;              /* the next ancestor that is followed; NULL at the top */
        char *path[HIERARCHY_MAX];         /* owned; "/system.slice/nginx.service"; NULL: not in this tree */
        int fds[CGROUP_FILES_MAX];         /* by number of the file; -1 not open */
        bool is_missing[CGROUP_FILES_MAX]; /* looked for again at the next visit */
        struct cgroup_sample values;
        bool is_followed; /* its paths are known from one of its processes */
        bool has_run;     /* since the details were read */
        bool was_visited, was_throttled, is_empty;
        usec_t asked_usec;     /* monotonic: when a process was last asked for the paths */
        usec_t visited_usec;   /* when everything was read */
        usec_t emptied_usec;   /* since when it has no processes, nor any group below it */
        usec_t throttled_usec; /* when it was last seen throttled */
        uint64_t io_bytes;     /* read and written by its processes so far, for the decision what to watch */
        /* of this tick */
        uint64_t process_io_bytes, process_memory_bytes;
        bool has_processes, is_active, was_active, is_needed, is_read, is_listed;
};

/* Finds out which trees there are. 0, or -ENOENT if none, or the error that forbids to look. */
int cgroup_trees_find(struct cgroup_trees *trees, const struct root *root);

struct group *group_free(struct cgroup_trees *trees, struct group *group); /* returns NULL; accepts NULL */
/* Puts the group at `path` of one tree. 0 or -ENOMEM. */
int group_set_path(struct group *group, enum cgroup_hierarchy hierarchy, struct span path);
/* Whether a quota or a memory limit is set. */
bool group_is_limited(const struct group *group);

/* Reads the files of one tier. `keep_open`: they will be read again at the next tick. Details that are not
 * there become ABSENT. 0; -ENOENT if not one file was there; else the first error. */
int group_read(struct group *group, struct cgroup_trees *trees, struct buffer *buffer,
               const struct cgroup_context *context, enum cgroup_tier tier, bool keep_open);
/* Makes the counters of TIER_DETAILS ABSENT: not read this time. Levels stay. */
void group_skip_details(struct group *group);
void group_close_files(struct group *group, struct cgroup_trees *trees);
/* Looks again for files that were missing: controllers can be switched on while a group lives. (Not in a v2
 * tree beside v1 trees, which have them all.) */
void group_forget_missing(struct group *group, const struct cgroup_trees *trees);
