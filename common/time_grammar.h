/* The times and spans that people type: "yesterday 14:03", "-2h", "10 min ago", "@1732284842", "1h 30min".
 * Local time zone (that of TZ), through mktime; the present is passed in, never fetched. */
#pragma once

#include "common/usec.h"

/* Longer input is refused unread. */
#define TIME_TEXT_MAX  128
#define TIME_ERROR_MAX 256

/* An instant as realtime microseconds since 1970.
 *
 *   now  today  yesterday  tomorrow            the last three: the day's first instant
 *   14:03  14:03:07  14:03:07.25               today
 *   yesterday 14:03   2026-11-22   2026-11-22 14:03:00   2026-11-22T14:03:00
 *   ... UTC, or Z                              after a clock time: not local
 *   @1732284842  @1732284842.5                 seconds since 1970
 *   -2h  +1h30min  3m ago  10 min ago          from now; days and longer are of fixed length
 *
 * A clock time that comes twice (summer time ends) is the first of the two; one that never comes (summer time
 * begins) is refused. 0, -EINVAL (not a time) or -ERANGE (before 1970 or after 9999), with one sentence
 * without a full stop in error: "'25:00' is not a time: the hour must be 0 to 23". The input is quoted in it
 * as typed: sanitize before showing. */
int time_grammar_instant(const char *text, usec_t now_usec, usec_t *ret_usec,
                         char error[static TIME_ERROR_MAX]);

/* A span: numbers with units ("1h 30min", "90 s", "1.5h", "500ms"), added up; a lone number is seconds.
 * Units: us ms s m h d w, also sec min hr day week month year in singular and plural (month: 30.44 days,
 * year: 365.25 days). Errors as above. */
int time_grammar_span(const char *text, usec_t *ret_usec, char error[static TIME_ERROR_MAX]);
