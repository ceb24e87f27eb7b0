/* Local time to instant. */
#include "common/local_time.h"

#include <errno.h>
#include <stdbool.h>

static bool same_clock(const struct tm *a, const struct tm *b)
{
        return a->tm_year == b->tm_year && a->tm_mon == b->tm_mon && a->tm_mday == b->tm_mday &&
               a->tm_hour == b->tm_hour && a->tm_min == b->tm_min && a->tm_sec == b->tm_sec;
}

/* mktime(3) alone silently moves a time inside the hour that is left out, and which of two equal times it
 * picks is not specified; so all three of its readings are tried and checked by going back. */
int local_time_instant(const struct tm *wanted, time_t *ret_time)
{
        time_t first = 0;
        bool found = false;
        for (int is_dst = -1; is_dst <= 1; is_dst++) {
                struct tm attempt = { .tm_year = wanted->tm_year,
                                      .tm_mon = wanted->tm_mon,
                                      .tm_mday = wanted->tm_mday,
                                      .tm_hour = wanted->tm_hour,
                                      .tm_min = wanted->tm_min,
                                      .tm_sec = wanted->tm_sec,
                                      .tm_isdst = is_dst };
                struct tm back;
                time_t t = mktime(&attempt);
                if (!localtime_r(&t, &back) || !same_clock(&back, wanted))
                        continue;
                if (!found || t < first)
                        first = t;
                found = true;
        }
        if (!found)
                return -ENOENT;
        *ret_time = first;
        return 0;
}

static int compare_days(const struct tm *a, const struct tm *b)
{
        int by_year = a->tm_year - b->tm_year, by_month = a->tm_mon - b->tm_mon;
        return by_year ? by_year : by_month ? by_month : a->tm_mday - b->tm_mday;
}

/* Usually 00:00, but where summer time begins at midnight the day begins at 01:00 (Cairo), and Samoa left a
 * whole day out: so the instant at which the date changes is searched for. */
time_t local_time_day_begin(const struct tm *day)
{
        struct tm utc = { .tm_year = day->tm_year, .tm_mon = day->tm_mon, .tm_mday = day->tm_mday };
        time_t middle = timegm(&utc);
        /* Zones are at most 14 hours from UTC, and a jump at most a day. */
        time_t before = middle - 48 * 3600, after = middle + 48 * 3600;
        while (after - before > 1) {
                time_t t = before + (after - before) / 2;
                struct tm local;
                if (!localtime_r(&t, &local) || compare_days(&local, day) >= 0)
                        after = t;
                else
                        before = t;
        }
        return after;
}
