/* boot.overload: too much starts with the machine, or one unit holds up the boot. A slow unit that nothing
 * waits for is not the cause, and a boot that follows an upgrade is no measure of the next ones. */
#include <errno.h>
#include <string.h>

#include "common/text.h"
#include "common/units.h"
#include "daemon/checks/boot_blame.h"

enum { LONGER, LONGER_SECONDS, EARLIER, LONG_SECONDS, UNIT_SHARE, CAUSE_SECONDS, RISK_SECONDS };

static const struct check_parameter parameters[] = {
        [LONGER] = { "LongerPermille", "permille", 1500, 1100, 10000,
                     "a boot is long if it takes so much of what is usual on this machine",
                     "boots of one machine differ by a few seconds; half as long again is felt",
                     "Windows' boot diagnostics report degradation against the machine's own past" },
        [LONGER_SECONDS] = { "LongerSeconds", "seconds", 10, 1, 600, "and so much longer than usual",
                             "less is not worth anybody's time, whatever the share",
                             "half of systemd's smallest DefaultTimeoutStartSec in use (20 s)" },
        [EARLIER] = { "EarlierBoots", "count", 3, 1, 10,
                      "with fewer earlier boots recorded there is no usual yet",
                      "the median of two is a mean, which one odd boot moves", "median of three" },
        [LONG_SECONDS] = { "LongSeconds", "seconds", 30, 5, 600,
                           "without a usual, a boot is long from here on (userspace only)",
                           "Debian servers and desktops reach their target in 5 to 20 s",
                           "Windows calls a whole boot of 60 s, firmware included, a minor problem" },
        [UNIT_SHARE] = { "UnitSharePermille", "permille", 300, 100, 1000,
                         "and one unit must hold up the critical chain for so much of it, or what units "
                         "compute while "
                         "they start must take all CPUs so much of it",
                         "below that nothing that can be changed would shorten it noticeably",
                         "the share at which one phase dominates a chain of ten" },
        [CAUSE_SECONDS] = { "CauseSeconds", "seconds", 300, 0, 3600,
                            "how long after its end a long boot counts as what is wrong now",
                            "people who waited for the machine ask right away", "memory.oom does alike" },
        [RISK_SECONDS] = { "RiskSeconds", "seconds", 1800, 0, 86400,
                           "how long after its end it is reported as a risk: the next boot will be like it",
                           "half an hour to see it; after that slowctl boot tells it at any time",
                           "netdata oom_kill looks back 30 min" },
        { NULL, NULL, 0, 0, 0, NULL, NULL, NULL },
};

/* What the source of boots said. */
static void say_unknown(const struct sample *sample, struct finding *finding)
{
        const char *reason = "how this machine started was not recorded";
        for (size_t i = 0; i < sample->collector_count; i++) {
                if (strcmp(sample->collectors[i].name, "boot") != 0)
                        continue;
                int error = sample->collectors[i].error;
                if (error == -ENOENT)
                        reason = "this machine was not started by systemd";
                else if (error < 0 && error != -EOPNOTSUPP)
                        reason = "systemd does not answer how this machine started";
                else if (error == 0)
                        reason = "systemd has not told yet how this machine started";
        }
        finding_reason(finding, VERDICT_UNKNOWN, "%s", reason);
}

/* ---- while it starts ---- */

static void run_starting(struct boot_situation *s, struct finding *finding)
{
        const struct boot_times *times = &s->boot->times;
        usec_t now_usec = s->latest->time.monotonic_usec;
        uint64_t so_far_usec = now_usec > times->userspace_usec ? now_usec - times->userspace_usec : 0;
        char so_far[UNITS_MAX], usual[UNITS_MAX] = "", waited[UNITS_MAX];
        double limit_sec = s->p[LONG_SECONDS];
        if (s->has_usual) {
                double usual_sec = boot_seconds(s->usual.usual_usec),
                       by_share = usual_sec * s->p[LONGER] / 1000;
                limit_sec = usual_sec + s->p[LONGER_SECONDS];
                limit_sec = by_share > limit_sec ? by_share : limit_sec;
                (void)format_duration(usual, s->usual.usual_usec);
        }
        (void)format_duration(so_far, so_far_usec);
        if (times->ready_usec != ABSENT) {
                finding_reason(finding, VERDICT_CLEAR, "%s was reached after %s, only the rest still starts",
                               times->target,
                               format_duration(waited, times->ready_usec - times->userspace_usec));
                return;
        }
        if (boot_seconds(so_far_usec) <= limit_sec || !times->waiting[0]) {
                finding_reason(finding, VERDICT_CLEAR, "the machine has been starting for %s%s%s", so_far,
                               s->has_usual ? ", usually " : "", usual);
                return;
        }
        if (s->usual.is_once) {
                finding_reason(finding, VERDICT_CLEAR, "the machine has been starting for %s: %s, once",
                               so_far, s->usual.once);
                return;
        }
        struct boot_unit unit = { .level = 0 };
        uint64_t waited_usec = now_usec - times->waiting_since_usec;
        text_format(unit.name, sizeof(unit.name), "%s", times->waiting);
        (void)format_duration(waited, waited_usec);
        finding->verdict = VERDICT_FOUND;
        finding->kind = FINDING_CAUSE;
        finding->severity = SEVERITY_WARNING;
        finding->confidence_permille = 800;
        finding->since_usec = times->known_usec - (times->looked_usec - times->userspace_usec);
        finding->lost_permille =
                (int32_t)(1000 * (boot_seconds(so_far_usec) - limit_sec) / boot_seconds(so_far_usec));
        finding->culprit = boot_subject(s, &unit);
        finding->victims[finding->victim_count++] = subject_machine(s->latest);
        finding_evidence(finding, "boot.length", (double)so_far_usec, "usec", limit_sec * 1e6,
                         s->has_usual ? (double)s->usual.usual_usec : NAN, "the start takes %s so far",
                         so_far);
        finding_evidence(finding, "boot.held", (double)waited_usec, "usec", NAN, NAN,
                         "%s has been starting for %s", unit.name, waited);
        text_format(finding->summary, sizeof(finding->summary),
                    "it has been starting for %s%s%s and is not ready: %s has been starting for %s", so_far,
                    s->has_usual ? ", usually " : "", usual, unit.name, waited);
        finding_remedy(finding, "systemctl list-jobs", "see what else waits for it");
        char command[FINDING_TEXT_MAX];
        (void)command_on_unit(command, unit.name, "journalctl -b -u %s", unit.name);
        if (command[0])
                finding_remedy(finding, command, "see what it is doing");
}

/* ---- afterwards ---- */

/* What is said of it when nothing is wrong, or not any more. */
static void say_length_in_words(const struct boot_situation *s, char *text, size_t size)
{
        char length[UNITS_MAX], usual[UNITS_MAX], over[UNITS_MAX];
        (void)format_duration(length, s->length_usec);
        if (!s->has_usual)
                text_format(text, size, "it took %s to start", length);
        else if (s->usual.over_usec < 2 * USEC_PER_SEC)
                text_format(text, size, "it took %s to start, usually %s", length,
                            format_duration(usual, s->usual.usual_usec));
        else
                text_format(text, size, "it took %s to start, %s longer than usual", length,
                            format_duration(over, s->usual.over_usec));
}

static void say_length(const struct boot_situation *s, double threshold_sec, struct finding *finding)
{
        char length[UNITS_MAX];
        finding_evidence(
                finding, "boot.length", (double)s->length_usec, "usec", threshold_sec * (double)USEC_PER_SEC,
                s->has_usual ? (double)s->usual.usual_usec : NAN, "from the kernel's handing over to %s: %s",
                s->boot->times.target[0] ? s->boot->times.target : "the end",
                format_duration(length, s->length_usec));
}

/* Without a usual it takes a reason for a long boot: one unit that it waited for, or so many that compute
 * while they start that the CPUs are what it waited for. A slow machine alone is none. */
static bool is_long(const struct boot_situation *s)
{
        if (s->has_usual)
                return (double)s->length_usec * 1000 > s->p[LONGER] * (double)s->usual.usual_usec &&
                       boot_seconds(s->usual.over_usec) > s->p[LONGER_SECONDS];
        struct boot_suspect holder = boot_find_holder(s);
        return boot_seconds(s->length_usec) > s->p[LONG_SECONDS] &&
               (boot_is_held(s, &holder) ||
                1000 * boot_seconds(boot_crowd_usec(s)) >= s->p[UNIT_SHARE] * boot_seconds(s->length_usec));
}

static void run_finished(struct boot_situation *s, struct finding *finding)
{
        const struct boot_times *times = &s->boot->times;
        char words[REASON_TEXT_MAX], ago[UNITS_MAX];
        usec_t end_usec = times->userspace_usec + s->length_usec, now_usec = s->latest->time.monotonic_usec;
        usec_t age_usec = now_usec > end_usec ? now_usec - end_usec : 0;
        say_length_in_words(s, words, sizeof(words));
        if (!is_long(s)) {
                finding_reason(finding, VERDICT_CLEAR, "%s", words);
                return;
        }
        if (s->usual.is_once) {
                finding_reason(finding, VERDICT_CLEAR, "%s: %s, once", words, s->usual.once);
                return;
        }
        if (boot_seconds(age_usec) > s->p[CAUSE_SECONDS] + s->p[RISK_SECONDS]) {
                finding_reason(finding, VERDICT_CLEAR, "%s, %s ago (slowctl boot)", words,
                               format_duration(ago, age_usec));
                return;
        }
        boot_compare_units(s->boot, s->earlier, s->earlier_count, s->unit_usual_usec);
        struct boot_suspect holder = boot_find_holder(s);
        bool is_recent = boot_seconds(age_usec) <= s->p[CAUSE_SECONDS];
        uint64_t excess_usec = s->has_usual               ? s->usual.over_usec
                               : boot_is_held(s, &holder) ? holder.held_usec
                                                          : boot_crowd_usec(s);
        finding->verdict = VERDICT_FOUND;
        finding->kind = is_recent ? FINDING_CAUSE : FINDING_RISK;
        finding->severity = !is_recent                           ? SEVERITY_NOTICE
                            : excess_usec >= 2 * USEC_PER_MINUTE ? SEVERITY_CRITICAL
                                                                 : SEVERITY_WARNING;
        finding->confidence_permille = s->has_usual ? 900 : 600;
        finding->since_usec = times->known_usec - (times->looked_usec - times->userspace_usec);
        /* Of the time since the start, what was lost: it fades as that moves into the past. */
        finding->lost_permille =
                is_recent ? (int32_t)(1000 * excess_usec / (s->length_usec + age_usec + 1)) : 0;
        finding->victims[finding->victim_count++] = subject_machine(s->latest);
        say_length(s,
                   s->has_usual ? boot_seconds(s->usual.usual_usec) + s->p[LONGER_SECONDS]
                                : s->p[LONG_SECONDS],
                   finding);
        if (boot_is_holder(s, &holder))
                boot_blame_holder(s, &holder, words, finding);
        else
                boot_blame_load(s, words, finding);
        boot_say_trend(s, finding);
        boot_say_pressure(s, finding);
}

static void run(const struct check_context *context, struct finding *ret_finding)
{
        struct boot_situation s = {
                .p = context->parameters,
                .longer_sec = context->parameters[LONGER_SECONDS],
                .holder_permille = context->parameters[UNIT_SHARE],
                .latest = history_latest(context->history),
                .boot = history_boot(context->history, 0),
        };
        if (!s.boot || strcmp(s.boot->times.boot_id, s.latest->sample->machine.boot_id) != 0) {
                say_unknown(s.latest->sample, ret_finding);
                return;
        }
        while (s.earlier_count < HISTORY_BOOTS_MAX - 1 &&
               (s.earlier[s.earlier_count] = history_boot(context->history, s.earlier_count + 1)))
                s.earlier_count++;
        boot_compare(s.boot, s.earlier, s.earlier_count, &s.usual);
        s.has_usual = s.usual.count >= (uint32_t)s.p[EARLIER];
        s.length_usec = boot_length(&s.boot->times);
        if (s.length_usec == ABSENT)
                run_starting(&s, ret_finding);
        else
                run_finished(&s, ret_finding);
}

const struct check check_boot_overload = {
        .name = "boot.overload",
        .title = "Too much starts with the machine, or one unit holds up the boot",
        .message_id = "d4ba99f663df468886b28d5773660b32",
        .culprit_kind = SUBJECT_UNIT,
        .cause = "The boot took much longer than this machine's boots do: one unit held up the critical "
                 "chain, the "
                 "chain of units that each waited for the one before, or so many services start at once that "
                 "they get in each other's way.",
        .meaning = "People wait for the machine after each start. Once it is up it is not slower than "
                   "before.",
        .remedy = "Disable what nobody needs, start the rest after the target is reached (After=), and let "
                  "nothing "
                  "wait for a service that only has to run at some time. slowctl boot shows the chain and "
                  "what each unit cost.",
        .look_alike = "A slow unit off the critical chain keeps nobody waiting. The first boot, the first "
                      "with another "
                      "kernel, and one in which a file system was checked take longer once.",
        .explains = (const char *const[]){ "cpu.overload", "disk.saturated", NULL },
        .parameters = parameters,
        .run = run,
};
