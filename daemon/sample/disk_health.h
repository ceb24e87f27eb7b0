/* What disks say of themselves. A small privileged service asks them now and then (slowd --examine-disks) and
 * leaves the answers in a file; here it is read and written. Whatever stands in it is only input. */
#pragma once

#include "daemon/sample/buffer.h"
#include "daemon/sample/sample.h"

#define DISK_HEALTH_DIRECTORY "slowd-disks" /* below /run, and below /var/lib what outlasts a reboot */
#define DISK_HEALTH_FILE      "disks"
#define DISK_HEALTH_TEXT_MAX  ((size_t)128 << 10)
/* Growth is seen against counts that are this old, or up to twice as old. */
#define DISK_HEALTH_WEEK_USEC (7 * USEC_PER_DAY)

struct disk_health_row {
        struct disk_health_sample sample;
        struct disk_health_counts next; /* what `before` will be when a week is over */
        usec_t next_usec;               /* realtime; ABSENT */
};

struct disk_health_file {
        usec_t written_usec; /* realtime */
        bool lacks_smartctl;
        struct disk_health_row rows[DISK_HEALTH_MAX];
        size_t count;
};

/* 0; -EINVAL if it is no such file; a disk with a bad line is left out, and the error of the first returned
 * when the others are taken. */
int disk_health_parse(struct span text, struct disk_health_file *ret_file);
/* Writes it into the buffer. Its length, or -ENOBUFS. */
ssize_t disk_health_format(const struct disk_health_file *file, char *buffer, size_t size);
/* Takes an answer of now; `former` is what the file had of the same disk, NULL for none. */
void disk_health_remember(struct disk_health_row *row, const struct disk_health_row *former, usec_t now_usec);

/* For the sampler. */
struct disk_health {
        usec_t read_usec; /* monotonic */
        bool was_read;
        int error;
        struct disk_health_sample rows[DISK_HEALTH_MAX];
        size_t count;
};

/* Points sample->disk_health at the rows, reading the file once a minute. 0; -ENOPKG without smartctl;
 * -EOPNOTSUPP without a service manager that would start the service; -ENOENT if it has not run yet; or the
 * error of reading. */
int disk_health_collect(struct disk_health *health, const struct root *root, struct buffer *buffer,
                        struct sample *sample);
