/* Temporary directory trees for --root. */
#include "tests/support/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void fail(const char *what, const char *path)
{
        (void)fprintf(stderr, "tree: %s %s: %s\n", what, path, strerror(errno));
        abort();
}

static void full_path(const struct tree *tree, const char *path, char *ret_path)
{
        if (snprintf(ret_path, PATH_MAX, "%s/%s", tree->path, path) >= PATH_MAX) {
                errno = ENAMETOOLONG;
                fail("name", path);
        }
}

/* All directories of a path, the last component only if `with_last`. */
static void make_directories(char *path, size_t begin, int with_last)
{
        for (char *at = path + begin; *at; at++) {
                if (*at != '/')
                        continue;
                *at = '\0';
                if (mkdir(path, 0755) < 0 && errno != EEXIST)
                        fail("mkdir", path);
                *at = '/';
        }
        if (with_last && mkdir(path, 0755) < 0 && errno != EEXIST)
                fail("mkdir", path);
}

void tree_init(struct tree *tree)
{
        (void)snprintf(tree->path, sizeof(tree->path), "/tmp/slowd-tree-XXXXXX");
        if (!mkdtemp(tree->path))
                fail("mkdtemp", tree->path);
        tree_make_directory(tree, "proc");
        int r = root_init(&tree->root, tree->path);
        if (r < 0) {
                errno = -r;
                fail("open", tree->path);
        }
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
        (void)status;
        (void)type;
        (void)ftw;
        return remove(path);
}

static void remove_all(const char *path)
{
        if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) < 0 && errno != ENOENT)
                fail("remove", path);
}

void tree_remove(const struct tree *tree, const char *path)
{
        char full[PATH_MAX];
        full_path(tree, path, full);
        remove_all(full);
}

void tree_done(struct tree *tree)
{
        root_done(&tree->root);
        remove_all(tree->path);
}

void tree_make_directory(const struct tree *tree, const char *path)
{
        char full[PATH_MAX];
        full_path(tree, path, full);
        make_directories(full, strlen(tree->path) + 1, 1);
}

static void write_file(const struct tree *tree, const char *path, const void *bytes, size_t length, int flags)
{
        char full[PATH_MAX];
        full_path(tree, path, full);
        make_directories(full, strlen(tree->path) + 1, 0);
        int fd = open(full, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
        if (fd < 0)
                fail("open", full);
        if (write(fd, bytes, length) != (ssize_t)length)
                fail("write", full);
        (void)close(fd);
}

void tree_write_bytes(const struct tree *tree, const char *path, const void *bytes, size_t length)
{
        write_file(tree, path, bytes, length, O_TRUNC);
}

void tree_write(const struct tree *tree, const char *path, const char *text)
{
        tree_write_bytes(tree, path, text, strlen(text));
}

void tree_append(const struct tree *tree, const char *path, const char *text)
{
        write_file(tree, path, text, strlen(text), O_APPEND);
}
