/* A ring of steps and three slices of a log-scale histogram for each disk. */
#include "daemon/history/disk_past.h"

#include <string.h>

#define BUCKET_FIRST_MSEC (1.0 / 64)

static double known(float value)
{
        return isnan(value) ? 0 : (double)value;
}

static struct disk_past_row *row_of(struct disk_past *past, const char *name)
{
        struct disk_past_row *oldest = &past->rows[0];
        for (size_t i = 0; i < DISK_PAST_DISKS; i++) {
                if (strcmp(past->rows[i].name, name) == 0)
                        return &past->rows[i];
                if (past->rows[i].last_step < oldest->last_step)
                        oldest = &past->rows[i];
        }
        memset(oldest, 0, sizeof(*oldest));
        memcpy(oldest->name, name, strlen(name) + 1);
        return oldest;
}

static uint32_t bucket_of(double msec)
{
        double octaves = 2 * log2(msec / BUCKET_FIRST_MSEC);
        return octaves < 1 ? 0 : octaves >= DISK_PAST_BUCKETS ? DISK_PAST_BUCKETS - 1 : (uint32_t)octaves;
}

static void add(struct disk_past_row *row, const struct disk_rate *disk, usec_t now_usec, double seconds)
{
        uint32_t number = (uint32_t)(now_usec / DISK_PAST_STEP_USEC);
        struct disk_step *step = &row->steps[number % DISK_PAST_STEPS];
        if (step->number != number)
                *step = (struct disk_step){ .number = number };
        step->covered_sec += (float)seconds;
        step->busy_sec += (float)(known(disk->busy) * seconds);
        step->queued_sec += (float)(known(disk->queue) * seconds);
        const float requests[] = { disk->reads, disk->writes },
                    took[] = { disk->read_wait, disk->write_wait },
                    bytes[] = { disk->read_bytes, disk->write_bytes };
        double all = 0;
        for (int i = 0; i < DISK_DIRECTIONS; i++) {
                step->requests[i] += (float)(known(requests[i]) * seconds);
                step->took_sec[i] += (float)(known(took[i]) * seconds);
                step->bytes[i] += (float)(known(bytes[i]) * seconds);
                all += known(requests[i]) * seconds;
        }
        if (!(all > 0) || isnan(disk->await_msec))
                return;
        row->last_step = number;
        uint32_t slice = (uint32_t)(now_usec / DISK_PAST_SLICE_USEC);
        if (row->slices[slice % DISK_PAST_SLICES].number != slice) {
                memset(&row->slices[slice % DISK_PAST_SLICES], 0, sizeof(row->slices[0]));
                row->slices[slice % DISK_PAST_SLICES].number = slice;
        }
        row->slices[slice % DISK_PAST_SLICES].requests[bucket_of((double)disk->await_msec)] += (float)all;
}

void disk_past_push(struct disk_past *past, const struct snapshot *snapshot)
{
        double seconds = (double)snapshot->interval_usec / (double)USEC_PER_SEC;
        for (size_t i = 0; i < snapshot->disk_count; i++) {
                const struct disk_rate *disk = &snapshot->disks[i];
                if (disk->sample->is_partition || disk->sample->is_memory)
                        continue;
                /* Devices that never did anything must not push out those that did. */
                bool is_idle = !(disk->reads > 0) && !(disk->writes > 0) && !(disk->busy > 0);
                if (is_idle && !disk_past_find(past, disk->sample->name))
                        continue;
                add(row_of(past, disk->sample->name), disk, snapshot->time.monotonic_usec, seconds);
        }
}

const struct disk_past_row *disk_past_find(const struct disk_past *past, const char *name)
{
        for (size_t i = 0; name[0] && i < DISK_PAST_DISKS; i++)
                if (strcmp(past->rows[i].name, name) == 0)
                        return &past->rows[i];
        return NULL;
}

const struct disk_step *disk_past_step(const struct disk_past_row *row, usec_t now_usec, uint32_t ago)
{
        uint64_t now = now_usec / DISK_PAST_STEP_USEC;
        if (ago >= DISK_PAST_STEPS || ago > now)
                return NULL;
        uint32_t number = (uint32_t)(now - ago);
        const struct disk_step *step = &row->steps[number % DISK_PAST_STEPS];
        return step->number == number && step->covered_sec > 0 ? step : NULL;
}

double disk_step_service_msec(const struct disk_step *step, enum disk_direction direction)
{
        if (!(step->requests[direction] > 0))
                return NAN;
        double msec = 1000 * (double)step->took_sec[direction] / (double)step->requests[direction];
        double in_flight = step->busy_sec > 0 ? (double)step->queued_sec / (double)step->busy_sec : 1;
        return in_flight > 1 ? msec / in_flight : msec;
}

double disk_past_latency_msec(const struct disk_past_row *row, usec_t now_usec, double share)
{
        uint32_t now = (uint32_t)(now_usec / DISK_PAST_SLICE_USEC);
        double all = 0, below = 0;
        for (int pass = 0; pass < 2; pass++) {
                for (uint32_t bucket = 0; bucket < DISK_PAST_BUCKETS; bucket++) {
                        for (size_t i = 0; i < DISK_PAST_SLICES; i++) {
                                if (now - row->slices[i].number >= DISK_PAST_SLICES)
                                        continue;
                                double requests = (double)row->slices[i].requests[bucket];
                                *(pass == 0 ? &all : &below) += requests;
                        }
                        /* the middle of the bucket, on the same scale */
                        if (pass == 1 && all > 0 && below >= share * all)
                                return BUCKET_FIRST_MSEC * exp2((bucket + 0.5) / 2);
                }
        }
        return NAN;
}
