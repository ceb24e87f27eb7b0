/* Mounts of the host, as init sees them: a sandbox of our own may have another table. */
#include "daemon/sample/mount_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "daemon/sample/mountinfo.h"

#define TABLE_USEC    USEC_PER_MINUTE    /* where the kernel cannot tell of changes */
#define COUNTERS_USEC (2 * USEC_PER_SEC) /* mountstats takes some 50 usec a mount to print */
#define BUSY_SHARE    20                 /* a twentieth of the time in requests is worth a closer look */
#define STATS_PATH    "proc/1/mountstats"

static enum mount_kind kind_of(const struct mount_sample *mount)
{
        const struct span type = span_of(mount->type);
        if (span_equal(type, "nfs") || span_equal(type, "nfs4"))
                return MOUNT_NFS;
        if (span_equal(type, "cifs") || span_equal(type, "smb3") || span_equal(type, "smbfs"))
                return MOUNT_CIFS;
        if (span_equal(type, "fuse") || span_starts(type, "fuse.") || span_equal(type, "virtiofs"))
                return MOUNT_FUSE;
        return MOUNT_OTHER;
}

int mount_watches_begin(struct mount_watches *watches)
{
        watches->table_fd = -1;
        return buffer_init(&watches->buffer);
}

void mount_watches_done(struct mount_watches *watches)
{
        if (watches->table_fd >= 0)
                (void)close(watches->table_fd);
        buffer_done(&watches->buffer);
        free(watches->paths);
        *watches = (struct mount_watches){ .table_fd = -1 };
}

/* What was known of a mount that is still there. */
static struct mount_watch former(const struct mount_watch *list, size_t count, uint32_t id, uint32_t minor)
{
        for (size_t i = 0; i < count; i++)
                if (list[i].id == id && list[i].minor == minor)
                        return list[i];
        struct mount_watch watch = { .id = id, .minor = minor, .outstanding = ABSENT, .least_open = ABSENT };
        memset(&watch.counters, 0xff, sizeof(watch.counters)); /* ABSENT */
        return watch;
}

static void add_mount(struct mount_watches *watches, const struct mount_watch *before, size_t before_count,
                      const struct mount_sample *mount)
{
        size_t i = 0;
        if (watches->path_count == MOUNT_PATHS_MAX)
                return;
        if (!watches->paths) {
                watches->paths = calloc(MOUNT_PATHS_MAX, sizeof(watches->paths[0]));
                if (!watches->paths)
                        return;
        }
        while (i < watches->count && watches->list[i].minor != mount->minor)
                i++;
        if (i == NETWORK_MOUNTS_MAX)
                return;
        if (i == watches->count) {
                watches->list[i] = former(before, before_count, mount->id, mount->minor);
                watches->list[i].kind = kind_of(mount);
                watches->has_nfs |= watches->list[i].kind == MOUNT_NFS;
                watches->has_cifs |= watches->list[i].kind == MOUNT_CIFS;
                watches->count++;
        }
        struct mount_path *path = &watches->paths[watches->path_count++];
        path->watch = (uint32_t)i;
        memcpy(path->path, mount->path, sizeof(path->path));
        memcpy(path->source, mount->source, sizeof(path->source));
}

static int read_table(struct mount_watches *watches, const struct root *root)
{
        struct mount_watch before[NETWORK_MOUNTS_MAX];
        struct span text, line;
        struct mount_sample mount;

        if (watches->table_fd < 0)
                watches->table_fd = mountinfo_open(root);
        if (watches->table_fd < 0)
                return watches->table_fd;
        int r = buffer_reread(&watches->buffer, watches->table_fd, &text);
        if (r < 0 || !root->is_live) {
                (void)close(watches->table_fd);
                watches->table_fd = -1;
        }
        if (r < 0 && r != -EFBIG)
                return r;
        size_t count = watches->count;
        memcpy(before, watches->list, sizeof(before));
        watches->count = watches->path_count = 0;
        watches->has_nfs = watches->has_cifs = false;
        while (span_take_line(&text, &line))
                if (mountinfo_parse_line(line, &mount) == 0 &&
                    (mount.is_network || kind_of(&mount) == MOUNT_FUSE))
                        add_mount(watches, before, count, &mount);
        return 0;
}

/* ---- counters ---- */

static bool is_grown(uint64_t before, uint64_t now)
{
        return before != ABSENT && now != ABSENT && now > before;
}

/* What a connection sent before it broke is never answered there: what stays open for a minute while answers
 * keep coming is written off. */
#define WRITE_OFF_USEC USEC_PER_MINUTE

static uint64_t outstanding_of(struct mount_watch *watch, const struct mount_counters *now, usec_t now_usec)
{
        if (now->receipts == ABSENT || now->sends < now->receipts)
                return 0;
        uint64_t open = now->sends - now->receipts;
        if (open < watch->lost_sends)
                watch->lost_sends = open;
        if (is_grown(watch->counters.receipts, now->receipts)) {
                if (open < watch->least_open)
                        watch->least_open = open;
                if (now_usec - watch->least_usec >= WRITE_OFF_USEC) {
                        watch->lost_sends = watch->least_open;
                        watch->least_open = open;
                        watch->least_usec = now_usec;
                }
        }
        return open - watch->lost_sends;
}

static void take_counters(struct mount_watch *watch, const struct mount_counters *now, usec_t now_usec,
                          usec_t elapsed_usec)
{
        const struct mount_counters *before = &watch->counters;
        bool is_busy = is_grown(before->execute_msec, now->execute_msec) &&
                       (now->execute_msec - before->execute_msec) * USEC_PER_MSEC * BUSY_SHARE > elapsed_usec;
        if (now->sends != ABSENT) {
                watch->is_measured = true;
                watch->outstanding = outstanding_of(watch, now, now_usec);
        }
        if (is_grown(before->operations, now->operations))
                watch->answered_usec = now_usec;
        watch->is_active = is_busy || (watch->outstanding != ABSENT && watch->outstanding > 0);
        watch->counters = *now;
}

static void read_nfs(struct mount_watches *watches, const struct root *root, usec_t now_usec,
                     usec_t elapsed_usec)
{
        char path[PATH_TEXT_MAX];
        struct mount_counters counters;
        struct span text;
        int r = buffer_read(&watches->buffer, root, STATS_PATH, &text);
        if (r < 0 && r != -EFBIG)
                r = buffer_read(&watches->buffer, root, "proc/self/mountstats", &text);
        if (r < 0 && r != -EFBIG)
                return; /* not permitted: is_measured stays false */
        while ((r = mount_stats_next(&text, path, &counters)) != -ENODATA) {
                if (r < 0)
                        continue; /* damaged: as before */
                for (size_t i = 0; i < watches->path_count; i++) {
                        struct mount_watch *watch = &watches->list[watches->paths[i].watch];
                        if (watch->kind != MOUNT_NFS || strcmp(watches->paths[i].path, path) != 0)
                                continue;
                        take_counters(watch, &counters, now_usec, elapsed_usec);
                        break;
                }
        }
}

static void read_cifs(struct mount_watches *watches, const struct root *root, usec_t now_usec,
                      usec_t elapsed_usec)
{
        struct mount_counters counters;
        struct span text;
        int r = buffer_read(&watches->buffer, root, "proc/fs/cifs/Stats", &text);
        if (r < 0 && r != -EFBIG)
                return;
        for (size_t i = 0; i < watches->path_count; i++) {
                struct mount_watch *watch = &watches->list[watches->paths[i].watch];
                if (watch->kind == MOUNT_CIFS &&
                    mount_stats_cifs(text, watches->paths[i].source, &counters) == 0)
                        take_counters(watch, &counters, now_usec, elapsed_usec);
        }
}

/* "3\n": the requests of one connection that its server has not answered (fusectl, "waiting"). The file knows
 * no positions: pread(2) of it fails (ESPIPE, 6.18). */
static void read_fuse(struct mount_watch *watch, const struct root *root)
{
        char path[64], text[32];
        uint64_t waiting;
        text_format(path, sizeof(path), "sys/fs/fuse/connections/%u/waiting", watch->minor);
        CLEANUP_CLOSE int fd = root_open(root, path);
        ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
        struct span all = { text, n > 0 ? (size_t)n : 0 }, line;
        watch->is_measured = span_take_line(&all, &line) && span_take_u64(&line, &waiting) == 0;
        watch->outstanding = watch->is_measured ? waiting : ABSENT;
        watch->is_active = watch->is_measured && waiting > 0;
}

int mount_watches_read(struct mount_watches *watches, const struct root *root, usec_t now_usec)
{
        if (!watches->was_read || mountinfo_has_changed(watches->table_fd) ||
            now_usec - watches->table_usec >= TABLE_USEC) {
                int r = read_table(watches, root);
                if (r < 0)
                        return r;
                watches->was_read = true;
                watches->table_usec = now_usec;
        }
        for (size_t i = 0; i < watches->count; i++)
                if (watches->list[i].kind == MOUNT_FUSE)
                        read_fuse(&watches->list[i], root);
        usec_t elapsed_usec = now_usec - watches->counters_usec;
        if (elapsed_usec < COUNTERS_USEC)
                return 0;
        watches->counters_usec = now_usec;
        if (watches->has_nfs)
                read_nfs(watches, root, now_usec, elapsed_usec);
        if (watches->has_cifs)
                read_cifs(watches, root, now_usec, elapsed_usec);
        return 0;
}

int mount_watches_find(const struct mount_watches *watches, const char *path)
{
        size_t longest = 0;
        int found = -1;
        for (size_t i = 0; i < watches->path_count; i++) {
                const char *point = watches->paths[i].path;
                size_t length = strlen(point);
                if (length >= longest && strncmp(path, point, length) == 0 &&
                    (path[length] == '/' || path[length] == '\0' || length == 1)) {
                        longest = length;
                        found = (int)watches->paths[i].watch;
                }
        }
        return found;
}
