/* cpu.quota: a unit that somebody waits for is held back by its own CPU quota while the machine has CPU to
 * spare. */
#include <string.h>

#include "common/text.h"
#include "common/units.h"
#include "daemon/checks/blame.h"

enum { WINDOW_SECONDS, RAISE_THROTTLED, CLEAR_THROTTLED, MINIMUM_IDLE, MINIMUM_LOST };

static const struct check_parameter parameters[] = {
        [WINDOW_SECONDS] = { "WindowSeconds", "seconds", 10, 2, 300, "the window whose means are judged",
                             "a hundred periods of the usual 100 ms", "cgroup v2, cpu.max" },
        [RAISE_THROTTLED] = { "RaiseThrottledPermille", "permille", 250, 10, 1000,
                              "share of its periods in which the unit must be held back",
                              "below a quarter the tail of a few requests suffers, above it every one does",
                              "kubernetes-mixin CPUThrottlingHigh: 25 %" },
        [CLEAR_THROTTLED] = { "ClearThrottledPermille", "permille", 150, 5, 1000,
                              "below this an open incident ends",
                              "well below the raise level, so that an answer does not flap", "hysteresis" },
        [MINIMUM_IDLE] = { "MinimumIdlePermille", "permille", 200, 0, 1000,
                           "share of all CPUs that must be idle",
                           "on a full machine the unit would wait without its quota as well",
                           "measured: four hogs in a 20 % quota leave 80 to 90 % idle" },
        [MINIMUM_LOST] = { "MinimumLostPermille", "permille", 200, 10, 1000,
                           "share of the time it wants to work that the unit must lose",
                           "a unit held back for a fifth of its work answers noticeably later",
                           "measured: a periodic task in a 10 % quota loses 36 % of wall time" },
        { NULL, NULL, 0, 0, 0, NULL, NULL, NULL },
};

/* What the members of one held-back group did in the window, its sub-groups' members included. */
struct throttled_group {
        const struct unit_rate *unit;
        struct unit_window window;
        struct ledger ledger;
        float voluntary_switches;
        uint32_t busy;    /* processes that wanted a CPU now */
        uint32_t threads; /* of them in all */
        bool is_server;
};

/* Units are sorted by id; on a host of containers there are hundreds, and each process is asked about. */
static uint64_t parent_of(const struct snapshot *snapshot, uint64_t cgroup_id)
{
        size_t low = 0, high = snapshot->unit_count;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (snapshot->units[middle].sample->id < cgroup_id)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low < snapshot->unit_count && snapshot->units[low].sample->id == cgroup_id
                       ? snapshot->units[low].sample->parent_id
                       : 0;
}

static bool is_below(const struct snapshot *snapshot, uint64_t cgroup_id, uint64_t ancestor_id)
{
        for (int depth = 0; depth < 16 && cgroup_id; depth++) {
                if (cgroup_id == ancestor_id)
                        return true;
                cgroup_id = parent_of(snapshot, cgroup_id);
        }
        return false;
}

static void look_at_members(const struct check_context *context, const struct snapshot *latest,
                            struct throttled_group *group)
{
        usec_t window_usec = (usec_t)(context->parameters[WINDOW_SECONDS] * (double)USEC_PER_SEC);
        group->ledger = ledger_unknown();
        for (size_t i = 0; i < latest->program_count; i++) {
                const struct program *program = &latest->programs[i];
                struct program_window window;
                if (!is_below(latest, program->cgroup_id, group->unit->sample->id) ||
                    !history_program(context->history, program->id, window_usec, 0, &window))
                        continue;
                ledger_add(&group->ledger, &window.ledger);
                group->voluntary_switches += window.voluntary_switches;
                group->is_server |= program->is_server;
        }
        for (size_t i = 0; i < latest->process_count; i++) {
                const struct process_rate *rate = &latest->processes[i];
                if (!(ledger_wanted(&rate->ledger) > 0.01F) ||
                    !is_below(latest, rate->sample->identity->cgroup_id, group->unit->sample->id))
                        continue;
                group->busy++;
                group->threads += rate->sample->threads;
        }
}

/* Who waits for it: a client of a server, or work that comes in between voluntary sleeps of single-threaded
 * tasks. A batch job always wants the CPU; the threads of one encoder wake each other, which is nobody else's
 * wait. */
static bool is_waited_for(const struct throttled_group *group)
{
        if (group->is_server)
                return true;
        return group->busy > 0 && group->threads == group->busy && group->voluntary_switches >= 5 &&
               ledger_wanted(&group->ledger) < 0.8F * (float)group->busy;
}

static bool examine(const struct check_context *context, const struct snapshot *latest,
                    const struct unit_rate *unit, struct throttled_group *ret_group)
{
        const double *p = context->parameters;
        usec_t window_usec = (usec_t)(p[WINDOW_SECONDS] * (double)USEC_PER_SEC);
        double threshold = context->was_found ? p[CLEAR_THROTTLED] : p[RAISE_THROTTLED];
        struct throttled_group group = { .unit = unit };
        if (unit->sample->cpu_quota_usec == ABSENT ||
            !history_unit(context->history, unit->sample->id, window_usec, &group.window) ||
            1000 * (double)group.window.throttled_share < threshold)
                return false;
        look_at_members(context, latest, &group);
        *ret_group = group;
        return true;
}

/* cpu.max without a second number; cgroup v2 documentation. */
#define DEFAULT_PERIOD_USEC 100000

static void found(const struct check_context *context, const struct snapshot *latest,
                  const struct throttled_group *group, double idle, struct finding *finding)
{
        char share[UNITS_MAX], lost[UNITS_MAX], idle_words[UNITS_MAX], command[FINDING_TEXT_MAX];
        const struct cgroup_sample *sample = group->unit->sample;
        uint64_t period_usec = sample->cpu_period_usec;
        if (period_usec == 0 || period_usec == ABSENT)
                period_usec = DEFAULT_PERIOD_USEC;
        double cpus = (double)sample->cpu_quota_usec / (double)period_usec;
        finding->verdict = VERDICT_FOUND;
        finding->culprit = subject_of_unit(latest, sample);
        finding->lost_permille = lost_permille_of(group->ledger.throttled, &group->ledger);
        finding->culprit.lost_permille = finding->lost_permille;
        finding->victims[finding->victim_count++] = finding->culprit;
        finding->severity = finding->lost_permille >= 500 ? SEVERITY_CRITICAL : SEVERITY_WARNING;
        finding->confidence_permille = group->is_server ? 950 : 800;
        (void)format_permille(share, 1000 * (double)group->window.throttled_share);
        (void)format_permille(lost, finding->lost_permille);
        (void)format_permille(idle_words, 1000 * idle);
        finding_evidence(finding, "cpu.throttled", 1000 * (double)group->window.throttled_share, "permille",
                         context->parameters[RAISE_THROTTLED], NAN, "%s was held back in %s of its periods",
                         sample->unit, share);
        finding_evidence(finding, "cpu.quota", 1000 * cpus, "permille", NAN, NAN, "its quota is %.2g CPUs",
                         cpus);
        finding_evidence(finding, "cpu.idle", 1000 * idle, "permille", context->parameters[MINIMUM_IDLE], NAN,
                         "the machine's CPUs are %s idle", idle_words);
        text_format(
                finding->summary, sizeof(finding->summary),
                "%s is held back by its own CPU quota (%.2g CPUs) and loses %s of its time, while %s of the "
                "CPUs are idle",
                sample->unit, cpus, lost, idle_words);
        (void)command_on_unit(command, sample->unit, "systemctl set-property %s CPUQuota=%.0f%%",
                              sample->unit, 200 * cpus);
        finding_remedy(finding, command, "raise the quota, or take it away");
}

static void run(const struct check_context *context, struct finding *ret_finding)
{
        const double *p = context->parameters;
        const struct snapshot *latest = history_latest(context->history);
        usec_t window_usec = (usec_t)(p[WINDOW_SECONDS] * (double)USEC_PER_SEC);
        double idle = history_mean(context->history, FIELD_CPU_IDLE, window_usec);
        struct throttled_group worst = { 0 }, batch = { 0 };
        size_t limited = 0;
        char share[UNITS_MAX];
        for (size_t i = 0; i < latest->unit_count; i++) {
                struct throttled_group group;
                limited += latest->units[i].sample->cpu_quota_usec != ABSENT;
                if (!examine(context, latest, &latest->units[i], &group))
                        continue;
                if (!is_waited_for(&group))
                        batch = group;
                else if (!worst.unit || group.ledger.throttled > worst.ledger.throttled)
                        worst = group;
        }
        bool is_covered = history_covered(context->history, window_usec) >= window_usec / 2;
        if (worst.unit && is_covered && 1000 * idle >= p[MINIMUM_IDLE] &&
            lost_permille_of(worst.ledger.throttled, &worst.ledger) >= p[MINIMUM_LOST]) {
                found(context, latest, &worst, idle, ret_finding);
                return;
        }
        if (worst.unit)
                finding_reason(ret_finding, VERDICT_CLEAR, "%s is held back in %s of its periods, but %s",
                               worst.unit->sample->unit,
                               format_permille(share, 1000 * (double)worst.window.throttled_share),
                               is_covered ? "the CPUs are full or it loses little" : "for a moment yet");
        else if (batch.unit)
                finding_reason(
                        ret_finding, VERDICT_CLEAR,
                        "%s is held back in %s of its periods, but it is batch work that nobody waits for",
                        batch.unit->sample->unit,
                        format_permille(share, 1000 * (double)batch.window.throttled_share));
        else if (limited > 0)
                finding_reason(ret_finding, VERDICT_CLEAR, "%zu unit%s with a quota, none is held back by it",
                               limited, limited == 1 ? "" : "s");
        else
                finding_reason(ret_finding, VERDICT_CLEAR, "no running unit has a CPU quota");
}

const struct check check_cpu_quota = {
        .name = "cpu.quota",
        .title = "A unit is held back by its own CPU quota while the machine is idle",
        .message_id = "529e26f47db74c41b3a3718dd5c78895",
        .culprit_kind = SUBJECT_UNIT,
        .cause = "The unit has a CPU quota (CPUQuota=, or a container's CPU limit) and uses it up in most "
                 "periods. For "
                 "the rest of each period it stands still, although CPUs are idle.",
        .meaning = "Whoever waits for this unit waits longer than the machine would make them.",
        .remedy = "Raise or remove the quota, or use CPUWeight= instead, which holds a unit back only while "
                  "others want "
                  "the CPU.",
        .look_alike = "A quota that is never reached, and batch work inside a quota that nobody waits for, "
                      "are what "
                      "quotas are for.",
        .explains = (const char *const[]){ NULL },
        .parameters = parameters,
        .run = run,
};
