/* Control groups of two samples -> what units did in the interval. */
#include "daemon/model/rates.h"

#include <string.h>

static const struct cgroup_sample *cgroup_find(const struct sample *sample, uint64_t id)
{
        size_t low = 0, high = sample->cgroup_count;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (sample->cgroups[middle].id < id)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low < sample->cgroup_count && sample->cgroups[low].id == id ? &sample->cgroups[low] : NULL;
}

static float share(uint64_t older, uint64_t newer, double seconds)
{
        double value = rate_per_sec(older, newer, seconds) / (double)USEC_PER_SEC;
        return value > 1 ? 1 : (float)value;
}

static struct unit_rate unit_rate_of(const struct cgroup_sample *a, const struct cgroup_sample *b,
                                     double seconds)
{
        double periods = rate_per_sec(a->cpu_periods, b->cpu_periods, 1);
        double throttled = rate_per_sec(a->cpu_throttled_periods, b->cpu_throttled_periods, 1);
        return (struct unit_rate){
                .sample = b,
                .cpu = (float)(rate_per_sec(a->cpu_usage_usec, b->cpu_usage_usec, seconds) /
                               (double)USEC_PER_SEC),
                .throttled_share = periods > 0      ? (float)(throttled / periods)
                                   : isnan(periods) ? NAN
                                                    : 0,
                .throttled_per_sec =
                        (float)(rate_per_sec(a->cpu_throttled_usec, b->cpu_throttled_usec, seconds) /
                                (double)USEC_PER_SEC),
                .psi_cpu_some = share(a->pressure[PRESSURE_CPU].some_total_usec,
                                      b->pressure[PRESSURE_CPU].some_total_usec, seconds),
                .psi_memory_some = share(a->pressure[PRESSURE_MEMORY].some_total_usec,
                                         b->pressure[PRESSURE_MEMORY].some_total_usec, seconds),
                .psi_memory_full = share(a->pressure[PRESSURE_MEMORY].full_total_usec,
                                         b->pressure[PRESSURE_MEMORY].full_total_usec, seconds),
                .psi_io_some = share(a->pressure[PRESSURE_IO].some_total_usec,
                                     b->pressure[PRESSURE_IO].some_total_usec, seconds),
                .psi_io_full = share(a->pressure[PRESSURE_IO].full_total_usec,
                                     b->pressure[PRESSURE_IO].full_total_usec, seconds),
                .events_high = (float)rate_per_sec(a->events_high, b->events_high, 1),
                .events_max = (float)rate_per_sec(a->events_max, b->events_max, 1),
                .events_oom_kill = (float)rate_per_sec(a->events_oom_kill, b->events_oom_kill, 1),
                .refaults = (float)(known_or_zero(rate_per_sec(a->refault_anon, b->refault_anon, seconds)) +
                                    known_or_zero(rate_per_sec(a->refault_file, b->refault_file, seconds))),
                .reclaim_scan = (float)rate_per_sec(a->reclaim_scan, b->reclaim_scan, seconds),
                .major_faults = (float)rate_per_sec(a->major_faults, b->major_faults, seconds),
                .read_bytes = (float)rate_per_sec(a->read_bytes, b->read_bytes, seconds),
                .write_bytes = (float)rate_per_sec(a->write_bytes, b->write_bytes, seconds),
                .ledger = ledger_unknown(),
        };
}

void unit_rates(const struct sample *older, const struct sample *newer, double seconds,
                struct snapshot *snapshot)
{
        struct cgroup_sample nothing;
        memset(&nothing, 0xff, sizeof(nothing)); /* every counter ABSENT */
        for (size_t i = 0; i < newer->cgroup_count; i++) {
                const struct cgroup_sample *after = &newer->cgroups[i];
                const struct cgroup_sample *before = older ? cgroup_find(older, after->id) : NULL;
                /* Quiet groups are read once a minute: what they did then happened over that minute. */
                double span = seconds;
                if (before && after->read_usec > before->read_usec)
                        span = (double)(after->read_usec - before->read_usec) / (double)USEC_PER_SEC;
                snapshot->units[i] = unit_rate_of(before ? before : &nothing, after, span);
        }
        snapshot->unit_count = newer->cgroup_count;
}

struct unit_rate *unit_find(const struct snapshot *snapshot, uint64_t cgroup_id)
{
        const struct cgroup_sample *found = cgroup_id ? cgroup_find(snapshot->sample, cgroup_id) : NULL;
        return found ? &snapshot->units[found - snapshot->sample->cgroups] : NULL;
}

float unit_throttled_share(const struct snapshot *snapshot, uint64_t cgroup_id)
{
        float worst = 0;
        /* A slice's quota holds its services back; the depth is bounded in case ids go in a circle. */
        for (int depth = 0; depth < 16 && cgroup_id; depth++) {
                const struct unit_rate *unit = unit_find(snapshot, cgroup_id);
                if (!unit)
                        break;
                if (unit->throttled_share > worst)
                        worst = unit->throttled_share;
                cgroup_id = unit->sample->parent_id;
        }
        return worst;
}
