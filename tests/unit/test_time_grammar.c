/* The times that people type: refusals first, then what each form means, then both sides of a summer-time
 * change. The zone is set by each test; the zone files are those of the tzdata package. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/time_grammar.h"

/* 2026-11-23 14:03:20.5 UTC, a Monday */
#define NOW_SEC  UINT64_C(1795442600)
#define NOW_USEC (NOW_SEC * USEC_PER_SEC + 500000)

static void set_zone(const char *zone)
{
        assert_int_equal(setenv("TZ", zone, 1), 0);
        tzset();
}

/* Without zone files "Europe/Berlin" is silently UTC: then say so rather than fail. */
static void need_zone(const char *zone)
{
        struct tm local;
        time_t summer = 1782900000; /* 2026-07-01 */
        set_zone(zone);
        assert_non_null(localtime_r(&summer, &local));
        if (local.tm_gmtoff == 0) {
                print_message("zone %s is not installed (package tzdata)\n", zone);
                skip();
        }
}

static void assert_instant_at(const char *text, usec_t now_usec, usec_t expected_usec)
{
        char error[TIME_ERROR_MAX];
        usec_t usec = 0;
        int r = time_grammar_instant(text, now_usec, &usec, error);
        if (r != 0 || usec != expected_usec)
                fail_msg("%s: r %d (%s), %" PRIu64 " instead of %" PRIu64, text, r, error, usec,
                         expected_usec);
}

static void assert_instant(const char *text, usec_t expected_usec)
{
        assert_instant_at(text, NOW_USEC, expected_usec);
}

static void assert_refused(const char *text, int expected, const char *part_of_error)
{
        char error[TIME_ERROR_MAX] = "";
        usec_t usec = 42;
        int r = time_grammar_instant(text, NOW_USEC, &usec, error);
        if (r != expected || !strstr(error, part_of_error))
                fail_msg("%s: r %d, error: %s", text, r, error);
        assert_int_equal(usec, 42); /* untouched */
}

static void assert_span(const char *text, usec_t expected_usec)
{
        char error[TIME_ERROR_MAX];
        usec_t usec = 0;
        int r = time_grammar_span(text, &usec, error);
        if (r != 0 || usec != expected_usec)
                fail_msg("%s: r %d (%s), %" PRIu64 " instead of %" PRIu64, text, r, error, usec,
                         expected_usec);
}

static void assert_span_refused(const char *text, int expected, const char *part_of_error)
{
        char error[TIME_ERROR_MAX] = "";
        usec_t usec = 42;
        int r = time_grammar_span(text, &usec, error);
        if (r != expected || !strstr(error, part_of_error))
                fail_msg("%s: r %d, error: %s", text, r, error);
        assert_int_equal(usec, 42);
}

static void test_refused(void **state)
{
        char huge[4096];
        (void)state;
        set_zone("UTC");
        assert_refused("", -EINVAL, "it is empty");
        assert_refused(" \t ", -EINVAL, "it is empty");
        assert_refused("foo", -EINVAL, "write it like 14:03");
        assert_refused("yesterda", -EINVAL, "'yesterda' is not a time");
        assert_refused("yesterday14:03x", -EINVAL, "write it like");
        assert_refused("today today", -EINVAL, "write it like");
        assert_refused("now 14:03", -EINVAL, "write it like");
        assert_refused("Now", -EINVAL, "write it like");
        assert_refused("14", -EINVAL, "write it like");
        assert_refused("14:", -EINVAL, "write it like");
        assert_refused("14:3", -EINVAL, "write it like");
        assert_refused("14:030", -EINVAL, "write it like");
        assert_refused(":03", -EINVAL, "write it like");
        assert_refused("114:03", -EINVAL, "write it like");
        assert_refused("14:03:", -EINVAL, "write it like");
        assert_refused("14:03:0", -EINVAL, "write it like");
        assert_refused("14:03:07.", -EINVAL, "write it like");
        assert_refused("14:03 pm", -EINVAL, "write it like");
        assert_refused("24:00", -EINVAL, "the hour must be 0 to 23");
        assert_refused("14:60", -EINVAL, "the minute must be 00 to 59");
        assert_refused("14:03:60", -EINVAL, "the second must be 00 to 59");
        assert_refused("2026-11", -EINVAL, "write it like");
        assert_refused("2026-11-", -EINVAL, "write it like");
        assert_refused("2026-1-22", -EINVAL, "write it like");
        assert_refused("2026-11-22x", -EINVAL, "write it like");
        assert_refused("2026-11-22T", -EINVAL, "write it like");
        assert_refused("2026-11-22 14", -EINVAL, "write it like");
        assert_refused("2026-13-01", -EINVAL, "the month must be 01 to 12");
        assert_refused("2026-00-01", -EINVAL, "the month must be 01 to 12");
        assert_refused("2026-11-31", -EINVAL, "2026-11 has 30 days");
        assert_refused("2026-02-29", -EINVAL, "2026-02 has 28 days");
        assert_refused("2100-02-29", -EINVAL, "2100-02 has 28 days");
        assert_refused("2026-11-00", -EINVAL, "2026-11 has 30 days");
        assert_refused("1969-12-31", -ERANGE, "before 1970");
        assert_refused("26-11-22", -EINVAL, "write it like");
        assert_refused("@", -EINVAL, "write it like");
        assert_refused("@-1", -EINVAL, "write it like");
        assert_refused("@1x", -EINVAL, "write it like");
        assert_refused("@1.", -EINVAL, "write it like");
        assert_refused("@253402300800", -ERANGE, "after 9999");
        assert_refused("@99999999999999999999", -ERANGE, "after 9999");
        assert_refused("-", -EINVAL, "write it like");
        assert_refused("--2h", -EINVAL, "write it like");
        assert_refused("-2", -EINVAL, "2 what?");
        assert_refused("2 ago", -EINVAL, "2 what?");
        assert_refused("ago", -EINVAL, "write it like");
        assert_refused("2h", -EINVAL, "write it like");
        assert_refused("2 hours agoo", -EINVAL, "write it like");
        assert_refused("-2h ago", -EINVAL, "write it like");
        assert_refused("-2 fortnights", -EINVAL, "'fortnights' is no unit of time");
        assert_refused("-2h 30", -EINVAL, "30 what?");
        assert_refused("-100y", -ERANGE, "before 1970");
        assert_refused("+9000y", -ERANGE, "after 9999");
        assert_refused("-99999999999999999999h", -ERANGE, "before 1970");
        assert_refused("-18446744073709551615w", -ERANGE, "before 1970");
        assert_refused("14\n:03", -EINVAL, "write it like");

        memset(huge, '1', sizeof(huge) - 1);
        huge[sizeof(huge) - 1] = '\0';
        assert_refused(huge, -EINVAL, "more than 128 characters");
        huge[TIME_TEXT_MAX] = '\0';
        assert_refused(huge, -EINVAL, "is not a time");
}

static void test_instants(void **state)
{
        const usec_t day = UINT64_C(1795392000) * USEC_PER_SEC; /* 2026-11-23 00:00 UTC */
        const usec_t clock = (14 * 60 + 3) * USEC_PER_MINUTE;
        (void)state;
        set_zone("UTC");
        assert_instant("now", NOW_USEC);
        assert_instant("  now ", NOW_USEC);
        assert_instant("today", day);
        assert_instant("yesterday", day - USEC_PER_DAY);
        assert_instant("tomorrow", day + USEC_PER_DAY);
        assert_instant("14:03", day + clock);
        assert_instant("9:03", day + (9 * 60 + 3) * USEC_PER_MINUTE);
        assert_instant("23:59:59",
                       day + USEC_PER_DAY - USEC_PER_SEC); /* later today: legal, nothing there yet */
        assert_instant("14:03:07.25", day + clock + 7250000);
        assert_instant("14:03:07.1234567", day + clock + 7123456);
        assert_instant("today 14:03", day + clock);
        assert_instant("yesterday 14:03", day - USEC_PER_DAY + clock);
        assert_instant("yesterday  00:00", day - USEC_PER_DAY);
        assert_instant("2026-11-22", day - USEC_PER_DAY);
        assert_instant("2026-11-22 14:03:00", day - USEC_PER_DAY + clock);
        assert_instant("2026-11-22T14:03:00", day - USEC_PER_DAY + clock);
        assert_instant("2026-11-22T14:03:00Z", day - USEC_PER_DAY + clock);
        assert_instant("2024-02-29", UINT64_C(1709164800) * USEC_PER_SEC);
        assert_instant("1970-01-01", 0);
        assert_instant("9999-12-31 23:59:59", UINT64_C(253402300799) * USEC_PER_SEC);
        assert_instant("@1732284842", UINT64_C(1732284842) * USEC_PER_SEC);
        assert_instant("@1732284842.5", UINT64_C(1732284842500000));
        assert_instant("@0", 0);
        assert_instant("-2h", NOW_USEC - 2 * USEC_PER_HOUR);
        assert_instant("- 2 h", NOW_USEC - 2 * USEC_PER_HOUR);
        assert_instant("3m ago", NOW_USEC - 3 * USEC_PER_MINUTE);
        assert_instant("10 min ago", NOW_USEC - 10 * USEC_PER_MINUTE);
        assert_instant("1h 30min ago", NOW_USEC - 90 * USEC_PER_MINUTE);
        assert_instant("+1h30min", NOW_USEC + 90 * USEC_PER_MINUTE);
        assert_instant("1.5h ago", NOW_USEC - 90 * USEC_PER_MINUTE);
        /* The first of a month and of a year have a yesterday, too. */
        assert_instant_at("yesterday", UINT64_C(1767225600) * USEC_PER_SEC,
                          UINT64_C(1767139200) * USEC_PER_SEC);
        assert_instant_at("yesterday", UINT64_C(1709251200) * USEC_PER_SEC,
                          UINT64_C(1709164800) * USEC_PER_SEC);
}

static void test_spans(void **state)
{
        (void)state;
        assert_span_refused("", -EINVAL, "it is empty");
        assert_span_refused("h", -EINVAL, "write it like 90s");
        assert_span_refused("-2h", -EINVAL, "write it like");
        assert_span_refused("1..5h", -EINVAL, "write it like");
        assert_span_refused("1.h", -EINVAL, "write it like");
        assert_span_refused("1,5h", -EINVAL, "1 what?");
        assert_span_refused("1h 30", -EINVAL, "30 what?");
        assert_span_refused("30 1h", -EINVAL, "30 what?");
        assert_span_refused("1hh", -EINVAL, "'hh' is no unit");
        assert_span_refused("1H", -EINVAL, "'H' is no unit");
        assert_span_refused("600000y", -ERANGE, "it is too long");
        assert_span_refused("400000y 400000y", -ERANGE, "it is too long");

        assert_span("0", 0);
        assert_span("90", 90 * USEC_PER_SEC);
        assert_span("0.25", 250 * USEC_PER_MSEC);
        assert_span("1h 30min", 90 * USEC_PER_MINUTE);
        assert_span("1h30min", 90 * USEC_PER_MINUTE);
        assert_span("1 hour 30 minutes 10 seconds", 90 * USEC_PER_MINUTE + 10 * USEC_PER_SEC);
        assert_span("2d 4h", 52 * USEC_PER_HOUR);
        assert_span("1w", 7 * USEC_PER_DAY);
        assert_span("500ms", 500 * USEC_PER_MSEC);
        assert_span("1.5us", 1); /* a microsecond is the smallest */
        assert_span("1.000001y", UINT64_C(31557600) * USEC_PER_SEC + UINT64_C(31557600));
        assert_span("1 month", UINT64_C(2629800) * USEC_PER_SEC);
}

/* Berlin 2026: 03-29 02:00 CET becomes 03:00 CEST, 10-25 03:00 CEST becomes 02:00 CET. */
static void test_summer_time(void **state)
{
        (void)state;
        need_zone("Europe/Berlin");
        const usec_t spring = UINT64_C(1774746000) * USEC_PER_SEC; /* 2026-03-29 01:00 UTC */
        assert_instant("2026-03-29 01:59:59", spring - USEC_PER_SEC);
        assert_refused("2026-03-29 02:00", -EINVAL, "clocks here skip 02:00 on 2026-03-29");
        assert_refused("2026-03-29 02:59:59", -EINVAL, "clocks here skip 02:59 on 2026-03-29");
        assert_instant("2026-03-29 03:00", spring);
        assert_instant("2026-03-29 02:30 UTC", spring + 90 * USEC_PER_MINUTE);
        assert_instant("2026-03-29", spring - 2 * USEC_PER_HOUR);
        assert_instant("2026-03-30", spring + 21 * USEC_PER_HOUR);

        const usec_t autumn = UINT64_C(1792890000) * USEC_PER_SEC; /* 2026-10-25 01:00 UTC */
        assert_instant("2026-10-25 01:59:59", autumn - USEC_PER_HOUR - USEC_PER_SEC);
        assert_instant("2026-10-25 02:00", autumn - USEC_PER_HOUR); /* the first of two */
        assert_instant("2026-10-25 02:59:59", autumn - USEC_PER_SEC);
        assert_instant("2026-10-25 03:00", autumn + USEC_PER_HOUR);

        /* Now is noon of the day after: spans are of fixed length, days are the calendar's. */
        const usec_t after_spring = spring + 33 * USEC_PER_HOUR; /* 2026-03-30 12:00 CEST */
        assert_instant_at("yesterday", after_spring, spring - 2 * USEC_PER_HOUR);
        assert_instant_at("yesterday 12:00", after_spring, spring + 9 * USEC_PER_HOUR);
        assert_instant_at("-48h", after_spring, spring - 15 * USEC_PER_HOUR);
        assert_instant_at("2d ago", after_spring, spring - 15 * USEC_PER_HOUR);
        assert_instant_at("today", after_spring, spring + 21 * USEC_PER_HOUR);
        /* Just after midnight of the long day, "yesterday" is one day back, not two. */
        assert_instant_at("yesterday", autumn + 22 * USEC_PER_HOUR + USEC_PER_HOUR,
                          autumn - 3 * USEC_PER_HOUR);
}

/* A day that begins at 01:00: Cairo, 2026-04-24. */
static void test_day_without_midnight(void **state)
{
        (void)state;
        need_zone("Africa/Cairo");
        const usec_t begin = UINT64_C(1776981600) * USEC_PER_SEC; /* 2026-04-23 22:00 UTC */
        assert_refused("2026-04-24 00:00", -EINVAL, "clocks here skip 00:00");
        assert_instant("2026-04-24 01:00", begin);
        assert_instant("2026-04-24", begin);
}

/* On the far side of the date line, "today" is another day than in UTC. */
static void test_far_zone(void **state)
{
        (void)state;
        need_zone("Pacific/Kiritimati");                             /* UTC+14 */
        const usec_t midnight = UINT64_C(1795428000) * USEC_PER_SEC; /* 2026-11-23 10:00 UTC */
        assert_instant("today", midnight);
        assert_instant("2026-11-24", midnight);
        assert_instant("00:30", midnight + 30 * USEC_PER_MINUTE);
        assert_instant("today UTC", midnight - 10 * USEC_PER_HOUR);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_instants),
                cmocka_unit_test(test_spans),
                cmocka_unit_test(test_summer_time),
                cmocka_unit_test(test_day_without_midnight),
                cmocka_unit_test(test_far_zone),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
