/* The socket that slowd listens on: handed over by the service manager, or bound to a path of our own. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct listen_socket {
        int fd;
        bool is_activated; /* the service manager's: not ours to remove */
        char path[108];    /* "" if activated */
        dev_t device;      /* of what is at path: to remove our own socket and no other */
        ino_t inode;
};

/* Takes the activated socket if there is one, else binds `path` with mode 0666. `may_create_directory`: the
 * socket's own directory is made if it is missing (not its parents). What a slowd that has died left at
 * `path` is removed; anything else is not touched. 0, or negative errno (-EADDRINUSE: something answers
 * there) with one clear sentence in error. */
int listen_socket_open(const char *path, bool may_create_directory, struct listen_socket *ret_socket,
                       char *error, size_t error_size);
/* Removes the socket's name if it is ours. Whoever has taken over fd closes it; else fd is closed too. */
void listen_socket_done(struct listen_socket *socket);
