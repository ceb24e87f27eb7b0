/* The cursor over a typed time. */
#include "common/time_input.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int time_input_fail(const struct time_input *input, int r, const char *format, ...)
{
        char reason[TIME_ERROR_MAX];
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(reason, sizeof(reason), format, arguments);
        va_end(arguments);
        text_format(input->error, TIME_ERROR_MAX, "'%.*s' is not a %s: %s", TIME_TEXT_MAX, input->text,
                    input->kind == TIME_INPUT_SPAN ? "span of time" : "time", reason);
        return r;
}

int time_input_fail_form(const struct time_input *input)
{
        if (input->kind == TIME_INPUT_SPAN)
                return time_input_fail(input, -EINVAL, "write it like 90s, 10min or \"1h 30min\"");
        return time_input_fail(input, -EINVAL,
                               "write it like 14:03, \"yesterday 14:03\", 2026-11-22, -2h or \"10 min ago\"");
}

int time_input_fail_range(const struct time_input *input)
{
        if (input->kind == TIME_INPUT_SPAN)
                return time_input_fail(input, -ERANGE, "it is too long");
        return time_input_fail(input, -ERANGE, "it is before 1970 or after 9999");
}

bool time_input_is_digit(char c)
{
        return c >= '0' && c <= '9';
}

bool time_input_is_letter(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void skip(struct span *span, size_t count)
{
        span->at += count;
        span->length -= count;
}

void time_input_skip_blanks(struct span *span)
{
        while (span->length > 0 && (span->at[0] == ' ' || span->at[0] == '\t'))
                skip(span, 1);
}

struct span time_input_take_while(struct span *span, bool (*belongs)(char))
{
        struct span part = { span->at, 0 };
        while (part.length < span->length && belongs(span->at[part.length]))
                part.length++;
        skip(span, part.length);
        return part;
}

bool time_input_take_char(struct span *span, char c)
{
        if (span->length == 0 || span->at[0] != c)
                return false;
        skip(span, 1);
        return true;
}

int time_input_take_fraction(struct span *span, usec_t whole, usec_t *ret_usec)
{
        struct span digits = time_input_take_while(span, time_input_is_digit);
        usec_t millionths = 0;
        if (digits.length == 0)
                return -EINVAL;
        for (size_t i = 0; i < 6; i++)
                millionths = millionths * 10 + (i < digits.length ? (usec_t)(digits.at[i] - '0') : 0);
        /* Apart, so that years do not overflow. */
        *ret_usec = whole / USEC_PER_SEC * millionths + whole % USEC_PER_SEC * millionths / USEC_PER_SEC;
        return 0;
}

int time_input_init(struct time_input *input, enum time_input_kind kind, const char *text, char *error)
{
        size_t length = strnlen(text, TIME_TEXT_MAX + 1);
        *input = (struct time_input){ kind, text, { text, length }, error };
        error[0] = '\0';
        if (length > TIME_TEXT_MAX) {
                text_format(error, TIME_ERROR_MAX, "a time of more than %d characters is not read",
                            TIME_TEXT_MAX);
                return -EINVAL;
        }
        time_input_skip_blanks(&input->rest);
        while (input->rest.length > 0 && strchr(" \t", input->rest.at[input->rest.length - 1]))
                input->rest.length--;
        return input->rest.length > 0 ? 0 : time_input_fail(input, -EINVAL, "it is empty");
}
