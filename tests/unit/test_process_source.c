/* The process source over a made-up /proc: what it reads, remembers and forgets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <unistd.h>

#include "daemon/sample/cgroup_path.h"
#include "daemon/sample/process.h"
#include "daemon/sample/process_source.h"
#include "tests/support/tree.h"

struct fixture {
        struct tree tree;
        struct process_source *source;
        struct sample samples[2];
        size_t turn;
};

/* A process as its files say. */
struct made {
        uint32_t pid, ppid;
        const char *comm;
        char state;
        uint64_t start_ticks, user_ticks, faults;
        uint32_t threads;
        const char *schedstat;
        uint32_t uid;
        const char *exe, *cwd, *cgroup;
        struct span arguments;
};

static void write_stat(const struct fixture *f, const struct made *p)
{
        char path[64], text[512];
        (void)snprintf(path, sizeof(path), "proc/%u/stat", p->pid);
        (void)snprintf(text, sizeof(text),
                       "%u (%s) %c %u 1 1 0 -1 4194304 %lu 0 0 0 %lu 0 0 0 20 0 %u 0 %lu 3133440 414 "
                       "18446744073709551615 "
                       "%u 9 %zu 0 0 0 0 0 0 0 0 0 17 1 0 0 9 0 0 1 2 3 4 5 6 7 0\n",
                       p->pid, p->comm, p->state ? p->state : 'S', p->ppid, (unsigned long)p->faults,
                       (unsigned long)p->user_ticks, p->threads ? p->threads : 1,
                       (unsigned long)p->start_ticks, p->pid * 16, strlen(p->comm));
        tree_write(&f->tree, path, text);
}

static void write_text(const struct fixture *f, uint32_t pid, const char *name, const char *text)
{
        char path[64];
        (void)snprintf(path, sizeof(path), "proc/%u/%s", pid, name);
        tree_write(&f->tree, path, text);
}

static void write_link(const struct fixture *f, uint32_t pid, const char *name, const char *target)
{
        char path[64];
        (void)snprintf(path, sizeof(path), "proc/%u/%s", pid, name);
        (void)unlinkat(f->tree.root.fd, path, 0);
        if (target)
                assert_int_equal(symlinkat(target, f->tree.root.fd, path), 0);
}

static void make(const struct fixture *f, const struct made *p)
{
        char text[512];
        write_stat(f, p);
        (void)snprintf(text, sizeof(text),
                       "Name:\t%s\nState:\tS (sleeping)\nPPid:\t%u\nUid:\t%u\t%u\t%u\t%u\nVmRSS:\t40 "
                       "kB\nRssAnon:\t8 kB\n"
                       "RssFile:\t32 kB\nRssShmem:\t0 kB\nVmSwap:\t4 kB\n",
                       p->comm, p->ppid, p->uid, p->uid, p->uid, p->uid);
        write_text(f, p->pid, "status", text);
        write_text(f, p->pid, "statm", "765 10 8 5 0 124 0\n");
        write_text(f, p->pid, "io",
                   "rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 4096\nwrite_bytes: 8192\n"
                   "cancelled_write_bytes: 0\n");
        write_text(f, p->pid, "schedstat", p->schedstat ? p->schedstat : "1000 200 3\n");
        write_text(f, p->pid, "cgroup", p->cgroup ? p->cgroup : "0::/system.slice/cron.service\n");
        (void)snprintf(text, sizeof(text), "proc/%u/cmdline", p->pid);
        tree_write_bytes(&f->tree, text, p->arguments.at ? p->arguments.at : "", p->arguments.length);
        write_link(f, p->pid, "exe", p->exe);
        write_link(f, p->pid, "cwd", p->cwd);
}

static void end(const struct fixture *f, uint32_t pid)
{
        char path[64];
        (void)snprintf(path, sizeof(path), "proc/%u", pid);
        tree_remove(&f->tree, path);
}

static const struct sample *collect(struct fixture *f)
{
        const struct sample *older = f->turn > 0 ? &f->samples[(f->turn - 1) % 2] : NULL;
        struct sample *sample = &f->samples[f->turn++ % 2];
        sample->collector_count = 0;
        sample->dropped = 0;
        sample->time.monotonic_usec = f->turn * USEC_PER_SEC;
        sample->time.boottime_usec = sample->time.monotonic_usec;
        process_source_collect(f->source, older, sample);
        for (size_t i = 1; i < sample->process_count; i++)
                assert_true(sample->processes[i - 1].pid < sample->processes[i].pid);
        return sample;
}

static const struct process_sample *find(const struct sample *sample, uint32_t pid)
{
        for (size_t i = 0; i < sample->process_count; i++)
                if (sample->processes[i].pid == pid)
                        return &sample->processes[i];
        return NULL;
}

static int begin(void **state)
{
        static const struct machine machine = { .hz = 100, .page_bytes = 4096 };
        struct fixture *f = calloc(1, sizeof(*f));
        tree_init(&f->tree);
        *state = f;
        return process_source_new(&f->tree.root, &machine, false, &f->source);
}

static int finish(void **state)
{
        struct fixture *f = *state;
        f->source = process_source_free(f->source);
        free(f->samples[0].processes);
        free(f->samples[1].processes);
        tree_done(&f->tree);
        free(f);
        return 0;
}

static void no_proc_no_source(void **state)
{
        const struct root root = { .fd = -1, .proc_fd = -1 };
        const struct machine machine = { .hz = 100 };
        struct process_source *source = NULL;
        (void)state;
        assert_int_equal(process_source_new(&root, &machine, false, &source), -ENOENT);
        assert_null(source);
        assert_null(process_source_free(NULL));
}

static void an_empty_proc_is_no_error(void **state)
{
        const struct sample *sample = collect(*state);
        assert_int_equal(sample->process_count, 0);
        assert_int_equal(sample->collector_count, PROCESS_STATUS_MAX);
        assert_string_equal(sample->collectors[0].name, "processes");
        assert_int_equal(sample->collectors[0].state, COLLECTOR_OK);
        assert_int_equal(sample->collectors[1].state,
                         COLLECTOR_ABSENT); /* netlink speaks of another machine */
        assert_true(sample->delay_accounting_since_usec == ABSENT);
}

static void broken_processes_are_left_out(void **state)
{
        struct fixture *f = *state;
        tree_make_directory(&f->tree, "proc/3");
        tree_make_directory(&f->tree, "proc/99999999999");
        tree_make_directory(&f->tree, "proc/self");
        tree_make_directory(&f->tree, "proc/7x");
        write_text(f, 4, "stat", "garbage");
        write_text(f, 5, "stat", "");
        make(f, &(struct made){ .pid = 6, .comm = "ok" });
        const struct sample *sample = collect(f);
        assert_int_equal(sample->process_count, 1);
        assert_int_equal(sample->processes[0].pid, 6);
        assert_int_equal(collect(f)->process_count, 1);
}

static void only_stat_is_needed(void **state)
{
        struct fixture *f = *state;
        write_stat(f,
                   &(struct made){ .pid = 6, .ppid = 1, .comm = "bare", .start_ticks = 5, .user_ticks = 17 });
        const struct sample *sample = collect(f);
        assert_int_equal(sample->process_count, 1);
        const struct process_sample *p = &sample->processes[0];
        assert_int_equal(p->user_ticks, 17);
        assert_int_equal(p->rss_bytes, 414 * 4096);
        assert_int_equal(p->delays, DELAYS_NONE);
        assert_true(p->run_nsec == ABSENT && p->run_delay_nsec == ABSENT && p->block_delay_nsec == ABSENT);
        assert_true(p->read_bytes == ABSENT && p->swap_bytes == ABSENT && p->autogroup == ABSENT);
        assert_string_equal(p->identity->name, "bare");
        assert_string_equal(p->identity->unit, "");
        assert_string_equal(p->identity->command_line, "");
}

static void everything_of_one_process(void **state)
{
        struct fixture *f = *state;
        tree_write(&f->tree, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\n\nbroken\nwww-data:x:33:33:::\n");
        make(f, &(struct made){ .pid = 6,
                                .ppid = 1,
                                .comm = "ffmpeg",
                                .start_ticks = 500,
                                .user_ticks = 17,
                                .uid = 33,
                                .exe = "/usr/bin/ffmpeg (deleted)",
                                .cwd = "/srv",
                                .arguments = SPAN("ffmpeg\0-i\0a b\0") });
        const struct process_sample *p = &collect(f)->processes[0];
        const struct process_identity *who = p->identity;
        assert_int_equal(p->pid, 6);
        assert_int_equal(p->ppid, 1);
        assert_int_equal(p->start_ticks, 500);
        assert_int_equal(p->state, 'S');
        assert_int_equal(p->run_nsec, 1000);
        assert_int_equal(p->run_delay_nsec, 200);
        assert_int_equal(p->slices, 3);
        assert_int_equal(p->delays, DELAYS_RUN_ONLY);
        assert_int_equal(p->rss_bytes, 10 * 4096);
        assert_int_equal(p->rss_anon_bytes, 8 * 1024);
        assert_int_equal(p->swap_bytes, 4 * 1024);
        assert_int_equal(p->read_bytes, 4096);
        assert_int_equal(p->write_chars, 2);
        assert_false(p->is_idle);
        assert_false(who->is_partial);
        assert_int_equal(who->pid, 6);
        assert_int_equal(who->start_ticks, 500);
        assert_int_equal(who->uid, 33);
        assert_string_equal(who->user, "www-data");
        assert_string_equal(who->name, "ffmpeg");
        assert_string_equal(who->exe, "/usr/bin/ffmpeg (deleted)");
        assert_string_equal(who->command_line, "ffmpeg -i a b");
        assert_string_equal(who->working_directory, "/srv");
        assert_string_equal(who->unit, "cron.service");
        assert_int_equal(who->cgroup_id, cgroup_id_of_path("/system.slice/cron.service"));

        /* a user who came later */
        tree_write(&f->tree, "etc/passwd", "root:x:0:0:::\nbuild:x:1001:1001:::\n");
        make(f, &(struct made){ .pid = 7, .ppid = 1, .comm = "cc", .uid = 1001 });
        make(f, &(struct made){ .pid = 8, .ppid = 1, .comm = "cc", .uid = 1002 });
        const struct sample *sample = collect(f);
        assert_string_equal(find(sample, 7)->identity->user, "build");
        assert_string_equal(find(sample, 8)->identity->user, "1002");
}

static void origin_is_found_in_any_order_and_outlives_ancestors(void **state)
{
        struct fixture *f = *state;
        make(f, &(struct made){ .pid = 1, .comm = "systemd", .exe = "/usr/lib/systemd/systemd" });
        make(f, &(struct made){ .pid = 30, .ppid = 1, .comm = "cron", .exe = "/usr/sbin/cron" });
        make(f, &(struct made){ .pid = 20,
                                .ppid = 30,
                                .comm = "deploy.sh",
                                .exe = "/usr/bin/bash",
                                .cwd = "/src/videos",
                                .arguments = SPAN("/bin/bash\0./deploy.sh\0") });
        make(f, &(struct made){ .pid = 10,
                                .ppid = 20,
                                .comm = "ffmpeg",
                                .exe = "/usr/bin/ffmpeg",
                                .cwd = "/tmp",
                                .arguments = SPAN("ffmpeg\0") });
        const struct sample *sample = collect(f);
        const struct process_identity *who = find(sample, 10)->identity;
        assert_string_equal(find(sample, 20)->identity->script, "/src/videos/deploy.sh");
        assert_string_equal(who->script, "");
        assert_string_equal(who->origin_script, "/src/videos/deploy.sh");
        assert_string_equal(who->origin_directory, "/src/videos");
        assert_int_equal(who->chain_length, 3);
        assert_string_equal(who->chain[0].name, "deploy.sh");
        assert_int_equal(who->chain[0].pid, 20);
        assert_string_equal(who->chain[2].name, "systemd");

        end(f, 20);
        write_stat(f, &(struct made){ .pid = 10, .ppid = 1, .comm = "ffmpeg", .user_ticks = 1 });
        write_text(f, 10, "schedstat", "2000 200 4\n");
        make(f, &(struct made){ .pid = 40, .ppid = 10, .comm = "x264", .exe = "/usr/bin/x264" });
        sample = collect(f);
        who = find(sample, 10)->identity;
        assert_int_equal(find(sample, 10)->ppid, 1);
        assert_int_equal(who->ppid, 20);
        assert_string_equal(who->origin_script, "/src/videos/deploy.sh");
        /* and what a child of it inherits */
        who = find(sample, 40)->identity;
        assert_int_equal(who->chain_length, 4);
        assert_string_equal(who->chain[1].name, "deploy.sh");
        assert_string_equal(who->origin_script, "/src/videos/deploy.sh");
}

static void long_chains_are_cut_and_loops_end(void **state)
{
        struct fixture *f = *state;
        for (uint32_t pid = 100; pid > 60; pid--)
                make(f, &(struct made){ .pid = pid, .ppid = pid + 1, .comm = "p" });
        make(f, &(struct made){ .pid = 5, .ppid = 6, .comm = "a" });
        make(f, &(struct made){ .pid = 6, .ppid = 5, .comm = "b" });
        make(f, &(struct made){ .pid = 7, .ppid = 7, .comm = "c" });
        const struct sample *sample = collect(f);
        assert_int_equal(sample->process_count, 43);
        assert_int_equal(find(sample, 61)->identity->chain_length, ORIGIN_CHAIN_MAX);
        assert_int_equal(find(sample, 61)->identity->chain[5].pid, 67);
        assert_true(find(sample, 5)->identity->chain_length <= ORIGIN_CHAIN_MAX);
        assert_int_equal(find(sample, 7)->identity->chain_length, 0);
}

static void an_exec_is_noticed(void **state)
{
        struct fixture *f = *state;
        const struct made shell = { .pid = 6,
                                    .ppid = 1,
                                    .comm = "run.sh",
                                    .start_ticks = 9,
                                    .exe = "/usr/bin/bash",
                                    .cwd = "/srv",
                                    .arguments = SPAN("/bin/bash\0run.sh\0") };
        make(f, &shell);
        const struct process_identity *who = collect(f)->processes[0].identity;
        assert_string_equal(who->name, "run.sh");
        (void)collect(f);
        make(f, &(struct made){ .pid = 6,
                                .ppid = 1,
                                .comm = "ffmpeg",
                                .start_ticks = 9,
                                .exe = "/usr/bin/ffmpeg",
                                .cwd = "/tmp",
                                .arguments = SPAN("ffmpeg\0"),
                                .schedstat = "5000 200 9\n" });
        const struct sample *sample = collect(f);
        assert_ptr_equal(sample->processes[0].identity, who); /* the same process */
        assert_string_equal(who->name, "ffmpeg");
        assert_string_equal(who->comm, "ffmpeg");
        assert_string_equal(who->command_line, "ffmpeg");
        assert_string_equal(who->script, "");
        assert_string_equal(who->origin_script, "/srv/run.sh"); /* what it was before */
        assert_string_equal(who->origin_directory, "/srv");
}

static void a_recycled_pid_is_another_process(void **state)
{
        struct fixture *f = *state;
        make(f, &(struct made){ .pid = 6, .ppid = 1, .comm = "old", .start_ticks = 9 });
        (void)collect(f);
        const struct sample *older = collect(f);
        const struct process_identity *former = older->processes[0].identity;
        make(f,
             &(struct made){ .pid = 6, .ppid = 1, .comm = "new", .start_ticks = 10, .schedstat = "7 0 1\n" });
        const struct sample *sample = collect(f);
        assert_int_equal(sample->process_count, 1);
        assert_ptr_not_equal(sample->processes[0].identity, former);
        assert_string_equal(sample->processes[0].identity->name, "new");
        assert_int_equal(sample->processes[0].run_nsec, 7);
        assert_string_equal(former->name, "old"); /* the older sample is still whole */
        assert_int_equal(former->start_ticks, 9);
}

static void identities_outlive_their_process_by_one_collect(void **state)
{
        struct fixture *f = *state;
        make(f, &(struct made){ .pid = 6, .comm = "short" });
        const struct process_identity *who = collect(f)->processes[0].identity;
        end(f, 6);
        for (uint32_t pid = 100; pid < 200; pid++) /* would take its place, if it were free */
                make(f, &(struct made){ .pid = pid, .comm = "next" });
        const struct sample *sample = collect(f);
        assert_int_equal(sample->process_count, 100);
        assert_string_equal(who->name, "short");
}

static void sleepers_are_not_read_again(void **state)
{
        struct fixture *f = *state;
        make(f, &(struct made){ .pid = 6, .comm = "idle", .user_ticks = 3 });
        for (uint32_t pid = 10; pid < 20; pid++) /* so that 6 is not due in the slow round each time */
                make(f, &(struct made){ .pid = pid, .comm = "other" });
        assert_false(find(collect(f), 6)->is_idle);
        (void)collect(f);
        write_text(f, 6, "stat", "unreadable by now");
        const struct process_sample *p = find(collect(f), 6);
        assert_true(p->is_idle);
        assert_int_equal(p->user_ticks, 3);
        assert_int_equal(p->read_bytes, 4096);

        write_stat(f, &(struct made){ .pid = 6, .comm = "idle", .user_ticks = 4 });
        write_text(f, 6, "schedstat", "1500 200 4\n");
        p = find(collect(f), 6);
        assert_false(p->is_idle);
        assert_int_equal(p->user_ticks, 4);
        assert_int_equal(p->run_nsec, 1500);
}

static void the_slow_round_sees_what_others_did(void **state)
{
        struct fixture *f = *state;
        make(f, &(struct made){ .pid = 6, .comm = "idle" });
        (void)collect(f);
        (void)collect(f);
        write_text(f, 6, "status",
                   "State:\tT (stopped)\nPPid:\t1\nUid:\t0\t0\t0\t0\nVmRSS:\t4 kB\nVmSwap:\t36 kB\n");
        const struct process_sample *p = NULL;
        for (size_t i = 0; i < 61; i++) /* a second each */
                p = find(collect(f), 6);
        assert_true(p->is_idle);
        assert_int_equal(p->state, 'T');
        assert_int_equal(p->swap_bytes, 36 * 1024);
        assert_int_equal(p->rss_bytes, 4 * 1024);
}

static void runners_are_read_again(void **state)
{
        struct fixture *f = *state;
        make(f, &(struct made){ .pid = 6, .comm = "busy", .state = 'R' });
        (void)collect(f);
        for (uint64_t tick = 1; tick < 5; tick++) {
                write_stat(f, &(struct made){ .pid = 6, .comm = "busy", .state = 'R', .user_ticks = tick });
                const struct process_sample *p = find(collect(f), 6);
                assert_false(p->is_idle); /* although schedstat stands still: it waits to run */
                assert_int_equal(p->user_ticks, tick);
        }
}

static void kernels_without_schedstat(void **state)
{
        struct fixture *f = *state;
        make(f, &(struct made){ .pid = 6, .comm = "x", .schedstat = "0 0 0\n" });
        (void)collect(f);
        write_stat(f, &(struct made){ .pid = 6, .comm = "x", .user_ticks = 9 });
        const struct process_sample *p = find(collect(f), 6);
        assert_int_equal(p->user_ticks, 9);
        assert_false(p->is_idle);
        assert_int_equal(p->delays, DELAYS_NONE);
        assert_true(p->run_nsec == ABSENT);
}

static void threads_are_summed_and_never_lost(void **state)
{
        struct fixture *f = *state;
        struct made p = { .pid = 6, .comm = "java", .threads = 3, .schedstat = "1000 10 1\n" };
        make(f, &p);
        write_text(f, 6, "task/6/schedstat", "1000 10 1\n");
        write_text(f, 6, "task/7/schedstat", "200 20 2\n");
        write_text(f, 6, "task/8/schedstat", "30 30 3\n");
        const struct process_sample *sample = find(collect(f), 6);
        assert_int_equal(sample->run_nsec, 1230);
        assert_int_equal(sample->run_delay_nsec, 60);
        assert_int_equal(sample->slices, 6);
        assert_int_equal(sample->delays, DELAYS_RUN_ONLY);

        tree_remove(&f->tree, "proc/6/task/8"); /* one ends, one begins, one runs on */
        write_text(f, 6, "task/9/schedstat", "5 0 1\n");
        write_text(f, 6, "task/7/schedstat", "300 20 3\n");
        p.user_ticks = 1;
        write_stat(f, &p);
        sample = find(collect(f), 6);
        assert_int_equal(sample->run_nsec, 1335);
        assert_int_equal(sample->slices, 8);

        p.threads = PROCESS_THREADS_MAX + 1; /* too many to follow */
        p.user_ticks = 2;
        write_stat(f, &p);
        write_text(f, 6, "schedstat", "1100 10 2\n");
        sample = find(collect(f), 6);
        assert_int_equal(sample->delays, DELAYS_MAIN_ONLY);
        assert_int_equal(sample->run_nsec, 1435);
}

static void tasks_in_d_say_what_they_wait_for(void **state)
{
        struct fixture *f = *state;
        make(f, &(struct made){ .pid = 6, .comm = "dd", .state = 'D' });
        write_text(f, 6, "wchan", "io_schedule");
        const struct process_sample *p = find(collect(f), 6);
        assert_int_equal(p->state, 'D');
        assert_string_equal(p->wait_channel, "io_schedule");
        write_stat(f, &(struct made){ .pid = 6, .comm = "dd", .state = 'S' });
        assert_string_equal(find(collect(f), 6)->wait_channel, "");
}

/* More new processes than a tick reads the details of: the rest is there all the same, and completed later.
 */
static void bursts_are_worked_off(void **state)
{
        struct fixture *f = *state;
        const uint32_t count = PROCESS_IDENTITIES_PER_COLLECT + 200;
        for (uint32_t pid = 1000; pid < 1000 + count; pid++) {
                struct made p = { .pid = pid, .ppid = 1000 + count, .comm = "burst" };
                write_stat(f, &p);
                write_link(f, pid, "exe", "/usr/bin/burst-program");
        }
        make(f, &(struct made){ .pid = 1000 + count,
                                .comm = "sh",
                                .exe = "/bin/dash",
                                .cwd = "/src",
                                .arguments = SPAN("sh\0./storm.sh\0") });
        const struct sample *sample = collect(f);
        size_t partial = 0;
        assert_int_equal(sample->process_count, count + 1);
        for (size_t i = 0; i < sample->process_count; i++) {
                const struct process_identity *who = sample->processes[i].identity;
                partial += who->is_partial;
                if (who->is_partial && who->pid != 1000 + count)
                        assert_string_equal(who->name, "burst");
        }
        assert_int_equal(partial, count + 1 - PROCESS_IDENTITIES_PER_COLLECT);
        sample = collect(f);
        for (size_t i = 0; i < count; i++) {
                const struct process_identity *who = sample->processes[i].identity;
                assert_false(who->is_partial);
                assert_string_equal(who->name, "burst-program");
                assert_string_equal(who->origin_script, "/src/storm.sh");
        }
}

static void servers_are_looked_for_where_asked(void **state)
{
        static const char header[] =
                "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt\n";
        struct fixture *f = *state;
        char table[512];
        for (uint32_t pid = 6; pid < 9; pid++) {
                make(f, &(struct made){ .pid = pid,
                                        .comm = "web",
                                        .cgroup = pid < 8 ? "0::/web.service\n" : "0::/else.service\n" });
                write_text(f, pid, "fd/note", "");
                write_link(f, pid, "fd/3", "socket:[4242]");
                (void)snprintf(table, sizeof(table),
                               "%s   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 "
                               "00000000     0        0 "
                               "%u 1 0000000000000000 100 0 0 10 0\n",
                               header, pid == 7 ? 1 : 4242);
                write_text(f, pid, "net/tcp", table);
        }
        (void)collect(f);
        const uint64_t asked = cgroup_id_of_path("/web.service");
        process_source_examine_servers(f->source, &asked, 1);
        const struct sample *sample = collect(f);
        assert_true(find(sample, 6)->is_server_known && find(sample, 6)->is_server);
        assert_true(find(sample, 7)->is_server_known && !find(sample, 7)->is_server);
        assert_false(find(sample, 8)->is_server_known);
        process_source_examine_servers(f->source, NULL, 0);
        assert_true(find(collect(f), 6)->is_server); /* remembered */
}

static void open_files(const struct fixture *f, uint32_t pid, unsigned from, unsigned count)
{
        for (unsigned i = from; i < from + count; i++) {
                char path[64];
                (void)snprintf(path, sizeof(path), "proc/%u/fd/%u", pid, i);
                tree_write(&f->tree, path, "");
        }
}

static void open_files_are_counted(void **state)
{
        struct fixture *f = *state;
        static char limits[] =
                "Limit  Soft Limit  Hard Limit  Units\n"
                "Max open files            256                  4096                 files     \n";
        make(f, &(struct made){ .pid = 6, .comm = "few" });
        make(f, &(struct made){ .pid = 7, .comm = "none" });
        make(f, &(struct made){ .pid = 8, .comm = "secret" }); /* no fd at all: not permitted, or gone */
        make(f, &(struct made){ .pid = 9, .comm = "zombie", .state = 'Z' });
        open_files(f, 6, 0, 3);
        open_files(f, 9, 0, 3);
        tree_make_directory(&f->tree, "proc/7/fd");
        write_text(f, 6, "limits", limits);
        const struct sample *sample = collect(f);
        assert_int_equal(find(sample, 6)->files, 3);
        assert_int_equal(find(sample, 6)->files_limit, 256);
        assert_int_equal(find(sample, 7)->files, 0);
        assert_true(find(sample, 7)->files_limit == ABSENT);
        assert_true(find(sample, 8)->files == ABSENT);
        assert_true(find(sample, 9)->files == ABSENT);

        /* who has not run is not counted again; who has, is */
        open_files(f, 6, 3, 2);
        (void)collect(f);
        sample = collect(f);
        assert_int_equal(find(sample, 6)->files, 3);
        write_text(f, 6, "schedstat", "2000 200 4\n");
        sample = collect(f);
        assert_int_equal(find(sample, 6)->files, 5);
        assert_int_equal(find(sample, 6)->files_limit, 256);

        /* another one with its number begins anew */
        tree_remove(&f->tree, "proc/6/fd");
        make(f, &(struct made){ .pid = 6, .comm = "other", .start_ticks = 77, .schedstat = "1 2 3\n" });
        assert_true(find(collect(f), 6)->files == ABSENT);
}

static void counting_has_a_budget(void **state)
{
        struct fixture *f = *state;
        const unsigned many = 3 * PROCESS_FILES_NAMES_MAX;
        unsigned collects = 0;
        make(f, &(struct made){ .pid = 5, .comm = "many" });
        open_files(f, 5, 0, many);
        for (uint32_t pid = 10; pid < 10 + 2 * PROCESS_FILES_COUNTS_MAX; pid++) {
                make(f, &(struct made){ .pid = pid, .comm = "one" });
                open_files(f, pid, 0, 1);
        }
        const struct sample *sample = collect(f);
        assert_true(find(sample, 5)->files == ABSENT); /* not half of it */
        while (find(sample, 5)->files == ABSENT && ++collects < 10)
                sample = collect(f);
        assert_int_equal(find(sample, 5)->files, many);
        assert_in_range(collects, 2, 4);
        for (int i = 0; i < 3; i++)
                sample = collect(f);
        for (uint32_t pid = 10; pid < 10 + 2 * PROCESS_FILES_COUNTS_MAX; pid++)
                assert_int_equal(find(sample, pid)->files, 1);

        /* those that run at every tick are counted in turn */
        unsigned counted = 0;
        for (uint32_t pid = 10; pid < 10 + 2 * PROCESS_FILES_COUNTS_MAX; pid++)
                open_files(f, pid, 1, 1);
        for (int i = 0; i < 3; i++) {
                for (uint32_t pid = 10; pid < 10 + 2 * PROCESS_FILES_COUNTS_MAX; pid++) {
                        char text[32];
                        (void)snprintf(text, sizeof(text), "%d 0 %d\n", 5000 + i, 10 + i);
                        write_text(f, pid, "schedstat", text);
                }
                sample = collect(f);
        }
        for (uint32_t pid = 10; pid < 10 + 2 * PROCESS_FILES_COUNTS_MAX; pid++)
                counted += find(sample, pid)->files == 2;
        assert_int_equal(counted, 2 * PROCESS_FILES_COUNTS_MAX);

        /* one that ends while it is counted is forgotten */
        write_text(f, 5, "schedstat", "9 9 99\n");
        (void)collect(f);
        tree_remove(&f->tree, "proc/5/fd");
        make(f, &(struct made){ .pid = 5, .comm = "next", .start_ticks = 9, .schedstat = "1 2 3\n" });
        open_files(f, 5, 0, 2);
        for (int i = 0; i < 3; i++)
                sample = collect(f);
        assert_int_equal(find(sample, 5)->files, 2);
}

#define WITH_TREE(test) cmocka_unit_test_setup_teardown(test, begin, finish)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(no_proc_no_source),
                WITH_TREE(an_empty_proc_is_no_error),
                WITH_TREE(broken_processes_are_left_out),
                WITH_TREE(only_stat_is_needed),
                WITH_TREE(everything_of_one_process),
                WITH_TREE(origin_is_found_in_any_order_and_outlives_ancestors),
                WITH_TREE(long_chains_are_cut_and_loops_end),
                WITH_TREE(an_exec_is_noticed),
                WITH_TREE(a_recycled_pid_is_another_process),
                WITH_TREE(identities_outlive_their_process_by_one_collect),
                WITH_TREE(sleepers_are_not_read_again),
                WITH_TREE(the_slow_round_sees_what_others_did),
                WITH_TREE(runners_are_read_again),
                WITH_TREE(kernels_without_schedstat),
                WITH_TREE(threads_are_summed_and_never_lost),
                WITH_TREE(tasks_in_d_say_what_they_wait_for),
                WITH_TREE(bursts_are_worked_off),
                WITH_TREE(servers_are_looked_for_where_asked),
                WITH_TREE(open_files_are_counted),
                WITH_TREE(counting_has_a_budget),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
