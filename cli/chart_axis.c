/* Times and incidents below a chart. */
#include "cli/chart_axis.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/chart.h"
#include "common/text.h"

#define LABEL_GAP      3
#define TICKS_MAX      (CHART_COLUMNS_MAX / 4)
#define LABEL_MAX      16
#define LANES          4
#define MARK_NAME_MAX  32
#define CELL_BAR       '\001' /* in a lane, where no name has such a byte */
#define DAY_SECONDS    86400
#define CLOCK_COLUMNS  5 /* "14:03" */
#define SECOND_COLUMNS 8 /* "14:03:07" */

/* ---- times -----------------------------------------------------------------------------------------------
 */

/* Between two labels: what clocks and calendars are divided into. */
static const int64_t intervals[] = {
        1,         2,     5,         10,        15,         30,         60,         120,
        300,       600,   900,       1800,      3600,       7200,       3 * 3600,   6 * 3600,
        12 * 3600, 86400, 2 * 86400, 7 * 86400, 14 * 86400, 30 * 86400, 91 * 86400, 365 * 86400,
};

static bool local_time(int64_t seconds, struct tm *ret_local)
{
        time_t time = (time_t)seconds;
        return localtime_r(&time, ret_local) != NULL;
}

bool chart_is_one_day(usec_t a_usec, usec_t b_usec)
{
        struct tm a, b;
        return local_time((int64_t)(a_usec / USEC_PER_SEC), &a) &&
               local_time((int64_t)(b_usec / USEC_PER_SEC), &b) && a.tm_year == b.tm_year &&
               a.tm_yday == b.tm_yday;
}

static int64_t pick_interval(const struct chart_span *span)
{
        int64_t seconds = (int64_t)((span->until_usec - span->since_usec) / USEC_PER_SEC);
        for (size_t i = 0; i < sizeof(intervals) / sizeof(intervals[0]); i++) {
                size_t label = (intervals[i] < 60 ? SECOND_COLUMNS : CLOCK_COLUMNS + 1) + LABEL_GAP;
                if ((double)intervals[i] * (double)span->columns >= (double)label * (double)seconds)
                        return intervals[i];
        }
        return INT64_MAX;
}

/* The `number`th multiple of the interval, counted from the hour or midnight (local time) before `since`;
 * -1 if there is none. Days and hours are those of the calendar, so that labels stay round when the clock is
 * changed. */
static int64_t tick_at(const struct tm *since, int64_t interval, int64_t number)
{
        struct tm local = { .tm_year = since->tm_year, .tm_mon = since->tm_mon, .tm_mday = since->tm_mday };
        local.tm_isdst = -1;
        if (interval >= DAY_SECONDS) {
                local.tm_mday += (int)(number * (interval / DAY_SECONDS));
        } else if (interval >= 3600) {
                local.tm_hour = (int)(number * (interval / 3600));
        } else {
                local.tm_hour = since->tm_hour;
                local.tm_isdst = since->tm_isdst; /* which of two equal hours */
                time_t hour = mktime(&local);
                return hour < 0 ? -1 : hour + number * interval;
        }
        return mktime(&local);
}

struct ticks {
        size_t columns[TICKS_MAX];
        char labels[TICKS_MAX][LABEL_MAX];
        size_t count;
};

static void find_ticks(const struct chart_span *span, struct ticks *ticks)
{
        int64_t since = (int64_t)(span->since_usec / USEC_PER_SEC),
                until = (int64_t)(span->until_usec / USEC_PER_SEC);
        int64_t interval = pick_interval(span), before = -1;
        bool is_one_day = chart_is_one_day(span->since_usec, span->until_usec - 1);
        struct tm first;
        ticks->count = 0;
        if (interval == INT64_MAX || !local_time(since, &first))
                return;
        /* The first ones are before the chart, from its midnight or hour on. */
        for (int64_t n = 0; ticks->count < TICKS_MAX && n < TICKS_MAX + DAY_SECONDS; n++) {
                int64_t at = tick_at(&first, interval, n);
                struct tm local;
                if (at >= until || (at < 0 && n > 0))
                        return;
                if (at <= before || at < since || !local_time(at, &local))
                        continue;
                before = at;
                double share = (double)((usec_t)at * USEC_PER_SEC - span->since_usec) /
                               (double)(span->until_usec - span->since_usec);
                if ((usec_t)at * USEC_PER_SEC < span->since_usec)
                        continue;
                size_t column = (size_t)(share * (double)span->columns);
                bool is_midnight = local.tm_hour == 0 && local.tm_min == 0 && local.tm_sec == 0;
                const char *format = is_midnight && !is_one_day
                                             ? (interval >= 365 * DAY_SECONDS ? "%Y" : "%b %e")
                                     : interval < 60 ? "%H:%M:%S"
                                                     : "%H:%M";
                ticks->columns[ticks->count] = column < span->columns ? column : span->columns - 1;
                if (strftime(ticks->labels[ticks->count], LABEL_MAX, format, &local) > 0)
                        ticks->count++;
        }
}

void chart_axis(struct page *page, const struct chart_span *span)
{
        struct ticks ticks;
        size_t next = 0, reached = 0, left = chart_left(span->label_width);
        find_ticks(span, &ticks);
        (void)fprintf(page->out, "  %*s %s", (int)span->label_width, "0", page->is_utf8 ? "└" : "+");
        for (size_t c = 0; c < span->columns; c++) {
                bool is_tick = next < ticks.count && ticks.columns[next] == c;
                while (next < ticks.count && ticks.columns[next] <= c)
                        next++;
                (void)fputs(page->is_utf8 ? (is_tick ? "┬" : "─") : (is_tick ? "+" : "-"), page->out);
        }
        (void)fputc('\n', page->out);
        for (size_t i = 0; i < ticks.count; i++) {
                size_t length = strlen(ticks.labels[i]), at = left + ticks.columns[i] - length / 2;
                if (at + length > left + span->columns)
                        at = left + span->columns - length;
                if (reached > 0 && at < reached + 1)
                        continue;
                page_blanks(page, at - reached);
                (void)fputs(ticks.labels[i], page->out);
                reached = at + length;
        }
        (void)fputc('\n', page->out);
}

/* ---- incidents -------------------------------------------------------------------------------------------
 */

/* One line: the incidents of one check. */
struct lane {
        char cells[CHART_COLUMNS_MAX]; /* ASCII, CELL_BAR, or 0: free */
        const char *name;              /* as in the marks: borrowed; NULL: not used */
        enum style style;              /* of the first one */
};

static int by_time(const void *a, const void *b)
{
        const struct chart_mark *first = a, *second = b;
        if (first->since_usec != second->since_usec)
                return first->since_usec < second->since_usec ? -1 : 1;
        return strcmp(first->name, second->name);
}

static size_t column_of(const struct chart_span *span, usec_t time_usec)
{
        if (time_usec <= span->since_usec)
                return 0;
        if (time_usec >= span->until_usec)
                return span->columns - 1;
        double share = (double)(time_usec - span->since_usec) / (double)(span->until_usec - span->since_usec);
        size_t column = (size_t)(share * (double)span->columns);
        return column < span->columns ? column : span->columns - 1;
}

/* Whether so many columns from `begin` on hold nothing but `wanted`. */
static bool is_all(const struct lane *lane, size_t begin, size_t count, size_t columns, char wanted)
{
        for (size_t c = begin; c < begin + count; c++)
                if (c >= columns || lane->cells[c] != wanted)
                        return false;
        return true;
}

/* The name within a bar that is long enough, else in the first free place (behind a bar if there is one),
 * else over the bars at the beginning. A blank stands on both sides. */
static void write_name(struct lane *lane, const char *name, size_t columns)
{
        size_t length = strlen(name), at = SIZE_MAX;
        if (length + 2 > columns)
                return;
        for (size_t c = 0; c < columns && at == SIZE_MAX; c++)
                if (is_all(lane, c, length + 4, columns, CELL_BAR))
                        at = c + 2;
        for (size_t c = 1; c < columns && at == SIZE_MAX; c++)
                if (lane->cells[c - 1] == CELL_BAR && c + 1 + length <= columns &&
                    is_all(lane, c, c + length + 2 <= columns ? length + 2 : length + 1, columns, 0))
                        at = c + 1;
        for (size_t c = columns - length - 1; c > 0 && at == SIZE_MAX; c--)
                if (is_all(lane, c - 1, length + 1, columns, 0))
                        at = c - 1;
        at = at == SIZE_MAX ? 1 : at;
        if (at > 0)
                lane->cells[at - 1] = ' ';
        memcpy(lane->cells + at, name, length);
        if (at + length < columns)
                lane->cells[at + length] = ' ';
}

static void print_lane(struct page *page, const struct chart_span *span, const struct lane *lane)
{
        size_t end = span->columns;
        while (end > 0 && (!lane->cells[end - 1] || lane->cells[end - 1] == ' '))
                end--;
        page_blanks(page, chart_left(span->label_width));
        (void)fputs(page_style(page, lane->style), page->out);
        for (size_t c = 0; c < end; c++) {
                if (lane->cells[c] == CELL_BAR)
                        (void)fputs(page->is_utf8 ? "━" : "=", page->out);
                else
                        (void)fputc(lane->cells[c] ? lane->cells[c] : ' ', page->out);
        }
        (void)fprintf(page->out, "%s\n", page_style_end(page, lane->style));
}

/* Names of checks are ASCII; anything else was not said by slowd. */
static void ascii_name(char buffer[static MARK_NAME_MAX], const char *name)
{
        size_t length = 0;
        for (; name[length] && length + 1 < MARK_NAME_MAX; length++)
                buffer[length] = name[length] > 0x20 && name[length] < 0x7f ? name[length] : '?';
        buffer[length] = '\0';
}

/* The lane of that check, a new one if it has none; NULL if all are taken. */
static struct lane *lane_of(struct lane *lanes, const struct chart_mark *mark)
{
        for (size_t l = 0; l < LANES; l++) {
                if (!lanes[l].name) {
                        lanes[l].name = mark->name;
                        lanes[l].style = mark->style;
                }
                if (strcmp(lanes[l].name, mark->name) == 0)
                        return &lanes[l];
        }
        return NULL;
}

void chart_marks(struct page *page, const struct chart_span *span, struct chart_mark *marks, size_t count)
{
        struct lane *lanes = calloc(LANES, sizeof(*lanes));
        size_t hidden = 0;
        if (!lanes || count == 0) {
                free(lanes);
                return;
        }
        qsort(marks, count, sizeof(*marks), by_time);
        for (size_t i = 0; i < count; i++) {
                struct lane *lane = lane_of(lanes, &marks[i]);
                size_t first = column_of(span, marks[i].since_usec),
                       last = column_of(span, marks[i].until_usec);
                if (lane)
                        memset(lane->cells + first, CELL_BAR, last >= first ? last - first + 1 : 1);
                else
                        hidden++;
        }
        for (size_t l = 0; l < LANES && lanes[l].name; l++) {
                char name[MARK_NAME_MAX];
                ascii_name(name, lanes[l].name);
                write_name(&lanes[l], name, span->columns);
                print_lane(page, span, &lanes[l]);
        }
        if (hidden > 0) {
                page_blanks(page, chart_left(span->label_width));
                (void)fprintf(page->out, "and %zu more (slowctl alerts)\n", hidden);
        }
        free(lanes);
}
