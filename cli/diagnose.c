/* slowctl diagnose: the answer, once, when there is one, or whenever it changes. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/complain.h"
#include "cli/diagnosis_view.h"
#include "cli/show.h"

static int status_of(const char *verdict)
{
        if (strcmp(verdict, "healthy") == 0)
                return STATUS_HEALTHY;
        if (strcmp(verdict, "slow") == 0 || strcmp(verdict, "risk") == 0)
                return STATUS_FOUND;
        return STATUS_UNKNOWN;
}

/* An exit status. */
static int show(const struct options *options, struct json_object *reply)
{
        const char *verdict = diagnosis_view_verdict(reply);
        int r = show_reply(options, reply, diagnosis_view);
        return r != STATUS_HEALTHY || !verdict ? STATUS_NOT_REACHABLE : status_of(verdict);
}

/* Between two answers of a stream: when this one came. */
static void show_time_of_answer(const struct options *options, struct json_object *reply)
{
        struct json_object *diagnosis;
        char time[SHOW_TIME_MAX];
        if (options->json != JSON_NONE || json_get_object(reply, "diagnosis", &diagnosis) < 0)
                return;
        usec_t at = (usec_t)json_int_or(diagnosis, "atUSec", 0);
        (void)printf("--- %s ---\n", show_time(time, at, at));
}

static int complain_not_ready(void)
{
        complain("slowd has just started and has not seen enough yet; ask again in a few seconds, or use "
                 "--wait");
        return STATUS_UNKNOWN;
}

/* The latest answer, once it says more than "unknown" or the time is up. */
static int wait_for_verdict(const struct options *options, struct ask *ask)
{
        struct json_object *latest = NULL;
        usec_t now = ask_monotonic_usec(), deadline = VARLINK_TIMEOUT_NONE;
        int r;
        (void)__builtin_add_overflow(now, options->wait_usec, &deadline);
        for (;;) {
                CLEANUP_JSON struct json_object *reply = NULL;
                enum answer answer = ask_receive_ready(ask, "Diagnose", NULL, true, deadline, &reply);
                if (answer == ANSWER_OK) {
                        json_object_put(latest);
                        latest = json_object_get(reply);
                        const char *verdict = diagnosis_view_verdict(latest);
                        if (!verdict || status_of(verdict) != STATUS_UNKNOWN) {
                                r = show(options, latest);
                                break;
                        }
                        continue;
                }
                if (answer == ANSWER_NOT_READY)
                        r = complain_not_ready();
                else if (answer == ANSWER_TIMED_OUT && latest)
                        r = show(options, latest);
                else {
                        if (answer == ANSWER_TIMED_OUT)
                                ask_complain_timeout(ask, options->wait_usec);
                        r = STATUS_NOT_REACHABLE;
                }
                break;
        }
        json_object_put(latest);
        return r;
}

static int follow(const struct options *options, struct ask *ask)
{
        bool is_first = true;
        for (;;) {
                CLEANUP_JSON struct json_object *reply = NULL;
                usec_t deadline = is_first ? ask_monotonic_usec() + ASK_TIMEOUT_USEC : VARLINK_TIMEOUT_NONE;
                enum answer answer = ask_receive_ready(ask, "Diagnose", NULL, true, deadline, &reply);
                if (answer == ANSWER_NOT_READY)
                        return complain_not_ready();
                if (answer == ANSWER_TIMED_OUT)
                        ask_complain_timeout(ask, ASK_TIMEOUT_USEC);
                if (answer != ANSWER_OK)
                        return STATUS_NOT_REACHABLE;
                if (!is_first && options->json == JSON_NONE)
                        (void)putchar('\n');
                show_time_of_answer(options, reply);
                int r = show(options, reply);
                if (r == STATUS_NOT_REACHABLE || ferror(stdout))
                        return r;
                is_first = false;
        }
}

static int once(const struct options *options, struct ask *ask)
{
        CLEANUP_JSON struct json_object *reply = NULL;
        switch (ask_receive(ask, ask_timeout(options), &reply)) {
        case ANSWER_OK:
                return show(options, reply);
        case ANSWER_NOT_READY:
                return complain_not_ready();
        case ANSWER_TIMED_OUT:
                ask_complain_timeout(ask, ask_timeout(options));
                return STATUS_NOT_REACHABLE;
        case ANSWER_NO_HISTORY:
                return STATUS_UNKNOWN;
        case ANSWER_UNKNOWN_CHECK:
        case ANSWER_FAILED:
                break;
        }
        return STATUS_NOT_REACHABLE;
}

static int diagnose_run(const struct options *options)
{
        struct ask ask;
        struct json_object *parameters = ask_parameters(options);
        int r = STATUS_NOT_REACHABLE;
        if (!parameters)
                return r;
        if (ask_open(options, &ask) != ANSWER_OK)
                json_object_put(parameters);
        else if (ask_call(&ask, "Diagnose", parameters, options->follow || options->wait) == ANSWER_OK)
                r = options->follow ? follow(options, &ask)
                    : options->wait ? wait_for_verdict(options, &ask)
                                    : once(options, &ask);
        ask_done(&ask);
        return r;
}

const struct command command_diagnose = {
        .name = "diagnose",
        .summary = "why this machine is slow (what slowctl does without a command)",
        .help = "Says whether this machine is slow, and if so: the cause, who did it and who started that, "
                "who "
                "waits and how much, what helps, what follows from it, and what was ruled out.\n\n"
                "With --at it answers as it would have then, from the record that slowd keeps; with --since "
                "and "
                "--until for the worst moment in between.\n\n"
                "Exit status: 0 healthy, 1 slow or at risk, 2 wrong use, 3 slowd cannot be asked, 4 unknown "
                "yet, or nothing was recorded then.",
        .options = OPTION_FOLLOW | OPTION_WAIT | OPTION_AT | OPTION_SINCE | OPTION_UNTIL,
        .run = diagnose_run,
};
