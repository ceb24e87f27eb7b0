/* What Top tells of one program, live or recorded. */
#include "daemon/top_rows.h"

#include <string.h>

static uint64_t add_known(uint64_t sum, uint64_t value)
{
        return value == ABSENT ? sum : sum + value;
}

void top_row_make(const struct snapshot *snapshot, const struct program *program, struct top_row *row)
{
        float wanted = ledger_wanted(&program->ledger);
        const struct process_sample *process = sample_find_process(snapshot->sample, program->first_pid);
        memset(row, 0, sizeof(*row));
        memcpy(row->name, program->name, sizeof(row->name));
        memcpy(row->unit, program->unit, sizeof(row->unit));
        memcpy(row->user, program->user, sizeof(row->user));
        row->uid = program->uid;
        row->count = program->count;
        row->first_pid = program->first_pid;
        row->cpu = program->cpu + program->children_cpu;
        row->ledger = program->ledger;
        row->lost = isnan(program->ledger.cpu_wait) ? NAN
                    : wanted > 0                    ? ledger_waited(&program->ledger) / wanted
                                                    : 0;
        row->read_bytes = program->read_bytes;
        row->write_bytes = program->write_bytes;
        row->swap_bytes = program->swap_bytes;
        row->memory_bytes = program->anon_bytes == ABSENT
                                    ? program->rss_bytes
                                    : add_known(add_known(program->anon_bytes, program->swap_bytes),
                                                program->shmem_bytes);
        if (process)
                memcpy(row->command_line, process->identity->command_line, sizeof(row->command_line));
}

/* Time wanted first; of idle programs those that hold most memory. */
float top_row_score(const struct program *program)
{
        float memory = program->rss_bytes == ABSENT ? 0 : (float)program->rss_bytes / 1e15F;
        return ledger_wanted(&program->ledger) + program->children_cpu + memory;
}
