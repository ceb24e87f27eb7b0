/* disk.saturated: one program keeps a disk busy, and others wait for it. A disk that is busy while nobody
 * else waits, or that serves an idle-class backup, is a disk at work. */
#include <string.h>

#include "common/text.h"
#include "common/units.h"
#include "daemon/checks/blame.h"

enum { WINDOW_SECONDS, RAISE_LOST, CLEAR_LOST, MINIMUM_WAIT, MINIMUM_BUSY, MINIMUM_SHARE, MINIMUM_OF_DISK };

static const struct check_parameter parameters[] = {
        [WINDOW_SECONDS] = { "WindowSeconds", "seconds", 10, 2, 300, "the window whose means are judged",
                             "one flush of the cache takes seconds on a slow disk; it must not be an answer",
                             "the kernel writes back every 5 s (dirty_writeback_centisecs)" },
        [RAISE_LOST] = { "RaiseLostPermille", "permille", 250, 20, 1000,
                         "share of the time they want to work that the victims must lose to the disk",
                         "a program that reads waits for its disk in any case; a quarter of its time is more "
                         "than that",
                         "the same level as for CPUs, so that causes can be compared" },
        [CLEAR_LOST] = { "ClearLostPermille", "permille", 150, 10, 1000, "below this an open incident ends",
                         "well below the raise level, so that an answer does not flap", "hysteresis" },
        [MINIMUM_WAIT] = { "MinimumWaitPermille", "permille", 50, 1, 1000,
                           "time all victims together must lose, of one task's time",
                           "50 ms in each second; less is a daemon writing its state",
                           "psi-notify raises at io full 15 %" },
        [MINIMUM_BUSY] = { "MinimumBusyPermille", "permille", 800, 100, 1000,
                           "share of time with requests in flight, or with somebody stalled on I/O (PSI "
                           "some) where a "
                           "limit holds requests back before they reach the disk",
                           "whoever waits less than that waits for single slow requests, which is another "
                           "finding",
                           "pmie: disk busy above 95 %; netdata: 98 % over 10 min; waits make 80 % safe" },
        [MINIMUM_SHARE] = { "MinimumSharePermille", "permille", 500, 100, 1000,
                            "share of all bytes read and written that the suspect must move",
                            "one program is to blame only if it moves more than all others together",
                            "convention" },
        [MINIMUM_OF_DISK] = { "MinimumOfDiskPermille", "permille", 100, 0, 1000,
                              "share of what the busy disk really moves that the suspect must account for",
                              "the kernel still writes back what a program has long finished writing; who "
                              "moves next to nothing meanwhile is not to blame",
                              "a synced 4 KiB write is several times that with its journal (ext4), so no "
                              "more is asked" },
        { NULL, NULL, 0, 0, 0, NULL, NULL, NULL },
};

static float disk_wait_of(const struct ledger *ledger)
{
        return ledger->disk_wait;
}

struct situation {
        const struct history *history;
        const struct snapshot *latest;
        usec_t window_usec;
        double busy;    /* of the busiest disk, share of time */
        double stalled; /* PSI io some */
        struct family families[FAMILIES_MAX];
        size_t count;
        double bytes;   /* moved by all programs, per second */
        double weights; /* the same as find_suspect() weighs it */
        const struct family *suspect;
        const struct family *victims[FAMILIES_MAX];
        size_t victim_count;
        struct family twin; /* the part of the suspect's own family that waits and moves little */
        int32_t lost_permille;
        double waited;
};

static double moved(const struct family *family)
{
        return (double)family->read_bytes + (double)family->write_bytes;
}

static double carried(const struct disk_rate *disk)
{
        return (isnan(disk->read_bytes) ? 0 : (double)disk->read_bytes) +
               (isnan(disk->write_bytes) ? 0 : (double)disk->write_bytes);
}

/* The kernel counts a process's bytes, not on which disk. Somebody who moves far more than the busy disk
 * carries may be filling the cache in front of it, and then waits for it as well; who does not wait, or whose
 * bytes are seen on another disk, works there. */
#define BYTES_EXCESS 1.5
#define WAIT_LEAST   200 /* permille of its time */
#define OTHER_SHARE  0.5

static bool is_elsewhere(const struct snapshot *latest, const struct disk_rate *busy,
                         const struct family *family)
{
        if (!busy || !(busy->busy >= 0.5F) || moved(family) <= BYTES_EXCESS * carried(busy))
                return false;
        if (lost_permille_of(family->ledger.disk_wait, &family->ledger) < WAIT_LEAST)
                return true;
        for (size_t i = 0; i < latest->disk_count; i++) {
                const struct disk_rate *disk = &latest->disks[i];
                if (disk != busy && !disk->sample->is_partition && !disk->sample->is_memory &&
                    carried(disk) >= OTHER_SHARE * moved(family))
                        return true;
        }
        return false;
}

/* What somebody moves counts in full if it waits for its own requests, as whoever fills a disk sooner or
 * later does; of what goes into the cache unhindered, which may belong to any disk, a part. */
#define UNHINDERED_PART 0.2

static double weight(const struct family *family)
{
        double waits = (double)lost_permille_of(family->ledger.disk_wait, &family->ledger) / 1000;
        return moved(family) * (waits > UNHINDERED_PART ? waits : UNHINDERED_PART);
}

static void find_suspect(struct situation *s)
{
        const struct disk_rate *busy = busiest_disk(s->latest);
        for (size_t i = 0; i < s->count; i++) {
                const struct family *family = &s->families[i];
                if (is_elsewhere(s->latest, busy, family))
                        continue;
                s->bytes += moved(family);
                s->weights += weight(family);
                if (family->is_kernel || family->is_self)
                        continue;
                if (!s->suspect || weight(family) > weight(s->suspect))
                        s->suspect = family;
        }
}

/* Processes of one name can be both: a copy that fills the disk and another that waits for it. Those that
 * move less than a tenth of what the greatest mover of the family moves are not part of the suspect. Judged
 * on the latest interval, for the ring knows programs, not processes. Parent and child are one job: rsync is
 * three processes of which one writes. */
#define TWIN_SHARE 0.1F

static bool is_lineage(const struct process_identity *a, const struct process_identity *b)
{
        for (uint32_t i = 0; i < a->chain_length; i++)
                if (a->chain[i].pid == b->pid)
                        return true;
        return false;
}

static void split_twin(struct situation *s)
{
        const struct snapshot *latest = s->latest;
        const struct process_identity *mover = NULL;
        float most = 0;
        s->twin = (struct family){ .name = s->suspect->name,
                                   .ledger = ledger_unknown(),
                                   .memory_bytes = ABSENT };
        for (int pass = 0; pass < 2; pass++) {
                for (size_t i = 0; i < latest->process_count; i++) {
                        const struct process_rate *rate = &latest->processes[i];
                        if (strcmp(latest->programs[rate->program].name, s->suspect->name) != 0)
                                continue;
                        float bytes = (isnan(rate->read_bytes) ? 0 : rate->read_bytes) +
                                      (isnan(rate->write_bytes) ? 0 : rate->write_bytes);
                        const struct process_identity *identity = rate->sample->identity;
                        if (pass == 0) {
                                if (bytes > most) {
                                        most = bytes;
                                        mover = identity;
                                }
                        } else if (mover && bytes < TWIN_SHARE * most &&
                                   ledger_wanted(&rate->ledger) > 0.05F && !is_lineage(identity, mover) &&
                                   !is_lineage(mover, identity)) {
                                ledger_add(&s->twin.ledger, &rate->ledger);
                                s->twin.count++;
                                s->twin.programs[0] = rate->program;
                                s->twin.program_count = 1;
                        }
                }
        }
}

static bool loses_to_disk(const struct family *family)
{
        return family->ledger.disk_wait >= 0.01F &&
               lost_permille_of(family->ledger.disk_wait, &family->ledger) >= 100;
}

static bool is_victim(const struct situation *s, const struct family *family)
{
        return family != s->suspect && !family->is_kernel && !family->is_self && !family->is_batch &&
               loses_to_disk(family) && moved(family) < moved(s->suspect) / 2 &&
               !is_same_job(s->latest, s->suspect, family);
}

static void find_victims(struct situation *s)
{
        struct ledger all = ledger_unknown();
        split_twin(s);
        for (size_t i = 0; i <= s->count; i++) {
                const struct family *family = i < s->count ? &s->families[i] : &s->twin;
                bool is_twin = i == s->count;
                if (is_twin ? !loses_to_disk(family) : !is_victim(s, family))
                        continue;
                ledger_add(&all, &family->ledger);
                size_t at = s->victim_count++;
                for (; at > 0 && s->victims[at - 1]->ledger.disk_wait < family->ledger.disk_wait; at--)
                        s->victims[at] = s->victims[at - 1];
                s->victims[at] = family;
                if (s->victim_count == FAMILIES_MAX)
                        break;
        }
        s->waited = s->victim_count > 0 && !isnan(all.disk_wait) ? (double)all.disk_wait : 0;
        s->lost_permille = lost_permille_of((float)s->waited, &all);
}

/* Where a limit holds requests back before they reach a disk, the disks say nothing about it. */
static bool moves_enough(const struct situation *s, const double *p)
{
        const struct disk_rate *disk = busiest_disk(s->latest);
        if (!(1000 * weight(s->suspect) >= p[MINIMUM_SHARE] * s->weights) || s->weights <= 0)
                return false;
        if (!disk || !(1000 * s->busy >= p[MINIMUM_BUSY]))
                return true;
        return !(1000 * moved(s->suspect) <
                 p[MINIMUM_OF_DISK] * (double)(disk->read_bytes + disk->write_bytes));
}

static void describe(const struct situation *s, const double *p, struct finding *finding)
{
        char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX];
        const struct disk_rate *disk = busiest_disk(s->latest);
        for (size_t i = 0; i < s->victim_count && i < FINDING_VICTIMS_MAX; i++) {
                const struct family *victim = s->victims[i];
                struct subject *subject = &finding->victims[finding->victim_count++];
                *subject = subject_of_family(s->latest, victim, victim->ledger.disk_wait, SUBJECT_PROGRAM);
                subject->count = victim->count;
                double usual = victim == &s->twin ? NAN
                                                  : usual_lost_permille(s->history, victim,
                                                                        finding->since_usec, disk_wait_of);
                if (i < 3)
                        finding_evidence(finding, "disk.waiting", subject->lost_permille, "permille", NAN,
                                         usual, "%s waits for the disk %s of the time it wants to work",
                                         victim->name, format_permille(a, subject->lost_permille));
        }
        finding_evidence(finding, "disk.moved", moved(s->suspect), "bytesPerSecond", NAN, NAN,
                         "%s reads %s and writes %s each second (%.0f %% of all)", s->suspect->name,
                         format_bytes(a, (double)s->suspect->read_bytes),
                         format_bytes(b, (double)s->suspect->write_bytes),
                         100 * moved(s->suspect) / s->bytes);
        if (disk && !isnan(disk->busy))
                finding_evidence(finding, "disk.busy", 1000 * s->busy, "permille", p[MINIMUM_BUSY], NAN,
                                 "%s is busy %s of the time, a request takes %.0f ms", disk->sample->name,
                                 format_permille(c, 1000 * s->busy),
                                 isnan(disk->await_msec) ? 0 : (double)disk->await_msec);
        finding_evidence(finding, "pressure.io.some", 1000 * s->stalled, "permille", NAN, NAN,
                         "some task stands still for I/O %s of the time (PSI)",
                         format_permille(c, 1000 * s->stalled));
}

static void add_remedies(const struct situation *s, struct finding *finding)
{
        char command[FINDING_TEXT_MAX];
        const struct program *program = &s->latest->programs[s->suspect->programs[0]];
        finding_remedy(finding, command_to_processes(command, s->latest, s->suspect, "ionice -c 3 -p"),
                       "let it use the disk only when nobody else does (with the bfq scheduler)");
        (void)command_on_unit(command, program->unit, "systemctl set-property --runtime %s IOWeight=10",
                              program->unit);
        if (command[0])
                finding_remedy(finding, command, "lower the I/O weight of its unit");
        finding_remedy(finding, command_to_processes(command, s->latest, s->suspect, "kill -STOP"),
                       "stop it for a while (kill -CONT lets it go on)");
}

static void found(const struct situation *s, const double *p, struct finding *finding)
{
        char who[SUBJECT_NAME_MAX], share[UNITS_MAX], rate[UNITS_MAX];
        const struct disk_rate *disk = busiest_disk(s->latest);
        uint64_t id = s->latest->programs[s->suspect->programs[0]].id;
        finding->verdict = VERDICT_FOUND;
        finding->since_usec = history_program_since_io(s->history, id, (float)(moved(s->suspect) / 4));
        finding->lost_permille = s->lost_permille;
        finding->severity = s->lost_permille >= 600 ? SEVERITY_CRITICAL : SEVERITY_WARNING;
        finding->confidence_permille = s->victims[0]->delays_known ? 900 : 700;
        finding->culprit = subject_of_family(s->latest, s->suspect, NAN, SUBJECT_PROGRAM);
        finding->has_origin = origin_of_family(s->latest, s->suspect, &finding->origin);
        describe(s, p, finding);
        add_remedies(s, finding);
        text_format(finding->summary, sizeof(finding->summary),
                    "%s %s the disk%s%s (%s each second), and %s waits %s of its time for it",
                    family_words(who, sizeof(who), s->suspect), s->suspect->count > 1 ? "fill" : "fills",
                    disk ? " " : "", disk ? disk->sample->name : "", format_bytes(rate, moved(s->suspect)),
                    s->victims[0]->name, format_permille(share, finding->victims[0].lost_permille));
}

static void run(const struct check_context *context, struct finding *ret_finding)
{
        const double *p = context->parameters;
        char busy[UNITS_MAX], lost[UNITS_MAX], who[SUBJECT_NAME_MAX];
        struct situation s = {
                .history = context->history,
                .latest = history_latest(context->history),
                .window_usec = (usec_t)(p[WINDOW_SECONDS] * (double)USEC_PER_SEC),
        };
        s.busy = history_mean(s.history, FIELD_DISK_BUSY_MAX, s.window_usec);
        s.stalled = history_mean(s.history, FIELD_PSI_IO_SOME, s.window_usec);
        double in_use = isnan(s.busy) || s.stalled > s.busy ? s.stalled : s.busy;
        if (isnan(in_use)) {
                finding_reason(ret_finding, VERDICT_UNKNOWN,
                               "neither /proc/diskstats nor /proc/pressure/io can be read");
                return;
        }
        (void)format_permille(busy, 1000 * (isnan(s.busy) ? 0 : s.busy));
        if (1000 * in_use < p[MINIMUM_BUSY]) {
                finding_reason(ret_finding, VERDICT_CLEAR, "the busiest disk is in use %s of the time", busy);
                return;
        }
        s.count = families_make(s.history, s.window_usec, s.families, FAMILIES_MAX);
        find_suspect(&s);
        if (!s.suspect || !moves_enough(&s, p)) {
                finding_reason(ret_finding, VERDICT_CLEAR,
                               "a disk is in use %s of the time, but by no single program", busy);
                return;
        }
        find_victims(&s);
        double threshold = context->was_found ? p[CLEAR_LOST] : p[RAISE_LOST];
        (void)family_words(who, sizeof(who), s.suspect);
        if (s.lost_permille < threshold || 1000 * s.waited < p[MINIMUM_WAIT]) {
                finding_reason(ret_finding, VERDICT_CLEAR,
                               "%s keeps a disk busy, but others lose only %s of their time to it", who,
                               format_permille(lost, s.victim_count > 0 ? s.lost_permille : 0));
                return;
        }
        if (history_covered(s.history, s.window_usec) < s.window_usec / 2) {
                finding_reason(ret_finding, VERDICT_CLEAR, "%s keeps a disk busy, for a moment yet", who);
                return;
        }
        found(&s, p, ret_finding);
}

const struct check check_disk_saturated = {
        .name = "disk.saturated",
        .title = "One program keeps the disk busy, and others wait for it",
        .message_id = "0cb4c75073694b3796e7df2c4c172332",
        .culprit_kind = SUBJECT_PROGRAM,
        .cause = "One program reads or writes as much as the disk can take. Requests of other programs queue "
                 "behind its "
                 "own.",
        .meaning = "Whatever needs the disk takes longer: programs start slowly, databases and mail servers "
                   "commit late.",
        .remedy = "Let the program run when nobody works, give it idle I/O priority or a lower IOWeight=, or "
                  "limit it "
                  "with IOWriteBandwidthMax=.",
        .look_alike = "A disk that is busy while nobody else waits for it, and a backup at idle I/O "
                      "priority, are at work. "
                      "Swapping keeps a disk busy too: that is memory.thrash.",
        .explains = (const char *const[]){ NULL },
        .parameters = parameters,
        .run = run,
};
