/* disk.full: full now, full soon, and all that only looks like it. */
#include "tests/support/cases.h"

#define CHECK "disk.full"
#define MB    1e6
#define GB    1e9

static struct file_system_sample places[4];
static struct mount_sample mounts[4];
static struct log_file_sample logs[4];

static void set_place(size_t i, const char *path, const char *type, double total, double available)
{
        places[i] = (struct file_system_sample){ .major = 8,
                                                 .minor = (uint32_t)i + 1,
                                                 .total_bytes = (uint64_t)total,
                                                 .free_bytes = (uint64_t)available,
                                                 .available_bytes = (uint64_t)available,
                                                 .inodes = ABSENT,
                                                 .inodes_available = ABSENT };
        mounts[i] = (struct mount_sample){ .id = 20 + (uint32_t)i, .major = 8, .minor = (uint32_t)i + 1 };
        (void)snprintf(places[i].path, sizeof(places[i].path), "%s", path);
        (void)snprintf(places[i].type, sizeof(places[i].type), "%s", type);
        (void)snprintf(places[i].source, sizeof(places[i].source), "/dev/sda%zu", i + 1);
        (void)snprintf(mounts[i].path, sizeof(mounts[i].path), "%s", path);
        machine->now.file_systems = places;
        machine->now.mounts = mounts;
        machine->now.logs = logs;
        if (machine->now.file_system_count <= i)
                machine->now.file_system_count = machine->now.mount_count = i + 1;
        machine->now.file_systems_read_usec = 1;
}

static struct log_file_sample *add_log(const char *path, const struct fake_process *writer, size_t place)
{
        struct log_file_sample *log = &logs[machine->now.log_count++];
        *log = (struct log_file_sample){ .major = 8,
                                         .minor = (uint32_t)place + 1,
                                         .kind = LOG_FILE,
                                         .size_bytes = 900000000,
                                         .allocated_bytes = 900000000,
                                         .earlier_bytes = 300000000,
                                         .earlier_usec = 5 * USEC_PER_MINUTE,
                                         .rotation_bytes = ABSENT,
                                         .opens = ABSENT,
                                         .read_bytes = ABSENT };
        (void)snprintf(log->path, sizeof(log->path), "%s", path);
        if (writer) {
                log->writer_pid = writer->identity.pid;
                (void)snprintf(log->writer, sizeof(log->writer), "%s", writer->identity.comm);
        }
        return log;
}

static void lose(size_t place, double bytes_per_sec, int seconds)
{
        for (int i = 0; i < seconds; i++) {
                double left = (double)places[place].available_bytes - bytes_per_sec;
                places[place].available_bytes = left > 0 ? (uint64_t)left : 0;
                places[place].free_bytes = places[place].available_bytes;
                fake_run(machine, 1);
        }
}

static void test_unknown(void **state)
{
        (void)state;
        machine->now.file_systems_read_usec = 0;
        fake_run(machine, 10);
        (void)assert_verdict(CHECK, VERDICT_UNKNOWN, false);
        machine->now.file_systems_read_usec = 1; /* looked at, and none there */
        fake_run(machine, 10);
        assert_clear(CHECK, "no file system that could fill");
}

static void test_filling(void **state)
{
        (void)state;
        set_place(0, "/", "ext4", 100 * GB, 50 * GB);
        set_place(1, "/srv", "xfs", 10 * GB, 3 * GB);
        struct fake_process *app = fake_add(machine, "app", "app.service");
        (void)snprintf(app->identity.working_directory, PATH_TEXT_MAX, "/srv/app");
        app->write_bytes = 5 * MB;
        fake_run(machine, 60);
        assert_clear(CHECK, "/srv, has 3.0 GB left (30 %)");
        lose(1, 2 * MB, 120);
        assert_clear(CHECK, "nothing uses that up soon"); /* more than a fifth left, watched for minutes */
        lose(1, 5 * MB, 300);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.kind, FINDING_RISK);
        assert_int_equal(finding.lost_permille, 0);
        assert_int_equal(finding.culprit.kind, SUBJECT_MOUNT);
        assert_string_equal(finding.culprit.name, "/srv");
        assert_int_equal(finding.culprit.pids[0], app->identity.pid);
        assert_says(&finding, "/srv will be full in 4 min (1.3 GB left, filled by app)");
        assert_says(&finding, "du -xh /srv | sort -h | tail -n 20");
        assert_says(&finding, "app works there and writes 300 MB each minute");
        /* It stops: no end any more, and then there is room again. */
        app->write_bytes = 0;
        fake_run(machine, 660);
        assert_clear(CHECK, "nothing uses that up soon");
}

static void test_full_and_writes_fail(void **state)
{
        (void)state;
        set_place(0, "/", "ext4", 100 * GB, 50 * GB);
        set_place(1, "/srv", "ext4", 10 * GB, 0.5 * GB);
        struct fake_process *app = fake_add(machine, "app", "app.service");
        app->running = 0.01;
        (void)add_log("/srv/app/app.log", app, 1);
        fake_run(machine, 60);
        lose(1, 50 * MB, 12);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.kind, FINDING_RISK); /* full, but nobody is seen to fail */
        assert_int_equal(finding.severity, SEVERITY_CRITICAL);
        for (int i = 0; i < 10; i++) {
                app->counters.write_calls += 5;
                fake_run(machine, 1);
        }
        finding = assert_verdict(CHECK, VERDICT_FOUND, true);
        assert_int_equal(finding.kind, FINDING_CAUSE);
        assert_int_equal(finding.lost_permille, 1000);
        assert_true(fake_is_victim(&finding, "app"));
        assert_says(&finding, "/srv is full: no space left, filled by app, and app cannot write");
        assert_says(&finding, "/srv/app/app.log grows by 120 MB each minute (now 900 MB), written by app");
        /* Hysteresis: a little room is still full to an open incident, and none to a new one. */
        places[1].available_bytes = 5 * (uint64_t)MB;
        fake_run(machine, 5);
        (void)assert_verdict(CHECK, VERDICT_FOUND, true);
        places[1].available_bytes = 50 * (uint64_t)MB;
        fake_run(machine, 700);
        (void)assert_verdict(CHECK, VERDICT_CLEAR, true);
}

static void test_inodes(void **state)
{
        (void)state;
        set_place(0, "/", "ext4", 100 * GB, 50 * GB);
        set_place(1, "/var/spool", "ext4", 10 * GB, 9 * GB);
        places[1].inodes = 640000;
        places[1].inodes_available = 100000;
        fake_run(machine, 60);
        assert_clear(CHECK, "/var/spool, has 100,000 inodes left (16 %)");
        for (int i = 0; i < 100; i++) {
                places[1].inodes_available -= 900;
                fake_run(machine, 1);
        }
        struct finding finding = assert_found(CHECK);
        assert_says(&finding, "/var/spool will be full in 12 s (10,000 inodes left)");
        places[1].inodes_available = 0;
        fake_run(machine, 15);
        finding = assert_found(CHECK);
        assert_says(&finding, "/var/spool is full: no inodes left");
        assert_says(&finding, "du -x --inodes /var/spool | sort -n | tail -n 20");
}

static void test_look_alikes(void **state)
{
        (void)state;
        set_place(0, "/", "ext4", 10e12, 0.8e12); /* 92 % of 10 TB */
        set_place(1, "/snap/core/1", "squashfs", 50 * MB, 0);
        places[1].is_read_only = true;
        set_place(2, "/boot", "ext4", 500 * MB, 0); /* full, and long so */
        set_place(3, "/mnt/usb", "vfat", 4 * GB, 1 * GB);
        fake_run(machine, 60);
        assert_clear(CHECK, "/boot is full, but nobody writes there");
        set_place(2, "/boot", "ext4", 500 * MB, 60 * MB);
        fake_run(machine, 60);
        assert_clear(CHECK, "the fullest, /, has 800 GB left (8.0 %)");
        lose(0, 20 * MB, 600); /* a fifth of a gigabyte each ten seconds: eleven hours */
        assert_clear(CHECK, "nothing uses that up soon");
}

/* 5 % are root's: what is left to others counts, and of what they may have. */
static void test_reserve(void **state)
{
        (void)state;
        set_place(0, "/", "ext4", 100 * GB, 10 * GB);
        places[0].free_bytes = 15 * (uint64_t)GB;
        fake_run(machine, 60);
        assert_clear(CHECK, "/, has 10 GB left (11 %)");
        for (int i = 9; i >= 0; i--) {
                places[0].available_bytes = (uint64_t)i * (uint64_t)GB;
                places[0].free_bytes = places[0].available_bytes + 5 * (uint64_t)GB;
                fake_run(machine, 10);
        }
        struct finding finding = assert_found(CHECK);
        assert_says(&finding, "5.0 GB more are kept back for root");
}

static void test_copy_that_ends(void **state)
{
        (void)state;
        set_place(0, "/", "ext4", 100 * GB, 45 * GB);
        fake_run(machine, 60);
        lose(0, 200 * MB, 100); /* 20 GB */
        assert_clear(CHECK, "nothing uses that up soon");
}

/* Filled at one go, and nobody is there any more: an archive on a small disk. */
static void test_filled_on_purpose(void **state)
{
        (void)state;
        set_place(0, "/", "ext4", 100 * GB, 50 * GB);
        set_place(1, "/mnt/stick", "vfat", 4 * GB, 4 * GB);
        fake_run(machine, 60);
        places[1].available_bytes = places[1].free_bytes = 0;
        fake_run(machine, 30);
        assert_clear(CHECK, "/mnt/stick is full, but nobody writes there");
}

static void test_deleted(void **state)
{
        (void)state;
        set_place(0, "/", "ext4", 100 * GB, 50 * GB);
        set_place(1, "/srv", "ext4", 10 * GB, 0.5 * GB);
        struct fake_process *app = fake_add(machine, "app", "app.service");
        add_log("/srv/app.log (deleted)", app, 1)->kind = LOG_DELETED;
        fake_run(machine, 60);
        lose(1, 50 * MB, 12);
        struct finding finding = assert_found(CHECK);
        assert_says(&finding, "/srv/app.log (deleted) is deleted, but app holds it open, and with it 900 MB");
        assert_says(&finding, "systemctl restart app.service");
}

/* No shell takes such a name as it stands. */
static void test_names(void **state)
{
        (void)state;
        set_place(0, "/mnt/my disk;reboot", "ext4", 10 * GB, 0.5 * GB);
        fake_run(machine, 60);
        lose(0, 50 * MB, 12);
        struct finding finding = assert_found(CHECK);
        for (size_t i = 0; i < finding.remedy_count; i++)
                assert_null(strstr(finding.remedies[i].command, "reboot"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_unknown),        CASE(test_filling),           CASE(test_full_and_writes_fail),
                CASE(test_inodes),         CASE(test_look_alikes),       CASE(test_reserve),
                CASE(test_copy_that_ends), CASE(test_filled_on_purpose), CASE(test_deleted),
                CASE(test_names),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
