/* The parsers of control group files, v2 and v1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "daemon/sample/cgroup_files.h"

static struct cgroup_sample group;
static struct disk_sample disks[] = {
        { .name = "vda", .major = 254, .minor = 0 },
        { .name = "dm-0", .major = 253, .minor = 0, .is_stacked = true },
};
static const struct cgroup_context context = { .disks = disks, .disk_count = 2 };

static const struct cgroup_file *find(const struct cgroup_file *files, size_t count, const char *name)
{
        for (size_t i = 0; i < count; i++)
                if (strcmp(files[i].name, name) == 0)
                        return &files[i];
        fail_msg("no file %s", name);
        return NULL;
}

static int v2(const char *name, const char *text)
{
        memset(&group, 0xff, sizeof(group));
        return find(cgroup_files_v2, cgroup_files_v2_count, name)->parse(span_of(text), &context, &group);
}

static int v1(const char *name, const char *text)
{
        memset(&group, 0xff, sizeof(group));
        return find(cgroup_files_v1, cgroup_files_v1_count, name)->parse(span_of(text), &context, &group);
}

static bool is_untouched(void)
{
        struct cgroup_sample absent;
        memset(&absent, 0xff, sizeof(absent));
        return memcmp(&absent, &group, sizeof(group)) == 0;
}

/* io.stat and the blkio files may be empty: no I/O yet. */
static bool may_be_empty(const char *name)
{
        return strcmp(name, "io.stat") == 0 || strncmp(name, "blkio.", 6) == 0;
}

static void check_bad(const struct cgroup_file *file)
{
        static const char *const bad[] = { "garbage\n", "-2\n", "99999999999999999999\n", "1x", "\377\n" };
        memset(&group, 0xff, sizeof(group));
        int r = file->parse(span_of(""), &context, &group);
        if (!may_be_empty(file->name)) {
                assert_int_equal(r, -ENODATA);
                assert_true(is_untouched());
        }
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                memset(&group, 0xff, sizeof(group));
                r = file->parse(span_of(bad[i]), &context, &group);
                if (may_be_empty(file->name) || strcmp(file->name, "memory.oom_control") == 0)
                        continue;
                assert_true(r < 0);
                assert_true(is_untouched());
        }
}

static void test_bad(void **state)
{
        (void)state;
        assert_true(cgroup_files_v2_count + cgroup_files_v1_count <= CGROUP_FILES_MAX);
        for (size_t i = 0; i < cgroup_files_v2_count; i++)
                check_bad(&cgroup_files_v2[i]);
        for (size_t i = 0; i < cgroup_files_v1_count; i++)
                check_bad(&cgroup_files_v1[i]);
}

static void test_cpu(void **state)
{
        (void)state;
        assert_int_equal(v2("cpu.stat", "usage_usec 9\nuser_usec x\nsystem_usec 3\n"), -EINVAL);
        assert_int_equal(group.cpu_usage_usec, 9);
        assert_int_equal(group.cpu_user_usec, ABSENT);
        assert_int_equal(group.cpu_throttled_usec, ABSENT); /* without the cpu controller */
        assert_int_equal(v2("cpu.stat", "usage_usec 9\nnr_periods 5\nnr_throttled 4\nthrottled_usec 77\n"),
                         0);
        assert_int_equal(group.cpu_throttled_usec, 77);
        assert_int_equal(v2("cpu.max", "20000 100000\n"), 0);
        assert_int_equal(group.cpu_quota_usec, 20000);
        assert_int_equal(group.cpu_period_usec, 100000);
        assert_int_equal(v2("cpu.max", "max 100000\n"), 0);
        assert_int_equal(group.cpu_quota_usec, ABSENT);
        assert_int_equal(group.cpu_period_usec, 100000);
        assert_int_equal(v2("cpu.max", "20000\n"), -ENODATA);
        assert_true(is_untouched());

        assert_int_equal(v1("cpu.stat", "nr_periods 51\nnr_throttled 48\nthrottled_time 3838271043\n"), 0);
        assert_int_equal(group.cpu_periods, 51);
        assert_int_equal(group.cpu_throttled_periods, 48);
        assert_int_equal(group.cpu_throttled_usec, 3838271);
        assert_int_equal(v1("cpu.cfs_quota_us", "-1\n"), 0);
        assert_int_equal(group.cpu_quota_usec, ABSENT);
        assert_int_equal(v1("cpu.cfs_quota_us", "20000\n"), 0);
        assert_int_equal(group.cpu_quota_usec, 20000);
        assert_int_equal(v1("cpu.shares", "512\n"), 0);
        assert_int_equal(group.cpu_weight, 50);
        assert_int_equal(v1("cpu.shares", "18446744073709551615\n"), -ERANGE);
        assert_int_equal(v1("cpuacct.usage", "253345948148\n"), 0);
        assert_int_equal(group.cpu_usage_usec, 253345948);
}

static void test_memory(void **state)
{
        (void)state;
        assert_int_equal(v2("memory.events", "low 0\nhigh 12\nmax 3\noom 2\noom_kill 1\noom_group_kill 0\n"),
                         0);
        assert_int_equal(group.events_high, 12);
        assert_int_equal(group.events_oom_kill, 1);
        assert_int_equal(v2("memory.max", "max\n"), 0);
        assert_int_equal(group.memory_max_bytes, ABSENT);
        assert_int_equal(v2("memory.max", "157286400\n"), 0);
        assert_int_equal(group.memory_max_bytes, 157286400);
        assert_int_equal(v2("memory.stat",
                            "anon 1806336\nfile 13557760\nshmem 5\nworkingset_refault_file 1012\n"
                            "pgscan 7\npgmajfault 58\n"),
                         0);
        assert_int_equal(group.memory_anon_bytes, 1806336);
        assert_int_equal(group.refault_file, 1012);
        assert_int_equal(group.reclaim_scan, 7);
        assert_int_equal(group.memory_kernel_bytes, ABSENT); /* before Linux 5.18 */

        assert_int_equal(v1("memory.limit_in_bytes", "9223372036854771712\n"), 0);
        assert_int_equal(group.memory_max_bytes, ABSENT);
        assert_int_equal(v1("memory.limit_in_bytes", "157286400\n"), 0);
        assert_int_equal(group.memory_max_bytes, 157286400);
        group.swap_max_bytes = ABSENT;
        const struct cgroup_file *both =
                find(cgroup_files_v1, cgroup_files_v1_count, "memory.memsw.limit_in_bytes");
        assert_int_equal(both->parse(SPAN("157286500\n"), &context, &group), 0);
        assert_int_equal(group.swap_max_bytes, 100);
        assert_int_equal(both->parse(SPAN("9223372036854771712\n"), &context, &group), 0);
        assert_int_equal(group.swap_max_bytes, ABSENT);
        assert_int_equal(v1("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"), 0);
        assert_int_equal(group.events_oom_kill, 3);
        assert_int_equal(v1("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\n"), 0); /* Linux 4.12 */
        assert_int_equal(group.events_oom_kill, ABSENT);
        assert_int_equal(v1("memory.stat", "cache 1\nrss 2\ntotal_cache 13557760\ntotal_rss 1806336\n"
                                           "total_swap 4096\ntotal_pgmajfault 58\n"),
                         0);
        assert_int_equal(group.memory_anon_bytes, 1806336);
        assert_int_equal(group.swap_bytes, 4096);
}

/* What goes through a stacked device shows again below it: counted once. */
static void test_io(void **state)
{
        (void)state;
        assert_int_equal(v2("io.stat", ""), 0);
        assert_int_equal(group.read_bytes, 0);
        assert_int_equal(v2("io.stat", "254:0 rbytes=100 wbytes=20 rios=3 wios=1 dbytes=0 dios=0\n"
                                       "253:0 rbytes=100 wbytes=20 rios=4 wios=1 dbytes=0 dios=0\n"
                                       "8:0\n8:16 rbytes=7 cost.usage=5"),
                         0);
        assert_int_equal(group.read_bytes, 107);
        assert_int_equal(group.write_bytes, 20);
        assert_int_equal(group.reads, 4);
        assert_int_equal(v2("io.stat", "254:0 rbytes=100\n8:0 rbytes=many\n"), -EINVAL);
        assert_int_equal(group.read_bytes, ABSENT); /* half a sum is none */
        assert_int_equal(v1("blkio.throttle.io_service_bytes",
                            "254:0 Read 100\n254:0 Write 20\n254:0 Total 120\n"
                            "253:0 Read 100\n8:0 Read 7\nTotal 227\n"),
                         0);
        assert_int_equal(group.read_bytes, 107);
        assert_int_equal(group.write_bytes, 20);
        assert_int_equal(v1("blkio.throttle.io_service_bytes", "254:0 Read\n"), -EINVAL);
        assert_int_equal(group.read_bytes, ABSENT);
        assert_int_equal(v1("blkio.throttle.io_serviced", "Total 0\n"), 0);
        assert_int_equal(group.reads, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_bad), cmocka_unit_test(test_cpu),
                                            cmocka_unit_test(test_memory), cmocka_unit_test(test_io) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
