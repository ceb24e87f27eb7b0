/* The machine that is read: all files are opened below one directory, so that `--root DIR` reads another
 * machine's /proc and /sys. The only place that opens files for reading the machine. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include <sys/types.h>

struct root {
        int fd;       /* directory that stands for "/" */
        int proc_fd;  /* its proc, or -1 */
        bool is_live; /* it is the running machine itself: system calls and netlink speak of the same one */
};

/* Opens DIR ("/" for this machine). 0, or negative errno. */
int root_init(struct root *root, const char *path);
void root_done(struct root *root);

/* Opens a file for reading; path is relative ("proc/stat"), never absolute. O_CLOEXEC. A descriptor, or
 * negative errno. */
int root_open(const struct root *root, const char *path);
/* For a file that is also written to: a pressure trigger of this very machine. Never blocks. */
int root_open_trigger(const struct root *root, const char *path);
int root_open_directory(const struct root *root, const char *path);
/* The same two below another directory; for a directory a symlink as the last part is not followed. */
int root_open_at(int directory_fd, const char *path);
int root_open_directory_at(int directory_fd, const char *path);
/* Watches what a handle stands for with inotify. A watch, or negative errno. */
int root_watch(int inotify_fd, int place_fd, uint32_t events);
/* A mere handle (O_PATH) of whatever is there below a directory, to ask the kernel about: nothing is read, no
 * last symlink followed, no device or pipe opened. A descriptor, or negative errno. */
int root_open_place(int directory_fd, const char *path);

/* Reads a whole small file into buffer, NUL-terminated. Returns the length without the NUL, or negative
 * errno; -EFBIG if it does not fit into size-1 bytes (what fits is in the buffer: counters at the start are
 * still good). */
ssize_t root_read(const struct root *root, const char *path, char *buffer, size_t size);
/* The same from an open descriptor, from its start (pread): for files kept open. Reads until the kernel says
 * it is the end; a file known to be one record can spare that second call with its own pread. */
ssize_t root_reread(int fd, char *buffer, size_t size);
/* The target of a symbolic link, NUL-terminated. Its length, or negative errno; -ENAMETOOLONG if it does not
 * fit. */
ssize_t root_read_link(const struct root *root, const char *path, char *buffer, size_t size);
/* The same as root_read() relative to an open directory. */
ssize_t root_read_at(int directory_fd, const char *path, char *buffer, size_t size);
