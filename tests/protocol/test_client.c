/* The blocking client against a server that misbehaves in every way: it has to come back with an error, in
 * time. */
#include "common/varlink_client.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/varlink.h"

/* Takes one connection, reads one call and answers with these bytes, in pieces, then hangs up or waits. */
struct server {
        char directory[64], path[96];
        int listener;
        pthread_t thread;
        const char *bytes;
        size_t length, piece;
        bool stays_open;
        char received[4096];
};

static void *serve_one(void *userdata)
{
        struct server *server = userdata;
        int fd = accept(server->listener, NULL, NULL);
        assert_true(fd >= 0);
        size_t got = 0;
        while (!memchr(server->received, '\0', got)) {
                ssize_t n = recv(fd, server->received + got, sizeof(server->received) - got, 0);
                assert_true(n > 0);
                got += (size_t)n;
        }
        for (size_t sent = 0; sent < server->length;) {
                size_t left = server->length - sent;
                ssize_t n = send(fd, server->bytes + sent, left < server->piece ? left : server->piece,
                                 MSG_NOSIGNAL);
                if (n < 0)
                        break; /* the client has given up on us */
                sent += (size_t)n;
        }
        char byte;
        if (server->stays_open)
                (void)!recv(fd, &byte, 1, 0); /* until the client goes */
        (void)close(fd);
        return NULL;
}

static struct varlink_client *start(struct server *server, const char *bytes, size_t length, size_t piece,
                                    bool stays_open)
{
        struct varlink_client *client;
        *server =
                (struct server){ .bytes = bytes, .length = length, .piece = piece, .stays_open = stays_open };
        snprintf(server->directory, sizeof(server->directory), "/tmp/slowd-test-client-XXXXXX");
        assert_non_null(mkdtemp(server->directory));
        snprintf(server->path, sizeof(server->path), "%s/socket", server->directory);
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        snprintf(address.sun_path, sizeof(address.sun_path), "%s", server->path);
        server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(server->listener, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(listen(server->listener, 1), 0);
        assert_int_equal(pthread_create(&server->thread, NULL, serve_one, server), 0);
        assert_int_equal(varlink_client_connect(server->path, &client), 0);
        return client;
}

static void stop(struct server *server, struct varlink_client *client)
{
        varlink_client_free(client);
        assert_int_equal(pthread_join(server->thread, NULL), 0);
        (void)close(server->listener);
        (void)unlink(server->path);
        (void)rmdir(server->directory);
}

/* What the client makes of a server that answers with these bytes. */
static int receive_from(const char *bytes, size_t length, bool stays_open)
{
        struct server server;
        struct varlink_client *client = start(&server, bytes, length, 7, stays_open);
        CLEANUP_JSON struct json_object *parameters = NULL;
        CLEANUP_FREE char *error = NULL;
        bool continues;
        assert_int_equal(varlink_client_call(client, "a.B", NULL, false), 0);
        int r = varlink_client_receive(client, 200 * USEC_PER_MSEC, &parameters, &error, &continues);
        assert_true((r == 0) == (parameters != NULL));
        stop(&server, client);
        return r;
}

#define RECEIVE_FROM(literal, stays_open) receive_from(literal, sizeof(literal), stays_open)

static void test_bad_servers(void **state)
{
        (void)state;
        assert_int_equal(receive_from("", 0, false), -ECONNRESET);
        assert_int_equal(receive_from("", 0, true), -ETIMEDOUT);
        assert_int_equal(receive_from("{\"parameters\":{", 15, true), -ETIMEDOUT);
        assert_int_equal(receive_from("{\"parameters\":{", 15, false), -ECONNRESET);
        assert_int_equal(RECEIVE_FROM("garbage", true), -EBADMSG);
        assert_int_equal(RECEIVE_FROM("[]", true), -EBADMSG);
        assert_int_equal(RECEIVE_FROM("{\"parameters\":3}", true), -EBADMSG);
        assert_int_equal(RECEIVE_FROM("{\"error\":{}}", true), -EBADMSG);
}

static void test_endless_reply(void **state)
{
        (void)state;
        size_t length = VARLINK_REPLY_MAX + 100000;
        CLEANUP_FREE char *bytes = malloc(length);
        assert_non_null(bytes);
        memset(bytes, 'x', length);
        struct server server;
        struct varlink_client *client = start(&server, bytes, length, 65536, true);
        struct json_object *parameters = NULL;
        char *error = NULL;
        assert_int_equal(varlink_client_call(client, "a.B", NULL, false), 0);
        assert_int_equal(varlink_client_receive(client, VARLINK_TIMEOUT_NONE, &parameters, &error, NULL),
                         -EMSGSIZE);
        stop(&server, client);
}

static void test_nobody_there(void **state)
{
        (void)state;
        struct varlink_client *client = NULL;
        char path[200];
        memset(path, 'x', sizeof(path) - 1);
        path[sizeof(path) - 1] = '\0';
        assert_int_equal(varlink_client_connect("/tmp/no/such/socket", &client), -ENOENT);
        assert_int_equal(varlink_client_connect(path, &client), -ENAMETOOLONG);
        assert_null(client);
        assert_null(varlink_client_free(NULL));
}

static void test_stream_and_errors(void **state)
{
        (void)state;
        static const char bytes[] = "{\"parameters\":{\"n\":1},\"continues\":true}\0"
                                    "{\"parameters\":{\"n\":2},\"continues\":true}\0"
                                    "{\"error\":\"a.Wrong\",\"parameters\":{\"why\":\"x\"}}";
        for (size_t piece = 1; piece <= sizeof(bytes); piece += 13) {
                struct server server;
                struct varlink_client *client = start(&server, bytes, sizeof(bytes), piece, false);
                assert_int_equal(varlink_client_call(client, "a.B", json_tokener_parse("{\"p\":1}"), true),
                                 0);
                for (int i = 1; i <= 2; i++) {
                        CLEANUP_JSON struct json_object *parameters = NULL;
                        CLEANUP_FREE char *error = NULL;
                        bool continues = false;
                        assert_int_equal(varlink_client_receive(client, 5 * USEC_PER_SEC, &parameters, &error,
                                                                &continues),
                                         0);
                        assert_null(error);
                        assert_true(continues);
                        assert_int_equal(json_int_or(parameters, "n", 0), i);
                }
                CLEANUP_JSON struct json_object *parameters = NULL;
                CLEANUP_FREE char *error = NULL;
                bool continues = true;
                assert_int_equal(
                        varlink_client_receive(client, 5 * USEC_PER_SEC, &parameters, &error, &continues), 0);
                assert_string_equal(error, "a.Wrong");
                assert_false(continues);
                assert_string_equal(json_string_or(parameters, "why", ""), "x");
                assert_string_equal(server.received,
                                    "{\"method\":\"a.B\",\"parameters\":{\"p\":1},\"more\":true}");
                stop(&server, client);
        }
}

static void test_reply_that_waits_when_the_server_has_hung_up(void **state)
{
        (void)state;
        static const char bytes[] = "{\"error\":\"io.slowd.Diagnostics.TooManyConnections\"}";
        struct server server;
        struct varlink_client *client = start(&server, bytes, sizeof(bytes), sizeof(bytes), false);
        CLEANUP_JSON struct json_object *parameters = NULL;
        CLEANUP_FREE char *error = NULL;
        assert_int_equal(varlink_client_call(client, "a.B", NULL, false), 0);
        assert_int_equal(varlink_client_receive(client, 5 * USEC_PER_SEC, &parameters, &error, NULL), 0);
        assert_string_equal(error, "io.slowd.Diagnostics.TooManyConnections");
        assert_int_equal(json_object_object_length(parameters), 0);
        stop(&server, client);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_bad_servers),
                cmocka_unit_test(test_endless_reply),
                cmocka_unit_test(test_nobody_there),
                cmocka_unit_test(test_stream_and_errors),
                cmocka_unit_test(test_reply_that_waits_when_the_server_has_hung_up),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
