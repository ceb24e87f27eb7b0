/* One look at one process: first the cheap figures that tell whether it has run at all, then no more than
 * what they say may have changed. */
#include <errno.h>
#include <string.h>

#include "daemon/sample/process_identity.h"
#include "daemon/sample/process_servers.h"
#include "daemon/sample/process_source.h"

/* Files are kept open for processes that ran in this many collects in a row, until they slept for that many.
 */
#define KEEP_AFTER  2
#define CLOSE_AFTER 16

/* When a change of RSS makes the dear split by kind (status) worth reading: noise of the kernel's per-CPU
 * counters is 128 kB and more. */
#define SPLIT_MIN_BYTES  (UINT64_C(128) * 1024)
#define SPLIT_MAX_BYTES  (UINT64_C(1024) * 1024)
#define SPLIT_SHARE      50 /* 2 % */
#define AUTOGROUP_PERIOD (30 * USEC_PER_SEC)
#define AUTOGROUP_SHARE  50 /* read for processes that use 2 % of a CPU */
#define CGROUP_ROUNDS    4 /* a sleeper's control group is read again every so many turns: nobody is charged */
#define SERVER_PERIOD    USEC_PER_MINUTE
#define STAT_SIZE        1024
#define SMALL_SIZE       256

static const struct process_sample nothing_known = {
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
        .rss_bytes = ABSENT,
        .read_bytes = ABSENT,
        .write_bytes = ABSENT,
        .cancelled_write_bytes = ABSENT,
        .read_calls = ABSENT,
        .write_calls = ABSENT,
        .read_chars = ABSENT,
        .write_chars = ABSENT,
        .autogroup = ABSENT,
};

static bool is_asleep(char state)
{
        return state == 'S' || state == 'I' || state == 'T' || state == 't' || state == 'Z';
}

static void count_up(uint8_t *counter)
{
        if (*counter < UINT8_MAX)
                (*counter)++;
}

/* ---- taskstats -------------------------------------------------------------------------------------------
 */

/* A task has delays counted if it was forked while accounting was on. The start says so where slowd switched
 * it on itself; else it is known from the first delay that is counted, mostly a copy on write. */
static bool has_full_delays(const struct process_source *source, const struct process_entry *entry,
                            const struct taskstats_values *stats)
{
        return source->accounting_is_on && entry->start_ticks > source->accounting_since_ticks &&
               (!stats->counts_copies || stats->has_delays);
}

static void take_taskstats(const struct process_source *source, const struct process_entry *entry,
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

/* ---- schedstat -------------------------------------------------------------------------------------------
 */

/* Reads the main thread's schedstat into the entry. True if it says that the thread has not run since. */
static bool read_schedstat(struct process_source *source, struct process_entry *entry)
{
        char buffer[SMALL_SIZE];
        struct process_schedstat now;
        if (process_files_read(&source->files, entry, PROCESS_FILE_SCHEDSTAT, entry->sights >= KEEP_AFTER,
                               buffer, sizeof(buffer)) < 0 ||
            process_parse_schedstat(buffer, &now) < 0)
                return false;
        /* "0 0 0" comes from a kernel that does not count, or a task that has never run. */
        if (now.run_nsec == 0 && now.slices == 0)
                return false;
        bool has_slept = entry->has_schedstat && memcmp(&now, &entry->main_thread, sizeof(now)) == 0;
        process_threads_add_main(entry, &now);
        return has_slept;
}

static void take_schedstat(const struct process_entry *entry, struct process_sample *sample)
{
        if (!entry->has_schedstat)
                return;
        sample->delays = entry->has_unseen_threads ? DELAYS_MAIN_ONLY : DELAYS_RUN_ONLY;
        sample->run_nsec = entry->total.run_nsec;
        sample->run_delay_nsec = entry->total.run_delay_nsec;
        sample->slices = entry->total.slices;
}

/* ---- the files -------------------------------------------------------------------------------------------
 */

static void take_stat(const struct process_stat *stat, struct process_sample *sample)
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

static void read_io(struct process_source *source, struct process_entry *entry, struct process_sample *sample)
{
        char buffer[SMALL_SIZE];
        struct process_io io;
        if (entry->io_denied)
                return;
        ssize_t n = process_files_read(&source->files, entry, PROCESS_FILE_IO,
                                       entry->busy_streak >= KEEP_AFTER, buffer, sizeof(buffer));
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
static void read_rss(struct process_source *source, struct process_entry *entry,
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
                                       entry->busy_streak >= KEEP_AFTER, buffer, sizeof(buffer));
        if (n < 0 || process_parse_statm(buffer, &statm) < 0)
                statm.resident_pages = stat->rss_pages;
        sample->rss_bytes = statm.resident_pages * source->page_bytes;
}

static bool split_is_stale(const struct process_entry *entry, const struct process_look *look,
                           const struct process_sample *sample)
{
        if (look->is_due || (look->former && look->former->major_faults != sample->major_faults))
                return true;
        if (sample->rss_bytes == ABSENT)
                return false;
        uint64_t moved = sample->rss_bytes > entry->status_rss_bytes
                                 ? sample->rss_bytes - entry->status_rss_bytes
                                 : entry->status_rss_bytes - sample->rss_bytes;
        return moved > SPLIT_MAX_BYTES ||
               (moved > SPLIT_MIN_BYTES && moved > sample->rss_bytes / SPLIT_SHARE);
}

/* The function a task in D sleeps in; "0" where it is running again or not permitted. */
static void read_wait_channel(const struct process_source *source, const struct process_entry *entry,
                              struct process_sample *sample)
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

static void read_autogroup(const struct process_source *source, struct process_entry *entry,
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

static void examine_server(struct process_source *source, struct process_entry *entry, usec_t now)
{
        bool is_asked = false;
        for (size_t i = 0; i < source->server_group_count && !is_asked; i++)
                is_asked = source->server_groups[i] == entry->cgroup_id;
        if (!is_asked || source->servers_left == 0 || entry->is_kernel_thread ||
            (entry->server_usec != 0 && now - entry->server_usec < SERVER_PERIOD))
                return;
        source->servers_left--;
        entry->server_usec = now;
        int r = process_servers_examine(&source->files, entry->pid);
        if (r >= 0) {
                entry->is_server = r > 0;
                entry->is_server_known = true;
        }
}

/* ---- who it is -------------------------------------------------------------------------------------------
 */

static bool has_executed(const struct process_entry *entry, const struct process_stat *stat)
{
        char comm[COMM_MAX];
        if (entry->sights == 0 || (stat->flags & PROCESS_FLAG_KTHREAD))
                return false; /* kernel workers carry their present work in their name */
        (void)span_copy(stat->comm, comm, sizeof(comm));
        text_sanitize(comm, "");
        /* The addresses move with every exec; they are 1 and 0 where they may not be seen. */
        return strcmp(comm, entry->identity->comm) != 0 || stat->start_code != entry->start_code ||
               stat->start_stack != entry->start_stack;
}

/* A child that has not executed anything yet shares its parent's addresses: its title and user may still
 * change. */
static bool is_plain_fork(const struct process_source *source, const struct process_entry *entry)
{
        const struct process_entry *parent = process_table_find(&source->table, entry->identity->ppid);
        return parent && parent->start_stack != 0 && parent->start_stack == entry->start_stack;
}

static void read_identity(struct process_source *source, struct process_entry *entry,
                          const struct process_look *look, const struct process_stat *stat,
                          struct process_sample *sample)
{
        const bool is_kernel_thread = (stat->flags & PROCESS_FLAG_KTHREAD) != 0;
        const bool has_changed = has_executed(entry, stat);

        if (entry->sights == 0) {
                entry->identity->ppid = stat->ppid;
                entry->is_kernel_thread = is_kernel_thread;
        }
        if (entry->sights == 0 || has_changed)
                process_identity_begin(entry, stat->comm, is_kernel_thread);
        if (has_changed)
                entry->io_denied = false;
        if (has_changed || (entry->sights == 1 && is_plain_fork(source, entry)))
                entry->identity_is_stale = true;
        entry->start_code = stat->start_code;
        entry->start_stack = stat->start_stack;

        const uint64_t rss_bytes = sample->rss_bytes == ABSENT ? 0 : sample->rss_bytes;
        if (!entry->has_identity || entry->identity_is_stale) {
                if (source->identities_left == 0)
                        return;
                source->identities_left--;
                entry->identity_is_stale = false;
                entry->status_rss_bytes = rss_bytes;
                process_identity_read(&source->files, &source->users, entry, stat->comm, is_kernel_thread,
                                      sample);
                return;
        }
        /* systemd puts a child into its unit's group after the fork. */
        if (entry->sights == 1 || look->is_due)
                process_identity_read_cgroup(&source->files, entry);
        if (!is_kernel_thread && split_is_stale(entry, look, sample)) {
                struct process_status status;
                entry->status_rss_bytes = rss_bytes;
                (void)process_identity_read_status(&source->files, &source->users, entry, sample, &status);
        }
}

/* ---- the whole -------------------------------------------------------------------------------------------
 */

static bool taskstats_unchanged(const struct process_look *look)
{
        return look->stats->slices == look->former->slices &&
               look->stats->run_nsec == look->former->run_nsec &&
               look->stats->run_delay_nsec == look->former->run_delay_nsec;
}

static bool was_one_sleeping_thread(const struct process_sample *former)
{
        return former && former->threads == 1 && is_asleep(former->state);
}

/* Without taskstats, after stat: adds up what the threads did. True if nothing says that they have run. */
static bool add_threads(struct process_source *source, struct process_entry *entry,
                        const struct process_look *look, const struct process_stat *stat)
{
        const struct process_sample *former = look->former;
        bool has_slept = read_schedstat(source, entry) && former && former->state == stat->state &&
                         is_asleep(stat->state) && former->user_ticks == stat->user_ticks &&
                         former->system_ticks == stat->system_ticks &&
                         former->minor_faults == stat->minor_faults && former->threads == stat->threads;
        if (stat->threads > 1 && !has_slept)
                process_threads_read(&source->files, &source->threads, entry, stat->threads, source->scratch,
                                     PROCESS_SCRATCH_BYTES);
        return has_slept;
}

static void finish(struct process_source *source, struct process_entry *entry,
                   const struct process_look *look, bool is_idle, struct process_sample *sample)
{
        examine_server(source, entry, look->now_usec);
        sample->is_idle = is_idle;
        sample->is_server = entry->is_server;
        sample->is_server_known = entry->is_server_known;
        count_up(&entry->sights);
        count_up(is_idle ? &entry->idle_streak : &entry->busy_streak);
        *(is_idle ? &entry->busy_streak : &entry->idle_streak) = 0;
        if (entry->idle_streak == CLOSE_AFTER)
                process_files_close(&source->files, entry,
                                    look->stats ? PROCESS_FILE_MAX : PROCESS_FILE_SCHEDSTAT);
}

/* The turn of one that sleeps in the slow round: what others can do to it meanwhile. */
static void visit_sleeper(struct process_source *source, struct process_entry *entry,
                          struct process_sample *sample)
{
        struct process_status status;
        if (entry->is_kernel_thread)
                return;
        if (process_identity_read_status(&source->files, &source->users, entry, sample, &status)) {
                sample->state = status.state;
                sample->ppid = status.ppid;
                if (status.rss_bytes != ABSENT)
                        sample->rss_bytes = entry->status_rss_bytes = status.rss_bytes;
        }
        if (entry->rounds++ % CGROUP_ROUNDS == 0)
                process_identity_read_cgroup(&source->files, entry);
}

int process_look_at(struct process_source *source, struct process_entry *entry,
                    const struct process_look *look, struct process_sample *ret_sample)
{
        struct process_sample *sample = ret_sample;
        struct process_stat stat;
        char buffer[STAT_SIZE];
        bool has_slept = false;

        *sample = look->former ? *look->former : nothing_known;
        sample->identity = entry->identity;
        sample->pid = entry->pid;
        sample->start_ticks = entry->start_ticks;
        if (look->stats)
                has_slept = look->former && is_asleep(look->former->state) && taskstats_unchanged(look);
        else if (was_one_sleeping_thread(look->former))
                has_slept = read_schedstat(source, entry);
        if (has_slept && entry->sights > 1 && entry->has_identity && !entry->identity_is_stale) {
                if (look->is_due)
                        visit_sleeper(source, entry, sample);
                finish(source, entry, look, true, sample);
                return 0;
        }

        /* Of all files only stat decides whether the process is still there. */
        bool is_often_read = look->stats ? entry->busy_streak >= KEEP_AFTER
                                         : entry->sights >= KEEP_AFTER && sample->threads > 1;
        ssize_t n = process_files_read(&source->files, entry, PROCESS_FILE_STAT, is_often_read, buffer,
                                       sizeof(buffer));
        if (n < 0)
                return (int)n;
        int r = process_parse_stat(buffer, &stat);
        if (r < 0)
                return r;
        if (entry->sights == 0)
                entry->start_ticks = entry->identity->start_ticks = sample->start_ticks = stat.start_ticks;
        else if (entry->start_ticks != stat.start_ticks)
                return -ESTALE;
        if (!look->stats && (!was_one_sleeping_thread(look->former) || stat.threads > 1))
                has_slept = add_threads(source, entry, look, &stat);
        take_stat(&stat, sample);
        if (look->stats)
                take_taskstats(source, entry, look->stats, sample);
        else
                take_schedstat(entry, sample);
        if (!has_slept)
                read_io(source, entry, sample);
        read_rss(source, entry, look, &stat, sample);
        read_identity(source, entry, look, &stat, sample);
        read_wait_channel(source, entry, sample);
        read_autogroup(source, entry, look, sample);
        finish(source, entry, look, has_slept, sample);
        return 0;
}
