/* Opens and reads files below one directory. */
#include "daemon/root.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "common/cleanup.h"

int root_init(struct root *root, const char *path)
{
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        *root = (struct root){ .fd = fd, .proc_fd = -1, .is_live = strcmp(path, "/") == 0 };
        root->proc_fd = openat(fd, "proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return 0;
}

void root_done(struct root *root)
{
        if (root->proc_fd >= 0)
                (void)close(root->proc_fd);
        if (root->fd >= 0)
                (void)close(root->fd);
        root->fd = root->proc_fd = -1;
}

int root_open(const struct root *root, const char *path)
{
        assert(path[0] != '/');
        int fd = openat(root->fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        return fd < 0 ? -errno : fd;
}

int root_open_trigger(const struct root *root, const char *path)
{
        assert(path[0] != '/');
        int fd = openat(root->fd, path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
        return fd < 0 ? -errno : fd;
}

int root_open_directory(const struct root *root, const char *path)
{
        assert(path[0] != '/');
        int fd = openat(root->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

int root_open_at(int directory_fd, const char *path)
{
        assert(path[0] != '/');
        int fd = openat(directory_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        return fd < 0 ? -errno : fd;
}

int root_open_directory_at(int directory_fd, const char *path)
{
        assert(path[0] != '/');
        int fd = openat(directory_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

int root_watch(int inotify_fd, int place_fd, uint32_t events)
{
        char path[32]; /* inotify takes names only, and this is the handle's */
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", place_fd);
        int watch = inotify_add_watch(inotify_fd, path, events);
        return watch < 0 ? -errno : watch;
}

int root_open_place(int directory_fd, const char *path)
{
        assert(path[0] != '/');
        int fd = openat(directory_fd, path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

ssize_t root_reread(int fd, char *buffer, size_t size)
{
        size_t length = 0;
        assert(size > 0);
        while (length + 1 < size) {
                ssize_t n = pread(fd, buffer + length, size - 1 - length, (off_t)length);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                length += (size_t)n;
                buffer[length] = '\0';
                /* Not on a short read: seq_file hands over about a page at a time, and less before a long
                 * record. */
                if (n == 0)
                        break;
        }
        buffer[length] = '\0';
        if (length + 1 < size)
                return (ssize_t)length;
        char more;
        return pread(fd, &more, 1, (off_t)length) > 0 ? -EFBIG : (ssize_t)length;
}

ssize_t root_read_at(int directory_fd, const char *path, char *buffer, size_t size)
{
        CLEANUP_CLOSE int fd = openat(directory_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        return fd < 0 ? -errno : root_reread(fd, buffer, size);
}

ssize_t root_read(const struct root *root, const char *path, char *buffer, size_t size)
{
        assert(path[0] != '/');
        return root_read_at(root->fd, path, buffer, size);
}

ssize_t root_read_link(const struct root *root, const char *path, char *buffer, size_t size)
{
        assert(path[0] != '/');
        ssize_t length = readlinkat(root->fd, path, buffer, size);
        if (length < 0)
                return -errno;
        if ((size_t)length >= size)
                return -ENAMETOOLONG;
        buffer[length] = '\0';
        return length;
}
