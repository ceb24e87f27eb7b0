/* What Mounts tells of network mounts. */
#pragma once

#include "daemon/tick.h"

/* Those of the latest snapshot. Returns how many. */
size_t mount_rows_make(const struct history *history, struct mount_row ret_rows[static NETWORK_MOUNTS_MAX]);
