/* Programs known to work in the background: file indexers, maintenance, backups. What they are called, what
 * starts them, and where they are told what to leave out. Decides nothing about harm. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "daemon/sample/sample.h"

enum worker_kind { WORKER_INDEXER, WORKER_MAINTENANCE, WORKER_BACKUP };

/* When a name alone does not make a worker. */
enum worker_condition {
        WORKER_ALWAYS,
        WORKER_WITH_WORD,  /* only with `word` as its first argument: btrfs scrub, not btrfs send */
        WORKER_UNATTENDED, /* only if cron or something called backup started it: not rsync in a shell */
        WORKER_IN_BACKUP,  /* only if something called backup started it: tar and gzip do much else */
};

struct worker {
        enum worker_kind kind;
        const char *process; /* the program's name, exactly; a script's name counts (process_name.h) */
        enum worker_condition condition;
        const char *word;
        const char *does;    /* "indexes file names for locate": completes "NAME ..." */
        const char *timer;   /* what starts it; NULL: nothing known */
        const char *service; /* the unit it runs in; NULL: that of its process */
        bool is_users;       /* timer and service are units of a user's own manager */
        const char *exclude; /* where it is told what to leave out: a command that can be typed; NULL: none */
        const char *exclude_text;
        bool is_added;    /* by slowd.conf: exclude_text is a file's name */
        bool is_byteless; /* its work is no reading or writing: fstrim */
};

/* Those that slowd.conf adds: struct worker whose strings are in `text`. */
#define WORKERS_ADDED_MAX 16
#define WORKER_TEXT_MAX   200
struct added_worker {
        enum worker_kind kind;
        char process[PROGRAM_NAME_MAX];
        char timer[UNIT_NAME_MAX];
        char exclude[WORKER_TEXT_MAX];
};
struct added_workers {
        struct added_worker list[WORKERS_ADDED_MAX];
        size_t count;
};

/* Reads the value of a line of [workers]: "NAME [timer=UNIT] [exclude=FILE]". 0; -EINVAL for what is none;
 * -E2BIG for names that are too long, or too many workers. */
int workers_add(struct added_workers *list, enum worker_kind kind, const char *value);

/* The worker that this process is or belongs to: the outermost of its known ancestors that is one and still
 * runs, so that what a package update starts is part of it; else itself. False if there is none. `added` may
 * be NULL. ret_pid: the worker's own process. */
bool worker_of_process(const struct sample *sample, const struct process_identity *identity,
                       const struct added_workers *added, struct worker *ret_worker, uint32_t *ret_pid);
