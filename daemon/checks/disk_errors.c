/* disk.errors: the kernel reports errors of a disk or of the file system on it. What a file system counted
 * long ago, and what was pulled out while it was in use, is history. */
#include <string.h>

#include "common/text.h"
#include "common/units.h"
#include "daemon/checks/disk_blame.h"

enum { CAUSE_SECONDS, OLD_SECONDS, RAISE_RESETS };

static const struct check_parameter parameters[] = {
        [CAUSE_SECONDS] = { "CauseSeconds", "seconds", 120, 5, 900,
                            "how long an error counts as what is wrong now",
                            "a request that fails has been tried again for 30 to 180 s before",
                            "SCSI: five tries of 30 s each (drivers/scsi/sd.h)" },
        [OLD_SECONDS] = { "OldSeconds", "seconds", 86400, 900, 2592000,
                          "how long an error that a file system has counted is reported as a risk",
                          "the count stays until the file system is checked, which may be years",
                          "ext4 itself reminds of it once a day" },
        [RAISE_RESETS] = { "RaiseResets", "count", 2, 1, 100,
                           "resets of the link to a disk in 15 minutes, if nothing else has happened",
                           "one is a loose cable or a disk that wakes up, and nothing is lost by it",
                           "convention" },
        { NULL, NULL, 0, 0, 0, NULL, NULL, NULL },
};

#define SICK_MAX    16
#define WAIT_WINDOW (10 * USEC_PER_SEC)

/* One disk with all that was said about it and about what lies on it. */
struct sick {
        char name[DEVICE_NAME_MAX];
        uint32_t counts[DISK_MESSAGE_KINDS];
        usec_t first_usec, last_usec;      /* realtime, of messages; last 0: none */
        const struct disk_event *telling;  /* the message to show */
        const char *program;               /* who ran into it; NULL */
        const struct fs_errors_sample *fs; /* with errors that are not old */
        const struct raid_sample *raid;    /* that lacks a disk */
        bool is_read_only, is_recent;
};

struct situation {
        const struct check_context *context;
        const struct snapshot *latest;
        struct sick sick[SICK_MAX];
        size_t count;
        const struct fs_errors_sample *old; /* an old count, for the reason */
        const struct disk_event *ejected;
};

static struct sick *sick_of(struct situation *s, const char *device)
{
        const char *name = disk_whole(s->latest, device);
        for (size_t i = 0; i < s->count; i++)
                if (strcmp(s->sick[i].name, name) == 0)
                        return &s->sick[i];
        if (s->count == SICK_MAX)
                return NULL;
        struct sick *sick = &s->sick[s->count++];
        *sick = (struct sick){ .first_usec = UINT64_MAX };
        (void)span_copy(span_of(name), sick->name, sizeof(sick->name));
        return sick;
}

/* What tells most comes first: of a disk that fails, the file system's complaint is what follows. */
static int telling(enum disk_message_kind kind)
{
        switch (kind) {
        case DISK_MESSAGE_OFFLINE:
                return 6;
        case DISK_MESSAGE_IO_ERROR:
                return 5;
        case DISK_MESSAGE_LOST_WRITE:
                return 4;
        case DISK_MESSAGE_FILE_SYSTEM:
                return 3;
        case DISK_MESSAGE_RAID:
                return 2;
        case DISK_MESSAGE_LINK:
                return 1;
        case DISK_MESSAGE_READ_ONLY:
        case DISK_MESSAGE_KINDS:
                break;
        }
        return 0;
}

static void take_times(struct sick *sick, usec_t first_usec, usec_t last_usec)
{
        if (first_usec < sick->first_usec)
                sick->first_usec = first_usec;
        if (last_usec > sick->last_usec)
                sick->last_usec = last_usec;
}

static void take_events(struct situation *s)
{
        const struct disk_event *event;
        const struct history *history = s->context->history;
        for (size_t i = 0; (event = history_disk_event(history, i)); i++) {
                if (event->is_removable && !disk_find(s->latest, event->device)) {
                        s->ejected = event;
                        continue;
                }
                /* The link of an optical drive, or to nothing that is there any more. */
                if (event->kind == DISK_MESSAGE_LINK && !event->is_named)
                        continue;
                struct sick *sick = sick_of(s, event->device);
                if (!sick)
                        continue;
                sick->counts[event->kind] += event->count;
                take_times(sick, event->first_realtime_usec, event->last_realtime_usec);
                if (!sick->telling || telling(event->kind) > telling(sick->telling->kind))
                        sick->telling = event;
                if (!sick->program && event->program[0])
                        sick->program = event->program;
                sick->is_read_only |= event->kind == DISK_MESSAGE_READ_ONLY;
        }
}

static void take_counts(struct situation *s)
{
        const struct sample *sample = s->latest->sample;
        usec_t now_usec = s->latest->time.realtime_usec;
        usec_t old_usec = (usec_t)(s->context->parameters[OLD_SECONDS] * (double)USEC_PER_SEC);
        for (size_t i = 0; i < sample->fs_errors_count; i++) {
                const struct fs_errors_sample *fs = &sample->fs_errors[i];
                if (fs->errors == ABSENT || fs->errors == 0)
                        continue;
                /* A time to come is another clock's. */
                bool is_dated = fs->last_usec != ABSENT && fs->last_usec <= now_usec + USEC_PER_MINUTE;
                if (!is_dated || now_usec > fs->last_usec + old_usec) {
                        if (!s->old || (fs->last_usec != ABSENT && fs->last_usec > s->old->last_usec))
                                s->old = fs;
                        continue;
                }
                struct sick *sick = sick_of(s, fs->device);
                if (!sick)
                        continue;
                const struct mount_sample *mount = disk_mount_of(s->latest, fs->device);
                if (!sick->fs || fs->last_usec > sick->fs->last_usec)
                        sick->fs = fs;
                sick->is_read_only |= mount && mount->is_read_only;
        }
        for (size_t i = 0; i < sample->raid_count; i++) {
                const struct raid_sample *raid = &sample->raids[i];
                if (raid->disks_wanted == ABSENT || raid->disks_working == ABSENT ||
                    raid->disks_working >= raid->disks_wanted)
                        continue;
                struct sick *sick = sick_of(s, raid->name);
                if (sick)
                        sick->raid = raid;
        }
}

/* Errors go upwards: what lies on a disk that has some is not sick itself. */
static void join_stacks(struct situation *s)
{
        for (size_t u = 0; u < s->count; u++) {
                struct sick *upper = &s->sick[u];
                for (size_t l = 0; l < s->count; l++) {
                        struct sick *lower = &s->sick[l];
                        if (u == l || !lower->name[0] || !lower->last_usec || upper->raid ||
                            !disk_lies_on(s->latest, upper->name, lower->name))
                                continue;
                        for (size_t kind = 0; kind < DISK_MESSAGE_KINDS; kind++)
                                lower->counts[kind] += upper->counts[kind];
                        take_times(lower, upper->first_usec, upper->last_usec);
                        lower->is_read_only |= upper->is_read_only;
                        lower->fs = lower->fs ? lower->fs : upper->fs;
                        lower->program = lower->program ? lower->program : upper->program;
                        upper->name[0] = '\0';
                        break;
                }
        }
}

static uint32_t hard_count(const struct sick *sick)
{
        uint32_t count = 0;
        for (size_t kind = 0; kind < DISK_MESSAGE_KINDS; kind++)
                if (kind != DISK_MESSAGE_LINK)
                        count += sick->counts[kind];
        return count;
}

static bool is_worth_telling(const struct situation *s, const struct sick *sick)
{
        return sick->name[0] && (hard_count(sick) > 0 || sick->fs || sick->raid ||
                                 sick->counts[DISK_MESSAGE_LINK] >= s->context->parameters[RAISE_RESETS]);
}

static int badness(const struct sick *sick)
{
        return 8 * sick->is_recent + (sick->telling ? telling(sick->telling->kind) : 0);
}

static struct sick *find_worst(struct situation *s)
{
        struct sick *worst = NULL;
        usec_t now_usec = s->latest->time.realtime_usec;
        usec_t cause_usec = (usec_t)(s->context->parameters[CAUSE_SECONDS] * (double)USEC_PER_SEC);
        for (size_t i = 0; i < s->count; i++) {
                struct sick *sick = &s->sick[i];
                sick->is_recent = sick->last_usec > 0 && now_usec <= sick->last_usec + cause_usec;
                if (is_worth_telling(s, sick) && (!worst || badness(sick) > badness(worst)))
                        worst = sick;
        }
        return worst;
}

/* ---- found ---- */

static const char *ago(char buffer[static UNITS_MAX], usec_t now_usec, usec_t then_usec)
{
        return format_duration(buffer, now_usec > then_usec ? now_usec - then_usec : 0);
}

static uint64_t missing_of(const struct raid_sample *raid)
{
        return raid->disks_wanted - raid->disks_working;
}

static void summarize(const struct sick *sick, const char *where, struct finding *finding)
{
        const uint32_t *counts = sick->counts;
        uint32_t failed = counts[DISK_MESSAGE_IO_ERROR] + counts[DISK_MESSAGE_LOST_WRITE];
        char *summary = finding->summary;
        const char *read_only = sick->is_read_only ? ", and its file system takes no more writes" : "";
        if (counts[DISK_MESSAGE_OFFLINE] > 0)
                text_format(summary, FINDING_TEXT_MAX, "the kernel has given up the disk %s%s%s", sick->name,
                            where, read_only);
        else if (failed > 0)
                text_format(summary, FINDING_TEXT_MAX, "the disk %s%s returns I/O errors%s", sick->name,
                            where, read_only);
        else if (counts[DISK_MESSAGE_FILE_SYSTEM] > 0 || sick->is_read_only || sick->fs)
                text_format(summary, FINDING_TEXT_MAX, "the file system on %s%s has errors%s", sick->name,
                            where, sick->is_read_only ? " and takes no more writes" : "");
        else if (sick->raid)
                text_format(summary, FINDING_TEXT_MAX, "the array %s%s runs without %llu of its %llu disks",
                            sick->name, where, (unsigned long long)missing_of(sick->raid),
                            (unsigned long long)sick->raid->disks_wanted);
        else if (counts[DISK_MESSAGE_RAID] > 0)
                text_format(summary, FINDING_TEXT_MAX, "the disk %s%s was thrown out of its array",
                            sick->name, where);
        else
                text_format(summary, FINDING_TEXT_MAX,
                            "the disk %s%s does not answer in time and had to be reset %u times", sick->name,
                            where, counts[DISK_MESSAGE_LINK]);
}

static void describe_messages(const struct sick *sick, usec_t now_usec, struct finding *finding)
{
        static const struct {
                enum disk_message_kind kind;
                const char *name, *text;
        } kinds[] = {
                { DISK_MESSAGE_IO_ERROR, "disk.ioErrors", "reads or writes that have failed" },
                { DISK_MESSAGE_LOST_WRITE, "disk.lostWrites",
                  "writes that are lost, though programs took them for done" },
                { DISK_MESSAGE_FILE_SYSTEM, "disk.fileSystemErrors", "errors of the file system" },
                { DISK_MESSAGE_LINK, "disk.resets", "requests that timed out, and resets of the link" },
        };
        char since[UNITS_MAX];
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
                if (sick->counts[kinds[i].kind] > 0)
                        finding_evidence(finding, kinds[i].name, sick->counts[kinds[i].kind], "count", NAN,
                                         NAN, "%s: %u (messages of the kernel)", kinds[i].text,
                                         sick->counts[kinds[i].kind]);
        if (sick->telling)
                finding_evidence(finding, "disk.lastMessage",
                                 (double)(now_usec > sick->last_usec ? now_usec - sick->last_usec : 0),
                                 "usec", NAN, NAN, "the kernel, the last time %s ago: %s",
                                 ago(since, now_usec, sick->last_usec), sick->telling->text);
}

static void describe(const struct situation *s, const struct sick *sick, struct finding *finding)
{
        char since[UNITS_MAX];
        usec_t now_usec = s->latest->time.realtime_usec;
        describe_messages(sick, now_usec, finding);
        if (sick->fs)
                finding_evidence(finding, "disk.countedErrors", (double)sick->fs->errors, "count", NAN, NAN,
                                 "the %s file system on %s has counted %llu errors, the last %s ago",
                                 sick->fs->type, sick->fs->device, (unsigned long long)sick->fs->errors,
                                 ago(since, now_usec, sick->fs->last_usec));
        if (sick->raid)
                finding_evidence(finding, "disk.arrayMissing", (double)missing_of(sick->raid), "count", NAN,
                                 NAN, "%s (%s) lacks %llu of its disks%s", sick->raid->name,
                                 sick->raid->level, (unsigned long long)missing_of(sick->raid),
                                 strcmp(sick->raid->action, "recovery") == 0 ? "; a new one is being filled"
                                                                             : "");
        const struct disk_sample *disk = disk_find(s->latest, sick->name);
        if (disk && disk->lower[0])
                finding_evidence(finding, "disk.liesOn", 1, "count", NAN, NAN,
                                 "%s lies on %s, which has reported no error", sick->name, disk->lower);
}

static bool is_typeable(const char *name)
{
        static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
        return name[0] && name[0] != '-' && name[strspn(name, safe)] == '\0';
}

static void add_remedies(const struct situation *s, const struct sick *sick, struct finding *finding)
{
        char command[FINDING_TEXT_MAX], mounts[FINDING_TEXT_MAX];
        const uint32_t *counts = sick->counts;
        bool is_disk = counts[DISK_MESSAGE_IO_ERROR] + counts[DISK_MESSAGE_LOST_WRITE] +
                               counts[DISK_MESSAGE_OFFLINE] + counts[DISK_MESSAGE_LINK] >
                       0;
        const char *where = disk_mounts(mounts, sizeof(mounts), s->latest, sick->name);
        command[0] = '\0';
        if (sick->raid) {
                if (is_typeable(sick->name))
                        text_format(command, sizeof(command), "mdadm --detail /dev/%s", sick->name);
                finding_remedy(finding, command, "see which disk is missing, and put in another");
        }
        if (is_disk)
                finding_remedy(finding, NULL, "copy what is on %s to another disk before anything else",
                               where[0] ? where : "it");
        const struct disk_sample *disk = disk_find(s->latest, sick->name);
        bool is_stacked = disk && disk->is_stacked;
        if (is_disk && is_typeable(sick->name)) {
                text_format(command, sizeof(command), is_stacked ? "lsblk -s /dev/%s" : "smartctl -a /dev/%s",
                            sick->name);
                finding_remedy(finding, command,
                               is_stacked ? "see what it is made of, and look there"
                                          : "ask the disk itself, then replace it, or its cable");
        }
        const char *device = sick->fs ? sick->fs->device : sick->telling ? sick->telling->device : sick->name;
        const struct mount_sample *mount = disk_mount_of(s->latest, device);
        if (!mount || (counts[DISK_MESSAGE_FILE_SYSTEM] == 0 && !sick->is_read_only && !sick->fs))
                return;
        command[0] = '\0';
        if (strncmp(mount->type, "ext", 3) == 0 && is_typeable(device))
                text_format(command, sizeof(command), "umount /dev/%s && e2fsck -f /dev/%s", device, device);
        else if (strcmp(mount->type, "xfs") == 0 && is_typeable(device))
                text_format(command, sizeof(command), "umount /dev/%s && xfs_repair /dev/%s", device, device);
        else if (strcmp(mount->type, "btrfs") == 0 && is_typeable(device))
                text_format(command, sizeof(command), "btrfs device stats /dev/%s", device);
        if (strcmp(mount->path, "/") == 0)
                finding_remedy(finding, NULL,
                               "check the file system: boot once with fsck.mode=force on the "
                               "kernel's command line");
        else
                finding_remedy(finding, command, "check the file system once the disk is trusted or copied");
}

static void found(const struct situation *s, const struct sick *sick, struct finding *finding)
{
        char mounts[FINDING_TEXT_MAX], where[FINDING_TEXT_MAX];
        struct disk_wait wait;
        usec_t now_usec = s->latest->time.realtime_usec;
        uint32_t hard = hard_count(sick);
        disk_wait_make(s->context->history, sick->name, WAIT_WINDOW, &wait);
        bool is_waited_for = sick->last_usec > 0 && wait.victim_count > 0;
        bool is_cause = sick->is_recent && (is_waited_for || hard > sick->counts[DISK_MESSAGE_RAID]);
        bool is_lost = sick->counts[DISK_MESSAGE_LOST_WRITE] + sick->counts[DISK_MESSAGE_OFFLINE] > 0;
        finding->verdict = VERDICT_FOUND;
        finding->kind = is_cause ? FINDING_CAUSE : FINDING_RISK;
        finding->severity = is_lost || sick->is_read_only ? SEVERITY_CRITICAL : SEVERITY_WARNING;
        finding->since_usec = sick->last_usec > 0 ? sick->first_usec
                              : sick->fs          ? sick->fs->last_usec
                                                  : now_usec;
        finding->lost_permille = is_cause ? wait.lost_permille : 0;
        finding->confidence_permille = hard > 0 || sick->raid ? 950 : 800;
        finding->culprit = subject_of_disk(sick->name);
        disk_mounts(mounts, sizeof(mounts), s->latest, sick->name);
        where[0] = '\0';
        if (mounts[0])
                text_format(where, sizeof(where), " (%s)", mounts);
        summarize(sick, where, finding);
        if (is_cause)
                disk_wait_tell(s->context->history, &wait, finding);
        if (is_cause && sick->program && strncmp(sick->program, "kworker", 7) != 0 &&
            strncmp(sick->program, "jbd2", 4) != 0 && finding->victim_count < FINDING_VICTIMS_MAX) {
                struct subject *victim = &finding->victims[finding->victim_count++];
                *victim = (struct subject){ .kind = SUBJECT_PROGRAM, .lost_permille = -1 };
                (void)span_copy(span_of(sick->program), victim->name, sizeof(victim->name));
        }
        describe(s, sick, finding);
        add_remedies(s, sick, finding);
}

/* ---- not found ---- */

static bool is_log_readable(const struct sample *sample)
{
        for (size_t i = 0; i < sample->collector_count; i++)
                if (strcmp(sample->collectors[i].name, "kmsg") == 0)
                        return sample->collectors[i].state == COLLECTOR_OK;
        return true;
}

static void not_found(const struct situation *s, struct finding *finding)
{
        char since[UNITS_MAX];
        if (!is_log_readable(s->latest->sample)) {
                finding_reason(finding, VERDICT_UNKNOWN, "the kernel's messages cannot be read");
                return;
        }
        if (s->ejected)
                finding_reason(finding, VERDICT_CLEAR,
                               "%s was taken out while it was in use; no other disk has reported an error",
                               s->ejected->device);
        else if (s->count > 0)
                finding_reason(finding, VERDICT_CLEAR, "the link to %s was reset once, and nothing is lost",
                               s->sick[0].name);
        else if (s->old && s->old->last_usec != ABSENT)
                finding_reason(finding, VERDICT_CLEAR,
                               "no error in the last 15 min (%s has counted %llu, the last %s ago)",
                               s->old->device, (unsigned long long)s->old->errors,
                               ago(since, s->latest->time.realtime_usec, s->old->last_usec));
        else if (s->old)
                finding_reason(finding, VERDICT_CLEAR,
                               "no error in the last 15 min (%s has counted %llu before slowd looked)",
                               s->old->device, (unsigned long long)s->old->errors);
        else
                finding_reason(finding, VERDICT_CLEAR,
                               "no disk and no file system has reported an error in the last 15 min");
}

static void run(const struct check_context *context, struct finding *ret_finding)
{
        struct situation s = { .context = context, .latest = history_latest(context->history) };
        take_events(&s);
        take_counts(&s);
        join_stacks(&s);
        const struct sick *worst = find_worst(&s);
        if (worst)
                found(&s, worst, ret_finding);
        else
                not_found(&s, ret_finding);
}

const struct check check_disk_errors = {
        .name = "disk.errors",
        .title = "The kernel reports errors of a disk or of its file system",
        .message_id = "d1d2f4503db84c1c8ef9885370ef87e4",
        .culprit_kind = SUBJECT_DISK,
        .cause = "Reads or writes of a disk fail, the link to it has to be reset, or a file system has found "
                 "itself damaged. Each failed request is tried again for seconds to minutes, and everything "
                 "that needs the disk stands still meanwhile.",
        .meaning =
                "Programs get errors or hang, data may be lost, and a file system that protects itself takes "
                "no more writes. A disk that has begun to fail seldom recovers.",
        .remedy = "Copy what is on it first. Then ask the disk itself (smartctl), check cable and power, "
                  "replace "
                  "it, and check the file system.",
        .look_alike =
                "A count of errors from long ago, a stick or card that was pulled out while it was in use, "
                "a CD that cannot be read, a device that does not know how to discard, and one single "
                "reset of a link are no sick disks.",
        .explains = (const char *const[]){ "disk.slow", "disk.saturated", NULL },
        .parameters = parameters,
        .run = run,
};
