/* Which control groups are followed and when they are read, on trees of files in the shape of v2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "daemon/sample/cgroup_path.h"
#include "tests/support/members.h"

static struct tree tree;
static struct members members;
static struct sample sample;
static struct buffer buffer;
static struct cgroup_source *source;
static usec_t now;

static int setup(void **state)
{
        (void)state;
        tree_init(&tree);
        tree_write(&tree, "sys/fs/cgroup/cgroup.controllers", "cpu io memory pids\n");
        members.count = 0;
        now = USEC_PER_HOUR;
        return buffer_init(&buffer);
}

static int teardown(void **state)
{
        (void)state;
        source = cgroup_source_free(source);
        sample_done(&sample);
        buffer_done(&buffer);
        tree_done(&tree);
        return 0;
}

static void write_file(const char *group, const char *file, const char *text)
{
        char path[512];
        text_format(path, sizeof(path), "sys/fs/cgroup/%s/%s", group, file);
        tree_write(&tree, path, text);
}

#define PRESSURE "some avg10=0.00 avg60=0.00 avg300=0.00 total=500\n"

/* Linux 6.1 with all controllers. */
static void write_complete(const char *group)
{
        write_file(group, "cpu.stat", "usage_usec 1000\nuser_usec 600\nsystem_usec 400\n");
        write_file(group, "memory.events", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\n");
        write_file(group, "cpu.pressure", PRESSURE);
        write_file(group, "memory.pressure", PRESSURE "full avg10=0.00 avg60=0.00 avg300=0.00 total=20\n");
        write_file(group, "io.pressure", PRESSURE);
        write_file(group, "memory.current", "4096\n");
        write_file(group, "memory.swap.current", "0\n");
        write_file(group, "memory.stat", "anon 1000\nfile 2000\npgmajfault 5\n");
        write_file(group, "io.stat", "");
        write_file(group, "pids.current", "2\n");
        write_file(group, "cpu.max", "max 100000\n");
        write_file(group, "cpu.weight", "100\n");
        write_file(group, "memory.high", "max\n");
        write_file(group, "memory.max", "max\n");
        write_file(group, "memory.swap.max", "max\n");
        write_file(group, "pids.max", "4915\n");
}

static int tick(usec_t after)
{
        if (!source)
                assert_int_equal(cgroup_source_new(&tree.root, &source), 0);
        now += after;
        return members_collect(&members, source, &buffer, now, &sample);
}

static void test_none(void **state)
{
        (void)state;
        tree_remove(&tree, "sys");
        members_add(&members, &tree, 7, "0::/system.slice/a.service\n");
        assert_int_equal(tick(0), -ENOENT);
        assert_int_equal(sample.cgroup_count, 0);
        tree_write(&tree, "sys/fs/cgroup/cgroup.controllers", "");
        write_complete("system.slice/a.service");
        assert_int_equal(tick(USEC_PER_MINUTE), 0); /* mounted later */
        assert_int_equal(sample.cgroup_count, 1);
}

static void test_garbage(void **state)
{
        static const char *const files[] = { "cpu.stat",    "memory.events", "memory.current",
                                             "memory.stat", "io.stat",       "cpu.max",
                                             "memory.max",  "pids.current",  "cpu.pressure" };
        (void)state;
        for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
                write_file("a.service", files[i],
                           i % 2 ? "usage_usec -5\nmax \377\n" : "anon x\nusage_usec x\n");
        members_add(&members, &tree, 7, "0::/a.service\n");
        members_add(&members, &tree, 8, "garbage");
        members_add(&members, &tree, 9, "0::/\n");
        assert_int_equal(tick(0), -EINVAL);
        assert_int_equal(sample.cgroup_count, 1);
        assert_int_equal(sample.cgroups[0].cpu_usage_usec, ABSENT);
        assert_int_equal(sample.cgroups[0].memory_bytes, ABSENT);
        assert_int_equal(sample.cgroups[0].cpu_quota_usec, ABSENT);
        assert_string_equal(sample.cgroups[0].unit, "a.service");
}

static void test_old_kernel(void **state)
{
        (void)state;
        write_file("a.service", "cpu.stat", "usage_usec 1000\nuser_usec 600\nsystem_usec 400\n");
        write_file("a.service", "memory.current", "4096\n");
        members_add(&members, &tree, 7, "0::/a.service\n");
        assert_int_equal(tick(0), 0);
        assert_int_equal(sample.cgroups[0].cpu_usage_usec, 1000);
        assert_int_equal(sample.cgroups[0].memory_bytes, 4096);
        assert_int_equal(sample.cgroups[0].pressure[PRESSURE_CPU].some_total_usec, ABSENT);
        assert_int_equal(sample.cgroups[0].swap_bytes, ABSENT);
        assert_int_equal(sample.cgroups[0].events_oom_kill, ABSENT);
}

static void test_complete(void **state)
{
        (void)state;
        write_complete("system.slice/a.service");
        write_complete("system.slice");
        write_file("system.slice/a.service", "memory.max", "157286400\n");
        members_add(&members, &tree, 7, "0::/system.slice/a.service\n");
        members_add(&members, &tree, 8, "0::/system.slice/a.service/sub\n"); /* counts to its service */
        assert_int_equal(tick(0), 0);
        assert_int_equal(sample.cgroup_count, 1); /* the slice has no limit */
        const struct cgroup_sample *group = &sample.cgroups[0];
        assert_string_equal(group->unit, "a.service");
        assert_int_equal(group->id, cgroup_id_of_path("/system.slice/a.service"));
        assert_int_equal(group->id, members.identities[1].cgroup_id);
        assert_int_equal(group->parent_id, 0);
        assert_false(group->is_stale);
        assert_int_equal(group->read_usec, now);
        assert_int_equal(group->cpu_user_usec, 600);
        assert_int_equal(group->cpu_quota_usec, ABSENT);
        assert_int_equal(group->cpu_period_usec, 100000);
        assert_int_equal(group->pressure[PRESSURE_MEMORY].full_total_usec, 20);
        assert_int_equal(group->memory_max_bytes, 157286400);
        assert_int_equal(group->memory_file_bytes, 2000);
        assert_int_equal(group->read_bytes, 0);
        assert_int_equal(group->tasks, 2);
        assert_int_equal(group->tasks_max, 4915);
}

/* A slice with a quota holds back what is below it: it is listed, and is the parent. */
static void test_limited_ancestor(void **state)
{
        uint64_t ids[4];
        (void)state;
        write_complete("user.slice/user-1000.slice/session-1.scope");
        write_complete("user.slice/user-1000.slice");
        write_complete("user.slice");
        write_file("user.slice", "cpu.max", "20000 100000\n");
        members_add(&members, &tree, 7, "0::/user.slice/user-1000.slice/session-1.scope\n");
        assert_int_equal(tick(0), 0);
        assert_int_equal(sample.cgroup_count, 2);
        const struct cgroup_sample *slice = members_find_unit(&sample, "user.slice");
        const struct cgroup_sample *scope = members_find_unit(&sample, "session-1.scope");
        assert_non_null(slice);
        assert_non_null(scope);
        assert_int_equal(slice->id, cgroup_id_of_path("/user.slice"));
        assert_int_equal(slice->cpu_quota_usec, 20000);
        assert_int_equal(slice->parent_id, 0);
        assert_int_equal(scope->parent_id, slice->id);
        assert_int_equal(cgroup_source_held_back(source, ids, 4), 0);

        write_file("user.slice", "cpu.stat",
                   "usage_usec 2000\nnr_periods 10\nnr_throttled 9\nthrottled_usec 7\n");
        assert_int_equal(tick(USEC_PER_SEC), 0);
        slice = members_find_unit(&sample, "user.slice");
        assert_false(slice->is_stale); /* read at each tick as long as something below it runs */
        assert_int_equal(slice->cpu_throttled_usec, 7);
        write_file("user.slice", "cpu.stat",
                   "usage_usec 2000\nnr_periods 20\nnr_throttled 19\nthrottled_usec 70\n");
        assert_int_equal(tick(USEC_PER_SEC), 0);
        assert_int_equal(cgroup_source_held_back(source, ids, 4), 1);
        assert_int_equal(ids[0], cgroup_id_of_path("/user.slice/user-1000.slice/session-1.scope"));
        for (int i = 0; i < 62; i++)
                assert_int_equal(tick(USEC_PER_SEC), 0);
        assert_int_equal(cgroup_source_held_back(source, ids, 4), 0); /* long ago */
}

static void set_idle(bool is_idle)
{
        for (size_t i = 0; i < members.count; i++)
                members.processes[i].is_idle = is_idle;
}

/* Idle units are read once a minute, in turn; between, their values are carried over. */
static void test_idle_in_turn(void **state)
{
        char unit[64], line[64];
        size_t read = 0;
        (void)state;
        for (uint32_t i = 0; i < 30; i++) {
                text_format(unit, sizeof(unit), "u%u.service", i);
                text_format(line, sizeof(line), "0::/u%u.service\n", i);
                write_complete(unit);
                members_add(&members, &tree, 100 + i, line);
        }
        assert_int_equal(tick(0), 0);
        assert_int_equal(sample.cgroup_count, 30);
        set_idle(true);
        for (int second = 0; second < 60; second++) {
                assert_int_equal(tick(USEC_PER_SEC), 0);
                for (size_t i = 0; i < sample.cgroup_count; i++) {
                        read += !sample.cgroups[i].is_stale;
                        assert_int_equal(sample.cgroups[i].cpu_usage_usec, 1000);
                        assert_int_equal(sample.cgroups[i].pressure[PRESSURE_CPU].some_total_usec, 500);
                        assert_true(now - sample.cgroups[i].read_usec <= USEC_PER_MINUTE);
                }
        }
        assert_in_range(read, 30, 60);
}

/* An active unit of no weight: counters at every tick, details absent rather than old; watched when it
 * weighs. */
static void test_details(void **state)
{
        (void)state;
        write_complete("a.service");
        struct process_sample *process = members_add(&members, &tree, 7, "0::/a.service\n");
        for (uint32_t i = 0; i < 20; i++) { /* others, so that a.service's turn does not come at each tick */
                char unit[64], line[64];
                text_format(unit, sizeof(unit), "u%u.service", i);
                text_format(line, sizeof(line), "0::/u%u.service\n", i);
                write_complete(unit);
                members_add(&members, &tree, 100 + i, line)->is_idle = true;
        }
        assert_int_equal(tick(0), 0);
        process->is_idle = false;
        size_t absent = 0;
        for (int i = 0; i < 10; i++) {
                assert_int_equal(tick(USEC_PER_SEC), 0);
                const struct cgroup_sample *group = members_find_unit(&sample, "a.service");
                assert_false(group->is_stale);
                assert_int_equal(group->memory_bytes, 4096); /* a level stays */
                assert_int_equal(group->memory_anon_bytes, 1000);
                absent += group->pressure[PRESSURE_CPU].some_total_usec == ABSENT &&
                          group->major_faults == ABSENT && group->read_bytes == ABSENT;
        }
        assert_true(absent >= 9);
        write_file("a.service", "cpu.stat", "usage_usec 501000\n"); /* half a CPU */
        assert_int_equal(tick(USEC_PER_SEC), 0);
        const struct cgroup_sample *group = members_find_unit(&sample, "a.service");
        assert_int_equal(group->pressure[PRESSURE_CPU].some_total_usec, 500);
        assert_int_equal(group->major_faults, 5);
        process->write_bytes = 10 << 20; /* or 10 MiB written */
        assert_int_equal(tick(USEC_PER_SEC), 0);
        assert_int_equal(members_find_unit(&sample, "a.service")->read_bytes, 0);
}

/* A quota that is set on a running unit is known as soon as it has an effect, not a minute later. */
static void test_limit_set_later(void **state)
{
        (void)state;
        write_complete("a.service");
        members_add(&members, &tree, 7, "0::/a.service\n");
        for (uint32_t i = 0; i < 20; i++) {
                char unit[64], line[64];
                text_format(unit, sizeof(unit), "u%u.service", i);
                text_format(line, sizeof(line), "0::/u%u.service\n", i);
                write_complete(unit);
                members_add(&members, &tree, 100 + i, line)->is_idle = true;
        }
        write_file("a.service", "cpu.stat",
                   "usage_usec 1000\nnr_periods 0\nnr_throttled 0\nthrottled_usec 0\n");
        assert_int_equal(tick(0), 0);
        assert_int_equal(tick(USEC_PER_SEC), 0);
        assert_int_equal(tick(USEC_PER_SEC), 0);
        write_file("a.service", "cpu.max", "10000 100000\n");
        write_file("a.service", "cpu.stat",
                   "usage_usec 1000\nnr_periods 3\nnr_throttled 1\nthrottled_usec 9\n");
        assert_int_equal(tick(USEC_PER_SEC), 0);
        assert_int_equal(members_find_unit(&sample, "a.service")->cpu_quota_usec, 10000);
}

/* A unit whose only process was just killed is still told of, and forgotten after a minute. */
static void test_emptied(void **state)
{
        (void)state;
        write_complete("a.service");
        members_add(&members, &tree, 7, "0::/a.service\n");
        assert_int_equal(tick(0), 0);
        write_file("a.service", "memory.events", "low 0\nhigh 0\nmax 9\noom 1\noom_kill 1\n");
        members.count = 0;
        assert_int_equal(tick(USEC_PER_SEC), 0);
        assert_int_equal(sample.cgroup_count, 1);
        assert_int_equal(sample.cgroups[0].events_oom_kill, 1);
        tree_remove(&tree, "sys/fs/cgroup/a.service");
        assert_int_equal(tick(USEC_PER_SEC), 0);
        assert_int_equal(sample.cgroup_count, 1);
        assert_int_equal(tick(USEC_PER_MINUTE), 0);
        assert_int_equal(sample.cgroup_count, 0);

        /* started again under the same name, in a new directory */
        write_complete("a.service");
        members_add(&members, &tree, 8, "0::/a.service\n");
        assert_int_equal(tick(USEC_PER_SEC), 0);
        assert_int_equal(sample.cgroup_count, 1);
        assert_int_equal(sample.cgroups[0].events_oom_kill, 0);
}

static void test_restarted_at_once(void **state)
{
        (void)state;
        write_complete("a.service");
        members_add(&members, &tree, 7, "0::/a.service\n");
        assert_int_equal(tick(0), 0);
        members.count = 0;
        tree_remove(&tree, "sys/fs/cgroup/a.service");
        assert_int_equal(tick(USEC_PER_SEC), 0);
        write_complete("a.service");
        write_file("a.service", "memory.max", "1000000\n");
        members_add(&members, &tree, 8, "0::/a.service\n");
        assert_int_equal(tick(USEC_PER_SEC), 0);
        assert_false(sample.cgroups[0].is_stale);
        assert_int_equal(sample.cgroups[0].memory_max_bytes, 1000000);
}

/* The process that would tell where the group lies has moved, or is gone. */
static void test_moved_process(void **state)
{
        (void)state;
        write_complete("a.service");
        members_add(&members, &tree, 7, "0::/a.service\n");
        tree_write(&tree, "proc/7/cgroup", "0::/b.service\n");
        assert_int_equal(tick(0), 0);
        assert_int_equal(sample.cgroup_count, 0);
        tree_write(&tree, "proc/7/cgroup", "0::/a.service\n");
        assert_int_equal(tick(USEC_PER_SEC), 0);
        assert_int_equal(sample.cgroup_count, 0);
        assert_int_equal(tick(USEC_PER_MINUTE), 0); /* asked again */
        assert_int_equal(sample.cgroup_count, 1);
        assert_int_equal(sample.cgroups[0].cpu_usage_usec, 1000);
}

/* v1 without systemd: each controller may have put the process elsewhere; one sample joins their values. */
static void test_v1_apart(void **state)
{
        (void)state;
        tree_remove(&tree, "sys");
        tree_write(&tree, "sys/fs/cgroup/cpu/cgroup.procs", "");
        tree_write(&tree, "sys/fs/cgroup/memory/memory.usage_in_bytes", "1\n");
        tree_write(&tree, "sys/fs/cgroup/cpu/batch/cpu.cfs_quota_us", "20000\n");
        tree_write(&tree, "sys/fs/cgroup/cpu/batch/cpu.cfs_period_us", "100000\n");
        tree_write(&tree, "sys/fs/cgroup/cpu/batch/cpu.stat",
                   "nr_periods 5\nnr_throttled 4\nthrottled_time 9000\n");
        tree_write(&tree, "sys/fs/cgroup/memory/box/inner/memory.limit_in_bytes", "9223372036854771712\n");
        tree_write(&tree, "sys/fs/cgroup/memory/box/inner/memory.usage_in_bytes", "4096\n");
        tree_write(&tree, "sys/fs/cgroup/memory/box/memory.limit_in_bytes", "1048576\n");
        tree_write(&tree, "sys/fs/cgroup/memory/box/memory.failcnt", "3\n");
        members_add(&members, &tree, 7, "4:memory:/box/inner\n1:cpu:/batch\n0::/\n");
        assert_int_equal(tick(0), 0);
        assert_int_equal(sample.cgroup_count, 2);
        const struct cgroup_sample *group = members_find_unit(&sample, "batch");
        assert_non_null(group);
        assert_int_equal(group->id, members.identities[0].cgroup_id);
        assert_int_equal(group->cpu_quota_usec, 20000);
        assert_int_equal(group->cpu_throttled_usec, 9);
        assert_int_equal(group->memory_bytes, 4096);
        assert_int_equal(group->memory_max_bytes, ABSENT);
        const struct cgroup_sample *box = members_find_unit(&sample, "box");
        assert_non_null(box);
        assert_int_equal(box->memory_max_bytes, 1048576);
        assert_int_equal(box->events_max, 3);
        assert_int_equal(group->parent_id, box->id);
}

/* v1 with systemd: a controller that is not switched on for the unit leaves it in its slice; the slice's
 * values are not the unit's. */
static void test_v1_with_systemd(void **state)
{
        (void)state;
        tree_remove(&tree, "sys");
        tree_write(&tree, "sys/fs/cgroup/cpu,cpuacct/cgroup.procs", "");
        tree_write(&tree, "sys/fs/cgroup/memory/memory.usage_in_bytes", "1\n");
        tree_write(&tree, "sys/fs/cgroup/cpu,cpuacct/system.slice/cpuacct.usage", "9000000\n");
        tree_write(&tree, "sys/fs/cgroup/memory/system.slice/a.service/memory.usage_in_bytes", "4096\n");
        members_add(&members, &tree, 7,
                    "5:memory:/system.slice/a.service\n4:cpu,cpuacct:/system.slice\n"
                    "1:name=systemd:/system.slice/a.service\n");
        assert_int_equal(tick(0), 0);
        assert_int_equal(sample.cgroup_count, 1);
        assert_string_equal(sample.cgroups[0].unit, "a.service");
        assert_int_equal(sample.cgroups[0].memory_bytes, 4096);
        assert_int_equal(sample.cgroups[0].cpu_usage_usec, ABSENT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(test_none),
                TEST(test_garbage),
                TEST(test_old_kernel),
                TEST(test_complete),
                TEST(test_limited_ancestor),
                TEST(test_idle_in_turn),
                TEST(test_details),
                TEST(test_limit_set_later),
                TEST(test_emptied),
                TEST(test_restarted_at_once),
                TEST(test_moved_process),
                TEST(test_v1_apart),
                TEST(test_v1_with_systemd),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
