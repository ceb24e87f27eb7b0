/* What of each snapshot is followed over days. */
#include <math.h>
#include <string.h>

#include "daemon/history/trends.h"

static const enum field fields[] = {
        FIELD_MEMORY_AVAILABLE_BYTES, FIELD_MEMORY_ANON_BYTES,        FIELD_MEMORY_FILE_BYTES,
        FIELD_MEMORY_SHMEM_BYTES,     FIELD_SWAP_USED_BYTES,          FIELD_CPU_BUSY,
        FIELD_PSI_CPU_SOME,           FIELD_PSI_MEMORY_SOME,          FIELD_PSI_IO_SOME,
        FIELD_DISK_READ_BYTES,        FIELD_DISK_WRITE_BYTES,         FIELD_TASKS,
        FIELD_MEMORY_SLAB_BYTES,      FIELD_MEMORY_PAGE_TABLES_BYTES, FIELD_MEMORY_VMALLOC_BYTES,
        FIELD_MEMORY_PERCPU_BYTES,    FIELD_MEMORY_UNACCOUNTED_BYTES,
};

#define SHARED_MIN 1000000

static void feed_programs(struct trends *trends, const struct snapshot *snapshot)
{
        for (size_t i = 0; i < snapshot->program_count; i++) {
                const struct program *program = &snapshot->programs[i];
                if (program->shmem_bytes != ABSENT && program->shmem_bytes >= SHARED_MIN)
                        trends_feed(trends, TREND_PROGRAM_SHARED, program->id, program->name,
                                    (double)program->shmem_bytes, (double)program->shmem_bytes);
                if (program->is_kernel || program->anon_bytes == ABSENT)
                        continue;
                double bytes = (double)program->anon_bytes;
                if (program->swap_bytes != ABSENT)
                        bytes += (double)program->swap_bytes;
                if (bytes >= TREND_PROGRAM_MEMORY_MIN)
                        trends_feed(trends, TREND_PROGRAM_MEMORY, program->id, program->name, bytes, bytes);
        }
}

static void feed_slabs(struct trends *trends, const struct snapshot *snapshot)
{
        for (size_t i = 0; i < snapshot->sample->slab_count; i++) {
                const struct slab_sample *slab = &snapshot->sample->slabs[i];
                trends_feed(trends, TREND_SLAB, trend_id(slab->name), slab->name, (double)slab->bytes,
                            (double)slab->bytes);
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

/* The fuller one matters more; what cannot be written to never fills. */
static void feed_file_systems(struct trends *trends, const struct snapshot *snapshot)
{
        const struct sample *sample = snapshot->sample;
        for (size_t i = 0; i < sample->file_system_count; i++) {
                const struct file_system_sample *row = &sample->file_systems[i];
                if (strcmp(row->type, "tmpfs") == 0 && row->free_bytes != ABSENT)
                        trends_feed(trends, TREND_TMPFS_USED, trend_id(row->path), row->path,
                                    (double)row->total_bytes - (double)row->free_bytes,
                                    (double)row->total_bytes - (double)row->free_bytes);
                if (row->is_read_only || row->available_bytes == ABSENT)
                        continue;
                uint64_t id = trend_id(row->path);
                double used = 1 - (double)row->available_bytes / (double)(row->total_bytes + 1);
                trends_feed(trends, TREND_FILE_SYSTEM_AVAILABLE, id, row->path, (double)row->available_bytes,
                            0.1 + used);
                if (row->inodes_available == ABSENT)
                        continue;
                used = 1 - (double)row->inodes_available / (double)(row->inodes + 1);
                trends_feed(trends, TREND_FILE_SYSTEM_INODES, id, row->path, (double)row->inodes_available,
                            0.1 + used);
        }
}

/* The faster one grows the more it matters. */
static void feed_logs(struct trends *trends, const struct snapshot *snapshot)
{
        const struct sample *sample = snapshot->sample;
        for (size_t i = 0; i < sample->log_count; i++) {
                const struct log_file_sample *log = &sample->logs[i];
                double grown = (double)log->size_bytes - (double)log->earlier_bytes;
                if (log->size_bytes == ABSENT)
                        continue;
                trends_feed(trends, TREND_LOG_SIZE, trend_id(log->path), log->path, (double)log->size_bytes,
                            grown > 0 ? 1 + grown : 1);
        }
}

void trends_feed_snapshot(struct trends *trends, const struct snapshot *snapshot)
{
        feed_programs(trends, snapshot);
        for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
                trends_feed(trends, TREND_MACHINE, trend_field_id(fields[i]), field_name(fields[i]),
                            snapshot->value[fields[i]], 1);
        feed_slabs(trends, snapshot);
        feed_disks(trends, snapshot);
        feed_file_systems(trends, snapshot);
        feed_logs(trends, snapshot);
}
