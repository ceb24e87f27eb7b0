/* A made-up machine that lives: processes come, work, exec and go, counters grow, mounts and groups change.
 * For tests of the store only: what checks conclude is tested with recordings. */
#pragma once

#include "daemon/sample/sample.h"

struct synthetic;

struct synthetic_options {
        uint32_t processes;
        uint32_t cpus;
        uint32_t busy_permille;  /* share of processes that run in one tick */
        uint32_t churn_permille; /* chance per process and tick to be replaced by a new one */
        uint64_t seed;
};

struct synthetic *synthetic_new(const struct synthetic_options *options);
struct synthetic *synthetic_free(struct synthetic *synthetic);
/* Lets the machine live for that long and takes a sample of it. Identities live as long as the machine. */
void synthetic_step(struct synthetic *synthetic, usec_t usec, struct sample *ret_sample);
/* A reboot: monotonic time and counters begin again. */
void synthetic_reboot(struct synthetic *synthetic);
/* Moves the realtime clock; the machine sleeps for so long. */
void synthetic_set_clock(struct synthetic *synthetic, int64_t step_usec);
void synthetic_suspend(struct synthetic *synthetic, usec_t usec);

/* Releases what a sample owns. */
void synthetic_sample_done(struct sample *sample);
/* NULL if all that is stored is the same in both, else where they differ (static buffer). */
const char *sample_difference(const struct sample *a, const struct sample *b);
