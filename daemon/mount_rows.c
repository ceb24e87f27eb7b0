/* Rows of Mounts: the last minute of each mount, and who waits for it. */
#include "daemon/mount_rows.h"

#include <string.h>

#include "daemon/checks/mounts.h"

#define WINDOW_USEC USEC_PER_MINUTE
/* As mount.slow and mount.hung have them by default: the table says at a glance what they examine. */
#define HUNG_USEC         (10 * USEC_PER_SEC)
#define SLOW_REQUEST_USEC 5000
#define SLOW_WAITED       0.1F

static float per_request(float share, const struct mount_window *window)
{
        return window->operations > 0 ? share / window->operations : NAN;
}

static void add_user(struct mount_row *row, const struct snapshot *snapshot,
                     const struct mount_user_rate *user)
{
        const struct program *program = &snapshot->programs[user->process->program];
        uint32_t at = 0;
        while (at < row->user_count && strcmp(row->users[at].name, program->name) != 0)
                at++;
        if (at == PUBLISHED_MOUNT_USERS_MAX)
                return;
        struct mount_row_user *entry = &row->users[at];
        if (at == row->user_count) {
                memset(entry, 0, sizeof(*entry));
                memcpy(entry->name, program->name, sizeof(entry->name));
                entry->uid = user->process->sample->identity->uid;
                row->user_count++;
        }
        entry->count++;
        entry->waiting += user->sample->waiting;
        entry->waited += user->waited;
        if (!entry->directory[0] || user->sample->waiting > 0)
                memcpy(entry->directory, user->sample->directory, sizeof(entry->directory));
        for (; at > 0 && row->users[at - 1].waited < row->users[at].waited; at--) {
                struct mount_row_user before = row->users[at - 1];
                row->users[at - 1] = row->users[at];
                row->users[at] = before;
        }
}

static const char *state_of(const struct history *history, const struct mount_rate *mount,
                            const struct mount_row *row)
{
        char server[MOUNT_SERVER_MAX];
        if (row->silent_usec != ABSENT && row->silent_usec >= HUNG_USEC)
                return "hung";
        if (mount_complaint(history, mount_server(server, mount)))
                return "not responding";
        if (row->waited >= SLOW_WAITED && row->request_usec >= SLOW_REQUEST_USEC)
                return "slow";
        return row->operations > 0 || row->waited > 0 ? "ok" : "idle";
}

static void make_row(const struct history *history, const struct mount_rate *mount, struct mount_row *row)
{
        const struct snapshot *latest = history_latest(history);
        const struct network_mount_sample *sample = mount->sample;
        struct mount_window window = { .rtt = NAN };
        bool has_happened = history_mount(history, sample->id, WINDOW_USEC, 0, &window);
        memset(row, 0, sizeof(*row));
        memcpy(row->path, mount->mount->path, sizeof(row->path));
        memcpy(row->type, mount->mount->type, sizeof(row->type));
        memcpy(row->source, mount->mount->source, sizeof(row->source));
        row->outstanding = sample->outstanding;
        row->silent_usec = sample->silent_usec;
        bool is_counted = sample->operations != ABSENT;
        row->operations = has_happened || is_counted ? window.operations : NAN;
        row->request_usec = 1e6F * per_request(window.execute, &window);
        row->round_trip_usec = 1e6F * per_request(window.rtt, &window);
        row->retransmitted = is_counted ? per_request(window.retransmissions, &window) : NAN;
        row->read_bytes = window.read_bytes;
        row->write_bytes = window.write_bytes;
        row->waited = window.waited;
        for (size_t i = 0; i < latest->mount_user_count; i++)
                if (latest->mount_users[i].sample->mount_id == sample->id && latest->mount_users[i].process)
                        add_user(row, latest, &latest->mount_users[i]);
        row->state = state_of(history, mount, row);
}

size_t mount_rows_make(const struct history *history, struct mount_row ret_rows[static NETWORK_MOUNTS_MAX])
{
        const struct snapshot *latest = history_latest(history);
        size_t count = 0;
        for (size_t i = 0; i < latest->mount_count; i++)
                if (latest->mounts[i].mount)
                        make_row(history, &latest->mounts[i], &ret_rows[count++]);
        return count;
}
