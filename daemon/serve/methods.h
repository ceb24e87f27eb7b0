/* What can be asked, and the answers: one table of methods, each a pure function of the last published state.
 * No socket and no event loop here, and nothing that would make slowd look at the machine. */
#pragma once

#include "common/varlink.h"
#include "daemon/config.h"
#include "daemon/diagnosis/diagnosis_json.h"
#include "daemon/tick.h"

#define INTERFACE_NAME  "io.slowd.Diagnostics"
#define TOP_LIMIT_USUAL 20

/* All that answers are made of. */
struct served {
        const struct published *published; /* NULL before the first tick is finished */
        const struct config *config;
        uint64_t connections;
};

/* One answer: parameters owned by the caller, NULL for none. */
struct answer {
        const char *error; /* static; NULL: none */
        struct json_object *parameters;
};

struct past;

struct method {
        const char *name;              /* "io.slowd.Diagnostics.Top" */
        const char *const *parameters; /* NULL-ended: the names that it knows */
        bool streams;                  /* with `more` it answers again at each change */
        /* Whether a call is about the past, and its answer. NULL: never. See past.h. */
        bool (*asks_past)(struct json_object *parameters);
        int (*run_past)(struct past *past, struct json_object *parameters, struct answer *ret_answer);
        bool needs_incidents; /* run_past does */
        bool needs_more;      /* cannot be called without `more` */
        bool is_shared;       /* the answer depends on the viewer and the published state alone */
        /* 0, or -ENOMEM. `parameters` may be NULL. NULL where all calls are about the past. */
        int (*run)(const struct served *served, const struct viewer *viewer, struct json_object *parameters,
                   struct answer *ret_answer);
};

/* Ended by a NULL name. */
extern const struct method methods[];

/* The method of that name; NULL with the error to answer in ret_error if there is none or the call is wrong
 * before it begins. 0, or -ENOMEM. */
int method_find(const struct varlink_call *call, const struct method **ret_method, struct answer *ret_error);

/* For methods: an error reply with one parameter. Each returns 0 or -ENOMEM. */
int answer_error(struct answer *ret_answer, const char *error, const char *name, const char *value);
int answer_invalid(struct answer *ret_answer, const char *parameter);

/* The handlers of io.slowd.Diagnostics, in methods_diagnostics.c. */
int method_diagnose(const struct served *served, const struct viewer *viewer, struct json_object *parameters,
                    struct answer *ret_answer);
int method_list_checks(const struct served *served, const struct viewer *viewer,
                       struct json_object *parameters, struct answer *ret_answer);
int method_explain(const struct served *served, const struct viewer *viewer, struct json_object *parameters,
                   struct answer *ret_answer);
int method_top(const struct served *served, const struct viewer *viewer, struct json_object *parameters,
               struct answer *ret_answer);
int method_boot(const struct served *served, const struct viewer *viewer, struct json_object *parameters,
                struct answer *ret_answer); /* in method_boot.c */
int method_list_logs(const struct served *served, const struct viewer *viewer, struct json_object *parameters,
                     struct answer *ret_answer);
int method_mounts(const struct served *served, const struct viewer *viewer, struct json_object *parameters,
                  struct answer *ret_answer);
int method_disks(const struct served *served, const struct viewer *viewer, struct json_object *parameters,
                 struct answer *ret_answer);
int method_status(const struct served *served, const struct viewer *viewer, struct json_object *parameters,
                  struct answer *ret_answer);
