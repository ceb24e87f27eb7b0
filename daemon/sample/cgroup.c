/* Which control groups are followed, and which of them are read at this tick: those where something ran, and
 * in turn the others, so that sixty idle units cost next to nothing. */
#include "daemon/sample/cgroup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/sample/cgroup_table.h"
#include "daemon/sample/fields.h"

#define ROUND_USEC                                                                                           \
        USEC_PER_MINUTE /* in which every group is read once, and after which an empty one goes              \
                         */

/* What makes a group worth its details at every tick: 2 % of a CPU, 256 KiB/s of I/O, 1/20 of the memory.
 * Less than that makes nobody slow. */
#define WATCH_CPU_PERMILLE   20
#define WATCH_IO_PER_SEC     ((uint64_t)256 << 10)
#define WATCH_MEMORY_DIVISOR 20

struct cgroup_source {
        struct cgroup_trees trees;
        int trees_error;
        usec_t looked_usec; /* for the trees */
        struct cgroup_table table;
        usec_t last_usec;   /* of the tick before */
        uint64_t turns_due; /* times ROUND_USEC: what is left of a turn for the next tick */
        int error;          /* the first one of this tick */
};

/* ---- what the processes tell about this tick ---- */

static void count_process(struct group *group, const struct process_sample *process)
{
        group->has_processes = true;
        if (!process->is_idle)
                group->is_active = true;
        if (process->read_bytes != ABSENT)
                group->process_io_bytes += process->read_bytes;
        if (process->write_bytes != ABSENT)
                group->process_io_bytes += process->write_bytes;
        if (process->rss_anon_bytes != ABSENT)
                group->process_memory_bytes += process->rss_anon_bytes;
}

/* The group of a process. What could not be learned of it is asked for again after a round. */
static struct group *group_of(struct cgroup_source *source, struct buffer *buffer,
                              const struct process_sample *process, usec_t now)
{
        struct group *group = cgroup_table_find(&source->table, process->identity->cgroup_id);
        if (group && (group->is_followed || (group->asked_usec && now - group->asked_usec < ROUND_USEC)))
                return group;
        return cgroup_table_meet(&source->table, source->trees.root, buffer, process, now);
}

static void count_processes(struct cgroup_source *source, struct buffer *buffer, const struct sample *sample)
{
        struct group *group = NULL;
        for (size_t i = 0; i < source->table.count; i++) {
                struct group *g = source->table.groups[i];
                g->was_active = g->is_active;
                g->has_processes = g->is_active = g->is_needed = g->is_read = g->is_listed = false;
                g->process_io_bytes = g->process_memory_bytes = 0;
        }
        for (size_t i = 0; i < sample->process_count; i++) {
                const struct process_sample *process = &sample->processes[i];
                uint64_t id = process->identity ? process->identity->cgroup_id : 0;
                if (id == 0)
                        continue;
                if (!group || group->id != id) /* neighbours are often of one group */
                        group = group_of(source, buffer, process, sample->time.monotonic_usec);
                if (group)
                        count_process(group, process);
        }
        for (size_t i = 0; i < source->table.count; i++) {
                const struct group *below = source->table.groups[i];
                if (!below->has_processes)
                        continue;
                for (struct group *above = below->parent; above; above = above->parent) {
                        above->is_needed = true;
                        above->is_active = above->is_active || (below->is_active && group_is_limited(above));
                }
        }
}

/* ---- reading ---- */

static bool is_notable(const struct group *group, uint64_t usage_before, usec_t elapsed,
                       const struct sample *sample)
{
        const struct cgroup_sample *values = &group->values;
        if (group_is_limited(group))
                return true;
        if (values->cpu_usage_usec != ABSENT && usage_before != ABSENT &&
            (values->cpu_usage_usec - usage_before) > elapsed * WATCH_CPU_PERMILLE / 1000)
                return true;
        if (group->process_io_bytes > group->io_bytes &&
            group->process_io_bytes - group->io_bytes > elapsed * WATCH_IO_PER_SEC / USEC_PER_SEC)
                return true;
        return sample->meminfo.total_bytes != ABSENT &&
               group->process_memory_bytes > sample->meminfo.total_bytes / WATCH_MEMORY_DIVISOR;
}

static bool has_grown(uint64_t before, uint64_t after)
{
        return before != ABSENT && after != ABSENT && after > before;
}

/* A limit has been set since the last visit: its effects show before it is known. */
static bool has_unknown_limit(const struct cgroup_sample *before, const struct cgroup_sample *after)
{
        return (after->cpu_quota_usec == ABSENT && has_grown(before->cpu_periods, after->cpu_periods)) ||
               (after->memory_max_bytes == ABSENT && has_grown(before->events_max, after->events_max)) ||
               (after->memory_high_bytes == ABSENT && has_grown(before->events_high, after->events_high));
}

static bool read_tier(struct cgroup_source *source, struct group *group, struct buffer *buffer,
                      const struct sample *sample, enum cgroup_tier tier, bool keep_open)
{
        const struct cgroup_context context = { .disks = sample->disks, .disk_count = sample->disk_count };
        int r = group_read(group, &source->trees, buffer, &context, tier, keep_open);
        if (r == -ENOENT) /* the group is gone, or has no such controller */
                return false;
        fields_note(r, &source->error);
        return true;
}

/* An ancestor that holds nobody back: of it only the limits are of interest. */
static bool is_bystander(const struct group *group)
{
        return !group->has_processes && !group->is_empty && !group_is_limited(group);
}

static void visit_limits(struct cgroup_source *source, struct group *group, struct buffer *buffer,
                         const struct sample *sample)
{
        group_forget_missing(group, &source->trees);
        (void)read_tier(source, group, buffer, sample, TIER_LIMITS, false);
        if (!group->is_active)
                group_close_files(group, &source->trees);
        group->visited_usec = sample->time.monotonic_usec;
        group->was_visited = true;
}

static void read_group(struct cgroup_source *source, struct group *group, struct buffer *buffer,
                       const struct sample *sample, bool is_visit)
{
        usec_t now = sample->time.monotonic_usec, elapsed = now - group->values.read_usec;
        const struct cgroup_sample before = group->values;
        bool keep_open = group->is_active && group->was_active; /* it will run again */

        if (is_visit) {
                visit_limits(source, group, buffer, sample);
                if (is_bystander(group))
                        return;
        }
        group->is_read = read_tier(source, group, buffer, sample, TIER_COUNTERS, keep_open);
        if (!is_visit && has_unknown_limit(&before, &group->values)) {
                visit_limits(source, group, buffer, sample);
                is_visit = true;
        }
        if (group->is_active || group->values.cpu_usage_usec != before.cpu_usage_usec)
                group->has_run = true;
        bool is_watched = group->is_active && is_notable(group, before.cpu_usage_usec, elapsed, sample);
        if ((is_watched || is_visit) &&
            read_tier(source, group, buffer, sample, TIER_LEVELS, is_watched && keep_open))
                group->is_read = true;
        if (is_watched || (is_visit && group->has_run)) {
                (void)read_tier(source, group, buffer, sample, TIER_DETAILS, is_watched && keep_open);
                group->has_run = false;
        } else if (group->has_run) {
                group_skip_details(group);
        }
        if (has_grown(before.cpu_throttled_usec, group->values.cpu_throttled_usec)) {
                group->throttled_usec = now;
                group->was_throttled = true;
        }
        group->io_bytes = group->process_io_bytes;
        if (group->is_read)
                group->values.read_usec = now;
}

/* Those that have waited longest, so many that all have had their turn within a round. */
static void visit_in_turn(struct cgroup_source *source, struct buffer *buffer, const struct sample *sample)
{
        usec_t now = sample->time.monotonic_usec, elapsed = now - source->last_usec;
        if (elapsed > ROUND_USEC)
                elapsed = ROUND_USEC;
        source->turns_due += source->table.count * elapsed;
        size_t turns = (size_t)(source->turns_due / ROUND_USEC);
        source->turns_due %= ROUND_USEC;
        for (; turns > 0; turns--) {
                struct group *longest = NULL;
                for (size_t i = 0; i < source->table.count; i++) {
                        struct group *group = source->table.groups[i];
                        if (group->visited_usec < now &&
                            (!longest || group->visited_usec < longest->visited_usec))
                                longest = group;
                }
                if (!longest)
                        break;
                read_group(source, longest, buffer, sample, true);
        }
}

static void read_groups(struct cgroup_source *source, struct buffer *buffer, const struct sample *sample)
{
        usec_t now = sample->time.monotonic_usec;
        for (size_t i = 0; i < source->table.count; i++) {
                struct group *group = source->table.groups[i];
                bool was_empty = group->is_empty;
                group->is_empty = !group->has_processes && !group->is_needed;
                if (!was_empty && group->is_empty)
                        group->emptied_usec = now;
                if (!group->was_visited || (was_empty && !group->is_empty)) /* new, or made anew */
                        read_group(source, group, buffer, sample, true);
                else if (group->is_active || (group->is_empty && !was_empty)) /* how did it end? */
                        read_group(source, group, buffer, sample, false);
        }
        visit_in_turn(source, buffer, sample);
}

/* ---- the outcome ---- */

/* Empty for a whole round: gone, unless another one still has it as its parent. */
static void remove_empty(struct cgroup_source *source, usec_t now)
{
        size_t kept = 0;
        for (size_t i = 0; i < source->table.count; i++) {
                struct group *group = source->table.groups[i];
                group->is_listed = !group->is_empty || now - group->emptied_usec < ROUND_USEC;
        }
        for (size_t i = 0; i < source->table.count; i++)
                if (source->table.groups[i]->is_listed)
                        for (struct group *above = source->table.groups[i]->parent;
                             above && !above->is_listed; above = above->parent)
                                above->is_listed = true;
        for (size_t i = 0; i < source->table.count; i++) {
                struct group *group = source->table.groups[i];
                if (group->is_listed)
                        source->table.groups[kept++] = group;
                else
                        group_free(&source->trees, group);
        }
        source->table.count = kept;
}

/* Groups that processes are in, or were a moment ago, and those above them that have a limit. */
static bool belongs_in_sample(const struct group *group)
{
        bool has_members = group->is_followed && (group->has_processes || group->is_empty);
        return group->was_visited && (has_members || group_is_limited(group));
}

static uint64_t nearest_listed(const struct group *group)
{
        for (const struct group *above = group->parent; above; above = above->parent)
                if (above->is_listed)
                        return above->id;
        return 0;
}

static int make_room(struct sample *sample, size_t count)
{
        if (count <= sample->cgroup_capacity)
                return 0;
        struct cgroup_sample *rows = reallocarray(sample->cgroups, count, sizeof(rows[0]));
        if (!rows)
                return -ENOMEM;
        sample->cgroups = rows;
        sample->cgroup_capacity = count;
        return 0;
}

static void write_out(struct cgroup_source *source, struct sample *sample)
{
        size_t count = 0;
        for (size_t i = 0; i < source->table.count; i++) {
                struct group *group = source->table.groups[i];
                group->is_listed = belongs_in_sample(group) && count < CGROUPS_MAX;
                if (group->is_listed)
                        count++;
                else if (belongs_in_sample(group))
                        source->table.dropped++;
        }
        sample->dropped += source->table.dropped;
        int r = make_room(sample, count);
        if (r < 0) {
                fields_note(r, &source->error);
                return;
        }
        for (size_t i = 0; i < source->table.count; i++) {
                struct group *group = source->table.groups[i];
                if (!group->is_listed)
                        continue;
                group->values.is_stale = !group->is_read;
                group->values.parent_id = nearest_listed(group);
                sample->cgroups[sample->cgroup_count++] = group->values;
        }
}

int cgroup_source_new(const struct root *root, struct cgroup_source **ret_source)
{
        struct cgroup_source *source = calloc(1, sizeof(*source));
        if (!source)
                return -ENOMEM;
        source->trees_error = cgroup_trees_find(&source->trees, root);
        *ret_source = source;
        return 0;
}

struct cgroup_source *cgroup_source_free(struct cgroup_source *source)
{
        if (!source)
                return NULL;
        cgroup_table_done(&source->table, &source->trees);
        free(source);
        return NULL;
}

int cgroup_source_collect(struct cgroup_source *source, struct buffer *buffer, struct sample *sample)
{
        usec_t now = sample->time.monotonic_usec;

        if (source->trees_error < 0 && now - source->looked_usec >= ROUND_USEC) {
                source->trees_error = cgroup_trees_find(&source->trees, source->trees.root);
                source->looked_usec = now;
        }
        if (source->trees_error < 0)
                return source->trees_error;
        source->error = source->table.error = 0;
        source->table.dropped = source->table.met = 0;
        count_processes(source, buffer, sample);
        read_groups(source, buffer, sample);
        remove_empty(source, now);
        write_out(source, sample);
        fields_note(source->table.error, &source->error);
        source->last_usec = now;
        return source->error;
}

size_t cgroup_source_held_back(const struct cgroup_source *source, uint64_t *ret_ids, size_t max)
{
        size_t count = 0;
        for (size_t i = 0; i < source->table.count && count < max; i++) {
                const struct group *group = source->table.groups[i];
                for (const struct group *g = group; g && group->has_processes; g = g->parent) {
                        if (!g->was_throttled || source->last_usec - g->throttled_usec > ROUND_USEC)
                                continue;
                        ret_ids[count++] = group->id;
                        break;
                }
        }
        return count;
}
