/* boot.overload: a boot that took longer than this machine's boots do, for as long as anybody cares. */
#include <errno.h>

#include "tests/support/boots.h"
#include "tests/support/cases.h"

#define CHECK "boot.overload"

/* Ten earlier boots of 20 s. */
static void add_earlier(unsigned count)
{
        for (unsigned i = 0; i < count; i++) {
                struct boot boot = fake_boot(i, 20);
                history_add_boot(machine->history, &boot);
        }
}

/* The machine is so long after the end of that boot. */
static void begin(struct boot *boot, double seconds_ago)
{
        usec_t now_usec = machine->now.time.monotonic_usec;
        usec_t end_usec = boot->times.ready_usec != ABSENT ? boot->times.ready_usec : boot->times.finish_usec;
        usec_t shift_usec = now_usec - (usec_t)(seconds_ago * 1e6) - end_usec;
        boot->times.userspace_usec += shift_usec;
        boot->times.finish_usec += shift_usec;
        if (boot->times.ready_usec != ABSENT)
                boot->times.ready_usec += shift_usec;
        for (uint32_t i = 0; i < boot->unit_count; i++) {
                boot->units[i].activating_usec += shift_usec;
                boot->units[i].activated_usec += shift_usec;
        }
        (void)snprintf(boot->times.boot_id, sizeof(boot->times.boot_id), "%s", machine->now.machine.boot_id);
        machine->now.boot = boot;
        fake_run(machine, 1);
        machine->now.boot = NULL;
        fake_run(machine, 1);
}

static void set_collector(int error)
{
        machine->now.collectors[0] = (struct collector_status){ .name = "boot", .error = error };
        machine->now.collector_count = 1;
        fake_run(machine, 1);
}

static void test_unknown(void **state)
{
        (void)state;
        fake_run(machine, 2);
        struct finding finding = assert_verdict(CHECK, VERDICT_UNKNOWN, false);
        assert_says(&finding, "was not recorded");
        set_collector(-ENOENT);
        finding = assert_verdict(CHECK, VERDICT_UNKNOWN, false);
        assert_string_equal(finding.summary, "this machine was not started by systemd");
        set_collector(-EACCES);
        finding = assert_verdict(CHECK, VERDICT_UNKNOWN, false);
        assert_says(&finding, "systemd does not answer");
        set_collector(0);
        finding = assert_verdict(CHECK, VERDICT_UNKNOWN, false);
        assert_says(&finding, "has not told yet");
        add_earlier(3); /* others do not say how this one was */
        (void)assert_verdict(CHECK, VERDICT_UNKNOWN, false);
}

static void test_usual(void **state)
{
        (void)state;
        struct boot boot = fake_boot(50, 22);
        add_earlier(10);
        begin(&boot, 5);
        assert_clear(CHECK, "it took 22 s to start, 2 s longer than usual");
}

static void test_held_up(void **state)
{
        (void)state;
        struct boot boot = fake_boot(50, 47);
        (void)fake_boot_unit(&boot, "slow.service", 25, 25);
        add_earlier(10);
        begin(&boot, 3);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.kind, FINDING_CAUSE);
        assert_int_equal(finding.severity, SEVERITY_WARNING);
        assert_string_equal(finding.culprit.name, "slow.service");
        assert_int_equal(finding.culprit.kind, SUBJECT_UNIT);
        assert_string_equal(finding.summary,
                            "it took 47 s to start, 27 s longer than usual, and slow.service held it up for "
                            "25 s");
        assert_says(&finding, "earlier boots did not have it");
        assert_says(&finding, "something has changed since the last one");
        assert_says(&finding, "systemctl disable slow.service");
        assert_says(&finding, "journalctl -b -u slow.service");
        assert_about(finding.lost_permille, 27000.0 / 52, 15);
        fake_run(machine, 290); /* nobody waits any more; the next boot will be like it */
        finding = assert_found(CHECK);
        assert_int_equal(finding.kind, FINDING_CAUSE);
        fake_run(machine, 10);
        finding = assert_found(CHECK);
        assert_int_equal(finding.kind, FINDING_RISK);
        assert_int_equal(finding.severity, SEVERITY_NOTICE);
        assert_int_equal(finding.lost_permille, 0);
        fake_run(machine, 1800);
        assert_clear(CHECK, "27 s longer than usual, 35 min ago");
}

/* It is always there, and now takes longer. */
static void test_grown(void **state)
{
        (void)state;
        struct boot boot = fake_boot(50, 60);
        struct boot_unit *unit = fake_boot_unit(&boot, "web.service", 45, 45);
        (void)snprintf(unit->enabled, sizeof(unit->enabled), "static");
        for (unsigned i = 0; i < 5; i++) {
                struct boot before = fake_boot(i, 20);
                (void)fake_boot_unit(&before, "web.service", 5, 5);
                history_add_boot(machine->history, &before);
        }
        begin(&boot, 3);
        struct finding finding = assert_found(CHECK);
        assert_string_equal(finding.culprit.name, "web.service");
        assert_says(&finding, "held up the critical chain for 45 s, usually 5 s");
        assert_says(&finding, "systemctl list-dependencies --reverse web.service"); /* cannot be disabled */
}

static void test_off_the_chain(void **state)
{
        (void)state;
        struct boot boot = fake_boot(50, 20);
        (void)fake_boot_unit(&boot, "slow.service", 60, 0);
        boot.times.finish_usec += 60 * USEC_PER_SEC; /* until when systemd was not done */
        add_earlier(10);
        begin(&boot, 3);
        assert_clear(CHECK, "it took 20 s to start, usually 20 s");
}

/* Thirty services that each use the CPUs for a while: none of them holds it up alone. */
static void test_too_much(void **state)
{
        char name[32];
        (void)state;
        struct boot boot = fake_boot(50, 55);
        boot.times.services = 70;
        boot.times.cpu_waited_usec = 50 * USEC_PER_SEC;
        for (unsigned i = 1; i <= 30; i++) {
                (void)snprintf(name, sizeof(name), "heavy-%02u.service", i);
                fake_boot_unit(&boot, name, 0.3, 0)->cpu_usec = 2 * USEC_PER_SEC + i;
        }
        add_earlier(10);
        begin(&boot, 3);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.culprit.kind, SUBJECT_MACHINE); /* none of them did more than the others */
        assert_says(&finding, "70 services start with it and use 60 s of CPU, none more than 2 s");
        assert_says(&finding, "30 of them earlier boots did not have");
        assert_says(&finding, "waited for a CPU 91 % of the time");
}

/* Another machine. */
static void again(void **state)
{
        (void)tear_down(state);
        (void)set_up(state);
}

/* One unit that computes beside the chain, on one CPU or on both, is not the cause, whatever else is slow. */
static void test_busy_off_the_chain(void **state)
{
        for (unsigned cpus = 1; cpus <= 2; cpus++) {
                struct boot boot = fake_boot(50, 55);
                fake_boot_unit(&boot, "index.service", 50, 0)->cpu_usec = cpus * 50 * USEC_PER_SEC;
                boot.times.cpu_waited_usec = 50 * USEC_PER_SEC;
                begin(&boot, 3);
                assert_clear(CHECK, "it took 55 s to start");
                again(state);
        }
}

/* Thirty oneshots; the last to end is on the chain. At once each takes as long as all, one after the other
 * only its own two seconds. */
static struct boot thirty(bool at_once)
{
        char name[32];
        struct boot boot = fake_boot(50, 55);
        boot.times.cpu_waited_usec = 50 * USEC_PER_SEC;
        for (unsigned i = 1; i <= 30; i++) {
                (void)snprintf(name, sizeof(name), "job-%02u.service", i);
                double length = at_once ? 29 + 0.1 * i : 1;
                bool is_on_chain = at_once ? i == 30 : i > 10;
                struct boot_unit *unit = fake_boot_unit(&boot, name, length, is_on_chain ? length : 0);
                unit->cpu_usec = at_once ? 2 * USEC_PER_SEC + i : 900 * USEC_PER_MSEC;
                if (!at_once) {
                        unit->activating_usec += i * USEC_PER_SEC;
                        unit->activated_usec += i * USEC_PER_SEC;
                }
        }
        return boot;
}

static void test_last_of_many(void **state)
{
        (void)state;
        struct boot boot = thirty(true);
        add_earlier(10);
        begin(&boot, 3);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.culprit.kind, SUBJECT_MACHINE);
        assert_says(&finding, "services start with it and use 60 s of CPU, none more than 2 s");
        assert_false(fake_says(&finding, "held up"));

        /* Found without a usual as well, and blamed on all. */
        again(state);
        begin(&boot, 3);
        finding = assert_found(CHECK);
        assert_int_equal(finding.culprit.kind, SUBJECT_MACHINE);

        /* Also where the last of them held up the chain only for a moment: 90 s of CPU are 45 of two CPUs. */
        again(state);
        for (uint32_t i = 0; i < boot.unit_count; i++) {
                if (strncmp(boot.units[i].name, "job-", 4) == 0)
                        boot.units[i].cpu_usec = 3 * USEC_PER_SEC;
                if (strcmp(boot.units[i].name, "job-30.service") == 0)
                        boot.units[i].held_usec = USEC_PER_SEC;
        }
        begin(&boot, 3);
        finding = assert_found(CHECK);
        assert_int_equal(finding.culprit.kind, SUBJECT_MACHINE);

        /* Not if nobody waited for a CPU, so many there were. */
        again(state);
        boot.times.cpu_waited_usec = USEC_PER_SEC;
        begin(&boot, 3);
        assert_clear(CHECK, "it took 55 s to start");
        boot.times.cpu_waited_usec = 50 * USEC_PER_SEC;

        /* And not where they hardly compute: then nobody knows why this machine takes so long. */
        again(state);
        for (uint32_t i = 0; i < boot.unit_count; i++)
                boot.units[i].cpu_usec = boot.units[i].cpu_usec == ABSENT ? ABSENT : 100 * USEC_PER_MSEC;
        begin(&boot, 3);
        assert_clear(CHECK, "it took 55 s to start");
}

static void test_one_after_the_other(void **state)
{
        (void)state;
        struct boot boot = thirty(false);
        add_earlier(10);
        begin(&boot, 3);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.culprit.kind, SUBJECT_MACHINE);
        assert_false(fake_says(&finding, "held up"));
}

/* The others were done long before, or hardly computed: then it is the one that was waited for. */
static void test_last_but_to_blame(void **state)
{
        (void)state;
        struct boot boot = thirty(true);
        for (uint32_t i = 0; i < boot.unit_count; i++)
                if (boot.units[i].level == 0 && strncmp(boot.units[i].name, "job-", 4) == 0)
                        boot.units[i].length_usec = 5 * USEC_PER_SEC;
        add_earlier(10);
        begin(&boot, 3);
        struct finding finding = assert_found(CHECK);
        assert_string_equal(finding.culprit.name, "job-30.service");

        again(state);
        struct boot asleep = thirty(true);
        for (uint32_t i = 0; i < asleep.unit_count; i++)
                asleep.units[i].cpu_usec = 100 * USEC_PER_MSEC;
        add_earlier(10);
        begin(&asleep, 3);
        finding = assert_found(CHECK);
        assert_string_equal(finding.culprit.name, "job-30.service");
}

static void test_unexplained(void **state)
{
        (void)state;
        struct boot boot = fake_boot(50, 55);
        add_earlier(10);
        begin(&boot, 3);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.culprit.kind, SUBJECT_MACHINE);
        assert_says(&finding, "no single unit accounts for it");
}

static void test_once(void **state)
{
        (void)state;
        struct boot boot = fake_boot(50, 80);
        (void)fake_boot_unit(&boot, "dkms.service", 55, 55);
        add_earlier(10);
        begin(&boot, 3);
        assert_clear(CHECK, "it took 80 s to start, 60 s longer than usual: kernel modules were built, once");
        struct boot upgraded = fake_boot(51, 80);
        (void)fake_boot_unit(&upgraded, "slow.service", 55, 55);
        (void)snprintf(upgraded.times.kernel, sizeof(upgraded.times.kernel), "6.12.1");
        (void)snprintf(machine->now.machine.boot_id, sizeof(machine->now.machine.boot_id), "boot-2");
        begin(&upgraded, 3);
        assert_clear(CHECK, "the first boot with kernel 6.12.1, once");
}

/* Nothing to compare with: only what is long for any machine, and held up by one unit. */
static void test_first_boots(void **state)
{
        (void)state;
        struct boot boot = fake_boot(50, 28);
        (void)fake_boot_unit(&boot, "slow.service", 20, 20);
        add_earlier(2);
        begin(&boot, 3);
        assert_clear(CHECK, "it took 28 s to start");

        struct boot many = fake_boot(51, 80);
        (void)fake_boot_unit(&many, "slow.service", 20, 20);
        (void)snprintf(machine->now.machine.boot_id, sizeof(machine->now.machine.boot_id), "boot-2");
        begin(&many, 3);
        (void)assert_found(CHECK); /* two and the one before: there is a usual now */

        again(state);
        begin(&many, 3);
        assert_clear(CHECK, "it took 80 s to start");

        again(state);
        struct boot held = fake_boot(52, 50);
        (void)fake_boot_unit(&held, "slow.service", 20, 20);
        begin(&held, 3);
        struct finding finding = assert_found(CHECK);
        assert_string_equal(finding.culprit.name, "slow.service");
        assert_int_equal(finding.confidence_permille, 600);
}

/* The worst: it does not come up, and somebody asks why. */
static void test_still_starting(void **state)
{
        (void)state;
        struct boot boot = fake_boot(50, 15);
        boot.times.stage = BOOT_STARTING;
        add_earlier(10);
        begin(&boot, 0);
        boot.times.waiting_since_usec = boot.times.userspace_usec + 2 * USEC_PER_SEC;
        boot.times.finish_usec = boot.times.ready_usec = ABSENT;
        (void)snprintf(boot.times.waiting, sizeof(boot.times.waiting), "slow.service");
        machine->now.boot = &boot;
        fake_run(machine, 1);
        assert_clear(CHECK, "the machine has been starting for 18 s, usually 20 s");
        fake_run(machine, 60);
        struct finding finding = assert_found(CHECK);
        assert_int_equal(finding.kind, FINDING_CAUSE);
        assert_string_equal(finding.culprit.name, "slow.service");
        assert_says(&finding,
                    "it has been starting for 78 s, usually 20 s and is not ready: slow.service has "
                    "been starting for 76 s");
        (void)snprintf(boot.times.waiting, sizeof(boot.times.waiting), "dkms.service");
        fake_run(machine, 1);
        assert_clear(CHECK, "the machine has been starting for 79 s: kernel modules were built, once");
        boot.times.ready_usec = boot.times.userspace_usec + 20 * USEC_PER_SEC;
        fake_run(machine, 1);
        assert_clear(CHECK, "multi-user.target was reached after 20 s, only the rest still starts");
        machine->now.boot = NULL;
}

/* A unit's name may be anything: it is typed into no shell unless it is harmless. */
static void test_hostile_name(void **state)
{
        (void)state;
        struct boot boot = fake_boot(50, 60);
        (void)fake_boot_unit(&boot, "a;reboot;.service", 40, 40);
        add_earlier(10);
        begin(&boot, 3);
        struct finding finding = assert_found(CHECK);
        for (uint32_t i = 0; i < finding.remedy_count; i++)
                assert_null(strstr(finding.remedies[i].command, "reboot"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_unknown),           CASE(test_usual),
                CASE(test_held_up),           CASE(test_grown),
                CASE(test_off_the_chain),     CASE(test_too_much),
                CASE(test_unexplained),       CASE(test_once),
                CASE(test_first_boots),       CASE(test_still_starting),
                CASE(test_hostile_name),      CASE(test_busy_off_the_chain),
                CASE(test_last_of_many),      CASE(test_one_after_the_other),
                CASE(test_last_but_to_blame),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
