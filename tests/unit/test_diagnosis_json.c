/* The JSON of a diagnosis, and above all what it withholds from whom. */
#include "daemon/diagnosis/diagnosis_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/text.h"

#define ALICE 1000
#define BOB   1001

static const struct viewer root_viewer = { .sees_all = true, .uid = 0 };
static const struct viewer alice = { .uid = ALICE };
static const struct viewer bob = { .uid = BOB };

static struct finding a_finding(void)
{
        struct finding finding = {
                .check = "cpu.overload",
                .verdict = VERDICT_FOUND,
                .severity = SEVERITY_CRITICAL,
                .since_usec = 17,
                .lost_permille = 310,
                .confidence_permille = 900,
                .summary = "summary",
                .culprit = { .kind = SUBJECT_PROGRAM,
                             .name = "ffmpeg",
                             .count = 30,
                             .pids = { 1, 2 },
                             .pid_count = 2,
                             .uid = ALICE,
                             .user = "alice",
                             .command_line = "ffmpeg alices.mkv",
                             .lost_permille = -1 },
                .has_origin = true,
                .origin = { .chain = { { .name = "cron", .pid = 5, .command_line = "cron -f" },
                                       { .name = "sh",
                                         .pid = 6,
                                         .uid = ALICE,
                                         .command_line = "sh /home/alice/deploy.sh" } },
                            .chain_length = 2,
                            .script = "/home/alice/deploy.sh",
                            .working_directory = "/home/alice" },
                .victims = { { .kind = SUBJECT_UNIT,
                               .name = "nginx.service",
                               .uid = BOB,
                               .unit = "nginx.service",
                               .command_line = "nginx bobs",
                               .lost_permille = 310 } },
                .victim_count = 1,
                .evidence = { { .name = "cpu.waiting",
                                .value = 310,
                                .unit = "permille",
                                .threshold = INT64_MIN,
                                .usual = 2,
                                .text = "text" } },
                .evidence_count = 1,
                .remedies = { { .text = "wait" } },
                .remedy_count = 1
        };
        return finding;
}

static struct json_object *culprit_of(struct json_object *finding)
{
        return json_object_object_get(finding, "culprit");
}

static void test_whole_finding(void **state)
{
        (void)state;
        struct finding finding = a_finding();
        CLEANUP_JSON struct json_object *object = finding_to_json(&finding, &root_viewer);
        assert_string_equal(
                json_object_to_json_string_ext(object,
                                               JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
                "{\"check\":\"cpu.overload\",\"severity\":\"critical\",\"sinceUSec\":17,\"lostPermille\":310,"
                "\"confidencePermille\":900,\"summary\":\"summary\","
                "\"culprit\":{\"kind\":\"program\",\"name\":\"ffmpeg\",\"count\":30,\"pids\":[1,2],"
                "\"unit\":null,\"user\":\"alice\",\"commandLine\":\"ffmpeg alices.mkv\","
                "\"startedBy\":{\"chain\":[{\"name\":\"cron\",\"pid\":5,\"commandLine\":\"cron -f\"},"
                "{\"name\":\"sh\",\"pid\":6,\"commandLine\":\"sh /home/alice/deploy.sh\"}],"
                "\"script\":\"/home/alice/deploy.sh\",\"workingDirectory\":\"/home/alice\"},"
                "\"lostPermille\":null},"
                "\"victims\":[{\"kind\":\"unit\",\"name\":\"nginx.service\",\"count\":0,\"pids\":[],"
                "\"unit\":\"nginx.service\",\"user\":null,\"commandLine\":\"nginx bobs\",\"startedBy\":null,"
                "\"lostPermille\":310}],"
                "\"evidence\":[{\"name\":\"cpu.waiting\",\"value\":310,\"unit\":\"permille\","
                "\"threshold\":null,\"usual\":2,\"text\":\"text\"}],"
                "\"remedies\":[{\"text\":\"wait\",\"command\":null}],\"because\":null}");
}

static void test_own_details_are_shown(void **state)
{
        (void)state;
        struct finding finding = a_finding();
        CLEANUP_JSON struct json_object *object = finding_to_json(&finding, &alice);
        struct json_object *culprit = culprit_of(object);
        struct json_object *origin = json_object_object_get(culprit, "startedBy");
        struct json_object *chain = json_object_object_get(origin, "chain");
        assert_string_equal(json_string_or(culprit, "commandLine", ""), "ffmpeg alices.mkv");
        assert_string_equal(json_string_or(origin, "script", ""), "/home/alice/deploy.sh");
        assert_string_equal(json_string_or(origin, "workingDirectory", ""), "/home/alice");
        assert_null(json_string_or(json_object_array_get_idx(chain, 0), "commandLine", NULL)); /* root's */
        assert_non_null(json_string_or(json_object_array_get_idx(chain, 1), "commandLine", NULL));
        struct json_object *victims = json_object_object_get(object, "victims");
        assert_null(json_string_or(json_object_array_get_idx(victims, 0), "commandLine", NULL));
}

static void test_foreign_details_are_withheld(void **state)
{
        (void)state;
        struct finding finding = a_finding();
        CLEANUP_JSON struct json_object *object = finding_to_json(&finding, &bob);
        const char *text = json_object_to_json_string(object);
        assert_null(strstr(text, "alices.mkv"));
        assert_null(strstr(text, "deploy.sh"));
        assert_null(strstr(text, "/home"));
        assert_null(strstr(text, "cron -f"));
        assert_non_null(strstr(text, "nginx bobs")); /* his own */
        assert_string_equal(json_string_or(culprit_of(object), "name", ""), "ffmpeg");
}

/* Whether this viewer is shown the script. */
static bool shows_script(const struct finding *finding, const struct viewer *viewer)
{
        CLEANUP_JSON struct json_object *object = finding_to_json(finding, viewer);
        struct json_object *origin = json_object_object_get(culprit_of(object), "startedBy");
        bool script = json_string_or(origin, "script", NULL) != NULL;
        assert_int_equal(json_string_or(origin, "workingDirectory", NULL) != NULL, script);
        return script;
}

static void test_whose_script_it_is(void **state)
{
        (void)state;
        struct finding finding = a_finding();
        finding.origin.chain[1].uid = 0; /* root's script that became alice: sudo -u */
        assert_false(shows_script(&finding, &alice));
        finding.origin.chain[0].uid = ALICE;
        assert_false(shows_script(&finding, &alice));
        finding.origin.chain[1].command_line[0] = '\0'; /* the shell is gone: nobody knows whose it was */
        assert_false(shows_script(&finding, &alice));
        finding.origin.chain[1].uid = ALICE; /* but all of them are hers */
        assert_true(shows_script(&finding, &alice));
        assert_false(shows_script(&finding, &bob));
        finding.culprit.uid = BOB;
        assert_false(shows_script(&finding, &alice));
        assert_true(shows_script(&finding, &root_viewer));
        finding.origin.chain_length = 0;
        assert_true(shows_script(&finding, &bob));
        assert_false(shows_script(&finding, &alice));
}

static void test_empty_diagnosis(void **state)
{
        (void)state;
        struct diagnosis *diagnosis = calloc(1, sizeof(*diagnosis));
        assert_non_null(diagnosis);
        CLEANUP_JSON struct json_object *object = diagnosis_to_json(diagnosis, &bob);
        assert_string_equal(
                json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN),
                "{\"machine\":\"\",\"atUSec\":0,\"verdict\":\"unknown\",\"summary\":\"\","
                "\"causes\":[],\"risks\":[],\"consequences\":[],\"ruledOut\":[],\"notChecked\":[]}");
        free(diagnosis);
}

static void test_fullest_diagnosis(void **state)
{
        (void)state;
        struct diagnosis *diagnosis = calloc(1, sizeof(*diagnosis));
        assert_non_null(diagnosis);
        struct finding finding = a_finding();
        finding.because = "memory.leak";
        finding.culprit.pid_count = SUBJECT_PIDS_MAX;
        finding.victim_count = FINDING_VICTIMS_MAX;
        finding.evidence_count = FINDING_EVIDENCE_MAX;
        finding.remedy_count = FINDING_REMEDIES_MAX;
        for (size_t i = 0; i < DIAGNOSIS_FINDINGS_MAX; i++)
                diagnosis->causes[i] = diagnosis->risks[i] = diagnosis->consequences[i] = finding;
        diagnosis->cause_count = diagnosis->risk_count = diagnosis->consequence_count =
                DIAGNOSIS_FINDINGS_MAX;
        for (size_t i = 0; i < CHECKS_MAX; i++)
                diagnosis->ruled_out[i].check = diagnosis->not_checked[i].check = "a.check";
        diagnosis->ruled_out_count = diagnosis->not_checked_count = CHECKS_MAX;
        CLEANUP_JSON struct json_object *object = diagnosis_to_json(diagnosis, &root_viewer);
        assert_int_equal(json_object_array_length(json_object_object_get(object, "consequences")),
                         DIAGNOSIS_FINDINGS_MAX);
        assert_int_equal(json_object_array_length(json_object_object_get(object, "notChecked")), CHECKS_MAX);
        assert_non_null(strstr(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN),
                               "\"because\":\"memory.leak\""));
        free(diagnosis);
}

static void test_incident(void **state)
{
        (void)state;
        struct finding finding = a_finding();
        struct incident *incident = calloc(1, sizeof(*incident));
        assert_non_null(incident);
        *incident = (struct incident){ .id = 3,
                                       .check = "cpu.overload",
                                       .since_usec = 10,
                                       .severity = SEVERITY_NOTICE,
                                       .peak_usec = 12,
                                       .peak_permille = 310,
                                       .culprit = finding.culprit };
        CLEANUP_JSON struct json_object *open = incident_to_json(incident, &bob);
        assert_null(json_object_object_get(open, "untilUSec"));
        assert_null(strstr(json_object_to_json_string(open), "alices.mkv"));
        assert_string_equal(json_string_or(open, "severity", ""), "notice");
        incident->until_usec = 20;
        incident->culprit.kind = SUBJECT_NONE;
        CLEANUP_JSON struct json_object *closed = incident_to_json(incident, &bob);
        assert_int_equal(json_int_or(closed, "untilUSec", 0), 20);
        assert_null(json_object_object_get(closed, "culprit"));
        free(incident);
}

static void test_every_kind_has_its_name(void **state)
{
        (void)state;
        for (int kind = SUBJECT_NONE + 1; kind < SUBJECT_KIND_MAX; kind++)
                assert_true(strlen(subject_kind_name((enum subject_kind)kind)) > 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_whole_finding),
                cmocka_unit_test(test_own_details_are_shown),
                cmocka_unit_test(test_foreign_details_are_withheld),
                cmocka_unit_test(test_whose_script_it_is),
                cmocka_unit_test(test_empty_diagnosis),
                cmocka_unit_test(test_fullest_diagnosis),
                cmocka_unit_test(test_incident),
                cmocka_unit_test(test_every_kind_has_its_name),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
