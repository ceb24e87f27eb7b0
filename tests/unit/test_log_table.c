/* The log scan's table, the names of logs, and the hints of the tick. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/sample/log_scan.h"
#include "daemon/sample/log_table.h"
#include "tests/support/tree.h"

#define MB UINT64_C(1000000)

static struct log_table table;
static struct log_file_sample rows[LOG_FILES_MAX];

static struct log_facts facts(uint64_t inode, uint64_t size)
{
        return (struct log_facts){
                .device = 1, .inode = inode, .major = 8, .size_bytes = size, .allocated_bytes = size
        };
}

static struct log_entry *note(const char *path, uint64_t inode, uint64_t size, usec_t seconds)
{
        struct log_facts what = facts(inode, size);
        return log_table_note(&table, path, LOG_FILE, &what, seconds * USEC_PER_SEC);
}

static int set_up(void **state)
{
        (void)state;
        memset(&table, 0, sizeof(table));
        return 0;
}

static void test_names(void **state)
{
        (void)state;
        static const struct {
                const char *path;
                bool is_appended;
                enum log_kind kind;
        } cases[] = {
                { "/var/log/syslog", false, LOG_FILE },
                { "/var/log/syslog.2.gz", true, LOG_OTHER },
                { "/srv/app/app.log", false, LOG_FILE },
                { "/srv/app/app.log.1", false, LOG_FILE },
                { "/srv/app/logs/out", false, LOG_FILE },
                { "/srv/app/data", true, LOG_OTHER },
                { "/srv/app/orders.txt", true, LOG_OTHER },
                { "/srv/app/CATALOG_7", true, LOG_FILE },
                { "/srv/app/Debug7", true, LOG_FILE },
                { "/srv/app/Debug7", false, LOG_OTHER },
                { "/srv/app/data", false, LOG_OTHER },
                { "/var/lib/mysql/x.ibd", true, LOG_OTHER },
                { "/var/lib/redis/appendonly.aof", true, LOG_OTHER },
                { "/var/lib/docker/containers/abc/abc-json.log", false, LOG_CONTAINER },
                { "/var/log/pods/ns_pod/c/0.log", false, LOG_CONTAINER },
                { "/home/me/dialog.txt", false, LOG_OTHER },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                assert_int_equal(log_kind_of_path(cases[i].path, cases[i].is_appended), cases[i].kind);
}

static void test_growth(void **state)
{
        (void)state;
        struct log_entry *entry = note("/a", 1, 10 * MB, 1000);
        assert_true(log_entry_growth(entry) == 0);
        for (usec_t at = 1010; at <= 1900; at += 10) {
                assert_ptr_equal(note("/a", 1, 10 * MB + (at - 1000) * MB, at), entry);
                log_table_mark(&table, at * USEC_PER_SEC);
        }
        assert_true(log_entry_growth(entry) > 0.99 * MB && log_entry_growth(entry) < 1.01 * MB);
        assert_int_equal(log_table_choose(&table, 1900 * USEC_PER_SEC, rows, LOG_FILES_MAX), 1);
        assert_true(rows[0].earlier_usec >= LOG_LOOK_BACK_USEC &&
                    rows[0].earlier_usec <= 2 * LOG_LOOK_BACK_USEC);
        assert_int_equal(rows[0].size_bytes - rows[0].earlier_bytes, rows[0].earlier_usec);
        assert_int_equal(rows[0].opens, ABSENT);
        /* Rotated: another file of that name, or cut to nothing. */
        (void)note("/a", 2, 0, 1910);
        assert_true(log_entry_growth(entry) == 0);
        (void)note("/a", 2, 5 * MB, 1920);
        assert_true(log_entry_growth(entry) == 0.5 * MB);
        (void)note("/a", 2, 1 * MB, 1930);
        assert_true(log_entry_growth(entry) == 0);
}

static void test_room(void **state)
{
        char path[32];
        (void)state;
        for (unsigned i = 0; i < LOG_ENTRIES_MAX; i++) {
                (void)snprintf(path, sizeof(path), "/f%u", i);
                assert_non_null(note(path, i + 1, (i + 1) * MB, 1000));
        }
        assert_null(note("/small", 1000, MB / 2, 1000));
        assert_non_null(note("/large", 1001, 1000 * MB, 1000));
        assert_int_equal(table.count, LOG_ENTRIES_MAX);
        assert_int_equal(log_table_choose(&table, 1000 * USEC_PER_SEC, rows, LOG_FILES_MAX), LOG_FILES_MAX);
        assert_string_equal(rows[0].path, "/large");
        /* One that is read over and over comes before all. */
        struct log_entry *read = note("/f5", 6, 6 * MB, 1001);
        read->reader_pid = 7;
        read->reader_usec = 1001 * USEC_PER_SEC;
        read->watch = 1;
        read->watched_since_usec = 1001 * USEC_PER_SEC;
        read->opens = 3;
        read->read_bytes = 18 * MB;
        (void)log_table_choose(&table, 1011 * USEC_PER_SEC, rows, LOG_FILES_MAX);
        assert_string_equal(rows[0].path, "/f5");
        assert_int_equal(rows[0].opens, 3);
        assert_int_equal(rows[0].watched_usec, 10 * USEC_PER_SEC);
        log_table_forget(&table, read);
        assert_int_equal(table.count, LOG_ENTRIES_MAX - 1);
}

/* Removed while it is open: the same file under another kind, and not mistaken for a new one of its name. */
static void test_deleted(void **state)
{
        (void)state;
        struct log_entry *entry = note("/a", 1, 10 * MB, 1000);
        struct log_facts gone = facts(1, 20 * MB);
        assert_ptr_equal(log_table_note(&table, "/a (deleted)", LOG_DELETED, &gone, 1010 * USEC_PER_SEC),
                         entry);
        assert_int_equal(entry->kind, LOG_DELETED);
        struct log_entry *other = note("/a", 2, 1 * MB, 1020);
        assert_ptr_not_equal(other, entry);
        assert_int_equal(table.count, 2);
}

static void test_hints(void **state)
{
        static struct sample samples[2];
        static struct process_sample processes[2][40];
        (void)state;
        for (int k = 0; k < 2; k++) {
                samples[k].time.monotonic_usec = (10 + 5 * (usec_t)k) * USEC_PER_SEC;
                samples[k].processes = processes[k];
                samples[k].process_count = 40;
                for (uint32_t i = 0; i < 40; i++)
                        processes[k][i] = (struct process_sample){
                                .pid = 100 + i,
                                .start_ticks = i,
                                .write_chars = (uint64_t)k * i * MB,
                                .read_chars = (uint64_t)k * (i == 7 ? 500 * MB : 1 * MB),
                        };
        }
        processes[1][39].start_ticks = 99; /* another process of that number */
        processes[1][38].write_chars = ABSENT;
        struct log_hints hints = log_hints_of(&samples[0], &samples[1]);
        assert_int_equal(hints.reader_count, 1);
        assert_int_equal(hints.readers[0], 107);
        assert_int_equal(hints.writer_count, LOG_HINTS_MAX);
        assert_int_equal(hints.writers[0], 137);
        assert_int_equal(hints.writers[LOG_HINTS_MAX - 1], 137 - (LOG_HINTS_MAX - 1));
        log_hints_give(&hints);
        assert_int_equal(log_hints_take().readers[0], 107);
        assert_int_equal(log_hints_of(NULL, &samples[1]).writer_count, 0);
        assert_int_equal(log_hints_of(&samples[1], &samples[0]).writer_count, 0);
}

/* A recorded tree has no processes that hold files open, and its logs are not kept with it. */
static void test_recorded_machine(void **state)
{
        struct tree tree;
        struct aside *aside = NULL;
        const void *result;
        usec_t begun_usec;
        bool is_new;
        (void)state;
        tree_init(&tree);
        assert_int_equal(aside_new(&log_scan_source, &tree.root, &clock_real, &aside), 0);
        assert_int_equal(aside_take(aside, &result, &begun_usec, &is_new), -EAGAIN); /* it begins later */
        aside = aside_free(aside);
        void *scan = calloc(1, log_scan_source.state_size);
        struct log_scan_result *rows_of_scan = calloc(1, log_scan_source.result_size);
        assert_true(scan && rows_of_scan);
        assert_int_equal(log_scan_source.look(&tree.root, &clock_real, scan, rows_of_scan), -EOPNOTSUPP);
        log_scan_source.done(scan, NULL);
        free(scan);
        free(rows_of_scan);
        tree_done(&tree);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test_setup(test_growth, set_up),
                cmocka_unit_test_setup(test_room, set_up),
                cmocka_unit_test_setup(test_deleted, set_up),
                cmocka_unit_test(test_hints),
                cmocka_unit_test(test_recorded_machine),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
