/* The composite rule. It was put together by measuring: on 400 made-up traces of each of ten healthy shapes a
 * trend test alone is wrong for 60 %, these together for 3 % (tests/unit/test_growth.c has the shapes). */
#include "daemon/checks/growth.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "common/units.h"
#include "daemon/checks/blame.h"

#define BINS_MAX 72

/* One width of the eye: as much is asked of minutes as of days, but minutes must be more dramatic, for a
 * program that starts, loads and compiles grows for minutes and is done. */
struct scale {
        usec_t step_usec;
        size_t bins_min, bins_max;
        double horizon;      /* room must be used up within so many times the window seen ... */
        double share;        /* ... and the growth be so many times the share asked for */
        usec_t warm_up_usec; /* of a life: not looked at */
};

static const struct scale scales[] = {
        { 10 * USEC_PER_SEC, 9, 60, 1.25, 2.5, 20 * USEC_PER_SEC },
        { USEC_PER_MINUTE, 20, 60, 2, 1, 5 * USEC_PER_MINUTE },
        { 10 * USEC_PER_MINUTE, 24, 36, 28, 0.25, 30 * USEC_PER_MINUTE },
        { 30 * USEC_PER_MINUTE, 12, 36, 28, 0.25, 30 * USEC_PER_MINUTE },
        { USEC_PER_HOUR, 18, 48, 28, 0.25, 2 * USEC_PER_HOUR },
        { 6 * USEC_PER_HOUR, 12, 56, 28, 0.25, 6 * USEC_PER_HOUR },
};
#define SCALES (sizeof(scales) / sizeof(scales[0]))

/* Mann-Kendall: chance of a trend in noise 0.1 %. */
#define SURE_Z       3.09
#define SURE_Z_AGAIN 1.64 /* once found: 5 % */
/* A pool that fills slows down; so does a leak that starves, once it hurts. */
#define LAST_THIRD 0.65
/* Two jumps are a reload and a tab; a sixth of the steps must not be most of it. */
#define TWO_JUMPS   0.5
#define SIXTH_JUMPS 0.85
/* Steady growth leaves little beside the line. */
#define RESIDUALS 5
/* A floor that was this near before is a daily one. */
#define NEW_HIGH 0.5
/* Without a day's past the morning looks like a leak, and so does a cache that fills evenly up to its size:
 * then only what ends within hours is told. */
#define DAYLESS_SEC (3.0 * 3600)
#define DAY_STEPS   18   /* hours of the last day that must be known */
#define GROWN_SHARE 0.02 /* of what it was */

struct bins {
        double at[BINS_MAX]; /* seconds before the end, negative */
        double floor[BINS_MAX];
        size_t count;
};

static int by_value(const void *a, const void *b)
{
        double x = *(const double *)a, y = *(const double *)b;
        return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
        qsort(values, count, sizeof(values[0]), by_value);
        return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* Theil and Sen: the median of the slopes of all pairs. */
static double slope(const struct bins *bins, size_t first, size_t count)
{
        double slopes[BINS_MAX * (BINS_MAX - 1) / 2];
        size_t pairs = 0;
        for (size_t i = first; i < first + count; i++)
                for (size_t k = i + 1; k < first + count; k++)
                        slopes[pairs++] = (bins->floor[k] - bins->floor[i]) / (bins->at[k] - bins->at[i]);
        return pairs > 0 ? median(slopes, pairs) : 0;
}

static double mann_kendall(const struct bins *bins)
{
        double rises = 0, n = (double)bins->count;
        for (size_t i = 0; i < bins->count; i++)
                for (size_t k = i + 1; k < bins->count; k++)
                        rises += (bins->floor[k] > bins->floor[i]) - (bins->floor[k] < bins->floor[i]);
        return rises > 0 ? (rises - 1) / sqrt(n * (n - 1) * (2 * n + 5) / 18) : 0;
}

static bool is_rising(const struct bins *bins, size_t first, size_t count)
{
        return count >= 2 && slope(bins, first, count) > 0;
}

static bool quarters_rise(const struct bins *bins)
{
        size_t rising = 0;
        bool last = false;
        for (size_t q = 0; q < 4; q++) {
                size_t from = bins->count * q / 4, to = bins->count * (q + 1) / 4;
                last = is_rising(bins, from, to - from);
                rising += last;
        }
        return rising >= 3 && last;
}

/* Of what is never given back: noise and garbage above it are no jumps. */
static bool is_in_steps(const struct bins *bins, double growth, usec_t step_usec)
{
        double jumps[BINS_MAX], lowest = bins->floor[bins->count - 1], sum = 0;
        size_t count = 0, largest = bins->count / 6;
        for (size_t i = bins->count - 1; i > 0; i--) {
                double after = lowest;
                if (bins->floor[i - 1] < lowest)
                        lowest = bins->floor[i - 1];
                if (bins->at[i] - bins->at[i - 1] < 1.5 * (double)step_usec / 1e6) /* else a gap */
                        jumps[count++] = lowest - after;
        }
        qsort(jumps, count, sizeof(jumps[0]), by_value);
        for (size_t i = 0; i < count && i < largest; i++) {
                sum -= jumps[i];
                if (i == 1 && sum >= TWO_JUMPS * growth)
                        return true;
        }
        return sum >= SIXTH_JUMPS * growth;
}

static bool is_noisy(const struct bins *bins, double per_sec, double growth)
{
        double residuals[BINS_MAX], sorted[BINS_MAX];
        for (size_t i = 0; i < bins->count; i++)
                residuals[i] = sorted[i] = bins->floor[i] - per_sec * bins->at[i];
        double middle = median(sorted, bins->count);
        for (size_t i = 0; i < bins->count; i++)
                sorted[i] = fabs(residuals[i] - middle);
        return RESIDUALS * median(sorted, bins->count) > growth;
}

/* ---- the past beyond the window ---- */

struct past {
        double highest;      /* floor before the window, NAN: nothing known */
        size_t day_steps;    /* hours known of the day before the end */
        bool is_a_day_known; /* also of the time before that */
};

static size_t read_points(const struct growth_question *q, usec_t window_usec, usec_t step_usec,
                          struct trend_point *points, size_t max)
{
        return history_trend(q->history, q->kind, q->id, window_usec, step_usec, points, max);
}

static void look_back(const struct growth_question *q, usec_t now_usec, usec_t begin_usec, usec_t born_usec,
                      struct past *past)
{
        struct trend_point points[TREND_POINTS_MAX];
        static const usec_t steps[] = { 10 * USEC_PER_MINUTE, USEC_PER_HOUR };
        *past = (struct past){ .highest = NAN };
        for (size_t s = 0; s < 2; s++) {
                size_t count = read_points(q, TREND_HISTORY_USEC, steps[s], points, TREND_POINTS_MAX);
                for (size_t i = 0; i < count; i++) {
                        if (points[i].from_usec < born_usec)
                                continue;
                        if (points[i].from_usec + USEC_PER_DAY <= now_usec)
                                past->is_a_day_known = true;
                        if (steps[s] == USEC_PER_HOUR &&
                            points[i].from_usec + USEC_PER_DAY + USEC_PER_HOUR >= now_usec)
                                past->day_steps++;
                        if (points[i].from_usec + steps[s] <= begin_usec &&
                            !(points[i].minimum <= past->highest))
                                past->highest = points[i].minimum;
                }
        }
}

/* When it began to rise: where a line of half the slope would touch the floors from below. */
static void find_onset(const struct growth_question *q, usec_t step_usec, usec_t born_usec, usec_t now_usec,
                       struct growth *growth)
{
        struct trend_point points[TREND_POINTS_MAX];
        static const usec_t wider[] = { USEC_PER_MINUTE, 10 * USEC_PER_MINUTE, USEC_PER_HOUR };
        usec_t step = step_usec > USEC_PER_HOUR ? USEC_PER_HOUR : step_usec;
        for (size_t next = 0;; step = wider[next++]) {
                size_t count = read_points(q, TREND_HISTORY_USEC, step, points, TREND_POINTS_MAX);
                size_t first = count, lowest = count;
                double least = INFINITY;
                for (size_t i = 0; i < count; i++) {
                        if (points[i].from_usec < born_usec)
                                continue;
                        if (first == count)
                                first = i;
                        double before_sec = (double)(now_usec - points[i].from_usec) / 1e6;
                        double height = points[i].minimum + before_sec * growth->bytes_per_sec / 2;
                        if (height < least) {
                                least = height;
                                lowest = i;
                        }
                }
                if (lowest < count) {
                        growth->since_usec = points[lowest].from_usec;
                        growth->from_bytes = points[lowest].minimum;
                }
                while (next < 3 && wider[next] <= step)
                        next++;
                if (lowest != first || next == 3)
                        break;
        }
}

/* ---- one scale ---- */

/* What was before the rise says nothing about how it goes on: bins from where a line of half the slope would
 * touch them from below. */
static void leave_out_before(struct bins *bins, double per_sec)
{
        size_t lowest = 0;
        for (size_t i = 1; i < bins->count; i++)
                if (bins->floor[i] - per_sec / 2 * bins->at[i] <
                    bins->floor[lowest] - per_sec / 2 * bins->at[lowest])
                        lowest = i;
        bins->count -= lowest;
        memmove(bins->at, &bins->at[lowest], bins->count * sizeof(bins->at[0]));
        memmove(bins->floor, &bins->floor[lowest], bins->count * sizeof(bins->floor[0]));
}

static size_t read_bins(const struct growth_question *q, const struct scale *scale, usec_t now_usec,
                        usec_t born_usec, struct bins *bins)
{
        struct trend_point points[BINS_MAX];
        usec_t window = scale->step_usec * scale->bins_max;
        size_t count = read_points(q, window, scale->step_usec, points, scale->bins_max);
        bins->count = 0;
        for (size_t i = 0; i < count; i++) {
                /* The floor of a part of a step is higher than that of a whole one. */
                if (points[i].from_usec < born_usec + scale->warm_up_usec ||
                    2 * points[i].covered_usec < scale->step_usec)
                        continue;
                bins->at[bins->count] = -(double)(now_usec - points[i].from_usec) / 1e6;
                bins->floor[bins->count++] = points[i].minimum;
        }
        return bins->count;
}

static enum growth_verdict judge_past(const struct growth_question *q, const struct bins *bins,
                                      usec_t now_usec, usec_t born_usec, double growth, double left_sec)
{
        struct past past;
        usec_t begin_usec = now_usec - (usec_t)(-bins->at[0] * 1e6);
        look_back(q, now_usec, begin_usec, born_usec, &past);
        if (past.highest > bins->floor[bins->count - 1] - NEW_HIGH * growth)
                return GROWTH_DAILY;
        bool is_daylong = past.is_a_day_known && past.day_steps >= DAY_STEPS;
        return is_daylong || left_sec <= DAYLESS_SEC ? GROWTH_FOUND : GROWTH_DAILY;
}

static enum growth_verdict judge(const struct growth_question *q, const struct scale *scale, usec_t now_usec,
                                 usec_t born_usec, struct growth *ret)
{
        struct bins bins;
        if (read_bins(q, scale, now_usec, born_usec, &bins) < scale->bins_min || bins.count < 2)
                return GROWTH_TOO_FEW;
        double rise = bins.floor[bins.count - 1] - bins.floor[0];
        double share = scale->share * q->share * q->total_bytes;
        ret->now_bytes = bins.floor[bins.count - 1];
        if (rise < GROWN_SHARE * bins.floor[0] || rise <= 0) /* cheap, and true of most programs */
                return GROWTH_NONE;
        if (2 * rise < share)
                return GROWTH_LATER;
        double per_sec = slope(&bins, 0, bins.count);
        leave_out_before(&bins, per_sec);
        size_t n = bins.count;
        if (n < scale->bins_min)
                return GROWTH_TOO_FEW;
        double span_sec = bins.at[n - 1] - bins.at[0], growth;
        double horizon = fmin(scale->horizon * span_sec, q->horizon_sec), slack = q->was_found ? 2 : 1;
        per_sec = slope(&bins, 0, n);
        growth = per_sec * span_sec;
        ret->over_usec = (usec_t)(span_sec * 1e6);
        ret->bytes_per_sec = per_sec;
        ret->left_sec = q->room_bytes / per_sec;
        if (per_sec <= 0 || mann_kendall(&bins) <= (q->was_found ? SURE_Z_AGAIN : SURE_Z))
                return GROWTH_NONE;
        double unhurt_bytes = q->room_bytes - (scale == &scales[0] ? q->swap_bytes : 0);
        if (slack * growth < share || growth < GROWN_SHARE * bins.floor[0] ||
            unhurt_bytes > slack * horizon * per_sec)
                return GROWTH_LATER;
        if (is_noisy(&bins, per_sec, growth))
                return GROWTH_UNSTEADY;
        if (!q->was_found) {
                if (!(slope(&bins, n - n / 3, n / 3) >= LAST_THIRD * slope(&bins, 0, n / 3)))
                        return GROWTH_SLOWING;
                if (!quarters_rise(&bins))
                        return GROWTH_UNSTEADY;
                if (is_in_steps(&bins, growth, scale->step_usec))
                        return GROWTH_STEPS;
        }
        return judge_past(q, &bins, now_usec, born_usec, growth, ret->left_sec);
}

bool growth_find(const struct growth_question *question, struct growth *ret_growth)
{
        usec_t now_usec = history_latest(question->history)->time.realtime_usec;
        usec_t born_usec = question->age_usec < now_usec ? now_usec - question->age_usec : 0;
        *ret_growth = (struct growth){ .verdict = GROWTH_TOO_FEW };
        for (size_t i = 0; i < SCALES; i++) {
                struct growth growth = { 0 };
                growth.verdict = judge(question, &scales[i], now_usec, born_usec, &growth);
                if (growth.verdict == GROWTH_FOUND) {
                        find_onset(question, scales[i].step_usec, born_usec, now_usec, &growth);
                        *ret_growth = growth;
                        return true;
                }
                if (growth.verdict < ret_growth->verdict)
                        *ret_growth = growth;
        }
        return false;
}

const char *growth_rate_words(char buffer[static FINDING_TEXT_MAX], const struct growth *growth)
{
        char size[UNITS_MAX];
        bool is_fast = growth->left_sec<3 * 3600.0, is_slow = growth->left_sec> 3 * 86400.0;
        double each_sec = is_fast ? 60 : is_slow ? 86400 : 3600;
        text_format(buffer, FINDING_TEXT_MAX, "%s more each %s",
                    format_bytes(size, growth->bytes_per_sec * each_sec),
                    is_fast   ? "minute"
                    : is_slow ? "day"
                              : "hour");
        return buffer;
}

/* Who is told now has to act now. */
#define CRITICAL_SECONDS 600

void growth_found(const struct growth *growth, double left_sec, double warning_sec, struct finding *finding)
{
        finding->verdict = VERDICT_FOUND;
        finding->kind = FINDING_RISK;
        finding->severity = left_sec < CRITICAL_SECONDS ? SEVERITY_CRITICAL
                            : left_sec < warning_sec    ? SEVERITY_WARNING
                                                        : SEVERITY_NOTICE;
        finding->confidence_permille = growth->over_usec >= USEC_PER_HOUR ? 900 : 700;
        finding->since_usec = growth->since_usec;
}

void growth_say_rate(const struct growth *growth, struct finding *finding)
{
        char over[UNITS_MAX], rate[FINDING_TEXT_MAX];
        finding_evidence(finding, "memory.growthRate", growth->bytes_per_sec, "bytesPerSecond", NAN, NAN,
                         "%s, over the last %s, evenly and without slowing down",
                         growth_rate_words(rate, growth), format_duration(over, growth->over_usec));
}

void growth_say_time_left(double left_sec, double warning_sec, struct finding *finding)
{
        char left[UNITS_MAX];
        finding_evidence(finding, "memory.timeLeft", left_sec * 1e6, "usec", warning_sec * 1e6, NAN,
                         "at this rate they are used up in %s",
                         format_duration(left, (usec_t)(left_sec * 1e6)));
}
