/* One look at one process: first the cheap figures that tell whether it has run at all, then no more than
 * what they say may have changed. */
#include <errno.h>
#include <string.h>

#include "daemon/sample/process_counters.h"
#include "daemon/sample/process_identity.h"
#include "daemon/sample/process_servers.h"

/* Files that are kept open are closed after this many collects asleep. */
#define CLOSE_AFTER 16
/* When a change of RSS makes the dear split by kind (status) worth reading: noise of the kernel's per-CPU
 * counters is 128 kB and more. */
#define SPLIT_MIN_BYTES (UINT64_C(128) * 1024)
#define SPLIT_MAX_BYTES (UINT64_C(1024) * 1024)
#define SPLIT_SHARE     50 /* 2 % */
#define CGROUP_ROUNDS   4 /* a sleeper's control group is read again every so many turns: nobody is charged */
#define SERVER_PERIOD   USEC_PER_MINUTE
#define STAT_SIZE       1024

static bool is_asleep(char state)
{
        return state == 'S' || state == 'I' || state == 'T' || state == 't' || state == 'Z';
}

static void count_up(uint8_t *counter)
{
        if (*counter < UINT8_MAX)
                (*counter)++;
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

/* ---- who it is ---- */

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

/* ---- the whole ---- */

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
        bool has_slept = process_counters_read_schedstat(source, entry) && former &&
                         former->state == stat->state && is_asleep(stat->state) &&
                         former->user_ticks == stat->user_ticks &&
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
        process_open_files_look(&source->open_files, &source->files, entry, is_idle, look->now_usec, sample);
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

        *sample = look->former ? *look->former : process_counters_unknown;
        sample->identity = entry->identity;
        sample->pid = entry->pid;
        sample->start_ticks = entry->start_ticks;
        if (look->stats)
                has_slept = look->former && is_asleep(look->former->state) && taskstats_unchanged(look);
        else if (was_one_sleeping_thread(look->former))
                has_slept = process_counters_read_schedstat(source, entry);
        if (has_slept && entry->sights > 1 && entry->has_identity && !entry->identity_is_stale) {
                if (look->is_due)
                        visit_sleeper(source, entry, sample);
                finish(source, entry, look, true, sample);
                return 0;
        }

        /* Of all files only stat decides whether the process is still there. */
        bool is_often_read = look->stats ? entry->busy_streak >= PROCESS_KEEP_AFTER
                                         : entry->sights >= PROCESS_KEEP_AFTER && sample->threads > 1;
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
        process_counters_take_stat(&stat, sample);
        if (look->stats)
                process_counters_take_taskstats(source, entry, look->stats, sample);
        else
                process_counters_take_schedstat(entry, sample);
        if (!has_slept)
                process_counters_read_io(source, entry, sample);
        process_counters_read_rss(source, entry, look, &stat, sample);
        read_identity(source, entry, look, &stat, sample);
        process_counters_read_wait_channel(source, entry, sample);
        process_counters_read_autogroup(source, entry, look, sample);
        finish(source, entry, look, has_slept, sample);
        return 0;
}
