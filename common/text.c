/* Spans, strict numbers, bounded building and cleaning of text. */
#include "common/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct span span_of(const char *text)
{
        return (struct span){ text, strlen(text) };
}

bool span_equal(struct span span, const char *text)
{
        size_t length = strlen(text);
        return span.length == length && memcmp(span.at, text, length) == 0;
}

bool span_starts(struct span span, const char *prefix)
{
        size_t length = strlen(prefix);
        return span.length >= length && memcmp(span.at, prefix, length) == 0;
}

static void span_skip(struct span *span, size_t count)
{
        span->at += count;
        span->length -= count;
}

bool span_take_until(struct span *line, char separator, struct span *ret_part)
{
        const char *end = line->length ? memchr(line->at, separator, line->length) : NULL;
        if (!end)
                return false;
        *ret_part = (struct span){ line->at, (size_t)(end - line->at) };
        span_skip(line, ret_part->length + 1);
        return true;
}

bool span_take_line(struct span *text, struct span *ret_line)
{
        if (text->length == 0)
                return false;
        if (!span_take_until(text, '\n', ret_line)) {
                *ret_line = *text;
                span_skip(text, text->length);
        }
        return true;
}

bool span_take_word(struct span *line, struct span *ret_word)
{
        size_t begin = 0;
        while (begin < line->length && (line->at[begin] == ' ' || line->at[begin] == '\t'))
                begin++;
        size_t end = begin;
        while (end < line->length && line->at[end] != ' ' && line->at[end] != '\t' && line->at[end] != '\n')
                end++;
        if (end == begin)
                return false;
        *ret_word = (struct span){ line->at + begin, end - begin };
        span_skip(line, end);
        return true;
}

int span_u64(struct span span, uint64_t *ret_value)
{
        uint64_t value = 0;
        if (span.length == 0)
                return -EINVAL;
        for (size_t i = 0; i < span.length; i++) {
                unsigned digit = (unsigned)(unsigned char)span.at[i] - '0';
                if (digit > 9)
                        return -EINVAL;
                if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
                    __builtin_add_overflow(value, (uint64_t)digit, &value))
                        return -ERANGE;
        }
        *ret_value = value;
        return 0;
}

int span_i64(struct span span, int64_t *ret_value)
{
        bool is_negative = span.length > 0 && span.at[0] == '-';
        uint64_t magnitude;
        if (is_negative)
                span_skip(&span, 1);
        int r = span_u64(span, &magnitude);
        if (r < 0)
                return r;
        if (magnitude > (uint64_t)INT64_MAX + (is_negative ? 1 : 0))
                return -ERANGE;
        *ret_value = is_negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
        return 0;
}

int span_hex(struct span span, uint64_t *ret_value)
{
        uint64_t value = 0;
        if (span.length == 0)
                return -EINVAL;
        for (size_t i = 0; i < span.length; i++) {
                char c = span.at[i];
                unsigned digit;
                if (c >= '0' && c <= '9')
                        digit = (unsigned)(c - '0');
                else if (c >= 'a' && c <= 'f')
                        digit = (unsigned)(c - 'a') + 10;
                else if (c >= 'A' && c <= 'F')
                        digit = (unsigned)(c - 'A') + 10;
                else
                        return -EINVAL;
                if (value >> 60)
                        return -ERANGE;
                value = value << 4 | digit;
        }
        *ret_value = value;
        return 0;
}

int span_take_u64(struct span *line, uint64_t *ret_value)
{
        struct span word;
        return span_take_word(line, &word) ? span_u64(word, ret_value) : -ENODATA;
}

int span_take_i64(struct span *line, int64_t *ret_value)
{
        struct span word;
        return span_take_word(line, &word) ? span_i64(word, ret_value) : -ENODATA;
}

bool span_copy(struct span span, char *buffer, size_t size)
{
        size_t length = span.length;
        bool fits = length < size;
        if (size == 0)
                return false;
        if (!fits) {
                length = size - 1;
                /* 10xxxxxx continues a character: cut before its first byte. More than three of them in a row
                 * are no character, and there is nothing to keep whole. */
                for (size_t i = 0; i < 3 && length > 0 && ((unsigned char)span.at[length] & 0xc0) == 0x80;
                     i++)
                        length--;
        }
        if (length > 0)
                memcpy(buffer, span.at, length);
        buffer[length] = '\0';
        return fits;
}

bool text_append(char *buffer, size_t size, size_t *length, const char *format, ...)
{
        va_list arguments;
        if (*length >= size)
                return false;
        va_start(arguments, format);
        int written = vsnprintf(buffer + *length, size - *length, format, arguments);
        va_end(arguments);
        if (written < 0)
                return false;
        if ((size_t)written >= size - *length) {
                *length = size - 1;
                return false;
        }
        *length += (size_t)written;
        return true;
}

/* Drops an incomplete character at the end, which a cut can leave behind. */
static void trim_partial_character(char *text, size_t length)
{
        size_t begin = length;
        while (begin > 0 && length - begin < 3 && ((unsigned char)text[begin - 1] & 0xc0) == 0x80)
                begin--;
        if (begin == 0)
                return;
        unsigned char lead = (unsigned char)text[begin - 1];
        size_t needed = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
        if (length - (begin - 1) < needed)
                text[begin - 1] = '\0';
}

void text_format(char *buffer, size_t size, const char *format, ...)
{
        va_list arguments;
        va_start(arguments, format);
        int written = vsnprintf(buffer, size, format, arguments);
        va_end(arguments);
        if (written < 0)
                buffer[0] = '\0';
        else if ((size_t)written >= size)
                trim_partial_character(buffer, size - 1);
}

/* Length of the valid UTF-8 character at text, 0 if it is not one (overlong, surrogate, beyond U+10FFFF,
 * cut). */
static size_t character_length(const unsigned char *text)
{
        if (text[0] < 0x80)
                return 1;
        size_t length = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
        if (text[0] < 0xc2 || text[0] > 0xf4)
                return 0;
        for (size_t i = 1; i < length; i++)
                if ((text[i] & 0xc0) != 0x80)
                        return 0;
        if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
            (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
                return 0;
        return length;
}

void text_sanitize(char *text, const char *keep)
{
        for (unsigned char *at = (unsigned char *)text; *at;) {
                size_t length = character_length(at);
                bool is_control = *at < 0x20 || *at == 0x7f || (*at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0);
                if (length == 0) {
                        *at++ = '?';
                } else if (is_control && !(length == 1 && strchr(keep, *at))) {
                        memset(at, '?', length);
                        at += length;
                } else {
                        at += length;
                }
        }
}

uint64_t text_hash(uint64_t seed, const char *text)
{
        uint64_t hash = seed;
        for (; *text; text++)
                hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
        /* One more round, so that ("ab", "c") and ("a", "bc") differ when hashes are continued. */
        return (hash ^ 0xff) * UINT64_C(0x100000001b3);
}
