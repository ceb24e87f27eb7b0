/* What the kernel counts of NFS and CIFS mounts. Text in, counters out. */
#pragma once

#include "common/text.h"
#include "daemon/sample/sample.h"

/* Sums over all operations of one mount; ABSENT what the text does not tell. */
struct mount_counters {
        uint64_t operations, data_operations, transmissions, timeouts, errors;
        uint64_t queue_msec, rtt_msec, execute_msec;
        uint64_t read_bytes, write_bytes;
        uint64_t sends, receipts; /* of its connections, which several mounts of one server may share */
};

/* The next mount of a /proc/PID/mountstats that has statistics: its path (octal escapes undone) and counters.
 * 0; -ENODATA at the end; -EINVAL, -ERANGE: a line of this mount is damaged, the rest was taken. */
int mount_stats_next(struct span *text, char ret_path[static PATH_TEXT_MAX],
                     struct mount_counters *ret_counters);
/* The counters of one share in /proc/fs/cifs/Stats: the one whose tree is `source` ("//server/share"). 0;
 * -ENODATA if it is not there; -EINVAL, -ERANGE. */
int mount_stats_cifs(struct span text, const char *source, struct mount_counters *ret_counters);
