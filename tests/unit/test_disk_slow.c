/* disk.slow: slower than its own past at no more load; saturated, waking up, other requests and an unknown
 * past are something else. Also what is kept of each disk's past. */
#include "tests/support/cases.h"

#define CHECK "disk.slow"

static double reads, read_msec, read_bytes, queue, writes, write_msec;
static struct fake_process *database;

/* One second of sda: so many reads, each of which took so long. */
static void disk_second(void)
{
        struct disk_sample *disk = &machine->now.disks[0];
        double took = reads * read_msec + writes * write_msec;
        disk->reads += (uint64_t)reads;
        disk->read_msec += (uint64_t)(reads * read_msec);
        disk->writes += (uint64_t)writes;
        disk->write_msec += (uint64_t)(writes * write_msec);
        disk->weighted_msec += (uint64_t)took;
        machine->disk_read_bytes = reads * read_bytes;
        machine->disk_busy = took / (1000 * (queue > 1 ? queue : 1));
        if (machine->disk_busy > 1)
                machine->disk_busy = 1;
        fake_tick(machine, 1);
}

static void disk_run(int seconds)
{
        for (int i = 0; i < seconds; i++)
                disk_second();
}

static int begin(void **state)
{
        (void)set_up(state);
        reads = 20;
        read_msec = 2;
        read_bytes = 8192;
        queue = 1;
        writes = write_msec = 0;
        database = fake_add(machine, "postgres", "postgresql.service");
        database->running = 0.05;
        database->disk_wait = 0.005;
        return 0;
}

static void become_slow(void)
{
        reads = 8;
        read_msec = 100;
        database->disk_wait = 0.8;
}

static void test_found(void **state)
{
        (void)state;
        disk_run(120);
        assert_clear(CHECK, "no disk takes longer");
        usec_t onset = machine->now.time.realtime_usec;
        become_slow();
        disk_run(30);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.kind, FINDING_CAUSE);
        assert_int_equal(finding.culprit.kind, SUBJECT_DISK);
        assert_string_equal(finding.culprit.name, "sda");
        assert_true(fake_is_victim(&finding, "postgres"));
        assert_about(finding.lost_permille, 941, 2);
        assert_about((double)finding.since_usec, (double)onset, 5e6);
        assert_says(&finding, "a read takes 100 ms, and usually 2.0 ms at no less load");
        assert_says(&finding, "smartctl -x /dev/sda");
        assert_int_equal(finding.evidence[0].usual, 2000);
        /* It goes on until most of the recent past is slow. */
        disk_run(250);
        (void)assert_found(CHECK);
        reads = 20;
        read_msec = 2;
        disk_run(60);
        (void)assert_verdict(CHECK, VERDICT_CLEAR, true);
}

static void test_nobody_waits(void **state)
{
        (void)state;
        disk_run(120);
        become_slow();
        database->disk_wait = 0.001;
        disk_run(30);
        assert_clear(CHECK, "nobody loses more than");
}

/* A queue of 64: each request waits for the others, and by itself takes as long as ever. */
static void test_saturated(void **state)
{
        (void)state;
        disk_run(120);
        reads = 500;
        read_msec = 128;
        queue = 64;
        database->disk_wait = 0.9;
        disk_run(40);
        assert_clear(CHECK, "no disk takes longer");
}

static void test_wakes_up(void **state)
{
        (void)state;
        machine->now.disks[0].is_rotational = true;
        disk_run(120);
        reads = 0;
        database->disk_wait = 0.99;
        disk_run(7);
        reads = 60; /* what had piled up */
        read_msec = 4000;
        disk_run(1);
        reads = 20;
        read_msec = 2;
        for (int i = 0; i < 40; i++) {
                disk_second();
                assert_int_not_equal(fake_check(machine, CHECK, false).verdict, VERDICT_FOUND);
        }
}

/* Reads that seek after reads in sequence; large requests. */
static void test_other_requests(void **state)
{
        (void)state;
        machine->now.disks[0].is_rotational = true;
        reads = 300;
        read_msec = 0.3;
        disk_run(120);
        reads = 80;
        read_msec = 12;
        database->disk_wait = 0.9;
        disk_run(40);
        assert_clear(CHECK, "no disk takes longer");
        machine->now.disks[0].is_rotational = false;
        reads = 10;
        read_msec = 90;
        read_bytes = 1e6; /* more than ever, and 6 ms for each 64 KiB */
        disk_run(40);
        assert_clear(CHECK, "no disk takes longer");
}

static void test_other_direction(void **state)
{
        (void)state;
        disk_run(120); /* reads only */
        reads = 0;
        writes = 10;
        write_msec = 60;
        database->disk_wait = 0.9;
        disk_run(40);
        struct finding finding = assert_verdict(CHECK, VERDICT_UNKNOWN, false);
        assert_says(&finding, "how long it took at this load before is not known");
}

static void test_more_load(void **state)
{
        (void)state;
        reads = 2;
        disk_run(120);
        reads = 9;
        read_msec = 100;
        database->disk_wait = 0.9;
        disk_run(40);
        (void)assert_verdict(CHECK, VERDICT_UNKNOWN, false);
}

static void test_just_started(void **state)
{
        (void)state;
        become_slow();
        disk_run(3);
        assert_clear(CHECK, "no disk takes longer");
        disk_run(60);
        (void)assert_verdict(CHECK, VERDICT_UNKNOWN, false);
        machine->now.disk_count = 0;
        fake_run(machine, 2);
        (void)assert_verdict(CHECK, VERDICT_UNKNOWN, false);
}

static void test_latencies(void **state)
{
        (void)state;
        disk_run(1);
        assert_null(history_disk_past(machine->history, ""));
        disk_run(190);
        read_msec = 40;
        disk_run(8); /* 4 % */
        const struct disk_past_row *row = history_disk_past(machine->history, "sda");
        assert_non_null(row);
        usec_t now_usec = machine->now.time.monotonic_usec;
        assert_about(disk_past_latency_msec(row, now_usec, 0.5), 2, 0.5);
        assert_about(disk_past_latency_msec(row, now_usec, 0.95), 2, 0.5);
        assert_about(disk_past_latency_msec(row, now_usec, 0.99), 40, 10);
        assert_true(isnan(disk_past_latency_msec(row, now_usec + 20 * USEC_PER_MINUTE, 0.5)));
        assert_null(disk_past_step(row, now_usec, DISK_PAST_STEPS));
}

#define CASE_(test) cmocka_unit_test_setup_teardown(test, begin, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE_(test_found),     CASE_(test_nobody_waits),   CASE_(test_saturated),
                CASE_(test_wakes_up),  CASE_(test_other_requests), CASE_(test_other_direction),
                CASE_(test_more_load), CASE_(test_just_started),   CASE_(test_latencies),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
