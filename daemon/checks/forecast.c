/* Forecasts from trends. */
#include "daemon/checks/forecast.h"

#include <math.h>

/* Of all steps so many must go down, and no way up may undo more than this part of the loss: what is filled
 * and emptied by turns does not end. */
#define FALLING_SHARE 0.6
#define BACK_SHARE    0.25
/* The last third must carry at least this part of an even share, or it has stopped. */
#define STILL_SHARE 0.3
#define POINTS_MIN  5

static usec_t middle(const struct trend_point *point)
{
        return point->from_usec + point->covered_usec / 2;
}

bool forecast_from_points(const struct trend_point *points, size_t count, double left, double reach,
                          struct forecast *ret_forecast)
{
        if (count < POINTS_MIN)
                return false;
        const struct trend_point *first = &points[0], *last = &points[count - 1];
        const struct trend_point *third = &points[count - 1 - count / 3];
        if (middle(last) <= middle(first))
                return false;
        usec_t watched = middle(last) - middle(first);
        double loss = first->mean - last->mean, back = 0, largest = 0;
        size_t falling = 0;
        for (size_t i = 1; i < count; i++) {
                double step = points[i - 1].mean - points[i].mean;
                falling += step > 0;
                back += step < 0 ? -step : 0;
                largest = step > largest ? step : largest;
        }
        double late = third->mean - last->mean;
        double even = loss * (double)(middle(last) - middle(third)) / (double)watched;
        if (!(loss > 0) || (double)falling < FALLING_SHARE * (double)(count - 1) ||
            back > BACK_SHARE * loss || late < STILL_SHARE * even || largest > loss / 2)
                return false;
        /* What goes faster at the end than on the whole is as near as its end says. */
        double per_usec = loss / (double)watched, lately = late / (double)(middle(last) - middle(third));
        if (lately > per_usec)
                per_usec = (per_usec + lately) / 2;
        double until = left / per_usec;
        if (!(until <= reach * (double)watched))
                return false;
        *ret_forecast = (struct forecast){ .watched_usec = watched,
                                           .since_usec = first->from_usec,
                                           .per_sec = per_usec * (double)USEC_PER_SEC,
                                           .left_usec = (usec_t)until };
        return true;
}

bool forecast_end(const struct history *history, enum trend_kind kind, uint64_t id, double left, double reach,
                  struct forecast *ret_forecast)
{
        static const struct {
                usec_t window_usec, step_usec;
        } windows[] = {
                { 2 * USEC_PER_MINUTE, 10 * USEC_PER_SEC }, { 10 * USEC_PER_MINUTE, 30 * USEC_PER_SEC },
                { USEC_PER_HOUR, USEC_PER_MINUTE },         { 6 * USEC_PER_HOUR, 10 * USEC_PER_MINUTE },
                { USEC_PER_DAY, 10 * USEC_PER_MINUTE },
        };
        struct trend_point points[TREND_POINTS_MAX];
        bool is_found = false;
        /* The longest window that agrees says since when; the shortest, how fast. */
        for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
                struct forecast one;
                size_t count = history_trend(history, kind, id, windows[i].window_usec, windows[i].step_usec,
                                             points, TREND_POINTS_MAX);
                if (!forecast_from_points(points, count, left, reach, &one))
                        continue;
                if (!is_found)
                        *ret_forecast = one;
                ret_forecast->watched_usec = one.watched_usec;
                ret_forecast->since_usec = one.since_usec;
                is_found = true;
        }
        return is_found;
}
