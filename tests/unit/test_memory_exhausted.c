/* memory.exhausted: nothing left, many hold it, and somebody waits; or it is nearly so. */
#include "tests/support/cases.h"

#define CHECK "memory.exhausted"
#define MB    UINT64_C(1000000)

static void add_holders(int count, uint64_t each_bytes)
{
        char name[PROGRAM_NAME_MAX];
        for (int i = 0; i < count; i++) {
                (void)snprintf(name, sizeof(name), "app%02d", i);
                fake_add(machine, name, "")->counters.rss_anon_bytes = each_bytes + (uint64_t)(100 - i);
        }
}

static void left(uint64_t available_bytes, double pressure)
{
        machine->now.meminfo.available_bytes = available_bytes;
        machine->memory_some = pressure;
}

static void test_found(void **state)
{
        (void)state;
        add_holders(12, 600 * MB);
        left(500 * MB, 0.25);
        fake_run(machine, 30);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.kind, FINDING_CAUSE);
        assert_int_equal(finding.lost_permille, 250);
        assert_int_equal(finding.culprit.kind, SUBJECT_MACHINE);
        assert_says(&finding, "12 programs share the rest");
        assert_says(&finding, "app00 holds 600 MB in 1 process");
        assert_says(&finding, "close one of the largest: app00, app01, app02");
        assert_says(&finding, "add memory, or swap");
}

static void test_cache(void **state)
{
        (void)state;
        add_holders(12, 60 * MB);
        machine->now.meminfo.free_bytes = 100 * MB;
        machine->now.meminfo.cached_bytes = 7000 * MB;
        left(6500 * MB, 0);
        fake_run(machine, 30);
        assert_clear(CHECK, "6.5 GB of 8.0 GB memory are available");
}

static void test_full_but_nobody_waits(void **state)
{
        (void)state;
        add_holders(12, 600 * MB);
        left(600 * MB, 0.02);
        fake_run(machine, 30);
        assert_clear(CHECK, "nobody waits for memory");
        left(300 * MB, 0.02); /* under 5 %: it will not go well for long */
        fake_run(machine, 30);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.kind, FINDING_RISK);
        assert_int_equal(finding.severity, SEVERITY_WARNING);
}

static void test_hysteresis(void **state)
{
        (void)state;
        add_holders(12, 600 * MB);
        left(1000 * MB, 0.25); /* 12.5 % */
        fake_run(machine, 30);
        (void)assert_verdict(CHECK, VERDICT_CLEAR, false);
        (void)assert_verdict(CHECK, VERDICT_FOUND, true);
        left(1300 * MB, 0.25);
        fake_run(machine, 30);
        (void)assert_verdict(CHECK, VERDICT_CLEAR, true);
}

static void test_swap_left(void **state)
{
        (void)state;
        add_holders(12, 600 * MB);
        machine->now.meminfo.swap_total_bytes = 2000 * MB;
        machine->now.meminfo.swap_free_bytes = 1000 * MB;
        left(300 * MB, 0.25);
        fake_run(machine, 30);
        (void)assert_verdict(CHECK, VERDICT_CLEAR, false);
        machine->now.meminfo.swap_free_bytes = 100 * MB;
        fake_run(machine, 1);
        struct finding finding = assert_found(CHECK);
        assert_says(&finding, "add memory");
}

/* Whoever holds half of it is the one to look at, and that is another finding. */
static void test_one_holds_most(void **state)
{
        (void)state;
        add_holders(12, 100 * MB);
        fake_add(machine, "java", "a.service")->counters.rss_anon_bytes = 3000 * MB;
        fake_add(machine, "java", "b.service")->counters.swap_bytes = 2000 * MB;
        left(300 * MB, 0.5);
        fake_run(machine, 30);
        assert_clear(CHECK, "one program (java) holds most");
}

static void test_many_programs(void **state)
{
        (void)state;
        char name[PROGRAM_NAME_MAX];
        for (int i = 0; i < 500; i++) { /* more than the list holds */
                (void)snprintf(name, sizeof(name), "container-%03d", i);
                fake_add(machine, name, "")->counters.rss_bytes = 15 * MB;
                machine->processes[i].counters.rss_anon_bytes = ABSENT;
        }
        left(300 * MB, 0.5);
        fake_run(machine, 30);
        (void)assert_found(CHECK);
}

static void test_unknown(void **state)
{
        (void)state;
        machine->now.meminfo.available_bytes = ABSENT;
        fake_run(machine, 30);
        (void)assert_verdict(CHECK, VERDICT_UNKNOWN, false);
        /* No pressure files: only what is nearly out can be told. */
        memset(machine->now.pressure, 0xff, sizeof(machine->now.pressure));
        add_holders(12, 600 * MB);
        left(600 * MB, 0);
        fake_run(machine, 30);
        (void)assert_verdict(CHECK, VERDICT_CLEAR, false);
        left(300 * MB, 0);
        fake_run(machine, 30);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.kind, FINDING_RISK);
        assert_int_equal(finding.confidence_permille, 600);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_found),         CASE(test_cache),     CASE(test_full_but_nobody_waits),
                CASE(test_hysteresis),    CASE(test_swap_left), CASE(test_one_holds_most),
                CASE(test_many_programs), CASE(test_unknown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
