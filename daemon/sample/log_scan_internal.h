/* What the parts of the log scan share; for log_*.c only. */
#pragma once

#include "daemon/sample/journal_file.h"
#include "daemon/sample/log_mounts.h"
#include "daemon/sample/log_scan.h"
#include "daemon/sample/log_table.h"
#include "daemon/sample/logrotate.h"

/* ---- walking over directories ---- */

#define LOG_WALK_DEPTH_MAX 6

struct log_walk {
        uint32_t root;                      /* of the table of roots */
        uint32_t depth;                     /* 0: the next root is to begin */
        char path[PATH_TEXT_MAX];           /* without the first slash */
        size_t lengths[LOG_WALK_DEPTH_MAX]; /* of the path at each depth */
        long offsets[LOG_WALK_DEPTH_MAX];   /* telldir() in each directory */
};

/* ---- the journal ---- */

#define LOG_JOURNAL_FILES_MAX 4 /* that are written to: the system's, and those of a few users */

struct log_journal_file {
        uint64_t name; /* hash of its path; 0: free */
        uint8_t file_id[JOURNAL_ID_BYTES];
        uint64_t entries; /* of all, at the last look */
        uint64_t units[JOURNAL_UNITS_MAX], unit_entries[JOURNAL_UNITS_MAX];
        size_t unit_count;
};

struct log_journal_unit {
        char unit[UNIT_NAME_MAX];
        uint64_t entries;
        usec_t marks_usec[2];
        uint64_t marks[2]; /* as in struct log_entry */
};

struct log_journal {
        struct log_journal_file files[LOG_JOURNAL_FILES_MAX];
        struct log_journal_unit units[JOURNAL_UNITS_MAX];
        size_t unit_count;
        struct journal_units read; /* scratch */
};

/* ---- the whole ---- */

struct log_scan {
        const struct root *root;
        int root_fd;    /* init's root, through which all names are reached, for this look */
        int inotify_fd; /* -1: not permitted */
        usec_t now_usec, realtime_usec;
        uint64_t looks;
        struct buffer buffer;
        struct log_table table;
        struct log_mounts mounts;  /* init's */
        struct log_mounts foreign; /* of the process that was last seen on a mount that init has not */
        uint32_t foreign_pid;
        struct logrotate rotation;
        int rotation_error;
        struct log_walk walk;
        struct log_journal journal;
        uint32_t swept_pid; /* all processes up to here have been looked at */
        uint32_t sweeps;    /* whole rounds */
        _Alignas(8) char scratch[8192];
};

/* Facts of what lies at a path below a directory, not following a symlink; false if that is no regular file
 * (no directory, with wants_directory) or does not lie on this machine. */
bool log_scan_stat(const struct log_scan *scan, int directory_fd, const char *name, bool wants_directory,
                   struct log_facts *ret_facts);

/* Looks at `budget` more names below the log directories. */
void log_walk_on(struct log_scan *scan, size_t budget);
/* How large the journal is, and what units wrote since the last look. */
void log_journal_look(struct log_scan *scan);
size_t log_journal_choose(const struct log_scan *scan, struct log_unit_sample *ret_rows, size_t max);

/* One process's open files: those it writes, and with `wants_reads` those it is reading right now, for which
 * it is looked at several times within a tenth of a second. */
void log_opened_look(struct log_scan *scan, uint32_t pid, bool wants_reads);
/* What the watched files' readers have done since the last look. */
void log_opened_follow_readers(struct log_scan *scan);
