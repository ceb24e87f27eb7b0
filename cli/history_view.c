/* slowctl history: a chart for each value, the incidents below it, then the processes. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/chart_axis.h"
#include "cli/finding_view.h"
#include "cli/history.h"
#include "cli/show.h"
#include "cli/views.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/text.h"

#define LABEL_WIDTH  8 /* "500 kB/s" */
#define ROWS_DEFAULT 4 /* where there is no terminal, or one that is too small for all */
#define LINES_BESIDE 6 /* of a chart: its title, the axis, times, an incident, a blank line */

size_t history_chart_columns(const struct page *page)
{
        size_t columns = page->width - chart_left(LABEL_WIDTH);
        return columns < CHART_COLUMNS_MAX ? columns : CHART_COLUMNS_MAX;
}

/* ---- what a value is -------------------------------------------------------------------------------------
 */

/* Of the machine, and of a program if that differs. */
static const struct {
        const char *name, *machine, *program;
} titles[] = {
        { "cpu", "CPU, in % of all CPUs", "CPU, in % of one CPU" },
        { "memory", "Memory that is available", "Memory" },
        { "swap", "Swapped out", NULL },
        { "io.read", "Read from disks", NULL },
        { "io.write", "Written to disks", NULL },
        { "wait", "Lost, of the time it wanted to work", NULL },
        { "wait.cpu", "Somebody waits for a CPU", "Waits for a CPU, in % of one process" },
        { "wait.memory", "Somebody waits for memory", NULL },
        { "wait.io", "Somebody waits for a disk", NULL },
        { "wait.disk", "Waits for a disk", NULL },
        { "wait.swap", "Waits for swapped-out memory", NULL },
        { "wait.reclaim", "Waits for free memory to be found", NULL },
        { "wait.throttled", "Waits because of its own quota", NULL },
        { "count", "Processes", NULL },
        { "threads", "Threads", NULL },
        { "files", "Open files", "Open descriptors" },
};

static bool is_of_program(const struct options *options)
{
        return options->program || options->pid || options->unit;
}

static const char *title_of(const char *name, const struct options *options)
{
        for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
                if (strcmp(titles[i].name, name) == 0)
                        return is_of_program(options) && titles[i].program ? titles[i].program
                                                                           : titles[i].machine;
        return name;
}

struct summary {
        double least, sum, most;
        size_t known, least_at, most_at;
};

static struct summary summarize(const struct history_series *series)
{
        struct summary summary = { .least = INFINITY, .most = -INFINITY };
        for (size_t i = 0; i < series->count; i++) {
                double mean = series->means[i];
                if (isnan(mean))
                        continue;
                double low = series->minimums ? fmin(series->minimums[i], mean) : mean;
                double high = series->maximums ? fmax(series->maximums[i], mean) : mean;
                summary.known++;
                summary.sum += mean;
                if (low < summary.least) {
                        summary.least = low;
                        summary.least_at = i;
                }
                if (high > summary.most) {
                        summary.most = high;
                        summary.most_at = i;
                }
        }
        return summary;
}

/* ---- one chart -------------------------------------------------------------------------------------------
 */

static void print_title(struct page *page, const struct history_series *series, const struct summary *summary,
                        const struct history_span *span, const struct options *options)
{
        char least[CHART_VALUE_MAX], mean[CHART_VALUE_MAX], most[CHART_VALUE_MAX], time[SHOW_TIME_MAX];
        CLEANUP_FREE char *text = NULL;
        int r;
        page_blanks(page, 2);
        size_t column = 2 + page_styled(page, STYLE_BOLD, title_of(series->name, options));
        /* Of what is available the least is what hurts. */
        bool is_supply = strcmp(series->name, "memory") == 0 && !is_of_program(options);
        usec_t at = span->since_usec + (is_supply ? summary->least_at : summary->most_at) * span->step_usec;
        if (summary->known == 0)
                r = asprintf(&text, ": nothing was recorded");
        else if (summary->most <= 0)
                r = asprintf(&text, ": %s all the time", chart_format(mean, series->unit, 0));
        else if (summary->least >= summary->most)
                r = asprintf(&text, ": %s", chart_format(mean, series->unit, summary->most));
        else
                r = asprintf(&text, ": %s to %s, mean %s, %s at %s",
                             chart_format(least, series->unit, summary->least),
                             chart_format(most, series->unit, summary->most),
                             chart_format(mean, series->unit, summary->sum / (double)summary->known),
                             is_supply ? "least" : "most", show_time(time, at, span->until_usec));
        if (r < 0)
                text = NULL; /* its value is undefined then */
        else
                (void)page_wrap(page, column, 4, page->width, text);
        (void)fputc('\n', page->out);
}

struct drawing {
        const struct options *options;
        const struct history_span *span;
        struct chart_mark *marks;
        size_t mark_count, rows;
        bool has_gap, has_range; /* in any chart: what the key has to explain */
};

static void draw(struct page *page, const struct history_series *series, struct drawing *drawing)
{
        struct chart_column columns[CHART_COLUMNS_MAX];
        struct summary summary = summarize(series);
        const struct history_span *span = drawing->span;
        print_title(page, series, &summary, span, drawing->options);
        if (summary.known == 0 || summary.most <= 0)
                return;
        struct chart_values values = { series->means, series->maximums, series->count, span->step_usec };
        struct chart_span axis = { .since_usec = span->since_usec,
                                   .until_usec = span->until_usec,
                                   .columns = history_chart_columns(page),
                                   .label_width = LABEL_WIDTH };
        chart_resample(&values, span->until_usec - span->since_usec, columns, axis.columns);
        for (size_t c = 0; c < axis.columns; c++) {
                drawing->has_gap |= isnan(columns[c].mean);
                drawing->has_range |= columns[c].maximum > columns[c].mean;
        }
        chart_rows(page, columns, axis.columns, drawing->rows, LABEL_WIDTH,
                   chart_top(summary.most, series->unit), series->unit);
        chart_axis(page, &axis);
        chart_marks(page, &axis, drawing->marks, drawing->mark_count);
}

/* ---- all of it -------------------------------------------------------------------------------------------
 */

static size_t read_marks(struct json_object *reply, const struct history_span *span, struct chart_mark *marks)
{
        struct json_object *incidents;
        size_t count = 0;
        if (json_get_array(reply, "incidents", &incidents) < 0)
                return 0;
        for (size_t i = 0; i < json_object_array_length(incidents) && count < CHART_MARKS_MAX; i++) {
                struct json_object *incident = json_object_array_get_idx(incidents, i);
                int64_t since = json_int_or(incident, "sinceUSec", -1), until;
                if (json_get_int(incident, "untilUSec", &until) < 0)
                        until = (int64_t)span->until_usec;
                if (since < 0 || until < since || (usec_t)since >= span->until_usec ||
                    (usec_t)until < span->since_usec)
                        continue;
                marks[count++] = (struct chart_mark){
                        .name = json_string_or(incident, "check", "?"),
                        .since_usec = (usec_t)since,
                        .until_usec = (usec_t)until,
                        .style = finding_view_style(json_string_or(incident, "severity", "notice")),
                };
        }
        return count;
}

/* A sentence of its own if the reply has that reason. */
static void print_warning(struct page *page, const char *begin, struct json_object *reply, const char *name)
{
        const char *reason;
        CLEANUP_FREE char *sentence = NULL;
        if (json_get_string(reply, name, &reason) < 0)
                return;
        if (asprintf(&sentence, "%s%s", begin, reason) < 0) {
                sentence = NULL; /* its value is undefined then */
                return;
        }
        (void)fputs(page_style(page, STYLE_YELLOW), page->out);
        (void)page_wrap(page, 0, 0, page_text_width(page), sentence);
        (void)fprintf(page->out, "%s\n", page_style_end(page, STYLE_YELLOW));
}

/* "ffmpeg, 2024-11-22 at 13:14:02 to 14:14:02 (60 min), by the minute" */
static void print_head(struct page *page, struct json_object *reply, const struct history_span *span,
                       const struct options *options)
{
        const char *resolution = json_string_or(reply, "resolution", "sample");
        char since[SHOW_TIME_MAX], until[SHOW_TIME_MAX], length[UNITS_MAX], step[UNITS_MAX], pid[32];
        CLEANUP_FREE char *text = NULL;
        text_format(pid, sizeof(pid), "Process %" PRId64, options->pid);
        size_t reached = page_styled(page, STYLE_BOLD,
                                     options->program   ? options->program
                                     : options->pid > 0 ? pid
                                     : options->unit    ? options->unit
                                                        : "The whole machine");
        bool is_one_day = chart_is_one_day(span->since_usec, span->until_usec);
        if (asprintf(&text, ", from %s to %s (%s), in steps of %s%s%s",
                     show_date_time(since, span->since_usec),
                     is_one_day ? show_time(until, span->until_usec, span->since_usec)
                                : show_date_time(until, span->until_usec),
                     format_duration(length, span->until_usec - span->since_usec),
                     format_duration(step, span->step_usec),
                     strcmp(resolution, "sample") == 0 ? "" : ", recorded by the ",
                     strcmp(resolution, "sample") == 0 ? "" : resolution) < 0) {
                text = NULL; /* its value is undefined then */
                return;
        }
        (void)page_wrap(page, reached, 0, page_text_width(page), text);
        (void)fputc('\n', page->out);
        print_warning(page, "A part of the record cannot be read: ", reply, "damaged");
        print_warning(page, "The newest part is from memory, not from the record: ", reply, "memoryOnly");
}

static void print_key(struct page *page, const struct drawing *drawing)
{
        if (!drawing->has_gap && !drawing->has_range)
                return;
        (void)fprintf(page->out, "\n  %s%s%s%s%s\n", page_style(page, STYLE_DIM),
                      !drawing->has_range ? ""
                      : page->is_utf8     ? "█ mean  ░ most"
                                          : "# mean  ' most",
                      drawing->has_range && drawing->has_gap ? "  " : "",
                      !drawing->has_gap ? ""
                      : page->is_utf8   ? "· nothing was recorded"
                                        : "? nothing was recorded",
                      page_style_end(page, STYLE_DIM));
}

/* So many that all charts are on the screen at once, if it is large enough. */
static size_t rows_of_a_chart(const struct page *page, size_t charts)
{
        size_t share = charts > 0 ? page->lines / charts : 0;
        if (page->lines == 0)
                return ROWS_DEFAULT;
        if (share < LINES_BESIDE + CHART_ROWS_MIN) /* it has to be paged through in any case */
                return ROWS_DEFAULT;
        return share - LINES_BESIDE < CHART_ROWS_MAX ? share - LINES_BESIDE : CHART_ROWS_MAX;
}

int history_view(struct page *page, struct json_object *reply, const struct options *options)
{
        struct history_span span;
        struct chart_mark marks[CHART_MARKS_MAX];
        struct json_object *series_array;
        if (history_read_span(reply, &span) < 0 || json_get_array(reply, "series", &series_array) < 0)
                return -EBADMSG;
        size_t count = json_object_array_length(series_array);
        struct drawing drawing = { .options = options,
                                   .span = &span,
                                   .marks = marks,
                                   .mark_count = read_marks(reply, &span, marks),
                                   .rows = rows_of_a_chart(page, count) };
        print_head(page, reply, &span, options);
        for (size_t i = 0; i < count && i < HISTORY_SERIES_MAX; i++) {
                struct history_series series;
                int r = history_series_init(&series, json_object_array_get_idx(series_array, i));
                if (r < 0)
                        return r;
                (void)fputc('\n', page->out);
                draw(page, &series, &drawing);
                history_series_done(&series);
        }
        if (count == 0)
                (void)fputs("\nNothing was recorded.\n", page->out);
        print_key(page, &drawing);
        return history_lifetimes(page, reply, &span, options);
}
