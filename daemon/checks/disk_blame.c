/* Devices, mounts and waits of disks. */
#include "daemon/checks/disk_blame.h"

#include <string.h>

#include "common/text.h"
#include "common/units.h"
#include "daemon/checks/disk_use.h"

#define DEPTH_MAX 8 /* devices on devices: what is deeper is damage */

const struct disk_sample *disk_find(const struct snapshot *snapshot, const char *name)
{
        const struct sample *sample = snapshot->sample;
        for (size_t i = 0; name[0] && i < sample->disk_count; i++)
                if (strcmp(sample->disks[i].name, name) == 0)
                        return &sample->disks[i];
        return NULL;
}

const struct disk_rate *disk_rate_find(const struct snapshot *snapshot, const char *name)
{
        for (size_t i = 0; i < snapshot->disk_count; i++)
                if (strcmp(snapshot->disks[i].sample->name, name) == 0)
                        return &snapshot->disks[i];
        return NULL;
}

const char *disk_whole(const struct snapshot *snapshot, const char *name)
{
        const struct disk_sample *disk = disk_find(snapshot, name);
        return disk && disk->is_partition && disk->lower[0] ? disk->lower : name;
}

bool disk_lies_on(const struct snapshot *snapshot, const char *upper, const char *lower)
{
        for (int depth = 0; depth < DEPTH_MAX; depth++) {
                if (strcmp(upper, lower) == 0)
                        return true;
                const struct disk_sample *disk = disk_find(snapshot, upper);
                if (!disk || !disk->lower[0])
                        return false;
                upper = disk->lower;
        }
        return false;
}

/* btrfs has device numbers of its own in mountinfo, but names its device. */
static bool is_mount_of(const struct mount_sample *mount, const struct disk_sample *disk)
{
        if (mount->is_network)
                return false;
        if (mount->major == disk->major && mount->minor == disk->minor)
                return true;
        return strncmp(mount->source, "/dev/", 5) == 0 && strcmp(mount->source + 5, disk->name) == 0;
}

/* Of several mounts of one device, which are binds, the shortest path. */
static const struct mount_sample *mount_of(const struct snapshot *snapshot, const struct disk_sample *disk)
{
        const struct mount_sample *best = NULL;
        for (size_t i = 0; i < snapshot->sample->mount_count; i++) {
                const struct mount_sample *mount = &snapshot->sample->mounts[i];
                if (is_mount_of(mount, disk) && (!best || strlen(mount->path) < strlen(best->path)))
                        best = mount;
        }
        return best;
}

const struct mount_sample *disk_mount_of(const struct snapshot *snapshot, const char *device)
{
        const struct disk_sample *disk = disk_find(snapshot, device);
        return disk ? mount_of(snapshot, disk) : NULL;
}

#define MOUNTS_TOLD 3

const char *disk_mounts(char *buffer, size_t size, const struct snapshot *snapshot, const char *name)
{
        size_t length = 0, told = 0, more = 0;
        buffer[0] = '\0';
        for (size_t i = 0; i < snapshot->sample->disk_count; i++) {
                const struct disk_sample *disk = &snapshot->sample->disks[i];
                const struct mount_sample *mount =
                        disk_lies_on(snapshot, disk->name, name) ? mount_of(snapshot, disk) : NULL;
                if (!mount)
                        continue;
                if (told < MOUNTS_TOLD &&
                    text_append(buffer, size, &length, "%s%s", told > 0 ? ", " : "", mount->path))
                        told++;
                else
                        more++;
        }
        if (more > 0)
                (void)text_append(buffer, size, &length, " and %zu more", more);
        return buffer;
}

struct subject subject_of_disk(const char *name)
{
        struct subject subject = { .kind = SUBJECT_DISK, .lost_permille = -1 };
        (void)span_copy(span_of(name), subject.name, sizeof(subject.name));
        return subject;
}

/* ---- who waits for it ---- */

/* A disk that is idle keeps nobody waiting; a failing one has requests in flight nearly always. */
#define BUSY_LEAST  0.3
#define OTHER_SLACK 0.1

static double busy_here(const struct snapshot *snapshot, const char *name, double *ret_elsewhere)
{
        double here = 0;
        *ret_elsewhere = 0;
        for (size_t i = 0; i < snapshot->disk_count; i++) {
                const struct disk_rate *disk = &snapshot->disks[i];
                const char *other = disk->sample->name;
                if (disk->sample->is_partition || disk->sample->is_memory || isnan(disk->busy))
                        continue;
                bool is_same = disk_lies_on(snapshot, other, name) || disk_lies_on(snapshot, name, other);
                double *most = is_same ? &here : ret_elsewhere;
                if ((double)disk->busy > *most)
                        *most = (double)disk->busy;
        }
        return here;
}

enum work { WORKS_ELSEWHERE, WORKS_HERE, WORKS_SOMEWHERE };

static enum work work_of(const struct snapshot *snapshot, const struct disk_use *use, const char *name)
{
        for (size_t i = 0; i < use->count; i++)
                if (disk_lies_on(snapshot, use->disks[i]->sample->name, name))
                        return WORKS_HERE;
        return use->is_known ? WORKS_ELSEWHERE : WORKS_SOMEWHERE;
}

static float waited_by(const struct family *family)
{
        return isnan(family->ledger.disk_wait) ? 0 : family->ledger.disk_wait;
}

void disk_wait_make(const struct history *history, const char *name, usec_t window_usec,
                    struct disk_wait *ret_wait)
{
        struct disk_wait *wait = ret_wait;
        struct ledger all = ledger_unknown();
        wait->victim_count = 0;
        wait->waited = 0;
        wait->lost_permille = 0;
        wait->count = families_make(history, window_usec, wait->families, FAMILIES_MAX);
        const struct snapshot *latest = history_latest(history);
        double elsewhere, here = busy_here(latest, name, &elsewhere);
        if (here < BUSY_LEAST)
                return;
        struct disk_use uses[FAMILIES_MAX];
        disk_uses_make(latest, wait->families, wait->count, uses);
        for (size_t i = 0; i < wait->count; i++) {
                const struct family *family = &wait->families[i];
                if (family->is_kernel || family->is_self || waited_by(family) < 0.01F ||
                    lost_permille_of(family->ledger.disk_wait, &family->ledger) < 100)
                        continue;
                enum work work = work_of(latest, &uses[i], name);
                if (work == WORKS_ELSEWHERE || (work == WORKS_SOMEWHERE && here + OTHER_SLACK < elsewhere))
                        continue;
                ledger_add(&all, &family->ledger);
                size_t at = wait->victim_count++;
                for (; at > 0 && waited_by(wait->victims[at - 1]) < waited_by(family); at--)
                        wait->victims[at] = wait->victims[at - 1];
                wait->victims[at] = family;
        }
        if (wait->victim_count == 0)
                return;
        wait->waited = (double)all.disk_wait;
        wait->lost_permille = lost_permille_of(all.disk_wait, &all);
}

static float disk_wait_of(const struct ledger *ledger)
{
        return ledger->disk_wait;
}

#define VICTIMS_TOLD 2

void disk_wait_tell(const struct history *history, const struct disk_wait *wait, struct finding *finding)
{
        char lost[UNITS_MAX];
        for (size_t i = 0; i < wait->victim_count && finding->victim_count < FINDING_VICTIMS_MAX; i++) {
                const struct family *victim = wait->victims[i];
                struct subject *subject = &finding->victims[finding->victim_count++];
                *subject = subject_of_family(history_latest(history), victim, victim->ledger.disk_wait,
                                             SUBJECT_PROGRAM);
                if (i < VICTIMS_TOLD)
                        finding_evidence(
                                finding, "disk.waiting", subject->lost_permille, "permille", NAN,
                                usual_lost_permille(history, victim, finding->since_usec, disk_wait_of),
                                "%s waits for the disk %s of the time it wants to work", victim->name,
                                format_permille(lost, subject->lost_permille));
        }
}
