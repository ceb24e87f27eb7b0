/* The table of everything that is read at a tick, and the sampler that goes through it. To add a source: its
 * file, its struct in sample.h, one line here. */
#include "daemon/sample/collectors.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/sample/aside.h"
#include "daemon/sample/buffer.h"
#include "daemon/sample/cgroup.h"
#include "daemon/sample/disk_health.h"
#include "daemon/sample/diskstats.h"
#include "daemon/sample/file_systems.h"
#include "daemon/sample/fs_errors.h"
#include "daemon/sample/kmsg.h"
#include "daemon/sample/log_scan.h"
#include "daemon/sample/machine.h"
#include "daemon/sample/mountinfo.h"
#include "daemon/sample/network_mounts.h"
#include "daemon/sample/parsers.h"
#include "daemon/sample/process.h"
#include "daemon/sample/slabinfo.h"
#include "daemon/sample/process_places.h"
#include "daemon/sample/swaps.h"

/* How often to look again for a file that was not there, or not permitted. */
#define RETRY_USEC USEC_PER_MINUTE

/* A source is either one small file with its parser, or a function of its own. */
struct collector {
        const char *name; /* in sample.collectors; NULL for one that reports for itself */
        const char *path;
        int (*parse)(struct span text, struct sample *sample);
        int (*collect)(struct sampler *sampler, struct sample *sample);
};

/* What the sampler keeps about one line of the table. */
struct kept_file {
        int fd;            /* of `path`, kept open: a pread costs less than half of an open; -1 none */
        int error;         /* of the last attempt to open it */
        usec_t retry_usec; /* monotonic */
};

struct sampler {
        const struct root *root;
        const struct clock *clock;
        const struct sample *older; /* filled by the call before */
        struct buffer buffer;
        struct kept_file files[COLLECTORS_MAX];
        struct machine_facts machine;
        struct swaps swaps;
        struct disks disks;
        struct disk_health disk_health;
        struct mounts mounts;
        struct network_mounts *network_mounts;
        struct kmsg kmsg;
        struct process_source *processes;
        struct process_places places;
        struct cgroup_source *cgroups;
        struct aside *file_systems;
        struct aside *fs_errors;
        struct aside *boot;
        struct aside *logs;
        struct aside *slabs;
};

static int collect_machine(struct sampler *sampler, struct sample *sample)
{
        return machine_collect(&sampler->machine, sampler->root, sample);
}

static int collect_disk_facts(struct sampler *sampler, struct sample *sample)
{
        diskstats_add_facts(&sampler->disks, sampler->root, sample);
        return 0;
}

static int collect_swaps(struct sampler *sampler, struct sample *sample)
{
        return swaps_collect(&sampler->swaps, sampler->root, &sampler->buffer, sample);
}

static int collect_mounts(struct sampler *sampler, struct sample *sample)
{
        return mounts_collect(&sampler->mounts, sampler->root, &sampler->buffer, sample);
}

static int collect_network_mounts(struct sampler *sampler, struct sample *sample)
{
        return network_mounts_collect(sampler->network_mounts, sample);
}

static int collect_kmsg(struct sampler *sampler, struct sample *sample)
{
        return kmsg_collect(&sampler->kmsg, sampler->root, sample);
}

static int collect_boot(struct sampler *sampler, struct sample *sample)
{
        const void *result;
        usec_t begun_usec;
        bool is_new;
        if (!sampler->boot)
                return -EOPNOTSUPP;
        int r = aside_take(sampler->boot, &result, &begun_usec, &is_new);
        if (is_new)
                sample->boot = result;
        return r == -EALREADY || r == -EAGAIN ? 0 : r; /* nothing new */
}

static int collect_processes(struct sampler *sampler, struct sample *sample)
{
        process_source_collect(sampler->processes, sampler->older, sample);
        return 0;
}

static int collect_places(struct sampler *sampler, struct sample *sample)
{
        process_places_collect(&sampler->places, sampler->older, sample);
        return 0;
}

static int collect_cgroups(struct sampler *sampler, struct sample *sample)
{
        uint64_t held_back[PROCESS_SERVER_GROUPS_MAX];
        int r = cgroup_source_collect(sampler->cgroups, &sampler->buffer, sample);
        size_t count = cgroup_source_held_back(sampler->cgroups, held_back, PROCESS_SERVER_GROUPS_MAX);
        process_source_examine_servers(sampler->processes, held_back, count);
        return r;
}

static int collect_file_systems(struct sampler *sampler, struct sample *sample)
{
        const void *result;
        bool is_new;
        int r = aside_take(sampler->file_systems, &result, &sample->file_systems_read_usec, &is_new);
        const struct file_systems *systems = result;
        if (systems) {
                sample->file_systems = systems->rows;
                sample->file_system_count = systems->count;
                sample->dropped += systems->dropped;
        }
        return r;
}

static int collect_slabs(struct sampler *sampler, struct sample *sample)
{
        const void *result;
        usec_t begun_usec;
        bool is_new;
        int r = aside_take(sampler->slabs, &result, &begun_usec, &is_new);
        const struct slabs *slabs = result;
        if (slabs) {
                sample->slabs = slabs->rows;
                sample->slab_count = slabs->count;
        }
        return r;
}

static int collect_logs(struct sampler *sampler, struct sample *sample)
{
        const void *result;
        bool is_new;
        struct log_hints hints = log_hints_of(sampler->older, sample);
        log_hints_give(&hints);
        int r = aside_take(sampler->logs, &result, &sample->logs_read_usec, &is_new);
        const struct log_scan_result *scan = result;
        if (scan) {
                sample->logs = scan->logs;
                sample->log_count = scan->log_count;
                sample->log_units = scan->units;
                sample->log_unit_count = scan->unit_count;
        }
        return r;
}

static int collect_disk_health(struct sampler *sampler, struct sample *sample)
{
        return disk_health_collect(&sampler->disk_health, sampler->root, &sampler->buffer, sample);
}

static int collect_fs_errors(struct sampler *sampler, struct sample *sample)
{
        const void *taken = NULL;
        usec_t begun_usec;
        bool is_new;
        int r = aside_take(sampler->fs_errors, &taken, &begun_usec, &is_new);
        const struct fs_errors_result *result = taken;
        if (result) {
                sample->fs_errors = result->fs;
                sample->fs_errors_count = result->fs_count;
                sample->dropped += result->dropped;
        }
        return r == -EAGAIN ? 0 : r;
}

/* In this order: what is compared with the clock comes right after it; disks need to know the mounts, cgroups
 * the processes and the disks, swaps the meminfo, and stat completes the machine. */
static const struct collector collectors[] = {
        { .name = "machine", .collect = collect_machine },
        { .name = "stat", .path = "proc/stat", .parse = stat_parse },
        { .name = "pressure.cpu", .path = "proc/pressure/cpu", .parse = pressure_parse_cpu },
        { .name = "pressure.memory", .path = "proc/pressure/memory", .parse = pressure_parse_memory },
        { .name = "pressure.io", .path = "proc/pressure/io", .parse = pressure_parse_io },
        { .name = "pressure.irq", .path = "proc/pressure/irq", .parse = pressure_parse_irq },
        { .name = "vmstat", .path = "proc/vmstat", .parse = vmstat_parse },
        { .name = "meminfo", .path = "proc/meminfo", .parse = meminfo_parse },
        { .name = "diskstats", .path = "proc/diskstats", .parse = diskstats_parse },
        { .name = "mounts", .collect = collect_mounts },
        { .collect = collect_disk_facts },
        { .name = "netdev", .path = "proc/net/dev", .parse = netdev_parse },
        { .name = "loadavg", .path = "proc/loadavg", .parse = loadavg_parse },
        { .name = "uptime", .path = "proc/uptime", .parse = uptime_parse },
        { .name = "files", .path = "proc/sys/fs/file-nr", .parse = file_nr_parse },
        { .name = "swaps", .collect = collect_swaps },
        { .name = "mdstat", .path = "proc/mdstat", .parse = mdstat_parse },
        { .collect = collect_processes },
        { .name = "cgroups", .collect = collect_cgroups },
        { .name = "fileSystems", .collect = collect_file_systems },
        { .name = "diskHealth", .collect = collect_disk_health },
        { .name = "fileSystemErrors", .collect = collect_fs_errors },
        { .collect = collect_places },
        { .name = "networkMounts", .collect = collect_network_mounts },
        { .name = "logs", .collect = collect_logs },
        { .name = "slabinfo", .collect = collect_slabs },
        { .name = "kmsg", .collect = collect_kmsg },
        { .name = "boot", .collect = collect_boot },
};
#define COLLECTOR_COUNT (sizeof(collectors) / sizeof(collectors[0]))
_Static_assert(COLLECTOR_COUNT + PROCESS_STATUS_MAX <= COLLECTORS_MAX, "room for every status");

static void forget_file(struct kept_file *file)
{
        if (file->fd >= 0)
                (void)close(file->fd);
        file->fd = -1;
}

/* An open file shows the kernel's state of now, but what is recorded below another root may be replaced. */
static int read_kept_file(struct sampler *sampler, struct kept_file *file, const char *path, usec_t now,
                          struct span *ret_text)
{
        if (!sampler->root->is_live)
                return buffer_read(&sampler->buffer, sampler->root, path, ret_text);
        if (file->fd < 0) {
                if (file->error < 0 && now < file->retry_usec)
                        return file->error;
                file->fd = root_open(sampler->root, path);
                file->error = file->fd < 0 ? file->fd : 0;
                file->retry_usec = now + RETRY_USEC;
                if (file->fd < 0)
                        return file->fd;
        }
        int r = buffer_reread(&sampler->buffer, file->fd, ret_text);
        if (r < 0 && r != -EFBIG)
                forget_file(file); /* opened again at the next tick */
        return r;
}

static int collect_file(struct sampler *sampler, size_t number, struct sample *sample)
{
        struct span text = { 0 };
        int r = read_kept_file(sampler, &sampler->files[number], collectors[number].path,
                               sample->time.monotonic_usec, &text);
        if (r < 0 && r != -EFBIG)
                return r;
        int parsed = collectors[number].parse(text, sample);
        return r < 0 ? r : parsed;
}

static enum collector_state state_of(int error)
{
        switch (error) {
        case 0:
                return COLLECTOR_OK;
        case -ENOENT:
        case -ENOTDIR:
        case -ENXIO:
        case -ENODEV:
        case -ENOPKG:     /* smartctl */
        case -EOPNOTSUPP: /* pressure files with psi=0 */
        case -EAGAIN:     /* what is looked at aside, before the end of the first look */
                return COLLECTOR_ABSENT;
        case -EACCES:
        case -EPERM:
                return COLLECTOR_DENIED;
        default:
                return COLLECTOR_FAILED;
        }
}

static void report(struct sample *sample, const char *name, int error, usec_t duration_usec)
{
        assert(sample->collector_count < COLLECTORS_MAX);
        sample->collectors[sample->collector_count++] = (struct collector_status){
                .name = name, .state = state_of(error), .error = error, .duration_usec = duration_usec
        };
}

int sampler_new(const struct root *root, const struct clock *clock, const struct sampler_options *options,
                struct sampler **ret_sampler)
{
        if (root->proc_fd < 0)
                return -ENOENT;
        struct sampler *sampler = calloc(1, sizeof(*sampler));
        if (!sampler)
                return -ENOMEM;
        sampler->root = root;
        sampler->clock = clock;
        for (size_t i = 0; i < COLLECTORS_MAX; i++)
                sampler->files[i].fd = -1;
        mounts_init(&sampler->mounts);
        kmsg_init(&sampler->kmsg);
        process_places_init(&sampler->places, root);
        (void)machine_read(root, &sampler->machine.machine); /* a missing name is no reason not to start */
        int r = buffer_init(&sampler->buffer);
        if (r == 0)
                r = process_source_new(root, &sampler->machine.machine, options && options->without_taskstats,
                                       &sampler->processes);
        if (r == 0)
                r = cgroup_source_new(root, &sampler->cgroups);
        if (r == 0)
                r = aside_new(&file_systems_source, root, clock, &sampler->file_systems);
        if (r == 0)
                r = aside_new(&fs_errors_source, root, clock, &sampler->fs_errors);
        if (r == 0)
                r = network_mounts_new(root, clock, &sampler->network_mounts);
        if (r == 0 && options && options->boot)
                r = aside_new(options->boot, root, clock, &sampler->boot);
        if (r == 0)
                r = aside_new(&log_scan_source, root, clock, &sampler->logs);
        if (r == 0)
                r = aside_new(&slabinfo_source, root, clock, &sampler->slabs);
        if (r < 0) {
                sampler_free(sampler);
                return r;
        }
        *ret_sampler = sampler;
        return 0;
}

struct sampler *sampler_free(struct sampler *sampler)
{
        if (!sampler)
                return NULL;
        for (size_t i = 0; i < COLLECTORS_MAX; i++)
                forget_file(&sampler->files[i]);
        sampler->logs = aside_free(sampler->logs);
        sampler->slabs = aside_free(sampler->slabs);
        sampler->file_systems = aside_free(sampler->file_systems);
        sampler->fs_errors = aside_free(sampler->fs_errors);
        sampler->network_mounts = network_mounts_free(sampler->network_mounts);
        sampler->boot = aside_free(sampler->boot);
        sampler->cgroups = cgroup_source_free(sampler->cgroups);
        sampler->processes = process_source_free(sampler->processes);
        kmsg_done(&sampler->kmsg);
        mounts_done(&sampler->mounts);
        buffer_done(&sampler->buffer);
        free(sampler);
        return NULL;
}

void sampler_collect(struct sampler *sampler, struct sample *ret_sample)
{
        sample_clear(ret_sample);
        ret_sample->time = clock_now(sampler->clock);
        if (sampler->older == ret_sample)
                sampler->older = NULL; /* it has just been overwritten */
        usec_t before = ret_sample->time.monotonic_usec;
        for (size_t i = 0; i < COLLECTOR_COUNT; i++) {
                int r = collectors[i].parse ? collect_file(sampler, i, ret_sample)
                                            : collectors[i].collect(sampler, ret_sample);
                usec_t after = clock_now(sampler->clock).monotonic_usec;
                if (collectors[i].name)
                        report(ret_sample, collectors[i].name, r, after - before);
                before = after;
        }
        sampler->older = ret_sample;
}
