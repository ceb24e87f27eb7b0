/* slowctl why: where the time of one program goes, what each wait is caused by, and what it does not wait
 * for. Made of two answers: its means over the window (History) and what was wrong at its end (Diagnose). */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/block.h"
#include "cli/commands.h"
#include "cli/complain.h"
#include "cli/history.h"
#include "cli/show.h"
#include "cli/views.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/text.h"
#include "common/units.h"

#define WINDOW_USEC                                                                                          \
        (5 * USEC_PER_MINUTE) /* long enough that single requests do not matter, short enough for "now" */
#define LINE_MAX_BYTES 1024
#define PID_MAX        4194304 /* PID_MAX_LIMIT, include/linux/threads.h */
#define BAR_MAX        40
#define LABEL_COLUMNS  28
#define SHARE_COLUMNS  8
#define IDLE_PERMILLE  10 /* of one task's time: it hardly wanted to work */
#define SHOWN_PERMILLE 1  /* of what it wanted: less is nothing */

/* Where time goes. The series of History, in permille of one task's time. */
static const struct {
        const char *series, *label, *not_for;
} kinds[] = {
        { "cpu", "runs", NULL },
        { "wait.cpu", "waits for a CPU", "CPUs" },
        { "wait.throttled", "held back by its own quota", "its own quota" },
        { "wait.disk", "waits for a disk", "disks" },
        { "wait.swap", "waits for swapped-out memory", "swap" },
        { "wait.reclaim", "waits for free memory", "free memory" },
        { "wait.stuck", "stuck (does not answer)", NULL },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct times {
        double mean[KINDS]; /* NAN: not known */
        double wanted;      /* their sum */
};

static double series_mean(struct json_object *reply, const char *name)
{
        struct json_object *array;
        double sum = 0;
        size_t known = 0;
        if (json_get_array(reply, "series", &array) < 0)
                return NAN;
        for (size_t i = 0; i < json_object_array_length(array); i++) {
                struct history_series series;
                struct json_object *from = json_object_array_get_idx(array, i);
                if (strcmp(json_string_or(from, "name", ""), name) != 0 ||
                    history_series_init(&series, from) < 0)
                        continue;
                for (size_t k = 0; k < series.count; k++)
                        if (!isnan(series.means[k])) {
                                sum += series.means[k];
                                known++;
                        }
                history_series_done(&series);
        }
        return known > 0 ? sum / (double)known : NAN;
}

/* A negative time is none; NAN stays. */
static double not_below_zero(double value)
{
        return value < 0 ? 0 : value;
}

static struct times read_times(struct json_object *reply)
{
        struct times times = { .wanted = 0 };
        for (size_t i = 0; i < KINDS; i++) {
                times.mean[i] = not_below_zero(series_mean(reply, kinds[i].series));
                if (!isnan(times.mean[i]))
                        times.wanted += times.mean[i];
        }
        return times;
}

static double share_of(const struct times *times, size_t kind)
{
        return times->wanted > 0 && !isnan(times->mean[kind]) ? 1000 * times->mean[kind] / times->wanted : 0;
}

/* ---- the page ---- */

/* A number is a process, anything else a program: as with --proc. 0: a program. */
static int64_t pid_of(const struct options *options)
{
        uint64_t pid;
        bool is_number = options->argument && span_u64(span_of(options->argument), &pid) == 0;
        return is_number && pid <= PID_MAX ? (int64_t)pid : 0;
}

static void print_head(struct page *page, struct json_object *history, const struct history_span *span,
                       const struct options *options)
{
        char line[LINE_MAX_BYTES] = "", time[SHOW_TIME_MAX], length_text[UNITS_MAX];
        size_t length = 0;
        struct json_object *lifetimes, *first = NULL;
        if (json_get_array(history, "lifetimes", &lifetimes) == 0 && json_object_array_length(lifetimes) > 0)
                first = json_object_array_get_idx(lifetimes, 0);
        int64_t count = json_int_or(first, "count", 0);
        const char *user = json_string_or(first, "user", NULL), *unit = json_string_or(first, "unit", NULL);
        size_t column = page_styled(
                page, STYLE_BOLD, json_string_or(first, "name", options->argument ? options->argument : "?"));
        if (pid_of(options) > 0)
                (void)text_append(line, sizeof(line), &length, " (pid %" PRId64 ")", pid_of(options));
        else if (count > 1)
                (void)text_append(line, sizeof(line), &length, ", %" PRId64 " processes", count);
        if (user)
                (void)text_append(line, sizeof(line), &length, ", user %s", user);
        if (unit)
                (void)text_append(line, sizeof(line), &length, ", %s", unit);
        (void)text_append(line, sizeof(line), &length, ", in the %s up to %s",
                          format_duration(length_text, span->until_usec - span->since_usec),
                          show_time(time, span->until_usec, options->now_usec));
        (void)page_wrap(page, column, 0, page_text_width(page), line);
        (void)fputs("\n\n", page->out);
}

static void print_sum(struct page *page, const struct times *times)
{
        char wanted[UNITS_MAX], lost[UNITS_MAX], line[LINE_MAX_BYTES];
        double lost_permille = times->wanted > 0 ? 1000 - share_of(times, 0) : 0;
        if (times->wanted < IDLE_PERMILLE)
                text_format(
                        line, sizeof(line),
                        "It hardly wanted to work: %s of one task's time. If it is slow all the same, it "
                        "waits for "
                        "something that is not to be seen here: another machine, a lock, or someone's input.",
                        format_permille(wanted, times->wanted));
        else
                text_format(line, sizeof(line),
                            "It wanted to work %s of one task's time, and lost %s of that.",
                            format_permille(wanted, times->wanted), format_permille(lost, lost_permille));
        page_blanks(page, 2);
        (void)page_wrap(page, 2, 2, page_text_width(page), line);
        (void)fputs("\n\n", page->out);
}

static void print_bar(struct page *page, size_t kind, double permille, size_t bar_columns)
{
        char share[UNITS_MAX];
        size_t full = (size_t)llround(permille * (double)bar_columns / 1000);
        (void)fprintf(page->out, "  %-*s%*s  ", LABEL_COLUMNS, kinds[kind].label, SHARE_COLUMNS,
                      format_permille(share, permille));
        (void)fputs(page_style(page, kind == 0 ? STYLE_GREEN : STYLE_YELLOW), page->out);
        for (size_t i = 0; i < full || i == 0; i++)
                (void)fputs(page->is_utf8 ? (full > 0 ? "█" : "▏") : (full > 0 ? "#" : "|"), page->out);
        (void)fprintf(page->out, "%s\n", page_style_end(page, kind == 0 ? STYLE_GREEN : STYLE_YELLOW));
}

static void print_times(struct page *page, const struct times *times)
{
        size_t used = 2 + LABEL_COLUMNS + SHARE_COLUMNS + 2 + 1;
        size_t bar_columns = page->width > used + 10 ? page->width - used : 10;
        bool is_shown[KINDS] = { false };
        char nothing[LINE_MAX_BYTES] = "", unknown[LINE_MAX_BYTES] = "";
        size_t nothing_length = 0, unknown_length = 0;
        if (bar_columns > BAR_MAX)
                bar_columns = BAR_MAX;
        for (size_t n = 0; n < KINDS; n++) { /* running first, then the longest wait */
                size_t most = KINDS;
                for (size_t i = n > 0; i < KINDS; i++)
                        if (!is_shown[i] && share_of(times, i) >= SHOWN_PERMILLE &&
                            (n == 0 ? i == 0 : most == KINDS || times->mean[i] > times->mean[most]))
                                most = i;
                if (most == KINDS)
                        continue;
                is_shown[most] = true;
                print_bar(page, most, share_of(times, most), bar_columns);
        }
        for (size_t i = 0; i < KINDS; i++) {
                if (is_shown[i] || !kinds[i].not_for)
                        continue;
                bool is_known = !isnan(times->mean[i]);
                (void)text_append(is_known ? nothing : unknown, LINE_MAX_BYTES,
                                  is_known ? &nothing_length : &unknown_length, "%s%s",
                                  (is_known ? nothing_length : unknown_length) > 0 ? ", " : "",
                                  kinds[i].not_for);
        }
        (void)fputc('\n', page->out);
        if (nothing_length > 0)
                block_line(page, "not for", nothing);
        if (unknown_length > 0)
                block_format(page, "not known", "%s: the kernel keeps no account of it for this program",
                             unknown);
}

/* Whether a finding is about this program: the culprit, or one who waits. */
static const char *part_in(struct json_object *finding, const char *name)
{
        struct json_object *culprit, *victims;
        if (json_get_object(finding, "culprit", &culprit) == 0 &&
            strcmp(json_string_or(culprit, "name", ""), name) == 0)
                return "it is the cause of";
        if (json_get_array(finding, "victims", &victims) < 0)
                return NULL;
        for (size_t i = 0; i < json_object_array_length(victims); i++)
                if (strcmp(json_string_or(json_object_array_get_idx(victims, i), "name", ""), name) == 0)
                        return "it loses time to";
        return NULL;
}

static void print_findings(struct page *page, struct json_object *diagnosis, const char *name,
                           usec_t now_usec)
{
        static const char *const lists[] = { "causes", "risks", "consequences" };
        bool is_first = true;
        for (size_t l = 0; l < sizeof(lists) / sizeof(lists[0]); l++) {
                struct json_object *list;
                size_t count =
                        json_get_array(diagnosis, lists[l], &list) == 0 ? json_object_array_length(list) : 0;
                for (size_t i = 0; i < count; i++) {
                        struct json_object *finding = json_object_array_get_idx(list, i);
                        const char *part = part_in(finding, name);
                        char since[SHOW_TIME_MAX];
                        if (!part)
                                continue;
                        int64_t since_usec = json_int_or(finding, "sinceUSec", 0);
                        block_format(page, is_first ? "why" : NULL, "%s %s since %s: %s", part,
                                     json_string_or(finding, "check", "?"),
                                     show_time(since, since_usec > 0 ? (usec_t)since_usec : 0, now_usec),
                                     json_string_or(finding, "summary", ""));
                        is_first = false;
                }
        }
        if (is_first)
                block_line(page, "why",
                           "nothing that was found concerns it (slowctl diagnose says what was)");
}

static void print_use(struct page *page, struct json_object *history)
{
        char line[LINE_MAX_BYTES] = "", number[UNITS_MAX];
        size_t length = 0;
        static const struct {
                const char *series, *before, *after;
        } uses[] = { { "memory", "", " of memory" },
                     { "swap", "", " swapped out" },
                     { "io.read", "reads ", "/s" },
                     { "io.write", "writes ", "/s" } };
        for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
                double mean = series_mean(history, uses[i].series);
                if (!isnan(mean) && (mean > 0 || i == 0))
                        (void)text_append(line, sizeof(line), &length, "%s%s%s%s", length > 0 ? ", " : "",
                                          uses[i].before, format_bytes(number, mean), uses[i].after);
        }
        if (length > 0)
                block_line(page, "uses", line);
}

int why_view(struct page *page, struct json_object *reply, const struct options *options)
{
        struct json_object *history, *diagnosis, *lifetimes;
        struct history_span span;
        const char *name = options->argument ? options->argument : "";
        if (json_get_object(reply, "history", &history) < 0 || history_read_span(history, &span) < 0)
                return -EBADMSG;
        if (json_get_array(history, "lifetimes", &lifetimes) == 0 && json_object_array_length(lifetimes) > 0)
                name = json_string_or(json_object_array_get_idx(lifetimes, 0), "name", name);
        struct times times = read_times(history);
        print_head(page, history, &span, options);
        print_sum(page, &times);
        print_times(page, &times);
        print_use(page, history);
        if (json_get_object(reply, "diagnosis", &diagnosis) == 0)
                print_findings(page, diagnosis, name, options->now_usec);
        return 0;
}

/* ---- the question ---- */

static struct json_object *history_parameters(const struct options *options)
{
        static const char *const metrics[] = { "cpu", "memory", "io", "wait" };
        usec_t until = options->at_usec      ? options->at_usec
                       : options->until_usec ? options->until_usec
                                             : options->now_usec;
        usec_t since = options->since_usec   ? options->since_usec
                       : until > WINDOW_USEC ? until - WINDOW_USEC
                                             : 0;
        CLEANUP_JSON struct json_object *parameters = json_object_new_object();
        struct json_object *names = json_object_new_array();
        int r = parameters && names ? 0 : -ENOMEM;
        for (size_t i = 0; r == 0 && i < sizeof(metrics) / sizeof(metrics[0]); i++)
                r = json_object_array_add(names, json_object_new_string(metrics[i]));
        if (!parameters) {
                json_object_put(names);
                return NULL;
        }
        if (json_add(parameters, "metrics", names) < 0 || r < 0 ||
            (pid_of(options) > 0 ? json_add_int(parameters, "pid", pid_of(options))
                                 : json_add_string(parameters, "program", options->argument)) < 0 ||
            json_add_int(parameters, "sinceUSec", (int64_t)since) < 0 ||
            json_add_int(parameters, "untilUSec", (int64_t)until) < 0)
                return NULL;
        return TAKE(parameters);
}

static int why_run(const struct options *options)
{
        uint64_t number;
        if (!options->argument[0] ||
            (span_u64(span_of(options->argument), &number) != -EINVAL && pid_of(options) == 0)) {
                complain("why needs the name of a program or a pid, not '%s'.", options->argument);
                return STATUS_WRONG_USE;
        }
        CLEANUP_JSON struct json_object *both = json_object_new_object();
        struct json_object *history = NULL, *answer = NULL, *diagnosis;
        struct json_object *parameters = history_parameters(options);
        if (!both || !parameters) {
                complain("There is no memory.");
                json_object_put(parameters);
                return STATUS_NOT_REACHABLE;
        }
        int r = ask_once(options, "History", parameters, &history);
        if (r != 0)
                return r;
        if (json_add(both, "history", history) < 0)
                return ask_complain_memory(NULL);
        parameters = ask_parameters(options);
        if (!parameters)
                return STATUS_NOT_REACHABLE;
        r = ask_once(options, "Diagnose", parameters, &answer);
        if (r != 0)
                return r;
        if (json_get_object(answer, "diagnosis", &diagnosis) == 0)
                r = json_add(both, "diagnosis", json_object_get(diagnosis));
        json_object_put(answer);
        if (r < 0)
                return ask_complain_memory(NULL);
        return show_reply(options, both, why_view);
}

const struct command command_why = {
        .name = "why",
        .argument = "NAME|PID",
        .argument_hint = "slowctl top lists programs",
        .summary = "where the time of one program goes",
        .help = "Says of one program (all its processes together) or one process, how much it wanted to work "
                "in the last "
                "five minutes, and where that time went: running, waiting for a CPU, a disk, swapped-out "
                "memory or free "
                "memory, or held back by its own quota; and which of the causes that were found it has to do "
                "with. A "
                "process wants to work while it runs or waits for one of these; a program that is idle waits "
                "for "
                "something that is not to be seen here.\n\n"
                "With --at it answers for the five minutes up to then, with --since and --until for that "
                "time. --json "
                "has the two replies it is made of: those of history and of diagnose.",
        .options = OPTION_AT | OPTION_SINCE | OPTION_UNTIL,
        .run = why_run,
};
