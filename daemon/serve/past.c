/* Diagnose, Top and Alerts of the past, and what all such questions have in common. */
#include "daemon/serve/past.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/text.h"
#include "daemon/history/query.h"
#include "daemon/history/replay.h"
#include "daemon/ranking.h"
#include "daemon/top_rows.h"

#define ALERTS_MAX 1024 /* told at once, the newest ones */

static bool is_given(struct json_object *parameters, const char *name)
{
        struct json_object *value;
        return json_object_object_get_ex(parameters, name, &value) && value;
}

bool past_asks_instant(struct json_object *parameters)
{
        return is_given(parameters, "atUSec") || is_given(parameters, "sinceUSec") ||
               is_given(parameters, "untilUSec");
}

bool past_asks_always(struct json_object *parameters)
{
        (void)parameters;
        return true;
}

int past_optional_time(struct json_object *parameters, const char *name, usec_t fallback, usec_t *ret_usec)
{
        int64_t value;
        int r = parameters ? json_get_int(parameters, name, &value) : -ENOENT;
        *ret_usec = fallback;
        if (r == -ENOENT)
                return 0;
        if (r < 0 || value < 0)
                return -EINVAL;
        *ret_usec = (usec_t)value;
        return 0;
}

int past_nothing(int error, const char *reason, struct answer *ret_answer)
{
        if (error == -ENOMEM || error == -ECANCELED)
                return error;
        return answer_error(ret_answer, INTERFACE_NAME ".NoHistory", "reason",
                            reason && reason[0] ? reason : strerror(-error));
}

/* What the file lacks, and why. */
static struct unwritten *unwritten_past(struct past *past)
{
        struct store_status status = { 0 };
        struct unwritten *unwritten = past->store ? store_unwritten(past->store) : NULL;
        past->memory_only[0] = '\0';
        if (!unwritten)
                return NULL;
        store_status(past->store, &status);
        const char *reason = !status.is_writing && status.text[0] ? status.text : status.set_aside;
        text_format(past->memory_only, sizeof(past->memory_only), "%s",
                    reason[0] ? reason : "it is being written");
        return unwritten;
}

int past_open(struct past *past, struct store_reader **ret_reader, struct answer *ret_answer)
{
        char error[STORE_ERROR_MAX] = "nothing is kept on disk";
        struct unwritten *unwritten = unwritten_past(past);
        int r = past->path[0] ? store_reader_open(past->path, ret_reader, error) : -ENOENT;
        if (r < 0 && r != -ENOMEM && unwritten)
                r = store_reader_open_nothing(ret_reader);
        if (r == 0 && unwritten)
                store_reader_add_unwritten(*ret_reader, unwritten);
        (void)unwritten_unref(unwritten);
        if (r == 0) {
                store_reader_set_cancelled(*ret_reader, &past->is_cancelled);
                return 0;
        }
        r = past_nothing(r, error, ret_answer);
        return r < 0 ? r : 1;
}

/* ---- Diagnose ---- */

static int diagnose_to_answer(const struct past *past, struct diagnosis *diagnosis, const char *damaged,
                              struct answer *ret_answer)
{
        if (damaged[0] && diagnosis->not_checked_count < CHECKS_MAX) {
                struct reason *reason = &diagnosis->not_checked[diagnosis->not_checked_count++];
                reason->check = "history";
                text_format(reason->text, sizeof(reason->text), "%s", damaged);
        }
        if (past->memory_only[0] && diagnosis->not_checked_count < CHECKS_MAX) {
                struct reason *reason = &diagnosis->not_checked[diagnosis->not_checked_count++];
                reason->check = "history";
                text_format(reason->text, sizeof(reason->text), "answered from memory: %s",
                            past->memory_only);
        }
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        if (!object || json_add(object, "diagnosis", diagnosis_to_json(diagnosis, &past->viewer)) < 0)
                return -ENOMEM;
        *ret_answer = (struct answer){ .parameters = TAKE(object) };
        return 0;
}

int past_diagnose(struct past *past, struct json_object *parameters, struct answer *ret_answer)
{
        usec_t at, since, until;
        bool has_at = is_given(parameters, "atUSec");
        if (past_optional_time(parameters, "atUSec", 0, &at) < 0)
                return answer_invalid(ret_answer, "atUSec");
        if (past_optional_time(parameters, "sinceUSec", 0, &since) < 0 ||
            (has_at && is_given(parameters, "sinceUSec")))
                return answer_invalid(ret_answer, "sinceUSec");
        if (past_optional_time(parameters, "untilUSec", past->now_usec, &until) < 0 || until < since ||
            (has_at && is_given(parameters, "untilUSec")))
                return answer_invalid(ret_answer, "untilUSec");
        struct store_reader *reader;
        int r = past_open(past, &reader, ret_answer);
        if (r != 0)
                return r < 0 ? r : 0;
        struct diagnosis *diagnosis = calloc(1, sizeof(*diagnosis));
        char error[STORE_ERROR_MAX] = "nothing was recorded in that time";
        r = !diagnosis ? -ENOMEM : has_at ? 0 : replay_worst(reader, since, until, &at);
        if (r == 0)
                r = replay_at(reader, &past->config, at, diagnosis, error);
        (void)store_reader_close(reader);
        r = r < 0 ? past_nothing(r, error, ret_answer)
                  : diagnose_to_answer(past, diagnosis, error, ret_answer);
        free(diagnosis);
        return r;
}

/* ---- Top ---- */

/* The rows that a tick would have published then. */
static int top_at(struct store_reader *reader, usec_t at, struct published *ret_published)
{
        struct sample *turn = calloc(2, sizeof(*turn));
        struct snapshot snapshot = { 0 };
        int r = turn ? query_snapshot_at(reader, at, turn, &snapshot) : -ENOMEM;
        struct ranked *ranked =
                calloc(r == 0 && snapshot.program_count ? snapshot.program_count : 1, sizeof(*ranked));
        if (r == 0 && !ranked)
                r = -ENOMEM;
        if (r == 0) {
                for (size_t i = 0; i < snapshot.program_count; i++)
                        ranked[i] = (struct ranked){ (uint32_t)i, top_row_score(&snapshot.programs[i]) };
                size_t best = ranking_best(ranked, snapshot.program_count, PUBLISHED_PROGRAMS_MAX);
                for (size_t i = 0; i < best; i++)
                        top_row_make(&snapshot, &snapshot.programs[ranked[i].index], &ret_published->top[i]);
                ret_published->top_count = best;
                ret_published->self.last_tick_usec = snapshot.time.realtime_usec;
                ret_published->self.interval_usec = snapshot.interval_usec;
                ret_published->machine = snapshot.sample->machine;
        }
        if (turn) {
                sample_done(&turn[0]);
                sample_done(&turn[1]);
        }
        snapshot_done(&snapshot);
        free(turn);
        free(ranked);
        return r;
}

int past_top(struct past *past, struct json_object *parameters, struct answer *ret_answer)
{
        usec_t at;
        if (past_optional_time(parameters, "atUSec", past->now_usec, &at) < 0)
                return answer_invalid(ret_answer, "atUSec");
        struct store_reader *reader;
        int r = past_open(past, &reader, ret_answer);
        if (r != 0)
                return r < 0 ? r : 0;
        struct published *published = calloc(1, sizeof(*published));
        r = published ? top_at(reader, at, published) : -ENOMEM;
        (void)store_reader_close(reader);
        const struct served served = { .published = published, .config = &past->config };
        if (r < 0)
                r = past_nothing(r, r == -ENODATA ? "nothing was recorded at that time" : NULL, ret_answer);
        else
                r = method_top(&served, &past->viewer, parameters, ret_answer);
        free(published);
        return r;
}

/* ---- Alerts ---- */

struct collected {
        const struct past *past;
        struct incident *incident; /* oldest first */
        size_t count, capacity;
        usec_t last_usec; /* the last sample before this slowd began; 0: unknown yet */
        bool has_failed;
};

/* Whatever their numbers: a slowd that starts again counts from 1, and finds what goes on anew. */
static bool is_same(const struct incident *a, const struct incident *b)
{
        return a->since_usec == b->since_usec && strcmp(a->check, b->check) == 0;
}

static bool ends_later(const struct incident *a, const struct incident *b)
{
        return b->until_usec != 0 && (a->until_usec == 0 || a->until_usec > b->until_usec);
}

static bool collect(void *userdata, const struct incident *incident)
{
        struct collected *collected = userdata;
        for (size_t i = 0; i < collected->past->incident_count; i++)
                if (is_same(&collected->past->incidents[i], incident))
                        return true;
        for (size_t i = collected->count; i-- > 0;) { /* they come in the order of their begin */
                struct incident *former = &collected->incident[i];
                if (former->since_usec != incident->since_usec)
                        break;
                if (!is_same(former, incident))
                        continue;
                if (ends_later(incident, former))
                        *former = *incident;
                return true;
        }
        if (collected->count == ALERTS_MAX)
                memmove(collected->incident, collected->incident + 1,
                        --collected->count * sizeof(collected->incident[0]));
        if (collected->count == collected->capacity) {
                size_t capacity = collected->capacity ? 2 * collected->capacity : 32;
                struct incident *bigger =
                        realloc(collected->incident, capacity * sizeof(collected->incident[0]));
                collected->has_failed = !bigger;
                if (!bigger)
                        return false;
                collected->incident = bigger;
                collected->capacity = capacity;
        }
        collected->incident[collected->count++] = *incident;
        return !atomic_load_explicit(&collected->past->is_cancelled, memory_order_relaxed);
}

/* The last sample before this slowd began. */
static usec_t last_before_start(const struct past *past, struct store_reader *reader)
{
        usec_t first, last, found = 0;
        if (store_reader_span(reader, &first, &last) < 0)
                return 0;
        if (past->started_usec == 0 || last < past->started_usec)
                return last;
        struct sample *turn = calloc(2, sizeof(*turn));
        if (!turn)
                return 0;
        store_reader_seek(reader, past->started_usec > USEC_PER_DAY ? past->started_usec - USEC_PER_DAY : 0,
                          past->started_usec, NULL);
        int r;
        for (size_t i = 0; (r = store_reader_next(reader, &turn[i % 2])) != 0; i++) {
                if (r < 0 && r != -EBADMSG)
                        break;
                if (r > 0)
                        found = turn[i % 2].time.realtime_usec;
        }
        sample_done(&turn[0]);
        sample_done(&turn[1]);
        free(turn);
        return found;
}

/* Incidents that a killed slowd left open ended with it, as far as anybody knows. The store ends them when it
 * is opened for writing; where it cannot be, they are ended here. */
static void end_abandoned(struct collected *collected, struct store_reader *reader)
{
        for (size_t i = 0; i < collected->count; i++) {
                struct incident *incident = &collected->incident[i];
                /* One of this slowd's that is not among those in memory has only just opened. */
                if (incident->until_usec || incident->since_usec >= collected->past->started_usec)
                        continue;
                if (collected->last_usec == 0)
                        collected->last_usec = last_before_start(collected->past, reader);
                incident->until_usec = collected->last_usec > incident->since_usec ? collected->last_usec
                                                                                   : incident->since_usec;
        }
}

struct listed {
        const struct incident *incident;
};

/* Newest first. */
static int compare_incidents(const void *a, const void *b)
{
        const struct incident *x = ((const struct listed *)a)->incident;
        const struct incident *y = ((const struct listed *)b)->incident;
        if (x->since_usec != y->since_usec)
                return x->since_usec > y->since_usec ? -1 : 1;
        return x->id > y->id ? -1 : x->id < y->id;
}

/* `order` has room for all. */
static int alerts_to_answer(const struct past *past, const struct collected *collected, struct listed *order,
                            usec_t since, usec_t until, struct answer *ret_answer)
{
        size_t count = 0;
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        if (!object || json_add(object, "alerts", json_object_new_array()) < 0)
                return -ENOMEM;
        struct json_object *list = json_object_object_get(object, "alerts");
        for (size_t i = 0; i < past->incident_count; i++)
                order[count++].incident = &past->incidents[i];
        for (size_t i = 0; i < collected->count; i++)
                order[count++].incident = &collected->incident[i];
        qsort(order, count, sizeof(order[0]), compare_incidents);
        for (size_t i = 0; i < count; i++) {
                const struct incident *incident = order[i].incident;
                if ((incident->until_usec && incident->until_usec < since) || incident->since_usec > until)
                        continue;
                struct json_object *item = incident_to_json(incident, &past->viewer);
                if (!item || json_object_array_add(list, item) < 0) {
                        json_object_put(item);
                        return -ENOMEM;
                }
        }
        *ret_answer = (struct answer){ .parameters = TAKE(object) };
        return 0;
}

int past_alerts(struct past *past, struct json_object *parameters, struct answer *ret_answer)
{
        usec_t since, until;
        if (past_optional_time(parameters, "sinceUSec", 0, &since) < 0)
                return answer_invalid(ret_answer, "sinceUSec");
        if (past_optional_time(parameters, "untilUSec", INT64_MAX, &until) < 0 || until < since)
                return answer_invalid(ret_answer, "untilUSec");
        struct collected collected = { .past = past };
        struct store_reader *reader = NULL;
        char error[STORE_ERROR_MAX];
        /* Where the record cannot be read, what is in memory is the answer. */
        if (past->path[0] && store_reader_open(past->path, &reader, error) == 0) {
                store_reader_set_cancelled(reader, &past->is_cancelled);
                (void)store_reader_incidents(reader, since, until, collect, &collected);
                end_abandoned(&collected, reader);
                (void)store_reader_close(reader);
        }
        struct listed *order = calloc(past->incident_count + collected.count + 1, sizeof(*order));
        int r = collected.has_failed || !order
                        ? -ENOMEM
                        : alerts_to_answer(past, &collected, order, since, until, ret_answer);
        free(order);
        free(collected.incident);
        return r;
}
