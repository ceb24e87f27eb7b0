/* The names of the machine-wide values, and the arithmetic of the ledger. */
#include "daemon/model/snapshot.h"

static const char *const names[FIELD_MAX] = {
        [FIELD_CPU_BUSY] = "cpu.busy",
        [FIELD_CPU_USER] = "cpu.user",
        [FIELD_CPU_NICE] = "cpu.nice",
        [FIELD_CPU_SYSTEM] = "cpu.system",
        [FIELD_CPU_IRQ] = "cpu.irq",
        [FIELD_CPU_IOWAIT] = "cpu.iowait",
        [FIELD_CPU_STEAL] = "cpu.steal",
        [FIELD_CPU_IDLE] = "cpu.idle",
        [FIELD_CPU_UNATTRIBUTED] = "cpu.unattributed",
        [FIELD_PSI_CPU_SOME] = "pressure.cpu.some",
        [FIELD_PSI_MEMORY_SOME] = "pressure.memory.some",
        [FIELD_PSI_MEMORY_FULL] = "pressure.memory.full",
        [FIELD_PSI_IO_SOME] = "pressure.io.some",
        [FIELD_PSI_IO_FULL] = "pressure.io.full",
        [FIELD_PSI_IRQ_FULL] = "pressure.irq.full",
        [FIELD_LOAD1] = "load1",
        [FIELD_PROCS_RUNNING] = "processes.running",
        [FIELD_PROCS_BLOCKED] = "processes.blocked",
        [FIELD_MEMORY_TOTAL_BYTES] = "memory.total",
        [FIELD_MEMORY_AVAILABLE_BYTES] = "memory.available",
        [FIELD_MEMORY_ANON_BYTES] = "memory.anon",
        [FIELD_MEMORY_FILE_BYTES] = "memory.file",
        [FIELD_MEMORY_SHMEM_BYTES] = "memory.shmem",
        [FIELD_MEMORY_DIRTY_BYTES] = "memory.dirty",
        [FIELD_MEMORY_SLAB_BYTES] = "memory.slab",
        [FIELD_MEMORY_PAGE_TABLES_BYTES] = "memory.pageTables",
        [FIELD_MEMORY_VMALLOC_BYTES] = "memory.vmalloc",
        [FIELD_MEMORY_PERCPU_BYTES] = "memory.perCpu",
        [FIELD_MEMORY_UNACCOUNTED_BYTES] = "memory.unaccounted",
        [FIELD_SWAP_TOTAL_BYTES] = "swap.total",
        [FIELD_SWAP_USED_BYTES] = "swap.used",
        [FIELD_SWAP_IN_PAGES] = "swap.in",
        [FIELD_SWAP_OUT_PAGES] = "swap.out",
        [FIELD_MAJOR_FAULTS] = "memory.majorFaults",
        [FIELD_REFAULT_FILE] = "memory.refaultFile",
        [FIELD_REFAULT_ANON] = "memory.refaultAnon",
        [FIELD_RESTORE_FILE] = "memory.restoreFile",
        [FIELD_RECLAIM_SCAN_DIRECT] = "memory.scanDirect",
        [FIELD_RECLAIM_SCAN_KSWAPD] = "memory.scanKswapd",
        [FIELD_OOM_KILLS] = "memory.oomKills",
        [FIELD_FORKS] = "processes.forks",
        [FIELD_CONTEXT_SWITCHES] = "cpu.contextSwitches",
        [FIELD_DISK_READ_BYTES] = "disk.read",
        [FIELD_DISK_WRITE_BYTES] = "disk.write",
        [FIELD_DISK_BUSY_MAX] = "disk.busy",
        [FIELD_DISK_AWAIT_MSEC] = "disk.await",
        [FIELD_NETWORK_RX_BYTES] = "network.received",
        [FIELD_NETWORK_TX_BYTES] = "network.sent",
        [FIELD_PROCESSES] = "processes.count",
        [FIELD_TASKS] = "processes.tasks",
        [FIELD_FILES] = "files.open",
};

const char *field_name(enum field field)
{
        return names[field];
}

static float known(float value)
{
        return isnan(value) ? 0 : value;
}

float ledger_waited(const struct ledger *ledger)
{
        return known(ledger->cpu_wait) + known(ledger->throttled) + known(ledger->disk_wait) +
               known(ledger->swap_wait) + known(ledger->reclaim_wait) + known(ledger->stuck);
}

float ledger_wanted(const struct ledger *ledger)
{
        return known(ledger->running) + ledger_waited(ledger);
}

static void add(float *a, float b)
{
        if (!isnan(b))
                *a = known(*a) + b;
}

void ledger_add(struct ledger *a, const struct ledger *b)
{
        add(&a->running, b->running);
        add(&a->cpu_wait, b->cpu_wait);
        add(&a->throttled, b->throttled);
        add(&a->disk_wait, b->disk_wait);
        add(&a->swap_wait, b->swap_wait);
        add(&a->reclaim_wait, b->reclaim_wait);
        add(&a->stuck, b->stuck);
}

struct ledger ledger_unknown(void)
{
        return (struct ledger){ NAN, NAN, NAN, NAN, NAN, NAN, NAN };
}
