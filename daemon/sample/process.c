/* The process source from outside: what it opens, what it says about itself. The reading is in
 * process_proc.c. */
#include "daemon/sample/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "daemon/sample/process_source.h"

#define SETTING_SIZE 16

static const char accounting_path[] = "proc/sys/kernel/task_delayacct";

/* Is /proc that of our own pid namespace? Else the pids in it mean other processes to taskstats. */
static bool pids_are_ours(const struct root *root)
{
        char target[16];
        uint64_t pid;
        ssize_t n = root->is_live ? readlinkat(root->proc_fd, "self", target, sizeof(target)) : -1;
        return n > 0 && n < (ssize_t)sizeof(target) &&
               span_u64((struct span){ target, (size_t)n }, &pid) == 0 && pid == (uint64_t)getpid();
}

static int write_setting(const struct root *root, const char *path, const char *value)
{
        CLEANUP_CLOSE int fd = openat(root->fd, path, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        ssize_t n = write(fd, value, strlen(value));
        return n < 0 ? -errno : 0;
}

/* Tasks are given delay counters at their fork if this is set (since Linux 5.14; before, the counters were
 * always there unless the kernel was told "nodelayacct"). */
static void switch_accounting_on(struct process_source *source)
{
        char value[SETTING_SIZE];
        ssize_t n = root_read(source->root, accounting_path, value, sizeof(value));
        if (n < 0) {
                source->accounting_error = (int)n;
                return;
        }
        if (value[0] == '1') {
                source->accounting_is_on = true;
                return;
        }
        source->accounting_error =
                source->root->is_live ? write_setting(source->root, accounting_path, "1") : -EROFS;
        source->accounting_is_on = source->accounting_is_ours = source->accounting_error == 0;
}

int process_source_new(const struct root *root, const struct machine *machine, bool without_taskstats,
                       struct process_source **ret_source)
{
        char value[SETTING_SIZE];

        if (root->proc_fd < 0)
                return -ENOENT;
        struct process_source *source = calloc(1, sizeof(*source));
        if (!source)
                return -ENOMEM;
        source->ops = &process_source_proc;
        source->root = root;
        source->hz = machine->hz > 0 && machine->hz != ABSENT ? machine->hz : 100;
        source->page_bytes =
                machine->page_bytes > 0 && machine->page_bytes != ABSENT ? machine->page_bytes : 4096;
        source->users.root = root;
        source->threads.tables_left = PROCESS_THREADED_MAX;
        process_files_init(&source->files, root);
        process_open_files_init(&source->open_files, root);
        source->scratch = malloc(PROCESS_SCRATCH_BYTES);
        source->directory_fd = root_open_directory(root, "proc");
        if (source->directory_fd < 0 || !source->scratch) {
                int r = source->directory_fd < 0 ? source->directory_fd : -ENOMEM;
                (void)process_source_free(source);
                return r;
        }
        if (without_taskstats)
                source->taskstats_error = -EOPNOTSUPP;
        else if (!pids_are_ours(root))
                source->taskstats_error = -ENOENT;
        else
                source->taskstats_error = taskstats_new(&source->taskstats);
        if (source->taskstats)
                switch_accounting_on(source);
        else
                source->accounting_error = source->taskstats_error;
        source->autogroups_are_on =
                root_read(root, "proc/sys/kernel/sched_autogroup_enabled", value, sizeof(value)) > 0 &&
                value[0] == '1';
        *ret_source = source;
        return 0;
}

struct process_source *process_source_free(struct process_source *source)
{
        if (!source)
                return NULL;
        for (size_t i = 0; i < source->table.count; i++) {
                process_files_close(&source->files, source->table.entries[i], PROCESS_FILE_MAX);
                process_threads_free(&source->threads, source->table.entries[i]);
        }
        process_table_done(&source->table);
        process_users_done(&source->users);
        process_open_files_done(&source->open_files);
        (void)taskstats_free(source->taskstats);
        if (source->directory_fd >= 0)
                (void)close(source->directory_fd);
        free(source->pids);
        free(source->scratch);
        free(source);
        return NULL;
}

static void report(struct sample *sample, const char *name, int error)
{
        if (sample->collector_count >= COLLECTORS_MAX)
                return;
        enum collector_state state = COLLECTOR_FAILED;
        if (error == 0)
                state = COLLECTOR_OK;
        else if (error == -EACCES || error == -EPERM || error == -EROFS)
                state = COLLECTOR_DENIED;
        else if (error == -ENOENT || error == -EOPNOTSUPP || error == -EPROTONOSUPPORT ||
                 error == -EAFNOSUPPORT)
                state = COLLECTOR_ABSENT;
        sample->collectors[sample->collector_count++] =
                (struct collector_status){ .name = name, .state = state, .error = error };
}

void process_source_collect(struct process_source *source, const struct sample *older, struct sample *sample)
{
        sample->process_count = 0;
        if (source->accounting_is_ours && source->accounting_since_ticks == 0) {
                /* Starts are counted in whole ticks: one that shows a later tick began later. */
                source->accounting_since_usec = sample->time.monotonic_usec;
                source->accounting_since_ticks = sample->time.boottime_usec * source->hz / USEC_PER_SEC;
        }
        int r = source->ops->collect(source, older, sample);
        sample->delay_accounting_since_usec =
                source->accounting_is_on ? source->accounting_since_usec : ABSENT;
        report(sample, "processes", r);
        report(sample, "process.taskstats", source->taskstats_error);
        report(sample, "process.delays", source->accounting_error);
        report(sample, "process.details", source->details_denied ? -EACCES : 0);
}

void process_source_examine_servers(struct process_source *source, const uint64_t *cgroup_ids, size_t n)
{
        source->server_group_count = n < PROCESS_SERVER_GROUPS_MAX ? n : PROCESS_SERVER_GROUPS_MAX;
        if (source->server_group_count > 0)
                memcpy(source->server_groups, cgroup_ids, source->server_group_count * sizeof(cgroup_ids[0]));
}
