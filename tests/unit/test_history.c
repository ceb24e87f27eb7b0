/* The ring of the last 15 minutes, and what can be asked of it. */
#include "tests/support/cases.h"

static double mean(enum field field, usec_t window_usec)
{
        return history_mean(machine->history, field, window_usec);
}

static void test_empty(void **state)
{
        (void)state;
        const struct history *history = machine->history;
        struct program_window window;
        struct unit_window unit;
        usec_t at;
        assert_null(history_latest(history));
        assert_int_equal(history_frames(history), 0);
        assert_int_equal(history_covered(history, SECONDS(10)), 0);
        assert_true(isnan(mean(FIELD_CPU_BUSY, SECONDS(10))));
        assert_true(isnan(history_max(history, FIELD_CPU_BUSY, SECONDS(10))));
        assert_true(isnan(history_min(history, FIELD_CPU_BUSY, SECONDS(10))));
        assert_true(isnan(history_total(history, FIELD_CPU_BUSY, SECONDS(10))));
        assert_true(isnan(history_slope(history, FIELD_CPU_BUSY, SECONDS(10))));
        assert_true(isnan(history_share_above(history, FIELD_CPU_BUSY, 0, SECONDS(10))));
        assert_int_equal(history_since_above(history, FIELD_CPU_BUSY, 0), 0);
        assert_int_equal(history_last_above(history, FIELD_CPU_BUSY, 0), 0);
        assert_int_equal(history_programs(history, SECONDS(10), &window, 1), 0);
        assert_false(history_program(history, 1, SECONDS(10), 0, &window));
        assert_false(history_unit(history, 1, SECONDS(10), &unit));
        assert_int_equal(history_program_since_cpu(history, 1, 0), 0);
        assert_null(history_message(history, 0));
        assert_null(history_kill_message(history, 0, &at));
        assert_null(history_gap(history, 0));
        /* The first sample has no rates, so it is no frame. */
        fake_tick(machine, 5);
        assert_int_equal(history_frames(history), 0);
        assert_non_null(history_latest(history));
        fake_tick(machine, 5);
        assert_int_equal(history_frames(history), 1);
}

/* Five seconds at 0.2 and one at 0.8 are 0.3, whatever the number of frames. */
static void test_frames_weigh_by_length(void **state)
{
        (void)state;
        machine->swap_in = 20;
        fake_tick(machine, 5);
        fake_tick(machine, 5);
        machine->swap_in = 80;
        fake_tick(machine, 1);
        assert_about(mean(FIELD_SWAP_IN_PAGES, SECONDS(6)), 30, 1e-4);
        assert_about(history_total(machine->history, FIELD_SWAP_IN_PAGES, SECONDS(6)), 180, 1e-3);
        assert_about(history_share_above(machine->history, FIELD_SWAP_IN_PAGES, 80, SECONDS(6)), 1.0 / 6,
                     1e-6);
        assert_about(history_max(machine->history, FIELD_SWAP_IN_PAGES, SECONDS(6)), 80, 0);
        assert_about(history_min(machine->history, FIELD_SWAP_IN_PAGES, SECONDS(6)), 20, 0);
        /* Of a frame that begins before the window only the part inside counts. */
        assert_about(mean(FIELD_SWAP_IN_PAGES, SECONDS(3)), 40, 1e-4);
        assert_int_equal(history_covered(machine->history, SECONDS(3)), SECONDS(3));
        assert_int_equal(history_covered(machine->history, SECONDS(60)), SECONDS(6));
}

static void test_unknown_frames_do_not_count(void **state)
{
        (void)state;
        machine->swap_in = 50;
        fake_run(machine, 3);
        machine->now.vmstat.swap_in_pages = ABSENT;
        fake_run(machine, 2);
        assert_about(mean(FIELD_SWAP_IN_PAGES, SECONDS(4)), 50, 1e-4);
        assert_true(isnan(mean(FIELD_SWAP_IN_PAGES, SECONDS(2))));
        assert_int_equal(history_since_above(machine->history, FIELD_SWAP_IN_PAGES, 1), 0);
        assert_about(history_share_above(machine->history, FIELD_SWAP_IN_PAGES, 1, SECONDS(4)), 1, 0);
}

static void test_slope(void **state)
{
        (void)state;
        machine->now.meminfo.shmem_bytes = 1000000000;
        fake_run(machine, 3);
        assert_true(isnan(history_slope(machine->history, FIELD_MEMORY_SHMEM_BYTES, SECONDS(60))));
        for (int i = 0; i < 20; i++) {
                machine->now.meminfo.shmem_bytes += 5 * 1048576;
                fake_tick(machine, i % 2 ? 1 : 4); /* 2.5 s on the average */
        }
        assert_about(history_slope(machine->history, FIELD_MEMORY_SHMEM_BYTES, SECONDS(49)), 2 * 1048576,
                     8e4);
        machine->swap_in = 7;
        fake_run(machine, 10);
        assert_about(history_slope(machine->history, FIELD_SWAP_IN_PAGES, SECONDS(10)), 0, 1e-6);
}

static void test_since_above(void **state)
{
        (void)state;
        fake_run(machine, 5);
        usec_t onset = machine->now.time.realtime_usec;
        machine->swap_in = 100;
        fake_run(machine, 5);
        assert_int_equal(history_since_above(machine->history, FIELD_SWAP_IN_PAGES, 100), onset);
        machine->swap_in = 0; /* two frames below are passed over ... */
        fake_run(machine, 2);
        assert_int_equal(history_since_above(machine->history, FIELD_SWAP_IN_PAGES, 100), 0);
        machine->swap_in = 100;
        fake_run(machine, 1);
        assert_int_equal(history_since_above(machine->history, FIELD_SWAP_IN_PAGES, 100), onset);
        machine->swap_in = 0; /* ... three are not */
        fake_run(machine, 3);
        assert_int_equal(history_last_above(machine->history, FIELD_SWAP_IN_PAGES, 100),
                         machine->now.time.realtime_usec - SECONDS(3));
        machine->swap_in = 100;
        onset = machine->now.time.realtime_usec;
        fake_run(machine, 2);
        assert_int_equal(history_since_above(machine->history, FIELD_SWAP_IN_PAGES, 100), onset);
        /* A clock that is set meanwhile moves the onset along: it is as long ago as before. */
        machine->now.time.realtime_usec += USEC_PER_DAY;
        fake_tick(machine, 1);
        assert_int_equal(history_since_above(machine->history, FIELD_SWAP_IN_PAGES, 100),
                         onset + USEC_PER_DAY);
}

static void test_gap_ends_windows(void **state)
{
        (void)state;
        machine->swap_in = 100;
        fake_run(machine, 30);
        machine->expected_sec = 1;
        machine->swap_in = 10;
        fake_tick(machine, 31);
        const struct gap *gap = history_gap(machine->history, 0);
        assert_non_null(gap);
        assert_int_equal(gap->late_usec, SECONDS(30));
        assert_int_equal(gap->end_realtime_usec - gap->begin_realtime_usec, SECONDS(30));
        assert_null(history_gap(machine->history, 1));
        /* The gap itself, as long as it is the latest; nothing before it. */
        assert_int_equal(history_covered(machine->history, SECONDS(60)), SECONDS(31));
        assert_about(mean(FIELD_SWAP_IN_PAGES, SECONDS(60)), 10, 1e-4);
        machine->swap_in = 50;
        fake_tick(machine, 1);
        assert_int_equal(history_covered(machine->history, SECONDS(60)), SECONDS(1));
        assert_about(mean(FIELD_SWAP_IN_PAGES, SECONDS(60)), 50, 1e-4);
}

/* A machine that thrashes makes slowd late as well: its slow ticks are still what there is to judge. */
static void test_late_ticks_are_no_gap(void **state)
{
        (void)state;
        machine->expected_sec = 1;
        machine->swap_in = 1000;
        for (int i = 0; i < 5; i++)
                fake_tick(machine, 4);
        assert_int_equal(history_covered(machine->history, SECONDS(10)), SECONDS(10));
        assert_non_null(history_gap(machine->history, 3)); /* each is remembered */
}

static void test_suspend_ends_windows_but_is_no_gap(void **state)
{
        (void)state;
        fake_run(machine, 10);
        machine->now.time.realtime_usec += USEC_PER_HOUR;
        machine->now.time.boottime_usec += USEC_PER_HOUR;
        fake_tick(machine, 1);
        assert_null(history_gap(machine->history, 0));
        assert_int_equal(history_covered(machine->history, SECONDS(60)), SECONDS(1));
        fake_tick(machine, 1);
        assert_int_equal(history_covered(machine->history, SECONDS(60)), SECONDS(1));
}

static void test_who_stood_still(void **state)
{
        (void)state;
        fake_run(machine, 30);
        machine->expected_sec = 1;
        fake_tick(machine, 7); /* the others went on as usual */
        assert_true(history_gap(machine->history, 0)->others_ran);
        fake_run(machine, 30);
        machine->context_switches = 1500.0 / 7; /* a second's worth, and half of one to catch up */
        fake_tick(machine, 7);
        assert_false(history_gap(machine->history, 0)->others_ran);
        machine->now.stat.context_switches = ABSENT;
        fake_tick(machine, 7);
        assert_true(history_gap(machine->history, 0)->others_ran); /* in doubt not the machine */
}

static void test_gap_ring(void **state)
{
        (void)state;
        machine->expected_sec = 1;
        fake_tick(machine, 1);
        for (int i = 0; i < HISTORY_GAPS_MAX + 5; i++)
                fake_tick(machine, 3 + i % 2);
        assert_non_null(history_gap(machine->history, HISTORY_GAPS_MAX - 1));
        assert_null(history_gap(machine->history, HISTORY_GAPS_MAX));
        for (size_t i = 1; i < HISTORY_GAPS_MAX; i++)
                assert_true(history_gap(machine->history, i)->end_monotonic_usec <
                            history_gap(machine->history, i - 1)->end_monotonic_usec);
}

/* ---- the ring ---- */

static void test_frames_overflow(void **state)
{
        (void)state;
        for (int i = 0; i < 2 * HISTORY_FRAMES_MAX; i++) {
                machine->swap_in = 2 * i;
                fake_tick(machine, 0.5);
        }
        assert_int_equal(history_frames(machine->history), HISTORY_FRAMES_MAX);
        assert_about(history_max(machine->history, FIELD_SWAP_IN_PAGES, HISTORY_SPAN_USEC),
                     2 * (2 * HISTORY_FRAMES_MAX - 1), 0);
        assert_about(history_min(machine->history, FIELD_SWAP_IN_PAGES, HISTORY_SPAN_USEC),
                     2 * HISTORY_FRAMES_MAX, 0);
}

static void test_fifteen_minutes(void **state)
{
        (void)state;
        for (int i = 0; i < 400; i++)
                fake_tick(machine, 5);
        assert_true(history_frames(machine->history) >= 180 && history_frames(machine->history) <= 181);
        assert_true(history_covered(machine->history, UINT64_C(100) * USEC_PER_HOUR) <=
                    HISTORY_SPAN_USEC + SECONDS(5));
}

static void add_programs(int count)
{
        char name[PROGRAM_NAME_MAX];
        for (int i = 0; i < count; i++) {
                (void)snprintf(name, sizeof(name), "p%03d", i);
                fake_add(machine, name, "")->running = 0.001 * (i + 1);
        }
}

static void test_rows_overflow(void **state)
{
        (void)state;
        add_programs(200);
        fake_run(machine, 400);
        /* Only the most active of a frame are kept, and so many frames as fit. */
        assert_int_equal(history_frames(machine->history),
                         HISTORY_PROGRAM_ROWS_MAX / HISTORY_FRAME_PROGRAMS_MAX);
        struct program_window windows[HISTORY_WINDOW_PROGRAMS_MAX];
        size_t count = history_programs(machine->history, SECONDS(100), windows, HISTORY_WINDOW_PROGRAMS_MAX);
        assert_int_equal(count, HISTORY_FRAME_PROGRAMS_MAX);
        for (size_t i = 0; i < count; i++) {
                const struct program *program = &machine->snapshot.programs[windows[i].program];
                assert_int_equal(program->id, windows[i].id);
                assert_about((double)windows[i].cpu, (double)program->cpu, 1e-4);
                assert_true(program->cpu > 0.0085F);
        }
        assert_int_equal(history_programs(machine->history, SECONDS(100), windows, 7), 7);
}

/* The busiest of more programs than are looked at closely, wherever they stand. */
static void test_more_candidates_than_room(void **state)
{
        (void)state;
        enum { PROGRAMS = 3000 };
        static struct program programs[PROGRAMS];
        static struct snapshot snapshot;
        struct program_window windows[HISTORY_WINDOW_PROGRAMS_MAX];
        fake_run(machine, 1);
        snapshot = machine->snapshot;
        snapshot.is_first = false;
        snapshot.interval_usec = snapshot.expected_usec = USEC_PER_SEC;
        for (int i = 0; i < PROGRAMS; i++)
                programs[i] = (struct program){ .id = (uint64_t)i + 1, .cpu = (float)(i + 1) / PROGRAMS };
        for (int i = 0; i < PROGRAMS; i++)
                programs[i].ledger.running = programs[i].cpu;
        snapshot.programs = programs;
        snapshot.program_count = PROGRAMS;
        history_push(machine->history, &snapshot);
        size_t count = history_programs(machine->history, SECONDS(1), windows, HISTORY_WINDOW_PROGRAMS_MAX);
        assert_int_equal(count, HISTORY_FRAME_PROGRAMS_MAX);
        for (size_t i = 0; i < count; i++)
                assert_true(windows[i].id > PROGRAMS - HISTORY_FRAME_PROGRAMS_MAX);
}

/* ---- programs and units ---- */

static void test_programs_of_a_window(void **state)
{
        (void)state;
        struct fake_process *busy = fake_add(machine, "busy", ""), *gone = fake_add(machine, "gone", "");
        fake_add(machine, "idle", "");
        busy->running = 0.8;
        busy->cpu_wait = 0.2;
        busy->counters.nice = 19;
        gone->running = 0.5;
        fake_without_delays(gone);
        fake_run(machine, 6);
        busy->running = busy->cpu_wait = 0;
        gone->is_hidden = true;
        fake_run(machine, 5);
        struct program_window windows[4];
        assert_int_equal(history_programs(machine->history, SECONDS(10), windows, 4), 2);
        for (int i = 0; i < 2; i++) {
                bool is_gone = windows[i].program < 0;
                /* Frames in which it did nothing, or was not there, are zero. */
                assert_about((double)windows[i].cpu, is_gone ? 0.25 : 0.4, 1e-4);
                assert_about((double)windows[i].count, 0.5, 1e-4);
                assert_true(windows[i].is_batch == !is_gone);
                assert_true(is_gone == isnan(windows[i].ledger.disk_wait));
                if (!is_gone)
                        assert_about((double)windows[i].ledger.cpu_wait, 0.1, 1e-4);
        }
}

static void test_one_program_before(void **state)
{
        (void)state;
        fake_add(machine, "web", "")->running = 0.2;
        fake_run(machine, 61);
        fake_work(machine, "web", 0.9, 0);
        fake_run(machine, 30);
        uint64_t id = fake_program(machine, "web", "")->id;
        struct program_window window;
        assert_true(history_program(machine->history, id, SECONDS(90), SECONDS(30), &window));
        assert_about((double)window.cpu, 0.2, 1e-3);
        assert_true(history_program(machine->history, id, SECONDS(60), 0, &window));
        assert_about((double)window.cpu, 0.55, 1e-3);
        assert_false(history_program(machine->history, id, SECONDS(900), SECONDS(200), &window));
        assert_false(history_program(machine->history, id + 1, SECONDS(900), 0, &window));
}

static void test_since_when_it_works(void **state)
{
        (void)state;
        struct fake_process *process = fake_add(machine, "ffmpeg", "");
        fake_run(machine, 5);
        usec_t onset = machine->now.time.realtime_usec;
        process->running = 1;
        process->write_bytes = 5e6;
        fake_run(machine, 10);
        uint64_t id = fake_program(machine, "ffmpeg", "")->id;
        assert_int_equal(history_program_since_cpu(machine->history, id, 0.5F), onset);
        assert_int_equal(history_program_since_io(machine->history, id, 1e6F), onset);
        assert_int_equal(history_program_since_cpu(machine->history, id, 1.5F), 0);
        process->running = 0.1;
        fake_run(machine, 2); /* a breath */
        assert_int_equal(history_program_since_cpu(machine->history, id, 0.5F), onset);
        fake_run(machine, 1);
        assert_int_equal(history_program_since_cpu(machine->history, id, 0.5F), 0);
}

static void test_units(void **state)
{
        (void)state;
        struct fake_unit *held = fake_unit(machine, "held.service"),
                         *free = fake_unit(machine, "free.service");
        held->values.memory_max_bytes = 100000000;
        held->throttled = 0;
        held->memory_some = 0.4;
        held->memory_full = 0.2;
        held->refaults = 300;
        held->events_max = 5;
        free->memory_some = 0.5; /* by nobody's limit */
        fake_run(machine, 6);
        struct unit_window window;
        assert_true(history_unit(machine->history, held->values.id, SECONDS(5), &window));
        assert_about((double)window.psi_memory_some, 0.4, 1e-5);
        assert_about((double)window.psi_memory_full, 0.2, 1e-5);
        assert_about((double)window.refaults, 300, 1e-2);
        assert_about((double)window.events_max, 25, 1e-3);
        assert_false(history_unit(machine->history, free->values.id, SECONDS(5), &window));
        held->memory_some = held->memory_full = held->refaults = held->events_max = 0;
        fake_run(machine, 5);
        assert_false(history_unit(machine->history, held->values.id, SECONDS(5), &window));
        assert_true(history_unit(machine->history, held->values.id, SECONDS(10), &window));
        assert_about((double)window.refaults, 150, 1e-2); /* nothing held it back: zero */
}

static void test_unit_without_pressure_files(void **state)
{
        (void)state;
        struct fake_unit *unit = fake_unit(machine, "v1.service");
        unit->values.cpu_quota_usec = 20000;
        unit->throttled = 0.5;
        memset(unit->values.pressure, 0xff, sizeof(unit->values.pressure));
        fake_run(machine, 6);
        struct unit_window window;
        assert_true(history_unit(machine->history, unit->values.id, SECONDS(5), &window));
        assert_true(isnan(window.psi_memory_full));
        assert_about((double)window.throttled_share, 0.5, 1e-5);
}

static void test_unit_rows_overflow(void **state)
{
        (void)state;
        char name[UNIT_NAME_MAX];
        for (int i = 0; i < 60; i++) {
                (void)snprintf(name, sizeof(name), "u%02d.service", i);
                struct fake_unit *unit = fake_unit(machine, name);
                unit->values.cpu_quota_usec = 20000;
                unit->throttled = 0.1 + 0.01 * i;
        }
        fake_run(machine, 500);
        assert_int_equal(history_frames(machine->history), HISTORY_UNIT_ROWS_MAX / HISTORY_FRAME_UNITS_MAX);
        struct unit_window window;
        assert_true(history_unit(machine->history, fake_unit(machine, "u59.service")->values.id, SECONDS(300),
                                 &window));
        assert_false(history_unit(machine->history, fake_unit(machine, "u00.service")->values.id,
                                  SECONDS(300), &window));
}

/* ---- kernel messages ---- */

static void test_messages(void **state)
{
        (void)state;
        usec_t at = machine->now.time.realtime_usec, said;
        fake_message(machine, 4, "EXT4-fs warning (device sda1): first");
        fake_message(machine, 6, "usb 1-1: new device"); /* information only */
        fake_message(machine, 6, "oom-kill:constraint=CONSTRAINT_NONE,pid=7");
        fake_message(machine, 3, "Out of memory: Killed process 7 (x) total-vm:1kB");
        fake_tick(machine, 1);
        fake_message(machine, 3, "second");
        machine->now.time.realtime_usec += USEC_PER_HOUR; /* a clock that is set does not move it */
        fake_tick(machine, 1);
        const struct history *history = machine->history;
        assert_string_equal(history_message(history, 0)->text, "second");
        assert_string_equal(history_message(history, 2)->text, "EXT4-fs warning (device sda1): first");
        assert_null(history_message(history, 3));
        assert_string_equal(history_kill_message(history, 1, &said)->text,
                            "oom-kill:constraint=CONSTRAINT_NONE,pid=7");
        assert_int_equal(said, at + USEC_PER_HOUR);
        assert_null(history_kill_message(history, 2, &said));
        for (int i = 0; i < 200; i++)
                fake_tick(machine, 5);
        assert_null(history_message(history, 0)); /* over 15 minutes ago */
        assert_null(history_kill_message(history, 0, &at));
}

/* Each of the two clocks is cut to whole microseconds, and read a little after the other: what is dated by
 * both must not be dated again at the next question. */
static void test_dates(void **state)
{
        (void)state;
        const struct history *history = machine->history;
        fake_run(machine, 5);
        usec_t begin = machine->now.time.realtime_usec - SECONDS(4), at = machine->now.time.realtime_usec,
               said;
        assert_int_equal(history_since_above(history, FIELD_CPU_BUSY, 0), begin);
        fake_message(machine, 3, "Out of memory: Killed process 7 (x) total-vm:1kB");
        fake_message(machine, 3, "I/O error, dev sda, sector 8 op 0x0:(READ) flags 0x0 phys_seg 1");
        fake_tick(machine, 1);
        for (int i = 0; i < 4; i++) {
                machine->now.time.realtime_usec += i % 2 == 0 ? 1 : (usec_t)-1;
                fake_tick(machine, 1);
                assert_non_null(history_kill_message(history, 0, &said));
                assert_int_equal(said, at);
                assert_int_equal(history_disk_event(history, 0)->first_realtime_usec, at);
                assert_int_equal(history_since_above(history, FIELD_CPU_BUSY, 0), begin);
        }
        machine->now.time.realtime_usec -= USEC_PER_HOUR; /* set: all that is remembered moves with it */
        fake_tick(machine, 1);
        assert_non_null(history_kill_message(history, 0, &said));
        assert_int_equal(said, at - USEC_PER_HOUR);
        assert_int_equal(history_disk_event(history, 0)->last_realtime_usec, at - USEC_PER_HOUR);
        assert_int_equal(history_since_above(history, FIELD_CPU_BUSY, 0), begin - USEC_PER_HOUR);
}

static void test_message_rings(void **state)
{
        (void)state;
        char text[32];
        fake_message(machine, 3, "Out of memory: Killed process 7 (x) total-vm:1kB");
        for (int i = 0; i < HISTORY_MESSAGES_MAX + 10; i++) {
                (void)snprintf(text, sizeof(text), "line %d of a dump", i);
                fake_message(machine, 4, text);
                if (i % 32 == 31)
                        fake_tick(machine, 1);
        }
        fake_tick(machine, 1);
        assert_string_equal(history_message(machine->history, HISTORY_MESSAGES_MAX - 1)->text,
                            "line 10 of a dump");
        assert_null(history_message(machine->history, HISTORY_MESSAGES_MAX));
        usec_t said;
        assert_non_null(history_kill_message(machine->history, 0, &said)); /* not pushed out by its dump */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_empty),
                CASE(test_frames_weigh_by_length),
                CASE(test_unknown_frames_do_not_count),
                CASE(test_slope),
                CASE(test_since_above),
                CASE(test_gap_ends_windows),
                CASE(test_late_ticks_are_no_gap),
                CASE(test_suspend_ends_windows_but_is_no_gap),
                CASE(test_who_stood_still),
                CASE(test_gap_ring),
                CASE(test_frames_overflow),
                CASE(test_fifteen_minutes),
                CASE(test_rows_overflow),
                CASE(test_more_candidates_than_room),
                CASE(test_programs_of_a_window),
                CASE(test_one_program_before),
                CASE(test_since_when_it_works),
                CASE(test_units),
                CASE(test_unit_without_pressure_files),
                CASE(test_unit_rows_overflow),
                CASE(test_messages),
                CASE(test_dates),
                CASE(test_message_rings),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
