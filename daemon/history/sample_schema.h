/* The table of what is stored of a struct sample, and its pieces for the codec. */
#pragma once

#include "daemon/history/schema.h"
#include "daemon/sample/sample.h"

/* Positions in sample_schema.entities. */
enum sample_entity {
        ENTITY_MACHINE,
        ENTITY_CPU,
        ENTITY_SWAP,
        ENTITY_DISK,
        ENTITY_INTERFACE,
        ENTITY_MOUNT,
        ENTITY_CGROUP,
        ENTITY_IDENTITY, /* events: written when a process is first seen in a block, and on exec */
        ENTITY_PROCESS,
        ENTITY_MESSAGE,
        ENTITY_COLLECTOR,
        ENTITY_FS_ERRORS,
        ENTITY_DISK_HEALTH,
        ENTITY_RAID,
        ENTITY_FILE_SYSTEM,
        ENTITY_SLAB,
        ENTITY_LOG_FILE,
        ENTITY_LOG_UNIT,
        ENTITY_NETWORK_MOUNT,
        ENTITY_MOUNT_USER,
        ENTITY_BOOT, /* events: what has become known of this boot, and its units */
        ENTITY_BOOT_UNIT,
        SAMPLE_ENTITIES
};

/* A process row's link: 2 x the number of its identity in the block, counted from 1 (0: none), plus 1 if it
 * was idle when its row was first written. Afterwards a row is idle unless an activity column moved. */
#define LINK_IDENTITY(link) ((link) >> 1)
#define LINK_IS_IDLE(link)  (((link)&1) != 0)

/* A control group's link: how long before the sample it was read, in these units, signed. While it is stale
 * the link stays as it was, and so does the time that it stands for: a group that nobody reads costs nothing.
 */
#define CGROUP_AGE_USEC (10 * USEC_PER_MSEC)

/* struct collector_status with its name by value. */
#define COLLECTOR_NAME_MAX 40
struct collector_row {
        char name[COLLECTOR_NAME_MAX];
        uint32_t state;
        int32_t error;
};

extern const struct schema sample_schema;
