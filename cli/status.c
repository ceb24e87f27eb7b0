/* slowctl status: how slowd itself is doing, what it costs and what it cannot see. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "cli/ask.h"
#include "cli/block.h"
#include "cli/commands.h"
#include "cli/show.h"
#include "cli/table.h"
#include "cli/views.h"
#include "common/json.h"
#include "common/text.h"
#include "common/units.h"

enum { COLUMN_SOURCE, COLUMN_STATE, COLUMN_TIME, COLUMN_REASON, COLUMN_COUNT };

static const struct table_column columns[COLUMN_COUNT] = {
        [COLUMN_SOURCE] = { .title = "SOURCE", .importance = TABLE_ALWAYS },
        [COLUMN_STATE] = { .title = "STATE", .importance = TABLE_ALWAYS },
        [COLUMN_TIME] = { .title = "TIME", .importance = 10, .is_right = true },
        [COLUMN_REASON] = { .title = "BECAUSE", .importance = TABLE_ALWAYS, .shrinks_to = 30, .wraps = true },
};

/* "0.4 ms", "12 ms": what a tick costs is less than the units of durations. */
static const char *format_cost(char buffer[static UNITS_MAX], int64_t usec)
{
        double milliseconds = (double)usec / (double)USEC_PER_MSEC;
        text_format(buffer, UNITS_MAX,
                    milliseconds < 0.95   ? "%.2f ms"
                    : milliseconds < 9.95 ? "%.1f ms"
                                          : "%.0f ms",
                    milliseconds);
        return buffer;
}

static usec_t member_usec(struct json_object *reply, const char *name)
{
        int64_t value = json_int_or(reply, name, 0);
        return value > 0 ? (usec_t)value : 0;
}

static void cost_lines(struct page *page, struct json_object *reply)
{
        char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX];
        usec_t interval = member_usec(reply, "intervalUSec");
        int64_t cpu = json_int_or(reply, "meanCpuUSec", 0), missed = json_int_or(reply, "missedTicks", 0);
        block_format(page, "looks", "%s so far, every %s; %s missed",
                     format_count(a, (double)json_int_or(reply, "ticks", 0)), format_duration(b, interval),
                     missed == 0 ? "none" : format_count(c, (double)missed));
        if (interval > 0) {
                char share[UNITS_MAX];
                /* In hundredths of a per cent: slowd is well below what format_permille() shows. */
                text_format(share, sizeof(share), "%.2f %%", 100.0 * (double)cpu / (double)interval);
                block_format(page, "costs", "%s of CPU a look, %s of one CPU; %s of memory",
                             format_cost(a, cpu), share,
                             format_bytes(b, (double)json_int_or(reply, "rssBytes", 0)));
        }
        block_format(page, "last look", "%s of CPU in %s",
                     format_cost(a, json_int_or(reply, "lastCpuUSec", 0)),
                     format_cost(b, json_int_or(reply, "lastDurationUSec", 0)));
        block_format(page, "sees", "%s processes; %s connected",
                     format_count(a, (double)json_int_or(reply, "processes", 0)),
                     format_count(b, (double)json_int_or(reply, "connections", 0)));
}

/* What is kept on disk, or why nothing is. Nothing at all from a slowd that does not say. */
static void record_line(struct page *page, struct json_object *reply)
{
        const char *problem = json_string_or(reply, "historyProblem", "");
        usec_t oldest = member_usec(reply, "historyOldestUSec"), last = member_usec(reply, "lastTickUSec");
        int64_t bytes = json_int_or(reply, "historyBytes", -1), lost = json_int_or(reply, "lostTicks", 0);
        char text[1024] = "", number[UNITS_MAX], time[SHOW_TIME_MAX];
        size_t length = 0;
        bool is_writing;
        if (json_get_bool(reply, "historyWriting", &is_writing) < 0)
                is_writing = bytes >= 0 && !problem[0];
        if (bytes < 0 && oldest == 0 && !is_writing && !problem[0])
                return;
        if (bytes >= 0)
                (void)text_append(text, sizeof(text), &length, "%s", format_bytes(number, (double)bytes));
        if (oldest > 0)
                (void)text_append(text, sizeof(text), &length, "%ssince %s", length > 0 ? ", " : "",
                                  show_time(time, oldest, last > 0 ? last : oldest));
        if (lost > 0)
                (void)text_append(text, sizeof(text), &length, "; %s look%s not written",
                                  format_count(number, (double)lost), lost == 1 ? "" : "s");
        if (!is_writing || problem[0])
                (void)text_append(text, sizeof(text), &length, "%s%s%s%s", length > 0 ? "; " : "",
                                  is_writing ? "" : "not written now", !is_writing && problem[0] ? ": " : "",
                                  problem);
        if (length > 0)
                block_line(page, "record", text);
}

static int collector_table(struct page *page, struct json_object *collectors)
{
        struct table *table = table_new(page, columns, COLUMN_COUNT);
        char number[UNITS_MAX];
        for (size_t i = 0; table && i < json_object_array_length(collectors) && table_add_line(table); i++) {
                struct json_object *collector = json_object_array_get_idx(collectors, i);
                const char *state = json_string_or(collector, "state", "?");
                int64_t duration;
                table_set(table, COLUMN_SOURCE, json_string_or(collector, "name", "?"));
                table_set(table, COLUMN_STATE, state);
                table_set_style(table, COLUMN_STATE,
                                strcmp(state, "ok") == 0       ? STYLE_GREEN
                                : strcmp(state, "failed") == 0 ? STYLE_RED
                                                               : STYLE_YELLOW);
                if (json_get_int(collector, "durationUSec", &duration) == 0)
                        table_set(table, COLUMN_TIME, format_cost(number, duration));
                table_set(table, COLUMN_REASON, json_string_or(collector, "reason", NULL));
        }
        int r = table ? table_print(table, page) : -ENOMEM;
        table_free(table);
        return r;
}

int status_view(struct page *page, struct json_object *reply, const struct options *options)
{
        (void)options;
        struct json_object *collectors;
        const char *version;
        char time[SHOW_TIME_MAX], span[UNITS_MAX];
        if (json_get_string(reply, "version", &version) < 0)
                return -EBADMSG;
        usec_t started = member_usec(reply, "startedUSec"), last = member_usec(reply, "lastTickUSec");
        block_format(page, "slowd", "%s on %s (Linux %s)", version, json_string_or(reply, "machine", "?"),
                     json_string_or(reply, "kernel", "?"));
        if (started > 0 && last >= started)
                block_format(page, "runs since", "%s (%s)", show_time(time, started, last),
                             format_duration(span, last - started));
        if (json_string_or(reply, "summary", "")[0])
                block_line(page, "finds", json_string_or(reply, "summary", ""));
        cost_lines(page, reply);
        record_line(page, reply);
        if (json_get_array(reply, "collectors", &collectors) < 0 || json_object_array_length(collectors) == 0)
                return 0;
        (void)fputc('\n', page->out);
        return collector_table(page, collectors);
}

static int status_run(const struct options *options)
{
        return show_question(options, "Status", NULL, status_view);
}

const struct command command_status = {
        .name = "status",
        .summary = "how slowd is doing: what it costs, what it reads, what it cannot see",
        .help = "Says how long slowd has been running, how often it looks and what that costs, and says how "
                "large the "
                "record of the past is, or why it is not written, and lists the sources that it reads: ok, "
                "absent (this kernel has none), denied (slowd may not) or failed.",
        .run = status_run,
};
