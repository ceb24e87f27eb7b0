/* Programs of one name as one suspect, who belongs to whose job, whose nice counts, and what may be typed. */
#include "daemon/checks/blame.h"
#include "tests/support/cases.h"

static struct family families[FAMILIES_MAX];
static size_t count;

static const struct family *family(const char *name)
{
        for (size_t i = 0; i < count; i++)
                if (strcmp(families[i].name, name) == 0)
                        return &families[i];
        fail_msg("no family %s", name);
        return NULL;
}

static void make(void)
{
        fake_run(machine, 6);
        count = families_make(machine->history, 5 * USEC_PER_SEC, families, FAMILIES_MAX);
}

static bool is_job(const char *a, const char *b)
{
        bool is = is_same_job(&machine->snapshot, family(a), family(b));
        assert_true(is == is_same_job(&machine->snapshot, family(b), family(a)));
        return is;
}

static enum nice_effect nice(const char *a, const char *b)
{
        return nice_between(&machine->snapshot, family(a), family(b));
}

static void test_nobody(void **state)
{
        (void)state;
        fake_add(machine, "idle", "");
        make();
        assert_int_equal(count, 0);
}

static void test_merged_across_units(void **state)
{
        (void)state;
        fake_add(machine, "ffmpeg", "a.scope")->counters.rss_anon_bytes = 1000;
        fake_add(machine, "ffmpeg", "b.scope")->counters.swap_bytes = 200;
        fake_add(machine, "ffmpeg", "b.scope");
        fake_work(machine, "ffmpeg", 0.25, 0.5);
        machine->processes[1].running = 0.5;
        fake_add(machine, "kworker/1:0", "")->identity.is_kernel_thread = true;
        fake_add(machine, "slowd", "");
        fake_work(machine, "kworker/1:0", 0.1, 0);
        fake_work(machine, "slowd", 0.1, 0);
        make();
        assert_int_equal(count, 3);
        const struct family *ffmpeg = family("ffmpeg");
        assert_int_equal(ffmpeg->count, 3);
        assert_int_equal(ffmpeg->program_count, 2);
        assert_true(fabs((double)ffmpeg->cpu - 1.0) < 1e-3);
        assert_true(fabs((double)ffmpeg->demand - 2.5) < 1e-3);
        assert_int_equal(ffmpeg->memory_bytes, 1200);
        assert_string_equal(machine->snapshot.programs[ffmpeg->programs[0]].unit, "b.scope");
        assert_true(family("kworker/1:0")->is_kernel);
        assert_true(family("slowd")->is_self);
        assert_int_equal(families_make(machine->history, 5 * USEC_PER_SEC, families, 1), 1);
}

static void test_classes_apart(void **state)
{
        (void)state;
        fake_add(machine, "ffmpeg", "")->counters.nice = 19;
        fake_add(machine, "ffmpeg", "");
        fake_work(machine, "ffmpeg", 0.5, 0);
        make();
        assert_int_equal(count, 2);
        assert_true(families[0].is_batch != families[1].is_batch);
}

/* Of more units than are remembered the one that wants most still stands first. */
static void test_many_units(void **state)
{
        (void)state;
        char unit[UNIT_NAME_MAX];
        for (int i = 0; i < 3 * FAMILY_PROGRAMS_MAX; i++) {
                (void)snprintf(unit, sizeof(unit), "php%02d.service", i);
                fake_add(machine, "php", unit)->running = 0.01 * (i + 1);
        }
        make();
        assert_int_equal(family("php")->program_count, FAMILY_PROGRAMS_MAX);
        assert_int_equal(family("php")->count, 3 * FAMILY_PROGRAMS_MAX);
        assert_string_equal(machine->snapshot.programs[family("php")->programs[0]].unit, "php23.service");
}

static void test_those_that_ended_are_no_suspects(void **state)
{
        (void)state;
        fake_add(machine, "gone", "")->running = 1;
        fake_run(machine, 5);
        fake_end(machine, "gone");
        fake_run(machine, 1);
        assert_int_equal(families_make(machine->history, 5 * USEC_PER_SEC, families, FAMILIES_MAX), 0);
}

static void test_permille(void **state)
{
        (void)state;
        struct ledger nothing = ledger_unknown(), half = ledger_unknown();
        assert_int_equal(lost_permille_of(1, &nothing), 0);
        half.running = half.cpu_wait = 0.5F;
        assert_int_equal(lost_permille_of(half.cpu_wait, &half), 500);
        assert_int_equal(lost_permille_of(NAN, &half), 0);
        assert_int_equal(lost_permille_of(7, &half), 1000);
}

/* ---- jobs ---- */

static void test_same_job(void **state)
{
        (void)state;
        struct fake_process *deploy = fake_add(machine, "deploy.sh", ""),
                            *other = fake_add(machine, "sshd", "");
        struct fake_process *ffmpeg = fake_add(machine, "ffmpeg", ""),
                            *nginx = fake_add(machine, "nginx", "");
        fake_started_by(deploy, other);
        fake_started_by(ffmpeg, deploy);
        deploy->running = other->running = ffmpeg->running = nginx->running = 0.1;
        make();
        assert_true(is_job("ffmpeg", "deploy.sh"));
        assert_true(is_job("ffmpeg", "sshd"));
        assert_false(is_job("ffmpeg", "nginx"));
}

/* Everything descends from init: that makes nobody a job. */
static void test_children_of_init(void **state)
{
        (void)state;
        struct fake_process *init = fake_add(machine, "systemd", ""), *nginx = fake_add(machine, "nginx", "");
        init->identity.pid = init->counters.pid = 1;
        fake_started_by(nginx, init);
        init->running = nginx->running = 0.1;
        make();
        assert_false(is_job("nginx", "systemd"));
}

static void test_builds(void **state)
{
        (void)state;
        static const char *const tools[] = { "make",     "cc1plus", "x86_64-linux-gnu-gcc-12",
                                             "clang-14", "rustc",   "ld",
                                             "ninja" };
        static const char *const others[] = { "nginx", "makeover", "gccd", "sh", "", "lde", "clangd" };
        for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++)
                assert_true(is_build_tool(tools[i]));
        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
                assert_false(is_build_tool(others[i]));

        struct fake_process *shell = fake_add(machine, "bash", ""), *top = fake_add(machine, "make", ""),
                            *cc = fake_add(machine, "cc1plus", ""), *sh = fake_add(machine, "sh", ""),
                            *foreign = fake_add(machine, "python3", "");
        fake_started_by(top, shell);
        fake_started_by(cc, top);
        fake_started_by(sh, top);
        fake_started_by(foreign, shell);
        cc->running = sh->running = top->running = foreign->running = 0.1;
        make();
        assert_true(is_job("cc1plus", "make"));
        assert_true(is_job("cc1plus", "sh"));       /* of the same make */
        assert_false(is_job("cc1plus", "python3")); /* of the same shell only */
}

/* ---- nice ---- */

static void two(const char *unit_a, const char *unit_b)
{
        fake_add(machine, "a", unit_a)->running = 0.1;
        fake_add(machine, "b", unit_b)->running = 0.1;
}

static void test_nice_within_a_unit(void **state)
{
        (void)state;
        two("x.service", "x.service");
        fake_unit(machine, "x.service")->values.cpu_weight = 100;
        make();
        assert_int_equal(nice("a", "b"), NICE_WORKS);
}

static void test_nice_across_units(void **state)
{
        (void)state;
        two("x.service", "y.service");
        fake_unit(machine, "x.service")->values.cpu_weight = 100;
        fake_unit(machine, "y.service");
        machine->processes[0].counters.autogroup = machine->processes[1].counters.autogroup = 7;
        make();
        assert_int_equal(nice("a", "b"), NICE_OTHER_UNIT); /* whatever the autogroups say */
        assert_int_equal(nice("b", "a"), NICE_OTHER_UNIT);
}

static void test_nice_by_autogroup(void **state)
{
        (void)state;
        two("x.service", "y.service"); /* units without a CPU controller */
        fake_unit(machine, "x.service");
        fake_unit(machine, "y.service");
        struct process_sample *a = &machine->processes[0].counters, *b = &machine->processes[1].counters;
        a->autogroup = 7;
        b->autogroup = 8;
        make();
        assert_int_equal(nice("a", "b"), NICE_OTHER_SESSION);
        b->autogroup = 7;
        make();
        assert_int_equal(nice("a", "b"), NICE_WORKS);
        b->autogroup = 8;
        a->autogroup_nice = 19; /* the session of a yields as a whole; that of b does not */
        make();
        assert_int_equal(nice("a", "b"), NICE_WORKS);
        assert_int_equal(nice("b", "a"), NICE_OTHER_SESSION);
}

static void test_nice_unknown(void **state)
{
        (void)state;
        two("", "");
        make();
        assert_int_equal(nice("a", "b"), NICE_UNKNOWN);
}

/* ---- commands ---- */

static const char *command(const char *name)
{
        static char buffer[FINDING_TEXT_MAX];
        return command_to_processes(buffer, &machine->snapshot, family(name), "kill -STOP");
}

static void add_many(int how_many, const char *name, const char *comm)
{
        for (int i = 0; i < how_many; i++) {
                struct fake_process *process = fake_add(machine, name, "");
                (void)snprintf(process->identity.comm, COMM_MAX, "%s", comm);
                process->running = 0.1;
        }
}

static void test_commands(void **state)
{
        (void)state;
        add_many(2, "few", "few");               /* pids 100, 101 */
        add_many(7, "ffmpeg", "ffmpeg");         /* 102 ... */
        add_many(7, "deploy.py", "python3");     /* 109 ... */
        add_many(7, "python3.11", "python3.11"); /* 116 ... */
        add_many(40, "worker.rb", "ruby");       /* no name, too many to list */
        add_many(7, "g++", "g++");
        make();
        assert_string_equal(command("few"), "kill -STOP 100 101");
        assert_string_equal(command("ffmpeg"), "kill -STOP $(pgrep -x ffmpeg)");
        assert_string_equal(command("deploy.py"), "kill -STOP 109 110 111 112 113 114 115");
        assert_string_equal(command("python3.11"), "kill -STOP $(pgrep -x 'python3[.]11')");
        assert_string_equal(command("worker.rb"), "");
        assert_string_equal(command("g++"), "kill -STOP $(pgrep -x 'g[+][+]')");
}

/* Whatever a process calls itself, no shell may act on it. */
static void test_hostile_names(void **state)
{
        (void)state;
        static const char *const names[] = {
                "$(reboot)", "`reboot`", "a;reboot", "a b", "-9",    "'",  "\"x\"", "a\nb",     "a|b",
                "../x",      "a&b",      "a>b",      "*",   "~root", "!x", "a#b",   "\xc3\xa4", "{a,b}"
        };
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                machine = fake_free(machine);
                machine = fake_new();
                add_many(40, names[i], names[i]);
                make();
                assert_string_equal(command(names[i]), "");
        }
        /* Few enough for a list of pids: only digits in it. */
        machine = fake_free(machine);
        machine = fake_new();
        add_many(7, "$(reboot)", "$(reboot)");
        make();
        assert_string_equal(command("$(reboot)"), "kill -STOP 100 101 102 103 104 105 106");

        char buffer[FINDING_TEXT_MAX];
        static const char *const units[] = {
                "",           "nginx",     "/x/y",    "$(reboot).service", "a b.service",
                "-H.service", "a;b.scope", "x.mount", "x.service\n"
        };
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
                assert_string_equal(command_on_unit(buffer, units[i], "systemctl stop %s", units[i]), "");
        assert_string_equal(
                command_on_unit(buffer, "getty@tty1.service", "systemctl stop %s", "getty@tty1.service"),
                "systemctl stop getty@tty1.service");
}

/* ---- sentences ---- */

static void test_findings_have_caps(void **state)
{
        (void)state;
        struct finding finding = { 0 };
        for (int i = 0; i < 20; i++) {
                finding_evidence(&finding, "cpu.demand", i, "permille", i == 0 ? 7 : NAN, NAN, "%d", i);
                finding_remedy(&finding, NULL, "%d", i);
        }
        finding_evidence(&finding, "x", NAN, "permille", NAN, NAN, "nothing");
        assert_int_equal(finding.evidence_count, FINDING_EVIDENCE_MAX);
        assert_int_equal(finding.remedy_count, FINDING_REMEDIES_MAX);
        assert_int_equal(finding.evidence[0].threshold, 7);
        assert_int_equal(finding.evidence[1].threshold, INT64_MIN);
        assert_int_equal(finding.evidence[1].usual, INT64_MIN);
        finding_reason(&finding, VERDICT_CLEAR, "%s", "a\x1b[31mb\xff");
        assert_string_equal(finding.summary, "a?[31mb?");
}

static void test_origin(void **state)
{
        (void)state;
        struct fake_process *cron = fake_add(machine, "cron", ""), *sh = fake_add(machine, "sh", ""),
                            *ffmpeg = fake_add(machine, "ffmpeg", ""),
                            *alone = fake_add(machine, "alone", "");
        struct origin origin;
        struct ancestor init = { .pid = 1, .name = "systemd" };
        cron->identity.chain[0] = init;
        cron->identity.chain_length = 1;
        (void)snprintf(cron->identity.command_line, COMMAND_LINE_MAX, "/usr/sbin/cron -f");
        fake_started_by(sh, cron);
        fake_started_by(ffmpeg, sh);
        (void)snprintf(ffmpeg->identity.origin_script, PATH_TEXT_MAX, "/src/deploy_videos/deploy.sh");
        (void)snprintf(ffmpeg->identity.origin_directory, PATH_TEXT_MAX, "/src/deploy_videos");
        ffmpeg->running = alone->running = 0.5;
        sh->is_hidden = true; /* it has ended */
        make();
        assert_true(origin_of_family(&machine->snapshot, family("ffmpeg"), &origin));
        assert_int_equal(origin.chain_length, 2); /* init left out */
        assert_string_equal(origin.chain[0].name, "cron");
        assert_string_equal(origin.chain[0].command_line, "/usr/sbin/cron -f");
        assert_string_equal(origin.chain[1].name, "sh");
        assert_string_equal(origin.chain[1].command_line, "");
        assert_string_equal(origin.script, "/src/deploy_videos/deploy.sh");
        assert_false(origin_of_family(&machine->snapshot, family("alone"), &origin));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_nobody),
                CASE(test_merged_across_units),
                CASE(test_classes_apart),
                CASE(test_many_units),
                CASE(test_those_that_ended_are_no_suspects),
                cmocka_unit_test(test_permille),
                CASE(test_same_job),
                CASE(test_children_of_init),
                CASE(test_builds),
                CASE(test_nice_within_a_unit),
                CASE(test_nice_across_units),
                CASE(test_nice_by_autogroup),
                CASE(test_nice_unknown),
                CASE(test_commands),
                CASE(test_hostile_names),
                cmocka_unit_test(test_findings_have_caps),
                CASE(test_origin),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
