/* Rings of packed numbers, one a series and level. All series of a level share its dates, so a step costs one
 * date; a series that was not there then has an unknown number. */
#include "daemon/history/trends_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

const struct level_shape trend_shapes[TREND_LEVELS] = {
        [LEVEL_FINE] = { 10 * USEC_PER_SEC, STEPS_FINE, 0 },
        [LEVEL_MINUTE] = { USEC_PER_MINUTE, STEPS_MINUTE, (size_t)TRENDS_MAX *STEPS_FINE },
        [LEVEL_TEN] = { 10 * USEC_PER_MINUTE, STEPS_TEN, (size_t)TRENDS_MAX *(STEPS_FINE + STEPS_MINUTE) },
        [LEVEL_HOUR] = { USEC_PER_HOUR, STEPS_HOUR,
                         (size_t)TRENDS_MAX *(STEPS_FINE + STEPS_MINUTE + STEPS_TEN) },
};

const struct trend_share trend_shares[TREND_KINDS] = {
        [TREND_PROGRAM_MEMORY] = { 0, 56 },     [TREND_PROGRAM_SHARED] = { 56, 6 },
        [TREND_MACHINE] = { 62, 18 },           [TREND_FILE_SYSTEM_AVAILABLE] = { 80, 16 },
        [TREND_FILE_SYSTEM_INODES] = { 96, 8 }, [TREND_DISK_AWAIT] = { 104, 8 },
        [TREND_DISK_BUSY] = { 112, 8 },         [TREND_SLAB] = { 120, 6 },
        [TREND_LOG_SIZE] = { 126, 12 },         [TREND_TMPFS_USED] = { 138, 6 },
};

/* A new series takes the place of one that matters this much less; a series that is not fed loses a tenth of
 * its weight each hour, so it is forgotten in a day or two where others need the room. */
#define HEAVIER       1.25
#define FADE_PER_HOUR 0.9F

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

int trend_find(const struct trends *trends, enum trend_kind kind, uint64_t id)
{
        const struct trend_share *share = &trend_shares[kind];
        for (size_t i = share->first; i < share->first + (size_t)share->count; i++)
                if (trends->ids[i] == id)
                        return (int)i;
        return -1;
}

static void begin_series(struct trends *trends, size_t at, uint64_t id, const char *name)
{
        trends->ids[at] = id;
        trends->series[at] = (struct trend_series){ 0 };
        (void)span_copy(span_of(name), trends->series[at].name, TREND_NAME_MAX);
        for (size_t level = 0; level < TREND_LEVELS; level++) {
                memset(trend_numbers(trends, level, at), 0xff,
                       trend_shapes[level].steps * sizeof(trends->pool[0]));
                trends->levels[level].sums[at] = (struct trend_sum){ 0 };
        }
}

int trend_need(struct trends *trends, enum trend_kind kind, uint64_t id, const char *name, double weight)
{
        const struct trend_share *share = &trend_shares[kind];
        int at = id ? trend_find(trends, kind, id) : -1;
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

void trend_sum_add(struct trend_sum *sum, float minimum, double mean, float maximum, double weight)
{
        if (sum->weight <= 0 || minimum < sum->minimum)
                sum->minimum = minimum;
        if (sum->weight <= 0 || maximum > sum->maximum)
                sum->maximum = maximum;
        sum->total += mean * weight;
        sum->weight += weight;
}

struct rollup_value trend_sum_value(const struct trend_sum *sum)
{
        if (sum->weight <= 0)
                return (struct rollup_value){ ROLLUP_UNKNOWN, ROLLUP_UNKNOWN, ROLLUP_UNKNOWN };
        return (struct rollup_value){ rollup_pack((double)sum->minimum),
                                      rollup_pack(sum->total / sum->weight),
                                      rollup_pack((double)sum->maximum) };
}

/* ---- steps of time */

/* Room for another step, whose numbers are yet to be set. Steps that claim to be later were dated by a clock
 * that has been wrong. */
static uint32_t add_step(struct trends *trends, size_t number, usec_t from_usec, double covered_sec)
{
        struct trend_level *level = &trends->levels[number];
        while (level->count > 0 && level->from_usec[trend_slot(level, number, 0)] >= from_usec) {
                level->next = trend_slot(level, number, 0);
                level->count--;
                level->own -= level->own > 0;
        }
        uint32_t at = level->next;
        level->next = (at + 1) % trend_shapes[number].steps;
        level->count += level->count < trend_shapes[number].steps;
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
        struct trend_level *level = &trends->levels[number];
        level->has_begun = false;
        uint32_t at = add_step(trends, number, level->begin_usec, level->covered_sec);
        level->own += !trends->is_loading && level->own < trend_shapes[number].steps;
        for (size_t i = 0; i < TRENDS_MAX; i++) {
                if (trends->ids[i] == 0)
                        continue;
                trend_numbers(trends, number, i)[at] = trend_sum_value(&level->sums[i]);
                level->sums[i] = (struct trend_sum){ 0 };
        }
        if (number == LEVEL_HOUR)
                fade(trends);
}

/* A step that was cut short, when slowd was stopped within it, goes on. */
static void reopen_step(struct trends *trends, size_t number)
{
        struct trend_level *level = &trends->levels[number];
        uint32_t at = trend_slot(level, number, 0);
        if (level->count == 0 || level->from_usec[at] != level->begin_usec)
                return;
        level->covered_sec = level->covered_msec[at] / 1000.0;
        for (size_t i = 0; i < TRENDS_MAX; i++) {
                struct rollup_value value = trend_numbers(trends, number, i)[at];
                if (trends->ids[i] && value.mean != ROLLUP_UNKNOWN)
                        trend_sum_add(&level->sums[i], (float)rollup_unpack(value.minimum),
                                      rollup_unpack(value.mean), (float)rollup_unpack(value.maximum),
                                      level->covered_sec);
        }
        level->next = at;
        level->count--;
}

void trend_enter_step(struct trends *trends, size_t number, usec_t realtime_usec, double seconds)
{
        struct trend_level *level = &trends->levels[number];
        usec_t period = (realtime_usec - 1) / trend_shapes[number].step_usec;
        if (level->has_begun && period != level->period)
                finish_step(trends, number);
        if (!level->has_begun) {
                level->has_begun = true;
                level->period = period;
                level->begin_usec = period * trend_shapes[number].step_usec;
                level->covered_sec = 0;
                reopen_step(trends, number);
        }
        /* An hour that was cut short by a restart is stored twice, the second time with what was known of it.
         */
        level->covered_sec = fmin(level->covered_sec + seconds,
                                  (double)trend_shapes[number].step_usec / (double)USEC_PER_SEC);
}

/* The clock was set: what was recorded by it so far happened as much earlier or later. The step at hand goes
 * on under its new date. */
static void set_clock(struct trends *trends, int64_t step_usec, usec_t realtime_usec)
{
        for (size_t number = 0; number < TREND_LEVELS; number++) {
                struct trend_level *level = &trends->levels[number];
                for (uint32_t age = 0; age < level->own && age < level->count; age++)
                        level->from_usec[trend_slot(level, number, age)] += (usec_t)step_usec;
                level->period = (realtime_usec - 1) / trend_shapes[number].step_usec;
                level->begin_usec = level->period * trend_shapes[number].step_usec;
        }
}

/* ---- what goes in */

void trends_feed(struct trends *trends, enum trend_kind kind, uint64_t id, const char *name, double value,
                 double weight)
{
        if (isnan(value))
                return;
        int at = trend_need(trends, kind, id, name, weight);
        if (at < 0)
                return;
        trends->series[at].weight = (float)weight;
        trends->series[at].was_fed = true;
        for (size_t level = 0; level < TREND_LEVELS; level++)
                trend_sum_add(&trends->levels[level].sums[at], (float)value, value, (float)value,
                              trends->seconds);
}

void trends_push(struct trends *trends, const struct snapshot *snapshot)
{
        usec_t now_usec = snapshot->time.realtime_usec;
        if (snapshot->is_first || snapshot->interval_usec == 0 || now_usec == 0)
                return;
        if (snapshot->clock_step_usec != 0)
                set_clock(trends, snapshot->clock_step_usec, now_usec);
        trends->is_loading = false;
        trends->now_usec = now_usec;
        trends->seconds = (double)snapshot->interval_usec / (double)USEC_PER_SEC;
        for (size_t level = 0; level < TREND_LEVELS; level++)
                trend_enter_step(trends, level, now_usec, trends->seconds);
        trends_feed_snapshot(trends, snapshot);
}
