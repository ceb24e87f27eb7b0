/* The whole pipeline over a machine of files, under a clock that the test holds: what is published, and that
 * a tick of a steady machine allocates nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/tick.h"
#include "tests/support/tree.h"

#define PROCESSES 200
#define FIRST_PID 100
#define HOGS      6
#define BEGIN_SEC 10000

/* ---- allocations (the linker sends these calls here) ---- */

static size_t allocations;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_reallocarray(void *memory, size_t count, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
void __real_qsort(void *list, size_t count, size_t size, int (*compare)(const void *, const void *));
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);
void __wrap_qsort(void *list, size_t count, size_t size, int (*compare)(const void *, const void *));

void *__wrap_malloc(size_t size)
{
        allocations++;
        return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
        allocations++;
        return __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
        allocations++;
        return __real_realloc(memory, size);
}

void *__wrap_reallocarray(void *memory, size_t count, size_t size)
{
        allocations++;
        return __real_reallocarray(memory, count, size);
}

char *__wrap_strdup(const char *text)
{
        allocations++;
        return __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t size)
{
        allocations++;
        return __real_strndup(text, size);
}

/* glibc's takes memory for lists over a kilobyte. */
void __wrap_qsort(void *list, size_t count, size_t size, int (*compare)(const void *, const void *))
{
        if (count * size >= 1024)
                allocations++;
        __real_qsort(list, count, size, compare);
}

/* ---- the machine ---- */

static struct tree tree;
static struct config config;
static struct tick *tick;
static struct published published;
static unsigned seconds; /* since the machine started */
static struct {
        const char *name;
        double running, cpu_wait; /* of a second */
        double ran, waited;       /* so far */
} processes[PROCESSES];

static void read_clock(void *userdata, struct clock_reading *ret_now)
{
        (void)userdata;
        usec_t now = seconds * USEC_PER_SEC;
        *ret_now = (struct clock_reading){ UINT64_C(1700000000000000) + now, now, now };
}

static const struct clock test_clock = { .read = read_clock };

static void write_process(int number)
{
        char path[64], text[512];
        int pid = FIRST_PID + number;
        double ran = processes[number].ran;
        (void)snprintf(path, sizeof(path), "proc/%d/stat", pid);
        (void)snprintf(text, sizeof(text),
                       "%d (%s) S 1 %d %d 0 -1 4194304 100 0 0 0 %.0f 0 0 0 20 0 1 0 50 10000000 %d "
                       "18446744073709551615 %d 1 %d 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
                       pid, processes[number].name, pid, pid, ran * 100, 500 + number, pid, pid);
        tree_write(&tree, path, text);
        (void)snprintf(path, sizeof(path), "proc/%d/schedstat", pid);
        (void)snprintf(text, sizeof(text), "%.0f %.0f %.0f\n", 1 + ran * 1e9, processes[number].waited * 1e9,
                       1 + ran * 100);
        tree_write(&tree, path, text);
}

static void write_process_once(int number)
{
        char path[64], text[256];
        int pid = FIRST_PID + number;
        (void)snprintf(path, sizeof(path), "proc/%d/cmdline", pid);
        (void)snprintf(text, sizeof(text), "/usr/bin/%s", processes[number].name);
        tree_write_bytes(&tree, path, text, strlen(text) + 1);
        (void)snprintf(path, sizeof(path), "proc/%d/status", pid);
        (void)snprintf(text, sizeof(text),
                       "Name:\t%s\nUid:\t0\t0\t0\t0\nRssAnon:\t%d kB\nRssFile:\t4 kB\nRssShmem:\t0 kB\n"
                       "VmSwap:\t0 kB\n",
                       processes[number].name, 2000 + number);
        tree_write(&tree, path, text);
        (void)snprintf(path, sizeof(path), "proc/%d/cgroup", pid);
        (void)snprintf(text, sizeof(text), "0::/system.slice/%s.service\n", processes[number].name);
        tree_write(&tree, path, text);
}

static void write_machine(double busy)
{
        static double user, idle;
        char text[512];
        user += busy * 200;
        idle += (1 - busy) * 200;
        (void)snprintf(text, sizeof(text),
                       "cpu  %.0f 0 0 %.0f 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\ncpu1 0 0 0 0 0 0 0 0 0 0\n"
                       "ctxt %u\nbtime 1700000000\nprocesses 500\nprocs_running 1\nprocs_blocked 0\n",
                       user, idle, 1000 * seconds);
        tree_write(&tree, "proc/stat", text);
        (void)snprintf(text, sizeof(text), "%u.00 100.00\n", seconds);
        tree_write(&tree, "proc/uptime", text);
}

/* A second passes: the machine's files move on, then slowd looks. */
static void run(int how_often)
{
        for (int i = 0; i < how_often; i++) {
                double busy = 0;
                seconds++;
                for (int k = 0; k < PROCESSES; k++) {
                        processes[k].ran += processes[k].running;
                        processes[k].waited += processes[k].cpu_wait;
                        busy += processes[k].running;
                        if (processes[k].running > 0 || processes[k].cpu_wait > 0)
                                write_process(k);
                }
                write_machine(busy > 2 ? 1 : busy / 2);
                tick_run(tick, USEC_PER_SEC, &published);
        }
}

static int set_up(void **state)
{
        (void)state;
        static char names[PROCESSES][16];
        seconds = BEGIN_SEC;
        memset(processes, 0, sizeof(processes));
        tree_init(&tree);
        for (int i = 0; i < PROCESSES; i++) {
                (void)snprintf(names[i], sizeof(names[i]), "daemon%03d", i);
                processes[i].name = i < HOGS ? "ffmpeg" : i == HOGS ? "nginx" : names[i];
                write_process_once(i);
                write_process(i);
        }
        tree_write(&tree, "proc/sys/kernel/hostname", "web1\n");
        tree_write(&tree, "proc/sys/kernel/osrelease", "6.1.0-18-amd64\n");
        tree_write(&tree, "proc/sys/kernel/random/boot_id", "0a2d5f1e-0000-4000-8000-000000000001\n");
        tree_write(&tree, "proc/meminfo",
                   "MemTotal:        8000000 kB\nMemFree:         5000000 kB\nMemAvailable:    6000000 kB\n"
                   "Buffers:               0 kB\nCached:          1000000 kB\nShmem:                 0 kB\n"
                   "SwapTotal:             0 kB\nSwapFree:              0 kB\n");
        tree_write(&tree, "proc/vmstat", "pswpin 0\npswpout 0\noom_kill 0\npgmajfault 0\n");
        tree_write(&tree, "proc/loadavg", "0.10 0.10 0.10 1/60 200\n");
        tree_write(&tree, "proc/diskstats", "   8       0 sda 10 0 80 5 10 0 80 5 0 10 10 0 0 0 0 0 0\n");
        tree_write(&tree, "proc/net/dev",
                   "Inter-|   Receive                                                |  Transmit\n"
                   " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs "
                   "drop "
                   "fifo colls carrier compressed\n"
                   "  eth0: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n");
        static const char *const pressures[] = { "proc/pressure/cpu", "proc/pressure/memory",
                                                 "proc/pressure/io" };
        for (size_t i = 0; i < 3; i++)
                tree_write(&tree, pressures[i],
                           "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
                           "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
        tree_write(&tree, "proc/self/mountinfo",
                   "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
                   "30 22 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
        tree_write(&tree, "proc/swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
        tree_write(&tree, "sys/fs/cgroup/cgroup.controllers", "cpu memory\n");
        write_machine(0.1);
        config_defaults(&config);
        int r = tick_new(&tree.root, &test_clock, &config, NULL, &tick);
        return r < 0 ? r : 0;
}

static int tear_down(void **state)
{
        (void)state;
        tick = tick_free(tick);
        tree_done(&tree);
        return 0;
}

/* ---- the cases ---- */

static void test_no_machine(void **state)
{
        (void)state;
        struct root nowhere = { .fd = -1, .proc_fd = -1 };
        struct tick *none = NULL;
        assert_int_equal(tick_new(&nowhere, &test_clock, &config, NULL, &none), -ENOENT);
        assert_null(none);
        assert_null(tick_free(NULL));
}

static void test_unknown_then_healthy(void **state)
{
        (void)state;
        run(1);
        assert_int_equal(published.diagnosis.verdict, DIAGNOSIS_UNKNOWN);
        assert_true(published.has_changed);
        assert_true(published.wants_fast);
        run(1);
        assert_int_equal(published.diagnosis.verdict, DIAGNOSIS_UNKNOWN);
        assert_false(published.has_changed);
        run(1);
        assert_int_equal(published.diagnosis.verdict, DIAGNOSIS_HEALTHY);
        assert_true(published.has_changed);
        assert_false(published.wants_fast);
        assert_string_equal(published.diagnosis.machine, "web1");
        assert_int_equal(published.incident_count, 0);
        assert_int_equal(published.event_count, 0);
        assert_int_equal(published.self.ticks, 3);
        assert_int_equal(published.self.processes, PROCESSES);
        assert_int_equal(published.self.last_tick_usec, UINT64_C(1700000000000000) + seconds * USEC_PER_SEC);
        size_t verdicts = published.diagnosis.ruled_out_count + published.diagnosis.not_checked_count,
               all = 0;
        while (checks[all])
                all++;
        assert_int_equal(verdicts, all);
}

static void test_top(void **state)
{
        (void)state;
        for (int i = HOGS + 1; i < HOGS + 11; i++)
                processes[i].running = 0.01 * ((i * 7) % 11 + 1);
        run(4);
        /* ffmpeg is one program, the others are one each. */
        assert_int_equal(published.top_count, PROCESSES - HOGS + 1);
        for (size_t i = 1; i < 10; i++)
                assert_true(published.top[i - 1].cpu >= published.top[i].cpu);
        assert_true(fabsf(published.top[0].cpu - 0.11F) < 0.001F);
        assert_true(published.top[9].cpu > 0.009F);
        /* Of the idle ones those that hold most memory first. */
        for (size_t i = 12; i < published.top_count; i++)
                assert_true(published.top[i].cpu == 0 &&
                            (strcmp(published.top[i].name, "ffmpeg") == 0 ||
                             strcmp(published.top[i - 1].name, "ffmpeg") == 0 ||
                             published.top[i - 1].memory_bytes >= published.top[i].memory_bytes));
        const struct top_row *ffmpeg = NULL;
        for (size_t i = 0; i < published.top_count; i++)
                if (strcmp(published.top[i].name, "ffmpeg") == 0)
                        ffmpeg = &published.top[i];
        assert_non_null(ffmpeg);
        assert_int_equal(ffmpeg->count, HOGS);
        assert_string_equal(ffmpeg->unit, "ffmpeg.service");
        assert_string_equal(ffmpeg->command_line, "/usr/bin/ffmpeg");
        assert_true(ffmpeg->lost == 0);
}

static void test_overload_from_files(void **state)
{
        (void)state;
        for (int i = 0; i < HOGS; i++)
                processes[i].running = 0.01;
        processes[HOGS].running = 0.05;
        run(60);
        assert_int_equal(published.diagnosis.verdict, DIAGNOSIS_HEALTHY);
        for (int i = 0; i < HOGS; i++) {
                processes[i].running = 0.32;
                processes[i].cpu_wait = 0.65;
        }
        processes[HOGS].cpu_wait = 0.05;
        run(1);
        assert_true(published.wants_fast); /* full: look closely, before anything is concluded */
        int waited = 1;
        while (published.diagnosis.verdict != DIAGNOSIS_SLOW && waited < 10) {
                run(1);
                waited++;
        }
        assert_int_equal(published.diagnosis.verdict, DIAGNOSIS_SLOW);
        assert_true(published.has_changed);
        const struct finding *cause = &published.diagnosis.causes[0];
        assert_string_equal(cause->check, "cpu.overload");
        assert_string_equal(cause->culprit.name, "ffmpeg");
        assert_int_equal(cause->culprit.count, HOGS);
        assert_string_equal(cause->victims[0].name, "nginx");
        assert_int_equal(published.event_count, 1);
        assert_int_equal(published.events[0].change, INCIDENT_OPENED);
        assert_int_equal(published.incident_count, 1);
        for (int i = 0; i <= HOGS; i++)
                processes[i].running = processes[i].cpu_wait = 0;
        int closed = 0;
        for (int i = 0; i < 30; i++) {
                run(1);
                for (size_t k = 0; k < published.event_count; k++)
                        closed += published.events[k].change == INCIDENT_CLOSED;
        }
        assert_int_equal(closed, 1);
        assert_int_equal(published.diagnosis.verdict, DIAGNOSIS_HEALTHY);
        assert_int_not_equal(published.incidents[0].until_usec, 0);
}

static void test_switched_off(void **state)
{
        (void)state;
        static struct config other;
        other = config;
        for (size_t i = 0; checks[i]; i++)
                other.check_enabled[i] = strcmp(checks[i]->name, "cpu.quota") != 0;
        run(3);
        tick_set_config(tick, &other);
        run(1);
        size_t told = 0;
        for (size_t i = 0; i < published.diagnosis.not_checked_count; i++)
                if (strcmp(published.diagnosis.not_checked[i].check, "cpu.quota") == 0)
                        told += strstr(published.diagnosis.not_checked[i].text, "switched off") != NULL;
        assert_int_equal(told, 1);
        assert_true(published.has_changed);
}

/* Processes and files that vanish, garbage, and a machine without anything: a tick has always an answer. */
static void test_what_vanishes(void **state)
{
        (void)state;
        char path[64];
        run(3);
        for (int i = 0; i < PROCESSES; i += 2) {
                (void)snprintf(path, sizeof(path), "proc/%d", FIRST_PID + i);
                tree_remove(&tree, path);
        }
        tree_remove(&tree, "proc/pressure");
        tree_write(&tree, "proc/meminfo", "MemTotal: lots\n");
        tree_write(&tree, "proc/vmstat", "");
        for (int k = 0; k < 10; k++) {
                seconds++;
                tick_run(tick, USEC_PER_SEC, &published);
        }
        assert_int_equal(published.diagnosis.verdict, DIAGNOSIS_HEALTHY);
        assert_int_equal(published.self.processes, PROCESSES / 2);
        assert_true(published.diagnosis.not_checked_count >= 2);
        tree_remove(&tree, "proc/stat");
        seconds++;
        tick_run(tick, USEC_PER_SEC, &published);
        assert_true(published.diagnosis.not_checked_count >= 2);
}

static void test_steady_tick_allocates_nothing(void **state)
{
        (void)state;
        for (int i = 0; i < PROCESSES; i += 3)
                processes[i].running = 0.02;
        run(70); /* every group has been visited once by then */
        allocations = 0;
        char *probe = strdup("the counter counts"); /* what a compiler may not leave out */
        assert_non_null(probe);
        assert_true(probe[0] == 't');
        free(probe);
        assert_int_equal(allocations, 1);
        allocations = 0;
        run(50);
        assert_int_equal(allocations, 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_no_machine),
                CASE(test_unknown_then_healthy),
                CASE(test_top),
                CASE(test_overload_from_files),
                CASE(test_switched_off),
                CASE(test_what_vanishes),
                CASE(test_steady_tick_allocates_nothing),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
