/* Machines for tests. */
#include "tests/support/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "daemon/sample/cgroup_path.h"

#define FIRST_PID      100
#define HZ             100
#define BEGIN_REALTIME UINT64_C(1700000000000000)
#define BEGIN_UPTIME   (10000 * USEC_PER_SEC)
#define GIGABYTE       UINT64_C(1000000000)

static _Noreturn void fail(const char *what, const char *name)
{
        (void)fprintf(stderr, "fake machine: %s %s\n", what, name);
        abort();
}

/* It said so once and sleeps since, so that this never gets old. */
static const struct disk_health_sample healthy_disk = {
        .name = "sda", .state = DISK_HEALTH_ASLEEP, .asked_usec = BEGIN_REALTIME, .passed = 1
};

struct fake_machine *fake_new(void)
{
        struct fake_machine *machine = calloc(1, sizeof(*machine));
        if (!machine || !(machine->history = history_new()))
                fail("no memory", "");
        machine->cpus = 2;
        machine->busy = NAN;
        machine->context_switches = 1000;
        struct sample *now = &machine->now;
        sample_clear(now);
        now->time = (struct clock_reading){ BEGIN_REALTIME, BEGIN_UPTIME, BEGIN_UPTIME };
        (void)snprintf(now->machine.hostname, sizeof(now->machine.hostname), "web1");
        (void)snprintf(now->machine.boot_id, sizeof(now->machine.boot_id), "boot-1");
        now->machine.hz = HZ;
        now->machine.page_bytes = 4096;
        now->stat.cpu_count = now->machine.cpus = 2;
        memset(&now->stat.all, 0, sizeof(now->stat.all));
        now->stat.forks = now->stat.context_switches = 0;
        memset(now->pressure, 0, sizeof(now->pressure));
        memset(&now->vmstat, 0, sizeof(now->vmstat));
        now->meminfo.total_bytes = 8 * GIGABYTE;
        now->meminfo.available_bytes = 6 * GIGABYTE;
        now->meminfo.cached_bytes = 2 * GIGABYTE;
        now->meminfo.buffers_bytes = now->meminfo.shmem_bytes = 0;
        now->meminfo.swap_total_bytes = now->meminfo.swap_free_bytes = 0;
        now->delay_accounting_since_usec = 0;
        now->file_systems_read_usec = now->logs_read_usec = BEGIN_UPTIME; /* there are none */
        now->disk_health = &healthy_disk;
        now->disk_health_count = 1;
        now->disk_count = 1;
        memset(&now->disks[0], 0, sizeof(now->disks[0]));
        (void)snprintf(now->disks[0].name, sizeof(now->disks[0].name), "sda");
        return machine;
}

struct fake_machine *fake_free(struct fake_machine *machine)
{
        if (!machine)
                return NULL;
        sample_done(&machine->samples[0]);
        sample_done(&machine->samples[1]);
        snapshot_done(&machine->snapshot);
        machine->history = history_free(machine->history);
        free(machine);
        return NULL;
}

static void zero_counters(struct process_sample *counters)
{
        counters->user_ticks = counters->system_ticks = 0;
        counters->children_user_ticks = counters->children_system_ticks = 0;
        counters->run_nsec = counters->slices = counters->run_delay_nsec = counters->block_delay_nsec = 0;
        counters->swapin_delay_nsec = counters->reclaim_delay_nsec = counters->thrashing_delay_nsec = 0;
        counters->compact_delay_nsec = counters->voluntary_switches = counters->involuntary_switches = 0;
        counters->minor_faults = counters->major_faults = counters->children_major_faults = 0;
        counters->read_bytes = counters->write_bytes = counters->cancelled_write_bytes = 0;
        counters->rss_bytes = counters->rss_anon_bytes = counters->rss_file_bytes = 0;
        counters->rss_shmem_bytes = counters->swap_bytes = counters->page_tables_bytes = 0;
}

/* As the kernel's paths give it on a machine with systemd. */
static uint64_t id_of_unit(const char *unit)
{
        char path[PATH_TEXT_MAX];
        text_format(path, sizeof(path), "/system.slice/%s", unit);
        return cgroup_id_of_path(path);
}

struct fake_process *fake_add(struct fake_machine *machine, const char *name, const char *unit)
{
        if (machine->process_count == FAKE_PROCESSES_MAX)
                fail("too many processes", name);
        struct fake_process *process = &machine->processes[machine->process_count++];
        struct process_identity *identity = &process->identity;
        struct process_sample *counters = &process->counters;
        identity->pid = counters->pid = (uint32_t)(FIRST_PID + machine->process_count - 1);
        identity->ppid = counters->ppid = 1;
        identity->start_ticks = counters->start_ticks = 1;
        identity->cgroup_id = unit[0] ? id_of_unit(unit) : 0;
        (void)snprintf(identity->comm, sizeof(identity->comm), "%s", name);
        (void)snprintf(identity->name, sizeof(identity->name), "%s", name);
        (void)snprintf(identity->unit, sizeof(identity->unit), "%s", unit);
        (void)snprintf(identity->user, sizeof(identity->user), "root");
        counters->identity = identity;
        counters->state = 'S';
        counters->delays = DELAYS_FULL;
        counters->threads = 1;
        counters->autogroup = counters->files = counters->files_limit = ABSENT;
        zero_counters(counters);
        return process;
}

struct fake_process *fake_start(struct fake_machine *machine, const char *name, const char *unit)
{
        struct fake_process *process = fake_add(machine, name, unit);
        process->identity.start_ticks = process->counters.start_ticks =
                machine->now.time.boottime_usec * HZ / USEC_PER_SEC + 1;
        return process;
}

void fake_work(struct fake_machine *machine, const char *name, double running, double cpu_wait)
{
        for (size_t i = 0; i < machine->process_count; i++) {
                if (strcmp(machine->processes[i].identity.name, name) != 0)
                        continue;
                machine->processes[i].running = running;
                machine->processes[i].cpu_wait = cpu_wait;
        }
}

void fake_end(struct fake_machine *machine, const char *name)
{
        for (size_t i = 0; i < machine->process_count; i++)
                if (strcmp(machine->processes[i].identity.name, name) == 0)
                        machine->processes[i].is_hidden = true;
}

void fake_started_by(struct fake_process *process, const struct fake_process *parent)
{
        struct process_identity *identity = &process->identity;
        identity->ppid = process->counters.ppid = parent->identity.pid;
        identity->chain[0] = (struct ancestor){ .pid = parent->identity.pid, .uid = parent->identity.uid };
        memcpy(identity->chain[0].name, parent->identity.comm, COMM_MAX);
        uint32_t inherited = parent->identity.chain_length < ORIGIN_CHAIN_MAX ? parent->identity.chain_length
                                                                              : ORIGIN_CHAIN_MAX - 1;
        memcpy(&identity->chain[1], parent->identity.chain, inherited * sizeof(identity->chain[0]));
        identity->chain_length = inherited + 1;
}

void fake_without_delays(struct fake_process *process)
{
        struct process_sample *counters = &process->counters;
        counters->delays = DELAYS_RUN_ONLY;
        counters->block_delay_nsec = counters->swapin_delay_nsec = counters->reclaim_delay_nsec = ABSENT;
        counters->thrashing_delay_nsec = counters->compact_delay_nsec = ABSENT;
}

struct fake_unit *fake_unit(struct fake_machine *machine, const char *name)
{
        for (size_t i = 0; i < machine->unit_count; i++)
                if (strcmp(machine->units[i].values.unit, name) == 0)
                        return &machine->units[i];
        if (machine->unit_count == FAKE_UNITS_MAX)
                fail("too many units", name);
        struct fake_unit *unit = &machine->units[machine->unit_count++];
        struct cgroup_sample *values = &unit->values;
        memset(values, 0xff, sizeof(*values));
        (void)snprintf(values->unit, sizeof(values->unit), "%s", name);
        values->id = id_of_unit(name);
        values->parent_id = 0;
        values->is_stale = false;
        values->cpu_periods = values->cpu_throttled_periods = values->cpu_throttled_usec = 0;
        values->cpu_usage_usec = 0;
        memset(values->pressure, 0, sizeof(values->pressure));
        values->memory_bytes = 0;
        values->events_high = values->events_max = values->events_oom_kill = 0;
        values->refault_anon = values->refault_file = 0;
        return unit;
}

struct fake_mount *fake_mount(struct fake_machine *machine, const char *type, const char *source,
                              const char *path)
{
        struct sample *now = &machine->now;
        size_t at = now->network_mount_count++;
        if (at == 4)
                fail("too many mounts", path);
        struct fake_mount *mount = &machine->mounts[at];
        struct network_mount_sample *values = &mount->values;
        memset(values, 0xff, sizeof(*values));
        values->id = (uint32_t)(100 + at);
        values->silent_usec = 0;
        values->kind = strncmp(type, "nfs", 3) == 0 ? MOUNT_NFS : MOUNT_FUSE;
        if (values->kind == MOUNT_NFS) {
                values->operations = values->data_operations = values->transmissions = 0;
                values->queue_msec = values->rtt_msec = values->execute_msec = 0;
                values->read_bytes = values->write_bytes = 0;
        }
        struct mount_sample *row = &machine->mount_table[at];
        *row = (struct mount_sample){ .id = values->id, .is_network = strcmp(type, "fuse.local") != 0 };
        (void)snprintf(row->type, sizeof(row->type), "%s", type);
        (void)snprintf(row->source, sizeof(row->source), "%s", source);
        (void)snprintf(row->path, sizeof(row->path), "%s", path);
        now->mounts = machine->mount_table;
        now->mount_count = now->network_mount_count;
        if (at == 0)
                now->collectors[now->collector_count++] =
                        (struct collector_status){ .name = "networkMounts", .state = COLLECTOR_OK };
        return mount;
}

struct fake_mount_user *fake_mount_user(struct fake_machine *machine, const struct fake_process *process,
                                        const struct fake_mount *mount)
{
        size_t at = machine->now.mount_user_count++;
        if (at == 4)
                fail("too many users", process->identity.name);
        struct fake_mount_user *user = &machine->mount_users[at];
        user->values = (struct mount_user_sample){ .pid = process->identity.pid,
                                                   .mount_id = mount ? mount->values.id : 0 };
        return user;
}

void fake_message(struct fake_machine *machine, int priority, const char *text)
{
        struct sample *now = &machine->now;
        if (now->message_count == KERNEL_MESSAGES_MAX)
                fail("too many messages", text);
        struct kernel_message *message = &now->messages[now->message_count++];
        *message =
                (struct kernel_message){ .priority = priority, .monotonic_usec = now->time.monotonic_usec };
        (void)span_copy(span_of(text), message->text, sizeof(message->text));
}

/* ---- a tick ---- */

static void add(uint64_t *counter, double per_sec, double seconds)
{
        if (*counter != ABSENT)
                *counter += (uint64_t)llround(per_sec * seconds);
}

static void work(struct fake_process *process, double seconds)
{
        struct process_sample *counters = &process->counters;
        const uint64_t run_before = counters->run_nsec;
        add(&counters->run_nsec, process->running * 1e9, seconds);
        add(&counters->run_delay_nsec, process->cpu_wait * 1e9, seconds);
        add(&counters->block_delay_nsec, process->disk_wait * 1e9, seconds);
        add(&counters->swapin_delay_nsec, process->swap_wait * 1e9, seconds);
        add(&counters->reclaim_delay_nsec, process->reclaim_wait * 1e9, seconds);
        add(&counters->read_bytes, process->read_bytes, seconds);
        add(&counters->write_bytes, process->write_bytes, seconds);
        add(&counters->major_faults, process->major_faults, seconds);
        add(&counters->voluntary_switches, process->voluntary_switches, seconds);
        if (run_before != ABSENT && process->running > 0) {
                counters->user_ticks = counters->run_nsec / 10000000;
                counters->slices++;
        }
        if (process->children > 0) {
                process->children_sec += process->children * seconds;
                counters->children_user_ticks = (uint64_t)llround(process->children_sec * HZ);
        }
}

static void hold_back(struct fake_unit *unit, double seconds, usec_t now_usec)
{
        struct cgroup_sample *values = &unit->values;
        struct pressure_sample *memory = &values->pressure[PRESSURE_MEMORY];
        values->is_stale = unit->is_unread;
        if (unit->is_unread)
                return;
        values->read_usec = now_usec;
        if (values->cpu_quota_usec != ABSENT)
                add(&values->cpu_periods, 10, seconds);
        add(&values->cpu_throttled_periods, 10 * unit->throttled, seconds);
        add(&memory->some_total_usec, unit->memory_some * 1e6, seconds);
        add(&memory->full_total_usec, unit->memory_full * 1e6, seconds);
        add(&values->refault_anon, unit->refaults, seconds);
        add(&values->events_high, unit->events_high, seconds);
        add(&values->events_max, unit->events_max, seconds);
}

static void serve(struct fake_mount *mount, double seconds)
{
        struct network_mount_sample *values = &mount->values;
        add(&values->operations, mount->operations, seconds);
        add(&values->transmissions, mount->operations + mount->retransmissions, seconds);
        add(&values->queue_msec, mount->queue * 1e3, seconds);
        add(&values->rtt_msec, mount->rtt * 1e3, seconds);
        add(&values->execute_msec, mount->execute * 1e3, seconds);
        add(&values->read_bytes, mount->read_bytes, seconds);
}

static void advance(struct fake_machine *machine, double seconds)
{
        struct sample *now = &machine->now;
        double busy = 0;
        now->time.realtime_usec += (usec_t)llround(seconds * 1e6);
        now->time.monotonic_usec += (usec_t)llround(seconds * 1e6);
        now->time.boottime_usec += (usec_t)llround(seconds * 1e6);
        for (size_t i = 0; i < machine->process_count; i++) {
                if (machine->processes[i].is_hidden)
                        continue;
                work(&machine->processes[i], seconds);
                busy += machine->processes[i].running + machine->processes[i].children;
        }
        busy = isnan(machine->busy) ? busy / machine->cpus : machine->busy;
        busy = busy > 1 ? 1 : busy;
        now->stat.cpu_count = isnan(machine->cpus) ? ABSENT : (uint64_t)machine->cpus;
        add(&now->stat.all.user, busy * machine->cpus * HZ, seconds);
        add(&now->stat.all.idle, (1 - busy) * machine->cpus * HZ, seconds);
        add(&now->stat.context_switches, machine->context_switches, seconds);
        add(&now->pressure[PRESSURE_CPU].some_total_usec, machine->cpu_some * 1e6, seconds);
        add(&now->pressure[PRESSURE_MEMORY].some_total_usec, machine->memory_some * 1e6, seconds);
        add(&now->pressure[PRESSURE_MEMORY].full_total_usec, machine->memory_full * 1e6, seconds);
        add(&now->pressure[PRESSURE_IO].some_total_usec, machine->io_some * 1e6, seconds);
        add(&now->pressure[PRESSURE_IO].full_total_usec, machine->io_full * 1e6, seconds);
        add(&now->vmstat.swap_in_pages, machine->swap_in, seconds);
        add(&now->vmstat.swap_out_pages, machine->swap_out, seconds);
        add(&now->vmstat.restore_file, machine->restore_file, seconds);
        add(&now->disks[0].busy_msec, machine->disk_busy * 1000, seconds);
        add(&now->disks[0].read_bytes, machine->disk_read_bytes, seconds);
        add(&now->disks[0].write_bytes, machine->disk_write_bytes, seconds);
        for (size_t i = 0; i < now->network_mount_count; i++)
                serve(&machine->mounts[i], seconds);
        for (size_t i = 0; i < now->mount_user_count; i++) {
                add(&machine->mount_users[i].values.waited_usec, machine->mount_users[i].waited * 1e6,
                    seconds);
                add(&machine->mount_users[i].values.paged_usec, machine->mount_users[i].paged * 1e6, seconds);
        }
        for (size_t i = 0; i < machine->unit_count; i++)
                hold_back(&machine->units[i], seconds, now->time.monotonic_usec);
}

static int by_pid(const void *a, const void *b)
{
        uint32_t x = ((const struct process_sample *)a)->pid, y = ((const struct process_sample *)b)->pid;
        return (x > y) - (x < y);
}

static int by_id(const void *a, const void *b)
{
        uint64_t x = ((const struct cgroup_sample *)a)->id, y = ((const struct cgroup_sample *)b)->id;
        return (x > y) - (x < y);
}

/* A shallow copy of `now`, with lists of its own. */
static struct sample *take_sample(struct fake_machine *machine)
{
        machine->current ^= 1;
        struct sample *sample = &machine->samples[machine->current];
        struct process_sample *processes = sample->processes;
        struct cgroup_sample *cgroups = sample->cgroups;
        if (!processes)
                processes = calloc(FAKE_PROCESSES_MAX, sizeof(processes[0]));
        if (!cgroups)
                cgroups = calloc(FAKE_UNITS_MAX, sizeof(cgroups[0]));
        if (!processes || !cgroups)
                fail("no memory", "");
        *sample = machine->now;
        sample->processes = processes;
        sample->cgroups = cgroups;
        sample->process_count = sample->cgroup_count = 0;
        for (size_t i = 0; i < machine->process_count; i++)
                if (!machine->processes[i].is_hidden)
                        processes[sample->process_count++] = machine->processes[i].counters;
        for (size_t i = 0; i < machine->unit_count; i++)
                cgroups[sample->cgroup_count++] = machine->units[i].values;
        sample->network_mounts = machine->mount_rows[machine->current];
        sample->mount_users = machine->user_rows[machine->current];
        for (size_t i = 0; i < sample->network_mount_count; i++)
                machine->mount_rows[machine->current][i] = machine->mounts[i].values;
        for (size_t i = 0; i < sample->mount_user_count; i++)
                machine->user_rows[machine->current][i] = machine->mount_users[i].values;
        if (sample->process_count > 0)
                qsort(processes, sample->process_count, sizeof(processes[0]), by_pid);
        if (sample->cgroup_count > 0)
                qsort(cgroups, sample->cgroup_count, sizeof(cgroups[0]), by_id);
        machine->now.message_count = 0;
        return sample;
}

void fake_tick(struct fake_machine *machine, double seconds)
{
        const struct sample *older = machine->has_older ? &machine->samples[machine->current] : NULL;
        double expected = machine->expected_sec > 0 ? machine->expected_sec : seconds;
        advance(machine, seconds);
        const struct sample *newer = take_sample(machine);
        machine->has_older = true;
        machine->has_failed =
                snapshot_make(older, newer, (usec_t)llround(expected * 1e6), &machine->snapshot) < 0;
        history_push(machine->history, &machine->snapshot);
}

void fake_run(struct fake_machine *machine, int seconds)
{
        for (int i = 0; i < seconds; i++)
                fake_tick(machine, 1);
}

/* ---- answers ---- */

const struct program *fake_program(const struct fake_machine *machine, const char *name, const char *unit)
{
        for (size_t i = 0; i < machine->snapshot.program_count; i++) {
                const struct program *program = &machine->snapshot.programs[i];
                if (strcmp(program->name, name) == 0 && strcmp(program->unit, unit) == 0)
                        return program;
        }
        fail("no program", name);
}

const struct process_rate *fake_rate(const struct fake_machine *machine, const struct fake_process *process)
{
        for (size_t i = 0; i < machine->snapshot.process_count; i++)
                if (machine->snapshot.processes[i].sample->identity == &process->identity)
                        return &machine->snapshot.processes[i];
        fail("no process", process->identity.name);
}

struct finding fake_check(const struct fake_machine *machine, const char *name, bool was_found)
{
        const struct check *check = check_find(name);
        double parameters[CHECK_PARAMETERS_MAX];
        struct finding finding;
        if (!check)
                fail("no check", name);
        for (size_t i = 0; check->parameters[i].key; i++)
                parameters[i] = check->parameters[i].default_value;
        memset(&finding, 0, sizeof(finding));
        finding.check = check->name;
        check->run(&(struct check_context){ machine->history, parameters, was_found, &machine->workers },
                   &finding);
        return finding;
}

bool fake_is_victim(const struct finding *finding, const char *name)
{
        for (uint32_t i = 0; i < finding->victim_count; i++)
                if (strcmp(finding->victims[i].name, name) == 0)
                        return true;
        return false;
}

bool fake_says(const struct finding *finding, const char *text)
{
        if (strstr(finding->summary, text))
                return true;
        for (uint32_t i = 0; i < finding->evidence_count; i++)
                if (strstr(finding->evidence[i].text, text))
                        return true;
        for (uint32_t i = 0; i < finding->remedy_count; i++)
                if (strstr(finding->remedies[i].text, text) || strstr(finding->remedies[i].command, text))
                        return true;
        return false;
}
