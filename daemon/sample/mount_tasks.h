/* Who waits for network mounts: tasks found by the kernel function they sleep in, and looked at several times
 * a second as long as they wait now and then. Reads /proc only. */
#pragma once

#include "daemon/sample/mount_place.h"

#define MOUNT_TASKS_MAX        48
#define MOUNT_SCAN_PIDS_MAX    4096 /* processes that a scan goes through */
#define MOUNT_SCAN_THREADS_MAX 256  /* and threads besides the main ones; more have their turn next time */
#define MOUNT_SCAN_STRANGERS_MAX                                                                             \
        8 /* whose open files are looked at because they wait for a page or a lock                           \
           */
#define MOUNT_SCRATCH_BYTES 8192

/* One task that was seen waiting. */
struct mount_task {
        uint32_t pid, tid;
        uint32_t user; /* index */
        int channel_fd, slices_fd;
        bool is_waiting, is_lock_call;
        uint64_t slices;   /* times put on a CPU: unchanged as long as it is one and the same wait */
        usec_t since_usec; /* the wait was first seen */
        usec_t seen_usec;  /* waiting, last */
        usec_t asked_usec; /* for which call it waits */
};

struct mount_user {
        struct mount_user_sample row;
        struct mount_places places;
        usec_t placed_usec, seen_usec;
        usec_t files_usec; /* it had files open on the mount, last */
        bool has_asked;    /* it was seen to wait for an answer of a mount of `kind` */
        enum mount_kind kind;
        bool may_wait; /* a task sleeps in what may be a wait for the mount */
        bool is_used;
};

struct mount_tasks {
        struct process_files files;
        int proc_fd; /* /proc, to be listed; -1 */
        struct mount_task tasks[MOUNT_TASKS_MAX];
        size_t count;
        struct mount_user users[MOUNT_USERS_MAX];
        usec_t probed_usec, scanned_usec;
        usec_t scan_pace_usec;
        size_t strangers_left; /* in this scan */
        uint32_t threads_pid;  /* threads were looked through up to this process */
        uint32_t pids[MOUNT_SCAN_PIDS_MAX];
        _Alignas(8) char scratch[MOUNT_SCRATCH_BYTES];
};

/* 0 or negative errno. */
int mount_tasks_begin(struct mount_tasks *tasks, const struct root *root);
void mount_tasks_done(struct mount_tasks *tasks);

/* Looks for tasks that wait, if it is time to. */
void mount_tasks_scan(struct mount_tasks *tasks, struct mount_watches *watches, usec_t now_usec);
/* Looks at those that are known; time since the last probe is booked to those that wait. Notes answers in the
 * watches. */
void mount_tasks_probe(struct mount_tasks *tasks, struct mount_watches *watches, usec_t now_usec);
/* How long somebody has waited for that mount without any answer; 0: nobody waits. */
usec_t mount_tasks_silence(const struct mount_tasks *tasks, const struct mount_watch *watch, usec_t now_usec);
/* How soon to probe again; 0: nothing is going on. */
usec_t mount_tasks_pace(const struct mount_tasks *tasks, usec_t now_usec);

/* ---- between mount_tasks.c and mount_scan.c ---- */

void mount_tasks_forget(struct mount_tasks *tasks, size_t index);
/* The mount that it uses; NULL: it is not known, or gone. */
struct mount_watch *mount_user_watch(struct mount_watches *watches, const struct mount_user *user);
/* Where its files are now. */
void mount_user_look(struct mount_tasks *tasks, struct mount_user *user, const struct mount_watches *watches,
                     usec_t now_usec);
