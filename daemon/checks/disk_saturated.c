/* disk.saturated: one program keeps a disk busy, and others wait for it. A disk that is busy while nobody
 * else waits, or that serves an idle-class backup, is a disk at work. */
#include <string.h>

#include "common/text.h"
#include "common/units.h"
#include "daemon/checks/disk_use.h"

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

struct situation {
        const struct history *history;
        const struct snapshot *latest;
        const struct added_workers *workers;
        usec_t window_usec;
        double busy;    /* of the busiest disk, share of time */
        double stalled; /* PSI io some */
        struct family families[FAMILIES_MAX];
        struct disk_use uses[FAMILIES_MAX];
        size_t count;
        double bytes; /* moved by all programs, per second */
        const struct family *suspect;
        struct disk_use place;        /* where the suspect is in the way */
        const struct disk_rate *disk; /* the one to name */
        usec_t since_usec;
        const struct family *victims[FAMILIES_MAX];
        double usual_permille[FAMILIES_MAX];
        double victim_lost[FAMILIES_MAX]; /* seconds per second that it loses to the suspect */
        size_t victim_count;
        struct family twin; /* the part of the suspect's own family that waits and moves little */
        int32_t lost_permille;
        double waited;
};

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

/* Who has blocks discarded waits for requests of its own, and no byte tells that the disk's time is theirs.
 */
static bool is_byteless(const struct situation *s, const struct family *family)
{
        const struct program *program = &s->latest->programs[family->programs[0]];
        const struct process_sample *process = sample_find_process(s->latest->sample, program->first_pid);
        struct worker worker;
        uint32_t pid;
        return process &&
               worker_of_process(s->latest->sample, process->identity, s->workers, &worker, &pid) &&
               worker.is_byteless;
}

static bool is_victim(const struct situation *s, const struct family *family)
{
        if (family == s->suspect || family->is_kernel || family->is_self || family->is_batch ||
            !loses_to_disk(family) || disk_moved(family) >= disk_moved(s->suspect) / 2 ||
            is_byteless(s, family) || is_same_job(s->latest, s->suspect, family))
                return false;
        return disk_use_meets(s->latest, &s->place, &s->uses[family - s->families]);
}

static void add_victim(struct situation *s, const struct family *family, const struct loss *loss)
{
        double lost = loss->permille / 1000 * (double)ledger_wanted(&family->ledger);
        size_t at = s->victim_count++;
        for (; at > 0 && s->victim_lost[at - 1] < lost; at--) {
                s->victims[at] = s->victims[at - 1];
                s->victim_lost[at] = s->victim_lost[at - 1];
                s->usual_permille[at] = s->usual_permille[at - 1];
        }
        s->victims[at] = family;
        s->victim_lost[at] = lost;
        s->usual_permille[at] = loss->usual_permille;
}

/* What the victims lose: what they wait beyond what they always wait; of those of which that is not known, as
 * much as can come from the suspect. */
static void find_victims(struct situation *s)
{
        const struct family *found[FAMILIES_MAX + 1];
        size_t count = 0;
        double waiting = 0, wanted = 0;
        s->victim_count = 0;
        s->waited = 0;
        split_twin(s);
        for (size_t i = 0; i < s->count; i++) {
                if (!is_victim(s, &s->families[i]))
                        continue;
                found[count++] = &s->families[i];
                waiting += (double)s->families[i].ledger.disk_wait;
        }
        double own = (double)s->suspect->ledger.disk_wait;
        if (loses_to_disk(&s->twin)) {
                found[count++] = &s->twin;
                waiting += (double)s->twin.ledger.disk_wait;
                own -= (double)s->twin.ledger.disk_wait;
        }
        double part = disk_part(s->disk, own > 0 ? own : 0, waiting);
        for (size_t i = 0; i < count && i < FAMILIES_MAX; i++) {
                bool is_twin = found[i] == &s->twin; /* its past is the suspect's as well */
                struct loss loss =
                        is_twin ? (struct loss){ .permille = part * lost_permille_of(s->twin.ledger.disk_wait,
                                                                                     &s->twin.ledger),
                                                 .usual_permille = NAN }
                                : disk_loss(s->history, found[i], s->since_usec, part);
                if (!(loss.permille > 0))
                        continue;
                add_victim(s, found[i], &loss);
                s->waited += loss.permille / 1000 * (double)ledger_wanted(&found[i]->ledger);
                wanted += (double)ledger_wanted(&found[i]->ledger);
        }
        s->lost_permille = wanted > 0 ? (int32_t)(1000 * s->waited / wanted) : 0;
}

/* ---- the suspect ---- */

static void accuse(struct situation *s, const struct family *family, const struct disk_use *place)
{
        uint64_t id = s->latest->programs[family->programs[0]].id;
        s->suspect = family;
        s->place = *place;
        s->disk = disk_use_disk(s->latest, place);
        s->since_usec = history_program_since_io(s->history, id, (float)(disk_moved(family) / 4));
        find_victims(s);
}

/* Where a limit holds requests back before they reach a disk, the disks say nothing about it. */
static bool moves_enough(const struct situation *s, const struct family *family, const struct disk_use *place,
                         const double *p)
{
        const struct disk_rate *disk = disk_use_disk(s->latest, place);
        if (!place->is_known && disk_is_elsewhere(s->latest, disk, family))
                return false;
        if (!disk_is_main_user(s->latest, s->families, s->uses, s->count, (size_t)(family - s->families),
                               place, p[MINIMUM_SHARE] / 1000))
                return false;
        return !disk || !(1000 * (double)disk->busy >= p[MINIMUM_BUSY]) ||
               !(1000 * disk_moved(family) < p[MINIMUM_OF_DISK] * disk_carried(disk));
}

/* Each disk may have its main user: the one who costs others most. */
static void find_suspect(struct situation *s, const double *p)
{
        const struct family *worst = NULL;
        struct disk_use where;
        double most = -1;
        for (size_t i = 0; i < s->count; i++) {
                const struct family *family = &s->families[i];
                s->bytes += disk_moved(family);
                if (family->is_kernel || family->is_self || !(disk_moved(family) > 0))
                        continue;
                for (size_t k = 0; k < disk_use_places(&s->uses[i]); k++) {
                        struct disk_use place = disk_use_place(&s->uses[i], k);
                        if (!moves_enough(s, family, &place, p))
                                continue;
                        accuse(s, family, &place);
                        if (s->waited <= most)
                                continue;
                        most = s->waited;
                        worst = family;
                        where = place;
                }
        }
        if (worst)
                accuse(s, worst, &where);
        else
                s->suspect = NULL;
}

static void describe(const struct situation *s, const double *p, struct finding *finding)
{
        char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX];
        const struct disk_rate *disk = s->disk;
        for (size_t i = 0; i < s->victim_count && i < FINDING_VICTIMS_MAX; i++) {
                const struct family *victim = s->victims[i];
                struct subject *subject = &finding->victims[finding->victim_count++];
                *subject = subject_of_family(s->latest, victim, victim->ledger.disk_wait, SUBJECT_PROGRAM);
                subject->count = victim->count;
                if (i >= 3)
                        continue;
                bool is_known = !isnan(s->usual_permille[i]);
                finding_evidence(
                        finding, "disk.waiting", subject->lost_permille, "permille", NAN,
                        s->usual_permille[i], "%s waits for the disk %s of the time it wants to work%s%s%s",
                        victim->name, format_permille(a, subject->lost_permille),
                        is_known ? " (usually " : "; what it always waits is not known yet",
                        is_known ? format_permille(b, s->usual_permille[i]) : "", is_known ? ")" : "");
        }
        finding_evidence(finding, "disk.moved", disk_moved(s->suspect), "bytesPerSecond", NAN, NAN,
                         "%s reads %s and writes %s each second (%.0f %% of all)", s->suspect->name,
                         format_bytes(a, (double)s->suspect->read_bytes),
                         format_bytes(b, (double)s->suspect->write_bytes),
                         100 * disk_moved(s->suspect) / s->bytes);
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
        const struct disk_rate *disk = s->disk;
        bool is_usual_known = !isnan(s->usual_permille[0]);
        finding->verdict = VERDICT_FOUND;
        finding->since_usec = s->since_usec;
        finding->lost_permille = s->lost_permille;
        finding->severity = s->lost_permille >= 600 ? SEVERITY_CRITICAL : SEVERITY_WARNING;
        finding->confidence_permille = (s->victims[0]->delays_known ? 900 : 700) - (is_usual_known ? 0 : 200);
        if (disk)
                (void)span_copy(span_of(disk->sample->name), finding->device, sizeof(finding->device));
        finding->culprit = subject_of_family(s->latest, s->suspect, NAN, SUBJECT_PROGRAM);
        finding->has_origin = origin_of_family(s->latest, s->suspect, &finding->origin);
        describe(s, p, finding);
        add_remedies(s, finding);
        text_format(finding->summary, sizeof(finding->summary),
                    "%s %s the disk%s%s (%s each second), and %s waits %s of its time for it",
                    family_words(who, sizeof(who), s->suspect), s->suspect->count > 1 ? "fill" : "fills",
                    disk ? " " : "", disk ? disk->sample->name : "",
                    format_bytes(rate, disk_moved(s->suspect)), s->victims[0]->name,
                    format_permille(share, finding->victims[0].lost_permille));
}

static void run(const struct check_context *context, struct finding *ret_finding)
{
        const double *p = context->parameters;
        char busy[UNITS_MAX], lost[UNITS_MAX], who[SUBJECT_NAME_MAX];
        struct situation s = {
                .history = context->history,
                .latest = history_latest(context->history),
                .workers = context->workers,
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
        disk_uses_make(s.latest, s.families, s.count, s.uses);
        find_suspect(&s, p);
        if (!s.suspect) {
                finding_reason(ret_finding, VERDICT_CLEAR,
                               "a disk is in use %s of the time, but by no single program", busy);
                return;
        }
        double threshold = context->was_found ? p[CLEAR_LOST] : p[RAISE_LOST];
        (void)family_words(who, sizeof(who), s.suspect);
        if (s.victim_count == 0) {
                finding_reason(ret_finding, VERDICT_CLEAR,
                               "%s keeps a disk busy, and nobody else waits longer for it than usual", who);
                return;
        }
        if (s.lost_permille < threshold || 1000 * s.waited < p[MINIMUM_WAIT]) {
                finding_reason(ret_finding, VERDICT_CLEAR,
                               "%s keeps a disk busy, but others lose only %s of their time to it", who,
                               format_permille(lost, s.lost_permille));
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
