/* Emptying and releasing a struct sample. */
#include "daemon/sample/sample.h"

#include <stdlib.h>
#include <string.h>

/* All bits set is ABSENT in every counter: one memset does for a struct of counters. */
_Static_assert(ABSENT == ~UINT64_C(0), "ABSENT is all bits set");

static void set_absent(void *counters, size_t size)
{
        memset(counters, 0xff, size);
}

void sample_clear(struct sample *sample)
{
        sample->time = (struct clock_reading){ 0 };
        sample->expected_usec = 0;
        sample->machine = (struct machine){
                .hz = ABSENT, .page_bytes = ABSENT, .cpus = ABSENT, .boot_realtime_usec = ABSENT
        };
        set_absent(&sample->stat, sizeof(sample->stat));
        set_absent(&sample->load, sizeof(sample->load));
        set_absent(sample->pressure, sizeof(sample->pressure));
        set_absent(&sample->meminfo, sizeof(sample->meminfo));
        set_absent(&sample->vmstat, sizeof(sample->vmstat));
        sample->uptime_usec = ABSENT;
        sample->files_open = sample->files_max = ABSENT;
        sample->swap_count = sample->raid_count = sample->disk_count = sample->interface_count = 0;
        sample->mounts = NULL;
        sample->slabs = NULL;
        sample->slab_count = 0;
        sample->file_systems = NULL;
        sample->file_system_count = 0;
        sample->file_systems_read_usec = 0;
        sample->logs = NULL;
        sample->log_units = NULL;
        sample->log_count = sample->log_unit_count = 0;
        sample->logs_read_usec = 0;
        sample->fs_errors = NULL;
        sample->disk_health = NULL;
        sample->disk_health_count = 0;
        sample->fs_errors_count = 0;
        sample->network_mounts = NULL;
        sample->mount_users = NULL;
        sample->network_mount_count = sample->mount_user_count = 0;
        sample->boot = NULL;
        sample->mount_count = sample->cgroup_count = sample->process_count = sample->message_count = 0;
        sample->messages_lost = sample->dropped = 0;
        sample->delay_accounting_since_usec = ABSENT;
        sample->collector_count = 0;
}

const struct process_sample *sample_find_process(const struct sample *sample, uint32_t pid)
{
        size_t low = 0, high = sample->process_count;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (sample->processes[middle].pid < pid)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low < sample->process_count && sample->processes[low].pid == pid ? &sample->processes[low]
                                                                                : NULL;
}

void sample_done(struct sample *sample)
{
        free(sample->cgroups);
        free(sample->processes);
        sample->cgroups = NULL;
        sample->processes = NULL;
        sample->cgroup_count = sample->cgroup_capacity = 0;
        sample->process_count = sample->process_capacity = 0;
}
