/* The link in /sys/dev/block holds the way through the hardware, directories `slaves` and `loop` what a
 * stacked device lies on. */
#include "daemon/sample/disk_place.h"

#include <ctype.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/text.h"

static void add_address(struct disk_facts *facts, struct span word)
{
        size_t length = strlen(facts->address);
        if (word.length == 0 || length + word.length + 2 > sizeof(facts->address))
                return;
        if (length > 0)
                facts->address[length++] = ' ';
        (void)span_copy(word, facts->address + length, sizeof(facts->address) - length);
}

static bool is_numbered(struct span part, const char *prefix)
{
        size_t length = strlen(prefix);
        return span_starts(part, prefix) && part.length > length && isdigit((unsigned char)part.at[length]);
}

/* "2:0:0:0": host, channel, target, unit */
static bool is_scsi_address(struct span part)
{
        int colons = 0;
        for (size_t i = 0; i < part.length; i++) {
                colons += part.at[i] == ':';
                if (part.at[i] != ':' && !isdigit((unsigned char)part.at[i]))
                        return false;
        }
        return colons == 3;
}

/* Linux 6.1: ../../devices/pci0000:00/0000:00:1f.2/ata3/host2/target2:0:0/2:0:0:0/block/sda/sda1
 *            ../../devices/pci0000:00/0000:00:04.0/nvme/nvme0/nvme0n1
 *            ../../devices/pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0/block/sdb */
static void read_way(const struct root *root, struct disk_facts *facts)
{
        char path[64], way[512];
        struct span part, before = { "", 0 };

        text_format(path, sizeof(path), "sys/dev/block/%u:%u", facts->major, facts->minor);
        ssize_t length = root_read_link(root, path, way, sizeof(way));
        if (length < 0)
                return;
        struct span rest = { way, (size_t)length };
        bool is_nvme = false;
        while (span_take_until(&rest, '/', &part)) {
                if (is_numbered(part, "usb"))
                        facts->is_removable = true;
                else if (is_numbered(part, "ata") || is_scsi_address(part) ||
                         (is_nvme && is_numbered(part, "nvme")))
                        add_address(facts, part);
                is_nvme = span_equal(part, "nvme");
                before = part;
        }
        if (facts->is_partition)
                (void)span_copy(before, facts->lower, sizeof(facts->lower));
}

/* The only name in the directory; none if there are several. */
static void read_slaves(const struct root *root, struct disk_facts *facts)
{
        char path[64];
        text_format(path, sizeof(path), "sys/dev/block/%u:%u/slaves", facts->major, facts->minor);
        int fd = root_open_directory(root, path);
        if (fd < 0)
                return;
        CLEANUP_CLOSEDIR DIR *directory = fdopendir(fd);
        if (!directory) {
                (void)close(fd);
                return;
        }
        for (struct dirent *entry; (entry = readdir(directory));) {
                if (entry->d_name[0] == '.')
                        continue;
                if (facts->lower[0]) {
                        facts->lower[0] = '\0';
                        return;
                }
                (void)span_copy(span_of(entry->d_name), facts->lower, sizeof(facts->lower));
                text_sanitize(facts->lower, "");
        }
}

static bool is_below(const char *path, const char *directory)
{
        size_t length = strlen(directory);
        if (strcmp(directory, "/") == 0)
                return path[0] == '/';
        return strncmp(path, directory, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* The device that the file system with the loop device's file is on: that of the nearest mount above it. */
static void read_loop(const struct root *root, const struct sample *sample, struct disk_facts *facts)
{
        char path[64], file[PATH_TEXT_MAX + 1];
        text_format(path, sizeof(path), "sys/dev/block/%u:%u/loop/backing_file", facts->major, facts->minor);
        ssize_t length = root_read(root, path, file, sizeof(file));
        if (length <= 1)
                return;
        if (file[length - 1] == '\n')
                file[length - 1] = '\0';
        const struct mount_sample *nearest = NULL;
        for (size_t i = 0; i < sample->mount_count; i++) {
                const struct mount_sample *mount = &sample->mounts[i];
                if (is_below(file, mount->path) && (!nearest || strlen(mount->path) >= strlen(nearest->path)))
                        nearest = mount;
        }
        for (size_t i = 0; nearest && i < sample->disk_count; i++) {
                const struct disk_sample *disk = &sample->disks[i];
                if (disk->major == nearest->major && disk->minor == nearest->minor)
                        memcpy(facts->lower, disk->name, sizeof(facts->lower));
        }
}

void disk_place_read(const struct root *root, const struct sample *sample, const struct disk_sample *disk,
                     struct disk_facts *facts)
{
        read_way(root, facts);
        if (facts->is_partition)
                return;
        if (strncmp(disk->name, "loop", 4) == 0)
                read_loop(root, sample, facts);
        else if (facts->is_stacked)
                read_slaves(root, facts);
}
