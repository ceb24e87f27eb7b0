/* Which mounts lie on this machine, by their numbers: for the log scan, which touches no others. */
#pragma once

#include "daemon/sample/buffer.h"
#include "daemon/sample/mountinfo.h"

struct log_mount {
        uint32_t id;
        uint32_t major, minor;
        bool is_local; /* and no picture of a disk, which never grows */
};

struct log_mounts {
        struct log_mount rows[MOUNTS_MAX];
        size_t count;
};

/* Of one process: "1/mountinfo" below /proc. 0, or negative errno. */
int log_mounts_read(int proc_fd, const char *path, struct buffer *buffer, struct log_mounts *ret_mounts);
/* NULL if there is none of that number, or it does not lie on this machine. */
const struct log_mount *log_mounts_local(const struct log_mounts *mounts, uint64_t id);
