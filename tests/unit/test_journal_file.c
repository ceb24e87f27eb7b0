/* Journal files: made by hand as journald lays them out, damaged in all places, and sound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/text.h"
#include "daemon/sample/journal_file.h"
#include "tests/support/tree.h"

#define FILE_SIZE 8192

static uint8_t file[FILE_SIZE];
static size_t used;
static struct journal_units units;
static struct tree tree;

static void put(size_t offset, uint64_t value)
{
        value = htole64(value);
        memcpy(file + offset, &value, sizeof(value));
}

static void begin(uint32_t flags)
{
        memset(file, 0, sizeof(file));
        memcpy(file, "LPKSHHRH", 8);
        file[12] = (uint8_t)flags;
        memcpy(file + 24, "0123456789abcdef", 16);
        put(120, 272 + 16); /* the field hash table's items: four of them */
        put(128, 4 * 16);
        put(152, 100); /* entries */
        used = 272 + 16 + 4 * 16;
}

static size_t object(uint8_t type, size_t payload_at, const char *payload)
{
        size_t offset = (used + 7) & ~(size_t)7;
        file[offset] = type;
        put(offset + 8, payload_at + strlen(payload));
        memcpy(file + offset + payload_at, payload, strlen(payload));
        used = offset + payload_at + strlen(payload);
        return offset;
}

/* A value in front of those that its field has already. */
static size_t value(size_t field, const char *text, uint64_t entries, bool is_compact)
{
        size_t offset = object(1, is_compact ? 72 : 64, text);
        uint64_t next;
        memcpy(&next, file + field + 32, 8);
        memcpy(file + offset + 32, &next, 8);
        put(offset + 56, entries);
        put(field + 32, offset);
        return offset;
}

static int read_back(size_t length)
{
        memset(&units, 0, sizeof(units));
        tree_write_bytes(&tree, "j", file, length);
        int fd = root_open(&tree.root, "j");
        assert_true(fd >= 0);
        int r = journal_file_read(fd, &units);
        (void)close(fd);
        return r;
}

static void make(bool is_compact)
{
        begin(is_compact ? 1 << 4 : 0);
        size_t other = object(2, 40, "MESSAGE"), unit = object(2, 40, "_SYSTEMD_UNIT");
        size_t transport = object(2, 40, "_TRANSPORT");
        put(272 + 16, other); /* two in one bucket */
        put(other + 24, unit);
        put(272 + 16 + 3 * 16, transport);
        (void)value(other, "MESSAGE=_SYSTEMD_UNIT=no.service", 9, is_compact);
        (void)value(unit, "_SYSTEMD_UNIT=ssh.service", 7, is_compact);
        (void)value(unit, "_SYSTEMD_UNIT=app.service", 70, is_compact);
        (void)value(transport, "_TRANSPORT=journal", 60, is_compact);
        (void)value(transport, "_TRANSPORT=kernel", 20, is_compact);
}

static uint64_t entries_of(const char *unit)
{
        for (size_t i = 0; i < units.count; i++)
                if (strcmp(units.units[i].unit, unit) == 0)
                        return units.units[i].entries;
        return ABSENT;
}

static void test_good(void **state)
{
        (void)state;
        for (int is_compact = 0; is_compact < 2; is_compact++) {
                make(is_compact);
                assert_int_equal(read_back(used), 0);
                assert_int_equal(units.entries, 100);
                assert_memory_equal(units.file_id, "0123456789abcdef", 16);
                assert_int_equal(units.count, 3);
                assert_int_equal(entries_of("app.service"), 70);
                assert_int_equal(entries_of("ssh.service"), 7);
                assert_int_equal(entries_of("kernel"), 20);
        }
}

static void test_bad(void **state)
{
        (void)state;
        make(false);
        for (size_t length = 0; length < used; length++) /* cut anywhere: an error, or what was there */
                if (read_back(length) == 0)
                        assert_true(units.count <= 3);
        assert_int_equal(read_back(100), -EBADMSG);
        file[0] = 'X';
        assert_int_equal(read_back(used), -EBADMSG);
        make(false);
        file[12] = 0x40; /* a flag of a later day */
        assert_int_equal(read_back(used), -EBADMSG);
        make(false);
        put(128, UINT64_MAX);
        assert_int_equal(read_back(used), -EBADMSG);
        make(false);
        put(120, UINT64_MAX - 3);
        assert_true(read_back(used) < 0);
        make(false);
        put(272 + 16, 3); /* no object begins there */
        assert_int_equal(read_back(used), -EBADMSG);
        /* Any byte may be damaged: it ends, and within bounds. */
        for (size_t at = 0; at < used; at++) {
                make(false);
                file[at] ^= 0xff;
                (void)read_back(used);
                assert_true(units.count <= JOURNAL_UNITS_MAX);
        }
}

static void test_circle(void **state)
{
        (void)state;
        begin(0);
        size_t unit = object(2, 40, "_SYSTEMD_UNIT");
        put(272 + 16, unit);
        put(unit + 24, unit);
        size_t one = value(unit, "_SYSTEMD_UNIT=a.service", 1, false);
        put(one + 32, one);
        assert_int_equal(read_back(used), 0);
}

static void test_many_units(void **state)
{
        char text[64];
        (void)state;
        begin(0);
        size_t unit = object(2, 40, "_SYSTEMD_UNIT");
        put(272 + 16, unit);
        for (unsigned i = 0; i < JOURNAL_UNITS_MAX + 8; i++) {
                text_format(text, sizeof(text), "_SYSTEMD_UNIT=u%u.service", i);
                (void)value(unit, text, i == 3 ? 5000 : i, false);
                assert_true(used < FILE_SIZE - 128);
        }
        assert_int_equal(read_back(used), 0);
        assert_int_equal(units.count, JOURNAL_UNITS_MAX);
        assert_int_equal(units.dropped, 8);
        assert_int_equal(entries_of("u3.service"), 5000); /* those with most stay */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_circle),
                cmocka_unit_test(test_many_units),
        };
        tree_init(&tree);
        int failed = cmocka_run_group_tests(tests, NULL, NULL);
        tree_done(&tree);
        return failed;
}
