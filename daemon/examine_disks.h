/* slowd --examine-disks: asks each disk by smartctl how it is, as root and apart from the daemon, and leaves
 * the answers below /run (and /var/lib, for the next time) for slowd to read. Wakes no sleeping disk. */
#pragma once

#include <stddef.h>

#include "daemon/clock.h"
#include "daemon/root.h"
#include "daemon/sample/disk_health.h"

/* 0, or negative errno with a sentence in `error`. Directories must be there already. */
int examine_disks(const struct root *root, const struct clock *clock, const char *run_directory,
                  const char *state_directory, char *error, size_t error_size);
