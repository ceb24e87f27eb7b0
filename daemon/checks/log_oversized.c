/* log.oversized: a log that fills its disk, that has grown huge, or that somebody reads in full over and
 * over; and the journal, when one unit floods it. A large log that nobody touches, and one that logrotate
 * will see to in time, are no finding. */
#include <string.h>

#include "common/text.h"
#include "common/units.h"
#include "daemon/checks/log_growth.h"

enum {
        HORIZON_SECONDS,
        REACH,
        HUGE_BYTES,
        HUGE_SECONDS,
        READ_BYTES,
        READS_PER_MINUTE,
        RAISE_LOST,
        CLEAR_LOST,
        FLOOD_PER_SECOND,
};

static const struct check_parameter parameters[] = {
        [HORIZON_SECONDS] = { "HorizonSeconds", "seconds", 172800, 60, 2678400,
                              "a log that fills its disk sooner is found", "as long as for disk.full",
                              "netdata: 48 h" },
        [REACH] = { "Reach", "count", 8, 1, 48,
                    "what grows for a time is expected to go on for so many times as long",
                    "as for disk.full, so that both speak of one event",
                    "netdata: one hour's rate, 8 h ahead" },
        [HUGE_BYTES] = { "HugeBytes", "bytes", 1e9, 1e6, 1e13,
                         "a log of this size that grows on and that nobody rotates",
                         "no editor and no grep likes it any more", "convention" },
        [HUGE_SECONDS] = { "HugeSeconds", "seconds", 2592000, 3600, 31536000,
                           "such a log must be able to fill its disk within this time at its present rate",
                           "what takes years hurts nobody",
                           "a month: between two looks of an administrator" },
        [READ_BYTES] = { "ReadBytes", "bytes", 20e6, 1e6, 1e12,
                         "a smaller file may be read as often as anybody likes",
                         "it is read in ten milliseconds out of the page cache", "about 2 GB/s from memory" },
        [READS_PER_MINUTE] = { "ReadsPerMinute", "count", 2, 0.1, 6000,
                               "how often it must be read in full, at least",
                               "an hourly report reads it all, too", "convention" },
        [RAISE_LOST] = { "RaiseLostPermille", "permille", 250, 20, 1000,
                         "share of all time that the reader must spend on it",
                         "a quarter of its time, as for CPUs and disks", "so that causes can be compared" },
        [CLEAR_LOST] = { "ClearLostPermille", "permille", 150, 10, 1000, "below this an open incident ends",
                         "well below the raise level", "hysteresis" },
        [FLOOD_PER_SECOND] = { "FloodPerSecond", "perSecond", 100, 1, 1e5,
                               "messages of one unit into the journal, over five minutes and more",
                               "a third of what journald lets pass before it drops any",
                               "journald.conf: RateLimitBurst=10000 in 30 s" },
        { NULL, NULL, 0, 0, 0, NULL, NULL, NULL },
};

enum reason { REASON_NONE, REASON_HUGE, REASON_FLOOD, REASON_FILLS, REASON_FILLED, REASON_READ };

struct situation {
        const struct history *history;
        const struct snapshot *latest;
        const double *parameters;
        bool was_found;
        struct filling_families families;
        enum reason reason; /* the worst so far, */
        struct log_growth worst;
        const struct log_unit_sample *flood;
        double flood_per_sec, all_per_sec;
        const struct family *reader;
        int32_t lost_permille;
        const struct log_file_sample *largest;
};

static bool is_log(const struct log_file_sample *log)
{
        return log->kind == LOG_FILE || log->kind == LOG_CONTAINER;
}

static double known(float value)
{
        return isnan(value) ? 0 : (double)value;
}

/* Time that the reader spends on it: it runs, or waits for the disk. Of the time that others leave it: on a
 * machine whose CPUs are taken it gets little done, and would do nothing else. */
static int32_t spent_permille(const struct family *family)
{
        double count = family->count > 1 ? family->count : 1;
        double spent = (known(family->ledger.running) + known(family->ledger.disk_wait)) / count;
        double left = 1 - known(family->ledger.cpu_wait) / count;
        spent /= left > 0.1 ? left : 0.1;
        return (int32_t)(1000 * (spent > 1 ? 1 : spent));
}

/* Growing: since the scan looks back, or within the record. What has always been of this size is data. */
static bool has_grown(const struct situation *s, const struct log_growth *growth)
{
        struct trend_point points[TREND_POINTS_MAX];
        if (growth->per_sec > 0)
                return true;
        size_t count = history_trend(s->history, TREND_LOG_SIZE, trend_id(growth->log->path), USEC_PER_DAY,
                                     10 * USEC_PER_MINUTE, points, TREND_POINTS_MAX);
        for (size_t i = 0; i < count; i++)
                if (points[i].minimum < 0.9 * (double)growth->log->size_bytes)
                        return true;
        return false;
}

static void know_families(struct situation *s)
{
        if (s->families.count == 0)
                s->families.count =
                        families_make(s->history, USEC_PER_MINUTE, s->families.rows, FAMILIES_MAX);
}

static bool is_read_over_and_over(struct situation *s, const struct log_growth *growth)
{
        const double *p = s->parameters;
        if (!((double)growth->log->size_bytes >= p[READ_BYTES]) || growth->log->reader_pid == 0 ||
            !(growth->reads_per_min >= p[READS_PER_MINUTE] * (s->was_found ? 0.5 : 1)) ||
            !(growth->reads >= 3) || !has_grown(s, growth))
                return false;
        know_families(s);
        const struct family *reader = filling_family(s->latest, &s->families, growth->log->reader_pid);
        int32_t spent = reader ? spent_permille(reader) : 0;
        if (!reader || reader->is_self || spent < p[s->was_found ? CLEAR_LOST : RAISE_LOST])
                return false;
        s->reader = reader;
        s->lost_permille = spent;
        return true;
}

/* What has grown and stopped, as a copy does, does not grow on. */
#define HUGE_WATCHED_USEC (5 * USEC_PER_MINUTE)
#define STILL_USEC        USEC_PER_MINUTE

static bool grows_on(const struct situation *s, const struct log_growth *growth)
{
        return growth->watched_usec >= HUGE_WATCHED_USEC && growth->per_sec > 0 &&
               growth->log->modified_usec + STILL_USEC >= s->latest->time.realtime_usec;
}

static enum reason judge(struct situation *s, const struct log_growth *growth)
{
        const double *p = s->parameters;
        double slack = s->was_found ? 2 : 1;
        if (is_read_over_and_over(s, growth))
                return REASON_READ;
        if (!is_log(growth->log))
                return REASON_NONE;
        if (growth->has_filled)
                return REASON_FILLED;
        if (log_is_rotated_in_time(growth))
                return REASON_NONE;
        if (growth->fills && (double)growth->full_usec <= slack * p[HORIZON_SECONDS] * (double)USEC_PER_SEC)
                return REASON_FILLS;
        if ((double)growth->log->size_bytes >= p[HUGE_BYTES] / slack && growth->place &&
            grows_on(s, growth) &&
            growth->per_sec * p[HUGE_SECONDS] >= (double)growth->place->available_bytes / slack)
                return REASON_HUGE;
        return REASON_NONE;
}

static bool is_worse(enum reason reason, const struct log_growth *growth, const struct situation *s)
{
        if (reason != s->reason)
                return reason > s->reason;
        return reason == REASON_FILLS ? growth->full_usec < s->worst.full_usec
                                      : growth->log->size_bytes > s->worst.log->size_bytes;
}

static void judge_journal(struct situation *s, const struct log_file_sample *journal)
{
        const struct sample *sample = s->latest->sample;
        double level = s->parameters[FLOOD_PER_SECOND] / (s->was_found ? 2 : 1), most = 0;
        const struct log_unit_sample *loudest = NULL;
        s->all_per_sec = 0;
        for (size_t i = 0; i < sample->log_unit_count; i++) {
                const struct log_unit_sample *unit = &sample->log_units[i];
                if (unit->earlier_usec < LOG_WATCH_LEAST_USEC || unit->entries < unit->earlier_entries)
                        continue;
                double per_sec = (double)(unit->entries - unit->earlier_entries) /
                                 ((double)unit->earlier_usec / (double)USEC_PER_SEC);
                s->all_per_sec += per_sec;
                if (per_sec > most) {
                        most = per_sec;
                        loudest = unit;
                }
        }
        if (!loudest || most < level || most < s->all_per_sec / 2 || s->reason > REASON_FLOOD)
                return;
        s->reason = REASON_FLOOD;
        s->flood = loudest;
        s->flood_per_sec = most;
        s->worst = log_growth_of(s->history, journal, s->parameters[REACH]);
}

static void judge_all(struct situation *s)
{
        const struct sample *sample = s->latest->sample;
        for (size_t i = 0; i < sample->log_count; i++) {
                const struct log_file_sample *log = &sample->logs[i];
                if (log->size_bytes == ABSENT)
                        continue;
                if (is_log(log) && (!s->largest || log->size_bytes > s->largest->size_bytes))
                        s->largest = log;
                if (log->kind == LOG_JOURNAL) {
                        judge_journal(s, log);
                        continue;
                }
                struct log_growth growth = log_growth_of(s->history, log, s->parameters[REACH]);
                enum reason reason = judge(s, &growth);
                if (reason != REASON_NONE && is_worse(reason, &growth, s)) {
                        s->reason = reason;
                        s->worst = growth;
                }
        }
}

/* ---- what is said ---- */

static const char *unit_words(const struct log_unit_sample *unit)
{
        return unit && unit->unit[0] ? unit->unit : "programs without a unit";
}

static void describe(const struct situation *s, const struct family *writer, struct finding *finding)
{
        char a[UNITS_MAX], b[UNITS_MAX], words[LOG_WORDS_MAX];
        const struct log_growth *growth = &s->worst;
        const struct log_file_sample *log = growth->log;
        finding_evidence(finding, "log.size", (double)log->size_bytes, "bytes", NAN, NAN, "%s has %s",
                         log->path, format_bytes(a, (double)log->size_bytes));
        if (growth->per_sec > 0)
                finding_evidence(finding, "log.growth", growth->per_sec, "bytesPerSecond", NAN, NAN,
                                 "it grows by %s an hour, seen for %s",
                                 format_bytes(a, 3600 * growth->per_sec),
                                 format_duration(b, growth->watched_usec));
        if (s->reason == REASON_READ)
                finding_evidence(finding, "log.reads", growth->reads_per_min, "perMinute",
                                 s->parameters[READS_PER_MINUTE], NAN,
                                 "%s reads it in full %.1f times a minute, %s each minute", s->reader->name,
                                 growth->reads_per_min,
                                 format_bytes(a, growth->reads_per_min * (double)log->size_bytes));
        if (s->reason == REASON_READ)
                finding_evidence(finding, "reader.busy", s->lost_permille, "permille",
                                 s->parameters[RAISE_LOST], NAN, "%s spends %s of its time on that",
                                 s->reader->name, format_permille(a, s->lost_permille));
        if (growth->place && (s->reason == REASON_FILLS || s->reason == REASON_FILLED))
                finding_evidence(finding, "disk.left", (double)growth->place->available_bytes, "bytes", NAN,
                                 NAN, "%s has %s left", growth->place->path,
                                 format_bytes(a, (double)growth->place->available_bytes));
        if (writer)
                finding_evidence(finding, "log.writer", writer->count, "count", NAN, NAN, "%s writes it%s%s",
                                 writer->name,
                                 s->latest->programs[writer->programs[0]].unit[0] ? ", of " : "",
                                 s->latest->programs[writer->programs[0]].unit);
        else if (log->kind != LOG_JOURNAL)
                finding_evidence(finding, "log.writer", 0, "count", NAN, NAN,
                                 log->writer[0] ? "%s wrote to it"
                                                : "%.0sno writer has been seen: it is not "
                                                  "kept open",
                                 log->writer);
        if (log->kind != LOG_JOURNAL && log->rotation != LOG_ROTATION_UNKNOWN)
                finding_evidence(finding, "log.rotation", log->rotation == LOG_ROTATION_COVERED, "count", NAN,
                                 NAN,
                                 log->rotation == LOG_ROTATION_COVERED ? "logrotate covers it: %s"
                                                                       : "%slogrotate does not cover it",
                                 log_rotation_words(words, log));
        if (s->reason == REASON_FLOOD)
                finding_evidence(finding, "journal.unit", s->flood_per_sec, "perSecond",
                                 s->parameters[FLOOD_PER_SECOND], NAN,
                                 "%.0f messages a second come from %s (%.0f %% of all)", s->flood_per_sec,
                                 unit_words(s->flood), 100 * s->flood_per_sec / s->all_per_sec);
}

/* A name for the file that holds the rule; logrotate passes over some endings. */
static const char *rule_name(const char *path)
{
        const char *name = strrchr(path, '/');
        return name && name[1] && name[1] != '.' && name[strlen(name) - 1] != '~' ? name + 1 : "log";
}

static void add_rotation(const struct log_file_sample *log, struct finding *finding)
{
        char command[FINDING_TEXT_MAX];
        (void)command_on_path(
                command, log->path,
                "printf '%%s\\n' '%s {' 'daily' 'rotate 7' 'maxsize 100M' 'compress' 'missingok' "
                "'notifempty' 'copytruncate' 'su root root' '}' >/etc/logrotate.d/slowd-%s",
                log->path, rule_name(log->path));
        finding_remedy(finding, command,
                       "let logrotate keep seven days of it, and no more than 100 MB a day");
        if (command[0] && command_on_path(command, log->path, "logrotate -f /etc/logrotate.d/slowd-%s",
                                          rule_name(log->path))[0])
                finding_remedy(finding, command, "and do so at once");
}

static void add_journal_remedies(const struct situation *s, struct finding *finding)
{
        char command[FINDING_TEXT_MAX];
        const char *unit = s->flood ? s->flood->unit : "";
        (void)command_on_unit(
                command, unit,
                "mkdir -p /etc/systemd/system/%s.d && printf '[Service]\\nLogRateLimitIntervalSec="
                "30s\\nLogRateLimitBurst=500\\n' >/etc/systemd/system/%s.d/slowd.conf && "
                "systemctl daemon-reload && systemctl restart %s",
                unit, unit, unit);
        if (command[0])
                finding_remedy(finding, strlen(command) < FINDING_TEXT_MAX - 1 ? command : NULL,
                               "let the journal drop what is over 500 messages in 30 s of %s", unit);
        finding_remedy(finding,
                       "mkdir -p /etc/systemd/journald.conf.d && printf '[Journal]\\nSystemMaxUse=500M\\n' "
                       ">/etc/systemd/journald.conf.d/slowd.conf && systemctl restart systemd-journald",
                       "keep the journal below 500 MB");
}

static void add_remedies(const struct situation *s, const struct family *writer, struct finding *finding)
{
        char command[FINDING_TEXT_MAX];
        const struct log_file_sample *log = s->worst.log;
        if (log->kind == LOG_JOURNAL)
                add_journal_remedies(s, finding);
        else if (log->kind == LOG_CONTAINER)
                finding_remedy(finding, NULL,
                               "limit it where the engine is set up: \"log-opts\": {\"max-size\": \"100m\", "
                               "\"max-file\": \"3\"} in /etc/docker/daemon.json");
        else if (log->rotation == LOG_ROTATION_COVERED)
                finding_remedy(finding, NULL,
                               "give its block in /etc/logrotate.d a maxsize, and run logrotate "
                               "every hour (systemctl edit logrotate.timer)");
        else if (log->kind == LOG_FILE)
                add_rotation(log, finding);
        if (s->reason == REASON_READ)
                finding_remedy(finding, NULL, "let %s read only what is new, or keep what it needs elsewhere",
                               s->reader->name);
        if (writer && s->reason != REASON_READ)
                finding_remedy(finding, command_to_processes(command, s->latest, writer, "kill -STOP"),
                               "stop %s for a while (kill -CONT lets it go on), and see why it says so much",
                               writer->name);
}

static void say(const struct situation *s, const struct family *writer, struct finding *finding)
{
        char a[UNITS_MAX], b[UNITS_MAX];
        const struct log_growth *growth = &s->worst;
        const struct log_file_sample *log = growth->log;
        const char *who = writer ? writer->name : log->writer[0] ? log->writer : "somebody";
        switch (s->reason) {
        case REASON_READ:
                text_format(finding->summary, sizeof(finding->summary),
                            "%s reads %s in full %.0f times a minute, and it has grown to %s",
                            s->reader->name, log->path, growth->reads_per_min,
                            format_bytes(a, (double)log->size_bytes));
                break;
        case REASON_FILLED:
                text_format(finding->summary, sizeof(finding->summary), "%s has filled %s: %s, written by %s",
                            log->path, growth->place->path, format_bytes(a, (double)log->size_bytes), who);
                break;
        case REASON_FILLS:
                text_format(finding->summary, sizeof(finding->summary),
                            "%s grows by %s an hour, written by %s, and fills %s in %s", log->path,
                            format_bytes(a, 3600 * growth->per_sec), who, growth->place->path,
                            format_duration(b, growth->full_usec));
                break;
        case REASON_FLOOD:
                text_format(finding->summary, sizeof(finding->summary),
                            "%s writes %.0f messages a second into the journal (%s)", unit_words(s->flood),
                            s->flood_per_sec, format_bytes(a, (double)log->size_bytes));
                break;
        case REASON_HUGE:
        case REASON_NONE:
                text_format(finding->summary, sizeof(finding->summary),
                            "%s has grown to %s, grows by %s an hour, and nobody rotates it", log->path,
                            format_bytes(a, (double)log->size_bytes),
                            format_bytes(b, 3600 * growth->per_sec));
                break;
        }
}

static void found(struct situation *s, struct finding *finding)
{
        const struct log_growth *growth = &s->worst;
        const struct family *writer = filling_family(s->latest, &s->families, growth->log->writer_pid);
        usec_t now = s->latest->time.realtime_usec, watched = growth->watched_usec;
        if (s->reason == REASON_READ)
                watched = growth->log->watched_usec;
        finding->verdict = VERDICT_FOUND;
        finding->kind = s->reason == REASON_READ ? FINDING_CAUSE : FINDING_RISK;
        finding->lost_permille = s->reason == REASON_READ ? s->lost_permille : 0;
        finding->since_usec = now > watched ? now - watched : now;
        finding->severity = s->reason == REASON_HUGE || s->reason == REASON_FLOOD ? SEVERITY_NOTICE
                            : s->reason == REASON_FILLED                          ? SEVERITY_CRITICAL
                                                                                  : SEVERITY_WARNING;
        finding->confidence_permille = s->reason == REASON_READ ? 800 : 850;
        finding->culprit = (struct subject){ .kind = SUBJECT_FILE, .lost_permille = -1 };
        (void)span_copy(span_of(growth->log->path), finding->culprit.name, sizeof(finding->culprit.name));
        if (s->reason == REASON_FLOOD && s->flood)
                (void)span_copy(span_of(s->flood->unit), finding->culprit.unit,
                                sizeof(finding->culprit.unit));
        if (writer) {
                struct subject subject = subject_of_family(s->latest, writer, NAN, SUBJECT_PROGRAM);
                memcpy(finding->culprit.pids, subject.pids, sizeof(subject.pids));
                finding->culprit.pid_count = subject.pid_count;
                (void)span_copy(span_of(subject.unit), finding->culprit.unit, sizeof(finding->culprit.unit));
                finding->has_origin = origin_of_family(s->latest, writer, &finding->origin);
        }
        if (s->reason == REASON_READ) {
                struct subject *victim = &finding->victims[finding->victim_count++];
                *victim = subject_of_family(s->latest, s->reader, NAN, SUBJECT_PROGRAM);
                victim->lost_permille = s->lost_permille;
        }
        describe(s, writer, finding);
        add_remedies(s, writer, finding);
        say(s, writer, finding);
}

static void clear(const struct situation *s, struct finding *finding)
{
        char size[UNITS_MAX], growth[UNITS_MAX];
        if (!s->largest) {
                finding_reason(finding, VERDICT_CLEAR, "there is no large log");
                return;
        }
        double per_sec = filling_growth(s->largest);
        if (per_sec > 0)
                finding_reason(finding, VERDICT_CLEAR, "the largest log, %s, has %s and grows by %s an hour",
                               s->largest->path, format_bytes(size, (double)s->largest->size_bytes),
                               format_bytes(growth, 3600 * per_sec));
        else
                finding_reason(finding, VERDICT_CLEAR, "the largest log, %s, has %s and does not grow",
                               s->largest->path, format_bytes(size, (double)s->largest->size_bytes));
}

static void run(const struct check_context *context, struct finding *ret_finding)
{
        struct situation s = { .history = context->history,
                               .latest = history_latest(context->history),
                               .parameters = context->parameters,
                               .was_found = context->was_found };
        if (s.latest->sample->logs_read_usec == 0) {
                finding_reason(ret_finding, VERDICT_UNKNOWN, "the logs have not been looked at");
                return;
        }
        judge_all(&s);
        if (s.reason == REASON_NONE) {
                clear(&s, ret_finding);
                return;
        }
        know_families(&s);
        found(&s, ret_finding);
}

const struct check check_log_oversized = {
        .name = "log.oversized",
        .title = "A log has grown too large",
        .message_id = "56c29d0265e54746b223e304e72c46a4",
        .culprit_kind = SUBJECT_FILE,
        .cause =
                "A program writes more into its log than anybody removes, or one that reads its file in full "
                "each time has to read more and more. One unit may also flood the systemd journal.",
        .meaning = "The disk fills, and then nothing can be written any more. Whoever reads the file becomes "
                   "slower each day, and nobody knows why. A flooded journal forgets the past.",
        .remedy =
                "Let logrotate rotate it (size, number of old ones, copytruncate where the program keeps it "
                "open), or the journal keep to a limit (SystemMaxUse=); then see why so much is written.",
        .look_alike =
                "A large old log that nobody writes to, one that logrotate has its turn at before the "
                "disk is full, archives that xz is just writing, and data of constant size that is read "
                "again and again are not found.",
        .explains = (const char *const[]){ "disk.full", "disk.saturated", NULL },
        .parameters = parameters,
        .run = run,
};
