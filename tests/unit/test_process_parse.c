/* Parsers of /proc/PID: bad input first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "daemon/sample/process_parse.h"
#include "daemon/sample/process_servers.h"
#include "daemon/sample/process_users.h"

/* Linux 6.18. */
#define STAT_TAIL                                                                                            \
        " S 2 3 4 0 -1 4194304 98 7 5 6 11 12 13 14 20 -5 4 0 140705 3133440 414 18446744073709551615 "      \
        "93835517415424 93835517435305 140729106163872 0 0 0 0 0 0 0 0 0 17 1 0 3 9 0 0 1 2 3 4 5 6 7 0\n"

static void stat_rejects_bad_input(void **state)
{
        static const char *const bad[] = {
                "",
                "\n",
                "1",
                "1 (x",
                "1 x) S 2",
                ")1 (x S",
                "1 (x)",
                "1 (x) S",
                "1 (x) S 2 3 4 0 -1 4194304 98 7 5 6 11 12 13 14 20 0 4 0 140705 3133440", /* truncated */
                "x (x)" STAT_TAIL,
                "-1 (x)" STAT_TAIL,
                "0 (x)" STAT_TAIL,
                "99999999999 (x)" STAT_TAIL,
                "1 (x) SS 2 3 4 0 -1 0 98 7 5 6 11 12 13 14 20 0 4 0 1 3 4 1 9 9 1 0 0 0 0 0 0 0 0 0 1 1 0 3 "
                "9",
                "1 (x) S 2 3 4 0 -1 0 98 7 5 6 99999999999999999999999 12 13 14 20 0 4 0 1 3 4 1 9 9 1 0 0 0 "
                "0 0 "
                "0 0 0 0 1 1 0 3 9",
                "1 (x) S 2 3 4 0 -1 0 98 7 5 6 11 12 13 14 20 77 4 0 1 3 4 1 9 9 1 0 0 0 0 0 0 0 0 0 1 1 0 3 "
                "9",
        };
        struct process_stat stat = { .pid = 77 };
        (void)state;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                assert_int_equal(process_parse_stat(bad[i], &stat), -EINVAL);
                assert_int_equal(stat.pid, 77);
        }
}

static void stat_is_read(void **state)
{
        struct process_stat stat;
        (void)state;
        assert_int_equal(process_parse_stat("10148 (cat)" STAT_TAIL, &stat), 0);
        assert_int_equal(stat.pid, 10148);
        assert_int_equal(stat.ppid, 2);
        assert_true(span_equal(stat.comm, "cat"));
        assert_int_equal(stat.state, 'S');
        assert_int_equal(stat.flags, 4194304);
        assert_int_equal(stat.minor_faults, 98);
        assert_int_equal(stat.major_faults, 5);
        assert_int_equal(stat.children_major_faults, 6);
        assert_int_equal(stat.user_ticks, 11);
        assert_int_equal(stat.system_ticks, 12);
        assert_int_equal(stat.children_user_ticks, 13);
        assert_int_equal(stat.children_system_ticks, 14);
        assert_int_equal(stat.nice, -5);
        assert_int_equal(stat.threads, 4);
        assert_int_equal(stat.start_ticks, 140705);
        assert_int_equal(stat.rss_pages, 414);
        assert_int_equal(stat.start_code, 93835517415424);
        assert_int_equal(stat.start_stack, 140729106163872);
        assert_int_equal(stat.policy, 3);
}

static void stat_takes_the_last_bracket(void **state)
{
        struct process_stat stat;
        (void)state;
        assert_int_equal(process_parse_stat("7 (a) R 1 (b c)" STAT_TAIL, &stat), 0);
        assert_true(span_equal(stat.comm, "a) R 1 (b c"));
        assert_int_equal(stat.ppid, 2);
        assert_int_equal(process_parse_stat("7 ()" STAT_TAIL, &stat), 0);
        assert_int_equal(stat.comm.length, 0);
}

static void statm_and_schedstat(void **state)
{
        struct process_statm statm;
        struct process_schedstat s;
        (void)state;
        assert_int_equal(process_parse_statm("", &statm), -EINVAL);
        assert_int_equal(process_parse_statm("765 414", &statm), -EINVAL);
        assert_int_equal(process_parse_statm("765 -1 386 5 0 124 0\n", &statm), -EINVAL);
        assert_int_equal(process_parse_statm("765 414 386 5 0 124 0\n", &statm), 0);
        assert_int_equal(statm.resident_pages, 414);
        assert_int_equal(statm.shared_pages, 386);
        assert_int_equal(process_parse_schedstat("75534 68914", &s), -EINVAL);
        assert_int_equal(process_parse_schedstat("a b c", &s), -EINVAL);
        assert_int_equal(process_parse_schedstat("75534 68914 2\n", &s), 0);
        assert_int_equal(s.run_nsec, 75534);
        assert_int_equal(s.run_delay_nsec, 68914);
        assert_int_equal(s.slices, 2);
}

static void the_limit_of_files(void **state)
{
        uint64_t limit = 7;
        (void)state;
        assert_int_equal(process_parse_files_limit("", &limit), -EINVAL);
        assert_int_equal(
                process_parse_files_limit("Limit  Soft Limit\nMax processes 5 6 processes\n", &limit),
                -EINVAL);
        assert_int_equal(process_parse_files_limit("Max open files", &limit), -EINVAL);
        assert_int_equal(process_parse_files_limit("Max open files   \n", &limit), -EINVAL);
        assert_int_equal(process_parse_files_limit("Max open files -1 5 files\n", &limit), -EINVAL);
        assert_int_equal(limit, 7);
        assert_int_equal(
                process_parse_files_limit(
                        "Limit                     Soft Limit           Hard Limit           Units     \n"
                        "Max processes             96258                96258                processes \n"
                        "Max open files            1024                 524288               files     \n"
                        "Max locked memory         8388608              8388608              bytes     \n",
                        &limit),
                0);
        assert_int_equal(limit, 1024);
        assert_int_equal(process_parse_files_limit("Max open files unlimited unlimited files", &limit), 0);
        assert_true(limit == ABSENT);
}

static void io_of_old_kernels_lacks_bytes(void **state)
{
        struct process_io io;
        (void)state;
        assert_int_equal(process_parse_io("", &io), -EINVAL);
        assert_int_equal(process_parse_io("rchar 5\n", &io), -EINVAL);
        assert_int_equal(process_parse_io("rchar: x\n", &io), -EINVAL);
        assert_int_equal(process_parse_io("nothing: 1\n", &io), -EINVAL);
        assert_int_equal(process_parse_io("rchar: 6976\nwchar: 1\nsyscr: 10\nsyscw: 2\n", &io), 0);
        assert_int_equal(io.read_chars, 6976);
        assert_int_equal(io.write_calls, 2);
        assert_true(io.read_bytes == ABSENT && io.cancelled_write_bytes == ABSENT);
        assert_int_equal(process_parse_io("rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 4096\n"
                                          "write_bytes: 8192\ncancelled_write_bytes: 512\n",
                                          &io),
                         0);
        assert_int_equal(io.read_bytes, 4096);
        assert_int_equal(io.write_bytes, 8192);
        assert_int_equal(io.cancelled_write_bytes, 512);
}

static void status_of_kernel_threads_lacks_memory(void **state)
{
        struct process_status status;
        (void)state;
        assert_int_equal(process_parse_status("", &status), -EINVAL);
        assert_int_equal(process_parse_status("State:\tS (sleeping)\nPPid:\t1\n", &status), -EINVAL);
        assert_int_equal(process_parse_status("State:\tS\nPPid:\t1\nUid:\t1000\n", &status), -EINVAL);
        assert_int_equal(process_parse_status("State:\tS\nPPid:\t1\nUid:\t0\t99999999999\n", &status),
                         -EINVAL);
        assert_int_equal(
                process_parse_status("State:\tS\nPPid:\t1\nUid:\t0\t33\t0\t0\nRssAnon:\t99999999999999999999 "
                                     "kB\n",
                                     &status),
                -EINVAL);
        assert_int_equal(
                process_parse_status("Name:\tx\nState:\tI (idle)\nPPid:\t2\nUid:\t0\t33\t0\t0\n", &status),
                0);
        assert_int_equal(status.uid, 33);
        assert_int_equal(status.ppid, 2);
        assert_int_equal(status.state, 'I');
        assert_true(status.rss_anon_bytes == ABSENT && status.swap_bytes == ABSENT);
        assert_int_equal(
                process_parse_status("State:\tS (sleeping)\nPPid:\t1\nUid:\t0\t0\t0\t0\nVmRSS:\t    1656 kB\n"
                                     "RssAnon:\t     112 kB\nRssFile:\t    1544 kB\nRssShmem:\t       0 kB\n"
                                     "VmPTE:\t      44 kB\nVmSwap:\t       8 kB\n",
                                     &status),
                0);
        assert_int_equal(status.rss_bytes, 1656 * 1024);
        assert_int_equal(status.rss_anon_bytes, 112 * 1024);
        assert_int_equal(status.rss_file_bytes, 1544 * 1024);
        assert_int_equal(status.rss_shmem_bytes, 0);
        assert_int_equal(status.swap_bytes, 8 * 1024);
        assert_int_equal(status.page_tables_bytes, 44 * 1024);
}

static void autogroup_may_be_empty(void **state)
{
        uint64_t number = 5;
        int8_t nice = 5;
        (void)state;
        assert_int_equal(process_parse_autogroup("", &number, &nice), -ENODATA);
        assert_int_equal(process_parse_autogroup("/autogroup- nice 0\n", &number, &nice), -EINVAL);
        assert_int_equal(process_parse_autogroup("/autogroup-19 nice\n", &number, &nice), -EINVAL);
        assert_int_equal(process_parse_autogroup("/autogroup-19 nice 99\n", &number, &nice), -EINVAL);
        assert_int_equal(process_parse_autogroup("autogroup-19 nice 0\n", &number, &nice), -EINVAL);
        assert_int_equal(number, 5);
        assert_int_equal(process_parse_autogroup("/autogroup-19 nice -7\n", &number, &nice), 0);
        assert_int_equal(number, 19);
        assert_int_equal(nice, -7);
}

static void passwd_lines(void **state)
{
        struct process_user user = { .uid = 1 };
        (void)state;
        assert_int_equal(process_users_parse(SPAN(""), &user), -EINVAL);
        assert_int_equal(process_users_parse(SPAN("# comment"), &user), -EINVAL);
        assert_int_equal(process_users_parse(SPAN(":x:1:1::/:/"), &user), -EINVAL);
        assert_int_equal(process_users_parse(SPAN("a:x:-1:1::/:/"), &user), -EINVAL);
        assert_int_equal(process_users_parse(SPAN("a:x:4294967296:1::/:/"), &user), -EINVAL);
        assert_int_equal(process_users_parse(SPAN("+::::::"), &user), -EINVAL); /* NIS */
        assert_int_equal(
                process_users_parse(SPAN("www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin"), &user), 0);
        assert_int_equal(user.uid, 33);
        assert_string_equal(user.name, "www-data");
        assert_int_equal(process_users_parse(SPAN("e\033vil:x:5:5:::"), &user), 0);
        assert_string_equal(user.name, "e?vil");
        /* bytes that continue a character which never began: found by the fuzzer, the name was empty */
        char text[64];
        memset(text, 0xac, 40);
        memcpy(text + 40, ":x:5:5:::", 10);
        assert_int_equal(process_users_parse(span_of(text), &user), 0);
        assert_true(strlen(user.name) >= USER_NAME_MAX - 4 && user.name[0] == '?');
}

static void listening_sockets(void **state)
{
        static const char listening[] =
                "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 "
                "    0        0 49021 1 0000000000000000 100 0 0 10 0";
        static const char connected[] =
                "   1: 0100007F:E635 0100007F:A784 01 00000000:00000000 03:00000926 00000000 "
                "    0        0 77 3 000000002eb12471";
        static const char header[] =
                "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt";
        uint64_t inode = 1;
        (void)state;
        assert_int_equal(process_servers_parse(SPAN(""), false, &inode), -EINVAL);
        assert_int_equal(process_servers_parse(SPAN(header), false, &inode), -EINVAL);
        assert_int_equal(process_servers_parse(SPAN("0: a b 0A 0:0 0:0 0"), false, &inode), -EINVAL);
        assert_int_equal(process_servers_parse(SPAN(connected), false, &inode), -ENODATA);
        assert_int_equal(inode, 1);
        assert_int_equal(process_servers_parse(SPAN(listening), false, &inode), 0);
        assert_int_equal(inode, 49021);
        assert_int_equal(
                process_servers_parse(SPAN("Num       RefCount Protocol Flags    Type St Inode Path"), true,
                                      &inode),
                -EINVAL);
        assert_int_equal(
                process_servers_parse(SPAN("00000000a9543955: 00000003 00000000 00000000 0001 03   629"),
                                      true, &inode),
                -ENODATA);
        assert_int_equal(
                process_servers_parse(SPAN("00000000a9543955: 00000002 00000000 00010000 0001 01   630 /x y"),
                                      true, &inode),
                0);
        assert_int_equal(inode, 630);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(stat_rejects_bad_input),
                cmocka_unit_test(stat_is_read),
                cmocka_unit_test(stat_takes_the_last_bracket),
                cmocka_unit_test(statm_and_schedstat),
                cmocka_unit_test(the_limit_of_files),
                cmocka_unit_test(io_of_old_kernels_lacks_bytes),
                cmocka_unit_test(status_of_kernel_threads_lacks_memory),
                cmocka_unit_test(autogroup_may_be_empty),
                cmocka_unit_test(passwd_lines),
                cmocka_unit_test(listening_sockets),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
