/* The table of checks as a whole, and every check on machines where nothing is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "tests/support/boots.h"
#include "tests/support/machine.h"

/* CHECKS.md's table: all names there will be, in elimination order. */
static const char *const names[] = {
        "sampling.gap",   "boot.overload",    "cpu.overload",       "cpu.fork_storm",
        "cpu.quota",      "cpu.runaway",      "cpu.contention",     "cpu.interrupts",
        "cpu.steal",      "cpu.thermal",      "memory.leak",        "memory.ownerless",
        "memory.thrash",  "memory.exhausted", "memory.limit",       "memory.oom",
        "log.oversized",  "disk.full",        "background.indexer", "background.maintenance",
        "mount.slow",     "mount.hung",       "disk.errors",        "disk.failing",
        "disk.slow",      "disk.saturated",   "network.loss",       "network.saturated",
        "network.dns",    "network.peer",     "limits.files",       "limits.tasks",
        "limits.sockets", "database.scan",    "hardware.memory",    "malware.miner",
        "browser.page",   "config.differs",
};
#define NAME_COUNT (sizeof(names) / sizeof(names[0]))

static size_t number_of(const char *name)
{
        for (size_t i = 0; i < NAME_COUNT; i++)
                if (strcmp(names[i], name) == 0)
                        return i;
        fail_msg("%s is in no table", name);
        return NAME_COUNT;
}

static void test_names_in_order(void **state)
{
        (void)state;
        assert_non_null(checks[0]);
        for (size_t i = 0; checks[i]; i++) {
                assert_true(i < CHECKS_MAX);
                if (i > 0)
                        assert_true(number_of(checks[i]->name) > number_of(checks[i - 1]->name));
                assert_ptr_equal(check_find(checks[i]->name), checks[i]);
        }
        (void)number_of(checks[0]->name);
        assert_null(check_find("cpu.overloaded"));
        assert_null(check_find(""));
}

static void test_texts(void **state)
{
        (void)state;
        for (size_t i = 0; checks[i]; i++) {
                const struct check *check = checks[i];
                const char *const texts[] = { check->title, check->cause, check->meaning, check->remedy,
                                              check->look_alike };
                for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++) {
                        assert_non_null(texts[k]);
                        assert_true(strlen(texts[k]) > 10);
                        assert_null(strstr(texts[k], "  ")); /* literals joined with two blanks */
                }
                assert_true(check->culprit_kind > SUBJECT_NONE && check->culprit_kind < SUBJECT_KIND_MAX);
                assert_non_null(check->run);
        }
}

static void test_message_ids(void **state)
{
        (void)state;
        for (size_t i = 0; checks[i]; i++) {
                assert_int_equal(strlen(checks[i]->message_id), 32);
                assert_int_equal(strspn(checks[i]->message_id, "0123456789abcdef"), 32);
                for (size_t k = 0; k < i; k++)
                        assert_string_not_equal(checks[i]->message_id, checks[k]->message_id);
        }
}

static void test_parameters(void **state)
{
        (void)state;
        static const char *const units[] = { "permille", "seconds", "bytes", "perSecond", "count" };
        for (size_t i = 0; checks[i]; i++) {
                size_t count = 0;
                for (const struct check_parameter *p = checks[i]->parameters; p->key; p++, count++) {
                        bool is_unit = false;
                        for (size_t k = 0; k < sizeof(units) / sizeof(units[0]); k++)
                                is_unit |= strcmp(p->unit, units[k]) == 0;
                        if (!is_unit)
                                fail_msg("%s %s: unit %s", checks[i]->name, p->key, p->unit);
                        assert_true(p->minimum <= p->default_value && p->default_value <= p->maximum);
                        assert_true(p->minimum < p->maximum);
                        assert_true(p->meaning && strlen(p->meaning) > 5);
                        assert_true(p->reason && strlen(p->reason) > 5);
                        assert_true(p->source && strlen(p->source) > 5);
                        for (const struct check_parameter *q = checks[i]->parameters; q < p; q++)
                                assert_string_not_equal(p->key, q->key);
                }
                assert_true(count > 0 && count <= CHECK_PARAMETERS_MAX);
        }
}

/* A root explains only what comes into being by itself, and nothing explains itself in a circle. */
static bool reaches(const char *from, const char *to, int depth)
{
        const struct check *check = check_find(from);
        for (const char *const *name = check ? check->explains : NULL; name && *name; name++)
                if (strcmp(*name, to) == 0 || (depth > 0 && reaches(*name, to, depth - 1)))
                        return true;
        return false;
}

static void test_explains(void **state)
{
        (void)state;
        for (size_t i = 0; checks[i]; i++) {
                assert_non_null(checks[i]->explains);
                for (const char *const *name = checks[i]->explains; *name; name++)
                        (void)number_of(*name);
                if (reaches(checks[i]->name, checks[i]->name, CHECKS_MAX))
                        fail_msg("%s explains itself", checks[i]->name);
        }
}

/* Every verdict comes with a sentence. */
static void assert_not_found(const struct fake_machine *machine, bool was_found)
{
        for (size_t i = 0; checks[i]; i++) {
                struct finding finding = fake_check(machine, checks[i]->name, was_found);
                if (finding.verdict == VERDICT_FOUND)
                        fail_msg("%s: %s", checks[i]->name, finding.summary);
                assert_true(strlen(finding.summary) > 5);
                if (strstr(finding.summary, "nan ") || strstr(finding.summary, "inf "))
                        fail_msg("%s: %s", checks[i]->name, finding.summary);
        }
}

static void test_empty_machine(void **state)
{
        (void)state;
        struct fake_machine *machine = fake_new();
        struct boot boot = fake_boot(1, 20);
        text_format(boot.times.boot_id, sizeof(boot.times.boot_id), "%s", machine->now.machine.boot_id);
        history_add_boot(machine->history, &boot);
        for (int i = 0; i < 20; i++) {
                fake_tick(machine, 1);
                assert_not_found(machine, i & 1);
        }
        for (size_t i = 0; checks[i]; i++)
                assert_int_equal(fake_check(machine, checks[i]->name, false).verdict, VERDICT_CLEAR);
        fake_free(machine);
}

/* Not one counter, and not one process that says anything: no verdict but "clear" or "unknown". */
static void test_nothing_known(void **state)
{
        (void)state;
        struct fake_machine *machine = fake_new();
        struct clock_reading time = machine->now.time;
        sample_clear(&machine->now);
        machine->now.time = time;
        machine->cpus = NAN;
        struct fake_process *process = fake_add(machine, "", "x.service");
        struct process_sample *counters = &process->counters;
        fake_without_delays(process);
        counters->delays = DELAYS_NONE;
        counters->run_nsec = counters->run_delay_nsec = counters->slices = ABSENT;
        counters->user_ticks = counters->system_ticks = ABSENT;
        counters->children_user_ticks = counters->children_system_ticks = ABSENT;
        counters->read_bytes = counters->write_bytes = counters->major_faults = ABSENT;
        counters->rss_bytes = counters->rss_anon_bytes = counters->swap_bytes = ABSENT;
        struct fake_unit *unit = fake_unit(machine, "x.service");
        memset(&unit->values, 0xff, sizeof(unit->values));
        (void)snprintf(unit->values.unit, sizeof(unit->values.unit), "x.service");
        unit->values.id = process->identity.cgroup_id;
        unit->values.parent_id = process->identity.cgroup_id; /* its own parent */
        unit->values.cpu_quota_usec = 0;
        unit->values.memory_max_bytes = 0;
        machine->now.disk_count = 1;
        struct disk_sample *disk = &machine->now.disks[0];
        memset(disk, 0xff, sizeof(*disk));
        disk->is_partition = disk->is_stacked = disk->is_rotational = disk->is_memory = false;
        disk->is_removable = false;
        disk->name[0] = '\0';
        for (int i = 0; i < 20; i++) {
                fake_tick(machine, 1);
                assert_not_found(machine, true);
        }
        fake_free(machine);
}

/* Everything at once that a process can be called, on a machine where every check has something to say. */
static void test_names_reach_no_command(void **state)
{
        (void)state;
        struct fake_machine *machine = fake_new();
        static const char hostile[] = "$(x)`y`;'\"\\";
        for (int i = 0; i < 12; i++) {
                struct fake_process *process = fake_add(machine, hostile, "a;b$(c).service");
                process->running = 0.1;
                process->cpu_wait = 0.8;
                process->swap_wait = 0.1;
                process->major_faults = 500;
                process->write_bytes = 1e7;
                process->disk_wait = 0.4; /* who fills a disk waits for it as well */
                process->counters.rss_anon_bytes = 700000000;
                process->counters.autogroup = 4;
        }
        struct fake_process *victim = fake_add(machine, "`v`", "$(v).service");
        victim->running = 0.01;
        victim->cpu_wait = 0.1;
        victim->disk_wait = 0.5;
        victim->counters.autogroup = 5;
        fake_add(machine, "|w|", "")->running = 0.01;
        fake_work(machine, "|w|", 0.01, 0.2);
        struct fake_unit *unit = fake_unit(machine, "a;b$(c).service");
        unit->values.cpu_quota_usec = 20000;
        unit->values.memory_max_bytes = 1000000000;
        unit->throttled = 0.3;
        unit->events_max = 10;
        unit->refaults = 1000;
        unit->memory_full = 0.5;
        machine->swap_in = machine->swap_out = 5000;
        machine->busy = 1;
        machine->io_full = machine->memory_full = machine->memory_some = machine->io_some = 0.9;
        machine->disk_busy = 1;
        machine->now.meminfo.available_bytes = 100000000;
        fake_message(machine, 3, "Out of memory: Killed process 7 ($(x)) total-vm:1kB, anon-rss:1kB");
        fake_run(machine, 30);
        size_t found = 0;
        for (size_t i = 0; checks[i]; i++) {
                struct finding finding = fake_check(machine, checks[i]->name, false);
                found += finding.verdict == VERDICT_FOUND;
                for (uint32_t k = 0; k < finding.remedy_count; k++) {
                        const char *command = finding.remedies[k].command;
                        if (strpbrk(command, ";`\"\\") || strstr(command, "$(x") || strstr(command, "$(c"))
                                fail_msg("%s: %s", checks[i]->name, command);
                }
        }
        assert_true(found >= 5);
        fake_free(machine);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names_in_order), cmocka_unit_test(test_texts),
                cmocka_unit_test(test_message_ids),    cmocka_unit_test(test_parameters),
                cmocka_unit_test(test_explains),       cmocka_unit_test(test_empty_machine),
                cmocka_unit_test(test_nothing_known),  cmocka_unit_test(test_names_reach_no_command),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
