/* Whether two findings speak of the same thing. */
#pragma once

#include "daemon/diagnosis/finding.h"

/* A check may explain another in general; two findings belong together only if they share a culprit, a unit
 * or a process, if the one's victim is the other's culprit, or if they lie on the same disk or mount. The
 * sample tells where files, mounts and partitions are; what it does not know is not related. */
bool relation_holds(const struct sample *sample, const struct finding *root, const struct finding *follower);
