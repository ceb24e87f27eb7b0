/* Sums schedstat over the threads of a process. */
#include "daemon/sample/process_threads.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/cleanup.h"

struct thread {
        uint32_t tid;
        struct process_schedstat last;
};

struct process_threads {
        size_t count;
        struct thread threads[PROCESS_THREADS_MAX]; /* sorted by tid */
};

static uint64_t grown(uint64_t from, uint64_t to)
{
        return to > from ? to - from : 0;
}

static void add(struct process_schedstat *total, const struct process_schedstat *from,
                const struct process_schedstat *to)
{
        total->run_nsec += grown(from->run_nsec, to->run_nsec);
        total->run_delay_nsec += grown(from->run_delay_nsec, to->run_delay_nsec);
        total->slices += grown(from->slices, to->slices);
}

void process_threads_add_main(struct process_entry *entry, const struct process_schedstat *now)
{
        add(&entry->total, &entry->main_thread, now);
        entry->main_thread = *now;
        entry->has_schedstat = true;
}

static const struct thread *find(const struct process_threads *list, uint32_t tid)
{
        for (size_t i = 0; list && i < list->count; i++)
                if (list->threads[i].tid == tid)
                        return &list->threads[i];
        return NULL;
}

void process_threads_read(const struct process_files *files, struct process_threads_budget *budget,
                          struct process_entry *entry, uint32_t threads, void *buffer, size_t size)
{
        static const struct process_schedstat none;
        uint32_t tids[PROCESS_THREADS_MAX];
        struct process_threads now;

        if (threads > PROCESS_THREADS_MAX || (!entry->threads && budget->tables_left == 0)) {
                entry->has_unseen_threads = true;
                return;
        }
        if (threads > budget->reads_left)
                return; /* what they did is added the next time */
        budget->reads_left -= threads;
        CLEANUP_CLOSE int fd = process_files_open(files, entry->pid, "task", true);
        if (fd < 0)
                return;
        ssize_t n = process_files_list(fd, buffer, size, tids, PROCESS_THREADS_MAX);
        if (n < 0)
                return;
        now.count = 0;
        for (size_t i = 0; i < (size_t)n && i < PROCESS_THREADS_MAX; i++) {
                char name[32], text[96];
                if (tids[i] == entry->pid)
                        continue;
                text_format(name, sizeof(name), "task/%" PRIu32 "/schedstat", tids[i]);
                struct thread thread = { .tid = tids[i] };
                if (process_files_read_once(files, entry->pid, name, text, sizeof(text)) < 0 ||
                    process_parse_schedstat(text, &thread.last) < 0)
                        continue;
                const struct thread *before = find(entry->threads, tids[i]);
                add(&entry->total, before ? &before->last : &none, &thread.last);
                now.threads[now.count++] = thread;
        }
        if (!entry->threads) {
                entry->threads = malloc(sizeof(now));
                if (!entry->threads) {
                        entry->has_unseen_threads = true;
                        return;
                }
                budget->tables_left--;
        }
        entry->has_unseen_threads = (size_t)n > PROCESS_THREADS_MAX;
        entry->threads->count = now.count;
        for (size_t i = 0; i < now.count; i++)
                entry->threads->threads[i] = now.threads[i];
}

void process_threads_free(struct process_threads_budget *budget, struct process_entry *entry)
{
        if (!entry->threads)
                return;
        free(entry->threads);
        entry->threads = NULL;
        budget->tables_left++;
}
