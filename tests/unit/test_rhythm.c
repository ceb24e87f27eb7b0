/* When ticks are due, without waiting for any. */
#include "daemon/rhythm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define S     USEC_PER_SEC
#define START (1000 * S)

/* A rhythm past its fast start. */
static void settled(struct rhythm *rhythm, usec_t *now)
{
        usec_t expected;
        *now = START;
        rhythm_init(rhythm, 5 * S, 1 * S, *now);
        for (int i = 0; i < RHYTHM_START_FAST_TICKS; i++) {
                *now += rhythm_wait(rhythm, *now);
                assert_true(rhythm_begin(rhythm, *now, &expected));
                rhythm_end(rhythm, *now + 1000, false);
        }
        assert_int_equal(rhythm->missed_ticks, 0);
}

static void test_start_is_fast(void **state)
{
        (void)state;
        struct rhythm r;
        usec_t now = START, expected;
        rhythm_init(&r, 5 * S, 1 * S, now);
        for (unsigned i = 0; i < RHYTHM_START_FAST_TICKS; i++) {
                assert_int_equal(rhythm_wait(&r, now), 0);
                assert_true(rhythm_begin(&r, now, &expected));
                assert_int_equal(expected, 1 * S);
                rhythm_end(&r, now + 3000, false);
                now += i + 1 < RHYTHM_START_FAST_TICKS ? 1 * S : 5 * S;
        }
        assert_true(rhythm_begin(&r, now, &expected));
        assert_int_equal(expected, 5 * S);
}

static void test_no_drift(void **state)
{
        (void)state;
        struct rhythm r;
        usec_t now, expected;
        settled(&r, &now);
        usec_t origin = r.due_usec;
        for (unsigned i = 0; i < 1000; i++) { /* each one 2 ms late and 30 ms long */
                now = r.due_usec + 2000;
                assert_true(rhythm_begin(&r, now, &expected));
                rhythm_end(&r, now + 30000, false);
        }
        assert_int_equal(r.due_usec, origin + 1000 * 5 * S);
        assert_int_equal(r.missed_ticks, 0);
}

static void test_too_early(void **state)
{
        (void)state;
        struct rhythm r;
        usec_t now, expected = 77;
        settled(&r, &now);
        assert_false(rhythm_begin(&r, r.due_usec - 1, &expected));
        assert_int_equal(expected, 77);
        assert_true(rhythm_begin(&r, r.due_usec, &expected));
        assert_false(rhythm_begin(&r, r.due_usec, &expected)); /* one is running */
}

static void test_long_tick_skips(void **state)
{
        (void)state;
        struct rhythm r;
        usec_t now, expected;
        settled(&r, &now);
        now = r.due_usec;
        assert_true(rhythm_begin(&r, now, &expected));
        rhythm_end(&r, now + 7 * S, false); /* 5 has passed */
        assert_int_equal(r.missed_ticks, 1);
        assert_int_equal(r.due_usec, now + 10 * S);
        assert_true(rhythm_begin(&r, now + 10 * S, &expected));
        assert_int_equal(expected, 10 * S);
        rhythm_end(&r, now + 15 * S, false); /* exactly when the next is due: that one is skipped too */
        assert_int_equal(r.missed_ticks, 2);
        assert_int_equal(r.due_usec, now + 20 * S);
}

/* Stopped while a tick ran (seen with SIGSTOP): no less a standstill than between two. */
static void test_stopped_in_a_tick(void **state)
{
        (void)state;
        struct rhythm r;
        usec_t now, expected;
        settled(&r, &now);
        now = r.due_usec;
        assert_true(rhythm_begin(&r, now, &expected));
        rhythm_end(&r, now + 31 * S, false);
        assert_int_equal(r.missed_ticks, 6);
        assert_int_equal(r.due_usec, now + 35 * S);
        assert_true(rhythm_begin(&r, now + 35 * S, &expected));
        assert_int_equal(expected, 5 * S);
}

static void test_stopped(void **state)
{
        (void)state;
        struct rhythm r;
        usec_t now, expected;
        settled(&r, &now);
        now = r.due_usec;
        assert_true(rhythm_begin(&r, now + 31 * S, &expected)); /* SIGSTOP for half a minute */
        assert_int_equal(expected, 5 * S); /* that much was asked for; the rest is a gap */
        assert_int_equal(r.missed_ticks, 6);
        rhythm_end(&r, now + 31 * S + 1000, false);
        assert_int_equal(r.due_usec, now + 35 * S); /* back on the grid */
}

static void test_hurry(void **state)
{
        (void)state;
        struct rhythm r;
        usec_t now, expected;
        settled(&r, &now);
        now = r.due_usec;
        assert_true(rhythm_begin(&r, now, &expected));
        rhythm_end(&r, now + 1000, false);
        rhythm_hurry(&r, now + 2 * S); /* due at +5 s, and now at once */
        assert_int_equal(rhythm_wait(&r, now + 2 * S), 0);
        assert_true(rhythm_begin(&r, now + 2 * S, &expected));
        assert_int_equal(expected, 2 * S);
        rhythm_end(&r, now + 2 * S + 1000, false);
        assert_int_equal(r.due_usec, now + 3 * S); /* and fast from here */
        for (int i = 0; i < 10; i++)               /* however often the kernel calls */
                rhythm_hurry(&r, now + 2 * S + 2000);
        assert_int_equal(r.due_usec, now + 3 * S);
        for (int i = 0; i < RHYTHM_HURRY_FAST_TICKS; i++) {
                assert_true(r.is_fast);
                now = r.due_usec;
                assert_true(rhythm_begin(&r, now, &expected));
                rhythm_end(&r, now + 1000, false);
        }
        assert_false(r.is_fast);
        assert_int_equal(r.due_usec, now + 5 * S);
}

static void test_hurry_while_running(void **state)
{
        (void)state;
        struct rhythm r;
        usec_t now, expected;
        settled(&r, &now);
        now = r.due_usec;
        assert_true(rhythm_begin(&r, now, &expected));
        rhythm_hurry(&r, now + 10000);
        assert_false(rhythm_begin(&r, now + 10000, &expected));
        rhythm_end(&r, now + 20000, false);
        assert_int_equal(r.due_usec, now + 1 * S);
}

static void test_wants_fast(void **state)
{
        (void)state;
        struct rhythm r;
        usec_t now, expected;
        settled(&r, &now);
        now = r.due_usec;
        assert_true(rhythm_begin(&r, now, &expected));
        rhythm_end(&r, now + 1000, true);
        assert_int_equal(rhythm_interval(&r), 1 * S);
        assert_int_equal(rhythm_wait(&r, now + 1000), 1 * S - 1000);
        assert_true(rhythm_begin(&r, now + 1 * S, &expected));
        assert_int_equal(expected, 1 * S);
        rhythm_end(&r, now + 1 * S + 1000, false);
        assert_int_equal(r.due_usec, now + 6 * S);
}

static void test_fast_is_never_slower(void **state)
{
        (void)state;
        struct rhythm r;
        rhythm_init(&r, S / 5, 1 * S, START);
        assert_int_equal(rhythm_interval(&r), S / 5);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_start_is_fast), cmocka_unit_test(test_no_drift),
                cmocka_unit_test(test_too_early),     cmocka_unit_test(test_long_tick_skips),
                cmocka_unit_test(test_stopped),       cmocka_unit_test(test_stopped_in_a_tick),
                cmocka_unit_test(test_hurry),         cmocka_unit_test(test_hurry_while_running),
                cmocka_unit_test(test_wants_fast),    cmocka_unit_test(test_fast_is_never_slower),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
