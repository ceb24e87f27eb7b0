/* The source of network mounts on recorded trees: who waits, for which mount, for how long, and who does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/sample/network_mounts.h"
#include "tests/support/tree.h"

static struct tree tree;
static struct network_mounts *mounts;
static struct sample sample;
static usec_t now_usec;

static void read_clock(void *userdata, struct clock_reading *ret_now)
{
        (void)userdata;
        *ret_now = (struct clock_reading){ now_usec, now_usec, now_usec };
}

static const struct clock test_clock = { .read = read_clock };

#define ROOT_LINE "27 1 254:0 / / rw - ext4 /dev/vda rw\n"
#define FUSE_LINE "40 27 0:45 / /mnt/far rw - fuse.sshfs files:/export rw,user_id=0\n"

static void set_table(const char *text)
{
        tree_write(&tree, "proc/1/mountinfo", text);
}

static void set_link(const char *path, const char *target)
{
        char full[256];
        (void)snprintf(full, sizeof(full), "%s/%s", tree.path, path);
        (void)unlink(full);
        assert_int_equal(symlink(target, full), 0);
}

static void set_task(uint32_t pid, uint32_t tid, const char *channel, unsigned slices)
{
        char path[128], text[64];
        (void)snprintf(path, sizeof(path), "proc/%u/task/%u/wchan", pid, tid);
        tree_write(&tree, path, channel);
        (void)snprintf(path, sizeof(path), "proc/%u/task/%u/schedstat", pid, tid);
        (void)snprintf(text, sizeof(text), "1000 2000 %u\n", slices);
        tree_write(&tree, path, text);
        if (pid != tid)
                return;
        (void)snprintf(path, sizeof(path), "proc/%u/wchan", pid);
        tree_write(&tree, path, channel);
}

static void add_process(uint32_t pid, const char *directory, const char *channel, unsigned slices)
{
        char path[128];
        set_task(pid, pid, channel, slices);
        (void)snprintf(path, sizeof(path), "proc/%u/fd", pid);
        tree_make_directory(&tree, path);
        (void)snprintf(path, sizeof(path), "proc/%u/exe", pid);
        set_link(path, "/usr/bin/program");
        (void)snprintf(path, sizeof(path), "proc/%u/cwd", pid);
        set_link(path, directory);
}

static void set_waiting(const char *count)
{
        tree_write(&tree, "sys/fs/fuse/connections/45/waiting", count);
}

static int set_up(void **state)
{
        (void)state;
        tree_init(&tree);
        now_usec = 1000 * USEC_PER_SEC;
        set_table(ROOT_LINE FUSE_LINE);
        set_waiting("1\n");
        assert_int_equal(network_mounts_new(&tree.root, &test_clock, &mounts), 0);
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        mounts = network_mounts_free(mounts);
        tree_done(&tree);
        return 0;
}

/* As the tick does it, so many times a second apart. */
static int collect(unsigned times)
{
        int r = 0;
        while (times-- > 0) {
                now_usec += USEC_PER_SEC;
                sample_clear(&sample);
                r = network_mounts_collect(mounts, &sample);
        }
        return r;
}

static void test_no_table(void **state)
{
        (void)state;
        tree_remove(&tree, "proc/1/mountinfo");
        assert_true(collect(3) < 0);
        assert_int_equal(sample.network_mount_count, 0);
}

static void test_no_mount(void **state)
{
        (void)state;
        set_table(ROOT_LINE "28 27 0:20 / /proc rw - proc proc rw\ngarbage\n");
        add_process(50, "/", "request_wait_answer", 7);
        assert_int_equal(collect(10), 0);
        assert_int_equal(sample.network_mount_count, 0);
        assert_int_equal(sample.mount_user_count, 0);
}

static void test_stuck(void **state)
{
        (void)state;
        add_process(50, "/mnt/far/projects", "request_wait_answer", 7);
        add_process(51, "/mnt/far", "do_wait", 7);
        assert_int_equal(collect(21), 0);
        assert_int_equal(sample.network_mount_count, 1);
        assert_int_equal(sample.network_mounts[0].id, 40);
        assert_int_equal(sample.network_mounts[0].kind, MOUNT_FUSE);
        assert_int_equal(sample.network_mounts[0].outstanding, 1);
        assert_int_equal(sample.mount_user_count, 1);
        const struct mount_user_sample *user = &sample.mount_users[0];
        assert_int_equal(user->pid, 50);
        assert_int_equal(user->mount_id, 40);
        assert_int_equal(user->waiting, 1);
        assert_string_equal(user->directory, "/mnt/far/projects");
        assert_int_equal(user->paged_usec, 0);
        assert_in_range(user->waited_usec, 18 * USEC_PER_SEC, 20 * USEC_PER_SEC);
        assert_in_range(user->longest_usec, 17 * USEC_PER_SEC, 20 * USEC_PER_SEC);
        assert_in_range(sample.network_mounts[0].silent_usec, 17 * USEC_PER_SEC, 20 * USEC_PER_SEC);
        /* An answer: the next wait is another one. */
        set_task(50, 50, "request_wait_answer", 8);
        collect(2);
        assert_in_range(sample.network_mounts[0].silent_usec, 0, 2 * USEC_PER_SEC);
        assert_in_range(sample.mount_users[0].longest_usec, 0, 2 * USEC_PER_SEC);
        /* It is killed, which is no answer, but then nobody waits any more. */
        set_task(50, 50, "", 8);
        collect(2);
        assert_int_equal(sample.network_mounts[0].silent_usec, 0);
}

static void test_gone(void **state)
{
        (void)state;
        add_process(50, "/mnt/far/projects", "request_wait_answer", 7);
        collect(5);
        assert_int_equal(sample.network_mount_count, 1);
        set_table(ROOT_LINE);
        collect(70);
        assert_int_equal(sample.network_mount_count, 0);
}

/* Without requests under way nobody is looked at: it costs nothing, and whoever waits, waits for something
 * else. */
static void test_idle(void **state)
{
        (void)state;
        set_waiting("0\n");
        add_process(50, "/mnt/far", "folio_wait_bit_common", 7);
        assert_int_equal(collect(30), 0);
        assert_int_equal(sample.mount_user_count, 0);
        assert_int_equal(sample.network_mounts[0].outstanding, 0);
}

/* A page that is waited for is the mount's if the process has files there; booked as a disk's by the kernel.
 */
static void test_pages(void **state)
{
        (void)state;
        add_process(50, "/", "folio_wait_bit_common", 7);
        set_link("proc/50/fd/3", "/mnt/far/mail/cur/17");
        set_link("proc/50/fd/4", "/mnt/far/mail/cur/18 (deleted)");
        set_link("proc/50/fd/5", "/mnt/far/x");
        set_link("proc/50/fd/6", "socket:[123]");
        add_process(51, "/var", "folio_wait_bit_common", 7);
        collect(21);
        assert_int_equal(sample.mount_user_count, 1);
        const struct mount_user_sample *user = &sample.mount_users[0];
        assert_string_equal(user->directory, "/mnt/far/mail/cur");
        assert_int_equal(user->open_files, 3);
        assert_true(user->paged_usec == user->waited_usec && user->paged_usec > 15 * USEC_PER_SEC);
}

static void test_thread(void **state)
{
        (void)state;
        add_process(50, "/mnt/far/projects", "futex_wait_queue", 7);
        set_task(50, 52, "request_wait_answer", 3);
        set_task(50, 53, "request_wait_answer", 3);
        collect(21);
        assert_int_equal(sample.mount_user_count, 1);
        assert_int_equal(sample.mount_users[0].waiting, 2);
        assert_in_range(sample.mount_users[0].waited_usec, 30 * USEC_PER_SEC, 40 * USEC_PER_SEC);
}

/* flock(2) on a mount waits for another program, for as long as that one likes. */
static void test_lock_call(void **state)
{
        (void)state;
        add_process(50, "/mnt/far/projects", "request_wait_answer", 7);
        tree_write(&tree, "proc/50/task/50/syscall", "0 0x3 0x7f 0x1000 0x0 0x0 0x0 0x7ff 0x7f0\n");
        collect(21);
        assert_int_equal(sample.mount_users[0].waiting, 1);
        char text[64]; /* 73 on x86-64 */
        (void)snprintf(text, sizeof(text), "%ld 0x3 0x2 0x0 0x0 0x0 0x0 0x7ff 0x7f0\n", (long)SYS_flock);
        tree_write(&tree, "proc/50/task/50/syscall", text);
        collect(4);
        assert_int_equal(sample.mount_users[0].waiting, 0);
        assert_int_equal(sample.network_mounts[0].silent_usec, 0);
}

/* Kernel threads write back what others have left behind: nobody is kept waiting. */
static void test_kernel_thread(void **state)
{
        (void)state;
        add_process(50, "/", "request_wait_answer", 7);
        tree_remove(&tree, "proc/50/exe");
        collect(10);
        assert_int_equal(sample.mount_user_count, 0);
}

/* Two mounts of the kind: the files tell which; without any the one that has requests under way. */
static void test_two_mounts(void **state)
{
        (void)state;
        set_table(ROOT_LINE FUSE_LINE "41 27 0:46 / /mnt/near rw - fuse.rclone remote: rw\n");
        tree_write(&tree, "sys/fs/fuse/connections/46/waiting", "1\n");
        add_process(50, "/mnt/near/a", "request_wait_answer", 7);
        add_process(51, "/root", "request_wait_answer", 7);
        collect(10);
        assert_int_equal(sample.network_mount_count, 2);
        assert_int_equal(sample.mount_user_count, 2);
        assert_int_equal(sample.mount_users[0].mount_id, 41);
        assert_int_equal(sample.mount_users[1].mount_id, 0);
        tree_write(&tree, "sys/fs/fuse/connections/46/waiting", "0\n");
        add_process(52, "/root", "request_wait_answer", 7);
        collect(12);
        assert_int_equal(sample.mount_user_count, 3);
        assert_int_equal(sample.mount_users[2].mount_id, 40);
}

#define NFS_LINE  "42 27 0:47 / /mnt/nfs rw - nfs4 files:/export rw\n"
#define NFS_STATS "device files:/export mounted on /mnt/nfs with fstype nfs4 statvers=1.1\n"

static void set_nfs(unsigned operations, unsigned milliseconds, unsigned sends, unsigned receipts)
{
        char text[512];
        (void)snprintf(text, sizeof(text),
                       NFS_STATS "\txprt:\ttcp 0 0 2 0 0 %u %u 0 2117 0 2 1 0\n\tper-op statistics\n"
                                 "\tREAD: %u %u 0 0 0 0 %u %u 0\n\n",
                       sends, receipts, operations, operations, milliseconds, milliseconds);
        tree_write(&tree, "proc/1/mountstats", text);
}

static void test_nfs(void **state)
{
        (void)state;
        set_table(ROOT_LINE NFS_LINE);
        set_nfs(100, 1000, 107, 100); /* seven were lost when a connection broke, long ago */
        add_process(50, "/mnt/nfs/a", "rpc_wait_bit_killable", 7);
        collect(30);
        assert_int_equal(sample.network_mount_count, 1);
        assert_int_equal(sample.network_mounts[0].operations, 100);
        assert_int_equal(sample.network_mounts[0].rtt_msec, 1000);
        assert_int_equal(sample.network_mounts[0].kind, MOUNT_NFS);
        assert_int_equal(sample.mount_user_count, 1);
        assert_in_range(sample.network_mounts[0].silent_usec, 20 * USEC_PER_SEC, 30 * USEC_PER_SEC);
        for (unsigned i = 1; i <= 70; i++) {
                set_nfs(100 + i, 1000 + i, 107 + i, 100 + i);
                collect(1);
        }
        assert_int_equal(sample.network_mounts[0].outstanding, 0);
        assert_in_range(sample.network_mounts[0].silent_usec, 0, 3 * USEC_PER_SEC); /* others are answered */
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_no_table), CASE(test_no_mount),   CASE(test_stuck),         CASE(test_gone),
                CASE(test_idle),     CASE(test_pages),      CASE(test_thread),        CASE(test_lock_call),
                CASE(test_nfs),      CASE(test_two_mounts), CASE(test_kernel_thread),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
