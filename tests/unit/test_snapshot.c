/* Two samples -> one snapshot: rates, what is absent, clocks, and who used what. */
#include "tests/support/cases.h"

static double value(enum field field)
{
        return machine->snapshot.value[field];
}

/* ---- the machine ---- */

static void test_first_sample_has_levels_only(void **state)
{
        (void)state;
        struct fake_process *process = fake_add(machine, "nginx", "");
        process->counters.rss_anon_bytes = 5000;
        fake_tick(machine, 1);
        assert_true(machine->snapshot.is_first);
        assert_true(isnan(value(FIELD_CPU_BUSY)));
        assert_true(isnan(value(FIELD_SWAP_IN_PAGES)));
        assert_true(isnan(value(FIELD_PSI_CPU_SOME)));
        assert_about(value(FIELD_MEMORY_TOTAL_BYTES), 8e9, 0);
        assert_true(isnan(fake_rate(machine, process)->ledger.running));
        assert_true(isnan(fake_rate(machine, process)->cpu));
        assert_int_equal(fake_program(machine, "nginx", "")->anon_bytes, 5000);
        assert_int_equal(machine->snapshot.disk_count, 0);
}

static void test_nothing_at_all(void **state)
{
        (void)state;
        struct clock_reading time = machine->now.time;
        for (int i = 0; i < 3; i++) {
                sample_clear(&machine->now);
                time.monotonic_usec += USEC_PER_SEC;
                machine->now.time = time;
                machine->now.stat.cpu_count = ABSENT;
                struct snapshot *snapshot = &machine->snapshot;
                machine->samples[i & 1] = machine->now;
                assert_int_equal(snapshot_make(i ? &machine->samples[~i & 1] : NULL, &machine->samples[i & 1],
                                               USEC_PER_SEC, snapshot),
                                 0);
                for (size_t k = 0; k < FIELD_MAX; k++)
                        if (k != FIELD_PROCESSES && !isnan(snapshot->value[k]))
                                fail_msg("%s is %f", field_name((enum field)k), snapshot->value[k]);
        }
}

static void test_machine_rates(void **state)
{
        (void)state;
        machine->busy = 0.4;
        machine->cpu_some = 0.25;
        machine->swap_in = 12;
        machine->disk_busy = 0.5;
        machine->disk_read_bytes = 4096000;
        fake_tick(machine, 5);
        fake_tick(machine, 5);
        assert_false(machine->snapshot.is_first);
        assert_about(value(FIELD_CPU_BUSY), 0.4, 0.001);
        assert_about(value(FIELD_CPU_IDLE), 0.6, 0.001);
        assert_about(value(FIELD_PSI_CPU_SOME), 0.25, 1e-6);
        assert_about(value(FIELD_SWAP_IN_PAGES), 12, 1e-6);
        assert_about(value(FIELD_DISK_BUSY_MAX), 0.5, 1e-6);
        assert_about(value(FIELD_DISK_READ_BYTES), 4096000, 1);
        assert_about(value(FIELD_CONTEXT_SWITCHES), 1000, 1e-6);
        assert_int_equal(machine->snapshot.interval_usec, 5 * USEC_PER_SEC);
}

static void test_absent_is_not_zero(void **state)
{
        (void)state;
        memset(machine->now.pressure, 0xff, sizeof(machine->now.pressure)); /* psi=0 */
        machine->now.vmstat.swap_in_pages = ABSENT;
        machine->now.meminfo.available_bytes = ABSENT;
        struct fake_process *process = fake_add(machine, "nginx", "");
        fake_without_delays(process);
        process->counters.read_bytes = ABSENT; /* another user's io file */
        process->counters.children_user_ticks = process->counters.children_system_ticks = ABSENT;
        fake_tick(machine, 1);
        process->counters.children_user_ticks = process->counters.children_system_ticks = 7;
        fake_tick(machine, 1);
        assert_true(isnan(value(FIELD_PSI_CPU_SOME)));
        assert_true(isnan(value(FIELD_SWAP_IN_PAGES)));
        assert_true(isnan(value(FIELD_MEMORY_AVAILABLE_BYTES)));
        assert_about(value(FIELD_SWAP_OUT_PAGES), 0, 0);
        const struct process_rate *rate = fake_rate(machine, process);
        assert_true(isnan(rate->ledger.disk_wait));
        assert_true(isnan(rate->ledger.swap_wait));
        assert_true(isnan(rate->read_bytes));
        assert_true(isnan(rate->children_cpu));
        assert_about((double)rate->ledger.cpu_wait, 0, 0);
}

/* Ticks that cannot be read must not become 2^64 of them, for new processes neither. */
static void test_absent_ticks(void **state)
{
        (void)state;
        fake_run(machine, 2);
        struct fake_process *process = fake_start(machine, "odd", "");
        process->counters.user_ticks = process->counters.system_ticks = ABSENT;
        process->counters.children_user_ticks = process->counters.children_system_ticks = ABSENT;
        process->counters.run_nsec = ABSENT;
        fake_tick(machine, 1);
        assert_true(isnan(fake_rate(machine, process)->cpu));
        assert_true(isnan(fake_rate(machine, process)->children_cpu));
        assert_about((double)fake_program(machine, "odd", "")->cpu, 0, 0);
        assert_about(value(FIELD_CPU_UNATTRIBUTED), 0, 1e-9);
}

static void test_counters_that_run_back(void **state)
{
        (void)state;
        machine->swap_in = machine->disk_read_bytes = 100;
        struct fake_process *process = fake_add(machine, "odd", "");
        process->running = 0.5;
        process->read_bytes = 1000;
        fake_run(machine, 2);
        machine->now.vmstat.swap_in_pages = 0;
        machine->now.disks[0].read_bytes = 0;
        machine->now.stat.all.idle -= 300; /* iowait and idle may; more than the tick adds */
        machine->busy = 0.5;
        process->counters.read_bytes = 0;
        fake_tick(machine, 1);
        assert_true(isnan(value(FIELD_SWAP_IN_PAGES)));
        assert_about(value(FIELD_DISK_READ_BYTES), 0, 0);
        assert_true(value(FIELD_CPU_BUSY) >= 0 && value(FIELD_CPU_BUSY) <= 1);
        assert_true(isnan(fake_rate(machine, process)->read_bytes));
        fake_tick(machine, 1);
        assert_about(value(FIELD_SWAP_IN_PAGES), 100, 0);
}

static void test_disks(void **state)
{
        (void)state;
        struct sample *now = &machine->now;
        now->disk_count = 3;
        memset(&now->disks[1], 0, 2 * sizeof(now->disks[1]));
        (void)snprintf(now->disks[1].name, sizeof(now->disks[1].name), "sda1");
        now->disks[1].is_partition = true;
        (void)snprintf(now->disks[2].name, sizeof(now->disks[2].name), "dm-0");
        now->disks[2].is_stacked = true;
        machine->disk_read_bytes = 1e6;
        fake_tick(machine, 1);
        now->disks[1].read_bytes += 1000000;
        now->disks[2].read_bytes += 1000000;
        now->disks[2].busy_msec += 1000;
        now->disks[0].busy_msec = ABSENT; /* a kernel without io_ticks: must not hide the other */
        now->disks[0].reads += 100;
        now->disks[0].read_msec += 1500;
        fake_tick(machine, 1);
        assert_about(value(FIELD_DISK_READ_BYTES), 1e6, 1); /* counted once */
        assert_about(value(FIELD_DISK_BUSY_MAX), 1, 1e-6);
        assert_about((double)machine->snapshot.disks[0].await_msec, 15, 1e-3);
        /* Another disk in the place of one that was unplugged. */
        (void)snprintf(now->disks[0].name, sizeof(now->disks[0].name), "sdb");
        fake_tick(machine, 1);
        assert_int_equal(machine->snapshot.disk_count, 2);
}

/* ---- clocks ---- */

static void test_suspend_is_no_interval(void **state)
{
        (void)state;
        machine->swap_in = 10;
        fake_run(machine, 2);
        machine->now.time.realtime_usec += 3 * USEC_PER_HOUR;
        machine->now.time.boottime_usec += 3 * USEC_PER_HOUR;
        fake_tick(machine, 1);
        assert_int_equal(machine->snapshot.interval_usec, USEC_PER_SEC);
        assert_int_equal(machine->snapshot.suspended_usec, 3 * USEC_PER_HOUR);
        assert_int_equal(machine->snapshot.clock_step_usec, 0);
        assert_about(value(FIELD_SWAP_IN_PAGES), 10, 1e-6);
}

static void test_clock_steps(void **state)
{
        (void)state;
        fake_run(machine, 2);
        machine->now.time.realtime_usec += USEC_PER_HOUR;
        fake_tick(machine, 1);
        assert_int_equal(machine->snapshot.clock_step_usec, (int64_t)USEC_PER_HOUR);
        assert_int_equal(machine->snapshot.interval_usec, USEC_PER_SEC);
        machine->now.time.realtime_usec -= 2 * USEC_PER_HOUR;
        fake_tick(machine, 1);
        assert_int_equal(machine->snapshot.clock_step_usec, -2 * (int64_t)USEC_PER_HOUR);
        assert_int_equal(machine->snapshot.suspended_usec, 0);
        machine->now.time.realtime_usec += 100 * USEC_PER_MSEC; /* slewed by NTP */
        fake_tick(machine, 1);
        assert_int_equal(machine->snapshot.clock_step_usec, 0);
}

static void test_no_time_passed(void **state)
{
        (void)state;
        fake_run(machine, 2);
        fake_tick(machine, 0);
        assert_true(machine->snapshot.is_first);
        assert_true(isnan(value(FIELD_CPU_BUSY)));
}

static void test_another_boot(void **state)
{
        (void)state;
        fake_run(machine, 2);
        (void)snprintf(machine->now.machine.boot_id, sizeof(machine->now.machine.boot_id), "boot-2");
        fake_tick(machine, 1);
        assert_true(machine->snapshot.is_first);
}

/* ---- processes ---- */

static void test_process_rates(void **state)
{
        (void)state;
        struct fake_process *process = fake_add(machine, "nginx", "nginx.service");
        process->running = 0.3;
        process->cpu_wait = 0.1;
        process->disk_wait = 0.2;
        process->read_bytes = 1e6;
        process->write_bytes = 2e6;
        process->children = 0.25;
        fake_run(machine, 3);
        process->counters.cancelled_write_bytes += 500000;
        fake_tick(machine, 1);
        const struct process_rate *rate = fake_rate(machine, process);
        assert_about((double)rate->cpu, 0.3, 1e-6);
        assert_about((double)rate->ledger.cpu_wait, 0.1, 1e-6);
        assert_about((double)rate->ledger.disk_wait, 0.2, 1e-6);
        assert_about((double)rate->children_cpu, 0.25, 1e-6);
        assert_about((double)rate->read_bytes, 1e6, 1);
        assert_about((double)rate->write_bytes, 1.5e6,
                     1); /* the rest was thrown away before it was written */
        assert_false(rate->is_new);
        assert_int_equal(rate->age_usec, machine->now.time.boottime_usec - 10 * USEC_PER_MSEC);
        assert_int_equal(rate->program, 0);
}

static void test_ticks_where_no_better_is_known(void **state)
{
        (void)state;
        struct fake_process *process = fake_add(machine, "a", "");
        process->counters.run_nsec = process->counters.run_delay_nsec = ABSENT;
        fake_tick(machine, 1);
        process->counters.user_ticks += 20;
        process->counters.system_ticks += 30;
        fake_tick(machine, 1);
        assert_about((double)fake_rate(machine, process)->cpu, 0.5, 1e-6);
        assert_true(isnan(fake_rate(machine, process)->ledger.cpu_wait));
        /* Of a process with many threads the main one's run time is not the whole. */
        process->counters.run_nsec = 0;
        process->counters.delays = DELAYS_MAIN_ONLY;
        fake_tick(machine, 1);
        process->counters.run_nsec += 1000;
        process->counters.user_ticks += 200;
        fake_tick(machine, 1);
        assert_about((double)fake_rate(machine, process)->cpu, 2, 1e-6);
}

static void test_recycled_pid(void **state)
{
        (void)state;
        struct fake_process *process = fake_add(machine, "old", "");
        process->running = 1;
        fake_run(machine, 10);
        process->counters.start_ticks = process->identity.start_ticks =
                machine->now.time.boottime_usec / 10000 + 50;
        process->counters.run_nsec = 0;
        process->running = 0.25;
        fake_tick(machine, 1);
        assert_true(fake_rate(machine, process)->is_new);
        assert_about((double)fake_rate(machine, process)->cpu, 0.25, 1e-6);
        assert_int_equal(fake_program(machine, "old", "")->new_count, 1);
}

static void test_new_and_formerly_unseen(void **state)
{
        (void)state;
        fake_run(machine, 2);
        struct fake_process *fresh = fake_start(machine, "fresh", "");
        struct fake_process *unseen = fake_add(machine, "unseen", ""); /* there for long, over a cap */
        unseen->counters.run_nsec = UINT64_C(3600000000000);
        unseen->counters.read_bytes = 1000000000;
        fresh->running = 0.5;
        unseen->running = 0.5;
        fake_tick(machine, 1);
        assert_true(fake_rate(machine, fresh)->is_new);
        assert_about((double)fake_rate(machine, fresh)->cpu, 0.5, 1e-6);
        assert_false(fake_rate(machine, unseen)->is_new);
        assert_true(isnan(fake_rate(machine, unseen)->cpu));
        assert_about((double)fake_program(machine, "unseen", "")->read_bytes, 0, 0);
        fake_tick(machine, 1);
        assert_about((double)fake_rate(machine, unseen)->cpu, 0.5, 1e-6);
}

/* ---- children ---- */

static void test_reaped_child_counts_once(void **state)
{
        (void)state;
        struct fake_process *make = fake_add(machine, "make", ""), *cc = fake_start(machine, "cc1", "");
        fake_started_by(cc, make);
        cc->running = 1;
        fake_run(machine, 4); /* seen with 4 s of CPU */
        cc->is_hidden = true;
        make->children = 4.5; /* it was reaped with 4.5 s in all */
        machine->busy = 0.25;
        fake_tick(machine, 1);
        assert_about((double)fake_rate(machine, make)->children_cpu, 0.5, 0.011);
        assert_about(value(FIELD_CPU_UNATTRIBUTED), 0, 0.01);
}

/* The kernel adds a reaped child's I/O to its parent's own counters. */
static void test_reaped_childs_io_counts_once(void **state)
{
        (void)state;
        struct fake_process *shell = fake_add(machine, "sh", ""), *dd = fake_start(machine, "dd", "");
        fake_started_by(dd, shell);
        dd->read_bytes = 1e6;
        dd->write_bytes = 2e6;
        shell->read_bytes = 5000;
        fake_run(machine, 4); /* seen with 4 and 8 MB */
        dd->is_hidden = true;
        shell->counters.read_bytes += 4100000; /* it was reaped with 4.1 and 8.2 MB */
        shell->counters.write_bytes += 8200000;
        fake_tick(machine, 1);
        assert_about((double)fake_rate(machine, shell)->read_bytes, 105000, 10);
        assert_about((double)fake_rate(machine, shell)->write_bytes, 200000, 10);
        fake_tick(machine, 1);
        assert_about((double)fake_rate(machine, shell)->read_bytes, 5000, 10);
}

static void test_parent_that_ended_too(void **state)
{
        (void)state;
        struct fake_process *make = fake_add(machine, "make", ""), *gcc = fake_start(machine, "gcc", ""),
                            *cc = fake_start(machine, "cc1", "");
        fake_started_by(gcc, make);
        fake_started_by(cc, gcc);
        cc->running = 1;
        fake_run(machine, 3);
        cc->is_hidden = gcc->is_hidden = true;
        make->children = 3.25; /* cc1's 3.25 s came up through gcc */
        fake_tick(machine, 1);
        assert_about((double)fake_rate(machine, make)->children_cpu, 0.25, 0.011);
        /* Orphans of a parent nobody knows change nothing. */
        struct fake_process *orphan = fake_start(machine, "orphan", "");
        orphan->identity.ppid = orphan->counters.ppid = 99999;
        orphan->running = 1;
        make->children = 0.5;
        fake_run(machine, 2);
        orphan->is_hidden = true;
        fake_tick(machine, 1);
        assert_about((double)fake_rate(machine, make)->children_cpu, 0.5, 0.011);
}

static void test_unattributed(void **state)
{
        (void)state;
        struct fake_process *shell = fake_add(machine, "sh", "");
        shell->running = 0.2;
        shell->children = 0.4;
        machine->busy = 0.9; /* 1.8 CPUs, of which 0.6 are accounted for */
        fake_run(machine, 3);
        assert_about(value(FIELD_CPU_UNATTRIBUTED), 0.6, 0.011);
}

/* ---- waits ---- */

static void test_swapin_is_booked_thrice(void **state)
{
        (void)state;
        struct fake_process *process = fake_add(machine, "toucher", "");
        fake_tick(machine, 1);
        process->counters.swapin_delay_nsec += 400000000;
        process->counters.thrashing_delay_nsec += 350000000;
        process->counters.block_delay_nsec += 500000000; /* swap-ins, and 0.1 s of its own reading */
        process->counters.reclaim_delay_nsec += 50000000;
        process->counters.compact_delay_nsec += 10000000;
        fake_tick(machine, 1);
        const struct ledger *ledger = &fake_rate(machine, process)->ledger;
        assert_about((double)ledger->swap_wait, 0.4, 1e-6);
        assert_about((double)ledger->disk_wait, 0.1, 1e-6);
        assert_about((double)ledger->reclaim_wait, 0.06, 1e-6);
}

/* A wait is booked when it ends: ten seconds arrive at once, and cannot all be of this second. */
static void test_long_wait(void **state)
{
        (void)state;
        struct fake_process *process = fake_add(machine, "dd", "");
        process->running = 0.1;
        fake_run(machine, 2);
        process->running = 0;
        process->counters.state = 'D';
        (void)snprintf(process->counters.wait_channel, sizeof(process->counters.wait_channel), "io_schedule");
        fake_tick(machine, 1); /* fell asleep in this interval: booked later */
        fake_tick(machine, 1);
        assert_about((double)fake_rate(machine, process)->ledger.disk_wait, 1, 0);
        assert_about((double)fake_rate(machine, process)->ledger.stuck, 0, 0);
        fake_tick(machine, 1);
        assert_about((double)fake_rate(machine, process)->ledger.disk_wait, 1, 0);
        process->counters.state = 'S';
        process->counters.wait_channel[0] = '\0';
        process->counters.slices++;
        process->counters.block_delay_nsec += UINT64_C(3500000000);
        fake_tick(machine, 1);
        assert_about((double)fake_rate(machine, process)->ledger.disk_wait, 1, 0);
        fake_tick(machine, 1);
        assert_about((double)fake_rate(machine, process)->ledger.disk_wait, 0, 0);
}

/* Seen on 6.18: +1,846 s of block delay at once, on a process a few seconds old. */
static void test_wait_longer_than_life(void **state)
{
        (void)state;
        struct fake_process *process = fake_add(machine, "dd", "");
        process->running = 0.1;
        fake_run(machine, 2);
        process->counters.start_ticks =
                (machine->now.time.boottime_usec - 4 * USEC_PER_SEC) / (USEC_PER_SEC / 100);
        fake_run(machine, 2);
        process->counters.block_delay_nsec += UINT64_C(1846000000000);
        fake_tick(machine, 1);
        assert_true(isnan(fake_rate(machine, process)->ledger.disk_wait));
        process->counters.block_delay_nsec += 500000000;
        fake_tick(machine, 1);
        assert_about((double)fake_rate(machine, process)->ledger.disk_wait, 0.5, 1e-6);
}

/* The same of a process as old as the machine, and of one that waited for a disk half a minute ago: who was
 * awake when the interval began has not waited for longer than it lasts. */
static void test_wait_longer_than_the_interval(void **state)
{
        (void)state;
        struct fake_process *init = fake_add(machine, "init", ""), *writer = fake_add(machine, "writer", "");
        init->running = writer->running = 0.1;
        fake_run(machine, 40);
        init->counters.block_delay_nsec += UINT64_C(39000000000);
        writer->counters.block_delay_nsec += UINT64_C(30000000000);
        writer->counters.threads = 4; /* not even if all of them did */
        fake_tick(machine, 5);
        assert_true(isnan(fake_rate(machine, init)->ledger.disk_wait));
        assert_true(isnan(fake_rate(machine, writer)->ledger.disk_wait));
        assert_about((double)ledger_waited(&fake_rate(machine, init)->ledger), 0, 1e-6);
        /* It does not last, and a wait as long as the interval, booked a moment late, is one. */
        init->counters.block_delay_nsec += UINT64_C(5020000000);
        writer->counters.block_delay_nsec += UINT64_C(10000000000);
        fake_tick(machine, 5);
        assert_about((double)fake_rate(machine, init)->ledger.disk_wait, 1, 1e-6);
        assert_about((double)fake_rate(machine, writer)->ledger.disk_wait, 2, 1e-6);
}

/* A shell's child, caught between fork and its first turn: it has waited for milliseconds, not for the
 * interval. */
/* Six threads have encoded for 17 s when the process is looked at on its way out. */
static void test_counted_twice_at_its_end(void **state)
{
        (void)state;
        struct fake_process *process = fake_add(machine, "ffmpeg", "");
        process->counters.threads = 6;
        process->counters.run_nsec = UINT64_C(17000000000);
        process->counters.run_delay_nsec = UINT64_C(20000000000);
        fake_tick(machine, 1);
        fake_tick(machine, 1);
        process->counters.run_nsec += UINT64_C(17600000000);
        process->counters.run_delay_nsec += UINT64_C(20000000000);
        process->counters.user_ticks += 60;
        fake_tick(machine, 1);
        assert_about(fake_rate(machine, process)->ledger.running, 0.6, 0.01);
        assert_true(isnan(fake_rate(machine, process)->ledger.cpu_wait));

        /* Threads that come and go between two looks are more than the two looks see: the ticks agree. */
        process->counters.threads = 1;
        fake_tick(machine, 1);
        process->counters.run_nsec += UINT64_C(1800000000);
        process->counters.user_ticks += 180;
        fake_tick(machine, 1);
        assert_about(fake_rate(machine, process)->ledger.running, 1.8, 0.01);
}

static void test_newborn_has_not_waited_long(void **state)
{
        (void)state;
        fake_run(machine, 3);
        struct fake_process *process = fake_add(machine, "bash", "");
        process->counters.state = 'R';
        process->counters.slices = process->counters.run_nsec = process->counters.run_delay_nsec = 0;
        process->counters.start_ticks =
                (machine->now.time.boottime_usec + 99 * USEC_PER_SEC / 100) / (USEC_PER_SEC / 100);
        fake_tick(machine, 1);
        assert_true(fake_rate(machine, process)->is_new);
        assert_true(fake_rate(machine, process)->ledger.cpu_wait <= 0.03F);
}

static void test_waits_of_many_threads(void **state)
{
        (void)state;
        struct fake_process *process = fake_add(machine, "mysqld", "");
        process->counters.threads = 40;
        process->disk_wait = 12;
        process->cpu_wait = 60;
        fake_run(machine, 2);
        assert_about((double)fake_rate(machine, process)->ledger.disk_wait, 12, 1e-5);
        assert_about((double)fake_rate(machine, process)->ledger.cpu_wait, 40, 0);
}

static void test_sampled_where_nothing_is_booked(void **state)
{
        (void)state;
        struct fake_process *process = fake_add(machine, "old", "");
        fake_without_delays(process);
        fake_run(machine, 2);
        assert_true(isnan(fake_rate(machine, process)->ledger.disk_wait));
        process->counters.state = 'D';
        process->counters.slices++;
        (void)snprintf(process->counters.wait_channel, sizeof(process->counters.wait_channel),
                       "folio_wait_bit_common");
        fake_tick(machine, 1);
        assert_about((double)fake_rate(machine, process)->ledger.disk_wait, 1, 0);
        (void)snprintf(process->counters.wait_channel, sizeof(process->counters.wait_channel),
                       "rpc_wait_bit_killable");
        fake_tick(machine, 1);
        assert_about((double)fake_rate(machine, process)->ledger.stuck, 1, 0);
        assert_true(isnan(fake_rate(machine, process)->ledger.disk_wait));
}

/* Just woken is not starved: only who was runnable all the time and never ran has waited all the time. */
static void test_starved_and_just_woken(void **state)
{
        (void)state;
        struct fake_process *process = fake_add(machine, "sleeper", "");
        process->running = 0.01;
        fake_run(machine, 2);
        process->running = 0;
        process->counters.state = 'R';
        process->counters.is_idle = true;
        fake_tick(machine, 1);
        assert_about((double)fake_rate(machine, process)->ledger.cpu_wait, 0, 0);
        fake_tick(machine, 1);
        assert_about((double)fake_rate(machine, process)->ledger.cpu_wait, 1, 0);
        process->counters.run_nsec += 1000000000; /* alone on a CPU: never switched, but it ran */
        fake_tick(machine, 1);
        assert_about((double)fake_rate(machine, process)->ledger.cpu_wait, 0, 0);
}

/* ---- units ---- */

static void test_throttled(void **state)
{
        (void)state;
        struct fake_unit *unit = fake_unit(machine, "batch.service");
        unit->values.cpu_quota_usec = 20000;
        unit->values.cpu_period_usec = 100000;
        unit->throttled = 0.8;
        struct fake_process *process = fake_add(machine, "hog", "batch.service");
        process->running = 0.2;
        process->cpu_wait = 0.5;
        machine->busy = 1;
        fake_run(machine, 2);
        const struct program *program = fake_program(machine, "hog", "batch.service");
        assert_about((double)program->ledger.throttled, 0.4, 1e-5);
        assert_about((double)program->ledger.cpu_wait, 0.1, 1e-5);
        assert_true(program->is_throttled);
        assert_about((double)machine->snapshot.units[0].throttled_share, 0.8, 1e-6);
        assert_about((double)machine->snapshot.units[0].ledger.throttled, 0.4, 1e-5);
        machine->busy = 0.1; /* CPUs idle: what it waits for is hardly a CPU */
        fake_tick(machine, 1);
        assert_about((double)fake_program(machine, "hog", "batch.service")->ledger.throttled, 0.45, 1e-5);
        unit->throttled = 0;
        fake_tick(machine, 1);
        assert_false(fake_program(machine, "hog", "batch.service")->is_throttled);
}

static void test_throttled_by_an_ancestor(void **state)
{
        (void)state;
        struct fake_unit *slice = fake_unit(machine, "user.slice"), *scope = fake_unit(machine, "s.scope");
        slice->values.cpu_quota_usec = 20000;
        slice->throttled = 0.5;
        scope->values.parent_id = slice->values.id;
        slice->values.parent_id = scope->values.id; /* a circle must not hang it */
        struct fake_process *process = fake_add(machine, "hog", "s.scope");
        process->cpu_wait = 0.5;
        struct fake_process *other = fake_add(machine, "free", "");
        other->cpu_wait = 0.5;
        machine->busy = 1;
        fake_run(machine, 2);
        assert_about((double)fake_program(machine, "hog", "s.scope")->ledger.throttled, 0.25, 1e-5);
        assert_about((double)fake_program(machine, "free", "")->ledger.cpu_wait, 0.5, 1e-5);
}

/* Quiet units are read once a minute: what they did then is not of the last second. */
static void test_unit_read_over_a_minute(void **state)
{
        (void)state;
        struct fake_unit *unit = fake_unit(machine, "quiet.service");
        fake_run(machine, 2);
        unit->is_unread = true;
        fake_tick(machine, 1);
        assert_about((double)machine->snapshot.units[0].refaults, 0, 0);
        fake_run(machine, 58);
        unit->is_unread = false;
        unit->values.refault_anon += 6000;
        unit->values.cpu_usage_usec += 6000000;
        fake_tick(machine, 1);
        assert_about((double)machine->snapshot.units[0].refaults, 100, 1e-3);
        assert_about((double)machine->snapshot.units[0].cpu, 0.1, 1e-6);
}

static void test_unit_without_files(void **state)
{
        (void)state;
        struct fake_unit *unit = fake_unit(machine, "a.service");
        memset(unit->values.pressure, 0xff, sizeof(unit->values.pressure));
        unit->values.cpu_periods = unit->values.cpu_throttled_periods = ABSENT;
        fake_run(machine, 2);
        assert_true(isnan(machine->snapshot.units[0].throttled_share));
        assert_true(isnan(machine->snapshot.units[0].psi_memory_full));
}

/* ---- programs ---- */

static void test_programs_by_name_and_unit(void **state)
{
        (void)state;
        for (int i = 0; i < 30; i++)
                fake_add(machine, "ffmpeg", "cron.service");
        fake_add(machine, "ffmpeg", "ssh.service");
        struct fake_process *zombie = fake_add(machine, "ffmpeg", "ssh.service");
        zombie->counters.state = 'Z';
        /* Names and units that are the same when written one after the other. */
        fake_add(machine, "ab", "c");
        fake_add(machine, "a", "bc");
        fake_work(machine, "ffmpeg", 0.05, 0.5);
        machine->processes[7].running = 0.5;
        fake_run(machine, 2);
        const struct program *program = fake_program(machine, "ffmpeg", "cron.service");
        assert_int_equal(machine->snapshot.program_count, 4);
        assert_int_equal(program->count, 30);
        assert_about((double)program->ledger.cpu_wait, 15, 1e-4);
        assert_about((double)program->cpu, 29 * 0.05 + 0.5, 1e-4);
        assert_int_equal(program->first_pid, machine->processes[7].identity.pid);
        assert_int_equal(fake_program(machine, "ffmpeg", "ssh.service")->count, 1);
        uint32_t indices[3];
        assert_int_equal(snapshot_program_processes(&machine->snapshot, 0, indices, 3), 3);
        assert_int_equal(indices[0], 7);
        assert_int_equal(snapshot_program_processes(&machine->snapshot, 0, indices, 0), 0);
}

static void test_shared_memory_counts_once(void **state)
{
        (void)state;
        for (int i = 0; i < 10; i++) {
                struct fake_process *backend = fake_add(machine, "postgres", "");
                backend->counters.rss_anon_bytes = 1000;
                backend->counters.rss_shmem_bytes = 100000 + (uint64_t)i;
        }
        fake_tick(machine, 1);
        assert_int_equal(fake_program(machine, "postgres", "")->anon_bytes, 10000);
        assert_int_equal(fake_program(machine, "postgres", "")->shmem_bytes, 100009);
}

static void test_class_of_work(void **state)
{
        (void)state;
        fake_add(machine, "nice", "")->counters.nice = 19;
        fake_add(machine, "idle", "")->counters.policy = 5;
        fake_add(machine, "batch", "")->counters.policy = 3;
        fake_add(machine, "polite", "")->counters.nice = 9;
        fake_add(machine, "mixed", "")->counters.nice = 10;
        fake_add(machine, "mixed", "")->running = 0.5;
        fake_run(machine, 2);
        assert_true(fake_program(machine, "nice", "")->is_batch);
        assert_false(fake_program(machine, "nice", "")->is_idle_class);
        assert_true(fake_program(machine, "idle", "")->is_batch);
        assert_true(fake_program(machine, "idle", "")->is_idle_class);
        assert_true(fake_program(machine, "batch", "")->is_batch);
        assert_false(fake_program(machine, "polite", "")->is_batch);
        /* Of one name, but not of one kind: the class says who yields to whom. */
        assert_int_equal(machine->snapshot.program_count, 6);
        assert_true(fake_program(machine, "mixed", "")->is_batch);
        assert_about((double)fake_program(machine, "mixed", "")->cpu, 0, 0);
}

static void test_kernel_threads_apart(void **state)
{
        (void)state;
        struct fake_process *kernel = fake_add(machine, "kworker/0:1", "");
        kernel->identity.is_kernel_thread = true;
        fake_add(machine, "kworker/0:1", "")->running = 1; /* calls itself so */
        fake_run(machine, 2);
        assert_int_equal(machine->snapshot.program_count, 2);
        assert_true(machine->snapshot.programs[0].is_kernel);
        assert_false(machine->snapshot.programs[1].is_kernel);
}

static void test_steady_part(void **state)
{
        (void)state;
        fake_add(machine, "sh", "")->running = 0.3;
        fake_run(machine, 2);
        fake_start(machine, "sh", "")->running = 0.6;
        fake_run(machine, 2);
        assert_about((double)fake_program(machine, "sh", "")->steady_cpu, 0.3, 1e-5);
        fake_run(machine, 10);
        assert_about((double)fake_program(machine, "sh", "")->steady_cpu, 0.9, 1e-5);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_first_sample_has_levels_only),
                CASE(test_nothing_at_all),
                CASE(test_machine_rates),
                CASE(test_absent_is_not_zero),
                CASE(test_absent_ticks),
                CASE(test_counters_that_run_back),
                CASE(test_disks),
                CASE(test_suspend_is_no_interval),
                CASE(test_clock_steps),
                CASE(test_no_time_passed),
                CASE(test_another_boot),
                CASE(test_process_rates),
                CASE(test_ticks_where_no_better_is_known),
                CASE(test_recycled_pid),
                CASE(test_new_and_formerly_unseen),
                CASE(test_reaped_child_counts_once),
                CASE(test_reaped_childs_io_counts_once),
                CASE(test_parent_that_ended_too),
                CASE(test_unattributed),
                CASE(test_swapin_is_booked_thrice),
                CASE(test_long_wait),
                CASE(test_wait_longer_than_life),
                CASE(test_wait_longer_than_the_interval),
                CASE(test_counted_twice_at_its_end),
                CASE(test_newborn_has_not_waited_long),
                CASE(test_waits_of_many_threads),
                CASE(test_sampled_where_nothing_is_booked),
                CASE(test_starved_and_just_woken),
                CASE(test_throttled),
                CASE(test_throttled_by_an_ancestor),
                CASE(test_unit_read_over_a_minute),
                CASE(test_unit_without_files),
                CASE(test_programs_by_name_and_unit),
                CASE(test_shared_memory_counts_once),
                CASE(test_class_of_work),
                CASE(test_kernel_threads_apart),
                CASE(test_steady_part),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
