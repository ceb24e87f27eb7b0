/* A temporary directory that stands for another machine's "/": files made from literals, removed at the end.
 */
#pragma once

#include <stddef.h>

#include "daemon/root.h"

struct tree {
        char path[64];
        struct root root; /* opened by tree_init, so not live; proc/ exists */
};

/* Test helpers: all abort the test program with a message where the file system fails them. */
void tree_init(struct tree *tree);
void tree_done(struct tree *tree);
/* Makes or overwrites a file, and the directories above it. */
void tree_write(const struct tree *tree, const char *path, const char *text);
void tree_write_bytes(const struct tree *tree, const char *path, const void *bytes, size_t length);
void tree_append(const struct tree *tree, const char *path, const char *text);
void tree_make_directory(const struct tree *tree, const char *path);
/* Removes a file or a whole directory; it need not exist. */
void tree_remove(const struct tree *tree, const char *path);
