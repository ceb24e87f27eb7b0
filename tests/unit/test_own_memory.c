/* What is let go of after the start, seen in this process's own smaps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sqlite3.h>

#include "daemon/own_memory.h"

#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif

/* Kernel 6.18: "7f7729fd9000-7f772a000000 r-xp 00003000 fe:00 1234  /usr/lib/x86_64-linux-gnu/libm.so.6",
 * then "Rss:                 300 kB" among others. Of mappings that are never written to; 0 if there are
 * none. */
static unsigned long resident_kib(const char *library)
{
        char line[512];
        unsigned long sum = 0, kib;
        bool is_in = false;
        FILE *file = fopen("/proc/self/smaps", "re");
        assert_non_null(file);
        while (fgets(line, sizeof(line), file)) {
                char permissions[5];
                if (sscanf(line, "%*x-%*x %4s", permissions) == 1)
                        is_in = strstr(line, library) && strcmp(permissions, "r-xp") == 0;
                else if (is_in && sscanf(line, "Rss: %lu", &kib) == 1)
                        sum += kib;
        }
        (void)fclose(file);
        return sum;
}

static bool kernel_can(void)
{
        void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert_true(page != MAP_FAILED);
        bool can = madvise(page, 4096, MADV_DONTNEED_LOCKED) == 0;
        (void)munmap(page, 4096);
        return can;
}

static void libraries_are_let_go_of_and_come_back(void **state)
{
        (void)state;
        char version[32];
        (void)snprintf(version, sizeof(version), "%s", sqlite3_libversion());
        sqlite3 *db;
        assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
        unsigned long before = resident_kib("/libsqlite3.so"), c_before = resident_kib("/libc.so");
        if (before == 0 || !kernel_can()) {
                print_message("skipped: sqlite is no library here, or the kernel is older than 5.18\n");
                skip();
        }
        own_memory_lock(); /* or not: both ways are slowd's */
        own_memory_forget_start();
        assert_int_equal(resident_kib("/libsqlite3.so"), 0);
        assert_true(resident_kib("/libc.so") >= c_before);
        assert_string_equal(sqlite3_libversion(), version);
        assert_int_equal(sqlite3_exec(db, "CREATE TABLE t (x); INSERT INTO t VALUES (1)", NULL, NULL, NULL),
                         SQLITE_OK);
        assert_int_equal(sqlite3_close(db), SQLITE_OK);
        assert_true(resident_kib("/libsqlite3.so") > 0);
        own_memory_forget_start(); /* twice is harmless */
        (void)munlockall();
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(libraries_are_let_go_of_and_come_back) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
