/* Listening, the list of connections and their limits, and replies that many share. */
#include "daemon/serve/server.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "daemon/serve/connection.h"
#include "daemon/serve/peer.h"
#include "daemon/serve/questions.h"

#define SERVER_TURNS_NSEC  UINT64_C(5000000) /* answered in one go before the loop looks for new calls */
#define SHARED_REPLIES_MAX 8                 /* methods times kinds of viewers that ask between two ticks */

/* A reply made since the last publication, for whoever asks the same. */
struct shared_reply {
        const struct method *method;
        struct viewer viewer;
        bool continues;
        struct reply *reply;
};

struct server {
        uv_loop_t *loop;
        uv_pipe_t listener;
        uv_idle_t turn; /* runs while a connection waits for its turn */
        unsigned open_handles;
        struct served served;
        struct peer_policy policy;
        struct connection *connections; /* open ones */
        struct turns turns;
        struct questions questions;
        const char *history_path;
        struct store *store;
        struct shared_reply shared[SHARED_REPLIES_MAX];
        size_t shared_next; /* the slot that is given up next */
        bool is_stopping, is_orphan;
        char read_buffer[CONNECTION_READ_BYTES];
};

/* ---- connections ---- */

bool server_admits(const struct server *server, const struct viewer *viewer)
{
        uint64_t limit = SERVER_CONNECTIONS_MAX - (viewer->sees_all ? 0 : SERVER_CONNECTIONS_RESERVED);
        return server->served.connections < limit &&
               turns_connections(&server->turns, viewer->uid) < SERVER_CONNECTIONS_PER_UID_MAX;
}

int server_add(struct server *server, struct connection *connection)
{
        connection->account = turns_open(&server->turns, connection->viewer.uid);
        if (!connection->account)
                return -ENOMEM;
        connection->next = server->connections;
        if (connection->next)
                connection->next->previous = connection;
        server->connections = connection;
        server->served.connections++;
        return 0;
}

void server_remove(struct server *server, struct connection *connection)
{
        if (connection->previous)
                connection->previous->next = connection->next;
        else
                server->connections = connection->next;
        if (connection->next)
                connection->next->previous = connection->previous;
        server->served.connections--;
        turns_close(&server->turns, connection->account);
}

char *server_read_buffer(struct server *server)
{
        return server->read_buffer;
}

int server_viewer(const struct server *server, int fd, struct viewer *ret_viewer)
{
        return peer_viewer(fd, &server->policy, ret_viewer);
}

void server_note_unsent(struct server *server)
{
        size_t unsent = 0;
        struct connection *slowest = NULL;
        for (struct connection *c = server->connections; c; c = c->next) {
                unsent += c->unsent_bytes;
                if (c->unsent_bytes > 0 && (!slowest || c->reply_begun < slowest->reply_begun))
                        slowest = c;
        }
        if (unsent > SERVER_UNSENT_BYTES_MAX)
                connection_close(slowest);
}

/* ---- turns ---- */

static struct connection *next_in_turn(const struct server *server)
{
        struct connection *first = NULL;
        for (struct connection *c = server->connections; c; c = c->next)
                if (c->is_waiting_for_turn &&
                    (!first || turns_is_before(c->account, c->cost, first->account, first->cost)))
                        first = c;
        return first;
}

/* Answers for a while, then lets the loop read what others have sent meanwhile: it may be their turn. */
static void on_turn(uv_idle_t *idle)
{
        struct server *server = idle->data;
        uint64_t begin = uv_hrtime(), now = begin;
        while (now - begin < SERVER_TURNS_NSEC) {
                struct connection *c = next_in_turn(server);
                if (!c) {
                        (void)uv_idle_stop(idle);
                        return;
                }
                uint64_t before = now;
                c->is_waiting_for_turn = false;
                connection_turn(c);
                now = uv_hrtime();
                if (!c->is_closing) /* else its account may have ended with it */
                        turns_charge(&server->turns, c->account, &c->cost, now - before);
        }
}

void server_want_turn(struct server *server, struct connection *connection)
{
        if (connection->is_waiting_for_turn)
                return;
        connection->is_waiting_for_turn = true;
        turns_wait(&server->turns, connection->account, &connection->cost);
        (void)uv_idle_start(&server->turn, on_turn);
}

/* ---- replies ---- */

/* Two viewers who are shown the same. */
static bool same_view(const struct viewer *a, const struct viewer *b)
{
        return a->sees_all == b->sees_all && (a->sees_all || a->uid == b->uid);
}

static struct reply *find_shared(struct server *server, const struct viewer *viewer,
                                 const struct method *method, bool continues)
{
        for (size_t i = 0; i < SHARED_REPLIES_MAX; i++) {
                const struct shared_reply *shared = &server->shared[i];
                if (shared->reply && shared->method == method && shared->continues == continues &&
                    same_view(&shared->viewer, viewer))
                        return shared->reply;
        }
        return NULL;
}

static void keep_shared(struct server *server, const struct viewer *viewer, const struct method *method,
                        bool continues, struct reply *reply)
{
        struct shared_reply *slot = &server->shared[server->shared_next++ % SHARED_REPLIES_MAX];
        reply_unref(slot->reply);
        *slot = (struct shared_reply){
                .method = method, .viewer = *viewer, .continues = continues, .reply = reply_ref(reply)
        };
}

static void forget_shared(struct server *server)
{
        for (size_t i = 0; i < SHARED_REPLIES_MAX; i++) {
                reply_unref(server->shared[i].reply);
                server->shared[i] = (struct shared_reply){ 0 };
        }
}

static int make_reply(const struct served *served, const struct viewer *viewer, const struct method *method,
                      struct json_object *parameters, bool continues, struct reply **ret_reply)
{
        struct answer answer = { 0 };
        int r = method->run(served, viewer, parameters, &answer);
        if (r < 0)
                return r;
        struct reply *reply = calloc(1, sizeof(*reply));
        if (!reply) {
                json_object_put(answer.parameters);
                return -ENOMEM;
        }
        reply->references = 1;
        reply->continues = continues && !answer.error;
        r = varlink_reply_format(answer.error, answer.parameters, reply->continues, &reply->bytes,
                                 &reply->length);
        if (r < 0) {
                reply_unref(reply);
                return r;
        }
        *ret_reply = reply;
        return 0;
}

int server_reply(struct server *server, const struct connection *connection, const struct method *method,
                 struct json_object *parameters, bool continues, struct reply **ret_reply)
{
        const struct viewer *viewer = &connection->viewer;
        struct reply *reply = method->is_shared ? find_shared(server, viewer, method, continues) : NULL;
        if (reply) {
                *ret_reply = reply_ref(reply);
                return 0;
        }
        int r = make_reply(&server->served, viewer, method, parameters, continues, &reply);
        if (r < 0)
                return r;
        if (method->is_shared)
                keep_shared(server, viewer, method, continues, reply);
        *ret_reply = reply;
        return 0;
}

int server_ask(struct server *server, struct connection *connection, const struct method *method,
               struct json_object *parameters, struct question **ret_question)
{
        const struct question_call call = { .connection = connection,
                                            .method = method,
                                            .parameters = parameters,
                                            .path = server->history_path,
                                            .store = server->store,
                                            .config = server->served.config,
                                            .published = server->served.published,
                                            .viewer = connection->viewer };
        return questions_ask(&server->questions, &call, ret_question);
}

/* ---- what the loop tells ---- */

void server_publish(struct server *server, const struct published *published)
{
        bool is_news = published->has_changed || !server->served.published;
        server->served.published = published;
        forget_shared(server);
        struct connection *next;
        for (struct connection *c = server->connections; is_news && c; c = next) {
                next = c->next; /* settling may close c */
                if (c->stream) {
                        c->has_news = true;
                        connection_settle(c);
                }
        }
}

void server_set_config(struct server *server, const struct config *config)
{
        server->served.config = config;
        peer_policy_init(&server->policy);
        forget_shared(server);
}

/* ---- beginning and end ---- */

static void on_connection(uv_stream_t *listener, int status)
{
        struct server *server = listener->data;
        if (status >= 0) /* one that fails or is refused concerns nobody else */
                (void)connection_accept(server, server->loop, listener);
}

static void on_handle_closed(uv_handle_t *handle)
{
        struct server *server = handle->data;
        if (--server->open_handles == 0 && server->is_orphan)
                free(server);
}

void server_stop(struct server *server)
{
        if (server->is_stopping)
                return;
        server->is_stopping = true;
        questions_stop(&server->questions);
        while (server->connections)
                connection_close(server->connections);
        uv_close((uv_handle_t *)&server->listener, on_handle_closed);
        uv_close((uv_handle_t *)&server->turn, on_handle_closed);
}

int server_new(uv_loop_t *loop, int listen_fd, const struct config *config, const char *history_path,
               struct store *store, struct server **ret_server)
{
        struct server *server = calloc(1, sizeof(*server));
        if (!server)
                return -ENOMEM;
        server->loop = server->questions.loop = loop;
        server->history_path = history_path;
        server->store = store;
        questions_clean(history_path);
        server_set_config(server, config);
        (void)uv_pipe_init(loop, &server->listener, 0); /* neither can fail */
        (void)uv_idle_init(loop, &server->turn);
        server->listener.data = server->turn.data = server;
        server->open_handles = 2;
        int r = uv_pipe_open(&server->listener, listen_fd);
        if (r < 0)
                (void)close(listen_fd);
        else
                r = uv_listen((uv_stream_t *)&server->listener, SOMAXCONN, on_connection);
        if (r < 0) {
                server->is_orphan = true;
                server_stop(server);
                return r;
        }
        *ret_server = server;
        return 0;
}

struct server *server_free(struct server *server)
{
        if (server) {
                forget_shared(server);
                free(server);
        }
        return NULL;
}
