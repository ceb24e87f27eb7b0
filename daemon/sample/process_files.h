/* Reads files below /proc/PID: those of busy processes through descriptors that are kept open, which halves
 * what a read costs. Knows no format. */
#pragma once

#include "daemon/root.h"
#include "daemon/sample/process_table.h"

/* Descriptors kept at most; a kept one costs the kernel 4 to 6 kB. Less where RLIMIT_NOFILE is low: half of
 * it belongs to the rest of slowd. */
#define PROCESS_DESCRIPTORS_MAX 2048

struct process_files {
        int proc_fd; /* borrowed */
        size_t kept, kept_max;
};

void process_files_init(struct process_files *files, const struct root *root);

/* Reads one of the files that may be kept open; `keep`: keep it from now on, if there is room. One read of
 * the start of the file: these files give all they have at once. Returns the length (the buffer is
 * NUL-terminated), or negative errno: -ESRCH if the process is gone (ENOENT too), -EACCES. */
ssize_t process_files_read(struct process_files *files, struct process_entry *entry, enum process_file file,
                           bool keep, char *buffer, size_t size);
/* Reads any other file of a process to its end or the buffer's: a longer one is cut. Errors as above. */
ssize_t process_files_read_once(const struct process_files *files, uint32_t pid, const char *name,
                                char *buffer, size_t size);
/* Where a link ("exe", "cwd", "fd/3") points, NUL-terminated, cut. Length or negative errno as above. */
ssize_t process_files_read_link(const struct process_files *files, uint32_t pid, const char *name,
                                char *buffer, size_t size);
/* Opens a directory or file of a process for reading. A descriptor, or negative errno as above. */
int process_files_open(const struct process_files *files, uint32_t pid, const char *name, bool is_directory);
/* The size of a directory of a process. 0 or negative errno as above. */
int process_files_size(const struct process_files *files, uint32_t pid, const char *name, uint64_t *ret_size);
/* Closes what is kept open of a process but for one file (PROCESS_FILE_MAX: all). */
void process_files_close(struct process_files *files, struct process_entry *entry, enum process_file but);

/* The numbers among a directory's names, in the order of the directory (for /proc: rising). `buffer` is
 * scratch for getdents64. Returns how many there are, of which the first `max` are in ret_numbers; negative
 * errno. */
ssize_t process_files_list(int directory_fd, void *buffer, size_t size, uint32_t *ret_numbers, size_t max);
/* Adds the next names of a directory but "." and ".." to *count, as many as fit into the buffer. 1: there may
 * be more; 0: that was the end; negative errno. */
int process_files_count_some(int directory_fd, void *buffer, size_t size, uint64_t *count);
