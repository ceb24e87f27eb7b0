/* What one process did: each of its figures from the file or message that it stands in, into its sample. What
 * is worth reading is decided in process_look.c. */
#pragma once

#include "daemon/sample/process_source.h"

/* Files are kept open for processes that ran in this many collects in a row. */
#define PROCESS_KEEP_AFTER 2

/* Every counter ABSENT. */
extern const struct process_sample process_counters_unknown;

void process_counters_take_stat(const struct process_stat *stat, struct process_sample *sample);
/* Of a process that was forked before delay accounting was on, the delays stay ABSENT. */
void process_counters_take_taskstats(const struct process_source *source, const struct process_entry *entry,
                                     const struct taskstats_values *stats, struct process_sample *sample);
/* Reads the main thread's schedstat into the entry. True if it says that the thread has not run since. */
bool process_counters_read_schedstat(struct process_source *source, struct process_entry *entry);
void process_counters_take_schedstat(const struct process_entry *entry, struct process_sample *sample);
void process_counters_read_io(struct process_source *source, struct process_entry *entry,
                              struct process_sample *sample);
/* Only if it may have changed. */
void process_counters_read_rss(struct process_source *source, struct process_entry *entry,
                               const struct process_look *look, const struct process_stat *stat,
                               struct process_sample *sample);
/* The function that a task in D sleeps in, "" for all others. */
void process_counters_read_wait_channel(const struct process_source *source,
                                        const struct process_entry *entry, struct process_sample *sample);
/* Now and then, of processes that use a CPU. */
void process_counters_read_autogroup(const struct process_source *source, struct process_entry *entry,
                                     const struct process_look *look, struct process_sample *sample);
