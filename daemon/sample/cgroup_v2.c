/* The files of a control group of version 2 (Documentation/admin-guide/cgroup-v2.rst). */
#include "daemon/sample/cgroup_files.h"

#include <errno.h>

#include "daemon/sample/fields.h"
#include "daemon/sample/parsers.h"

#define FIELD(name, field) KEYED(struct cgroup_sample, field, name, 1)
#define COUNT(fields)      (sizeof(fields) / sizeof((fields)[0]))

/* Linux 6.1, Debian 12, a service with CPUQuota=; without the cpu controller only the first three lines:
 *   usage_usec 245004878
 *   user_usec 142579283
 *   system_usec 102425595
 *   nr_periods 1200
 *   nr_throttled 431
 *   throttled_usec 21811902 */
static int parse_cpu_stat(struct span text, const struct cgroup_context *context, struct cgroup_sample *group)
{
        static const struct keyed_field fields[] = {
                FIELD("usage_usec", cpu_usage_usec),          FIELD("user_usec", cpu_user_usec),
                FIELD("system_usec", cpu_system_usec),        FIELD("nr_periods", cpu_periods),
                FIELD("nr_throttled", cpu_throttled_periods), FIELD("throttled_usec", cpu_throttled_usec),
        };
        (void)context;
        return fields_parse_keyed(text, fields, COUNT(fields), group);
}

/* Linux 6.1:
 *   low 0
 *   high 12
 *   max 0
 *   oom 0
 *   oom_kill 0
 *   oom_group_kill 0 */
static int parse_memory_events(struct span text, const struct cgroup_context *context,
                               struct cgroup_sample *group)
{
        static const struct keyed_field fields[] = {
                FIELD("low", events_low), FIELD("high", events_high),         FIELD("max", events_max),
                FIELD("oom", events_oom), FIELD("oom_kill", events_oom_kill),
        };
        (void)context;
        return fields_parse_keyed(text, fields, COUNT(fields), group);
}

/* Linux 6.1, five of 48 lines; "kernel" since 5.18, pswpin since 6.12, "pgscan" summed since 5.15:
 *   anon 1806336
 *   file 13557760
 *   kernel 2195456
 *   workingset_refault_file 1012
 *   pgmajfault 58 */
static int parse_memory_stat(struct span text, const struct cgroup_context *context,
                             struct cgroup_sample *group)
{
        static const struct keyed_field fields[] = {
                FIELD("anon", memory_anon_bytes),
                FIELD("file", memory_file_bytes),
                FIELD("kernel", memory_kernel_bytes),
                FIELD("shmem", memory_shmem_bytes),
                FIELD("workingset_refault_anon", refault_anon),
                FIELD("workingset_refault_file", refault_file),
                FIELD("pswpin", swap_in_pages),
                FIELD("pswpout", swap_out_pages),
                FIELD("pgscan", reclaim_scan),
                FIELD("pgsteal", reclaim_steal),
                FIELD("pgmajfault", major_faults),
        };
        (void)context;
        return fields_parse_keyed(text, fields, COUNT(fields), group);
}

/* Linux 6.1, one line per disk; a disk of which nothing is known may stand alone on its line:
 *   254:0 rbytes=12017664 wbytes=4096 rios=417 wios=1 dbytes=0 dios=0 */
static int parse_io_stat(struct span text, const struct cgroup_context *context, struct cgroup_sample *group)
{
        static const char *const names[] = { "rbytes", "wbytes", "rios", "wios" };
        struct cgroup_io io = { 0 };
        struct span line, device, word, key;
        int error = 0;

        while (span_take_line(&text, &line)) {
                if (!span_take_word(&line, &device))
                        continue;
                uint64_t *sums = cgroup_is_stacked(context, device) ? io.stacked : io.plain;
                while (span_take_word(&line, &word)) {
                        uint64_t value;
                        if (!span_take_until(&word, '=', &key)) {
                                fields_note(-EINVAL, &error);
                                continue;
                        }
                        for (size_t i = 0; i < COUNT(names); i++) {
                                if (!span_equal(key, names[i]))
                                        continue;
                                int r = span_u64(word, &value);
                                fields_note(r, &error);
                                if (r == 0)
                                        cgroup_io_add(&sums[i], value);
                        }
                }
        }
        if (error < 0) /* a sum without one of its parts would go backwards */
                return error;
        group->read_bytes = cgroup_io_total(&io, 0);
        group->write_bytes = cgroup_io_total(&io, 1);
        group->reads = cgroup_io_total(&io, 2);
        group->writes = cgroup_io_total(&io, 3);
        return 0;
}

/* Linux 6.1, quota and period in microseconds, or without a quota "max 100000":
 *   20000 100000 */
static int parse_cpu_max(struct span text, const struct cgroup_context *context, struct cgroup_sample *group)
{
        struct span word;
        uint64_t quota, period = ABSENT;
        (void)context;
        if (!span_take_word(&text, &word))
                return -ENODATA;
        int r = fields_parse_single(word, &quota);
        if (r == 0)
                r = span_take_u64(&text, &period);
        if (r < 0)
                return r;
        group->cpu_quota_usec = quota;
        group->cpu_period_usec = period;
        return 0;
}

#define PARSE_SINGLE(name, field)                                                                            \
        static int name(struct span text, const struct cgroup_context *context, struct cgroup_sample *group) \
        {                                                                                                    \
                (void)context;                                                                               \
                return fields_parse_single(text, &group->field);                                             \
        }
/* One number each, in bytes or tasks, or "max". */
PARSE_SINGLE(parse_cpu_weight, cpu_weight)
PARSE_SINGLE(parse_memory_current, memory_bytes)
PARSE_SINGLE(parse_memory_high, memory_high_bytes)
PARSE_SINGLE(parse_memory_max, memory_max_bytes)
PARSE_SINGLE(parse_swap_current, swap_bytes)
PARSE_SINGLE(parse_swap_max, swap_max_bytes)
PARSE_SINGLE(parse_tasks, tasks)
PARSE_SINGLE(parse_tasks_max, tasks_max)

#define PARSE_PRESSURE(name, kind)                                                                           \
        static int name(struct span text, const struct cgroup_context *context, struct cgroup_sample *group) \
        {                                                                                                    \
                (void)context;                                                                               \
                return pressure_parse(text, &group->pressure[kind]);                                         \
        }
PARSE_PRESSURE(parse_cpu_pressure, PRESSURE_CPU)
PARSE_PRESSURE(parse_memory_pressure, PRESSURE_MEMORY)
PARSE_PRESSURE(parse_io_pressure, PRESSURE_IO)

bool cgroup_is_stacked(const struct cgroup_context *context, struct span device)
{
        struct span major;
        uint64_t numbers[2];
        if (!span_take_until(&device, ':', &major) || span_u64(major, &numbers[0]) < 0 ||
            span_u64(device, &numbers[1]) < 0)
                return false;
        for (size_t i = 0; i < context->disk_count; i++) {
                const struct disk_sample *disk = &context->disks[i];
                if (disk->major == numbers[0] && disk->minor == numbers[1])
                        return disk->is_stacked;
        }
        return false;
}

void cgroup_io_add(uint64_t *sum, uint64_t value)
{
        if (__builtin_add_overflow(*sum, value, sum))
                *sum = ABSENT;
}

const struct cgroup_file cgroup_files_v2[] = {
        { "cpu.stat", HIERARCHY_V2, TIER_COUNTERS, parse_cpu_stat },
        { "memory.events", HIERARCHY_V2, TIER_COUNTERS, parse_memory_events },
        { "cpu.pressure", HIERARCHY_V2, TIER_DETAILS, parse_cpu_pressure },
        { "memory.pressure", HIERARCHY_V2, TIER_DETAILS, parse_memory_pressure },
        { "io.pressure", HIERARCHY_V2, TIER_DETAILS, parse_io_pressure },
        { "memory.current", HIERARCHY_V2, TIER_LEVELS, parse_memory_current },
        { "memory.swap.current", HIERARCHY_V2, TIER_LEVELS, parse_swap_current },
        { "memory.stat", HIERARCHY_V2, TIER_DETAILS, parse_memory_stat },
        { "io.stat", HIERARCHY_V2, TIER_DETAILS, parse_io_stat },
        { "pids.current", HIERARCHY_V2, TIER_LEVELS, parse_tasks },
        { "cpu.max", HIERARCHY_V2, TIER_LIMITS, parse_cpu_max },
        { "cpu.weight", HIERARCHY_V2, TIER_LIMITS, parse_cpu_weight },
        { "memory.high", HIERARCHY_V2, TIER_LIMITS, parse_memory_high },
        { "memory.max", HIERARCHY_V2, TIER_LIMITS, parse_memory_max },
        { "memory.swap.max", HIERARCHY_V2, TIER_LIMITS, parse_swap_max },
        { "pids.max", HIERARCHY_V2, TIER_LIMITS, parse_tasks_max },
};
const size_t cgroup_files_v2_count = COUNT(cgroup_files_v2);
