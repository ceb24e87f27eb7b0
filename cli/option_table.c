/* Every option of slowctl and the reading of its value. */
#include "cli/option_table.h"

#include <errno.h>
#include <string.h>

#include "cli/complain.h"
#include "common/text.h"
#include "common/time_grammar.h"

#define PID_MAX           4194304 /* PID_MAX_LIMIT, include/linux/threads.h */
#define LIMIT_MAX         256     /* as in the interface */
#define BOOT_MAX          1000    /* slowd keeps no more */
#define WAIT_DEFAULT_USEC (30 * USEC_PER_SEC)

static int set_socket(struct options *options, const char *value, usec_t now_usec)
{
        (void)now_usec;
        options->socket = value;
        options->socket_is_option = true;
        if (value[0])
                return 0;
        complain("--socket needs the path of slowd's socket.");
        return STATUS_WRONG_USE;
}

static int set_json(struct options *options, const char *value, usec_t now_usec)
{
        (void)now_usec;
        if (!value)
                options->json = JSON_AUTO;
        else if (strcmp(value, "pretty") == 0)
                options->json = JSON_PRETTY;
        else if (strcmp(value, "short") == 0)
                options->json = JSON_SHORT;
        else {
                complain("--json does not know '%s': use pretty or short.", value);
                return STATUS_WRONG_USE;
        }
        return 0;
}

static int set_color(struct options *options, const char *value, usec_t now_usec)
{
        (void)now_usec;
        if (strcmp(value, "auto") == 0)
                options->color = WHEN_AUTO;
        else if (strcmp(value, "always") == 0)
                options->color = WHEN_ALWAYS;
        else if (strcmp(value, "never") == 0)
                options->color = WHEN_NEVER;
        else {
                complain("--color does not know '%s': use auto, always or never.", value);
                return STATUS_WRONG_USE;
        }
        return 0;
}

static int set_no_pager(struct options *options, const char *value, usec_t now_usec)
{
        (void)value;
        (void)now_usec;
        options->no_pager = true;
        return 0;
}

static int set_help(struct options *options, const char *value, usec_t now_usec)
{
        (void)value;
        (void)now_usec;
        options->help = true;
        return 0;
}

static int set_version(struct options *options, const char *value, usec_t now_usec)
{
        (void)value;
        (void)now_usec;
        options->version = true;
        return 0;
}

static int set_follow(struct options *options, const char *value, usec_t now_usec)
{
        (void)value;
        (void)now_usec;
        options->follow = true;
        return 0;
}

static int set_wait(struct options *options, const char *value, usec_t now_usec)
{
        char error[TIME_ERROR_MAX];
        (void)now_usec;
        options->wait = true;
        options->wait_usec = WAIT_DEFAULT_USEC;
        if (!value || time_grammar_span(value, &options->wait_usec, error) == 0)
                return 0;
        complain("--wait: %s.", error);
        return STATUS_WRONG_USE;
}

static int set_sort(struct options *options, const char *value, usec_t now_usec)
{
        static const char *const keys[] = { "lost", "cpu", "memory", "io", "wait" };
        (void)now_usec;
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
                if (strcmp(value, keys[i]) == 0) {
                        options->sort = keys[i];
                        return 0;
                }
        complain("--sort does not know '%s': use lost, cpu, memory, io or wait.", value);
        return STATUS_WRONG_USE;
}

static int set_limit(struct options *options, const char *value, usec_t now_usec)
{
        uint64_t limit;
        (void)now_usec;
        if (span_u64(span_of(value), &limit) < 0 || limit < 1 || limit > LIMIT_MAX) {
                complain("--limit must be a number from 1 to %d, not '%s'.", LIMIT_MAX, value);
                return STATUS_WRONG_USE;
        }
        options->limit = (int)limit;
        return 0;
}

static int set_time(const char *name, const char *value, usec_t now_usec, usec_t *ret_usec)
{
        char error[TIME_ERROR_MAX];
        if (time_grammar_instant(value, now_usec, ret_usec, error) == 0)
                return 0;
        complain("%s: %s.", name, error);
        return STATUS_WRONG_USE;
}

static int set_since(struct options *options, const char *value, usec_t now_usec)
{
        return set_time("--since", value, now_usec, &options->since_usec);
}

static int set_until(struct options *options, const char *value, usec_t now_usec)
{
        return set_time("--until", value, now_usec, &options->until_usec);
}

static int set_at(struct options *options, const char *value, usec_t now_usec)
{
        return set_time("--at", value, now_usec, &options->at_usec);
}

/* A number is a process, anything else a program. */
static int set_proc(struct options *options, const char *value, usec_t now_usec)
{
        uint64_t pid;
        int r = span_u64(span_of(value), &pid);
        (void)now_usec;
        if (!value[0] || r == -ERANGE || (r == 0 && (pid < 1 || pid > PID_MAX))) {
                complain("--proc needs the name of a program or a pid, not '%s'.", value);
                return STATUS_WRONG_USE;
        }
        options->pid = r == 0 ? (int64_t)pid : 0;
        options->program = r == 0 ? NULL : value;
        return 0;
}

static int set_unit(struct options *options, const char *value, usec_t now_usec)
{
        (void)now_usec;
        options->unit = value;
        if (value[0])
                return 0;
        complain("--unit needs the name of a unit, as in --unit=nginx.service.");
        return STATUS_WRONG_USE;
}

static int set_step(struct options *options, const char *value, usec_t now_usec)
{
        char error[TIME_ERROR_MAX];
        (void)now_usec;
        if (time_grammar_span(value, &options->step_usec, error) < 0) {
                complain("--step: %s.", error);
                return STATUS_WRONG_USE;
        }
        if (options->step_usec >= USEC_PER_SEC)
                return 0;
        complain("--step must be a second or more, not '%s'.", value);
        return STATUS_WRONG_USE;
}

const char *const option_metrics[OPTION_METRICS] = { "cpu", "memory", "io", "wait", "threads", "files" };

static int set_metric(struct options *options, const char *value, usec_t now_usec)
{
        struct span rest = span_of(value), name;
        (void)now_usec;
        do {
                size_t i = 0;
                if (!span_take_until(&rest, ',', &name)) {
                        name = rest;
                        rest.length = 0;
                }
                while (i < OPTION_METRICS && !span_equal(name, option_metrics[i]))
                        i++;
                if (i == OPTION_METRICS) {
                        complain(
                                "--metric does not know '%.*s': use cpu, memory, io, wait, threads or files, "
                                "with commas between.",
                                (int)name.length, name.at);
                        return STATUS_WRONG_USE;
                }
                options->metrics |= 1U << i;
        } while (rest.length > 0);
        return 0;
}

static int set_each(struct options *options, const char *value, usec_t now_usec)
{
        (void)value;
        (void)now_usec;
        options->each = true;
        return 0;
}

static int set_csv(struct options *options, const char *value, usec_t now_usec)
{
        (void)value;
        (void)now_usec;
        options->csv = true;
        return 0;
}

static int set_command_lines(struct options *options, const char *value, usec_t now_usec)
{
        (void)value;
        (void)now_usec;
        options->command_lines = true;
        return 0;
}

static int set_force(struct options *options, const char *value, usec_t now_usec)
{
        (void)value;
        (void)now_usec;
        options->force = true;
        return 0;
}

static int set_boot(struct options *options, const char *value, usec_t now_usec)
{
        int64_t boot;
        (void)now_usec;
        if (span_i64(span_of(value), &boot) < 0 || boot < -BOOT_MAX || boot > BOOT_MAX) {
                complain("--boot must be a number: 0 this boot, -1 the one before, 1 the first, not '%s'.",
                         value);
                return STATUS_WRONG_USE;
        }
        options->boot = (int)boot;
        return 0;
}

const struct option_spec option_table[OPTION_TABLE_COUNT] = {
        { "follow",
          'f',
          VALUE_NONE,
          set_follow,
          { "-f, --follow", "print the answer again whenever it changes, until Ctrl-C", OPTION_FOLLOW } },
        { "wait",
          0,
          VALUE_OPTIONAL,
          set_wait,
          { "--wait[=SECONDS]",
            "while slowd has seen too little to tell, wait, at most so long (default: 30)", OPTION_WAIT } },
        { "sort",
          0,
          VALUE_REQUIRED,
          set_sort,
          { "--sort=KEY", "most first by lost (default), cpu, memory, io or wait", OPTION_SORT } },
        { "limit",
          'n',
          VALUE_REQUIRED,
          set_limit,
          { "-n, --limit=NUMBER", "so many programs, 1 to 256 (default: 20)", OPTION_LIMIT } },
        { "at",
          0,
          VALUE_REQUIRED,
          set_at,
          { "--at=TIME", "not now, but then, from the record: 14:03, \"yesterday 14:03\", -2h", OPTION_AT } },
        { "proc",
          0,
          VALUE_REQUIRED,
          set_proc,
          { "--proc=NAME|PID", "of one program (all its processes together) or one process", OPTION_PROC } },
        { "unit",
          0,
          VALUE_REQUIRED,
          set_unit,
          { "--unit=NAME", "of one unit, as nginx.service", OPTION_UNIT } },
        { "since",
          0,
          VALUE_REQUIRED,
          set_since,
          { "--since=TIME", "only what lasted to this time or later: 14:03, \"yesterday 14:03\", -2h",
            OPTION_SINCE } },
        { "until",
          0,
          VALUE_REQUIRED,
          set_until,
          { "--until=TIME", "only what began before this time", OPTION_UNTIL } },
        { "step",
          0,
          VALUE_REQUIRED,
          set_step,
          { "--step=SPAN", "one value for so long: 10s, 5min, 1h (default: what fits the chart)",
            OPTION_STEP } },
        { "metric",
          0,
          VALUE_REQUIRED,
          set_metric,
          { "--metric=NAME,...", "only cpu, memory, io, wait, threads or files (default: the first four)",
            OPTION_METRIC } },
        { "each",
          0,
          VALUE_NONE,
          set_each,
          { "--each", "a line for each process, with its share", OPTION_EACH } },
        { "csv",
          0,
          VALUE_NONE,
          set_csv,
          { "--csv", "the values as CSV, one line for each step", OPTION_CSV } },
        { "command-lines",
          0,
          VALUE_NONE,
          set_command_lines,
          { "--command-lines", "with the command lines of all programs, which may hold secrets",
            OPTION_COMMAND_LINES } },
        { "boot",
          0,
          VALUE_REQUIRED,
          set_boot,
          { "--boot=NUMBER", "not this boot: -1 the one before, 1 the first that is remembered",
            OPTION_BOOT } },
        { "force", 0, VALUE_NONE, set_force, { "--force", "overwrite FILE if it exists", OPTION_FORCE } },
        { "socket",
          0,
          VALUE_REQUIRED,
          set_socket,
          { "--socket=PATH", "ask the slowd that listens there (also: SLOWD_SOCKET)", OPTION_GLOBAL } },
        { "json",
          0,
          VALUE_OPTIONAL,
          set_json,
          { "--json[=FORM]", "the answer as JSON: pretty (the default on a terminal) or short",
            OPTION_GLOBAL } },
        { "color",
          0,
          VALUE_REQUIRED,
          set_color,
          { "--color=WHEN", "auto, always or never (also: NO_COLOR)", OPTION_GLOBAL } },
        { "no-pager",
          0,
          VALUE_NONE,
          set_no_pager,
          { "--no-pager", "write long answers straight to the terminal", OPTION_GLOBAL } },
        { "version", 0, VALUE_NONE, set_version, { "--version", "the version of slowctl", OPTION_GLOBAL } },
        { "help", 'h', VALUE_NONE, set_help, { "-h, --help", "this text", OPTION_GLOBAL } },
};
