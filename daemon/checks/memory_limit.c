/* memory.limit: a unit is held back, or killed, by its own memory limit. */
#include <string.h>

#include "common/text.h"
#include "common/units.h"
#include "daemon/checks/blame.h"
#include "daemon/checks/kernel_kill.h"

enum { WINDOW_SECONDS, RAISE_LOST, CLEAR_LOST, MINIMUM_REFAULTS, KILL_SECONDS };

static const struct check_parameter parameters[] = {
        [WINDOW_SECONDS] = { "WindowSeconds", "seconds", 10, 2, 300, "the window whose means are judged",
                             "a cache that fills its group once is through in less",
                             "oomd judges 10 s as well" },
        [RAISE_LOST] = { "RaiseLostPermille", "permille", 100, 10, 1000,
                         "share of the time that the unit must lose to its limit (reclaim, swap, memory "
                         "pressure)",
                         "a tenth of the time is felt by whoever waits for the unit",
                         "psi-notify: memory some above 10 %" },
        [CLEAR_LOST] = { "ClearLostPermille", "permille", 50, 5, 1000, "below this an open incident ends",
                         "half the raise level", "hysteresis" },
        [MINIMUM_REFAULTS] = { "MinimumRefaultsPerSecond", "perSecond", 100, 1, 1000000,
                               "pages that come back after having been pushed out, each second",
                               "reading a large file through pushes pages out too, but none comes back",
                               "measured: 0/s while a file fills the cache" },
        [KILL_SECONDS] = { "KillSeconds", "seconds", 120, 5, 900, "how long a kill by the limit is reported",
                           "a service that is killed again and again is so every few seconds",
                           "systemd's default restart limits look at seconds to minutes" },
        { NULL, NULL, 0, 0, 0, NULL, NULL, NULL },
};

struct limited_unit {
        const struct unit_rate *unit;
        struct unit_window window;
        struct ledger ledger;
        double lost;  /* share of its time */
        float waited; /* for memory, task seconds per second */
};

static void sum_members(const struct check_context *context, const struct snapshot *latest,
                        usec_t window_usec, struct limited_unit *unit)
{
        unit->ledger = ledger_unknown();
        for (size_t i = 0; i < latest->program_count; i++) {
                struct program_window window;
                if (latest->programs[i].cgroup_id == unit->unit->sample->id &&
                    history_program(context->history, latest->programs[i].id, window_usec, 0, &window))
                        ledger_add(&unit->ledger, &window.ledger);
        }
        unit->waited = (isnan(unit->ledger.swap_wait) ? 0 : unit->ledger.swap_wait) +
                       (isnan(unit->ledger.reclaim_wait) ? 0 : unit->ledger.reclaim_wait);
        unit->lost = lost_permille_of(unit->waited, &unit->ledger) / 1000.0;
        if ((double)unit->window.psi_memory_full > unit->lost)
                unit->lost = (double)unit->window.psi_memory_full;
}

/* Held back: it runs into the limit, its own pages come back, and that costs its time. A MemoryHigh= that
 * cannot be met stalls the tasks themselves, without any page coming back; then all of it stalls (full). */
static bool is_held_back(const struct limited_unit *unit, const double *p, double threshold)
{
        bool at_limit = unit->window.events_max + unit->window.events_high > 0;
        bool returns = unit->window.refaults >= p[MINIMUM_REFAULTS] || unit->ledger.swap_wait >= 0.02F;
        bool stalls = unit->window.events_high > 0 && unit->window.psi_memory_full >= 0.2F;
        return at_limit && (returns || stalls) && 1000 * unit->lost >= threshold;
}

static uint64_t lowest_limit(const struct cgroup_sample *group)
{
        return group->memory_max_bytes < group->memory_high_bytes ? group->memory_max_bytes
                                                                  : group->memory_high_bytes;
}

static void add_limit(const struct cgroup_sample *group, struct finding *finding)
{
        char limit[UNITS_MAX], used[UNITS_MAX], command[FINDING_TEXT_MAX];
        uint64_t most = lowest_limit(group);
        if (most == ABSENT)
                return;
        finding_evidence(finding, "memory.limit", (double)most, "bytes", NAN, NAN,
                         "%s may hold %s and holds %s", group->unit, format_bytes(limit, (double)most),
                         group->memory_bytes == ABSENT ? "an unknown amount"
                                                       : format_bytes(used, (double)group->memory_bytes));
        (void)command_on_unit(command, group->unit, "systemctl set-property %s %s=%" PRIu64 "M", group->unit,
                              most == group->memory_max_bytes ? "MemoryMax" : "MemoryHigh",
                              most * 2 / 1000000);
        finding_remedy(finding, command, "raise the limit of the unit");
}

static void found_held(const struct snapshot *latest, const struct limited_unit *unit, usec_t window_usec,
                       struct finding *finding)
{
        char lost[UNITS_MAX], limit[UNITS_MAX];
        const struct cgroup_sample *group = unit->unit->sample;
        finding->culprit = subject_of_unit(latest, group);
        finding->lost_permille = (int32_t)(1000 * unit->lost);
        finding->culprit.lost_permille = finding->lost_permille;
        finding->since_usec = latest->time.realtime_usec - window_usec;
        finding->severity = unit->lost >= 0.4 ? SEVERITY_CRITICAL : SEVERITY_WARNING;
        (void)format_permille(lost, 1000 * unit->lost);
        finding_evidence(finding, "memory.stalled", 1000 * unit->lost, "permille", NAN, NAN,
                         "%s loses %s of its time to making room below its limit", group->unit, lost);
        finding_evidence(finding, "memory.refault", (double)unit->window.refaults, "perSecond", NAN, NAN,
                         "%.0f of its pages come back each second", (double)unit->window.refaults);
        text_format(finding->summary, sizeof(finding->summary),
                    "%s is held back by its own memory limit of %s and loses %s of its time", group->unit,
                    format_bytes(limit, (double)lowest_limit(group)), lost);
}

/* The limited unit in which the kernel killed: by its counter, or by the name in the kernel's message (the
 * unit may have no process left). */
static const struct cgroup_sample *group_named(const struct snapshot *latest, const char *name)
{
        for (size_t i = 0; i < latest->unit_count; i++) {
                const struct cgroup_sample *group = latest->units[i].sample;
                const char *last = strrchr(group->unit, '/');
                if (name[0] && strcmp(last ? last + 1 : group->unit, name) == 0)
                        return group;
        }
        return NULL;
}

static void found_killed(const struct snapshot *latest, const struct kernel_kill *kills, size_t count,
                         usec_t report_usec, struct finding *finding)
{
        const struct cgroup_sample *group = group_named(latest, kills[0].group);
        if (group) {
                finding->culprit = subject_of_unit(latest, group);
        } else {
                finding->culprit = (struct subject){ .kind = SUBJECT_UNIT, .lost_permille = -1 };
                (void)span_copy(span_of(kills[0].group[0] ? kills[0].group : kills[0].name),
                                finding->culprit.name, sizeof(finding->culprit.name));
                (void)span_copy(span_of(kills[0].group), finding->culprit.unit,
                                sizeof(finding->culprit.unit));
        }
        struct subject *victim = &finding->victims[finding->victim_count++];
        *victim =
                (struct subject){ .kind = SUBJECT_PROGRAM, .count = (uint32_t)count, .lost_permille = 1000 };
        (void)span_copy(span_of(kills[0].name), victim->name, sizeof(victim->name));
        /* What was killed has lost everything; the loss fades as that moment moves into the past. */
        usec_t age_usec = latest->time.realtime_usec - kills[0].at_usec;
        bool is_recent = age_usec <= report_usec / 2;
        finding->kind = is_recent ? FINDING_CAUSE : FINDING_RISK;
        finding->lost_permille =
                is_recent ? (int32_t)((count > 1 ? 1000 : 500) * (1 - (double)age_usec / (double)report_usec))
                          : 0;
        finding->since_usec = kills[count - 1].at_usec;
        finding->severity = SEVERITY_CRITICAL;
        finding_evidence(finding, "memory.oomKills", (double)count, "count", NAN, NAN,
                         "the kernel killed %s %zu time%s at the limit of its group", kills[0].name, count,
                         count > 1 ? "s" : "");
        text_format(finding->summary, sizeof(finding->summary),
                    "%s was killed%s at its own memory limit (%s)", finding->culprit.name,
                    count > 1 ? " again and again" : "", kills[0].name);
        if (group)
                add_limit(group, finding);
}

#define KILLS_MAX 16

static size_t limit_kills(const struct check_context *context, struct kernel_kill *ret_kills)
{
        usec_t window_usec = (usec_t)(context->parameters[KILL_SECONDS] * (double)USEC_PER_SEC);
        size_t count = kernel_kills(context->history, window_usec, ret_kills, KILLS_MAX), kept = 0;
        for (size_t i = 0; i < count; i++)
                if (ret_kills[i].is_limit)
                        ret_kills[kept++] = ret_kills[i];
        return kept;
}

static void run(const struct check_context *context, struct finding *ret_finding)
{
        const double *p = context->parameters;
        const struct snapshot *latest = history_latest(context->history);
        usec_t window_usec = (usec_t)(p[WINDOW_SECONDS] * (double)USEC_PER_SEC);
        double threshold = context->was_found ? p[CLEAR_LOST] : p[RAISE_LOST];
        struct limited_unit worst = { 0 }, closest = { 0 };
        size_t limited = 0;
        for (size_t i = 0; i < latest->unit_count; i++) {
                struct limited_unit unit = { .unit = &latest->units[i] };
                if (lowest_limit(unit.unit->sample) == ABSENT)
                        continue;
                limited++;
                if (!history_unit(context->history, unit.unit->sample->id, window_usec, &unit.window))
                        continue;
                sum_members(context, latest, window_usec, &unit);
                if (!closest.unit || unit.lost > closest.lost)
                        closest = unit;
                if (is_held_back(&unit, p, threshold) && (!worst.unit || unit.lost > worst.lost))
                        worst = unit;
        }
        struct kernel_kill kills[KILLS_MAX];
        size_t kill_count = limit_kills(context, kills);
        struct finding *finding = ret_finding;
        char share[UNITS_MAX];
        if (kill_count > 0) {
                finding->verdict = VERDICT_FOUND;
                finding->confidence_permille = 1000;
                found_killed(latest, kills, kill_count, (usec_t)(p[KILL_SECONDS] * (double)USEC_PER_SEC),
                             finding);
        } else if (worst.unit && history_covered(context->history, window_usec) >= window_usec / 2) {
                finding->verdict = VERDICT_FOUND;
                finding->confidence_permille = 900;
                found_held(latest, &worst, window_usec, finding);
                add_limit(worst.unit->sample, finding);
        } else if (closest.unit) {
                finding_reason(finding, VERDICT_CLEAR, "%s reaches its limit, which costs it %s of its time",
                               closest.unit->sample->unit, format_permille(share, 1000 * closest.lost));
        } else if (limited > 0) {
                finding_reason(finding, VERDICT_CLEAR, "%zu unit%s with a memory limit, none reaches it",
                               limited, limited == 1 ? "" : "s");
        } else {
                finding_reason(finding, VERDICT_CLEAR, "no running unit has a memory limit");
        }
}

static const char *const explains[] = { "memory.oom", "disk.saturated", NULL };

const struct check check_memory_limit = {
        .name = "memory.limit",
        .title = "A unit is held back or killed by its own memory limit",
        .message_id = "115d93a97c0b4ba5844fa60c4d4404aa",
        .culprit_kind = SUBJECT_UNIT,
        .cause = "The unit needs more memory than MemoryMax= or MemoryHigh= (or its container's limit) "
                 "allows, while the "
                 "machine may have plenty. It spends its time making room, or the kernel kills a process of "
                 "it.",
        .meaning = "The unit is slow or restarts again and again; others are not affected.",
        .remedy = "Raise the limit, or make the unit need less.",
        .look_alike = "A limit that is not reached, and a file cache that fills the group once, cost nobody "
                      "any time.",
        .explains = explains,
        .parameters = parameters,
        .run = run,
};
