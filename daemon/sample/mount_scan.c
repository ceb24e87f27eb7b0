/* Finds tasks that wait for network mounts, by a walk over all processes that is made only while one of the
 * mounts has requests under way. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "daemon/sample/mount_channel.h"
#include "daemon/sample/mount_tasks.h"

/* While more requests are under way than there are tasks seen waiting; twice as long each time nobody is
 * found. */
#define SCAN_WANTED_USEC  (2 * USEC_PER_SEC)
#define SCAN_LONGEST_USEC (30 * USEC_PER_SEC)
/* Where the kernel does not tell of requests. */
#define SCAN_BLIND_USEC (15 * USEC_PER_SEC)

/* The only mount of that kind, or of several the only one with requests under way. */
static uint32_t only_mount(const struct mount_watches *watches, enum mount_kind kind)
{
        uint32_t id = 0, active_id = 0;
        size_t count = 0, active = 0;
        for (size_t i = 0; i < watches->count; i++) {
                if (watches->list[i].kind != kind)
                        continue;
                id = watches->list[i].id;
                count++;
                if (watches->list[i].is_active) {
                        active_id = watches->list[i].id;
                        active++;
                }
        }
        return count == 1 ? id : active == 1 ? active_id : 0;
}

static struct mount_user *free_user(struct mount_tasks *tasks)
{
        struct mount_user *oldest = NULL;
        for (size_t i = 0; i < MOUNT_USERS_MAX; i++) {
                struct mount_user *user = &tasks->users[i];
                if (!user->is_used)
                        return user;
                if (user->row.waiting == 0 && (!oldest || user->seen_usec < oldest->seen_usec))
                        oldest = user;
        }
        return oldest;
}

static bool is_kernel_thread(const struct mount_tasks *tasks, uint32_t pid)
{
        char path[8];
        return process_files_read_link(&tasks->files, pid, "exe", path, sizeof(path)) == -ESRCH;
}

/* Who waits for a request is a user of some mount of that kind; who waits for a page or a lock only if it has
 * files on one that has requests under way. NULL: it is none, or there is no room. */
static struct mount_user *user_for(struct mount_tasks *tasks, struct mount_watches *watches, uint32_t pid,
                                   enum mount_channel channel, enum mount_kind kind, usec_t now_usec)
{
        for (size_t i = 0; i < MOUNT_USERS_MAX; i++)
                if (tasks->users[i].is_used && tasks->users[i].row.pid == pid)
                        return &tasks->users[i];
        struct mount_user *user = free_user(tasks);
        if (!user || (channel != CHANNEL_REQUEST && tasks->strangers_left == 0) ||
            is_kernel_thread(tasks, pid))
                return NULL;
        tasks->strangers_left -= channel != CHANNEL_REQUEST;
        const size_t index = (size_t)(user - tasks->users);
        for (size_t i = tasks->count; user->is_used && i > 0; i--)
                if (tasks->tasks[i - 1].user == index)
                        mount_tasks_forget(tasks, i - 1);
        *user = (struct mount_user){ .row.pid = pid, .seen_usec = now_usec };
        user->has_asked = channel == CHANNEL_REQUEST;
        user->kind = kind;
        mount_user_look(tasks, user, watches, now_usec);
        const struct mount_watch *watch = mount_user_watch(watches, user);
        if (user->has_asked && !watch)
                user->row.mount_id = only_mount(watches, kind);
        if (!user->has_asked && (!watch || (watch->is_measured && !watch->is_active)))
                return NULL;
        user->is_used = true;
        return user;
}

/* ---- scanning ---- */

static void add_task(struct mount_tasks *tasks, struct mount_watches *watches, uint32_t pid, uint32_t tid,
                     enum mount_channel channel, enum mount_kind kind, usec_t now_usec)
{
        char name[64];
        for (size_t i = 0; i < tasks->count; i++)
                if (tasks->tasks[i].tid == tid)
                        return;
        if (tasks->count == MOUNT_TASKS_MAX)
                return;
        struct mount_user *user = user_for(tasks, watches, pid, channel, kind, now_usec);
        if (!user || tasks->count == MOUNT_TASKS_MAX)
                return;
        text_format(name, sizeof(name), "task/%u/wchan", tid);
        int channel_fd = process_files_open(&tasks->files, pid, name, false);
        text_format(name, sizeof(name), "task/%u/schedstat", tid);
        int slices_fd = process_files_open(&tasks->files, pid, name, false);
        if (channel_fd < 0) {
                if (slices_fd >= 0)
                        (void)close(slices_fd);
                return;
        }
        tasks->tasks[tasks->count++] = (struct mount_task){
                .pid = pid,
                .tid = tid,
                .user = (uint32_t)(user - tasks->users),
                .channel_fd = channel_fd,
                .slices_fd = slices_fd,
                .slices = ABSENT,
                .seen_usec = now_usec,
        };
}

static void scan_task(struct mount_tasks *tasks, struct mount_watches *watches, uint32_t pid, uint32_t tid,
                      usec_t now_usec)
{
        char name[64], channel[64];
        enum mount_kind kind;
        if (pid == tid)
                text_format(name, sizeof(name), "wchan");
        else
                text_format(name, sizeof(name), "task/%u/wchan", tid);
        CLEANUP_CLOSE int fd = process_files_open(&tasks->files, pid, name, false);
        ssize_t n = fd < 0 ? -1 : pread(fd, channel, sizeof(channel) - 1, 0);
        if (n <= 0)
                return;
        channel[n] = '\0';
        enum mount_channel found = mount_channel_of(channel, &kind);
        if (found != CHANNEL_NONE)
                add_task(tasks, watches, pid, tid, found, kind, now_usec);
}

/* A directory has two links and one for each below it; some file systems do not count (1). */
static bool has_one_thread(const struct mount_tasks *tasks, uint32_t pid)
{
        char name[32];
        struct stat status;
        text_format(name, sizeof(name), "%u/task", pid);
        return fstatat(tasks->proc_fd, name, &status, 0) == 0 &&
               (status.st_nlink == 2 || status.st_nlink == 3);
}

/* Returns how many it looked at. */
static size_t scan_threads(struct mount_tasks *tasks, struct mount_watches *watches, uint32_t pid,
                           usec_t now_usec)
{
        uint32_t tids[MOUNT_SCAN_THREADS_MAX];
        if (has_one_thread(tasks, pid))
                return 1;
        CLEANUP_CLOSE int directory_fd = process_files_open(&tasks->files, pid, "task", true);
        if (directory_fd < 0)
                return 1;
        ssize_t n = process_files_list(directory_fd, tasks->scratch, sizeof(tasks->scratch), tids,
                                       MOUNT_SCAN_THREADS_MAX);
        size_t count = n < 0 ? 0 : n < MOUNT_SCAN_THREADS_MAX ? (size_t)n : MOUNT_SCAN_THREADS_MAX;
        for (size_t i = 0; i < count; i++)
                if (tids[i] != pid)
                        scan_task(tasks, watches, pid, tids[i], now_usec);
        return count + 1;
}

/* The threads of users each time, of the others in turn. */
static void scan_all_threads(struct mount_tasks *tasks, struct mount_watches *watches, size_t count,
                             usec_t now_usec)
{
        size_t budget = MOUNT_SCAN_THREADS_MAX, first = 0;
        for (size_t i = 0; i < MOUNT_USERS_MAX; i++)
                if (tasks->users[i].is_used)
                        (void)scan_threads(tasks, watches, tasks->users[i].row.pid, now_usec);
        while (first < count && tasks->pids[first] <= tasks->threads_pid)
                first++;
        for (size_t i = 0; i < count && budget > 0; i++) {
                uint32_t pid = tasks->pids[(first + i) % count];
                size_t used = scan_threads(tasks, watches, pid, now_usec);
                budget -= used < budget ? used : budget;
                tasks->threads_pid = pid;
        }
}

/* Tasks that were seen waiting for it lately: between two requests they do something else for a moment. */
#define LATELY_USEC (2 * USEC_PER_SEC)

static uint64_t waiters_of(const struct mount_tasks *tasks, const struct mount_watch *watch, usec_t now_usec)
{
        uint64_t count = 0;
        for (size_t i = 0; i < tasks->count; i++)
                if (tasks->users[tasks->tasks[i].user].row.mount_id == watch->id &&
                    now_usec - tasks->tasks[i].seen_usec < LATELY_USEC)
                        count++;
        return count;
}

/* Whether there is somebody to look for; *ret_is_blind: it cannot be told. */
static bool is_wanted(const struct mount_tasks *tasks, const struct mount_watches *watches, usec_t now_usec,
                      bool *ret_is_blind)
{
        *ret_is_blind = false;
        for (size_t i = 0; i < watches->count; i++) {
                const struct mount_watch *watch = &watches->list[i];
                uint64_t waiters = waiters_of(tasks, watch, now_usec);
                if (!watch->is_measured)
                        *ret_is_blind = true;
                else if (watch->is_active &&
                         (waiters == 0 || (watch->outstanding != ABSENT && watch->outstanding > waiters)))
                        return true;
        }
        return false;
}

static void scan(struct mount_tasks *tasks, struct mount_watches *watches, usec_t now_usec)
{
        tasks->scanned_usec = now_usec;
        tasks->strangers_left = MOUNT_SCAN_STRANGERS_MAX;
        ssize_t n = process_files_list(tasks->proc_fd, tasks->scratch, sizeof(tasks->scratch), tasks->pids,
                                       MOUNT_SCAN_PIDS_MAX);
        size_t count = n < 0 ? 0 : n < MOUNT_SCAN_PIDS_MAX ? (size_t)n : MOUNT_SCAN_PIDS_MAX;
        for (size_t i = 0; i < count; i++)
                scan_task(tasks, watches, tasks->pids[i], tasks->pids[i], now_usec);
        scan_all_threads(tasks, watches, count, now_usec);
}

void mount_tasks_scan(struct mount_tasks *tasks, struct mount_watches *watches, usec_t now_usec)
{
        bool is_blind;
        bool wanted = is_wanted(tasks, watches, now_usec, &is_blind);
        if (tasks->scan_pace_usec == 0 || now_usec - tasks->scanned_usec >= 2 * SCAN_LONGEST_USEC)
                tasks->scan_pace_usec = SCAN_WANTED_USEC;
        if (!wanted && !is_blind)
                return;
        usec_t pace_usec = wanted ? tasks->scan_pace_usec : SCAN_BLIND_USEC;
        if (tasks->scanned_usec != 0 && now_usec - tasks->scanned_usec < pace_usec)
                return;
        size_t before = tasks->count;
        scan(tasks, watches, now_usec);
        if (tasks->count > before)
                tasks->scan_pace_usec = SCAN_WANTED_USEC;
        else if (wanted)
                tasks->scan_pace_usec = 2 * pace_usec < SCAN_LONGEST_USEC ? 2 * pace_usec : SCAN_LONGEST_USEC;
}
