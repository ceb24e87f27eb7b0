/* Who was there in the time that history shows: how many, from when to when, who started them, what they
 * used. */
#include <errno.h>
#include <string.h>

#include "cli/block.h"
#include "cli/finding_view.h"
#include "cli/history.h"
#include "cli/show.h"
#include "cli/table.h"
#include "common/json.h"
#include "common/text.h"
#include "common/units.h"

#define LINE_MAX_BYTES 2048
#define PROGRAMS_SHOWN 12 /* of the whole machine: slowd tells of those first that used most */

enum {
        COLUMN_PROGRAM,
        COLUMN_PID,
        COLUMN_COUNT_,
        COLUMN_SHARE,
        COLUMN_BEGAN,
        COLUMN_ENDED,
        COLUMN_CPU,
        COLUMN_READ,
        COLUMN_WRITTEN,
        COLUMN_MEMORY,
        COLUMN_STARTED_BY,
        COLUMN_USER,
        COLUMN_UNIT,
        COLUMN_COMMAND,
        COLUMNS
};

static const struct table_column columns[COLUMNS] = {
        [COLUMN_PROGRAM] = { .title = "PROGRAM", .importance = TABLE_ALWAYS, .shrinks_to = 12 },
        [COLUMN_PID] = { .title = "PID", .importance = 60, .is_right = true },
        [COLUMN_COUNT_] = { .title = "PROCS", .importance = 60, .is_right = true },
        [COLUMN_SHARE] = { .title = "SHARE", .importance = TABLE_ALWAYS, .is_right = true },
        [COLUMN_BEGAN] = { .title = "BEGAN", .importance = TABLE_ALWAYS },
        [COLUMN_ENDED] = { .title = "ENDED", .importance = TABLE_ALWAYS },
        [COLUMN_CPU] = { .title = "CPU TIME", .importance = TABLE_ALWAYS, .is_right = true },
        [COLUMN_READ] = { .title = "READ", .importance = 50, .is_right = true },
        [COLUMN_WRITTEN] = { .title = "WRITTEN", .importance = 50, .is_right = true },
        [COLUMN_MEMORY] = { .title = "MEMORY", .importance = 55, .is_right = true },
        [COLUMN_STARTED_BY] = { .title = "STARTED BY", .importance = 40, .shrinks_to = 16 },
        [COLUMN_USER] = { .title = "USER", .importance = 25, .shrinks_to = 8 },
        [COLUMN_UNIT] = { .title = "UNIT", .importance = 28, .shrinks_to = 14 },
        [COLUMN_COMMAND] = { .title = "COMMAND", .importance = 10, .shrinks_to = 20 },
};

static usec_t member_usec(struct json_object *object, const char *name)
{
        int64_t value = json_int_or(object, name, 0);
        return value > 0 ? (usec_t)value : 0;
}

/* "cron → sh → /src/deploy.sh", outermost first; nothing if it is not known. */
static void append_origin(char *buffer, size_t size, size_t *length, struct json_object *lifetime)
{
        struct json_object *origin, *chain;
        const char *script;
        size_t count;
        if (json_get_object(lifetime, "startedBy", &origin) < 0)
                return;
        script = json_string_or(origin, "script", NULL);
        count = json_get_array(origin, "chain", &chain) == 0 ? json_object_array_length(chain) : 0;
        for (size_t i = 0; i < count; i++) {
                bool is_script = script && i + 1 == count;
                const char *name = json_string_or(json_object_array_get_idx(chain, i), "name", "?");
                (void)text_append(buffer, size, length, "%s%s", i > 0 ? " → " : "",
                                  is_script ? script : name);
        }
        if (count == 0 && script)
                (void)text_append(buffer, size, length, "%s", script);
}

/* ---- the sum of one program ------------------------------------------------------------------------------
 */

static void print_when(struct page *page, struct json_object *lifetime, const struct history_span *span)
{
        char began_text[SHOW_TIME_MAX], ended_text[SHOW_TIME_MAX], lasted[UNITS_MAX];
        usec_t began = member_usec(lifetime, "beganUSec"), ended = member_usec(lifetime, "endedUSec");
        if (began == 0)
                return;
        show_time(began_text, began, span->until_usec);
        if (ended == 0)
                block_format(page, "ran", "since %s, and at the end of this time still", began_text);
        else
                block_format(page, "ran", "from %s to %s (%s)", began_text,
                             show_time(ended_text, ended, span->until_usec),
                             format_duration(lasted, ended > began ? ended - began : 0));
}

static void print_sum(struct page *page, struct json_object *lifetime, const struct history_span *span)
{
        char line[LINE_MAX_BYTES] = "", a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX];
        struct json_object *origin;
        const char *directory = NULL;
        size_t length = 0;
        int64_t count = json_int_or(lifetime, "count", 1), share = json_int_or(lifetime, "sharePermille", -1),
                peak;
        const char *user = json_string_or(lifetime, "user", NULL),
                   *unit = json_string_or(lifetime, "unit", NULL);
        const char *command = json_string_or(lifetime, "commandLine", NULL);

        (void)text_append(line, sizeof(line), &length, "%s, %s process%s",
                          json_string_or(lifetime, "name", "?"), format_count(a, (double)count),
                          count == 1 ? "" : "es");
        if (json_get_int(lifetime, "pid", &peak) == 0 && count == 1)
                (void)text_append(line, sizeof(line), &length, " (pid %" PRId64 ")", peak);
        if (user)
                (void)text_append(line, sizeof(line), &length, ", user %s", user);
        if (unit)
                (void)text_append(line, sizeof(line), &length, ", %s", unit);
        block_line(page, "who", line);
        if (command)
                block_line(page, "command", command);

        length = 0;
        line[0] = '\0';
        append_origin(line, sizeof(line), &length, lifetime);
        if (json_get_object(lifetime, "startedBy", &origin) == 0)
                directory = json_string_or(origin, "workingDirectory", NULL);
        if (directory)
                (void)text_append(line, sizeof(line), &length, "%sin %s", length > 0 ? ", " : "", directory);
        if (length > 0)
                block_line(page, "started by", line);
        print_when(page, lifetime, span);

        length = 0;
        (void)text_append(line, sizeof(line), &length, "%s of CPU time",
                          format_duration(a, member_usec(lifetime, "cpuUSec")));
        if (share >= 0)
                (void)text_append(line, sizeof(line), &length, " (%s of all that was used)",
                                  format_permille(b, (double)share));
        (void)text_append(line, sizeof(line), &length, ", read %s, wrote %s",
                          format_bytes(a, (double)json_int_or(lifetime, "readBytes", 0)),
                          format_bytes(b, (double)json_int_or(lifetime, "writeBytes", 0)));
        if (json_get_int(lifetime, "peakMemoryBytes", &peak) == 0)
                (void)text_append(line, sizeof(line), &length, ", at most %s of memory",
                                  format_bytes(c, (double)peak));
        block_line(page, "used", line);
}

/* ---- several ---------------------------------------------------------------------------------------------
 */

static void set_bytes(struct table *table, size_t column, struct json_object *lifetime, const char *member)
{
        char number[UNITS_MAX];
        int64_t value;
        if (json_get_int(lifetime, member, &value) == 0)
                table_set(table, column, format_bytes(number, (double)value));
}

static void set_lifetime(struct table *table, struct json_object *lifetime, const struct history_span *span)
{
        char text[LINE_MAX_BYTES] = "", time[SHOW_TIME_MAX], number[UNITS_MAX];
        size_t length = 0;
        usec_t began = member_usec(lifetime, "beganUSec"), ended = member_usec(lifetime, "endedUSec");
        int64_t value;
        table_set(table, COLUMN_PROGRAM, json_string_or(lifetime, "name", "?"));
        if (json_get_int(lifetime, "pid", &value) == 0)
                table_set_format(table, COLUMN_PID, "%" PRId64, value);
        else if (json_get_int(lifetime, "count", &value) == 0)
                table_set(table, COLUMN_COUNT_, format_count(number, (double)value));
        if (json_get_int(lifetime, "sharePermille", &value) == 0)
                table_set(table, COLUMN_SHARE, format_permille(number, (double)value));
        if (began > 0)
                table_set(table, COLUMN_BEGAN, show_time(time, began, span->until_usec));
        table_set(table, COLUMN_ENDED, ended > 0 ? show_time(time, ended, span->until_usec) : "not yet");
        table_set(table, COLUMN_CPU, format_duration(number, member_usec(lifetime, "cpuUSec")));
        set_bytes(table, COLUMN_READ, lifetime, "readBytes");
        set_bytes(table, COLUMN_WRITTEN, lifetime, "writeBytes");
        set_bytes(table, COLUMN_MEMORY, lifetime, "peakMemoryBytes");
        append_origin(text, sizeof(text), &length, lifetime);
        table_set(table, COLUMN_STARTED_BY, text);
        table_set(table, COLUMN_USER, json_string_or(lifetime, "user", NULL));
        table_set(table, COLUMN_UNIT, json_string_or(lifetime, "unit", NULL));
        table_set(table, COLUMN_COMMAND, json_string_or(lifetime, "commandLine", NULL));
}

int history_lifetimes(struct page *page, struct json_object *reply, const struct history_span *span,
                      const struct options *options)
{
        bool is_each = options->each, is_all = is_each || options->program || options->pid || options->unit;
        struct json_object *lifetimes;
        size_t count =
                json_get_array(reply, "lifetimes", &lifetimes) == 0 ? json_object_array_length(lifetimes) : 0;
        if (count == 0)
                return 0;
        (void)fputc('\n', page->out);
        if (count == 1 && !is_each) {
                print_sum(page, json_object_array_get_idx(lifetimes, 0), span);
                return 0;
        }
        size_t shown = is_all ? count : count < PROGRAMS_SHOWN ? count : PROGRAMS_SHOWN;
        struct table *table = table_new(page, columns, COLUMNS);
        for (size_t i = 0; table && i < shown && table_add_line(table); i++)
                set_lifetime(table, json_object_array_get_idx(lifetimes, i), span);
        int r = table ? table_print(table, page) : -ENOMEM;
        table_free(table);
        if (r == 0 && shown < count)
                (void)fprintf(page->out, "and %zu more (--each lists them)\n", count - shown);
        return r;
}
