/* slowctl alerts: the incidents, newest first. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/complain.h"
#include "cli/finding_view.h"
#include "cli/show.h"
#include "cli/table.h"
#include "cli/views.h"
#include "common/json.h"
#include "common/units.h"

enum {
        COLUMN_SINCE,
        COLUMN_LASTED,
        COLUMN_SEVERITY,
        COLUMN_CHECK,
        COLUMN_PEAK,
        COLUMN_SUMMARY,
        COLUMN_COUNT
};

static const struct table_column columns[COLUMN_COUNT] = {
        [COLUMN_SINCE] = { .title = "SINCE", .importance = TABLE_ALWAYS },
        [COLUMN_LASTED] = { .title = "LASTED", .importance = TABLE_ALWAYS, .is_right = true },
        [COLUMN_SEVERITY] = { .title = "SEVERITY", .importance = 20 },
        [COLUMN_CHECK] = { .title = "CHECK", .importance = TABLE_ALWAYS },
        [COLUMN_PEAK] = { .title = "PEAK", .importance = 10, .is_right = true },
        [COLUMN_SUMMARY] = { .title = "WHAT", .importance = TABLE_ALWAYS, .shrinks_to = 40, .wraps = true },
};

static usec_t realtime_now(void)
{
        struct timespec now;
        (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail for this clock */
        return (usec_t)now.tv_sec * USEC_PER_SEC + (usec_t)now.tv_nsec / NSEC_PER_USEC;
}

static void set_alert(struct table *table, struct json_object *alert, usec_t now_usec)
{
        const char *severity = json_string_or(alert, "severity", "notice");
        int64_t since = json_int_or(alert, "sinceUSec", 0), until, peak;
        char text[SHOW_TIME_MAX], number[UNITS_MAX];
        if (since > 0)
                table_set(table, COLUMN_SINCE, show_time(text, (usec_t)since, now_usec));
        if (json_get_int(alert, "untilUSec", &until) < 0)
                table_set(table, COLUMN_LASTED, "still on");
        else if (since > 0 && until >= since)
                table_set(table, COLUMN_LASTED, format_duration(number, (usec_t)(until - since)));
        table_set(table, COLUMN_SEVERITY, severity);
        table_set(table, COLUMN_CHECK, json_string_or(alert, "check", "?"));
        table_set_style(table, COLUMN_CHECK, finding_view_style(severity));
        if (json_get_int(alert, "peakPermille", &peak) == 0)
                table_set(table, COLUMN_PEAK, format_permille(number, (double)peak));
        table_set(table, COLUMN_SUMMARY, json_string_or(alert, "summary", NULL));
}

int alerts_view(struct page *page, struct json_object *reply)
{
        struct json_object *alerts;
        usec_t now_usec = realtime_now();
        if (json_get_array(reply, "alerts", &alerts) < 0)
                return -EBADMSG;
        if (json_object_array_length(alerts) == 0) {
                (void)fputs("No incidents.\n", page->out);
                return 0;
        }
        struct table *table = table_new(page, columns, COLUMN_COUNT);
        for (size_t i = 0; table && i < json_object_array_length(alerts) && table_add_line(table); i++)
                set_alert(table, json_object_array_get_idx(alerts, i), now_usec);
        int r = table ? table_print(table, page) : -ENOMEM;
        table_free(table);
        return r;
}

static int alerts_run(const struct options *options)
{
        struct json_object *parameters = json_object_new_object();
        int r = parameters ? 0 : -ENOMEM;
        if (r == 0 && options->since_usec > 0)
                r = json_add_int(parameters, "sinceUSec", (int64_t)options->since_usec);
        if (r == 0 && options->until_usec > 0)
                r = json_add_int(parameters, "untilUSec", (int64_t)options->until_usec);
        if (r < 0) {
                json_object_put(parameters);
                complain("There is no memory.");
                return STATUS_NOT_REACHABLE;
        }
        return show_question(options, "Alerts", parameters, alerts_view);
}

const struct command command_alerts = {
        .name = "alerts",
        .summary = "what was slow before, and since when something is now",
        .help = "Lists the incidents that slowd has seen, newest first: when each began, how long it lasted, "
                "the "
                "check that found it, the time lost at its peak and what happened. The same is in the "
                "journal: "
                "journalctl -u slowd.\n\n"
                "Times are written like 14:03, \"yesterday 14:03\", today, 2026-11-22, \"2026-11-22 "
                "14:03:00\", "
                "-2h, \"10 min ago\" or @1732284842, in the local time zone.",
        .options = OPTION_SINCE | OPTION_UNTIL,
        .run = alerts_run,
};
