/* Processes by way of /proc: the list of pids, taskstats for all of them in batches where it may be asked,
 * and one look at each. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/sample/process_identity.h"
#include "daemon/sample/process_source.h"

#define SERVERS_PER_COLLECT 8
/* In this time each process is looked at once even if it has not run: it may have been moved to another
 * control group, reniced, swapped out. */
#define ROUND_USEC USEC_PER_MINUTE
/* A pause of the daemon does not make every process due at once. */
#define ROUND_STEP_MAX_USEC (5 * USEC_PER_SEC)

static void bury(void *userdata, struct process_entry *entry)
{
        struct process_source *source = userdata;
        process_files_close(&source->files, entry, PROCESS_FILE_MAX);
        process_threads_free(&source->threads, entry);
}

static int by_number(const void *a, const void *b)
{
        const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
        return x < y ? -1 : x > y;
}

static bool grow_pids(struct process_source *source, size_t n)
{
        size_t capacity = 512;
        while (capacity < n)
                capacity *= 2;
        uint32_t *pids = realloc(source->pids, capacity * sizeof(*pids));
        if (!pids)
                return false;
        source->pids = pids;
        source->pid_capacity = capacity;
        return true;
}

/* Lists the processes into source->pids, sorted. *ret_dropped: those over the cap. */
static ssize_t list_processes(struct process_source *source, uint64_t *ret_dropped)
{
        ssize_t n = process_files_list(source->directory_fd, source->scratch, PROCESS_SCRATCH_BYTES,
                                       source->pids, source->pid_capacity);
        if (n < 0)
                return n;
        if ((size_t)n > source->pid_capacity && source->pid_capacity < PROCESSES_MAX &&
            grow_pids(source, (size_t)n < PROCESSES_MAX ? (size_t)n : PROCESSES_MAX))
                n = process_files_list(source->directory_fd, source->scratch, PROCESS_SCRATCH_BYTES,
                                       source->pids, source->pid_capacity);
        if (n < 0)
                return n;
        size_t count = (size_t)n < source->pid_capacity ? (size_t)n : source->pid_capacity;
        *ret_dropped = (size_t)n - count;
        bool is_sorted = true;
        for (size_t i = 1; i < count && is_sorted; i++)
                is_sorted = source->pids[i - 1] < source->pids[i];
        if (!is_sorted) { /* the kernel lists them in order; a recorded /proc on a disk need not */
                qsort(source->pids, count, sizeof(source->pids[0]), by_number);
                size_t kept = 0;
                for (size_t i = 0; i < count; i++)
                        if (kept == 0 || source->pids[kept - 1] != source->pids[i])
                                source->pids[kept++] = source->pids[i];
                count = kept;
        }
        return (ssize_t)count;
}

static bool grow_sample(struct sample *sample, size_t n)
{
        if (n <= sample->process_capacity)
                return true;
        size_t capacity = sample->process_capacity ? sample->process_capacity : 512;
        while (capacity < n)
                capacity *= 2;
        struct process_sample *processes = realloc(sample->processes, capacity * sizeof(*processes));
        if (!processes)
                return false;
        sample->processes = processes;
        sample->process_capacity = capacity;
        return true;
}

/* What goes on from one process to the next within a collect. */
struct pass {
        struct process_source *source;
        const struct sample *older;
        struct sample *sample;
        size_t former; /* index into older->processes */
        size_t due_left;
        usec_t now_usec, elapsed_usec;
};

/* Both lists are sorted by pid. */
static const struct process_sample *find_former(struct pass *pass, const struct process_entry *entry)
{
        if (!pass->older)
                return NULL;
        const struct process_sample *list = pass->older->processes;
        while (pass->former < pass->older->process_count && list[pass->former].pid < entry->pid)
                pass->former++;
        if (pass->former == pass->older->process_count)
                return NULL;
        const struct process_sample *former = &list[pass->former];
        return former->identity == entry->identity && former->start_ticks == entry->start_ticks ? former
                                                                                                : NULL;
}

/* In place of an answer that the kernel had no room for: as before, or unknown. The next one brings what this
 * one would have told. */
static struct taskstats_values lost_answer(const struct process_sample *former)
{
        if (!former)
                return (struct taskstats_values){
                        .slices = ABSENT,
                        .run_nsec = ABSENT,
                        .run_delay_nsec = ABSENT,
                        .voluntary_switches = ABSENT,
                        .involuntary_switches = ABSENT,
                        .counts_copies = true,
                };
        return (struct taskstats_values){
                .slices = former->slices,
                .run_nsec = former->run_nsec,
                .run_delay_nsec = former->run_delay_nsec,
                .block_delay_nsec = former->block_delay_nsec,
                .swapin_delay_nsec = former->swapin_delay_nsec,
                .reclaim_delay_nsec = former->reclaim_delay_nsec,
                .thrashing_delay_nsec = former->thrashing_delay_nsec,
                .compact_delay_nsec = former->compact_delay_nsec,
                .voluntary_switches = former->voluntary_switches,
                .involuntary_switches = former->involuntary_switches,
                .has_delays = former->delays == DELAYS_FULL,
                .counts_copies = true,
        };
}

static void look_at(struct pass *pass, size_t index, const struct taskstats_values *stats)
{
        struct process_source *source = pass->source;
        struct process_entry *entry = source->table.entries[index];
        struct process_look look = { .now_usec = pass->now_usec, .elapsed_usec = pass->elapsed_usec };
        struct process_sample *sample = &pass->sample->processes[pass->sample->process_count];
        struct taskstats_values lost;

        look.former = find_former(pass, entry);
        if (stats && stats->error == -EAGAIN) {
                lost = lost_answer(look.former);
                stats = &lost;
        }
        look.stats = stats && stats->error == 0 ? stats : NULL;
        look.is_due = pass->due_left > 0 && entry->pid > source->refreshed_pid;
        int r = process_look_at(source, entry, &look, sample);
        if (r == -ESTALE) {
                entry = process_table_replace(&source->table, index, bury, source);
                if (!entry)
                        return;
                look.former = NULL;
                r = process_look_at(source, entry, &look, sample);
        }
        if (look.is_due) {
                source->refreshed_pid = entry->pid;
                pass->due_left--;
        }
        if (r < 0) {
                entry->is_gone = true; /* vanished meanwhile, or unreadable: tried anew at the next tick */
                return;
        }
        source->details_denied |= entry->details_denied;
        source->unsettled += !entry->has_origin;
        pass->sample->process_count++;
}

/* How many are due now, so that all have had their turn within a round. */
static size_t due_count(struct process_source *source, usec_t elapsed_usec)
{
        const struct process_table *table = &source->table;
        if (table->count == 0 || source->refreshed_pid >= table->entries[table->count - 1]->pid)
                source->refreshed_pid = 0;
        usec_t step = elapsed_usec < ROUND_STEP_MAX_USEC ? elapsed_usec : ROUND_STEP_MAX_USEC;
        return (size_t)((table->count * step + ROUND_USEC - 1) / ROUND_USEC);
}

static void look_at_all(struct pass *pass)
{
        struct process_source *source = pass->source;
        const size_t count = source->table.count;
        struct taskstats_values values[TASKSTATS_BATCH] = { { .error = -EAGAIN } };
        uint32_t pids[TASKSTATS_BATCH];

        for (size_t begin = 0; begin < count; begin += TASKSTATS_BATCH) {
                size_t n = count - begin < TASKSTATS_BATCH ? count - begin : TASKSTATS_BATCH;
                if (source->taskstats) {
                        for (size_t i = 0; i < n; i++)
                                pids[i] = source->table.entries[begin + i]->pid;
                        /* What fails here shows as an answer lost. */
                        int r = taskstats_query(source->taskstats, pids, n, values);
                        if (r < 0)
                                source->taskstats_error = r;
                }
                for (size_t i = 0; i < n; i++)
                        look_at(pass, begin + i, source->taskstats ? &values[i] : NULL);
        }
}

static int collect(struct process_source *source, const struct sample *older, struct sample *sample)
{
        uint64_t dropped = 0;
        const usec_t now = sample->time.monotonic_usec;
        struct pass pass = { .source = source, .older = older, .sample = sample, .now_usec = now };

        ssize_t n = list_processes(source, &dropped);
        if (n < 0)
                return (int)n;
        dropped += process_table_update(&source->table, source->pids, (size_t)n, bury, source);
        if (!grow_sample(sample, source->table.count))
                return -ENOMEM;
        if (older && now > older->time.monotonic_usec)
                pass.elapsed_usec = now - older->time.monotonic_usec;
        source->identities_left = PROCESS_IDENTITIES_PER_COLLECT;
        source->servers_left = SERVERS_PER_COLLECT;
        source->threads.reads_left = PROCESS_THREAD_READS_MAX;
        source->unsettled = 0;
        source->details_denied = false;
        source->taskstats_error = source->taskstats ? 0 : source->taskstats_error;
        pass.due_left = due_count(source, pass.elapsed_usec);
        process_users_refresh(&source->users);
        process_open_files_begin(&source->open_files);

        look_at_all(&pass);
        process_open_files_end(&source->open_files);

        /* Parents may have higher numbers than their children: all must be known before any is settled. */
        for (size_t i = 0; source->unsettled > 0 && i < source->table.count; i++)
                if (!source->table.entries[i]->has_origin && !source->table.entries[i]->is_gone)
                        process_identity_settle_origin(&source->table, source->table.entries[i]);
        process_table_sweep(&source->table, bury, source);
        sample->dropped += dropped;
        return 0;
}

const struct process_source_ops process_source_proc = {
        .name = "proc",
        .collect = collect,
};
