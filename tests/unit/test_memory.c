/* /proc/meminfo, vmstat and swaps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/sample/parsers.h"
#include "daemon/sample/swaps.h"
#include "tests/support/tree.h"

static struct sample sample;

static int parse(int (*parser)(struct span, struct sample *), const char *text)
{
        sample_clear(&sample);
        return parser(span_of(text), &sample);
}

static void test_meminfo(void **state)
{
        (void)state;
        assert_int_equal(parse(meminfo_parse, ""), -ENODATA);
        assert_int_equal(parse(meminfo_parse, "MemTotal"), -ENODATA);
        assert_int_equal(parse(meminfo_parse, "MemTotal: lots kB\nMemFree: 7 kB\n"), -EINVAL);
        assert_int_equal(sample.meminfo.total_bytes, ABSENT);
        assert_int_equal(sample.meminfo.free_bytes, 7 * 1024);
        assert_int_equal(parse(meminfo_parse, "MemTotal: 18014398509481984 kB\n"), -ERANGE); /* 2^64 bytes */
        assert_int_equal(parse(meminfo_parse, "MemTotal:       24684096 kB\r\n"), -EINVAL);

        assert_int_equal(parse(meminfo_parse, "MemTotal:       24684096 kB\nMemFree:        4716752 kB\n"
                                              "Active:         1 kB\nActive(anon):      14780 kB\n"
                                              "SUnreclaim:        29132 kB\nHugePages_Total:       0\n"
                                              "Hugetlb:               0 kB"),
                         0);
        assert_int_equal(sample.meminfo.total_bytes, UINT64_C(24684096) * 1024);
        assert_int_equal(sample.meminfo.active_anon_bytes, 14780 * 1024);
        assert_int_equal(sample.meminfo.slab_unreclaimable_bytes, 29132 * 1024);
        assert_int_equal(sample.meminfo.hugetlb_bytes, 0);
        assert_int_equal(sample.meminfo.available_bytes, ABSENT); /* before Linux 3.14 */
}

static void test_vmstat(void **state)
{
        (void)state;
        assert_int_equal(parse(vmstat_parse, ""), -ENODATA);
        assert_int_equal(parse(vmstat_parse, "nr_free_pages 7\n"), -ENODATA);
        assert_int_equal(parse(vmstat_parse, "pswpin 1 2\npswpout 5\n"), -EINVAL);
        assert_int_equal(sample.vmstat.swap_in_pages, ABSENT);
        assert_int_equal(sample.vmstat.swap_out_pages, 5);
        assert_int_equal(parse(vmstat_parse, "pgpgin 99999999999999999999\n"), -ERANGE);

        assert_int_equal(parse(vmstat_parse, "nr_free_pages 1179188\nworkingset_refault_file 53102\n"
                                             "pgpgin 1556413\nallocstall_dma 1\nallocstall_normal 2\n"
                                             "allocstall_movable 3\npgmajfault 2345\noom_kill 2\n"),
                         0);
        assert_int_equal(sample.vmstat.refault_file, 53102);
        assert_int_equal(sample.vmstat.page_in_kib, 1556413);
        assert_int_equal(sample.vmstat.allocation_stalls, 6);
        assert_int_equal(sample.vmstat.major_faults, 2345);
        assert_int_equal(sample.vmstat.oom_kills, 2);
        assert_int_equal(sample.vmstat.refault_anon, ABSENT);
}

#define SWAPS_HEADING "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"

static void test_swaps(void **state)
{
        static struct swaps swaps;
        (void)state;
        assert_int_equal(swaps_parse(span_of(""), &swaps), -ENODATA);
        assert_int_equal(swaps_parse(span_of(SWAPS_HEADING), &swaps), 0);
        assert_int_equal(swaps.count, 0);
        assert_int_equal(swaps_parse(span_of(SWAPS_HEADING "/dev/sda2\n/a file\n/b file 1\n/c file 1 x -2\n"
                                                           "/d file 1 1 2.5\n"
                                                           "/e file 99999999999999999 1 -2\n"),
                                     &swaps),
                         -EINVAL);
        assert_int_equal(swaps.count, 0);
        assert_int_equal(
                swaps_parse(span_of(SWAPS_HEADING "/my\\040swap file\t\tfile\t\t1048572\t\t256\t\t-2\n"),
                            &swaps),
                -EINVAL); /* an unescaped blank shifts the columns */
        assert_int_equal(
                swaps_parse(span_of(SWAPS_HEADING "/my\\040swap\t\t\t\tfile\t\t1048572\t\t256\t\t-2\n"
                                                  "/dev/zram0 partition 4 0 100"),
                            &swaps),
                0);
        assert_int_equal(swaps.count, 2);
        assert_string_equal(swaps.rows[0].path, "/my swap");
        assert_true(swaps.rows[0].is_file);
        assert_int_equal(swaps.rows[0].size_bytes, 1048572 * 1024);
        assert_int_equal(swaps.rows[0].used_bytes, 256 * 1024);
        assert_int_equal(swaps.rows[0].priority, -2);
        assert_false(swaps.rows[1].is_file);
        assert_int_equal(swaps.rows[1].priority, 100);
}

static void test_swaps_too_many(void **state)
{
        static struct swaps swaps;
        char text[2048] = SWAPS_HEADING;
        size_t length = strlen(text);
        (void)state;
        for (int i = 0; i < SWAPS_MAX + 3; i++)
                assert_true(text_append(text, sizeof(text), &length, "/s%d file 4 0 -2\n", i));
        assert_int_equal(swaps_parse(span_of(text), &swaps), 0);
        assert_int_equal(swaps.count, SWAPS_MAX);
        assert_int_equal(swaps.dropped, 3);
}

/* Read again when the amount of swap changes, or after a minute. */
static void test_swaps_rarely(void **state)
{
        static struct swaps swaps;
        struct tree tree;
        struct buffer buffer;
        (void)state;
        tree_init(&tree);
        assert_int_equal(buffer_init(&buffer), 0);
        tree_write(&tree, "proc/swaps", SWAPS_HEADING "/a file 4 0 -2\n");
        sample_clear(&sample);
        sample.time.monotonic_usec = USEC_PER_HOUR;
        sample.meminfo.swap_total_bytes = 4096;
        assert_int_equal(swaps_collect(&swaps, &tree.root, &buffer, &sample), 0);
        assert_int_equal(sample.swap_count, 1);
        tree_write(&tree, "proc/swaps", SWAPS_HEADING);
        sample.time.monotonic_usec += USEC_PER_SEC;
        assert_int_equal(swaps_collect(&swaps, &tree.root, &buffer, &sample), 0);
        assert_int_equal(sample.swap_count, 1);
        sample.meminfo.swap_total_bytes = 0;
        assert_int_equal(swaps_collect(&swaps, &tree.root, &buffer, &sample), 0);
        assert_int_equal(sample.swap_count, 0);
        tree_write(&tree, "proc/swaps", SWAPS_HEADING "/a file 4 0 -2\n/b file 4 0 -2\n");
        sample.time.monotonic_usec += USEC_PER_MINUTE;
        assert_int_equal(swaps_collect(&swaps, &tree.root, &buffer, &sample), 0);
        assert_int_equal(sample.swap_count, 2);
        tree_remove(&tree, "proc/swaps");
        sample.time.monotonic_usec += USEC_PER_MINUTE;
        assert_int_equal(swaps_collect(&swaps, &tree.root, &buffer, &sample), -ENOENT);
        assert_int_equal(sample.swap_count, 0);
        buffer_done(&buffer);
        tree_done(&tree);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_meminfo),      cmocka_unit_test(test_vmstat),
                cmocka_unit_test(test_swaps),        cmocka_unit_test(test_swaps_too_many),
                cmocka_unit_test(test_swaps_rarely),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
