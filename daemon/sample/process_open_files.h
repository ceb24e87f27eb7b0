/* How many descriptors each process has open, and how many it may have. Counted for those that have run, a
 * few at each collect, so that what is told is some collects old where many run at once. */
#pragma once

#include "daemon/sample/process_files.h"

/* At one collect at most, 1 to 3 us each: the size of /proc/PID/fd is their number since Linux 6.2
 * (f1f1f2569901 "proc: report open files as size in stat() for /proc/pid/fd"). */
#define PROCESS_FILES_COUNTS_MAX 32
/* The same for those that were never counted, or the sum of a program's would grow without anybody opening
 * anything: their details are read at the same time (PROCESS_IDENTITIES_PER_COLLECT), which costs more. */
#define PROCESS_FILES_FIRST_MAX 1000
/* Before, the names in it are counted, 0.3 to 3 us each: a process with more is counted over several
 * collects.
 */
#define PROCESS_FILES_NAMES_MAX 256
/* Limits read at one collect, 5 to 9 us each, and how long one holds: hardly anybody sets it for others. */
#define PROCESS_FILES_LIMITS_MAX 2
#define PROCESS_FILES_LIMIT_USEC (10 * USEC_PER_MINUTE)

struct process_open_files {
        bool size_is_count;
        uint32_t counted_pid; /* the round has come this far */
        unsigned counts_left, firsts_left, names_left, limits_left;
        /* A process whose names are being counted. */
        int listing_fd; /* -1: none */
        uint32_t listing_pid;
        uint64_t listing_start_ticks, listed;
};

void process_open_files_init(struct process_open_files *open_files, const struct root *root);
void process_open_files_done(struct process_open_files *open_files);
/* Before and after all processes were looked at. */
void process_open_files_begin(struct process_open_files *open_files);
void process_open_files_end(struct process_open_files *open_files);
/* One process, in the order of their pids: counts its descriptors if that is due. */
void process_open_files_look(struct process_open_files *open_files, const struct process_files *files,
                             struct process_entry *entry, bool is_idle, usec_t now_usec,
                             struct process_sample *sample);
