/* Asks the kernel to wake us when time is being lost, so that the next look comes at once and not at the end
 * of an interval. Documentation/accounting/psi.rst, "Monitoring for pressure thresholds". */
#pragma once

#include "daemon/root.h"

/* A descriptor that reports POLLPRI while tasks wait for `resource` ("cpu", "memory", "io") more than 15 % of
 * the time, at most once per window. -EOPNOTSUPP if `root` is not this machine; -ENOENT or -EOPNOTSUPP if the
 * kernel has no PSI or it is switched off, -EPERM, -EACCES. */
int pressure_trigger_open(const struct root *root, const char *resource);
