/* Small pieces of text: a cursor over a buffer with strict number parsing, and bounded building.
 * Knows no file format; each parser in daemon/sample builds on it. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A part of a buffer that somebody else owns; not NUL-terminated. */
struct span {
        const char *at;
        size_t length;
};

#define SPAN(literal) ((struct span){ (literal), sizeof(literal) - 1 })

struct span span_of(const char *text);
bool span_equal(struct span span, const char *text);
bool span_starts(struct span span, const char *prefix);

/* Takes the next line (without its newline) from *text; false at the end. An unterminated last line counts.
 */
bool span_take_line(struct span *text, struct span *ret_line);
/* Takes the next word, skipping blanks and tabs before it; false when none is left. */
bool span_take_word(struct span *line, struct span *ret_word);
/* Takes what stands before the first `separator` and the separator itself; false if there is none. */
bool span_take_until(struct span *line, char separator, struct span *ret_part);

/* The whole span as a decimal number: digits only, no sign, no blanks, no trailing garbage.
 * 0, -EINVAL (not a number, or empty) or -ERANGE (over 2^64-1). */
int span_u64(struct span span, uint64_t *ret_value);
/* The same with an optional leading '-'; -ERANGE outside int64_t. */
int span_i64(struct span span, int64_t *ret_value);
/* The whole span as hexadecimal digits without prefix. */
int span_hex(struct span span, uint64_t *ret_value);
/* Takes the next word as a number: 0, -ENODATA (no word left), -EINVAL, -ERANGE. */
int span_take_u64(struct span *line, uint64_t *ret_value);
int span_take_i64(struct span *line, int64_t *ret_value);

/* Copies a span into a buffer of `size` bytes, always NUL-terminated; a longer one is cut at a UTF-8
 * boundary. Returns true if all of it fitted. */
bool span_copy(struct span span, char *buffer, size_t size);

/* snprintf that appends at *length (never past size-1) and advances it; true if it fitted. */
bool text_append(char *buffer, size_t size, size_t *length, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
/* snprintf into a buffer, cutting silently: for names whose buffer is sized to show enough of them. */
void text_format(char *buffer, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Replaces bytes that are not valid UTF-8 and control characters (but for those in `keep`) by '?', in place:
 * what a process puts into its name must not reach a terminal or the journal raw. */
void text_sanitize(char *text, const char *keep);

/* 64-bit FNV-1a; continue a hash by passing the former result as seed, begin with HASH_SEED. */
#define HASH_SEED UINT64_C(0xcbf29ce484222325)
uint64_t text_hash(uint64_t seed, const char *text);
