/* The taskstats netlink interface of the kernel (Documentation/accounting/taskstats.rst): run time, run delay
 * and delays for I/O and memory of whole processes, many in one system call. Needs CAP_NET_ADMIN. Knows
 * nothing of /proc. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One process, all its threads together, those that ended included. ABSENT (sample.h) what this kernel's
 * version of the struct lacks. */
struct taskstats_values {
        uint64_t slices, run_nsec, run_delay_nsec;
        uint64_t block_delay_nsec, swapin_delay_nsec, reclaim_delay_nsec, thrashing_delay_nsec,
                compact_delay_nsec;
        uint64_t voluntary_switches, involuntary_switches; /* of living threads only */
        int error; /* 0; -ESRCH: no such process; -EAGAIN: the answer was lost; other: refused */
        /* One of the delays was counted at least once. From version 13 on every process that was forked while
         * delay accounting was on has one (copy on write); without any, the kernel keeps no delays for it. */
        bool has_delays;
        bool counts_copies; /* version 13 or newer: has_delays tells */
};

struct taskstats_socket;

/* 0; -ENOENT: this kernel has no taskstats (or not in this network namespace); -EPERM: not permitted; other
 * negative errno. Tries it once on this process. */
int taskstats_new(struct taskstats_socket **ret_taskstats);
struct taskstats_socket *taskstats_free(struct taskstats_socket *taskstats); /* returns NULL; accepts NULL */

/* Processes asked in one send. */
#define TASKSTATS_BATCH 64

/* Asks for n processes (at most TASKSTATS_BATCH) by pid and fills one value for each, its error included.
 * 0, or negative errno if the socket itself failed. */
int taskstats_query(struct taskstats_socket *taskstats, const uint32_t *pids, size_t n,
                    struct taskstats_values *ret_values);
