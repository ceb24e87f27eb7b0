/* /proc/diskstats and what /sys says once about each device. */
#pragma once

#include "daemon/sample/buffer.h"
#include "daemon/sample/sample.h"

/* What does not change as long as a device is there (a loop device may get another file). */
struct disk_facts {
        char name[DEVICE_NAME_MAX];
        char lower[DEVICE_NAME_MAX], address[DEVICE_NAME_MAX];
        uint32_t major, minor;
        bool is_partition, is_stacked, is_rotational, is_memory, is_removable;
};

struct disks {
        struct disk_facts facts[DISKS_MAX]; /* of the devices of the last sample, in its order */
        size_t count;
        usec_t stacks_read_usec; /* when it was looked what stacked devices lie on */
};

/* The counters only; facts are left false. Loop and RAM devices that were never used are left out, Debian
 * makes 24 of them. Errors as in parsers.h. */
int diskstats_parse(struct span text, struct sample *sample);
/* Adds the facts to sample->disks, reading /sys for devices that were not there at the last call. What is
 * mounted in the sample tells what a loop device's file lies on. */
void diskstats_add_facts(struct disks *disks, const struct root *root, struct sample *sample);
