/* Growth, end and readers of a log. */
#include "daemon/checks/log_growth.h"

#include <math.h>
#include <string.h>

#include "common/text.h"
#include "common/units.h"

/* Below this much left to everybody but root a file system counts as full here: half of a per cent. */
#define FULL_SHARE 0.005
/* The log must have taken this part of what its file system has lost. */
#define FILLED_SHARE 0.5
/* logrotate runs once a day (logrotate.timer, cron.daily). */
#define ROTATION_RUN_HOURS 24
#define WATCHED_LEAST_USEC (20 * USEC_PER_SEC)

/* Growing is falling of what is left; only differences count. */
static bool foresee(const struct history *history, uint64_t id, double left, double reach,
                    struct forecast *ret_forecast)
{
        static const struct {
                usec_t window_usec, step_usec;
        } windows[] = {
                { 2 * USEC_PER_MINUTE, 10 * USEC_PER_SEC },
                { 10 * USEC_PER_MINUTE, 30 * USEC_PER_SEC },
                { USEC_PER_HOUR, USEC_PER_MINUTE },
                { USEC_PER_DAY, 10 * USEC_PER_MINUTE },
        };
        struct trend_point points[TREND_POINTS_MAX];
        for (size_t w = 0; w < sizeof(windows) / sizeof(windows[0]); w++) {
                size_t count = history_trend(history, TREND_LOG_SIZE, id, windows[w].window_usec,
                                             windows[w].step_usec, points, TREND_POINTS_MAX);
                for (size_t i = 0; i < count; i++)
                        points[i].mean = -points[i].mean;
                if (forecast_from_points(points, count, left, reach, ret_forecast))
                        return true;
        }
        return false;
}

/* What a log held when it was first seen, as far as it had grown to that since the file system was at its
 * best: at the rate at which it went on. A quick one has half filled its disk before it is noticed. */
static double grown_unseen(const struct log_growth *growth, const struct trend_point *first, double grown,
                           usec_t best_usec)
{
        usec_t seen_usec = first->from_usec, modified_usec = growth->log->modified_usec;
        if (seen_usec <= best_usec || modified_usec <= seen_usec)
                return 0;
        double unseen = grown / (double)(modified_usec - seen_usec) * (double)(seen_usec - best_usec);
        return unseen < first->minimum ? unseen : first->minimum;
}

/* Of what was left at the best moment of the window, how much has gone, and how much of that into the log. */
static bool has_filled_within(const struct history *history, const struct log_growth *growth, uint64_t id,
                              usec_t window_usec, usec_t step_usec)
{
        struct trend_point points[TREND_POINTS_MAX];
        double most = 0, grown = 0;
        usec_t best_usec = 0;
        size_t count = history_trend(history, TREND_FILE_SYSTEM_AVAILABLE, trend_id(growth->place->path),
                                     window_usec, step_usec, points, TREND_POINTS_MAX);
        for (size_t i = 0; i < count; i++) {
                if (points[i].maximum < most)
                        continue;
                most = points[i].maximum;
                best_usec = points[i].from_usec;
        }
        count = history_trend(history, TREND_LOG_SIZE, id, window_usec, step_usec, points, TREND_POINTS_MAX);
        for (size_t i = 0; i < count; i++)
                if ((double)growth->log->size_bytes - points[i].minimum > grown)
                        grown = (double)growth->log->size_bytes - points[i].minimum;
        if (count > 0)
                grown += grown_unseen(growth, &points[0], grown, best_usec);
        double lost = most - (double)growth->place->available_bytes;
        return lost >= FULL_SHARE * (double)growth->place->total_bytes && grown >= FILLED_SHARE * lost;
}

static bool has_filled(const struct history *history, const struct log_growth *growth, uint64_t id)
{
        return has_filled_within(history, growth, id, 10 * USEC_PER_MINUTE, 10 * USEC_PER_SEC) ||
               has_filled_within(history, growth, id, USEC_PER_HOUR, USEC_PER_MINUTE);
}

static void count_reads(const struct log_file_sample *log, struct log_growth *growth)
{
        if (log->watched_usec < WATCHED_LEAST_USEC || log->size_bytes == 0 || log->size_bytes == ABSENT ||
            log->read_bytes == ABSENT)
                return;
        double minutes = (double)log->watched_usec / (double)USEC_PER_MINUTE;
        /* Two measures that know nothing of each other: how often it was opened and closed, by whomever, and
         * how much its reader has read, of whatever. Who keeps it open and starts over is seen by the second
         * alone. */
        double by_bytes = (double)log->read_bytes / (double)log->size_bytes;
        double by_opens = log->opens == ABSENT ? 0 : (double)log->opens;
        growth->reads = by_opens > 0 && by_opens < by_bytes ? by_opens : by_bytes;
        growth->reads_per_min = growth->reads / minutes;
}

struct log_growth log_growth_of(const struct history *history, const struct log_file_sample *log,
                                double reach)
{
        const struct snapshot *latest = history_latest(history);
        struct log_growth growth = { .log = log,
                                     .place = place_of_device(latest->sample, log->major, log->minor),
                                     .per_sec = filling_growth(log),
                                     .watched_usec = log->earlier_usec,
                                     .reads_per_min = NAN };
        uint64_t id = trend_id(log->path);
        struct forecast end;
        count_reads(log, &growth);
        if (!growth.place || growth.place->available_bytes == ABSENT)
                return growth;
        double left = (double)growth.place->available_bytes;
        if (foresee(history, id, left, reach, &end)) {
                growth.fills = true;
                growth.full_usec = end.left_usec;
                growth.watched_usec = end.watched_usec;
                growth.per_sec = end.per_sec;
        }
        if (left <= FULL_SHARE * (double)growth.place->total_bytes)
                growth.has_filled = has_filled(history, &growth, id);
        return growth;
}

const char *log_rotation_words(char buffer[static LOG_WORDS_MAX], const struct log_file_sample *log)
{
        static const struct {
                uint32_t hours;
                const char *word;
        } words[] = {
                { 1, "hourly" }, { 24, "daily" }, { 168, "weekly" }, { 720, "monthly" }, { 8760, "yearly" }
        };
        char size[UNITS_MAX];
        size_t length = 0;
        buffer[0] = '\0';
        if (log->rotation != LOG_ROTATION_COVERED)
                return buffer;
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
                if (log->rotation_hours == words[i].hours)
                        (void)text_append(buffer, LOG_WORDS_MAX, &length, "%s", words[i].word);
        if (log->rotation_bytes != ABSENT)
                (void)text_append(buffer, LOG_WORDS_MAX, &length, "%sfrom %s on", length ? " or " : "",
                                  format_bytes(size, (double)log->rotation_bytes));
        return buffer;
}

bool log_is_rotated_in_time(const struct log_growth *growth)
{
        const struct log_file_sample *log = growth->log;
        if (log->rotation != LOG_ROTATION_COVERED)
                return false;
        uint32_t hours = log->rotation_hours > ROTATION_RUN_HOURS && log->rotation_bytes == ABSENT
                                 ? log->rotation_hours
                                 : ROTATION_RUN_HOURS;
        return !growth->fills || growth->full_usec > 2 * hours * USEC_PER_HOUR;
}
