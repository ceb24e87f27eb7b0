/* slowctl logs: the logs that are largest and grow fastest, and who fills the journal. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/show.h"
#include "cli/table.h"
#include "cli/views.h"
#include "common/json.h"
#include "common/text.h"
#include "common/units.h"

enum {
        COLUMN_FILE,
        COLUMN_SIZE,
        COLUMN_GROWTH,
        COLUMN_FULL,
        COLUMN_READS,
        COLUMN_ROTATION,
        COLUMN_WRITER,
        COLUMN_READER,
        COLUMN_UNIT,
        COLUMN_CHANGED,
        COLUMN_COUNT
};

static const struct table_column columns[COLUMN_COUNT] = {
        [COLUMN_FILE] = { .title = "FILE", .importance = TABLE_ALWAYS, .shrinks_to = 24 },
        [COLUMN_SIZE] = { .title = "SIZE", .importance = TABLE_ALWAYS, .is_right = true },
        [COLUMN_GROWTH] = { .title = "GROWS/h", .importance = TABLE_ALWAYS, .is_right = true },
        [COLUMN_FULL] = { .title = "FULL IN", .importance = 70, .is_right = true },
        [COLUMN_READS] = { .title = "READ/min", .importance = 60, .is_right = true },
        [COLUMN_ROTATION] = { .title = "ROTATED", .importance = 80, .shrinks_to = 8 },
        [COLUMN_WRITER] = { .title = "WRITER", .importance = 90, .shrinks_to = 8 },
        [COLUMN_READER] = { .title = "READER", .importance = 40, .shrinks_to = 8 },
        [COLUMN_UNIT] = { .title = "UNIT", .importance = 30, .shrinks_to = 12 },
        [COLUMN_CHANGED] = { .title = "CHANGED", .importance = 50 },
};

#define UNITS_SHOWN 6

/* On a narrow page the end of a path says more than its begin. */
static void set_path(struct table *table, const struct page *page, const char *path)
{
        size_t most = page->width / 3 + (page->width > 100 ? page->width / 12 : 0), length = strlen(path);
        const char *end = length > most ? path + length - most : path;
        while (((unsigned char)*end & 0xc0) == 0x80) /* within a character */
                end++;
        const char *slash = end > path ? strchr(end, '/') : NULL;
        if (slash && (size_t)(slash - end) < most / 2)
                end = slash;
        table_set_format(table, COLUMN_FILE, "%s%s", end > path ? "…" : "", end);
}

static void set_log(struct table *table, const struct page *page, struct json_object *log, usec_t at_usec)
{
        char text[UNITS_MAX], time[SHOW_TIME_MAX];
        int64_t value;
        const char *rotation = json_string_or(log, "rotation", NULL), *kind = json_string_or(log, "kind", "");
        set_path(table, page, json_string_or(log, "path", "?"));
        table_set(table, COLUMN_SIZE, format_bytes(text, (double)json_int_or(log, "sizeBytes", 0)));
        if (json_get_int(log, "growthBytesPerHour", &value) == 0)
                table_set_format(table, COLUMN_GROWTH, "%s%s", value < 0 ? "-" : "",
                                 format_bytes(text, (double)(value < 0 ? -value : value)));
        if (json_get_int(log, "fullInUSec", &value) == 0) {
                table_set(table, COLUMN_FULL, format_duration(text, (usec_t)(value > 0 ? value : 0)));
                table_set_style(table, COLUMN_FULL, STYLE_RED);
        }
        if (json_get_int(log, "readsPerHour", &value) == 0)
                table_set(table, COLUMN_READS, format_count(text, (double)value / 60));
        if (strcmp(kind, "deleted") == 0)
                rotation = "deleted";
        else if (strcmp(kind, "journal") == 0)
                rotation = "itself";
        else if (rotation && strcmp(rotation, "none") == 0)
                rotation = strcmp(kind, "container") == 0 ? "by engine" : "no";
        table_set(table, COLUMN_ROTATION, rotation);
        table_set(table, COLUMN_WRITER, json_string_or(log, "writer", NULL));
        table_set(table, COLUMN_READER, json_string_or(log, "reader", NULL));
        table_set(table, COLUMN_UNIT, json_string_or(log, "unit", NULL));
        value = json_int_or(log, "modifiedUSec", 0);
        if (value > 0)
                table_set(table, COLUMN_CHANGED, show_time(time, (usec_t)value, at_usec));
}

static void show_units(struct page *page, struct json_object *units)
{
        char text[UNITS_MAX];
        int64_t all = 0, rate;
        size_t count = json_object_array_length(units), shown = 0;
        for (size_t i = 0; i < count; i++)
                all += json_int_or(json_object_array_get_idx(units, i), "messagesPerHour", 0);
        if (all <= 0)
                return;
        char line[512] = "";
        size_t length = 0;
        (void)text_append(line, sizeof(line), &length,
                          "The journal gets %s messages an hour:", format_count(text, (double)all));
        for (size_t i = 0; i < count && shown < UNITS_SHOWN; i++) {
                struct json_object *unit = json_object_array_get_idx(units, i);
                if (json_get_int(unit, "messagesPerHour", &rate) < 0 || rate <= 0)
                        continue;
                (void)text_append(line, sizeof(line), &length, "%s %s %s", shown++ ? "," : "",
                                  json_string_or(unit, "unit", "of no unit"),
                                  format_permille(text, 1000 * (double)rate / (double)all));
        }
        (void)text_append(line, sizeof(line), &length, ".");
        (void)fputc('\n', page->out);
        page_paragraphs(page, 0, page_text_width(page), line);
}

int logs_view(struct page *page, struct json_object *reply, const struct options *options)
{
        struct json_object *logs, *units;
        (void)options;
        if (json_get_array(reply, "logs", &logs) < 0 || json_get_array(reply, "journalUnits", &units) < 0)
                return -EBADMSG;
        usec_t at_usec = (usec_t)json_int_or(reply, "atUSec", 0);
        size_t count = json_object_array_length(logs);
        if (options->limit > 0 && (size_t)options->limit < count)
                count = (size_t)options->limit;
        if (count == 0)
                (void)fputs(at_usec ? "There is no large or growing log.\n"
                                    : "The logs have not been looked at yet; ask again in a minute.\n",
                            page->out);
        struct table *table = count ? table_new(page, columns, COLUMN_COUNT) : NULL;
        for (size_t i = 0; table && i < count && table_add_line(table); i++)
                set_log(table, page, json_object_array_get_idx(logs, i), at_usec);
        int r = table ? table_print(table, page) : count ? -ENOMEM : 0;
        table_free(table);
        if (r == 0)
                show_units(page, units);
        return r;
}

static int logs_run(const struct options *options)
{
        return show_question(options, "ListLogs", NULL, logs_view);
}

const struct command command_logs = {
        .name = "logs",
        .summary = "the logs that are largest and grow fastest",
        .help = "Lists logs and other files that grow: their size, how much they grow in an hour, who writes "
                "them, whether logrotate covers them, and in which time one alone fills its file system. "
                "READ "
                "says how often one is read in full each minute, and READER by whom: a program that reads a "
                "growing file over and over becomes slower each day. A file that is deleted but still open "
                "takes its room until whoever holds it is restarted. Below the list: which units fill the "
                "journal.\n\n"
                "slowd looks through /var/log, the directories of container engines and the files that "
                "programs have open, a little at a time; a file may take some minutes to appear.",
        .options = OPTION_LIMIT,
        .run = logs_run,
};
