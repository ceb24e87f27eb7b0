/* Parsers of the files of /proc/PID: text to numbers, no reading. Each returns 0, or -EINVAL if the text is
 * not what that file holds; ret is set only on success. Buffers are NUL-terminated. */
#pragma once

#include "common/text.h"
#include "daemon/sample/sample.h"

struct process_stat {
        uint32_t pid, ppid;
        struct span comm; /* in the buffer; may be longer than COMM_MAX for kernel workers */
        char state;
        uint32_t flags; /* PF_ */
        uint64_t minor_faults, major_faults, children_major_faults;
        uint64_t user_ticks, system_ticks, children_user_ticks, children_system_ticks;
        int8_t nice;
        uint8_t policy;
        uint32_t threads;
        uint64_t start_ticks;
        uint64_t rss_pages;
        uint64_t start_code,
                start_stack; /* change on exec; 1 and 0 where not permitted, 0 for kernel threads */
};

#define PROCESS_FLAG_KTHREAD 0x00200000u /* PF_KTHREAD, include/linux/sched.h */

int process_parse_stat(const char *buffer, struct process_stat *ret);

struct process_statm {
        uint64_t resident_pages;
        uint64_t shared_pages; /* file and shmem */
};
int process_parse_statm(const char *buffer, struct process_statm *ret);

struct process_io {
        uint64_t read_chars, write_chars, read_calls, write_calls, read_bytes, write_bytes,
                cancelled_write_bytes;
};
int process_parse_io(const char *buffer, struct process_io *ret);

/* Memory fields are ABSENT for kernel threads, zombies and where the kernel has no such line. */
struct process_status {
        char state;
        uint32_t ppid;
        uint32_t uid; /* effective */
        uint64_t rss_bytes, rss_anon_bytes, rss_file_bytes, rss_shmem_bytes, swap_bytes, page_tables_bytes;
};
int process_parse_status(const char *buffer, struct process_status *ret);

struct process_schedstat {
        uint64_t run_nsec, run_delay_nsec, slices;
};
int process_parse_schedstat(const char *buffer, struct process_schedstat *ret);

/* The soft limit of open descriptors, from limits; ABSENT: unlimited. */
int process_parse_files_limit(const char *buffer, uint64_t *ret_limit);

/* -ENODATA: the process is in no autogroup (the file is empty). */
int process_parse_autogroup(const char *buffer, uint64_t *ret_number, int8_t *ret_nice);
