/* Mount tables, cut down to what the log scan asks for. */
#include "daemon/sample/log_mounts.h"

#include <errno.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "daemon/sample/file_systems.h"

int log_mounts_read(int proc_fd, const char *path, struct buffer *buffer, struct log_mounts *ret_mounts)
{
        struct mount_list list = { 0 };
        struct span text;
        CLEANUP_CLOSE int fd = root_open_at(proc_fd, path);
        if (fd < 0)
                return fd;
        int r = buffer_reread(buffer, fd, &text);
        if (r < 0 && r != -EFBIG)
                return r;
        r = mountinfo_parse(text, &list);
        ret_mounts->count = 0;
        for (size_t i = 0; i < list.count; i++) {
                const struct mount_sample *mount = &list.rows[i];
                ret_mounts->rows[ret_mounts->count++] =
                        (struct log_mount){ .id = mount->id,
                                            .major = mount->major,
                                            .minor = mount->minor,
                                            .is_local = file_systems_is_local_type(mount->type) &&
                                                        !file_systems_is_image_type(mount->type) };
        }
        free(list.rows);
        return ret_mounts->count > 0 ? 0 : r;
}

const struct log_mount *log_mounts_local(const struct log_mounts *mounts, uint64_t id)
{
        for (size_t i = 0; i < mounts->count; i++)
                if (mounts->rows[i].id == id)
                        return mounts->rows[i].is_local ? &mounts->rows[i] : NULL;
        return NULL;
}
