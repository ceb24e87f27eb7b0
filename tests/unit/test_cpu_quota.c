/* cpu.quota: a unit that somebody waits for is held back while CPUs idle; a batch in its quota is not. */
#include "tests/support/cases.h"

#define CHECK "cpu.quota"

static struct fake_unit *add_unit(const char *name, double throttled)
{
        struct fake_unit *unit = fake_unit(machine, name);
        unit->values.cpu_quota_usec = 10000;
        unit->values.cpu_period_usec = 100000;
        unit->throttled = throttled;
        return unit;
}

static struct fake_process *add_server(const char *unit)
{
        struct fake_process *web = fake_add(machine, "nginx", unit);
        web->running = 0.1;
        web->cpu_wait = 0.36;
        web->voluntary_switches = 50;
        web->counters.is_server = web->counters.is_server_known = true;
        return web;
}

static void test_no_quota(void **state)
{
        (void)state;
        fake_run(machine, 20);
        assert_clear(CHECK, "no running unit has a CPU quota");
        add_unit("web.service", 0);
        fake_run(machine, 20);
        assert_clear(CHECK, "1 unit with a quota, none is held back");
}

static void test_server(void **state)
{
        (void)state;
        add_unit("web.service", 0.9);
        add_server("web.service");
        machine->busy = 0.1;
        fake_run(machine, 20);
        struct finding finding = assert_found(CHECK);
        assert_string_equal(finding.culprit.name, "web.service");
        assert_int_equal(finding.culprit.kind, SUBJECT_UNIT);
        assert_int_equal(finding.culprit.count, 1);
        assert_about(finding.lost_permille, 704, 2); /* 0.36 x 0.9 (periods, and idle CPUs) of 0.46 */
        assert_says(&finding, "its quota is 0.1 CPUs");
        assert_says(&finding, "systemctl set-property web.service CPUQuota=20%");
}

static void test_hysteresis(void **state)
{
        (void)state;
        struct fake_unit *unit = add_unit("web.service", 0.2);
        struct fake_process *web = add_server("web.service");
        web->cpu_wait = 2; /* of which it loses enough at any share */
        web->counters.threads = 2;
        machine->busy = 0.1;
        fake_run(machine, 20);
        assert_clear(CHECK, "none is held back");
        (void)assert_verdict(CHECK, VERDICT_FOUND, true);
        unit->throttled = 0.3;
        fake_run(machine, 20);
        (void)assert_found(CHECK);
}

static void test_full_machine(void **state)
{
        (void)state;
        add_unit("web.service", 0.9);
        add_server("web.service");
        machine->busy = 0.9;
        fake_run(machine, 20);
        assert_clear(CHECK, "the CPUs are full");
}

static void test_loses_little(void **state)
{
        (void)state;
        add_unit("web.service", 0.3);
        add_server("web.service")->cpu_wait = 0.02;
        machine->busy = 0.1;
        fake_run(machine, 20);
        assert_clear(CHECK, "loses little");
}

/* Four hogs that always want the CPU: a batch, whatever PSI says. */
static void test_batch(void **state)
{
        (void)state;
        add_unit("batch.service", 1);
        for (int i = 0; i < 4; i++) {
                struct fake_process *hog = fake_add(machine, "hog", "batch.service");
                hog->running = 0.05;
                hog->cpu_wait = 0.95;
        }
        machine->busy = 0.1;
        machine->cpu_some = 0.97;
        fake_run(machine, 20);
        assert_clear(CHECK, "batch work that nobody waits for");
}

/* The threads of an encoder sleep and wake each other: still a batch. */
static void test_threaded_batch(void **state)
{
        (void)state;
        add_unit("batch.service", 1);
        struct fake_process *ffmpeg = fake_add(machine, "ffmpeg", "batch.service");
        ffmpeg->counters.threads = 8;
        ffmpeg->running = 0.1;
        ffmpeg->cpu_wait = 0.4;
        ffmpeg->voluntary_switches = 400;
        machine->busy = 0.1;
        fake_run(machine, 20);
        assert_clear(CHECK, "batch work that nobody waits for");
}

/* A worker that takes jobs in between sleeps: somebody waits for each of them. */
static void test_worker(void **state)
{
        (void)state;
        add_unit("queue.service", 1);
        struct fake_process *worker = fake_add(machine, "worker", "queue.service");
        worker->running = 0.1;
        worker->cpu_wait = 0.36;
        worker->voluntary_switches = 60;
        machine->busy = 0.1;
        fake_run(machine, 20);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.confidence_permille, 800);
}

/* A slice's quota: its services' members are counted, to any depth, and ids in a circle do not hang it. */
static void test_slice(void **state)
{
        (void)state;
        struct fake_unit *slice = add_unit("app.slice", 0.9), *middle = fake_unit(machine, "mid.slice"),
                         *leaf = fake_unit(machine, "web.service");
        leaf->values.parent_id = middle->values.id;
        middle->values.parent_id = slice->values.id;
        add_server("web.service");
        machine->busy = 0.1;
        fake_run(machine, 20);
        struct finding finding = assert_found(CHECK);
        assert_string_equal(finding.culprit.name, "app.slice");
        slice->values.parent_id = leaf->values.id;
        fake_run(machine, 2);
        (void)assert_found(CHECK);
}

static void test_worst_of_two(void **state)
{
        (void)state;
        add_unit("a.service", 0.5);
        add_server("a.service");
        add_unit("b.service", 1);
        add_server("b.service")->cpu_wait = 0.8;
        machine->busy = 0.1;
        fake_run(machine, 20);
        struct finding finding = assert_found(CHECK);
        assert_string_equal(finding.culprit.name, "b.service");
}

static void test_moment_and_odd_periods(void **state)
{
        (void)state;
        struct fake_unit *unit = add_unit("web.service", 0.9);
        add_server("web.service");
        machine->busy = 0.1;
        fake_run(machine, 4);
        assert_clear(CHECK, "for a moment yet");
        unit->values.cpu_period_usec = ABSENT;
        fake_run(machine, 20);
        struct finding finding = assert_found(CHECK);
        assert_says(&finding, "its quota is 0.1 CPUs");
        unit->values.cpu_period_usec = 0;
        fake_run(machine, 1);
        finding = assert_found(CHECK);
        assert_says(&finding, "its quota is 0.1 CPUs");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_no_quota),
                CASE(test_server),
                CASE(test_hysteresis),
                CASE(test_full_machine),
                CASE(test_loses_little),
                CASE(test_batch),
                CASE(test_threaded_batch),
                CASE(test_worker),
                CASE(test_slice),
                CASE(test_worst_of_two),
                CASE(test_moment_and_odd_periods),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
