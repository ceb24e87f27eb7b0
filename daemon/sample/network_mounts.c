/* One look: the list of mounts and its counters, then the tasks that wait. What is only needed where there
 * are such mounts is allocated when the first one is seen. */
#include "daemon/sample/network_mounts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/sample/aside.h"
#include "daemon/sample/mount_tasks.h"

#define DELAY_USEC    (100 * USEC_PER_MSEC)
#define NONE_USEC     (5 * USEC_PER_SEC) /* between looks where there are no such mounts */
#define IDLE_USEC     (2 * USEC_PER_SEC) /* where there are, but nobody waits */
#define DEADLINE_USEC (10 * USEC_PER_SEC)

struct looker {
        bool has_begun;
        usec_t pace_usec;
        struct mount_watches watches;
        struct mount_tasks *tasks; /* NULL until there is a mount */
};

struct view {
        struct network_mount_sample mounts[NETWORK_MOUNTS_MAX];
        size_t mount_count;
        struct mount_user_sample users[MOUNT_USERS_MAX];
        size_t user_count;
};

struct network_mounts {
        struct aside *aside;
        struct view
                *views[2]; /* in turn: the former sample still points into the other one; NULL: none yet */
        unsigned current;
};

static int begin(struct looker *looker)
{
        if (looker->has_begun)
                return 0;
        int r = mount_watches_begin(&looker->watches);
        looker->has_begun = r == 0;
        return r;
}

static int begin_tasks(struct looker *looker, const struct root *root)
{
        if (looker->tasks)
                return 0;
        struct mount_tasks *tasks = calloc(1, sizeof(*tasks));
        if (!tasks)
                return -ENOMEM;
        int r = mount_tasks_begin(tasks, root);
        if (r < 0) {
                free(tasks);
                return r;
        }
        looker->tasks = tasks;
        return 0;
}

static void show_mount(const struct looker *looker, const struct mount_watch *watch, usec_t now_usec,
                       struct network_mount_sample *ret_row)
{
        const struct mount_counters *counters = &watch->counters;
        *ret_row = (struct network_mount_sample){
                .id = watch->id,
                .kind = watch->kind,
                .operations = counters->operations,
                .data_operations = counters->data_operations,
                .transmissions = counters->transmissions,
                .timeouts = counters->timeouts,
                .errors = counters->errors,
                .queue_msec = counters->queue_msec,
                .rtt_msec = counters->rtt_msec,
                .execute_msec = counters->execute_msec,
                .read_bytes = counters->read_bytes,
                .write_bytes = counters->write_bytes,
                .outstanding = watch->outstanding,
                .silent_usec = mount_tasks_silence(looker->tasks, watch, now_usec),
        };
}

static void show(const struct looker *looker, usec_t now_usec, struct view *view)
{
        view->mount_count = view->user_count = 0;
        if (!looker->tasks)
                return;
        for (size_t i = 0; i < looker->watches.count; i++)
                show_mount(looker, &looker->watches.list[i], now_usec, &view->mounts[view->mount_count++]);
        for (size_t i = 0; i < MOUNT_USERS_MAX; i++) {
                const struct mount_user *user = &looker->tasks->users[i];
                if (!user->is_used)
                        continue;
                size_t at = view->user_count++;
                for (; at > 0 && view->users[at - 1].pid > user->row.pid; at--)
                        view->users[at] = view->users[at - 1];
                view->users[at] = user->row;
        }
}

static int look(const struct root *root, const struct clock *clock, void *state, void *ret_result)
{
        struct looker *looker = state;
        usec_t now_usec = clock_now(clock).monotonic_usec;
        looker->pace_usec = NONE_USEC;
        int r = begin(looker);
        if (r == 0)
                r = mount_watches_read(&looker->watches, root, now_usec);
        if (r == 0 && looker->watches.count > 0)
                r = begin_tasks(looker, root);
        if (r < 0)
                return r;
        if (looker->watches.count > 0) {
                mount_tasks_probe(looker->tasks, &looker->watches, now_usec);
                mount_tasks_scan(looker->tasks, &looker->watches, now_usec);
                looker->pace_usec = mount_tasks_pace(looker->tasks, now_usec);
                if (looker->pace_usec == 0)
                        looker->pace_usec = IDLE_USEC;
        }
        show(looker, now_usec, ret_result);
        return 0;
}

static usec_t pace(const void *state)
{
        const struct looker *looker = state;
        return looker->pace_usec;
}

static void done(void *state, void *result)
{
        struct looker *looker = state;
        (void)result;
        if (!looker)
                return;
        if (looker->has_begun)
                mount_watches_done(&looker->watches);
        if (looker->tasks)
                mount_tasks_done(looker->tasks);
        free(looker->tasks);
        looker->tasks = NULL;
}

static const struct aside_source source = {
        .name = "network-mounts",
        .delay_usec = DELAY_USEC,
        .interval_usec = NONE_USEC,
        .deadline_usec = DEADLINE_USEC,
        .state_size = sizeof(struct looker),
        .result_size = sizeof(struct view),
        .look = look,
        .interval = pace,
        .done = done,
};

int network_mounts_new(const struct root *root, const struct clock *clock, struct network_mounts **ret_mounts)
{
        struct network_mounts *mounts = calloc(1, sizeof(*mounts));
        if (!mounts)
                return -ENOMEM;
        int r = aside_new(&source, root, clock, &mounts->aside);
        if (r < 0) {
                free(mounts);
                return r;
        }
        *ret_mounts = mounts;
        return 0;
}

struct network_mounts *network_mounts_free(struct network_mounts *mounts)
{
        if (!mounts)
                return NULL;
        mounts->aside = aside_free(mounts->aside);
        free(mounts->views[0]);
        free(mounts->views[1]);
        free(mounts);
        return NULL;
}

static int take_over(struct network_mounts *mounts, const struct view *view)
{
        struct view **next = &mounts->views[mounts->current ^ 1];
        if (!*next && view->mount_count == 0)
                return 0;
        if (!*next)
                *next = malloc(sizeof(**next));
        if (!*next)
                return -ENOMEM;
        memcpy((*next)->mounts, view->mounts, view->mount_count * sizeof(view->mounts[0]));
        memcpy((*next)->users, view->users, view->user_count * sizeof(view->users[0]));
        (*next)->mount_count = view->mount_count;
        (*next)->user_count = view->user_count;
        mounts->current ^= 1;
        return 0;
}

int network_mounts_collect(struct network_mounts *mounts, struct sample *sample)
{
        const void *result;
        usec_t begun_usec;
        bool is_new;
        int r = aside_take(mounts->aside, &result, &begun_usec, &is_new);
        if (is_new) {
                int taken = take_over(mounts, result);
                r = r < 0 ? r : taken;
        }
        const struct view *view = mounts->views[mounts->current];
        if (view && result) {
                sample->network_mounts = view->mounts;
                sample->network_mount_count = view->mount_count;
                sample->mount_users = view->users;
                sample->mount_user_count = view->user_count;
        }
        return r == -EAGAIN ? 0 : r;
}
