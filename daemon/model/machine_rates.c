/* Machine-wide counters of two samples -> values of one interval. */
#include "daemon/model/rates.h"

#include <string.h>

/* idle and iowait may run back by a tick (the kernel says so in proc.rst): that is no reset, only nothing. */
static double ticks_between(uint64_t older, uint64_t newer)
{
        if (older == ABSENT || newer == ABSENT)
                return NAN;
        return newer < older ? 0 : (double)(newer - older);
}

static void cpu_values(const struct cpu_sample *a, const struct cpu_sample *b, double value[FIELD_MAX])
{
        double user = ticks_between(a->user, b->user), nice = ticks_between(a->nice, b->nice);
        double system = ticks_between(a->system, b->system), idle = ticks_between(a->idle, b->idle);
        double iowait = known_or_zero(ticks_between(a->iowait, b->iowait));
        double irq = known_or_zero(ticks_between(a->irq, b->irq)) +
                     known_or_zero(ticks_between(a->softirq, b->softirq));
        double steal = known_or_zero(ticks_between(a->steal, b->steal));
        double total = user + nice + system + idle + iowait + irq + steal;
        if (!(total > 0))
                return;
        value[FIELD_CPU_BUSY] = (user + nice + system + irq) / total;
        value[FIELD_CPU_USER] = user / total;
        value[FIELD_CPU_NICE] = nice / total;
        value[FIELD_CPU_SYSTEM] = system / total;
        value[FIELD_CPU_IRQ] = irq / total;
        value[FIELD_CPU_IOWAIT] = iowait / total;
        value[FIELD_CPU_STEAL] = steal / total;
        value[FIELD_CPU_IDLE] = (idle + iowait) / total;
}

/* The total counts every stall to its end; a share over 1 comes from the clock of another CPU. */
static double stalled(uint64_t older, uint64_t newer, double seconds)
{
        double share = rate_per_sec(older, newer, seconds) / (double)USEC_PER_SEC;
        return share > 1 ? 1 : share;
}

static void pressure_values(const struct sample *older, const struct sample *newer, double seconds,
                            double value[FIELD_MAX])
{
        static const struct {
                enum field field;
                enum pressure_kind kind;
                bool is_full;
        } table[] = {
                { FIELD_PSI_CPU_SOME, PRESSURE_CPU, false },
                { FIELD_PSI_MEMORY_SOME, PRESSURE_MEMORY, false },
                { FIELD_PSI_MEMORY_FULL, PRESSURE_MEMORY, true },
                { FIELD_PSI_IO_SOME, PRESSURE_IO, false },
                { FIELD_PSI_IO_FULL, PRESSURE_IO, true },
                { FIELD_PSI_IRQ_FULL, PRESSURE_IRQ, true },
        };
        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
                const struct pressure_sample *a = &older->pressure[table[i].kind];
                const struct pressure_sample *b = &newer->pressure[table[i].kind];
                value[table[i].field] = table[i].is_full
                                                ? stalled(a->full_total_usec, b->full_total_usec, seconds)
                                                : stalled(a->some_total_usec, b->some_total_usec, seconds);
        }
}

/* What is left of the total when every line of meminfo that does not overlap with another is taken off.
 * Kernel stacks lie in vmalloc space (6.1), or are pages of their own on machines without: the larger counts.
 */
static double unaccounted(const struct meminfo_sample *memory)
{
        const double known = level_of(memory->free_bytes) + level_of(memory->buffers_bytes) +
                             level_of(memory->cached_bytes) + level_of(memory->swap_cached_bytes) +
                             level_of(memory->anon_bytes) + level_of(memory->slab_reclaimable_bytes) +
                             level_of(memory->slab_unreclaimable_bytes) +
                             level_of(memory->page_tables_bytes) +
                             fmax(level_of(memory->vmalloc_used_bytes), level_of(memory->kernel_stack_bytes));
        /* Older kernels lack these; zswap has its pages from the page allocator. */
        const uint64_t others[] = { memory->percpu_bytes, memory->hugetlb_bytes, memory->zswap_bytes };
        double left = level_of(memory->total_bytes) - known;
        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
                left -= others[i] == ABSENT ? 0 : (double)others[i];
        return left < 0 ? 0 : left;
}

static void memory_levels(const struct sample *newer, double value[FIELD_MAX])
{
        const struct meminfo_sample *memory = &newer->meminfo;
        value[FIELD_MEMORY_TOTAL_BYTES] = level_of(memory->total_bytes);
        value[FIELD_MEMORY_AVAILABLE_BYTES] = level_of(memory->available_bytes);
        value[FIELD_MEMORY_ANON_BYTES] = level_of(memory->anon_bytes);
        value[FIELD_MEMORY_SHMEM_BYTES] = level_of(memory->shmem_bytes);
        value[FIELD_MEMORY_FILE_BYTES] = level_of(memory->cached_bytes) + level_of(memory->buffers_bytes) -
                                         level_of(memory->shmem_bytes);
        value[FIELD_MEMORY_DIRTY_BYTES] = level_of(memory->dirty_bytes);
        value[FIELD_MEMORY_SLAB_BYTES] = level_of(memory->slab_unreclaimable_bytes);
        value[FIELD_MEMORY_PAGE_TABLES_BYTES] = level_of(memory->page_tables_bytes);
        value[FIELD_MEMORY_VMALLOC_BYTES] = level_of(memory->vmalloc_used_bytes);
        value[FIELD_MEMORY_PERCPU_BYTES] = level_of(memory->percpu_bytes);
        value[FIELD_MEMORY_UNACCOUNTED_BYTES] = unaccounted(memory);
        value[FIELD_SWAP_TOTAL_BYTES] = level_of(memory->swap_total_bytes);
        value[FIELD_SWAP_USED_BYTES] = level_of(memory->swap_total_bytes) - level_of(memory->swap_free_bytes);
        value[FIELD_LOAD1] = level_of(newer->load.load1_milli) / 1000;
        value[FIELD_TASKS] = level_of(newer->load.tasks);
        value[FIELD_FILES] = level_of(newer->files_open);
        value[FIELD_PROCS_RUNNING] = level_of(newer->stat.procs_running);
        value[FIELD_PROCS_BLOCKED] = level_of(newer->stat.procs_blocked);
        value[FIELD_PROCESSES] = (double)newer->process_count;
}

static void vmstat_values(const struct vmstat_sample *a, const struct vmstat_sample *b, double seconds,
                          double value[FIELD_MAX])
{
        value[FIELD_SWAP_IN_PAGES] = rate_per_sec(a->swap_in_pages, b->swap_in_pages, seconds);
        value[FIELD_SWAP_OUT_PAGES] = rate_per_sec(a->swap_out_pages, b->swap_out_pages, seconds);
        value[FIELD_MAJOR_FAULTS] = rate_per_sec(a->major_faults, b->major_faults, seconds);
        value[FIELD_REFAULT_FILE] = rate_per_sec(a->refault_file, b->refault_file, seconds);
        value[FIELD_REFAULT_ANON] = rate_per_sec(a->refault_anon, b->refault_anon, seconds);
        value[FIELD_RESTORE_FILE] = rate_per_sec(a->restore_file, b->restore_file, seconds);
        value[FIELD_RECLAIM_SCAN_DIRECT] = rate_per_sec(a->scan_direct, b->scan_direct, seconds);
        value[FIELD_RECLAIM_SCAN_KSWAPD] = rate_per_sec(a->scan_kswapd, b->scan_kswapd, seconds);
        value[FIELD_OOM_KILLS] = rate_per_sec(a->oom_kills, b->oom_kills, 1);
}

static const struct disk_sample *disk_before(const struct sample *older, const struct disk_sample *disk,
                                             size_t hint)
{
        if (hint < older->disk_count && strcmp(older->disks[hint].name, disk->name) == 0)
                return &older->disks[hint];
        for (size_t i = 0; i < older->disk_count; i++)
                if (strcmp(older->disks[i].name, disk->name) == 0)
                        return &older->disks[i];
        return NULL;
}

static struct disk_rate disk_rate_of(const struct disk_sample *a, const struct disk_sample *b, double seconds)
{
        struct disk_rate rate = {
                .sample = b,
                .busy = (float)(rate_per_sec(a->busy_msec, b->busy_msec, seconds) / 1000),
                .reads = (float)rate_per_sec(a->reads, b->reads, seconds),
                .writes = (float)rate_per_sec(a->writes, b->writes, seconds),
                .read_bytes = (float)rate_per_sec(a->read_bytes, b->read_bytes, seconds),
                .write_bytes = (float)rate_per_sec(a->write_bytes, b->write_bytes, seconds),
                .read_wait = (float)(rate_per_sec(a->read_msec, b->read_msec, seconds) / 1000),
                .write_wait = (float)(rate_per_sec(a->write_msec, b->write_msec, seconds) / 1000),
                .await_msec = NAN,
                .queue = (float)(rate_per_sec(a->weighted_msec, b->weighted_msec, seconds) / 1000),
        };
        double requests = known_or_zero(rate.reads) + known_or_zero(rate.writes);
        double waited_msec = rate_per_sec(a->read_msec, b->read_msec, seconds) +
                             rate_per_sec(a->write_msec, b->write_msec, seconds);
        if (requests > 0)
                rate.await_msec = (float)(waited_msec / requests);
        if (rate.busy > 1)
                rate.busy = 1;
        return rate;
}

static void disk_values(const struct sample *older, const struct sample *newer, double seconds,
                        struct snapshot *snapshot)
{
        double read = 0, written = 0;
        const struct disk_rate *busiest = NULL;
        for (size_t i = 0; i < newer->disk_count; i++) {
                const struct disk_sample *disk = &newer->disks[i];
                const struct disk_sample *before = disk_before(older, disk, i);
                if (!before)
                        continue;
                struct disk_rate *rate = &snapshot->disks[snapshot->disk_count++];
                *rate = disk_rate_of(before, disk, seconds);
                if (disk->is_partition || disk->is_memory)
                        continue;
                if (!disk->is_stacked) {
                        read += known_or_zero(rate->read_bytes);
                        written += known_or_zero(rate->write_bytes);
                }
                if (!busiest || isnan(busiest->busy) || rate->busy > busiest->busy)
                        busiest = rate;
        }
        if (!busiest)
                return;
        snapshot->value[FIELD_DISK_READ_BYTES] = read;
        snapshot->value[FIELD_DISK_WRITE_BYTES] = written;
        snapshot->value[FIELD_DISK_BUSY_MAX] = busiest->busy;
        snapshot->value[FIELD_DISK_AWAIT_MSEC] = busiest->await_msec;
}

static void network_values(const struct sample *older, const struct sample *newer, double seconds,
                           double value[FIELD_MAX])
{
        double received = 0, sent = 0;
        bool is_any = false;
        for (size_t i = 0; i < newer->interface_count; i++) {
                const struct interface_sample *b = &newer->interfaces[i];
                if (strcmp(b->name, "lo") == 0)
                        continue;
                for (size_t k = 0; k < older->interface_count; k++) {
                        const struct interface_sample *a = &older->interfaces[k];
                        if (strcmp(a->name, b->name) != 0)
                                continue;
                        received += known_or_zero(rate_per_sec(a->rx_bytes, b->rx_bytes, seconds));
                        sent += known_or_zero(rate_per_sec(a->tx_bytes, b->tx_bytes, seconds));
                        is_any = true;
                        break;
                }
        }
        if (is_any) {
                value[FIELD_NETWORK_RX_BYTES] = received;
                value[FIELD_NETWORK_TX_BYTES] = sent;
        }
}

void machine_rates(const struct sample *older, const struct sample *newer, double seconds,
                   struct snapshot *snapshot)
{
        double *value = snapshot->value;
        memory_levels(newer, value);
        if (!older)
                return;
        cpu_values(&older->stat.all, &newer->stat.all, value);
        pressure_values(older, newer, seconds, value);
        vmstat_values(&older->vmstat, &newer->vmstat, seconds, value);
        value[FIELD_FORKS] = rate_per_sec(older->stat.forks, newer->stat.forks, seconds);
        value[FIELD_CONTEXT_SWITCHES] =
                rate_per_sec(older->stat.context_switches, newer->stat.context_switches, seconds);
        disk_values(older, newer, seconds, snapshot);
        network_values(older, newer, seconds, value);
}
