/* A stretch of a history as a file of its own: a recording that answers the same questions on another
 * machine. */
#pragma once

#include "daemon/history/store_read.h"

struct export_options {
        usec_t from_usec, until_usec; /* realtime, both included */
        bool with_command_lines; /* else command lines, working directories and scripts' paths are left out */
};

/* Writes samples, roll-ups and incidents of that time to a new file, which must not exist. It begins early
 * enough that checks have their past. Damaged pieces are left out: error then names the last, otherwise it is
 * "". 0; -EEXIST; -ENODATA (nothing was recorded then); other errors, and then no file is left. */
int export_write(struct store_reader *reader, const struct export_options *options, const char *path,
                 char error[static STORE_ERROR_MAX]);
