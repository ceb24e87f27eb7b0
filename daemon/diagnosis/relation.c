/* Relations between culprits: by name, unit and process; by mount; by disk. Knows names of block devices, and
 * nothing of what checks mean. */
#include "daemon/diagnosis/relation.h"

#include <string.h>

#include "common/text.h"

static bool is_pid_shared(const struct subject *a, const struct subject *b)
{
        for (uint32_t i = 0; i < a->pid_count; i++)
                for (uint32_t k = 0; k < b->pid_count; k++)
                        if (a->pids[i] == b->pids[k])
                                return true;
        return false;
}

static bool is_same_name(const char *a, const char *b)
{
        return a[0] && strcmp(a, b) == 0;
}

/* ---- mounts ---- */

static bool is_below(const char *path, const char *directory)
{
        size_t length = strlen(directory);
        if (strcmp(directory, "/") == 0)
                return path[0] == '/';
        return length > 0 && strncmp(path, directory, length) == 0 &&
               (path[length] == '/' || path[length] == '\0');
}

/* The longest mount point above the path; of several mounted on each other the last one hides the rest. */
static const struct mount_sample *mount_of(const struct sample *sample, const char *path)
{
        const struct mount_sample *best = NULL;
        for (size_t i = 0; i < sample->mount_count; i++) {
                const struct mount_sample *mount = &sample->mounts[i];
                if (is_below(path, mount->path) && (!best || strlen(mount->path) >= strlen(best->path)))
                        best = mount;
        }
        return best;
}

static bool is_place(const struct subject *subject)
{
        return subject->kind == SUBJECT_FILE || subject->kind == SUBJECT_MOUNT;
}

/* One file system may be mounted in several places (bind mounts): equal numbers are the same one. */
static bool is_same_mount(const struct sample *sample, const struct subject *a, const struct subject *b)
{
        const struct mount_sample *of_a = mount_of(sample, a->name), *of_b = mount_of(sample, b->name);
        return of_a && of_b && of_a->major == of_b->major && of_a->minor == of_b->minor;
}

/* ---- disks ---- */

static const char *without_dev(const char *name)
{
        return strncmp(name, "/dev/", 5) == 0 ? name + 5 : name;
}

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

/* "sda1" of "sda", "nvme0n1p2" of "nvme0n1", "md0p1" of "md0"; not "loop10" of "loop1". */
static bool is_partition_of(const char *name, const char *disk)
{
        size_t length = strlen(disk);
        if (length == 0 || strncmp(name, disk, length) != 0)
                return false;
        const char *rest = name + length;
        if (is_digit(disk[length - 1]) && *rest++ != 'p')
                return false;
        return is_digit(*rest) && rest[strspn(rest, "0123456789")] == '\0';
}

static const struct disk_sample *disk_by_number(const struct sample *sample, uint32_t major, uint32_t minor)
{
        for (size_t i = 0; i < sample->disk_count; i++)
                if (sample->disks[i].major == major && sample->disks[i].minor == minor)
                        return &sample->disks[i];
        return NULL;
}

/* btrfs and overlayfs have numbers of their own, but btrfs names the disk as its source. */
static const char *disk_of_mount(const struct sample *sample, const struct mount_sample *mount)
{
        const struct disk_sample *disk = disk_by_number(sample, mount->major, mount->minor);
        if (disk)
                return disk->name;
        return strncmp(mount->source, "/dev/", 5) == 0 ? mount->source + 5 : "";
}

/* The disk or partition that a finding is about; "" if it does not say. */
static const char *disk_of(const struct sample *sample, const struct finding *finding)
{
        const struct subject *culprit = &finding->culprit;
        if (finding->device[0])
                return finding->device;
        if (culprit->kind == SUBJECT_DISK || culprit->kind == SUBJECT_DEVICE)
                return without_dev(culprit->name);
        const struct mount_sample *mount = is_place(culprit) ? mount_of(sample, culprit->name) : NULL;
        return mount ? disk_of_mount(sample, mount) : "";
}

/* An array and one of the disks that it is made of. */
static bool is_member_of(const struct sample *sample, const char *disk, const char *array)
{
        for (size_t i = 0; i < sample->raid_count; i++) {
                if (strcmp(sample->raids[i].name, array) != 0)
                        continue;
                struct span members = span_of(sample->raids[i].members), member;
                while (span_take_word(&members, &member)) {
                        char name[DEVICE_NAME_MAX];
                        (void)span_copy(member, name, sizeof(name));
                        if (strcmp(name, disk) == 0 || is_partition_of(name, disk))
                                return true;
                }
        }
        return false;
}

/* What a volume or an image lies on; itself if that is not one disk. */
static const char *below(const struct sample *sample, const char *name)
{
        for (size_t i = 0; i < sample->disk_count; i++)
                if (strcmp(sample->disks[i].name, name) == 0 && sample->disks[i].lower[0])
                        return sample->disks[i].lower;
        return name;
}

static bool is_same_disk(const struct sample *sample, const char *a, const char *b)
{
        if (!a[0] || !b[0])
                return false;
        return strcmp(a, b) == 0 || strcmp(below(sample, a), below(sample, b)) == 0 ||
               is_partition_of(a, b) || is_partition_of(b, a) || is_member_of(sample, a, b) ||
               is_member_of(sample, b, a);
}

static bool is_about_disk(const struct finding *finding)
{
        return finding->culprit.kind == SUBJECT_DISK || finding->culprit.kind == SUBJECT_DEVICE;
}

/* ---- the whole ---- */

bool relation_holds(const struct sample *sample, const struct finding *root, const struct finding *follower)
{
        const struct subject *a = &root->culprit, *b = &follower->culprit;
        if (a->kind == SUBJECT_MACHINE || b->kind == SUBJECT_MACHINE)
                return true;
        if (root->takes_memory && strncmp(follower->check, "memory.", 7) == 0)
                return true;
        if (is_same_name(a->name, b->name) || is_same_name(a->unit, b->name) ||
            is_same_name(a->name, b->unit) || is_pid_shared(a, b))
                return true;
        for (uint32_t i = 0; i < root->victim_count; i++)
                if (is_same_name(root->victims[i].name, b->name))
                        return true;
        if (is_place(a) && is_place(b))
                return is_same_mount(sample, a, b);
        /* Two programs that use one disk have nothing to do with each other; a sick disk has with both. */
        if (is_about_disk(root) || is_about_disk(follower))
                return is_same_disk(sample, disk_of(sample, root), disk_of(sample, follower));
        return false;
}
