/* /proc/self/mountinfo, read again only when the mounts have changed. Touches no mount: a dead server must
 * not stop the tick. */
#pragma once

#include "daemon/sample/buffer.h"
#include "daemon/sample/sample.h"

struct mount_list {
        struct mount_sample *rows; /* grown, never shrunk, up to MOUNTS_MAX */
        size_t count, capacity;
        uint64_t dropped;
};

struct mounts {
        int fd; /* kept open: the kernel tells pollers of it about changes; -1 none */
        usec_t read_usec;
        bool was_read;
        int error;
        struct mount_list lists[2]; /* in turn, as the former sample still points at the other one */
        unsigned current;
};

void mounts_init(struct mounts *mounts);
void mounts_done(struct mounts *mounts);
/* Points sample->mounts at the list, reading it first if it changed (a minute ago, where the kernel cannot
 * tell). sample->time must be set. 0, or negative errno of the last reading. */
int mounts_collect(struct mounts *mounts, const struct root *root, struct buffer *buffer,
                   struct sample *sample);

/* Errors as in parsers.h; also -ENOMEM. The list must have been zeroed before its first use. */
int mountinfo_parse(struct span text, struct mount_list *ret_list);
/* One line of it. -EINVAL, -ERANGE. */
int mountinfo_parse_line(struct span line, struct mount_sample *ret_mount);
/* Opens the table of the machine, that is init's. A descriptor, or negative errno. */
int mountinfo_open(const struct root *root);
/* Whether the kernel says that the table has changed since this was last asked. */
bool mountinfo_has_changed(int fd);
/* Whether files of this type lie on another machine ("nfs4", "fuse.sshfs"). */
bool mountinfo_is_network_type(struct span type);
