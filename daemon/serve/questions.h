/* Questions about the past, on workers: a few at once, a few waiting, the others are told to come again. The
 * loop's thread does nothing of it but pass answers on. */
#pragma once

#include <uv.h>

#include "daemon/serve/past.h"

#define QUESTIONS_AT_ONCE     2 /* each takes a thread of libuv's pool: loop.c sizes it */
#define QUESTIONS_WAITING_MAX 8
#define QUESTIONS_PER_UID_MAX 4 /* of those who may not see all, running ones included */
#define EXPORTS_MAX           2 /* files on their way to a client */

struct connection;
struct question;

struct questions {
        uv_loop_t *loop;
        struct question *waiting, *running; /* the first comes next; in no order */
        unsigned running_count, exports;
        bool is_stopping;
};

/* Who asks what. */
struct question_call {
        struct connection *connection;
        const struct method *method;
        struct json_object *parameters;    /* copied */
        const char *path;                  /* of the history file */
        struct store *store;               /* what writes it, or NULL */
        const struct config *config;       /* copied */
        const struct published *published; /* may be NULL; what is needed of it is copied */
        struct viewer viewer;
};

/* connection_answer() will be called when the answer is there, unless the question is dropped. 0 with the
 * question; -EBUSY: too many; -EAGAIN: not before the first tick; -ENOMEM. */
int questions_ask(struct questions *questions, const struct question_call *call,
                  struct question **ret_question);
/* The reply before has been taken: makes the next piece of an export. */
void question_continue(struct question *question);
/* Nobody waits for it any more. Accepts NULL. */
void question_drop(struct question *question);
/* Drops all that wait and asks the others to end. */
void questions_stop(struct questions *questions);
/* At start: exports that a killed slowd left behind. */
void questions_clean(const char *path);
