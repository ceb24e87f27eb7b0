/* Run time and run delay of a process from schedstat of its threads, for where taskstats may not be asked.
 * The kernel's figures of a thread vanish with it, so what each thread added is summed up here. */
#pragma once

#include "daemon/sample/process_files.h"

/* Threads followed of one process: with more only the main thread's figures are used. */
#define PROCESS_THREADS_MAX 64
/* Processes with several threads followed at most. 2 kB each. */
#define PROCESS_THREADED_MAX 512
/* Threads read in one collect at most, all processes together: about 4 us each. */
#define PROCESS_THREAD_READS_MAX 1024

struct process_threads_budget {
        size_t reads_left;  /* in this collect */
        size_t tables_left; /* to be allocated */
};

/* Takes in what the main thread's schedstat says now: entry->total grows by what was added since. */
void process_threads_add_main(struct process_entry *entry, const struct process_schedstat *now);
/* Reads schedstat of all the other threads (`threads` says how many there are with the main one) and adds
 * what they did since. Sets has_unseen_threads if they are too many. `buffer` is scratch. */
void process_threads_read(const struct process_files *files, struct process_threads_budget *budget,
                          struct process_entry *entry, uint32_t threads, void *buffer, size_t size);
void process_threads_free(struct process_threads_budget *budget, struct process_entry *entry);
