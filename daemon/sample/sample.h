/* One look at the machine: raw counters at one instant, as the kernel gives them. READ THIS FILE FIRST.
 *
 * Everything here is a level or a counter; rates are made in daemon/model. A field that this kernel does not
 * have, or that slowd may not read, is ABSENT: absent is never zero. Samples are what history stores, so a
 * later version draws better conclusions from old recordings. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/usec.h"
#include "daemon/clock.h"

#define ABSENT UINT64_MAX

/* Caps: what a machine may have before slowd stops counting (and says so in struct sample.dropped). */
#define CPUS_MAX            1024
#define DISKS_MAX           128
#define INTERFACES_MAX      128
#define MOUNTS_MAX          512
#define NETWORK_MOUNTS_MAX  32
#define MOUNT_USERS_MAX     32
#define SWAPS_MAX           16
#define RAIDS_MAX           16
#define CGROUPS_MAX         1024
#define PROCESSES_MAX       65536
#define KERNEL_MESSAGES_MAX 64
#define SLABS_MAX           12
#define FILE_SYSTEMS_MAX    64
#define LOG_FILES_MAX       48
#define LOG_UNITS_MAX       32
#define DISK_HEALTH_MAX     64
#define FS_ERRORS_MAX       64

#define DEVICE_NAME_MAX  32
#define PATH_TEXT_MAX    192
#define UNIT_NAME_MAX    96
#define USER_NAME_MAX    32
#define COMM_MAX         16
#define PROGRAM_NAME_MAX 48
#define COMMAND_LINE_MAX 320
#define MESSAGE_TEXT_MAX 320
#define ORIGIN_CHAIN_MAX 6

/* ---- facts that hold for a whole boot ---- */

struct machine {
        char hostname[64];
        char kernel[64]; /* release: "6.1.0-18-amd64" */
        char boot_id[40];
        uint64_t hz; /* clock ticks per second in /proc (USER_HZ) */
        uint64_t page_bytes;
        uint64_t cpus;             /* online */
        usec_t boot_realtime_usec; /* btime of /proc/stat */
};

/* ---- machine-wide counters ---- */

/* /proc/stat, one "cpu" line, in clock ticks (machine.hz). guest is contained in user, guest_nice in nice. */
struct cpu_sample {
        uint64_t user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice;
};

struct stat_sample {
        struct cpu_sample all;
        struct cpu_sample cpu[CPUS_MAX]; /* by number; offline ones ABSENT */
        uint64_t cpu_count;              /* lines seen = CPUs online */
        uint64_t context_switches;
        uint64_t forks;         /* "processes": forks and clones since boot */
        uint64_t procs_running; /* tasks running or runnable now */
        uint64_t procs_blocked; /* tasks in D state waiting for I/O now */
};

/* /proc/loadavg, in thousandths. */
struct load_sample {
        uint64_t load1_milli, load5_milli, load15_milli;
        uint64_t tasks; /* threads in all */
};

/* One PSI file: the total stall time since boot, and the kernel's own 10 s average. */
struct pressure_sample {
        uint64_t some_total_usec, full_total_usec; /* full is ABSENT for cpu on older kernels */
        uint64_t some_avg10_permille, full_avg10_permille;
};

enum pressure_kind { PRESSURE_CPU, PRESSURE_MEMORY, PRESSURE_IO, PRESSURE_IRQ, PRESSURE_MAX };

/* /proc/meminfo, bytes. */
struct meminfo_sample {
        uint64_t total_bytes, free_bytes, available_bytes, buffers_bytes, cached_bytes, swap_cached_bytes;
        uint64_t active_anon_bytes, inactive_anon_bytes, active_file_bytes, inactive_file_bytes;
        uint64_t unevictable_bytes, mlocked_bytes;
        uint64_t swap_total_bytes, swap_free_bytes, zswap_bytes, zswapped_bytes;
        uint64_t dirty_bytes, writeback_bytes, anon_bytes, mapped_bytes, shmem_bytes;
        uint64_t slab_reclaimable_bytes, slab_unreclaimable_bytes, kernel_stack_bytes, page_tables_bytes;
        uint64_t percpu_bytes, vmalloc_used_bytes, hugetlb_bytes;
        uint64_t committed_bytes, commit_limit_bytes;
        uint64_t hardware_corrupted_bytes;
};

/* /proc/vmstat, counters in events or pages. */
struct vmstat_sample {
        uint64_t page_in_kib, page_out_kib; /* pgpgin, pgpgout */
        uint64_t swap_in_pages, swap_out_pages;
        uint64_t faults, major_faults;
        uint64_t scan_kswapd, scan_direct, steal_kswapd, steal_direct;
        uint64_t refault_anon, refault_file, activate_anon, activate_file, restore_anon, restore_file;
        uint64_t allocation_stalls; /* allocstall_* summed */
        uint64_t oom_kills;
        uint64_t compact_stalls;
        uint64_t thp_fault_fallback;
};

struct swap_sample {
        char path[PATH_TEXT_MAX];
        bool is_file; /* else a partition or zram */
        int64_t priority;
        uint64_t size_bytes, used_bytes;
};

/* /proc/diskstats, one whole device or partition. */
struct disk_sample {
        char name[DEVICE_NAME_MAX];
        uint32_t major, minor;
        bool is_partition; /* its I/O is counted in its disk as well */
        bool is_stacked;   /* loop, dm, md: its I/O shows on devices below it too */
        bool is_rotational;
        bool is_memory;                /* ram, zram: no disk at all */
        bool is_removable;             /* on USB, or its medium can be taken out */
        char lower[DEVICE_NAME_MAX];   /* the one device that its I/O ends on: a partition's disk, what dm, md
                                          or   loop lie on; "" itself, several, or unknown */
        char address[DEVICE_NAME_MAX]; /* other names in the kernel's messages, blanks between: "ata3 2:0:0:0"
                                        */
        uint64_t reads, reads_merged, read_bytes, read_msec;
        uint64_t writes, writes_merged, write_bytes, write_msec;
        uint64_t in_flight; /* level */
        uint64_t busy_msec; /* io_ticks */
        uint64_t weighted_msec;
        uint64_t discards, discard_bytes, discard_msec;
        uint64_t flushes, flush_msec;
};

enum disk_health_state {
        DISK_HEALTH_UNASKED,
        DISK_HEALTH_TOLD,
        DISK_HEALTH_ASLEEP,      /* and was not woken: the values are those of an earlier answer, if any */
        DISK_HEALTH_UNSUPPORTED, /* has nothing to tell: a virtual disk, a card reader */
        DISK_HEALTH_SILENT,      /* did not answer, or could not be opened */
};

/* The counts of one disk that say whether it fails; ABSENT where it has no such count. */
struct disk_health_counts {
        uint64_t reallocated;  /* sectors; ATA attribute 5, SCSI grown defects */
        uint64_t uncorrected;  /* reads that could not be mended; 187, SCSI */
        uint64_t timeouts;     /* commands aborted; 188 */
        uint64_t pending;      /* sectors that cannot be read now; 197 */
        uint64_t offline;      /* sectors that the disk's own scan could not read; 198 */
        uint64_t crc;          /* transfers that broke on the cable; 199 */
        uint64_t media_errors; /* NVMe */
};

/* What a disk said of itself when slowd-disks.service last asked it (SMART, NVMe health log). */
struct disk_health_sample {
        char name[DEVICE_NAME_MAX];
        char model[48];
        char serial[32];
        uint32_t state;       /* enum disk_health_state */
        usec_t asked_usec;    /* realtime, of the answer; ABSENT: never */
        uint64_t passed;      /* 0: its own verdict is that it fails, 1: that it does not */
        uint64_t hours;       /* powered on */
        uint64_t temperature; /* degrees Celsius */
        uint64_t critical_warning, spare_percent, spare_threshold_percent, used_percent; /* NVMe */
        struct disk_health_counts now, before;
        usec_t before_usec; /* realtime: a week or two ago, or when it was first asked; ABSENT */
};

/* What a file system has counted of its own errors (/sys/fs/ext4/DEV, /sys/fs/btrfs/UUID). */
struct fs_errors_sample {
        char device[DEVICE_NAME_MAX];
        char type[8];      /* "ext4", "btrfs" */
        uint32_t devices;  /* that the file system lies on; `device` is one of them */
        uint64_t errors;   /* ext4: since the last fsck; btrfs: in all of the device's life */
        usec_t first_usec; /* realtime; ABSENT if not known */
        usec_t last_usec;  /* of btrfs: when slowd saw it grow */
        uint64_t read_errors, write_errors, corruption_errors; /* of `errors`; ABSENT: not told apart */
};

/* /proc/net/dev */
struct interface_sample {
        char name[DEVICE_NAME_MAX];
        uint64_t rx_bytes, rx_packets, rx_errors, rx_dropped;
        uint64_t tx_bytes, tx_packets, tx_errors, tx_dropped;
};

/* /proc/self/mountinfo */
struct mount_sample {
        uint32_t major, minor;
        uint32_t id, parent_id;
        bool is_network; /* nfs, cifs, fuse.sshfs ...: never stat it from the tick */
        bool is_read_only;
        char type[DEVICE_NAME_MAX];
        char source[PATH_TEXT_MAX];
        char path[PATH_TEXT_MAX]; /* mount point, octal escapes undone */
};

/* /proc/mdstat, one array. What it is busy with by itself: a resync after a crash, the rebuild of a disk, the
 * monthly check. */
struct raid_sample {
        char name[DEVICE_NAME_MAX]; /* "md0" */
        char level[16];             /* "raid1" */
        char action[16]; /* "resync", "recovery" (rebuild), "reshape", "check" (repair too); "" none */
        bool is_waiting; /* its action is put off until another array is done */
        bool is_active;
        uint64_t disks_wanted, disks_working; /* fewer work: degraded. ABSENT for levels without spares */
        uint64_t done_bytes, total_bytes;     /* of the action, per disk; ABSENT without one */
        uint64_t bytes_per_sec;               /* the kernel's own figure over the last 30 s */
        char members[128];                    /* "sda1 sdb1": those in use */
};

/* A cache of /proc/slabinfo that is never given back while its objects live: those that hold most. Caches of
 * one size and kind are merged by the kernel, under the name of one of them. */
struct slab_sample {
        char name[32];
        uint64_t bytes;
        uint64_t objects;
};

/* statvfs(3) of a file system of this machine: disks, images and tmpfs, never one that may have to ask
 * somebody. One that is mounted many times is one. */
struct file_system_sample {
        uint32_t major, minor; /* as in mountinfo */
        bool is_read_only;     /* wherever it is mounted */
        char type[DEVICE_NAME_MAX];
        char source[PATH_TEXT_MAX];
        char path[PATH_TEXT_MAX];          /* its best mount point: where it can be written, the shortest */
        uint64_t total_bytes;              /* root's reserve included */
        uint64_t free_bytes;               /* likewise */
        uint64_t available_bytes;          /* to everybody */
        uint64_t inodes, inodes_available; /* ABSENT where they are not counted (btrfs, vfat) */
};

enum log_kind {
        LOG_FILE,      /* a log by its place or by how it is written: only ever appended to */
        LOG_JOURNAL,   /* systemd's, all of its files together: path is their directory */
        LOG_CONTAINER, /* of a container engine, which rotates them itself if told so */
        LOG_DELETED,   /* has no name any more, but somebody holds it open */
        LOG_OTHER,     /* somebody writes to it, or reads it over and over, but it is no log */
        LOG_KIND_MAX
};

enum log_rotation {
        LOG_ROTATION_UNKNOWN, /* logrotate's configuration cannot be read */
        LOG_ROTATION_NONE,
        LOG_ROTATION_COVERED,
        LOG_ROTATION_MAX
};

/* One large or growing file that somebody writes to or reads over and over. What the scan saw of it is told
 * with what it saw at least five minutes earlier, as far as it goes back. */
struct log_file_sample {
        char path[PATH_TEXT_MAX];
        uint32_t major, minor; /* of its file system, as in mountinfo */
        uint32_t writer_pid;   /* the last one seen with it open for writing; 0: none yet */
        uint32_t reader_pid;   /* who reads it over and over */
        char writer[COMM_MAX], reader[COMM_MAX];
        uint8_t kind;            /* enum log_kind */
        uint8_t rotation;        /* enum log_rotation */
        uint32_t rotation_hours; /* 0: by size alone */
        uint64_t rotation_bytes; /* ABSENT: whatever its size */
        uint64_t size_bytes;
        uint64_t allocated_bytes; /* on the disk */
        usec_t modified_usec;     /* realtime */
        uint64_t earlier_bytes;   /* its size then */
        usec_t earlier_usec;      /* how long ago that was */
        /* How it is read: meanwhile, since `watched_usec` ago (0: it is not watched) */
        usec_t watched_usec;
        uint64_t opens;      /* it was opened and closed so often without being written to */
        uint64_t read_bytes; /* its reader has read so much, of whatever files */
};

/* What one unit has written into the journal. */
struct log_unit_sample {
        char unit[UNIT_NAME_MAX]; /* "kernel": the kernel itself; "" all that belong to no unit */
        uint64_t entries;         /* since the scan began */
        uint64_t earlier_entries; /* as above */
        usec_t earlier_usec;
};

enum mount_kind { MOUNT_OTHER, MOUNT_NFS, MOUNT_CIFS, MOUNT_FUSE };

/* A mount whose files another machine serves, or another program (FUSE): what is known without touching it.
 * Counters are those since it was mounted: of NFS from mountstats, of CIFS from its Stats; FUSE has none. */
struct network_mount_sample {
        uint32_t id; /* mount_sample.id of the first mount of its device */
        uint32_t kind;
        uint64_t operations;       /* answered */
        uint64_t data_operations;  /* of them reads and writes */
        uint64_t transmissions;    /* requests sent: more than operations where they were lost */
        uint64_t timeouts, errors; /* an error is also a file that was looked for in vain */
        uint64_t queue_msec;       /* in the client, before a request is sent */
        uint64_t rtt_msec;         /* from sending to the answer: link and server */
        uint64_t execute_msec;     /* all in all */
        uint64_t read_bytes, write_bytes;
        uint64_t outstanding; /* level: requests without an answer yet */
        usec_t silent_usec;   /* level: somebody has waited for so long without any answer; 0 nobody waits */
};

/* A process that was seen waiting for such a mount. */
struct mount_user_sample {
        uint32_t pid;
        uint32_t mount_id;    /* 0: one of several, and it cannot be told which */
        uint64_t waited_usec; /* counter: time its tasks have waited, by samples some four times a second */
        uint64_t paged_usec;  /* of it in waits that the kernel books as waits for a disk */
        uint32_t waiting;     /* level: tasks that wait */
        uint32_t open_files;  /* level: of those looked at */
        usec_t longest_usec;  /* level: how long the oldest of these waits has lasted */
        char directory[PATH_TEXT_MAX]; /* where most of its open files lie, or it works; "" unknown */
};

/* /dev/kmsg */
struct kernel_message {
        uint64_t sequence;
        usec_t monotonic_usec; /* since boot, as printed */
        int priority;          /* 0 emergency ... 7 debug */
        char text[MESSAGE_TEXT_MAX];
};

/* ---- control groups ---- */

/* One unit (service, scope, slice with a limit) or, without systemd, one control group that processes are in.
 * On v1 hosts the controllers' values are joined by path. Pressure and I/O exist on v2 only. */
struct cgroup_sample {
        char unit[UNIT_NAME_MAX]; /* "nginx.service"; without systemd the group's path below its mount */
        uint64_t id;              /* hash of the full path: joins processes to it, tells equal names apart */
        uint64_t parent_id;       /* nearest ancestor in the list, 0: none; its limits hold here too */
        bool is_stale;            /* not read at this tick: the values are those of an earlier one */
        usec_t read_usec;         /* monotonic, when the counters were read: rates are made over this */
        uint64_t cpu_usage_usec, cpu_user_usec, cpu_system_usec;
        uint64_t cpu_periods, cpu_throttled_periods, cpu_throttled_usec;
        uint64_t cpu_quota_usec, cpu_period_usec; /* quota ABSENT: no limit */
        uint64_t cpu_weight;                      /* 100 = default (v1 shares scaled: 1024 = 100) */
        struct pressure_sample pressure[PRESSURE_MAX];
        uint64_t memory_bytes, memory_high_bytes, memory_max_bytes; /* limits ABSENT: none */
        uint64_t swap_bytes, swap_max_bytes;
        uint64_t events_low, events_high, events_max, events_oom, events_oom_kill; /* v1: max = failcnt */
        uint64_t memory_anon_bytes, memory_file_bytes, memory_shmem_bytes, memory_kernel_bytes;
        uint64_t refault_anon, refault_file, major_faults, reclaim_scan, reclaim_steal;
        uint64_t swap_in_pages, swap_out_pages;          /* pswpin, pswpout of memory.stat (newer kernels) */
        uint64_t read_bytes, write_bytes, reads, writes; /* io.stat over all devices */
        uint64_t tasks, tasks_max;
};

/* ---- processes ---- */

/* One ancestor, as it was when slowd first saw the descendant: it may be gone by now. */
struct ancestor {
        uint32_t pid;
        uint32_t uid;
        char name[COMM_MAX];
};

/* What hardly changes in a process's life; shared by the samples that it is in (owned by the process source,
 * valid as long as any sample that the source filled holds the process). Rewritten on exec. Strings are
 * sanitized UTF-8; empty means unknown. */
struct process_identity {
        uint32_t pid, ppid; /* ppid as first seen: the one who really started it */
        uint32_t uid;
        uint64_t start_ticks; /* since boot, in clock ticks: with pid the key of a process */
        uint64_t cgroup_id;   /* cgroup_sample.id, 0 if none */
        bool is_kernel_thread;
        bool is_partial; /* details not read yet (many new processes at once) or not permitted */
        char comm[COMM_MAX];
        char name[PROGRAM_NAME_MAX]; /* what people call the program: see process_name.h */
        char user[USER_NAME_MAX];    /* the number as text if it has no name */
        char unit[UNIT_NAME_MAX];
        char exe[PATH_TEXT_MAX];             /* " (deleted)" kept */
        char command_line[COMMAND_LINE_MAX]; /* arguments joined by blanks, cut */
        char working_directory[PATH_TEXT_MAX];
        char script[PATH_TEXT_MAX];           /* if this is an interpreter with a script: its absolute path */
        char origin_script[PATH_TEXT_MAX];    /* the nearest ancestor's script */
        char origin_directory[PATH_TEXT_MAX]; /* and the directory that ancestor worked in */
        struct ancestor chain[ORIGIN_CHAIN_MAX]; /* parent first; shells and init included */
        uint32_t chain_length;
};

#define IO_DEVICES_MAX              3
#define DEVICE_NUMBER(major, minor) ((uint32_t)(major) << 20 | ((uint32_t)(minor)&0xfffff))

/* How good the figures of waiting are for one process. */
enum delay_source {
        DELAYS_NONE,      /* nothing readable */
        DELAYS_MAIN_ONLY, /* schedstat of the main thread: run time and run delay only */
        DELAYS_RUN_ONLY,  /* all threads, but started before delay accounting was switched on: no disk, swap,
                             reclaim */
        DELAYS_FULL,
};

struct process_sample {
        const struct process_identity *identity;
        uint32_t pid;
        uint32_t ppid;  /* now */
        char state;     /* R S D Z T t I X, of the main thread */
        uint8_t policy; /* SCHED_OTHER 0, FIFO 1, RR 2, BATCH 3, IDLE 5, DEADLINE 6 */
        int8_t nice;
        uint8_t delays; /* enum delay_source */
        bool is_idle;   /* has not run since the last sample: all counters are the former ones */
        uint32_t threads;
        uint64_t start_ticks;
        uint64_t user_ticks, system_ticks;                   /* all threads, dead ones included */
        uint64_t children_user_ticks, children_system_ticks; /* reaped children */
        uint64_t run_nsec;         /* time on a CPU, all threads; ABSENT if only ticks are known */
        uint64_t slices;           /* times put on a CPU */
        uint64_t run_delay_nsec;   /* runnable but waiting for a CPU (a quota's throttling included) */
        uint64_t block_delay_nsec; /* waiting for block I/O, swap-in excluded */
        uint64_t swapin_delay_nsec;
        uint64_t reclaim_delay_nsec;
        uint64_t thrashing_delay_nsec;
        uint64_t compact_delay_nsec;
        uint64_t voluntary_switches, involuntary_switches;
        uint64_t minor_faults, major_faults, children_major_faults;
        uint64_t rss_anon_bytes, rss_file_bytes, rss_shmem_bytes, swap_bytes,
                page_tables_bytes;                               /* refreshed when they may have moved */
        uint64_t rss_bytes;                                      /* every time */
        uint64_t read_bytes, write_bytes, cancelled_write_bytes; /* at the block layer */
        uint64_t read_calls, write_calls, read_chars, write_chars;
        uint64_t files, files_limit; /* open descriptors, as last counted, and how many it may have (soft) */
        uint64_t autogroup;          /* scheduler autogroup number; ABSENT where the kernel has none */
        int8_t autogroup_nice;
        bool is_server; /* listens on a socket; looked up for members of limited units only */
        bool is_server_known;
        /* Disks whose files it has open (DEVICE_NUMBER of /proc/diskstats, or of a mount that lies on none);
         * looked up for those that move or wait for much. 0: no more, or all 0: unknown. */
        uint32_t io_devices[IO_DEVICES_MAX];
        bool is_walking;       /* had other directories open every few moments lately: it goes through them */
        char wait_channel[32]; /* kernel function a D-state task sleeps in; "" if unknown or not in D */
};

/* ---- the whole ---- */

enum collector_state {
        COLLECTOR_OK,
        COLLECTOR_ABSENT, /* this kernel or machine does not have it */
        COLLECTOR_DENIED, /* not permitted */
        COLLECTOR_FAILED, /* garbage, or an I/O error */
};

struct collector_status {
        const char *name; /* static: "pressure", "process.taskstats" ... */
        enum collector_state state;
        int error; /* negative errno of the last failure, 0 if OK */
        usec_t duration_usec;
};

#define COLLECTORS_MAX 32

struct boot; /* boot.h */

struct sample {
        struct clock_reading time;
        usec_t expected_usec; /* the interval that was asked for: by whoever collects, afterwards; 0 unknown
                               */
        struct machine machine;
        struct stat_sample stat;
        struct load_sample load;
        struct pressure_sample pressure[PRESSURE_MAX];
        struct meminfo_sample meminfo;
        struct vmstat_sample vmstat;
        usec_t uptime_usec;
        uint64_t files_open, files_max; /* file handles of the whole machine */
        struct swap_sample swaps[SWAPS_MAX];
        size_t swap_count;
        struct raid_sample raids[RAIDS_MAX];
        size_t raid_count;
        struct disk_sample disks[DISKS_MAX];
        size_t disk_count;
        struct interface_sample interfaces[INTERFACES_MAX];
        size_t interface_count;
        const struct mount_sample *mounts; /* owned by the sampler: they change rarely */
        size_t mount_count;
        const struct slab_sample *slabs; /* likewise; the largest first */
        size_t slab_count;
        const struct file_system_sample *file_systems; /* owned by the sampler; until the next sample */
        size_t file_system_count;
        usec_t file_systems_read_usec;      /* monotonic; 0: not looked at yet */
        const struct log_file_sample *logs; /* the same */
        size_t log_count;
        const struct log_unit_sample *log_units;
        size_t log_unit_count;
        usec_t logs_read_usec;                        /* monotonic; 0: not looked at yet */
        const struct disk_health_sample *disk_health; /* valid until the next sample is taken */
        size_t disk_health_count;
        const struct fs_errors_sample *fs_errors; /* valid until the next sample is taken */
        size_t fs_errors_count;
        const struct network_mount_sample *network_mounts; /* owned by the sampler */
        size_t network_mount_count;
        const struct mount_user_sample *mount_users; /* owned by the sampler; sorted by pid */
        size_t mount_user_count;
        const struct boot
                *boot; /* what has just become known of this boot, else NULL; until the next sample */
        struct cgroup_sample *cgroups; /* grown, never shrunk, up to CGROUPS_MAX; sorted by id */
        size_t cgroup_count;
        size_t cgroup_capacity;
        struct process_sample *processes; /* grown, never shrunk, up to PROCESSES_MAX; sorted by pid */
        size_t process_count;
        size_t process_capacity;
        struct kernel_message messages[KERNEL_MESSAGES_MAX]; /* new since the last sample */
        size_t message_count;
        uint64_t messages_lost;             /* overwritten before slowd read them, or over the cap */
        uint64_t dropped;                   /* entities over one of the caps above */
        usec_t delay_accounting_since_usec; /* monotonic; 0: since boot; ABSENT: off. Older tasks lack delays
                                             */
        struct collector_status collectors[COLLECTORS_MAX];
        size_t collector_count;
};

/* Sets every counter to ABSENT and every list to empty, keeping the buffers. */
void sample_clear(struct sample *sample);
/* The process of that pid, NULL if the sample has none. */
const struct process_sample *sample_find_process(const struct sample *sample, uint32_t pid);
/* A sample's own buffers; the struct itself is embedded. */
void sample_done(struct sample *sample);
