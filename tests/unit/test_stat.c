/* /proc/stat, loadavg, uptime and file-nr: bad input first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/sample/parsers.h"
#include "daemon/sample/sample.h"

static struct sample sample;

static int parse(int (*parser)(struct span, struct sample *), const char *text)
{
        sample_clear(&sample);
        return parser(span_of(text), &sample);
}

static void test_stat_bad(void **state)
{
        (void)state;
        assert_int_equal(parse(stat_parse, ""), -ENODATA);
        assert_int_equal(parse(stat_parse, "\n\n\n"), -ENODATA);
        assert_int_equal(parse(stat_parse, "something else\n"), -ENODATA);
        /* one bad line loses itself only */
        assert_int_equal(parse(stat_parse, "cpu  1 2 3 4\ncpu0 1 x 3 4\nctxt 7\nprocesses\nbtime 12\n"),
                         -EINVAL);
        assert_int_equal(sample.stat.all.idle, 4);
        assert_int_equal(sample.stat.cpu[0].user, ABSENT);
        assert_int_equal(sample.stat.context_switches, 7);
        assert_int_equal(sample.stat.forks, ABSENT);
        assert_int_equal(sample.machine.boot_realtime_usec, 12 * USEC_PER_SEC);
        assert_int_equal(parse(stat_parse, "cpu 1 2 3\n"), -ENODATA); /* truncated */
        assert_int_equal(sample.stat.all.user, ABSENT);
        assert_int_equal(parse(stat_parse, "ctxt 18446744073709551616\n"), -ERANGE);
        assert_int_equal(sample.stat.context_switches, ABSENT);
        assert_int_equal(parse(stat_parse, "btime 18446744073709551615\n"), -ERANGE);
        assert_int_equal(parse(stat_parse, "ctxt 7\r\n"), -EINVAL);
        assert_int_equal(parse(stat_parse, "cpux 1 2 3 4\ncpu-1 1 2 3 4\n"), -EINVAL);
        /* more CPUs than slowd counts */
        assert_int_equal(parse(stat_parse, "cpu1024 1 2 3 4\ncpu1023 1 2 3 4\n"), 0);
        assert_int_equal(sample.dropped, 1);
        assert_int_equal(sample.stat.cpu_count, 1);
        assert_int_equal(sample.stat.cpu[1023].system, 3);
}

static void test_stat_good(void **state)
{
        (void)state;
        /* Linux 6.18; no newline at the end */
        assert_int_equal(parse(stat_parse, "cpu  5389 0 4180 360844 5240 0 211 28 0 9\n"
                                           "cpu0 2243 0 1538 181517 2563 0 28 14 0 0\n"
                                           "cpu3 3146 0 2642 179327 2677 0 182 13 0 0\n"
                                           "intr 8121216 0 0 0\nctxt 1001517\nbtime 1795460412\n"
                                           "processes 14431\nprocs_running 3\nprocs_blocked 1"),
                         0);
        assert_int_equal(sample.stat.all.user, 5389);
        assert_int_equal(sample.stat.all.steal, 28);
        assert_int_equal(sample.stat.all.guest_nice, 9);
        assert_int_equal(sample.stat.cpu_count, 2);
        assert_int_equal(sample.machine.cpus, 2);
        assert_int_equal(sample.stat.cpu[0].softirq, 28);
        assert_int_equal(sample.stat.cpu[1].user, ABSENT); /* offline */
        assert_int_equal(sample.stat.cpu[3].iowait, 2677);
        assert_int_equal(sample.stat.forks, 14431);
        assert_int_equal(sample.stat.procs_running, 3);
        assert_int_equal(sample.stat.procs_blocked, 1);
        assert_int_equal(sample.machine.boot_realtime_usec, UINT64_C(1795460412) * USEC_PER_SEC);
        /* Linux 2.6.9 had neither steal nor guest */
        assert_int_equal(parse(stat_parse, "cpu 1 2 3 4 5 6 7\n"), 0);
        assert_int_equal(sample.stat.all.softirq, 7);
        assert_int_equal(sample.stat.all.steal, ABSENT);
}

static void test_loadavg(void **state)
{
        static const char *const bad[] = { "",
                                           "\n",
                                           "0.36",
                                           "0.36 0.13 0.06",
                                           "0.36 0.13 0.06 1",
                                           "x 0.13 0.06 1/93 1",
                                           "0.36 0.13 0.06 1/x 1",
                                           "0.36 0.1x 0.06 1/93 1",
                                           "-1 0 0 1/2 3",
                                           ". . . 1/1 1" };
        (void)state;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                assert_true(parse(loadavg_parse, bad[i]) < 0);
                assert_int_equal(sample.load.load1_milli, ABSENT);
                assert_int_equal(sample.load.tasks, ABSENT);
        }
        assert_int_equal(parse(loadavg_parse, "0.36 12.13 0.06 1/93 9768\n"), 0);
        assert_int_equal(sample.load.load1_milli, 360);
        assert_int_equal(sample.load.load5_milli, 12130);
        assert_int_equal(sample.load.load15_milli, 60);
        assert_int_equal(sample.load.tasks, 93);
}

static void test_file_nr(void **state)
{
        static const char *const bad[] = { "",          "\n",
                                           "1216",      "1216\t0",
                                           "x\t0\t9",   "1216\t1217\t9",
                                           "1\t0\tmax", "1\t0\t18446744073709551616" };
        (void)state;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                assert_true(parse(file_nr_parse, bad[i]) < 0);
                assert_int_equal(sample.files_open, ABSENT);
                assert_int_equal(sample.files_max, ABSENT);
        }
        assert_int_equal(parse(file_nr_parse, "1216\t0\t9223372036854775807\n"), 0);
        assert_int_equal(sample.files_open, 1216);
        assert_int_equal(sample.files_max, INT64_MAX);
        assert_int_equal(parse(file_nr_parse, "1216\t200\t4000\n"), 0); /* Linux 2.4 kept free ones */
        assert_int_equal(sample.files_open, 1016);
}

static void test_uptime(void **state)
{
        (void)state;
        assert_int_equal(parse(uptime_parse, ""), -ENODATA);
        assert_int_equal(parse(uptime_parse, "soon"), -EINVAL);
        assert_int_equal(parse(uptime_parse, "18446744073709551615.0 1.0"), -ERANGE);
        assert_int_equal(sample.uptime_usec, ABSENT);
        assert_int_equal(parse(uptime_parse, "7835.69 14339.26\n"), 0);
        assert_int_equal(sample.uptime_usec, 7835690000);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_stat_bad), cmocka_unit_test(test_stat_good),
                cmocka_unit_test(test_loadavg),  cmocka_unit_test(test_uptime),
                cmocka_unit_test(test_file_nr),
        };
        int r = cmocka_run_group_tests(tests, NULL, NULL);
        sample_done(&sample);
        return r;
}
