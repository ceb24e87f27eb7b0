/* How many entries each unit has in one of systemd's journal files. The file itself counts them: each value
 * that a field ever had is one object with the number of entries that refer to it
 * (https://systemd.io/JOURNAL_FILE_FORMAT), so a few hundred small reads answer without going through any
 * entry, and without libsystemd. The file may be written to meanwhile. */
#pragma once

#include "daemon/sample/sample.h"

#define JOURNAL_UNITS_MAX 64
#define JOURNAL_ID_BYTES  16

struct journal_unit {
        char unit[UNIT_NAME_MAX]; /* "kernel" for what the kernel said */
        uint64_t entries;
};

struct journal_units {
        uint8_t file_id[JOURNAL_ID_BYTES]; /* another one: the journal has gone on in a new file */
        uint64_t entries;                  /* of all, those of no unit too */
        struct journal_unit
                units[JOURNAL_UNITS_MAX]; /* the latest that began to write, and those with most */
        size_t count;
        uint64_t dropped; /* units over the cap */
};

/* 0; -EBADMSG: it is no journal file, or damaged; or the error of a read. */
int journal_file_read(int fd, struct journal_units *ret_units);
