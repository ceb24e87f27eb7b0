/* How full the file systems are: statvfs on a thread of its own, as even a disk may hang. Only types that are
 * known to lie on this machine are asked: a server or a FUSE daemon that does not answer would hold up all
 * others. They are reached through init's root, because the service's own view hides /home. */
#pragma once

#include "daemon/sample/aside.h"
#include "daemon/sample/mountinfo.h"

struct file_systems {
        struct file_system_sample rows[FILE_SYSTEMS_MAX]; /* those that can be written first */
        size_t count;
        uint64_t dropped; /* over the cap */
};

/* A struct file_systems every ten seconds. Below a root that is not live: -EOPNOTSUPP, for statvfs would
 * speak of another machine. */
extern const struct aside_source file_systems_source;

/* Whether files of this type lie on this machine, and asking for them asks nobody else. */
bool file_systems_is_local_type(const char *type);
/* A picture of a disk, full from the day on that it was made: squashfs, iso9660. */
bool file_systems_is_image_type(const char *type);
/* Which mounts to look at, without their figures: one for each file system, never below a mount that may
 * hang. `list` in the order of mountinfo. */
void file_systems_choose(const struct mount_list *list, struct file_systems *ret_systems,
                         uint32_t ret_mount_ids[static FILE_SYSTEMS_MAX]);
