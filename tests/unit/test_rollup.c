/* Roll-ups: numbers at their edges, periods with gaps and set clocks, then sums of known snapshots. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/text.h"
#include "daemon/history/rollup.h"
#include "daemon/history/trends.h"
#include "daemon/history/store.h"
#include "daemon/history/store_read.h"
#include "tests/support/scratch.h"
#include "tests/support/synthetic.h"

#define BEGIN UINT64_C(1732284840000000) /* a whole minute */

static struct program programs[3];
static struct process_sample process_samples[3];
static struct process_rate processes[3];
static struct snapshot snapshot;

/* Five seconds in which program 0 used `cpu` and waited for as long again. */
static struct snapshot *make(usec_t end, double cpu, uint64_t anon)
{
        memset(programs, 0, sizeof(programs));
        for (uint32_t i = 0; i < 3; i++) {
                programs[i] = (struct program){ .id = 100 + i, .count = 1, .ledger = ledger_unknown() };
                text_format(programs[i].name, sizeof(programs[i].name), "program%u", i);
                programs[i].rss_bytes = programs[i].swap_bytes = ABSENT;
                programs[i].anon_bytes = 1 << 20;
                programs[i].files = i == 1 ? ABSENT : 12;
                process_samples[i].threads = 4;
                processes[i] = (struct process_rate){ .sample = &process_samples[i], .program = i };
        }
        programs[0].cpu = (float)cpu;
        programs[0].anon_bytes = anon;
        programs[0].ledger = (struct ledger){ .running = (float)cpu, .cpu_wait = (float)cpu };
        snapshot = (struct snapshot){ .time = { end, end, end },
                                      .interval_usec = 5 * USEC_PER_SEC,
                                      .programs = programs,
                                      .program_count = 3,
                                      .processes = processes,
                                      .process_count = 3 };
        for (size_t i = 0; i < FIELD_MAX; i++)
                snapshot.value[i] = NAN;
        snapshot.value[FIELD_CPU_BUSY] = cpu / 4;
        snapshot.value[FIELD_PSI_CPU_SOME] = cpu / 4;
        return &snapshot;
}

static void numbers_keep_three_digits_and_their_order(void **state)
{
        (void)state;
        assert_int_equal(rollup_pack((double)NAN), ROLLUP_UNKNOWN);
        assert_true(isnan(rollup_unpack(ROLLUP_UNKNOWN)));
        assert_int_equal(rollup_pack(0), 0);
        assert_int_equal(rollup_pack(-3), 0);
        assert_int_equal(rollup_pack((double)INFINITY) >= ROLLUP_UNKNOWN - 1, 1);
        assert_int_equal(rollup_pack(1e300), ROLLUP_UNKNOWN - 1);
        assert_int_equal(rollup_pack(1e-9), 0);
        rollup_number former = 0;
        for (double value = 1e-4; value < 4e14; value *= 1.01) {
                rollup_number number = rollup_pack(value);
                assert_true(number >= former);
                former = number;
                double back = rollup_unpack(number);
                if (fabs(back - value) > value * 0.0006)
                        fail_msg("%g came back as %g", value, back);
        }
}

static void every_field_has_its_place(void **state)
{
        (void)state;
        for (uint32_t e = 0; e < ROLLUP_ENTITIES; e++) {
                const struct entity *entity = &rollup_schema.entities[e];
                size_t values = 0;
                for (uint32_t c = 0; c < entity->column_count; c++) {
                        values += entity->columns[c].number % 4 != 3;
                        for (uint32_t d = 0; d < c; d++) {
                                assert_int_not_equal(entity->columns[c].number, entity->columns[d].number);
                                assert_int_not_equal(entity->columns[c].offset, entity->columns[d].offset);
                        }
                }
                static const size_t expected[ROLLUP_ENTITIES] = {
                        [ROLLUP_ENTITY_MACHINE] = FIELD_MAX,
                        [ROLLUP_ENTITY_PROGRAM] = ROLLUP_METRIC_MAX,
                        [ROLLUP_ENTITY_TREND] = 1 + ROLLUP_TREND_PARTS,
                };
                assert_int_equal(values, 3 * expected[e]);
        }
}

static void first_snapshots_and_empty_intervals_do_not_count(void **state)
{
        (void)state;
        struct rollup *rollup = rollup_new(USEC_PER_MINUTE);
        struct snapshot *first = make(BEGIN + 1, 1, 0);
        first->is_first = true;
        assert_false(rollup_add(rollup, first));
        struct snapshot *empty = make(BEGIN + 2, 1, 0);
        empty->interval_usec = 0;
        assert_false(rollup_add(rollup, empty));
        assert_false(rollup_finish(rollup));
        (void)rollup_free(rollup);
}

static void a_minute_has_minimum_mean_maximum_and_p95(void **state)
{
        (void)state;
        struct rollup *rollup = rollup_new(USEC_PER_MINUTE);
        for (usec_t i = 1; i <= 12; i++)
                assert_false(rollup_add(rollup,
                                        make(BEGIN + i * 5 * USEC_PER_SEC, i == 7 ? 3 : 1, (100 + i) << 20)));
        assert_true(rollup_add(rollup, make(BEGIN + 65 * USEC_PER_SEC, 1, 100 << 20)));
        const struct rollup_machine *machine = rollup_machine(rollup);
        assert_true(machine->from_usec == BEGIN && machine->covered_usec == USEC_PER_MINUTE);
        const struct rollup_value *busy = &machine->value[FIELD_CPU_BUSY];
        assert_true(fabs(rollup_unpack(busy->minimum) - 0.25) < 0.001);
        assert_true(fabs(rollup_unpack(busy->maximum) - 0.75) < 0.001);
        assert_true(fabs(rollup_unpack(busy->mean) - (11 * 0.25 + 0.75) / 12) < 0.001);
        assert_int_equal(machine->value[FIELD_LOAD1].mean, ROLLUP_UNKNOWN);
        /* One of twelve is over a twentieth of the time: the 95th percentile sees it. */
        assert_true(rollup_unpack(machine->cpu_p95) > 0.7);

        size_t count;
        const struct rollup_program *rows = rollup_programs(rollup, &count);
        assert_int_equal(count, 3); /* the idle ones: their memory is new */
        assert_string_equal(rows[0].name, "program0");
        assert_true(fabs(rollup_unpack(rows[0].value[ROLLUP_MEMORY].minimum) / (101 << 20) - 1) < 0.001);
        assert_true(fabs(rollup_unpack(rows[0].value[ROLLUP_MEMORY].maximum) / (112 << 20) - 1) < 0.001);
        assert_true(fabs(rollup_unpack(rows[0].value[ROLLUP_WAITED].mean) - 0.5) < 0.001);
        assert_true(fabs(rollup_unpack(rows[0].waited_p95) - 0.5) < 0.02);
        assert_true(rollup_unpack(rows[0].value[ROLLUP_THREADS].mean) == 4);
        assert_true(rollup_unpack(rows[0].value[ROLLUP_FILES].mean) == 12);
        assert_int_equal(rows[1].value[ROLLUP_FILES].mean, ROLLUP_UNKNOWN);
        assert_int_equal(rows[1].value[ROLLUP_CPU_WAIT].mean, ROLLUP_UNKNOWN);

        for (usec_t i = 2; i <= 12; i++)
                (void)rollup_add(rollup, make(BEGIN + (60 + i * 5) * USEC_PER_SEC, 1, 100 << 20));
        assert_true(rollup_finish(rollup));
        (void)rollup_programs(rollup, &count);
        assert_int_equal(count, 1); /* what did nothing has no row */
        assert_false(rollup_finish(rollup));
        (void)rollup_free(rollup);
}

static void a_program_that_was_there_for_half_the_minute_used_half(void **state)
{
        (void)state;
        struct rollup *rollup = rollup_new(USEC_PER_MINUTE);
        for (usec_t i = 1; i <= 12; i++) {
                struct snapshot *half = make(BEGIN + i * 5 * USEC_PER_SEC, 2, 50 << 20);
                if (i > 6) { /* it is gone */
                        half->programs++;
                        half->program_count = 2;
                        half->process_count = 0;
                }
                (void)rollup_add(rollup, half);
        }
        assert_true(rollup_finish(rollup));
        size_t count;
        const struct rollup_program *rows = rollup_programs(rollup, &count);
        assert_true(fabs(rollup_unpack(rows[0].value[ROLLUP_CPU].mean) - 1) < 0.001);
        assert_true(rows[0].value[ROLLUP_CPU].minimum == 0);
        assert_true(fabs(rollup_unpack(rows[0].value[ROLLUP_COUNT].mean) - 0.5) < 0.001);
        /* but its memory, while it was there, was what it was */
        assert_true(fabs(rollup_unpack(rows[0].value[ROLLUP_MEMORY].minimum) / (50 << 20) - 1) < 0.001);
        (void)rollup_free(rollup);
}

static void too_many_programs_are_counted_as_left_out(void **state)
{
        (void)state;
        struct rollup *rollup = rollup_new(USEC_PER_MINUTE);
        static struct program many[ROLLUP_PROGRAMS_MAX + 40];
        struct snapshot *crowd = make(BEGIN + 5 * USEC_PER_SEC, 1, 1);
        for (uint32_t i = 0; i < ROLLUP_PROGRAMS_MAX + 40; i++) {
                many[i] = programs[1];
                many[i].id = (uint64_t)i * 7919 % 100003;
        }
        crowd->programs = many;
        crowd->program_count = ROLLUP_PROGRAMS_MAX + 40;
        crowd->process_count = 0;
        (void)rollup_add(rollup, crowd);
        assert_true(rollup_finish(rollup));
        assert_int_equal(rollup_machine(rollup)->left_out, 40);
        size_t count;
        const struct rollup_program *rows = rollup_programs(rollup, &count);
        assert_int_equal(count, ROLLUP_PROGRAMS_MAX);
        for (size_t i = 1; i < count; i++)
                assert_true(rows[i - 1].id < rows[i].id);
        (void)rollup_free(rollup);
}

/* Three hours through the store, with the clock set back half an hour in the second. */
static void they_are_stored_and_found_by_time(void **state)
{
        (void)state;
        const char *directory = scratch_make(), *path = scratch_path(directory, STORE_FILE_NAME);
        struct store_options options;
        struct store *store;
        store_default_options(path, &clock_real, &options);
        assert_int_equal(store_new(&options, &store), 0);
        usec_t begin = BEGIN / USEC_PER_HOUR * USEC_PER_HOUR, offset = 0;
        for (usec_t i = 1; i <= 3 * 720; i++) {
                if (i == 1080)
                        offset = 30 * USEC_PER_MINUTE;
                struct snapshot *now =
                        make(begin + i * 5 * USEC_PER_SEC - offset, 1 + (double)(i % 3), 1 << 30);
                now->time.monotonic_usec = now->time.boottime_usec = i * 5 * USEC_PER_SEC;
                store_append_snapshot(store, now);
                store_wait(store);
        }
        for (int pass = 0; pass < 2; pass++) { /* with a journal, and without */
                char error[STORE_ERROR_MAX];
                struct store_reader *reader;
                const struct rollup_machine *machine;
                const struct rollup_program *rows;
                size_t count, minutes = 0, hours = 0, steps_back = 0, cut_short = 0;
                usec_t former = 0;
                assert_int_equal(store_reader_open(path, &reader, error), 0);
                store_reader_seek_rollups(reader, SERIES_MINUTE, 0, UINT64_MAX, NULL);
                while (store_reader_next_rollup(reader, &machine, &rows, &count) == 1) {
                        assert_int_equal(machine->from_usec % USEC_PER_MINUTE, 0);
                        steps_back += machine->from_usec < former;
                        former = machine->from_usec;
                        assert_true(count >= 1);
                        cut_short += rollup_unpack(rows[0].value[ROLLUP_CPU].maximum) < 2.99;
                        minutes++;
                }
                assert_int_equal(steps_back, 1);
                assert_in_range(minutes, 179, 181);
                assert_in_range(cut_short, 0, 1); /* where the clock was set */
                store_reader_seek_rollups(reader, SERIES_MINUTE, begin + 10 * USEC_PER_MINUTE + 1,
                                          begin + 12 * USEC_PER_MINUTE, "program0");
                for (minutes = 0; store_reader_next_rollup(reader, &machine, &rows, &count) == 1; minutes++)
                        ;
                assert_int_equal(minutes, 3); /* 10, 11 and 12 */
                store_reader_seek_rollups(reader, SERIES_HOUR, 0, UINT64_MAX, NULL);
                while (store_reader_next_rollup(reader, &machine, &rows, &count) == 1) {
                        assert_int_equal(count, 3);
                        hours++;
                }
                /* The first, the half until the clock was set, its last five seconds once more, the second,
                 * and what was begun at the end. */
                assert_int_equal(hours, pass == 0 ? 4 : 5);
                store_reader_seek_rollups(reader, SERIES_HOUR, 0, UINT64_MAX, "never-heard-of");
                (void)store_reader_close(reader);
                if (pass == 0)
                        store = store_free(store);
        }
        scratch_remove(directory);
}

/* slowd is killed: what it had not summed up yet is made good from the samples when it starts again. */
static void what_a_kill_cost_is_made_good(void **state)
{
        (void)state;
        const char *directory = scratch_make(), *path = scratch_path(directory, STORE_FILE_NAME);
        pid_t child = fork();
        assert_true(child >= 0);
        const struct synthetic_options options = {
                .processes = 20, .cpus = 2, .busy_permille = 500, .churn_permille = 0, .seed = 2
        };
        struct store_options store_options;
        struct store *store;
        store_default_options(path, &clock_real, &store_options);
        if (child == 0) {
                struct synthetic *machine = synthetic_new(&options);
                struct sample turn[2] = { 0 };
                struct snapshot made = { 0 };
                if (store_new(&store_options, &store) < 0)
                        _exit(1);
                for (size_t i = 0; i < 1100; i++) { /* 91 minutes and 40 seconds */
                        synthetic_step(machine, 5 * USEC_PER_SEC, &turn[i % 2]);
                        (void)snapshot_make(i ? &turn[(i + 1) % 2] : NULL, &turn[i % 2], 5 * USEC_PER_SEC,
                                            &made);
                        store_append(store, &turn[i % 2]);
                        store_append_snapshot(store, &made);
                        store_wait(store);
                }
                (void)kill(getpid(), SIGKILL);
        }
        assert_int_equal(waitpid(child, NULL, 0), child);
        for (int pass = 0; pass < 3; pass++) {
                usec_t covered[SERIES_MAX] = { 0 };
                for (int series = SERIES_MINUTE; series < SERIES_MAX; series++) {
                        char error[STORE_ERROR_MAX];
                        struct store_reader *reader;
                        const struct rollup_machine *machine;
                        const struct rollup_program *rows;
                        size_t count;
                        assert_int_equal(store_reader_open(path, &reader, error), 0);
                        store_reader_seek_rollups(reader, (enum series)series, 0, UINT64_MAX, NULL);
                        while (store_reader_next_rollup(reader, &machine, &rows, &count) == 1)
                                covered[series] += machine->covered_usec;
                        (void)store_reader_close(reader);
                }
                usec_t all = 1099 * 5 * USEC_PER_SEC;
                if (pass == 0) /* or the rest shows nothing */
                        assert_true(covered[SERIES_HOUR] < all - 20 * USEC_PER_MINUTE);
                else /* and only once */
                        for (int series = SERIES_MINUTE; series < SERIES_MAX; series++)
                                assert_in_range(covered[series], all - USEC_PER_SEC, all + USEC_PER_SEC);
                assert_int_equal(store_new(&store_options, &store), 0);
                store_flush(store);
                (void)store_free(store);
        }
        scratch_remove(directory);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(numbers_keep_three_digits_and_their_order),
                cmocka_unit_test(every_field_has_its_place),
                cmocka_unit_test(first_snapshots_and_empty_intervals_do_not_count),
                cmocka_unit_test(a_minute_has_minimum_mean_maximum_and_p95),
                cmocka_unit_test(a_program_that_was_there_for_half_the_minute_used_half),
                cmocka_unit_test(too_many_programs_are_counted_as_left_out),
                cmocka_unit_test(they_are_stored_and_found_by_time),
                cmocka_unit_test(what_a_kill_cost_is_made_good),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
