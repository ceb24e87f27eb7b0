/* A diagnosis as the interface file describes it, seen by someone in particular: other users' command lines,
 * scripts and working directories are left out for those who may not see them. */
#pragma once

#include <json-c/json.h>

#include "daemon/diagnosis/diagnosis.h"

/* Who asks. */
struct viewer {
        bool sees_all; /* root, slowd's own user, a member of group slowd */
        uint32_t uid;
};

/* Each: a new object owned by the caller, or NULL (no memory). */
struct json_object *diagnosis_to_json(const struct diagnosis *diagnosis, const struct viewer *viewer);
struct json_object *finding_to_json(const struct finding *finding, const struct viewer *viewer);
struct json_object *subject_to_json(const struct subject *subject, const struct origin *origin,
                                    const struct viewer *viewer); /* origin may be NULL */
/* What started a process of that owner. */
struct json_object *origin_to_json(const struct origin *origin, uint32_t culprit_uid,
                                   const struct viewer *viewer);
struct json_object *incident_to_json(const struct incident *incident, const struct viewer *viewer);

/* Whether what belongs to `owner` may be shown. */
static inline bool viewer_may_see(const struct viewer *viewer, uint32_t owner)
{
        return viewer->sees_all || viewer->uid == owner;
}

/* The names that the interface uses. Static. */
const char *severity_name(enum severity severity);
const char *verdict_name(enum diagnosis_verdict verdict);
const char *subject_kind_name(enum subject_kind kind); /* "" for SUBJECT_NONE */
