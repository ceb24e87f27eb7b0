/* Reading the files of one control group. */
#include "daemon/sample/cgroup_group.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"

static const struct cgroup_file *file_number(size_t number)
{
        return number < cgroup_files_v2_count ? &cgroup_files_v2[number]
                                              : &cgroup_files_v1[number - cgroup_files_v2_count];
}

static size_t file_count(void)
{
        return cgroup_files_v2_count + cgroup_files_v1_count;
}

static int try_mount(struct cgroup_trees *trees, enum cgroup_hierarchy hierarchy, const char *directory,
                     const char *proof)
{
        char path[128], text[2];
        text_format(path, sizeof(path), "%s/%s", directory, proof);
        if (trees->mount[hierarchy])
                return 0;
        ssize_t r = root_read(trees->root, path, text, sizeof(text));
        if (r < 0 && r != -EFBIG)
                return (int)r;
        trees->mount[hierarchy] = directory;
        return 0;
}

/* Where systemd, and everyone after it, mounts them. Each has a file in its top group that no other has. */
int cgroup_trees_find(struct cgroup_trees *trees, const struct root *root)
{
        static const struct {
                enum cgroup_hierarchy hierarchy;
                const char *directory, *proof;
        } places[] = {
                { HIERARCHY_V2, "sys/fs/cgroup", "cgroup.controllers" },
                { HIERARCHY_V2, "sys/fs/cgroup/unified", "cgroup.controllers" },
                { HIERARCHY_CPU, "sys/fs/cgroup/cpu", "cgroup.procs" },
                { HIERARCHY_CPU, "sys/fs/cgroup/cpu,cpuacct", "cgroup.procs" },
                { HIERARCHY_CPUACCT, "sys/fs/cgroup/cpuacct", "cgroup.procs" },
                { HIERARCHY_CPUACCT, "sys/fs/cgroup/cpu,cpuacct", "cgroup.procs" },
                { HIERARCHY_MEMORY, "sys/fs/cgroup/memory", "memory.usage_in_bytes" },
                { HIERARCHY_BLKIO, "sys/fs/cgroup/blkio", "cgroup.procs" },
                { HIERARCHY_PIDS, "sys/fs/cgroup/pids", "cgroup.procs" },
        };
        int error = -ENOENT;
        bool found = false;

        trees->root = root;
        for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
                int r = try_mount(trees, places[i].hierarchy, places[i].directory, places[i].proof);
                if (r == 0)
                        found = true;
                else if (r != -ENOENT && r != -ENOTDIR)
                        error = r;
        }
        trees->is_hybrid = trees->mount[HIERARCHY_V2] != NULL &&
                           strcmp(trees->mount[HIERARCHY_V2], "sys/fs/cgroup/unified") == 0;
        return found ? 0 : error;
}

int group_set_path(struct group *group, enum cgroup_hierarchy hierarchy, struct span path)
{
        char *copy = strndup(path.at, path.length);
        if (!copy)
                return -ENOMEM;
        free(group->path[hierarchy]);
        group->path[hierarchy] = copy;
        return 0;
}

void group_close_files(struct group *group, struct cgroup_trees *trees)
{
        for (size_t i = 0; i < file_count(); i++) {
                if (group->fds[i] < 0)
                        continue;
                (void)close(group->fds[i]);
                group->fds[i] = -1;
                trees->open_fds--;
        }
}

struct group *group_free(struct cgroup_trees *trees, struct group *group)
{
        if (!group)
                return NULL;
        group_close_files(group, trees);
        for (size_t i = 0; i < HIERARCHY_MAX; i++)
                free(group->path[i]);
        free(group);
        return NULL;
}

bool group_is_limited(const struct group *group)
{
        return group->values.cpu_quota_usec != ABSENT || group->values.memory_max_bytes != ABSENT ||
               group->values.memory_high_bytes != ABSENT;
}

void group_forget_missing(struct group *group, const struct cgroup_trees *trees)
{
        size_t kept = trees->is_hybrid ? cgroup_files_v2_count : 0;
        memset(group->is_missing + kept, 0, sizeof(group->is_missing) - kept * sizeof(group->is_missing[0]));
}

void group_skip_details(struct group *group)
{
        struct cgroup_sample *values = &group->values;
        memset(values->pressure, 0xff, sizeof(values->pressure));
        values->refault_anon = values->refault_file = values->major_faults = ABSENT;
        values->reclaim_scan = values->reclaim_steal = ABSENT;
        values->swap_in_pages = values->swap_out_pages = ABSENT;
        values->read_bytes = values->write_bytes = values->reads = values->writes = ABSENT;
}

static int open_file(struct group *group, const struct cgroup_trees *trees, const struct cgroup_file *file)
{
        char path[PATH_MAX];
        size_t length = 0;
        if (!text_append(path, sizeof(path), &length, "%s%s/%s", trees->mount[file->hierarchy],
                         group->path[file->hierarchy], file->name))
                return -ENAMETOOLONG;
        return root_open(trees->root, path);
}

/* The files of a control group are made in one piece, so the first read gets all of one that fits. */
static int read_whole(struct buffer *buffer, int fd, struct span *ret_text)
{
        ssize_t length = pread(fd, buffer->data, buffer->size - 1, 0);
        if (length < 0)
                return -errno;
        *ret_text = (struct span){ buffer->data, (size_t)length };
        return (size_t)length < buffer->size - 1 ? 0 : buffer_reread(buffer, fd, ret_text);
}

static int hand_over(int *fd)
{
        int taken = *fd;
        *fd = -1;
        return taken;
}

static int read_file(struct group *group, size_t number, struct cgroup_trees *trees, struct buffer *buffer,
                     bool keep_open, struct span *ret_text)
{
        if (group->fds[number] >= 0) {
                if (read_whole(buffer, group->fds[number], ret_text) == 0)
                        return 0;
                (void)close(group->fds[number]); /* -ENODEV: the group was removed, and perhaps made anew */
                group->fds[number] = -1;
                trees->open_fds--;
        }
        CLEANUP_CLOSE int fd = open_file(group, trees, file_number(number));
        if (fd < 0)
                return fd;
        int r = read_whole(buffer, fd, ret_text);
        if (r == 0 && keep_open && trees->open_fds < CGROUP_FDS_MAX) {
                group->fds[number] = hand_over(&fd);
                trees->open_fds++;
        }
        return r;
}

int group_read(struct group *group, struct cgroup_trees *trees, struct buffer *buffer,
               const struct cgroup_context *context, enum cgroup_tier tier, bool keep_open)
{
        int error = 0;
        bool found = false;

        if (tier == TIER_DETAILS)
                group_skip_details(group);
        for (size_t i = 0; i < file_count(); i++) {
                const struct cgroup_file *file = file_number(i);
                struct span text = { 0 };
                if (file->tier != tier || !trees->mount[file->hierarchy] || !group->path[file->hierarchy] ||
                    group->is_missing[i])
                        continue;
                int r = read_file(group, i, trees, buffer, keep_open, &text);
                if (r == -ENOENT || r == -ENODEV || r == -ENOTDIR || r == -EOPNOTSUPP) {
                        group->is_missing[i] = true;
                        continue;
                }
                found = true;
                if (r == 0)
                        r = file->parse(text, context, &group->values);
                if (r < 0 && r != -ENODATA && error == 0)
                        error = r;
        }
        return found ? error : -ENOENT;
}
