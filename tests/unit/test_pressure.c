/* Pressure files of the machine and of control groups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/sample/parsers.h"

static int parse(const char *text, struct pressure_sample *ret)
{
        memset(ret, 0xff, sizeof(*ret));
        return pressure_parse(span_of(text), ret);
}

static void test_bad(void **state)
{
        struct pressure_sample p;
        (void)state;
        assert_int_equal(parse("", &p), -ENODATA);
        assert_int_equal(parse("none avg10=0.00 total=3\n", &p), -ENODATA);
        assert_int_equal(parse("some avg10=0.00\n", &p), -EINVAL); /* no total */
        assert_int_equal(parse("some avg10 total=3\n", &p), -EINVAL);
        assert_int_equal(parse("some avg10=1.2.3 total=3\n", &p), -EINVAL);
        assert_int_equal(parse("some avg10=0.00 total=99999999999999999999\n", &p), -ERANGE);
        assert_int_equal(p.some_total_usec, ABSENT);
        assert_int_equal(p.some_avg10_permille, ABSENT);
        /* a bad line loses itself only */
        assert_int_equal(parse("some avg10=x total=3\nfull avg10=0.07 avg60=0.00 total=12", &p), -EINVAL);
        assert_int_equal(p.some_total_usec, ABSENT);
        assert_int_equal(p.full_total_usec, 12);
}

static void test_good(void **state)
{
        struct pressure_sample p;
        (void)state;
        assert_int_equal(parse("some avg10=97.36 avg60=0.02 avg300=0.08 total=4338989\n"
                               "full avg10=0.04 avg60=0.00 avg300=0.07 total=3995422\n",
                               &p),
                         0);
        assert_int_equal(p.some_total_usec, 4338989);
        assert_int_equal(p.some_avg10_permille, 974);
        assert_int_equal(p.full_total_usec, 3995422);
        assert_int_equal(p.full_avg10_permille, 0);
        /* cpu before Linux 5.13 */
        assert_int_equal(parse("some avg10=0.05 avg60=0.02 avg300=0.08 total=1\n", &p), 0);
        assert_int_equal(p.some_avg10_permille, 1);
        assert_int_equal(p.full_total_usec, ABSENT);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_bad), cmocka_unit_test(test_good) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
