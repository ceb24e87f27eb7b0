/* /proc/diskstats and what /sys says once about each device. */
#pragma once

#include "daemon/sample/buffer.h"
#include "daemon/sample/sample.h"

/* What does not change as long as a device is there. */
struct disk_facts {
        char name[DEVICE_NAME_MAX];
        uint32_t major, minor;
        bool is_partition, is_stacked, is_rotational, is_memory;
};

struct disks {
        struct disk_facts facts[DISKS_MAX]; /* of the devices of the last sample, in its order */
        size_t count;
};

/* The counters only; facts are left false. Loop and RAM devices that were never used are left out, Debian
 * makes 24 of them. Errors as in parsers.h. */
int diskstats_parse(struct span text, struct sample *sample);
/* Adds the facts to sample->disks, reading /sys for devices that were not there at the last call. */
void diskstats_add_facts(struct disks *disks, const struct root *root, struct sample *sample);
