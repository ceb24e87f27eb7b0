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

static bool is_of(const struct family *family, uint32_t program)
{
        for (uint32_t i = 0; i < family->program_count; i++)
                if (family->programs[i] == program)
                        return true;
        return false;
}

struct disk_use disk_use_of(const struct snapshot *latest, const struct family *family)
{
        struct disk_use use = { .is_known = true };
        bool is_any = false;
        for (size_t i = 0; i < latest->process_count; i++) {
                const struct process_rate *rate = &latest->processes[i];
                if (!is_of(family, rate->program))
                        continue;
                const uint32_t *devices = rate->sample->io_devices;
                is_any |= devices[0] != 0;
                use.is_known &= devices[0] != 0 || !is_notable(rate);
                for (size_t k = 0; k < IO_DEVICES_MAX && devices[k] != 0; k++)
                        add_device(latest, devices[k], &use);
        }
        use.is_known &= is_any;
        return use;
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

/* What its requests end on; NULL: several disks, or it is not known. */
static const struct disk_rate *bottom_of(const struct snapshot *latest, const struct disk_rate *disk)
{
        for (size_t i = 0; disk->sample->lower[0] && i < latest->disk_count; i++)
                if (strcmp(latest->disks[i].sample->name, disk->sample->lower) == 0)
                        return &latest->disks[i];
        return disk->sample->is_stacked ? NULL : disk;
}

/* Whether one lies on the other, or both on one that is busy. */
static bool may_meet(const struct snapshot *latest, const struct disk_rate *a, const struct disk_rate *b)
{
        const struct disk_rate *below_a = bottom_of(latest, a), *below_b = bottom_of(latest, b);
        if (a == b)
                return true;
        if (below_a && below_b)
                return below_a == below_b && below_a->busy >= BUSY_LEAST;
        if (a->sample->is_stacked && b->sample->is_stacked)
                return is_any_busy(latest);
        if (!a->sample->is_stacked && !b->sample->is_stacked)
                return false;
        return a->sample->is_stacked ? b->busy >= BUSY_LEAST : a->busy >= BUSY_LEAST;
}

bool disk_use_meets(const struct snapshot *latest, const struct disk_use *a, const struct disk_use *b)
{
        if (!a->is_known || !b->is_known)
                return true;
        for (size_t i = 0; i < a->count; i++)
                for (size_t k = 0; k < b->count; k++)
                        if (may_meet(latest, a->disks[i], b->disks[k]))
                                return true;
        return false;
}

size_t disk_use_places(const struct disk_use *use)
{
        return use->is_known ? use->count : 1;
}

struct disk_use disk_use_place(const struct disk_use *use, size_t index)
{
        if (!use->is_known)
                return *use;
        return (struct disk_use){ .disks = { use->disks[index] }, .count = 1, .is_known = true };
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

bool disk_is_main_user(const struct snapshot *latest, const struct family *families, size_t count,
                       const struct family *family, const struct disk_use *place, double share)
{
        struct disk_use own = disk_use_of(latest, family);
        const struct disk_rate *disk = disk_use_disk(latest, place);
        double sum = 0;
        if (place->is_known && disk->busy >= BUSY_LEAST && disk_carried(disk) > 0) {
                /* Of a single disk it fills the cache in front, if it moves more. */
                double here = own.count == 1 ? disk_moved(family)
                                             : possible(family->read_bytes, disk->read_bytes) +
                                                       possible(family->write_bytes, disk->write_bytes);
                return here >= share * disk_carried(disk);
        }
        for (size_t i = 0; i < count; i++) {
                if (disk_moved(&families[i]) <= 0)
                        continue;
                struct disk_use other = disk_use_of(latest, &families[i]);
                if (disk_use_meets(latest, place, &other) &&
                    (other.is_known || !disk_is_elsewhere(latest, disk, &families[i])))
                        sum += disk_weight(&families[i]);
        }
        return sum > 0 && disk_weight(family) >= share * sum;
}

double disk_part(const struct disk_rate *disk, double own_wait, double others_wait)
{
        double in_flight = disk && !isnan(disk->queue) ? (double)disk->queue - others_wait : 0;
        double queue = in_flight > own_wait ? in_flight : own_wait;
        return queue > 0 ? queue / (queue + others_wait) : 0;
}
