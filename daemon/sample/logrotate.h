/* What logrotate is told to rotate: /etc/logrotate.conf and what it includes, read as logrotate(8) 3.21 reads
 * it. Knows which files are covered and by what rule, not whether logrotate ever runs. */
#pragma once

#include "daemon/sample/buffer.h"

#define LOGROTATE_RULES_MAX   128
#define LOGROTATE_PATTERN_MAX 128
#define LOGROTATE_FILES_MAX   128 /* of one directory that is included */

struct logrotate_rule {
        char pattern[LOGROTATE_PATTERN_MAX]; /* glob(7) */
        uint32_t interval_hours;             /* 0: by size alone */
        uint64_t size_bytes; /* from this size on (size, maxsize); ABSENT: whatever the size */
        uint32_t keep;       /* old ones; UINT32_MAX: all */
};

struct logrotate {
        struct logrotate_rule rules[LOGROTATE_RULES_MAX];
        size_t count;
        uint64_t dropped; /* rules over the cap, and patterns too long */
};

/* Reads everything anew. 0; -ENOENT: there is no configuration, so nothing is rotated; or negative errno. A
 * file that cannot be read or understood in part counts with what was understood. */
int logrotate_read(const struct root *root, struct buffer *buffer, struct logrotate *ret_logrotate);
/* The rule that covers a file, NULL if none does: logrotate keeps to the first that names it. */
const struct logrotate_rule *logrotate_find(const struct logrotate *logrotate, const char *path);
/* One file's text, after what stands in *logrotate already: for tests and the fuzzer. Includes are left out.
 */
void logrotate_parse(struct span text, struct logrotate *logrotate);
