/* Sentences about incidents. */
#include "daemon/publish/alert.h"

#include <string.h>
#include <time.h>

#include "common/text.h"
#include "common/units.h"

enum { PRIORITY_ERROR = 3, PRIORITY_WARNING = 4, PRIORITY_NOTICE = 5, PRIORITY_INFO = 6 };

static int priority_of(const struct incident_event *event)
{
        enum severity severity = event->incident.severity;
        if (event->change == INCIDENT_CLOSED) /* whoever was alarmed is to see the end of it */
                return severity == SEVERITY_NOTICE ? PRIORITY_INFO : PRIORITY_NOTICE;
        switch (severity) {
        case SEVERITY_NOTICE:
                return PRIORITY_NOTICE;
        case SEVERITY_WARNING:
                return PRIORITY_WARNING;
        case SEVERITY_CRITICAL:
                return PRIORITY_ERROR;
        }
        return PRIORITY_WARNING;
}

static const char *event_name(enum incident_change change)
{
        switch (change) {
        case INCIDENT_OPENED:
                return "opened";
        case INCIDENT_WORSENED:
                return "worsened";
        case INCIDENT_CLOSED:
                return "closed";
        }
        return "opened";
}

static void format_since(char *buffer, size_t size, usec_t realtime_usec)
{
        time_t seconds = (time_t)(realtime_usec / USEC_PER_SEC);
        struct tm utc;
        if (!gmtime_r(&seconds, &utc) || strftime(buffer, size, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
                buffer[0] = '\0';
}

/* "CHECK: SUMMARY", "CHECK has become worse: ...", "CHECK is over after 12 min; at its worst: ...". The
 * summary names culprit, victim and loss as a rule; what it leaves out is added. */
static void format_message(const struct incident_event *event, char *buffer, size_t size)
{
        const struct incident *incident = &event->incident;
        char number[UNITS_MAX];
        size_t length = 0;
        (void)text_append(buffer, size, &length, "%s", incident->check);
        if (event->change == INCIDENT_WORSENED)
                (void)text_append(buffer, size, &length, " has become worse");
        else if (event->change == INCIDENT_CLOSED && incident->until_usec > incident->since_usec)
                (void)text_append(buffer, size, &length, " is over after %s; at its worst",
                                  format_duration(number, incident->until_usec - incident->since_usec));
        else if (event->change == INCIDENT_CLOSED)
                (void)text_append(buffer, size, &length, " is over; at its worst");
        (void)text_append(buffer, size, &length, ": %s", incident->summary);
        while (length > 0 && buffer[length - 1] == '.')
                buffer[--length] = '\0';
        const char *culprit = incident->culprit.kind == SUBJECT_NONE ? "" : incident->culprit.name;
        if (culprit[0] && !strstr(incident->summary, culprit))
                (void)text_append(buffer, size, &length, ", by %s", culprit);
        const struct subject *victim = incident->victim_count > 0 ? &incident->victims[0] : NULL;
        if (victim && !strstr(incident->summary, victim->name)) {
                (void)text_append(buffer, size, &length, ", and %s waits", victim->name);
                if (victim->lost_permille >= 0)
                        (void)text_append(buffer, size, &length, " %s of its time",
                                          format_permille(number, victim->lost_permille));
        }
        text_sanitize(buffer, "");
}

void alert_make(const struct incident_event *event, struct alert *ret_alert)
{
        const struct incident *incident = &event->incident;
        const struct check *check = check_find(incident->check);
        *ret_alert = (struct alert){
                .priority = priority_of(event),
                .message_id = check ? check->message_id : NULL,
                .check = incident->check,
                .event = event_name(event->change),
                .culprit_pid = incident->culprit.pid_count > 0 ? incident->culprit.pids[0] : 0,
                .lost_permille = incident->peak_permille,
        };
        format_message(event, ret_alert->message, sizeof(ret_alert->message));
        format_since(ret_alert->since, sizeof(ret_alert->since), incident->since_usec);
        if (incident->culprit.kind != SUBJECT_NONE)
                text_format(ret_alert->culprit, sizeof(ret_alert->culprit), "%s", incident->culprit.name);
        text_format(ret_alert->culprit_unit, sizeof(ret_alert->culprit_unit), "%s", incident->culprit.unit);
        if (incident->victim_count > 0)
                text_format(ret_alert->victim, sizeof(ret_alert->victim), "%s", incident->victims[0].name);
}
