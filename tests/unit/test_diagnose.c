/* Findings -> one diagnosis: roots and consequences, ranking, risks, and what is said of it. */
#include "tests/support/cases.h"

#include "common/text.h"
#include "daemon/diagnosis/diagnose.h"
#include "daemon/diagnosis/relation.h"

static struct finding findings[CHECKS_MAX];
static size_t count;
static struct diagnosis diagnosis;

static struct finding *add(const char *check, enum verdict verdict)
{
        struct finding *finding = &findings[count++];
        memset(finding, 0, sizeof(*finding));
        finding->check = check;
        finding->verdict = verdict;
        text_format(finding->summary, sizeof(finding->summary), "summary of %s", check);
        return finding;
}

static struct finding *add_found(const char *check, const char *culprit, int32_t lost_permille)
{
        struct finding *finding = add(check, VERDICT_FOUND);
        finding->culprit.kind = SUBJECT_PROGRAM;
        (void)snprintf(finding->culprit.name, sizeof(finding->culprit.name), "%s", culprit);
        finding->lost_permille = lost_permille;
        return finding;
}

static void make(void)
{
        diagnose(findings, count, machine->history, &diagnosis);
}

static int begin(void **state)
{
        set_up(state);
        count = 0;
        memset(&diagnosis, 0x5a, sizeof(diagnosis)); /* as of a former tick */
        fake_run(machine, 5);
        return 0;
}

static void test_too_early(void **state)
{
        (void)state;
        tear_down(NULL);
        set_up(NULL);
        (void)add_found("cpu.overload", "ffmpeg", 500);
        for (int tick = 0; tick < 4; tick++) {
                fake_tick(machine, 1);
                make();
                assert_int_equal(diagnosis.verdict, tick < 2 ? DIAGNOSIS_UNKNOWN : DIAGNOSIS_SLOW);
                assert_int_equal(diagnosis.cause_count, tick < 2 ? 0 : 1);
                assert_int_equal(diagnosis.at_usec, machine->now.time.realtime_usec);
        }
}

static void test_healthy(void **state)
{
        (void)state;
        (void)add("cpu.overload", VERDICT_CLEAR);
        (void)add("memory.thrash", VERDICT_CLEAR);
        (void)add("disk.saturated", VERDICT_UNKNOWN);
        make();
        assert_int_equal(diagnosis.verdict, DIAGNOSIS_HEALTHY);
        assert_string_equal(diagnosis.machine, "web1");
        assert_int_equal(diagnosis.ruled_out_count, 2);
        assert_string_equal(diagnosis.ruled_out[1].check, "memory.thrash");
        assert_string_equal(diagnosis.ruled_out[1].text, "summary of memory.thrash");
        assert_int_equal(diagnosis.not_checked_count, 1);
        assert_string_equal(diagnosis.not_checked[0].check, "disk.saturated");
        assert_non_null(strstr(diagnosis.summary, "web1 is healthy"));
        assert_non_null(strstr(diagnosis.summary, "75 % of memory available"));
}

static void test_healthy_and_busy(void **state)
{
        (void)state;
        struct fake_process *encoder = fake_add(machine, "ffmpeg", "batch.service");
        encoder->running = 0.3;
        fake_run(machine, 60);
        make();
        assert_null(strstr(diagnosis.summary, "ffmpeg")); /* of two CPUs that is little */
        encoder->running = 1.5;
        fake_add(machine, "nginx", "nginx.service")->running = 0.3;
        fake_run(machine, 120);
        make();
        assert_int_equal(diagnosis.verdict, DIAGNOSIS_HEALTHY);
        assert_non_null(strstr(diagnosis.summary, " busy, mostly with ffmpeg, "));
}

static void test_healthy_without_figures(void **state)
{
        (void)state;
        struct clock_reading time = machine->now.time;
        machine->history = history_free(machine->history);
        machine->history = history_new();
        for (int i = 0; i < 4; i++) {
                time.monotonic_usec += USEC_PER_SEC;
                sample_clear(&machine->now);
                machine->now.time = time;
                fake_tick(machine, 1);
                machine->now.stat.cpu_count = ABSENT;
                time = machine->now.time;
        }
        make();
        assert_int_equal(diagnosis.verdict, DIAGNOSIS_HEALTHY);
        assert_null(strstr(diagnosis.summary, "nan"));
}

/* A limit that is too low: thrashing, kills and a busy disk follow from it. */
static void test_root_and_consequences(void **state)
{
        (void)state;
        struct finding *thrash = add_found("memory.thrash", "eater", 700);
        (void)snprintf(thrash->culprit.unit, UNIT_NAME_MAX, "a.service");
        struct finding *limit = add_found("memory.limit", "a.service", 300);
        limit->culprit.kind = SUBJECT_UNIT;
        (void)add_found("memory.oom", "eater", 900);
        (void)add_found("disk.saturated", "eater", 600);
        make();
        assert_int_equal(diagnosis.verdict, DIAGNOSIS_SLOW);
        assert_int_equal(diagnosis.cause_count, 1);
        assert_string_equal(diagnosis.causes[0].check, "memory.thrash");
        assert_null(diagnosis.causes[0].because);
        assert_int_equal(diagnosis.consequence_count, 3);
        for (uint32_t i = 0; i < 3; i++)
                assert_string_equal(diagnosis.consequences[i].because, "memory.thrash");
        assert_string_equal(diagnosis.consequences[0].check, "memory.oom"); /* the worst first */
        /* It costs what its consequences cost. */
        assert_int_equal(diagnosis.causes[0].lost_permille, 900);
        assert_string_equal(diagnosis.summary, "web1 is slow: summary of memory.thrash.");
}

static void test_unrelated_findings(void **state)
{
        (void)state;
        (void)add_found("cpu.overload", "ffmpeg", 300);
        (void)add_found("memory.thrash", "java", 500);
        (void)add_found("disk.saturated", "dd", 400); /* another program's doing */
        make();
        assert_int_equal(diagnosis.cause_count, 3);
        assert_int_equal(diagnosis.consequence_count, 0);
        assert_string_equal(diagnosis.causes[0].check, "memory.thrash");
        assert_string_equal(diagnosis.causes[1].check, "disk.saturated");
        assert_string_equal(diagnosis.causes[2].check, "cpu.overload");
}

static void test_how_findings_are_related(void **state)
{
        (void)state;
        struct finding *thrash = add_found("memory.thrash", "java", 500),
                       *disk = add_found("disk.saturated", "x", 1);
        make();
        assert_int_equal(diagnosis.cause_count, 2);
        (void)snprintf(thrash->victims[0].name, SUBJECT_NAME_MAX, "x"); /* the victim's reads fill the disk */
        thrash->victim_count = 1;
        make();
        assert_int_equal(diagnosis.cause_count, 1);
        thrash->victim_count = 0;
        thrash->culprit.pids[0] = disk->culprit.pids[1] = 77; /* another name of the same process */
        thrash->culprit.pid_count = 1;
        disk->culprit.pid_count = 2;
        disk->culprit.pids[0] = 5;
        make();
        assert_int_equal(diagnosis.cause_count, 1);
        disk->culprit.pids[1] = 78;
        thrash->culprit.kind = SUBJECT_MACHINE;
        make();
        assert_int_equal(diagnosis.cause_count, 1);
        /* Two units without a name are not the same. */
        thrash->culprit.kind = SUBJECT_PROGRAM;
        thrash->culprit.name[0] = disk->culprit.name[0] = '\0';
        make();
        assert_int_equal(diagnosis.cause_count, 2);
}

/* ---- chains: one root, and what follows from what follows from it ---- */

static struct finding *add_about(const char *check, enum subject_kind kind, const char *culprit)
{
        struct finding *finding = add_found(check, culprit, 100 * (int32_t)(count + 1));
        finding->culprit.kind = kind;
        return finding;
}

static void assert_one_cause(const char *root, uint32_t consequences)
{
        make();
        if (diagnosis.cause_count != 1 || strcmp(diagnosis.causes[0].check, root) != 0)
                fail_msg("%u causes, the first is %s, not %s", diagnosis.cause_count,
                         diagnosis.cause_count > 0 ? diagnosis.causes[0].check : "none", root);
        assert_int_equal(diagnosis.consequence_count, consequences);
        for (uint32_t i = 0; i < consequences; i++)
                assert_string_equal(diagnosis.consequences[i].because, root);
        /* It costs what the dearest of them costs. */
        assert_int_equal(diagnosis.causes[0].lost_permille, 100 * (int32_t)count);
}

/* The disk's culprit is the thrashing program, of which the root does not speak: two steps. */
static void test_two_steps(void **state)
{
        (void)state;
        (void)add_about("memory.exhausted", SUBJECT_PROGRAM, "browser");
        struct finding *thrash = add_about("memory.thrash", SUBJECT_PROGRAM, "java");
        (void)add_about("disk.saturated", SUBJECT_PROGRAM, "java");
        make();
        assert_int_equal(diagnosis.cause_count, 2);
        (void)snprintf(thrash->culprit.unit, UNIT_NAME_MAX, "browser");
        assert_one_cause("memory.exhausted", 2);
}

static void test_worker_explains_the_disk(void **state)
{
        (void)state;
        struct finding *worker = add_about("background.maintenance", SUBJECT_PROGRAM, "apt-get");
        struct finding *disk = add_about("disk.saturated", SUBJECT_PROGRAM, "dpkg");
        (void)snprintf(worker->device, sizeof(worker->device), "sda");
        (void)snprintf(disk->device, sizeof(disk->device), "sda");
        make();
        assert_int_equal(diagnosis.cause_count, 2); /* two programs on one disk have nothing in common */
        worker->culprit.pids[0] = disk->culprit.pids[0] = 77;
        worker->culprit.pid_count = disk->culprit.pid_count = 1;
        assert_one_cause("background.maintenance", 1);
}

/* An array that resyncs, and whoever the busy member is put down to. */
static void test_array_and_member(void **state)
{
        (void)state;
        struct sample *sample = &machine->samples[machine->current];
        (void)add_about("background.maintenance", SUBJECT_DEVICE, "md0");
        struct finding *disk = add_about("disk.saturated", SUBJECT_PROGRAM, "postgres");
        (void)snprintf(disk->device, sizeof(disk->device), "sdb");
        make();
        assert_int_equal(diagnosis.cause_count, 2);
        sample->raid_count = 1;
        sample->raids[0] = (struct raid_sample){ .name = "md0", .members = "sda1 sdc1" };
        make();
        assert_int_equal(diagnosis.cause_count, 2);
        sample->raids[0] = (struct raid_sample){ .name = "md0", .members = "sda1 sdb1" };
        assert_one_cause("background.maintenance", 1);
}

/* The chains that CHECKS names: a leak that ends in thrashing and a busy disk, a log that fills a disk, a
 * disk that fails, a mount that hangs. Each is one cause, and all the rest its consequences. */
struct link {
        const char *check;
        enum subject_kind kind;
        const char *culprit;
        const char *device;
};

static const struct link leak[] = {
        { "memory.leak", SUBJECT_PROGRAM, "java", "" },
        { "memory.thrash", SUBJECT_PROGRAM, "java", "" },
        { "disk.saturated", SUBJECT_PROGRAM, "java", "sda" },
        { NULL, SUBJECT_NONE, NULL, NULL },
};
static const struct link flood[] = {
        { "log.oversized", SUBJECT_FILE, "/var/log/app.log", "" },
        { "disk.full", SUBJECT_MOUNT, "/var", "" },
        { NULL, SUBJECT_NONE, NULL, NULL },
};
static const struct link sick[] = {
        { "disk.failing", SUBJECT_DISK, "sda", "" }, { "disk.errors", SUBJECT_DISK, "sda1", "" },
        { "disk.slow", SUBJECT_DISK, "sda", "" },    { "disk.saturated", SUBJECT_PROGRAM, "postgres", "sda" },
        { NULL, SUBJECT_NONE, NULL, NULL },
};
static const struct link hung[] = {
        { "mount.hung", SUBJECT_MOUNT, "/net", "" },
        { "limits.tasks", SUBJECT_MACHINE, "web1", "" },
        { NULL, SUBJECT_NONE, NULL, NULL },
};

static void test_chains(void **state)
{
        (void)state;
        static const struct link *const chains[] = { leak, flood, sick, hung };
        static const struct mount_sample mount = { .major = 8, .minor = 1, .path = "/var" };
        struct sample *sample = &machine->samples[machine->current];
        sample->mounts = &mount;
        sample->mount_count = 1;
        for (size_t i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
                if (!check_find(chains[i]->check)) {
                        print_message("skipped: there is no check %s yet\n", chains[i]->check);
                        continue;
                }
                count = 0;
                for (const struct link *link = chains[i]; link->check; link++) {
                        struct finding *finding = add_about(link->check, link->kind, link->culprit);
                        (void)snprintf(finding->device, sizeof(finding->device), "%s", link->device);
                }
                assert_one_cause(chains[i]->check, (uint32_t)count - 1);
        }
        sample->mounts = NULL;
        sample->mount_count = 0;
}

/* ---- places ---- */

static bool is_related(const struct finding *a, const struct finding *b)
{
        return relation_holds(&machine->samples[machine->current], a, b);
}

static void test_places(void **state)
{
        (void)state;
        static const struct mount_sample mounts[] = {
                { .major = 8, .minor = 1, .path = "/", .source = "/dev/sda1", .type = "ext4" },
                { .major = 8, .minor = 17, .path = "/var", .source = "/dev/sdb1", .type = "ext4" },
                { .major = 0, .minor = 40, .path = "/srv", .source = "/dev/nvme0n1p2", .type = "btrfs" },
                { .major = 8, .minor = 17, .path = "/mnt/bind", .source = "/dev/sdb1", .type = "ext4" },
                { .major = 253, .minor = 0, .path = "/home", .source = "/dev/mapper/vg-home", .type = "xfs" },
                { .major = 0, .minor = 50, .path = "/net", .source = "nas:/x", .type = "nfs" },
        };
        static const struct {
                enum subject_kind kind_a;
                const char *a;
                enum subject_kind kind_b;
                const char *b;
                bool is_related;
        } cases[] = {
                { SUBJECT_FILE, "/var/log/app.log", SUBJECT_MOUNT, "/var", true },
                { SUBJECT_FILE, "/var/log/app.log", SUBJECT_MOUNT, "/mnt/bind", true },
                { SUBJECT_FILE, "/var/log/app.log", SUBJECT_MOUNT, "/", false },
                { SUBJECT_FILE, "/variable", SUBJECT_MOUNT, "/var", false },
                { SUBJECT_FILE, "/variable", SUBJECT_MOUNT, "/", true },
                { SUBJECT_FILE, "relative", SUBJECT_MOUNT, "/", false },
                { SUBJECT_DISK, "sdb", SUBJECT_MOUNT, "/var", true },
                { SUBJECT_DISK, "/dev/sdb", SUBJECT_MOUNT, "/var", true },
                { SUBJECT_DISK, "sdb", SUBJECT_MOUNT, "/", false },
                { SUBJECT_DISK, "sdb", SUBJECT_FILE, "/var/log/app.log", true },
                { SUBJECT_DISK, "nvme0n1", SUBJECT_MOUNT, "/srv", true },
                { SUBJECT_DISK, "nvme0", SUBJECT_MOUNT, "/srv", false },
                { SUBJECT_DISK, "sda", SUBJECT_DISK, "sda1", true },
                { SUBJECT_DISK, "sda1", SUBJECT_DISK, "sda", true },
                { SUBJECT_DISK, "sda", SUBJECT_DISK, "sdaa", false },
                { SUBJECT_DISK, "sda", SUBJECT_DISK, "sdaa1", false },
                { SUBJECT_DISK, "loop1", SUBJECT_DISK, "loop10", false },
                { SUBJECT_DISK, "md0", SUBJECT_DISK, "md0p1", true },
                { SUBJECT_DISK, "sdb", SUBJECT_MOUNT, "/home", true }, /* a volume on it */
                { SUBJECT_DISK, "sda", SUBJECT_MOUNT, "/home", false },
                { SUBJECT_DISK, "sda", SUBJECT_PROGRAM, "sda1", false },
                { SUBJECT_DISK, "sda", SUBJECT_MOUNT, "/net", false },
                { SUBJECT_DISK, "", SUBJECT_DISK, "", false },
                { SUBJECT_MOUNT, "/net", SUBJECT_MOUNT, "/srv", false },
        };
        struct sample *sample = &machine->samples[machine->current];
        sample->mounts = mounts;
        sample->mount_count = sizeof(mounts) / sizeof(mounts[0]);
        sample->disk_count = 5;
        static const struct disk_sample disks[] = {
                { .name = "sda", .major = 8, .minor = 0 },
                { .name = "sda1", .major = 8, .minor = 1, .is_partition = true },
                { .name = "sdb", .major = 8, .minor = 16 },
                { .name = "sdb1", .major = 8, .minor = 17, .is_partition = true, .lower = "sdb" },
                { .name = "dm-0", .major = 253, .is_stacked = true, .lower = "sdb" },
        };
        memcpy(sample->disks, disks, sizeof(disks));
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                count = 0;
                const struct finding *a = add_about("x", cases[i].kind_a, cases[i].a);
                const struct finding *b = add_about("y", cases[i].kind_b, cases[i].b);
                if (is_related(a, b) != cases[i].is_related || is_related(b, a) != cases[i].is_related)
                        fail_msg("%s and %s", cases[i].a, cases[i].b);
        }
        /* A program whose finding says which disk it is about. */
        count = 0;
        struct finding *disk = add_about("x", SUBJECT_DISK, "sdb"),
                       *program = add_about("y", SUBJECT_PROGRAM, "postgres");
        assert_false(is_related(disk, program));
        (void)snprintf(program->device, sizeof(program->device), "sdb1");
        assert_true(is_related(disk, program));
        sample->mounts = NULL;
        sample->mount_count = 0;
}

/* What was not found explains nothing. */
static void test_only_found_roots(void **state)
{
        (void)state;
        (void)add("memory.thrash", VERDICT_CLEAR);
        (void)add_found("disk.saturated", "x", 400);
        make();
        assert_int_equal(diagnosis.cause_count, 1);
        assert_string_equal(diagnosis.causes[0].check, "disk.saturated");
}

static void test_risk(void **state)
{
        (void)state;
        add_found("memory.oom", "eater", 0)->kind = FINDING_RISK;
        make();
        assert_int_equal(diagnosis.verdict, DIAGNOSIS_RISK);
        assert_int_equal(diagnosis.risk_count, 1);
        assert_int_equal(diagnosis.cause_count, 0);
        assert_string_equal(diagnosis.summary, "web1 is not slow, but summary of memory.oom.");
        (void)add_found("cpu.overload", "ffmpeg", 300);
        make();
        assert_int_equal(diagnosis.verdict, DIAGNOSIS_SLOW);
        assert_int_equal(diagnosis.risk_count, 1);
}

/* Memory nearly out is a risk; as soon as something that follows from it hurts, it is what hurts. */
static void test_risk_that_hurts_by_its_consequence(void **state)
{
        (void)state;
        struct finding *thrash = add_found("memory.thrash", "java", 600);
        struct finding *exhausted = add_found("memory.exhausted", "web1", 20);
        exhausted->culprit.kind = SUBJECT_MACHINE;
        exhausted->kind = FINDING_RISK;
        (void)add_found("cpu.overload", "ffmpeg", 300);
        make();
        assert_int_equal(diagnosis.verdict, DIAGNOSIS_SLOW);
        assert_int_equal(diagnosis.risk_count, 0);
        assert_int_equal(diagnosis.cause_count, 2);
        assert_string_equal(diagnosis.causes[0].check, "memory.exhausted");
        assert_int_equal(diagnosis.causes[0].lost_permille, 600);
        assert_string_equal(diagnosis.consequences[0].because, "memory.exhausted");
        thrash->kind = FINDING_RISK;
        make();
        assert_int_equal(diagnosis.risk_count, 1);
}

static void test_more_than_fit(void **state)
{
        (void)state;
        static char names[DIAGNOSIS_FINDINGS_MAX + 6][24];
        for (int i = 0; i < DIAGNOSIS_FINDINGS_MAX + 6; i++) {
                (void)snprintf(names[i], sizeof(names[i]), "check.%d", i);
                (void)add_found(names[i], "x", 10 * ((i * 7) % 18));
        }
        make();
        assert_int_equal(diagnosis.cause_count, DIAGNOSIS_FINDINGS_MAX);
        for (uint32_t i = 0; i < diagnosis.cause_count; i++)
                assert_int_equal(diagnosis.causes[i].lost_permille, 170 - 10 * (int)i);
}

static void test_signature(void **state)
{
        (void)state;
        struct finding *overload = add_found("cpu.overload", "ffmpeg", 300);
        make();
        uint64_t signature = diagnosis_signature(&diagnosis);
        overload->lost_permille = 400; /* figures and sentences may move */
        (void)snprintf(overload->summary, sizeof(overload->summary), "31 ffmpegs");
        overload->culprit.count = 31;
        make();
        assert_int_equal(diagnosis_signature(&diagnosis), signature);
        overload->culprit.name[0] = 'x'; /* culprits, kinds and checks may not */
        make();
        assert_int_not_equal(diagnosis_signature(&diagnosis), signature);
        overload->culprit.name[0] = 'f';
        overload->kind = FINDING_RISK;
        make();
        assert_int_not_equal(diagnosis_signature(&diagnosis), signature);
        overload->kind = FINDING_CAUSE;
        (void)add("disk.saturated", VERDICT_UNKNOWN);
        make();
        assert_int_not_equal(diagnosis_signature(&diagnosis), signature);
        findings[1].verdict = VERDICT_CLEAR; /* one more that is ruled out says nothing new */
        make();
        assert_int_equal(diagnosis_signature(&diagnosis), signature);
}

#define FOUND_CASE(test) cmocka_unit_test_setup_teardown(test, begin, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                FOUND_CASE(test_too_early),
                FOUND_CASE(test_healthy),
                FOUND_CASE(test_healthy_and_busy),
                FOUND_CASE(test_healthy_without_figures),
                FOUND_CASE(test_root_and_consequences),
                FOUND_CASE(test_unrelated_findings),
                FOUND_CASE(test_how_findings_are_related),
                FOUND_CASE(test_two_steps),
                FOUND_CASE(test_worker_explains_the_disk),
                FOUND_CASE(test_array_and_member),
                FOUND_CASE(test_chains),
                FOUND_CASE(test_places),
                FOUND_CASE(test_only_found_roots),
                FOUND_CASE(test_risk),
                FOUND_CASE(test_risk_that_hurts_by_its_consequence),
                FOUND_CASE(test_more_than_fit),
                FOUND_CASE(test_signature),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
