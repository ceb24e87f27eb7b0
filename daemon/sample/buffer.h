/* One read buffer for all kernel files: it grows to what the largest needs, up to a cap, and stays. */
#pragma once

#include <stddef.h>

#include "common/text.h"
#include "daemon/root.h"

#define BUFFER_START ((size_t)16 << 10)
#define BUFFER_MAX                                                                                           \
        ((size_t)1 << 20) /* mountinfo of a host with thousands of containers; 1024 CPUs in stat             \
                           */

struct buffer {
        char *data;
        size_t size;
};

/* 0 or -ENOMEM. */
int buffer_init(struct buffer *buffer);
void buffer_done(struct buffer *buffer);

/* Reads a whole file, from an open descriptor or by its path. The text stays valid until the next read. 0, or
 * negative errno; -EFBIG over the cap: the text then holds the whole lines that fit. */
int buffer_reread(struct buffer *buffer, int fd, struct span *ret_text);
int buffer_read(struct buffer *buffer, const struct root *root, const char *path, struct span *ret_text);
