/* The table of checks, in elimination order: the simplest explanations, and the cheapest to test, come first.
 */
#include <string.h>

#include "daemon/checks/check.h"

/* One line each, so that lines can be added side by side. */
/* clang-format off */
extern const struct check check_sampling_gap;
extern const struct check check_boot_overload;
extern const struct check check_cpu_overload;
extern const struct check check_cpu_quota;
extern const struct check check_memory_leak;
extern const struct check check_memory_ownerless;
extern const struct check check_memory_thrash;
extern const struct check check_memory_exhausted;
extern const struct check check_memory_limit;
extern const struct check check_memory_oom;
extern const struct check check_log_oversized;
extern const struct check check_disk_full;
extern const struct check check_background_indexer;
extern const struct check check_background_maintenance;
extern const struct check check_disk_errors;
extern const struct check check_mount_slow;
extern const struct check check_mount_hung;
extern const struct check check_disk_failing;
extern const struct check check_disk_slow;
extern const struct check check_disk_saturated;

const struct check *const checks[] = {
        &check_sampling_gap,
        &check_boot_overload,
        &check_cpu_overload,
        &check_cpu_quota,
        &check_memory_leak,
        &check_memory_ownerless,
        &check_memory_thrash,
        &check_memory_exhausted,
        &check_memory_limit,
        &check_memory_oom,
        &check_log_oversized,
        &check_disk_full,
        &check_background_indexer,
        &check_background_maintenance,
        &check_mount_slow,
        &check_mount_hung,
        &check_disk_errors,
        &check_disk_failing,
        &check_disk_slow,
        &check_disk_saturated,
        NULL,
};
/* clang-format on */

const struct check *check_find(const char *name)
{
        for (size_t i = 0; checks[i]; i++)
                if (strcmp(checks[i]->name, name) == 0)
                        return checks[i];
        return NULL;
}
