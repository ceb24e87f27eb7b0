/* The conversation with slowd, and what to say when there is none. */
#include "cli/ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/complain.h"
#include "common/cleanup.h"
#include "common/text.h"
#include "common/units.h"

#define RETRY_USEC    (250 * USEC_PER_MSEC) /* slowd's first look takes about a second */
#define SYSTEM_SOCKET "/run/slowd/" ASK_INTERFACE
#define USER_SOCKET   "slowd/" ASK_INTERFACE /* below $XDG_RUNTIME_DIR */

/* ---- what is wrong, and what helps -----------------------------------------------------------------------
 */

/* As sd_booted(3). */
static bool is_systemd_running(void)
{
        return access("/run/systemd/system", F_OK) == 0;
}

static const char *how_to_start(void)
{
        return is_systemd_running() ? "start it with: systemctl start slowd" : "start it with: slowd &";
}

static void complain_connect(const struct ask *ask, const struct options *options, int error)
{
        const char *origin = options->socket_is_option ? "--socket" : "SLOWD_SOCKET";
        struct stat status;
        switch (-error) {
        case ENOENT:
        case ENOTDIR:
                if (options->socket)
                        complain("There is no socket %s (from %s); if slowd is not running, %s", ask->path,
                                 origin, how_to_start());
                else
                        complain("slowd is not running (there is no socket %s); %s", ask->path,
                                 how_to_start());
                break;
        case ECONNREFUSED:
                if (stat(ask->path, &status) == 0 && !S_ISSOCK(status.st_mode))
                        complain("%s is not a socket; slowd listens on %s", ask->path, SYSTEM_SOCKET);
                else
                        complain("slowd is not running (nobody listens on %s); %s", ask->path,
                                 how_to_start());
                break;
        case EACCES:
        case EPERM:
                complain("You may not ask slowd on %s: try as root (sudo slowctl), or see ls -ld on its "
                         "directory",
                         ask->path);
                break;
        case ENAMETOOLONG:
                complain("%s is too long for a socket's path: at most %zu bytes", ask->path,
                         sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1);
                break;
        case EAGAIN:
                complain("slowd is overrun with connections on %s; try again in a moment", ask->path);
                break;
        default:
                complain("slowd cannot be reached on %s: %s", ask->path, strerror(-error));
        }
}

/* The connection was there, and then this. */
static void complain_talk(const struct ask *ask, int error)
{
        switch (-error) {
        case ECONNRESET:
        case EPIPE:
                complain("slowd closed the connection; was it stopped or restarted just now?");
                break;
        case EBADMSG:
        case EMSGSIZE:
                complain("What listens on %s does not answer as slowd does; is it the right socket?",
                         ask->path);
                break;
        default:
                complain("The conversation with slowd on %s failed: %s", ask->path, strerror(-error));
        }
}

void ask_complain_timeout(const struct ask *ask, usec_t waited_usec)
{
        char span[UNITS_MAX];
        complain("slowd does not answer on %s within %s%s", ask->path, format_duration(span, waited_usec),
                 is_systemd_running() ? "; see: systemctl status slowd" : "; is it stopped (kill -STOP)?");
}

void ask_complain_reply(const struct ask *ask)
{
        complain_talk(ask, -EBADMSG);
}

/* ---- the conversation ------------------------------------------------------------------------------------
 */

/* --socket or SLOWD_SOCKET; else the system's slowd; else, if that has no socket, the user's own. */
static void find_socket(const struct options *options, struct ask *ask)
{
        const char *runtime = getenv("XDG_RUNTIME_DIR");
        ask->path = options->socket ? options->socket : SYSTEM_SOCKET;
        if (options->socket || access(SYSTEM_SOCKET, F_OK) == 0 || errno != ENOENT || !runtime || !runtime[0])
                return;
        text_format(ask->path_buffer, sizeof(ask->path_buffer), "%s/%s", runtime, USER_SOCKET);
        if (access(ask->path_buffer, F_OK) == 0)
                ask->path = ask->path_buffer;
}

enum answer ask_open(const struct options *options, struct ask *ret_ask)
{
        *ret_ask = (struct ask){ 0 };
        find_socket(options, ret_ask);
        int r = varlink_client_connect(ret_ask->path, &ret_ask->client);
        if (r == 0)
                return ANSWER_OK;
        complain_connect(ret_ask, options, r);
        return ANSWER_FAILED;
}

void ask_done(struct ask *ask)
{
        ask->client = varlink_client_free(ask->client);
}

enum answer ask_call(struct ask *ask, const char *method, struct json_object *parameters, bool more)
{
        char name[128];
        text_format(name, sizeof(name), "%s.%s", ASK_INTERFACE, method);
        ask->has_ended = false;
        int r = varlink_client_call(ask->client, name, parameters, more);
        /* A server that has cut us off may have said why: the reply, or its absence, is found on receiving.
         */
        if (r == 0 || r == -EPIPE || r == -ECONNRESET)
                return ANSWER_OK;
        complain_talk(ask, r);
        return ANSWER_FAILED;
}

static enum answer judge_error(const struct ask *ask, const char *error, struct json_object *parameters)
{
        if (strcmp(error, ASK_INTERFACE ".NotReady") == 0)
                return ANSWER_NOT_READY;
        if (strcmp(error, ASK_INTERFACE ".UnknownCheck") == 0)
                return ANSWER_UNKNOWN_CHECK;
        if (strcmp(error, ASK_INTERFACE ".NoHistory") == 0) {
                const char *reason = json_string_or(parameters, "reason", "");
                complain("The record has no answer: %s; slowctl status says since when there is one",
                         reason[0] ? reason : "nothing was recorded then");
                return ANSWER_NO_HISTORY;
        }
        if (strcmp(error, ASK_INTERFACE ".NoBoot") == 0) {
                complain("How the machine started is not known: %s",
                         json_string_or(parameters, "reason", "nobody told"));
                return ANSWER_NO_HISTORY;
        }
        if (strcmp(error, ASK_INTERFACE ".Busy") == 0)
                complain("slowd is answering as many questions about the past as it can; try again in a "
                         "moment");
        else if (strcmp(error, "org.varlink.service.PermissionDenied") == 0 ||
                 strcmp(error, ASK_INTERFACE ".PermissionDenied") == 0)
                complain("Only root and members of group slowd may ask for this; try: sudo slowctl ...");
        else if (strcmp(error, ASK_INTERFACE ".TooManyConnections") == 0)
                complain("slowd has too many connections, of this user or in all; try again in a moment");
        else if (strcmp(error, "org.varlink.service.InterfaceNotFound") == 0)
                complain("What listens on %s is not slowd; is it the right socket?", ask->path);
        else if (strcmp(error, "org.varlink.service.MethodNotFound") == 0)
                complain("The slowd on %s is older than this slowctl and does not know %s; restart it",
                         ask->path, json_string_or(parameters, "method", "this question"));
        else if (strcmp(error, "org.varlink.service.InvalidParameter") == 0)
                complain("slowd refuses the value of '%s'", json_string_or(parameters, "parameter", "?"));
        else
                complain("slowd answers with an error: %s", error);
        return ANSWER_FAILED;
}

enum answer ask_receive(struct ask *ask, usec_t timeout_usec, struct json_object **ret_reply)
{
        CLEANUP_JSON struct json_object *parameters = NULL;
        CLEANUP_FREE char *error = NULL;
        bool continues = false;
        int r;
        if (ask->has_ended) {
                complain("slowd has ended the stream of answers");
                return ANSWER_FAILED;
        }
        do
                r = varlink_client_receive(ask->client, timeout_usec, &parameters, &error, &continues);
        while (r == -EINTR);
        if (r == -ETIMEDOUT)
                return ANSWER_TIMED_OUT;
        if (r < 0) {
                complain_talk(ask, r);
                return ANSWER_FAILED;
        }
        ask->has_ended = !continues;
        if (error)
                return judge_error(ask, error, parameters);
        *ret_reply = TAKE(parameters);
        return ANSWER_OK;
}

usec_t ask_timeout(const struct options *options)
{
        bool is_past = options->at_usec || options->since_usec || options->until_usec ||
                       (options->command->options & OPTION_PROC);
        return is_past ? ASK_PAST_TIMEOUT_USEC : ASK_TIMEOUT_USEC;
}

int ask_complain_memory(struct json_object *parameters)
{
        json_object_put(parameters);
        complain("There is no memory.");
        return STATUS_NOT_REACHABLE;
}

struct json_object *ask_parameters(const struct options *options)
{
        const struct {
                const char *name;
                usec_t usec;
        } times[] = { { "atUSec", options->at_usec },
                      { "sinceUSec", options->since_usec },
                      { "untilUSec", options->until_usec } };
        struct json_object *parameters = json_object_new_object();
        int r = parameters ? 0 : -ENOMEM;
        for (size_t i = 0; r == 0 && i < sizeof(times) / sizeof(times[0]); i++)
                if (times[i].usec > 0)
                        r = json_add_int(parameters, times[i].name, (int64_t)times[i].usec);
        if (r == 0)
                return parameters;
        (void)ask_complain_memory(parameters);
        return NULL;
}

usec_t ask_monotonic_usec(void)
{
        struct timespec now;
        (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
        return (usec_t)now.tv_sec * USEC_PER_SEC + (usec_t)now.tv_nsec / NSEC_PER_USEC;
}

static void sleep_usec(usec_t usec)
{
        struct timespec span = { .tv_sec = (time_t)(usec / USEC_PER_SEC),
                                 .tv_nsec = (long)(usec % USEC_PER_SEC * NSEC_PER_USEC) };
        (void)nanosleep(&span, NULL); /* shorter after a signal is fine */
}

enum answer ask_receive_ready(struct ask *ask, const char *method, struct json_object *parameters, bool more,
                              usec_t deadline, struct json_object **ret_reply)
{
        for (;;) {
                usec_t now = ask_monotonic_usec();
                usec_t left = deadline == VARLINK_TIMEOUT_NONE ? VARLINK_TIMEOUT_NONE
                              : deadline > now                 ? deadline - now
                                                               : 0;
                enum answer answer = ask_receive(ask, left, ret_reply);
                if (answer != ANSWER_NOT_READY || left <= RETRY_USEC)
                        return answer;
                sleep_usec(RETRY_USEC);
                answer = ask_call(ask, method, json_object_get(parameters), more);
                if (answer != ANSWER_OK)
                        return answer;
        }
}

int ask_complain_not_ready(void)
{
        complain("slowd has just started and has not seen enough yet; ask again in a few seconds");
        return STATUS_UNKNOWN;
}

int ask_once(const struct options *options, const char *method, struct json_object *parameters,
             struct json_object **ret_reply)
{
        struct ask ask;
        usec_t timeout = ask_timeout(options);
        enum answer answer = ask_open(options, &ask);
        if (answer == ANSWER_OK)
                answer = ask_call(&ask, method, json_object_get(parameters), false);
        if (answer == ANSWER_OK)
                answer = ask_receive_ready(&ask, method, parameters, false, ask_monotonic_usec() + timeout,
                                           ret_reply);
        json_object_put(parameters);
        if (answer == ANSWER_TIMED_OUT)
                ask_complain_timeout(&ask, timeout);
        ask_done(&ask);
        switch (answer) {
        case ANSWER_OK:
                return 0;
        case ANSWER_UNKNOWN_CHECK:
                return -ENOENT;
        case ANSWER_NO_HISTORY:
                return STATUS_UNKNOWN;
        case ANSWER_NOT_READY:
                return ask_complain_not_ready();
        case ANSWER_TIMED_OUT:
        case ANSWER_FAILED:
                break;
        }
        return STATUS_NOT_REACHABLE;
}
