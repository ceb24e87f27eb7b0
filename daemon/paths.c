/* Default places. */
#include "daemon/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/text.h"

/* The variable's value if it is an absolute path. */
static const char *environment_path(const char *name)
{
        const char *value = getenv(name);
        return value && value[0] == '/' ? value : NULL;
}

/* Of a colon-separated list (RUNTIME_DIRECTORY) the first. */
static struct span first_of(const char *list)
{
        return (struct span){ list, strcspn(list, ":") };
}

static bool is_below(const char *path, const char *directory)
{
        size_t length = strlen(directory);
        while (length > 1 && directory[length - 1] == '/')
                length--;
        return strncmp(path, directory, length) == 0 && path[length] == '/';
}

int paths_set_socket(struct paths *paths, const char *path, char *error, size_t error_size)
{
        const char *runtime = environment_path("XDG_RUNTIME_DIR");
        if (strlen(path) >= sizeof(paths->socket)) {
                text_format(error, error_size, "the socket's path is longer than %zu bytes: %s",
                            sizeof(paths->socket) - 1, path);
                return -ENAMETOOLONG;
        }
        text_format(paths->socket, sizeof(paths->socket), "%s", path);
        paths->may_create_directory = runtime && is_below(path, runtime);
        return 0;
}

/* /tmp is everyone's: what is there under our name has to be a directory of ours that nobody else can write
 * to. */
static int prepare_temporary(uid_t uid, char *directory, size_t size, char *error, size_t error_size)
{
        struct stat status;
        text_format(directory, size, "/tmp/slowd-%u", (unsigned)uid);
        if (mkdir(directory, 0700) < 0 && errno != EEXIST) {
                int r = -errno;
                text_format(error, error_size, "cannot make %s: %s", directory, strerror(-r));
                return r;
        }
        if (lstat(directory, &status) < 0 || !S_ISDIR(status.st_mode) || status.st_uid != uid ||
            (status.st_mode & 077) != 0) {
                text_format(error, error_size,
                            "%s is not a directory of this user's alone; use --socket=PATH", directory);
                return -EPERM;
        }
        return 0;
}

int paths_default_socket(uid_t uid, struct paths *paths, char *error, size_t error_size)
{
        char path[STATE_PATH_MAX], directory[64];
        const char *runtime = environment_path("RUNTIME_DIRECTORY");
        if (runtime) {
                struct span first = first_of(runtime);
                text_format(path, sizeof(path), "%.*s/" SOCKET_NAME, (int)first.length, first.at);
                return paths_set_socket(paths, path, error, error_size);
        }
        runtime = environment_path("XDG_RUNTIME_DIR");
        bool may_create = true;
        if (uid == 0) {
                text_format(path, sizeof(path), "/run/slowd/" SOCKET_NAME);
        } else if (runtime) {
                text_format(path, sizeof(path), "%s/slowd/" SOCKET_NAME, runtime);
        } else {
                int r = prepare_temporary(uid, directory, sizeof(directory), error, error_size);
                if (r < 0)
                        return r;
                text_format(path, sizeof(path), "%s/" SOCKET_NAME, directory);
                may_create = false;
        }
        int r = paths_set_socket(paths, path, error, error_size);
        paths->may_create_directory = may_create;
        return r;
}

void paths_default_state(uid_t uid, struct paths *paths)
{
        char *state = paths->state;
        size_t size = sizeof(paths->state);
        const char *directory = environment_path("STATE_DIRECTORY");
        const char *xdg = environment_path("XDG_STATE_HOME");
        const char *home = environment_path("HOME");
        if (directory)
                (void)span_copy(first_of(directory), state, size);
        else if (uid == 0)
                text_format(state, size, "/var/lib/slowd");
        else if (xdg)
                text_format(state, size, "%s/slowd", xdg);
        else
                text_format(state, size, "%s/.local/state/slowd", home ? home : "");
}

int paths_prepare_state(const char *path)
{
        struct stat status;
        if (mkdir(path, 0750) < 0 && errno != EEXIST)
                return -errno;
        if (stat(path, &status) < 0)
                return -errno;
        if (!S_ISDIR(status.st_mode))
                return -ENOTDIR;
        return access(path, W_OK | X_OK) < 0 ? -errno : 0;
}
