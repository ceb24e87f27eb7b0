/* What the journal is told about an incident: one sentence and its fields. Pure: no journal here. Command
 * lines are left out, since more people read the journal than may see them. */
#pragma once

#include "daemon/diagnosis/diagnosis.h"

#define ALERT_MESSAGE_MAX 768

struct alert {
        char message[ALERT_MESSAGE_MAX];
        int priority;                                             /* syslog's: 3 error ... 6 information */
        const char *message_id;                                   /* static; 32 hex digits */
        const char *check;                                        /* static */
        const char *event;                                        /* static: opened, worsened, closed */
        char culprit[SUBJECT_NAME_MAX], victim[SUBJECT_NAME_MAX]; /* "" if there is none */
        char culprit_unit[UNIT_NAME_MAX];
        uint32_t culprit_pid; /* 0: none */
        int32_t lost_permille;
        char since[32]; /* ISO 8601, UTC */
};

void alert_make(const struct incident_event *event, struct alert *ret_alert);
