/* disk.failing: the disk itself says that it is failing. Judged by what disks with such counts did in a large
 * population, and by growth; a handful of reallocated sectors and an old count of broken transfers mean
 * nothing. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "common/units.h"
#include "daemon/checks/disk_blame.h"

enum { RAISE_REALLOCATED, RAISE_TIMEOUTS, RAISE_TRANSFERS, RAISE_USED, STALE_SECONDS };

#define BACKBLAZE "Backblaze's drive statistics, failures a year by raw value, as in scrutiny's tables"

static const struct check_parameter parameters[] = {
        [RAISE_REALLOCATED] = { "RaiseReallocated", "count", 16, 1, 100000,
                                "sectors that a disk has replaced (attribute 5), if they do not grow",
                                "of disks with 1 to 4 fail 2.7 % a year, hardly more than of those with none "
                                "(2.5 %); with 16 to 70 it is 24 %",
                                BACKBLAZE },
        [RAISE_TIMEOUTS] = { "RaiseTimeouts", "count", 100, 1, 100000,
                             "by how much commands that timed out (attribute 188) must have grown in a week "
                             "or "
                             "two",
                             "with 100 and more 10 % fail a year; below that it is as with none", BACKBLAZE },
        [RAISE_TRANSFERS] = { "RaiseTransferErrors", "count", 10, 1, 100000,
                              "by how much broken transfers (attribute 199) must have grown in a week or two",
                              "a cable that was touched once breaks a few; the count never goes back, and a "
                              "stable one means nothing",
                              BACKBLAZE },
        [RAISE_USED] = { "RaiseUsedPermille", "permille", 1000, 500, 2540,
                         "share of the writes that an SSD was made for",
                         "at 100 the maker no longer promises that it keeps data without power",
                         "NVM Express base specification, SMART / health information log" },
        [STALE_SECONDS] = { "StaleSeconds", "seconds", 259200, 3600, 3600000,
                            "how old an answer may be that is still believed",
                            "the disks are asked each hour, but sleeping ones only when they are awake",
                            "convention" },
        { NULL, NULL, 0, 0, 0, NULL, NULL, NULL },
};

/* Failures a year in per cent of disks with a count of at least `from`. */
struct rate {
        uint64_t from;
        int percent;
};

static const struct rate reallocated_rates[] = { { 1, 3 },   { 5, 8 },    { 16, 24 },
                                                 { 70, 36 }, { 260, 57 }, { 1100, 100 } };
static const struct rate uncorrected_rates[] = { { 1, 34 }, { 3, 50 }, { 11, 53 }, { 35, 100 } };
static const struct rate pending_rates[] = { { 1, 34 }, { 3, 68 }, { 16, 96 }, { 100, 100 } };
static const struct rate offline_rates[] = { { 1, 81 }, { 3, 100 } };
#define RATES(list) (list), sizeof(list) / sizeof((list)[0])

static int rate_of(const struct rate *rates, size_t count, uint64_t value)
{
        int percent = 0;
        for (size_t i = 0; i < count && value >= rates[i].from; i++)
                percent = rates[i].percent;
        return percent;
}

#define SIGNS_MAX 8
/* Weights below this are no signs of a failing disk, but of its cable, its heat or its age. */
#define WEIGHT_FAILING 20

struct sign {
        const char *evidence;
        uint64_t value, before; /* before ABSENT: not compared */
        int weight;             /* the more, the worse */
        int percent;            /* of disks with such a count that fail within a year; 0: not known */
        char text[FINDING_TEXT_MAX / 2];
};

struct patient {
        const struct disk_health_sample *disk;
        struct sign signs[SIGNS_MAX];
        size_t count;
        int weight;
};

__attribute__((format(printf, 6, 7))) static void add_sign(struct patient *patient, const char *evidence,
                                                           uint64_t value, uint64_t before, int weight,
                                                           const char *format, ...)
{
        if (patient->count == SIGNS_MAX)
                return;
        struct sign *sign = &patient->signs[patient->count++];
        va_list arguments;
        *sign = (struct sign){ .evidence = evidence, .value = value, .before = before, .weight = weight };
        va_start(arguments, format);
        (void)vsnprintf(sign->text, sizeof(sign->text), format, arguments);
        va_end(arguments);
        if (weight > patient->weight)
                patient->weight = weight;
}

/* A count of which it is known how many disks that have it fail. */
static void add_rated_sign(struct patient *patient, const char *evidence, uint64_t value, uint64_t before,
                           int percent, const char *what)
{
        size_t at = patient->count;
        add_sign(patient, evidence, value, before, percent, "%s: %llu", what, (unsigned long long)value);
        if (patient->count > at)
                patient->signs[at].percent = percent;
}

static uint64_t growth(uint64_t now, uint64_t before)
{
        return now == ABSENT || before == ABSENT || now < before ? 0 : now - before;
}

static bool is_some(uint64_t count)
{
        return count != ABSENT && count > 0;
}

/* Bits of the NVMe critical warning; the specification's order. */
#define WARNING_SPARE       0x01
#define WARNING_TEMPERATURE 0x02
#define WARNING_RELIABILITY 0x04
#define WARNING_READ_ONLY   0x08
#define WARNING_BACKUP      0x10

static void judge_nvme(struct patient *patient, const double *p)
{
        const struct disk_health_sample *d = patient->disk;
        uint64_t warning = d->critical_warning == ABSENT ? 0 : d->critical_warning;
        if (warning & WARNING_RELIABILITY)
                add_sign(patient, "disk.criticalWarning", warning, ABSENT, 100,
                         "it warns that it is no longer reliable, for media or internal errors");
        if (warning & WARNING_READ_ONLY)
                add_sign(patient, "disk.criticalWarning", warning, ABSENT, 100, "it takes no more writes");
        if (warning & WARNING_BACKUP)
                add_sign(patient, "disk.criticalWarning", warning, ABSENT, 60,
                         "what keeps its cache over a loss of power has failed");
        bool is_spare_low = d->spare_percent != ABSENT && d->spare_threshold_percent != ABSENT &&
                            d->spare_percent <= d->spare_threshold_percent && d->spare_threshold_percent > 0;
        if ((warning & WARNING_SPARE) || is_spare_low)
                add_sign(patient, "disk.spare", d->spare_percent == ABSENT ? 0 : d->spare_percent, ABSENT, 90,
                         "its spare blocks are used up (%llu %% left)",
                         (unsigned long long)(d->spare_percent == ABSENT ? 0 : d->spare_percent));
        if (warning & WARNING_TEMPERATURE)
                add_sign(patient, "disk.criticalWarning", warning, ABSENT, 10,
                         "it is outside of the temperature that it is made for");
        if (growth(d->now.media_errors, d->before.media_errors) > 0)
                add_sign(patient, "disk.mediaErrors", d->now.media_errors, d->before.media_errors, 60,
                         "%llu times it could not give back what was written",
                         (unsigned long long)d->now.media_errors);
        if (d->used_percent != ABSENT && 10 * (double)d->used_percent >= p[RAISE_USED])
                add_sign(patient, "disk.used", d->used_percent, ABSENT, 5,
                         "%llu %% of the writes it was made for are used up",
                         (unsigned long long)d->used_percent);
}

static void judge_sectors(struct patient *patient, const double *p)
{
        const struct disk_health_counts *now = &patient->disk->now, *before = &patient->disk->before;
        if (is_some(now->offline))
                add_rated_sign(patient, "disk.offlineUncorrectable", now->offline, before->offline,
                               rate_of(RATES(offline_rates), now->offline),
                               "sectors that its own scan cannot read");
        if (is_some(now->pending))
                add_rated_sign(patient, "disk.pendingSectors", now->pending, before->pending,
                               rate_of(RATES(pending_rates), now->pending), "sectors that cannot be read");
        if (is_some(now->uncorrected))
                add_rated_sign(patient, "disk.uncorrectedReads", now->uncorrected, before->uncorrected,
                               rate_of(RATES(uncorrected_rates), now->uncorrected),
                               "reads that could not be mended");
        /* One to four are noise, also if they have just come. */
        bool is_many = is_some(now->reallocated) && (double)now->reallocated >= p[RAISE_REALLOCATED];
        bool is_growing = growth(now->reallocated, before->reallocated) > 0 && now->reallocated > 4;
        if (is_many || is_growing)
                add_rated_sign(patient, "disk.reallocatedSectors", now->reallocated, before->reallocated,
                               rate_of(RATES(reallocated_rates), now->reallocated),
                               "sectors that were bad and are replaced");
        /* Growth says more than the count. */
        if (is_growing && patient->weight < WEIGHT_FAILING)
                patient->weight = WEIGHT_FAILING;
        if ((double)growth(now->timeouts, before->timeouts) >= p[RAISE_TIMEOUTS])
                add_sign(patient, "disk.commandTimeouts", now->timeouts, before->timeouts, 10,
                         "%llu commands timed out", (unsigned long long)now->timeouts);
        if ((double)growth(now->crc, before->crc) >= p[RAISE_TRANSFERS])
                add_sign(patient, "disk.transferErrors", now->crc, before->crc, 4,
                         "%llu transfers broke on its cable", (unsigned long long)now->crc);
}

static void judge(struct patient *patient, const double *p)
{
        if (patient->disk->passed == 0)
                add_sign(patient, "disk.selfAssessment", 0, ABSENT, 100,
                         "its own verdict is that it fails: that may be within a day");
        judge_nvme(patient, p);
        judge_sectors(patient, p);
}

enum disk_state disk_state_of(const struct disk_health_sample *disk)
{
        double defaults[CHECK_PARAMETERS_MAX];
        struct patient patient = { .disk = disk };
        if (disk->asked_usec == ABSENT)
                return DISK_STATE_UNKNOWN;
        for (size_t i = 0; parameters[i].key; i++)
                defaults[i] = parameters[i].default_value;
        judge(&patient, defaults);
        return patient.count == 0                ? DISK_STATE_WELL
               : patient.weight < WEIGHT_FAILING ? DISK_STATE_WARNS
                                                 : DISK_STATE_FAILING;
}

/* ---- found ---- */

static const struct sign *worst_sign(const struct patient *patient)
{
        const struct sign *worst = &patient->signs[0];
        for (size_t i = 1; i < patient->count; i++)
                if (patient->signs[i].weight > worst->weight)
                        worst = &patient->signs[i];
        return worst;
}

static void found(const struct snapshot *latest, const struct patient *patient, struct finding *finding)
{
        const struct disk_health_sample *disk = patient->disk;
        const struct sign *worst = worst_sign(patient);
        char mounts[FINDING_TEXT_MAX], where[FINDING_TEXT_MAX], age[UNITS_MAX], command[FINDING_TEXT_MAX];
        usec_t now_usec = latest->time.realtime_usec;
        bool is_failing = patient->weight >= WEIGHT_FAILING;
        finding->verdict = VERDICT_FOUND;
        finding->kind = FINDING_RISK;
        finding->severity = patient->weight >= 80 ? SEVERITY_CRITICAL
                            : is_failing          ? SEVERITY_WARNING
                                                  : SEVERITY_NOTICE;
        finding->since_usec = disk->asked_usec;
        finding->confidence_permille = patient->weight >= 80 ? 950 : 800;
        finding->culprit = subject_of_disk(disk->name);
        disk_mounts(mounts, sizeof(mounts), latest, disk->name);
        where[0] = '\0';
        if (mounts[0])
                text_format(where, sizeof(where), " (%s)", mounts);
        text_format(finding->summary, sizeof(finding->summary), "the disk %s%s %s: %s", disk->name, where,
                    is_failing ? "is failing by its own account" : "says that something is wrong",
                    worst->text);
        for (size_t i = 0; i < patient->count; i++) {
                const struct sign *sign = &patient->signs[i];
                char rate[64] = "";
                if (sign->percent >= 100)
                        text_format(rate, sizeof(rate), "; most such disks fail within a year");
                else if (sign->percent > 0)
                        text_format(rate, sizeof(rate), "; of such disks %d %% fail within a year",
                                    sign->percent);
                finding_evidence(finding, sign->evidence, (double)sign->value, "count", NAN,
                                 sign->before == ABSENT ? NAN : (double)sign->before, "%s%s", sign->text,
                                 rate);
        }
        if (disk->before_usec != ABSENT && now_usec > disk->before_usec)
                finding_evidence(finding, "disk.comparedWith", (double)(now_usec - disk->before_usec), "usec",
                                 NAN, NAN, "compared with %s ago; asked %s ago%s%s",
                                 format_duration(age, now_usec - disk->before_usec),
                                 format_duration(command, now_usec > disk->asked_usec
                                                                  ? now_usec - disk->asked_usec
                                                                  : 0),
                                 disk->model[0] ? "; it is a " : "", disk->model);
        if (is_failing)
                finding_remedy(finding, NULL, "copy what is on %s to another disk now",
                               mounts[0] ? mounts : "it");
        text_format(command, sizeof(command), "smartctl -x /dev/%s", disk->name);
        finding_remedy(finding, command, "see everything that it says");
        finding_remedy(finding, NULL,
                       is_failing ? "replace it%s%s" : "check its cable, its cooling and its power%s%s",
                       is_failing && disk->serial[0] ? ": serial number " : "",
                       is_failing ? disk->serial : "");
}

/* ---- not found ---- */

static bool is_virtual_name(const char *name)
{
        static const char *const prefixes[] = { "vd", "xvd", "nbd", "rbd", "sr", "fd", "zd" };
        for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
                if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
                        return true;
        return false;
}

/* Whether there is a disk that could tell. */
static bool has_real_disk(const struct sample *sample)
{
        for (size_t i = 0; i < sample->disk_count; i++) {
                const struct disk_sample *disk = &sample->disks[i];
                if (!disk->is_partition && !disk->is_stacked && !disk->is_memory &&
                    !is_virtual_name(disk->name))
                        return true;
        }
        return false;
}

static int health_error(const struct sample *sample)
{
        for (size_t i = 0; i < sample->collector_count; i++)
                if (strcmp(sample->collectors[i].name, "diskHealth") == 0)
                        return sample->collectors[i].error;
        return -ENODATA;
}

static void not_asked(const struct sample *sample, struct finding *finding)
{
        const char *why;
        switch (health_error(sample)) {
        case -ENOPKG:
                why = "smartctl is not installed (package smartmontools)";
                break;
        case -EOPNOTSUPP:
                why = "there is no systemd here that could ask the disks (slowd-disks.timer)";
                break;
        case -ENOENT:
                why = "the disks have not been asked yet (slowd-disks.timer)";
                break;
        case -ENODATA:
                why = "nobody recorded what the disks say of themselves";
                break;
        default:
                why = "what slowd-disks.service has left cannot be read";
                break;
        }
        if (!has_real_disk(sample))
                finding_reason(finding, VERDICT_CLEAR,
                               "all disks here are virtual: how the real ones are, only their host can see");
        else
                finding_reason(finding, VERDICT_UNKNOWN, "%s", why);
}

static void run(const struct check_context *context, struct finding *ret_finding)
{
        const double *p = context->parameters;
        const struct snapshot *latest = history_latest(context->history);
        const struct sample *sample = latest->sample;
        usec_t now_usec = latest->time.realtime_usec;
        struct patient worst = { 0 };
        size_t told = 0, asleep = 0, silent = 0, stale = 0;
        const char *silent_name = "";
        for (size_t i = 0; i < sample->disk_health_count; i++) {
                struct patient patient = { .disk = &sample->disk_health[i] };
                const struct disk_health_sample *disk = patient.disk;
                asleep += disk->state == DISK_HEALTH_ASLEEP;
                if (disk->state == DISK_HEALTH_SILENT) {
                        silent++;
                        silent_name = disk->name;
                }
                if (disk->asked_usec == ABSENT ||
                    (disk->state != DISK_HEALTH_TOLD && disk->state != DISK_HEALTH_ASLEEP))
                        continue;
                /* A sleeping disk does not get worse. */
                if (disk->state == DISK_HEALTH_TOLD && now_usec > disk->asked_usec &&
                    (double)(now_usec - disk->asked_usec) > p[STALE_SECONDS] * (double)USEC_PER_SEC) {
                        stale++;
                        continue;
                }
                told++;
                judge(&patient, p);
                if (patient.count > 0 && (!worst.disk || patient.weight > worst.weight))
                        worst = patient;
        }
        if (worst.disk) {
                found(latest, &worst, ret_finding);
        } else if (sample->disk_health_count == 0 || health_error(sample) == -ENOPKG) {
                not_asked(sample, ret_finding);
        } else if (told == 0 && stale > 0) {
                finding_reason(ret_finding, VERDICT_UNKNOWN,
                               "the disks have not been asked for more than %.0f hours (slowd-disks.timer)",
                               p[STALE_SECONDS] / 3600);
        } else if (told == 0 && silent > 0) {
                finding_reason(ret_finding, VERDICT_UNKNOWN, "%s does not answer smartctl", silent_name);
        } else if (told == 0 && asleep > 0) {
                finding_reason(ret_finding, VERDICT_UNKNOWN,
                               "the disks sleep, and are not woken to be asked");
        } else if (told == 0) {
                finding_reason(ret_finding, VERDICT_CLEAR, "no disk here tells anything of itself");
        } else {
                finding_reason(ret_finding, VERDICT_CLEAR, "%zu disk%s say%s of %s that nothing is wrong%s",
                               told, told > 1 ? "s" : "", told > 1 ? "" : "s",
                               told > 1 ? "themselves" : "itself",
                               silent + stale > 0 ? " (others do not answer)" : "");
        }
}

const struct check check_disk_failing = {
        .name = "disk.failing",
        .title = "The disk itself says that it is failing",
        .message_id = "f03cda7a1bc345bca1e082686032d41c",
        .culprit_kind = SUBJECT_DISK,
        .cause = "The disk counts sectors that it cannot read, reads that it could not mend, spare blocks "
                 "that are "
                 "used up, or its own verdict is that it fails (SMART, NVMe). slowd-disks.service asks each "
                 "disk "
                 "once an hour and never wakes one that sleeps.",
        .meaning = "Disks with such counts fail far more often than others: each evidence says how many of "
                   "them do "
                   "within a year. Before that they tend to become slow, as each bad sector is tried for "
                   "seconds.",
        .remedy = "Copy what is on it to another disk now, and replace it.",
        .look_alike =
                "One to four reallocated sectors, a count of broken transfers that does not grow (a cable "
                "that "
                "was loose once), NVMe media errors that do not grow, and an old disk are no failing disk.",
        .explains = (const char *const[]){ "disk.errors", "disk.slow", "disk.saturated", NULL },
        .parameters = parameters,
        .run = run,
};
