/* What happened between two samples: rates and levels of one interval. The only place where rates are made,
 * and where counter resets, gaps and recycled pids are handled.
 *
 * Unknown values are NAN. NAN is carried through arithmetic and every comparison with it is false, so an
 * absent value can never raise an alarm; test with isnan() before ruling something out. */
#pragma once

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/sample/sample.h"

/* ---- machine-wide values, addressed by number so that history can answer for any of them ---- */

enum field {
        /* shares of all CPUs together, 0..1 */
        FIELD_CPU_BUSY, /* all but idle, iowait and steal */
        FIELD_CPU_USER, /* without nice */
        FIELD_CPU_NICE,
        FIELD_CPU_SYSTEM,
        FIELD_CPU_IRQ, /* hard and soft interrupts */
        FIELD_CPU_IOWAIT,
        FIELD_CPU_STEAL,
        FIELD_CPU_IDLE,         /* idle and iowait */
        FIELD_CPU_UNATTRIBUTED, /* busy time that no visible or reaped process accounts for */
        /* shares of wall time, 0..1, from the kernel's totals over the interval */
        FIELD_PSI_CPU_SOME,
        FIELD_PSI_MEMORY_SOME,
        FIELD_PSI_MEMORY_FULL,
        FIELD_PSI_IO_SOME,
        FIELD_PSI_IO_FULL,
        FIELD_PSI_IRQ_FULL,
        /* levels */
        FIELD_LOAD1,
        FIELD_PROCS_RUNNING,
        FIELD_PROCS_BLOCKED,
        FIELD_MEMORY_TOTAL_BYTES,
        FIELD_MEMORY_AVAILABLE_BYTES,
        FIELD_MEMORY_ANON_BYTES,
        FIELD_MEMORY_FILE_BYTES, /* page cache without shmem */
        FIELD_MEMORY_SHMEM_BYTES,
        FIELD_MEMORY_DIRTY_BYTES,
        FIELD_MEMORY_SLAB_BYTES, /* unreclaimable kernel objects */
        FIELD_MEMORY_PAGE_TABLES_BYTES,
        FIELD_MEMORY_VMALLOC_BYTES, /* kernel stacks included */
        FIELD_MEMORY_PERCPU_BYTES,
        FIELD_MEMORY_UNACCOUNTED_BYTES, /* that no line of meminfo has: drivers, a balloon */
        FIELD_SWAP_TOTAL_BYTES,
        FIELD_SWAP_USED_BYTES,
        /* per second */
        FIELD_SWAP_IN_PAGES,
        FIELD_SWAP_OUT_PAGES,
        FIELD_MAJOR_FAULTS,
        FIELD_REFAULT_FILE,
        FIELD_REFAULT_ANON,
        FIELD_RESTORE_FILE, /* refaults of the working set itself: it does not fit */
        FIELD_RECLAIM_SCAN_DIRECT,
        FIELD_RECLAIM_SCAN_KSWAPD,
        FIELD_OOM_KILLS, /* kills in the interval, not per second */
        FIELD_FORKS,
        FIELD_CONTEXT_SWITCHES,
        FIELD_DISK_READ_BYTES, /* whole, unstacked disks together */
        FIELD_DISK_WRITE_BYTES,
        FIELD_DISK_BUSY_MAX,    /* the busiest disk's share of time with I/O in flight, 0..1 */
        FIELD_DISK_AWAIT_MSEC,  /* mean time of one request at that disk */
        FIELD_NETWORK_RX_BYTES, /* without loopback */
        FIELD_NETWORK_TX_BYTES,
        FIELD_PROCESSES, /* level */
        FIELD_TASKS,     /* level: threads */
        FIELD_FILES,     /* level: open file handles */
        FIELD_MAX
};

/* "cpu.busy" ...: the name used in evidence and history. Static. */
const char *field_name(enum field field);

/* ---- the ledger of lost time ---- */

/* Seconds of task time per second of wall time: 1.0 is one task all the time; 30 waiting tasks are 30.0.
 * Together with idleness this is all the time a task has. Absent (NAN) where the kernel does not tell for
 * this process. */
struct ledger {
        float running;
        float cpu_wait; /* runnable, no CPU; what a quota withholds is in `throttled` instead */
        float throttled;
        float disk_wait;
        float swap_wait;    /* swap-in and thrashing: pages that had been there */
        float reclaim_wait; /* made to free memory before getting some (compaction included) */
        float stuck; /* waiting for a network mount or FUSE, or in D state for something that is no disk:
                        sampled */
};

/* Time a program wanted to work: running plus all waits; absent parts count as nothing. */
float ledger_wanted(const struct ledger *ledger);
/* Of that, the time it lost: all waits together. */
float ledger_waited(const struct ledger *ledger);
/* All parts NAN. */
struct ledger ledger_unknown(void);
/* Adds what is known of b to a (a NAN in a is replaced). */
void ledger_add(struct ledger *a, const struct ledger *b);

/* ---- one process over the interval ---- */

struct process_rate {
        const struct process_sample *sample; /* the newer one */
        struct ledger ledger;
        float cpu;                     /* CPUs used: 1.0 is one CPU all the time */
        float children_cpu;            /* CPUs used by children it reaped in the interval */
        float read_bytes, write_bytes; /* per second, at the block layer */
        float major_faults, minor_faults;
        float voluntary_switches;
        float read_chars, write_chars; /* bytes per second by read() and write(), from wherever */
        float read_calls, write_calls; /* per second, failed ones included */
        uint64_t age_usec;
        bool is_new;      /* began within the interval */
        uint32_t program; /* index into snapshot.programs */
};

/* ---- one program: all processes of one name and class of work in one unit ---- */

struct program {
        uint64_t id; /* hash of name, class and unit: the same in every snapshot */
        char name[PROGRAM_NAME_MAX];
        char unit[UNIT_NAME_MAX];
        uint64_t cgroup_id;
        uint32_t count;     /* processes alive */
        uint32_t new_count; /* of them begun within the interval */
        uint32_t first_pid; /* its busiest process */
        uint32_t uid;
        char user[USER_NAME_MAX]; /* of the busiest process */
        bool is_kernel;           /* kernel threads */
        float busiest;            /* what first_pid wanted: seconds of task time per second */
        bool is_batch;            /* its processes are nice >= 10, SCHED_BATCH or SCHED_IDLE */
        bool is_idle_class;       /* they are SCHED_IDLE */
        bool is_throttled;        /* its unit was held back by a quota in the interval */
        bool is_server;           /* one of its processes is known to listen on a socket */
        bool delays_known;        /* disk, swap and reclaim waits come from the kernel for all that ran */
        struct ledger ledger;
        float cpu; /* CPUs used, children reaped by it not included */
        float children_cpu;
        float steady_cpu; /* the part of cpu used by processes older than PROGRAM_STEADY_USEC */
        float read_bytes, write_bytes;
        float major_faults;
        float voluntary_switches;
        uint64_t rss_bytes, anon_bytes, file_bytes, swap_bytes; /* levels, ABSENT if unknown */
        uint64_t page_tables_bytes;                             /* for their mappings; the same */
        uint64_t shmem_bytes; /* of the process that has most: they share it */
        uint64_t files;       /* level: open descriptors, ABSENT if unknown */
};

/* A process that has lived this long is no part of a burst of short jobs (compilers, configure, test suites).
 */
#define PROGRAM_STEADY_USEC (6 * USEC_PER_SEC)

/* ---- units and devices over the interval ---- */

struct unit_rate {
        const struct cgroup_sample *sample;
        float cpu;               /* CPUs used */
        float throttled_share;   /* periods in which it was held back, of the periods it ran in, 0..1 */
        float throttled_per_sec; /* throttled time per second, summed over CPUs */
        float psi_cpu_some, psi_memory_some, psi_memory_full, psi_io_some, psi_io_full;
        float events_high, events_max, events_oom_kill; /* events within the interval */
        float refaults;                                 /* per second, anon and file */
        float reclaim_scan;                             /* pages per second */
        float major_faults;
        float read_bytes, write_bytes;
        struct ledger ledger; /* of its programs together */
};

struct disk_rate {
        const struct disk_sample *sample;
        float busy;          /* share of time with I/O in flight, 0..1 */
        float reads, writes; /* requests per second */
        float read_bytes, write_bytes;
        float read_wait, write_wait; /* seconds that requests took, queueing included, per second */
        float await_msec;            /* mean time of a request, queueing included; NAN without requests */
        float queue;                 /* mean requests in flight */
};

/* A mount of another machine or program. Without counters of its own (FUSE, CIFS) its operations are taken to
 * be the times that its users went to sleep, which are more rather than fewer. */
struct mount_rate {
        const struct network_mount_sample *sample;
        const struct mount_sample *mount;                   /* NULL: unmounted meanwhile */
        float operations, data_operations, retransmissions; /* per second */
        float queue, rtt, execute;                          /* request seconds per second */
        float read_bytes, write_bytes;
        float waited;      /* task seconds per second of its users */
        bool is_estimated; /* operations and execute come from its users */
};

struct mount_user_rate {
        const struct mount_user_sample *sample;
        const struct process_rate *process; /* NULL: it has ended */
        float waited;                       /* task seconds per second */
};

/* ---- the whole ---- */

struct snapshot {
        struct clock_reading time; /* end of the interval */
        usec_t interval_usec;      /* by the monotonic clock */
        usec_t suspended_usec;     /* slept meanwhile, not part of the interval */
        int64_t clock_step_usec; /* how far the realtime clock was set, forwards positive; slewing not counted
                                  */
        usec_t expected_usec;    /* the interval that was asked for */
        bool is_first;           /* only one sample so far: levels, no rates */
        double value[FIELD_MAX]; /* NAN if unknown */
        const struct sample *sample;    /* the newer sample; valid until the next but one is taken */
        struct process_rate *processes; /* those alive at the end, in the order of sample->processes */
        size_t process_count, process_capacity;
        struct program *programs;
        size_t program_count, program_capacity;
        struct unit_rate *units; /* in the order of sample->cgroups */
        size_t unit_count, unit_capacity;
        struct disk_rate disks[DISKS_MAX];
        size_t disk_count;
        struct mount_rate mounts[NETWORK_MOUNTS_MAX]; /* in the order of sample->network_mounts */
        size_t mount_count;
        struct mount_user_rate mount_users[MOUNT_USERS_MAX];
        size_t mount_user_count;
        uint32_t *scratch; /* hash table while programs are put together */
        size_t scratch_capacity;
};

/* Makes the snapshot of the interval between two samples; `older` NULL for the very first. Grows the
 * snapshot's buffers and never shrinks them; a snapshot is zeroed before its first use. Pure: reads no clock
 * and no file. 0, or -ENOMEM (the snapshot is then empty but valid). */
int snapshot_make(const struct sample *older, const struct sample *newer, usec_t expected_usec,
                  struct snapshot *ret_snapshot);
void snapshot_done(struct snapshot *snapshot);

/* The processes of one program, busiest first: up to `max` indices into snapshot->processes. Returns how
 * many. */
size_t snapshot_program_processes(const struct snapshot *snapshot, uint32_t program, uint32_t *ret_indices,
                                  size_t max);
