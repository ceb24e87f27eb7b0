/* slowctl disks: how the disks are, how long they take, and their errors. */
#include <errno.h>
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
        COLUMN_DISK,
        COLUMN_KIND,
        COLUMN_HEALTH,
        COLUMN_ERRORS,
        COLUMN_LAST,
        COLUMN_BUSY,
        COLUMN_P50,
        COLUMN_P95,
        COLUMN_P99,
        COLUMN_READ,
        COLUMN_WRITTEN,
        COLUMN_READS,
        COLUMN_WRITES,
        COLUMN_TEMPERATURE,
        COLUMN_HOURS,
        COLUMN_MODEL,
        COLUMN_MOUNTS,
        COLUMN_COUNT
};

static const struct table_column columns[COLUMN_COUNT] = {
        [COLUMN_DISK] = { .title = "DISK", .importance = TABLE_ALWAYS, .shrinks_to = 8 },
        [COLUMN_KIND] = { .title = "KIND", .importance = 40, .shrinks_to = 8 },
        [COLUMN_HEALTH] = { .title = "HEALTH", .importance = TABLE_ALWAYS, .shrinks_to = 8 },
        [COLUMN_ERRORS] = { .title = "ERRORS", .importance = TABLE_ALWAYS, .is_right = true },
        [COLUMN_LAST] = { .title = "LAST ONE", .importance = 85, .is_right = true },
        [COLUMN_BUSY] = { .title = "BUSY", .importance = 95, .is_right = true },
        [COLUMN_P50] = { .title = "P50", .importance = TABLE_ALWAYS, .is_right = true },
        [COLUMN_P95] = { .title = "P95", .importance = TABLE_ALWAYS, .is_right = true },
        [COLUMN_P99] = { .title = "P99", .importance = TABLE_ALWAYS, .is_right = true },
        [COLUMN_READ] = { .title = "READ/s", .importance = 60, .is_right = true },
        [COLUMN_WRITTEN] = { .title = "WRITE/s", .importance = 60, .is_right = true },
        [COLUMN_READS] = { .title = "READS", .importance = 30, .is_right = true },
        [COLUMN_WRITES] = { .title = "WRITES", .importance = 30, .is_right = true },
        [COLUMN_TEMPERATURE] = { .title = "TEMP", .importance = 20, .is_right = true },
        [COLUMN_HOURS] = { .title = "AGE", .importance = 15, .is_right = true },
        [COLUMN_MODEL] = { .title = "MODEL", .importance = 25, .shrinks_to = 12 },
        [COLUMN_MOUNTS] = { .title = "MOUNTED ON", .importance = 90, .shrinks_to = 10 },
};

typedef const char *(*formatter)(char buffer[static UNITS_MAX], double value);

static void set_number(struct table *table, size_t column, struct json_object *disk, const char *member,
                       formatter format)
{
        char number[UNITS_MAX];
        int64_t value;
        if (json_get_int(disk, member, &value) == 0 && value >= 0)
                table_set(table, column, format(number, (double)value));
}

/* "0.4 ms", "12 ms", "1.5 s" of microseconds. */
static const char *format_latency(char buffer[static UNITS_MAX], double usec)
{
        if (usec < 10e3)
                text_format(buffer, UNITS_MAX, "%.1f ms", usec / 1e3);
        else if (usec < 1e6)
                text_format(buffer, UNITS_MAX, "%.0f ms", usec / 1e3);
        else
                text_format(buffer, UNITS_MAX, "%.1f s", usec / 1e6);
        return buffer;
}

static const char *format_age(char buffer[static UNITS_MAX], double hours)
{
        text_format(buffer, UNITS_MAX, "%.1f y", hours / (24 * 365.25));
        return buffer;
}

static const char *format_celsius(char buffer[static UNITS_MAX], double celsius)
{
        text_format(buffer, UNITS_MAX, "%.0f C", celsius);
        return buffer;
}

/* Messages of the kernel, or what file systems have counted. */
static void set_errors(struct table *table, struct json_object *disk, int64_t at)
{
        char number[UNITS_MAX], age[UNITS_MAX];
        int64_t messages = json_int_or(disk, "messages", 0), counted = json_int_or(disk, "countedErrors", 0);
        int64_t last = json_int_or(disk, "lastErrorUSec", 0), count = messages > counted ? messages : counted;
        table_set(table, COLUMN_ERRORS, format_count(number, count > 0 ? (double)count : 0));
        if (count <= 0)
                return;
        table_set_style(table, COLUMN_ERRORS, messages > 0 ? STYLE_RED : STYLE_YELLOW);
        if (last > 0 && at > last)
                table_set_format(table, COLUMN_LAST, "%s ago", format_duration(age, (usec_t)(at - last)));
}

static void set_health(struct table *table, struct json_object *disk)
{
        const char *health = json_string_or(disk, "health", NULL);
        table_set(table, COLUMN_HEALTH, health);
        if (health && strcmp(health, "failing") == 0)
                table_set_style(table, COLUMN_HEALTH, STYLE_RED);
        else if (health && strcmp(health, "warns") == 0)
                table_set_style(table, COLUMN_HEALTH, STYLE_YELLOW);
}

static void set_disk(struct table *table, struct json_object *disk, int64_t at)
{
        const char *kind = json_string_or(disk, "kind", "?"), *lower = json_string_or(disk, "lower", NULL);
        table_set(table, COLUMN_DISK, json_string_or(disk, "name", "?"));
        if (strcmp(kind, "stacked") == 0 && lower)
                table_set_format(table, COLUMN_KIND, "on %s", lower);
        else
                table_set(table, COLUMN_KIND, kind);
        set_health(table, disk);
        set_errors(table, disk, at);
        set_number(table, COLUMN_BUSY, disk, "busyPermille", format_permille);
        set_number(table, COLUMN_P50, disk, "latency50USec", format_latency);
        set_number(table, COLUMN_P95, disk, "latency95USec", format_latency);
        set_number(table, COLUMN_P99, disk, "latency99USec", format_latency);
        set_number(table, COLUMN_READ, disk, "readBytesPerSecond", format_bytes);
        set_number(table, COLUMN_WRITTEN, disk, "writeBytesPerSecond", format_bytes);
        set_number(table, COLUMN_READS, disk, "readsPerSecond", format_count);
        set_number(table, COLUMN_WRITES, disk, "writesPerSecond", format_count);
        set_number(table, COLUMN_TEMPERATURE, disk, "temperatureCelsius", format_celsius);
        set_number(table, COLUMN_HOURS, disk, "poweredHours", format_age);
        table_set(table, COLUMN_MODEL, json_string_or(disk, "model", NULL));
        table_set(table, COLUMN_MOUNTS, json_string_or(disk, "mounts", NULL));
}

int disks_view(struct page *page, struct json_object *reply, const struct options *options)
{
        struct json_object *disks;
        int64_t at = json_int_or(reply, "atUSec", 0);
        (void)options;
        if (json_get_array(reply, "disks", &disks) < 0)
                return -EBADMSG;
        if (json_object_array_length(disks) == 0) {
                (void)fputs("There is no disk here.\n", page->out);
                return 0;
        }
        struct table *table = table_new(page, columns, COLUMN_COUNT);
        for (size_t i = 0; table && i < json_object_array_length(disks) && table_add_line(table); i++)
                set_disk(table, json_object_array_get_idx(disks, i), at);
        int r = table ? table_print(table, page) : -ENOMEM;
        table_free(table);
        return r;
}

static int disks_run(const struct options *options)
{
        struct json_object *parameters = ask_parameters(options);
        return parameters ? show_question(options, "Disks", parameters, disks_view) : STATUS_NOT_REACHABLE;
}

const struct command command_disks = {
        .name = "disks",
        .summary = "the disks: their health, how long they take, their errors",
        .help = "Lists disks, and what lies on them (device mapper, RAID, loop). HEALTH is what the disk "
                "says of "
                "itself, as asked once an hour (SMART, NVMe): well, warns, failing, asleep (it is not woken) "
                "or silent. "
                "ERRORS are the kernel's messages of the last 15 minutes, or what its file systems have "
                "counted, and "
                "LAST ONE how long ago that was. P50, P95 and P99: half, 95 % and 99 % of the requests of "
                "the "
                "last 10 to 15 "
                "minutes took less, each counted with the mean of the look that it fell into, for the kernel "
                "keeps no "
                "distribution: single slow requests are evened out. Columns that do not fit are left out; "
                "--json has "
                "all.",
        .options = 0,
        .run = disks_run,
};
