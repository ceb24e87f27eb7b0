/* How long each disk has taken for a request in the last 15 minutes, and at which load: its own measure. The
 * kernel counts requests and the time they took, so each figure is a mean over a few seconds. */
#pragma once

#include "daemon/model/snapshot.h"

#define DISK_PAST_DISKS      32 /* whole disks, the longest unused ones are forgotten first */
#define DISK_PAST_STEP_USEC  (5 * USEC_PER_SEC)
#define DISK_PAST_STEPS      180
#define DISK_PAST_BUCKETS    48 /* of latency, each a half of an octave: 1/64 ms to 4 min */
#define DISK_PAST_SLICES     3
#define DISK_PAST_SLICE_USEC (5 * USEC_PER_MINUTE)

enum disk_direction { DISK_READS, DISK_WRITES, DISK_DIRECTIONS };

/* What a disk did in one step of five seconds; all zero if it was not looked at. */
struct disk_step {
        uint32_t number; /* of the step, by the monotonic clock */
        float covered_sec;
        float busy_sec, queued_sec; /* with requests in flight; requests in flight, summed */
        float requests[DISK_DIRECTIONS], took_sec[DISK_DIRECTIONS], bytes[DISK_DIRECTIONS];
};

struct disk_past {
        struct disk_past_row {
                char name[DEVICE_NAME_MAX];
                uint32_t last_step; /* in which it did anything */
                struct disk_step steps[DISK_PAST_STEPS];
                struct {
                        uint32_t number;
                        float requests[DISK_PAST_BUCKETS]; /* by the mean latency of their interval */
                } slices[DISK_PAST_SLICES];
        } rows[DISK_PAST_DISKS];
};

void disk_past_push(struct disk_past *past, const struct snapshot *snapshot);

/* NULL if nothing is known of that disk. */
const struct disk_past_row *disk_past_find(const struct disk_past *past, const char *name);
/* The step that ended so many steps ago (0: the one that is not over yet); NULL if it was not looked at. */
const struct disk_step *disk_past_step(const struct disk_past_row *row, usec_t now_usec, uint32_t ago);
/* The time that a request of that kind took by itself in a step, msec: what it waited for others in the queue
 * is taken off. NAN without requests. */
double disk_step_service_msec(const struct disk_step *step, enum disk_direction direction);

/* Below which a share of the requests (0.5, 0.95, 0.99) of the last 10 to 15 minutes stayed, each counted
 * with the mean of its interval: msec; NAN without requests. */
double disk_past_latency_msec(const struct disk_past_row *row, usec_t now_usec, double share);
