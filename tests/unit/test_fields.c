/* What the parsers share: KEY VALUE lines, single values, decimal fractions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/sample/fields.h"

struct values {
        uint64_t a, b, sum;
};
static const struct keyed_field fields[] = {
        KEYED(struct values, a, "a", 1024),
        KEYED(struct values, b, "b", 1),
        KEYED_SUM(struct values, sum, "x"),
        KEYED_SUM(struct values, sum, "y"),
};

static int parse(const char *text, struct values *ret)
{
        memset(ret, 0xff, sizeof(*ret));
        return fields_parse_keyed(span_of(text), fields, sizeof(fields) / sizeof(fields[0]), ret);
}

static void test_keyed_bad(void **state)
{
        struct values v;
        (void)state;
        assert_int_equal(parse("", &v), -ENODATA);
        assert_int_equal(parse(":\n: 1\n  \nc 1\n", &v), -ENODATA);
        assert_int_equal(parse("a: -1 kB\nb 2\n", &v), -EINVAL);
        assert_int_equal(v.a, ABSENT);
        assert_int_equal(v.b, 2);
        assert_int_equal(parse("a: 1 MB\n", &v), -EINVAL);
        assert_int_equal(parse("a:\n", &v), -ENODATA);
        assert_int_equal(parse("a: 18446744073709551615 kB\n", &v), -ERANGE); /* times 1024 */
        assert_int_equal(v.a, ABSENT);
        assert_int_equal(parse("x 18446744073709551614\ny 3\n", &v), -ERANGE);
        assert_int_equal(parse("b 1\r\n", &v), -EINVAL);
        assert_int_equal(v.b, ABSENT);
}

static void test_keyed_good(void **state)
{
        struct values v;
        (void)state;
        assert_int_equal(parse("y 3\nb: 9\nother nonsense here\na: 2 kB\nx 4", &v), 0);
        assert_int_equal(v.a, 2048);
        assert_int_equal(v.b, 9);
        assert_int_equal(v.sum, 7);
}

static void test_single(void **state)
{
        uint64_t v = 5;
        (void)state;
        assert_int_equal(fields_parse_single(span_of(""), &v), -ENODATA);
        assert_int_equal(fields_parse_single(span_of("1x\n"), &v), -EINVAL);
        assert_int_equal(fields_parse_single(span_of("99999999999999999999\n"), &v), -ERANGE);
        assert_int_equal(v, 5);
        assert_int_equal(fields_parse_single(span_of("max\n"), &v), 0);
        assert_int_equal(v, ABSENT);
        assert_int_equal(fields_parse_single(span_of("4096\n"), &v), 0);
        assert_int_equal(v, 4096);
        assert_int_equal(fields_parse_single(span_of("-1\n"), &v), 0);
        assert_int_equal(v, ABSENT);
}

static void test_decimal(void **state)
{
        uint64_t v = 5;
        (void)state;
        assert_int_equal(fields_parse_decimal(span_of(""), 2, &v), -EINVAL);
        assert_int_equal(fields_parse_decimal(span_of("1.x"), 2, &v), -EINVAL);
        assert_int_equal(fields_parse_decimal(span_of("1.234x"), 2, &v), -EINVAL);
        assert_int_equal(fields_parse_decimal(span_of("1.2.3"), 2, &v), -EINVAL);
        assert_int_equal(fields_parse_decimal(span_of("-1.2"), 2, &v), -EINVAL);
        assert_int_equal(fields_parse_decimal(span_of("1844674407370955161.99"), 2, &v), -ERANGE);
        assert_int_equal(v, 5);
        assert_int_equal(fields_parse_decimal(span_of("12.345"), 2, &v), 0);
        assert_int_equal(v, 1234);
        assert_int_equal(fields_parse_decimal(span_of("12.3"), 2, &v), 0);
        assert_int_equal(v, 1230);
        assert_int_equal(fields_parse_decimal(span_of("7"), 3, &v), 0);
        assert_int_equal(v, 7000);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_keyed_bad),
                cmocka_unit_test(test_keyed_good),
                cmocka_unit_test(test_single),
                cmocka_unit_test(test_decimal),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
