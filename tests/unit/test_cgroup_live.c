/* The v1 controllers of this machine, for real: groups of our own with a quota and a memory limit, a child
 * that runs into the quota. Skipped where we may not make such groups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/members.h"

#define LIMIT_BYTES   ((uint64_t)64 << 20)
#define CHILD_SECONDS 20 /* it ends by itself should this test die */

static char group_name[64];

static int write_to(const char *controller, const char *file, const char *text)
{
        char path[256];
        text_format(path, sizeof(path), "/sys/fs/cgroup/%s/%s/%s", controller, group_name, file);
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        ssize_t n = write(fd, text, strlen(text));
        int error = n < 0 ? -errno : 0;
        (void)close(fd);
        return error;
}

static int make_group(const char *controller)
{
        char path[256];
        text_format(path, sizeof(path), "/sys/fs/cgroup/%s/%s", controller, group_name);
        return mkdir(path, 0755) < 0 ? -errno : 0;
}

/* The members of a group that is to be removed must be reaped: a moment may pass until the kernel knows. */
static void remove_group(const char *controller)
{
        char path[256];
        text_format(path, sizeof(path), "/sys/fs/cgroup/%s/%s", controller, group_name);
        for (int i = 0; i < 100 && rmdir(path) < 0 && errno == EBUSY; i++)
                (void)usleep(10000);
}

static _Noreturn void run_child(int gate)
{
        char byte;
        (void)alarm(CHILD_SECONDS);
        if (read(gate, &byte, 1) != 1)
                _exit(1);
        for (;;)
                ;
}

static void test_quota_and_limit(void **state)
{
        static struct members members;
        static struct sample sample;
        struct cgroup_source *source = NULL;
        struct buffer buffer;
        struct root root;
        char text[32];
        int gate[2];
        (void)state;

        text_format(group_name, sizeof(group_name), "slowd-test-%d", (int)getpid());
        if (access("/sys/fs/cgroup/memory/memory.usage_in_bytes", F_OK) < 0 || make_group("cpu") < 0 ||
            make_group("memory") < 0) {
                remove_group("cpu");
                print_message("skipped: no v1 controllers here, or not permitted to make groups\n");
                skip();
        }
        assert_int_equal(write_to("cpu", "cpu.cfs_quota_us", "20000"), 0);
        text_format(text, sizeof(text), "%lu", (unsigned long)LIMIT_BYTES);
        assert_int_equal(write_to("memory", "memory.limit_in_bytes", text), 0);

        assert_int_equal(pipe(gate), 0);
        pid_t child = fork();
        if (child == 0)
                run_child(gate[0]);
        text_format(text, sizeof(text), "%d", (int)child);
        assert_int_equal(write_to("cpu", "cgroup.procs", text), 0);
        assert_int_equal(write_to("memory", "cgroup.procs", text), 0);

        assert_int_equal(root_init(&root, "/"), 0);
        assert_int_equal(buffer_init(&buffer), 0);
        assert_int_equal(cgroup_source_new(&root, &source), 0);
        (void)members_add_live(&members, &root, (uint32_t)child);
        int r = members_collect(&members, source, &buffer, USEC_PER_HOUR, &sample);
        const struct cgroup_sample *group = members_find_unit(&sample, group_name);
        struct cgroup_sample first = group ? *group : (struct cgroup_sample){ 0 };

        ssize_t started = write(gate[1], "x", 1);
        (void)usleep(600000);
        (void)members_collect(&members, source, &buffer, USEC_PER_HOUR + 600000, &sample);
        group = members_find_unit(&sample, group_name);
        struct cgroup_sample second = group ? *group : (struct cgroup_sample){ 0 };
        uint64_t held_back[4];
        size_t held_back_count = cgroup_source_held_back(source, held_back, 4);

        (void)kill(child, SIGKILL);
        (void)waitpid(child, NULL, 0);
        source = cgroup_source_free(source);
        remove_group("cpu");
        remove_group("memory");
        sample_done(&sample);
        buffer_done(&buffer);
        root_done(&root);
        (void)close(gate[0]);
        (void)close(gate[1]);

        assert_int_equal(r, 0);
        assert_int_equal(started, 1);
        assert_string_equal(first.unit, group_name);
        assert_int_equal(first.id, members.identities[0].cgroup_id);
        assert_int_equal(first.cpu_quota_usec, 20000);
        assert_int_equal(first.cpu_period_usec, 100000);
        assert_int_equal(first.cpu_weight, 100);
        assert_int_equal(first.memory_max_bytes, LIMIT_BYTES);
        assert_int_equal(first.events_oom_kill, 0);
        assert_true(first.memory_bytes < LIMIT_BYTES);
        assert_true(second.cpu_periods >= first.cpu_periods + 3);
        assert_true(second.cpu_throttled_periods > first.cpu_throttled_periods);
        /* One thread loses no more than the time that passed; how much depends on what else runs here. */
        uint64_t lost_usec = second.cpu_throttled_usec - first.cpu_throttled_usec;
        assert_in_range(lost_usec, 1000, 30 * USEC_PER_SEC);
        assert_int_equal(second.read_usec - first.read_usec, 600000);
        assert_int_equal(held_back_count, 1);
        assert_int_equal(held_back[0], first.id);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_quota_and_limit) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
