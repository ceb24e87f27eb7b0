/* The pipeline over a recording. */
#include "daemon/history/replay.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "daemon/checks/run.h"
#include "daemon/diagnosis/diagnose.h"
#include "daemon/history/boots_load.h"
#include "daemon/history/trends_load.h"

/* How long before the asked instant checks begin to run: enough for what they conclude to settle, when those
 * that were found then are known from the incidents. Before that history only fills up. */
#define SETTLE_USEC (30 * USEC_PER_SEC)
/* A sample older than this does not say how the machine was then. */
#define STALE_USEC (2 * USEC_PER_MINUTE)

struct replay {
        const struct config *config;
        struct snapshot snapshot;
        struct history *history;
        const struct sample *older;
        struct finding findings[CHECKS_MAX];
        bool was_found[CHECKS_MAX];
        struct incidents *incidents;
        struct incident_event events[INCIDENT_EVENTS_MAX];
        struct diagnosis diagnosis;
};

struct replay *replay_new(const struct config *config)
{
        struct replay *replay = calloc(1, sizeof(*replay));
        if (!replay)
                return NULL;
        replay->config = config;
        replay->history = history_new();
        replay->incidents = incidents_new();
        return replay->history && replay->incidents ? replay : replay_free(replay);
}

struct replay *replay_free(struct replay *replay)
{
        if (!replay)
                return NULL;
        snapshot_done(&replay->snapshot);
        (void)history_free(replay->history);
        (void)incidents_free(replay->incidents);
        free(replay);
        return NULL;
}

void replay_push(struct replay *replay, const struct sample *sample, bool is_silent)
{
        const struct sample *older = replay->older;
        /* A reboot between them: counters began again, and pids mean others. */
        if (older && strcmp(older->machine.boot_id, sample->machine.boot_id) != 0)
                older = NULL;
        usec_t expected_usec = sample->expected_usec;
        if (expected_usec == 0 && older)
                expected_usec = sample->time.monotonic_usec - older->time.monotonic_usec;
        (void)snapshot_make(older, sample, expected_usec, &replay->snapshot); /* else empty: no memory */
        history_push(replay->history, &replay->snapshot);
        replay->older = sample;
        if (is_silent)
                return;
        size_t count = checks_run(replay->history, replay->config, replay->was_found, replay->findings);
        diagnose(replay->findings, count, replay->history, &replay->diagnosis);
        (void)incidents_update(replay->incidents, &replay->diagnosis, replay->events, INCIDENT_EVENTS_MAX);
}

void replay_load(struct replay *replay, struct store_reader *reader, usec_t until_usec)
{
        (void)boots_load(reader, until_usec, replay->history); /* else there is nothing to compare with */
}

const struct diagnosis *replay_diagnosis(const struct replay *replay)
{
        return &replay->diagnosis;
}

const struct snapshot *replay_snapshot(const struct replay *replay)
{
        return &replay->snapshot;
}

const struct history *replay_history(const struct replay *replay)
{
        return replay->history;
}

/* ---- one instant ---- */

struct open_then {
        usec_t since_usec[CHECKS_MAX]; /* 0: it was not */
};

static bool note_open(void *userdata, const struct incident *incident)
{
        struct open_then *open = userdata;
        for (size_t i = 0; checks[i]; i++)
                if (strcmp(checks[i]->name, incident->check) == 0 &&
                    (open->since_usec[i] == 0 || incident->since_usec < open->since_usec[i]))
                        open->since_usec[i] = incident->since_usec;
        return true;
}

static void take_onsets(struct finding *findings, uint32_t count, const struct open_then *open)
{
        for (uint32_t f = 0; f < count; f++)
                for (size_t i = 0; checks[i]; i++)
                        if (strcmp(checks[i]->name, findings[f].check) == 0 && open->since_usec[i] &&
                            open->since_usec[i] < findings[f].since_usec)
                                findings[f].since_usec = open->since_usec[i];
}

static int run_until(struct store_reader *reader, struct replay *replay, usec_t at_usec,
                     struct sample turn[static 2], char error[static STORE_ERROR_MAX])
{
        size_t count = 0;
        int result;
        usec_t begin = at_usec > HISTORY_SPAN_USEC ? at_usec - HISTORY_SPAN_USEC : 0;
        (void)trends_load(history_trends(replay->history), reader, begin); /* a help, no need */
        store_reader_seek(reader, begin, at_usec, NULL);
        while ((result = store_reader_next(reader, &turn[count % 2])) != 0) {
                if (result == -EBADMSG) {
                        text_format(error, STORE_ERROR_MAX, "%s", store_reader_error(reader));
                        continue;
                }
                if (result < 0) {
                        text_format(error, STORE_ERROR_MAX, "%s", store_reader_error(reader));
                        return result;
                }
                const struct sample *sample = &turn[count % 2];
                replay_push(replay, sample, sample->time.realtime_usec + SETTLE_USEC < at_usec);
                count++;
        }
        const struct sample *last = count ? &turn[(count - 1) % 2] : NULL;
        if (!last || last->time.realtime_usec + STALE_USEC < at_usec) {
                text_format(error, STORE_ERROR_MAX, "nothing was recorded at that time");
                return -ENODATA;
        }
        return 0;
}

int replay_at(struct store_reader *reader, const struct config *config, usec_t at_usec,
              struct diagnosis *ret_diagnosis, char error[static STORE_ERROR_MAX])
{
        struct replay *replay = replay_new(config);
        struct sample *turn = calloc(2, sizeof(*turn));
        struct open_then open = { 0 };
        int result = -ENOMEM;
        error[0] = 0;
        if (replay && turn) {
                (void)store_reader_incidents(reader, at_usec, at_usec, note_open,
                                             &open); /* a help, no need */
                for (size_t i = 0; checks[i]; i++)
                        replay->was_found[i] =
                                open.since_usec[i] != 0 && open.since_usec[i] + SETTLE_USEC < at_usec;
                replay_load(replay, reader, at_usec);
                result = run_until(reader, replay, at_usec, turn, error);
        } else {
                text_format(error, STORE_ERROR_MAX, "no memory");
        }
        if (result == 0) {
                struct diagnosis *diagnosis = &replay->diagnosis;
                take_onsets(diagnosis->causes, diagnosis->cause_count, &open);
                take_onsets(diagnosis->risks, diagnosis->risk_count, &open);
                take_onsets(diagnosis->consequences, diagnosis->consequence_count, &open);
                *ret_diagnosis = *diagnosis;
        }
        if (turn) {
                sample_done(&turn[0]);
                sample_done(&turn[1]);
        }
        free(turn);
        (void)replay_free(replay);
        return result;
}

/* ---- the worst moment ---- */

struct worst {
        enum severity severity;
        int32_t peak_permille;
        usec_t at_usec; /* 0: none yet */
        usec_t from_usec, until_usec;
};

static bool note_worst(void *userdata, const struct incident *incident)
{
        struct worst *worst = userdata;
        /* Its peak may lie outside; then the nearest instant inside at which it was open. */
        usec_t at = incident->peak_usec ? incident->peak_usec : incident->since_usec;
        if (at < worst->from_usec)
                at = worst->from_usec;
        if (at > worst->until_usec)
                at = worst->until_usec;
        if (worst->at_usec == 0 || incident->severity > worst->severity ||
            (incident->severity == worst->severity && incident->peak_permille > worst->peak_permille)) {
                worst->severity = incident->severity;
                worst->peak_permille = incident->peak_permille;
                worst->at_usec = at;
        }
        return true;
}

/* What roll-ups do not tell yet: the minute that has begun, and those since a slowd was killed. */
#define UNSUMMED_USEC (10 * USEC_PER_MINUTE)

/* Looks for a worse moment among the samples: one in which more than *most of the time was lost to some
 * resource. 0 or negative errno. */
static int worst_sample(struct store_reader *reader, usec_t from_usec, usec_t until_usec, double most,
                        usec_t *ret_at_usec)
{
        struct sample *turn = calloc(2, sizeof(*turn));
        int result = turn ? 0 : -ENOMEM;
        bool has_older = false;
        store_reader_seek(reader, from_usec, until_usec, NULL);
        for (size_t i = 0; turn && (result = store_reader_next(reader, &turn[i % 2])) != 0;) {
                if (result == -EBADMSG)
                        continue;
                if (result < 0)
                        break;
                const struct sample *newer = &turn[i % 2], *older = &turn[(i + 1) % 2];
                i++;
                double usec = (double)(newer->time.monotonic_usec - older->time.monotonic_usec);
                if (*ret_at_usec == 0) /* any moment is better than none */
                        *ret_at_usec = newer->time.realtime_usec;
                for (int kind = 0; has_older && kind < PRESSURE_IRQ; kind++) {
                        uint64_t a = older->pressure[kind].some_total_usec;
                        uint64_t b = newer->pressure[kind].some_total_usec;
                        if (a == ABSENT || b == ABSENT || b < a || usec <= 0 ||
                            (double)(b - a) / usec <= most)
                                continue;
                        most = (double)(b - a) / usec;
                        *ret_at_usec = newer->time.realtime_usec;
                }
                has_older = true;
        }
        if (turn) {
                sample_done(&turn[0]);
                sample_done(&turn[1]);
        }
        free(turn);
        return result;
}

int replay_worst(struct store_reader *reader, usec_t from_usec, usec_t until_usec, usec_t *ret_at_usec)
{
        struct worst worst = { .from_usec = from_usec, .until_usec = until_usec };
        int result = store_reader_incidents(reader, from_usec, until_usec, note_worst, &worst);
        if (worst.at_usec == 0) {
                const struct rollup_machine *machine;
                const struct rollup_program *programs;
                size_t count;
                double most = -1;
                usec_t told_usec = from_usec; /* roll-ups tell of the time before */
                if (until_usec > UNSUMMED_USEC && told_usec < until_usec - UNSUMMED_USEC)
                        told_usec = until_usec - UNSUMMED_USEC;
                store_reader_seek_rollups(reader, SERIES_MINUTE, from_usec, until_usec, NULL);
                while ((result = store_reader_next_rollup(reader, &machine, &programs, &count)) == 1 ||
                       result == -EBADMSG) {
                        if (result < 0)
                                continue;
                        /* The worst resource of that minute: what waits for one seldom waits for another. */
                        double lost = fmax(fmax(rollup_unpack(machine->value[FIELD_PSI_CPU_SOME].mean),
                                                rollup_unpack(machine->value[FIELD_PSI_MEMORY_SOME].mean)),
                                           rollup_unpack(machine->value[FIELD_PSI_IO_SOME].mean));
                        if (lost > most) {
                                most = lost;
                                worst.at_usec = machine->from_usec + machine->period_usec;
                        }
                        if (machine->from_usec + machine->period_usec > told_usec)
                                told_usec = machine->from_usec + machine->period_usec;
                }
                if (result == 0 && told_usec < until_usec)
                        result = worst_sample(reader, told_usec, until_usec, most, &worst.at_usec);
                if (worst.at_usec > until_usec)
                        worst.at_usec = until_usec;
        }
        if (worst.at_usec == 0)
                return result < 0 ? result : -ENODATA;
        *ret_at_usec = worst.at_usec;
        return 0;
}
