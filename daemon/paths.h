/* Where slowd's socket and state are, by who runs it: the service manager's directories, else the system's
 * for root, else the user's own (XDG base directories). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define CONFIG_PATH_DEFAULT "/etc/slowd/slowd.conf"
#define SOCKET_NAME         "io.slowd.Diagnostics"
#define SOCKET_PATH_MAX     108 /* sizeof(sockaddr_un.sun_path) */
#define STATE_PATH_MAX      1024

struct paths {
        char socket[SOCKET_PATH_MAX];
        bool may_create_directory; /* the socket's own directory is made if it is missing */
        char state[STATE_PATH_MAX];
};

/* The defaults from the environment (getenv) for a user. The socket's makes and checks /tmp/slowd-UID if it
 * comes to that: 0, or negative errno with one sentence in error. */
int paths_default_socket(uid_t uid, struct paths *paths, char *error, size_t error_size);
void paths_default_state(uid_t uid, struct paths *paths);
/* A socket path given by hand. The directory may be made if it is below $XDG_RUNTIME_DIR. 0, or
 * -ENAMETOOLONG with one sentence in error. */
int paths_set_socket(struct paths *paths, const char *path, char *error, size_t error_size);
/* Makes the state directory if its parent is there. 0, or negative errno if it cannot be written to. */
int paths_prepare_state(const char *path);
