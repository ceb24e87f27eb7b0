/* How trends are laid out; for trends.c (filling), trends_ask.c (asking) and trends_load.c only. */
#pragma once

#include "daemon/history/trends.h"

#define STEPS_FINE   60
#define STEPS_MINUTE 180
#define STEPS_TEN    288
#define STEPS_HOUR   TREND_POINTS_MAX
#define POOL_NUMBERS ((size_t)TRENDS_MAX * (STEPS_FINE + STEPS_MINUTE + STEPS_TEN + STEPS_HOUR))

enum { LEVEL_FINE, LEVEL_MINUTE, LEVEL_TEN, LEVEL_HOUR };

struct level_shape {
        usec_t step_usec;
        uint32_t steps;
        size_t first; /* of its numbers in the pool, by series */
};
extern const struct level_shape trend_shapes[TREND_LEVELS];

/* Each kind has room of its own, so that many programs do not push a disk out. */
struct trend_share {
        uint16_t first, count;
};
extern const struct trend_share trend_shares[TREND_KINDS];

struct trend_sum {
        float minimum, maximum;
        double total, weight; /* seconds */
};

struct trend_level {
        usec_t from_usec[TREND_POINTS_MAX]; /* a ring of `steps` */
        uint32_t covered_msec[TREND_POINTS_MAX];
        uint32_t next, count;
        uint32_t own;       /* the newest so many were recorded since the start, not loaded */
        bool has_begun;     /* the step at hand: */
        usec_t begin_usec;  /* realtime */
        usec_t period;      /* its number since 1970 */
        double covered_sec; /* of it */
        struct trend_sum sums[TRENDS_MAX];
};

struct trend_series {
        char name[TREND_NAME_MAX];
        float weight;
        bool was_fed; /* in the hour at hand */
};

struct trends {
        uint64_t ids[TRENDS_MAX]; /* 0: free */
        struct trend_series series[TRENDS_MAX];
        struct trend_level levels[TREND_LEVELS];
        double seconds;      /* that the snapshot at hand lasted */
        usec_t now_usec;     /* realtime of the last one */
        usec_t loaded_until; /* hours are known up to here */
        bool is_loading;
        struct rollup_value pool[POOL_NUMBERS];
};

static inline struct rollup_value *trend_numbers(const struct trends *trends, size_t level, size_t series)
{
        return (struct rollup_value *)&trends
                ->pool[trend_shapes[level].first + series * trend_shapes[level].steps];
}

/* Of the ring; the newest step is 0. */
static inline uint32_t trend_slot(const struct trend_level *level, size_t number, uint32_t age)
{
        return (level->next + trend_shapes[number].steps - 1 - age) % trend_shapes[number].steps;
}

/* Its place; negative if there is none. */
int trend_find(const struct trends *trends, enum trend_kind kind, uint64_t id);
/* The same, made if there is room or a lighter one to forget; negative if it matters least. */
int trend_need(struct trends *trends, enum trend_kind kind, uint64_t id, const char *name, double weight);
/* Time passes to that instant: steps that have ended are written, the one at hand is covered by so much
 * more. A snapshot that ends at a step's very end belongs to it, as with the roll-ups. */
void trend_enter_step(struct trends *trends, size_t number, usec_t realtime_usec, double seconds);
void trend_sum_add(struct trend_sum *sum, float minimum, double mean, float maximum, double weight);
/* Unknown if nothing was added. */
struct rollup_value trend_sum_value(const struct trend_sum *sum);
