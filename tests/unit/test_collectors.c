/* The whole sampler: on this machine for three rounds, and on machines that lack nearly everything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/sample/collectors.h"
#include "tests/support/tree.h"

static struct sample samples[2];

static const struct collector_status *status_of(const struct sample *sample, const char *name)
{
        for (size_t i = 0; i < sample->collector_count; i++)
                if (strcmp(sample->collectors[i].name, name) == 0)
                        return &sample->collectors[i];
        fail_msg("no collector %s", name);
        return NULL;
}

static const struct process_sample *find_process(const struct sample *sample, uint32_t pid)
{
        for (size_t i = 0; i < sample->process_count; i++)
                if (sample->processes[i].pid == pid)
                        return &sample->processes[i];
        return NULL;
}

/* Uses about as much CPU as three clock ticks of /proc/stat. */
static void use_cpu(void)
{
        volatile unsigned work = 0;
        clock_t begin = clock();
        while (clock() - begin < CLOCKS_PER_SEC * 3 / 100)
                work++;
}

static void check_plausible(const struct sample *sample)
{
        assert_true(sample->time.monotonic_usec > 0);
        assert_true(sample->machine.hz == 100 || sample->machine.hz == 1024);
        assert_int_equal(sample->machine.page_bytes, sysconf(_SC_PAGESIZE));
        assert_true(sample->machine.cpus >= 1 && sample->machine.cpus <= CPUS_MAX);
        assert_true(sample->machine.kernel[0] && sample->machine.boot_id[0]);
        assert_true(sample->machine.boot_realtime_usec < sample->time.realtime_usec);
        assert_true(sample->stat.all.user != ABSENT && sample->stat.all.idle != ABSENT);
        assert_true(sample->load.tasks > 0 && sample->load.tasks != ABSENT);
        assert_true(sample->meminfo.total_bytes > 16 << 20);
        assert_true(sample->meminfo.free_bytes <= sample->meminfo.total_bytes);
        assert_true(sample->vmstat.faults > 0 && sample->vmstat.faults != ABSENT);
        assert_true(sample->uptime_usec != ABSENT);
        assert_true(sample->interface_count >= 1);
        assert_true(sample->mount_count >= 1 && sample->mounts != NULL);
        const struct process_sample *self = find_process(sample, (uint32_t)getpid());
        assert_non_null(self);
        assert_string_equal(self->identity->comm, "test_collectors");
        assert_true(sample->files_open > 0 && sample->files_open <= sample->files_max);
        for (size_t i = 1; i < sample->cgroup_count; i++)
                assert_true(sample->cgroups[i].id > sample->cgroups[i - 1].id);
}

static uint64_t own_files(void)
{
        struct dirent *entry;
        uint64_t count = 0;
        DIR *directory = opendir("/proc/self/fd");
        assert_non_null(directory);
        while ((entry = readdir(directory)))
                count += entry->d_name[0] != '.';
        (void)closedir(directory);
        return count - 1; /* the directory's own */
}

/* As far as the round has come to this process: on a machine with many that is not every time. */
static void check_files(const struct process_sample *self)
{
        if (self->files == ABSENT)
                return;
        assert_in_range(self->files, 3, 2 * own_files()); /* it opens files itself while it looks round */
        assert_true(self->files_limit == ABSENT || self->files_limit == (uint64_t)sysconf(_SC_OPEN_MAX));
}

static void test_live(void **state)
{
        struct root root;
        struct sampler *sampler = NULL;
        struct sampler_options options = { .without_taskstats = false };
        (void)state;
        assert_int_equal(root_init(&root, "/"), 0);
        assert_int_equal(sampler_new(&root, &clock_real, &options, &sampler), 0);
        for (int round = 0; round < 3; round++) {
                struct sample *sample = &samples[round % 2], *older = &samples[(round + 1) % 2];
                use_cpu();
                sampler_collect(sampler, sample);
                check_plausible(sample);
                assert_int_equal(status_of(sample, "stat")->state, COLLECTOR_OK);
                assert_int_equal(status_of(sample, "meminfo")->state, COLLECTOR_OK);
                assert_int_equal(status_of(sample, "mounts")->state, COLLECTOR_OK);
                assert_int_equal(status_of(sample, "diskstats")->state, COLLECTOR_OK);
                if (round == 0)
                        continue;
                assert_true(sample->time.monotonic_usec > older->time.monotonic_usec);
                assert_true(sample->stat.all.user + sample->stat.all.system + sample->stat.all.idle >
                            older->stat.all.user + older->stat.all.system + older->stat.all.idle);
                assert_true(sample->vmstat.faults >= older->vmstat.faults);
                const struct process_sample *now = find_process(sample, (uint32_t)getpid());
                const struct process_sample *before = find_process(older, (uint32_t)getpid());
                assert_true(now->user_ticks + now->system_ticks > before->user_ticks + before->system_ticks);
                check_files(now);
        }
        sampler = sampler_free(sampler);
        root_done(&root);
}

static void test_no_proc(void **state)
{
        struct sampler *sampler = NULL;
        struct sampler_options options = { .without_taskstats = true };
        struct tree tree;
        (void)state;
        tree_init(&tree);
        tree_remove(&tree, "proc");
        root_done(&tree.root);
        assert_int_equal(root_init(&tree.root, tree.path), 0);
        assert_int_equal(sampler_new(&tree.root, &clock_real, &options, &sampler), -ENOENT);
        assert_null(sampler_free(NULL));
        tree_done(&tree);
}

static void test_empty_proc(void **state)
{
        struct sampler *sampler = NULL;
        struct sampler_options options = { .without_taskstats = true };
        struct tree tree;
        (void)state;
        tree_init(&tree);
        assert_int_equal(sampler_new(&tree.root, &clock_real, &options, &sampler), 0);
        for (int round = 0; round < 3; round++) {
                struct sample *sample = &samples[round % 2];
                sampler_collect(sampler, sample);
                assert_int_equal(sample->process_count, 0);
                assert_int_equal(sample->stat.all.user, ABSENT);
                assert_int_equal(sample->pressure[PRESSURE_MEMORY].some_total_usec, ABSENT);
                assert_int_equal(sample->machine.hz, 100);
                assert_int_equal(status_of(sample, "stat")->state, COLLECTOR_ABSENT);
                assert_int_equal(status_of(sample, "pressure.cpu")->state, COLLECTOR_ABSENT);
                assert_int_equal(status_of(sample, "cgroups")->state, COLLECTOR_ABSENT);
                assert_int_equal(status_of(sample, "kmsg")->state, COLLECTOR_ABSENT);
        }
        sampler = sampler_free(sampler);
        tree_done(&tree);
}

/* Every file is there, and every one holds garbage, or nothing, or no end of line. */
static void test_garbage(void **state)
{
        static const char *const files[] = {
                "proc/stat",
                "proc/pressure/cpu",
                "proc/pressure/memory",
                "proc/pressure/io",
                "proc/vmstat",
                "proc/meminfo",
                "proc/diskstats",
                "proc/net/dev",
                "proc/loadavg",
                "proc/uptime",
                "proc/swaps",
                "proc/self/mountinfo",
                "dev/kmsg",
                "proc/sys/fs/file-nr",
                "proc/1/limits",
                "proc/1/cgroup",
                "proc/1/stat",
                "proc/1/status",
                "slowd.machine",
                "proc/1/io",
                "proc/1/cmdline",
                "proc/1/schedstat",
                "sys/fs/cgroup/cgroup.controllers",
        };
        static const char *const contents[] = { "", "\n\n\n", "\377\376\200 : / , ; = ((", "cpu cpu cpu",
                                                "99999999999999999999999 -1 0x7f 1e9 nan" };
        struct sampler_options options = { .without_taskstats = true };
        struct tree tree;
        (void)state;
        tree_init(&tree);
        for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
                struct sampler *sampler = NULL;
                for (size_t k = 0; k < sizeof(files) / sizeof(files[0]); k++)
                        tree_write(&tree, files[k], contents[i]);
                assert_int_equal(sampler_new(&tree.root, &clock_real, &options, &sampler), 0);
                sampler_collect(sampler, &samples[0]);
                sampler_collect(sampler, &samples[1]);
                assert_int_equal(status_of(&samples[1], "stat")->state, COLLECTOR_FAILED);
                assert_int_equal(status_of(&samples[1], "meminfo")->state, COLLECTOR_FAILED);
                assert_true(status_of(&samples[1], "meminfo")->error < 0);
                assert_int_equal(samples[1].meminfo.total_bytes, ABSENT);
                assert_int_equal(samples[1].stat.all.user, ABSENT);
                assert_int_equal(samples[1].disk_count, 0);
                sampler = sampler_free(sampler);
        }
        tree_done(&tree);
}

/* A directory where a file should be, a file over every cap, and one that comes later. */
static void test_odd_files(void **state)
{
        static char huge[3 << 20];
        struct sampler *sampler = NULL;
        struct sampler_options options = { .without_taskstats = true };
        struct tree tree;
        (void)state;
        tree_init(&tree);
        memset(huge, 'x', sizeof(huge));
        memcpy(huge, "ctxt 5\n", 7);
        tree_write_bytes(&tree, "proc/stat", huge, sizeof(huge));
        tree_make_directory(&tree, "proc/meminfo");
        assert_int_equal(sampler_new(&tree.root, &clock_real, &options, &sampler), 0);
        sampler_collect(sampler, &samples[0]);
        assert_int_equal(samples[0].stat.context_switches, 5); /* what fits is good */
        assert_int_equal(status_of(&samples[0], "stat")->error, -EFBIG);
        assert_int_equal(status_of(&samples[0], "meminfo")->state, COLLECTOR_FAILED);
        assert_int_equal(status_of(&samples[0], "loadavg")->state, COLLECTOR_ABSENT);
        tree_write(&tree, "proc/loadavg", "1.00 2.00 3.00 1/9 10");
        tree_remove(&tree, "proc/meminfo");
        tree_write(&tree, "proc/meminfo", "MemTotal: 8 kB");
        sampler_collect(sampler, &samples[0]); /* the same sample again is allowed */
        assert_int_equal(status_of(&samples[0], "loadavg")->state, COLLECTOR_OK);
        assert_int_equal(samples[0].load.load1_milli, 1000);
        assert_int_equal(samples[0].meminfo.total_bytes, 8192);
        sampler = sampler_free(sampler);
        tree_done(&tree);
}

static int release(void **state)
{
        (void)state;
        sample_done(&samples[0]);
        sample_done(&samples[1]);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_no_proc), cmocka_unit_test(test_empty_proc),
                cmocka_unit_test(test_garbage), cmocka_unit_test(test_odd_files),
                cmocka_unit_test(test_live),
        };
        return cmocka_run_group_tests(tests, NULL, release);
}
