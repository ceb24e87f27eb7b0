/* What of each snapshot is followed over days. */
#include <math.h>

#include "daemon/history/trends.h"

/* Programs that hold less are no machine's trouble. */
#define PROGRAM_MEMORY_MIN 1e6

static const enum field fields[] = {
        FIELD_MEMORY_AVAILABLE_BYTES, FIELD_MEMORY_ANON_BYTES, FIELD_MEMORY_FILE_BYTES,
        FIELD_MEMORY_SHMEM_BYTES,     FIELD_SWAP_USED_BYTES,   FIELD_CPU_BUSY,
        FIELD_PSI_CPU_SOME,           FIELD_PSI_MEMORY_SOME,   FIELD_PSI_IO_SOME,
        FIELD_DISK_READ_BYTES,        FIELD_DISK_WRITE_BYTES,  FIELD_TASKS,
};

static void feed_programs(struct trends *trends, const struct snapshot *snapshot)
{
        for (size_t i = 0; i < snapshot->program_count; i++) {
                const struct program *program = &snapshot->programs[i];
                if (program->is_kernel || program->anon_bytes == ABSENT)
                        continue;
                double bytes = (double)program->anon_bytes;
                if (program->swap_bytes != ABSENT)
                        bytes += (double)program->swap_bytes;
                if (bytes >= PROGRAM_MEMORY_MIN)
                        trends_feed(trends, TREND_PROGRAM_MEMORY, program->id, program->name, bytes, bytes);
        }
}

/* The busier disk matters more; a partition's work is its disk's. */
static void feed_disks(struct trends *trends, const struct snapshot *snapshot)
{
        for (size_t i = 0; i < snapshot->disk_count; i++) {
                const struct disk_rate *disk = &snapshot->disks[i];
                if (disk->sample->is_partition || disk->sample->is_memory)
                        continue;
                uint64_t id = trend_id(disk->sample->name);
                double weight = isnan(disk->busy) ? 0 : 0.01 + (double)disk->busy;
                trends_feed(trends, TREND_DISK_AWAIT, id, disk->sample->name, (double)disk->await_msec,
                            weight);
                trends_feed(trends, TREND_DISK_BUSY, id, disk->sample->name, (double)disk->busy, weight);
        }
}

void trends_feed_snapshot(struct trends *trends, const struct snapshot *snapshot)
{
        feed_programs(trends, snapshot);
        for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
                trends_feed(trends, TREND_MACHINE, trend_field_id(fields[i]), field_name(fields[i]),
                            snapshot->value[fields[i]], 1);
        feed_disks(trends, snapshot);
}
