/* sampling.gap: a tick came much too late, so the machine, or slowd alone, stood still. Suspend and a set
 * clock are no gaps: intervals are measured by a clock that stands still in the one and knows nothing of the
 * other. */

#include "common/text.h"
#include "common/units.h"
#include "daemon/checks/blame.h"

enum { MINIMUM_GAP, REPORT_SECONDS };

static const struct check_parameter parameters[] = {
        [MINIMUM_GAP] = { "MinimumGapSeconds", "seconds", 5, 1, 600, "how late a sample must be",
                          "shorter stalls happen when a disk wakes up or a large process starts; several "
                          "times the "
                          "5 s tick of a calm machine is none of these",
                          "freeze detection by own oversleep, as macOS tools do" },
        [REPORT_SECONDS] = { "ReportSeconds", "seconds", 60, 5, 900, "how long afterwards it is reported",
                             "long enough to be seen by who asks right after the machine came back",
                             "convention; the alert stays in the record" },
        { NULL, NULL, 0, 0, 0, NULL, NULL, NULL },
};

static void run(const struct check_context *context, struct finding *ret_finding)
{
        const double *p = context->parameters;
        char duration[UNITS_MAX], ago[UNITS_MAX];
        const struct snapshot *latest = history_latest(context->history);
        usec_t now_usec = latest->time.monotonic_usec;
        const struct gap *worst = NULL;
        for (size_t i = 0; history_gap(context->history, i); i++) {
                const struct gap *gap = history_gap(context->history, i);
                if (now_usec - gap->end_monotonic_usec > (usec_t)(p[REPORT_SECONDS] * (double)USEC_PER_SEC))
                        break;
                if ((double)gap->late_usec >= p[MINIMUM_GAP] * (double)USEC_PER_SEC &&
                    (!worst || gap->late_usec > worst->late_usec))
                        worst = gap;
        }
        if (!worst) {
                finding_reason(ret_finding, VERDICT_CLEAR, "every sample of the last %.0f s came in time",
                               p[REPORT_SECONDS]);
                return;
        }
        struct finding *finding = ret_finding;
        (void)format_duration(duration, worst->late_usec);
        (void)format_duration(ago, now_usec - worst->end_monotonic_usec);
        finding->verdict = VERDICT_FOUND;
        /* If only slowd stood still, nobody was slow; but what happened meanwhile is not known. */
        finding->kind = worst->others_ran ? FINDING_RISK : FINDING_CAUSE;
        finding->since_usec = worst->begin_realtime_usec;
        finding->culprit = subject_machine(latest);
        /* The share of the time it is reported over that nobody got anything done in. */
        usec_t over_usec = worst->late_usec + (now_usec - worst->end_monotonic_usec);
        finding->lost_permille = worst->others_ran ? 0 : (int32_t)(1000 * worst->late_usec / over_usec);
        finding->severity = worst->others_ran ? SEVERITY_NOTICE : SEVERITY_WARNING;
        finding->confidence_permille = 900;
        finding_evidence(finding, "sampling.late", (double)worst->late_usec, "usec",
                         p[MINIMUM_GAP] * (double)USEC_PER_SEC, NAN, "a sample came %s late, %s ago",
                         duration, ago);
        if (worst->others_ran) {
                text_format(
                        finding->summary, sizeof(finding->summary),
                        "slowd itself stood still for %s while the machine ran on; what happened then is not "
                        "known",
                        duration);
                finding_remedy(finding, NULL,
                               "find out who stopped slowd (SIGSTOP, a debugger, a frozen control group)");
        } else {
                text_format(finding->summary, sizeof(finding->summary), "the machine stood still for %s",
                            duration);
                finding_remedy(
                        finding, "journalctl -k --since -15min",
                        "look for what the kernel says about that time (lockups, a paused virtual machine)");
        }
}

const struct check check_sampling_gap = {
        .name = "sampling.gap",
        .title = "The machine, or slowd itself, stood still",
        .message_id = "9fdc5b94e3244604803b592bd6eb02ef",
        .culprit_kind = SUBJECT_MACHINE,
        .cause = "A sample that was due came seconds late. Either nothing on the machine ran (a paused "
                 "virtual machine, a "
                 "kernel lockup, memory pressure so hard that even locked programs wait), or slowd alone was "
                 "stopped.",
        .meaning =
                "For that time nobody got anything done, or slowd saw nothing; its record has a hole there.",
        .remedy = "If the machine is virtual, ask its host. Otherwise look at the kernel's messages of that "
                  "time. If "
                  "only slowd stood still, find out who stopped it.",
        .look_alike = "Suspend and resume, and a clock that was set, are no gaps: the interval is measured "
                      "by a clock "
                      "that stands still during suspend and is never set.",
        .explains = (const char *const[]){ NULL },
        .parameters = parameters,
        .run = run,
};
