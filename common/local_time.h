/* From what local clocks and calendars show to the instant, safe where they jump. */
#pragma once

#include <time.h>

/* The first instant at which local clocks show year, month, day, hour, minute and second of `wanted` (other
 * fields are ignored); -ENOENT if they never do, because summer time begins. */
int local_time_instant(const struct tm *wanted, time_t *ret_time);

/* The first instant of a day (year, month and day of `day`). */
time_t local_time_day_begin(const struct tm *day);
