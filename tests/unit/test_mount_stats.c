/* Counters of NFS and CIFS mounts: damaged texts, then real ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "daemon/sample/mount_channel.h"
#include "daemon/sample/mount_stats.h"

static char path[PATH_TEXT_MAX];
static struct mount_counters counters;

static void test_nothing(void **state)
{
        static const char *const texts[] = {
                "",
                "\n\n",
                "device",
                "device proc mounted on /proc with fstype proc\n",
                "device a:/b mounted on /c with fstype nfs4\n\tage:\t5\n",
                "\tREAD: 1 1 0 0 0 0 0 0 0\n",
        };
        (void)state;
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                struct span text = span_of(texts[i]);
                assert_int_equal(mount_stats_next(&text, path, &counters), -ENODATA);
        }
}

#define DEVICE "device a:/b mounted on /c with fstype nfs4 statvers=1.1\n"

static void test_damaged(void **state)
{
        (void)state;
        struct span text = SPAN(DEVICE "\tper-op statistics\n\tREAD: 1 2 x\n\tWRITE: 5 6 0 1 1 2 3 4 0\n");
        assert_int_equal(mount_stats_next(&text, path, &counters), -EINVAL);
        assert_int_equal(counters.operations, 5);
        text = SPAN(DEVICE "\tper-op statistics\n\tREAD: 99999999999999999999 2 0 0 0 0 0 0\n");
        assert_int_equal(mount_stats_next(&text, path, &counters), -ERANGE);
        assert_true(counters.operations == ABSENT);
        text = SPAN(DEVICE "\tbytes:\t1 2\n\txprt:\ttcp 1 2\n");
        assert_int_equal(mount_stats_next(&text, path, &counters), -EINVAL);
        assert_true(counters.read_bytes == ABSENT && counters.sends == ABSENT);
        text = SPAN(DEVICE "\txprt:\tquic 1 2 3\n"); /* what is not known yet is no damage */
        assert_int_equal(mount_stats_next(&text, path, &counters), 0);
}

/* Before 5.3 there were no errors; udp has other columns; several connections add up. */
static void test_older(void **state)
{
        (void)state;
        struct span text = SPAN(DEVICE "\txprt:\tudp 691 1 100 98 0 100 0\n\txprt:\tudp 692 1 10 10 0 100 0\n"
                                       "\tper-op statistics\n\t        READ: 10 12 1 100 200 30 400 440\n");
        assert_int_equal(mount_stats_next(&text, path, &counters), 0);
        assert_int_equal(counters.operations, 10);
        assert_int_equal(counters.transmissions, 12);
        assert_int_equal(counters.timeouts, 1);
        assert_int_equal(counters.rtt_msec, 400);
        assert_int_equal(counters.errors, 0);
        assert_int_equal(counters.sends, 110);
        assert_int_equal(counters.receipts, 108);
}

static const char two_mounts[] =
        "device rootfs mounted on / with fstype rootfs\n"
        "device files:/export mounted on /mnt/my\\040files with fstype nfs4 statvers=1.1\n"
        "\topts:\trw,vers=4.2,rsize=262144,wsize=262144,namlen=255,acregmin=3,hard,proto=tcp,timeo=600\n"
        "\tage:\t15\n"
        "\tevents:\t7 22 0 0 6 5 10 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
        "\tbytes:\t4096 8192 0 0 31457280 12288 7680 3\n"
        "\tRPC iostats version: 1.1  p/v: 100003/4 (nfs)\n"
        "\txprt:\ttcp 0 0 2 0 0 325 312 0 2117 0 2 1 0\n"
        "\tper-op statistics\n"
        "\t        NULL: 1 1 0 44 24 10 900 911 0\n"
        "\t        READ: 240 241 0 52800 31486080 15 11844 11891 0\n"
        "\t       WRITE: 3 3 0 0 0 1 100 102 0\n"
        "\t     GETATTR: 57 58 1 9000 12000 4 2850 2855 2\n"
        "\n"
        "device files:/home mounted on /home with fstype nfs4 statvers=1.1\n"
        "\tper-op statistics\n"
        "\t     GETATTR: 7 7 0 0 0 0 70 70 0\n"
        "\n"
        "device tmpfs mounted on /run with fstype tmpfs\n";

static void test_two_mounts(void **state)
{
        (void)state;
        struct span text = span_of(two_mounts);
        assert_int_equal(mount_stats_next(&text, path, &counters), 0);
        assert_string_equal(path, "/mnt/my files");
        assert_int_equal(counters.operations, 300);
        assert_int_equal(counters.data_operations, 243);
        assert_int_equal(counters.transmissions, 302);
        assert_int_equal(counters.timeouts, 1);
        assert_int_equal(counters.errors, 2);
        assert_int_equal(counters.queue_msec, 20);
        assert_int_equal(counters.rtt_msec, 14794);
        assert_int_equal(counters.execute_msec, 14848);
        assert_int_equal(counters.read_bytes, 31457280);
        assert_int_equal(counters.write_bytes, 12288);
        assert_int_equal(counters.sends, 325);
        assert_int_equal(counters.receipts, 312);
        assert_int_equal(mount_stats_next(&text, path, &counters), 0);
        assert_string_equal(path, "/home");
        assert_int_equal(counters.operations, 7);
        assert_true(counters.sends == ABSENT);
        assert_int_equal(mount_stats_next(&text, path, &counters), -ENODATA);
}

static const char cifs[] = "Resources in use\n"
                           "CIFS Session: 1\n"
                           "Share (unique mount targets): 2\n"
                           "Operations (MIDs): 0\n"
                           "\n"
                           "0 session 0 share reconnects\n"
                           "Total vfs operations: 16 maximum at one time: 2\n"
                           "\n"
                           "Max requests in flight: 2\n"
                           "1) \\\\files\\export\n"
                           "SMBs: 9\n"
                           "Bytes read: 31457280  Bytes written: 12\n"
                           "Open files: 1 total (local), 0 open on server\n"
                           "2) \\\\files\\exports\n"
                           "SMBs: 11\n"
                           "Bytes read: 0  Bytes written: 0\n";

static void test_cifs(void **state)
{
        (void)state;
        assert_int_equal(mount_stats_cifs(SPAN(""), "//files/export", &counters), -ENODATA);
        assert_int_equal(
                mount_stats_cifs(SPAN("1) \\\\files\\export\nSMBs: x\n"), "//files/export", &counters),
                -EINVAL);
        assert_int_equal(mount_stats_cifs(span_of(cifs), "//files/other", &counters), -ENODATA);
        assert_int_equal(mount_stats_cifs(span_of(cifs), "//files/exports", &counters), 0);
        assert_int_equal(counters.operations, 11);
        assert_int_equal(mount_stats_cifs(span_of(cifs), "//files/export", &counters), 0);
        assert_int_equal(counters.operations, 9);
        assert_int_equal(counters.read_bytes, 31457280);
        assert_int_equal(counters.write_bytes, 12);
        assert_true(counters.execute_msec == ABSENT);
}

static void test_channels(void **state)
{
        (void)state;
        static const struct {
                const char *name;
                enum mount_channel channel;
                enum mount_kind kind;
        } cases[] = {
                { "0", CHANNEL_NONE, MOUNT_OTHER },
                { "", CHANNEL_NONE, MOUNT_OTHER },
                { "request_wait_answer", CHANNEL_REQUEST, MOUNT_FUSE },
                { "fuse_dev_do_read", CHANNEL_NONE, MOUNT_OTHER }, /* the server's own thread */
                { "rpc_wait_bit_killable", CHANNEL_REQUEST, MOUNT_NFS },
                { "nfs_wait_bit_killable", CHANNEL_REQUEST, MOUNT_NFS },
                { "nfsd", CHANNEL_NONE, MOUNT_OTHER },
                { "wait_for_response", CHANNEL_REQUEST, MOUNT_CIFS },
                { "cifs_demultiplex_thread", CHANNEL_NONE, MOUNT_OTHER },
                { "folio_wait_bit_common", CHANNEL_PAGE, MOUNT_OTHER },
                { "rwsem_down_read_slowpath", CHANNEL_LOCK, MOUNT_OTHER },
                { "futex_wait_queue", CHANNEL_NONE, MOUNT_OTHER },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                enum mount_kind kind = MOUNT_FUSE;
                if (mount_channel_of(cases[i].name, &kind) != cases[i].channel ||
                    (cases[i].channel == CHANNEL_REQUEST && kind != cases[i].kind))
                        fail_msg("%s", cases[i].name);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nothing), cmocka_unit_test(test_damaged),
                cmocka_unit_test(test_older),   cmocka_unit_test(test_two_mounts),
                cmocka_unit_test(test_cifs),    cmocka_unit_test(test_channels),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
