/* The out-of-memory killer's lines. */
#include "tests/support/cases.h"

#include "daemon/checks/kernel_kill.h"

static struct kernel_kill kills[4];

static size_t read_kills(void)
{
        memset(kills, 0, sizeof(kills));
        return kernel_kills(machine->history, SECONDS(60), kills, 4);
}

static size_t kills_of(const char *text)
{
        tear_down(NULL);
        set_up(NULL);
        fake_message(machine, 3, text);
        fake_tick(machine, 1);
        return read_kills();
}

static void test_bad_lines(void **state)
{
        (void)state;
        static const char *const lines[] = {
                "",
                "Out of memory: Killed process",
                "Out of memory: Killed process ",
                "Out of memory: Killed process 812",
                "Out of memory: Killed process 812 ",
                "Out of memory: Killed process 812 (Web Con",
                "Out of memory: Killed process 812 (Web Content) total",
                "Out of memory: Killed process 0 (x) total-vm:1kB",
                "Out of memory: Killed process -7 (x) total-vm:1kB",
                "Out of memory: Killed process 4294967296 (x) total-vm:1kB",
                "Out of memory: Killed process 99999999999999999999 (x) total-vm:1kB",
                "Out of memory: Killed process x (x) total-vm:1kB",
                "Out of memory: Killed process 812 x) total-vm:1kB",
                "oom-kill:",
                "oom-kill:constraint=CONSTRAINT_NONE,pid=",
                "oom-kill:constraint=CONSTRAINT_NONE,pid=812,uid=0",
                "oom-kill:task_memcg=/a/b,task=x,pid=812,uid=0",
                "oom-kill:task_memcg=,task=x,pid=812,uid=0",
        };
        fake_tick(machine, 1);
        assert_int_equal(read_kills(), 0);
        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
                if (kills_of(lines[i]) != 0)
                        fail_msg("a kill in \"%s\"", lines[i]);
}

/* 6.1, a global kill: the summary comes right before the line that names the process. */
static void test_global(void **state)
{
        (void)state;
        usec_t at = machine->now.time.realtime_usec;
        fake_message(
                machine, 6,
                "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,"
                "task_memcg=/user.slice/user-1000.slice/session-3.scope,task=Web Content,pid=812,uid=1000");
        fake_message(machine, 3,
                     "Out of memory: Killed process 812 (Web Content) total-vm:2817600kB, anon-rss:965000kB, "
                     "file-rss:128kB, shmem-rss:4kB, UID:1000 pgtables:2300kB oom_score_adj:300");
        fake_run(machine, 3);
        assert_int_equal(read_kills(), 1);
        assert_int_equal(kills[0].pid, 812);
        assert_string_equal(kills[0].name, "Web Content");
        assert_int_equal(kills[0].anon_bytes, UINT64_C(965000) * 1024);
        assert_string_equal(kills[0].group, "session-3.scope");
        assert_false(kills[0].is_limit);
        assert_int_equal(kills[0].at_usec, at);
}

static void test_within_a_limit(void **state)
{
        (void)state;
        fake_message(
                machine, 6,
                "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,"
                "oom_memcg=/system.slice/a.service,task_memcg=/system.slice/a.service,task=eater,pid=4242,"
                "uid=0");
        fake_message(machine, 3,
                     "Memory cgroup out of memory: Killed process 4242 (eater) total-vm:217600kB, "
                     "anon-rss:65000kB, file-rss:1024kB");
        fake_tick(machine, 1);
        assert_int_equal(read_kills(), 1);
        assert_string_equal(kills[0].group, "a.service");
        assert_true(kills[0].is_limit);
}

/* What a process may call itself: 15 bytes of anything. */
static void test_names(void **state)
{
        (void)state;
        static const char *const names[] = { "a b",       "(sd-pam)", "a) (b",          ") total-vm:1kB",
                                             "oom-kill:", ",pid=7,",  "Killed process", "x" };
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                char line[MESSAGE_TEXT_MAX];
                (void)snprintf(line, sizeof(line),
                               "Out of memory: Killed process 5 (%s) total-vm:9kB, anon-rss:2kB", names[i]);
                assert_int_equal(kills_of(line), 1);
                assert_string_equal(kills[0].name, names[i]);
                assert_int_equal(kills[0].pid, 5);
                assert_int_equal(kills[0].anon_bytes, 2048);
                assert_false(kills[0].is_limit);
        }
        /* Cut behind the name: a kill all the same. */
        assert_int_equal(kills_of("Out of memory: Killed process 5 (x) total-vm:"), 1);
        assert_int_equal(kills[0].anon_bytes, ABSENT);
        assert_int_equal(kills_of("Out of memory: Killed process 5 (x) total-vm:9kB, anon-rss:lots"), 1);
        assert_int_equal(kills[0].anon_bytes, ABSENT);
}

static void test_several(void **state)
{
        (void)state;
        char line[MESSAGE_TEXT_MAX];
        for (int i = 1; i <= 6; i++) {
                (void)snprintf(line, sizeof(line), "Out of memory: Killed process %d (p%d) total-vm:1kB", i,
                               i);
                fake_message(machine, 3, line);
                fake_run(machine, 15);
        }
        assert_int_equal(read_kills(), 4); /* of the last 60 s, newest first, no more than asked for */
        assert_int_equal(kills[0].pid, 6);
        assert_int_equal(kills[3].pid, 3);
        fake_run(machine, 50);
        assert_int_equal(read_kills(), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_bad_lines), CASE(test_global),  CASE(test_within_a_limit),
                CASE(test_names),     CASE(test_several),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
