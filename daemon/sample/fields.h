/* What kernel files have in common: lines of KEY VALUE, files of one value, numbers with a decimal point.
 * Knows no particular file. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/text.h"
#include "daemon/sample/sample.h"

/* One line "KEY VALUE" or "KEY: VALUE kB" and where its value goes, multiplied by `factor`. */
struct keyed_field {
        const char *key;
        size_t offset; /* of the uint64_t in the struct that is filled */
        uint64_t factor;
        bool is_sum; /* several lines add up in this field */
};

#define KEYED(type, field, name, times)                                                                      \
        {                                                                                                    \
                .key = (name), .offset = offsetof(type, field), .factor = (times)                            \
        }
#define KEYED_SUM(type, field, name)                                                                         \
        {                                                                                                    \
                .key = (name), .offset = offsetof(type, field), .factor = 1, .is_sum = true                  \
        }

/* Takes the lines that `fields` knows; the others are none of our business. A known line with a bad number
 * leaves its field as it was. 0; -ENODATA if no known line was there; else the error of the first bad line,
 * and what was good is taken all the same. */
int fields_parse_keyed(struct span text, const struct keyed_field *fields, size_t field_count, void *ret);

/* A file with one number; "max" and "-1" (no limit) are ABSENT. */
int fields_parse_single(struct span text, uint64_t *ret_value);

/* "12.34" with `digits` behind the point kept as an integer: 12340 for 3. Further digits are cut off. */
int fields_parse_decimal(struct span word, unsigned digits, uint64_t *ret_value);

/* *value times factor, -ERANGE (and untouched) if that does not fit. */
int fields_scale(uint64_t *value, uint64_t factor);

/* Keeps the first error of several: r is remembered in *error unless there is one already. */
static inline void fields_note(int r, int *error)
{
        if (r < 0 && *error == 0)
                *error = r;
}
