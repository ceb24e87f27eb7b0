/* memory.limit: a unit that loses its time to its own limit, or is killed at it. */
#include "tests/support/cases.h"

#define CHECK "memory.limit"
#define MB    UINT64_C(1000000)

static struct fake_unit *add_unit(void)
{
        struct fake_unit *unit = fake_unit(machine, "app.service");
        unit->values.memory_max_bytes = 150 * MB;
        unit->values.memory_bytes = 149 * MB;
        struct fake_process *app = fake_add(machine, "app", "app.service");
        app->running = 0.4;
        return unit;
}

static void test_no_limits(void **state)
{
        (void)state;
        fake_unit(machine, "free.service");
        fake_run(machine, 15);
        assert_clear(CHECK, "no running unit has a memory limit");
        add_unit();
        fake_run(machine, 15);
        assert_clear(CHECK, "1 unit with a memory limit, none reaches it");
}

static void test_held_back(void **state)
{
        (void)state;
        struct fake_unit *unit = add_unit();
        unit->events_max = 50;
        unit->refaults = 2000;
        unit->memory_full = unit->memory_some = 0.3;
        fake_work(machine, "app", 0.4, 0);
        machine->processes[0].swap_wait = 0.3;
        machine->processes[0].reclaim_wait = 0.3;
        fake_run(machine, 15);
        struct finding finding = assert_found(CHECK);
        assert_string_equal(finding.culprit.name, "app.service");
        assert_int_equal(finding.culprit.kind, SUBJECT_UNIT);
        assert_about(finding.lost_permille, 600, 2);
        assert_int_equal(finding.severity, SEVERITY_CRITICAL);
        assert_says(&finding, "app.service may hold 150 MB and holds 149 MB");
        assert_says(&finding, "systemctl set-property app.service MemoryMax=300M");
}

/* Reading a large file fills the group with cache and pushes it out again: nothing comes back, nobody waits.
 */
static void test_cache_fills_it(void **state)
{
        (void)state;
        struct fake_unit *unit = add_unit();
        unit->events_max = 200;
        unit->memory_some = 0.15;
        unit->memory_full = 0.12;
        fake_run(machine, 15);
        assert_clear(CHECK, "reaches its limit, which costs it 12 %");
        unit->refaults = 500; /* a few pages come back, at next to no cost */
        unit->memory_some = unit->memory_full = 0.02;
        fake_run(machine, 15);
        assert_clear(CHECK, "reaches its limit, which costs it 2.0 %");
}

/* MemoryHigh= that cannot be met: the tasks are made to sleep, no page comes back. */
static void test_high_stalls(void **state)
{
        (void)state;
        struct fake_unit *unit = add_unit();
        unit->values.memory_max_bytes = ABSENT;
        unit->values.memory_high_bytes = 100 * MB;
        unit->events_high = 100;
        unit->memory_some = unit->memory_full = 0.6;
        fake_run(machine, 15);
        struct finding finding = assert_found(CHECK);
        assert_says(&finding, "MemoryHigh=200M");
        assert_says(&finding, "limit of 100 MB");
}

static void test_hysteresis(void **state)
{
        (void)state;
        struct fake_unit *unit = add_unit();
        unit->events_max = 50;
        unit->refaults = 2000;
        unit->memory_some = unit->memory_full = 0.08;
        fake_run(machine, 15);
        (void)assert_verdict(CHECK, VERDICT_CLEAR, false);
        (void)assert_verdict(CHECK, VERDICT_FOUND, true);
        unit->memory_some = unit->memory_full = 0.04;
        fake_run(machine, 15);
        (void)assert_verdict(CHECK, VERDICT_CLEAR, true);
}

static void test_early(void **state)
{
        (void)state;
        struct fake_unit *unit = add_unit();
        unit->events_max = 50;
        unit->refaults = 2000;
        unit->memory_some = unit->memory_full = 0.5;
        fake_run(machine, 4);
        (void)assert_verdict(CHECK, VERDICT_CLEAR, false);
        fake_run(machine, 3);
        (void)assert_found(CHECK);
}

static void kill_in(const char *path)
{
        char line[MESSAGE_TEXT_MAX];
        (void)snprintf(line, sizeof(line),
                       "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,"
                       "oom_memcg=%s,task_memcg=%s,task=eater,pid=42,uid=0",
                       path, path);
        fake_message(machine, 6, line);
        fake_message(machine, 3,
                     "Memory cgroup out of memory: Killed process 42 (eater) total-vm:217600kB, "
                     "anon-rss:65000kB, file-rss:0kB");
}

static void test_killed(void **state)
{
        (void)state;
        add_unit();
        fake_run(machine, 5);
        usec_t at = machine->now.time.realtime_usec;
        kill_in("/system.slice/app.service");
        fake_run(machine, 5);
        struct finding finding = assert_found(CHECK);
        assert_string_equal(finding.culprit.name, "app.service");
        assert_int_equal(finding.since_usec, at);
        assert_string_equal(finding.victims[0].name, "eater");
        assert_in_range(finding.lost_permille, 450, 500); /* five seconds ago */
        assert_says(&finding, "MemoryMax=300M");
        kill_in("/system.slice/app.service");
        fake_run(machine, 5);
        finding = assert_found(CHECK);
        assert_in_range(finding.lost_permille, 900, 1000);
        assert_says(&finding, "again and again");
        fake_run(machine, 70);
        finding = assert_found(CHECK);
        assert_int_equal(finding.kind, FINDING_RISK); /* a minute later it is what may come again */
        assert_int_equal(finding.lost_permille, 0);
        fake_run(machine, 50);
        (void)assert_verdict(CHECK, VERDICT_CLEAR, false);
}

/* The unit died with its only process: it is named all the same. And a global kill is not this check's. */
static void test_killed_and_gone(void **state)
{
        (void)state;
        kill_in("/system.slice/gone.service");
        fake_run(machine, 3);
        struct finding finding = assert_found(CHECK);
        assert_string_equal(finding.culprit.name, "gone.service");
        assert_int_equal(finding.culprit.count, 0);
        fake_run(machine, 121);
        fake_message(machine, 3, "Out of memory: Killed process 7 (x) total-vm:1kB");
        fake_run(machine, 3);
        (void)assert_verdict(CHECK, VERDICT_CLEAR, false);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_no_limits),   CASE(test_held_back),       CASE(test_cache_fills_it),
                CASE(test_high_stalls), CASE(test_hysteresis),      CASE(test_early),
                CASE(test_killed),      CASE(test_killed_and_gone),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
