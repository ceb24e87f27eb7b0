/* memory.leak: what cannot be read, what only looks like one, then leaks and what is said of them. How often
 * the rule is right is test_growth.c's matter. */
#include "tests/support/cases.h"

#include <stdlib.h>

#include "daemon/diagnosis/diagnose.h"

#define CHECK "memory.leak"
#define MB    UINT64_C(1000000)

static struct fake_process *leaker;

/* By the half minute: a machine of 8 GB, of which 6 are available, less what is taken. */
static void grow(int minutes, double mb_per_minute)
{
        uint64_t step = (uint64_t)(mb_per_minute * 1e6 / 2);
        for (int i = 0; i < 2 * minutes; i++) {
                leaker->counters.rss_anon_bytes += step;
                machine->now.meminfo.available_bytes -= step;
                fake_tick(machine, 30);
        }
}

static void begin(const char *unit)
{
        leaker = fake_add(machine, "appd", unit);
        leaker->counters.rss_anon_bytes = 200 * MB;
        fake_add(machine, "sshd", "ssh.service")->counters.rss_anon_bytes = 8 * MB;
        grow(26 * 60, 0); /* a day and a bit of peace */
}

static void test_unknown(void **state)
{
        (void)state;
        leaker = fake_add(machine, "appd", "");
        leaker->counters.rss_anon_bytes = leaker->counters.swap_bytes = ABSENT;
        fake_run(machine, 5);
        struct finding finding = assert_verdict(CHECK, VERDICT_UNKNOWN, false);
        assert_says(&finding, "the memory of programs cannot be read");
        machine->now.meminfo.available_bytes = ABSENT;
        fake_run(machine, 1);
        finding = assert_verdict(CHECK, VERDICT_UNKNOWN, false);
        assert_says(&finding, "MemAvailable");
}

static void test_just_begun(void **state)
{
        (void)state;
        fake_add(machine, "appd", "")->counters.rss_anon_bytes = 200 * MB;
        fake_run(machine, 5);
        assert_clear(CHECK, "in the time that it has been watched");
        fake_run(machine, 200);
        assert_clear(CHECK, "no program's memory grows noticeably");
}

static void test_found(void **state)
{
        (void)state;
        begin("app.service");
        assert_clear(CHECK, "no program's memory grows noticeably");
        grow(5 * 60, 4); /* 240 MB an hour; 4.8 GB are left at the end */
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.kind, FINDING_RISK);
        assert_int_equal(finding.severity, SEVERITY_WARNING);
        assert_string_equal(finding.culprit.name, "appd");
        assert_string_equal(finding.culprit.unit, "app.service");
        usec_t ago = machine->now.time.realtime_usec - finding.since_usec;
        assert_about((double)ago / 3.6e9, 5, 0.3);
        assert_says(&finding, "the memory of appd grows without bound: 1.3 GB by now, 240 MB more each hour, "
                              "and memory is used up in 20 h");
        assert_says(&finding, "has grown from 200 MB to 1.3 GB in 5 h");
        assert_says(&finding, "systemctl restart app.service");
        assert_says(&finding, "which frees about 1.1 GB");
        assert_says(&finding, "RuntimeMaxSec=43200");
        assert_says(&finding, "let systemd restart it every 12 h");
        assert_says(&finding, "systemctl set-property app.service MemoryMax=");
        /* It stops, and after a while it is no leak any more. */
        grow(15, 0);
        (void)assert_verdict(CHECK, VERDICT_FOUND, true);
        grow(60 * 60, 0);
        (void)assert_verdict(CHECK, VERDICT_CLEAR, true);
}

static void test_swapped_out(void **state)
{
        (void)state;
        begin("");
        machine->now.meminfo.swap_total_bytes = machine->now.meminfo.swap_free_bytes = 2000 * MB;
        for (int i = 0; i < 600; i++) { /* what it leaks goes to the swap: resident memory stays */
                leaker->counters.swap_bytes += 2 * MB;
                machine->now.meminfo.swap_free_bytes -= 2 * MB;
                fake_tick(machine, 30);
        }
        struct finding finding = assert_found(CHECK);
        assert_says(&finding, "close appd and start it again");
        assert_says(&finding, "kill -TERM 100");
}

static void test_shared_and_cached(void **state)
{
        (void)state;
        begin("db.service");
        for (int i = 0; i < 600; i++) {
                leaker->counters.rss_shmem_bytes += 2 * MB;
                leaker->counters.rss_file_bytes += 2 * MB;
                leaker->counters.rss_bytes += 4 * MB;
                machine->now.meminfo.available_bytes -= 2 * MB;
                fake_tick(machine, 30);
        }
        assert_clear(CHECK, "no program's memory grows noticeably");
}

static void test_warm_up(void **state)
{
        (void)state;
        begin("app.service");
        double last = 200;
        for (int i = 0; i < 720; i++) {
                double want = 200 + 1500 * (1 - exp(-i / 240.0));
                leaker->counters.rss_anon_bytes = (uint64_t)(want * 1e6);
                machine->now.meminfo.available_bytes -= (uint64_t)((want - last) * 1e6);
                last = want;
                fake_tick(machine, 30);
                (void)assert_verdict(CHECK, VERDICT_CLEAR, false);
        }
        assert_clear(CHECK, "but more and more slowly");
}

/* Another process of that name: what was before is not its past. */
static void test_restarted(void **state)
{
        (void)state;
        begin("app.service");
        grow(5 * 60, 4);
        (void)assert_found(CHECK);
        uint64_t held = leaker->counters.rss_anon_bytes;
        fake_end(machine, "appd");
        leaker = fake_start(machine, "appd", "app.service");
        leaker->counters.rss_anon_bytes = held;
        fake_tick(machine, 30);
        (void)assert_verdict(CHECK, VERDICT_CLEAR, true);
}

static void test_limited(void **state)
{
        (void)state;
        begin("app.service");
        struct fake_unit *unit = fake_unit(machine, "app.service");
        unit->values.memory_max_bytes = 2000 * MB;
        unit->values.memory_file_bytes = 500 * MB;
        unit->values.memory_shmem_bytes = 0;
        for (int i = 0; i < 600; i++) {
                leaker->counters.rss_anon_bytes += 2 * MB;
                unit->values.memory_bytes = leaker->counters.rss_anon_bytes + 500 * MB;
                machine->now.meminfo.available_bytes -= 2 * MB;
                fake_tick(machine, 30);
        }
        struct finding finding = assert_found(CHECK);
        assert_says(&finding, "its limit is used up in 2 h 30 min");
        assert_says(&finding, "600 MB are left of the 2.0 GB that app.service may hold");
}

/* Thousands of MB within minutes: before everything is gone. */
static void test_fast(void **state)
{
        (void)state;
        leaker = fake_add(machine, "appd", "app.service");
        leaker->counters.rss_anon_bytes = 200 * MB;
        fake_run(machine, 60);
        for (int i = 0; i < 130; i++) {
                leaker->counters.rss_anon_bytes += 30 * MB;
                machine->now.meminfo.available_bytes -= 30 * MB;
                fake_tick(machine, 1);
        }
        struct finding finding = assert_found(CHECK);
        assert_says(&finding, "1.8 GB more each minute");
        assert_int_equal(finding.severity, SEVERITY_CRITICAL);
        assert_true(!fake_says(&finding, "RuntimeMaxSec")); /* it would have to be every minute */
}

/* Leak, then thrash, then a busy disk: one cause and two consequences. */
static void test_root(void **state)
{
        (void)state;
        struct finding findings[3] = { 0 };
        begin("app.service");
        grow(5 * 60, 4);
        findings[0] = assert_found(CHECK);
        findings[1] = (struct finding){ .check = "memory.thrash",
                                        .verdict = VERDICT_FOUND,
                                        .lost_permille = 400,
                                        .culprit = findings[0].culprit };
        findings[2] = (struct finding){ .check = "disk.saturated",
                                        .verdict = VERDICT_FOUND,
                                        .lost_permille = 300,
                                        .culprit = findings[0].culprit };
        struct diagnosis *diagnosis = calloc(1, sizeof(*diagnosis));
        assert_non_null(diagnosis);
        diagnose(findings, 3, machine->history, diagnosis);
        assert_int_equal(diagnosis->cause_count, 1);
        assert_int_equal(diagnosis->risk_count, 0);
        assert_string_equal(diagnosis->causes[0].check, CHECK);
        assert_int_equal(diagnosis->causes[0].lost_permille, 400);
        assert_int_equal(diagnosis->consequence_count, 2);
        free(diagnosis);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_unknown),     CASE(test_just_begun),        CASE(test_found),
                CASE(test_swapped_out), CASE(test_shared_and_cached), CASE(test_warm_up),
                CASE(test_restarted),   CASE(test_limited),           CASE(test_fast),
                CASE(test_root),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
