/* One client: its calls in, its replies out, in order, one at a time. What bounds it is here. */
#pragma once

#include <stdbool.h>

#include <uv.h>

#include "common/varlink.h"
#include "daemon/serve/methods.h"
#include "daemon/serve/turns.h"

#define CONNECTION_REQUEST_TIMEOUT_MSEC 5000   /* to send a call, once begun */
#define CONNECTION_REPLY_TIMEOUT_MSEC   10000  /* to take a reply */
#define CONNECTION_IDLE_TIMEOUT_MSEC    600000 /* without a call; an open stream is not idle */
/* Calls sent ahead wait in this many bytes at most; then reading stops until they have been answered. */
#define CONNECTION_INPUT_MAX  VARLINK_CALL_MAX
#define CONNECTION_READ_BYTES (16 * 1024) /* read at once, into a buffer that all connections share */

struct server;
struct question;

/* A reply's bytes; several connections may be sending the same. */
struct reply {
        unsigned references;
        bool continues;
        size_t length;
        char *bytes;
};

struct reply *reply_ref(struct reply *reply);
void reply_unref(struct reply *reply); /* accepts NULL */

/* What a connection waits for, and so how long it may. */
enum connection_wait { WAIT_NONE, WAIT_CALL, WAIT_REST_OF_CALL, WAIT_REPLY_TAKEN, WAIT_NEWS, WAIT_ANSWER };

struct connection {
        struct server *server;
        struct connection *previous, *next; /* the server's list */
        uv_pipe_t pipe;
        uv_timer_t timer;
        uv_write_t write;
        unsigned open_handles;
        struct viewer viewer;
        struct account *account; /* of its user */
        uint64_t cost;           /* see turns.h */
        struct varlink_reader reader;
        enum connection_wait wait;
        struct reply *reply;         /* being sent */
        size_t unsent_bytes;         /* of it, that the kernel has not taken yet */
        uint64_t reply_begun;        /* uv_now() */
        const struct method *stream; /* called with `more`; no later call is answered */
        struct question *question;   /* about the past: being answered, or an export on its way */
        bool has_news;               /* the stream owes a reply */
        bool has_ended;              /* the client sends no more */
        bool is_reading, is_waiting_for_turn, is_closing;
};

/* Accepts the next connection of a listening pipe and begins to read. On failure nothing is left. 0, or
 * negative errno; -EUSERS: refused, and told so. */
int connection_accept(struct server *server, uv_loop_t *loop, uv_stream_t *listener);
/* Looks at what it has to do next, and asks for a turn if that is an answer. */
void connection_settle(struct connection *connection);
/* Its turn: takes one call and answers it, or sends the stream's news. */
void connection_turn(struct connection *connection);
/* What its question came to: a reply, which is taken over, or a negative errno. */
void connection_answer(struct connection *connection, struct reply *reply, int error);
/* Ends it at once; it is freed when the loop has closed its handles. */
void connection_close(struct connection *connection);

/* ---- what a connection asks of its server (server.c) ---- */

/* Whether one more connection of this viewer is allowed. */
bool server_admits(const struct server *server, const struct viewer *viewer);
/* Adds it to the list, and to its user's account. 0, or -ENOMEM. */
int server_add(struct server *server, struct connection *connection);
void server_remove(struct server *server, struct connection *connection);
/* The buffer into which everyone reads, CONNECTION_READ_BYTES long. */
char *server_read_buffer(struct server *server);
/* The peer's rights. 0, or negative errno. */
int server_viewer(const struct server *server, int fd, struct viewer *ret_viewer);
/* Runs a method; replies that depend on the viewer alone are made once. 0, or negative errno. */
int server_reply(struct server *server, const struct connection *connection, const struct method *method,
                 struct json_object *parameters, bool continues, struct reply **ret_reply);
/* Asks a worker. 0, -EBUSY, -EAGAIN (no tick has been finished yet) or -ENOMEM. */
int server_ask(struct server *server, struct connection *connection, const struct method *method,
               struct json_object *parameters, struct question **ret_question);
/* Has connection_turn() called when it is its turn. */
void server_want_turn(struct server *server, struct connection *connection);
/* The kernel did not take all of a reply: if too much of that is waiting, whoever has waited longest is cut
 * off. */
void server_note_unsent(struct server *server);
