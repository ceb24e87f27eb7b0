/* What is done when: the hinted processes and the files that move at every look, the rest of the machine
 * piece by piece once a minute. */
#include "daemon/sample/log_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "daemon/sample/log_scan_internal.h"
#include "daemon/sample/process_files.h"

#define LOOK_USEC      (5 * USEC_PER_SEC)
#define SLOW_ROUND     12  /* looks: a minute */
#define ROTATION_ROUND 120 /* looks: ten minutes */
#define WALK_NAMES     100
/* Processes a slow round; at first more, so that minutes after the start the large ones are known. */
#define SWEEP_PROCESSES       8
#define SWEEP_PROCESSES_FIRST 96
#define HINTS_A_LOOK          2
#define SWEEP_LIST_MAX        8192
#define MOVING_USEC           (2 * USEC_PER_MINUTE) /* a file that changed so lately is looked at each time */

bool log_scan_stat(const struct log_scan *scan, int directory_fd, const char *name, bool wants_directory,
                   struct log_facts *ret_facts)
{
        struct statx found;
        if (statx(directory_fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
                  STATX_BASIC_STATS | STATX_MNT_ID, &found) < 0 ||
            (wants_directory ? !S_ISDIR(found.stx_mode) : !S_ISREG(found.stx_mode)))
                return false;
        /* Older kernels than 5.8 do not tell the mount; the table is then asked by device. */
        const struct log_mount *mount = NULL;
        if (found.stx_mask & STATX_MNT_ID)
                mount = log_mounts_local(&scan->mounts, found.stx_mnt_id);
        for (size_t i = 0; !(found.stx_mask & STATX_MNT_ID) && i < scan->mounts.count; i++)
                if (scan->mounts.rows[i].major == found.stx_dev_major &&
                    scan->mounts.rows[i].minor == found.stx_dev_minor && scan->mounts.rows[i].is_local)
                        mount = &scan->mounts.rows[i];
        if (!mount)
                return false;
        *ret_facts = (struct log_facts){
                .device = makedev(found.stx_dev_major, found.stx_dev_minor),
                .inode = found.stx_ino,
                .major = mount->major,
                .minor = mount->minor,
                .size_bytes = found.stx_size,
                .allocated_bytes = found.stx_blocks * 512,
                .modified_usec = (usec_t)found.stx_mtime.tv_sec * USEC_PER_SEC +
                                 (usec_t)found.stx_mtime.tv_nsec / NSEC_PER_USEC,
        };
        return true;
}

/* ---- what is known already ---- */

/* One without a name is reached through who holds it; gone with its holder, or closed. */
static bool look_at_deleted(struct log_scan *scan, struct log_entry *entry)
{
        char name[48];
        struct stat st;
        text_format(name, sizeof(name), "%u/fd/%u", entry->writer_pid, entry->holder_fd);
        if (fstatat(scan->root->proc_fd, name, &st, 0) < 0 || st.st_ino != entry->facts.inode ||
            st.st_dev != entry->facts.device)
                return false;
        struct log_facts facts = entry->facts;
        facts.size_bytes = (uint64_t)st.st_size;
        facts.allocated_bytes = (uint64_t)st.st_blocks * 512;
        log_table_update(entry, &facts, scan->now_usec);
        return true;
}

static void look_at_known(struct log_scan *scan, bool is_slow)
{
        for (size_t i = scan->table.count; i-- > 0;) {
                struct log_entry *entry = &scan->table.entries[i];
                struct log_facts facts = { 0 };
                bool is_moving = scan->now_usec - entry->changed_usec < MOVING_USEC || entry->watch >= 0;
                if ((!is_slow && !is_moving) || entry->kind == LOG_JOURNAL ||
                    entry->looked_usec == scan->now_usec)
                        continue;
                bool is_there = entry->kind == LOG_DELETED
                                        ? look_at_deleted(scan, entry)
                                        : log_scan_stat(scan, scan->root_fd, entry->path + 1, false, &facts);
                if (is_there && entry->kind != LOG_DELETED) {
                        bool is_another = facts.inode != entry->facts.inode;
                        log_table_update(entry, &facts, scan->now_usec);
                        if (is_another && entry->watch >= 0) { /* the watch went with the old one */
                                (void)inotify_rm_watch(scan->inotify_fd, entry->watch);
                                entry->watch = -1;
                        }
                }
                if (!is_there) {
                        if (entry->watch >= 0)
                                (void)inotify_rm_watch(scan->inotify_fd, entry->watch);
                        log_table_forget(&scan->table, entry);
                }
        }
}

/* An open and a close are two events, so that no two in a row are equal and the kernel merges none. */
static void take_events(struct log_scan *scan)
{
        for (;;) {
                ssize_t n = scan->inotify_fd < 0
                                    ? -1
                                    : read(scan->inotify_fd, scan->scratch, sizeof(scan->scratch));
                if (n <= 0)
                        return;
                for (ssize_t at = 0; at + (ssize_t)sizeof(struct inotify_event) <= n;) {
                        const struct inotify_event *event = (const void *)(scan->scratch + at);
                        at += (ssize_t)(sizeof(*event) + event->len);
                        for (size_t i = 0; i < scan->table.count; i++) {
                                struct log_entry *entry = &scan->table.entries[i];
                                if (entry->watch != event->wd || entry->watch < 0)
                                        continue;
                                entry->opens += (event->mask & IN_CLOSE_NOWRITE) != 0;
                                if (event->mask & IN_IGNORED)
                                        entry->watch = -1;
                        }
                }
        }
}

/* ---- what is not ---- */

/* The next few processes in the order of their numbers; round and round. */
static void sweep(struct log_scan *scan)
{
        uint32_t pids[SWEEP_LIST_MAX];
        size_t left = scan->sweeps == 0 ? SWEEP_PROCESSES_FIRST : SWEEP_PROCESSES;
        CLEANUP_CLOSE int fd = root_open_directory_at(scan->root->proc_fd, ".");
        if (fd < 0)
                return;
        ssize_t count = process_files_list(fd, scan->scratch, sizeof(scan->scratch), pids, SWEEP_LIST_MAX);
        for (ssize_t i = 0; i < count && i < SWEEP_LIST_MAX && left > 0; i++) {
                if (pids[i] <= scan->swept_pid)
                        continue;
                log_opened_look(scan, pids[i], false);
                scan->swept_pid = pids[i];
                left--;
        }
        if (left > 0) {
                scan->swept_pid = 0;
                scan->sweeps++;
        }
}

/* A few at a look, all of them in turn. */
static void look_at_some(struct log_scan *scan, const uint32_t *pids, size_t count, bool wants_reads)
{
        size_t some = count < HINTS_A_LOOK ? count : HINTS_A_LOOK;
        for (size_t i = 0; i < some; i++)
                log_opened_look(scan, pids[(scan->looks * HINTS_A_LOOK + i) % count], wants_reads);
}

static void look_at_hinted(struct log_scan *scan)
{
        struct log_hints hints = log_hints_take();
        look_at_some(scan, hints.readers, hints.reader_count, true);
        look_at_some(scan, hints.writers, hints.writer_count, false);
}

static void look_at_rotation(struct log_scan *scan)
{
        if (scan->looks % ROTATION_ROUND != 0)
                return;
        scan->rotation_error = logrotate_read(scan->root, &scan->buffer, &scan->rotation);
        for (size_t i = 0; i < scan->table.count; i++)
                scan->table.entries[i].has_rotation = false;
}

static void find_rotation(const struct log_scan *scan, struct log_entry *entry)
{
        entry->has_rotation = true;
        entry->rotation = LOG_ROTATION_UNKNOWN;
        entry->rotation_hours = 0;
        entry->rotation_bytes = ABSENT;
        if (entry->kind == LOG_JOURNAL || entry->kind == LOG_DELETED)
                return;
        if (scan->rotation_error == 0 || scan->rotation_error == -ENOENT)
                entry->rotation = LOG_ROTATION_NONE;
        const struct logrotate_rule *rule = logrotate_find(&scan->rotation, entry->path);
        if (!rule)
                return;
        entry->rotation = LOG_ROTATION_COVERED;
        entry->rotation_hours = rule->interval_hours;
        entry->rotation_bytes = rule->size_bytes;
}

/* ---- a look ---- */

static int begin(struct log_scan *scan, const struct root *root, const struct clock *clock)
{
        struct clock_reading now = clock_now(clock);
        bool is_first = scan->looks == 0;
        scan->root = root;
        scan->now_usec = now.monotonic_usec;
        scan->realtime_usec = now.realtime_usec;
        scan->foreign_pid = 0; /* numbers are used again */
        if (!scan->buffer.data) {
                scan->inotify_fd = -1;
                if (buffer_init(&scan->buffer) < 0)
                        return -ENOMEM;
        }
        if (is_first)
                scan->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        if (scan->looks % SLOW_ROUND != 0)
                return 0;
        int r = log_mounts_read(root->proc_fd, "1/mountinfo", &scan->buffer, &scan->mounts);
        return r < 0 ? log_mounts_read(root->proc_fd, "self/mountinfo", &scan->buffer, &scan->mounts) : r;
}

static int look(const struct root *root, const struct clock *clock, void *state, void *ret_result)
{
        struct log_scan *scan = state;
        struct log_scan_result *result = ret_result;
        if (!root->is_live || root->proc_fd < 0)
                return -EOPNOTSUPP;
        int r = begin(scan, root, clock);
        if (r < 0)
                return r;
        CLEANUP_CLOSE int init_fd = root_open_directory(root, "proc/1/root");
        scan->root_fd = init_fd >= 0 ? init_fd : root->fd;
        bool is_slow = scan->looks % SLOW_ROUND == 0;
        take_events(scan);
        look_at_hinted(scan);
        if (is_slow) {
                look_at_rotation(scan);
                log_walk_on(scan, WALK_NAMES);
                sweep(scan);
                log_journal_look(scan);
        }
        look_at_known(scan, is_slow);
        log_opened_follow_readers(scan);
        log_table_mark(&scan->table, scan->now_usec);
        scan->looks++;
        for (size_t i = 0; i < scan->table.count; i++)
                if (!scan->table.entries[i].has_rotation)
                        find_rotation(scan, &scan->table.entries[i]);
        result->log_count = log_table_choose(&scan->table, scan->now_usec, result->logs, LOG_FILES_MAX);
        result->unit_count = log_journal_choose(scan, result->units, LOG_UNITS_MAX);
        return 0;
}

static void done(void *state, void *result)
{
        struct log_scan *scan = state;
        (void)result;
        if (!scan || !scan->buffer.data)
                return;
        buffer_done(&scan->buffer);
        if (scan->inotify_fd >= 0)
                (void)close(scan->inotify_fd);
}

const struct aside_source log_scan_source = {
        .name = "logs",
        .delay_usec = 2 * USEC_PER_SEC,
        .interval_usec = LOOK_USEC,
        .deadline_usec = USEC_PER_MINUTE,
        .is_polite = true,
        .state_size = sizeof(struct log_scan),
        .result_size = sizeof(struct log_scan_result),
        .look = look,
        .done = done,
};
