/* Trends: what cannot be asked, clocks that jump, more series than room; then levels, steps and windows. */
#include "tests/support/cases.h"

#include <stdlib.h>

#include "common/text.h"
#include "daemon/history/store.h"
#include "daemon/history/trends_load.h"
#include "tests/support/scratch.h"

#define BEGIN (UINT64_C(1732276800) * USEC_PER_SEC) /* a quarter of a day begins */
#define GB    UINT64_C(1000000000)

static struct trends *trends;
static struct sample sample;
static struct program programs[400];
static struct snapshot snapshot;
static struct trend_point points[TREND_POINTS_MAX];

static int begin(void **state)
{
        (void)state;
        trends = trends_new();
        memset(programs, 0, sizeof(programs));
        sample_clear(&sample);
        snapshot = (struct snapshot){ .sample = &sample, .programs = programs };
        snapshot.time = (struct clock_reading){ BEGIN, SECONDS(1000), SECONDS(1000) };
        for (size_t i = 0; i < FIELD_MAX; i++)
                snapshot.value[i] = NAN;
        return 0;
}

static int end(void **state)
{
        (void)state;
        trends = trends_free(trends);
        return 0;
}

static void pass(usec_t usec)
{
        snapshot.time.realtime_usec += usec;
        snapshot.interval_usec = usec;
        trends_push(trends, &snapshot);
}

static struct program *set_program(size_t at, uint64_t id, uint64_t anon, uint64_t swap)
{
        if (at >= snapshot.program_count)
                snapshot.program_count = at + 1;
        programs[at] = (struct program){ .id = id, .count = 1, .anon_bytes = anon, .swap_bytes = swap };
        text_format(programs[at].name, sizeof(programs[at].name), "program%u", (unsigned)id);
        return &programs[at];
}

static size_t ask(uint64_t id, usec_t window, usec_t step)
{
        return trends_get(trends, TREND_PROGRAM_MEMORY, id, window, step, points, TREND_POINTS_MAX);
}

static void nothing_is_known_of_nothing(void **state)
{
        (void)state;
        assert_int_equal(ask(7, USEC_PER_HOUR, USEC_PER_MINUTE), 0);
        snapshot.is_first = true;
        set_program(0, 7, GB, 0);
        pass(SECONDS(5));
        snapshot.is_first = false;
        pass(0);
        assert_int_equal(ask(7, USEC_PER_HOUR, USEC_PER_MINUTE), 0);
        pass(SECONDS(5));
        assert_int_equal(ask(0, USEC_PER_HOUR, USEC_PER_MINUTE), 0);
        assert_int_equal(ask(8, USEC_PER_HOUR, USEC_PER_MINUTE), 0);
        assert_int_equal(ask(7, USEC_PER_HOUR, SECONDS(7)), 0); /* no level has such steps */
        assert_int_equal(
                trends_get(trends, TREND_PROGRAM_MEMORY, 7, USEC_PER_HOUR, USEC_PER_MINUTE, points, 0), 0);
        assert_int_equal(ask(7, USEC_PER_HOUR, USEC_PER_MINUTE), 1);
        uint64_t id;
        const char *name;
        assert_true(trends_list(trends, TREND_PROGRAM_MEMORY, 0, &id, &name));
        assert_true(id == 7 && strcmp(name, "program7") == 0);
        assert_false(trends_list(trends, TREND_PROGRAM_MEMORY, TRENDS_MAX, &id, &name));
}

static void unknown_memory_is_no_memory(void **state)
{
        (void)state;
        set_program(0, 7, ABSENT, 0);
        set_program(1, 8, GB, ABSENT);
        set_program(2, 9, GB, 0)->is_kernel = true;
        pass(SECONDS(5));
        assert_int_equal(ask(7, USEC_PER_HOUR, USEC_PER_MINUTE), 0);
        assert_int_equal(ask(8, USEC_PER_HOUR, USEC_PER_MINUTE), 1);
        assert_int_equal(ask(9, USEC_PER_HOUR, USEC_PER_MINUTE), 0);
}

static void a_step_has_minimum_mean_and_maximum(void **state)
{
        (void)state;
        for (uint64_t i = 1; i <= 24; i++) {
                set_program(0, 7, (i == 9 ? 4 : i == 4 ? 1 : 2) * GB, 0);
                pass(SECONDS(5));
        }
        assert_int_equal(ask(7, USEC_PER_HOUR, USEC_PER_MINUTE), 2);
        assert_true(points[0].from_usec == BEGIN && points[1].from_usec == BEGIN + USEC_PER_MINUTE);
        assert_true(points[0].covered_usec == USEC_PER_MINUTE && points[1].covered_usec == USEC_PER_MINUTE);
        assert_about(points[0].minimum / 1e9, 1, 0.001);
        assert_about(points[0].maximum / 1e9, 4, 0.004);
        assert_about(points[0].mean / 1e9, (10 * 2 + 4 + 1) / 12.0, 0.002);
        assert_about(points[1].mean / 1e9, 2, 0.002);
        /* The same from other levels, and put together of smaller steps. */
        assert_int_equal(ask(7, USEC_PER_HOUR, SECONDS(10)), 12);
        assert_int_equal(ask(7, USEC_PER_HOUR, SECONDS(30)), 4);
        assert_about(points[0].minimum / 1e9, 1, 0.001);
        assert_about(points[0].mean / 1e9, 11 / 6.0, 0.002);
        assert_about(points[1].maximum / 1e9, 4, 0.004);
        assert_int_equal(ask(7, USEC_PER_HOUR, 10 * USEC_PER_MINUTE), 1);
        assert_about(points[0].minimum / 1e9, 1, 0.001);
        assert_int_equal(ask(7, USEC_PER_DAY, USEC_PER_HOUR), 1);
        assert_about(points[0].mean / 1e9, 49 / 24.0, 0.002);
        assert_true(points[0].covered_usec == 2 * USEC_PER_MINUTE);
}

/* Two weeks by the half minute: each level holds its own stretch, the floor rising by a gigabyte a day. */
static void levels_keep_their_stretch(void **state)
{
        (void)state;
        for (uint64_t i = 0; i < UINT64_C(15) * 24 * 120; i++) {
                set_program(0, 7, GB + i * GB / 2880, GB);
                pass(SECONDS(30));
        }
        assert_int_equal(ask(7, TREND_HISTORY_USEC, SECONDS(10)), 61); /* of which every third has data */
        assert_int_equal(ask(7, TREND_HISTORY_USEC, USEC_PER_MINUTE), 181);
        assert_int_equal(ask(7, TREND_HISTORY_USEC, 10 * USEC_PER_MINUTE), 289);
        assert_int_equal(ask(7, TREND_HISTORY_USEC, USEC_PER_HOUR), 336);
        assert_true(points[335].from_usec == BEGIN + 15 * USEC_PER_DAY - USEC_PER_HOUR);
        assert_about(points[0].minimum / 1e9, 3, 0.1);
        assert_about(points[335].minimum / 1e9, 17, 0.1);
        assert_int_equal(ask(7, 6 * USEC_PER_HOUR, 10 * USEC_PER_MINUTE), 36);
        assert_int_equal(ask(7, 13 * USEC_PER_DAY, 6 * USEC_PER_HOUR), 52);
        assert_true(points[0].covered_usec == 6 * USEC_PER_HOUR);
        /* The newest ones if not all fit. */
        assert_int_equal(
                trends_get(trends, TREND_PROGRAM_MEMORY, 7, USEC_PER_HOUR, USEC_PER_MINUTE, points, 3), 3);
        assert_true(points[2].from_usec == BEGIN + 15 * USEC_PER_DAY - USEC_PER_MINUTE);
}

static void gaps_and_suspends_have_no_steps(void **state)
{
        (void)state;
        set_program(0, 7, GB, 0);
        for (int i = 0; i < 24; i++)
                pass(SECONDS(5));
        snapshot.time.realtime_usec += USEC_PER_HOUR; /* slept: the interval is as long as ever */
        snapshot.suspended_usec = USEC_PER_HOUR;
        pass(SECONDS(5));
        snapshot.suspended_usec = 0;
        for (int i = 0; i < 24; i++)
                pass(SECONDS(5));
        assert_int_equal(ask(7, USEC_PER_DAY, USEC_PER_MINUTE), 5);
        assert_true(points[2].from_usec - points[1].from_usec == 61 * USEC_PER_MINUTE);
        /* Not there for a while. */
        programs[0].id = 8;
        for (int i = 0; i < 36; i++)
                pass(SECONDS(5));
        assert_int_equal(ask(7, USEC_PER_DAY, USEC_PER_MINUTE), 5);
        assert_int_equal(ask(8, USEC_PER_DAY, USEC_PER_MINUTE), 4);
}

static void a_set_clock_moves_what_it_dated(void **state)
{
        (void)state;
        static const int64_t steps[] = { 7200, -3600, -90000, 37, -37 };
        for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
                (void)end(state);
                (void)begin(state);
                for (uint64_t i = 0; i < 12 * 150; i++) {
                        set_program(0, 7, GB + i * 1000000, 0);
                        pass(SECONDS(5));
                        if (i == 1000) {
                                snapshot.time.realtime_usec += (usec_t)(steps[s] * (int64_t)USEC_PER_SEC);
                                snapshot.clock_step_usec = steps[s] * (int64_t)USEC_PER_SEC;
                                pass(SECONDS(5));
                                snapshot.clock_step_usec = 0;
                        }
                }
                size_t count = ask(7, USEC_PER_DAY, USEC_PER_MINUTE);
                assert_true(count >= 149 && count <= 152);
                assert_true(points[count - 1].from_usec <= snapshot.time.realtime_usec);
                for (size_t i = 1; i < count; i++) {
                        usec_t apart = points[i].from_usec - points[i - 1].from_usec;
                        assert_true(apart > 0 && apart <= 2 * USEC_PER_MINUTE);
                        assert_true(points[i].minimum >= points[i - 1].minimum);
                }
                count = ask(7, USEC_PER_DAY, USEC_PER_HOUR);
                assert_true(count == 3 || count == 4);
        }
}

static void the_heavier_ones_stay(void **state)
{
        (void)state;
        for (size_t i = 0; i < 400; i++)
                set_program(i, i + 1, (i + 10) * 1000000, 0);
        for (int i = 0; i < 24; i++)
                pass(SECONDS(5));
        assert_int_equal(ask(1, USEC_PER_HOUR, USEC_PER_MINUTE), 0);
        assert_int_equal(ask(395, USEC_PER_HOUR, USEC_PER_MINUTE), 2);
        /* Gone for long enough, they make room; another kind has room of its own. */
        snapshot.program_count = 1;
        set_program(0, 1000, 5000000, 0);
        pass(SECONDS(5));
        assert_int_equal(ask(1000, USEC_PER_HOUR, USEC_PER_MINUTE), 0);
        for (int i = 0; i < 72; i++)
                pass(USEC_PER_HOUR);
        assert_int_equal(ask(1000, USEC_PER_DAY, USEC_PER_HOUR) > 0, 1);
        trends_feed(trends, TREND_LOG_SIZE, trend_id("/var/log/syslog"), "/var/log/syslog", 5, 0);
        assert_int_equal(trends_get(trends, TREND_LOG_SIZE, trend_id("/var/log/syslog"), USEC_PER_DAY,
                                    USEC_PER_HOUR, points, 10),
                         1);
}

static void the_history_feeds_them(void **state)
{
        (void)state;
        machine = fake_new();
        fake_add(machine, "java", "app.service")->counters.rss_anon_bytes = 2 * GB;
        machine->disk_busy = 0.25;
        fake_run(machine, 130);
        uint64_t id = fake_program(machine, "java", "app.service")->id;
        assert_int_equal(history_trend(machine->history, TREND_PROGRAM_MEMORY, id, USEC_PER_HOUR,
                                       USEC_PER_MINUTE, points, TREND_POINTS_MAX),
                         3);
        assert_about(points[1].minimum / 1e9, 2, 0.002);
        assert_int_equal(history_trend(machine->history, TREND_MACHINE, FIELD_MEMORY_AVAILABLE_BYTES,
                                       USEC_PER_HOUR, USEC_PER_MINUTE, points, TREND_POINTS_MAX),
                         3);
        assert_about(points[1].mean / 1e9, 6, 0.006);
        assert_int_equal(history_trend(machine->history, TREND_DISK_BUSY, trend_id("sda"), USEC_PER_HOUR,
                                       USEC_PER_MINUTE, points, TREND_POINTS_MAX),
                         3);
        assert_about(points[1].mean, 0.25, 0.01);
        machine = fake_free(machine);
}

/* ---- on disk ---- */

static struct store *store_at(const char *path)
{
        struct store_options options;
        struct store *store;
        store_default_options(path, &clock_real, &options);
        assert_int_equal(store_new(&options, &store), 0);
        return store;
}

/* A program that grows by 1 MB in each half minute, from its `first`. */
static void live(struct store *store, uint64_t first, uint64_t count)
{
        for (uint64_t i = first; i < first + count; i++) {
                set_program(0, 7, GB + i * 1000000, i * 1000);
                pass(SECONDS(30));
                store_append_snapshot(store, &snapshot);
                if (i % 32 == 31)
                        store_wait(store);
        }
}

static void load(const char *path, usec_t until_usec)
{
        char error[STORE_ERROR_MAX];
        struct store_reader *reader;
        trends = trends_free(trends);
        trends = trends_new();
        assert_int_equal(store_reader_open(path, &reader, error), 0);
        assert_int_equal(trends_load(trends, reader, until_usec), 0);
        (void)store_reader_close(reader);
}

static void assert_same(usec_t step_usec, const struct trend_point *expected, size_t count)
{
        size_t found = ask(7, TREND_HISTORY_USEC, step_usec);
        assert_true(found == count || found + 1 == count); /* the window begins at a minute */
        expected += count - found;
        count = found;
        for (size_t i = 0; i < count; i++) {
                assert_true(points[i].from_usec == expected[i].from_usec);
                if (step_usec != 10 * USEC_PER_MINUTE) /* how much of those was covered is not stored */
                        assert_true(points[i].covered_usec == expected[i].covered_usec);
                assert_about(points[i].minimum / expected[i].minimum, 1, 0.002);
                assert_about(points[i].mean / expected[i].mean, 1, 0.005);
                assert_about(points[i].maximum / expected[i].maximum, 1, 0.002);
        }
}

/* Two days and a bit in one go, and the same with two restarts, one of them within a minute and one with
 * hours between. */
static void what_is_stored_comes_back(void **state)
{
        (void)state;
        static const usec_t steps[] = { USEC_PER_MINUTE, 10 * USEC_PER_MINUTE, USEC_PER_HOUR };
        static struct trend_point expected[3][TREND_POINTS_MAX];
        size_t counts[3];
        const char *directory = scratch_make(), *path = scratch_path(directory, STORE_FILE_NAME);
        struct store *store = store_at(path);
        store_set_trends(store, trends);
        live(store, 0, 2900);
        store_set_trends(store, NULL);
        (void)store_free(store);
        usec_t stopped = snapshot.time.realtime_usec;
        load(path, stopped);
        store = store_at(path);
        store_set_trends(store, trends);
        snapshot.is_first = true;
        live(store, 2900, 1);
        snapshot.is_first = false;
        live(store, 2901, 2000);
        for (size_t i = 0; i < 3; i++) {
                counts[i] = ask(7, TREND_HISTORY_USEC, steps[i]);
                memcpy(expected[i], points, counts[i] * sizeof(points[0]));
        }
        assert_true(counts[0] >= 180 && counts[1] >= 245 && counts[2] == 41);
        for (size_t i = 1; i < counts[2]; i++) {
                assert_true(expected[2][i].from_usec - expected[2][i - 1].from_usec == USEC_PER_HOUR);
                assert_true(expected[2][i].minimum >= expected[2][i - 1].maximum * 0.998);
        }
        store_set_trends(store, NULL);
        (void)store_free(store);
        load(path, snapshot.time.realtime_usec);
        trends_push(trends, &(struct snapshot){ .is_first = true });
        for (size_t i = 0; i < 3; i++)
                assert_same(steps[i], expected[i], counts[i]);
        /* As it was earlier. */
        load(path, BEGIN + 20 * USEC_PER_HOUR + SECONDS(30));
        assert_int_equal(ask(7, TREND_HISTORY_USEC, USEC_PER_HOUR), 20);
        assert_true(points[19].from_usec == BEGIN + 19 * USEC_PER_HOUR);
        assert_true(ask(7, 4 * USEC_PER_HOUR, USEC_PER_MINUTE) >= 179);
        scratch_remove(directory);
}

static void older_files_know_programs(void **state)
{
        (void)state;
        const char *directory = scratch_make(), *path = scratch_path(directory, STORE_FILE_NAME);
        struct store *store = store_at(path);
        live(store, 0, 900);
        (void)store_free(store);
        load(path, snapshot.time.realtime_usec);
        assert_int_equal(ask(7, TREND_HISTORY_USEC, USEC_PER_HOUR), 8);
        assert_about(points[1].minimum / 1e9, 1.12, 0.005);
        /* Of minutes those in which it did something or its memory had changed. */
        assert_true(ask(7, 3 * USEC_PER_HOUR, USEC_PER_MINUTE) >= 10);
        scratch_remove(directory);
}

static void damage_is_left_out(void **state)
{
        (void)state;
        struct rollup_machine machine_row = { .from_usec = BEGIN,
                                              .period_usec = USEC_PER_HOUR,
                                              .covered_usec = USEC_PER_HOUR,
                                              .until_usec = ABSENT };
        struct rollup_trend rows[2];
        memset(rows, 0xff, sizeof(rows));
        rows[0].kind = 0;
        rows[0].value[0].mean = rows[1].value[0].mean = 30000;
        trends_load_period(trends, &machine_row, rows, 2); /* of no kind, and of one from the future */
        uint64_t id;
        const char *name;
        for (uint32_t kind = 1; kind < TREND_KINDS; kind++)
                for (size_t i = 0; trends_list(trends, (enum trend_kind)kind, i, &id, &name); i++)
                        assert_true(id == 0);
}

#define TREND_CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TREND_CASE(nothing_is_known_of_nothing),
                TREND_CASE(unknown_memory_is_no_memory),
                TREND_CASE(a_step_has_minimum_mean_and_maximum),
                TREND_CASE(levels_keep_their_stretch),
                TREND_CASE(gaps_and_suspends_have_no_steps),
                TREND_CASE(a_set_clock_moves_what_it_dated),
                TREND_CASE(the_heavier_ones_stay),
                TREND_CASE(the_history_feeds_them),
                TREND_CASE(what_is_stored_comes_back),
                TREND_CASE(older_files_know_programs),
                TREND_CASE(damage_is_left_out),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
