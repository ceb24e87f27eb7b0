/* Times and spans as people type them. */
#include "common/time_grammar.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "common/local_time.h"
#include "common/text.h"
#include "common/time_input.h"

/* 9999-12-31 23:59:59 UTC: four digits of a year are all that dates can be typed with. */
#define INSTANT_MAX_USEC (UINT64_C(253402300799) * USEC_PER_SEC)

static const struct {
        const char *names;
        usec_t usec;
} units[] = {
        { "us usec", 1 },
        { "ms msec", USEC_PER_MSEC },
        { "s sec secs second seconds", USEC_PER_SEC },
        { "m min mins minute minutes", USEC_PER_MINUTE },
        { "h hr hrs hour hours", USEC_PER_HOUR },
        { "d day days", USEC_PER_DAY },
        { "w week weeks", 7 * USEC_PER_DAY },
        /* The lengths of systemd.time(7), so that both read the same. */
        { "month months", UINT64_C(2629800) * USEC_PER_SEC },
        { "y year years", UINT64_C(31557600) * USEC_PER_SEC },
};

/* ---- spans -----------------------------------------------------------------------------------------------
 */

/* Microseconds of a unit, 0 if there is none of that name. */
static usec_t find_unit(struct span word)
{
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
                struct span names = span_of(units[i].names), name;
                while (span_take_word(&names, &name))
                        if (name.length == word.length && memcmp(name.at, word.at, word.length) == 0)
                                return units[i].usec;
        }
        return 0;
}

/* "1h30min", "10 min", "1.5h"; the whole of `span`. `lone_unit`: what a lone number counts in, 0 to refuse.
 */
static int parse_span(const struct time_input *input, struct span span, usec_t lone_unit, usec_t *ret_usec)
{
        usec_t total = 0;
        bool is_first = true;
        if (span.length == 0)
                return time_input_fail_form(input);
        while (span.length > 0) {
                struct span digits = time_input_take_while(&span, time_input_is_digit),
                            after_point = { NULL, 0 };
                uint64_t number;
                int r = span_u64(digits, &number);
                if (r < 0)
                        return r == -ERANGE ? time_input_fail_range(input) : time_input_fail_form(input);
                if (time_input_take_char(&span, '.')) {
                        after_point = span;
                        if (time_input_take_while(&span, time_input_is_digit).length == 0)
                                return time_input_fail_form(input);
                }
                time_input_skip_blanks(&span);
                struct span word = time_input_take_while(&span, time_input_is_letter);
                usec_t unit = 0, part, fraction = 0;
                if (word.length == 0) {
                        if (!is_first || span.length > 0 || lone_unit == 0)
                                return time_input_fail(input, -EINVAL,
                                                       "%.*s what? Write s, min, h or d behind the number",
                                                       (int)digits.length, digits.at);
                        unit = lone_unit;
                }
                if (unit == 0)
                        unit = find_unit(word);
                if (unit == 0)
                        return time_input_fail(input, -EINVAL,
                                               "'%.*s' is no unit of time; use s, min, h, d or w",
                                               (int)word.length, word.at);
                if (after_point.at)
                        (void)time_input_take_fraction(&after_point, unit,
                                                       &fraction); /* has digits, seen above */
                if (__builtin_mul_overflow(number, unit, &part) ||
                    __builtin_add_overflow(part, fraction, &part) ||
                    __builtin_add_overflow(total, part, &total))
                        return time_input_fail_range(input);
                time_input_skip_blanks(&span);
                is_first = false;
        }
        *ret_usec = total;
        return 0;
}

/* ---- the calendar ----------------------------------------------------------------------------------------
 */

/* Exactly `width` digits, or one to `width` if `may_be_short`. */
static bool take_number(struct span *span, size_t width, bool may_be_short, int *ret_number)
{
        struct span digits = time_input_take_while(span, time_input_is_digit);
        uint64_t number;
        if (digits.length > width || (!may_be_short && digits.length != width) ||
            span_u64(digits, &number) < 0)
                return false;
        *ret_number = (int)number;
        return true;
}

/* "2026-11-22" */
static int take_date(struct time_input *input, struct tm *clock)
{
        static const int month_days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
        struct span *rest = &input->rest;
        int year, month, day;
        if (!take_number(rest, 4, false, &year) || !time_input_take_char(rest, '-') ||
            !take_number(rest, 2, false, &month) || !time_input_take_char(rest, '-') ||
            !take_number(rest, 2, false, &day))
                return time_input_fail_form(input);
        bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        if (year < 1970)
                return time_input_fail_range(input);
        if (month < 1 || month > 12)
                return time_input_fail(input, -EINVAL, "the month must be 01 to 12");
        int days = month == 2 && !is_leap ? 28 : month_days[month - 1];
        if (day < 1 || day > days)
                return time_input_fail(input, -EINVAL, "%04d-%02d has %d days", year, month, days);
        clock->tm_year = year - 1900;
        clock->tm_mon = month - 1;
        clock->tm_mday = day;
        return 0;
}

/* "14:03", "14:03:07", "14:03:07.25" */
static int take_clock(struct time_input *input, struct tm *clock, usec_t *ret_fraction)
{
        struct span *rest = &input->rest;
        if (!take_number(rest, 2, true, &clock->tm_hour) || !time_input_take_char(rest, ':') ||
            !take_number(rest, 2, false, &clock->tm_min))
                return time_input_fail_form(input);
        if (time_input_take_char(rest, ':')) {
                if (!take_number(rest, 2, false, &clock->tm_sec))
                        return time_input_fail_form(input);
                if (time_input_take_char(rest, '.') &&
                    time_input_take_fraction(rest, USEC_PER_SEC, ret_fraction) < 0)
                        return time_input_fail_form(input);
        }
        if (clock->tm_hour > 23)
                return time_input_fail(input, -EINVAL, "the hour must be 0 to 23");
        if (clock->tm_min > 59)
                return time_input_fail(input, -EINVAL, "the minute must be 00 to 59");
        if (clock->tm_sec > 59)
                return time_input_fail(input, -EINVAL, "the second must be 00 to 59");
        return 0;
}

/* Turns the broken-down time into an instant and checks it. */
static int finish(const struct time_input *input, const struct tm *clock, bool has_clock, bool is_utc,
                  usec_t fraction, usec_t *ret_usec)
{
        time_t t;
        if (is_utc) {
                struct tm copy = *clock;
                t = timegm(&copy);
        } else if (!has_clock) {
                t = local_time_day_begin(clock);
        } else if (local_time_instant(clock, &t) < 0) {
                return time_input_fail(input, -EINVAL, "clocks here skip %02d:%02d on %04d-%02d-%02d",
                                       clock->tm_hour, clock->tm_min, clock->tm_year + 1900,
                                       clock->tm_mon + 1, clock->tm_mday);
        }
        if (t < 0 || (usec_t)t * USEC_PER_SEC > INSTANT_MAX_USEC)
                return time_input_fail_range(input);
        *ret_usec = (usec_t)t * USEC_PER_SEC + fraction;
        return 0;
}

/* A day by name or date, then perhaps a clock time, then perhaps a zone. */
static int parse_calendar(struct time_input *input, usec_t now_usec, usec_t *ret_usec)
{
        static const struct {
                const char *name;
                int days;
        } named_days[] = { { "today", 0 }, { "yesterday", -1 }, { "tomorrow", 1 } };
        struct span *rest = &input->rest;
        time_t now = (time_t)(now_usec / USEC_PER_SEC);
        struct tm clock;
        usec_t fraction = 0;
        bool has_day = false, needs_clock = false, is_utc = false;
        int days = 0, r;

        struct span word = time_input_take_while(rest, time_input_is_letter);
        for (size_t i = 0; i < sizeof(named_days) / sizeof(named_days[0]); i++)
                if (span_equal(word, named_days[i].name)) {
                        days = named_days[i].days;
                        has_day = true;
                }
        if (word.length > 0 && !has_day)
                return time_input_fail_form(input);

        /* "UTC" at the end decides what "today" is, so it is looked for first. */
        struct span ends[] = { SPAN(" UTC"), SPAN("UTC"), SPAN("Z") };
        for (size_t i = 0; !is_utc && i < sizeof(ends) / sizeof(ends[0]); i++)
                if (rest->length > ends[i].length &&
                    memcmp(rest->at + rest->length - ends[i].length, ends[i].at, ends[i].length) == 0) {
                        rest->length -= ends[i].length;
                        is_utc = true;
                }
        if (is_utc ? !gmtime_r(&now, &clock) : !localtime_r(&now, &clock))
                return time_input_fail_range(input);
        clock.tm_hour = clock.tm_min = clock.tm_sec = 0;

        if (!has_day && rest->length > 4 && rest->at[4] == '-') {
                r = take_date(input, &clock);
                if (r < 0)
                        return r;
                has_day = true;
                needs_clock = time_input_take_char(rest, 'T');
                if (!needs_clock && rest->length > 0 && rest->at[0] != ' ' && rest->at[0] != '\t')
                        return time_input_fail_form(input);
        }
        if (days != 0) {
                /* timegm, which knows no summer time, carries over the ends of months and years. */
                struct tm day = { .tm_year = clock.tm_year,
                                  .tm_mon = clock.tm_mon,
                                  .tm_mday = clock.tm_mday + days };
                (void)timegm(&day);
                clock.tm_year = day.tm_year;
                clock.tm_mon = day.tm_mon;
                clock.tm_mday = day.tm_mday;
        }
        time_input_skip_blanks(rest);
        if (rest->length == 0)
                return has_day && !needs_clock ? finish(input, &clock, false, is_utc, 0, ret_usec)
                                               : time_input_fail_form(input);
        r = take_clock(input, &clock, &fraction);
        if (r < 0)
                return r;
        if (rest->length > 0)
                return time_input_fail_form(input);
        return finish(input, &clock, true, is_utc, fraction, ret_usec);
}

/* ---- public ----------------------------------------------------------------------------------------------
 */

int time_grammar_span(const char *text, usec_t *ret_usec, char error[static TIME_ERROR_MAX])
{
        struct time_input input;
        int r = time_input_init(&input, TIME_INPUT_SPAN, text, error);
        return r < 0 ? r : parse_span(&input, input.rest, USEC_PER_SEC, ret_usec);
}

/* "@1732284842", "@1732284842.5" */
static int parse_epoch(struct time_input *input, usec_t *ret_usec)
{
        struct span digits = time_input_take_while(&input->rest, time_input_is_digit);
        uint64_t seconds;
        usec_t fraction = 0;
        int r = span_u64(digits, &seconds);
        if (r == -EINVAL)
                return time_input_fail_form(input);
        if (r == 0 && time_input_take_char(&input->rest, '.') &&
            time_input_take_fraction(&input->rest, USEC_PER_SEC, &fraction) < 0)
                return time_input_fail_form(input);
        if (r == 0 && input->rest.length > 0)
                return time_input_fail_form(input);
        if (r < 0 || seconds > INSTANT_MAX_USEC / USEC_PER_SEC)
                return time_input_fail_range(input);
        *ret_usec = seconds * USEC_PER_SEC + fraction;
        return 0;
}

int time_grammar_instant(const char *text, usec_t now_usec, usec_t *ret_usec,
                         char error[static TIME_ERROR_MAX])
{
        static const struct span ago = { "ago", 3 };
        struct time_input input;
        struct span *rest = &input.rest;
        usec_t span = 0;
        int r = time_input_init(&input, TIME_INPUT_INSTANT, text, error);
        if (r < 0)
                return r;
        tzset(); /* localtime_r need not do it */

        if (span_equal(*rest, "now")) {
                *ret_usec = now_usec;
                return 0;
        }
        if (time_input_take_char(rest, '@'))
                return parse_epoch(&input, ret_usec);

        bool is_later = time_input_take_char(rest, '+'),
             is_earlier = !is_later && time_input_take_char(rest, '-');
        time_input_skip_blanks(rest);
        if (!is_later && !is_earlier && time_input_is_digit(rest->at[0]) && rest->length > ago.length &&
            memcmp(rest->at + rest->length - ago.length, ago.at, ago.length) == 0) {
                rest->length -= ago.length;
                is_earlier = true;
        }
        if (!is_later && !is_earlier)
                return parse_calendar(&input, now_usec, ret_usec);

        r = parse_span(&input, *rest, 0, &span);
        if (r < 0)
                return r;
        if (is_earlier ? __builtin_sub_overflow(now_usec, span, &span)
                       : __builtin_add_overflow(now_usec, span, &span))
                return time_input_fail_range(&input);
        if (span > INSTANT_MAX_USEC)
                return time_input_fail_range(&input);
        *ret_usec = span;
        return 0;
}
