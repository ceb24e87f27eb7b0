/* smartctl's answers and the file that is made of them. The answers are made by hand after the form of
 * smartctl 7.3, but for the first, which is real; what the check makes of it is in test_disk_failing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/examine_answer.h"

static struct disk_health_row row;

static int answer(const char *text, int status)
{
        memset(&row, 0, sizeof(row));
        (void)snprintf(row.sample.name, sizeof(row.sample.name), "sda");
        return examine_answer(span_of(text), status, &row);
}

static void test_bad(void **state)
{
        (void)state;
        static const char *const bad[] = { "", "{", "[]", "null", "\"x\"", "smartctl: not found" };
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                assert_int_equal(answer(bad[i], 0), -EINVAL);
                assert_int_equal(row.sample.state, DISK_HEALTH_SILENT);
                assert_string_equal(row.sample.name, "sda");
        }
        assert_int_equal(answer("{}", 0), 0);
        assert_int_equal(row.sample.state, DISK_HEALTH_UNSUPPORTED);
        /* wrong types, negative and huge numbers */
        assert_int_equal(
                answer("{\"smart_status\":1,\"ata_smart_attributes\":{\"table\":[1,null,{\"id\":\"5\"},"
                       "{\"id\":197,\"raw\":{\"value\":-1}},{\"id\":198,\"raw\":7}]},"
                       "\"power_on_time\":{\"hours\":99999999999999999999}}",
                       0),
                0);
        assert_true(row.sample.now.pending == ABSENT && row.sample.now.offline == ABSENT);
        assert_true(row.sample.hours == ABSENT);
        char deep[200] = { 0 };
        memset(deep, '[', 100);
        assert_int_equal(answer(deep, 0), -EINVAL);
}

static void test_virtual(void **state)
{
        (void)state;
        /* of a virtio disk, smartctl 7.3 */
        assert_int_equal(
                answer("{\"json_format_version\":[1,0],\"smartctl\":{\"version\":[7,3],\"messages\":[{"
                       "\"string\":\"/dev/vda: Unable to detect device type\",\"severity\":\"error\"}],"
                       "\"exit_status\":1}}",
                       1),
                0);
        assert_int_equal(row.sample.state, DISK_HEALTH_UNSUPPORTED);
        assert_int_equal(answer("", EXAMINE_ASLEEP), 0);
        assert_int_equal(row.sample.state, DISK_HEALTH_ASLEEP);
        assert_int_equal(answer("{}", 2), 0);
        assert_int_equal(row.sample.state, DISK_HEALTH_SILENT);
}

static void test_ata(void **state)
{
        (void)state;
        assert_int_equal(answer("{\"device\":{\"protocol\":\"ATA\"},\"model_name\":\"ST4000DM004-2CV104\","
                                "\"serial_number\":\"ZFN0\\u001bX\",\"smart_status\":{\"passed\":false},"
                                "\"power_on_time\":{\"hours\":12345},\"temperature\":{\"current\":35},"
                                "\"ata_smart_attributes\":{\"revision\":10,\"table\":["
                                "{\"id\":5,\"name\":\"Reallocated_Sector_Ct\",\"raw\":{\"value\":24,"
                                "\"string\":\"24\"}},"
                                "{\"id\":187,\"raw\":{\"value\":3,\"string\":\"3\"}},"
                                "{\"id\":188,\"raw\":{\"value\":4295032833,\"string\":\"1 1 1\"}},"
                                "{\"id\":197,\"raw\":{\"value\":8,\"string\":\"8\"}},"
                                "{\"id\":198,\"raw\":{\"value\":9,\"string\":\"9\"}},"
                                "{\"id\":199,\"raw\":{\"value\":40,\"string\":\"40\"}}]}}",
                                8),
                         0);
        assert_int_equal(row.sample.state, DISK_HEALTH_TOLD);
        assert_string_equal(row.sample.model, "ST4000DM004-2CV104");
        assert_string_equal(row.sample.serial, "ZFN0?X");
        assert_int_equal(row.sample.passed, 0);
        assert_int_equal(row.sample.hours, 12345);
        assert_int_equal(row.sample.now.reallocated, 24);
        assert_int_equal(row.sample.now.uncorrected, 3);
        assert_int_equal(row.sample.now.timeouts, 1);
        assert_int_equal(row.sample.now.pending, 8);
        assert_int_equal(row.sample.now.offline, 9);
        assert_int_equal(row.sample.now.crc, 40);
        assert_true(row.sample.now.media_errors == ABSENT);
}

static void test_nvme_and_scsi(void **state)
{
        (void)state;
        assert_int_equal(
                answer("{\"device\":{\"protocol\":\"NVMe\"},\"smart_status\":{\"passed\":true},"
                       "\"nvme_smart_health_information_log\":{\"critical_warning\":4,\"temperature\":323,"
                       "\"available_spare\":100,\"available_spare_threshold\":10,\"percentage_used\":3,"
                       "\"media_errors\":7,\"num_err_log_entries\":120}}",
                       0),
                0);
        assert_int_equal(row.sample.critical_warning, 4);
        assert_int_equal(row.sample.spare_percent, 100);
        assert_int_equal(row.sample.spare_threshold_percent, 10);
        assert_int_equal(row.sample.used_percent, 3);
        assert_int_equal(row.sample.now.media_errors, 7);
        assert_int_equal(answer("{\"device\":{\"protocol\":\"SCSI\"},\"scsi_model_name\":\"X\","
                                "\"smart_status\":{\"passed\":true},\"scsi_grown_defect_list\":56,"
                                "\"scsi_error_counter_log\":{\"read\":{\"total_uncorrected_errors\":2}}}",
                                0),
                         0);
        assert_int_equal(row.sample.now.reallocated, 56);
        assert_int_equal(row.sample.now.uncorrected, 2);
}

/* ---- the file ---- */

static struct disk_health_file file, read_back;

static int parse(const char *text)
{
        return disk_health_parse(span_of(text), &file);
}

static void test_bad_file(void **state)
{
        (void)state;
        assert_int_equal(parse(""), -EINVAL);
        assert_int_equal(parse("slowd-disks 2\nwritten 1\n"), -EINVAL);
        assert_int_equal(parse("slowd-disks 1\n"), -EINVAL);
        assert_int_equal(parse("slowd-disks 1\nwritten x\n"), -EINVAL);
        assert_int_equal(parse("slowd-disks 1\nwritten 1\ngarbage\n"), -EINVAL);
        assert_int_equal(parse("slowd-disks 1\nwritten 1\n"), 0);
        assert_int_equal(file.count, 0);
        /* a bad disk is left out, the others stay */
        assert_int_equal(
                parse("slowd-disks 1\nwritten 1\ndisk sda\nstate told\npassed yes\ndisk sdb\nstate told\n"
                      "passed 1\nlater 5\ndisk sdc\nstate well\ndisk\n"),
                -EINVAL);
        assert_int_equal(file.count, 1);
        assert_string_equal(file.rows[0].sample.name, "sdb");
        assert_int_equal(file.rows[0].sample.passed, 1);
        assert_int_equal(parse("slowd-disks 1\nwritten 1\nlacks smartctl\n"), 0);
        assert_true(file.lacks_smartctl);
}

static void test_there_and_back(void **state)
{
        (void)state;
        static char text[DISK_HEALTH_TEXT_MAX];
        test_ata(NULL);
        file = (struct disk_health_file){ .written_usec = 77, .count = DISK_HEALTH_MAX };
        for (size_t i = 0; i < DISK_HEALTH_MAX; i++) {
                file.rows[i] = row;
                (void)snprintf(file.rows[i].sample.name, sizeof(row.sample.name), "sd%zu", i);
                disk_health_remember(&file.rows[i], NULL, 1000 + i);
        }
        ssize_t length = disk_health_format(&file, text, sizeof(text));
        assert_true(length > 0);
        assert_int_equal(disk_health_parse((struct span){ text, (size_t)length }, &read_back), 0);
        assert_int_equal(read_back.written_usec, 77);
        assert_int_equal(read_back.count, DISK_HEALTH_MAX);
        assert_memory_equal(read_back.rows, file.rows, sizeof(file.rows));
        assert_int_equal(disk_health_format(&file, text, 1000), -ENOBUFS);
}

static void test_growth_is_remembered(void **state)
{
        (void)state;
        struct disk_health_row former, now;
        test_ata(NULL);
        former = row;
        usec_t at = 100 * USEC_PER_DAY;
        disk_health_remember(&former, NULL, at);
        assert_int_equal(former.sample.before_usec, at);
        for (int day = 1; day <= 20; day++) {
                now = row;
                now.sample.now.reallocated = 24 + (uint64_t)day;
                disk_health_remember(&now, &former, at + (usec_t)day * USEC_PER_DAY);
                usec_t age = now.sample.asked_usec - now.sample.before_usec;
                assert_true(day < 8 || (age >= DISK_HEALTH_WEEK_USEC && age <= 2 * DISK_HEALTH_WEEK_USEC));
                assert_int_equal(now.sample.now.reallocated - now.sample.before.reallocated,
                                 age / USEC_PER_DAY);
                former = now;
        }
        /* asleep: what it said before stays */
        (void)answer("", EXAMINE_ASLEEP);
        disk_health_remember(&row, &former, at + 30 * USEC_PER_DAY);
        assert_int_equal(row.sample.state, DISK_HEALTH_ASLEEP);
        assert_int_equal(row.sample.now.reallocated, 44);
        assert_int_equal(row.sample.asked_usec, at + 20 * USEC_PER_DAY);
        /* another disk under that name */
        test_ata(NULL);
        (void)snprintf(row.sample.serial, sizeof(row.sample.serial), "other");
        disk_health_remember(&row, &former, at + 30 * USEC_PER_DAY);
        assert_int_equal(row.sample.before_usec, at + 30 * USEC_PER_DAY);
        assert_int_equal(row.sample.before.reallocated, 24);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_virtual),
                cmocka_unit_test(test_ata),
                cmocka_unit_test(test_nvme_and_scsi),
                cmocka_unit_test(test_bad_file),
                cmocka_unit_test(test_there_and_back),
                cmocka_unit_test(test_growth_is_remembered),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
