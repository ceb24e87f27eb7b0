/* mountinfo: what is mounted where, as init sees it. Our own table is that of the service's sandbox, where
 * everything looks read-only. */
#include "daemon/sample/mountinfo.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/sample/fields.h"
#include "daemon/sample/path.h"

#define REREAD_USEC USEC_PER_MINUTE
#define GROW_ROWS   32

bool mountinfo_is_network_type(struct span type)
{
        /* Those of the kernel, then what is known behind FUSE. Cluster file systems count: they wait for
         * other machines too. */
        static const char *const types[] = {
                "nfs",           "nfs4",     "cifs",      "smb3",       "smbfs",     "9p",        "afs",
                "ceph",          "coda",     "gfs",       "gfs2",       "glusterfs", "lustre",    "ncpfs",
                "ocfs2",         "orangefs", "pvfs2",     "beegfs",     "gpfs",      "davfs",     "sshfs",
                "curlftpfs",     "s3fs",     "rclone",    "goofys",     "gcsfuse",   "juicefs",   "mfs",
                "moosefs",       "lizardfs", "cvmfs2",    "gvfsd-fuse", "blobfuse",  "blobfuse2", "mount-s3",
                "mountpoint-s3", "davfs2",   "ceph-fuse", "smbnetfs",   "seaweedfs",
        };
        if (span_starts(type, "fuse."))
                type = (struct span){ type.at + 5, type.length - 5 };
        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
                if (span_equal(type, types[i]))
                        return true;
        return false;
}

static bool has_option(struct span options, const char *option)
{
        struct span one;
        while (span_take_until(&options, ',', &one))
                if (span_equal(one, option))
                        return true;
        return span_equal(options, option);
}

static int take_u32(struct span *line, uint32_t *ret_value)
{
        uint64_t value;
        int r = span_take_u64(line, &value);
        if (r < 0)
                return r == -ENODATA ? -EINVAL : r;
        if (value > UINT32_MAX)
                return -ERANGE;
        *ret_value = (uint32_t)value;
        return 0;
}

static int take_device(struct span *line, struct mount_sample *mount)
{
        struct span device, major;
        if (!span_take_word(line, &device) || !span_take_until(&device, ':', &major))
                return -EINVAL;
        int r = take_u32(&major, &mount->major);
        return r < 0 ? r : take_u32(&device, &mount->minor);
}

int mountinfo_parse_line(struct span line, struct mount_sample *ret_mount)
{
        struct span root, path, options, word, type, source, super_options;

        *ret_mount = (struct mount_sample){ 0 };
        int r = take_u32(&line, &ret_mount->id);
        if (r == 0)
                r = take_u32(&line, &ret_mount->parent_id);
        if (r == 0)
                r = take_device(&line, ret_mount);
        if (r < 0)
                return r;
        if (!span_take_word(&line, &root) || !span_take_word(&line, &path) ||
            !span_take_word(&line, &options))
                return -EINVAL;
        do { /* optional fields, "shared:2 master:1", until a single dash */
                if (!span_take_word(&line, &word))
                        return -EINVAL;
        } while (!span_equal(word, "-"));
        if (!span_take_word(&line, &type) || !span_take_word(&line, &source))
                return -EINVAL;
        ret_mount->is_read_only = has_option(options, "ro");
        if (span_take_word(&line, &super_options) && has_option(super_options, "ro"))
                ret_mount->is_read_only = true;
        ret_mount->is_network = mountinfo_is_network_type(type);
        path_unescape(type, ret_mount->type, sizeof(ret_mount->type));
        path_unescape(source, ret_mount->source, sizeof(ret_mount->source));
        path_unescape(path, ret_mount->path, sizeof(ret_mount->path));
        return 0;
}

static int make_room(struct mount_list *list)
{
        if (list->count < list->capacity)
                return 0;
        struct mount_sample *rows =
                reallocarray(list->rows, list->capacity + GROW_ROWS, sizeof(list->rows[0]));
        if (!rows)
                return -ENOMEM;
        list->rows = rows;
        list->capacity += GROW_ROWS;
        return 0;
}

/* Linux 6.18: id, parent, device, root of the mount within its file system, mount point, options, optional
 * fields, a dash; type, source, options of the file system:
 *   27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard,resv_strict,resuid=65534,resgid=65534 */
int mountinfo_parse(struct span text, struct mount_list *ret_list)
{
        struct span line;
        int error = 0;

        ret_list->count = 0;
        ret_list->dropped = 0;
        if (text.length == 0)
                return -ENODATA;
        while (span_take_line(&text, &line)) {
                if (ret_list->count == MOUNTS_MAX) {
                        ret_list->dropped++;
                        continue;
                }
                int r = make_room(ret_list);
                if (r < 0)
                        return r;
                r = mountinfo_parse_line(line, &ret_list->rows[ret_list->count]);
                if (r == 0)
                        ret_list->count++;
                fields_note(r, &error);
        }
        return error;
}

void mounts_init(struct mounts *mounts)
{
        *mounts = (struct mounts){ .fd = -1 };
}

void mounts_done(struct mounts *mounts)
{
        if (mounts->fd >= 0)
                (void)close(mounts->fd);
        free(mounts->lists[0].rows);
        free(mounts->lists[1].rows);
        mounts_init(mounts);
}

/* proc(5): a change of the mount table marks the open file with POLLERR and POLLPRI until the next poll. */
bool mountinfo_has_changed(int fd)
{
        struct pollfd poller = { .fd = fd, .events = POLLPRI | POLLERR };
        return fd >= 0 && poll(&poller, 1, 0) > 0 && (poller.revents & (POLLPRI | POLLERR));
}

int mountinfo_open(const struct root *root)
{
        int fd = root_open(root, "proc/1/mountinfo");
        return fd < 0 ? root_open(root, "proc/self/mountinfo") : fd;
}

static int reread(struct mounts *mounts, const struct root *root, struct buffer *buffer)
{
        struct span text;

        if (mounts->fd < 0) {
                mounts->fd = mountinfo_open(root);
                if (mounts->fd < 0)
                        return mounts->fd;
        }
        int r = buffer_reread(buffer, mounts->fd, &text);
        bool is_cut = r == -EFBIG;
        if (r == 0 || is_cut) {
                mounts->current ^= 1;
                r = mountinfo_parse(text, &mounts->lists[mounts->current]);
        }
        if (is_cut)
                mounts->lists[mounts->current].dropped++; /* at least */
        if (r < 0 || !root->is_live) {
                (void)close(mounts->fd);
                mounts->fd = -1;
        }
        return r < 0 ? r : is_cut ? -EFBIG : 0;
}

int mounts_collect(struct mounts *mounts, const struct root *root, struct buffer *buffer,
                   struct sample *sample)
{
        usec_t now = sample->time.monotonic_usec;

        if (!mounts->was_read || mountinfo_has_changed(mounts->fd) ||
            now - mounts->read_usec >= REREAD_USEC) {
                mounts->error = reread(mounts, root, buffer);
                mounts->was_read = true;
                mounts->read_usec = now;
        }
        const struct mount_list *list = &mounts->lists[mounts->current];
        sample->mounts = list->rows;
        sample->mount_count = list->count;
        sample->dropped += list->dropped;
        return mounts->error;
}
