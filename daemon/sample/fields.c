/* Lines of KEY VALUE, files of one value, numbers with a decimal point. */
#include "daemon/sample/fields.h"

#include <errno.h>
#include <string.h>

/* The kernel prints keys in a fixed order, so the next one expected is nearly always the right one. */
static const struct keyed_field *find_field(struct span key, const struct keyed_field *fields,
                                            size_t field_count, size_t *expected)
{
        for (size_t i = 0; i < field_count; i++) {
                size_t at = *expected + i < field_count ? *expected + i : *expected + i - field_count;
                if (key.at[0] == fields[at].key[0] && span_equal(key, fields[at].key)) {
                        *expected = at + 1 < field_count ? at + 1 : 0;
                        return &fields[at];
                }
        }
        return NULL;
}

static int store_field(const struct keyed_field *field, struct span rest, void *ret)
{
        uint64_t value, before;
        struct span unit;
        char *target = (char *)ret + field->offset;

        int r = span_take_u64(&rest, &value);
        if (r < 0)
                return r;
        if (span_take_word(&rest, &unit) && !span_equal(unit, "kB"))
                return -EINVAL;
        r = fields_scale(&value, field->factor);
        if (r < 0)
                return r;
        memcpy(&before, target, sizeof(before));
        if (field->is_sum && before != ABSENT && __builtin_add_overflow(value, before, &value))
                return -ERANGE;
        memcpy(target, &value, sizeof(value));
        return 0;
}

int fields_parse_keyed(struct span text, const struct keyed_field *fields, size_t field_count, void *ret)
{
        struct span line, key;
        size_t expected = 0, known = 0;
        int error = 0;

        while (span_take_line(&text, &line)) {
                if (!span_take_word(&line, &key))
                        continue;
                if (key.at[key.length - 1] == ':')
                        key.length--;
                if (key.length == 0)
                        continue;
                const struct keyed_field *field = find_field(key, fields, field_count, &expected);
                if (!field)
                        continue;
                known++;
                fields_note(store_field(field, line, ret), &error);
        }
        return known ? error : -ENODATA;
}

int fields_parse_single(struct span text, uint64_t *ret_value)
{
        struct span word;
        if (!span_take_word(&text, &word))
                return -ENODATA;
        if (span_equal(word, "max") || span_equal(word, "-1")) {
                *ret_value = ABSENT;
                return 0;
        }
        return span_u64(word, ret_value);
}

int fields_parse_decimal(struct span word, unsigned digits, uint64_t *ret_value)
{
        struct span whole = word, fraction = { 0 };
        uint64_t value, part;

        if (span_take_until(&word, '.', &whole))
                fraction = word;
        int r = span_u64(whole, &value);
        if (r < 0)
                return r;
        for (unsigned i = 0; i < digits; i++) {
                part = 0;
                if (i < fraction.length) {
                        r = span_u64((struct span){ fraction.at + i, 1 }, &part);
                        if (r < 0)
                                return r;
                }
                if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
                    __builtin_add_overflow(value, part, &value))
                        return -ERANGE;
        }
        for (size_t i = digits; i < fraction.length; i++)
                if (fraction.at[i] < '0' || fraction.at[i] > '9')
                        return -EINVAL;
        *ret_value = value;
        return 0;
}

int fields_scale(uint64_t *value, uint64_t factor)
{
        uint64_t product;
        if (__builtin_mul_overflow(*value, factor, &product))
                return -ERANGE;
        *value = product;
        return 0;
}
