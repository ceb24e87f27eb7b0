/* Who is a background worker: by whole names, by what started it, by its first argument. */
#include "tests/support/cases.h"

#include <errno.h>

#include "daemon/checks/workers.h"

static struct worker worker;
static uint32_t pid;

static bool is_worker(const struct fake_process *process)
{
        fake_tick(machine, 1);
        pid = 0;
        return worker_of_process(&machine->samples[machine->current], &process->identity, &machine->workers,
                                 &worker, &pid);
}

static void test_names_are_whole(void **state)
{
        (void)state;
        static const char *const others[] = { "updatedb2",    "my-updatedb", "updated", "apt-listchanges",
                                              "gcc-snapshot", "borgs",       "",        "rsyncd" };
        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
                if (is_worker(fake_add(machine, others[i], "")))
                        fail_msg("%s is taken for %s", others[i], worker.process);
        assert_true(is_worker(fake_add(machine, "updatedb.plocate", "")));
        assert_int_equal(worker.kind, WORKER_INDEXER);
        assert_string_equal(worker.timer, "plocate-updatedb.timer");
        assert_true(is_worker(fake_add(machine, "borg", "")));
        assert_int_equal(worker.kind, WORKER_BACKUP);
        /* Longer than a comm: the name comes from the executable or the script. */
        struct fake_process *upgrade = fake_add(machine, "unattended-upgrade", "apt-daily-upgrade.service");
        assert_string_equal(upgrade->identity.comm, "unattended-upgr");
        assert_true(is_worker(upgrade));
        assert_string_equal(worker.process, "unattended-upgrade");
}

static void test_kernel_threads(void **state)
{
        (void)state;
        struct fake_process *thread = fake_add(machine, "rpm", "");
        thread->identity.is_kernel_thread = true;
        assert_false(is_worker(thread));
}

/* Whatever a worker starts is its work, but a daemon that outlives it is not. */
static void test_jobs(void **state)
{
        (void)state;
        struct fake_process *apt = fake_add(machine, "apt-get", ""), *dpkg = fake_add(machine, "dpkg", ""),
                            *xz = fake_add(machine, "xz", "");
        fake_started_by(dpkg, apt);
        fake_started_by(xz, dpkg);
        assert_true(is_worker(xz));
        assert_string_equal(worker.process, "apt-get");
        assert_int_equal(pid, apt->identity.pid);
        apt->is_hidden = true;
        assert_true(is_worker(xz));
        assert_string_equal(worker.process, "dpkg");
        dpkg->is_hidden = true;
        assert_false(is_worker(xz));
        /* Its number belongs to somebody else now. */
        dpkg->is_hidden = false;
        (void)snprintf(dpkg->identity.comm, COMM_MAX, "nginx");
        (void)snprintf(dpkg->identity.name, PROGRAM_NAME_MAX, "nginx");
        assert_false(is_worker(xz));
}

/* rsync by hand is a copy that somebody waits for. */
static void test_unattended(void **state)
{
        (void)state;
        struct fake_process *rsync = fake_add(machine, "rsync", ""), *cron = fake_add(machine, "cron", ""),
                            *script = fake_add(machine, "backupper.sh", "");
        assert_false(is_worker(rsync));
        fake_started_by(rsync, script);
        assert_false(is_worker(rsync));
        (void)snprintf(rsync->identity.origin_script, PATH_TEXT_MAX, "/srv/backup/copy.sh");
        assert_false(is_worker(rsync)); /* a directory of that name is no script */
        (void)snprintf(rsync->identity.origin_script, PATH_TEXT_MAX, "/srv/bin/nightly-backup.sh");
        assert_true(is_worker(rsync));
        rsync->identity.origin_script[0] = '\0';
        fake_started_by(rsync, cron);
        assert_true(is_worker(rsync));
        struct fake_process *tar = fake_add(machine, "tar", "backup-home.service");
        assert_true(is_worker(tar));
        struct fake_process *other = fake_add(machine, "tar", "deploy.service");
        fake_started_by(other, cron);
        assert_false(is_worker(other)); /* tar does much else */
}

static void test_first_argument(void **state)
{
        (void)state;
        struct fake_process *btrfs = fake_add(machine, "btrfs", "");
        assert_false(is_worker(btrfs)); /* its command line is not known */
        (void)snprintf(btrfs->identity.command_line, COMMAND_LINE_MAX, "btrfs send /scrub");
        assert_false(is_worker(btrfs));
        (void)snprintf(btrfs->identity.command_line, COMMAND_LINE_MAX, "btrfs scrub start -B /");
        assert_true(is_worker(btrfs));
        assert_int_equal(worker.kind, WORKER_MAINTENANCE);
}

static void test_added(void **state)
{
        (void)state;
        struct added_workers *added = &machine->workers;
        assert_int_equal(workers_add(added, WORKER_INDEXER, ""), -EINVAL);
        assert_int_equal(workers_add(added, WORKER_INDEXER, "  "), -EINVAL);
        assert_int_equal(workers_add(added, WORKER_INDEXER, "a b"), -EINVAL);
        assert_int_equal(added->count, 0);
        assert_int_equal(workers_add(added, WORKER_INDEXER, "crawl.py"), 0);
        assert_int_equal(
                workers_add(added, WORKER_BACKUP, "nightly exclude=/etc/nightly timer=nightly.timer"), 0);
        struct fake_process *crawl = fake_add(machine, "crawl.py", ""),
                            *nightly = fake_add(machine, "nightly", "");
        assert_true(is_worker(crawl));
        assert_int_equal(worker.kind, WORKER_INDEXER);
        assert_null(worker.timer);
        assert_true(is_worker(nightly));
        assert_string_equal(worker.timer, "nightly.timer");
        assert_string_equal(worker.exclude_text, "/etc/nightly");
        while (added->count < WORKERS_ADDED_MAX)
                assert_int_equal(workers_add(added, WORKER_BACKUP, "x"), 0);
        assert_int_equal(workers_add(added, WORKER_BACKUP, "x"), -E2BIG);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_names_are_whole), CASE(test_kernel_threads), CASE(test_jobs),
                CASE(test_unattended),      CASE(test_first_argument), CASE(test_added),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
