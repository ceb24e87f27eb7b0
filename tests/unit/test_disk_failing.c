/* disk.failing: what the disk says of itself, by published failure rates and by growth. */
#include <errno.h>

#include "common/text.h"
#include "tests/support/cases.h"

#define CHECK "disk.failing"

static struct disk_health_sample disks[2];

static void told(const char *name)
{
        if (machine->now.disk_health != disks)
                machine->now.disk_health_count = 0;
        struct disk_health_sample *disk = &disks[machine->now.disk_health_count++];
        memset(disk, 0xff, sizeof(*disk));
        disk->model[0] = disk->serial[0] = '\0';
        text_format(disk->name, sizeof(disk->name), "%s", name);
        disk->state = DISK_HEALTH_TOLD;
        disk->asked_usec = machine->now.time.realtime_usec - SECONDS(600);
        disk->before_usec = machine->now.time.realtime_usec - SECONDS(9 * 86400);
        disk->passed = 1;
        machine->now.disk_health = disks;
        machine->now.collectors[0] = (struct collector_status){ .name = "diskHealth" };
        machine->now.collector_count = 1;
}

static void not_told(int error)
{
        machine->now.disk_health_count = 0;
        machine->now.collectors[0] = (struct collector_status){ .name = "diskHealth", .error = error };
        machine->now.collector_count = 1;
}

static void assert_unknown(const char *says)
{
        struct finding finding = assert_verdict(CHECK, VERDICT_UNKNOWN, false);
        assert_says(&finding, says);
}

static void test_not_asked(void **state)
{
        (void)state;
        fake_run(machine, 2);
        assert_clear(CHECK, "1 disk says of itself that nothing is wrong");
        machine->now.disk_health_count = 0;
        fake_run(machine, 2);
        assert_unknown("nobody recorded");
        not_told(-ENOPKG);
        fake_run(machine, 2);
        assert_unknown("smartctl is not installed");
        not_told(-EOPNOTSUPP);
        fake_run(machine, 2);
        assert_unknown("no systemd here");
        not_told(-ENOENT);
        fake_run(machine, 2);
        assert_unknown("have not been asked yet");
        not_told(-EINVAL);
        fake_run(machine, 2);
        assert_unknown("cannot be read");
        told("sda");
        disks[0].asked_usec -= SECONDS(100 * 3600);
        fake_run(machine, 2);
        assert_unknown("not been asked for more than 72 hours");
        disks[0].state = DISK_HEALTH_SILENT;
        fake_run(machine, 2);
        assert_unknown("sda does not answer");
        disks[0].state = DISK_HEALTH_ASLEEP;
        disks[0].asked_usec = ABSENT;
        fake_run(machine, 2);
        assert_unknown("not woken");
        text_format(machine->now.disks[0].name, DEVICE_NAME_MAX, "vda");
        not_told(-ENOPKG);
        fake_run(machine, 2);
        assert_clear(CHECK, "all disks here are virtual");
}

/* What means nothing. */
static void test_well(void **state)
{
        (void)state;
        told("sda");
        told("nvme0n1");
        struct disk_health_counts *now = &disks[0].now, *before = &disks[0].before;
        now->reallocated = 4;
        before->reallocated = 0;
        now->timeouts = before->timeouts = 90000;
        now->crc = before->crc = 40;
        now->pending = now->offline = now->uncorrected = 0;
        disks[1].critical_warning = 0;
        disks[1].spare_percent = 100;
        disks[1].spare_threshold_percent = 10;
        disks[1].used_percent = 90;
        disks[1].now.media_errors = disks[1].before.media_errors = 12;
        fake_run(machine, 2);
        assert_clear(CHECK, "2 disks say of themselves that nothing is wrong");
        now->reallocated = before->reallocated = 15; /* stable */
        fake_run(machine, 1);
        assert_clear(CHECK, "nothing is wrong");
}

static struct finding found_after(int severity)
{
        fake_run(machine, 2);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.kind, FINDING_RISK);
        assert_int_equal(finding.severity, severity);
        assert_int_equal(finding.lost_permille, 0);
        return finding;
}

static void test_sectors(void **state)
{
        (void)state;
        told("sda");
        struct disk_health_counts *now = &disks[0].now, *before = &disks[0].before;
        text_format(disks[0].serial, sizeof(disks[0].serial), "ZFN0");
        now->pending = 1;
        before->pending = 0;
        struct finding finding = found_after(SEVERITY_WARNING);
        assert_string_equal(finding.culprit.name, "sda");
        assert_int_equal(finding.culprit.kind, SUBJECT_DISK);
        assert_says(&finding, "sda is failing by its own account: sectors that cannot be read: 1");
        assert_says(&finding, "of such disks 34 % fail within a year");
        assert_says(&finding, "smartctl -x /dev/sda");
        assert_says(&finding, "serial number ZFN0");
        before->pending = ABSENT; /* asked for the first time */
        finding = found_after(SEVERITY_WARNING);
        assert_says(&finding, "of such disks 34 % fail within a year");
        now->pending = 120;
        finding = found_after(SEVERITY_CRITICAL);
        assert_says(&finding, "most such disks fail within a year");
        now->pending = 0;
        now->reallocated = before->reallocated = 16;
        finding = found_after(SEVERITY_WARNING);
        assert_says(&finding, "24 %");
        now->reallocated = 6;
        before->reallocated = 2;
        finding = found_after(SEVERITY_WARNING);
        assert_says(&finding, "sectors that were bad and are replaced: 6");
        assert_says(&finding, "compared with 9 d");
}

static void test_own_verdict(void **state)
{
        (void)state;
        told("sda");
        disks[0].passed = 0;
        struct finding finding = found_after(SEVERITY_CRITICAL);
        assert_says(&finding, "its own verdict is that it fails");
}

static void test_cable(void **state)
{
        (void)state;
        told("sda");
        disks[0].now.crc = 50;
        disks[0].before.crc = 20;
        struct finding finding = found_after(SEVERITY_NOTICE);
        assert_says(&finding, "50 transfers broke on its cable");
        assert_says(&finding, "check its cable");
        assert_false(fake_says(&finding, "replace it"));
}

static void test_nvme(void **state)
{
        (void)state;
        told("nvme0n1");
        disks[0].critical_warning = 4;
        struct finding finding = found_after(SEVERITY_CRITICAL);
        assert_says(&finding, "no longer reliable");
        disks[0].critical_warning = 2;
        finding = found_after(SEVERITY_NOTICE);
        assert_says(&finding, "temperature");
        disks[0].critical_warning = 0;
        disks[0].spare_percent = 9;
        disks[0].spare_threshold_percent = 10;
        finding = found_after(SEVERITY_CRITICAL);
        assert_says(&finding, "9 % left");
        disks[0].spare_percent = 100;
        disks[0].now.media_errors = 13;
        disks[0].before.media_errors = 12;
        finding = found_after(SEVERITY_WARNING);
        assert_says(&finding, "13 times it could not give back");
        assert_false(fake_says(&finding, "fail within a year")); /* nobody has counted */
        disks[0].now.media_errors = 12;
        disks[0].used_percent = 103;
        finding = found_after(SEVERITY_NOTICE);
        assert_says(&finding, "103 % of the writes");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_not_asked),   CASE(test_well),  CASE(test_sectors),
                CASE(test_own_verdict), CASE(test_cable), CASE(test_nvme),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
