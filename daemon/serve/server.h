/* The socket's server: takes connections up to its limits and answers them from the last published state.
 * All of it runs on the loop's thread. */
#pragma once

#include <stdbool.h>

#include <uv.h>

#include "daemon/config.h"
#include "daemon/tick.h"

#define SERVER_CONNECTIONS_MAX         256 /* in all */
#define SERVER_CONNECTIONS_RESERVED    16  /* of them for those who may see all: the administrator gets in */
#define SERVER_CONNECTIONS_PER_UID_MAX 64
#define SERVER_UNSENT_BYTES_MAX        (4 * 1024 * 1024) /* replies that nobody takes, all together */

struct server;

/* Serves a listening socket, which is taken over, also on failure. `config` is borrowed until
 * server_set_config() or server_free(); `history_path` names the record's file ("": there is none) and
 * `store` is what writes it (or NULL), both borrowed until server_free(). 0, or negative errno (what is left
 * the loop frees as it runs). */
int server_new(uv_loop_t *loop, int listen_fd, const struct config *config, const char *history_path,
               struct store *store, struct server **ret_server);
/* Answers from `published` from now on; borrowed until the next call. Streams get a reply if it differs in
 * more than its numbers (published->has_changed). */
void server_publish(struct server *server, const struct published *published);
/* After a reload; also looks up anew who is in which group. */
void server_set_config(struct server *server, const struct config *config);
/* Closes everything, and has workers end that are at questions about the past; the loop has to run once more
 * before server_free(). */
void server_stop(struct server *server);
struct server *server_free(struct server *server); /* returns NULL; accepts NULL */
