/* The blocking client: one socket, one reader. */
#include "common/varlink_client.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/varlink.h"

struct varlink_client {
        int fd;
        struct varlink_reader reader;
};

int varlink_client_connect(const char *path, struct varlink_client **ret_client)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        memcpy(address.sun_path, path, strlen(path) + 1);
        CLEANUP_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                return -errno;
        struct varlink_client *client = malloc(sizeof(*client));
        if (!client)
                return -ENOMEM;
        client->fd = take_fd(&fd);
        varlink_reader_init(&client->reader, VARLINK_REPLY_MAX);
        *ret_client = client;
        return 0;
}

struct varlink_client *varlink_client_free(struct varlink_client *client)
{
        if (client) {
                (void)close(client->fd);
                varlink_reader_done(&client->reader);
                free(client);
        }
        return NULL;
}

int varlink_client_fd(const struct varlink_client *client)
{
        return client->fd;
}

static usec_t now_monotonic(void)
{
        struct timespec now;
        (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail */
        return (usec_t)now.tv_sec * USEC_PER_SEC + (usec_t)now.tv_nsec / NSEC_PER_USEC;
}

/* Waits until `deadline` at most. 0; -ETIMEDOUT; -EINTR. */
static int wait_for(int fd, short events, usec_t deadline)
{
        int timeout_msec = -1;
        if (deadline != VARLINK_TIMEOUT_NONE) {
                usec_t now = now_monotonic();
                usec_t left_msec = now >= deadline ? 0 : (deadline - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
                timeout_msec = left_msec > INT_MAX ? INT_MAX : (int)left_msec;
        }
        struct pollfd poll_fd = { .fd = fd, .events = events };
        int r = poll(&poll_fd, 1, timeout_msec);
        return r > 0 ? 0 : r == 0 ? -ETIMEDOUT : -errno;
}

int varlink_client_call(struct varlink_client *client, const char *method, struct json_object *parameters,
                        bool more)
{
        CLEANUP_FREE char *bytes = NULL;
        size_t length;
        int r = varlink_call_format(method, parameters, more, &bytes, &length);
        for (size_t sent = 0; r >= 0 && sent < length;) {
                ssize_t n = send(client->fd, bytes + sent, length - sent, MSG_NOSIGNAL);
                if (n >= 0)
                        sent += (size_t)n;
                else if (errno == EAGAIN)
                        r = wait_for(client->fd, POLLOUT, VARLINK_TIMEOUT_NONE);
                else if (errno != EINTR)
                        r = -errno;
                if (r == -EINTR) /* half a call cannot be taken back */
                        r = 0;
        }
        return r;
}

/* Reads what is there. 0; -EAGAIN; -ECONNRESET at the end of the stream. */
static int read_some(struct varlink_client *client)
{
        char buffer[16 * 1024];
        ssize_t n = recv(client->fd, buffer, sizeof(buffer), 0);
        if (n < 0)
                return -errno;
        if (n == 0)
                return -ECONNRESET;
        return varlink_reader_push(&client->reader, buffer, (size_t)n);
}

static int unpack_reply(struct json_object *message, struct json_object **ret_parameters, char **ret_error,
                        bool *ret_continues)
{
        struct varlink_reply reply;
        int r = varlink_reply_parse(message, &reply);
        if (r < 0)
                return r;
        if (reply.error && !ret_error)
                return -EBADE;
        char *error = reply.error ? strdup(reply.error) : NULL;
        if (reply.error && !error)
                return -ENOMEM;
        struct json_object *parameters =
                reply.parameters ? json_object_get(reply.parameters) : json_object_new_object();
        if (!parameters) {
                free(error);
                return -ENOMEM;
        }
        *ret_parameters = parameters;
        if (ret_error)
                *ret_error = error;
        if (ret_continues)
                *ret_continues = reply.continues;
        return 0;
}

int varlink_client_receive(struct varlink_client *client, usec_t timeout_usec,
                           struct json_object **ret_parameters, char **ret_error, bool *ret_continues)
{
        usec_t deadline = VARLINK_TIMEOUT_NONE;
        if (timeout_usec != VARLINK_TIMEOUT_NONE)
                deadline = now_monotonic() + timeout_usec;
        for (;;) {
                CLEANUP_JSON struct json_object *message = NULL;
                int r = varlink_reader_take(&client->reader, &message);
                if (r < 0)
                        return r;
                if (r > 0)
                        return unpack_reply(message, ret_parameters, ret_error, ret_continues);
                r = read_some(client);
                if (r == -EAGAIN)
                        r = wait_for(client->fd, POLLIN, deadline);
                if (r < 0)
                        return r;
        }
}
