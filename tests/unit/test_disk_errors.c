/* disk.errors: what fails now is a cause, what failed lately a risk, what was counted long ago is history. */
#include "common/text.h"
#include "tests/support/cases.h"

#define CHECK "disk.errors"

static struct mount_sample mounts[2];
static struct fs_errors_sample fs[1];

/* sda with one partition, mounted on /data. */
static void add_partition(void)
{
        struct sample *now = &machine->now;
        struct disk_sample *part = &now->disks[now->disk_count++];
        *part = now->disks[0];
        part->major = 8;
        part->minor = 1;
        part->is_partition = true;
        text_format(part->name, sizeof(part->name), "sda1");
        text_format(part->lower, sizeof(part->lower), "sda");
        mounts[0] = (struct mount_sample){ .major = 8, .minor = 1, .type = "ext4", .path = "/data" };
        now->mounts = mounts;
        now->mount_count = 1;
        text_format(now->disks[0].address, sizeof(now->disks[0].address), "ata3 2:0:0:0");
}

static void add_mapped(const char *name, const char *lower)
{
        struct disk_sample *disk = &machine->now.disks[machine->now.disk_count++];
        *disk = machine->now.disks[0];
        disk->is_stacked = true;
        disk->major = 253;
        disk->address[0] = '\0';
        text_format(disk->name, sizeof(disk->name), "%s", name);
        text_format(disk->lower, sizeof(disk->lower), "%s", lower);
}

static void count_errors(uint64_t errors, uint64_t ago_seconds)
{
        fs[0] = (struct fs_errors_sample){ .device = "sda1",
                                           .type = "ext4",
                                           .devices = 1,
                                           .errors = errors,
                                           .first_usec = ABSENT,
                                           .last_usec =
                                                   machine->now.time.realtime_usec - SECONDS(ago_seconds) };
        machine->now.fs_errors = fs;
        machine->now.fs_errors_count = 1;
}

static void test_none(void **state)
{
        (void)state;
        fake_run(machine, 5);
        assert_clear(CHECK, "no disk and no file system has reported an error");
        machine->now.collectors[0] = (struct collector_status){ .name = "kmsg", .state = COLLECTOR_DENIED };
        machine->now.collector_count = 1;
        fake_run(machine, 2);
        struct finding finding = assert_verdict(CHECK, VERDICT_UNKNOWN, false);
        assert_says(&finding, "messages cannot be read");
}

static void test_fails_now(void **state)
{
        (void)state;
        add_partition();
        struct fake_process *database = fake_add(machine, "postgres", "postgresql.service");
        database->running = 0.05;
        fake_run(machine, 30);
        usec_t at = machine->now.time.realtime_usec;
        for (int i = 0; i < 3; i++)
                fake_message(
                        machine, 3,
                        "critical medium error, dev sda, sector 4656 op 0x0:(READ) flags 0x0 phys_seg 1");
        fake_message(machine, 3, "Buffer I/O error on dev sda1, logical block 7, lost async page write");
        fake_message(machine, 2, "EXT4-fs (sda1): Remounting filesystem read-only");
        database->disk_wait = 0.6;
        machine->disk_busy = 1;
        fake_run(machine, 10);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.kind, FINDING_CAUSE);
        assert_int_equal(finding.severity, SEVERITY_CRITICAL);
        assert_int_equal(finding.since_usec, at);
        assert_int_equal(finding.culprit.kind, SUBJECT_DISK);
        assert_string_equal(finding.culprit.name, "sda");
        assert_true(fake_is_victim(&finding, "postgres"));
        assert_about(finding.lost_permille, 923, 2);
        assert_says(&finding,
                    "the disk sda (/data) returns I/O errors, and its file system takes no more writes");
        assert_says(&finding, "reads or writes that have failed: 3 (messages");
        assert_says(&finding, "critical medium error, dev sda, sector 4656");
        assert_says(&finding, "smartctl -a /dev/sda");
        /* It fades: a risk after two minutes, and then over. */
        machine->disk_busy = database->disk_wait = 0;
        fake_run(machine, 120);
        finding = assert_found(CHECK);
        assert_int_equal(finding.kind, FINDING_RISK);
        assert_int_equal(finding.lost_permille, 0);
        for (int i = 0; i < 16; i++)
                fake_tick(machine, 60);
        assert_clear(CHECK, "no disk and no file system");
}

static void test_other_disk_is_busy(void **state)
{
        (void)state;
        add_partition();
        add_mapped("sdb", "");
        struct fake_process *database = fake_add(machine, "postgres", "postgresql.service");
        database->disk_wait = 0.6;
        machine->disk_busy = 1; /* sda */
        fake_run(machine, 10);
        fake_message(machine, 3, "I/O error, dev sdb, sector 8 op 0x0:(READ) flags 0x0 phys_seg 1");
        fake_run(machine, 5);
        struct finding finding = assert_found(CHECK);
        assert_string_equal(finding.culprit.name, "sdb");
        assert_int_equal(finding.victim_count, 0);
        assert_int_equal(finding.lost_permille, 0);
}

static void test_file_system_only(void **state)
{
        (void)state;
        add_partition();
        fake_run(machine, 5);
        fake_message(machine, 2, "EXT4-fs error (device sda1): trigger_test_error:129: comm bash: test");
        count_errors(1, 0);
        fake_run(machine, 3);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.kind, FINDING_CAUSE);
        assert_string_equal(finding.culprit.name, "sda");
        assert_true(fake_is_victim(&finding, "bash"));
        assert_says(&finding, "the file system on sda (/data) has errors");
        assert_says(&finding, "umount /dev/sda1 && e2fsck -f /dev/sda1");
        assert_false(fake_says(&finding, "smartctl"));
}

/* An upper device's errors are those of the disk below it, if that has some; else they are its own. */
static void test_stacked(void **state)
{
        (void)state;
        add_partition();
        add_mapped("dm-0", "sda1");
        fake_run(machine, 5);
        fake_message(machine, 3, "Buffer I/O error on dev dm-0, logical block 33, async page read");
        fake_run(machine, 2);
        struct finding finding = assert_found(CHECK);
        assert_string_equal(finding.culprit.name, "dm-0");
        assert_says(&finding, "dm-0 lies on sda1, which has reported no error");
        fake_message(machine, 3, "I/O error, dev sda, sector 8 op 0x0:(READ) flags 0x0 phys_seg 1");
        fake_run(machine, 2);
        finding = assert_found(CHECK);
        assert_string_equal(finding.culprit.name, "sda");
        assert_says(&finding, "reads or writes that have failed: 2 (messages");
}

static void test_old_count(void **state)
{
        (void)state;
        add_partition();
        count_errors(3, 180 * 86400);
        fake_run(machine, 5);
        assert_clear(CHECK, "sda1 has counted 3, the last 180 d");
        fs[0].last_usec = ABSENT; /* btrfs, from before slowd looked */
        fake_run(machine, 1);
        assert_clear(CHECK, "sda1 has counted 3 before slowd looked");
        fs[0].last_usec = machine->now.time.realtime_usec + SECONDS(86400); /* another clock's */
        fake_run(machine, 1);
        assert_clear(CHECK, "sda1 has counted 3");
        fs[0].errors = 0;
        fake_run(machine, 1);
        assert_clear(CHECK, "no disk and no file system");
}

static void test_recent_count(void **state)
{
        (void)state;
        add_partition();
        mounts[0].is_read_only = true;
        count_errors(3, 7200);
        fake_run(machine, 5);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.kind, FINDING_RISK);
        assert_int_equal(finding.severity, SEVERITY_CRITICAL);
        assert_says(&finding, "has errors and takes no more writes");
        assert_says(&finding, "has counted 3 errors, the last 2 h");
}

static void test_ejected(void **state)
{
        (void)state;
        add_mapped("sdb", "");
        struct disk_sample *stick = &machine->now.disks[1];
        stick->is_stacked = false;
        stick->is_removable = true;
        text_format(stick->address, sizeof(stick->address), "6:0:0:0");
        fake_run(machine, 5);
        machine->now.disk_count = 1; /* pulled out */
        fake_message(machine, 3, "I/O error, dev sdb, sector 8 op 0x1:(WRITE) flags 0x0 phys_seg 1");
        fake_message(machine, 3, "sd 6:0:0:0: rejecting I/O to offline device");
        fake_run(machine, 2);
        assert_clear(CHECK, "sdb was taken out while it was in use");
}

static void test_resets(void **state)
{
        (void)state;
        add_partition();
        fake_run(machine, 5);
        fake_message(machine, 3, "ata3.00: exception Emask 0x0 SAct 0x10 SErr 0x0 action 0x6 frozen");
        fake_message(machine, 3,
                     "ata7.00: exception Emask 0x0 SAct 0x0 SErr 0x0 action 0x6 frozen"); /* a CD */
        fake_run(machine, 2);
        assert_clear(CHECK, "the link to sda was reset once");
        fake_message(machine, 3, "ata3.00: exception Emask 0x0 SAct 0x10 SErr 0x0 action 0x6 frozen");
        fake_run(machine, 2);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.kind, FINDING_RISK); /* nobody waits */
        assert_says(&finding, "had to be reset 2 times");
}

static void test_array(void **state)
{
        (void)state;
        add_mapped("md0", "");
        struct raid_sample *raid = &machine->now.raids[machine->now.raid_count++];
        *raid = (struct raid_sample){
                .name = "md0", .level = "raid1", .action = "recovery", .disks_wanted = 2, .disks_working = 1
        };
        fake_run(machine, 5);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.kind, FINDING_RISK);
        assert_string_equal(finding.culprit.name, "md0");
        assert_says(&finding, "the array md0 runs without 1 of its 2 disks");
        assert_says(&finding, "a new one is being filled");
        assert_says(&finding, "mdadm --detail /dev/md0");
        raid->disks_working = 2;
        fake_run(machine, 1);
        assert_clear(CHECK, "no disk and no file system");
}

/* A thousand messages must not push out the one that tells most. */
static void test_storm(void **state)
{
        (void)state;
        add_partition();
        fake_run(machine, 5);
        fake_message(machine, 2, "EXT4-fs (sda1): Remounting filesystem read-only");
        for (int i = 0; i < 200; i++) {
                for (int k = 0; k < 50; k++)
                        fake_message(machine, 3, "I/O error, dev sda, sector 8 op 0x0:(READ) flags 0x0");
                fake_run(machine, 1);
        }
        struct finding finding = assert_found(CHECK);
        assert_says(&finding, "reads or writes that have failed: 10000 (messages");
        assert_says(&finding, "takes no more writes");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_none),
                CASE(test_fails_now),
                CASE(test_other_disk_is_busy),
                CASE(test_stacked),
                CASE(test_file_system_only),
                CASE(test_old_count),
                CASE(test_recent_count),
                CASE(test_ejected),
                CASE(test_resets),
                CASE(test_array),
                CASE(test_storm),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
