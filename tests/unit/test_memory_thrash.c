/* memory.thrash: the same pages out and in, and time lost to it. Figures as measured in the research. */
#include "tests/support/cases.h"

#define CHECK "memory.thrash"
#define MB    UINT64_C(1000000)

static struct fake_process *add_toucher(void)
{
        struct fake_process *toucher = fake_add(machine, "toucher", "app.service");
        toucher->running = 0.2;
        toucher->swap_wait = 0.6;
        toucher->major_faults = 10000;
        toucher->counters.rss_anon_bytes = 150 * MB;
        toucher->counters.swap_bytes = 250 * MB;
        return toucher;
}

static void swapping(double in, double out)
{
        machine->swap_in = in;
        machine->swap_out = out;
        machine->disk_read_bytes = in * 4096;
        machine->disk_write_bytes = out * 4096;
        machine->now.meminfo.swap_total_bytes = 1000 * MB;
        machine->now.meminfo.swap_free_bytes = 749 * MB;
}

static void test_found(void **state)
{
        (void)state;
        fake_add(machine, "firefox", "")->counters.rss_anon_bytes = 3000 * MB; /* large, but does not fault */
        fake_run(machine, 30);
        usec_t onset = machine->now.time.realtime_usec;
        add_toucher();
        swapping(12408, 12427);
        machine->memory_full = 0.13;
        machine->io_full = 0.4;
        fake_run(machine, 12);
        struct finding finding = assert_found(CHECK);
        assert_string_equal(finding.culprit.name, "toucher");
        assert_int_equal(finding.since_usec, onset);
        assert_about(finding.lost_permille, 750, 2);
        assert_int_equal(finding.severity, SEVERITY_CRITICAL);
        assert_true(fake_is_victim(&finding, "toucher"));
        assert_says(&finding, "toucher holds 400 MB, swap included");
        assert_says(&finding, "systemctl restart app.service");
}

static void test_in_its_group(void **state)
{
        (void)state;
        struct fake_unit *unit = fake_unit(machine, "app.service");
        unit->values.memory_max_bytes = 150 * MB;
        unit->values.memory_bytes = 149 * MB;
        add_toucher();
        swapping(12408, 12427);
        fake_run(machine, 15);
        struct finding finding = assert_found(CHECK);
        assert_says(&finding, "needs 400 MB but its group may hold only 150 MB");
        assert_says(&finding, "MemoryMax=500M");
}

static void test_cold_swap(void **state)
{
        (void)state;
        add_toucher()->swap_wait = 0;
        swapping(0, 1);
        fake_run(machine, 30);
        assert_clear(CHECK, "no swap-ins (251 MB of swap in use, cold)");
}

static void test_mild_overcommit(void **state)
{
        (void)state;
        add_toucher()->swap_wait = 0.02;
        swapping(33, 20);
        machine->io_full = 0.3; /* of something else */
        fake_run(machine, 30);
        assert_clear(CHECK, "only 33 pages swapped in");
}

static void test_swapping_that_costs_little(void **state)
{
        (void)state;
        struct fake_process *toucher = add_toucher();
        toucher->running = 1;
        toucher->swap_wait = 0.08; /* 74 permille */
        swapping(1000, 1000);
        fake_run(machine, 30);
        assert_clear(CHECK, "cost only 7.4 % of the time");
        (void)assert_verdict(CHECK, VERDICT_FOUND, true);
        toucher->swap_wait = 0.04;
        fake_run(machine, 15);
        (void)assert_verdict(CHECK, VERDICT_CLEAR, true);
}

/* One way only: memory that is made room in, or a program that comes back. */
static void test_single_bursts(void **state)
{
        (void)state;
        add_toucher();
        swapping(0, 20000);
        fake_run(machine, 15);
        assert_clear(CHECK, "no swap-ins");
        swapping(4000, 100);
        fake_run(machine, 14);
        assert_clear(CHECK, "only 4,000 pages swapped in");
}

/* swapoff, or everything fetched back: the swap is nearly empty at the end, and was full before. */
static void test_swapoff(void **state)
{
        (void)state;
        add_toucher();
        swapping(4000, 0);
        for (int i = 0; i < 15; i++) { /* 245 of 251 MB */
                machine->now.meminfo.swap_free_bytes += 4000 * 4096;
                fake_tick(machine, 1);
        }
        assert_clear(CHECK, "only 4,000 pages swapped in");
}

/* Clean pages that are still in swap are only fetched, again and again: more than swap has ever held. */
static void test_one_way_but_over_and_over(void **state)
{
        (void)state;
        add_toucher();
        swapping(4000, 0);
        fake_run(machine, 30);
        (void)assert_found(CHECK);
}

/* A backup fills the disk and stalls everybody, and pushes a few pages out that come back: not thrashing. */
static void test_backup_beside_a_little_swapping(void **state)
{
        (void)state;
        fake_add(machine, "tar", "")->disk_wait = 0.8;
        fake_work(machine, "tar", 0.2, 0);
        swapping(300, 300);
        machine->disk_read_bytes = machine->disk_write_bytes = 100e6;
        machine->io_full = 0.6;
        machine->memory_full = 0.02;
        fake_run(machine, 30);
        assert_clear(CHECK, "300 pages swapped in each second cost only 1.9 %");
}

/* The waits of older processes are not counted; the machine's pressure is. */
static void test_pressure_alone(void **state)
{
        (void)state;
        fake_without_delays(add_toucher());
        swapping(12408, 12427);
        machine->io_full = 0.4;
        fake_run(machine, 15);
        struct finding finding = assert_found(CHECK);
        assert_about(finding.lost_permille, 400, 1);
        assert_int_equal(finding.victim_count, 0);
}

/* ---- the file cache ---- */

static void files(double restored, uint64_t available_bytes)
{
        machine->now.meminfo.cached_bytes = 400 * MB; /* 97,656 pages */
        machine->now.meminfo.available_bytes = available_bytes;
        machine->restore_file = restored;
        machine->disk_read_bytes = restored * 4096;
        machine->io_full = 0.5;
        fake_add(machine, "java", "")->counters.rss_anon_bytes = 7000 * MB;
        machine->processes[0].major_faults = 500;
}

static void test_file_thrash(void **state)
{
        (void)state;
        files(35000, 300 * MB);
        fake_run(machine, 15);
        struct finding finding = assert_found(CHECK);
        assert_string_equal(finding.culprit.name, "java");
        assert_says(&finding, "reading files again");
        assert_says(&finding, "36 % of the file cache is read again each second");
}

static void test_large_file(void **state)
{
        (void)state;
        files(0, 300 * MB); /* read once: nothing is restored */
        fake_run(machine, 15);
        assert_clear(CHECK, "no swap-ins");
}

static void test_cache_with_room(void **state)
{
        (void)state;
        files(35000, 5000 * MB); /* in a control group of its own */
        fake_run(machine, 15);
        assert_clear(CHECK, "no swap-ins");
}

/* ---- who is it ---- */

/* Shared buffers are there once, however many backends map them. */
static void test_shared_buffers(void **state)
{
        (void)state;
        add_toucher();
        for (int i = 0; i < 100; i++) {
                struct fake_process *backend = fake_add(machine, "postgres", "");
                backend->running = 0.001;
                backend->major_faults = 1;
                backend->counters.rss_anon_bytes = 2 * MB;
                backend->counters.rss_shmem_bytes = 1000 * MB;
        }
        swapping(12408, 12427);
        fake_run(machine, 15);
        struct finding finding = assert_found(CHECK);
        assert_string_equal(finding.culprit.name, "toucher");
}

static void test_nobody_to_blame(void **state)
{
        (void)state;
        swapping(12408, 12427);
        machine->memory_full = 0.3;
        fake_run(machine, 15);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.culprit.kind, SUBJECT_MACHINE);
}

static void test_unknown_and_early(void **state)
{
        (void)state;
        add_toucher();
        swapping(12408, 12427);
        fake_run(machine, 4);
        assert_clear(CHECK, "for a moment yet");
        machine->now.machine.page_bytes = ABSENT; /* then nothing about shares can be said, and nothing is */
        fake_run(machine, 20);
        (void)assert_found(CHECK);
        machine->now.vmstat.swap_in_pages = ABSENT;
        fake_run(machine, 20);
        (void)assert_verdict(CHECK, VERDICT_UNKNOWN, false);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_found),
                CASE(test_in_its_group),
                CASE(test_cold_swap),
                CASE(test_mild_overcommit),
                CASE(test_swapping_that_costs_little),
                CASE(test_single_bursts),
                CASE(test_swapoff),
                CASE(test_one_way_but_over_and_over),
                CASE(test_backup_beside_a_little_swapping),
                CASE(test_pressure_alone),
                CASE(test_file_thrash),
                CASE(test_large_file),
                CASE(test_cache_with_room),
                CASE(test_shared_buffers),
                CASE(test_nobody_to_blame),
                CASE(test_unknown_and_early),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
