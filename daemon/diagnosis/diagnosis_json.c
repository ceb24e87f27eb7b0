/* struct diagnosis -> JSON, and the one place where details are withheld. */
#include "daemon/diagnosis/diagnosis_json.h"

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"

const char *severity_name(enum severity severity)
{
        switch (severity) {
        case SEVERITY_NOTICE:
                return "notice";
        case SEVERITY_WARNING:
                return "warning";
        case SEVERITY_CRITICAL:
                return "critical";
        }
        return "notice";
}

const char *verdict_name(enum diagnosis_verdict verdict)
{
        switch (verdict) {
        case DIAGNOSIS_UNKNOWN:
                return "unknown";
        case DIAGNOSIS_HEALTHY:
                return "healthy";
        case DIAGNOSIS_RISK:
                return "risk";
        case DIAGNOSIS_SLOW:
                return "slow";
        }
        return "unknown";
}

const char *subject_kind_name(enum subject_kind kind)
{
        static const char *const names[SUBJECT_KIND_MAX] = {
                [SUBJECT_NONE] = "",         [SUBJECT_PROGRAM] = "program",     [SUBJECT_PROCESS] = "process",
                [SUBJECT_UNIT] = "unit",     [SUBJECT_FILE] = "file",           [SUBJECT_DISK] = "disk",
                [SUBJECT_MOUNT] = "mount",   [SUBJECT_INTERFACE] = "interface", [SUBJECT_PEER] = "peer",
                [SUBJECT_DEVICE] = "device", [SUBJECT_SETTING] = "setting",     [SUBJECT_MACHINE] = "machine",
        };
        return kind < SUBJECT_KIND_MAX ? names[kind] : "";
}

/* Appends to an array; the item is consumed. */
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

/* ---- origin ---- */

/* Script and directory belong to one of the ancestors, and the origin does not say to which. It is the
 * nearest one whose command line names the script. Where that cannot be told (the ancestor is gone), they are
 * shown only to someone who owns all of them. */
static bool may_see_script(const struct origin *origin, uint32_t culprit_uid, const struct viewer *viewer)
{
        if (viewer->sees_all)
                return true;
        const char *slash = strrchr(origin->script, '/');
        const char *script = slash ? slash + 1 : origin->script;
        if (script[0])
                for (uint32_t i = origin->chain_length; i-- > 0;)
                        if (strstr(origin->chain[i].command_line, script))
                                return viewer_may_see(viewer, origin->chain[i].uid);
        for (uint32_t i = 0; i < origin->chain_length; i++)
                if (!viewer_may_see(viewer, origin->chain[i].uid))
                        return false;
        return viewer_may_see(viewer, culprit_uid);
}

static struct json_object *step_to_json(const struct origin_step *step, const struct viewer *viewer)
{
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        if (!object || json_add_string(object, "name", step->name) < 0 ||
            json_add_int(object, "pid", step->pid) < 0 ||
            json_add_string_or_null(object, "commandLine",
                                    viewer_may_see(viewer, step->uid) ? step->command_line : NULL) < 0)
                return NULL;
        return TAKE(object);
}

struct json_object *origin_to_json(const struct origin *origin, uint32_t culprit_uid,
                                   const struct viewer *viewer)
{
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        struct json_object *chain = json_object_new_array();
        if (!object || json_add(object, "chain", chain) < 0) {
                if (!object)
                        json_object_put(chain);
                return NULL;
        }
        for (uint32_t i = 0; i < origin->chain_length; i++)
                if (append(chain, step_to_json(&origin->chain[i], viewer)) < 0)
                        return NULL;
        bool shown = may_see_script(origin, culprit_uid, viewer);
        if (json_add_string_or_null(object, "script", shown ? origin->script : NULL) < 0 ||
            json_add_string_or_null(object, "workingDirectory", shown ? origin->working_directory : NULL) < 0)
                return NULL;
        return TAKE(object);
}

/* ---- subject ---- */

static struct json_object *pids_to_json(const struct subject *subject)
{
        CLEANUP_JSON struct json_object *pids = json_object_new_array();
        if (!pids)
                return NULL;
        for (uint32_t i = 0; i < subject->pid_count; i++)
                if (append(pids, json_object_new_int64(subject->pids[i])) < 0)
                        return NULL;
        return TAKE(pids);
}

static int add_lost(struct json_object *object, int32_t lost_permille)
{
        return lost_permille < 0 ? json_add_null(object, "lostPermille")
                                 : json_add_int(object, "lostPermille", lost_permille);
}

struct json_object *subject_to_json(const struct subject *subject, const struct origin *origin,
                                    const struct viewer *viewer)
{
        bool shown = viewer_may_see(viewer, subject->uid);
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        if (!object || json_add_string(object, "kind", subject_kind_name(subject->kind)) < 0 ||
            json_add_string(object, "name", subject->name) < 0 ||
            json_add_int(object, "count", subject->count) < 0 ||
            json_add(object, "pids", pids_to_json(subject)) < 0 ||
            json_add_string_or_null(object, "unit", subject->unit) < 0 ||
            json_add_string_or_null(object, "user", subject->user) < 0 ||
            json_add_string_or_null(object, "commandLine", shown ? subject->command_line : NULL) < 0)
                return NULL;
        int r = origin ? json_add(object, "startedBy", origin_to_json(origin, subject->uid, viewer))
                       : json_add_null(object, "startedBy");
        if (r < 0 || add_lost(object, subject->lost_permille) < 0)
                return NULL;
        return TAKE(object);
}

static int add_culprit(struct json_object *object, const struct subject *culprit, const struct origin *origin,
                       const struct viewer *viewer)
{
        if (culprit->kind == SUBJECT_NONE)
                return json_add_null(object, "culprit");
        return json_add(object, "culprit", subject_to_json(culprit, origin, viewer));
}

static struct json_object *subjects_to_json(const struct subject *subjects, uint32_t count,
                                            const struct viewer *viewer)
{
        CLEANUP_JSON struct json_object *array = json_object_new_array();
        if (!array)
                return NULL;
        for (uint32_t i = 0; i < count; i++)
                if (append(array, subject_to_json(&subjects[i], NULL, viewer)) < 0)
                        return NULL;
        return TAKE(array);
}

/* ---- finding ---- */

static int add_known(struct json_object *object, const char *name, int64_t value)
{
        return value == INT64_MIN ? json_add_null(object, name) : json_add_int(object, name, value);
}

static struct json_object *evidence_to_json(const struct evidence *evidence)
{
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        if (!object || json_add_string(object, "name", evidence->name) < 0 ||
            json_add_int(object, "value", evidence->value) < 0 ||
            json_add_string(object, "unit", evidence->unit) < 0 ||
            add_known(object, "threshold", evidence->threshold) < 0 ||
            add_known(object, "usual", evidence->usual) < 0 ||
            json_add_string(object, "text", evidence->text) < 0)
                return NULL;
        return TAKE(object);
}

static struct json_object *remedy_to_json(const struct remedy *remedy)
{
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        if (!object || json_add_string(object, "text", remedy->text) < 0 ||
            json_add_string_or_null(object, "command", remedy->command) < 0)
                return NULL;
        return TAKE(object);
}

static struct json_object *all_evidence_to_json(const struct finding *finding)
{
        CLEANUP_JSON struct json_object *array = json_object_new_array();
        if (!array)
                return NULL;
        for (uint32_t i = 0; i < finding->evidence_count; i++)
                if (append(array, evidence_to_json(&finding->evidence[i])) < 0)
                        return NULL;
        return TAKE(array);
}

static struct json_object *remedies_to_json(const struct finding *finding)
{
        CLEANUP_JSON struct json_object *array = json_object_new_array();
        if (!array)
                return NULL;
        for (uint32_t i = 0; i < finding->remedy_count; i++)
                if (append(array, remedy_to_json(&finding->remedies[i])) < 0)
                        return NULL;
        return TAKE(array);
}

struct json_object *finding_to_json(const struct finding *finding, const struct viewer *viewer)
{
        const struct origin *origin = finding->has_origin ? &finding->origin : NULL;
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        if (!object || json_add_string(object, "check", finding->check) < 0 ||
            json_add_string(object, "severity", severity_name(finding->severity)) < 0 ||
            json_add_int(object, "sinceUSec", (int64_t)finding->since_usec) < 0 ||
            json_add_int(object, "lostPermille", finding->lost_permille) < 0 ||
            json_add_int(object, "confidencePermille", finding->confidence_permille) < 0 ||
            json_add_string(object, "summary", finding->summary) < 0 ||
            add_culprit(object, &finding->culprit, origin, viewer) < 0 ||
            json_add(object, "victims", subjects_to_json(finding->victims, finding->victim_count, viewer)) <
                    0 ||
            json_add(object, "evidence", all_evidence_to_json(finding)) < 0 ||
            json_add(object, "remedies", remedies_to_json(finding)) < 0 ||
            json_add_string_or_null(object, "because", finding->because) < 0)
                return NULL;
        return TAKE(object);
}

/* ---- diagnosis ---- */

static struct json_object *findings_to_json(const struct finding *findings, uint32_t count,
                                            const struct viewer *viewer)
{
        CLEANUP_JSON struct json_object *array = json_object_new_array();
        if (!array)
                return NULL;
        for (uint32_t i = 0; i < count; i++)
                if (append(array, finding_to_json(&findings[i], viewer)) < 0)
                        return NULL;
        return TAKE(array);
}

static struct json_object *reason_to_json(const struct reason *reason)
{
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        if (!object || json_add_string(object, "check", reason->check) < 0 ||
            json_add_string(object, "reason", reason->text) < 0)
                return NULL;
        return TAKE(object);
}

static struct json_object *reasons_to_json(const struct reason *reasons, uint32_t count)
{
        CLEANUP_JSON struct json_object *array = json_object_new_array();
        if (!array)
                return NULL;
        for (uint32_t i = 0; i < count; i++)
                if (append(array, reason_to_json(&reasons[i])) < 0)
                        return NULL;
        return TAKE(array);
}

struct json_object *diagnosis_to_json(const struct diagnosis *diagnosis, const struct viewer *viewer)
{
        const struct diagnosis *d = diagnosis;
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        if (!object || json_add_string(object, "machine", d->machine) < 0 ||
            json_add_int(object, "atUSec", (int64_t)d->at_usec) < 0 ||
            json_add_string(object, "verdict", verdict_name(d->verdict)) < 0 ||
            json_add_string(object, "summary", d->summary) < 0 ||
            json_add(object, "causes", findings_to_json(d->causes, d->cause_count, viewer)) < 0 ||
            json_add(object, "risks", findings_to_json(d->risks, d->risk_count, viewer)) < 0 ||
            json_add(object, "consequences",
                     findings_to_json(d->consequences, d->consequence_count, viewer)) < 0 ||
            json_add(object, "ruledOut", reasons_to_json(d->ruled_out, d->ruled_out_count)) < 0 ||
            json_add(object, "notChecked", reasons_to_json(d->not_checked, d->not_checked_count)) < 0)
                return NULL;
        return TAKE(object);
}

/* ---- incident ---- */

struct json_object *incident_to_json(const struct incident *incident, const struct viewer *viewer)
{
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        if (!object || json_add_int(object, "id", (int64_t)incident->id) < 0 ||
            json_add_string(object, "check", incident->check) < 0 ||
            json_add_string(object, "severity", severity_name(incident->severity)) < 0 ||
            json_add_int(object, "sinceUSec", (int64_t)incident->since_usec) < 0 ||
            (incident->until_usec ? json_add_int(object, "untilUSec", (int64_t)incident->until_usec)
                                  : json_add_null(object, "untilUSec")) < 0 ||
            json_add_int(object, "peakUSec", (int64_t)incident->peak_usec) < 0 ||
            json_add_int(object, "peakPermille", incident->peak_permille) < 0 ||
            json_add_string(object, "summary", incident->summary) < 0 ||
            add_culprit(object, &incident->culprit, NULL, viewer) < 0 ||
            json_add(object, "victims", subjects_to_json(incident->victims, incident->victim_count, viewer)) <
                    0)
                return NULL;
        return TAKE(object);
}
