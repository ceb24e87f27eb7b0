/* disk.full: a file system runs out of space or inodes, or will within hours. What is full by nature (images,
 * what is read-only) or has long been full without anybody writing there is no finding; how much of a large
 * disk is used says nothing. */
#include <string.h>

#include "common/text.h"
#include "common/units.h"
#include "daemon/checks/filling.h"
#include "daemon/checks/forecast.h"

enum {
        FULL_BYTES,
        CLEAR_BYTES,
        RAISE_LEFT,
        RAISE_LEFT_SOON,
        REACH,
        HORIZON_SECONDS,
        CRITICAL_SECONDS,
};

static const struct check_parameter parameters[] = {
        [FULL_BYTES] = { "FullBytes", "bytes", 1048576, 0, 1e9,
                         "what may be left to everybody but root, or a thousandth of the file system if that "
                         "is less",
                         "the last blocks are never handed out: ENOSPC comes a little before 0",
                         "ext4 keeps up to 4096 clusters for itself (s_resv_clusters), others less" },
        [CLEAR_BYTES] = { "ClearBytes", "bytes", 10485760, 0, 1e10,
                          "above this, or a hundredth of the file system, it is not full any more",
                          "ten times the raise level: a file that is removed and written again must not "
                          "make an answer flap",
                          "hysteresis" },
        [RAISE_LEFT] = { "RaiseLeftPermille", "permille", 400, 1, 1000,
                         "only what has less than this left is foretold to end",
                         "while most of it is free, much can happen first",
                         "node_exporter mixin: less than 40 % left and predicted to end" },
        [RAISE_LEFT_SOON] = { "RaiseLeftSoonPermille", "permille", 200, 1, 1000,
                              "the same where it has been watched for less than a quarter of an hour",
                              "a large copy looks like a leak while it lasts",
                              "pmie: above 95 % full and full in 20 min; wider, as it must last a minute" },
        [REACH] = { "Reach", "count", 8, 1, 48,
                    "what shrinks for a time is expected to go on for so many times as long",
                    "a minute says nothing about tomorrow",
                    "netdata out_of_disk_space_time: one hour's rate, 8 h ahead" },
        [HORIZON_SECONDS] = { "HorizonSeconds", "seconds", 172800, 60, 2678400,
                              "an end that is farther away is none", "time to order a disk",
                              "netdata clears at 48 h" },
        [CRITICAL_SECONDS] = { "CriticalSeconds", "seconds", 7200, 1, 604800,
                               "an end that is nearer is critical", "little can be done in less",
                               "netdata: critical below 2 h" },
        { NULL, NULL, 0, 0, 0, NULL, NULL, NULL },
};

/* Space, or inodes. */
struct room {
        const struct file_system_sample *place;
        bool is_inodes;
        double left, total;
        bool is_full, has_end;
        struct forecast end;
        usec_t full_since_usec; /* realtime; 0: longer than is known */
        bool was_filled;        /* it was not full in the time that is known */
};

struct situation {
        const struct history *history;
        const struct snapshot *latest;
        const double *parameters;
        bool was_found;
        struct filling_families families;
        struct room worst;                     /* full and mattering, or soonest at its end */
        struct room idle;                      /* full, but nobody writes there */
        struct room fullest;                   /* of all, for the reason why it is clear */
        size_t others;                         /* found as well */
        uint32_t failing[FINDING_VICTIMS_MAX]; /* families whose writes fail */
        size_t failing_count;
        const struct family *writer;
};

static uint64_t room_id(const struct room *room)
{
        return trend_id(room->place->path);
}

static enum trend_kind room_kind(const struct room *room)
{
        return room->is_inodes ? TREND_FILE_SYSTEM_INODES : TREND_FILE_SYSTEM_AVAILABLE;
}

static double full_level(const struct situation *s, const struct room *room)
{
        const double *p = s->parameters;
        if (room->is_inodes)
                return s->was_found ? room->total / 100 : 0;
        double level = s->was_found ? p[CLEAR_BYTES] : p[FULL_BYTES];
        double share = room->total / (s->was_found ? 100 : 1000);
        return level < share ? level : share;
}

/* Since when it is full, by the finest record that reaches back to when it was not. It was filled under our
 * eyes if it was seen at two levels at least before that: what is made full at one go, an archive, is meant
 * to be. */
static void find_begin(const struct situation *s, struct room *room)
{
        static const struct {
                usec_t window_usec, step_usec;
        } windows[] = { { 10 * USEC_PER_MINUTE, 10 * USEC_PER_SEC },
                        { 3 * USEC_PER_HOUR, USEC_PER_MINUTE },
                        { 2 * USEC_PER_DAY, 10 * USEC_PER_MINUTE } };
        struct trend_point points[TREND_POINTS_MAX];
        double level = 2 * full_level(s, room) + 1;
        for (size_t w = 0; w < sizeof(windows) / sizeof(windows[0]) && !room->was_filled; w++) {
                size_t count =
                        history_trend(s->history, room_kind(room), room_id(room), windows[w].window_usec,
                                      windows[w].step_usec, points, TREND_POINTS_MAX);
                double first = NAN;
                for (size_t i = count; i-- > 0 && !room->was_filled;) {
                        if (points[i].maximum <= level && isnan(first))
                                room->full_since_usec = points[i].from_usec;
                        else if (points[i].maximum > level && isnan(first))
                                first = points[i].maximum;
                        else if (points[i].maximum > 1.01 * first)
                                room->was_filled = true;
                }
        }
        if (room->full_since_usec == 0)
                room->full_since_usec = s->latest->time.realtime_usec;
}

/* Somebody has a file there open for writing, or works there. */
static bool is_written_to(const struct situation *s, const struct file_system_sample *place)
{
        const struct sample *sample = s->latest->sample;
        for (size_t i = 0; i < sample->log_count; i++)
                if (filling_is_on(&sample->logs[i], place) && sample->logs[i].writer_pid &&
                    sample_find_process(sample, sample->logs[i].writer_pid))
                        return true;
        return false;
}

static bool is_sooner(const struct room *a, const struct room *b)
{
        if (!b->place || a->is_full != b->is_full)
                return a->is_full || !b->place;
        if (a->is_full)
                return a->full_since_usec > b->full_since_usec;
        return a->end.left_usec < b->end.left_usec;
}

static void judge(struct situation *s, struct room *room)
{
        const double *p = s->parameters;
        double share = room->left / room->total;
        if (!s->fullest.place || share < s->fullest.left / s->fullest.total)
                s->fullest = *room;
        room->is_full = room->left <= full_level(s, room);
        if (room->is_full) {
                find_begin(s, room);
                if (!room->was_filled && !is_written_to(s, room->place)) {
                        s->idle = *room;
                        return;
                }
        } else {
                double reach = p[REACH] * (s->was_found ? 2 : 1);
                double hysteresis = s->was_found ? 1.25 : 1;
                if (1000 * share > p[RAISE_LEFT] * hysteresis ||
                    !forecast_end(s->history, room_kind(room), room_id(room), room->left, reach,
                                  &room->end) ||
                    (double)room->end.left_usec > p[HORIZON_SECONDS] * hysteresis * (double)USEC_PER_SEC)
                        return;
                if (room->end.watched_usec < 15 * USEC_PER_MINUTE &&
                    1000 * share > p[RAISE_LEFT_SOON] * hysteresis)
                        return;
                room->has_end = true;
        }
        s->others++;
        if (is_sooner(room, &s->worst))
                s->worst = *room;
}

static void judge_all(struct situation *s)
{
        const struct sample *sample = s->latest->sample;
        for (size_t i = 0; i < sample->file_system_count; i++) {
                const struct file_system_sample *place = &sample->file_systems[i];
                if (place->is_read_only || place->total_bytes == 0 || place->total_bytes == ABSENT)
                        continue;
                /* As df counts: root's reserve belongs to neither side. */
                double reserve = (double)place->free_bytes - (double)place->available_bytes;
                judge(s, &(struct room){ .place = place,
                                         .left = (double)place->available_bytes,
                                         .total = (double)place->total_bytes - (reserve > 0 ? reserve : 0) });
                if (place->inodes != ABSENT && place->inodes_available != ABSENT && place->inodes > 0)
                        judge(s, &(struct room){ .place = place,
                                                 .is_inodes = true,
                                                 .left = (double)place->inodes_available,
                                                 .total = (double)place->inodes });
        }
        s->others -= s->worst.place ? 1 : 0;
}

/* ---- whom it hurts ---- */

/* The kernel counts calls of write() and what they wrote: calls that write nothing have failed. */
#define FAILED_PER_SEC 0.15F

static bool may_write_there(const struct situation *s, const struct process_rate *rate)
{
        const struct sample *sample = s->latest->sample;
        const char *directory = rate->sample->identity->working_directory;
        for (size_t i = 0; i < sample->log_count; i++)
                if (sample->logs[i].writer_pid == rate->sample->pid &&
                    filling_is_on(&sample->logs[i], s->worst.place))
                        return true;
        return directory[0] && strcmp(directory, "/") != 0 &&
               place_of_path(sample, directory) == s->worst.place;
}

static void find_failing(struct situation *s)
{
        for (size_t i = 0; i < s->latest->process_count && s->failing_count < FINDING_VICTIMS_MAX; i++) {
                const struct process_rate *rate = &s->latest->processes[i];
                if (!(rate->write_calls >= FAILED_PER_SEC) || !(rate->write_chars < rate->write_calls / 2) ||
                    !may_write_there(s, rate))
                        continue;
                const struct family *family = filling_family(s->latest, &s->families, rate->sample->pid);
                if (!family || family->is_self)
                        continue;
                bool is_known = false;
                for (size_t k = 0; k < s->failing_count; k++)
                        is_known = is_known || &s->families.rows[s->failing[k]] == family;
                if (!is_known)
                        s->failing[s->failing_count++] = (uint32_t)(family - s->families.rows);
        }
}

/* ---- what is said ---- */

static void describe_room(const struct room *room, struct finding *finding)
{
        char left[UNITS_MAX], total[UNITS_MAX], reserve[UNITS_MAX], span[UNITS_MAX];
        const struct file_system_sample *place = room->place;
        if (room->is_inodes)
                finding_evidence(finding, "inodes.left", room->left, "count", NAN, NAN,
                                 "%s has %s of %s inodes left: each file, however small, needs one",
                                 place->path, format_count(left, room->left),
                                 format_count(total, room->total));
        else
                finding_evidence(finding, "disk.left", room->left, "bytes", NAN, NAN,
                                 "%s (%s, %s) has %s of %s left", place->path, place->type, place->source,
                                 format_bytes(left, room->left), format_bytes(total, room->total));
        if (room->has_end)
                finding_evidence(finding, room->is_inodes ? "inodes.loss" : "disk.loss", room->end.per_sec,
                                 room->is_inodes ? "perSecond" : "bytesPerSecond", NAN, NAN,
                                 "it loses %s%s each minute, for %s now",
                                 room->is_inodes ? format_count(left, 60 * room->end.per_sec)
                                                 : format_bytes(left, 60 * room->end.per_sec),
                                 room->is_inodes ? " inodes" : "",
                                 format_duration(span, room->end.watched_usec));
        if (room->is_full && !room->is_inodes && place->free_bytes > place->available_bytes &&
            place->free_bytes - place->available_bytes >= 1000000)
                finding_evidence(finding, "disk.reserve",
                                 (double)(place->free_bytes - place->available_bytes), "bytes", NAN, NAN,
                                 "%s more are kept back for root",
                                 format_bytes(reserve, (double)(place->free_bytes - place->available_bytes)));
}

static void describe_writers(const struct situation *s, struct finding *finding)
{
        char size[UNITS_MAX], rate[UNITS_MAX];
        const struct sample *sample = s->latest->sample;
        const struct log_file_sample *file = filling_file(sample, s->worst.place);
        const struct log_file_sample *deleted = filling_deleted(sample, s->worst.place);
        if (file)
                finding_evidence(finding, "file.growth", filling_growth(file), "bytesPerSecond", NAN, NAN,
                                 "%s grows by %s each minute (now %s)%s%s", file->path,
                                 format_bytes(rate, 60 * filling_growth(file)),
                                 format_bytes(size, (double)file->size_bytes),
                                 file->writer[0] ? ", written by " : "", file->writer);
        if (deleted && (double)deleted->allocated_bytes >= s->worst.total / 100)
                finding_evidence(finding, "file.deleted", (double)deleted->allocated_bytes, "bytes", NAN, NAN,
                                 "%s is deleted, but %s holds it open, and with it %s", deleted->path,
                                 deleted->writer[0] ? deleted->writer : "somebody",
                                 format_bytes(size, (double)deleted->allocated_bytes));
        if (s->writer && !file)
                finding_evidence(finding, "program.writes", (double)s->writer->write_bytes, "bytesPerSecond",
                                 NAN, NAN, "%s works there and writes %s each minute", s->writer->name,
                                 format_bytes(rate, 60 * (double)s->writer->write_bytes));
        for (size_t i = 0; i < s->failing_count; i++)
                finding_evidence(finding, "program.failing", 1000, "permille", NAN, NAN,
                                 "%s calls write(), and nothing is written",
                                 s->families.rows[s->failing[i]].name);
        if (s->others > 0)
                finding_evidence(finding, "disk.others", (double)s->others, "count", NAN, NAN,
                                 "%zu more file systems or inode tables are full or will be", s->others);
}

/* The journal keeps to a limit of its own, so it may be told a smaller one. */
static void add_journal_remedy(const struct situation *s, struct finding *finding)
{
        char size[UNITS_MAX];
        const struct sample *sample = s->latest->sample;
        for (size_t i = 0; i < sample->log_count; i++)
                if (sample->logs[i].kind == LOG_JOURNAL && filling_is_on(&sample->logs[i], s->worst.place) &&
                    (double)sample->logs[i].size_bytes >= s->worst.total / 20)
                        finding_remedy(finding, "journalctl --vacuum-size=200M",
                                       "the journal takes %s of it: keep less",
                                       format_bytes(size, (double)sample->logs[i].size_bytes));
}

static void add_remedies(const struct situation *s, struct finding *finding)
{
        char command[FINDING_TEXT_MAX], size[UNITS_MAX];
        const struct room *room = &s->worst;
        const char *path = room->place->path;
        const struct log_file_sample *deleted = filling_deleted(s->latest->sample, room->place);
        if (deleted && !room->is_inodes && (double)deleted->allocated_bytes >= room->total / 100) {
                const struct process_sample *holder =
                        sample_find_process(s->latest->sample, deleted->writer_pid);
                const char *unit = holder ? holder->identity->unit : "";
                finding_remedy(finding, command_on_unit(command, unit, "systemctl restart %s", unit),
                               "restart %s: that gives back %s", deleted->writer[0] ? deleted->writer : "it",
                               format_bytes(size, (double)deleted->allocated_bytes));
        }
        if (s->writer)
                finding_remedy(finding, command_to_processes(command, s->latest, s->writer, "kill -STOP"),
                               "stop %s for a while (kill -CONT lets it go on)", s->writer->name);
        if (!room->is_inodes)
                add_journal_remedy(s, finding);
        if (room->is_inodes)
                finding_remedy(
                        finding,
                        command_on_path(command, path, "du -x --inodes %s | sort -n | tail -n 20", path),
                        "find the directories with most files, and remove what is not needed");
        else
                finding_remedy(finding,
                               command_on_path(command, path, "du -xh %s | sort -h | tail -n 20", path),
                               "find the largest directories, and remove what is not needed");
}

static void say(const struct situation *s, struct finding *finding)
{
        char span[UNITS_MAX], left[UNITS_MAX];
        const struct room *room = &s->worst;
        const char *path = room->place->path, *what = room->is_inodes ? "inodes" : "space";
        const char *who = s->writer ? s->writer->name : NULL;
        if (room->is_full && s->failing_count > 0)
                text_format(finding->summary, sizeof(finding->summary),
                            "%s is full: no %s left%s%s, and %s cannot write", path, what,
                            who ? ", filled by " : "", who ? who : "", s->families.rows[s->failing[0]].name);
        else if (room->is_full)
                text_format(finding->summary, sizeof(finding->summary), "%s is full: no %s left%s%s", path,
                            what, who ? ", filled by " : "", who ? who : "");
        else
                text_format(finding->summary, sizeof(finding->summary),
                            "%s will be full in %s (%s%s left%s%s)", path,
                            format_duration(span, room->end.left_usec),
                            room->is_inodes ? format_count(left, room->left) : format_bytes(left, room->left),
                            room->is_inodes ? " inodes" : "", who ? ", filled by " : "", who ? who : "");
}

static void found(struct situation *s, struct finding *finding)
{
        const struct room *room = &s->worst;
        double critical = s->parameters[CRITICAL_SECONDS] * (double)USEC_PER_SEC;
        s->writer = filling_writer(s->latest, room->place, &s->families,
                                   room->has_end && !room->is_inodes ? room->end.per_sec / 4 : 1000);
        if (room->is_full)
                find_failing(s);
        if (s->failing_count > 0 && !s->writer)
                s->writer = &s->families.rows[s->failing[0]];
        finding->verdict = VERDICT_FOUND;
        /* Somebody is hurt where writes are seen to fail. */
        finding->kind = s->failing_count > 0 ? FINDING_CAUSE : FINDING_RISK;
        finding->lost_permille = s->failing_count > 0 ? 1000 : 0;
        finding->since_usec = room->is_full ? room->full_since_usec : room->end.since_usec;
        finding->severity = room->is_full || (double)room->end.left_usec < critical ? SEVERITY_CRITICAL
                                                                                    : SEVERITY_WARNING;
        finding->confidence_permille = room->is_full ? 950 : 750;
        finding->culprit = (struct subject){ .kind = SUBJECT_MOUNT, .lost_permille = -1 };
        (void)span_copy(span_of(room->place->path), finding->culprit.name, sizeof(finding->culprit.name));
        for (size_t i = 0; i < s->failing_count; i++) {
                struct subject *victim = &finding->victims[finding->victim_count++];
                *victim =
                        subject_of_family(s->latest, &s->families.rows[s->failing[i]], NAN, SUBJECT_PROGRAM);
                victim->lost_permille = 1000; /* all that it tries to write */
        }
        if (s->writer) {
                struct subject writer = subject_of_family(s->latest, s->writer, NAN, SUBJECT_PROGRAM);
                memcpy(finding->culprit.pids, writer.pids, sizeof(writer.pids));
                finding->culprit.pid_count = writer.pid_count;
                finding->has_origin = origin_of_family(s->latest, s->writer, &finding->origin);
        }
        describe_room(room, finding);
        describe_writers(s, finding);
        add_remedies(s, finding);
        say(s, finding);
}

static void clear(const struct situation *s, struct finding *finding)
{
        char left[UNITS_MAX], share[UNITS_MAX];
        const struct room *room = &s->fullest;
        if (s->idle.place) {
                finding_reason(finding, VERDICT_CLEAR, "%s is full, but nobody writes there",
                               s->idle.place->path);
                return;
        }
        if (!room->place) {
                finding_reason(finding, VERDICT_CLEAR, "there is no file system that could fill");
                return;
        }
        finding_reason(
                finding, VERDICT_CLEAR, "the fullest, %s, has %s%s left (%s), and nothing uses that up soon",
                room->place->path,
                room->is_inodes ? format_count(left, room->left) : format_bytes(left, room->left),
                room->is_inodes ? " inodes" : "", format_permille(share, 1000 * room->left / room->total));
}

static void run(const struct check_context *context, struct finding *ret_finding)
{
        struct situation s = { .history = context->history,
                               .latest = history_latest(context->history),
                               .parameters = context->parameters,
                               .was_found = context->was_found };
        if (s.latest->sample->file_systems_read_usec == 0) {
                finding_reason(ret_finding, VERDICT_UNKNOWN,
                               "how full the file systems are has not been read");
                return;
        }
        judge_all(&s);
        if (!s.worst.place) {
                clear(&s, ret_finding);
                return;
        }
        s.families.count = families_make(s.history, 5 * USEC_PER_MINUTE, s.families.rows, FAMILIES_MAX);
        found(&s, ret_finding);
}

const struct check check_disk_full = {
        .name = "disk.full",
        .title = "A file system runs out of space or inodes",
        .message_id = "b0b6401af2df4dc2ad58e86ba12a6339",
        .culprit_kind = SUBJECT_MOUNT,
        .cause =
                "A file system has no space left, or no inodes: each file takes one, however small it is. Or "
                "it loses what it has left so fast that this will be so soon.",
        .meaning = "Nothing can be written there any more. Databases stop, mail bounces, logs are lost, and "
                   "many programs wait or fail without saying why.",
        .remedy =
                "Stop whoever fills it, remove what is not needed, restart programs that hold deleted files "
                "open. A log wants a logrotate rule, the journal a limit (SystemMaxUse=).",
        .look_alike = "Images (squashfs, iso9660) are full by nature, and what is mounted read-only cannot "
                      "fill. A small /boot that has long been full, a large disk that is 92 % used, and what "
                      "is kept back for root are no trouble while nothing grows. btrfs and vfat do not count "
                      "inodes.",
        .explains = (const char *const[]){ NULL },
        .parameters = parameters,
        .run = run,
};
