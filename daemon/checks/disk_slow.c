/* disk.slow: a disk takes far longer for a request than it used to, at no more load. Its own past is its
 * measure (Perseus, FAST '23: latency against throughput, for each drive). A saturated disk is told apart by
 * what a request takes without the others that are queued before it. */
#include <string.h>

#include "common/text.h"
#include "common/units.h"
#include "daemon/checks/disk_blame.h"

enum { RAISE_RATIO, CLEAR_RATIO, MINIMUM_SPINNING, MINIMUM_OTHER, RAISE_LOST, CLEAR_LOST, MINIMUM_WAIT };

static const struct check_parameter parameters[] = {
        [RAISE_RATIO] = { "RaiseRatio", "count", 5, 2, 1000,
                          "how many times longer than usual a request must take",
                          "a healthy disk's service time at one load varies two- or threefold",
                          "Perseus (FAST '23) calls twice the 99.9 % bound slow; half an order more for one "
                          "disk's "
                          "short past" },
        [CLEAR_RATIO] = { "ClearRatio", "count", 3, 1.5, 1000, "below this an open incident ends",
                          "well below the raise level, so that an answer does not flap", "hysteresis" },
        [MINIMUM_SPINNING] = { "MinimumSpinningSeconds", "seconds", 0.05, 0.001, 10,
                               "what a request of up to 64 KiB must take on a disk that spins",
                               "seeking across the whole disk and a turn take 25 ms at most, so that random "
                               "reads "
                               "after sequential ones are not slow",
                               "data sheets of 5400 and 7200 rpm disks" },
        [MINIMUM_OTHER] = { "MinimumOtherSeconds", "seconds", 0.01, 0.0001, 10, "the same for other disks",
                            "an SSD answers in well under one, also with a full cache",
                            "data sheets; a disk in a cloud that is out of credit answers in 10 and more" },
        [RAISE_LOST] = { "RaiseLostPermille", "permille", 250, 20, 1000,
                         "share of the time they want to work that the victims must lose to the disk",
                         "as for disk.saturated", "so that causes can be compared" },
        [CLEAR_LOST] = { "ClearLostPermille", "permille", 150, 10, 1000, "below this an open incident ends",
                         "well below the raise level", "hysteresis" },
        [MINIMUM_WAIT] = { "MinimumWaitPermille", "permille", 50, 1, 1000,
                           "time all victims together must lose, of one task's time", "as for disk.saturated",
                           "psi-notify raises at io full 15 %" },
        { NULL, NULL, 0, 0, 0, NULL, NULL, NULL },
};

#define WAIT_WINDOW_USEC (10 * USEC_PER_SEC)
/* Steps of five seconds: what is now, and in how many of them with requests it must be slow. A disk that
 * wakes up is slow in two. */
#define NOW_STEPS  6
#define SLOW_STEPS 4
#define SLOW_SHARE 0.75
/* Steps of the past at the same load or more that make a measure: a minute. */
#define PEERS_LEAST   12
#define SAME_LOAD     0.8
#define REQUESTS_EACH 2.0
/* A request that is larger takes longer on any disk. */
#define REQUEST_BYTES 65536.0

struct slowness {
        const struct disk_rate *disk;
        enum disk_direction direction;
        double service_msec, usual_msec; /* of a request; usual NAN: not known */
        double requests_per_sec, bytes_per_sec;
        double ratio;
        usec_t since_usec; /* realtime */
};

struct load {
        double service_msec, requests_per_sec, bytes_per_sec;
};

static bool load_of(const struct disk_step *step, enum disk_direction direction, struct load *ret_load)
{
        if (!step || !((double)step->requests[direction] >= REQUESTS_EACH))
                return false;
        double requests = (double)step->requests[direction], bytes = (double)step->bytes[direction];
        double size = bytes / requests / REQUEST_BYTES;
        *ret_load = (struct load){
                .service_msec = disk_step_service_msec(step, direction) / (size > 1 ? size : 1),
                .requests_per_sec = requests / (double)step->covered_sec,
                .bytes_per_sec = bytes / (double)step->covered_sec,
        };
        return true;
}

static void sort(double *values, size_t count)
{
        for (size_t i = 1; i < count; i++) {
                double value = values[i];
                size_t at = i;
                for (; at > 0 && values[at - 1] > value; at--)
                        values[at] = values[at - 1];
                values[at] = value;
        }
}

/* What a request took in the past at this load or more: the lower quarter, as the past may be slow as well
 * when it has been so for a while. */
static double usual_service(const struct disk_past_row *row, usec_t now_usec, const struct slowness *now)
{
        double values[DISK_PAST_STEPS];
        size_t count = 0;
        for (uint32_t ago = NOW_STEPS; ago < DISK_PAST_STEPS; ago++) {
                struct load load;
                if (!load_of(disk_past_step(row, now_usec, ago), now->direction, &load) ||
                    load.requests_per_sec < SAME_LOAD * now->requests_per_sec ||
                    load.bytes_per_sec < SAME_LOAD * now->bytes_per_sec)
                        continue;
                values[count++] = load.service_msec;
        }
        if (count < PEERS_LEAST)
                return NAN;
        sort(values, count);
        return values[count / 4];
}

#define TREND_STEP    (10 * USEC_PER_MINUTE)
#define TREND_WINDOW  (2 * USEC_PER_DAY)
#define TREND_RECENT  (15 * USEC_PER_MINUTE)
#define TREND_POINTS  288
#define TREND_MINIMUM 6 /* an hour */

/* Of a disk that has been slow for longer than the recent past reaches, the last two days tell: how long
 * requests took, whatever the load was. */
static double usual_for_days(const struct history *history, const char *name)
{
        struct trend_point points[TREND_POINTS];
        double values[TREND_POINTS];
        usec_t now_usec = history_latest(history)->time.realtime_usec;
        size_t count = 0, all = history_trend(history, TREND_DISK_AWAIT, trend_id(name), TREND_WINDOW,
                                              TREND_STEP, points, TREND_POINTS);
        for (size_t i = 0; i < all; i++)
                if (points[i].from_usec + TREND_STEP + TREND_RECENT <= now_usec)
                        values[count++] = points[i].mean;
        if (count < TREND_MINIMUM)
                return NAN;
        sort(values, count);
        return values[count / 4];
}

/* True if requests of this direction take as long as `least_msec`, in most of the last steps. */
static bool is_slow_now(const struct disk_past_row *row, usec_t now_usec, double least_msec,
                        struct slowness *now)
{
        double values[NOW_STEPS], requests = 0, bytes = 0;
        size_t count = 0, slow = 0;
        for (uint32_t ago = 0; ago < NOW_STEPS; ago++) {
                struct load load;
                if (!load_of(disk_past_step(row, now_usec, ago), now->direction, &load))
                        continue;
                values[count++] = load.service_msec;
                slow += load.service_msec >= least_msec;
                requests += load.requests_per_sec;
                bytes += load.bytes_per_sec;
        }
        if (count < SLOW_STEPS || (double)slow < SLOW_SHARE * (double)count || slow < SLOW_STEPS)
                return false;
        sort(values, count);
        now->service_msec = values[count / 2];
        now->requests_per_sec = requests / (double)count;
        now->bytes_per_sec = bytes / (double)count;
        return true;
}

static usec_t slow_since(const struct history *history, const struct disk_past_row *row, double least_msec,
                         enum disk_direction direction)
{
        const struct snapshot *latest = history_latest(history);
        usec_t now_usec = latest->time.monotonic_usec;
        uint32_t first = 0;
        for (uint32_t ago = 0; ago < DISK_PAST_STEPS; ago++) {
                struct load load;
                if (!load_of(disk_past_step(row, now_usec, ago), direction, &load))
                        continue;
                if (load.service_msec < least_msec)
                        break;
                first = ago;
        }
        usec_t age = (usec_t)first * DISK_PAST_STEP_USEC + now_usec % DISK_PAST_STEP_USEC;
        return latest->time.realtime_usec > age ? latest->time.realtime_usec - age : 0;
}

/* Spinning ones, and flash behind a simple controller, which is no faster at small writes. */
static bool is_leisurely(const struct disk_sample *disk)
{
        return disk->is_rotational || disk->is_removable || strncmp(disk->name, "mmcblk", 6) == 0;
}

static bool examine(const struct check_context *context, const struct disk_rate *disk,
                    struct slowness *ret_slowness)
{
        const double *p = context->parameters;
        const struct history *history = context->history;
        usec_t now_usec = history_latest(history)->time.monotonic_usec;
        const struct disk_past_row *row = history_disk_past(history, disk->sample->name);
        double least = 1000 * p[is_leisurely(disk->sample) ? MINIMUM_SPINNING : MINIMUM_OTHER];
        double wanted = p[context->was_found ? CLEAR_RATIO : RAISE_RATIO];
        bool is_slow = false;
        for (int direction = 0; row && direction < DISK_DIRECTIONS; direction++) {
                struct slowness now = { .disk = disk, .direction = (enum disk_direction)direction };
                if (!is_slow_now(row, now_usec, least, &now))
                        continue;
                now.usual_msec = usual_service(row, now_usec, &now);
                double days = usual_for_days(history, disk->sample->name);
                if (isnan(now.usual_msec) || days < now.usual_msec)
                        now.usual_msec = days;
                /* Below a tenth of a millisecond it is the cache that answers. */
                now.ratio = now.service_msec / (now.usual_msec > 0.1 ? now.usual_msec : 0.1);
                if (isnan(now.usual_msec))
                        now.ratio = NAN;
                if (!isnan(now.ratio) && now.ratio < wanted)
                        continue;
                double clear = now.usual_msec * p[CLEAR_RATIO];
                now.since_usec = slow_since(history, row, clear > least ? clear : least, now.direction);
                if (!is_slow || now.ratio > ret_slowness->ratio || isnan(ret_slowness->ratio))
                        *ret_slowness = now;
                is_slow = true;
        }
        return is_slow;
}

/* Of a stack of devices the lowest one that is slow; else the slowest. */
static bool find_slowest(const struct check_context *context, const struct snapshot *latest,
                         struct slowness *ret_slowest)
{
        bool is_any = false;
        for (size_t i = 0; i < latest->disk_count; i++) {
                const struct disk_rate *disk = &latest->disks[i];
                struct slowness now = { 0 };
                if (disk->sample->is_partition || disk->sample->is_memory || !examine(context, disk, &now))
                        continue;
                const char *name = disk->sample->name;
                if (is_any) {
                        const char *other = ret_slowest->disk->sample->name;
                        bool is_below = disk_lies_on(latest, other, name);
                        if (disk_lies_on(latest, name, other) ||
                            (!is_below && !(now.ratio > ret_slowest->ratio)))
                                continue;
                }
                *ret_slowest = now;
                is_any = true;
        }
        return is_any;
}

/* ---- found ---- */

static const char *format_msec(char buffer[static UNITS_MAX], double msec)
{
        if (msec < 10)
                text_format(buffer, UNITS_MAX, "%.1f ms", msec);
        else
                (void)format_duration(buffer, (usec_t)(msec * 1000));
        return buffer;
}

static const char *const words[] = { [DISK_READS] = "read", [DISK_WRITES] = "write" };

static void found(const struct check_context *context, const struct slowness *s, const struct disk_wait *wait,
                  struct finding *finding)
{
        const double *p = context->parameters;
        const struct snapshot *latest = history_latest(context->history);
        const struct disk_sample *disk = s->disk->sample;
        char mounts[FINDING_TEXT_MAX], where[FINDING_TEXT_MAX], now[UNITS_MAX], usual[UNITS_MAX],
                rate[UNITS_MAX];
        char command[FINDING_TEXT_MAX];
        finding->verdict = VERDICT_FOUND;
        finding->kind = FINDING_CAUSE;
        finding->severity = wait->lost_permille >= 600 ? SEVERITY_CRITICAL : SEVERITY_WARNING;
        finding->since_usec = s->since_usec;
        finding->lost_permille = wait->lost_permille;
        finding->confidence_permille = wait->victims[0]->delays_known ? 850 : 650;
        finding->culprit = subject_of_disk(disk->name);
        disk_mounts(mounts, sizeof(mounts), latest, disk->name);
        where[0] = '\0';
        if (mounts[0])
                text_format(where, sizeof(where), " (%s)", mounts);
        (void)format_msec(now, s->service_msec);
        (void)format_msec(usual, s->usual_msec);
        text_format(finding->summary, sizeof(finding->summary),
                    "the disk %s%s has become slow: a %s takes %s, and usually %s at no less load",
                    disk->name, where, words[s->direction], now, usual);
        finding_evidence(finding, s->direction == DISK_READS ? "disk.readTime" : "disk.writeTime",
                         1000 * s->service_msec, "usec", 1000 * p[RAISE_RATIO] * s->usual_msec,
                         s->usual_msec >= 1 ? 1000 * s->usual_msec : NAN,
                         "a %s of %s takes %s by itself, without those before it in the queue",
                         words[s->direction], disk->name, now);
        finding_evidence(finding, "disk.load", s->requests_per_sec, "perSecond", NAN, NAN,
                         "it serves %.1f %ss and %s each second, no more than it did when it was fast",
                         s->requests_per_sec, words[s->direction], format_bytes(rate, s->bytes_per_sec));
        disk_wait_tell(context->history, wait, finding);
        if (disk->lower[0])
                finding_evidence(finding, "disk.liesOn", 1, "count", NAN, NAN,
                                 "%s lies on %s, which is not slow", disk->name, disk->lower);
        bool is_virtual = strncmp(disk->name, "vd", 2) == 0 || strncmp(disk->name, "xvd", 3) == 0;
        if (is_virtual)
                finding_remedy(finding, NULL,
                               "ask who runs the host: it may hold this disk back, or its storage is slow");
        else if (disk->is_stacked)
                text_format(command, sizeof(command), "lsblk -s /dev/%s", disk->name);
        else
                text_format(command, sizeof(command), "smartctl -x /dev/%s", disk->name);
        if (!is_virtual)
                finding_remedy(finding, command,
                               disk->is_stacked ? "see what it lies on, and look there"
                                                : "ask the disk itself");
        finding_remedy(finding, "journalctl -k -b -p warning",
                       "see whether the kernel has complained about it");
        finding_remedy(finding, NULL,
                       "move what is in a hurry to another disk, and copy what is on this one");
}

static void run(const struct check_context *context, struct finding *ret_finding)
{
        const double *p = context->parameters;
        const struct snapshot *latest = history_latest(context->history);
        struct slowness slowest = { 0 };
        struct disk_wait wait;
        char now[UNITS_MAX], lost[UNITS_MAX];
        if (latest->sample->disk_count == 0) {
                finding_reason(ret_finding, VERDICT_UNKNOWN, "what the disks do cannot be read");
                return;
        }
        if (!find_slowest(context, latest, &slowest)) {
                finding_reason(ret_finding, VERDICT_CLEAR,
                               "no disk takes longer for a request than it used to");
                return;
        }
        const char *name = slowest.disk->sample->name;
        (void)format_msec(now, slowest.service_msec);
        disk_wait_make(context->history, name, WAIT_WINDOW_USEC, &wait);
        double threshold = p[context->was_found ? CLEAR_LOST : RAISE_LOST];
        if (wait.victim_count == 0 || wait.lost_permille < threshold || 1000 * wait.waited < p[MINIMUM_WAIT])
                finding_reason(ret_finding, VERDICT_CLEAR,
                               "%s takes %s for a %s, but nobody loses more than %s of its time to it", name,
                               now, words[slowest.direction],
                               format_permille(lost, wait.victim_count > 0 ? wait.lost_permille : 0));
        else if (isnan(slowest.ratio))
                finding_reason(ret_finding, VERDICT_UNKNOWN,
                               "%s takes %s for a %s; how long it took at this load before is not known",
                               name, now, words[slowest.direction]);
        else
                found(context, &slowest, &wait, ret_finding);
}

const struct check check_disk_slow = {
        .name = "disk.slow",
        .title = "A disk has become slow, at no more load",
        .message_id = "17d29716952e4112a81f891c1c0313b4",
        .culprit_kind = SUBJECT_DISK,
        .cause = "Each request takes the disk several times longer than it used to at this load or a higher "
                 "one, also "
                 "without the others that are queued before it: bad sectors that are tried again and again, "
                 "a worn or "
                 "overheated SSD, a link that has fallen back, or a host that holds a virtual disk back.",
        .meaning =
                "Everything that needs this disk is slow, whoever it is, and no program is to blame for it.",
        .remedy =
                "Ask the disk how it is and look at the kernel's messages; move what is in a hurry to "
                "another disk. Of "
                "a virtual disk the host's storage, or a limit that the provider sets, is what to ask about.",
        .look_alike =
                "A disk that is saturated takes as long for each request as ever, there are only more of "
                "them "
                "(disk.saturated). A disk that wakes up is slow once. Larger requests, and random ones after "
                "sequential ones, take longer on any disk.",
        .explains = (const char *const[]){ "disk.saturated", NULL },
        .parameters = parameters,
        .run = run,
};
