/* The pipeline: collect -> snapshot -> remember -> check -> diagnose, five calls in order, and nothing calls
 * back. One tick runs at a time, on any thread; what it publishes is a value that another thread may keep. */
#pragma once

#include "daemon/clock.h"
#include "daemon/config.h"
#include "daemon/diagnosis/diagnosis.h"
#include "daemon/history/store.h"
#include "daemon/model/boot_compare.h"
#include "daemon/log_rows.h"
#include "daemon/root.h"
#include "daemon/sample/collectors.h"

#define PUBLISHED_PROGRAMS_MAX 256

/* One program as `Top` shows it. */
struct top_row {
        char name[PROGRAM_NAME_MAX];
        char unit[UNIT_NAME_MAX];
        char user[USER_NAME_MAX];
        uint32_t uid;
        uint32_t count;
        uint32_t first_pid;
        float cpu;  /* CPUs */
        float lost; /* share of the time it wanted to work that it lost, 0..1; NAN unknown */
        struct ledger ledger;
        float read_bytes, write_bytes; /* per second */
        uint64_t memory_bytes;         /* anon + swap + shmem, else RSS */
        uint64_t swap_bytes;
        char command_line[COMMAND_LINE_MAX]; /* of the busiest process */
};

#define PUBLISHED_MOUNT_USERS_MAX 4

/* One network or FUSE mount as `Mounts` shows it: means over the last minute. */
struct mount_row {
        char path[PATH_TEXT_MAX], type[DEVICE_NAME_MAX], source[PATH_TEXT_MAX];
        const char *state; /* static: "idle", "ok", "slow", "hung", "not responding" */
        float operations;  /* per second; NAN unknown */
        float request_usec, round_trip_usec;
        float retransmitted; /* of the requests, 0..1 */
        float read_bytes, write_bytes;
        float waited;         /* task seconds per second of those who use it */
        uint64_t outstanding; /* requests; ABSENT unknown */
        usec_t silent_usec;
        struct mount_row_user {
                char name[PROGRAM_NAME_MAX];
                char directory[PATH_TEXT_MAX];
                uint32_t uid, count, waiting;
                float waited;
        } users[PUBLISHED_MOUNT_USERS_MAX]; /* who waits most first */
        uint32_t user_count;
};

#define PUBLISHED_DISKS_MAX 64

/* One whole disk as `Disks` shows it. */
struct disk_row {
        char name[DEVICE_NAME_MAX];
        char model[48];
        char lower[DEVICE_NAME_MAX]; /* the one device that it lies on; "" none */
        char mounts[160];
        char health[16]; /* "well", "warns", "failing", "asleep", "silent"; "" if it does not tell */
        bool is_stacked, is_rotational;
        usec_t asked_usec;                                     /* realtime; ABSENT */
        uint64_t hours, temperature, used_percent;             /* ABSENT */
        float busy, queue;                                     /* share of time; requests */
        float reads, writes, read_bytes, write_bytes;          /* per second */
        double latency50_msec, latency95_msec, latency99_msec; /* of 10 to 15 minutes; NAN without requests */
        uint32_t messages;                                     /* of the kernel about errors, in 15 minutes */
        uint64_t counted_errors;                               /* by file systems on it; ABSENT */
        usec_t last_error_usec;                                /* realtime, of these; ABSENT */
};

struct self_cost {
        usec_t started_usec; /* realtime */
        uint64_t ticks;
        usec_t interval_usec;      /* at which it ticks now */
        usec_t last_tick_usec;     /* realtime */
        usec_t last_duration_usec; /* wall time of the last tick */
        usec_t last_cpu_usec; /* CPU time of all of slowd since the tick before: answers and writing included
                               */
        usec_t mean_cpu_usec; /* over the last 60 ticks */
        uint64_t missed_ticks;
        uint64_t rss_bytes;
        uint64_t processes; /* seen at the last tick */
};

/* Everything a client or the journal may be told, as of one tick. About a megabyte; two are used in turn. */
struct published {
        struct diagnosis diagnosis;
        struct machine machine;
        struct self_cost self;
        struct collector_status collectors[COLLECTORS_MAX];
        size_t collector_count;
        bool has_store; /* history is kept on disk, or should be */
        struct store_status store;
        double value[FIELD_MAX];
        bool has_boot; /* this boot, once something is known of it */
        struct boot_report boot;
        struct top_row top[PUBLISHED_PROGRAMS_MAX]; /* by time lost plus CPU used, most first */
        size_t top_count;
        struct log_rows logs;
        struct mount_row mounts[NETWORK_MOUNTS_MAX];
        size_t mount_count;
        struct disk_row disks[PUBLISHED_DISKS_MAX];
        size_t disk_count;
        struct incident incidents[INCIDENTS_MAX]; /* newest first */
        size_t incident_count;
        struct incident_event events[INCIDENT_EVENTS_MAX]; /* of this tick only */
        size_t event_count;
        bool wants_fast;  /* something is wrong, or may be: tick every second */
        bool has_changed; /* the diagnosis differs from the last one in more than its numbers */
};

struct tick;

/* root, clock and config must outlive it; config may be replaced between ticks. 0, or negative errno. */
int tick_new(const struct root *root, const struct clock *clock, const struct config *config,
             const struct sampler_options *options, struct tick **ret_tick);
struct tick *tick_free(struct tick *tick); /* returns NULL; accepts NULL */
/* Where samples, their sums and incidents are kept; borrowed, NULL for nowhere. Before the first tick. */
void tick_set_store(struct tick *tick, struct store *store);
/* What was known before this slowd began, from the record at that path (loop_options.history_path). Before
 * the first tick. */
void tick_load(struct tick *tick, const char *path);
/* Between ticks only. */
void tick_set_config(struct tick *tick, const struct config *config);
/* One tick. `expected_usec`: the time since the last one that was asked for. Never fails as a whole. */
void tick_run(struct tick *tick, usec_t expected_usec, struct published *ret_published);
