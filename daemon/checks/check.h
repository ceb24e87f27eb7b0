/* One hypothesis of why a machine is slow. A check is a pure function of the history window and its
 * parameters: it reads no file and no clock and keeps nothing, so the same code answers now, for last night
 * and for a recording. To add one: its file, one line of the table in checks.c, a recorded machine where it
 * is found, one where its look-alike is clear. */
#pragma once

#include "daemon/checks/workers.h"
#include "daemon/diagnosis/finding.h"
#include "daemon/history/history.h"

#define CHECK_PARAMETERS_MAX 10

struct check_parameter {
        const char *key;  /* in slowd.conf, section [check NAME]: "RaiseVictimWaitPermille" */
        const char *unit; /* "permille", "seconds", "bytes", "perSecond", "count" */
        double default_value, minimum, maximum;
        const char *meaning;
        const char *reason; /* why this number */
        const char *source; /* and where it comes from */
};

struct check_context {
        const struct history *history;
        const double *parameters; /* in the order of check->parameters */
        bool was_found;           /* an incident of this check is open: the clear thresholds apply */
        const struct added_workers *workers; /* background workers that slowd.conf adds; NULL: none */
};

struct check {
        const char *name;       /* "cpu.overload" */
        const char *title;      /* "One program asks for more CPU than there is" */
        const char *message_id; /* 32 hex digits: MESSAGE_ID of its journal entries */
        enum subject_kind culprit_kind;
        const char *cause;           /* explain: what is going on, in a few sentences */
        const char *meaning;         /* what it means for whoever uses the machine */
        const char *remedy;          /* what helps in general */
        const char *look_alike;      /* what it is told apart from, and how */
        const char *const *explains; /* NULL-ended: checks whose findings can follow from this one */
        const struct check_parameter *parameters; /* ended by a NULL key */
        void (*run)(const struct check_context *context, struct finding *ret_finding);
};

/* In elimination order, NULL-ended. */
extern const struct check *const checks[];
#define CHECKS_MAX 48

/* NULL if there is none of that name. */
const struct check *check_find(const char *name);
