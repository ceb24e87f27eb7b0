/* Where a block device lies, by /sys: below it, and how the kernel's messages call it. */
#pragma once

#include "daemon/root.h"
#include "daemon/sample/diskstats.h"

/* Fills lower and address, and sets is_removable for what hangs on USB. Unknown is "". */
void disk_place_read(const struct root *root, const struct sample *sample, const struct disk_sample *disk,
                     struct disk_facts *facts);
