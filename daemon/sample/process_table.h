/* The table of known processes: entries in blocks that never move, in order of pid. Knows when an entry may
 * be used again; reads nothing. */
#pragma once

#include "daemon/sample/process_parse.h"
#include "daemon/sample/sample.h"

/* Files of a process that are kept open while it is busy. */
enum process_file {
        PROCESS_FILE_STAT,
        PROCESS_FILE_STATM,
        PROCESS_FILE_IO,
        PROCESS_FILE_SCHEDSTAT,
        PROCESS_FILE_MAX
};

struct process_threads;

/* What is looked at for every process at every tick comes first, on two cache lines. */
struct process_entry {
        struct process_identity *identity; /* what samples point to; in the same block */
        struct process_entry *next;        /* in the free list or a graveyard */
        uint32_t pid;
        int fds[PROCESS_FILE_MAX]; /* -1: not open */
        uint64_t start_ticks;
        uint64_t cgroup_id;
        uint8_t busy_streak, idle_streak; /* collects in a row, saturating */
        uint8_t sights;                   /* collects it was seen at, saturating */
        uint8_t rounds;                   /* of the slow one */
        bool is_gone;                     /* vanished during this collect */
        bool has_identity;                /* details were read (as far as permitted) */
        bool identity_is_stale;           /* it executed something since */
        bool has_origin;                  /* chain and origin are settled */
        bool io_denied, details_denied;
        bool is_kernel_thread;
        bool is_server, is_server_known;
        usec_t autogroup_usec; /* monotonic, when it was last read; 0 never */
        usec_t server_usec;
        uint64_t start_code, start_stack; /* as of the last stat: they tell an exec */
        uint64_t stat_rss_pages;          /* of the last stat: coarse, but says when statm is worth reading */
        uint64_t status_rss_bytes;        /* when status was last read */
        /* What schedstat added up to, where taskstats is not there: see process_threads.h. */
        struct process_schedstat main_thread, total;
        bool has_schedstat;
        bool has_unseen_threads; /* total lacks some of its threads */
        struct process_threads *threads;
        usec_t files_limit_usec; /* monotonic, when it was last read; 0 never */
        bool files_are_counted;  /* and it has not run since */
};

struct process_table {
        struct process_entry **entries; /* sorted by pid */
        size_t count, capacity;
        struct process_entry **spare; /* as large as entries: the next generation is merged into it */
        struct process_entry *free;
        struct process_entry *graves[2]; /* ended in the collect before last, and in the last one */
        struct process_block *blocks;
};

void process_table_done(struct process_table *table);

/* Makes the table hold exactly the processes in pids (sorted, without doubles): entries of others are buried,
 * new ones begin with has_identity false, start_ticks 0. Entries buried two updates ago become free. `bury`
 * is called for each buried one to release what it holds. Returns how many pids found no room (out of
 * memory). */
size_t process_table_update(struct process_table *table, const uint32_t *pids, size_t n,
                            void (*bury)(void *userdata, struct process_entry *entry), void *userdata);
/* The pid of entries[index] belongs to another process now: buries the entry and puts a new one in its place,
 * NULL if out of memory (the old one is then marked as gone). */
struct process_entry *process_table_replace(struct process_table *table, size_t index,
                                            void (*bury)(void *userdata, struct process_entry *entry),
                                            void *userdata);
/* Buries the entries that are marked as gone. */
void process_table_sweep(struct process_table *table,
                         void (*bury)(void *userdata, struct process_entry *entry), void *userdata);

struct process_entry *process_table_find(const struct process_table *table, uint32_t pid);
