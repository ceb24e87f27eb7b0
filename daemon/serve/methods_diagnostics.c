/* The answers of io.slowd.Diagnostics, from the last published state. */
#include "daemon/serve/methods.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"

static int not_ready(struct answer *ret_answer)
{
        return answer_error(ret_answer, INTERFACE_NAME ".NotReady", NULL, NULL);
}

/* Takes over `parameters`; NULL is -ENOMEM. */
static int answer_with(struct answer *ret_answer, struct json_object *parameters)
{
        if (!parameters)
                return -ENOMEM;
        *ret_answer = (struct answer){ .parameters = parameters };
        return 0;
}

/* {"name": value}; the value is consumed. */
static struct json_object *wrap(const char *name, struct json_object *value)
{
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        if (!object) {
                json_object_put(value);
                return NULL;
        }
        return json_add(object, name, value) < 0 ? NULL : TAKE(object);
}

static int append(struct json_object *array, struct json_object *item)
{
        if (!item)
                return -ENOMEM;
        if (json_object_array_add(array, item) < 0) {
                json_object_put(item);
                return -ENOMEM;
        }
        return 0;
}

/* ---- Diagnose ---- */

int method_diagnose(const struct served *served, const struct viewer *viewer, struct json_object *parameters,
                    struct answer *ret_answer)
{
        (void)parameters;
        if (!served->published)
                return not_ready(ret_answer);
        return answer_with(ret_answer,
                           wrap("diagnosis", diagnosis_to_json(&served->published->diagnosis, viewer)));
}

/* ---- ListChecks, Explain ---- */

struct check_state {
        const char *state, *reason;
};

static const struct finding *find_finding(const struct finding *findings, uint32_t count, const char *check)
{
        for (uint32_t i = 0; i < count; i++)
                if (strcmp(findings[i].check, check) == 0)
                        return &findings[i];
        return NULL;
}

static const struct reason *find_reason(const struct reason *reasons, uint32_t count, const char *check)
{
        for (uint32_t i = 0; i < count; i++)
                if (strcmp(reasons[i].check, check) == 0)
                        return &reasons[i];
        return NULL;
}

static struct check_state check_state(const struct served *served, size_t index)
{
        const char *name = checks[index]->name;
        if (!served->config->check_enabled[index])
                return (struct check_state){ "disabled", "switched off in slowd.conf" };
        if (!served->published)
                return (struct check_state){ "unknown", "no look at the machine has been finished yet" };
        const struct diagnosis *d = &served->published->diagnosis;
        const struct finding *finding = find_finding(d->causes, d->cause_count, name);
        if (!finding)
                finding = find_finding(d->risks, d->risk_count, name);
        if (!finding)
                finding = find_finding(d->consequences, d->consequence_count, name);
        if (finding)
                return (struct check_state){ "found", finding->summary };
        const struct reason *reason = find_reason(d->ruled_out, d->ruled_out_count, name);
        if (reason)
                return (struct check_state){ "clear", reason->text };
        reason = find_reason(d->not_checked, d->not_checked_count, name);
        return (struct check_state){ "unknown", reason ? reason->text : "not examined at the last tick" };
}

static struct json_object *check_to_json(const struct served *served, size_t index)
{
        struct check_state state = check_state(served, index);
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        if (!object || json_add_string(object, "name", checks[index]->name) < 0 ||
            json_add_string(object, "title", checks[index]->title) < 0 ||
            json_add_string(object, "culpritKind", subject_kind_name(checks[index]->culprit_kind)) < 0 ||
            json_add_string(object, "state", state.state) < 0 ||
            json_add_string(object, "reason", state.reason) < 0)
                return NULL;
        return TAKE(object);
}

int method_list_checks(const struct served *served, const struct viewer *viewer,
                       struct json_object *parameters, struct answer *ret_answer)
{
        (void)viewer;
        (void)parameters;
        CLEANUP_JSON struct json_object *list = json_object_new_array();
        if (!list)
                return -ENOMEM;
        for (size_t i = 0; checks[i]; i++)
                if (append(list, check_to_json(served, i)) < 0)
                        return -ENOMEM;
        return answer_with(ret_answer, wrap("checks", TAKE(list)));
}

static struct json_object *parameter_to_json(const struct check_parameter *parameter, double value)
{
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        if (!object || json_add_string(object, "key", parameter->key) < 0 ||
            json_add_string(object, "unit", parameter->unit) < 0 ||
            json_add_int(object, "value", llround(value)) < 0 ||
            json_add_int(object, "defaultValue", llround(parameter->default_value)) < 0 ||
            json_add_string(object, "meaning", parameter->meaning) < 0 ||
            json_add_string(object, "reason", parameter->reason) < 0 ||
            json_add_string(object, "source", parameter->source) < 0)
                return NULL;
        return TAKE(object);
}

static struct json_object *parameters_to_json(const struct check *check, const double *values)
{
        CLEANUP_JSON struct json_object *array = json_object_new_array();
        if (!array)
                return NULL;
        for (size_t i = 0; check->parameters[i].key; i++)
                if (append(array, parameter_to_json(&check->parameters[i], values[i])) < 0)
                        return NULL;
        return TAKE(array);
}

static struct json_object *names_to_json(const char *const *names)
{
        CLEANUP_JSON struct json_object *array = json_object_new_array();
        if (!array)
                return NULL;
        for (; names && *names; names++)
                if (append(array, json_object_new_string(*names)) < 0)
                        return NULL;
        return TAKE(array);
}

int method_explain(const struct served *served, const struct viewer *viewer, struct json_object *parameters,
                   struct answer *ret_answer)
{
        (void)viewer;
        const char *name;
        if (json_get_string(parameters, "check", &name) < 0)
                return answer_invalid(ret_answer, "check");
        size_t index = 0;
        while (checks[index] && strcmp(checks[index]->name, name) != 0)
                index++;
        const struct check *check = checks[index];
        if (!check)
                return answer_error(ret_answer, INTERFACE_NAME ".UnknownCheck", "check", name);
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        if (!object || json_add_string(object, "name", check->name) < 0 ||
            json_add_string(object, "title", check->title) < 0 ||
            json_add_string(object, "cause", check->cause) < 0 ||
            json_add_string(object, "meaning", check->meaning) < 0 ||
            json_add_string(object, "remedy", check->remedy) < 0 ||
            json_add_string(object, "lookAlike", check->look_alike) < 0 ||
            json_add(object, "explains", names_to_json(check->explains)) < 0 ||
            json_add_string(object, "messageId", check->message_id) < 0 ||
            json_add(object, "parameters", parameters_to_json(check, served->config->parameters[index])) < 0)
                return -ENOMEM;
        return answer_with(ret_answer, TAKE(object));
}

/* ---- Status ---- */

static const char *collector_state_name(enum collector_state state)
{
        switch (state) {
        case COLLECTOR_OK:
                return "ok";
        case COLLECTOR_ABSENT:
                return "absent";
        case COLLECTOR_DENIED:
                return "denied";
        case COLLECTOR_FAILED:
                return "failed";
        }
        return "failed";
}

static struct json_object *collector_to_json(const struct collector_status *collector)
{
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        const char *reason = collector->error < 0 ? strerror(-collector->error) : NULL;
        if (!object || json_add_string(object, "name", collector->name) < 0 ||
            json_add_string(object, "state", collector_state_name(collector->state)) < 0 ||
            json_add_string_or_null(object, "reason", reason) < 0 ||
            json_add_int(object, "durationUSec", (int64_t)collector->duration_usec) < 0)
                return NULL;
        return TAKE(object);
}

static struct json_object *collectors_to_json(const struct published *published)
{
        CLEANUP_JSON struct json_object *array = json_object_new_array();
        if (!array)
                return NULL;
        for (size_t i = 0; i < published->collector_count; i++)
                if (append(array, collector_to_json(&published->collectors[i])) < 0)
                        return NULL;
        return TAKE(array);
}

/* What became of the record; all null where none is kept. */
static int add_history(struct json_object *object, const struct published *published)
{
        const struct store_status *store = published->has_store ? &published->store : NULL;
        const char *problem = !store ? "" : store->text[0] ? store->text : store->set_aside;
        if ((store ? json_add_int(object, "historyBytes", (int64_t)store->bytes)
                   : json_add_null(object, "historyBytes")) < 0 ||
            (store && store->oldest_usec
                     ? json_add_int(object, "historyOldestUSec", (int64_t)store->oldest_usec)
                     : json_add_null(object, "historyOldestUSec")) < 0 ||
            (store ? json_add(object, "historyWriting", json_object_new_boolean(store->is_writing))
                   : json_add_null(object, "historyWriting")) < 0 ||
            json_add_string_or_null(object, "historyProblem", problem) < 0)
                return -ENOMEM;
        return store ? json_add_int(object, "lostTicks", (int64_t)store->lost_ticks)
                     : json_add_null(object, "lostTicks");
}

int method_status(const struct served *served, const struct viewer *viewer, struct json_object *parameters,
                  struct answer *ret_answer)
{
        (void)viewer;
        (void)parameters;
        const struct published *p = served->published;
        if (!p)
                return not_ready(ret_answer);
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        if (!object || json_add_string(object, "version", SLOWD_VERSION) < 0 ||
            json_add_string(object, "machine", p->machine.hostname) < 0 ||
            json_add_string(object, "kernel", p->machine.kernel) < 0)
                return -ENOMEM;
        const struct {
                const char *name;
                uint64_t value;
        } numbers[] = {
                { "startedUSec", p->self.started_usec },
                { "ticks", p->self.ticks },
                { "intervalUSec", p->self.interval_usec },
                { "lastTickUSec", p->self.last_tick_usec },
                { "lastDurationUSec", p->self.last_duration_usec },
                { "lastCpuUSec", p->self.last_cpu_usec },
                { "meanCpuUSec", p->self.mean_cpu_usec },
                { "missedTicks", p->self.missed_ticks },
                { "rssBytes", p->self.rss_bytes },
                { "processes", p->self.processes },
                { "connections", served->connections },
        };
        for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
                if (json_add_int(object, numbers[i].name, (int64_t)numbers[i].value) < 0)
                        return -ENOMEM;
        if (json_add_string(object, "summary", p->diagnosis.summary) < 0 ||
            json_add(object, "collectors", collectors_to_json(p)) < 0 || add_history(object, p) < 0)
                return -ENOMEM;
        return answer_with(ret_answer, TAKE(object));
}
