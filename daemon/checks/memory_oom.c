/* memory.oom: the kernel killed a program for lack of memory. */
#include <string.h>

#include "common/text.h"
#include "common/units.h"
#include "daemon/checks/blame.h"
#include "daemon/checks/kernel_kill.h"

enum { CAUSE_SECONDS, RISK_SECONDS };

static const struct check_parameter parameters[] = {
        [CAUSE_SECONDS] = { "CauseSeconds", "seconds", 120, 5, 900,
                            "how long a kill counts as what is wrong now",
                            "what was killed is restarted, or missed, within a minute or two",
                            "systemd's default restart limits look at seconds to minutes" },
        [RISK_SECONDS] = { "RiskSeconds", "seconds", 300, 5, 900,
                           "how long it is reported as a risk after that",
                           "a machine that had to kill once is likely to again; a kill of days ago says "
                           "nothing",
                           "netdata oom_kill looks back 30 min; this record reaches 15" },
        { NULL, NULL, 0, 0, 0, NULL, NULL, NULL },
};

#define KILLS_MAX 16

static struct subject subject_of_kill(const struct kernel_kill *kill, uint32_t count)
{
        struct subject subject = { .kind = SUBJECT_PROGRAM, .count = count, .lost_permille = 1000 };
        (void)span_copy(span_of(kill->name), subject.name, sizeof(subject.name));
        (void)span_copy(span_of(kill->group), subject.unit, sizeof(subject.unit));
        subject.pids[subject.pid_count++] = kill->pid;
        return subject;
}

static void found_unnamed(const struct snapshot *latest, double kills, struct finding *finding)
{
        finding->culprit = subject_machine(latest);
        finding_evidence(finding, "memory.oomKills", kills, "count", NAN, NAN, "%.0f programs killed", kills);
        text_format(finding->summary, sizeof(finding->summary),
                    "the kernel killed %.0f program%s for lack of memory (which, is not known: no kernel "
                    "messages)",
                    kills, kills > 1 ? "s" : "");
}

static void found_named(const struct kernel_kill *kills, size_t count, struct finding *finding)
{
        char size[UNITS_MAX];
        uint32_t same = 0;
        for (size_t i = 0; i < count; i++)
                same += strcmp(kills[i].name, kills[0].name) == 0;
        finding->culprit = subject_of_kill(&kills[0], same);
        finding->victims[finding->victim_count++] = finding->culprit;
        finding_evidence(finding, "memory.oomKills", (double)count, "count", NAN, NAN,
                         "%zu kill%s in the last minutes", count, count > 1 ? "s" : "");
        if (kills[0].anon_bytes != ABSENT)
                finding_evidence(finding, "memory.killed", (double)kills[0].anon_bytes, "bytes", NAN, NAN,
                                 "%s (pid %u) held %s when it was killed", kills[0].name, kills[0].pid,
                                 format_bytes(size, (double)kills[0].anon_bytes));
        text_format(finding->summary, sizeof(finding->summary), "the kernel killed %s%s for lack of memory%s",
                    kills[0].name, same > 1 ? " again and again" : "",
                    kills[0].is_limit ? " in its control group" : "");
        finding_remedy(finding, "journalctl -k -g 'Killed process'", "see what the kernel says about it");
        finding_remedy(finding, NULL,
                       kills[0].is_limit ? "raise the limit of its unit, or make it need less"
                                         : "add memory or swap, or run less at once");
}

static void run(const struct check_context *context, struct finding *ret_finding)
{
        const double *p = context->parameters;
        const struct snapshot *latest = history_latest(context->history);
        usec_t now_usec = latest->time.realtime_usec;
        usec_t window_usec = (usec_t)(p[RISK_SECONDS] * (double)USEC_PER_SEC);
        usec_t cause_usec = (usec_t)(p[CAUSE_SECONDS] * (double)USEC_PER_SEC);
        struct kernel_kill kills[KILLS_MAX];
        char ago[UNITS_MAX];
        size_t count = kernel_kills(context->history, window_usec, kills, KILLS_MAX);
        /* Without messages the counter tells that it happened, and when. */
        usec_t at_usec =
                count > 0 ? kills[0].at_usec : history_last_above(context->history, FIELD_OOM_KILLS, 1);
        double counted = 0;
        if (count == 0 && at_usec > 0 && now_usec - at_usec <= window_usec)
                counted = history_max(context->history, FIELD_OOM_KILLS, window_usec);
        if (count == 0 && !(counted >= 1)) {
                if (isnan(latest->value[FIELD_OOM_KILLS]))
                        finding_reason(ret_finding, VERDICT_UNKNOWN,
                                       "this kernel does not count kills, and its messages cannot be read");
                else
                        finding_reason(ret_finding, VERDICT_CLEAR, "no program killed in the last %s",
                                       format_duration(ago, window_usec));
                return;
        }
        struct finding *finding = ret_finding;
        bool is_recent = now_usec - at_usec <= cause_usec;
        finding->verdict = VERDICT_FOUND;
        finding->kind = is_recent ? FINDING_CAUSE : FINDING_RISK;
        finding->severity = is_recent ? SEVERITY_CRITICAL : SEVERITY_WARNING;
        finding->since_usec = at_usec;
        finding->confidence_permille = 1000;
        /* What was killed has lost everything; the loss fades as that moment moves into the past. */
        finding->lost_permille =
                is_recent ? (int32_t)(1000 - 900 * (now_usec - at_usec) / (cause_usec ? cause_usec : 1)) : 0;
        if (count == 0)
                found_unnamed(latest, counted, finding);
        else
                found_named(kills, count, finding);
}

const struct check check_memory_oom = {
        .name = "memory.oom",
        .title = "The kernel killed a program for lack of memory",
        .message_id = "535dc41d10c94f2fbc1e6029013a3a6a",
        .culprit_kind = SUBJECT_PROGRAM,
        .cause = "No memory could be freed any more, on the machine or within a control group's limit, so "
                 "the kernel "
                 "killed the program whose death frees most.",
        .meaning = "The program is gone, or was restarted and has lost what it was doing. It is often, but "
                   "not always, "
                   "the one that took the memory.",
        .remedy = "Raise the limit, add memory or swap, or run less at once. OOMScoreAdjust= of a unit "
                  "decides who is "
                  "spared.",
        .look_alike = "A kill of hours or days ago, of which the log still tells, is history.",
        .explains = (const char *const[]){ NULL },
        .parameters = parameters,
        .run = run,
};
