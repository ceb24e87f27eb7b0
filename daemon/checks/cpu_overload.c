/* cpu.overload: one program, all its processes together, asks for more CPU than there is, and others wait for
 * it. Told by what the others lose, never by how busy the CPUs are or how nice anybody is. */
#include <string.h>

#include "common/text.h"
#include "common/units.h"
#include "daemon/checks/blame.h"

enum {
        WINDOW_SECONDS,
        RAISE_LOST,
        CLEAR_LOST,
        MINIMUM_BUSY,
        MINIMUM_SHARE,
        MINIMUM_DEMAND,
        MINIMUM_WAIT,
        BURST_SECONDS,
};

static const struct check_parameter parameters[] = {
        [WINDOW_SECONDS] = { "WindowSeconds", "seconds", 8, 2, 300, "the window whose means are judged",
                             "long enough to pass over a start-up burst, short enough to answer within 15 s",
                             "scheduling delays of single wake-ups do not separate the cases, means over "
                             "seconds do "
                             "(measured on 2 CPUs, kernel 6.18)" },
        [RAISE_LOST] = { "RaiseLostPermille", "permille", 250, 20, 1000,
                         "share of the time they want to work that the victims must lose",
                         "six normal hogs on two CPUs cost others 28 % and more, the same hogs at nice 19 or "
                         "SCHED_IDLE under 2 %, two hogs on two CPUs 11 to 14 % of wall time",
                         "measured: run delay of a periodic probe beside hogs, kernel 6.18" },
        [CLEAR_LOST] = { "ClearLostPermille", "permille", 150, 10, 1000, "below this an open incident ends",
                         "well below the raise level, so that an answer does not flap", "hysteresis" },
        [MINIMUM_BUSY] = { "MinimumBusyPermille", "permille", 850, 300, 1000,
                           "share of all CPUs that must be in use",
                           "while CPUs idle nobody need wait for one; some slack for the balancing between "
                           "CPUs",
                           "measured: 6 hogs on 2 CPUs keep them 95 to 100 % busy" },
        [MINIMUM_SHARE] = { "MinimumSharePermille", "permille", 200, 50, 1000,
                            "share of all CPUs the suspect must use",
                            "who takes less than a fifth cannot be what the others wait for",
                            "weights: 6 tasks at nice 19 get 8 % beside one normal task" },
        [MINIMUM_DEMAND] = { "MinimumDemandPermille", "permille", 1150, 1000, 10000,
                             "what the suspect wants (used and waited for), of all CPUs",
                             "as many busy threads as CPUs are a full machine, not an overloaded one; more "
                             "are",
                             "measured: 2 hogs on 2 CPUs want 1.0, 6 hogs 3.0 times what there is" },
        [MINIMUM_WAIT] = { "MinimumWaitPermille", "permille", 30, 1, 1000,
                           "time all victims together must lose, of one task's time",
                           "30 ms in each second is what a person begins to feel; less is noise of daemons "
                           "waking up",
                           "response times below 100 ms feel instant (Nielsen 1993), several waits add up to "
                           "it" },
        [BURST_SECONDS] = { "BurstSeconds", "seconds", 60, 10, 900,
                            "how long short jobs and compilers may load the machine before it counts",
                            "a build or a test suite of under a minute is work that ends by itself",
                            "CHECKS: a compile of under a minute is no overload" },
        { NULL, NULL, 0, 0, 0, NULL, NULL, NULL },
};

struct situation {
        const struct history *history;
        const struct snapshot *latest;
        double cpus;
        double busy;
        usec_t window_usec;
        struct family families[FAMILIES_MAX];
        size_t count;
        const struct family *suspect;
        bool is_greedy; /* it alone wants more than there is */
        double demand;  /* CPUs wanted by all large users together */
        bool is_mild;   /* it and others together want somewhat more: only with victims whose past is known */
        const struct family *victims[FAMILIES_MAX];
        size_t victim_count;
        struct ledger victims_ledger; /* of all victims together */
        double taken; /* of what they waited, what the suspect can have taken: seconds per second */
        int32_t lost_permille;
};

static float cpu_wait_of(const struct ledger *ledger)
{
        return ledger->cpu_wait;
}

static bool can_be_suspect(const struct situation *s, const struct family *family, const double *p)
{
        return !family->is_kernel && !family->is_self && family->cpu >= p[MINIMUM_SHARE] / 1000 * s->cpus;
}

/* Several large users that fill the machine together, none of them alone: then they must want twice what
 * there is, or a client and a server that load each other in a benchmark would do. */
#define TOGETHER_DEMAND 2.0
#define TOGETHER_SHARE  0.4 /* of all CPUs, by the largest of them */
/* If they want less, it takes victims that wait much, and that are known not to have waited before: a mix is
 * to blame for what came with it, and the largest part of it is named. */
#define MILD_SHARE 0.25
#define MILD_WAIT  0.1 /* seconds per second */

/* Who wants more than there is; among several the one who wants most. If no single program does, the largest
 * user of those that fill the machine together. */
static const struct family *find_suspect(struct situation *s, const double *p, bool with_batch)
{
        const struct family *greedy = NULL, *largest = NULL;
        double demand = 0;
        s->is_mild = false;
        for (size_t i = 0; i < s->count; i++) {
                const struct family *family = &s->families[i];
                if (!can_be_suspect(s, family, p) || (family->is_batch && !with_batch))
                        continue;
                /* What runs at low priority wants whatever is left over, and that is no shortage. */
                if (!family->is_batch)
                        demand += (double)family->demand;
                if (family->demand >= p[MINIMUM_DEMAND] / 1000 * s->cpus &&
                    (!greedy || family->demand > greedy->demand))
                        greedy = family;
                if (!largest || family->cpu > largest->cpu)
                        largest = family;
        }
        if (greedy || !largest)
                return greedy;
        s->demand = demand;
        if (demand >= TOGETHER_DEMAND * s->cpus && largest->cpu >= TOGETHER_SHARE * s->cpus)
                return largest;
        s->is_mild = !largest->is_batch && demand >= p[MINIMUM_DEMAND] / 1000 * s->cpus &&
                     largest->cpu >= MILD_SHARE * s->cpus;
        return s->is_mild ? largest : NULL;
}

/* CPUs: a fiftieth of one is a service at work, init and small daemons use a tenth of that. */
#define BATCH_VICTIM_CPU 0.02F

/* Somebody who loses time to the suspect: not itself a large user, no batch work, not of the same job, and
 * not protected from the suspect by nice values that take effect between the two. */
static bool is_victim(const struct situation *s, const struct family *family)
{
        const struct family *suspect = s->suspect;
        if (family == suspect || family->is_kernel || family->is_self || family->is_batch)
                return false;
        /* One of several large users is no victim of the others, which are as much its victims. */
        float most = s->is_greedy ? suspect->demand / 2 : suspect->demand / 4;
        if (!(family->ledger.cpu_wait >= 0.005F) || family->demand > most)
                return false;
        /* Beside a batch a daemon that wants next to nothing waits for most of it, and nobody feels that. */
        if (suspect->is_batch && !(family->cpu >= BATCH_VICTIM_CPU))
                return false;
        return !is_same_job(s->latest, suspect, family) && !yields(s->latest, suspect, family);
}

/* What somebody waits now and waited before the suspect began. */
static struct loss cpu_loss(const struct situation *s, const struct family *family)
{
        uint64_t id = s->latest->programs[s->suspect->programs[0]].id;
        usec_t since = history_program_since_cpu(s->history, id, s->suspect->cpu / 2);
        return loss_of(s->history, family, since, cpu_wait_of, 1);
}

static bool is_worse_off(const struct loss *loss, const double *p)
{
        return loss->is_usual_known && loss->permille >= p[CLEAR_LOST];
}

/* Those who were there before are the witnesses: if none of them waits more than it did, a batch takes what
 * is left over, and whoever is new beside it waits for something else, or a little for the scheduler each
 * time it wakes up. */
static bool is_harmless_batch(const struct situation *s, const double *p)
{
        bool has_witness = false;
        for (size_t i = 0; s->suspect->is_batch && i < s->count; i++) {
                if (!is_victim(s, &s->families[i]))
                        continue;
                struct loss loss = cpu_loss(s, &s->families[i]);
                if (is_worse_off(&loss, p))
                        return false;
                has_witness = has_witness || loss.is_usual_known;
        }
        return has_witness;
}

static void find_victims(struct situation *s, const double *p)
{
        size_t count = is_harmless_batch(s, p) ? 0 : s->count;
        s->victims_ledger = ledger_unknown();
        s->victim_count = 0;
        for (size_t i = 0; i < count; i++) {
                const struct family *family = &s->families[i];
                /* A fifth of what the loss must be in all: who waits less is not what the answer is about. */
                if (!is_victim(s, family) || lost_permille_of(family->ledger.cpu_wait, &family->ledger) < 50)
                        continue;
                if (s->is_mild) {
                        struct loss loss = cpu_loss(s, family);
                        if (!is_worse_off(&loss, p))
                                continue;
                }
                ledger_add(&s->victims_ledger, &family->ledger);
                size_t at = s->victim_count++;
                for (; at > 0 && s->victims[at - 1]->ledger.cpu_wait < family->ledger.cpu_wait; at--)
                        s->victims[at] = s->victims[at - 1];
                s->victims[at] = family;
        }
        double waited = s->victim_count > 0 ? (double)s->victims_ledger.cpu_wait : 0;
        /* Without the suspect the victims could have had what it used, and no more. */
        s->taken = waited < (double)s->suspect->cpu ? waited : (double)s->suspect->cpu;
        s->lost_permille = lost_permille_of((float)s->taken, &s->victims_ledger);
}

static void accuse(struct situation *s, const double *p, bool with_batch)
{
        s->suspect = find_suspect(s, p, with_batch);
        if (!s->suspect)
                return;
        s->is_greedy = (double)s->suspect->demand >= p[MINIMUM_DEMAND] / 1000 * s->cpus;
        find_victims(s, p);
}

/* Whether most of what the suspect uses now is used by processes that have lived for a while. */
static bool is_steady(const struct situation *s)
{
        float cpu = 0, steady = 0;
        for (uint32_t i = 0; i < s->suspect->program_count; i++) {
                const struct program *program = &s->latest->programs[s->suspect->programs[i]];
                cpu += program->cpu + program->children_cpu;
                steady += program->steady_cpu;
        }
        return steady >= cpu / 2;
}

/* Builders and swarms of short jobs get a minute: over that minute they must have used nearly as much as now.
 */
static bool is_short_burst(const struct situation *s, const double *p)
{
        const struct family *suspect = s->suspect;
        usec_t minute_usec = (usec_t)(p[BURST_SECONDS] * (double)USEC_PER_SEC);
        float used = 0;
        if (!is_build_tool(suspect->name) && is_steady(s))
                return false;
        if (history_covered(s->history, minute_usec) < minute_usec * 9 / 10)
                return true;
        for (uint32_t i = 0; i < suspect->program_count; i++) {
                struct program_window window;
                if (history_program(s->history, s->latest->programs[suspect->programs[i]].id, minute_usec, 0,
                                    &window))
                        used += window.cpu + window.children_cpu;
        }
        return (double)used < 0.7 * (double)suspect->cpu;
}

/* After slowd's start and after a gap the window holds less than its name says, and the mean of what little
 * there is would be that very burst of starting which the whole window passes over. An incident that is open
 * has been judged by a whole one: half is enough to stay. */
static double needed_seconds(const double *p, bool was_found)
{
        return was_found ? p[WINDOW_SECONDS] / 2 : p[WINDOW_SECONDS] * 7 / 8; /* ticks are not on the dot */
}

static void describe_wait(const struct situation *s, struct finding *finding)
{
        char share[UNITS_MAX], usual_share[UNITS_MAX];
        for (size_t i = 0; i < s->victim_count && i < FINDING_VICTIMS_MAX; i++) {
                const struct family *victim = s->victims[i];
                struct subject *subject = &finding->victims[finding->victim_count++];
                *subject = subject_of_family(s->latest, victim, victim->ledger.cpu_wait, SUBJECT_PROGRAM);
                double usual = usual_lost_permille(s->history, victim, finding->since_usec, cpu_wait_of);
                if (i >= 3)
                        continue;
                if (isnan(usual))
                        finding_evidence(finding, "cpu.waiting", subject->lost_permille, "permille", NAN, NAN,
                                         "%s waits for a CPU %s of the time it wants to work", victim->name,
                                         format_permille(share, subject->lost_permille));
                else
                        finding_evidence(finding, "cpu.waiting", subject->lost_permille, "permille", NAN,
                                         usual,
                                         "%s waits for a CPU %s of the time it wants to work (usually %s)",
                                         victim->name, format_permille(share, subject->lost_permille),
                                         format_permille(usual_share, usual));
        }
}

/* Those that fill the machine with it. */
static void describe_others(const struct situation *s, const double *p, struct finding *finding)
{
        char names[FINDING_TEXT_MAX / 2];
        size_t length = 0;
        double demand = 0;
        for (size_t i = 0; i < s->count && !s->is_greedy; i++) {
                const struct family *family = &s->families[i];
                if (family == s->suspect || family->is_batch || !can_be_suspect(s, family, p))
                        continue;
                demand += (double)family->demand;
                (void)text_append(names, sizeof(names), &length, "%s%s %.1f", length > 0 ? ", " : "",
                                  family->name, (double)family->demand);
        }
        if (length > 0)
                finding_evidence(finding, "cpu.others", 1000 * demand / s->cpus, "permille", NAN, NAN,
                                 "others want the rest: %s CPUs", names);
}

static void describe_suspect(const struct situation *s, const double *p, struct finding *finding)
{
        char share[UNITS_MAX], busy[UNITS_MAX];
        const struct family *suspect = s->suspect;
        finding_evidence(finding, "cpu.demand", 1000 * (double)suspect->demand / s->cpus, "permille",
                         p[MINIMUM_DEMAND], NAN, "%s wants %.1f CPUs, there are %.0f", suspect->name,
                         (double)suspect->demand, s->cpus);
        finding_evidence(finding, "cpu.share", 1000 * (double)suspect->cpu / s->cpus, "permille",
                         p[MINIMUM_SHARE], NAN, "%s uses %s of all CPU time; the CPUs are %s busy",
                         suspect->name, format_permille(share, 1000 * (double)suspect->cpu / s->cpus),
                         format_permille(busy, 1000 * s->busy));
        describe_others(s, p, finding);
        double some = history_mean(s->history, FIELD_PSI_CPU_SOME, s->window_usec);
        finding_evidence(finding, "pressure.cpu.some", 1000 * some, "permille", NAN, NAN,
                         "some task is waiting for a CPU %s of the time (PSI)",
                         format_permille(share, 1000 * some));
}

static void add_nice_remedy(const struct situation *s, struct finding *finding)
{
        const struct family *suspect = s->suspect, *victim = s->victims[0];
        const struct program *program = &s->latest->programs[suspect->programs[0]];
        const struct program *of_victim = &s->latest->programs[victim->programs[0]];
        char command[FINDING_TEXT_MAX] = "";
        switch (nice_between(s->latest, suspect, victim)) {
        case NICE_OTHER_SESSION:
                finding_evidence(finding, "cpu.autogroup", 1, "count", NAN, NAN,
                                 "renice does not help here: nice weighs only within one session (scheduler "
                                 "autogroup), and %s is in another session than %s",
                                 suspect->name, victim->name);
                text_format(command, sizeof(command), "echo 19 > /proc/%u/autogroup", program->first_pid);
                finding_remedy(finding, command, "lower the nice value of its whole session's autogroup");
                break;
        case NICE_OTHER_UNIT:
                finding_evidence(
                        finding, "cpu.unit", 1, "count", NAN, NAN,
                        "renice does not help here: nice weighs only within one unit, and %s (%s) is in "
                        "another than %s (%s)",
                        suspect->name, program->unit, victim->name, of_victim->unit);
                finding_remedy(finding,
                               command_on_unit(command, program->unit,
                                               "systemctl set-property --runtime %s CPUWeight=10",
                                               program->unit),
                               "lower the weight of its unit");
                break;
        case NICE_WORKS:
        case NICE_UNKNOWN:
                if (!suspect->is_batch)
                        finding_remedy(finding,
                                       command_to_processes(command, s->latest, suspect, "renice -n 19 -p"),
                                       "let it run behind the others");
                break;
        }
}

static void add_remedies(const struct situation *s, struct finding *finding)
{
        const struct family *suspect = s->suspect;
        const struct program *program = &s->latest->programs[suspect->programs[0]];
        char command[FINDING_TEXT_MAX];
        if (suspect->count > 1) {
                const char *script = finding->has_origin ? strrchr(finding->origin.script, '/') : NULL;
                if (script && script[1])
                        finding_remedy(finding, NULL, "start them one after the other in %s", script + 1);
                else
                        finding_remedy(finding, NULL, "run them one after the other");
        }
        add_nice_remedy(s, finding);
        (void)command_on_unit(command, program->unit, "systemctl set-property --runtime %s CPUQuota=%.0f%%",
                              program->unit, 50 * s->cpus);
        if (command[0])
                finding_remedy(finding, command, "hold it to half of the CPUs");
        finding_remedy(finding, command_to_processes(command, s->latest, suspect, "kill -STOP"),
                       "stop it for a while (kill -CONT lets it go on)");
}

static void found(struct situation *s, const double *p, struct finding *finding)
{
        char who[SUBJECT_NAME_MAX], share[UNITS_MAX];
        const struct family *suspect = s->suspect, *victim = s->victims[0];
        uint64_t id = s->latest->programs[suspect->programs[0]].id;
        finding->verdict = VERDICT_FOUND;
        finding->since_usec = history_program_since_cpu(s->history, id, suspect->cpu / 2);
        finding->lost_permille = s->lost_permille;
        finding->severity = s->lost_permille >= 500 ? SEVERITY_CRITICAL : SEVERITY_WARNING;
        finding->confidence_permille = s->is_greedy ? 950 : s->is_mild ? 600 : 700;
        finding->culprit = subject_of_family(s->latest, suspect, NAN, SUBJECT_PROGRAM);
        finding->has_origin = origin_of_family(s->latest, suspect, &finding->origin);
        describe_wait(s, finding);
        describe_suspect(s, p, finding);
        if (suspect->is_batch)
                finding_evidence(finding, "cpu.nice", 1, "count", NAN, NAN,
                                 "%s runs at low priority already, and the others wait all the same",
                                 suspect->name);
        add_remedies(s, finding);
        double demand = s->is_greedy ? (double)suspect->demand : s->demand;
        text_format(finding->summary, sizeof(finding->summary),
                    "%s %s %.*f CPUs of %.0f, and %s waits %s of its time",
                    family_words(who, sizeof(who), suspect),
                    !s->is_greedy        ? "and others want"
                    : suspect->count > 1 ? "want"
                                         : "wants",
                    demand < 9.95 ? 1 : 0, demand, s->cpus, victim->name,
                    format_permille(share, finding->victims[0].lost_permille));
}

/* Who did lose time, for a person who is one of them: a healthy machine is not fast for everybody. It is a
 * little share of their time, or a large one of next to none. */
static void say_near_miss(const struct situation *s, const char *busy, bool is_little,
                          struct finding *finding)
{
        char who[SUBJECT_NAME_MAX], losers[SUBJECT_NAME_MAX + 32] = "others", lost[UNITS_MAX];
        size_t count = s->victim_count;
        if (count > 1)
                text_format(losers, sizeof(losers), "%s and %zu other%s", s->victims[0]->name, count - 1,
                            count > 2 ? "s" : "");
        else if (count == 1)
                text_format(losers, sizeof(losers), "%s", s->victims[0]->name);
        finding_reason(finding, VERDICT_CLEAR,
                       "%s %s the CPUs (%s), but %s %s %s%s of %s time (%s%.0f ms each second)",
                       family_words(who, sizeof(who), s->suspect), s->suspect->count > 1 ? "fill" : "fills",
                       busy, losers, count == 1 ? "loses" : "lose", is_little ? "only " : "",
                       format_permille(lost, count > 0 ? s->lost_permille : 0), count == 1 ? "its" : "their",
                       is_little ? "" : "only ", 1000 * s->taken);
}

static void run(const struct check_context *context, struct finding *ret_finding)
{
        const double *p = context->parameters;
        char busy[UNITS_MAX], who[SUBJECT_NAME_MAX];
        struct situation s = {
                .history = context->history,
                .latest = history_latest(context->history),
                .window_usec = (usec_t)(p[WINDOW_SECONDS] * (double)USEC_PER_SEC),
        };
        s.busy = history_mean(s.history, FIELD_CPU_BUSY, s.window_usec);
        s.cpus = s.latest->sample->stat.cpu_count == ABSENT ? NAN : (double)s.latest->sample->stat.cpu_count;
        if (isnan(s.busy) || isnan(s.cpus)) {
                finding_reason(ret_finding, VERDICT_UNKNOWN, "the CPU times of /proc/stat cannot be read");
                return;
        }
        (void)format_permille(busy, 1000 * s.busy);
        if (1000 * s.busy < p[MINIMUM_BUSY]) {
                finding_reason(ret_finding, VERDICT_CLEAR, "the CPUs are %s busy", busy);
                return;
        }
        s.count = families_make(s.history, s.window_usec, s.families, FAMILIES_MAX);
        double threshold = context->was_found ? p[CLEAR_LOST] : p[RAISE_LOST];
        accuse(&s, p, true);
        /* A batch wants most and harms nobody: it must not hide who does. */
        if (s.suspect && s.suspect->is_batch && s.lost_permille < threshold && find_suspect(&s, p, false))
                accuse(&s, p, false);
        if (!s.suspect) {
                finding_reason(ret_finding, VERDICT_CLEAR,
                               "the CPUs are %s busy, but nobody asks for more than there is", busy);
                return;
        }
        (void)family_words(who, sizeof(who), s.suspect);
        if (s.lost_permille < threshold || 1000 * s.taken < p[MINIMUM_WAIT] ||
            (s.is_mild && s.taken < MILD_WAIT)) {
                say_near_miss(&s, busy, s.lost_permille < threshold, ret_finding);
                return;
        }
        if (is_short_burst(&s, p)) {
                finding_reason(ret_finding, VERDICT_CLEAR, "%s: short jobs for under %.0f s", who,
                               p[BURST_SECONDS]);
                return;
        }
        double needed_sec = needed_seconds(p, context->was_found);
        if ((double)history_covered(s.history, s.window_usec) < needed_sec * (double)USEC_PER_SEC) {
                finding_reason(ret_finding, VERDICT_CLEAR, "%s: for less than %.0f s yet", who, needed_sec);
                return;
        }
        found(&s, p, ret_finding);
}

static const char *const explains[] = { "cpu.contention", NULL };

const struct check check_cpu_overload = {
        .name = "cpu.overload",
        .title = "One program asks for more CPU than there is",
        .message_id = "478555e1f0ea4188bdcbc467eae821a6",
        .culprit_kind = SUBJECT_PROGRAM,
        .cause = "All processes of one program together want more CPU time than the machine has, so the "
                 "kernel deals it "
                 "out in turns. Programs that only want a little, such as a web server, wait for their turn "
                 "too.",
        .meaning = "Everything that needs a CPU takes longer: pages answer late, shells lag. Nothing is "
                   "broken, and it "
                   "ends when the work is done.",
        .remedy = "Run the jobs one after the other instead of all at once, give their unit a lower "
                  "CPUWeight or a "
                  "CPUQuota, or lower the nice value of their session's autogroup. renice alone helps only "
                  "against "
                  "programs of the same session or unit.",
        .look_alike = "The same work at nice 19, SCHED_IDLE or a low CPUWeight where that takes effect, work "
                      "inside a "
                      "CPU quota, and a build of under a minute are not an overload: the CPUs are busy, but "
                      "others lose "
                      "next to nothing.",
        .explains = explains,
        .parameters = parameters,
        .run = run,
};
