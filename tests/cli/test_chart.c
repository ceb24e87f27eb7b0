/* Charts: bad input and gaps, resampling to the width, scale, rows, the axis with its times, incidents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/base64.h"
#include "cli/chart.h"
#include "cli/chart_axis.h"

#define NOON (UINT64_C(1732276800) * USEC_PER_SEC) /* 2024-11-22 12:00:00 UTC */

static void assert_page(struct page *page, const char *expected)
{
        assert_int_equal(fflush(page->out), 0);
        assert_string_equal(page->text, expected);
        page_done(page);
}

static void assert_double(double value, double expected, double tolerance)
{
        assert_true(fabs(value - expected) <= tolerance);
}

/* ---- resampling ------------------------------------------------------------------------------------------
 */

static void assert_resampled(const double *means, const double *maximums, size_t count, usec_t step,
                             usec_t span, const double *expected_means, const double *expected_maximums,
                             size_t column_count)
{
        struct chart_values values = { means, maximums, count, step };
        struct chart_column columns[CHART_COLUMNS_MAX];
        chart_resample(&values, span, columns, column_count);
        for (size_t c = 0; c < column_count; c++) {
                if (isnan(expected_means[c])) {
                        assert_true(isnan(columns[c].mean) && isnan(columns[c].maximum));
                } else {
                        assert_double(columns[c].mean, expected_means[c], 1e-9);
                        assert_double(columns[c].maximum, expected_maximums[c], 1e-9);
                }
        }
}

static void test_resample(void **state)
{
        const double values[] = { 1, 3, 5, 7, 9, 11 }, peaks[] = { 2, 30, 5, 7, 9, NAN };
        (void)state;
        /* As many columns as values. */
        assert_resampled(values, NULL, 6, 10, 60, values, values, 6);
        /* Fewer: means of what shares a column, and the highest of it. */
        assert_resampled(values, NULL, 6, 10, 60, (double[]){ 3, 9 }, (double[]){ 5, 11 }, 2);
        assert_resampled(values, peaks, 6, 10, 60, (double[]){ 3, 9 }, (double[]){ 30, 11 }, 2);
        /* A value across the edge of two columns is in both. */
        assert_resampled(values, NULL, 3, 10, 30, (double[]){ 2, 4 }, (double[]){ 3, 5 }, 2);
        /* More: repeated, never mixed. */
        assert_resampled(values, NULL, 2, 10, 20, (double[]){ 1, 1, 3, 3, 3 }, (double[]){ 1, 1, 3, 3, 3 },
                         5);
        /* One value. */
        assert_resampled(values, NULL, 1, 10, 10, (double[]){ 1, 1, 1 }, (double[]){ 1, 1, 1 }, 3);
}

static void test_resample_gaps(void **state)
{
        const double gap[] = { NAN, 4, NAN, NAN, NAN, 0 };
        (void)state;
        /* Nothing at all; nothing beyond the values, nor beyond a step that is longer than the chart. */
        assert_resampled(NULL, NULL, 0, 10, 60, (double[]){ NAN, NAN }, NULL, 2);
        assert_resampled(gap + 1, NULL, 1, 10, 30, (double[]){ 4, NAN, NAN }, (double[]){ 4, 0, 0 }, 3);
        assert_resampled(gap + 1, NULL, 1, UINT64_MAX, 1, (double[]){ 4, 4 }, (double[]){ 4, 4 }, 2);
        assert_resampled(gap, NULL, 1, 1, UINT64_MAX, (double[]){ NAN, NAN }, NULL, 2);
        /* What was recorded in a part of a column stands for it, not half of it; a zero is no gap. */
        assert_resampled(gap, NULL, 6, 10, 60, (double[]){ 4, NAN, 0 }, (double[]){ 4, 0, 0 }, 3);
        assert_resampled(gap, gap + 1, 1, 10, 10, (double[]){ NAN }, NULL, 1);
}

/* ---- scale -----------------------------------------------------------------------------------------------
 */

static void test_top(void **state)
{
        (void)state;
        assert_double(chart_top(0, CHART_PERMILLE), 10, 0);
        assert_double(chart_top(-5, CHART_COUNT), 2, 0);
        assert_double(chart_top(NAN, CHART_BYTES), 1000, 0);
        assert_double(chart_top(INFINITY, CHART_BYTES), 1000, 0);
        assert_double(chart_top(1000, CHART_PERMILLE), 1000, 1e-9);
        assert_double(chart_top(1001, CHART_PERMILLE), 2000, 1e-9);
        assert_double(chart_top(599, CHART_PERMILLE), 600, 1e-9);
        assert_double(chart_top(21, CHART_COUNT), 30, 1e-9);
        assert_double(chart_top(3.1e9, CHART_BYTES), 4e9, 1);
        assert_double(chart_top(9223372036854775807.0, CHART_BYTES), 1e19, 1e6);
}

static void test_format(void **state)
{
        char text[CHART_VALUE_MAX];
        (void)state;
        assert_string_equal(chart_format(text, CHART_PERMILLE, 312), "31 %");
        assert_string_equal(chart_format(text, CHART_BYTES, 1.5e9), "1.5 GB");
        assert_string_equal(chart_format(text, CHART_BYTES_PER_SEC, 5e5), "500 kB/s");
        assert_string_equal(chart_format(text, CHART_PER_SEC, 40), "40/s");
        assert_string_equal(chart_format(text, CHART_COUNT, 9223372036854775807.0),
                            "999,000,000,000,000,000");
}

/* ---- rows ------------------------------------------------------------------------------------------------
 */

static void assert_rows(bool is_utf8, const double *means, const double *maximums, size_t count, size_t rows,
                        double top, const char *expected)
{
        struct chart_column columns[16];
        struct page page;
        for (size_t i = 0; i < count; i++)
                columns[i] = (struct chart_column){ means[i], maximums ? maximums[i] : means[i] };
        assert_int_equal(page_init_fixed(&page, 80, false, is_utf8), 0);
        chart_rows(&page, columns, count, rows, 5, top, CHART_COUNT);
        assert_page(&page, expected);
}

static void test_rows(void **state)
{
        (void)state;
        /* All levels of two rows; what is above 0 is seen; what is above the top ends there. */
        assert_rows(true, (double[]){ 0, 0.01, 1, 4, 8, 9, 12, 16, 99 }, NULL, 9, 2, 16,
                    "     16 ┤     ▁▄██\n"
                    "        │ ▁▁▄█████\n");
        assert_rows(false, (double[]){ 0, 0.01, 4, 8, 9, 16 }, NULL, 6, 2, 16,
                    "     16 +     #\n"
                    "        | .:###\n");
        /* Nothing recorded is not 0. */
        assert_rows(true, (double[]){ NAN, 0, 16, NAN }, NULL, 4, 2, 16,
                    "     16 ┤  █\n"
                    "        │· █·\n");
        assert_rows(false, (double[]){ NAN, 0, 16, NAN }, NULL, 4, 2, 16,
                    "     16 +  #\n"
                    "        |? #?\n");
        /* All zero; below zero. */
        assert_rows(true, (double[]){ 0, 0, -5 }, NULL, 3, 2, 2,
                    "      2 ┤\n"
                    "        │\n");
        /* The maximum above the mean; from four rows on the middle has a label. */
        assert_rows(true, (double[]){ 4, 8, 0 }, (double[]){ 16, 8, 5 }, 3, 4, 16,
                    "     16 ┤░\n"
                    "        │░\n"
                    "      8 ┤░█░\n"
                    "        │██░\n");
        /* A label that has no room. */
        assert_rows(true, (double[]){ 1e9 }, NULL, 1, 2, 1e9,
                    "      ~ ┤█\n"
                    "        │█\n");
}

/* ---- axis ------------------------------------------------------------------------------------------------
 */

static void assert_axis(usec_t since, usec_t until, size_t columns, const char *expected)
{
        struct chart_span span = { since, until, columns, 3 };
        struct page page;
        assert_int_equal(page_init_fixed(&page, 80, false, true), 0);
        chart_axis(&page, &span);
        assert_page(&page, expected);
}

static void test_axis(void **state)
{
        (void)state;
        assert_int_equal(setenv("TZ", "UTC", 1), 0);
        assert_axis(NOON, NOON + USEC_PER_HOUR, 40,
                    "    0 └┬─────────┬─────────┬─────────┬─────────\n"
                    "     12:00     12:15     12:30     12:45\n");
        assert_axis(NOON, NOON + 10 * USEC_PER_SEC, 30,
                    "    0 └┬──────────────┬──────────────\n"
                    "   12:00:00       12:00:05\n");
        /* Across midnight there is its date. */
        assert_axis(NOON, NOON + USEC_PER_DAY, 40,
                    "    0 └┬─────────┬─────────┬─────────┬─────────\n"
                    "     12:00     18:00    Nov 23     06:00\n");
        /* Nothing round in so short a time; a time beyond the calendar. */
        assert_axis(NOON + 100, NOON + 200, 12, "    0 └────────────\n\n");
        assert_axis(UINT64_MAX - 10, UINT64_MAX, 12, "    0 └────────────\n\n");
}

/* The night of 2024-10-27 has 25 hours: labels stay round hours of the clock on both sides. */
static void test_axis_end_of_summer_time(void **state)
{
        const usec_t midnight = UINT64_C(1729980000) * USEC_PER_SEC; /* 2024-10-27 00:00 CEST */
        (void)state;
        assert_int_equal(setenv("TZ", "Europe/Berlin", 1), 0);
        tzset();
        assert_axis(midnight, midnight + 25 * USEC_PER_HOUR, 50,
                    "    0 └┬─────────────┬───────────┬───────────┬───────────\n"
                    "     00:00         06:00       12:00       18:00\n");
        assert_int_equal(setenv("TZ", "UTC", 1), 0);
        tzset();
}

static void assert_marks(struct chart_mark *marks, size_t count, bool is_utf8, const char *expected)
{
        struct chart_span span = { NOON, NOON + USEC_PER_HOUR, 60, 1 };
        struct page page;
        assert_int_equal(page_init_fixed(&page, 80, false, is_utf8), 0);
        chart_marks(&page, &span, marks, count);
        assert_page(&page, expected);
}

static struct chart_mark mark(const char *name, unsigned since_minute, unsigned until_minute)
{
        return (struct chart_mark){ name, NOON + since_minute * USEC_PER_MINUTE,
                                    NOON + until_minute * USEC_PER_MINUTE, STYLE_PLAIN };
}

static void test_marks(void **state)
{
        (void)state;
        assert_marks(NULL, 0, true, "");
        /* Behind the bar, before it, in it; in the order of time; one line for each name. */
        struct chart_mark marks[] = { mark("disk.full", 55, 99), mark("cpu.overload", 5, 6),
                                      mark("boot.slow", 20, 40), mark("cpu.overload", 50, 50) };
        assert_marks(marks, 4, true,
                     "          ━━ cpu.overload                              ━\n"
                     "                         ━ boot.slow ━━━━━━━━━\n"
                     "                                                  disk.full ━━━━━\n");
        assert_marks(marks, 1, false, "          == cpu.overload\n");
        /* Over the bars if there is no place beside them. */
        struct chart_mark many[30];
        for (unsigned i = 0; i < 30; i++)
                many[i] = mark("swap.in", 2 * i, 2 * i);
        assert_marks(many, 30, false, "      swap.in  = = = = = = = = = = = = = = = = = = = = = = = = =\n");
}

static void test_marks_that_are_odd(void **state)
{
        (void)state;
        struct chart_mark marks[] = {
                mark("a\033[2J\u202eb", 70, 10),
                mark("", 1, 2),
                mark("a.name.that.is.longer.than.any.check.has.ever.had.in.this.program", 3, 3),
                mark("four", 4, 4),
                mark("five", 5, 5),
                mark("six", 6, 6)
        };
        struct chart_span span = { NOON, NOON + USEC_PER_HOUR, 60, 1 };
        struct page page;
        assert_int_equal(page_init_fixed(&page, 80, false, true), 0);
        chart_marks(&page, &span, marks, 6);
        assert_int_equal(fflush(page.out), 0);
        assert_non_null(strstr(page.text, "a.name.that.is.longer"));
        assert_non_null(strstr(page.text, "and 2 more (slowctl alerts)"));
        assert_null(strchr(page.text, '\033'));
        page_done(&page);
}

/* ---- base64 ----------------------------------------------------------------------------------------------
 */

static void test_base64(void **state)
{
        static const char *const wrong[] = { "A",    "AB",       "ABC",   "ABCDE", "A===", "====",
                                             "AB=C", "AB==CDEF", "AB\nC", "AB C",  "AB-_", "AB\xc3\xa9" };
        static const char *const right[][2] = {
                { "", "" },        { "Zg==", "f" },          { "Zm8=", "fo" },
                { "Zm9v", "foo" }, { "Zm9vYmFy", "foobar" }, { "+/+/", "\xfb\xff\xbf" }
        };
        unsigned char bytes[16];
        size_t size;
        (void)state;
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
                assert_int_equal(base64_decode(wrong[i], strlen(wrong[i]), bytes, &size), -EBADMSG);
        for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
                assert_int_equal(base64_decode(right[i][0], strlen(right[i][0]), bytes, &size), 0);
                assert_int_equal(size, strlen(right[i][1]));
                assert_memory_equal(bytes, right[i][1], size);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_resample_gaps), cmocka_unit_test(test_resample),
                cmocka_unit_test(test_top),           cmocka_unit_test(test_format),
                cmocka_unit_test(test_rows),          cmocka_unit_test(test_axis),
                cmocka_unit_test(test_marks),         cmocka_unit_test(test_marks_that_are_odd),
                cmocka_unit_test(test_base64),        cmocka_unit_test(test_axis_end_of_summer_time),
        };
        if (!setlocale(LC_ALL, "C.UTF-8")) {
                print_message("no UTF-8 locale\n");
                return 77;
        }
        return cmocka_run_group_tests(tests, NULL, NULL);
}
