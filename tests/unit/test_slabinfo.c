/* /proc/slabinfo: none, garbage, an older kernel, then which caches hold most of what is not given back. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/sample/slabinfo.h"

#define HEAD "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> ...\n"

static bool is_reclaimable(const void *userdata, const char *name)
{
        (void)userdata;
        return strcmp(name, "dentry") == 0;
}

static int parse(const char *text, struct slabs *ret_slabs)
{
        return slabinfo_parse(span_of(text), 4096, is_reclaimable, NULL, ret_slabs);
}

static void what_is_none_is_refused(void **state)
{
        (void)state;
        struct slabs slabs;
        assert_int_equal(parse("", &slabs), -EBADMSG);
        assert_int_equal(parse("slabinfo\n", &slabs), -EBADMSG);
        assert_int_equal(parse("slabinfo - version: 1.1\nkmem_cache 59 78 100\n", &slabs), -EBADMSG);
        assert_int_equal(parse("slabinfo - version: 2.1", &slabs), 0);
        assert_int_equal(slabs.count, 0);
}

static void bad_lines_are_passed_over(void **state)
{
        (void)state;
        struct slabs slabs;
        assert_int_equal(parse(HEAD "kmalloc-1k 1 2 1024\n"
                                    "\n"
                                    "kmalloc-2k 1 2 x 16 4 : tunables 0 0 0 : slabdata 136 136 0\n"
                                    "kmalloc-4k 1 2 4096 8 8 : tunables 0 0 0\n"
                                    "two words 1 2 4096 8 8 : tunables 0 0 0 : slabdata 1 1 0\n"
                                    "huge 1 2 4096 8 8 : tunables 0 0 0 : slabdata 1 18446744073709551615 0\n"
                                    "kmalloc-1k   2176   2176   1024   16    4 : tunables    0    0    0 : "
                                    "slabdata  136  136  0\n",
                               &slabs),
                         0);
        assert_int_equal(slabs.count, 1);
        assert_string_equal(slabs.rows[0].name, "kmalloc-1k");
        assert_true(slabs.rows[0].bytes == 136 * 4 * 4096 && slabs.rows[0].objects == 2176);
}

static void the_largest_come_first(void **state)
{
        (void)state;
        static char text[65536];
        struct slabs slabs;
        size_t length = (size_t)snprintf(text, sizeof(text), HEAD);
        for (int i = 0; i < 200; i++)
                length += (size_t)snprintf(text + length, sizeof(text) - length,
                                           "cache-%d 5 5 64 64 1 : tunables 0 0 0 : slabdata %d %d 0\n", i,
                                           i * 7 % 200, i * 7 % 200);
        (void)snprintf(text + length, sizeof(text) - length,
                       "dentry 9 9 192 21 1 : tunables 0 0 0 : slabdata 99999 99999 0\n");
        assert_int_equal(parse(text, &slabs), 0);
        assert_int_equal(slabs.count, SLABS_MAX);
        for (size_t i = 0; i < SLABS_MAX; i++)
                assert_true(slabs.rows[i].bytes == (199 - i) * 4096);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_none_is_refused),
                cmocka_unit_test(bad_lines_are_passed_over),
                cmocka_unit_test(the_largest_come_first),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
