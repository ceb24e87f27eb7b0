/* When the next tick is due. Due times are absolute, so the rhythm does not drift; time is passed in, so it
 * can be tested without waiting. All times are monotonic. */
#pragma once

#include <stdbool.h>

#include "common/usec.h"

#define RHYTHM_START_FAST_TICKS 10 /* after start: an answer within seconds, not after several intervals */
#define RHYTHM_HURRY_FAST_TICKS                                                                              \
        5 /* after the kernel has reported pressure, which it repeats while it lasts */

/* A tick that takes so long has not looked for long but stood still, like one that begins late: what was
 * asked for is one interval, and the rest is a gap (as HISTORY_GAP_USEC, daemon/history/history.h). */
#define RHYTHM_STANDSTILL_USEC (10 * USEC_PER_SEC)

struct rhythm {
        usec_t interval_usec, fast_interval_usec;
        usec_t due_usec;      /* of the next tick; while one runs, of the one after it */
        usec_t last_due_usec; /* the due time of the last tick that began: the grid's origin */
        usec_t begun_usec;    /* when the last tick really began; 0: never */
        usec_t asked_usec;    /* the interval that was asked for between the last tick and the next */
        unsigned fast_ticks;  /* this many ticks are fast whatever they find */
        bool is_running, is_fast;
        uint64_t missed_ticks; /* due times that passed while a tick was still running, or we were stopped */
};

/* The first tick is due at once. */
void rhythm_init(struct rhythm *rhythm, usec_t interval_usec, usec_t fast_interval_usec, usec_t now_usec);
/* New intervals, from the next tick on. */
void rhythm_set(struct rhythm *rhythm, usec_t interval_usec, usec_t fast_interval_usec);
/* Whether to begin a tick now; if so it has begun, and ret_expected_usec is the time since the last one that
 * was asked for. */
bool rhythm_begin(struct rhythm *rhythm, usec_t now_usec, usec_t *ret_expected_usec);
/* The tick is over. Due times that passed meanwhile are skipped and counted. */
void rhythm_end(struct rhythm *rhythm, usec_t now_usec, bool wants_fast);
/* The kernel reports pressure: the next tick is due now (one fast interval after the last at the earliest),
 * and ticks are fast for a while. */
void rhythm_hurry(struct rhythm *rhythm, usec_t now_usec);
/* How long until the next tick is due; 0 if it is. */
usec_t rhythm_wait(const struct rhythm *rhythm, usec_t now_usec);
/* The interval at which it ticks now. */
usec_t rhythm_interval(const struct rhythm *rhythm);
