/* One client of the socket. */
#include "daemon/serve/connection.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "daemon/serve/questions.h"

/* ---- replies ---- */

struct reply *reply_ref(struct reply *reply)
{
        reply->references++;
        return reply;
}

void reply_unref(struct reply *reply)
{
        if (!reply || --reply->references > 0)
                return;
        free(reply->bytes);
        free(reply);
}

/* ---- the end ---- */

static void on_handle_closed(uv_handle_t *handle)
{
        struct connection *connection = handle->data;
        if (--connection->open_handles > 0)
                return;
        varlink_reader_done(&connection->reader);
        reply_unref(connection->reply);
        free(connection);
}

void connection_close(struct connection *connection)
{
        if (connection->is_closing)
                return;
        connection->is_closing = true;
        question_drop(TAKE(connection->question));
        server_remove(connection->server, connection);
        uv_close((uv_handle_t *)&connection->pipe, on_handle_closed);
        uv_close((uv_handle_t *)&connection->timer, on_handle_closed);
}

/* ---- time ---- */

static void on_timeout(uv_timer_t *timer)
{
        connection_close(timer->data);
}

/* Says what is waited for; the time for it begins when that changes, and no byte that trickles in prolongs
 * it. */
static void connection_wait(struct connection *connection, enum connection_wait wait)
{
        static const uint64_t timeouts_msec[] = {
                [WAIT_NONE] = 0,
                [WAIT_CALL] = CONNECTION_IDLE_TIMEOUT_MSEC,
                [WAIT_REST_OF_CALL] = CONNECTION_REQUEST_TIMEOUT_MSEC,
                [WAIT_REPLY_TAKEN] = CONNECTION_REPLY_TIMEOUT_MSEC,
                [WAIT_NEWS] = 0,
                [WAIT_ANSWER] = 0,
        };
        if (connection->wait == wait)
                return;
        connection->wait = wait;
        if (timeouts_msec[wait])
                (void)uv_timer_start(&connection->timer, on_timeout, timeouts_msec[wait], 0);
        else
                (void)uv_timer_stop(&connection->timer);
}

/* ---- out ---- */

static void on_written(uv_write_t *request, int status)
{
        struct connection *connection = request->handle->data;
        reply_unref(connection->reply);
        connection->reply = NULL;
        connection->unsent_bytes = 0;
        if (connection->is_closing)
                return;
        if (status < 0) {
                connection_close(connection);
                return;
        }
        connection_wait(connection, WAIT_NONE);
        if (connection->question) /* there is more of it */
                question_continue(connection->question);
        connection_settle(connection);
}

/* The reply is consumed. */
static int send_reply(struct connection *connection, struct reply *reply)
{
        assert(!connection->reply);
        uv_buf_t buffer = uv_buf_init(reply->bytes, (unsigned)reply->length);
        int r = uv_write(&connection->write, (uv_stream_t *)&connection->pipe, &buffer, 1, on_written);
        if (r < 0) {
                reply_unref(reply);
                return r;
        }
        connection->reply = reply;
        connection->reply_begun = uv_now(connection->pipe.loop);
        connection->unsent_bytes = uv_stream_get_write_queue_size((uv_stream_t *)&connection->pipe);
        connection_wait(connection, WAIT_REPLY_TAKEN);
        if (connection->unsent_bytes > 0)
                server_note_unsent(connection->server);
        return 0;
}

static int send_error(struct connection *connection, struct answer *error)
{
        struct reply *reply = calloc(1, sizeof(*reply));
        if (!reply) {
                json_object_put(error->parameters);
                return -ENOMEM;
        }
        reply->references = 1;
        int r = varlink_reply_format(error->error, error->parameters, false, &reply->bytes, &reply->length);
        if (r < 0) {
                reply_unref(reply);
                return r;
        }
        return send_reply(connection, reply);
}

static int send_answer(struct connection *connection, const struct method *method,
                       struct json_object *parameters)
{
        struct reply *reply;
        int r = server_reply(connection->server, connection, method, parameters, connection->stream != NULL,
                             &reply);
        if (r < 0)
                return r;
        if (!reply->continues) /* an error ends a stream */
                connection->stream = NULL;
        return send_reply(connection, reply);
}

/* ---- the past ---- */

static int ask_past(struct connection *connection, const struct method *method,
                    struct json_object *parameters)
{
        int r = server_ask(connection->server, connection, method, parameters, &connection->question);
        if (r != -EBUSY && r != -EAGAIN)
                return r;
        struct answer error;
        r = answer_error(&error, r == -EBUSY ? INTERFACE_NAME ".Busy" : INTERFACE_NAME ".NotReady", NULL,
                         NULL);
        return r < 0 ? r : send_error(connection, &error);
}

void connection_answer(struct connection *connection, struct reply *reply, int error)
{
        if (!reply || !reply->continues)
                connection->question = NULL;
        if (!reply || error < 0 || send_reply(connection, reply) < 0)
                connection_close(connection);
        else
                connection_settle(connection);
}

/* Whether a client that sends no more takes no more either: it has closed its socket, or died. */
static bool has_hung_up(const struct connection *connection)
{
        uv_os_fd_t fd;
        if (!connection->has_ended || uv_fileno((const uv_handle_t *)&connection->pipe, &fd) < 0)
                return false;
        struct pollfd look = { .fd = fd };
        return poll(&look, 1, 0) > 0 && (look.revents & (POLLHUP | POLLERR));
}

/* ---- in ---- */

static int handle_call(struct connection *connection, struct json_object *message)
{
        struct varlink_call call;
        int r = varlink_call_parse(message, &call);
        if (r < 0)
                return r;
        if (call.oneway) /* no method here changes anything, so without its reply a call is nothing */
                return 0;
        const struct method *method;
        struct answer error;
        r = method_find(&call, &method, &error);
        if (r < 0)
                return r;
        if (!method)
                return send_error(connection, &error);
        if (method->asks_past && method->asks_past(call.parameters))
                return ask_past(connection, method, call.parameters);
        if (call.more && method->streams)
                connection->stream = method;
        return send_answer(connection, method, call.parameters);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
        struct connection *connection = handle->data;
        (void)suggested;
        *ret_buffer = uv_buf_init(server_read_buffer(connection->server), CONNECTION_READ_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
        struct connection *connection = stream->data;
        if (length == 0) /* EAGAIN */
                return;
        if (length == UV_EOF) {
                connection->has_ended = true;
                connection->is_reading = false;
        } else if (length < 0 || varlink_reader_push(&connection->reader, buffer->base, (size_t)length) < 0) {
                connection_close(connection);
                return;
        }
        connection_settle(connection);
}

static void set_reading(struct connection *connection, bool is_wanted)
{
        if (is_wanted == connection->is_reading || connection->has_ended)
                return;
        uv_stream_t *stream = (uv_stream_t *)&connection->pipe;
        if (!is_wanted)
                (void)uv_read_stop(stream);
        else if (uv_read_start(stream, on_alloc, on_read) < 0)
                connection_close(connection);
        connection->is_reading = is_wanted;
}

void connection_settle(struct connection *connection)
{
        struct varlink_reader *reader = &connection->reader;
        size_t pending = varlink_reader_pending(reader);
        bool is_full = pending >= CONNECTION_INPUT_MAX;
        if (connection->is_closing)
                return;
        if (connection->stream && is_full) { /* calls that are never answered, on top of a stream */
                connection_close(connection);
                return;
        }
        set_reading(connection, !is_full);
        if (connection->is_closing || connection->reply)
                return;
        if (connection->question) {
                connection_wait(connection, WAIT_ANSWER);
                if (has_hung_up(connection))
                        connection_close(connection);
                return;
        }
        bool has_call = pending > 0 && (is_full || varlink_reader_has_message(reader));
        if (connection->stream ? connection->has_news : has_call)
                server_want_turn(connection->server, connection);
        else if (connection->has_ended) /* and everything has been answered, or never will be */
                connection_close(connection);
        else if (pending > 0 && !has_call)
                connection_wait(connection, WAIT_REST_OF_CALL);
        else
                connection_wait(connection, connection->stream ? WAIT_NEWS : WAIT_CALL);
}

void connection_turn(struct connection *connection)
{
        int r;
        if (connection->is_closing || connection->reply || connection->question)
                return;
        if (connection->stream) {
                r = connection->has_news ? 1 : 0;
                connection->has_news = false;
                if (r > 0)
                        r = send_answer(connection, connection->stream, NULL);
        } else {
                CLEANUP_JSON struct json_object *message = NULL;
                r = varlink_reader_take(&connection->reader, &message);
                if (r > 0) {
                        connection_wait(connection, WAIT_NONE);
                        r = handle_call(connection, message);
                }
        }
        if (r < 0)
                connection_close(connection);
        else
                connection_settle(connection);
}

/* ---- the beginning ---- */

static const char too_many[] = "{\"error\":\"" INTERFACE_NAME ".TooManyConnections\",\"parameters\":{}}";

/* Says no before it hangs up. A socket that has just been made takes these few bytes at once. */
static void refuse(struct connection *connection)
{
        uv_buf_t buffer = uv_buf_init((char *)too_many, sizeof(too_many));
        (void)uv_try_write((uv_stream_t *)&connection->pipe, &buffer, 1);
}

int connection_accept(struct server *server, uv_loop_t *loop, uv_stream_t *listener)
{
        struct connection *connection = calloc(1, sizeof(*connection));
        if (!connection)
                return -ENOMEM;
        connection->server = server;
        varlink_reader_init(&connection->reader, VARLINK_CALL_MAX);
        (void)uv_timer_init(loop, &connection->timer); /* neither can fail */
        (void)uv_pipe_init(loop, &connection->pipe, 0);
        connection->timer.data = connection->pipe.data = connection;
        connection->open_handles = 2;
        uv_os_fd_t fd;
        int r = uv_accept(listener, (uv_stream_t *)&connection->pipe);
        if (r >= 0)
                r = uv_fileno((const uv_handle_t *)&connection->pipe, &fd);
        if (r >= 0)
                r = server_viewer(server, fd, &connection->viewer);
        if (r >= 0 && !server_admits(server, &connection->viewer)) {
                refuse(connection);
                r = -EUSERS;
        }
        if (r >= 0)
                r = server_add(server, connection);
        if (r < 0) {
                connection->is_closing = true;
                uv_close((uv_handle_t *)&connection->pipe, on_handle_closed);
                uv_close((uv_handle_t *)&connection->timer, on_handle_closed);
                return r;
        }
        connection_settle(connection);
        return 0;
}
