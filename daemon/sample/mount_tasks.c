/* Probing is sampling: a task seen in a wait is booked the whole time since the probe before, which over many
 * probes is the share of its time that it waits. */
#include "daemon/sample/mount_tasks.h"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/sample/mount_channel.h"

#define PROBE_USEC      (250 * USEC_PER_MSEC)
#define PROBE_TASK_USEC (20 * USEC_PER_MSEC) /* for each task: some fifty looks at tasks a second in all */
#define PROBE_MAX_USEC  USEC_PER_SEC
#define STUCK_USEC      (10 * USEC_PER_SEC) /* what lasts so long need not be looked at so often */
#define TASK_KEEP_USEC  (10 * USEC_PER_SEC) /* after its last wait */
#define USER_KEEP_USEC  USEC_PER_MINUTE
#define PLACE_USEC      (2 * USEC_PER_SEC)
#define ASK_CALL_USEC   (2 * USEC_PER_SEC)
#define LOCK_AFTER_USEC USEC_PER_SEC

int mount_tasks_begin(struct mount_tasks *tasks, const struct root *root)
{
        process_files_init(&tasks->files, root);
        tasks->proc_fd = root_open_directory(root, "proc");
        return tasks->proc_fd < 0 ? tasks->proc_fd : 0;
}

void mount_tasks_forget(struct mount_tasks *tasks, size_t index)
{
        if (tasks->tasks[index].channel_fd >= 0)
                (void)close(tasks->tasks[index].channel_fd);
        if (tasks->tasks[index].slices_fd >= 0)
                (void)close(tasks->tasks[index].slices_fd);
        tasks->tasks[index] = tasks->tasks[--tasks->count];
}

void mount_tasks_done(struct mount_tasks *tasks)
{
        while (tasks->count > 0)
                mount_tasks_forget(tasks, tasks->count - 1);
        if (tasks->proc_fd >= 0)
                (void)close(tasks->proc_fd);
        tasks->proc_fd = -1;
}

struct mount_watch *mount_user_watch(struct mount_watches *watches, const struct mount_user *user)
{
        for (size_t i = 0; i < watches->count; i++)
                if (watches->list[i].id == user->row.mount_id)
                        return &watches->list[i];
        return NULL;
}

void mount_user_look(struct mount_tasks *tasks, struct mount_user *user, const struct mount_watches *watches,
                     usec_t now_usec)
{
        int watch = mount_places_look(&user->places, &tasks->files, watches, user->row.pid, tasks->scratch,
                                      sizeof(tasks->scratch));
        user->placed_usec = now_usec;
        user->row.open_files = user->places.open_files;
        if (user->places.open_files > 0)
                user->files_usec = now_usec;
        /* Files on another kind of mount than the one it waits for say nothing. */
        if (watch >= 0 && user->has_asked && watches->list[watch].kind != user->kind)
                return;
        if (watch >= 0)
                user->row.mount_id = watches->list[watch].id;
        memset(user->row.directory, 0, sizeof(user->row.directory));
        (void)span_copy(span_of(mount_places_best(&user->places)), user->row.directory,
                        sizeof(user->row.directory));
}

/* The third number of schedstat: "51335218 56820545 71". */
static uint64_t read_slices(const struct mount_task *task)
{
        char text[96];
        uint64_t value[3];
        ssize_t n = task->slices_fd < 0 ? -1 : pread(task->slices_fd, text, sizeof(text), 0);
        struct span line = { text, n > 0 ? (size_t)n : 0 };
        for (size_t i = 0; i < 3; i++)
                if (span_take_u64(&line, &value[i]) < 0)
                        return ABSENT;
        return value[2];
}

/* Whoever waits for a lock on a file waits for another program, whatever the mount does. By the number of the
 * system call: "73 0x3 0x2 ..." (6.1); "running" if it is none. */
static bool waits_for_lock(const struct mount_tasks *tasks, const struct mount_task *task)
{
        char name[64], text[256];
        uint64_t number;
        text_format(name, sizeof(name), "task/%u/syscall", task->tid);
        ssize_t n = process_files_read_once(&tasks->files, task->pid, name, text, sizeof(text));
        struct span line = { text, n > 0 ? (size_t)n : 0 };
        return span_take_u64(&line, &number) == 0 && (number == SYS_flock || number == SYS_fcntl);
}

enum wait { WAIT_GONE, WAIT_NONE, WAIT_REQUEST, WAIT_PAGE };

/* Where the kernel does not tell whether the mount has requests under way: whoever had files open there
 * lately and waits for a page, waits for it. */
#define FILES_KEEP_USEC (10 * USEC_PER_SEC)

static bool pages_come_from(const struct mount_watch *watch, const struct mount_user *user, usec_t now_usec)
{
        if (watch->is_measured)
                return watch->is_active;
        return user->files_usec != 0 && now_usec - user->files_usec < FILES_KEEP_USEC;
}

/* What the task does now, as far as its mount is concerned. */
static enum wait wait_of(const struct mount_tasks *tasks, const struct mount_task *task,
                         const struct mount_watch *watch, struct mount_user *user, usec_t now_usec)
{
        char text[64];
        enum mount_kind kind;
        ssize_t n = pread(task->channel_fd, text, sizeof(text) - 1, 0);
        if (n <= 0)
                return WAIT_GONE;
        text[n] = '\0';
        enum mount_channel channel = mount_channel_of(text, &kind);
        user->may_wait |= channel != CHANNEL_NONE;
        switch (channel) {
        case CHANNEL_REQUEST:
                return !watch || watch->kind == kind ? WAIT_REQUEST : WAIT_NONE;
        case CHANNEL_PAGE:
                return watch && pages_come_from(watch, user, now_usec) ? WAIT_PAGE : WAIT_NONE;
        case CHANNEL_LOCK: /* behind one that waits for an answer itself */
                return watch && mount_tasks_silence(tasks, watch, now_usec) >= LOCK_AFTER_USEC ? WAIT_REQUEST
                                                                                               : WAIT_NONE;
        case CHANNEL_NONE:
                break;
        }
        return WAIT_NONE;
}

/* False if the task has ended. */
static bool probe_task(struct mount_tasks *tasks, struct mount_task *task, struct mount_watches *watches,
                       usec_t now_usec, usec_t elapsed_usec)
{
        struct mount_user *user = &tasks->users[task->user];
        struct mount_watch *watch = mount_user_watch(watches, user);
        enum wait wait = wait_of(tasks, task, watch, user, now_usec);
        if (wait == WAIT_GONE) /* killed, most likely: nobody has answered it */
                return false;
        bool waits = wait != WAIT_NONE;
        uint64_t slices = waits ? read_slices(task) : ABSENT;
        bool is_same = waits && task->is_waiting && slices == task->slices;
        if (watch && task->is_waiting && !is_same && !task->is_lock_call)
                watch->answered_usec = now_usec;
        task->is_waiting = waits;
        if (!waits)
                return true;
        if (!is_same) {
                task->since_usec = task->asked_usec = now_usec;
                task->is_lock_call = false;
        } else if (now_usec - task->asked_usec >= ASK_CALL_USEC) {
                task->asked_usec = now_usec;
                task->is_lock_call = waits_for_lock(tasks, task);
        }
        task->slices = slices;
        task->seen_usec = user->seen_usec = now_usec;
        if (task->is_lock_call)
                return true;
        user->row.waiting++;
        user->row.waited_usec += elapsed_usec;
        user->row.paged_usec += wait == WAIT_PAGE ? elapsed_usec : 0;
        if (now_usec - task->since_usec > user->row.longest_usec)
                user->row.longest_usec = now_usec - task->since_usec;
        return true;
}

void mount_tasks_probe(struct mount_tasks *tasks, struct mount_watches *watches, usec_t now_usec)
{
        usec_t elapsed_usec = tasks->probed_usec ? now_usec - tasks->probed_usec : 0;
        if (elapsed_usec > 5 * PROBE_MAX_USEC)
                elapsed_usec = 5 * PROBE_MAX_USEC; /* slowd stood still itself */
        tasks->probed_usec = now_usec;
        for (size_t i = 0; i < MOUNT_USERS_MAX; i++) {
                tasks->users[i].row.waiting = 0;
                tasks->users[i].row.longest_usec = 0;
                tasks->users[i].may_wait = false;
        }
        for (size_t i = tasks->count; i > 0; i--) {
                struct mount_task *task = &tasks->tasks[i - 1];
                if (!probe_task(tasks, task, watches, now_usec, elapsed_usec) ||
                    now_usec - task->seen_usec > TASK_KEEP_USEC)
                        mount_tasks_forget(tasks, i - 1);
        }
        for (size_t i = 0; i < MOUNT_USERS_MAX; i++) {
                struct mount_user *user = &tasks->users[i];
                if (user->is_used && user->may_wait && now_usec - user->placed_usec >= PLACE_USEC)
                        mount_user_look(tasks, user, watches, now_usec);
                if (user->is_used && now_usec - user->seen_usec > USER_KEEP_USEC)
                        user->is_used = false;
        }
}

usec_t mount_tasks_silence(const struct mount_tasks *tasks, const struct mount_watch *watch, usec_t now_usec)
{
        usec_t since_usec = now_usec;
        for (size_t i = 0; i < tasks->count; i++) {
                const struct mount_task *task = &tasks->tasks[i];
                if (task->is_waiting && !task->is_lock_call &&
                    tasks->users[task->user].row.mount_id == watch->id && task->since_usec < since_usec)
                        since_usec = task->since_usec;
        }
        if (watch->answered_usec > since_usec)
                since_usec = watch->answered_usec;
        return now_usec - since_usec;
}

usec_t mount_tasks_pace(const struct mount_tasks *tasks, usec_t now_usec)
{
        bool are_stuck = true;
        if (tasks->count == 0)
                return 0;
        for (size_t i = 0; i < tasks->count; i++)
                are_stuck &= tasks->tasks[i].is_waiting && now_usec - tasks->tasks[i].since_usec > STUCK_USEC;
        usec_t pace = PROBE_USEC;
        if (tasks->count * PROBE_TASK_USEC > pace)
                pace = tasks->count * PROBE_TASK_USEC;
        return are_stuck || pace > PROBE_MAX_USEC ? PROBE_MAX_USEC : pace;
}
