/* Incidents: a cause or risk from the moment it is first found until it has stayed away for a while, with its
 * peak. */
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "daemon/diagnosis/diagnose.h"

/* A cause that comes back within this time is the same incident: it went away for a breath, not for good. */
#define CLOSE_AFTER_USEC (10 * USEC_PER_SEC)
/* An incident is announced as worse when it costs this much more than last announced, and no more often than
 * this. */
#define WORSE_PERMILLE 200
#define WORSE_GAP_USEC USEC_PER_MINUTE

struct open_state {
        usec_t last_seen_usec;
        usec_t announced_usec;
        int32_t announced_permille;
        enum severity announced_severity;
};

struct incidents {
        struct incident list[INCIDENTS_MAX]; /* oldest first */
        struct open_state state[INCIDENTS_MAX];
        size_t count;
        uint64_t last_id;
};

struct incidents *incidents_new(void)
{
        return calloc(1, sizeof(struct incidents));
}

struct incidents *incidents_free(struct incidents *incidents)
{
        free(incidents);
        return NULL;
}

const struct incident *incidents_get(const struct incidents *incidents, size_t index)
{
        return index < incidents->count ? &incidents->list[incidents->count - 1 - index] : NULL;
}

/* One incident of a check at a time: when the culprit changes, the machine is still slow for the same reason.
 */
static struct incident *find_open(struct incidents *incidents, const char *check,
                                  struct open_state **ret_state)
{
        for (size_t at = 0; at < incidents->count; at++) {
                if (incidents->list[at].until_usec == 0 && strcmp(incidents->list[at].check, check) == 0) {
                        *ret_state = &incidents->state[at];
                        return &incidents->list[at];
                }
        }
        return NULL;
}

static void note_peak(struct incident *incident, const struct finding *finding, usec_t now_usec)
{
        incident->peak_permille = finding->lost_permille;
        incident->peak_usec = now_usec;
        memcpy(incident->summary, finding->summary, sizeof(incident->summary));
        incident->culprit = finding->culprit;
        incident->victim_count =
                finding->victim_count < INCIDENT_VICTIMS_MAX ? finding->victim_count : INCIDENT_VICTIMS_MAX;
        memcpy(incident->victims, finding->victims, incident->victim_count * sizeof(incident->victims[0]));
        incident->remedy[0] = '\0';
        if (finding->remedy_count > 0)
                text_format(incident->remedy, sizeof(incident->remedy), "%s%s%s", finding->remedies[0].text,
                            finding->remedies[0].command[0] ? ": " : "", finding->remedies[0].command);
}

struct events {
        struct incident_event *list;
        size_t count, max;
};

static void add_event(struct events *events, enum incident_change change, const struct incident *incident)
{
        if (events->count < events->max)
                events->list[events->count++] = (struct incident_event){ change, *incident };
}

static void announce(struct events *events, enum incident_change change, const struct incident *incident,
                     struct open_state *state, usec_t now_usec)
{
        add_event(events, change, incident);
        state->announced_usec = now_usec;
        state->announced_permille = incident->peak_permille;
        state->announced_severity = incident->severity;
}

_Static_assert(CHECKS_MAX < INCIDENTS_MAX, "one of them is always closed: each check has one open at most");

static void forget_oldest_closed(struct incidents *incidents)
{
        size_t at = 0;
        while (at + 1 < incidents->count && incidents->list[at].until_usec == 0)
                at++;
        incidents->count--;
        memmove(&incidents->list[at], &incidents->list[at + 1],
                (incidents->count - at) * sizeof(incidents->list[0]));
        memmove(&incidents->state[at], &incidents->state[at + 1],
                (incidents->count - at) * sizeof(incidents->state[0]));
}

static struct incident *open_incident(struct incidents *incidents, const struct finding *finding,
                                      usec_t now_usec, struct open_state **ret_state)
{
        if (incidents->count == INCIDENTS_MAX)
                forget_oldest_closed(incidents);
        size_t at = incidents->count++;
        struct incident *incident = &incidents->list[at];
        memset(incident, 0, sizeof(*incident));
        incident->id = ++incidents->last_id;
        incident->check = finding->check;
        incident->since_usec = finding->since_usec ? finding->since_usec : now_usec;
        incident->severity = finding->severity;
        note_peak(incident, finding, now_usec);
        incidents->state[at] = (struct open_state){ 0 };
        *ret_state = &incidents->state[at];
        return incident;
}

/* What began before the last incident of its check had ended is that incident: nobody waited for a moment,
 * but what they wait for went on. */
static struct incident *reopen_incident(struct incidents *incidents, const struct finding *finding,
                                        struct open_state **ret_state)
{
        for (size_t at = incidents->count; at-- > 0;) {
                struct incident *incident = &incidents->list[at];
                if (strcmp(incident->check, finding->check) != 0)
                        continue;
                if (finding->since_usec == 0 || finding->since_usec > incident->until_usec)
                        return NULL;
                incident->until_usec = 0;
                *ret_state = &incidents->state[at];
                return incident;
        }
        return NULL;
}

static void raise_incident(struct incident *incident, const struct finding *finding, usec_t now_usec)
{
        bool is_worse_kind = finding->severity > incident->severity;
        if (is_worse_kind)
                incident->severity = finding->severity;
        if (finding->lost_permille > incident->peak_permille || is_worse_kind)
                note_peak(incident, finding, now_usec);
}

static void update_one(struct incidents *incidents, struct finding *finding, usec_t now_usec,
                       struct events *events)
{
        struct open_state *state;
        struct incident *incident = find_open(incidents, finding->check, &state);
        bool is_open = incident != NULL;
        if (!is_open)
                incident = reopen_incident(incidents, finding, &state);
        if (incident)
                raise_incident(incident, finding, now_usec);
        else
                incident = open_incident(incidents, finding, now_usec, &state);
        if (!is_open) {
                announce(events, INCIDENT_OPENED, incident, state, now_usec);
        } else {
                if (now_usec < state->announced_usec) /* the clock was set back */
                        state->announced_usec = now_usec;
                bool is_worse = incident->severity > state->announced_severity ||
                                incident->peak_permille >= state->announced_permille + WORSE_PERMILLE;
                if (is_worse && now_usec >= state->announced_usec + WORSE_GAP_USEC)
                        announce(events, INCIDENT_WORSENED, incident, state, now_usec);
        }
        state->last_seen_usec = now_usec;
        finding->since_usec = incident->since_usec;
}

/* What turned out to be a consequence of something else neither opens an incident nor ends the one it had. */
static void keep_alive(struct incidents *incidents, struct finding *finding, usec_t now_usec)
{
        struct open_state *state;
        struct incident *incident = find_open(incidents, finding->check, &state);
        if (incident) {
                state->last_seen_usec = now_usec;
                finding->since_usec = incident->since_usec;
        } else if (finding->since_usec == 0) {
                finding->since_usec = now_usec;
        }
}

size_t incidents_update(struct incidents *incidents, struct diagnosis *diagnosis,
                        struct incident_event *ret_events, size_t max)
{
        struct events events = { ret_events, 0, max };
        usec_t now_usec = diagnosis->at_usec;
        for (uint32_t i = 0; i < diagnosis->cause_count; i++)
                update_one(incidents, &diagnosis->causes[i], now_usec, &events);
        for (uint32_t i = 0; i < diagnosis->risk_count; i++)
                update_one(incidents, &diagnosis->risks[i], now_usec, &events);
        for (uint32_t i = 0; i < diagnosis->consequence_count; i++)
                keep_alive(incidents, &diagnosis->consequences[i], now_usec);
        for (size_t at = 0; at < incidents->count; at++) {
                struct incident *incident = &incidents->list[at];
                struct open_state *state = &incidents->state[at];
                if (incident->until_usec != 0)
                        continue;
                /* A clock that was set back must not keep an incident open for hours. */
                if (now_usec < state->last_seen_usec)
                        state->last_seen_usec = now_usec;
                if (now_usec < state->last_seen_usec + CLOSE_AFTER_USEC)
                        continue;
                incident->until_usec = state->last_seen_usec;
                add_event(&events, INCIDENT_CLOSED, incident);
        }
        return events.count;
}
