/* Puts the snapshot of one interval together. */
#include "daemon/model/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/model/rates.h"

/* Grows an array to hold `count`, in steps, so that a steady machine never allocates. */
static int grow(void **array, size_t *capacity, size_t count, size_t size)
{
        if (count <= *capacity)
                return 0;
        size_t wanted = count + count / 4 + 64;
        void *bigger = realloc(*array, wanted * size);
        if (!bigger)
                return -ENOMEM;
        *array = bigger;
        *capacity = wanted;
        return 0;
}

static int grow_scratch(struct snapshot *snapshot, size_t processes)
{
        size_t wanted = 256;
        while (wanted < 2 * processes)
                wanted *= 2;
        if (wanted <= snapshot->scratch_capacity)
                return 0;
        uint32_t *bigger = realloc(snapshot->scratch, wanted * sizeof(bigger[0]));
        if (!bigger)
                return -ENOMEM;
        snapshot->scratch = bigger;
        snapshot->scratch_capacity = wanted; /* a power of two */
        return 0;
}

static int make_room(struct snapshot *snapshot, const struct sample *newer)
{
        int r = grow((void **)&snapshot->processes, &snapshot->process_capacity, newer->process_count,
                     sizeof(snapshot->processes[0]));
        if (r == 0)
                r = grow((void **)&snapshot->programs, &snapshot->program_capacity, newer->process_count,
                         sizeof(snapshot->programs[0]));
        if (r == 0)
                r = grow((void **)&snapshot->units, &snapshot->unit_capacity, newer->cgroup_count,
                         sizeof(snapshot->units[0]));
        return r < 0 ? r : grow_scratch(snapshot, newer->process_count);
}

/* Below this the difference of two clocks is reading them one after the other, or slewing by NTP. */
#define CLOCK_NOISE_USEC (USEC_PER_SEC / 2)

static void clocks_between(const struct sample *older, const struct sample *newer, struct snapshot *snapshot)
{
        const struct clock_reading *a = &older->time, *b = &newer->time;
        int64_t slept = (int64_t)(b->boottime_usec - a->boottime_usec) -
                        (int64_t)(b->monotonic_usec - a->monotonic_usec);
        int64_t stepped = (int64_t)(b->realtime_usec - a->realtime_usec) -
                          (int64_t)(b->boottime_usec - a->boottime_usec);
        snapshot->interval_usec =
                b->monotonic_usec > a->monotonic_usec ? b->monotonic_usec - a->monotonic_usec : 0;
        snapshot->suspended_usec = slept > (int64_t)CLOCK_NOISE_USEC ? (usec_t)slept : 0;
        if (stepped > (int64_t)CLOCK_NOISE_USEC || stepped < -(int64_t)CLOCK_NOISE_USEC)
                snapshot->clock_step_usec = stepped;
}

int snapshot_make(const struct sample *older, const struct sample *newer, usec_t expected_usec,
                  struct snapshot *ret_snapshot)
{
        struct snapshot *snapshot = ret_snapshot;
        snapshot->time = newer->time;
        snapshot->expected_usec = expected_usec;
        snapshot->interval_usec = snapshot->suspended_usec = 0;
        snapshot->clock_step_usec = 0;
        snapshot->sample = newer;
        snapshot->process_count = snapshot->program_count = snapshot->unit_count = snapshot->disk_count = 0;
        snapshot->mount_count = snapshot->mount_user_count = 0;
        for (size_t i = 0; i < FIELD_MAX; i++)
                snapshot->value[i] = NAN;
        /* Counters of another boot have nothing to do with these. */
        if (older && strcmp(older->machine.boot_id, newer->machine.boot_id) != 0)
                older = NULL;
        if (older)
                clocks_between(older, newer, snapshot);
        if (snapshot->interval_usec == 0)
                older = NULL;
        snapshot->is_first = !older;

        double seconds = (double)snapshot->interval_usec / (double)USEC_PER_SEC;
        machine_rates(older, newer, seconds, snapshot);
        int r = make_room(snapshot, newer);
        if (r < 0)
                return r;
        unit_rates(older, newer, seconds, snapshot);
        process_rates(older, newer, seconds, snapshot);
        mount_rates(older, newer, seconds, snapshot);
        programs_make(snapshot);
        return 0;
}

void snapshot_done(struct snapshot *snapshot)
{
        free(snapshot->processes);
        free(snapshot->programs);
        free(snapshot->units);
        free(snapshot->scratch);
        *snapshot = (struct snapshot){ 0 };
}
