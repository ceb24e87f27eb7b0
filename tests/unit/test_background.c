/* background.indexer and background.maintenance: known workers, and only if others wait for them. */
#include "tests/support/cases.h"

#define INDEXER     "background.indexer"
#define MAINTENANCE "background.maintenance"
#define MB          1e6

static struct fake_process *add_database(double disk_wait)
{
        struct fake_process *database = fake_add(machine, "postgres", "postgresql.service");
        database->running = 0.05;
        database->disk_wait = disk_wait;
        database->read_bytes = 0.05 * MB;
        return database;
}

static void disk_in_use(double share)
{
        machine->disk_busy = machine->io_some = share;
}

/* One that has just begun to read. */
static struct fake_process *start_worker(const char *name, const char *unit)
{
        struct fake_process *worker = fake_start(machine, name, unit);
        worker->running = 0.1;
        worker->disk_wait = 0.8;
        worker->read_bytes = 2 * MB;
        disk_in_use(0.95);
        return worker;
}

static void test_indexer(void **state)
{
        (void)state;
        struct fake_process *database = add_database(0.005);
        fake_run(machine, 120);
        assert_clear(INDEXER, "disks in use");
        usec_t onset = machine->now.time.realtime_usec;
        (void)start_worker("updatedb.plocate", "plocate-updatedb.service");
        database->disk_wait = 0.1;
        fake_run(machine, 12);
        struct finding finding = assert_found(INDEXER);
        assert_string_equal(finding.culprit.name, "updatedb.plocate");
        assert_int_equal(finding.culprit.kind, SUBJECT_PROGRAM);
        assert_true(fake_is_victim(&finding, "postgres"));
        assert_about((double)finding.since_usec, (double)onset, 2e4);
        assert_about(finding.lost_permille, 633, 15); /* 95 of 100 ms that it waits are not usual */
        assert_int_equal(finding.confidence_permille, 900);
        assert_says(&finding, "indexes file names for locate");
        assert_says(&finding, "(usually 9");
        assert_says(&finding, "systemctl edit plocate-updatedb.timer");
        assert_says(&finding, "editor /etc/updatedb.conf");
        assert_says(&finding, "IOSchedulingClass=idle");
        assert_says(&finding, "> /etc/systemd/system/plocate-updatedb.service.d/idle.conf");
        assert_says(&finding, "ionice -c 3 -p");
        assert_clear(MAINTENANCE, "no backup, update or scan");
        /* What disk.saturated would say is explained by it. */
        finding = assert_found("disk.saturated");
        assert_string_equal(finding.culprit.name, "updatedb.plocate");
}

static void test_nobody_waits(void **state)
{
        (void)state;
        add_database(0.002);
        fake_run(machine, 120);
        start_worker("updatedb.plocate", "")->counters.nice = 19;
        fake_run(machine, 20);
        assert_clear(INDEXER, "updatedb.plocate is at work, and nobody else waits long for the disk");
}

/* Who always waits for its disk loses nothing by waiting on. */
static void test_what_is_always_so(void **state)
{
        (void)state;
        struct fake_process *database = add_database(0.9);
        disk_in_use(0.9);
        fake_run(machine, 120);
        (void)start_worker("updatedb", "");
        database->disk_wait = 0.93;
        fake_run(machine, 12);
        assert_clear(INDEXER, "others lose only");
        /* But it does if it gets half as much done. */
        database->read_bytes = 0.02 * MB;
        fake_run(machine, 12);
        struct finding finding = assert_found(INDEXER);
        assert_about(finding.lost_permille, 569, 30);
}

/* One that saves now and then waits for most of what it wants at any time; now it waits ten times as long. */
static void test_who_only_waits(void **state)
{
        (void)state;
        struct fake_process *database = add_database(0.05);
        database->running = 0.002;
        fake_run(machine, 120);
        (void)start_worker("updatedb", "");
        database->disk_wait = 0.5;
        fake_run(machine, 12);
        struct finding finding = assert_found(INDEXER);
        assert_true(finding.lost_permille > 700);
        /* Ten times as much work may wait ten times as long. */
        database->running = 0.02;
        fake_run(machine, 12);
        assert_clear(INDEXER, "others lose only");
}

/* Without a past only that part of the waiting counts that the worker can have caused. */
static void test_no_history(void **state)
{
        (void)state;
        struct fake_process *database = add_database(0.9);
        struct fake_process *worker = start_worker("updatedb", "");
        fake_run(machine, 15);
        struct finding finding = assert_found(INDEXER);
        assert_about(finding.lost_permille, 947 * 0.8 / 1.7, 10);
        assert_int_equal(finding.confidence_permille, 600);
        assert_says(&finding, "is not known yet");
        worker->disk_wait = 0.1;
        worker->running = 0.8;
        fake_run(machine, 15);
        assert_clear(INDEXER, "others lose only 9.");
        /* One that moves as much may as well be the culprit. */
        worker->disk_wait = 0.8;
        worker->running = 0.1;
        database->read_bytes = 1.5 * MB;
        fake_run(machine, 15);
        assert_clear(INDEXER, "but who waits for the disk uses it as much");
}

static void test_hysteresis(void **state)
{
        (void)state;
        struct fake_process *database = add_database(0.001);
        database->running = 0.85;
        fake_run(machine, 120);
        (void)start_worker("updatedb", "");
        database->disk_wait = 0.15; /* 15 % */
        fake_run(machine, 15);
        assert_clear(INDEXER, "others lose only 15 %");
        (void)assert_verdict(INDEXER, VERDICT_FOUND, true);
        database->disk_wait = 0.07;
        fake_run(machine, 15);
        (void)assert_verdict(INDEXER, VERDICT_CLEAR, true);
}

/* What nobody has worked out is no figure: others may wait for a disk that is hardly busy, and for CPUs that
 * are busy but not all of them. */
static void test_nothing_short(void **state)
{
        (void)state;
        struct fake_process *database = add_database(0.005);
        fake_run(machine, 120);
        struct fake_process *worker = start_worker("rsnapshot", "");
        database->disk_wait = 0.4;
        disk_in_use(0.3);
        worker->running = 1.3; /* of two CPUs */
        fake_run(machine, 40);
        assert_clear(MAINTENANCE, "rsnapshot is at work, with the CPUs 6");
        assert_clear(MAINTENANCE, "busy and disks in use 30 % of the time");
}

/* Little in time though much in share: the time is said. */
static void test_little(void **state)
{
        (void)state;
        struct fake_process *database = add_database(0.001);
        database->running = 0.005;
        fake_run(machine, 120);
        (void)start_worker("updatedb", "");
        database->disk_wait = 0.04;
        fake_run(machine, 15);
        assert_clear(INDEXER, "updatedb is at work, but others lose only 39 ms of each second");
}

/* A copy moves ten times as much: the copy it is. */
static void test_somebody_else(void **state)
{
        (void)state;
        struct fake_process *database = add_database(0.005);
        fake_run(machine, 120);
        (void)start_worker("updatedb", "");
        struct fake_process *dd = fake_start(machine, "dd", "");
        dd->write_bytes = 20 * MB;
        dd->disk_wait = 0.9;
        database->disk_wait = 0.2;
        fake_run(machine, 15);
        assert_clear(INDEXER, "updatedb is at work, but others use the disk more than it");
        struct finding finding = assert_found("disk.saturated");
        assert_string_equal(finding.culprit.name, "dd");
}

/* apt, dpkg and what they start are one job, and one culprit. */
static void test_package_update(void **state)
{
        (void)state;
        struct fake_process *database = add_database(0.005);
        fake_run(machine, 120);
        struct fake_process *apt = fake_start(machine, "unattended-upgrade", "apt-daily-upgrade.service"),
                            *dpkg = fake_start(machine, "dpkg", "apt-daily-upgrade.service"),
                            *mandb = fake_start(machine, "mandb", "apt-daily-upgrade.service");
        fake_started_by(dpkg, apt);
        fake_started_by(mandb, dpkg);
        dpkg->disk_wait = 0.7;
        dpkg->write_bytes = 8 * MB;
        mandb->disk_wait = 0.1;
        mandb->read_bytes = 1 * MB;
        disk_in_use(1);
        database->disk_wait = 0.3;
        fake_run(machine, 12);
        struct finding finding = assert_found(MAINTENANCE);
        assert_string_equal(finding.culprit.name, "unattended-upgrade");
        assert_int_equal(finding.culprit.pid_count, 2);
        assert_says(&finding, "installs or updates packages");
        assert_says(&finding, "systemctl edit apt-daily-upgrade.timer");
        assert_clear(INDEXER, "no file indexer"); /* mandb is part of the update */
        struct finding disk = assert_found("disk.saturated");
        assert_string_equal(disk.culprit.name, "dpkg");
        assert_int_equal(disk.culprit.pids[0], dpkg->identity.pid);
}

static struct fake_process *add_scanner(double running)
{
        struct fake_process *scanner = fake_start(machine, "clamscan", "");
        scanner->running = running;
        scanner->cpu_wait = 1.2;
        return scanner;
}

static void test_cpu(void **state)
{
        (void)state;
        struct fake_process *web = fake_add(machine, "nginx", "nginx.service");
        web->running = 0.2;
        web->cpu_wait = 0.001;
        fake_run(machine, 120);
        struct fake_process *scanner = add_scanner(1.8);
        web->cpu_wait = 0.15;
        fake_run(machine, 20);
        assert_clear(MAINTENANCE,
                     "clamscan is at work, for a moment yet"); /* a short run is nobody's business */
        fake_run(machine, 20);
        struct finding finding = assert_found(MAINTENANCE);
        assert_string_equal(finding.culprit.name, "clamscan");
        assert_says(&finding, "nginx waits for a CPU 43 %");
        assert_says(&finding, "renice -n 19 -p");
        /* Somebody else uses more. */
        scanner->running = 0.5;
        fake_add(machine, "ffmpeg", "")->running = 1.3;
        fake_run(machine, 20);
        assert_clear(MAINTENANCE, "clamscan is at work, but others use the CPUs more than it");
}

static void test_cpu_at_low_priority(void **state)
{
        (void)state;
        struct fake_process *web = fake_add(machine, "nginx", "");
        web->running = 0.2;
        web->cpu_wait = 0.001;
        fake_run(machine, 120);
        add_scanner(1.8)->counters.nice = 19;
        fake_run(machine, 60);
        assert_clear(MAINTENANCE, "clamscan is at work, and nobody else waits long for a CPU");
}

/* fstrim reads and writes next to nothing, and yet the disk is its. */
static void test_fstrim(void **state)
{
        (void)state;
        struct fake_process *database = add_database(0.005);
        fake_run(machine, 120);
        struct fake_process *fstrim = start_worker("fstrim", "fstrim.service");
        fstrim->read_bytes = 0.01 * MB;
        fstrim->disk_wait = 0.95;
        database->disk_wait = 0.5;
        fake_run(machine, 12);
        struct finding finding = assert_found(MAINTENANCE);
        assert_string_equal(finding.culprit.name, "fstrim");
        assert_says(&finding, "systemctl edit fstrim.timer");
        /* Who saves moves all the bytes there are, and yet fstrim does not wait for that. */
        fstrim->read_bytes = 0;
        database->write_bytes = 0.1 * MB;
        fake_run(machine, 12);
        assert_clear("disk.saturated", "postgres keeps a disk busy, and nobody else waits");
}

/* An array that makes its disks equal again has no process. */
static void test_resync(void **state)
{
        (void)state;
        struct fake_process *database = add_database(0.005);
        struct raid_sample *raid = &machine->now.raids[0];
        machine->now.raid_count = 1;
        *raid = (struct raid_sample){ .name = "md0", .level = "raid1", .members = "sda1 sdb1" };
        raid->bytes_per_sec = ABSENT;
        fake_run(machine, 120);
        assert_clear(MAINTENANCE, "disks in use");
        (void)snprintf(raid->action, sizeof(raid->action), "resync");
        raid->bytes_per_sec = 40000 * 1024;
        disk_in_use(1);
        fake_run(machine, 12);
        assert_clear(MAINTENANCE, "md0 is at work, and nobody else waits long for the disk");
        database->disk_wait = 0.4;
        fake_run(machine, 12);
        struct finding finding = assert_found(MAINTENANCE);
        assert_string_equal(finding.culprit.name, "md0");
        assert_int_equal(finding.culprit.kind, SUBJECT_DEVICE);
        assert_string_equal(finding.device, "sda");
        assert_says(&finding, "md0 makes its disks equal again");
        assert_says(&finding, "echo 10000 > /proc/sys/dev/raid/speed_limit_max");
        raid->is_waiting = true;
        fake_run(machine, 12);
        assert_clear(MAINTENANCE, "no backup, update or scan");
}

static void test_added_by_configuration(void **state)
{
        (void)state;
        struct fake_process *database = add_database(0.005);
        assert_int_equal(workers_add(&machine->workers, WORKER_BACKUP,
                                     "nightly.sh timer=nightly.timer exclude=/etc/nightly"),
                         0);
        fake_run(machine, 120);
        (void)start_worker("nightly.sh", "");
        database->disk_wait = 0.4;
        fake_run(machine, 12);
        struct finding finding = assert_found(MAINTENANCE);
        assert_string_equal(finding.culprit.name, "nightly.sh");
        assert_says(&finding, "systemctl edit nightly.timer");
        assert_says(&finding, "tell it what to leave out: /etc/nightly");
}

/* A program that nobody knows, seen by what it does. */
static void test_unknown_name(void **state)
{
        (void)state;
        struct fake_process *database = add_database(0.005);
        fake_run(machine, 120);
        struct fake_process *crawler = start_worker("crawl.py", "");
        database->disk_wait = 0.4;
        fake_run(machine, 12);
        assert_clear(INDEXER, "no file indexer is at work"); /* it may as well read one large file */
        crawler->counters.is_walking = true;
        fake_run(machine, 2);
        struct finding finding = assert_found(INDEXER);
        assert_string_equal(finding.culprit.name, "crawl.py");
        assert_says(&finding, "crawl.py goes through many directories");
        assert_says(&finding, "100 % of what it takes from the disk is no file's contents");
        assert_int_equal(finding.confidence_permille, 600);
        /* Whoever copies goes through directories too. */
        crawler->write_bytes = 1.5 * MB;
        fake_run(machine, 2);
        assert_clear(INDEXER, "no file indexer is at work");
}

/* It works on another disk than they. */
static void test_other_disk(void **state)
{
        (void)state;
        struct fake_process *database = add_database(0.005);
        machine->now.disk_count = 2;
        machine->now.disks[1] = machine->now.disks[0];
        (void)snprintf(machine->now.disks[1].name, DEVICE_NAME_MAX, "sdb");
        machine->now.disks[0].major = 8;
        machine->now.disks[1].major = 8;
        machine->now.disks[1].minor = 16;
        fake_run(machine, 120);
        struct fake_process *indexer = start_worker("updatedb", "");
        database->disk_wait = 0.4;
        machine->disk_read_bytes = 2.1 * MB;
        indexer->counters.io_devices[0] = DEVICE_NUMBER(8, 0);
        database->counters.io_devices[0] = DEVICE_NUMBER(8, 16);
        fake_run(machine, 12);
        assert_clear(INDEXER, "updatedb is at work, and nobody else waits long for the disk");
        database->counters.io_devices[1] = DEVICE_NUMBER(8, 0); /* on both */
        fake_run(machine, 2);
        struct finding finding = assert_found(INDEXER);
        assert_string_equal(finding.device, "sda");
}

static void test_unknown(void **state)
{
        (void)state;
        (void)start_worker("updatedb", "");
        add_database(0.5);
        fake_run(machine, 4);
        assert_clear(INDEXER, "for a moment yet");
        machine->now.disk_count = 0;
        machine->cpus = NAN;
        memset(machine->now.pressure, 0xff, sizeof(machine->now.pressure));
        memset(&machine->now.stat, 0xff, sizeof(machine->now.stat));
        fake_run(machine, 20);
        (void)assert_verdict(INDEXER, VERDICT_UNKNOWN, false);
        (void)assert_verdict(MAINTENANCE, VERDICT_UNKNOWN, false);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_indexer),        CASE(test_nobody_waits), CASE(test_what_is_always_so),
                CASE(test_who_only_waits), CASE(test_no_history),   CASE(test_hysteresis),
                CASE(test_nothing_short),  CASE(test_little),       CASE(test_somebody_else),
                CASE(test_package_update), CASE(test_cpu),          CASE(test_cpu_at_low_priority),
                CASE(test_fstrim),         CASE(test_resync),       CASE(test_added_by_configuration),
                CASE(test_unknown_name),   CASE(test_other_disk),   CASE(test_unknown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
