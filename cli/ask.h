/* Asking slowd: finds its socket, calls, receives, and says in one sentence what is wrong and what to do. */
#pragma once

#include <stdbool.h>

#include <json-c/json.h>

#include "cli/options.h"
#include "common/json.h"
#include "common/usec.h"
#include "common/varlink_client.h"

#define ASK_TIMEOUT_USEC (5 * USEC_PER_SEC)
/* Questions about the past are read from disk, which may be what is slow. */
#define ASK_PAST_TIMEOUT_USEC (30 * USEC_PER_SEC)
#define ASK_INTERFACE         "io.slowd.Diagnostics"

enum answer {
        ANSWER_OK,
        ANSWER_TIMED_OUT,     /* nothing yet; nothing was said: the same call can be waited for again */
        ANSWER_NOT_READY,     /* slowd has not finished its first look; nothing was said */
        ANSWER_UNKNOWN_CHECK, /* nothing was said */
        ANSWER_NO_HISTORY,    /* nothing is recorded for that time: a sentence was written */
        ANSWER_FAILED,        /* a sentence was written: leave with STATUS_NOT_REACHABLE */
};

struct ask {
        struct varlink_client *client;
        const char *path; /* of the socket; borrowed or in path_buffer */
        char path_buffer[256];
        bool has_ended; /* the last reply was the stream's last: nothing more will come */
};

/* ANSWER_OK or ANSWER_FAILED. */
enum answer ask_open(const struct options *options, struct ask *ret_ask);
void ask_done(struct ask *ask);

/* Sends a call of this interface: method is "Diagnose". `parameters` is consumed and may be NULL. */
enum answer ask_call(struct ask *ask, const char *method, struct json_object *parameters, bool more);
/* The next reply, owned by the caller. */
enum answer ask_receive(struct ask *ask, usec_t timeout_usec, struct json_object **ret_reply);
/* The next reply to a call that was sent; a slowd that is not ready is asked the same again. `parameters` are
 * borrowed and may be NULL. Gives up at `deadline` (ask_monotonic_usec(), or VARLINK_TIMEOUT_NONE). */
enum answer ask_receive_ready(struct ask *ask, const char *method, struct json_object *parameters, bool more,
                              usec_t deadline, struct json_object **ret_reply);
/* What a timeout means where there is nothing to wait for any more. */
void ask_complain_timeout(const struct ask *ask, usec_t waited_usec);
/* What a reply lacks that the interface promises. */
void ask_complain_reply(const struct ask *ask);

/* How long to wait for the answer to what the options ask. */
usec_t ask_timeout(const struct options *options);
/* The parameters atUSec, sinceUSec and untilUSec as far as they are given, to which a command adds its own;
 * NULL without memory, which has been said. */
struct json_object *ask_parameters(const struct options *options);
/* Consumes the parameters, says that there is no memory, and returns what to leave with. */
int ask_complain_memory(struct json_object *parameters);

usec_t ask_monotonic_usec(void);
/* Says that slowd has just started, and returns what to leave with. */
int ask_complain_not_ready(void);

/* One call and its one reply; a slowd that has just started is waited for, as long as for any answer. 0;
 * STATUS_NOT_REACHABLE or STATUS_UNKNOWN (a sentence was written); or, with nothing said, -ENOENT: the server
 * knows no such check. */
int ask_once(const struct options *options, const char *method, struct json_object *parameters,
             struct json_object **ret_reply);
