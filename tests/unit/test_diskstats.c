/* /proc/diskstats and the facts of /sys; net/dev. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/sample/diskstats.h"
#include "daemon/sample/parsers.h"
#include "tests/support/tree.h"

static struct sample sample;

static int parse(const char *text)
{
        sample_clear(&sample);
        return diskstats_parse(span_of(text), &sample);
}

static void test_bad(void **state)
{
        (void)state;
        assert_int_equal(parse(""), -ENODATA);
        assert_int_equal(parse("8"), -EINVAL);
        assert_int_equal(parse("8 0 sda"), -EINVAL);
        assert_int_equal(parse("8 0 sda 1 2 3 4 5 6 7 8 9 10\n"), -EINVAL); /* ten columns */
        assert_int_equal(parse("8 0 sda 1 2 3 4 5 6 7 8 9 10 x\n"), -EINVAL);
        assert_int_equal(parse("4294967296 0 sda 1 2 3 4 5 6 7 8 9 10 11\n"), -EINVAL);
        assert_int_equal(parse("8 0 sda 1 2 18446744073709551615 4 5 6 7 8 9 10 11\n"), -ERANGE);
        assert_int_equal(sample.disk_count, 0);
        assert_int_equal(parse("nonsense\n8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n8 16 sdb"), -EINVAL);
        assert_int_equal(sample.disk_count, 1);
        assert_string_equal(sample.disks[0].name, "sda");
}

static void test_good(void **state)
{
        (void)state;
        assert_int_equal(
                parse("   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
                      "   1       0 ram0 0 0 0 0 0 0 0 0 0 0 0\n"
                      "   7       1 loop1 1 0 8 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
                      " 254       0 vda 32772 8133 3112826 8403 44770 10232 1746056 11878 3 8516 21419 10877 "
                      "29 "
                      "380496 758 7507 380\n"
                      "   8       1 a-name-that-is-much-longer-than-any-device 1 2 3 4 5 6 7 8 9 10 11\n"),
                0);
        assert_int_equal(sample.disk_count, 3); /* loop0 and ram0 were never used */
        assert_string_equal(sample.disks[0].name, "loop1");
        const struct disk_sample *disk = &sample.disks[1];
        assert_int_equal(disk->major, 254);
        assert_int_equal(disk->reads, 32772);
        assert_int_equal(disk->read_bytes, UINT64_C(3112826) * 512);
        assert_int_equal(disk->write_msec, 11878);
        assert_int_equal(disk->in_flight, 3);
        assert_int_equal(disk->busy_msec, 8516);
        assert_int_equal(disk->weighted_msec, 21419);
        assert_int_equal(disk->discards, 10877);
        assert_int_equal(disk->discard_bytes, 380496 * 512);
        assert_int_equal(disk->flushes, 7507);
        assert_int_equal(disk->flush_msec, 380);
        disk = &sample.disks[2]; /* Linux 4.17: no discards, no flushes */
        assert_int_equal(strlen(disk->name), DEVICE_NAME_MAX - 1);
        assert_int_equal(disk->weighted_msec, 11);
        assert_int_equal(disk->discards, ABSENT);
        assert_int_equal(disk->discard_bytes, ABSENT);
        assert_int_equal(disk->flushes, ABSENT);
}

static void test_too_many(void **state)
{
        static char text[16384];
        size_t length = 0;
        (void)state;
        for (int i = 0; i < DISKS_MAX + 5; i++)
                assert_true(text_append(text, sizeof(text), &length, "8 %d sd%d 1 2 3 4 5 6 7 8 9 10 11\n", i,
                                        i));
        assert_int_equal(parse(text), 0);
        assert_int_equal(sample.disk_count, DISKS_MAX);
        assert_int_equal(sample.dropped, 5);
}

#define ZEROES " 1 2 3 4 5 6 7 8 9 10 11\n"

static void test_facts_of_sys(void **state)
{
        static struct disks disks;
        struct tree tree;
        (void)state;
        tree_init(&tree);
        /* as /sys has it: dev/block/8:1 leads into the directory of the disk */
        tree_write(&tree, "sys/dev/block/8:0/uevent", "MAJOR=8\n");
        tree_write(&tree, "sys/dev/block/8:0/queue/rotational", "1\n");
        tree_write(&tree, "sys/dev/block/8:1/uevent", "MAJOR=8\n");
        tree_write(&tree, "sys/dev/block/8:1/partition", "1\n");
        tree_write(&tree, "sys/dev/block/queue/rotational",
                   "1\n"); /* 8:1/../queue in this tree without links */
        tree_write(&tree, "sys/dev/block/259:0/uevent", "MAJOR=259\n");
        tree_write(&tree, "sys/dev/block/259:0/queue/rotational", "0\n");
        assert_int_equal(parse("8 0 sda" ZEROES "8 1 sda1" ZEROES "259 0 nvme0n1" ZEROES "253 0 dm-0" ZEROES
                               "252 0 zram0" ZEROES),
                         0);
        diskstats_add_facts(&disks, &tree.root, &sample);
        assert_true(sample.disks[0].is_rotational);
        assert_false(sample.disks[0].is_partition);
        assert_true(sample.disks[1].is_partition);
        assert_true(sample.disks[1].is_rotational);
        assert_false(sample.disks[2].is_rotational);
        assert_true(sample.disks[3].is_stacked);
        assert_true(sample.disks[4].is_memory);
        assert_false(sample.disks[4].is_stacked);

        /* read once: what changes afterwards is not looked at; a device that was unplugged is forgotten */
        tree_remove(&tree, "sys");
        assert_int_equal(parse("8 1 sda1" ZEROES "8 0 sda" ZEROES), 0);
        diskstats_add_facts(&disks, &tree.root, &sample);
        assert_true(sample.disks[0].is_partition);
        assert_true(sample.disks[1].is_rotational);
        assert_int_equal(parse("8 0 sda" ZEROES), 0);
        diskstats_add_facts(&disks, &tree.root, &sample);
        assert_int_equal(parse("8 0 sda" ZEROES "8 1 sda1" ZEROES), 0);
        diskstats_add_facts(&disks, &tree.root, &sample);
        assert_true(sample.disks[1].is_partition); /* by its name now */
        assert_false(sample.disks[1].is_rotational);
        tree_done(&tree);
}

static void test_facts_without_sys(void **state)
{
        static struct disks disks;
        struct tree tree;
        (void)state;
        tree_init(&tree);
        assert_int_equal(parse("8 0 sda" ZEROES "8 1 sda1" ZEROES "65 0 sdaa" ZEROES "8 5 sdab" ZEROES
                               "259 0 nvme0n1" ZEROES "259 1 nvme0n1p1" ZEROES "259 2 nvme0n10" ZEROES
                               "7 1 loop1" ZEROES "7 10 loop10" ZEROES),
                         0);
        diskstats_add_facts(&disks, &tree.root, &sample);
        static const bool expected[] = { false, true, false, false, false, true, false, false, false };
        for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
                assert_int_equal(sample.disks[i].is_partition, expected[i]);
        tree_done(&tree);
}

#define HEADING "Inter-|   Receive  |  Transmit\n face |bytes packets\n"

static int parse_netdev(const char *text)
{
        sample_clear(&sample);
        return netdev_parse(span_of(text), &sample);
}

static void test_netdev(void **state)
{
        (void)state;
        assert_int_equal(parse_netdev(""), -ENODATA);
        assert_int_equal(parse_netdev(HEADING), 0);
        assert_int_equal(sample.interface_count, 0);
        assert_int_equal(parse_netdev(HEADING "eth0 1 2 3\n"), -EINVAL);
        assert_int_equal(parse_netdev(HEADING "eth0: 1 2 3\n"), -EINVAL);
        assert_int_equal(parse_netdev(HEADING "    : 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"), -EINVAL);
        assert_int_equal(parse_netdev(HEADING "a: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 99999999999999999999\n"
                                              "b:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"),
                         -ERANGE);
        assert_int_equal(sample.interface_count, 1); /* the good line is taken, a blank behind ':' or not */
        assert_string_equal(sample.interfaces[0].name, "b");
        assert_int_equal(sample.interfaces[0].rx_bytes, 1);
        assert_int_equal(sample.interfaces[0].rx_dropped, 4);
        assert_int_equal(sample.interfaces[0].tx_bytes, 9);
        assert_int_equal(sample.interfaces[0].tx_errors, 11);
        assert_int_equal(parse_netdev(HEADING "e\033[1m: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"), 0);
        assert_string_equal(sample.interfaces[0].name, "e?[1m");
}

static void test_netdev_too_many(void **state)
{
        static char text[16384] = HEADING;
        size_t length = strlen(text);
        (void)state;
        for (int i = 0; i < INTERFACES_MAX + 2; i++)
                assert_true(text_append(text, sizeof(text), &length,
                                        "veth%d: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n", i));
        assert_int_equal(parse_netdev(text), 0);
        assert_int_equal(sample.interface_count, INTERFACES_MAX);
        assert_int_equal(sample.dropped, 2);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_too_many),
                cmocka_unit_test(test_facts_of_sys),
                cmocka_unit_test(test_facts_without_sys),
                cmocka_unit_test(test_netdev),
                cmocka_unit_test(test_netdev_too_many),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
