/* Which file systems are looked at, and that a recorded machine is not mistaken for this one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/sample/file_systems.h"
#include "tests/support/tree.h"

static struct mount_list list;
static struct file_systems systems;
static uint32_t ids[FILE_SYSTEMS_MAX];

static void choose(const char *text)
{
        assert_int_equal(mountinfo_parse(span_of(text), &list), 0);
        file_systems_choose(&list, &systems, ids);
}

static bool has(const char *path)
{
        for (size_t i = 0; i < systems.count; i++)
                if (strcmp(systems.rows[i].path, path) == 0)
                        return true;
        return false;
}

static void test_nothing_to_look_at(void **state)
{
        (void)state;
        list.count = 0;
        file_systems_choose(&list, &systems, ids);
        assert_int_equal(systems.count, 0);
        choose("20 1 0:5 / / rw - rootfs rootfs rw\n"
               "21 20 0:20 / /proc rw - proc proc rw\n"
               "22 20 0:21 / /srv/n rw - nfs4 server:/n rw\n"
               "23 20 0:22 / /srv/f rw - fuse.sshfs me@host: rw\n"
               "24 20 0:23 / /srv/b rw - fuseblk /dev/sdb1 rw\n"
               "25 20 0:24 / /srv/x rw - never.heard.of.it x rw\n");
        assert_int_equal(systems.count, 0);
}

/* A disk below a server's directory, or an automount: walking there would ask the server, or mount it. */
static void test_behind_what_may_hang(void **state)
{
        (void)state;
        choose("20 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
               "21 20 0:20 / /srv/n rw - nfs4 server:/n rw\n"
               "22 21 8:2 / /srv/n/disk rw - ext4 /dev/sda2 rw\n"
               "23 22 8:3 / /srv/n/disk/deep rw - xfs /dev/sda3 rw\n"
               "24 20 0:21 / /efi rw - autofs systemd-1 rw\n"
               "25 24 8:4 / /efi rw - vfat /dev/sda4 rw\n");
        assert_int_equal(systems.count, 1);
        assert_string_equal(systems.rows[0].path, "/");
        assert_int_equal(ids[0], 20);
}

static void test_once_each(void **state)
{
        (void)state;
        choose("20 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
               "21 20 8:2 /x /var/lib/long/bind rw - ext4 /dev/sda2 rw\n"
               "22 20 8:2 / /data rw - ext4 /dev/sda2 rw\n"
               "23 20 8:2 / /d ro - ext4 /dev/sda2 rw\n"
               "24 20 7:0 / /snap/a/1 ro,nodev - squashfs /dev/loop0 ro\n"
               "25 20 0:30 / /tmp rw - tmpfs tmpfs rw\n"
               "26 20 0:31 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw\n"
               "27 20 8:3 / /mnt/old ro - ext4 /dev/sda3 ro\n");
        assert_int_equal(systems.count, 5);
        assert_true(has("/"));
        assert_true(has("/data")); /* where it can be written, by its shortest name */
        assert_true(has("/tmp"));
        assert_true(has("/snap/a/1"));
        assert_true(has("/mnt/old"));
        assert_false(systems.rows[2].is_read_only); /* writable ones first */
        assert_true(systems.rows[3].is_read_only);
        assert_true(systems.rows[4].is_read_only);
}

static void test_root_of_a_container(void **state)
{
        (void)state;
        choose("20 1 0:50 / / rw - overlay overlay rw,lowerdir=/a\n"
               "21 20 0:51 / /proc rw - proc proc rw\n"
               "22 20 8:1 /var/x /etc/hosts rw - ext4 /dev/sda1 rw\n");
        assert_int_equal(systems.count, 2);
        assert_true(has("/"));
        assert_true(has("/etc/hosts"));
}

static void test_too_many(void **state)
{
        char text[FILE_SYSTEMS_MAX * 80 + 400];
        size_t length = 0;
        (void)state;
        for (int i = 0; i < FILE_SYSTEMS_MAX + 3; i++)
                assert_true(text_append(text, sizeof(text), &length,
                                        "%d 1 7:%d / /snap/%d ro - squashfs /dev/loop%d ro\n", i + 30, i, i,
                                        i));
        assert_true(text_append(text, sizeof(text), &length, "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n"));
        choose(text);
        assert_int_equal(systems.count, FILE_SYSTEMS_MAX);
        assert_int_equal(systems.dropped, 4);
        assert_string_equal(systems.rows[0].path, "/");
}

/* A recorded tree has no file systems of its own: statvfs would tell those of the machine it lies on. */
static void test_recorded_machine(void **state)
{
        struct tree tree;
        struct aside *aside = NULL;
        const void *result;
        usec_t begun_usec;
        bool is_new;
        (void)state;
        tree_init(&tree);
        tree_write(&tree, "proc/1/mountinfo", "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n");
        assert_int_equal(aside_new(&file_systems_source, &tree.root, &clock_real, &aside), 0);
        assert_int_equal(aside_take(aside, &result, &begun_usec, &is_new), -EOPNOTSUPP);
        assert_null(result);
        aside = aside_free(aside);
        tree_done(&tree);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nothing_to_look_at), cmocka_unit_test(test_behind_what_may_hang),
                cmocka_unit_test(test_once_each),          cmocka_unit_test(test_root_of_a_container),
                cmocka_unit_test(test_too_many),           cmocka_unit_test(test_recorded_machine),
        };
        int failed = cmocka_run_group_tests(tests, NULL, NULL);
        free(list.rows);
        return failed;
}
