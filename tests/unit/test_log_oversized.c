/* log.oversized: logs that fill a disk, are huge, or are read over and over; floods of the journal. */
#include "tests/support/cases.h"

#define CHECK "log.oversized"
#define MB    UINT64_C(1000000)
#define GB    UINT64_C(1000000000)

static struct file_system_sample place;
static struct mount_sample mount;
static struct log_file_sample logs[3];
static struct log_unit_sample units[3];

static struct log_file_sample *set_log(size_t i, const char *path, enum log_kind kind, uint64_t size)
{
        logs[i] = (struct log_file_sample){ .major = 8,
                                            .minor = 1,
                                            .kind = (uint8_t)kind,
                                            .rotation = LOG_ROTATION_NONE,
                                            .rotation_bytes = ABSENT,
                                            .size_bytes = size,
                                            .allocated_bytes = size,
                                            .modified_usec = machine->now.time.realtime_usec + SECONDS(3600),
                                            .earlier_bytes = size,
                                            .earlier_usec = 6 * USEC_PER_MINUTE,
                                            .opens = ABSENT,
                                            .read_bytes = ABSENT };
        (void)snprintf(logs[i].path, sizeof(logs[i].path), "%s", path);
        machine->now.logs = logs;
        if (machine->now.log_count <= i)
                machine->now.log_count = i + 1;
        return &logs[i];
}

static void set_place(uint64_t available)
{
        place = (struct file_system_sample){ .major = 8,
                                             .minor = 1,
                                             .path = "/",
                                             .type = "ext4",
                                             .total_bytes = 100 * GB,
                                             .free_bytes = available,
                                             .available_bytes = available,
                                             .inodes = ABSENT,
                                             .inodes_available = ABSENT };
        mount = (struct mount_sample){ .id = 20, .major = 8, .minor = 1, .path = "/" };
        machine->now.file_systems = &place;
        machine->now.mounts = &mount;
        machine->now.file_system_count = machine->now.mount_count = 1;
}

static void grow(struct log_file_sample *log, uint64_t per_sec, int seconds)
{
        for (int i = 0; i < seconds; i++) {
                log->size_bytes += per_sec;
                log->allocated_bytes = log->size_bytes;
                log->earlier_bytes = log->size_bytes - 360 * per_sec;
                place.available_bytes -= per_sec < place.available_bytes ? per_sec : place.available_bytes;
                place.free_bytes = place.available_bytes;
                fake_run(machine, 1);
        }
}

static struct fake_process *add_writer(struct log_file_sample *log)
{
        struct fake_process *app = fake_add(machine, "app", "app.service");
        app->running = 0.05;
        log->writer_pid = app->identity.pid;
        (void)snprintf(log->writer, sizeof(log->writer), "app");
        return app;
}

static void test_unknown_and_none(void **state)
{
        (void)state;
        machine->now.logs_read_usec = 0;
        fake_run(machine, 5);
        (void)assert_verdict(CHECK, VERDICT_UNKNOWN, false);
        machine->now.logs_read_usec = 1;
        fake_run(machine, 5);
        assert_clear(CHECK, "no large log");
}

static void test_fills(void **state)
{
        (void)state;
        set_place(20 * GB);
        struct log_file_sample *log = set_log(0, "/srv/app/app.log", LOG_FILE, 500 * MB);
        add_writer(log);
        fake_run(machine, 30);
        assert_clear(CHECK, "/srv/app/app.log, has 500 MB and does not grow");
        grow(log, 20 * MB, 120);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.kind, FINDING_RISK);
        assert_int_equal(finding.culprit.kind, SUBJECT_FILE);
        assert_string_equal(finding.culprit.name, "/srv/app/app.log");
        assert_string_equal(finding.culprit.unit, "app.service");
        assert_says(&finding, "written by app, and fills / in 14 min");
        assert_says(&finding, "app writes it, of app.service");
        assert_says(&finding, "logrotate does not cover it");
        assert_says(&finding,
                    "printf '%s\\n' '/srv/app/app.log {' 'daily' 'rotate 7' 'maxsize 100M' 'compress' "
                    "'missingok' 'notifempty' 'copytruncate' 'su root root' '}' "
                    ">/etc/logrotate.d/slowd-app.log");
}

/* It is full, the log does not grow any more, and it is to blame. */
static void test_has_filled(void **state)
{
        (void)state;
        set_place(5 * GB);
        struct log_file_sample *log = set_log(0, "/srv/app/app.log", LOG_FILE, 500 * MB);
        add_writer(log);
        fake_run(machine, 60);
        grow(log, 100 * MB, 50);
        fake_run(machine, 300);
        log->earlier_bytes = log->size_bytes;
        fake_run(machine, 300);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.severity, SEVERITY_CRITICAL);
        assert_says(&finding, "/srv/app/app.log has filled /: 5.5 GB, written by app");
}

/* Fills the disk within a minute: `others` and `first` (into the log) before the log is seen, `per_sec` after
 * it. */
static void fill_quickly(uint64_t others, uint64_t first, uint64_t per_sec)
{
        set_place(5 * GB);
        fake_run(machine, 60);
        for (int second = 0; second < 30; second++) {
                place.available_bytes -= (others + first) / 30;
                fake_run(machine, 1);
        }
        struct log_file_sample *log = set_log(0, "/srv/app/app.log", LOG_FILE, first);
        grow(log, per_sec, 20);
        place.available_bytes = 0;
        log->modified_usec = machine->now.time.realtime_usec;
        log->earlier_bytes = log->size_bytes;
        fake_run(machine, 180);
}

/* It has taken most of the room before it was first seen. */
static void test_has_filled_quickly(void **state)
{
        (void)state;
        fill_quickly(0, 3 * GB, 100 * MB);
        struct finding finding = assert_found(CHECK);
        assert_says(&finding, "/srv/app/app.log has filled /: 5.0 GB");
}

/* What fills the disk beside a log is not the log's doing. */
static void test_others_have_filled(void **state)
{
        (void)state;
        fill_quickly(3 * GB, 100 * MB, 20 * MB);
        assert_clear(CHECK, "/srv/app/app.log, has 500 MB and does not grow");
}

/* logrotate has its turn before the disk is full; a log that goes faster than that is found all the same. */
static void test_rotation(void **state)
{
        (void)state;
        set_place(20 * GB);
        struct log_file_sample *log = set_log(0, "/var/log/app.log", LOG_FILE, 2 * GB);
        log->rotation = LOG_ROTATION_COVERED;
        log->rotation_hours = 24;
        fake_run(machine, 30);
        grow(log, 1 * MB / 10, 600);
        assert_clear(CHECK, "/var/log/app.log, has 2.1 GB and grows by 360 MB an hour");
        grow(log, 20 * MB, 200);
        struct finding finding = assert_found(CHECK);
        assert_says(&finding, "logrotate covers it: daily");
        assert_says(&finding, "a maxsize, and run logrotate every hour");
}

static void test_huge(void **state)
{
        (void)state;
        set_place(20 * GB);
        struct log_file_sample *log = set_log(0, "/srv/app/app.log", LOG_FILE, 8 * GB);
        fake_run(machine, 60);
        assert_clear(CHECK, "has 8.0 GB and does not grow"); /* an old log that nobody touches */
        log->earlier_bytes = log->size_bytes - 10 * MB;      /* in six minutes: 100 MB an hour, 8 days */
        fake_run(machine, 10);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.severity, SEVERITY_NOTICE);
        assert_says(&finding, "has grown to 8.0 GB, grows by 100 MB an hour, and nobody rotates it");
        log->modified_usec = machine->now.time.realtime_usec - SECONDS(90); /* a copy that has ended */
        fake_run(machine, 10);
        assert_clear(CHECK, "has 8.0 GB");
        log->modified_usec = machine->now.time.realtime_usec + SECONDS(3600);
        log->earlier_bytes = log->size_bytes - MB / 10; /* two years */
        fake_run(machine, 10);
        assert_clear(CHECK, "grows by 1.0 MB an hour");
        set_log(0, "/srv/app/dump.xz", LOG_OTHER, 8 * GB)->earlier_bytes = 1 * GB; /* xz at work */
        fake_run(machine, 10);
        assert_clear(CHECK, "no large log");
}

static struct fake_process *add_reader(struct log_file_sample *log, double opens, double reads)
{
        struct fake_process *reader = fake_add(machine, "stats", "");
        reader->running = 0.6;
        log->reader_pid = reader->identity.pid;
        (void)snprintf(log->reader, sizeof(log->reader), "stats");
        log->watched_usec = 2 * USEC_PER_MINUTE;
        log->opens = (uint64_t)opens;
        log->read_bytes = (uint64_t)(reads * (double)log->size_bytes);
        return reader;
}

static void test_read_over_and_over(void **state)
{
        (void)state;
        set_place(80 * GB);
        struct log_file_sample *log = set_log(0, "/srv/shop/visits.txt", LOG_OTHER, 300 * MB);
        log->earlier_bytes = 280 * MB;
        struct fake_process *reader = add_reader(log, 40, 38);
        fake_run(machine, 60);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.kind, FINDING_CAUSE);
        assert_about(finding.lost_permille, 600, 10);
        assert_true(fake_is_victim(&finding, "stats"));
        assert_says(&finding,
                    "stats reads /srv/shop/visits.txt in full 19 times a minute, and it has grown to "
                    "300 MB");
        assert_says(&finding, "stats reads it in full 19.0 times a minute, 5.7 GB each minute");
        /* The CPUs are taken by others: it does nothing else with what they leave it. */
        reader->running = 0.15;
        reader->cpu_wait = 0.8;
        fake_run(machine, 70);
        (void)assert_found(CHECK);
        /* Hysteresis. */
        reader->cpu_wait = 0;
        reader->running = 0.2;
        fake_run(machine, 70);
        (void)assert_verdict(CHECK, VERDICT_FOUND, true);
        assert_clear(CHECK, "no large log");
        reader->running = 0.05;
        fake_run(machine, 70);
        (void)assert_verdict(CHECK, VERDICT_CLEAR, true);
}

static void test_reading_that_is_none_of_it(void **state)
{
        (void)state;
        set_place(80 * GB);
        struct log_file_sample *log = set_log(0, "/srv/data.bin", LOG_OTHER, 300 * MB);
        (void)add_reader(log, 40, 38);
        fake_run(machine, 60);
        assert_clear(CHECK, "no large log"); /* data of constant size */
        log->earlier_bytes = 280 * MB;
        log->opens = 1000; /* opened for a look at its end: tail -n 1 */
        log->read_bytes = 10 * MB;
        fake_run(machine, 60);
        assert_clear(CHECK, "no large log");
        log->opens = 1; /* a copy */
        log->read_bytes = 300 * MB;
        fake_run(machine, 60);
        assert_clear(CHECK, "no large log");
        log->opens = 0; /* it keeps it open, and begins again at its start */
        log->read_bytes = 20 * log->size_bytes;
        fake_run(machine, 60);
        (void)assert_found(CHECK);
}

static void test_journal(void **state)
{
        (void)state;
        set_place(80 * GB);
        (void)set_log(0, "/var/log/journal", LOG_JOURNAL, 900 * MB);
        static const char *const names[] = { "app.service", "", "kernel" };
        for (size_t i = 0; i < 3; i++) {
                units[i] = (struct log_unit_sample){ .entries = 1000, .earlier_usec = 6 * USEC_PER_MINUTE };
                (void)snprintf(units[i].unit, sizeof(units[i].unit), "%s", names[i]);
        }
        machine->now.log_units = units;
        machine->now.log_unit_count = 3;
        fake_run(machine, 30);
        assert_clear(CHECK, "no large log");
        units[0].entries = 72000; /* 200 a second */
        fake_run(machine, 10);
        struct finding finding = assert_found(CHECK);
        assert_string_equal(finding.culprit.name, "/var/log/journal");
        assert_string_equal(finding.culprit.unit, "app.service");
        assert_says(&finding, "app.service writes 200 messages a second into the journal (900 MB)");
        assert_says(&finding, "/etc/systemd/system/app.service.d/slowd.conf");
        assert_says(&finding, "SystemMaxUse=500M");
        (void)snprintf(units[0].unit, sizeof(units[0].unit), "a b;reboot.service");
        fake_run(machine, 10);
        finding = assert_found(CHECK);
        for (size_t i = 0; i < finding.remedy_count; i++)
                assert_null(strstr(finding.remedies[i].command, "reboot"));
}

static void test_names(void **state)
{
        (void)state;
        set_place(20 * GB);
        struct log_file_sample *log = set_log(0, "/srv/a b/$(reboot).log", LOG_FILE, 500 * MB);
        fake_run(machine, 30);
        grow(log, 20 * MB, 120);
        struct finding finding = assert_found(CHECK);
        for (size_t i = 0; i < finding.remedy_count; i++)
                assert_null(strstr(finding.remedies[i].command, "reboot"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_unknown_and_none),
                CASE(test_fills),
                CASE(test_has_filled),
                CASE(test_has_filled_quickly),
                CASE(test_others_have_filled),
                CASE(test_rotation),
                CASE(test_huge),
                CASE(test_read_over_and_over),
                CASE(test_reading_that_is_none_of_it),
                CASE(test_journal),
                CASE(test_names),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
