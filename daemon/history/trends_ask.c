/* Steps of trends for whoever asks, and for the store. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/history/trends_internal.h"

/* The coarsest level of which the step is a multiple. */
static int level_for(usec_t step_usec)
{
        for (int level = TREND_LEVELS - 1; level >= 0; level--)
                if (step_usec >= trend_shapes[level].step_usec &&
                    step_usec % trend_shapes[level].step_usec == 0)
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
        int at = number < 0 || id == 0 ? -1 : trend_find(trends, kind, id);
        if (at < 0 || max == 0)
                return 0;
        const struct trend_level *level = &trends->levels[number];
        struct collecting into = { .points = ret_points, .max = max, .step_usec = step_usec };
        const struct rollup_value *numbers = trend_numbers(trends, (size_t)number, (size_t)at);
        const struct trend_sum *sum = &level->sums[at];
        usec_t since = trends->now_usec > window_usec ? trends->now_usec - window_usec : 0;
        if (level->has_begun && sum->weight > 0)
                (void)collect(&into, level->begin_usec, level->covered_sec * (double)USEC_PER_SEC,
                              (double)sum->minimum, sum->total / sum->weight, (double)sum->maximum);
        for (uint32_t age = 0; age < level->count; age++) {
                uint32_t slot = trend_slot(level, (size_t)number, age);
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
        if (index >= trend_shares[kind].count)
                return false;
        *ret_id = trends->ids[trend_shares[kind].first + index];
        *ret_name = trends->series[trend_shares[kind].first + index].name;
        return true;
}

/* ---- for the store ---- */

/* What a series was in a step; unknown if the step is not known. */
static struct rollup_value value_in(const struct trends *trends, size_t number, size_t series,
                                    usec_t from_usec)
{
        const struct trend_level *level = &trends->levels[number];
        if (level->has_begun && level->begin_usec == from_usec)
                return trend_sum_value(&level->sums[series]);
        for (uint32_t age = 0; age < level->count; age++) {
                uint32_t slot = trend_slot(level, number, age);
                if (level->from_usec[slot] == from_usec)
                        return trend_numbers(trends, number, series)[slot];
                if (level->from_usec[slot] < from_usec)
                        break;
        }
        return (struct rollup_value){ ROLLUP_UNKNOWN, ROLLUP_UNKNOWN, ROLLUP_UNKNOWN };
}

static int by_key(const void *a, const void *b)
{
        const struct rollup_trend *x = a, *y = b;
        if (x->kind != y->kind)
                return x->kind < y->kind ? -1 : 1;
        return (x->id > y->id) - (x->id < y->id);
}

size_t trends_rows(const struct trends *trends, usec_t period_usec, usec_t from_usec,
                   struct rollup_trend ret_rows[static TRENDS_MAX])
{
        size_t level = period_usec == USEC_PER_HOUR ? LEVEL_HOUR : LEVEL_MINUTE, count = 0;
        for (uint32_t kind = 1; kind < TREND_KINDS; kind++) {
                const struct trend_share *share = &trend_shares[kind];
                for (size_t i = share->first; i < share->first + (size_t)share->count; i++) {
                        struct rollup_value whole = value_in(trends, level, i, from_usec);
                        if (trends->ids[i] == 0 || whole.mean == ROLLUP_UNKNOWN)
                                continue;
                        struct rollup_trend *row = &ret_rows[count++];
                        *row = (struct rollup_trend){ .kind = kind,
                                                      .id = trends->ids[i],
                                                      .value = { whole } };
                        memcpy(row->name, trends->series[i].name, sizeof(row->name));
                        for (usec_t part = 0; level == LEVEL_HOUR && part < ROLLUP_TREND_PARTS; part++)
                                row->value[1 + part] = value_in(trends, LEVEL_TEN, i,
                                                                from_usec + part * 10 * USEC_PER_MINUTE);
                }
        }
        qsort(ret_rows, count, sizeof(ret_rows[0]), by_key);
        return count;
}
