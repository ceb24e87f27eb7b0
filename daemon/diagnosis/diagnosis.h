/* Findings -> one diagnosis: root and consequence, ranking; and the incidents that findings open and close.
 */
#pragma once

#include "daemon/checks/check.h"

#define DIAGNOSIS_FINDINGS_MAX 12

enum diagnosis_verdict { DIAGNOSIS_UNKNOWN, DIAGNOSIS_HEALTHY, DIAGNOSIS_RISK, DIAGNOSIS_SLOW };

struct reason {
        const char *check; /* static */
        char text[REASON_TEXT_MAX];
};

struct diagnosis {
        char machine[64];
        usec_t at_usec; /* realtime */
        enum diagnosis_verdict verdict;
        char summary[FINDING_TEXT_MAX];
        struct finding causes[DIAGNOSIS_FINDINGS_MAX]; /* worst first */
        uint32_t cause_count;
        struct finding risks[DIAGNOSIS_FINDINGS_MAX];
        uint32_t risk_count;
        struct finding consequences[DIAGNOSIS_FINDINGS_MAX];
        uint32_t consequence_count;
        struct reason ruled_out[CHECKS_MAX]; /* in elimination order */
        uint32_t ruled_out_count;
        struct reason not_checked[CHECKS_MAX];
        uint32_t not_checked_count;
};

/* ---- incidents ---- */

#define INCIDENTS_MAX        128 /* remembered, the oldest closed ones go first */
#define INCIDENT_VICTIMS_MAX 3

enum incident_change { INCIDENT_OPENED, INCIDENT_WORSENED, INCIDENT_CLOSED };

struct incident {
        uint64_t id;                   /* counts from 1 since start */
        const char *check;             /* static */
        usec_t since_usec, until_usec; /* realtime; until 0 while it is open */
        enum severity severity;        /* worst so far */
        int32_t peak_permille;
        usec_t peak_usec;
        /* as it was at its peak */
        char summary[FINDING_TEXT_MAX];
        struct subject culprit;
        struct subject victims[INCIDENT_VICTIMS_MAX];
        uint32_t victim_count;
        char remedy[FINDING_TEXT_MAX]; /* the first one's text and command */
};

/* What happened to incidents at one tick, for the journal. */
struct incident_event {
        enum incident_change change;
        struct incident incident; /* copy */
};
#define INCIDENT_EVENTS_MAX 32
