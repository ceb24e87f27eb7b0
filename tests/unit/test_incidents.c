/* Incidents: open, worsen, close, under a clock that the test holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "daemon/diagnosis/diagnose.h"

#define BEGIN      UINT64_C(1700000000000000)
#define SECONDS(n) ((usec_t)(n)*USEC_PER_SEC)

static struct incidents *incidents;
static struct diagnosis diagnosis;
static struct incident_event events[INCIDENT_EVENTS_MAX];
static size_t event_count;
static usec_t now;

static int begin(void **state)
{
        (void)state;
        incidents = incidents_new();
        now = BEGIN;
        return incidents ? 0 : -1;
}

static int end(void **state)
{
        (void)state;
        incidents = incidents_free(incidents);
        return 0;
}

static void clear(void)
{
        memset(&diagnosis, 0, sizeof(diagnosis));
}

static struct finding *fill(struct finding *finding, const char *check, int32_t lost_permille)
{
        finding->check = check;
        finding->verdict = VERDICT_FOUND;
        finding->lost_permille = lost_permille;
        finding->severity = lost_permille >= 500 ? SEVERITY_CRITICAL : SEVERITY_WARNING;
        text_format(finding->summary, sizeof(finding->summary), "%s %d", check, lost_permille);
        (void)snprintf(finding->remedies[0].text, FINDING_TEXT_MAX, "stop it");
        (void)snprintf(finding->remedies[0].command, FINDING_TEXT_MAX, "kill -STOP 7");
        finding->remedy_count = 1;
        return finding;
}

static struct finding *cause(const char *check, int32_t lost_permille)
{
        return fill(&diagnosis.causes[diagnosis.cause_count++], check, lost_permille);
}

static void update(int seconds)
{
        now += SECONDS(seconds);
        diagnosis.at_usec = now;
        event_count = incidents_update(incidents, &diagnosis, events, INCIDENT_EVENTS_MAX);
}

static void assert_event(size_t index, enum incident_change change, const char *check)
{
        assert_true(index < event_count);
        assert_int_equal(events[index].change, change);
        assert_string_equal(events[index].incident.check, check);
}

static void test_nothing(void **state)
{
        (void)state;
        clear();
        update(1);
        assert_int_equal(event_count, 0);
        assert_null(incidents_get(incidents, 0));
}

static void test_opens_and_closes(void **state)
{
        (void)state;
        clear();
        cause("cpu.overload", 300)->since_usec = BEGIN - SECONDS(20);
        update(1);
        assert_int_equal(event_count, 1);
        assert_event(0, INCIDENT_OPENED, "cpu.overload");
        assert_int_equal(events[0].incident.id, 1);
        assert_int_equal(events[0].incident.since_usec, BEGIN - SECONDS(20));
        assert_int_equal(events[0].incident.until_usec, 0);
        assert_string_equal(events[0].incident.remedy, "stop it: kill -STOP 7");
        /* Later onsets of the same incident are the first one. */
        diagnosis.causes[0].since_usec = now;
        update(1);
        assert_int_equal(event_count, 0);
        assert_int_equal(diagnosis.causes[0].since_usec, BEGIN - SECONDS(20));
        usec_t last = now;
        clear();
        for (int i = 0; i < 9; i++) {
                update(1);
                assert_int_equal(event_count, 0);
        }
        update(1);
        assert_event(0, INCIDENT_CLOSED, "cpu.overload");
        assert_int_equal(events[0].incident.until_usec, last); /* when it was last seen */
        update(1);
        assert_int_equal(event_count, 0);
}

static void test_without_an_onset(void **state)
{
        (void)state;
        clear();
        cause("cpu.overload", 300);
        update(1);
        assert_int_equal(diagnosis.causes[0].since_usec, now);
}

static void test_flapping(void **state)
{
        (void)state;
        for (int i = 0; i < 20; i++) {
                clear();
                if (i % 5 == 0)
                        cause("cpu.overload", 300);
                update(2); /* away for eight seconds at a time */
                assert_int_equal(event_count, i == 0 ? 1 : 0);
        }
        clear();
        update(12);
        assert_event(0, INCIDENT_CLOSED, "cpu.overload");
        clear();
        cause("cpu.overload", 300);
        update(1);
        assert_event(0, INCIDENT_OPENED, "cpu.overload");
        assert_int_equal(events[0].incident.id, 2);
}

/* Seen on a machine where one program took nearly all of it for minutes: the victims changed, and between two
 * there was none. */
static void test_same_onset(void **state)
{
        (void)state;
        usec_t onset = BEGIN - SECONDS(5);
        clear();
        cause("cpu.overload", 700)->since_usec = onset;
        update(1);
        assert_event(0, INCIDENT_OPENED, "cpu.overload");
        clear();
        update(12);
        assert_event(0, INCIDENT_CLOSED, "cpu.overload");
        cause("cpu.overload", 300)->since_usec = onset;
        update(5);
        assert_int_equal(event_count, 1);
        assert_event(0, INCIDENT_OPENED, "cpu.overload");
        assert_int_equal(events[0].incident.id, 1);
        assert_int_equal(events[0].incident.since_usec, onset);
        assert_int_equal(events[0].incident.until_usec, 0);
        assert_int_equal(events[0].incident.peak_permille, 700);
        clear();
        update(12);
        assert_event(0, INCIDENT_CLOSED, "cpu.overload");
        cause("cpu.overload", 300)->since_usec = now; /* a new one */
        update(1);
        assert_event(0, INCIDENT_OPENED, "cpu.overload");
        assert_int_equal(events[0].incident.id, 2);
}

static void test_worsens_with_damping(void **state)
{
        (void)state;
        clear();
        struct finding *finding = cause("cpu.overload", 300);
        update(1);
        finding->lost_permille = 480;
        update(1);
        assert_int_equal(event_count, 0); /* not by much */
        finding->lost_permille = 499;
        update(90);
        assert_int_equal(event_count, 0);
        fill(finding, "cpu.overload", 700);
        update(1);
        assert_int_equal(event_count, 1);
        assert_event(0, INCIDENT_WORSENED, "cpu.overload");
        assert_int_equal(events[0].incident.peak_permille, 700);
        assert_int_equal(events[0].incident.severity, SEVERITY_CRITICAL);
        assert_string_equal(events[0].incident.summary, "cpu.overload 700");
        fill(finding, "cpu.overload", 950);
        update(1);
        assert_int_equal(event_count, 0); /* within a minute of the last */
        fill(finding, "cpu.overload", 300);
        update(60);
        assert_event(0, INCIDENT_WORSENED, "cpu.overload"); /* its peak was worth telling */
        assert_int_equal(events[0].incident.peak_permille, 950);
        update(120);
        assert_int_equal(event_count, 0); /* better again is no news */
        assert_int_equal(incidents_get(incidents, 0)->severity, SEVERITY_CRITICAL);
        assert_int_equal(incidents_get(incidents, 0)->peak_permille, 950);
}

static void test_risks_and_consequences(void **state)
{
        (void)state;
        clear();
        fill(&diagnosis.risks[diagnosis.risk_count++], "memory.oom", 0);
        cause("disk.saturated", 400);
        fill(&diagnosis.consequences[diagnosis.consequence_count++], "memory.limit", 300);
        update(1);
        assert_int_equal(event_count, 2); /* a consequence is no incident of its own */
        assert_int_equal(diagnosis.consequences[0].since_usec, now);
        /* What turns out to follow from something else keeps the incident it had, and its onset. */
        usec_t onset = now;
        for (int i = 0; i < 30; i++) {
                clear();
                cause("memory.thrash", 600);
                fill(&diagnosis.consequences[diagnosis.consequence_count++], "disk.saturated", 400);
                update(1);
        }
        assert_int_equal(diagnosis.consequences[0].since_usec, onset);
        assert_int_equal(incidents_get(incidents, 2)->until_usec, 0);
        assert_string_equal(incidents_get(incidents, 2)->check, "disk.saturated");
        assert_string_equal(incidents_get(incidents, 1)->check, "memory.oom");
        assert_int_not_equal(incidents_get(incidents, 1)->until_usec, 0);
        assert_string_equal(incidents_get(incidents, 0)->check, "memory.thrash");
        assert_null(incidents_get(incidents, 3));
}

static void test_culprit_changes(void **state)
{
        (void)state;
        clear();
        struct finding *finding = cause("cpu.overload", 300);
        (void)snprintf(finding->culprit.name, SUBJECT_NAME_MAX, "ffmpeg");
        update(1);
        (void)snprintf(finding->culprit.name, SUBJECT_NAME_MAX, "java");
        update(1);
        assert_int_equal(event_count, 0);
        assert_string_equal(incidents_get(incidents, 0)->culprit.name, "ffmpeg"); /* as at its peak */
        finding->lost_permille = 400;
        update(1);
        assert_string_equal(incidents_get(incidents, 0)->culprit.name, "java");
}

static void test_clock_set_back(void **state)
{
        (void)state;
        clear();
        struct finding *finding = cause("cpu.overload", 300);
        update(1);
        now -= 5 * USEC_PER_HOUR;
        update(1);
        assert_int_equal(event_count, 0);
        fill(finding, "cpu.overload", 900);
        update(61); /* an hour that lies ahead must not silence it */
        assert_event(0, INCIDENT_WORSENED, "cpu.overload");
        clear();
        now -= 5 * USEC_PER_HOUR;
        update(1);
        assert_int_equal(event_count, 0);
        update(10);
        assert_event(0, INCIDENT_CLOSED, "cpu.overload");
}

static void test_clock_set_forward(void **state)
{
        (void)state;
        clear();
        cause("cpu.overload", 300);
        update(1);
        update(5 * 3600);
        assert_int_equal(event_count, 0); /* still there */
        assert_int_equal(incidents_get(incidents, 0)->until_usec, 0);
}

/* What is still open is not forgotten, however many others come and go. */
static void test_overflow(void **state)
{
        (void)state;
        static char names[INCIDENTS_MAX + 20][24];
        for (int i = 0; i < INCIDENTS_MAX + 20; i++) {
                (void)snprintf(names[i], sizeof(names[i]), "check.%d", i);
                clear();
                cause("memory.thrash", 300);
                cause(names[i], 300);
                update(20);
                assert_event(event_count - 1, i == 0 ? INCIDENT_OPENED : INCIDENT_CLOSED,
                             i == 0 ? names[i] : names[i - 1]);
        }
        assert_non_null(incidents_get(incidents, INCIDENTS_MAX - 1));
        assert_null(incidents_get(incidents, INCIDENTS_MAX));
        assert_string_equal(incidents_get(incidents, INCIDENTS_MAX - 1)->check, "memory.thrash");
        assert_int_equal(incidents_get(incidents, INCIDENTS_MAX - 1)->id, 1);
        assert_string_equal(incidents_get(incidents, 0)->check, names[INCIDENTS_MAX + 19]);
        assert_int_equal(incidents_get(incidents, 0)->id, INCIDENTS_MAX + 21);
}

static void test_more_events_than_asked_for(void **state)
{
        (void)state;
        clear();
        cause("cpu.overload", 300);
        cause("memory.thrash", 300);
        diagnosis.at_usec = BEGIN;
        assert_int_equal(incidents_update(incidents, &diagnosis, events, 1), 1);
        assert_non_null(incidents_get(incidents, 1)); /* kept, if not told */
        assert_null(incidents_free(NULL));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_nothing),
                CASE(test_opens_and_closes),
                CASE(test_without_an_onset),
                CASE(test_flapping),
                CASE(test_same_onset),
                CASE(test_worsens_with_damping),
                CASE(test_risks_and_consequences),
                CASE(test_culprit_changes),
                CASE(test_clock_set_back),
                CASE(test_clock_set_forward),
                CASE(test_overflow),
                CASE(test_more_events_than_asked_for),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
