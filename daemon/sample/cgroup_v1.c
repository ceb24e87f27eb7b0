/* The files of a control group of version 1 (Documentation/admin-guide/cgroup-v1), brought into the units of
 * version 2: nanoseconds to microseconds, shares to weight, huge limits to none. */
#include "daemon/sample/cgroup_files.h"

#include <errno.h>
#include <string.h>

#include "daemon/sample/fields.h"

#define FIELD(name, field) KEYED(struct cgroup_sample, field, name, 1)
#define COUNT(fields)      (sizeof(fields) / sizeof((fields)[0]))

/* "No limit" is the largest multiple of a page below 2^63, whatever the page size: no memory is that large.
 */
#define NO_LIMIT_BYTES ((uint64_t)1 << 62)

#define SHARES_DEFAULT 1024
#define WEIGHT_DEFAULT 100

/* Linux 6.18; throttled_time in nanoseconds:
 *   nr_periods 51
 *   nr_throttled 48
 *   throttled_time 3838271043
 *   nr_bursts 0
 *   burst_time 0 */
static int parse_cpu_stat(struct span text, const struct cgroup_context *context, struct cgroup_sample *group)
{
        static const struct keyed_field fields[] = {
                FIELD("nr_periods", cpu_periods),
                FIELD("nr_throttled", cpu_throttled_periods),
                FIELD("throttled_time", cpu_throttled_usec),
        };
        uint64_t before = group->cpu_throttled_usec;
        (void)context;
        group->cpu_throttled_usec = ABSENT;
        int r = fields_parse_keyed(text, fields, COUNT(fields), group);
        if (group->cpu_throttled_usec == ABSENT)
                group->cpu_throttled_usec = before;
        else
                group->cpu_throttled_usec /= NSEC_PER_USEC;
        return r;
}

/* One number in nanoseconds: "253345948148". */
static int parse_nanoseconds(struct span text, uint64_t *ret_usec)
{
        uint64_t nsec;
        int r = fields_parse_single(text, &nsec);
        if (r == 0 && nsec != ABSENT)
                *ret_usec = nsec / NSEC_PER_USEC;
        return r;
}

static int parse_usage(struct span text, const struct cgroup_context *context, struct cgroup_sample *group)
{
        (void)context;
        return parse_nanoseconds(text, &group->cpu_usage_usec);
}

static int parse_usage_user(struct span text, const struct cgroup_context *context,
                            struct cgroup_sample *group)
{
        (void)context;
        return parse_nanoseconds(text, &group->cpu_user_usec);
}

static int parse_usage_sys(struct span text, const struct cgroup_context *context,
                           struct cgroup_sample *group)
{
        (void)context;
        return parse_nanoseconds(text, &group->cpu_system_usec);
}

static int parse_shares(struct span text, const struct cgroup_context *context, struct cgroup_sample *group)
{
        uint64_t shares;
        (void)context;
        int r = fields_parse_single(text, &shares);
        if (r == 0)
                r = fields_scale(&shares, WEIGHT_DEFAULT);
        if (r == 0)
                group->cpu_weight = shares / SHARES_DEFAULT;
        return r;
}

static int parse_limit(struct span text, uint64_t *ret_bytes)
{
        uint64_t bytes;
        int r = fields_parse_single(text, &bytes);
        if (r == 0)
                *ret_bytes = bytes > NO_LIMIT_BYTES ? ABSENT : bytes;
        return r;
}

static int parse_memory_limit(struct span text, const struct cgroup_context *context,
                              struct cgroup_sample *group)
{
        (void)context;
        return parse_limit(text, &group->memory_max_bytes);
}

/* Memory and swap together; read after the memory's own limit. */
static int parse_memsw_limit(struct span text, const struct cgroup_context *context,
                             struct cgroup_sample *group)
{
        uint64_t both = ABSENT;
        (void)context;
        int r = parse_limit(text, &both);
        if (r < 0)
                return r;
        uint64_t memory = group->memory_max_bytes;
        group->swap_max_bytes = both == ABSENT || memory == ABSENT || both < memory ? ABSENT : both - memory;
        return 0;
}

/* Linux 6.18, with recursive totals behind the group's own; there is no scan or steal here:
 *   total_cache 13557760
 *   total_rss 1806336
 *   total_shmem 0
 *   total_workingset_refault_anon 0
 *   total_workingset_refault_file 1012
 *   total_swap 0
 *   total_pgmajfault 58 */
static int parse_memory_stat(struct span text, const struct cgroup_context *context,
                             struct cgroup_sample *group)
{
        static const struct keyed_field fields[] = {
                FIELD("total_cache", memory_file_bytes),
                FIELD("total_rss", memory_anon_bytes),
                FIELD("total_shmem", memory_shmem_bytes),
                FIELD("total_workingset_refault_anon", refault_anon),
                FIELD("total_workingset_refault_file", refault_file),
                FIELD("total_swap", swap_bytes),
                FIELD("total_pgmajfault", major_faults),
        };
        (void)context;
        return fields_parse_keyed(text, fields, COUNT(fields), group);
}

/* Linux 6.18; the last line since 4.13:
 *   oom_kill_disable 0
 *   under_oom 0
 *   oom_kill 0 */
static int parse_oom_control(struct span text, const struct cgroup_context *context,
                             struct cgroup_sample *group)
{
        static const struct keyed_field fields[] = { FIELD("oom_kill", events_oom_kill) };
        (void)context;
        int r = fields_parse_keyed(text, fields, COUNT(fields), group);
        return r == -ENODATA && text.length > 0 ? 0 : r;
}

/* The sums of the lines "DEVICE Read N" and "DEVICE Write N". Linux 6.18, io_service_bytes:
 *   7:0 Read 1462272
 *   7:0 Write 37421056
 *   7:0 Sync 38883328
 *   7:0 Total 38883328
 *   Total 38883328 */
static int parse_blkio(struct span text, const struct cgroup_context *context, uint64_t *ret_read,
                       uint64_t *ret_write)
{
        struct cgroup_io io = { 0 };
        struct span line, device, what;

        while (span_take_line(&text, &line)) {
                uint64_t value;
                if (!span_take_word(&line, &device) || !span_take_word(&line, &what))
                        continue;
                bool is_read = span_equal(what, "Read");
                if (!is_read && !span_equal(what, "Write"))
                        continue;
                int r = span_take_u64(&line, &value);
                if (r < 0) /* a sum without one of its parts would go backwards */
                        return r == -ENODATA ? -EINVAL : r;
                cgroup_io_add(&(cgroup_is_stacked(context, device) ? io.stacked : io.plain)[is_read ? 0 : 1],
                              value);
        }
        *ret_read = cgroup_io_total(&io, 0);
        *ret_write = cgroup_io_total(&io, 1);
        return 0;
}

static int parse_io_bytes(struct span text, const struct cgroup_context *context, struct cgroup_sample *group)
{
        return parse_blkio(text, context, &group->read_bytes, &group->write_bytes);
}

static int parse_io_serviced(struct span text, const struct cgroup_context *context,
                             struct cgroup_sample *group)
{
        return parse_blkio(text, context, &group->reads, &group->writes);
}

#define PARSE_SINGLE(name, field)                                                                            \
        static int name(struct span text, const struct cgroup_context *context, struct cgroup_sample *group) \
        {                                                                                                    \
                (void)context;                                                                               \
                return fields_parse_single(text, &group->field);                                             \
        }
/* One number each; -1 is no quota. */
PARSE_SINGLE(parse_quota, cpu_quota_usec)
PARSE_SINGLE(parse_period, cpu_period_usec)
PARSE_SINGLE(parse_memory_usage, memory_bytes)
PARSE_SINGLE(parse_failcnt, events_max)
PARSE_SINGLE(parse_kernel_usage, memory_kernel_bytes)
PARSE_SINGLE(parse_tasks, tasks)
PARSE_SINGLE(parse_tasks_max, tasks_max)

const struct cgroup_file cgroup_files_v1[] = {
        { "cpu.stat", HIERARCHY_CPU, TIER_COUNTERS, parse_cpu_stat },
        { "cpuacct.usage", HIERARCHY_CPUACCT, TIER_COUNTERS, parse_usage },
        { "memory.failcnt", HIERARCHY_MEMORY, TIER_COUNTERS, parse_failcnt },
        { "memory.oom_control", HIERARCHY_MEMORY, TIER_COUNTERS, parse_oom_control },
        { "cpuacct.usage_user", HIERARCHY_CPUACCT, TIER_DETAILS, parse_usage_user },
        { "cpuacct.usage_sys", HIERARCHY_CPUACCT, TIER_DETAILS, parse_usage_sys },
        { "memory.usage_in_bytes", HIERARCHY_MEMORY, TIER_LEVELS, parse_memory_usage },
        { "memory.stat", HIERARCHY_MEMORY, TIER_DETAILS, parse_memory_stat },
        { "memory.kmem.usage_in_bytes", HIERARCHY_MEMORY, TIER_LEVELS, parse_kernel_usage },
        /* The recursive ones, where the kernel has them, hold what sub-groups of a unit did as well. */
        { "blkio.throttle.io_service_bytes", HIERARCHY_BLKIO, TIER_DETAILS, parse_io_bytes },
        { "blkio.throttle.io_serviced", HIERARCHY_BLKIO, TIER_DETAILS, parse_io_serviced },
        { "blkio.throttle.io_service_bytes_recursive", HIERARCHY_BLKIO, TIER_DETAILS, parse_io_bytes },
        { "blkio.throttle.io_serviced_recursive", HIERARCHY_BLKIO, TIER_DETAILS, parse_io_serviced },
        { "pids.current", HIERARCHY_PIDS, TIER_LEVELS, parse_tasks },
        { "cpu.cfs_quota_us", HIERARCHY_CPU, TIER_LIMITS, parse_quota },
        { "cpu.cfs_period_us", HIERARCHY_CPU, TIER_LIMITS, parse_period },
        { "cpu.shares", HIERARCHY_CPU, TIER_LIMITS, parse_shares },
        { "memory.limit_in_bytes", HIERARCHY_MEMORY, TIER_LIMITS, parse_memory_limit },
        { "memory.memsw.limit_in_bytes", HIERARCHY_MEMORY, TIER_LIMITS, parse_memsw_limit },
        { "pids.max", HIERARCHY_PIDS, TIER_LIMITS, parse_tasks_max },
};
const size_t cgroup_files_v1_count = COUNT(cgroup_files_v1);
