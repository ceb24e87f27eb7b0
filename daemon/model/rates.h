/* Two counters -> one rate; and the parts that snapshot_make is put together from. Inside daemon/model only.
 */
#pragma once

#include "daemon/model/snapshot.h"

/* Increase of a counter per second; NAN if either reading is absent or the counter went back (reset, other
 * device). */
static inline double rate_per_sec(uint64_t older, uint64_t newer, double seconds)
{
        if (older == ABSENT || newer == ABSENT || newer < older || seconds <= 0)
                return NAN;
        return (double)(newer - older) / seconds;
}

static inline double level_of(uint64_t value)
{
        return value == ABSENT ? NAN : (double)value;
}

static inline double known_or_zero(double value)
{
        return isnan(value) ? 0 : value;
}

/* Fills snapshot->value and ->disks from the machine-wide counters. older NULL: levels only. */
void machine_rates(const struct sample *older, const struct sample *newer, double seconds,
                   struct snapshot *snapshot);
/* Fills snapshot->units but for their ledgers. Capacity is there already. */
void unit_rates(const struct sample *older, const struct sample *newer, double seconds,
                struct snapshot *snapshot);
/* The unit a process belongs to, and the share of its ancestors' and its own periods that were throttled;
 * NULL: none. */
struct unit_rate *unit_find(const struct snapshot *snapshot, uint64_t cgroup_id);
float unit_throttled_share(const struct snapshot *snapshot, uint64_t cgroup_id);
/* Fills snapshot->processes but for .program. Capacity is there already. */
void process_rates(const struct sample *older, const struct sample *newer, double seconds,
                   struct snapshot *snapshot);
/* Fills snapshot->mounts and ->mount_users, and moves what processes wait for mounts to where it belongs in
 * their ledgers. After process_rates(). */
void mount_rates(const struct sample *older, const struct sample *newer, double seconds,
                 struct snapshot *snapshot);
/* Groups the processes into snapshot->programs and sums the ledgers of units. Capacity is there already. */
void programs_make(struct snapshot *snapshot);
