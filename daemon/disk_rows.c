/* What Disks tells of one disk. */
#include "daemon/disk_rows.h"

#include <string.h>

#include "common/text.h"
#include "daemon/checks/disk_blame.h"

static void take_health(const struct sample *sample, struct disk_row *row)
{
        static const char *const words[] = { [DISK_STATE_UNKNOWN] = "",
                                             [DISK_STATE_WELL] = "well",
                                             [DISK_STATE_WARNS] = "warns",
                                             [DISK_STATE_FAILING] = "failing" };
        row->asked_usec = row->hours = row->temperature = row->used_percent = ABSENT;
        for (size_t i = 0; i < sample->disk_health_count; i++) {
                const struct disk_health_sample *disk = &sample->disk_health[i];
                if (strcmp(disk->name, row->name) != 0)
                        continue;
                memcpy(row->model, disk->model, sizeof(row->model));
                row->asked_usec = disk->asked_usec;
                row->hours = disk->hours;
                row->temperature = disk->temperature;
                row->used_percent = disk->used_percent;
                enum disk_state state = disk_state_of(disk);
                const char *word = state >= DISK_STATE_WARNS           ? words[state]
                                   : disk->state == DISK_HEALTH_ASLEEP ? "asleep"
                                   : disk->state == DISK_HEALTH_SILENT ? "silent"
                                                                       : words[state];
                text_format(row->health, sizeof(row->health), "%s", word);
        }
}

static void take_errors(const struct history *history, struct disk_row *row)
{
        const struct snapshot *latest = history_latest(history);
        const struct sample *sample = latest->sample;
        const struct disk_event *event;
        row->counted_errors = row->last_error_usec = ABSENT;
        for (size_t i = 0; i < sample->fs_errors_count; i++) {
                const struct fs_errors_sample *fs = &sample->fs_errors[i];
                if (fs->errors == ABSENT || strcmp(disk_whole(latest, fs->device), row->name) != 0)
                        continue;
                row->counted_errors = (row->counted_errors == ABSENT ? 0 : row->counted_errors) + fs->errors;
                if (fs->errors > 0 && fs->last_usec != ABSENT &&
                    (row->last_error_usec == ABSENT || fs->last_usec > row->last_error_usec))
                        row->last_error_usec = fs->last_usec;
        }
        for (size_t i = 0; (event = history_disk_event(history, i)); i++) {
                usec_t at_usec = event->last_realtime_usec;
                if (strcmp(disk_whole(latest, event->device), row->name) != 0)
                        continue;
                row->messages += event->count;
                if (row->last_error_usec == ABSENT || at_usec > row->last_error_usec)
                        row->last_error_usec = at_usec;
        }
}

static void make_row(const struct history *history, const struct disk_rate *disk, struct disk_row *row)
{
        const struct snapshot *latest = history_latest(history);
        const struct disk_past_row *past = history_disk_past(history, disk->sample->name);
        usec_t now_usec = latest->time.monotonic_usec;
        memset(row, 0, sizeof(*row));
        memcpy(row->name, disk->sample->name, sizeof(row->name));
        memcpy(row->lower, disk->sample->lower, sizeof(row->lower));
        row->is_stacked = disk->sample->is_stacked;
        row->is_rotational = disk->sample->is_rotational;
        row->busy = disk->busy;
        row->queue = disk->queue;
        row->reads = disk->reads;
        row->writes = disk->writes;
        row->read_bytes = disk->read_bytes;
        row->write_bytes = disk->write_bytes;
        row->latency50_msec = past ? disk_past_latency_msec(past, now_usec, 0.5) : NAN;
        row->latency95_msec = past ? disk_past_latency_msec(past, now_usec, 0.95) : NAN;
        row->latency99_msec = past ? disk_past_latency_msec(past, now_usec, 0.99) : NAN;
        (void)disk_mounts(row->mounts, sizeof(row->mounts), latest, row->name);
        take_health(latest->sample, row);
        take_errors(history, row);
}

/* A loop device that no file is behind any more. */
static bool is_empty(const struct disk_row *row)
{
        return row->is_stacked && !row->lower[0] && !row->mounts[0] && isnan(row->latency50_msec) &&
               row->messages == 0;
}

size_t disk_rows_make(const struct history *history, struct disk_row ret_rows[static PUBLISHED_DISKS_MAX])
{
        const struct snapshot *latest = history_latest(history);
        size_t count = 0;
        for (int pass = 0; pass < 2; pass++)
                for (size_t i = 0; i < latest->disk_count && count < PUBLISHED_DISKS_MAX; i++) {
                        const struct disk_sample *disk = latest->disks[i].sample;
                        if (disk->is_partition || disk->is_memory || disk->is_stacked != (pass == 1))
                                continue;
                        make_row(history, &latest->disks[i], &ret_rows[count]);
                        count += !is_empty(&ret_rows[count]);
                }
        return count;
}
