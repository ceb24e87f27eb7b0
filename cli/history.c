/* slowctl history: numbers over time, of the machine, a program, a process or a unit. */
#include "cli/history.h"

#include <errno.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/complain.h"
#include "cli/show.h"
#include "cli/views.h"
#include "common/json.h"

#define WINDOW_DEFAULT_USEC USEC_PER_HOUR /* as in the interface */

/* A step for which people have a name, so that the values of a chart about fill its columns. */
static usec_t suitable_step(const struct options *options, size_t columns)
{
        static const unsigned steps[] = { 1,   2,   5,    10,   15,   20,   30,    60,    120,   300,
                                          600, 900, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400 };
        enum { STEPS = sizeof(steps) / sizeof(steps[0]) };
        usec_t until = options->until_usec ? options->until_usec : options->now_usec;
        usec_t since = options->since_usec           ? options->since_usec
                       : until > WINDOW_DEFAULT_USEC ? until - WINDOW_DEFAULT_USEC
                                                     : 0;
        size_t i = 0;
        while (i + 1 < STEPS && until > since && (until - since) / (steps[i] * USEC_PER_SEC) > columns)
                i++;
        return steps[i] * USEC_PER_SEC;
}

static int add_metrics(struct json_object *parameters, unsigned metrics)
{
        struct json_object *array = json_object_new_array();
        int r = array ? 0 : -ENOMEM;
        for (size_t i = 0; r == 0 && i < OPTION_METRICS; i++) {
                struct json_object *name =
                        metrics & 1U << i ? json_object_new_string(option_metrics[i]) : NULL;
                if ((metrics & 1U << i) && (!name || json_object_array_add(array, name) < 0)) {
                        json_object_put(name);
                        r = -ENOMEM;
                }
        }
        if (r == 0)
                return json_add(parameters, "metrics", array);
        json_object_put(array);
        return r;
}

/* Programs that read all values choose their own step, or take slowd's. */
static int add_step(struct json_object *parameters, const struct options *options)
{
        usec_t step = options->step_usec;
        struct page page;
        if (step == 0 && options->json == JSON_NONE && !options->csv) {
                if (page_init(&page, options->color) < 0)
                        return -ENOMEM;
                step = suitable_step(options, history_chart_columns(&page));
                page_done(&page);
        }
        return step > 0 ? json_add_int(parameters, "stepUSec", (int64_t)step) : 0;
}

static int history_run(const struct options *options)
{
        struct json_object *parameters = ask_parameters(options);
        int r = 0;
        if (!parameters)
                return STATUS_NOT_REACHABLE;
        if (options->program)
                r = json_add_string(parameters, "program", options->program);
        if (r == 0 && options->pid > 0)
                r = json_add_int(parameters, "pid", options->pid);
        if (r == 0 && options->unit)
                r = json_add_string(parameters, "unit", options->unit);
        if (r == 0 && options->metrics)
                r = add_metrics(parameters, options->metrics);
        if (r == 0 && options->each)
                r = json_add(parameters, "each", json_object_new_boolean(true));
        if (r == 0)
                r = add_step(parameters, options);
        if (r < 0)
                return ask_complain_memory(parameters);
        return show_question(options, "History", parameters, options->csv ? history_csv : history_view);
}

const struct command command_history = {
        .name = "history",
        .summary = "numbers over time, of the machine or of one program, with a chart",
        .help = "Draws what was recorded, by default of the last hour and the whole machine: CPU, available "
                "memory, "
                "bytes read and written, and waiting (the share of time in which somebody waited). Of a "
                "program or "
                "unit: CPU in per cent of one CPU, memory, bytes, what it waited for and how many processes "
                "it had, "
                "all of them together; then how many there were, when they began and ended, who started them "
                "and "
                "what they used.\n\n"
                "Bars reach up to the mean of their step, lighter ones to its maximum. A dot at the foot "
                "says that "
                "nothing was recorded then. Incidents are marked below with the check that found them.\n\n"
                "Times are written like 14:03, \"yesterday 14:03\", today, 2026-11-22, \"2026-11-22 "
                "14:03:00\", -2h, "
                "\"10 min ago\" or @1732284842, in the local time zone.",
        .options = OPTION_PROC | OPTION_UNIT | OPTION_SINCE | OPTION_UNTIL | OPTION_STEP | OPTION_METRIC |
                   OPTION_EACH | OPTION_CSV,
        .run = history_run,
};
