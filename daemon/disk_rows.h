/* Disks as rows of `Disks`. */
#pragma once

#include "daemon/history/history.h"
#include "daemon/tick.h"

/* Of the latest snapshot, in the kernel's order, those below others first. Returns how many. */
size_t disk_rows_make(const struct history *history, struct disk_row ret_rows[static PUBLISHED_DISKS_MAX]);
