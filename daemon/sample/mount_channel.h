/* What a kernel function in which a task sleeps (/proc/PID/wchan) says about network mounts. */
#pragma once

#include <stdbool.h>

#include "daemon/sample/sample.h"

enum mount_channel {
        CHANNEL_NONE,
        CHANNEL_REQUEST, /* waits for an answer of a mount of `kind` */
        CHANNEL_PAGE,    /* for a page of a file, wherever it comes from; booked as a wait for a disk */
        CHANNEL_LOCK,    /* for somebody who holds a directory, an inode or the like */
};

/* `channel` as in wchan: "request_wait_answer". *ret_kind is set with CHANNEL_REQUEST; MOUNT_OTHER: any other
 * network file system. */
enum mount_channel mount_channel_of(const char *channel, enum mount_kind *ret_kind);
