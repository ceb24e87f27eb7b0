/* slowctl top: the programs that lose or use most. */
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
        COLUMN_PROGRAM,
        COLUMN_PROCESSES,
        COLUMN_PID,
        COLUMN_CPU,
        COLUMN_LOST,
        COLUMN_MEMORY,
        COLUMN_SWAP,
        COLUMN_READ,
        COLUMN_WRITTEN,
        COLUMN_WAITS,
        COLUMN_USER,
        COLUMN_UNIT,
        COLUMN_COMMAND,
        COLUMN_COUNT
};

static const struct table_column columns[COLUMN_COUNT] = {
        [COLUMN_PROGRAM] = { .title = "PROGRAM", .importance = TABLE_ALWAYS, .shrinks_to = 12 },
        [COLUMN_PROCESSES] = { .title = "PROCS", .importance = 70, .is_right = true },
        [COLUMN_PID] = { .title = "PID", .importance = 30, .is_right = true },
        [COLUMN_CPU] = { .title = "CPU", .importance = TABLE_ALWAYS, .is_right = true },
        [COLUMN_LOST] = { .title = "LOST", .importance = TABLE_ALWAYS, .is_right = true },
        [COLUMN_MEMORY] = { .title = "MEMORY", .importance = 90, .is_right = true },
        [COLUMN_SWAP] = { .title = "SWAP", .importance = 20, .is_right = true },
        [COLUMN_READ] = { .title = "READ/s", .importance = 80, .is_right = true },
        [COLUMN_WRITTEN] = { .title = "WRITE/s", .importance = 80, .is_right = true },
        [COLUMN_WAITS] = { .title = "WAITS FOR", .importance = 60, .shrinks_to = 12 },
        [COLUMN_USER] = { .title = "USER", .importance = 25, .shrinks_to = 8 },
        [COLUMN_UNIT] = { .title = "UNIT", .importance = 28, .shrinks_to = 14 },
        [COLUMN_COMMAND] = { .title = "COMMAND", .importance = 10, .shrinks_to = 20 },
};

/* "cpu 310 %, disk 4.0 %", most first: in permille of one task's time, summed over the program's processes.
 */
static void set_waits(struct table *table, struct json_object *program)
{
        static const struct {
                const char *member, *name;
        } kinds[] = {
                { "cpuWaitPermille", "CPU" },         { "throttledPermille", "quota" },
                { "diskWaitPermille", "disk" },       { "swapWaitPermille", "swap" },
                { "reclaimWaitPermille", "reclaim" }, { "stuckPermille", "stuck" },
        };
        enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };
        bool is_said[KINDS] = { false };
        char text[256] = "", number[UNITS_MAX];
        size_t length = 0;
        for (size_t n = 0; n < KINDS; n++) {
                size_t most = KINDS;
                for (size_t i = 0; i < KINDS; i++) {
                        int64_t value = json_int_or(program, kinds[i].member, 0);
                        if (!is_said[i] && value > 0 &&
                            (most == KINDS || value > json_int_or(program, kinds[most].member, 0)))
                                most = i;
                }
                if (most == KINDS)
                        break;
                is_said[most] = true;
                (void)text_append(
                        text, sizeof(text), &length, "%s%s %s", n > 0 ? ", " : "", kinds[most].name,
                        format_permille(number, (double)json_int_or(program, kinds[most].member, 0)));
        }
        table_set(table, COLUMN_WAITS, text);
}

typedef const char *(*formatter)(char buffer[static UNITS_MAX], double value);

/* Nothing if it is not known; "0" is left to `format`. */
static void set_number(struct table *table, size_t column, struct json_object *program, const char *member,
                       formatter format)
{
        char number[UNITS_MAX];
        int64_t value;
        if (json_get_int(program, member, &value) == 0)
                table_set(table, column, format(number, (double)value));
}

static void set_program(struct table *table, struct json_object *program)
{
        int64_t pid = json_int_or(program, "firstPid", 0);
        table_set(table, COLUMN_PROGRAM, json_string_or(program, "name", "?"));
        set_number(table, COLUMN_PROCESSES, program, "count", format_count);
        if (pid > 0)
                table_set_format(table, COLUMN_PID, "%" PRId64, pid);
        set_number(table, COLUMN_CPU, program, "cpuPermille", format_permille);
        set_number(table, COLUMN_LOST, program, "lostPermille", format_permille);
        set_number(table, COLUMN_MEMORY, program, "memoryBytes", format_bytes);
        if (json_int_or(program, "swapBytes", 0) > 0)
                set_number(table, COLUMN_SWAP, program, "swapBytes", format_bytes);
        set_number(table, COLUMN_READ, program, "readBytesPerSecond", format_bytes);
        set_number(table, COLUMN_WRITTEN, program, "writeBytesPerSecond", format_bytes);
        set_waits(table, program);
        table_set(table, COLUMN_USER, json_string_or(program, "user", NULL));
        table_set(table, COLUMN_UNIT, json_string_or(program, "unit", NULL));
        table_set(table, COLUMN_COMMAND, json_string_or(program, "commandLine", NULL));
}

int top_view(struct page *page, struct json_object *reply, const struct options *options)
{
        struct json_object *programs;
        char time[SHOW_TIME_MAX], span[UNITS_MAX];
        if (json_get_array(reply, "programs", &programs) < 0)
                return -EBADMSG;
        int64_t at = json_int_or(reply, "atUSec", 0), interval = json_int_or(reply, "intervalUSec", 0);
        int64_t cpus = json_int_or(reply, "cpus", 0);
        if (at > 0) {
                (void)fprintf(page->out, "%s, over %s; %" PRId64 " CPU%s = %.0f %%\n\n",
                              show_time(time, (usec_t)at, options->at_usec ? options->now_usec : (usec_t)at),
                              format_duration(span, interval > 0 ? (usec_t)interval : 0), cpus,
                              cpus == 1 ? "" : "s", 100.0 * (double)cpus);
        }
        if (json_object_array_length(programs) == 0) {
                (void)fputs("No program has used or lost anything.\n", page->out);
                return 0;
        }
        struct table *table = table_new(page, columns, COLUMN_COUNT);
        for (size_t i = 0; table && i < json_object_array_length(programs) && table_add_line(table); i++)
                set_program(table, json_object_array_get_idx(programs, i));
        int r = table ? table_print(table, page) : -ENOMEM;
        table_free(table);
        return r;
}

static int top_run(const struct options *options)
{
        struct json_object *parameters = ask_parameters(options);
        int r = 0;
        if (!parameters)
                return STATUS_NOT_REACHABLE;
        if (options->sort)
                r = json_add_string(parameters, "sort", options->sort);
        if (r == 0 && options->limit > 0)
                r = json_add_int(parameters, "limit", options->limit);
        if (r < 0)
                return ask_complain_memory(parameters);
        return show_question(options, "Top", parameters, top_view);
}

const struct command command_top = {
        .name = "top",
        .summary = "the programs that lose most time, or use most of something",
        .help = "Lists programs, all processes of one taken together, as of the last look. CPU is in per "
                "cent of "
                "one CPU. LOST is the share of the time that the program wanted to work and could not. WAITS "
                "FOR "
                "says what for, in per cent of one process's time, summed over the processes: CPU (others "
                "had it), "
                "quota (its own limit), disk, swap, reclaim (the kernel was looking for free memory for it) "
                "or "
                "stuck (it does not answer to anything, usually for a network mount). Columns that do not "
                "fit are "
                "left out; --json has all.",
        .options = OPTION_SORT | OPTION_LIMIT | OPTION_AT,
        .run = top_run,
};
