/* A blocking Varlink client over a Unix socket: connect, call, receive. One call at a time. */
#pragma once

#include <stdbool.h>

#include <json-c/json.h>

#include "common/usec.h"

#define VARLINK_TIMEOUT_NONE UINT64_MAX

struct varlink_client;

/* 0, or negative errno: -ENOENT, -ECONNREFUSED (nobody listens), -EACCES, -ENAMETOOLONG, -EAGAIN (its queue
 * of connections is full) ... */
int varlink_client_connect(const char *path, struct varlink_client **ret_client);
struct varlink_client *varlink_client_free(struct varlink_client *client); /* returns NULL; accepts NULL */

/* Sends a call. `parameters` is consumed, also on failure, and may be NULL. `more` asks for a stream. 0, or
 * negative errno (-EPIPE or -ECONNRESET: the server has gone or has cut us off; a reply may still wait: an
 * error sent before it closed). */
int varlink_client_call(struct varlink_client *client, const char *method, struct json_object *parameters,
                        bool more);

/* Waits for the next reply. 0; -ETIMEDOUT (nothing is lost: receive again); -EINTR (a signal came: the same);
 * -ECONNRESET (closed by the server), -EBADMSG, -EMSGSIZE, -ENOMEM or another negative errno.
 * On 0 ret_parameters is owned by the caller and never NULL ({} if there were none), ret_error is NULL or the
 * name of the error (freed by the caller), ret_continues says whether more replies will come. ret_error and
 * ret_continues may be NULL pointers if nobody cares; an error reply is then -EBADE. */
int varlink_client_receive(struct varlink_client *client, usec_t timeout_usec,
                           struct json_object **ret_parameters, char **ret_error, bool *ret_continues);

/* To poll for POLLIN beside something else; then receive with a timeout of 0. */
int varlink_client_fd(const struct varlink_client *client);
