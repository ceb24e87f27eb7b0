/* Processes -> programs: all processes of one name in one unit are one program, because thirty ffmpegs are
 * one culprit. Sums their ledgers, and those of their units. */
#include "daemon/model/rates.h"

#include <string.h>

#include "common/text.h"

static const char *program_name(const struct process_sample *process)
{
        const struct process_identity *identity = process->identity;
        return identity->name[0] ? identity->name : identity->comm;
}

#define POLICY_BATCH 3
#define POLICY_IDLE  5
/* At nice 10 a task weighs a tenth of a normal one (kernel/sched/core.c, sched_prio_to_weight). */
#define NICE_BATCH 10

enum work_class { WORK_NORMAL, WORK_BATCH, WORK_IDLE, WORK_KERNEL };

/* Kernel threads apart from whoever calls himself kworker. */
static enum work_class class_of(const struct process_sample *process)
{
        if (process->identity->is_kernel_thread)
                return WORK_KERNEL;
        if (process->policy == POLICY_IDLE)
                return WORK_IDLE;
        return process->policy == POLICY_BATCH || process->nice >= NICE_BATCH ? WORK_BATCH : WORK_NORMAL;
}

/* Finds or adds the program of a process; the table holds indices + 1. */
static struct program *program_of(struct snapshot *snapshot, const struct process_sample *process)
{
        const struct process_identity *identity = process->identity;
        /* Between name and unit, and in neither: "ab" in "c" is not "a" in "bc". */
        static const char *const classes[] = { "\1", "\2", "\3", "\4" };
        enum work_class class = class_of(process);
        uint64_t id = text_hash(HASH_SEED, program_name(process));
        id = text_hash(text_hash(id, classes[class]), identity->unit);
        size_t mask = snapshot->scratch_capacity - 1;
        size_t at = (size_t)(id ^ id >> 32) & mask;
        while (snapshot->scratch[at]) {
                struct program *program = &snapshot->programs[snapshot->scratch[at] - 1];
                if (program->id == id)
                        return program;
                at = (at + 1) & mask;
        }
        struct program *program = &snapshot->programs[snapshot->program_count++];
        *program = (struct program){
                .id = id,
                .cgroup_id = identity->cgroup_id,
                .first_pid = process->pid,
                .uid = identity->uid,
                .is_kernel = class == WORK_KERNEL,
                .is_batch = class == WORK_BATCH || class == WORK_IDLE,
                .is_idle_class = class == WORK_IDLE,
                .delays_known = true,
                .ledger = ledger_unknown(),
                .anon_bytes = ABSENT,
                .file_bytes = ABSENT,
                .shmem_bytes = ABSENT,
                .swap_bytes = ABSENT,
                .page_tables_bytes = ABSENT,
                .rss_bytes = ABSENT,
                .files = ABSENT,
        };
        (void)span_copy(span_of(program_name(process)), program->name, sizeof(program->name));
        memcpy(program->unit, identity->unit, sizeof(program->unit));
        memcpy(program->user, identity->user, sizeof(program->user));
        snapshot->scratch[at] = (uint32_t)snapshot->program_count;
        return program;
}

static void add_level(uint64_t *sum, uint64_t value)
{
        if (value != ABSENT)
                *sum = (*sum == ABSENT ? 0 : *sum) + value;
}

static void add_rate(float *sum, float value)
{
        if (!isnan(value))
                *sum += value;
}

/* A process that wanted less than this says nothing about how well its program's waits are known. */
#define CPU_NOTABLE 0.01F

/* The busiest process, and whether the waits of those that count are known. */
static void note_process(struct program *program, const struct process_rate *rate)
{
        const struct process_sample *process = rate->sample;
        float wanted = ledger_wanted(&rate->ledger);
        if (wanted > program->busiest) {
                program->busiest = wanted;
                program->first_pid = process->pid;
                program->uid = process->identity->uid;
                memcpy(program->user, process->identity->user, sizeof(program->user));
        }
        if (wanted >= CPU_NOTABLE && process->delays != DELAYS_FULL)
                program->delays_known = false;
}

static void program_add(struct program *program, struct process_rate *rate, float throttled)
{
        const struct process_sample *process = rate->sample;
        if (throttled > 0 && !isnan(rate->ledger.cpu_wait)) {
                /* The kernel books throttling as run delay. */
                rate->ledger.throttled = rate->ledger.cpu_wait * throttled;
                rate->ledger.cpu_wait -= rate->ledger.throttled;
                program->is_throttled = true;
        }
        ledger_add(&program->ledger, &rate->ledger);
        add_rate(&program->cpu, rate->cpu);
        add_rate(&program->children_cpu, rate->children_cpu);
        if (rate->age_usec >= PROGRAM_STEADY_USEC)
                add_rate(&program->steady_cpu, rate->cpu);
        add_rate(&program->read_bytes, rate->read_bytes);
        add_rate(&program->write_bytes, rate->write_bytes);
        add_rate(&program->major_faults, rate->major_faults);
        add_rate(&program->voluntary_switches, rate->voluntary_switches);
        add_level(&program->rss_bytes, process->rss_bytes);
        add_level(&program->anon_bytes, process->rss_anon_bytes);
        add_level(&program->file_bytes, process->rss_file_bytes);
        /* The same pages in each of them, mostly: a database's buffers are not there once per backend. */
        if (process->rss_shmem_bytes != ABSENT &&
            (program->shmem_bytes == ABSENT || process->rss_shmem_bytes > program->shmem_bytes))
                program->shmem_bytes = process->rss_shmem_bytes;
        add_level(&program->swap_bytes, process->swap_bytes);
        add_level(&program->page_tables_bytes, process->page_tables_bytes);
        add_level(&program->files, process->files);
        if (process->is_server_known && process->is_server)
                program->is_server = true;
        note_process(program, rate);
        if (process->state != 'Z' && process->state != 'X') {
                program->count++;
                program->new_count += rate->is_new;
        }
}

/* How much of the run delay is throttling: as much as there are periods held back; and where CPUs idle nobody
 * need wait for one, so then it is nearly all. */
static float throttled_part(const struct snapshot *snapshot, uint64_t cgroup_id)
{
        float periods = unit_throttled_share(snapshot, cgroup_id);
        float idle = (float)snapshot->value[FIELD_CPU_IDLE];
        return periods > 0 && idle > periods ? idle : periods;
}

void programs_make(struct snapshot *snapshot)
{
        uint64_t last_cgroup = 0;
        float throttled = 0;
        snapshot->program_count = 0;
        memset(snapshot->scratch, 0, snapshot->scratch_capacity * sizeof(snapshot->scratch[0]));
        for (size_t i = 0; i < snapshot->process_count; i++) {
                struct process_rate *rate = &snapshot->processes[i];
                const struct process_identity *identity = rate->sample->identity;
                struct program *program = program_of(snapshot, rate->sample);
                if (identity->cgroup_id != last_cgroup) {
                        last_cgroup = identity->cgroup_id;
                        throttled = throttled_part(snapshot, last_cgroup);
                }
                rate->program = (uint32_t)(program - snapshot->programs);
                program_add(program, rate, throttled);
        }
        for (size_t i = 0; i < snapshot->program_count; i++) {
                struct program *program = &snapshot->programs[i];
                struct unit_rate *unit = unit_find(snapshot, program->cgroup_id);
                if (unit)
                        ledger_add(&unit->ledger, &program->ledger);
        }
}

size_t snapshot_program_processes(const struct snapshot *snapshot, uint32_t program, uint32_t *ret_indices,
                                  size_t max)
{
        size_t count = 0;
        for (size_t i = 0; i < snapshot->process_count; i++) {
                const struct process_rate *rate = &snapshot->processes[i];
                if (rate->program != program || rate->sample->state == 'Z' || rate->sample->state == 'X')
                        continue;
                float wanted = ledger_wanted(&rate->ledger);
                size_t at = count;
                /* Insertion into a list that is short by contract: a report names a few dozen pids. */
                while (at > 0 && ledger_wanted(&snapshot->processes[ret_indices[at - 1]].ledger) < wanted)
                        at--;
                if (at >= max)
                        continue;
                size_t moved = (count < max ? count : max - 1) - at;
                memmove(&ret_indices[at + 1], &ret_indices[at], moved * sizeof(ret_indices[0]));
                ret_indices[at] = (uint32_t)i;
                if (count < max)
                        count++;
        }
        return count;
}
