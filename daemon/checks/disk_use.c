/* Who works on which disk. */
#include "daemon/checks/disk_use.h"

#include <string.h>

double disk_moved(const struct family *family)
{
        return (double)family->read_bytes + (double)family->write_bytes;
}

double disk_carried(const struct disk_rate *disk)
{
        return (isnan(disk->read_bytes) ? 0 : (double)disk->read_bytes) +
               (isnan(disk->write_bytes) ? 0 : (double)disk->write_bytes);
}

#define UNHINDERED_PART 0.2

double disk_weight(const struct family *family)
{
        double waits = (double)lost_permille_of(family->ledger.disk_wait, &family->ledger) / 1000;
        return disk_moved(family) * (waits > UNHINDERED_PART ? waits : UNHINDERED_PART);
}

/* ---- which disks ---- */

/* A partition's I/O is its disk's, whose name its own begins with. */
static const struct disk_rate *whole_disk(const struct snapshot *latest, const struct disk_rate *part)
{
        const struct disk_rate *whole = NULL;
        for (size_t i = 0; i < latest->disk_count; i++) {
                const struct disk_rate *disk = &latest->disks[i];
                if (!disk->sample->is_partition &&
                    strncmp(part->sample->name, disk->sample->name, strlen(disk->sample->name)) == 0 &&
                    (!whole || strlen(disk->sample->name) > strlen(whole->sample->name)))
                        whole = disk;
        }
        return whole;
}

static void add_device(const struct snapshot *latest, uint32_t number, struct disk_use *use)
{
        for (size_t i = 0; i < latest->disk_count; i++) {
                const struct disk_rate *disk = &latest->disks[i];
                if (DEVICE_NUMBER(disk->sample->major, disk->sample->minor) != number)
                        continue;
                if (disk->sample->is_partition)
                        disk = whole_disk(latest, disk);
                for (size_t k = 0; k < use->count && disk; k++)
                        if (use->disks[k] == disk)
                                return;
                if (!disk || use->count == DISK_USE_MAX)
                        use->is_known = false;
                else
                        use->disks[use->count++] = disk;
                return;
        }
}

/* Who does less of both says nothing about its family. */
#define NOTABLE_BYTES 20000.0F
#define NOTABLE_WAIT  0.02F

static bool is_notable(const struct process_rate *rate)
{
        return rate->read_bytes >= NOTABLE_BYTES || rate->write_bytes >= NOTABLE_BYTES ||
               rate->ledger.disk_wait >= NOTABLE_WAIT;
}

static size_t family_index(const struct family *families, size_t count, uint32_t program)
{
        for (size_t i = 0; i < count; i++)
                for (uint32_t k = 0; k < families[i].program_count; k++)
                        if (families[i].programs[k] == program)
                                return i;
        return count;
}

/* What its requests end on; NULL: several disks, or it is not known. */
static const struct disk_rate *bottom_of(const struct snapshot *latest, const struct disk_rate *disk)
{
        for (size_t i = 0; disk->sample->lower[0] && i < latest->disk_count; i++)
                if (strcmp(latest->disks[i].sample->name, disk->sample->lower) == 0)
                        return &latest->disks[i];
        return disk->sample->is_stacked ? NULL : disk;
}

static void add_below(const struct snapshot *latest, struct disk_use *use)
{
        for (size_t i = 0; i < use->count; i++) {
                const struct disk_rate *below = bottom_of(latest, use->disks[i]);
                bool is_there = !below;
                for (size_t k = 0; k < use->count && !is_there; k++)
                        is_there = use->disks[k] == below;
                for (size_t k = 0; k < use->below_count && !is_there; k++)
                        is_there = use->below[k] == below;
                if (!is_there)
                        use->below[use->below_count++] = below;
        }
}

/* Few processes do anything worth a look: those are gone through, not all of each family. */
void disk_uses_make(const struct snapshot *latest, const struct family *families, size_t count,
                    struct disk_use *ret_uses)
{
        bool is_any[FAMILIES_MAX] = { false }, is_unknown[FAMILIES_MAX] = { false };
        memset(ret_uses, 0, count * sizeof(ret_uses[0]));
        for (size_t i = 0; i < count; i++)
                ret_uses[i].is_known = true;
        for (size_t i = 0; i < latest->process_count; i++) {
                const struct process_rate *rate = &latest->processes[i];
                const uint32_t *devices = rate->sample->io_devices;
                if (devices[0] == 0 && !is_notable(rate))
                        continue;
                size_t index = family_index(families, count, rate->program);
                if (index == count)
                        continue;
                is_any[index] |= devices[0] != 0;
                is_unknown[index] |= devices[0] == 0;
                for (size_t k = 0; k < IO_DEVICES_MAX && devices[k] != 0; k++)
                        add_device(latest, devices[k], &ret_uses[index]);
        }
        for (size_t i = 0; i < count; i++) {
                ret_uses[i].is_known &= is_any[i] && !is_unknown[i];
                add_below(latest, &ret_uses[i]);
        }
}

/* A disk that works less than this holds up nobody who is on top of it. */
#define BUSY_LEAST 0.5F

static bool is_any_busy(const struct snapshot *latest)
{
        for (size_t i = 0; i < latest->disk_count; i++)
                if (!latest->disks[i].sample->is_stacked && latest->disks[i].busy >= BUSY_LEAST)
                        return true;
        return false;
}

/* Where requests take many times as long as at the disk below, it is not for that one that they wait. */
#define PASSED_ON 0.25F

static bool is_slowed_by(const struct disk_rate *disk, const struct disk_rate *below)
{
        return disk == below || isnan(disk->await_msec) || isnan(below->await_msec) ||
               below->await_msec >= PASSED_ON * disk->await_msec;
}

/* Whether what goes on at `place` can hold up somebody on `disk`: the same, or one that lies on it. */
static bool may_meet(const struct snapshot *latest, const struct disk_rate *place,
                     const struct disk_rate *disk)
{
        const struct disk_rate *below = bottom_of(latest, disk);
        if (place == disk)
                return true;
        if (below && disk->sample->is_stacked)
                return below == place && place->busy >= BUSY_LEAST && is_slowed_by(disk, place);
        if (bottom_of(latest, place))
                return !below && place->busy >= BUSY_LEAST && is_slowed_by(disk, place);
        /* What a volume over several disks lies on is not known. */
        return below ? below->busy >= BUSY_LEAST : is_any_busy(latest);
}

bool disk_use_meets(const struct snapshot *latest, const struct disk_use *place, const struct disk_use *other)
{
        if (!place->is_known || !other->is_known)
                return true;
        for (size_t i = 0; i < place->count; i++)
                for (size_t k = 0; k < other->count; k++)
                        if (may_meet(latest, place->disks[i], other->disks[k]))
                                return true;
        return false;
}

size_t disk_use_places(const struct disk_use *use)
{
        return use->is_known ? use->count + use->below_count : 1;
}

struct disk_use disk_use_place(const struct disk_use *use, size_t index)
{
        if (!use->is_known)
                return *use;
        const struct disk_rate *disk =
                index < use->count ? use->disks[index] : use->below[index - use->count];
        return (struct disk_use){ .disks = { disk }, .count = 1, .is_known = true };
}

const struct disk_rate *disk_use_disk(const struct snapshot *latest, const struct disk_use *place)
{
        return place->is_known && place->count > 0 ? place->disks[0] : busiest_disk(latest);
}

/* ---- who moves most ---- */

/* Without a known disk: somebody who moves far more than the busy disk carries may be filling the cache in
 * front of it, and then waits for it as well; who does not wait, or whose bytes are seen on another disk,
 * works there. */
#define BYTES_EXCESS 1.5
#define WAIT_LEAST   200 /* permille of its time */
#define OTHER_SHARE  0.5

bool disk_is_elsewhere(const struct snapshot *latest, const struct disk_rate *busy,
                       const struct family *family)
{
        if (!busy || !(busy->busy >= BUSY_LEAST) || disk_moved(family) <= BYTES_EXCESS * disk_carried(busy))
                return false;
        if (lost_permille_of(family->ledger.disk_wait, &family->ledger) < WAIT_LEAST)
                return true;
        for (size_t i = 0; i < latest->disk_count; i++) {
                const struct disk_rate *disk = &latest->disks[i];
                if (disk != busy && !disk->sample->is_partition && !disk->sample->is_memory &&
                    disk_carried(disk) >= OTHER_SHARE * disk_moved(family))
                        return true;
        }
        return false;
}

/* Of what somebody moves in one direction, what can have been on this disk: all of it, or nothing if it is
 * far more than the disk carried. */
static double possible(float moved, float carried)
{
        return moved <= BYTES_EXCESS * (double)carried ? (double)moved : 0;
}

bool disk_is_main_user(const struct snapshot *latest, const struct family *families,
                       const struct disk_use *uses, size_t count, size_t index, const struct disk_use *place,
                       double share)
{
        const struct family *family = &families[index];
        const struct disk_rate *disk = disk_use_disk(latest, place);
        double sum = 0;
        if (place->is_known && disk->busy >= BUSY_LEAST && disk_carried(disk) > 0) {
                /* Of a single disk it fills the cache in front, if it moves more. */
                double here = uses[index].count == 1
                                      ? disk_moved(family)
                                      : possible(family->read_bytes, disk->read_bytes) +
                                                possible(family->write_bytes, disk->write_bytes);
                return here >= share * disk_carried(disk);
        }
        for (size_t i = 0; i < count; i++)
                if (disk_moved(&families[i]) > 0 && disk_use_meets(latest, place, &uses[i]) &&
                    (uses[i].is_known || !disk_is_elsewhere(latest, disk, &families[i])))
                        sum += disk_weight(&families[i]);
        return sum > 0 && disk_weight(family) >= share * sum;
}

double disk_part(const struct disk_rate *disk, double own_wait, double others_wait)
{
        double in_flight = disk && !isnan(disk->queue) ? (double)disk->queue - others_wait : 0;
        double queue = in_flight > own_wait ? in_flight : own_wait;
        return queue > 0 ? queue / (queue + others_wait) : 0;
}
