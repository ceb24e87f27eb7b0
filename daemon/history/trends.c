/* Rings of packed numbers, one a series and level. All series of a level share its dates, so a step costs one
 * date; a series that was not there then has an unknown number. */
#include "daemon/history/trends.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

#define STEPS_FINE   60
#define STEPS_MINUTE 180
#define STEPS_TEN    288
#define STEPS_HOUR   TREND_POINTS_MAX

enum { LEVEL_FINE, LEVEL_MINUTE, LEVEL_TEN, LEVEL_HOUR };

static const struct level_shape {
        usec_t step_usec;
        uint32_t steps;
        size_t first; /* of its numbers in the pool, by series */
} shapes[TREND_LEVELS] = {
        [LEVEL_FINE] = { 10 * USEC_PER_SEC, STEPS_FINE, 0 },
        [LEVEL_MINUTE] = { USEC_PER_MINUTE, STEPS_MINUTE, (size_t)TRENDS_MAX *STEPS_FINE },
        [LEVEL_TEN] = { 10 * USEC_PER_MINUTE, STEPS_TEN, (size_t)TRENDS_MAX *(STEPS_FINE + STEPS_MINUTE) },
        [LEVEL_HOUR] = { USEC_PER_HOUR, STEPS_HOUR,
                         (size_t)TRENDS_MAX *(STEPS_FINE + STEPS_MINUTE + STEPS_TEN) },
};
#define POOL_NUMBERS ((size_t)TRENDS_MAX * (STEPS_FINE + STEPS_MINUTE + STEPS_TEN + STEPS_HOUR))

/* Each kind has room of its own, so that many programs do not push a disk out. */
static const struct share {
        uint16_t first, count;
} shares[TREND_KINDS] = {
        [TREND_PROGRAM_MEMORY] = { 0, 84 },
        [TREND_MACHINE] = { 84, 20 },
        [TREND_FILE_SYSTEM_AVAILABLE] = { 104, 20 },
        [TREND_FILE_SYSTEM_INODES] = { 124, 12 },
        [TREND_DISK_AWAIT] = { 136, 12 },
        [TREND_DISK_BUSY] = { 148, 12 },
        [TREND_SLAB] = { 160, 8 },
        [TREND_LOG_SIZE] = { 168, 16 },
        [TREND_TMPFS_USED] = { 184, 8 },
};

/* A new series takes the place of one that matters this much less; a series that is not fed loses a tenth of
 * its weight each hour, so it is forgotten in a day or two where others need the room. */
#define HEAVIER       1.25
#define FADE_PER_HOUR 0.9F

struct sum {
        float minimum, maximum;
        double total, weight; /* seconds */
};

struct level {
        usec_t from_usec[TREND_POINTS_MAX]; /* a ring of `steps` */
        uint32_t covered_msec[TREND_POINTS_MAX];
        uint32_t next, count;
        uint32_t own;       /* the newest so many were recorded since the start, not loaded */
        bool has_begun;     /* the step at hand: */
        usec_t begin_usec;  /* realtime */
        usec_t period;      /* its number since 1970 */
        double covered_sec; /* of it */
        struct sum sums[TRENDS_MAX];
};

struct series {
        char name[TREND_NAME_MAX];
        float weight;
        bool was_fed; /* in the hour at hand */
};

struct trends {
        uint64_t ids[TRENDS_MAX]; /* 0: free */
        struct series series[TRENDS_MAX];
        struct level levels[TREND_LEVELS];
        double seconds;      /* that the snapshot at hand lasted */
        usec_t now_usec;     /* realtime of the last one */
        usec_t loaded_until; /* hours are loaded up to here */
        struct rollup_value pool[POOL_NUMBERS];
};

struct trends *trends_new(void)
{
        return calloc(1, sizeof(struct trends));
}

struct trends *trends_free(struct trends *trends)
{
        free(trends);
        return NULL;
}

uint64_t trend_id(const char *name)
{
        return text_hash(HASH_SEED, name);
}

uint64_t trend_field_id(enum field field)
{
        return trend_id(field_name(field));
}

/* ---- series */

static struct rollup_value *numbers_of(struct trends *trends, size_t level, size_t series)
{
        return &trends->pool[shapes[level].first + series * shapes[level].steps];
}

static int find_series(const struct trends *trends, enum trend_kind kind, uint64_t id)
{
        const struct share *share = &shares[kind];
        for (size_t i = share->first; i < share->first + (size_t)share->count; i++)
                if (trends->ids[i] == id)
                        return (int)i;
        return -1;
}

static void begin_series(struct trends *trends, size_t at, uint64_t id, const char *name)
{
        trends->ids[at] = id;
        trends->series[at] = (struct series){ 0 };
        (void)span_copy(span_of(name), trends->series[at].name, TREND_NAME_MAX);
        for (size_t level = 0; level < TREND_LEVELS; level++) {
                memset(numbers_of(trends, level, at), 0xff, shapes[level].steps * sizeof(trends->pool[0]));
                trends->levels[level].sums[at] = (struct sum){ 0 };
        }
}

/* The series, made if there is room or a lighter one to forget; negative if it matters least. */
static int need_series(struct trends *trends, enum trend_kind kind, uint64_t id, const char *name,
                       double weight)
{
        const struct share *share = &shares[kind];
        int at = id ? find_series(trends, kind, id) : -1;
        if (at >= 0 || !id)
                return at;
        size_t lightest = share->first;
        for (size_t i = share->first; i < share->first + (size_t)share->count; i++) {
                if (trends->ids[i] == 0) {
                        begin_series(trends, i, id, name);
                        return (int)i;
                }
                if (trends->series[i].weight < trends->series[lightest].weight)
                        lightest = i;
        }
        if (weight < HEAVIER * (double)trends->series[lightest].weight)
                return -1;
        begin_series(trends, lightest, id, name);
        return (int)lightest;
}

static void sum_add(struct sum *sum, float minimum, double mean, float maximum, double weight)
{
        if (sum->weight <= 0 || minimum < sum->minimum)
                sum->minimum = minimum;
        if (sum->weight <= 0 || maximum > sum->maximum)
                sum->maximum = maximum;
        sum->total += mean * weight;
        sum->weight += weight;
}

static struct rollup_value sum_value(const struct sum *sum)
{
        if (sum->weight <= 0)
                return (struct rollup_value){ ROLLUP_UNKNOWN, ROLLUP_UNKNOWN, ROLLUP_UNKNOWN };
        return (struct rollup_value){ rollup_pack((double)sum->minimum),
                                      rollup_pack(sum->total / sum->weight),
                                      rollup_pack((double)sum->maximum) };
}

/* ---- steps of time */

/* The newest step is 0. */
static uint32_t ring_at(const struct level *level, size_t number, uint32_t age)
{
        return (level->next + shapes[number].steps - 1 - age) % shapes[number].steps;
}

/* Room for another step, whose numbers are yet to be set. Steps that claim to be later were dated by a clock
 * that has been wrong. */
static uint32_t add_step(struct trends *trends, size_t number, usec_t from_usec, double covered_sec)
{
        struct level *level = &trends->levels[number];
        while (level->count > 0 && level->from_usec[ring_at(level, number, 0)] >= from_usec) {
                level->next = ring_at(level, number, 0);
                level->count--;
                level->own -= level->own > 0;
        }
        uint32_t at = level->next;
        level->next = (at + 1) % shapes[number].steps;
        level->count += level->count < shapes[number].steps;
        level->from_usec[at] = from_usec;
        level->covered_msec[at] = (uint32_t)(covered_sec * 1000);
        return at;
}

static void fade(struct trends *trends)
{
        for (size_t i = 0; i < TRENDS_MAX; i++) {
                if (!trends->series[i].was_fed)
                        trends->series[i].weight *= FADE_PER_HOUR;
                trends->series[i].was_fed = false;
        }
}

static void finish_step(struct trends *trends, size_t number)
{
        struct level *level = &trends->levels[number];
        level->has_begun = false;
        uint32_t at = add_step(trends, number, level->begin_usec, level->covered_sec);
        level->own += level->own < shapes[number].steps;
        for (size_t i = 0; i < TRENDS_MAX; i++) {
                if (trends->ids[i] == 0)
                        continue;
                numbers_of(trends, number, i)[at] = sum_value(&level->sums[i]);
                level->sums[i] = (struct sum){ 0 };
        }
        if (number == LEVEL_HOUR)
                fade(trends);
}

/* A snapshot that ends at a step's very end belongs to it, as with the roll-ups. */
static void enter_step(struct trends *trends, size_t number, usec_t realtime_usec, double seconds)
{
        struct level *level = &trends->levels[number];
        usec_t period = (realtime_usec - 1) / shapes[number].step_usec;
        if (level->has_begun && period != level->period)
                finish_step(trends, number);
        if (!level->has_begun) {
                level->has_begun = true;
                level->period = period;
                level->begin_usec = period * shapes[number].step_usec;
                level->covered_sec = 0;
        }
        level->covered_sec += seconds;
}

/* The clock was set: what was recorded by it so far happened as much earlier or later. The step at hand goes
 * on under its new date. */
static void set_clock(struct trends *trends, int64_t step_usec, usec_t realtime_usec)
{
        for (size_t number = 0; number < TREND_LEVELS; number++) {
                struct level *level = &trends->levels[number];
                for (uint32_t age = 0; age < level->own && age < level->count; age++)
                        level->from_usec[ring_at(level, number, age)] += (usec_t)step_usec;
                level->period = (realtime_usec - 1) / shapes[number].step_usec;
                level->begin_usec = level->period * shapes[number].step_usec;
        }
}

/* ---- what goes in */

void trends_feed(struct trends *trends, enum trend_kind kind, uint64_t id, const char *name, double value,
                 double weight)
{
        if (isnan(value))
                return;
        int at = need_series(trends, kind, id, name, weight);
        if (at < 0)
                return;
        trends->series[at].weight = (float)weight;
        trends->series[at].was_fed = true;
        for (size_t level = 0; level < TREND_LEVELS; level++)
                sum_add(&trends->levels[level].sums[at], (float)value, value, (float)value, trends->seconds);
}

void trends_push(struct trends *trends, const struct snapshot *snapshot)
{
        usec_t now_usec = snapshot->time.realtime_usec;
        if (snapshot->is_first || snapshot->interval_usec == 0 || now_usec == 0)
                return;
        if (snapshot->clock_step_usec != 0)
                set_clock(trends, snapshot->clock_step_usec, now_usec);
        trends->now_usec = now_usec;
        trends->seconds = (double)snapshot->interval_usec / (double)USEC_PER_SEC;
        for (size_t level = 0; level < TREND_LEVELS; level++)
                enter_step(trends, level, now_usec, trends->seconds);
        trends_feed_snapshot(trends, snapshot);
}

/* ---- what comes out */

/* The coarsest level of which the step is a multiple. */
static int level_for(usec_t step_usec)
{
        for (int level = TREND_LEVELS - 1; level >= 0; level--)
                if (step_usec >= shapes[level].step_usec && step_usec % shapes[level].step_usec == 0)
                        return level;
        return -1;
}

struct collecting {
        struct trend_point *points;
        size_t count, max;
        usec_t step_usec;
        double weight; /* of the last point */
};

/* Steps come newest first, and points are filled from the end of the array. */
static bool collect(struct collecting *into, usec_t from_usec, double covered_usec, double minimum,
                    double mean, double maximum)
{
        usec_t begin = from_usec - from_usec % into->step_usec;
        struct trend_point *point = &into->points[into->max - into->count];
        if (into->count > 0 && point->from_usec == begin) {
                double weight = into->weight + covered_usec;
                point->mean = weight > 0 ? (point->mean * into->weight + mean * covered_usec) / weight : mean;
                point->minimum = minimum < point->minimum ? minimum : point->minimum;
                point->maximum = maximum > point->maximum ? maximum : point->maximum;
                point->covered_usec += (usec_t)covered_usec;
                into->weight = weight;
                return true;
        }
        if (into->count == into->max)
                return false;
        into->points[into->max - ++into->count] =
                (struct trend_point){ begin, (usec_t)covered_usec, minimum, mean, maximum };
        into->weight = covered_usec;
        return true;
}

size_t trends_get(const struct trends *trends, enum trend_kind kind, uint64_t id, usec_t window_usec,
                  usec_t step_usec, struct trend_point *ret_points, size_t max)
{
        int number = level_for(step_usec);
        int at = number < 0 || id == 0 ? -1 : find_series(trends, kind, id);
        if (at < 0 || max == 0)
                return 0;
        const struct level *level = &trends->levels[number];
        struct collecting into = { .points = ret_points, .max = max, .step_usec = step_usec };
        const struct rollup_value *numbers =
                &trends->pool[shapes[number].first + (size_t)at * shapes[number].steps];
        const struct sum *sum = &level->sums[at];
        usec_t since = trends->now_usec > window_usec ? trends->now_usec - window_usec : 0;
        if (level->has_begun && sum->weight > 0)
                (void)collect(&into, level->begin_usec, level->covered_sec * (double)USEC_PER_SEC,
                              (double)sum->minimum, sum->total / sum->weight, (double)sum->maximum);
        for (uint32_t age = 0; age < level->count; age++) {
                uint32_t slot = ring_at(level, (size_t)number, age);
                if (level->from_usec[slot] < since)
                        break;
                if (numbers[slot].mean == ROLLUP_UNKNOWN)
                        continue;
                if (!collect(&into, level->from_usec[slot], 1000.0 * level->covered_msec[slot],
                             rollup_unpack(numbers[slot].minimum), rollup_unpack(numbers[slot].mean),
                             rollup_unpack(numbers[slot].maximum)))
                        break;
        }
        memmove(ret_points, &ret_points[max - into.count], into.count * sizeof(ret_points[0]));
        return into.count;
}

bool trends_list(const struct trends *trends, enum trend_kind kind, size_t index, uint64_t *ret_id,
                 const char **ret_name)
{
        if (index >= shares[kind].count)
                return false;
        *ret_id = trends->ids[shares[kind].first + index];
        *ret_name = trends->series[shares[kind].first + index].name;
        return true;
}
