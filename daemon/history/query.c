/* Which record answers a question, and the samples' part of the answer. */
#include "daemon/history/query.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "daemon/history/query_rollups.h"

/* Two samples further apart than this say nothing of the time between: slowd was not there. */
#define GAP_USEC (2 * USEC_PER_MINUTE)
/* The interval that reaches into the window begins before it. */
#define LEAD_USEC (65 * USEC_PER_SEC)
/* Programs that have ended by the end of a long window are described from samples of their time. */
#define DESCRIBE_MAX 3

void query_done(struct query_result *result)
{
        free(result->series);
        free(result->lifetimes);
        free(result->incidents);
        *result = (struct query_result){ 0 };
}

/* ---- whom it is about ---- */

static const char *base_name(const char *path)
{
        const char *slash = strrchr(path, '/');
        return slash ? slash + 1 : path;
}

/* "/usr/bin/nginx (deleted)" is nginx. */
static bool is_executable(const char *exe, const char *name)
{
        const char *base = base_name(exe);
        size_t length = strlen(name);
        return length > 0 && strncmp(base, name, length) == 0 &&
               (base[length] == '\0' || strcmp(base + length, " (deleted)") == 0);
}

static bool is_asked_for(const void *userdata, const struct process_identity *identity)
{
        const struct query *query = userdata;
        if (query->pid && identity->pid != query->pid)
                return false;
        if (!query_matches_unit(query, identity->unit))
                return false;
        if (!query->program)
                return true;
        return strcmp(query->program, identity->name) == 0 || strcmp(query->program, identity->comm) == 0 ||
               is_executable(identity->exe, query->program);
}

static void note_name(struct names *names, const char *name)
{
        for (size_t i = 0; i < names->count; i++)
                if (strcmp(names->name[i], name) == 0)
                        return;
        if (names->count < QUERY_NAMES_MAX)
                text_format(names->name[names->count++], PROGRAM_NAME_MAX, "%s", name);
}

/* ---- samples ---- */

/* The interval between two samples; not across a reboot, a gap or a clock that was set back. */
static int make_snapshot(const struct sample *older, const struct sample *newer,
                         struct snapshot *ret_snapshot)
{
        if (older && (strcmp(older->machine.boot_id, newer->machine.boot_id) != 0 ||
                      newer->time.monotonic_usec - older->time.monotonic_usec > GAP_USEC ||
                      newer->time.realtime_usec <= older->time.realtime_usec))
                older = NULL;
        return snapshot_make(older, newer, newer->expected_usec, ret_snapshot);
}

int query_snapshot_at(struct store_reader *reader, usec_t at_usec, struct sample turn[static 2],
                      struct snapshot *ret_snapshot)
{
        size_t count = 0;
        int result, made = -ENODATA;
        store_reader_seek(reader, at_usec > GAP_USEC ? at_usec - GAP_USEC : 0, at_usec, NULL);
        while ((result = store_reader_next(reader, &turn[count % 2])) != 0) {
                if (result == -EBADMSG)
                        continue;
                if (result < 0)
                        return result;
                count++;
                /* Each in turn: the call that finds the end takes the place of the older of the last two. */
                made = make_snapshot(count > 1 ? &turn[count % 2] : NULL, &turn[(count - 1) % 2],
                                     ret_snapshot);
        }
        return made;
}

static void take_snapshot(struct asking *asking, const struct snapshot *snapshot, bool only_new)
{
        struct piece pieces[COLUMN_MAX];
        bool is_machine = query_is_machine(asking->query);
        usec_t end = snapshot->time.realtime_usec;
        asking->is_recorded = true;
        asking->last_usec = end;
        asking->cpus = (double)snapshot->sample->machine.cpus;
        if (snapshot->is_first || snapshot->interval_usec == 0)
                return;
        pieces_begin(pieces);
        for (size_t i = 0; i < snapshot->process_count; i++) {
                const struct process_rate *rate = &snapshot->processes[i];
                if (!is_asked_for(asking->query, rate->sample->identity))
                        continue;
                lives_add_process(asking->lives, snapshot, rate, only_new);
                pieces_add_process(pieces, rate);
        }
        if (is_machine)
                pieces_of_machine(snapshot, pieces);
        else
                pieces_end(pieces);
        double interval = (double)snapshot->interval_usec;
        lives_add_machine(asking->lives, snapshot->value[FIELD_CPU_BUSY] * asking->cpus * interval);
        usec_t begin = end > snapshot->interval_usec ? end - snapshot->interval_usec : 0;
        cells_add(asking->cells, begin, end, interval, pieces, false);
}

static int read_samples(struct asking *asking, usec_t from_usec, usec_t until_usec, bool only_new)
{
        struct sample *turn = calloc(2, sizeof(*turn));
        struct snapshot snapshot = { 0 };
        const struct sample_filter filter = { is_asked_for, asking->query, asking->query->pid };
        size_t count = 0;
        int result = turn ? 0 : -ENOMEM;
        if (turn) {
                bool is_narrow = !query_is_machine(asking->query);
                store_reader_set_filter(asking->reader, is_narrow ? &filter : NULL);
                lives_set_narrow(asking->lives, is_narrow);
                store_reader_seek(asking->reader, from_usec > LEAD_USEC ? from_usec - LEAD_USEC : 0,
                                  until_usec, NULL);
                while ((result = asking_check(asking, store_reader_next(asking->reader, &turn[count % 2]))) !=
                       0) {
                        if (result == -EBADMSG)
                                continue;
                        if (result < 0)
                                break;
                        const struct sample *sample = &turn[count % 2];
                        count++;
                        if (sample->time.realtime_usec < from_usec)
                                continue;
                        result = make_snapshot(count > 1 ? &turn[count % 2] : NULL, sample, &snapshot);
                        if (result < 0)
                                break;
                        take_snapshot(asking, &snapshot, only_new);
                }
                sample_done(&turn[0]);
                sample_done(&turn[1]);
                store_reader_set_filter(asking->reader, NULL);
                lives_set_narrow(asking->lives, false);
        }
        snapshot_done(&snapshot);
        free(turn);
        return result;
}

/* ---- what samples add to roll-ups ---- */

/* With `describe` false it only learns which programs the name means, and the CPUs. */
static int look_at(struct asking *asking, usec_t at_usec, bool describe)
{
        struct sample *turn = calloc(2, sizeof(*turn));
        struct snapshot snapshot = { 0 };
        int result = turn ? query_snapshot_at(asking->reader, at_usec, turn, &snapshot) : -ENOMEM;
        for (size_t i = 0; result == 0 && i < snapshot.process_count; i++) {
                const struct process_rate *rate = &snapshot.processes[i];
                if (!is_asked_for(asking->query, rate->sample->identity))
                        continue;
                if (describe)
                        lives_describe(asking->lives, &snapshot, rate);
                else if (asking->query->program && rate->sample->identity->name[0])
                        note_name(&asking->names, rate->sample->identity->name);
        }
        if (result == 0)
                asking->cpus = (double)snapshot.sample->machine.cpus;
        if (turn) {
                sample_done(&turn[0]);
                sample_done(&turn[1]);
        }
        snapshot_done(&snapshot);
        free(turn);
        return result == -ENODATA || result == -EBADMSG ? 0 : result;
}

static int describe_lives(struct asking *asking, usec_t until_usec, bool from_samples)
{
        int result = from_samples ? 0 : look_at(asking, until_usec, true);
        usec_t at, former = 0;
        for (int i = 0; i < DESCRIBE_MAX && result == 0 && !query_is_machine(asking->query); i++) {
                at = lives_undescribed(asking->lives);
                if (at == 0 || at == former)
                        break;
                result = look_at(asking, at, true);
                former = at;
        }
        return result;
}

/* ---- the window ---- */

static usec_t larger(usec_t a, usec_t b)
{
        return a > b ? a : b;
}

static usec_t divide_up(usec_t a, usec_t b)
{
        return (a + b - 1) / b;
}

static void choose(const struct query *query, struct query_result *times)
{
        usec_t since = query->since_usec, until = larger(query->until_usec, query->since_usec + 1);
        if ((query->pid || query->each) && until - since > QUERY_PROCESS_USEC)
                since = until - QUERY_PROCESS_USEC;
        usec_t window = until - since;
        usec_t step = query->step_usec ? query->step_usec : divide_up(window, QUERY_STEPS_USUAL);
        step = larger(larger(step, query->interval_usec), larger(divide_up(window, QUERY_STEPS_MAX), 1));
        times->resolution = SERIES_HOUR;
        if (query->pid || query->each || window <= QUERY_SAMPLES_USEC ||
            (step < USEC_PER_MINUTE && window <= QUERY_FINE_USEC))
                times->resolution = SERIES_RAW;
        else if (step < USEC_PER_HOUR && (window <= QUERY_MINUTES_USEC || query->step_usec))
                times->resolution = SERIES_MINUTE;
        if (times->resolution != SERIES_RAW)
                step = larger(step, times->resolution == SERIES_HOUR ? USEC_PER_HOUR : USEC_PER_MINUTE);
        times->since_usec = since;
        times->until_usec = until;
        times->step_usec = step;
        times->steps = (size_t)divide_up(window, step);
}

static usec_t smaller(usec_t a, usec_t b)
{
        return a < b ? a : b;
}

/* Roll-ups as far as they go; what has not become one yet from the next finer record. */
static int read_all(struct asking *asking, const struct query_result *times)
{
        usec_t since = times->since_usec, until = times->until_usec;
        if (times->resolution == SERIES_RAW) {
                int read = read_samples(asking, since, until, false);
                return read < 0 ? read : describe_lives(asking, until, true);
        }
        int result = look_at(asking, until, false);
        usec_t hours = larger(since, until / USEC_PER_HOUR * USEC_PER_HOUR);
        usec_t minutes = larger(since, until / USEC_PER_MINUTE * USEC_PER_MINUTE);
        if (times->resolution == SERIES_MINUTE)
                hours = since;
        if (result == 0)
                result = rollups_read(asking, SERIES_HOUR, since, smaller(hours, minutes));
        if (result == 0)
                result = rollups_read(asking, SERIES_MINUTE, hours, minutes);
        if (result == 0)
                result = read_samples(asking, minutes, until, true);
        return result < 0 ? result : describe_lives(asking, until, false);
}

static bool note_incident(void *userdata, const struct incident *incident)
{
        struct query_result *result = userdata;
        if (result->incident_count == QUERY_INCIDENTS_MAX)
                memmove(result->incidents, result->incidents + 1,
                        --result->incident_count * sizeof(result->incidents[0]));
        result->incidents[result->incident_count++] = *incident;
        return true;
}

static int read_incidents(struct asking *asking, struct query_result *ret_result)
{
        ret_result->incidents = calloc(QUERY_INCIDENTS_MAX, sizeof(ret_result->incidents[0]));
        if (!ret_result->incidents)
                return -ENOMEM;
        int result = asking_check(asking,
                                  store_reader_incidents(asking->reader, ret_result->since_usec,
                                                         ret_result->until_usec, note_incident, ret_result));
        return result == -EBADMSG ? 0 : result;
}

int query_run(struct store_reader *reader, const struct query *query, struct query_result *ret_result)
{
        *ret_result = (struct query_result){ 0 };
        choose(query, ret_result);
        struct asking asking = { .query = query,
                                 .reader = reader,
                                 .cells = cells_new(query, ret_result),
                                 .lives = lives_new(query),
                                 .cpus = (double)NAN,
                                 .damaged = ret_result->damaged };
        int result = asking.cells && asking.lives ? read_all(&asking, ret_result) : -ENOMEM;
        if (result == 0 &&
            (!asking.is_recorded || (!query_is_machine(query) && lives_is_empty(asking.lives))))
                result = -ENODATA;
        if (result == 0)
                result = cells_finish(asking.cells, ret_result);
        if (result == 0)
                result = lives_finish(asking.lives, asking.last_usec, ret_result);
        if (result == 0)
                result = read_incidents(&asking, ret_result);
        (void)cells_free(asking.cells);
        (void)lives_free(asking.lives);
        return result;
}
