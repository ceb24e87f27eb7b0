/* memory.oom: a kill just now is what is wrong, a minute later a risk, then history. */
#include "tests/support/cases.h"

#define CHECK "memory.oom"

static const char killed[] =
        "Out of memory: Killed process 812 (eater) total-vm:2817600kB, anon-rss:965000kB";

static void test_none(void **state)
{
        (void)state;
        fake_run(machine, 5);
        assert_clear(CHECK, "no program killed in the last 5 min");
        machine->now.vmstat.oom_kills = ABSENT;
        fake_run(machine, 2);
        (void)assert_verdict(CHECK, VERDICT_UNKNOWN, false);
}

static void test_fades(void **state)
{
        (void)state;
        fake_run(machine, 5);
        usec_t at = machine->now.time.realtime_usec;
        fake_message(machine, 3, killed);
        fake_run(machine, 1);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.kind, FINDING_CAUSE);
        assert_int_equal(finding.severity, SEVERITY_CRITICAL);
        assert_string_equal(finding.culprit.name, "eater");
        assert_int_equal(finding.culprit.pids[0], 812);
        assert_int_equal(finding.since_usec, at);
        assert_true(finding.lost_permille > 900);
        assert_says(&finding, "held 988 MB");
        fake_run(machine, 60);
        assert_about(assert_found(CHECK).lost_permille, 550, 15);
        fake_run(machine, 60);
        finding = assert_found(CHECK);
        assert_int_equal(finding.kind, FINDING_RISK);
        assert_int_equal(finding.lost_permille, 0);
        fake_run(machine, 178);
        (void)assert_found(CHECK);
        fake_run(machine, 2);
        assert_clear(CHECK, "no program killed");
}

static void test_again_and_again(void **state)
{
        (void)state;
        for (int i = 0; i < 3; i++) {
                fake_message(
                        machine, 3,
                        "Memory cgroup out of memory: Killed process 7 (eater) total-vm:9kB, anon-rss:8kB");
                fake_run(machine, 10);
        }
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.culprit.count, 3);
        assert_says(&finding, "killed eater again and again for lack of memory in its control group");
        assert_says(&finding, "raise the limit of its unit");
}

/* The kernel log cannot be read: the counter tells that and when, but not who. */
static void test_counted_only(void **state)
{
        (void)state;
        fake_run(machine, 5);
        machine->now.vmstat.oom_kills += 2;
        fake_run(machine, 1);
        usec_t at = machine->now.time.realtime_usec;
        fake_run(machine, 30);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.kind, FINDING_CAUSE);
        assert_int_equal(finding.since_usec, at);
        assert_int_equal(finding.culprit.kind, SUBJECT_MACHINE);
        assert_says(&finding, "killed 2 programs");
        fake_run(machine, 120);
        finding = assert_found(CHECK);
        assert_int_equal(finding.kind, FINDING_RISK);
        fake_run(machine, 200);
        assert_clear(CHECK, "no program killed");
}

/* The log of a machine that slowd has just been started on. */
static void test_old_messages(void **state)
{
        (void)state;
        fake_message(machine, 3, killed);
        machine->now.messages[0].monotonic_usec = SECONDS(5); /* hours ago */
        fake_run(machine, 3);
        assert_clear(CHECK, "no program killed");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_none),         CASE(test_fades),        CASE(test_again_and_again),
                CASE(test_counted_only), CASE(test_old_messages),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
