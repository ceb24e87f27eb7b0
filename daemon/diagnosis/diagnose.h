/* Findings -> diagnosis, and diagnosis -> incidents. Pure: no clock, no file. */
#pragma once

#include "daemon/diagnosis/diagnosis.h"

/* The first snapshots say too little: with fewer frames than this the verdict is unknown. */
#define DIAGNOSIS_FRAMES_MIN 2

/* Puts the findings of all checks (in the order of the table, `because` unset) together: a finding that
 * follows from another becomes its consequence, causes are ranked by the time they cost. Sets finding.because
 * in ret_diagnosis. */
void diagnose(const struct finding *findings, size_t count, const struct history *history,
              struct diagnosis *ret_diagnosis);

/* A number that is the same as long as verdict, checks and culprits are the same, whatever their figures. */
uint64_t diagnosis_signature(const struct diagnosis *diagnosis);

struct incidents;
struct incidents *incidents_new(void); /* NULL if there is no memory */
struct incidents *incidents_free(struct incidents *incidents);
/* Opens, worsens and closes incidents by the causes and risks of a diagnosis, and gives the findings of open
 * ones the onset that was found first. Returns the number of events, at most `max`. */
size_t incidents_update(struct incidents *incidents, struct diagnosis *diagnosis,
                        struct incident_event *ret_events, size_t max);
/* Newest first; NULL past the end. Borrowed until the next update. */
const struct incident *incidents_get(const struct incidents *incidents, size_t index);
