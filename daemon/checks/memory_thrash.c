/* memory.thrash: the working set does not fit; pages are swapped or re-read over and over. Told by pages that
 * come back together with time that is lost to it: swap that is full but cold is no harm. */
#include <string.h>

#include "common/text.h"
#include "common/units.h"
#include "daemon/checks/blame.h"

enum { WINDOW_SECONDS, MINIMUM_SWAP, RAISE_LOST, CLEAR_LOST, MINIMUM_RATIO, REFAULT_SHARE };

static const struct check_parameter parameters[] = {
        [WINDOW_SECONDS] = { "WindowSeconds", "seconds", 10, 2, 300, "the window whose means are judged",
                             "a single burst (a program that wakes up, a swap-out before hibernation) is "
                             "over sooner",
                             "lmkd and oomd judge 10 s too" },
        [MINIMUM_SWAP] = { "MinimumSwapPagesPerSecond", "perSecond", 200, 10, 1000000,
                           "pages swapped in, each second",
                           "about what one rotating disk can deliver at random; mild overcommit stays far "
                           "below",
                           "measured: 33/s under harmless overcommit, 12,400/s when thrashing" },
        [RAISE_LOST] = { "RaiseLostPermille", "permille", 100, 10, 1000,
                         "share of time lost to it: by the programs that touch the pages, or by PSI (memory "
                         "or io full)",
                         "a tenth of the time is felt by everybody, cold swap costs nothing at all",
                         "measured: thrash 130 permille memory full and 400 io full; cold swap 0" },
        [CLEAR_LOST] = { "ClearLostPermille", "permille", 50, 5, 1000, "below this an open incident ends",
                         "half the raise level, so that an answer does not flap", "hysteresis" },
        [MINIMUM_RATIO] = { "MinimumReturnPermille", "permille", 250, 0, 1000,
                            "pages going the other way (in for out, out for in), as a share",
                            "thrashing moves pages both ways; a swap-out burst or a program coming back only "
                            "one",
                            "measured: in and out are equal within 1 % when thrashing" },
        [REFAULT_SHARE] = { "RefaultPermillePerSecond", "permille", 300, 10, 10000,
                            "file pages of the working set read again each second, of all file pages",
                            "nearly a third of the cache read again every second is no caching any more",
                            "Android lmkd: thrashing limit 30 % on small devices" },
        { NULL, NULL, 0, 0, 0, NULL, NULL, NULL },
};

static float memory_wait_of(const struct ledger *ledger)
{
        float sum = isnan(ledger->swap_wait) ? 0 : ledger->swap_wait;
        return isnan(ledger->reclaim_wait) ? sum : sum + ledger->reclaim_wait;
}

struct situation {
        const struct history *history;
        const struct snapshot *latest;
        usec_t window_usec;
        double swap_in, swap_out; /* pages per second */
        double refault_share;     /* file pages re-read per second, of all file pages */
        double stalled;           /* PSI: all tasks stalled on memory or I/O, share of time */
        bool is_swap, is_file;
        struct family families[FAMILIES_MAX];
        size_t count;
        const struct family *suspect;
        const struct family *victims[FAMILIES_MAX];
        size_t victim_count;
        int32_t lost_permille;
};

static double largest(double a, double b)
{
        return isnan(a) || b > a ? b : a;
}

static double page_bytes_of(const struct situation *s)
{
        uint64_t bytes = s->latest->sample->machine.page_bytes;
        return bytes == ABSENT || bytes == 0 ? NAN : (double)bytes;
}

static void measure(struct situation *s)
{
        double page_bytes = page_bytes_of(s);
        s->swap_in = history_mean(s->history, FIELD_SWAP_IN_PAGES, s->window_usec);
        s->swap_out = history_mean(s->history, FIELD_SWAP_OUT_PAGES, s->window_usec);
        double restored = history_mean(s->history, FIELD_RESTORE_FILE, s->window_usec);
        double file_pages = history_mean(s->history, FIELD_MEMORY_FILE_BYTES, s->window_usec) / page_bytes;
        s->refault_share = file_pages > 0 ? restored / file_pages : NAN;
}

/* Swapping shows as I/O pressure, mostly; but of that only the part that is swapping: a backup stalls
 * everybody on the disk as well, and a few hundred pages a second come and go beside it. */
static void measure_stalls(struct situation *s)
{
        double io = history_mean(s->history, FIELD_PSI_IO_FULL, s->window_usec);
        double disk_bytes = history_mean(s->history, FIELD_DISK_READ_BYTES, s->window_usec) +
                            history_mean(s->history, FIELD_DISK_WRITE_BYTES, s->window_usec);
        double swap_bytes = (s->swap_in + s->swap_out) * page_bytes_of(s);
        if (!s->is_file && swap_bytes < disk_bytes)
                io *= swap_bytes / disk_bytes;
        s->stalled = largest(history_mean(s->history, FIELD_PSI_MEMORY_FULL, s->window_usec), io);
}

/* Pages go both ways; or only in, but more within a minute than the swap has held: the same clean pages again
 * and again. (Once each is a program that comes back, or swapoff.) */
static bool is_swapping(const struct situation *s, const double *p)
{
        if (!(s->swap_in >= p[MINIMUM_SWAP]))
                return false;
        double less = s->swap_in < s->swap_out ? s->swap_in : s->swap_out;
        double more = s->swap_in < s->swap_out ? s->swap_out : s->swap_in;
        if (1000 * less >= p[MINIMUM_RATIO] * more)
                return true;
        double brought_bytes =
                history_total(s->history, FIELD_SWAP_IN_PAGES, USEC_PER_MINUTE) * page_bytes_of(s);
        return brought_bytes > 1.2 * history_max(s->history, FIELD_SWAP_USED_BYTES, USEC_PER_MINUTE);
}

/* The cache is being re-read although memory is nearly out: not one file read through, which refaults
 * nothing. */
static bool is_refaulting(const struct situation *s, const double *p)
{
        double available = s->latest->value[FIELD_MEMORY_AVAILABLE_BYTES];
        double total = s->latest->value[FIELD_MEMORY_TOTAL_BYTES];
        return 1000 * s->refault_share >= p[REFAULT_SHARE] && available < 0.1 * total;
}

/* The largest contributor: who faults most on the most memory. */
static void find_suspect(struct situation *s)
{
        double best = 0;
        for (size_t i = 0; i < s->count; i++) {
                const struct family *family = &s->families[i];
                if (family->is_kernel || family->is_self || family->memory_bytes == ABSENT)
                        continue;
                double faults = s->is_swap ? (double)family->major_faults : 1;
                double score = (faults + 1000 * (double)memory_wait_of(&family->ledger)) *
                               (double)family->memory_bytes;
                if (score > best) {
                        best = score;
                        s->suspect = family;
                }
        }
}

static void find_victims(struct situation *s)
{
        struct ledger all = ledger_unknown();
        float waited = 0;
        for (size_t i = 0; i < s->count; i++) {
                const struct family *family = &s->families[i];
                float wait = memory_wait_of(&family->ledger);
                if (family->is_kernel || family->is_self || !(wait >= 0.01F) ||
                    lost_permille_of(wait, &family->ledger) < 50)
                        continue;
                ledger_add(&all, &family->ledger);
                waited += wait;
                size_t at = s->victim_count++;
                for (; at > 0 && memory_wait_of(&s->victims[at - 1]->ledger) < wait; at--)
                        s->victims[at] = s->victims[at - 1];
                s->victims[at] = family;
        }
        int32_t by_ledger = lost_permille_of(waited, &all);
        int32_t by_pressure = isnan(s->stalled) ? 0 : (int32_t)(1000 * s->stalled);
        s->lost_permille = by_ledger > by_pressure ? by_ledger : by_pressure;
}

/* The limited control group that the suspect is in and fills, if that is what it does not fit into. */
static const struct cgroup_sample *full_group(const struct situation *s)
{
        uint64_t id = s->latest->programs[s->suspect->programs[0]].cgroup_id;
        for (size_t i = 0; i < s->latest->unit_count; i++) {
                const struct cgroup_sample *group = s->latest->units[i].sample;
                if (group->id != id)
                        continue;
                uint64_t limit = group->memory_max_bytes < group->memory_high_bytes
                                         ? group->memory_max_bytes
                                         : group->memory_high_bytes;
                if (limit != ABSENT && group->memory_bytes != ABSENT && group->memory_bytes >= limit / 10 * 9)
                        return group;
        }
        return NULL;
}

static void describe(const struct situation *s, const double *p, struct finding *finding)
{
        char in[UNITS_MAX], out[UNITS_MAX], share[UNITS_MAX], size[UNITS_MAX];
        if (s->is_swap)
                finding_evidence(finding, "swap.in", s->swap_in, "perSecond", p[MINIMUM_SWAP], NAN,
                                 "%s pages swapped in and %s out each second", format_count(in, s->swap_in),
                                 format_count(out, s->swap_out));
        if (s->is_file)
                finding_evidence(finding, "memory.refault", 1000 * s->refault_share, "permille",
                                 p[REFAULT_SHARE], NAN, "%s of the file cache is read again each second",
                                 format_permille(share, 1000 * s->refault_share));
        finding_evidence(finding, "pressure.full", 1000 * s->stalled, "permille", NAN, NAN,
                         "all running programs stand still for pages %s of the time (PSI)",
                         format_permille(share, 1000 * s->stalled));
        if (s->suspect)
                finding_evidence(finding, "memory.program", (double)s->suspect->memory_bytes, "bytes", NAN,
                                 NAN, "%s holds %s, swap included", s->suspect->name,
                                 format_bytes(size, (double)s->suspect->memory_bytes));
}

static void add_remedies(const struct situation *s, const struct cgroup_sample *group,
                         struct finding *finding)
{
        char command[FINDING_TEXT_MAX];
        const char *unit = s->latest->programs[s->suspect->programs[0]].unit;
        if (group) {
                (void)command_on_unit(command, group->unit,
                                      "systemctl set-property %s MemoryMax=%" PRIu64 "M", group->unit,
                                      s->suspect->memory_bytes / 1000000 * 5 / 4);
                finding_remedy(finding, command, "give its group more memory, or the program less to do");
        }
        (void)command_on_unit(command, unit, "systemctl restart %s", unit);
        finding_remedy(finding, command, "restart or close %s, which frees its memory", s->suspect->name);
        finding_remedy(finding, command_to_processes(command, s->latest, s->suspect, "kill -STOP"),
                       "stop it for a while, so that the others get through");
}

static void found(const struct situation *s, const double *p, struct finding *finding)
{
        char in[UNITS_MAX], lost[UNITS_MAX], size[UNITS_MAX], limit[UNITS_MAX];
        finding->verdict = VERDICT_FOUND;
        finding->since_usec = s->is_swap
                                      ? history_since_above(s->history, FIELD_SWAP_IN_PAGES, p[MINIMUM_SWAP])
                                      : s->latest->time.realtime_usec - s->window_usec;
        finding->lost_permille = s->lost_permille;
        finding->severity = s->lost_permille >= 400 ? SEVERITY_CRITICAL : SEVERITY_WARNING;
        finding->confidence_permille = s->is_swap ? 950 : 800;
        for (size_t i = 0; i < s->victim_count && i < FINDING_VICTIMS_MAX; i++)
                finding->victims[finding->victim_count++] = subject_of_family(
                        s->latest, s->victims[i], memory_wait_of(&s->victims[i]->ledger), SUBJECT_PROGRAM);
        describe(s, p, finding);
        (void)format_permille(lost, s->lost_permille);
        if (!s->suspect) {
                finding->culprit = subject_machine(s->latest);
                text_format(
                        finding->summary, sizeof(finding->summary),
                        "the memory does not hold what is in use: %s of the time is lost to fetching pages",
                        lost);
                return;
        }
        finding->culprit = subject_of_family(s->latest, s->suspect, NAN, SUBJECT_PROGRAM);
        finding->has_origin = origin_of_family(s->latest, s->suspect, &finding->origin);
        const struct cgroup_sample *group = full_group(s);
        (void)format_bytes(size, (double)s->suspect->memory_bytes);
        if (group) {
                uint64_t most = group->memory_max_bytes < group->memory_high_bytes ? group->memory_max_bytes
                                                                                   : group->memory_high_bytes;
                finding_evidence(finding, "memory.limit", (double)most, "bytes", NAN, NAN,
                                 "its group %s is limited to %s and full", group->unit,
                                 format_bytes(limit, (double)most));
                text_format(finding->summary, sizeof(finding->summary),
                            "%s needs %s but its group may hold only %s; it swaps %s pages in each "
                            "second, and %s of "
                            "the time is lost to that",
                            s->suspect->name, size, limit, format_count(in, s->swap_in), lost);
        } else {
                text_format(
                        finding->summary, sizeof(finding->summary),
                        "the memory does not hold what is in use: %s holds %s, and %s of the time is lost to "
                        "%s",
                        s->suspect->name, size, lost, s->is_swap ? "swapping" : "reading files again");
        }
        add_remedies(s, group, finding);
}

static void run(const struct check_context *context, struct finding *ret_finding)
{
        const double *p = context->parameters;
        char in[UNITS_MAX], lost[UNITS_MAX];
        struct situation s = {
                .history = context->history,
                .latest = history_latest(context->history),
                .window_usec = (usec_t)(p[WINDOW_SECONDS] * (double)USEC_PER_SEC),
        };
        measure(&s);
        if (isnan(s.swap_in)) {
                finding_reason(ret_finding, VERDICT_UNKNOWN,
                               "swapping cannot be seen: /proc/vmstat cannot be read");
                return;
        }
        s.is_swap = is_swapping(&s, p);
        s.is_file = is_refaulting(&s, p);
        measure_stalls(&s);
        s.count = families_make(s.history, s.window_usec, s.families, FAMILIES_MAX);
        find_victims(&s);
        (void)format_permille(lost, s.lost_permille);
        (void)format_count(in, s.swap_in);
        if (!s.is_swap && !s.is_file) {
                double used = s.latest->value[FIELD_SWAP_USED_BYTES];
                char swap[UNITS_MAX];
                if (s.swap_in < 1)
                        finding_reason(ret_finding, VERDICT_CLEAR, "no swap-ins (%s of swap in use, cold)",
                                       format_bytes(swap, used));
                else
                        finding_reason(ret_finding, VERDICT_CLEAR, "only %s pages swapped in each second",
                                       in);
                return;
        }
        if (s.lost_permille < (context->was_found ? p[CLEAR_LOST] : p[RAISE_LOST])) {
                finding_reason(ret_finding, VERDICT_CLEAR,
                               "%s pages swapped in each second cost only %s of the time", in, lost);
                return;
        }
        if (history_covered(s.history, s.window_usec) < s.window_usec / 2) {
                finding_reason(ret_finding, VERDICT_CLEAR,
                               "%s pages swapped in each second, for a moment yet", in);
                return;
        }
        find_suspect(&s);
        found(&s, p, ret_finding);
}

static const char *const explains[] = { "memory.limit", "memory.oom", "disk.saturated", "disk.slow", NULL };

const struct check check_memory_thrash = {
        .name = "memory.thrash",
        .title = "The working set does not fit: pages are swapped or re-read over and over",
        .message_id = "784e801bbeb647cabf71222f96684a63",
        .culprit_kind = SUBJECT_PROGRAM,
        .cause = "Programs touch more memory than there is (or than their control group may hold). Each "
                 "touch of a page "
                 "that is out pushes another one out that is needed next, so the same pages travel to the "
                 "disk and back.",
        .meaning = "Programs stand still for every page; even simple ones take seconds. The disk looks busy, "
                   "but it is "
                   "not the cause.",
        .remedy = "Close or restart the largest program, raise its limit, start fewer at once, or add "
                  "memory. A "
                  "MemoryHigh= on the culprit's unit confines the damage to it.",
        .look_alike = "Swap that is full but cold, a single swap-out burst, and a large file read once move "
                      "pages too, "
                      "but nobody waits for them.",
        .explains = explains,
        .parameters = parameters,
        .run = run,
};
