/* /proc/self/mountinfo. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/sample/mountinfo.h"
#include "daemon/sample/path.h"
#include "tests/support/tree.h"

static struct mount_list list;

static int parse(const char *text)
{
        return mountinfo_parse(span_of(text), &list);
}

static void test_bad(void **state)
{
        static const char *const bad[] = {
                "\n",
                "27\n",
                "27 1 254:0 / /\n",
                "27 1 254:0 / / rw\n",
                "27 1 254:0 / / rw shared:1 master:2\n",
                "27 1 254:0 / / rw -\n",
                "27 1 254:0 / / rw - ext4\n",
                "x 1 254:0 / / rw - ext4 /dev/vda rw\n",
                "27 1 254 / / rw - ext4 /dev/vda rw\n",
                "27 1 :0 / / rw - ext4 /dev/vda rw\n",
                "27 1 254: / / rw - ext4 /dev/vda rw\n",
                "4294967296 1 254:0 / / rw - ext4 /dev/vda rw\n",
        };
        (void)state;
        assert_int_equal(parse(""), -ENODATA);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                assert_true(parse(bad[i]) < 0);
                assert_int_equal(list.count, 0);
        }
        assert_int_equal(parse("nonsense\n27 1 254:0 / / rw - ext4 /dev/vda rw\n27 1"), -EINVAL);
        assert_int_equal(list.count, 1);
}

static void test_good(void **state)
{
        (void)state;
        assert_int_equal(
                parse("27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard\n"
                      "28 27 0:25 / /mnt/my\\040disk\\134x\\011y ro,nosuid shared:7 master:1 - tmpfs none "
                      "rw\n"
                      "36 35 98:0 /m1 /m2 rw,noatime master:1 - fuse.sshfs me@host:/ rw,errors=continue\n"
                      "37 35 98:1 /m1 /m3 rw,noatime - ext3 /dev/root errors=continue,ro\n"
                      "38 35 98:1 / /m4 rw - nfs4 server:/export"),
                0);
        assert_int_equal(list.count, 5);
        assert_int_equal(list.rows[0].id, 27);
        assert_int_equal(list.rows[0].parent_id, 1);
        assert_int_equal(list.rows[0].major, 254);
        assert_string_equal(list.rows[0].type, "ext4");
        assert_string_equal(list.rows[0].source, "/dev/vda");
        assert_string_equal(list.rows[0].path, "/");
        assert_false(list.rows[0].is_read_only);
        assert_false(list.rows[0].is_network);
        assert_string_equal(list.rows[1].path, "/mnt/my disk\\x?y");
        assert_true(list.rows[1].is_read_only);
        assert_true(list.rows[2].is_network);
        assert_false(list.rows[2].is_read_only); /* "errors=..." is not "ro" */
        assert_true(list.rows[3].is_read_only);
        assert_true(list.rows[4].is_network); /* no options of the file system */
        assert_string_equal(list.rows[4].source, "server:/export");
}

static void test_network_types(void **state)
{
        (void)state;
        assert_true(mountinfo_is_network_type(SPAN("nfs")));
        assert_true(mountinfo_is_network_type(SPAN("cifs")));
        assert_true(mountinfo_is_network_type(SPAN("fuse.rclone")));
        assert_false(mountinfo_is_network_type(SPAN("")));
        assert_false(mountinfo_is_network_type(SPAN("fuse.")));
        assert_false(mountinfo_is_network_type(SPAN("nfsd"))); /* the control files of a server here */
        assert_false(mountinfo_is_network_type(SPAN("fuseblk")));
        assert_false(mountinfo_is_network_type(SPAN("overlay")));
}

static void test_too_many_and_long(void **state)
{
        static char text[1 << 17], path[6000];
        size_t length = 0;
        (void)state;
        memset(path, 'p', sizeof(path) - 1);
        assert_true(text_append(text, sizeof(text), &length, "1 1 0:1 / /%s rw - tmpfs t rw\n", path));
        for (int i = 0; i < MOUNTS_MAX + 3; i++)
                assert_true(text_append(text, sizeof(text), &length, "%d 1 0:1 / /m rw - tmpfs t rw\n", i));
        assert_int_equal(parse(text), 0);
        assert_int_equal(list.count, MOUNTS_MAX);
        assert_int_equal(list.dropped, 4);
        assert_int_equal(strlen(list.rows[0].path), PATH_TEXT_MAX - 1);
}

static void test_unescape(void **state)
{
        char buffer[8];
        (void)state;
        path_unescape(SPAN(""), buffer, sizeof(buffer));
        assert_string_equal(buffer, "");
        path_unescape(SPAN("\\"), buffer, sizeof(buffer));
        assert_string_equal(buffer, "\\");
        path_unescape(SPAN("\\04"), buffer, sizeof(buffer));
        assert_string_equal(buffer, "\\04");
        path_unescape(SPAN("\\000"), buffer, sizeof(buffer)); /* never an end of text */
        assert_string_equal(buffer, "\\000");
        path_unescape(SPAN("\\777"), buffer, sizeof(buffer));
        assert_string_equal(buffer, "\\777");
        path_unescape(SPAN("\\1011234567890"), buffer, sizeof(buffer));
        assert_string_equal(buffer, "A123456");
        path_unescape(SPAN("\\303\\244"), buffer, sizeof(buffer));
        assert_string_equal(buffer, "\xc3\xa4");
        path_unescape(SPAN("\\303"), buffer, sizeof(buffer));
        assert_string_equal(buffer, "?");
}

static void collect(struct mounts *mounts, struct tree *tree, struct buffer *buffer, struct sample *sample,
                    usec_t now)
{
        sample_clear(sample);
        sample->time.monotonic_usec = now;
        assert_int_equal(mounts_collect(mounts, &tree->root, buffer, sample), 0);
}

/* The list of the former sample stays as it was when the next one differs. */
static void test_two_samples(void **state)
{
        static struct sample a, b;
        struct mounts mounts;
        struct buffer buffer;
        struct tree tree;
        (void)state;
        tree_init(&tree);
        mounts_init(&mounts);
        assert_int_equal(buffer_init(&buffer), 0);
        sample_clear(&a);
        assert_int_equal(mounts_collect(&mounts, &tree.root, &buffer, &a), -ENOENT);
        mounts_done(&mounts);

        tree_write(&tree, "proc/self/mountinfo", "27 1 254:0 / / rw - ext4 /dev/vda rw\n");
        collect(&mounts, &tree, &buffer, &a, USEC_PER_SEC);
        assert_int_equal(a.mount_count, 1);
        tree_write(&tree, "proc/self/mountinfo",
                   "27 1 254:0 / /other rw - ext4 /dev/vda rw\n28 1 254:0 / /x rw - ext4 /dev/vda rw\n");
        collect(&mounts, &tree, &buffer, &b, 2 * USEC_PER_SEC);
        assert_int_equal(b.mount_count, 1); /* too early */
        collect(&mounts, &tree, &buffer, &b, 2 * USEC_PER_MINUTE);
        assert_int_equal(b.mount_count, 2);
        assert_string_equal(a.mounts[0].path, "/");
        assert_string_equal(b.mounts[0].path, "/other");
        mounts_done(&mounts);
        buffer_done(&buffer);
        tree_done(&tree);
}

static int release(void **state)
{
        (void)state;
        free(list.rows);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_bad),           cmocka_unit_test(test_good),
                cmocka_unit_test(test_network_types), cmocka_unit_test(test_too_many_and_long),
                cmocka_unit_test(test_unescape),      cmocka_unit_test(test_two_samples),
        };
        return cmocka_run_group_tests(tests, NULL, release);
}
