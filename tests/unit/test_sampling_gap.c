/* sampling.gap: who stood still, and what is none. */
#include "tests/support/cases.h"

#define CHECK "sampling.gap"

static void late(double seconds)
{
        machine->expected_sec = 1;
        fake_tick(machine, 1 + seconds);
        machine->expected_sec = 0;
}

static void test_slowd_was_stopped(void **state)
{
        (void)state;
        fake_run(machine, 30);
        usec_t begin = machine->now.time.realtime_usec + SECONDS(1);
        late(30);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.kind, FINDING_RISK); /* nobody else was slow */
        assert_int_equal(finding.severity, SEVERITY_NOTICE);
        assert_int_equal(finding.lost_permille, 0);
        assert_int_equal(finding.since_usec, begin);
        assert_int_equal(finding.culprit.kind, SUBJECT_MACHINE);
        assert_says(&finding, "slowd itself stood still for 30 s");
        fake_run(machine, 60);
        (void)assert_found(CHECK);
        fake_run(machine, 1);
        assert_clear(CHECK, "in time");
}

static void test_machine_stood_still(void **state)
{
        (void)state;
        fake_run(machine, 30);
        machine->context_switches = 1000.0 / 31;
        late(30);
        machine->context_switches = 1000;
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.kind, FINDING_CAUSE);
        assert_int_equal(finding.lost_permille, 1000);
        assert_says(&finding, "the machine stood still for 30 s");
        fake_run(machine, 30);
        finding = assert_found(CHECK);
        assert_int_equal(finding.lost_permille, 500); /* it fades */
}

static void test_boundary(void **state)
{
        (void)state;
        fake_run(machine, 30);
        late(4.9);
        assert_clear(CHECK, "in time");
        late(5);
        (void)assert_found(CHECK);
}

/* One tick of a calm machine missed, and a bit. */
static void test_calm(void **state)
{
        (void)state;
        fake_run(machine, 30);
        machine->expected_sec = 5;
        fake_tick(machine, 9.9);
        assert_clear(CHECK, "in time");
        fake_tick(machine, 14);
        machine->expected_sec = 0;
        struct finding finding = assert_found(CHECK);
        assert_says(&finding, "slowd itself stood still for 9 s");
}

/* The worst of several is told, not the latest. */
static void test_worst(void **state)
{
        (void)state;
        fake_run(machine, 30);
        late(20);
        late(6);
        struct finding finding = assert_found(CHECK);
        assert_says(&finding, "for 20 s");
}

static void test_suspend_and_clock(void **state)
{
        (void)state;
        fake_run(machine, 30);
        machine->now.time.realtime_usec += USEC_PER_HOUR;
        machine->now.time.boottime_usec += USEC_PER_HOUR;
        fake_tick(machine, 1);
        assert_clear(CHECK, "in time");
        machine->now.time.realtime_usec += USEC_PER_DAY;
        fake_tick(machine, 1);
        machine->now.time.realtime_usec -= 2 * USEC_PER_DAY;
        fake_tick(machine, 1);
        assert_clear(CHECK, "in time");
        fake_tick(machine, 60); /* asked for: a long interval is not late */
        assert_clear(CHECK, "in time");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_slowd_was_stopped),
                CASE(test_machine_stood_still),
                CASE(test_boundary),
                CASE(test_calm),
                CASE(test_worst),
                CASE(test_suspend_and_clock),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
