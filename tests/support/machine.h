/* A machine that exists only in a test: processes, units and a disk with rates of their own. Each tick moves
 * the counters on, takes a sample, makes the snapshot and pushes it, under a clock that the test holds. */
#pragma once

#include "daemon/checks/check.h"
#include "daemon/history/history.h"
#include "daemon/model/snapshot.h"

#define FAKE_PROCESSES_MAX 640
#define FAKE_UNITS_MAX     64

struct fake_process {
        struct process_identity identity;
        struct process_sample counters; /* as the next sample will show them; a test may set any */
        bool is_hidden;                 /* not in the next sample: ended, or over a cap */
        /* Per second of wall time, added at each tick to counters that are not ABSENT. */
        double running, cpu_wait, disk_wait, swap_wait, reclaim_wait; /* task seconds */
        double children;                                              /* CPU seconds of reaped children */
        double read_bytes, write_bytes, major_faults, voluntary_switches;
        double children_sec; /* so far */
};

struct fake_unit {
        struct cgroup_sample values;
        bool is_unread;   /* not read at the next tick: stale, its counters stand */
        double throttled; /* share of its periods; ten periods a second */
        double memory_some, memory_full;
        double refaults, events_high, events_max;
};

/* A network mount, and one process that waits for it. */
struct fake_mount {
        struct network_mount_sample values;
        /* Per second of wall time. */
        double operations, retransmissions, queue, rtt, execute; /* times in request seconds */
        double read_bytes;
};

struct fake_mount_user {
        struct mount_user_sample values;
        double waited, paged; /* task seconds per second */
};

struct fake_machine {
        struct sample now; /* machine-wide counters and levels as the next sample will show them */
        struct fake_process processes[FAKE_PROCESSES_MAX];
        size_t process_count;
        struct fake_unit units[FAKE_UNITS_MAX];
        size_t unit_count;
        struct fake_mount mounts[4];
        struct fake_mount_user mount_users[4];
        struct mount_sample mount_table[4];
        struct network_mount_sample mount_rows[2][4]; /* of the samples */
        struct mount_user_sample user_rows[2][4];
        /* Per second of wall time. */
        double cpus; /* NAN: unknown */
        double busy; /* share of all CPUs; NAN: what the processes run */
        double cpu_some, memory_some, memory_full, io_some, io_full;
        double swap_in, swap_out, restore_file, context_switches;
        double disk_busy, disk_read_bytes, disk_write_bytes; /* of sda */
        struct added_workers workers;                        /* as slowd.conf would add them */
        double expected_sec;                                 /* what was asked for; 0: the tick's length */
        /* The results. */
        struct sample samples[2];
        unsigned current;
        bool has_older;
        struct snapshot snapshot;
        struct history *history;
        bool has_failed;
};

/* Two CPUs, 8 GB of which 6 are available, no swap, one idle disk "sda", nobody there. */
struct fake_machine *fake_new(void);
struct fake_machine *fake_free(struct fake_machine *machine); /* returns NULL */

/* Adds an idle process that has been there since the machine started; unit "" for none. The pid counts up
 * from 100. */
struct fake_process *fake_add(struct fake_machine *machine, const char *name, const char *unit);
/* One that starts now. */
struct fake_process *fake_start(struct fake_machine *machine, const char *name, const char *unit);
/* Sets the rates of all processes of that name. */
void fake_work(struct fake_machine *machine, const char *name, double running, double cpu_wait);
void fake_end(struct fake_machine *machine, const char *name);
/* This process and what it does from now on was started by that one. */
void fake_started_by(struct fake_process *process, const struct fake_process *parent);
/* The kernel counts no waits of this process but for a CPU. */
void fake_without_delays(struct fake_process *process);
/* The control group of a unit, without limits; made at the first call. */
struct fake_unit *fake_unit(struct fake_machine *machine, const char *name);
/* A network mount of that type and source; NFS has counters, FUSE has none. */
struct fake_mount *fake_mount(struct fake_machine *machine, const char *type, const char *source,
                              const char *path);
/* The process waits for that mount from now on. */
struct fake_mount_user *fake_mount_user(struct fake_machine *machine, const struct fake_process *process,
                                        const struct fake_mount *mount);
void fake_message(struct fake_machine *machine, int priority, const char *text);

/* One tick after that many seconds, or several of one second. */
void fake_tick(struct fake_machine *machine, double seconds);
void fake_run(struct fake_machine *machine, int seconds);

/* The program, unit or process of the latest snapshot; the test fails if there is none. */
const struct program *fake_program(const struct fake_machine *machine, const char *name, const char *unit);
const struct process_rate *fake_rate(const struct fake_machine *machine, const struct fake_process *process);
/* Runs one check with its default parameters. */
struct finding fake_check(const struct fake_machine *machine, const char *name, bool was_found);
/* Whether a subject of that name is among the victims. */
bool fake_is_victim(const struct finding *finding, const char *name);
/* Whether the evidence, the remedies or the summary hold the text. */
bool fake_says(const struct finding *finding, const char *text);
