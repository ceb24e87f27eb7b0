/* Making, taking over and removing the listening socket. */
#include "daemon/serve/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/text.h"

static int take_activated(struct listen_socket *ret_socket, char *error, size_t error_size)
{
        int count = sd_listen_fds(1);
        if (count <= 0)
                return count;
        int fd = SD_LISTEN_FDS_START;
        if (count > 1 || sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0) <= 0) {
                text_format(error, error_size,
                            "socket activation handed over %d descriptors; one listening Unix stream socket "
                            "is expected",
                            count);
                return -EINVAL;
        }
        *ret_socket = (struct listen_socket){ .fd = fd, .is_activated = true };
        return 1;
}

/* Whether a server answers at the address. A connection refused is what a dead one leaves behind. */
static bool somebody_answers(const struct sockaddr_un *address)
{
        CLEANUP_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        return fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
               errno != ECONNREFUSED;
}

/* Binds with mode 0666: everyone may ask. Called before there are threads, as umask is the process's. */
static int bind_everyone(int fd, const struct sockaddr_un *address)
{
        mode_t old = umask(0111);
        int r = bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? -errno : 0;
        (void)umask(old);
        return r;
}

static int bind_or_replace(int fd, const struct sockaddr_un *address, char *error, size_t error_size)
{
        const char *path = address->sun_path;
        int r = bind_everyone(fd, address);
        if (r != -EADDRINUSE)
                return r;
        struct stat status;
        if (lstat(path, &status) == 0 && !S_ISSOCK(status.st_mode)) {
                text_format(error, error_size, "%s exists and is no socket; it is left alone", path);
                return -EEXIST;
        }
        if (somebody_answers(address)) {
                text_format(error, error_size, "another slowd answers at %s already", path);
                return -EADDRINUSE;
        }
        if (unlink(path) < 0 && errno != ENOENT)
                return -errno;
        return bind_everyone(fd, address);
}

/* Opens the socket's directory and locks it, so that of two that start at once the second sees the first's
 * socket whole, and does not take it for a stale one between bind and listen. */
static int lock_directory(const char *path, bool may_create)
{
        char directory[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
        text_format(directory, sizeof(directory), "%s", path);
        char *slash = strrchr(directory, '/');
        if (!slash)
                text_format(directory, sizeof(directory), ".");
        else if (slash == directory)
                slash[1] = '\0';
        else
                *slash = '\0';
        if (may_create && mkdir(directory, 0755) < 0 && errno != EEXIST)
                return -errno;
        CLEANUP_CLOSE int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || flock(fd, LOCK_EX) < 0)
                return -errno;
        return take_fd(&fd);
}

static int bind_path(const char *path, bool may_create_directory, struct listen_socket *ret_socket,
                     char *error, size_t error_size)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        memcpy(address.sun_path, path, strlen(path) + 1);
        CLEANUP_CLOSE int lock = lock_directory(path, may_create_directory);
        if (lock < 0)
                return lock;
        CLEANUP_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        int r = bind_or_replace(fd, &address, error, error_size);
        if (r < 0)
                return r;
        struct stat status;
        if (listen(fd, SOMAXCONN) < 0 || lstat(path, &status) < 0) {
                r = -errno;
                (void)unlink(path);
                return r;
        }
        *ret_socket =
                (struct listen_socket){ .fd = take_fd(&fd), .device = status.st_dev, .inode = status.st_ino };
        text_format(ret_socket->path, sizeof(ret_socket->path), "%s", path);
        return 0;
}

int listen_socket_open(const char *path, bool may_create_directory, struct listen_socket *ret_socket,
                       char *error, size_t error_size)
{
        error[0] = '\0';
        int r = take_activated(ret_socket, error, error_size);
        if (r == 0)
                r = bind_path(path, may_create_directory, ret_socket, error, error_size);
        if (r < 0 && !error[0])
                text_format(error, error_size, "cannot listen at %s: %s", path, strerror(-r));
        return r < 0 ? r : 0;
}

void listen_socket_done(struct listen_socket *socket)
{
        struct stat status;
        if (socket->path[0] && lstat(socket->path, &status) == 0 && status.st_dev == socket->device &&
            status.st_ino == socket->inode)
                (void)unlink(socket->path);
        if (socket->fd >= 0)
                (void)close(socket->fd);
        *socket = (struct listen_socket){ .fd = -1 };
}
