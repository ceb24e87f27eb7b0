/* slowctl alerts: the incidents, newest first. */
#include <errno.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/finding_view.h"
#include "cli/show.h"
#include "cli/table.h"
#include "cli/views.h"
#include "common/json.h"
#include "common/units.h"

enum {
        COLUMN_SINCE,
        COLUMN_ENDED,
        COLUMN_LASTED,
        COLUMN_SEVERITY,
        COLUMN_CHECK,
        COLUMN_PEAK,
        COLUMN_WHO,
        COLUMN_SUMMARY,
        COLUMN_COUNT
};

static const struct table_column columns[COLUMN_COUNT] = {
        [COLUMN_SINCE] = { .title = "BEGAN", .importance = TABLE_ALWAYS },
        [COLUMN_ENDED] = { .title = "ENDED", .importance = TABLE_ALWAYS },
        [COLUMN_LASTED] = { .title = "LASTED", .importance = 30, .is_right = true },
        [COLUMN_SEVERITY] = { .title = "SEVERITY", .importance = 20 },
        [COLUMN_CHECK] = { .title = "CHECK", .importance = TABLE_ALWAYS },
        [COLUMN_PEAK] = { .title = "PEAK", .importance = 50, .is_right = true },
        [COLUMN_WHO] = { .title = "WHO", .importance = 10, .shrinks_to = 12 },
        [COLUMN_SUMMARY] = { .title = "WHAT", .importance = TABLE_ALWAYS, .shrinks_to = 24, .wraps = true },
};

/* What happened, and who did it where the sentence does not say so. */
static void set_summary(struct table *table, struct json_object *alert)
{
        const char *summary = json_string_or(alert, "summary", ""), *name = "";
        struct json_object *culprit;
        if (json_get_object(alert, "culprit", &culprit) == 0)
                name = json_string_or(culprit, "name", "");
        table_set(table, COLUMN_WHO, name);
        if (strstr(summary, name))
                table_set(table, COLUMN_SUMMARY, summary);
        else
                table_set_format(table, COLUMN_SUMMARY, "%s%s%s", name, summary[0] ? ": " : "", summary);
}

static void set_alert(struct table *table, struct json_object *alert, usec_t now_usec)
{
        const char *severity = json_string_or(alert, "severity", "notice");
        int64_t since = json_int_or(alert, "sinceUSec", 0), until, peak;
        char text[SHOW_TIME_MAX], number[UNITS_MAX];
        bool is_ongoing = json_get_int(alert, "untilUSec", &until) < 0;
        if (since > 0)
                table_set(table, COLUMN_SINCE, show_time(text, (usec_t)since, now_usec));
        if (is_ongoing) {
                table_set(table, COLUMN_ENDED, "ongoing");
                until = (int64_t)now_usec;
        } else if (since > 0 && until >= since) {
                table_set(table, COLUMN_ENDED, show_time(text, (usec_t)until, (usec_t)since));
        }
        if (since > 0 && until >= since)
                table_set(table, COLUMN_LASTED, format_duration(number, (usec_t)(until - since)));
        table_set(table, COLUMN_SEVERITY, severity);
        table_set(table, COLUMN_CHECK, json_string_or(alert, "check", "?"));
        table_set_style(table, COLUMN_CHECK, finding_view_style(severity));
        if (json_get_int(alert, "peakPermille", &peak) == 0)
                table_set(table, COLUMN_PEAK, format_permille(number, (double)peak));
        set_summary(table, alert);
}

int alerts_view(struct page *page, struct json_object *reply, const struct options *options)
{
        struct json_object *alerts;
        if (json_get_array(reply, "alerts", &alerts) < 0)
                return -EBADMSG;
        if (json_object_array_length(alerts) == 0) {
                (void)fputs("No incidents.\n", page->out);
                return 0;
        }
        struct table *table = table_new(page, columns, COLUMN_COUNT);
        for (size_t i = 0; table && i < json_object_array_length(alerts) && table_add_line(table); i++)
                set_alert(table, json_object_array_get_idx(alerts, i), options->now_usec);
        int r = table ? table_print(table, page) : -ENOMEM;
        table_free(table);
        return r;
}

static int alerts_run(const struct options *options)
{
        struct json_object *parameters = ask_parameters(options);
        return parameters ? show_question(options, "Alerts", parameters, alerts_view) : STATUS_NOT_REACHABLE;
}

const struct command command_alerts = {
        .name = "alerts",
        .summary = "what was slow before, and since when something is now",
        .help = "Lists the incidents that slowd has seen, newest first: when each began, when it ended or "
                "that it is ongoing, how long it lasted, the time lost at its peak, the check that found it, "
                "who did "
                "it and what happened. The same is in the journal: journalctl -u slowd.\n\n"
                "Times are written like 14:03, \"yesterday 14:03\", today, 2026-11-22, \"2026-11-22 "
                "14:03:00\", "
                "-2h, \"10 min ago\" or @1732284842, in the local time zone.",
        .options = OPTION_SINCE | OPTION_UNTIL,
        .run = alerts_run,
};
