/* One history file: SQLite holds blocks, the journal of blocks being filled, and incidents. One thread at a
 * time; everything may block on the disk. store.h is what the daemon uses. */
#pragma once

#include <stdbool.h>

#include "common/usec.h"
#include "daemon/history/varint.h"

/* Stored for ever in files. */
#define STORE_APPLICATION_ID 0x736c6f77 /* "slow" */
#define STORE_VERSION        1          /* PRAGMA user_version; newer columns of blocks need no new version */

#define STORE_ERROR_MAX   240
#define STORE_DAMAGED_MAX 3 /* damaged files that are kept aside, the newest ones */

/* What a block is a piece of. */
enum series {
        SERIES_RAW,    /* samples */
        SERIES_MINUTE, /* roll-ups by minute */
        SERIES_HOUR,   /* and by hour */
        SERIES_MAX
};

struct block_info {
        enum series series;
        uint64_t generation;          /* of the journal's frames that the block is made of */
        usec_t from_usec, until_usec; /* realtime, the earliest and the latest: the clock may have been set */
        uint32_t ticks;
        size_t raw_bytes;
        const void *tags; /* of STREAM_TAGS, borrowed */
        size_t tags_length;
};

struct store_file;

/* Opens for writing, creates if it is not there. Journals left by a killed writer become blocks.
 * 0, or with a sentence in error: -EBADMSG (damaged), -EPROTONOSUPPORT (written by a newer slowd), -ENOSPC,
 * -EROFS, -EACCES, -EIO, -ENOMEM, -EBUSY. */
int store_file_open(const char *path, struct store_file **ret_file, char error[static STORE_ERROR_MAX]);
struct store_file *store_file_close(struct store_file *file); /* returns NULL; accepts NULL */
/* The sentence of the last call that failed. */
const char *store_file_error(const struct store_file *file);
/* Moves a file that cannot be used, and what belongs to it, to PATH.damaged-TIME; the oldest such are removed
 * until STORE_DAMAGED_MAX are left. 0 or negative errno. */
int store_file_put_aside(const char *path, usec_t realtime_usec);

/* The generation for a new block: larger than any in the file. */
uint64_t store_file_generation(struct store_file *file);
/* One frame of the block being filled: safe against the death of this process when it returns. */
int store_file_append(struct store_file *file, enum series series, uint64_t generation, usec_t realtime_usec,
                      const struct bytes *frame);
/* A finished block takes the place of its frames. */
int store_file_seal(struct store_file *file, const struct block_info *info, const struct bytes *packed);
/* An incident, replacing an earlier state of it. */
int store_file_incident(struct store_file *file, usec_t since_usec, uint64_t id, const char *check,
                        usec_t until_usec, const struct bytes *data);
/* A boot, replacing what was known of it earlier if this is better: boot_is_better() by its stage. */
int store_file_boot(struct store_file *file, uint64_t id, usec_t known_usec, uint8_t stage,
                    const struct bytes *data);
/* The only call that syncs: what was written before is safe against power loss when it returns. */
int store_file_sync(struct store_file *file);

#define STORE_BOOTS_MAX 1000 /* kept, the newest ones: about 3 kB each */

struct store_limits {
        usec_t keep_usec[SERIES_MAX];
        uint64_t size_bytes;
};

/* Removes a few of the oldest blocks that are over the limits: a bounded step of some milliseconds, to be
 * called again and again. `now_usec` 0: by size only. 1 if it removed something, 0, or negative errno. */
int store_file_prune(struct store_file *file, const struct store_limits *limits, usec_t now_usec);

struct store_extent {
        uint64_t bytes; /* of the file and its write-ahead log */
        uint64_t blocks;
        usec_t oldest_usec; /* realtime of the first sample; 0 without any */
};
int store_file_extent(struct store_file *file, struct store_extent *ret_extent);
