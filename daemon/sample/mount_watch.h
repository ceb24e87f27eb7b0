/* The list of mounts that are watched: which there are, and what the kernel counts of each. Reads mountinfo,
 * mountstats and the like, never a mount itself. */
#pragma once

#include "daemon/sample/buffer.h"
#include "daemon/sample/mount_stats.h"

#define MOUNT_PATHS_MAX 64 /* a file system can be mounted in several places */

struct mount_watch {
        uint32_t id, minor;
        enum mount_kind kind;
        struct mount_counters counters;
        uint64_t outstanding;
        uint64_t lost_sends; /* of connections: requests that will never be answered any more */
        uint64_t least_open; /* the fewest without an answer since least_usec */
        usec_t least_usec;
        usec_t answered_usec; /* monotonic, when an answer was last seen to come */
        bool is_active;       /* requests are under way, or take a noticeable part of the time */
        bool is_measured;     /* the kernel tells whether it is active */
};

struct mount_path {
        uint32_t watch; /* index */
        char path[PATH_TEXT_MAX];
        char source[PATH_TEXT_MAX];
};

struct mount_watches {
        int table_fd; /* mountinfo, -1: not open */
        usec_t table_usec, counters_usec;
        bool was_read, has_nfs, has_cifs;
        struct buffer buffer;
        struct mount_watch list[NETWORK_MOUNTS_MAX];
        size_t count;
        struct mount_path *paths; /* MOUNT_PATHS_MAX; NULL while there never was any */
        size_t path_count;
};

/* Zeroed before the first use, table_fd included: it begins with mount_watches_begin(). */
int mount_watches_begin(struct mount_watches *watches);
void mount_watches_done(struct mount_watches *watches);
/* Follows changes of the table and reads what is due. 0, or negative errno: mountinfo cannot be read. */
int mount_watches_read(struct mount_watches *watches, const struct root *root, usec_t now_usec);
/* The watch whose mount point is the longest that `path` lies below; -1 none. */
int mount_watches_find(const struct mount_watches *watches, const char *path);
