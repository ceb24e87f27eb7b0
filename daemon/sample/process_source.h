/* What the ways of reading processes share, behind process.h. One way exists: /proc, helped by taskstats
 * where that is permitted (process_proc.c). Another (a BPF task iterator) is another struct
 * process_source_ops. */
#pragma once

#include "daemon/sample/process.h"
#include "daemon/sample/process_files.h"
#include "daemon/sample/process_open_files.h"
#include "daemon/sample/process_table.h"
#include "daemon/sample/process_threads.h"
#include "daemon/sample/process_users.h"
#include "daemon/sample/taskstats.h"

/* Scratch for directories: about a thousand names a call. */
#define PROCESS_SCRATCH_BYTES 32768

/* Identities read in one collect at most: about 40 us each. Where more processes are new they are partial
 * until the next ticks, so that a burst of forks does not hold up the tick that has to see it. */
#define PROCESS_IDENTITIES_PER_COLLECT 1000

struct process_source_ops {
        const char *name;
        /* Fills sample->processes and process_count, adds to dropped. 0, or negative errno: the list could
         * not be read, and there are no processes in the sample. */
        int (*collect)(struct process_source *source, const struct sample *older, struct sample *sample);
};

extern const struct process_source_ops process_source_proc;

struct process_source {
        const struct process_source_ops *ops;
        const struct root *root;
        uint64_t hz, page_bytes;
        int directory_fd; /* /proc, to be listed */
        struct process_table table;
        struct process_files files;
        struct process_users users;
        struct process_threads_budget threads;
        struct process_open_files open_files;
        struct taskstats_socket *taskstats; /* NULL: taskstats_error says why */
        int taskstats_error;
        uint32_t *pids;
        size_t pid_capacity;
        char *scratch; /* PROCESS_SCRATCH_BYTES */

        /* Delay accounting: off (accounting_error says why), on since before slowd began (since_ticks 0),
         * or switched on by slowd. */
        bool accounting_is_on, accounting_is_ours;
        int accounting_error;
        usec_t accounting_since_usec; /* monotonic */
        uint64_t accounting_since_ticks;

        bool autogroups_are_on;
        uint32_t refreshed_pid; /* the slow round has come this far */
        size_t identities_left; /* to be read in this collect */
        size_t servers_left;
        size_t unsettled; /* entries without origin after the last collect */
        bool details_denied;
        uint64_t server_groups[PROCESS_SERVER_GROUPS_MAX];
        size_t server_group_count;
};

/* One look at one process. */
struct process_look {
        usec_t now_usec;                      /* monotonic */
        usec_t elapsed_usec;                  /* since the former sample, 0 if none */
        bool is_due;                          /* its turn in the slow round */
        const struct process_sample *former;  /* NULL: none */
        const struct taskstats_values *stats; /* NULL: not there for this process */
};

/* Reads what one process did and, within the budget, who it is, into *ret_sample. 0; -ESRCH: it is gone;
 * -ESTALE: its pid belongs to another process by now. */
int process_look_at(struct process_source *source, struct process_entry *entry,
                    const struct process_look *look, struct process_sample *ret_sample);
