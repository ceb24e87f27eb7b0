/* /proc/mdstat. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/sample/parsers.h"

static struct sample sample;

static int parse(const char *text)
{
        sample_clear(&sample);
        return mdstat_parse(span_of(text), &sample);
}

static void test_nothing(void **state)
{
        (void)state;
        assert_int_equal(parse(""), 0);
        assert_int_equal(parse("Personalities : [raid1] \nunused devices: <none>\n"), 0);
        assert_int_equal(sample.raid_count, 0);
        assert_int_equal(parse("      102272 blocks super 1.2 [2/2] [UU]\n"), 0); /* of no array */
        assert_int_equal(sample.raid_count, 0);
        assert_int_equal(parse("md0\nmd0 :\nmd0 active\n"), -EINVAL);
        assert_int_equal(sample.raid_count, 0);
}

static void test_bad_figures(void **state)
{
        (void)state;
        static const char *const bad[] = {
                "(1/x)",       "(x/1)",    "(1)",  "(99999999999999999999/1)", "(36028797018963968/1)",
                "speed=K/sec", "speed=12", "[2/x]"
        };
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                char text[200];
                (void)snprintf(text, sizeof(text), "md0 : active raid1 sda[0]\n  resync = 1.0%% %s\n",
                               bad[i]);
                if (parse(text) >= 0)
                        fail_msg("%s is taken", bad[i]);
                assert_int_equal(sample.raid_count, 1);
                assert_string_equal(sample.raids[0].action, "resync");
        }
}

static void test_too_many(void **state)
{
        (void)state;
        char text[4096];
        size_t length = 0;
        for (int i = 0; i < RAIDS_MAX + 3; i++)
                (void)text_append(text, sizeof(text), &length, "md%d : active raid0 sd[0]\n", i);
        assert_int_equal(parse(text), 0);
        assert_int_equal(sample.raid_count, RAIDS_MAX);
        assert_int_equal(sample.dropped, 3);
        length = 0;
        (void)text_append(text, sizeof(text), &length, "md0 : active raid6");
        for (int i = 0; i < 60; i++)
                (void)text_append(text, sizeof(text), &length, " sdaa%d[%d]", i, i);
        assert_int_equal(parse(text), 0);
        assert_true(strlen(sample.raids[0].members) < sizeof(sample.raids[0].members));
}

/* As Linux 6.1 writes it (drivers/md/md.c, md_seq_show). */
static void test_arrays(void **state)
{
        (void)state;
        assert_int_equal(
                parse("Personalities : [raid1] [raid6] [raid5] [raid4] \n"
                      "md1 : active raid5 sde1[4] sdd1[2] sdc1[1] sdf1[5](S) sdb1[0](F)\n"
                      "      1465151808 blocks super 1.2 level 5, 512k chunk, algorithm 2 [4/3] [_UUU]\n"
                      "      [==>..................]  recovery = 12.6% (61665024/488383936) "
                      "finish=127.5min speed=55744K/sec\n"
                      "      bitmap: 1/4 pages [4KB], 65536KB chunk\n"
                      "\n"
                      "md0 : active raid1 sdb2[1] sda2[0]\n"
                      "      102272 blocks super 1.2 [2/2] [UU]\n"
                      "      \tresync=DELAYED\n"
                      "\n"
                      "md2 : active (auto-read-only) raid0 sdg[0] sdh[1]\n"
                      "      2048 blocks super 1.2 512k chunks\n"
                      "\n"
                      "md127 : inactive sdi[0]\n"
                      "      1000 blocks super 1.2\n"
                      "\n"
                      "unused devices: <none>\n"),
                0);
        assert_int_equal(sample.raid_count, 4);
        const struct raid_sample *raid = &sample.raids[0];
        assert_string_equal(raid->name, "md1");
        assert_string_equal(raid->level, "raid5");
        assert_string_equal(raid->members, "sde1 sdd1 sdc1");
        assert_string_equal(raid->action, "recovery");
        assert_false(raid->is_waiting);
        assert_true(raid->is_active);
        assert_int_equal(raid->disks_wanted, 4);
        assert_int_equal(raid->disks_working, 3);
        assert_int_equal(raid->done_bytes, UINT64_C(61665024) * 1024);
        assert_int_equal(raid->total_bytes, UINT64_C(488383936) * 1024);
        assert_int_equal(raid->bytes_per_sec, 55744 * 1024);
        raid = &sample.raids[1];
        assert_string_equal(raid->action, "resync");
        assert_true(raid->is_waiting);
        assert_int_equal(raid->disks_working, 2);
        assert_true(raid->bytes_per_sec == ABSENT);
        raid = &sample.raids[2];
        assert_string_equal(raid->level, "raid0");
        assert_true(raid->disks_wanted == ABSENT);
        assert_string_equal(raid->action, "");
        assert_false(sample.raids[3].is_active);
}

/* The per cent are padded: "=100.0%" is one word. */
static void test_nearly_done(void **state)
{
        (void)state;
        assert_int_equal(parse("md0 : active raid1 sdb[1] sda[0]\n"
                               "      102272 blocks super 1.2 [2/2] [UU]\n"
                               "      [===================>.]  check =100.0% (102272/102272) finish=0.0min "
                               "speed=34090K/sec\n"),
                         0);
        assert_string_equal(sample.raids[0].action, "check");
        assert_int_equal(sample.raids[0].bytes_per_sec, 34090 * 1024);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nothing),     cmocka_unit_test(test_bad_figures),
                cmocka_unit_test(test_too_many),    cmocka_unit_test(test_arrays),
                cmocka_unit_test(test_nearly_done),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
