/* cpu.overload: somebody loses time to a program that wants more than there is, and whatever looks like it.
 */
#include "tests/support/cases.h"

#define CHECK "cpu.overload"

/* The case: 6 ffmpegs on two CPUs, and a web server that wants 5 % and waits for as much. */
static void add_overload(const char *unit)
{
        for (int i = 0; i < 6; i++)
                fake_add(machine, "ffmpeg", unit);
        fake_work(machine, "ffmpeg", 0.32, 0.65);
}

static struct fake_process *add_victim(const char *unit, double cpu_wait)
{
        struct fake_process *nginx = fake_add(machine, "nginx", unit);
        nginx->running = 0.05;
        nginx->cpu_wait = cpu_wait;
        return nginx;
}

static void test_found(void **state)
{
        (void)state;
        fake_add(machine, "sh", "")->running = 0.001;
        add_victim("nginx.service", 0);
        fake_run(machine, 90);
        usec_t onset = machine->now.time.realtime_usec;
        struct fake_process *sh = &machine->processes[0];
        for (int i = 0; i < 6; i++) {
                struct fake_process *ffmpeg = fake_start(machine, "ffmpeg", "cron.service");
                fake_started_by(ffmpeg, sh);
                (void)snprintf(ffmpeg->identity.origin_script, PATH_TEXT_MAX, "/src/deploy.sh");
        }
        fake_work(machine, "ffmpeg", 0.32, 0.65);
        fake_work(machine, "nginx", 0.05, 0.05);
        fake_run(machine, 12);
        struct finding finding = assert_found(CHECK);
        assert_string_equal(finding.culprit.name, "ffmpeg");
        assert_int_equal(finding.culprit.count, 6);
        assert_int_equal(finding.culprit.pid_count, 6);
        assert_string_equal(finding.culprit.unit, "cron.service");
        assert_int_equal(finding.kind, FINDING_CAUSE);
        assert_true(finding.has_origin);
        assert_string_equal(finding.origin.script, "/src/deploy.sh");
        assert_int_equal(finding.victim_count, 1);
        assert_string_equal(finding.victims[0].name, "nginx");
        assert_int_equal(finding.victims[0].lost_permille, 500);
        assert_int_equal(finding.lost_permille, 500);
        assert_int_equal(finding.severity, SEVERITY_CRITICAL);
        assert_int_equal(finding.since_usec, onset);
        assert_says(&finding, "(usually 0.0 %)");
        assert_says(&finding, "one after the other in deploy.sh");
}

static void test_found_within_ten_seconds(void **state)
{
        (void)state;
        add_victim("", 0);
        fake_run(machine, 60);
        for (int i = 0; i < 6; i++)
                fake_start(machine, "ffmpeg", "");
        fake_work(machine, "ffmpeg", 0.32, 0.65);
        fake_work(machine, "nginx", 0.05, 0.05);
        fake_run(machine, 10);
        (void)assert_found(CHECK);
}

static void test_idle_cpus(void **state)
{
        (void)state;
        add_overload("");
        add_victim("", 0.05);
        machine->busy = 0.84;
        fake_run(machine, 60);
        assert_clear(CHECK, "busy");
        machine->now.stat.all.user = ABSENT;
        fake_run(machine, 20);
        (void)assert_verdict(CHECK, VERDICT_UNKNOWN, false);
}

static void test_full_but_nobody_waits(void **state)
{
        (void)state;
        add_overload("");
        fake_run(machine, 60);
        assert_clear(CHECK, "others lose only 0.0 %");
        add_victim("", 0);
        fake_work(machine, "nginx", 0.2, 0.0635); /* 24.1 % */
        fake_run(machine, 20);
        assert_clear(CHECK, "nginx loses only 24 %");
        (void)assert_verdict(CHECK, VERDICT_FOUND, true); /* but an open incident stays open */
        fake_work(machine, "nginx", 0.2, 0.03);           /* 13 % */
        fake_run(machine, 20);
        (void)assert_verdict(CHECK, VERDICT_CLEAR, true);
}

/* A daemon that wakes up for 4 ms and waits for 8 is nobody's trouble. */
static void test_hardly_any_wait(void **state)
{
        (void)state;
        add_overload("");
        struct fake_process *timer = fake_add(machine, "chronyd", "");
        timer->running = 0.004;
        timer->cpu_wait = 0.008;
        fake_run(machine, 60);
        assert_clear(CHECK, "chronyd loses 67 % of its time (only 8 ms each second)");
}

/* As many busy threads as CPUs: full, not overloaded, whatever a bystander waits. */
static void test_as_many_as_cpus(void **state)
{
        (void)state;
        fake_add(machine, "encoder", "")->counters.threads = 2;
        fake_work(machine, "encoder", 1.85, 0.15);
        add_victim("", 0.03);
        fake_run(machine, 60);
        assert_clear(CHECK, "nobody asks for more than there is");
}

/* One CPU, one busy program, and daemons that share with it: no program wants more than there is. */
static void test_small_machine(void **state)
{
        (void)state;
        machine->cpus = 1;
        fake_add(machine, "dpkg", "");
        fake_work(machine, "dpkg", 0.85, 0.15);
        add_victim("", 0.05);
        fake_run(machine, 60);
        assert_clear(CHECK, "nobody asks for more than there is");
}

static void test_large_machine(void **state)
{
        (void)state;
        machine->cpus = 128;
        struct fake_process *java = fake_add(machine, "java", "");
        java->counters.threads = 400;
        java->running = 126;
        java->cpu_wait = 120;
        /* A hundred small workers, each below any notice. */
        for (int i = 0; i < 100; i++)
                fake_add(machine, "nginx", "");
        fake_work(machine, "nginx", 0.008, 0.008);
        fake_run(machine, 60);
        struct finding finding = assert_found(CHECK);
        assert_string_equal(finding.culprit.name, "java");
        assert_true(fake_is_victim(&finding, "nginx"));
}

/* ---- nice ---- */

static void make_nice(void)
{
        for (size_t i = 0; i < machine->process_count; i++)
                if (strcmp(machine->processes[i].identity.name, "ffmpeg") == 0)
                        machine->processes[i].counters.nice = 19;
}

static void autogroups(uint64_t of_ffmpeg, int8_t nice, uint64_t of_nginx)
{
        for (size_t i = 0; i < machine->process_count; i++) {
                bool is_ffmpeg = strcmp(machine->processes[i].identity.name, "ffmpeg") == 0;
                machine->processes[i].counters.autogroup = is_ffmpeg ? of_ffmpeg : of_nginx;
                machine->processes[i].counters.autogroup_nice = is_ffmpeg ? nice : 0;
        }
}

static void test_nice_that_works(void **state)
{
        (void)state;
        add_overload("");
        add_victim("", 0.05);
        make_nice();
        autogroups(3, 0, 3);
        fake_run(machine, 60);
        assert_clear(CHECK, "others lose only");
        autogroups(3, 19, 4); /* a session of its own that yields as a whole */
        fake_run(machine, 10);
        assert_clear(CHECK, "others lose only");
}

/* Who wants most is a batch that harms nobody; who harms wants less. */
static void test_overload_beside_a_batch(void **state)
{
        (void)state;
        add_overload("");
        make_nice();
        for (int i = 0; i < 4; i++)
                fake_add(machine, "render", "");
        fake_work(machine, "render", 0.3, 0.45);
        add_victim("", 0.3);
        autogroups(7, 0, 7);
        fake_run(machine, 20);
        struct finding finding = assert_found(CHECK);
        assert_string_equal(finding.culprit.name, "render");
}

/* An idle-class batch fills what is left, and a daemon of another session waits for nearly all of next to
 * nothing. */
static void test_batch_beside_a_sleepy_daemon(void **state)
{
        (void)state;
        add_overload("");
        make_nice();
        struct fake_process *daemon = add_victim("", 0.2);
        daemon->running = 0.004;
        autogroups(7, 0, 8);
        fake_run(machine, 20);
        assert_clear(CHECK, "others lose only");
        daemon->running = 0.05;
        fake_run(machine, 20);
        (void)assert_found(CHECK);
}

static void test_nice_in_vain(void **state)
{
        (void)state;
        add_overload("");
        add_victim("", 0.05);
        make_nice();
        autogroups(3, 0, 4);
        fake_run(machine, 60);
        struct finding finding = assert_found(CHECK);
        assert_says(&finding, "renice does not help here");
        assert_says(&finding, "autogroup");
        assert_says(&finding, "low priority already");
        assert_says(&finding, "echo 19 > /proc/");
}

/* The encoders in a unit of that weight, beside a server in one of the usual weight. */
static void add_units(uint64_t weight)
{
        add_overload("batch.service");
        add_victim("nginx.service", 0.05);
        fake_unit(machine, "batch.service")->values.cpu_weight = weight;
        fake_unit(machine, "nginx.service")->values.cpu_weight = 100;
        fake_run(machine, 60);
}

static void test_nice_between_units(void **state)
{
        (void)state;
        add_units(100);
        struct finding finding = assert_found(CHECK);
        assert_says(&finding, "systemctl set-property --runtime batch.service CPUWeight=10");
        assert_says(&finding, "systemctl set-property --runtime batch.service CPUQuota=100%");
}

/* A unit of low weight gets what the others leave: whatever they wait for, it is not this one. In another
 * slice its own weight says nothing. */
static void test_low_weight(void **state)
{
        (void)state;
        add_units(10);
        (void)assert_verdict(CHECK, VERDICT_CLEAR, false);
        fake_unit(machine, "batch.service")->values.cpu_weight = 20;
        fake_run(machine, 60);
        (void)assert_found(CHECK);
}

static void test_low_weight_in_another_slice(void **state)
{
        (void)state;
        add_units(10);
        fake_unit(machine, "batch.service")->values.id++;
        for (size_t i = 0; i < machine->process_count; i++)
                if (strcmp(machine->processes[i].identity.name, "ffmpeg") == 0)
                        machine->processes[i].identity.cgroup_id++;
        fake_run(machine, 60);
        (void)assert_found(CHECK);
}

/* Of those who were there before nobody waits more than before: what somebody new waits is not the batch's
 * doing. */
static void test_harmless_batch(void **state)
{
        (void)state;
        add_victim("nginx.service", 0.05);
        machine->processes[0].cpu_wait = 0.06;
        fake_run(machine, 300);
        add_overload("batch.service");
        make_nice();
        struct fake_process *fresh = fake_add(machine, "orders", "orders.service");
        fresh->running = 0.05;
        fresh->cpu_wait = 0.2;
        fake_run(machine, 60);
        (void)assert_verdict(CHECK, VERDICT_CLEAR, false);
        machine->processes[0].cpu_wait = 0.3;
        fake_run(machine, 60);
        (void)assert_found(CHECK);
}

/* Who is nice himself is not waiting for anybody. */
static void test_nice_victims(void **state)
{
        (void)state;
        add_overload("");
        add_victim("", 0.5)->counters.nice = 19;
        fake_run(machine, 60);
        assert_clear(CHECK, "others lose only");
}

/* Background work that takes what is left makes no shortage. */
static void test_idle_work_beside_normal(void **state)
{
        (void)state;
        for (int i = 0; i < 4; i++)
                fake_add(machine, "boinc", "")->counters.policy = 5;
        fake_work(machine, "boinc", 0.2, 0.8);
        fake_add(machine, "app", "")->running = 0.9;
        add_victim("", 0.002);
        fake_run(machine, 60);
        (void)assert_verdict(CHECK, VERDICT_CLEAR, false);
}

/* ---- quotas ---- */

/* Four hogs in 20 % of a CPU: their waits are their own quota's. */
static void test_within_a_quota(void **state)
{
        (void)state;
        struct fake_unit *unit = fake_unit(machine, "batch.service");
        unit->values.cpu_quota_usec = 20000;
        unit->values.cpu_period_usec = 100000;
        unit->throttled = 1;
        for (int i = 0; i < 4; i++)
                fake_add(machine, "hog", "batch.service");
        fake_work(machine, "hog", 0.05, 0.94);
        machine->cpu_some = 0.97;
        add_victim("", 0.001);
        fake_run(machine, 60);
        assert_clear(CHECK, "busy");
        machine->busy = 1; /* even on a machine that others fill */
        fake_run(machine, 20);
        assert_clear(CHECK, "nobody asks for more than there is");
}

/* ---- builds and bursts ---- */

static void test_short_build(void **state)
{
        (void)state;
        add_victim("", 0.05);
        fake_run(machine, 120);
        struct fake_process *make = fake_start(machine, "make", "");
        make->children = 1; /* of compilers that came and went within a tick */
        for (int i = 0; i < 4; i++)
                fake_started_by(fake_start(machine, "cc1plus", ""), make);
        fake_work(machine, "cc1plus", 0.45, 0.5);
        for (int i = 0; i < 40; i++) {
                fake_run(machine, 1);
                (void)assert_verdict(CHECK, VERDICT_CLEAR, false);
        }
        fake_run(machine, 15); /* about a minute of it, and others still wait */
        (void)assert_found(CHECK);
}

/* The shells of a build wait for its compilers: that is what a build is. */
static void test_build_alone(void **state)
{
        (void)state;
        struct fake_process *make = fake_add(machine, "make", "");
        for (int i = 0; i < 4; i++) {
                fake_started_by(fake_add(machine, "cc1plus", ""), make);
                fake_started_by(fake_add(machine, "sh", ""), make);
        }
        fake_work(machine, "cc1plus", 0.45, 0.5);
        fake_work(machine, "sh", 0.02, 0.05);
        fake_work(machine, "make", 0.02, 0.05);
        fake_run(machine, 300);
        assert_clear(CHECK, "others lose only");
}

/* Jobs that live for two seconds each: a test suite, a configure run; and one that goes on for minutes. */
static void run_short_jobs(int seconds, const char *const *units, size_t unit_count)
{
        for (int i = 0; i < seconds; i++) {
                if (i % 2 == 0) {
                        machine->process_count = 1; /* but the victim */
                        for (size_t k = 0; k < 6; k++) {
                                struct fake_process *job = fake_start(machine, "job", units[k % unit_count]);
                                job->identity.pid = job->counters.pid =
                                        (uint32_t)(1000 + 10 * i) + (uint32_t)k;
                        }
                        fake_work(machine, "job", 0.3, 0.6);
                }
                fake_tick(machine, 1);
        }
}

static void test_burst_of_short_jobs(void **state)
{
        (void)state;
        static const char *const units[] = { "" };
        add_victim("", 0.05);
        fake_run(machine, 120);
        run_short_jobs(38, units, 1);
        assert_clear(CHECK, "short jobs");
        run_short_jobs(20, units, 1);
        (void)assert_found(CHECK);
}

static void test_short_jobs_of_many_units(void **state)
{
        (void)state;
        static const char *const units[] = { "a.scope", "b.scope", "c.scope" };
        add_victim("", 0.05);
        fake_run(machine, 120);
        run_short_jobs(70, units, 3);
        (void)assert_found(CHECK);
}

/* ---- who is whose ---- */

static void test_script_is_no_victim(void **state)
{
        (void)state;
        struct fake_process *script = fake_add(machine, "deploy.sh", "");
        script->running = 0.05;
        script->cpu_wait = 0.5;
        add_overload("");
        for (size_t i = 1; i < machine->process_count; i++)
                fake_started_by(&machine->processes[i], script);
        fake_run(machine, 60);
        assert_clear(CHECK, "others lose only");
}

static void test_no_victims(void **state)
{
        (void)state;
        add_overload("");
        fake_add(machine, "slowd", "");
        fake_work(machine, "slowd", 0.05, 0.5);
        fake_add(machine, "kworker/0:1", "")->identity.is_kernel_thread = true;
        fake_work(machine, "kworker/0:1", 0.05, 0.5);
        fake_run(machine, 60);
        assert_clear(CHECK, "others lose only");
}

/* No single program wants too much, all of them do: the largest is named, with less confidence. */
static void test_many_at_once(void **state)
{
        (void)state;
        for (int i = 0; i < 4; i++)
                fake_add(machine, i % 2 ? "a" : "b", "");
        fake_work(machine, "a", 0.47, 0.6);
        fake_work(machine, "b", 0.4, 0.65);
        add_victim("", 0.3);
        fake_run(machine, 60);
        struct finding finding = assert_found(CHECK);
        assert_string_equal(finding.culprit.name, "a");
        assert_int_equal(finding.confidence_permille, 700);
        assert_true(fake_is_victim(&finding, "nginx"));
}

/* A benchmark: client and server load each other, and want half as much again as there is. */
static void test_client_and_server(void **state)
{
        (void)state;
        fake_add(machine, "ab", "");
        fake_work(machine, "ab", 0.9, 0.1);
        fake_add(machine, "nginx", "");
        fake_add(machine, "nginx", "");
        fake_work(machine, "nginx", 0.5, 0.4);
        fake_add(machine, "sshd", "");
        fake_work(machine, "sshd", 0.03, 0.03);
        fake_run(machine, 60);
        assert_clear(CHECK, "others lose only");
}

/* Three of which none wants all there is: together they do, and the web server waits as it never did. */
static void test_a_mild_mix(void **state)
{
        (void)state;
        struct fake_process *web = fake_add(machine, "nginx", "");
        web->running = 0.08;
        web->cpu_wait = 0.002;
        fake_run(machine, 120);
        (void)fake_start(machine, "ffmpeg", "");
        (void)fake_start(machine, "blender", "");
        (void)fake_start(machine, "borg", "");
        fake_work(machine, "ffmpeg", 0.7, 0.3);
        fake_work(machine, "blender", 0.6, 0.3);
        fake_work(machine, "borg", 0.5, 0.3);
        web->cpu_wait = 0.13;
        fake_run(machine, 10);
        struct finding finding = assert_found(CHECK);
        assert_string_equal(finding.culprit.name, "ffmpeg");
        assert_int_equal(finding.confidence_permille, 600);
        assert_true(fake_is_victim(&finding, "nginx"));
        assert_int_equal(finding.victim_count, 1);
        assert_says(&finding, "ffmpeg and others want 2.7 CPUs of 2, and nginx waits");
        assert_says(&finding, "others want the rest: blender 0.9, borg 0.8 CPUs");
        web->cpu_wait = 0.03; /* little of its time, and little of anybody's */
        fake_run(machine, 20);
        assert_clear(CHECK, "nginx loses 27 % of its time (only 30 ms each second)");
}

/* The same, but of the one that waits it is not known whether it always does. */
static void test_a_mild_mix_without_past(void **state)
{
        (void)state;
        fake_add(machine, "ffmpeg", "");
        fake_add(machine, "blender", "");
        fake_work(machine, "ffmpeg", 0.95, 0.3);
        fake_work(machine, "blender", 0.9, 0.3);
        add_victim("", 0.15);
        fake_run(machine, 60);
        assert_clear(CHECK, "others lose only");
}

static void test_too_early(void **state)
{
        (void)state;
        add_overload("");
        add_victim("", 0.05);
        fake_run(machine, 4);
        assert_clear(CHECK, "yet");
}

/* slowd starts with the machine, while udev's workers fill it for six seconds: by the time the window is
 * whole they are done. */
static void test_burst_at_boot(void **state)
{
        (void)state;
        for (int i = 0; i < 6; i++)
                fake_add(machine, "(udev-worker)", "");
        add_victim("", 0.05);
        fake_work(machine, "(udev-worker)", 0.32, 0.65);
        fake_run(machine, 1); /* the first sample has no rates */
        for (int i = 0; i < 14; i++) {
                if (i == 6) {
                        fake_work(machine, "(udev-worker)", 0, 0);
                        fake_work(machine, "nginx", 0.05, 0);
                }
                fake_run(machine, 1);
                (void)assert_verdict(CHECK, VERDICT_CLEAR, false);
        }
}

/* After a standstill nothing older counts. */
static void test_after_a_gap(void **state)
{
        (void)state;
        add_overload("");
        add_victim("", 0.05);
        fake_run(machine, 60);
        machine->now.time.realtime_usec += USEC_PER_HOUR;
        machine->now.time.boottime_usec += USEC_PER_HOUR;
        fake_run(machine, 5);
        assert_clear(CHECK, "yet");
        (void)assert_verdict(CHECK, VERDICT_FOUND, true); /* what was found before goes on */
        fake_run(machine, 3);
        (void)assert_found(CHECK);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_found),
                CASE(test_found_within_ten_seconds),
                CASE(test_burst_at_boot),
                CASE(test_idle_cpus),
                CASE(test_full_but_nobody_waits),
                CASE(test_hardly_any_wait),
                CASE(test_as_many_as_cpus),
                CASE(test_small_machine),
                CASE(test_large_machine),
                CASE(test_nice_that_works),
                CASE(test_overload_beside_a_batch),
                CASE(test_batch_beside_a_sleepy_daemon),
                CASE(test_nice_in_vain),
                CASE(test_nice_between_units),
                CASE(test_low_weight),
                CASE(test_low_weight_in_another_slice),
                CASE(test_harmless_batch),
                CASE(test_nice_victims),
                CASE(test_idle_work_beside_normal),
                CASE(test_within_a_quota),
                CASE(test_short_build),
                CASE(test_build_alone),
                CASE(test_burst_of_short_jobs),
                CASE(test_short_jobs_of_many_units),
                CASE(test_script_is_no_victim),
                CASE(test_no_victims),
                CASE(test_many_at_once),
                CASE(test_a_mild_mix),
                CASE(test_a_mild_mix_without_past),
                CASE(test_client_and_server),
                CASE(test_too_early),
                CASE(test_after_a_gap),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
