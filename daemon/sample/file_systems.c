/* Mount table -> one row for each file system -> its figures. */
#include "daemon/sample/file_systems.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/cleanup.h"

struct state {
        struct buffer buffer;
};

static bool is_one_of(const char *type, const char *const *types)
{
        for (; *types; types++)
                if (strcmp(type, *types) == 0)
                        return true;
        return false;
}

bool file_systems_is_image_type(const char *type)
{
        static const char *const types[] = { "squashfs", "iso9660", "erofs", "cramfs", "romfs", "udf", NULL };
        return is_one_of(type, types);
}

/* What is not listed is left alone, so that a type nobody has heard of cannot hang slowd. */
bool file_systems_is_local_type(const char *type)
{
        static const char *const types[] = { "ext2",  "ext3",    "ext4",     "xfs",     "btrfs", "f2fs",
                                             "vfat",  "exfat",   "msdos",    "ntfs3",   "jfs",   "reiserfs",
                                             "zfs",   "nilfs2",  "bcachefs", "hfsplus", "minix", "ufs",
                                             "tmpfs", "overlay", NULL };
        return is_one_of(type, types) || file_systems_is_image_type(type);
}

static const struct mount_sample *mount_of_id(const struct mount_list *list, uint32_t id)
{
        for (size_t i = 0; i < list->count; i++)
                if (list->rows[i].id == id)
                        return &list->rows[i];
        return NULL;
}

/* Types of the kernel's own, which answer by themselves: the path to a mount may lead through them. */
static bool is_harmless_type(const char *type)
{
        static const char *const types[] = { "rootfs", "ramfs",   "devtmpfs", "devpts",  "proc", "sysfs",
                                             "cgroup", "cgroup2", "debugfs",  "tracefs", NULL };
        return file_systems_is_local_type(type) || is_one_of(type, types);
}

/* Walking to a mount point goes through all that it is mounted upon. */
static bool is_reached_safely(const struct mount_list *list, const struct mount_sample *mount)
{
        for (size_t depth = 0; depth < MOUNTS_MAX; depth++) {
                const struct mount_sample *parent = mount_of_id(list, mount->parent_id);
                if (!parent || parent == mount)
                        return true;
                if (!is_harmless_type(parent->type))
                        return false;
                mount = parent;
        }
        return false;
}

/* An overlay's figures are those of the file system below it, which is listed itself where it can be seen;
 * inside a container the root's is all there is. */
static bool is_wanted(const struct mount_list *list, const struct mount_sample *mount)
{
        if (!file_systems_is_local_type(mount->type) || strlen(mount->path) == sizeof(mount->path) - 1)
                return false;
        if (strcmp(mount->type, "overlay") == 0 && strcmp(mount->path, "/") != 0)
                return false;
        return is_reached_safely(list, mount);
}

static bool is_better(const struct mount_sample *mount, const struct file_system_sample *row)
{
        if (mount->is_read_only != row->is_read_only)
                return row->is_read_only;
        return strlen(mount->path) < strlen(row->path);
}

static struct file_system_sample *row_of_device(struct file_systems *systems, uint32_t major, uint32_t minor)
{
        for (size_t i = 0; i < systems->count; i++)
                if (systems->rows[i].major == major && systems->rows[i].minor == minor)
                        return &systems->rows[i];
        return NULL;
}

static void choose(const struct mount_list *list, bool is_read_only, struct file_systems *systems,
                   uint32_t *mount_ids)
{
        for (size_t i = 0; i < list->count; i++) {
                const struct mount_sample *mount = &list->rows[i];
                if (mount->is_read_only != is_read_only || !is_wanted(list, mount))
                        continue;
                struct file_system_sample *row = row_of_device(systems, mount->major, mount->minor);
                if (row && !is_better(mount, row))
                        continue;
                if (!row && systems->count == FILE_SYSTEMS_MAX) {
                        systems->dropped++;
                        continue;
                }
                if (!row)
                        row = &systems->rows[systems->count++];
                *row = (struct file_system_sample){ .major = mount->major,
                                                    .minor = mount->minor,
                                                    .is_read_only = mount->is_read_only };
                memcpy(row->type, mount->type, sizeof(row->type));
                memcpy(row->source, mount->source, sizeof(row->source));
                memcpy(row->path, mount->path, sizeof(row->path));
                mount_ids[row - systems->rows] = mount->id;
        }
}

void file_systems_choose(const struct mount_list *list, struct file_systems *ret_systems,
                         uint32_t ret_mount_ids[static FILE_SYSTEMS_MAX])
{
        ret_systems->count = 0;
        ret_systems->dropped = 0;
        choose(list, false, ret_systems, ret_mount_ids);
        choose(list, true, ret_systems, ret_mount_ids);
}

/* What is found at the path may be another mount by now, or one on top of it; -ESTALE then. */
static int check_mount(int fd, uint32_t mount_id)
{
        struct statx found;
        if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_MNT_ID, &found) < 0)
                return -errno;
        return (found.stx_mask & STATX_MNT_ID) && found.stx_mnt_id != mount_id ? -ESTALE : 0;
}

static int read_figures(int root_fd, uint32_t mount_id, struct file_system_sample *row)
{
        struct statvfs figures;
        CLEANUP_CLOSE int fd = root_open_place(root_fd, row->path[1] ? row->path + 1 : ".");
        if (fd < 0)
                return fd;
        int r = check_mount(fd, mount_id);
        if (r < 0)
                return r;
        if (fstatvfs(fd, &figures) < 0)
                return -errno;
        uint64_t block = figures.f_frsize ? figures.f_frsize : figures.f_bsize;
        row->total_bytes = (uint64_t)figures.f_blocks * block;
        row->free_bytes = (uint64_t)figures.f_bfree * block;
        row->available_bytes = (uint64_t)figures.f_bavail * block;
        row->inodes = figures.f_files ? figures.f_files : ABSENT;
        row->inodes_available = figures.f_files ? figures.f_favail : ABSENT;
        return 0;
}

static int read_mounts(const struct root *root, const char *path, struct buffer *buffer,
                       struct mount_list *ret_list)
{
        struct span text;
        int r = buffer_read(buffer, root, path, &text);
        if (r < 0 && r != -EFBIG)
                return r;
        r = mountinfo_parse(text, ret_list);
        return ret_list->count > 0 ? 0 : r;
}

static int look_at(int root_fd, const struct mount_list *list, struct file_systems *ret_systems)
{
        uint32_t mount_ids[FILE_SYSTEMS_MAX];
        size_t kept = 0;
        int error = 0;
        file_systems_choose(list, ret_systems, mount_ids);
        for (size_t i = 0; i < ret_systems->count; i++) {
                int r = read_figures(root_fd, mount_ids[i], &ret_systems->rows[i]);
                if (r == 0 && ret_systems->rows[i].total_bytes > 0)
                        ret_systems->rows[kept++] = ret_systems->rows[i];
                else if (r < 0 && r != -ENOENT && r != -ESTALE)
                        error = r; /* unmounted meanwhile, or hidden below another mount, is no error */
        }
        ret_systems->count = kept;
        return kept > 0 ? 0 : error;
}

/* The mounts are init's, and so must be the root through which they are reached; without the right to see
 * that, our own of both. */
static int look(const struct root *root, const struct clock *clock, void *state, void *ret_result)
{
        struct state *s = state;
        struct mount_list list = { 0 };
        (void)clock;
        if (!root->is_live)
                return -EOPNOTSUPP;
        if (!s->buffer.data && buffer_init(&s->buffer) < 0)
                return -ENOMEM;
        CLEANUP_CLOSE int init_fd = root_open_directory(root, "proc/1/root");
        int r = read_mounts(root, init_fd >= 0 ? "proc/1/mountinfo" : "proc/self/mountinfo", &s->buffer,
                            &list);
        if (r == 0)
                r = look_at(init_fd >= 0 ? init_fd : root->fd, &list, ret_result);
        free(list.rows);
        return r;
}

static void done(void *state, void *result)
{
        (void)result;
        if (state)
                buffer_done(&((struct state *)state)->buffer);
}

const struct aside_source file_systems_source = {
        .name = "file systems",
        .interval_usec = 10 * USEC_PER_SEC,
        .deadline_usec = 10 * USEC_PER_SEC,
        .state_size = sizeof(struct state),
        .result_size = sizeof(struct file_systems),
        .look = look,
        .done = done,
};
