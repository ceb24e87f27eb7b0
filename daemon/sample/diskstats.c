/* /proc/diskstats, and from /sys, once per device, what kind of device it is. */
#include "daemon/sample/diskstats.h"

#include <errno.h>
#include <string.h>

#include "daemon/sample/disk_place.h"
#include "daemon/sample/fields.h"

/* A loop device gets another file, and a volume moves to another disk, without the device going away. */
#define STACKS_REREAD_USEC USEC_PER_MINUTE

#define SECTOR_BYTES 512 /* in diskstats, whatever the device's own sector size is */
#define COLUMNS      17
#define COLUMNS_MIN  11 /* discards came with 4.18, flushes with 5.5 */

static bool has_prefix(const char *name, const char *const *prefixes)
{
        for (; *prefixes; prefixes++)
                if (strncmp(name, *prefixes, strlen(*prefixes)) == 0)
                        return true;
        return false;
}

/* Their I/O shows again on what they are made of. */
static bool is_stacked_name(const char *name)
{
        static const char *const prefixes[] = { "loop", "dm-", "md", "bcache", "drbd", NULL };
        return has_prefix(name, prefixes);
}

static bool is_memory_name(const char *name)
{
        static const char *const prefixes[] = { "ram", "zram", NULL };
        return has_prefix(name, prefixes);
}

static int take_columns(struct span *line, uint64_t *columns)
{
        memset(columns, 0xff, COLUMNS * sizeof(columns[0]));
        for (size_t i = 0; i < COLUMNS; i++) {
                int r = span_take_u64(line, &columns[i]);
                if (r == -ENODATA && i >= COLUMNS_MIN)
                        break;
                if (r < 0)
                        return r == -ENODATA ? -EINVAL : r;
        }
        return 0;
}

static int parse_line(struct span line, struct disk_sample *ret_disk)
{
        struct span name;
        uint64_t major = 0, minor = 0, column[COLUMNS];

        int r = span_take_u64(&line, &major);
        if (r == 0)
                r = span_take_u64(&line, &minor);
        if (r < 0 || major > UINT32_MAX || minor > UINT32_MAX || !span_take_word(&line, &name))
                return -EINVAL;
        r = take_columns(&line, column);
        if (r == 0)
                r = fields_scale(&column[2], SECTOR_BYTES);
        if (r == 0)
                r = fields_scale(&column[6], SECTOR_BYTES);
        if (r == 0 && column[13] != ABSENT)
                r = fields_scale(&column[13], SECTOR_BYTES);
        if (r < 0)
                return r;
        *ret_disk = (struct disk_sample){
                .major = (uint32_t)major,
                .minor = (uint32_t)minor,
                .reads = column[0],
                .reads_merged = column[1],
                .read_bytes = column[2],
                .read_msec = column[3],
                .writes = column[4],
                .writes_merged = column[5],
                .write_bytes = column[6],
                .write_msec = column[7],
                .in_flight = column[8],
                .busy_msec = column[9],
                .weighted_msec = column[10],
                .discards = column[11],
                .discard_bytes = column[13],
                .discard_msec = column[14],
                .flushes = column[15],
                .flush_msec = column[16],
        };
        (void)span_copy(name, ret_disk->name, sizeof(ret_disk->name));
        text_sanitize(ret_disk->name, "");
        return 0;
}

static bool is_unused(const struct disk_sample *disk)
{
        return disk->reads == 0 && disk->writes == 0 &&
               (is_memory_name(disk->name) || strncmp(disk->name, "loop", 4) == 0);
}

/* Linux 6.18: major, minor, name; reads, merged, sectors, ms; the same for writes; in flight, ms busy, ms
 * weighted; discards, merged, sectors, ms; flushes, ms:
 *    254       0 vda 32772 8133 3112826 8403 44770 10232 1746056 11878 0 8516 21419 10877 29 380496 758 7507
 * 380 */
int diskstats_parse(struct span text, struct sample *sample)
{
        struct span line;
        size_t lines = 0;
        int error = 0;

        for (; span_take_line(&text, &line); lines++) {
                struct disk_sample disk;
                int r = parse_line(line, &disk);
                fields_note(r, &error);
                if (r < 0 || is_unused(&disk))
                        continue;
                if (sample->disk_count < DISKS_MAX)
                        sample->disks[sample->disk_count++] = disk;
                else
                        sample->dropped++;
        }
        return lines ? error : -ENODATA;
}

static bool exists(const struct root *root, const char *path)
{
        char none[2];
        ssize_t r = root_read(root, path, none, sizeof(none));
        return r >= 0 || r == -EFBIG;
}

/* "sda1" begins with its disk's name, which the kernel lists before it; "nvme0n1p2" and "loop0p1" have a 'p'
 * between, as their disk's name ends in a digit. For recordings that came without /sys. */
static bool is_partition_name(const struct sample *sample, const struct disk_sample *disk)
{
        for (const struct disk_sample *whole = sample->disks; whole < disk; whole++) {
                size_t length = strlen(whole->name);
                const char *rest = disk->name + length;
                if (whole->major != disk->major || length == 0 ||
                    strncmp(disk->name, whole->name, length) != 0)
                        continue;
                char last = whole->name[length - 1];
                if (last >= '0' && last <= '9' && *rest++ != 'p')
                        continue;
                if (rest[0] != '\0' && strspn(rest, "0123456789") == strlen(rest))
                        return true;
        }
        return false;
}

static void read_facts(const struct root *root, const struct sample *sample, const struct disk_sample *disk,
                       struct disk_facts *ret_facts)
{
        char path[80], text[8];

        *ret_facts = (struct disk_facts){ .major = disk->major,
                                          .minor = disk->minor,
                                          .is_stacked = is_stacked_name(disk->name),
                                          .is_memory = is_memory_name(disk->name) };
        memcpy(ret_facts->name, disk->name, sizeof(ret_facts->name));
        text_format(path, sizeof(path), "sys/dev/block/%u:%u/uevent", disk->major, disk->minor);
        if (exists(root, path)) {
                text_format(path, sizeof(path), "sys/dev/block/%u:%u/partition", disk->major, disk->minor);
                ret_facts->is_partition = exists(root, path);
        } else {
                ret_facts->is_partition = is_partition_name(sample, disk);
        }
        const char *whole = ret_facts->is_partition ? "../" : "";
        text_format(path, sizeof(path), "sys/dev/block/%u:%u/%squeue/rotational", disk->major, disk->minor,
                    whole);
        ssize_t length = root_read(root, path, text, sizeof(text));
        ret_facts->is_rotational = length > 0 && text[0] == '1';
        text_format(path, sizeof(path), "sys/dev/block/%u:%u/%sremovable", disk->major, disk->minor, whole);
        length = root_read(root, path, text, sizeof(text));
        ret_facts->is_removable = length > 0 && text[0] == '1';
        disk_place_read(root, sample, disk, ret_facts);
}

static const struct disk_facts *find_facts(const struct disks *disks, const struct disk_sample *disk,
                                           size_t guess)
{
        for (size_t i = 0; i < disks->count; i++) {
                /* Devices hardly ever come or go, so it is nearly always where it was. */
                size_t at = guess + i < disks->count ? guess + i : guess + i - disks->count;
                const struct disk_facts *facts = &disks->facts[at];
                if (facts->major == disk->major && facts->minor == disk->minor &&
                    strcmp(facts->name, disk->name) == 0)
                        return facts;
        }
        return NULL;
}

static void apply(struct disk_sample *disk, const struct disk_facts *facts)
{
        disk->is_partition = facts->is_partition;
        disk->is_stacked = facts->is_stacked;
        disk->is_rotational = facts->is_rotational;
        disk->is_memory = facts->is_memory;
        disk->is_removable = facts->is_removable;
        memcpy(disk->lower, facts->lower, sizeof(disk->lower));
        memcpy(disk->address, facts->address, sizeof(disk->address));
}

static void keep(struct disk_facts *facts, const struct disk_sample *disk)
{
        *facts = (struct disk_facts){ .major = disk->major,
                                      .minor = disk->minor,
                                      .is_partition = disk->is_partition,
                                      .is_stacked = disk->is_stacked,
                                      .is_rotational = disk->is_rotational,
                                      .is_memory = disk->is_memory,
                                      .is_removable = disk->is_removable };
        memcpy(facts->name, disk->name, sizeof(facts->name));
        memcpy(facts->lower, disk->lower, sizeof(facts->lower));
        memcpy(facts->address, disk->address, sizeof(facts->address));
}

void diskstats_add_facts(struct disks *disks, const struct root *root, struct sample *sample)
{
        bool has_changed = disks->count != sample->disk_count;
        usec_t now_usec = sample->time.monotonic_usec;
        bool is_stack_due = now_usec - disks->stacks_read_usec >= STACKS_REREAD_USEC;

        if (is_stack_due)
                disks->stacks_read_usec = now_usec;
        for (size_t i = 0; i < sample->disk_count; i++) {
                struct disk_sample *disk = &sample->disks[i];
                const struct disk_facts *known = find_facts(disks, disk, i < disks->count ? i : 0);
                struct disk_facts facts;
                if (!known || (is_stack_due && known->is_stacked)) {
                        read_facts(root, sample, disk, &facts);
                        known = &facts;
                        has_changed = true;
                }
                apply(disk, known);
        }
        if (!has_changed)
                return;
        disks->count = sample->disk_count;
        for (size_t i = 0; i < disks->count; i++)
                keep(&disks->facts[i], &sample->disks[i]);
}
