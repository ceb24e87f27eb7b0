/* mount.hung: a mount that does not answer and somebody who stands still on it. */
#include "tests/support/cases.h"

#define CHECK "mount.hung"

static struct fake_mount *mount;

static struct fake_process *add_stuck(const char *name, usec_t longest_usec)
{
        struct fake_process *process = fake_add(machine, name, "");
        struct fake_mount_user *user = fake_mount_user(machine, process, mount);
        user->waited = 1;
        user->values.waiting = 1;
        user->values.longest_usec = longest_usec;
        return process;
}

static void add_mount(void)
{
        mount = fake_mount(machine, "nfs4", "files:/export", "/mnt/files");
}

static void test_found(void **state)
{
        (void)state;
        add_mount();
        fake_run(machine, 30);
        (void)add_stuck("ls", SECONDS(34));
        mount->values.silent_usec = SECONDS(34);
        mount->values.outstanding = 3;
        fake_run(machine, 5);
        struct finding finding = assert_found(CHECK);
        assert_string_equal(finding.culprit.name, "/mnt/files");
        assert_true(fake_is_victim(&finding, "ls"));
        assert_int_equal(finding.since_usec, machine->now.time.realtime_usec - SECONDS(34));
        assert_int_equal(finding.lost_permille, 1000);
        assert_int_equal(finding.severity, SEVERITY_CRITICAL);
        assert_says(&finding, "has not answered for 34 s, and ls is stuck on it");
        assert_says(&finding, "umount -l /mnt/files");
        assert_says(&finding, "ping -c 3 files");
        assert_says(&finding, "3 requests are without an answer");
        assert_int_equal(finding.confidence_permille, 900);
        (void)assert_verdict("mount.slow", VERDICT_CLEAR, false);
}

/* What the kernel says of the server makes it certain; what it said before an "OK" is over. */
static void test_kernel_message(void **state)
{
        (void)state;
        add_mount();
        (void)add_stuck("ls", SECONDS(200));
        mount->values.silent_usec = SECONDS(200);
        fake_message(machine, 5, "nfs: server files not responding, still trying");
        fake_run(machine, 5);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.confidence_permille, 980);
        assert_says(&finding, "the kernel says: nfs: server files not responding");
        fake_message(machine, 5, "nfs: server files OK");
        fake_run(machine, 5);
        finding = assert_found(CHECK);
        assert_int_equal(finding.confidence_permille, 900);
}

static void test_dead_but_untouched(void **state)
{
        (void)state;
        add_mount();
        fake_message(machine, 5, "nfs: server files not responding, still trying");
        fake_run(machine, 30);
        assert_clear(CHECK, "nobody waits for long");
}

static void test_not_for_long(void **state)
{
        (void)state;
        add_mount();
        (void)add_stuck("ls", SECONDS(8));
        mount->values.silent_usec = SECONDS(8);
        fake_run(machine, 30);
        assert_clear(CHECK, "nobody waits for long");
        (void)assert_verdict(CHECK, VERDICT_FOUND, true);
        mount->values.silent_usec = SECONDS(1);
        fake_run(machine, 5);
        (void)assert_verdict(CHECK, VERDICT_CLEAR, true);
}

/* Others are answered meanwhile: whoever waits, waits for something else than the server. */
static void test_others_are_answered(void **state)
{
        (void)state;
        add_mount();
        (void)add_stuck("tail", SECONDS(300));
        mount->values.silent_usec = SECONDS(1);
        fake_run(machine, 30);
        (void)assert_verdict(CHECK, VERDICT_CLEAR, false);
}

static void test_kernel_threads_only(void **state)
{
        (void)state;
        add_mount();
        add_stuck("kworker/u8:2", SECONDS(60))->identity.is_kernel_thread = true;
        mount->values.silent_usec = SECONDS(60);
        fake_run(machine, 30);
        (void)assert_verdict(CHECK, VERDICT_CLEAR, false);
}

/* A backup at nice 19 stands still as anybody else. */
static void test_batch_is_stuck_too(void **state)
{
        (void)state;
        add_mount();
        add_stuck("updatedb", SECONDS(60))->counters.nice = 19;
        mount->values.silent_usec = SECONDS(60);
        fake_run(machine, 30);
        (void)assert_found(CHECK);
}

static void test_which_of_several(void **state)
{
        (void)state;
        add_mount();
        (void)fake_mount(machine, "nfs4", "other:/export", "/mnt/other");
        (void)fake_mount_user(machine, add_stuck("ls", SECONDS(60)), NULL);
        machine->mount_users[0].values.waiting = 0;
        machine->mount_users[1].values.waiting = 1;
        machine->mount_users[1].values.longest_usec = SECONDS(60);
        fake_run(machine, 30);
        struct finding finding = assert_verdict(CHECK, VERDICT_UNKNOWN, false);
        assert_says(&finding, "nothing tells for which");
}

static void test_fuse(void **state)
{
        (void)state;
        mount = fake_mount(machine, "fuse.local", "local", "/mnt/a b");
        (void)add_stuck("ls", SECONDS(60));
        mount->values.silent_usec = SECONDS(60);
        fake_run(machine, 30);
        struct finding finding = assert_found(CHECK);
        assert_says(&finding, "/mnt/a b (fuse.local) has not answered for 60 s");
        for (uint32_t i = 0; i < finding.remedy_count; i++)
                assert_int_equal(finding.remedies[i].command[0], '\0'); /* a blank is no part of a command */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_found),
                CASE(test_kernel_message),
                CASE(test_dead_but_untouched),
                CASE(test_not_for_long),
                CASE(test_others_are_answered),
                CASE(test_kernel_threads_only),
                CASE(test_batch_is_stuck_too),
                CASE(test_which_of_several),
                CASE(test_fuse),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
