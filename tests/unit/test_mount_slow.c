/* mount.slow: a program that loses its time to a mount; where that time goes; and fast, idle and busy mounts.
 */
#include "tests/support/cases.h"

#define CHECK "mount.slow"

static struct fake_process *add_user(struct fake_mount *mount, double waited, double running)
{
        struct fake_process *process = fake_add(machine, "rsync", "backup.service");
        struct fake_mount_user *user = fake_mount_user(machine, process, mount);
        user->waited = waited;
        user->values.waiting = 1;
        (void)snprintf(user->values.directory, sizeof(user->values.directory), "/mnt/files/projects");
        process->running = running;
        return process;
}

/* Requests of so many milliseconds, all of them waited for. */
static struct fake_mount *add_nfs(double milliseconds, double waited)
{
        struct fake_mount *mount = fake_mount(machine, "nfs4", "files:/export", "/mnt/files");
        mount->operations = 1000 * waited / milliseconds;
        mount->execute = mount->rtt = waited;
        return mount;
}

static void test_found(void **state)
{
        (void)state;
        struct fake_mount *mount = add_nfs(1, 0.02);
        fake_run(machine, 120);
        usec_t onset = machine->now.time.realtime_usec;
        mount->operations = 18;
        mount->execute = mount->rtt = 0.9;
        (void)add_user(mount, 0.9, 0.02);
        fake_run(machine, 30);
        struct finding finding = assert_found(CHECK);
        assert_string_equal(finding.culprit.name, "/mnt/files");
        assert_int_equal(finding.culprit.kind, SUBJECT_MOUNT);
        assert_true(fake_is_victim(&finding, "rsync"));
        assert_about(finding.lost_permille, 978, 2);
        assert_about((double)finding.since_usec, (double)onset, 1e6);
        assert_says(&finding, "the network mount /mnt/files (from files)");
        assert_says(&finding, "each request takes the server or the link 50 ms");
        assert_says(&finding, "rsync works in /mnt/files/projects");
        assert_says(&finding, "cp -a /mnt/files/projects /srv/");
        assert_says(&finding, "actimeo=60");
        assert_int_equal(finding.confidence_permille, 900);
        for (uint32_t i = 0; i < finding.evidence_count; i++)
                if (strcmp(finding.evidence[i].name, "mount.request") == 0)
                        assert_about((double)finding.evidence[i].usual, 1000, 50);
}

static void test_nothing_there(void **state)
{
        (void)state;
        fake_run(machine, 30);
        assert_clear(CHECK, "no network mount");
}

/* An old recording tells of the mount, but not who waits for it. */
static void test_not_recorded(void **state)
{
        (void)state;
        (void)fake_mount(machine, "nfs4", "files:/export", "/mnt/files");
        machine->now.network_mount_count = machine->now.collector_count = 0;
        fake_run(machine, 30);
        (void)assert_verdict(CHECK, VERDICT_UNKNOWN, false);
        (void)assert_verdict("mount.hung", VERDICT_UNKNOWN, false);
}

static void test_source_fails(void **state)
{
        (void)state;
        (void)add_nfs(50, 0.9);
        machine->now.collectors[0].state = COLLECTOR_FAILED;
        machine->now.collectors[0].error = -110;
        fake_run(machine, 30);
        (void)assert_verdict(CHECK, VERDICT_UNKNOWN, false);
}

static void test_fast_under_load(void **state)
{
        (void)state;
        (void)add_user(add_nfs(1.2, 0.9), 0.9, 0.1);
        fake_run(machine, 30);
        assert_clear(CHECK, "answers within 1.2 ms");
}

/* A look into a slow directory, and it is over. */
static void test_a_single_look(void **state)
{
        (void)state;
        struct fake_mount *mount = add_nfs(80, 0);
        fake_run(machine, 30);
        mount->operations = 12;
        mount->execute = mount->rtt = 0.96;
        (void)add_user(mount, 1, 0);
        fake_run(machine, 4);
        assert_clear(CHECK, "nobody waits for it");
        fake_run(machine, 2);
        (void)assert_found(CHECK);
}

static void test_slow_but_idle(void **state)
{
        (void)state;
        struct fake_mount *mount = add_nfs(80, 0.04); /* df, now and then */
        fake_run(machine, 30);
        assert_clear(CHECK, "nobody waits for it");
        (void)add_user(mount, 0.04, 0);
        fake_run(machine, 30);
        assert_clear(CHECK, "nobody waits for it");
}

/* It answered well, and then not at all: for some seconds that looks like waiting for what it answered. */
static void test_fallen_silent(void **state)
{
        (void)state;
        struct fake_mount *mount = add_nfs(20, 0.02);
        (void)add_user(mount, 0.02, 0.01);
        fake_run(machine, 30);
        mount->operations = 0;
        mount->execute = mount->rtt = 0;
        machine->mount_users[0].waited = 1;
        fake_run(machine, 9);
        assert_clear(CHECK, "what it answers takes 20.0 ms, and that is not what is waited for");
        fake_run(machine, 30);
        assert_clear(CHECK, "it has answered nothing in the last 20 s");
}

/* One request at a time, for which three tasks wait by turns: slow all the same. */
static void test_many_wait_for_one(void **state)
{
        (void)state;
        struct fake_mount *mount = add_nfs(80, 0.9);
        for (int i = 0; i < 3; i++)
                (void)add_user(mount, 0.9, 0.02);
        fake_run(machine, 30);
        struct finding finding = assert_found(CHECK);
        assert_says(&finding, "3 rsync processes wait 98 % of their time");
        assert_says(&finding, "each request takes the server or the link");
}

static void test_a_small_part_of_its_time(void **state)
{
        (void)state;
        (void)add_user(add_nfs(80, 0.3), 0.3, 1.5);
        fake_run(machine, 30);
        assert_clear(CHECK, "no program loses much");
}

static void test_hysteresis(void **state)
{
        (void)state;
        (void)add_user(add_nfs(80, 0.3), 0.3, 1.2); /* 20 % */
        fake_run(machine, 30);
        (void)assert_verdict(CHECK, VERDICT_CLEAR, false);
        (void)assert_verdict(CHECK, VERDICT_FOUND, true);
}

static void test_bulk(void **state)
{
        (void)state;
        struct fake_mount *mount = add_nfs(120, 0.9);
        mount->operations = 80;
        mount->read_bytes = 80e6;
        (void)add_user(mount, 0.9, 0.1);
        fake_run(machine, 30);
        assert_clear(CHECK, "moves 80 MB each second in large requests");
        mount->operations = 2000; /* in small ones it is another matter, but they are fast then */
        fake_run(machine, 30);
        assert_clear(CHECK, "answers within 0.");
}

static void test_batch(void **state)
{
        (void)state;
        add_user(add_nfs(80, 0.9), 0.9, 0.1)->counters.nice = 19;
        fake_run(machine, 30);
        assert_clear(CHECK, "no program loses much");
}

static void test_loss(void **state)
{
        (void)state;
        struct fake_mount *mount = add_nfs(100, 0.9);
        mount->retransmissions = 0.7; /* of 9 */
        (void)add_user(mount, 0.9, 0.05);
        fake_run(machine, 30);
        struct finding finding = assert_found(CHECK);
        assert_says(&finding, "get lost on the way");
        assert_says(&finding, "ip -s link");
}

static void test_queue(void **state)
{
        (void)state;
        struct fake_mount *mount = add_nfs(100, 2);
        mount->rtt = 0.2;
        mount->queue = 1.8;
        (void)add_user(mount, 0.9, 0.05);
        fake_run(machine, 30);
        struct finding finding = assert_found(CHECK);
        assert_says(&finding, "requests queue here");
        assert_says(&finding, "nconnect=4");
}

static void test_chatty(void **state)
{
        (void)state;
        (void)add_user(add_nfs(8, 0.8), 0.8, 0.05);
        fake_run(machine, 30);
        struct finding finding = assert_found(CHECK);
        assert_says(&finding, "it makes 100 requests a second, of 8 ms each");
}

/* FUSE has no counters: its users' going to sleep stands for requests. */
static void test_fuse(void **state)
{
        (void)state;
        struct fake_mount *mount =
                fake_mount(machine, "fuse.sshfs", "me@files:/home/me", "/home/me/remote dir");
        struct fake_process *process = add_user(mount, 0.9, 0.05);
        process->voluntary_switches = 9;
        fake_run(machine, 30);
        struct finding finding = assert_found(CHECK);
        assert_says(&finding, "each request takes the server or the link 100 ms");
        assert_says(&finding, "(from files)");
        assert_says(&finding, "kernel_cache");
        assert_int_equal(finding.confidence_permille, 800);
        process->voluntary_switches = 900;
        fake_run(machine, 30);
        assert_clear(CHECK, "answers within 1.0 ms");
}

/* The directory goes into a command only if a shell takes it as it stands. */
static void test_awkward_name(void **state)
{
        (void)state;
        (void)add_user(add_nfs(80, 0.9), 0.9, 0.05);
        (void)snprintf(machine->mount_users[0].values.directory, PATH_TEXT_MAX, "/mnt/files/a; rm -rf b");
        fake_run(machine, 30);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.remedies[0].command[0], '\0');
}

static void test_server_without_cpu(void **state)
{
        (void)state;
        struct fake_mount *mount = fake_mount(machine, "fuse.sshfs", "files:", "/mnt/files");
        add_user(mount, 0.9, 0.05)->voluntary_switches = 40;
        machine->cpu_some = 0.9;
        fake_run(machine, 30);
        assert_clear(CHECK, "has to wait for a CPU");
}

static void test_for_a_moment(void **state)
{
        (void)state;
        (void)add_user(add_nfs(80, 0.9), 0.9, 0.05);
        fake_run(machine, 6);
        assert_clear(CHECK, "for a moment yet");
}

/* The kernel books a wait for a page as one for a disk: it is none, and no disk's victim. */
static void test_no_victim_of_a_disk(void **state)
{
        (void)state;
        struct fake_process *reader = add_user(add_nfs(80, 0.9), 0.9, 0.05);
        reader->disk_wait = 0.9;
        machine->mount_users[0].paged = 0.9;
        struct fake_process *dd = fake_add(machine, "dd", "");
        dd->write_bytes = 50e6;
        dd->disk_wait = 0.9;
        machine->disk_busy = machine->io_some = 1;
        machine->disk_write_bytes = 50e6;
        fake_run(machine, 30);
        (void)assert_found(CHECK);
        const struct process_rate *rate = fake_rate(machine, reader);
        assert_about((double)rate->ledger.stuck, 0.9, 0.01);
        assert_about((double)rate->ledger.disk_wait, 0, 0.01);
        (void)assert_verdict("disk.saturated", VERDICT_CLEAR, false);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_found),
                CASE(test_nothing_there),
                CASE(test_not_recorded),
                CASE(test_source_fails),
                CASE(test_fast_under_load),
                CASE(test_a_single_look),
                CASE(test_slow_but_idle),
                CASE(test_fallen_silent),
                CASE(test_many_wait_for_one),
                CASE(test_a_small_part_of_its_time),
                CASE(test_hysteresis),
                CASE(test_bulk),
                CASE(test_batch),
                CASE(test_loss),
                CASE(test_queue),
                CASE(test_chatty),
                CASE(test_fuse),
                CASE(test_awkward_name),
                CASE(test_server_without_cpu),
                CASE(test_for_a_moment),
                CASE(test_no_victim_of_a_disk),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
