/* What the journal is told. */
#include "daemon/publish/alert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "common/text.h"

static struct incident_event event_of(enum incident_change change, const char *summary)
{
        struct incident_event event = { .change = change,
                                        .incident = { .id = 1,
                                                      .check = "cpu.overload",
                                                      .since_usec = UINT64_C(1732284131) * USEC_PER_SEC,
                                                      .severity = SEVERITY_WARNING,
                                                      .peak_permille = 310,
                                                      .culprit = { .kind = SUBJECT_PROGRAM,
                                                                   .name = "ffmpeg",
                                                                   .pids = { 4711 },
                                                                   .pid_count = 1,
                                                                   .unit = "cron.service",
                                                                   .command_line = "ffmpeg --key=secret" },
                                                      .victims = { { .kind = SUBJECT_PROGRAM,
                                                                     .name = "nginx",
                                                                     .command_line = "nginx --key=secret",
                                                                     .lost_permille = 310 } },
                                                      .victim_count = 1 } };
        text_format(event.incident.summary, sizeof(event.incident.summary), "%s", summary);
        return event;
}

static void test_opened(void **state)
{
        (void)state;
        struct incident_event event = event_of(INCIDENT_OPENED, "30 ffmpeg want 28 CPUs, nginx waits 31 %.");
        struct alert alert;
        alert_make(&event, &alert);
        assert_string_equal(alert.message, "cpu.overload: 30 ffmpeg want 28 CPUs, nginx waits 31 %");
        assert_int_equal(alert.priority, 4);
        assert_string_equal(alert.event, "opened");
        assert_string_equal(alert.since, "2024-11-22T14:02:11Z");
        assert_string_equal(alert.culprit, "ffmpeg");
        assert_string_equal(alert.culprit_unit, "cron.service");
        assert_int_equal(alert.culprit_pid, 4711);
        assert_string_equal(alert.victim, "nginx");
        assert_int_equal(alert.lost_permille, 310);
        assert_non_null(alert.message_id);
        assert_int_equal(strlen(alert.message_id), 32);
}

static void test_names_that_the_summary_leaves_out(void **state)
{
        (void)state;
        struct incident_event event = event_of(INCIDENT_OPENED, "the CPUs are too few.");
        struct alert alert;
        alert_make(&event, &alert);
        assert_string_equal(
                alert.message,
                "cpu.overload: the CPUs are too few, by ffmpeg, and nginx waits 31 % of its time");
}

static void test_worsened_and_closed(void **state)
{
        (void)state;
        struct incident_event event = event_of(INCIDENT_WORSENED, "ffmpeg and nginx");
        struct alert alert;
        event.incident.severity = SEVERITY_CRITICAL;
        alert_make(&event, &alert);
        assert_string_equal(alert.message, "cpu.overload has become worse: ffmpeg and nginx");
        assert_int_equal(alert.priority, 3);

        event.change = INCIDENT_CLOSED;
        event.incident.until_usec = event.incident.since_usec + 12 * USEC_PER_MINUTE;
        alert_make(&event, &alert);
        assert_string_equal(alert.message,
                            "cpu.overload is over after 12 min; at its worst: ffmpeg and nginx");
        assert_int_equal(alert.priority, 5);
        event.incident.severity = SEVERITY_NOTICE;
        alert_make(&event, &alert);
        assert_int_equal(alert.priority, 6);
        event.incident.until_usec = event.incident.since_usec - 1; /* the clock was set back */
        alert_make(&event, &alert);
        assert_string_equal(alert.message, "cpu.overload is over; at its worst: ffmpeg and nginx");
}

static void test_nobody_and_nothing(void **state)
{
        (void)state;
        struct incident_event event = event_of(INCIDENT_OPENED, "");
        struct alert alert;
        event.incident.culprit = (struct subject){ 0 };
        event.incident.victim_count = 0;
        event.incident.check = "no.such.check";
        alert_make(&event, &alert);
        assert_null(alert.message_id);
        assert_string_equal(alert.culprit, "");
        assert_string_equal(alert.victim, "");
        assert_int_equal(alert.culprit_pid, 0);
}

static void test_no_command_lines_and_no_control_characters(void **state)
{
        (void)state;
        struct incident_event event = event_of(INCIDENT_OPENED, "evil\nPRIORITY=0\n\x1b[31m \xff");
        struct alert alert;
        alert_make(&event, &alert);
        assert_null(strchr(alert.message, '\n'));
        assert_null(strchr(alert.message, '\x1b'));
        assert_null(strstr(alert.message, "secret"));
        memset(event.incident.summary, 'x', sizeof(event.incident.summary) - 1);
        alert_make(&event, &alert); /* the longest there is fits, with its names */
        assert_non_null(strstr(alert.message, "and nginx waits 31 % of its time"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_opened),
                cmocka_unit_test(test_names_that_the_summary_leaves_out),
                cmocka_unit_test(test_worsened_and_closed),
                cmocka_unit_test(test_nobody_and_nothing),
                cmocka_unit_test(test_no_command_lines_and_no_control_characters),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
