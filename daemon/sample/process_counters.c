/* Figures of one process: taskstats, schedstat, and the files that are read for those that have run. */
#include "daemon/sample/process_counters.h"

#include <errno.h>
#include <string.h>

#define AUTOGROUP_PERIOD (30 * USEC_PER_SEC)
#define AUTOGROUP_SHARE  50 /* read for processes that use 2 % of a CPU */
#define SMALL_SIZE       256

const struct process_sample process_counters_unknown = {
        .state = '?',
        .threads = 1,
        .user_ticks = ABSENT,
        .system_ticks = ABSENT,
        .children_user_ticks = ABSENT,
        .children_system_ticks = ABSENT,
        .run_nsec = ABSENT,
        .slices = ABSENT,
        .run_delay_nsec = ABSENT,
        .block_delay_nsec = ABSENT,
        .swapin_delay_nsec = ABSENT,
        .reclaim_delay_nsec = ABSENT,
        .thrashing_delay_nsec = ABSENT,
        .compact_delay_nsec = ABSENT,
        .voluntary_switches = ABSENT,
        .involuntary_switches = ABSENT,
        .minor_faults = ABSENT,
        .major_faults = ABSENT,
        .children_major_faults = ABSENT,
        .rss_anon_bytes = ABSENT,
        .rss_file_bytes = ABSENT,
        .rss_shmem_bytes = ABSENT,
        .swap_bytes = ABSENT,
        .page_tables_bytes = ABSENT,
        .rss_bytes = ABSENT,
        .read_bytes = ABSENT,
        .write_bytes = ABSENT,
        .cancelled_write_bytes = ABSENT,
        .read_calls = ABSENT,
        .write_calls = ABSENT,
        .read_chars = ABSENT,
        .write_chars = ABSENT,
        .autogroup = ABSENT,
        .files = ABSENT,
        .files_limit = ABSENT,
};

/* ---- taskstats ---- */

/* A task has delays counted if it was forked while accounting was on. The start says so where slowd switched
 * it on itself; else it is known from the first delay that is counted, mostly a copy on write. */
static bool has_full_delays(const struct process_source *source, const struct process_entry *entry,
                            const struct taskstats_values *stats)
{
        return source->accounting_is_on && entry->start_ticks > source->accounting_since_ticks &&
               (!stats->counts_copies || stats->has_delays);
}

void process_counters_take_taskstats(const struct process_source *source, const struct process_entry *entry,
                                     const struct taskstats_values *stats, struct process_sample *sample)
{
        /* Of a zombie without other threads the kernel has no figures any more: the last ones, if any, stand.
         */
        if (sample->state == 'Z' && stats->slices == 0)
                return;
        const bool is_full = has_full_delays(source, entry, stats);
        sample->delays = is_full ? DELAYS_FULL : stats->run_nsec == ABSENT ? DELAYS_NONE : DELAYS_RUN_ONLY;
        sample->run_nsec = stats->run_nsec;
        sample->slices = stats->slices;
        sample->run_delay_nsec = stats->run_delay_nsec;
        sample->voluntary_switches = stats->voluntary_switches;
        sample->involuntary_switches = stats->involuntary_switches;
        sample->block_delay_nsec = is_full ? stats->block_delay_nsec : ABSENT;
        sample->swapin_delay_nsec = is_full ? stats->swapin_delay_nsec : ABSENT;
        sample->reclaim_delay_nsec = is_full ? stats->reclaim_delay_nsec : ABSENT;
        sample->thrashing_delay_nsec = is_full ? stats->thrashing_delay_nsec : ABSENT;
        sample->compact_delay_nsec = is_full ? stats->compact_delay_nsec : ABSENT;
}

/* ---- schedstat ---- */

/* Reads the main thread's schedstat into the entry. True if it says that the thread has not run since. */
bool process_counters_read_schedstat(struct process_source *source, struct process_entry *entry)
{
        char buffer[SMALL_SIZE];
        struct process_schedstat now;
        if (process_files_read(&source->files, entry, PROCESS_FILE_SCHEDSTAT,
                               entry->sights >= PROCESS_KEEP_AFTER, buffer, sizeof(buffer)) < 0 ||
            process_parse_schedstat(buffer, &now) < 0)
                return false;
        /* "0 0 0" comes from a kernel that does not count, or a task that has never run. */
        if (now.run_nsec == 0 && now.slices == 0)
                return false;
        bool has_slept = entry->has_schedstat && memcmp(&now, &entry->main_thread, sizeof(now)) == 0;
        process_threads_add_main(entry, &now);
        return has_slept;
}

void process_counters_take_schedstat(const struct process_entry *entry, struct process_sample *sample)
{
        if (!entry->has_schedstat)
                return;
        sample->delays = entry->has_unseen_threads ? DELAYS_MAIN_ONLY : DELAYS_RUN_ONLY;
        sample->run_nsec = entry->total.run_nsec;
        sample->run_delay_nsec = entry->total.run_delay_nsec;
        sample->slices = entry->total.slices;
}

/* ---- the files ---- */

void process_counters_take_stat(const struct process_stat *stat, struct process_sample *sample)
{
        sample->ppid = stat->ppid;
        sample->state = stat->state;
        sample->policy = stat->policy;
        sample->nice = stat->nice;
        sample->threads = stat->threads;
        sample->user_ticks = stat->user_ticks;
        sample->system_ticks = stat->system_ticks;
        sample->children_user_ticks = stat->children_user_ticks;
        sample->children_system_ticks = stat->children_system_ticks;
        sample->minor_faults = stat->minor_faults;
        sample->major_faults = stat->major_faults;
        sample->children_major_faults = stat->children_major_faults;
}

void process_counters_read_io(struct process_source *source, struct process_entry *entry,
                              struct process_sample *sample)
{
        char buffer[SMALL_SIZE];
        struct process_io io;
        if (entry->io_denied)
                return;
        ssize_t n = process_files_read(&source->files, entry, PROCESS_FILE_IO,
                                       entry->busy_streak >= PROCESS_KEEP_AFTER, buffer, sizeof(buffer));
        entry->io_denied = n == -EACCES || n == -EPERM; /* asked again after an exec */
        if (n < 0 || process_parse_io(buffer, &io) < 0)
                return;
        sample->read_bytes = io.read_bytes;
        sample->write_bytes = io.write_bytes;
        sample->cancelled_write_bytes = io.cancelled_write_bytes;
        sample->read_calls = io.read_calls;
        sample->write_calls = io.write_calls;
        sample->read_chars = io.read_chars;
        sample->write_chars = io.write_chars;
}

/* The RSS in stat leaves out what CPUs have not yet added up, so statm has the word; but it can only have
 * changed when there were faults or stat's figure moved. */
void process_counters_read_rss(struct process_source *source, struct process_entry *entry,
                               const struct process_look *look, const struct process_stat *stat,
                               struct process_sample *sample)
{
        char buffer[SMALL_SIZE];
        struct process_statm statm;
        bool may_have_moved = !look->former || look->is_due || stat->rss_pages != entry->stat_rss_pages ||
                              look->former->minor_faults != stat->minor_faults ||
                              look->former->major_faults != stat->major_faults;
        entry->stat_rss_pages = stat->rss_pages;
        if (!may_have_moved)
                return;
        ssize_t n = process_files_read(&source->files, entry, PROCESS_FILE_STATM,
                                       entry->busy_streak >= PROCESS_KEEP_AFTER, buffer, sizeof(buffer));
        if (n < 0 || process_parse_statm(buffer, &statm) < 0)
                statm.resident_pages = stat->rss_pages;
        sample->rss_bytes = statm.resident_pages * source->page_bytes;
}

/* The function a task in D sleeps in; "0" where it is running again or not permitted. */
void process_counters_read_wait_channel(const struct process_source *source,
                                        const struct process_entry *entry, struct process_sample *sample)
{
        char buffer[SMALL_SIZE];
        sample->wait_channel[0] = '\0';
        if (sample->state != 'D' ||
            process_files_read_once(&source->files, entry->pid, "wchan", buffer, sizeof(buffer)) < 0 ||
            strcmp(buffer, "0") == 0)
                return;
        (void)span_copy(span_of(buffer), sample->wait_channel, sizeof(sample->wait_channel));
        text_sanitize(sample->wait_channel, "");
}

void process_counters_read_autogroup(const struct process_source *source, struct process_entry *entry,
                                     const struct process_look *look, struct process_sample *sample)
{
        char buffer[SMALL_SIZE];
        if (!source->autogroups_are_on || !look->former || entry->is_kernel_thread)
                return;
        uint64_t used_usec = 0;
        if (sample->run_nsec != ABSENT && look->former->run_nsec != ABSENT)
                used_usec = (sample->run_nsec - look->former->run_nsec) / NSEC_PER_USEC;
        else if (look->former->user_ticks != ABSENT)
                used_usec = (sample->user_ticks + sample->system_ticks - look->former->user_ticks -
                             look->former->system_ticks) *
                            USEC_PER_SEC / source->hz;
        bool is_fresh =
                entry->autogroup_usec != 0 && look->now_usec - entry->autogroup_usec < AUTOGROUP_PERIOD;
        if (is_fresh || used_usec < look->elapsed_usec / AUTOGROUP_SHARE)
                return;
        entry->autogroup_usec = look->now_usec;
        sample->autogroup = ABSENT;
        sample->autogroup_nice = 0;
        if (process_files_read_once(&source->files, entry->pid, "autogroup", buffer, sizeof(buffer)) > 0)
                (void)process_parse_autogroup(buffer, &sample->autogroup, &sample->autogroup_nice);
}
