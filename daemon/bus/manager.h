/* systemd's manager over D-Bus: what it knows of the boot. One connection for one look, which it ends. */
#pragma once

#include <systemd/sd-bus.h>

#include "daemon/clock.h"
#include "daemon/sample/boot.h"

#define MANAGER_UNITS_MAX 2048   /* a large desktop has 700; what is over is left out */
#define MANAGER_EDGES_MAX 131072 /* about 30 for each unit */

struct manager {
        sd_bus *bus;
        const struct clock *clock;
        usec_t until_usec; /* monotonic: later no further question is asked */
        bool lacks_memory_peak;
        struct boot_node *nodes; /* sorted by name */
        size_t node_count;
        size_t target; /* default.target's index; node_count if it is not loaded */
        char target_name[UNIT_NAME_MAX];
        uint32_t *edges;
        size_t edge_count, edge_capacity;
};

/* Over a connection that is there (a reference is taken): for tests. 0 or -ENOMEM. */
int manager_new(sd_bus *bus, const struct clock *clock, usec_t until_usec, struct manager **ret_manager);
/* 0, or negative errno: -ENOENT or -ECONNREFUSED without a system bus, -EACCES. */
int manager_open(const struct clock *clock, usec_t until_usec, struct manager **ret_manager);
void manager_close(struct manager *manager); /* accepts NULL */

/* Each: 0, or negative errno; -ETIMEDOUT after until_usec. The first sets the stage's instants; finish_usec
 * is ABSENT while the machine starts. */
int manager_read_times(struct manager *manager, struct boot_times *ret_times);
/* The start job that has been running for longest. */
int manager_read_waiting(struct manager *manager, struct boot_times *times);
/* All units with their times, order and cost: fills nodes, edges and target. */
int manager_read_units(struct manager *manager);
