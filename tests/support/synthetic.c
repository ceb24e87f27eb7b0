/* The made-up machine and the comparison of samples by the table of what is stored. */
#include "tests/support/synthetic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "daemon/history/sample_schema.h"

struct synthetic {
        struct synthetic_options options;
        uint64_t random;
        struct clock_reading now;
        uint32_t next_pid;
        uint64_t boots, messages;
        struct process_sample *processes;
        struct sample counters; /* machine-wide */
        struct cgroup_sample *cgroups;
        struct mount_sample mounts[2][4];
        struct file_system_sample file_systems[2][3];
        struct log_file_sample logs[2][2];
        struct log_unit_sample log_units[2][2];
        struct network_rows {
                struct network_mount_sample mounts[2];
                struct mount_user_sample users[2];
        } network;
        struct process_identity **identities;
        size_t identity_count, identity_capacity;
};

static uint64_t roll(struct synthetic *synthetic, uint64_t below)
{
        synthetic->random ^= synthetic->random << 13;
        synthetic->random ^= synthetic->random >> 7;
        synthetic->random ^= synthetic->random << 17;
        return below ? (synthetic->random >> 11) % below : 0;
}

static struct process_identity *new_identity(struct synthetic *synthetic, uint32_t pid, uint64_t start)
{
        static const char *const names[] = { "nginx", "ffmpeg", "bash", "postgres", "kworker/0:1", "cron" };
        const char *name = names[roll(synthetic, 6)];
        struct process_identity *identity = calloc(1, sizeof(*identity));
        *identity = (struct process_identity){ .pid = pid,
                                               .ppid = 1 + (uint32_t)roll(synthetic, 100),
                                               .uid = (uint32_t)roll(synthetic, 3) * 33,
                                               .start_ticks = start,
                                               .cgroup_id = 1000 + 7 * roll(synthetic, 10),
                                               .is_kernel_thread = name[0] == 'k',
                                               .chain_length = 2 };
        text_format(identity->comm, sizeof(identity->comm), "%s", name);
        text_format(identity->name, sizeof(identity->name), "%s", name);
        text_format(identity->user, sizeof(identity->user), "%s", identity->uid ? "www-data" : "root");
        text_format(identity->unit, sizeof(identity->unit), "%s.service", name);
        if (!identity->is_kernel_thread) {
                text_format(identity->exe, sizeof(identity->exe), "/usr/bin/%s", name);
                text_format(identity->command_line, sizeof(identity->command_line),
                            "%s --job %u --in /srv/%s", name, pid, name);
                text_format(identity->working_directory, sizeof(identity->working_directory), "/srv/%s",
                            name);
                text_format(identity->origin_script, sizeof(identity->origin_script), "/srv/deploy.sh");
        }
        identity->chain[0] = (struct ancestor){ .pid = identity->ppid, .name = "sh" };
        identity->chain[1] = (struct ancestor){ .pid = 1, .name = "systemd" };
        if (synthetic->identity_count == synthetic->identity_capacity) {
                synthetic->identity_capacity = 2 * synthetic->identity_capacity + 64;
                synthetic->identities =
                        realloc(synthetic->identities, synthetic->identity_capacity * sizeof(void *));
        }
        synthetic->identities[synthetic->identity_count++] = identity;
        return identity;
}

static void new_process(struct synthetic *synthetic, struct process_sample *process)
{
        memset(process, 0, sizeof(*process));
        process->pid = synthetic->next_pid;
        synthetic->next_pid += 1 + (uint32_t)roll(synthetic, 3);
        process->ppid = 1;
        process->state = 'S';
        process->threads = 1;
        process->delays = DELAYS_FULL;
        process->start_ticks = synthetic->now.monotonic_usec / 10000;
        process->identity = new_identity(synthetic, process->pid, process->start_ticks);
        process->autogroup = ABSENT;
        process->thrashing_delay_nsec = ABSENT;
        process->files = roll(synthetic, 8) ? 3 + roll(synthetic, 60) : ABSENT;
        process->files_limit = 1024;
        process->rss_bytes = 4096 * (100 + roll(synthetic, 5000));
        process->rss_anon_bytes = process->rss_bytes / 8192 * 4096;
        process->run_nsec = roll(synthetic, 1000000000);
}

/* exec changes what a process is, not who started it. */
static const struct process_identity *exec_identity(struct synthetic *synthetic,
                                                    const struct process_sample *process)
{
        const struct process_identity *former = process->identity;
        struct process_identity *identity = new_identity(synthetic, process->pid, process->start_ticks);
        identity->ppid = former->ppid;
        memcpy(identity->chain, former->chain, sizeof(identity->chain));
        return identity;
}

static void cpu_begin(struct cpu_sample *cpu)
{
        memset(cpu, 0, sizeof(*cpu));
}

struct synthetic *synthetic_new(const struct synthetic_options *options)
{
        struct synthetic *synthetic = calloc(1, sizeof(*synthetic));
        synthetic->options = *options;
        synthetic->random = options->seed * 2654435761u + 88172645463325252u;
        synthetic->now = (struct clock_reading){ 1732284842123456, 5000000, 5000000 };
        synthetic->processes = calloc(options->processes, sizeof(*synthetic->processes));
        synthetic->cgroups = calloc(10, sizeof(*synthetic->cgroups));
        synthetic->next_pid = 1;
        struct sample *c = &synthetic->counters;
        memset(&c->stat, 0xff, sizeof(c->stat));
        cpu_begin(&c->stat.all);
        for (uint32_t i = 0; i < options->cpus; i++)
                if (i != 1) /* one is offline */
                        cpu_begin(&c->stat.cpu[i]);
        c->machine = (struct machine){ .hostname = "web1",
                                       .kernel = "6.1.0-18-amd64",
                                       .hz = 100,
                                       .page_bytes = 4096,
                                       .cpus = options->cpus,
                                       .boot_realtime_usec = 1732284840000000 };
        text_format(c->machine.boot_id, sizeof(c->machine.boot_id), "boot-%d", 0);
        c->stat.context_switches = c->stat.forks = 0;
        c->stat.procs_running = 1;
        c->stat.cpu_count = options->cpus;
        c->load = (struct load_sample){ 10, 20, 30, 400 };
        memset(c->pressure, 0xff, sizeof(c->pressure));
        for (size_t i = 0; i < PRESSURE_IRQ; i++)
                c->pressure[i] = (struct pressure_sample){ 0 };
        memset(&c->meminfo, 0xff, sizeof(c->meminfo));
        c->meminfo.total_bytes = 8ull << 30;
        c->meminfo.available_bytes = 6ull << 30;
        memset(&c->vmstat, 0xff, sizeof(c->vmstat));
        c->vmstat.faults = 0;
        c->swap_count = 1;
        c->swaps[0] = (struct swap_sample){ .path = "/dev/vda2", .priority = -2, .size_bytes = 1 << 30 };
        c->disk_count = 2;
        for (uint32_t i = 0; i < 2; i++) {
                c->disks[i] =
                        (struct disk_sample){ .name = "vda", .major = 254, .minor = i, .flushes = ABSENT };
                c->disks[i].name[3] = (char)('0' + i);
        }
        c->interface_count = 1;
        c->interfaces[0] = (struct interface_sample){ .name = "eth0" };
        c->collector_count = 2;
        c->collectors[0] = (struct collector_status){ .name = "stat" };
        c->collectors[1] = (struct collector_status){ "pressure", COLLECTOR_DENIED, -13, 77 };
        for (uint32_t i = 0; i < 10; i++) {
                struct cgroup_sample *group = &synthetic->cgroups[i];
                memset(group, 0xff, sizeof(*group));
                memset(group->unit, 0, sizeof(group->unit));
                text_format(group->unit, sizeof(group->unit), "unit%u.service", i);
                group->id = 1000 + 7 * i;
                group->is_stale = false;
                group->parent_id = i ? 1000 : 0;
                group->read_usec = 0;
                group->cpu_usage_usec = 0;
        }
        for (uint32_t v = 0; v < 2; v++)
                for (uint32_t i = 0; i < 4; i++) {
                        struct mount_sample *mount = &synthetic->mounts[v][i];
                        *mount = (struct mount_sample){ .id = i + 20,
                                                        .parent_id = 1,
                                                        .major = 254,
                                                        .type = "ext4",
                                                        .source = "/dev/vda1" };
                        text_format(mount->path, sizeof(mount->path), "/mnt/%u-%u", v, i);
                }
        for (uint32_t v = 0; v < 2; v++)
                for (uint32_t i = 0; i < 3; i++) {
                        struct file_system_sample *row = &synthetic->file_systems[v][i];
                        *row = (struct file_system_sample){ .major = 254,
                                                            .minor = i,
                                                            .type = "ext4",
                                                            .source = "/dev/vda1",
                                                            .total_bytes = UINT64_C(100) << 30,
                                                            .free_bytes = (UINT64_C(50) << 30) - 4096 * v * i,
                                                            .available_bytes = (UINT64_C(45) << 30) - v,
                                                            .inodes = i ? 6553600 : ABSENT,
                                                            .inodes_available = i ? 6000000 + v : ABSENT };
                        text_format(row->path, sizeof(row->path), "/srv/%u", i);
                }
        for (uint32_t v = 0; v < 2; v++)
                for (uint32_t i = 0; i < 2; i++) {
                        struct log_file_sample *log = &synthetic->logs[v][i];
                        *log = (struct log_file_sample){ .major = 254,
                                                         .writer_pid = 100 + v,
                                                         .writer = "nginx",
                                                         .kind = LOG_OTHER,
                                                         .rotation = LOG_ROTATION_COVERED,
                                                         .rotation_hours = 24,
                                                         .rotation_bytes = ABSENT,
                                                         .size_bytes = 1000000 * (1 + v + i),
                                                         .allocated_bytes = 2000000,
                                                         .modified_usec = 1700000000000000,
                                                         .earlier_bytes = 1000000,
                                                         .earlier_usec = 300000000,
                                                         .opens = i ? v : ABSENT,
                                                         .read_bytes = i ? 1024 * v : ABSENT };
                        text_format(log->path, sizeof(log->path), "/var/log/%u.log", i);
                        synthetic->log_units[v][i] =
                                (struct log_unit_sample){ .entries = 7 * v, .earlier_entries = v };
                        text_format(synthetic->log_units[v][i].unit, UNIT_NAME_MAX, "unit%u.service", i);
                }
        for (uint32_t i = 0; i < 2; i++) {
                memset(&synthetic->network.mounts[i], 0xff, sizeof(synthetic->network.mounts[i]));
                synthetic->network.mounts[i].id = 20 + i;
                synthetic->network.mounts[i].kind = i ? MOUNT_FUSE : MOUNT_NFS;
                synthetic->network.users[i] = (struct mount_user_sample){ .pid = 300 + i, .mount_id = 20 };
        }
        synthetic->network.mounts[0].operations = synthetic->network.mounts[0].execute_msec = 0;
        synthetic->network.mounts[0].read_bytes = 0;
        for (uint32_t i = 0; i < options->processes; i++)
                new_process(synthetic, &synthetic->processes[i]);
        return synthetic;
}

struct synthetic *synthetic_free(struct synthetic *synthetic)
{
        if (!synthetic)
                return NULL;
        for (size_t i = 0; i < synthetic->identity_count; i++)
                free(synthetic->identities[i]);
        free(synthetic->identities);
        free(synthetic->processes);
        free(synthetic->cgroups);
        free(synthetic);
        return NULL;
}

void synthetic_reboot(struct synthetic *synthetic)
{
        synthetic->boots++;
        text_format(synthetic->counters.machine.boot_id, sizeof(synthetic->counters.machine.boot_id),
                    "boot-%d", (int)synthetic->boots);
        synthetic->now.monotonic_usec = synthetic->now.boottime_usec = 3000000;
        synthetic->next_pid = 1;
        for (uint32_t i = 0; i < synthetic->options.processes; i++)
                new_process(synthetic, &synthetic->processes[i]);
}

void synthetic_set_clock(struct synthetic *synthetic, int64_t step_usec)
{
        synthetic->now.realtime_usec += (uint64_t)step_usec;
}

void synthetic_suspend(struct synthetic *synthetic, usec_t usec)
{
        synthetic->now.realtime_usec += usec;
        synthetic->now.boottime_usec += usec;
}

static void run_processes(struct synthetic *synthetic, usec_t usec)
{
        uint32_t count = synthetic->options.processes, kept = 0, replaced = 0;
        for (uint32_t i = 0; i < count; i++) {
                struct process_sample *process = &synthetic->processes[i];
                process->is_idle = true;
                if (roll(synthetic, 1000) < synthetic->options.churn_permille) {
                        replaced++;
                        continue;
                }
                if (roll(synthetic, 1000) < synthetic->options.busy_permille) {
                        process->is_idle = false;
                        process->run_nsec += 1000 + roll(synthetic, usec * 100);
                        process->run_delay_nsec += roll(synthetic, 100000);
                        process->slices += 1 + roll(synthetic, 20);
                        process->voluntary_switches += 1 + roll(synthetic, 20);
                        process->user_ticks = process->run_nsec / 10000000;
                        process->minor_faults += roll(synthetic, 2);
                        process->state = roll(synthetic, 10) ? 'S' : 'R';
                        if (roll(synthetic, 50) == 0) { /* exec */
                                process->identity = exec_identity(synthetic, process);
                                process->rss_bytes += 8192;
                        }
                        if (roll(synthetic, 30) == 0) {
                                process->state = 'D';
                                text_format(process->wait_channel, sizeof(process->wait_channel),
                                            "io_schedule");
                        } else {
                                memset(process->wait_channel, 0, sizeof(process->wait_channel));
                        }
                }
                synthetic->processes[kept++] = *process;
        }
        for (uint32_t i = 0; i < replaced; i++)
                new_process(synthetic, &synthetic->processes[kept++]);
}

static void grow_cpu(struct synthetic *synthetic, struct cpu_sample *cpu, usec_t usec)
{
        cpu->user += roll(synthetic, 8);
        cpu->system += roll(synthetic, 5);
        cpu->idle += usec / 10000 - roll(synthetic, 12);
}

void synthetic_step(struct synthetic *synthetic, usec_t usec, struct sample *ret_sample)
{
        struct sample *c = &synthetic->counters;
        usec_t late = roll(synthetic, 300);
        synthetic->now.realtime_usec += usec + late + roll(synthetic, 3);
        synthetic->now.monotonic_usec += usec + late;
        synthetic->now.boottime_usec += usec + late;
        run_processes(synthetic, usec);

        for (uint32_t i = 0; i < synthetic->options.cpus; i++)
                if (i != 1)
                        grow_cpu(synthetic, &c->stat.cpu[i], usec);
        grow_cpu(synthetic, &c->stat.all, usec * synthetic->options.cpus);
        c->stat.context_switches += roll(synthetic, 3000);
        c->stat.forks += roll(synthetic, 5);
        c->load.load1_milli = roll(synthetic, 2000);
        c->pressure[PRESSURE_CPU].some_total_usec += roll(synthetic, 3000);
        c->meminfo.available_bytes += 4096 * (roll(synthetic, 200) - 100);
        c->vmstat.faults += roll(synthetic, 4000);
        c->disks[0].writes += roll(synthetic, 10);
        c->disks[0].write_bytes += 512 * roll(synthetic, 800);
        c->interfaces[0].rx_bytes += roll(synthetic, 90000);
        c->interfaces[0].rx_packets += roll(synthetic, 90);
        c->uptime_usec = synthetic->now.boottime_usec / 10000 * 10000;
        for (size_t i = 0; i < 10; i++) {
                struct cgroup_sample *group = &synthetic->cgroups[i];
                group->is_stale = group->read_usec && roll(synthetic, 2);
                if (group->is_stale)
                        continue;
                group->read_usec = synthetic->now.monotonic_usec + roll(synthetic, 3000);
                if (i < 3)
                        group->cpu_usage_usec += roll(synthetic, 20000);
        }

        struct network_mount_sample *mount = &synthetic->network.mounts[0];
        mount->operations += roll(synthetic, 500);
        mount->execute_msec += roll(synthetic, 900);
        mount->read_bytes += 1024 * roll(synthetic, 900);
        mount->outstanding = roll(synthetic, 3);
        struct mount_user_sample *user = &synthetic->network.users[roll(synthetic, 2)];
        user->waited_usec += 1000 * roll(synthetic, 900);
        user->waiting = (uint32_t)roll(synthetic, 2);
        text_format(user->directory, sizeof(user->directory), "/mnt/0-1/%u",
                    (unsigned)roll(synthetic, 3)); /* also none */

        /* Only what a collector would set: the rest of the caller's sample stays. */
        struct process_sample *processes = ret_sample->processes;
        struct cgroup_sample *cgroups = ret_sample->cgroups;
        uint32_t count = synthetic->options.processes;
        processes = realloc(processes, count * sizeof(*processes) + sizeof(struct network_rows));
        cgroups = realloc(cgroups, 10 * sizeof(*cgroups));
        *ret_sample = *c;
        memcpy(processes, synthetic->processes, count * sizeof(*processes));
        ret_sample->processes = processes;
        ret_sample->process_count = ret_sample->process_capacity = count;
        ret_sample->cgroup_count = 9 + roll(synthetic, 2);
        memcpy(cgroups, synthetic->cgroups, ret_sample->cgroup_count * sizeof(*cgroups));
        ret_sample->cgroups = cgroups;
        ret_sample->cgroup_capacity = 10;
        ret_sample->mounts = synthetic->mounts[synthetic->now.monotonic_usec / (40 * USEC_PER_SEC) % 2];
        ret_sample->mount_count = 4;
        ret_sample->file_systems =
                synthetic->file_systems[synthetic->now.monotonic_usec / (10 * USEC_PER_SEC) % 2];
        ret_sample->file_system_count = 3;
        ret_sample->logs = synthetic->logs[synthetic->now.monotonic_usec / (30 * USEC_PER_SEC) % 2];
        ret_sample->log_units = synthetic->log_units[synthetic->now.monotonic_usec / (30 * USEC_PER_SEC) % 2];
        ret_sample->log_count = ret_sample->log_unit_count = 2;
        ret_sample->logs_read_usec = synthetic->now.monotonic_usec / 4;
        ret_sample->file_systems_read_usec = synthetic->now.monotonic_usec / 3;
        struct network_rows *network = (void *)(processes + count); /* in the same block */
        *network = synthetic->network;
        ret_sample->network_mounts = network->mounts;
        ret_sample->mount_users = network->users;
        ret_sample->network_mount_count = 2;
        ret_sample->mount_user_count = roll(synthetic, 3);
        ret_sample->time = synthetic->now;
        ret_sample->expected_usec = usec;
        if (roll(synthetic, 5) == 0) {
                ret_sample->message_count = 1;
                ret_sample->messages[0] =
                        (struct kernel_message){ .sequence = ++synthetic->messages,
                                                 .monotonic_usec = synthetic->now.monotonic_usec,
                                                 .priority = 4 };
                text_format(ret_sample->messages[0].text, sizeof(ret_sample->messages[0].text),
                            "EXT4-fs (vda%d): something %d", (int)roll(synthetic, 2),
                            (int)roll(synthetic, 1000));
        }
}

void synthetic_sample_done(struct sample *sample)
{
        free(sample->processes);
        free(sample->cgroups);
        *sample = (struct sample){ 0 };
}

static char difference[200];

static bool rows_differ(enum sample_entity number, const void *a, size_t a_count, const void *b,
                        size_t b_count)
{
        const struct entity *entity = &sample_schema.entities[number];
        if (a_count != b_count) {
                (void)snprintf(difference, sizeof(difference), "entity %u: %zu and %zu rows", entity->number,
                               a_count, b_count);
                return true;
        }
        for (size_t i = 0; i < a_count; i++)
                for (uint32_t c = 0; c < entity->column_count; c++) {
                        uint64_t x =
                                column_load(&entity->columns[c], (const char *)a + i * entity->row_size, 0);
                        uint64_t y =
                                column_load(&entity->columns[c], (const char *)b + i * entity->row_size, 0);
                        if (x == y)
                                continue;
                        (void)snprintf(difference, sizeof(difference),
                                       "entity %u row %zu column %u: %llu and %llu", entity->number, i,
                                       entity->columns[c].number, (unsigned long long)x,
                                       (unsigned long long)y);
                        return true;
                }
        return false;
}

const char *sample_difference(const struct sample *a, const struct sample *b)
{
        if (rows_differ(ENTITY_MACHINE, a, 1, b, 1) ||
            rows_differ(ENTITY_CPU, a->stat.cpu, CPUS_MAX, b->stat.cpu, CPUS_MAX) ||
            rows_differ(ENTITY_RAID, a->raids, a->raid_count, b->raids, b->raid_count) ||
            rows_differ(ENTITY_SWAP, a->swaps, a->swap_count, b->swaps, b->swap_count) ||
            rows_differ(ENTITY_DISK, a->disks, a->disk_count, b->disks, b->disk_count) ||
            rows_differ(ENTITY_INTERFACE, a->interfaces, a->interface_count, b->interfaces,
                        b->interface_count) ||
            rows_differ(ENTITY_MOUNT, a->mounts, a->mount_count, b->mounts, b->mount_count) ||
            rows_differ(ENTITY_FILE_SYSTEM, a->file_systems, a->file_system_count, b->file_systems,
                        b->file_system_count) ||
            rows_differ(ENTITY_LOG_FILE, a->logs, a->log_count, b->logs, b->log_count) ||
            rows_differ(ENTITY_LOG_UNIT, a->log_units, a->log_unit_count, b->log_units, b->log_unit_count) ||
            rows_differ(ENTITY_NETWORK_MOUNT, a->network_mounts, a->network_mount_count, b->network_mounts,
                        b->network_mount_count) ||
            rows_differ(ENTITY_MOUNT_USER, a->mount_users, a->mount_user_count, b->mount_users,
                        b->mount_user_count) ||
            rows_differ(ENTITY_CGROUP, a->cgroups, a->cgroup_count, b->cgroups, b->cgroup_count) ||
            rows_differ(ENTITY_PROCESS, a->processes, a->process_count, b->processes, b->process_count) ||
            rows_differ(ENTITY_MESSAGE, a->messages, a->message_count, b->messages, b->message_count))
                return difference;
        for (size_t i = 0; i < a->cgroup_count; i++) {
                int64_t apart = (int64_t)(a->cgroups[i].read_usec - b->cgroups[i].read_usec);
                if (apart < -(int64_t)CGROUP_AGE_USEC || apart > (int64_t)CGROUP_AGE_USEC) {
                        (void)snprintf(difference, sizeof(difference), "group %zu read %lld usec apart", i,
                                       (long long)apart);
                        return difference;
                }
        }
        for (size_t i = 0; i < a->process_count; i++) {
                if (rows_differ(ENTITY_IDENTITY, a->processes[i].identity, 1, b->processes[i].identity, 1))
                        return difference;
                if (a->processes[i].is_idle != b->processes[i].is_idle) {
                        (void)snprintf(difference, sizeof(difference), "process %zu: idle %d and %d", i,
                                       a->processes[i].is_idle, b->processes[i].is_idle);
                        return difference;
                }
        }
        if (a->collector_count != b->collector_count)
                return "collectors";
        for (size_t i = 0; i < a->collector_count; i++)
                if (strcmp(a->collectors[i].name, b->collectors[i].name) != 0 ||
                    a->collectors[i].state != b->collectors[i].state ||
                    a->collectors[i].error != b->collectors[i].error)
                        return "a collector";
        return NULL;
}
