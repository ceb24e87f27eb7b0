/* Forecasts: what ends, and what only looks as if it did. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "daemon/checks/forecast.h"

#define REACH 8

static struct trend_point points[100];
static struct forecast forecast;

/* One point a minute. */
static bool foresee(size_t count, double left, double (*level)(size_t minute))
{
        for (size_t i = 0; i < count; i++)
                points[i] = (struct trend_point){ .from_usec = (1000 + i) * USEC_PER_MINUTE,
                                                  .covered_usec = USEC_PER_MINUTE,
                                                  .minimum = level(i),
                                                  .mean = level(i),
                                                  .maximum = level(i) };
        return forecast_from_points(points, count, left, REACH, &forecast);
}

static double steadily(size_t minute)
{
        return 1000 - 5 * (double)minute;
}

static double not_at_all(size_t minute)
{
        (void)minute;
        return 1000;
}

static double in_one_step(size_t minute)
{
        return minute < 30 ? 1000 : 600;
}

static double until_half_time(size_t minute)
{
        return minute < 30 ? 1000 - 10 * (double)minute : 700;
}

static double sawtooth(size_t minute)
{
        return 1000 - 20 * (double)(minute % 15) - (double)minute;
}

static double upwards(size_t minute)
{
        return 500 + 5 * (double)minute;
}

static double faster_and_faster(size_t minute)
{
        return 1000 - 0.1 * (double)(minute * minute);
}

static double in_bursts(size_t minute)
{
        return 1000 - 10 * floor((double)minute / 2) - (double)minute * 0.01;
}

static void test_too_little(void **state)
{
        (void)state;
        assert_false(foresee(0, 100, steadily));
        assert_false(foresee(4, 100, steadily));
        assert_true(foresee(5, 100, steadily));
}

static void test_steady(void **state)
{
        (void)state;
        assert_true(foresee(60, 705, steadily));
        assert_int_equal(forecast.since_usec, 1000 * USEC_PER_MINUTE);
        assert_int_equal(forecast.watched_usec, 59 * USEC_PER_MINUTE);
        assert_true(fabs((double)forecast.left_usec / USEC_PER_MINUTE - 141) < 0.01);
        assert_true(fabs(forecast.per_sec - 5.0 / 60) < 1e-6);
        assert_true(foresee(60, 0, steadily));
        assert_int_equal(forecast.left_usec, 0);
}

/* An hour says nothing about the day after tomorrow. */
static void test_reach(void **state)
{
        (void)state;
        assert_true(foresee(60, 5.0 * 59 * REACH - 1, steadily));
        assert_false(foresee(60, 5.0 * 59 * REACH + 1, steadily));
}

static void test_no_end(void **state)
{
        (void)state;
        assert_false(foresee(60, 100, not_at_all));
        assert_false(foresee(60, 600, in_one_step));
        assert_false(foresee(60, 700, until_half_time));
        assert_false(foresee(60, 700, sawtooth));
        assert_false(foresee(60, 700, upwards));
}

static void test_uneven(void **state)
{
        (void)state;
        assert_true(foresee(60, 652, faster_and_faster));
        assert_true((double)forecast.left_usec <
                    652 / (0.1 * 60) * 60e6); /* sooner than the whole hour's mean says */
        assert_true(foresee(60, 700, in_bursts));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_too_little), cmocka_unit_test(test_steady),
                cmocka_unit_test(test_reach),      cmocka_unit_test(test_no_end),
                cmocka_unit_test(test_uneven),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
