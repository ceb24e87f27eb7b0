/* Does a process listen on a socket? Joins the sockets among its descriptors with the listening ones of its
 * network namespace. Dear (a link per descriptor), so it is asked only for members of units with a CPU quota,
 * where it tells a server that somebody waits for from a batch job. */
#pragma once

#include "daemon/sample/process_files.h"

/* Descriptors looked at of one process, and sockets among them: a server opens its listening ones early. */
#define PROCESS_SERVER_FDS_MAX     512
#define PROCESS_SERVER_SOCKETS_MAX 128

/* 1: it listens, 0: it does not, negative errno: -EACCES, -ESRCH. */
int process_servers_examine(const struct process_files *files, uint32_t pid);

/* The inode of a listening socket in one line of net/tcp, net/tcp6 (is_unix false) or net/unix; -ENODATA if
 * the line is of a socket that does not listen, -EINVAL if it is no such line. */
int process_servers_parse(struct span line, bool is_unix, uint64_t *ret_inode);
