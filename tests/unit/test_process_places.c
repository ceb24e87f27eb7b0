/* On which disks processes work, by a made-up /proc. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/sample/process_places.h"
#include "tests/support/tree.h"

static struct tree tree;
static struct process_places places;
static struct sample samples[2];
static struct process_sample processes[2][8];
static struct process_identity identities[8];
static unsigned turn;

static const struct mount_sample mounts[] = {
        { .id = 26, .major = 8, .minor = 1, .path = "/", .source = "/dev/sda1", .type = "ext4" },
        { .id = 30, .major = 8, .minor = 16, .path = "/srv", .source = "/dev/sdb", .type = "xfs" },
        { .id = 31, .major = 0, .minor = 44, .path = "/pool", .source = "/dev/sdc1", .type = "btrfs" },
        { .id = 25, .major = 0, .minor = 22, .path = "/proc", .source = "proc", .type = "proc" },
        { .id = 32, .major = 0, .minor = 45, .path = "/net", .source = "nas:/x", .type = "nfs4" },
};

static int set_up(void **state)
{
        (void)state;
        tree_init(&tree);
        process_places_init(&places, &tree.root);
        memset(samples, 0, sizeof(samples));
        memset(processes, 0, sizeof(processes));
        turn = 0;
        for (unsigned i = 0; i < 2; i++) {
                samples[i].processes = processes[i];
                samples[i].mounts = mounts;
                samples[i].mount_count = sizeof(mounts) / sizeof(mounts[0]);
                samples[i].disk_count = 4;
                samples[i].disks[0] = (struct disk_sample){ .name = "sda", .major = 8, .minor = 0 };
                samples[i].disks[1] = (struct disk_sample){ .name = "sda1", .major = 8, .minor = 1 };
                samples[i].disks[2] = (struct disk_sample){ .name = "sdb", .major = 8, .minor = 16 };
                samples[i].disks[3] = (struct disk_sample){ .name = "sdc1", .major = 8, .minor = 33 };
        }
        samples[0].time.monotonic_usec = USEC_PER_SEC;
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        tree_done(&tree);
        return 0;
}

/* ---- what the kernel would show ---- */

static void open_file(uint32_t pid, unsigned fd, const char *target, const char *info)
{
        char path[160], name[64];
        (void)snprintf(name, sizeof(name), "proc/%u/fd", pid);
        tree_make_directory(&tree, name);
        (void)snprintf(path, sizeof(path), "%s/%s/%u", tree.path, name, fd);
        (void)unlink(path);
        assert_int_equal(symlink(target, path), 0);
        (void)snprintf(name, sizeof(name), "proc/%u/fdinfo/%u", pid, fd);
        if (info)
                tree_write(&tree, name, info);
}

#define FILE_ON(mount)      "pos:\t4096\nflags:\t0100000\nmnt_id:\t" #mount "\nino:\t12\n"
#define DIRECTORY_ON(mount) "pos:\t0\nflags:\t02300000\nmnt_id:\t" #mount "\nino:\t12\n"

static void add(unsigned number, uint32_t pid)
{
        identities[number] = (struct process_identity){ .pid = pid };
        for (unsigned i = 0; i < 2; i++) {
                processes[i][number].identity = &identities[number];
                processes[i][number].pid = pid;
                processes[i][number].start_ticks = 7;
                if (samples[i].process_count <= number)
                        samples[i].process_count = number + 1;
        }
}

/* A second passes in which each of them reads a megabyte. */
static void work(void)
{
        const struct sample *older = &samples[turn];
        turn ^= 1;
        samples[turn].time.monotonic_usec = older->time.monotonic_usec + USEC_PER_SEC;
        for (size_t i = 0; i < older->process_count; i++) {
                processes[turn][i] = processes[turn ^ 1][i];
                processes[turn][i].read_bytes += 1000000;
        }
        process_places_collect(&places, older, &samples[turn]);
}

static void assert_devices(unsigned number, uint32_t a, uint32_t b, uint32_t c)
{
        const uint32_t *devices = processes[turn][number].io_devices;
        assert_int_equal(devices[0], a);
        assert_int_equal(devices[1], b);
        assert_int_equal(devices[2], c);
}

/* ---- cases ---- */

static void test_bad_information(void **state)
{
        (void)state;
        static const char *const bad[] = { "",
                                           "pos:\t0\n",
                                           "flags:\t0100000\n",
                                           "mnt_id:\t26\n",
                                           "flags:\t\nmnt_id:\t26\n",
                                           "flags:\t09\nmnt_id:\t26\n",
                                           "flags:\t0x10\nmnt_id:\t26\n",
                                           "flags:\t0100000\nmnt_id:\t-1\n",
                                           "flags:\t0100000\nmnt_id:\t4294967296\n",
                                           "flags:\t777777777777777777777777\nmnt_id:\t26\n" };
        uint64_t flags;
        uint32_t id;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                if (process_places_parse(span_of(bad[i]), &flags, &id) != -EINVAL)
                        fail_msg("%s is taken", bad[i]);
        assert_int_equal(process_places_parse(span_of(FILE_ON(26)), &flags, &id), 0);
        assert_int_equal(flags, 0100000);
        assert_int_equal(id, 26);
        add(0, 100); /* gone meanwhile */
        add(1, 101);
        open_file(101, 3, "/srv/file", NULL);
        open_file(101, 4, "/srv/other", "garbage");
        work();
        assert_devices(0, 0, 0, 0);
        assert_devices(1, 0, 0, 0);
        process_places_collect(&places, NULL, &samples[turn]);
}

static void test_devices(void **state)
{
        (void)state;
        add(0, 100);
        open_file(100, 0, "/dev/null", FILE_ON(26));
        open_file(100, 1, "pipe:[77]", FILE_ON(26));
        open_file(100, 2, "/proc/stat", FILE_ON(25));
        open_file(100, 3, "/srv/a", FILE_ON(30));
        open_file(100, 4, "/srv/b (deleted)", FILE_ON(30));
        add(1, 101);
        open_file(101, 3, "/pool/a", FILE_ON(31)); /* btrfs has a number of its own */
        open_file(101, 4, "/net/a", FILE_ON(32));
        open_file(101, 5, "/somewhere", FILE_ON(99)); /* in another name space */
        add(2, 102);
        open_file(102, 3, "/dev/sda", NULL);
        work();
        assert_devices(0, DEVICE_NUMBER(8, 16), 0, 0);
        assert_devices(1, DEVICE_NUMBER(8, 33), DEVICE_NUMBER(0, 45), 0);
        assert_devices(2, DEVICE_NUMBER(8, 0), 0, 0);
        /* More than fit are as good as none. */
        open_file(101, 6, "/a", FILE_ON(26));
        open_file(101, 7, "/srv/a", FILE_ON(30));
        for (int i = 0; i < 11; i++)
                work();
        assert_devices(1, 0, 0, 0);
        assert_false(processes[turn][1].is_walking);
}

static void test_only_those_that_do_much(void **state)
{
        (void)state;
        add(0, 100);
        open_file(100, 3, "/srv/a", FILE_ON(30));
        processes[0][0].is_idle = processes[1][0].is_idle = true;
        add(1, 101);
        open_file(101, 3, "/srv/a", FILE_ON(30));
        identities[1].is_kernel_thread = true;
        add(2, 102);
        open_file(102, 3, "/srv/a", FILE_ON(30));
        processes[0][2].read_bytes = processes[1][2].read_bytes = ABSENT; /* not permitted to know */
        work();
        processes[turn][2].read_bytes = ABSENT;
        for (unsigned i = 0; i < 3; i++)
                assert_devices(i, 0, 0, 0);
}

/* At most so many a tick; the others have their turn. */
static void test_in_turn(void **state)
{
        (void)state;
        for (unsigned i = 0; i < 8; i++) {
                add(i, 100 + i);
                open_file(100 + i, 3, "/srv/a", FILE_ON(30));
        }
        work();
        assert_devices(3, DEVICE_NUMBER(8, 16), 0, 0);
        assert_devices(4, 0, 0, 0);
        work();
        assert_devices(7, DEVICE_NUMBER(8, 16), 0, 0);
        /* Looked at again after a while only. */
        open_file(100, 3, "/a", FILE_ON(26));
        work();
        assert_devices(0, DEVICE_NUMBER(8, 16), 0, 0);
        for (int i = 0; i < 10; i++)
                work();
        assert_devices(0, DEVICE_NUMBER(8, 1), 0, 0);
}

static void test_walking(void **state)
{
        (void)state;
        add(0, 100);
        open_file(100, 3, "/srv", DIRECTORY_ON(30));
        open_file(100, 4, "/srv/a", DIRECTORY_ON(30));
        work();
        assert_false(processes[turn][0].is_walking); /* one look says nothing */
        work();
        assert_false(processes[turn][0].is_walking); /* a database that keeps its directory open */
        open_file(100, 4, "/srv/b", DIRECTORY_ON(30));
        work();
        assert_false(processes[turn][0].is_walking);
        open_file(100, 4, "/srv/c", DIRECTORY_ON(30));
        work();
        assert_true(processes[turn][0].is_walking);
        assert_devices(0, DEVICE_NUMBER(8, 16), 0, 0);
        for (int i = 0; i < 29; i++)
                work();
        assert_true(processes[turn][0].is_walking); /* a directory may take a while */
        for (int i = 0; i < 3; i++)
                work();
        assert_false(processes[turn][0].is_walking);
        /* Its number belongs to another process now. */
        processes[0][0].start_ticks = processes[1][0].start_ticks = 8;
        open_file(100, 4, "/srv/c", DIRECTORY_ON(30));
        work();
        assert_false(processes[turn][0].is_walking);
}

/* Of very many files some are looked at. */
static void test_very_many_files(void **state)
{
        (void)state;
        add(0, 100);
        for (unsigned i = 0; i < 90; i++)
                open_file(100, i, "/srv/a", i % 3 ? FILE_ON(30) : DIRECTORY_ON(30));
        add(1, 101);
        for (unsigned i = 0; i < 90; i++)
                open_file(101, i, "/srv/a", DIRECTORY_ON(30));
        for (int i = 0; i < 4; i++) {
                work();
                open_file(100, 3, i % 2 ? "/srv/b" : "/srv/c", DIRECTORY_ON(30));
                open_file(101, 3, i % 2 ? "/srv/b" : "/srv/c", DIRECTORY_ON(30));
        }
        assert_devices(0, DEVICE_NUMBER(8, 16), 0, 0);
        assert_false(processes[turn][0].is_walking); /* a database that keeps some open */
        assert_devices(1, DEVICE_NUMBER(8, 16), 0, 0);
        assert_true(processes[turn][1].is_walking);
}

#define PLACE_CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                PLACE_CASE(test_bad_information),
                PLACE_CASE(test_devices),
                PLACE_CASE(test_only_those_that_do_much),
                PLACE_CASE(test_in_turn),
                PLACE_CASE(test_walking),
                PLACE_CASE(test_very_many_files),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
