/* /sys of file systems, and where block devices lie: missing, garbage, then as kernels show them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/sample/disk_place.h"
#include "daemon/sample/fs_errors.h"
#include "tests/support/tree.h"

static struct tree tree;
static usec_t now_usec;

static void read_clock(void *userdata, struct clock_reading *ret_now)
{
        (void)userdata;
        *ret_now = (struct clock_reading){ .realtime_usec = now_usec, .monotonic_usec = now_usec };
}

static const struct clock fake_clock = { .read = read_clock };
static struct fs_errors_result result;
static void *state;

static const struct fs_errors_result *look(void)
{
        assert_int_equal(fs_errors_source.look(&tree.root, &fake_clock, state, &result), 0);
        return &result;
}

static int set_up(void **unused)
{
        (void)unused;
        tree_init(&tree);
        state = calloc(1, fs_errors_source.state_size);
        now_usec = 1000 * USEC_PER_SEC;
        return state ? 0 : -1;
}

static int tear_down(void **unused)
{
        (void)unused;
        free(state);
        tree_done(&tree);
        return 0;
}

static void test_nothing(void **unused)
{
        (void)unused;
        assert_int_equal(look()->fs_count, 0);
        tree_write(&tree, "sys/fs/ext4/features/lazy_itable_init", "supported\n");
        tree_write(&tree, "sys/fs/btrfs/features/mixed_backref", "0\n");
        tree_write(&tree, "sys/fs/ext4/sda1/errors_count", "many\n");
        tree_write(&tree, "sys/fs/ext4/sda2/errors_count", "");
        tree_write(&tree, "sys/fs/btrfs/0a/devinfo/1/error_stats", "write_errs x\n");
        assert_int_equal(look()->fs_count, 0);
}

static void test_ext4(void **unused)
{
        (void)unused;
        tree_write(&tree, "sys/fs/ext4/sda1/errors_count", "3\n");
        tree_write(&tree, "sys/fs/ext4/sda1/first_error_time", "0\n");
        tree_write(&tree, "sys/fs/ext4/sda1/last_error_time", "1779969600\n");
        assert_int_equal(look()->fs_count, 1);
        assert_string_equal(result.fs[0].device, "sda1");
        assert_int_equal(result.fs[0].errors, 3);
        assert_true(result.fs[0].first_usec == ABSENT);
        assert_int_equal(result.fs[0].last_usec, UINT64_C(1779969600) * USEC_PER_SEC);
}

static void test_btrfs(void **unused)
{
        (void)unused;
        static const char one[] =
                "write_errs 0\nread_errs 2\nflush_errs 0\ncorruption_errs 1\ngeneration_errs 0\n";
        tree_write(&tree, "sys/fs/btrfs/0a-b/devinfo/1/error_stats", one);
        tree_write(&tree, "sys/fs/btrfs/0a-b/devinfo/2/error_stats", one);
        tree_write(&tree, "sys/fs/btrfs/0a-b/devices/sdc", "");
        tree_write(&tree, "sys/fs/btrfs/0a-b/devices/sdb", "");
        assert_int_equal(look()->fs_count, 1);
        assert_string_equal(result.fs[0].device, "sdb");
        assert_int_equal(result.fs[0].devices, 2);
        assert_int_equal(result.fs[0].errors, 6);
        assert_int_equal(result.fs[0].read_errors, 4);
        assert_int_equal(result.fs[0].corruption_errors, 2);
        assert_true(result.fs[0].last_usec == ABSENT); /* from before the first look */
        now_usec += 10 * USEC_PER_SEC;
        tree_write(&tree, "sys/fs/btrfs/0a-b/devinfo/2/error_stats",
                   "write_errs 0\nread_errs 3\nflush_errs 0\ncorruption_errs 1\ngeneration_errs 0\n");
        assert_int_equal(look()->fs[0].last_usec, 1010 * USEC_PER_SEC);
        now_usec += 10 * USEC_PER_SEC;
        assert_int_equal(look()->fs[0].last_usec, 1010 * USEC_PER_SEC);
}

static void link_to(const char *path, const char *target)
{
        char full[256];
        (void)snprintf(full, sizeof(full), "%s/%s", tree.path, path);
        assert_int_equal(symlink(target, full), 0);
}

static void test_places(void **unused)
{
        (void)unused;
        static struct sample sample;
        static struct mount_sample mounts[2] = { { .major = 8, .minor = 1, .path = "/" },
                                                 { .major = 0, .minor = 5, .path = "/srv/nfs" } };
        tree_make_directory(&tree, "sys/dev/block");
        link_to("sys/dev/block/8:0",
                "../../devices/pci0000:00/0000:00:1f.2/ata3/host2/target2:0:0/2:0:0:0/block/sda");
        link_to("sys/dev/block/8:1",
                "../../devices/pci0000:00/0000:00:1f.2/ata3/host2/target2:0:0/2:0:0:0/block/sda/sda1");
        link_to("sys/dev/block/8:16",
                "../../devices/pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host6/target6:0:0/"
                "6:0:0:0/block/sdb");
        link_to("sys/dev/block/259:0", "../../devices/pci0000:00/0000:00:04.0/nvme/nvme0/nvme0n1");
        tree_write(&tree, "sys/dev/block/253:0/slaves/sda1", "");
        tree_write(&tree, "sys/dev/block/253:1/slaves/sda1", "");
        tree_write(&tree, "sys/dev/block/253:1/slaves/sdb", "");
        tree_write(&tree, "sys/dev/block/7:0/loop/backing_file", "/srv/image\n");
        tree_write(&tree, "sys/dev/block/7:1/loop/backing_file", "/srv/nfs/image\n");
        sample.disk_count = 2;
        sample.disks[0] = (struct disk_sample){ .name = "sda", .major = 8, .minor = 0 };
        sample.disks[1] = (struct disk_sample){ .name = "sda1", .major = 8, .minor = 1 };
        sample.mounts = mounts;
        sample.mount_count = 2;
        static const struct {
                const char *name, *lower, *address;
                uint32_t major, minor;
                bool is_partition, is_stacked, is_removable;
        } cases[] = {
                { "sda", "", "ata3 2:0:0:0", 8, 0, false, false, false },
                { "sda1", "sda", "ata3 2:0:0:0", 8, 1, true, false, false },
                { "sdb", "", "6:0:0:0", 8, 16, false, false, true },
                { "nvme0n1", "", "nvme0", 259, 0, false, false, false },
                { "dm-0", "sda1", "", 253, 0, false, true, false },
                { "dm-1", "", "", 253, 1, false, true, false }, /* on two */
                { "loop0", "sda1", "", 7, 0, false, true, false },
                { "loop1", "", "", 7, 1, false, true, false }, /* on another machine */
                { "sdz", "", "", 65, 0, false, false, false },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct disk_sample disk = { .major = cases[i].major, .minor = cases[i].minor };
                struct disk_facts facts = { .major = cases[i].major,
                                            .minor = cases[i].minor,
                                            .is_partition = cases[i].is_partition,
                                            .is_stacked = cases[i].is_stacked };
                (void)snprintf(disk.name, sizeof(disk.name), "%s", cases[i].name);
                disk_place_read(&tree.root, &sample, &disk, &facts);
                assert_string_equal(facts.lower, cases[i].lower);
                assert_string_equal(facts.address, cases[i].address);
                assert_int_equal(facts.is_removable, cases[i].is_removable);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_nothing, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_ext4, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_btrfs, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_places, set_up, tear_down),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
