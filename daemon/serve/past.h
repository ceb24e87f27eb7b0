/* Questions about the past, answered from the record on disk: pure functions that may take their time, run by
 * a worker (questions.c), each with a reader of its own. */
#pragma once

#include <stdatomic.h>

#include "daemon/history/store_read.h"
#include "daemon/serve/methods.h"

/* All that such an answer is made of; nothing of it changes meanwhile but is_cancelled. */
struct past {
        const char *path;    /* of the history file; "": nothing is kept */
        struct store *store; /* what writes it; NULL: nothing does */
        struct config config;
        struct viewer viewer;
        usec_t now_usec;            /* realtime */
        usec_t started_usec;        /* realtime, of this slowd; 0: unknown */
        char boot_id[40];           /* of the machine now; "" unknown */
        struct incident *incidents; /* those in memory, newest first; only for methods with needs_incidents */
        size_t incident_count;
        char memory_only[STORE_ERROR_MAX]; /* past_open(): why part of the answer is from memory only; "" if
                                              none is */
        atomic_bool is_cancelled;          /* nobody waits for the answer any more */
        int export_fd;                     /* what Export has made, to be sent piece by piece; -1: nothing */
};

/* Whether a call of Diagnose or Top is about the past. */
bool past_asks_instant(struct json_object *parameters);
/* Whether a call of Boot is about an earlier one. */
bool past_asks_boot(struct json_object *parameters);
/* History, Alerts and Export always are. */
bool past_asks_always(struct json_object *parameters);

/* Each: 0, or -ENOMEM, or -ECANCELED. */
int past_diagnose(struct past *past, struct json_object *parameters, struct answer *ret_answer);
int past_top(struct past *past, struct json_object *parameters, struct answer *ret_answer);
int past_alerts(struct past *past, struct json_object *parameters, struct answer *ret_answer);
int past_boot(struct past *past, struct json_object *parameters, struct answer *ret_answer);
int past_history(struct past *past, struct json_object *parameters, struct answer *ret_answer);
/* No answer but an error; otherwise past->export_fd. */
int past_export(struct past *past, struct json_object *parameters, struct answer *ret_answer);

#define EXPORT_PIECE_BYTES (48 * 1024) /* a multiple of 3: pieces of base64 can be joined */
#define EXPORT_NAME_PREFIX "export-"   /* temporary files beside the history file */
/* The next piece of an export as an answer, at *offset, which is moved on. 1 if there are more, 0 for the
 * last, or negative errno. */
int past_export_piece(int fd, uint64_t *offset, struct answer *ret_answer);

/* For the methods, in past.c. An optional instant; -EINVAL if it is none. */
int past_optional_time(struct json_object *parameters, const char *name, usec_t fallback, usec_t *ret_usec);
/* Opens the record, and what is in memory only while it cannot be written: then past->memory_only says why.
 * 0; 1: *ret_answer says why it cannot be opened; -ENOMEM. */
int past_open(struct past *past, struct store_reader **ret_reader, struct answer *ret_answer);
/* NoHistory, or what a failed search means. 0, -ENOMEM or -ECANCELED. */
int past_nothing(int error, const char *reason, struct answer *ret_answer);
