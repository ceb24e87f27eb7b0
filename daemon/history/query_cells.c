/* The columns of series, and their cells. */
#include "daemon/history/query_cells.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

struct cell {
        double sum, weight, minimum, maximum;
        uint32_t pieces;
};

static const struct quantity {
        const char *program_name; /* NULL: the machine has it alone */
        const char *machine_name; /* NULL: programs have it alone */
        const char *unit;
        double scale; /* of the model's value */
        unsigned metric;
        bool is_level; /* while nobody is there it is not small but absent */
} quantities[COLUMN_MAX] = {
        [COLUMN_CPU] = { "cpu", "cpu", "permille", 1000, QUERY_CPU, false },
        [COLUMN_MEMORY] = { "memory", "memory", "bytes", 1, QUERY_MEMORY, true },
        [COLUMN_SWAP] = { "swap", NULL, "bytes", 1, QUERY_MEMORY, true },
        [COLUMN_READ] = { "io.read", "io.read", "bytesPerSecond", 1, QUERY_IO, false },
        [COLUMN_WRITE] = { "io.write", "io.write", "bytesPerSecond", 1, QUERY_IO, false },
        [COLUMN_WAIT_CPU] = { "wait.cpu", "wait.cpu", "permille", 1000, QUERY_WAIT, false },
        [COLUMN_WAIT_MEMORY] = { NULL, "wait.memory", "permille", 1000, QUERY_WAIT, false },
        [COLUMN_WAIT_IO] = { NULL, "wait.io", "permille", 1000, QUERY_WAIT, false },
        [COLUMN_WAIT_DISK] = { "wait.disk", NULL, "permille", 1000, QUERY_WAIT, false },
        [COLUMN_WAIT_SWAP] = { "wait.swap", NULL, "permille", 1000, QUERY_WAIT, false },
        [COLUMN_WAIT_RECLAIM] = { "wait.reclaim", NULL, "permille", 1000, QUERY_WAIT, false },
        [COLUMN_WAIT_THROTTLED] = { "wait.throttled", NULL, "permille", 1000, QUERY_WAIT, false },
        [COLUMN_WAIT] = { "wait", NULL, "permille", 1000, QUERY_WAIT, true },
        [COLUMN_COUNT] = { "count", NULL, "count", 1, QUERY_USUAL | QUERY_THREADS | QUERY_FILES, false },
        [COLUMN_THREADS] = { "threads", "threads", "count", 1, QUERY_THREADS, false },
        [COLUMN_FILES] = { "files", "files", "count", 1, QUERY_FILES, true },
};

struct cells {
        usec_t since_usec, step_usec;
        size_t steps;
        bool is_wanted[COLUMN_MAX], is_machine;
        struct cell *cell[COLUMN_MAX];
        double *recorded; /* weight of what was recorded at all, by step */
};

struct cells *cells_free(struct cells *cells)
{
        if (!cells)
                return NULL;
        for (size_t i = 0; i < COLUMN_MAX; i++)
                free(cells->cell[i]);
        free(cells->recorded);
        free(cells);
        return NULL;
}

static const char *name_of(const struct quantity *quantity, bool is_machine)
{
        return is_machine ? quantity->machine_name : quantity->program_name;
}

struct cells *cells_new(const struct query *query, const struct query_result *times)
{
        struct cells *cells = calloc(1, sizeof(*cells));
        if (!cells)
                return NULL;
        cells->since_usec = times->since_usec;
        cells->step_usec = times->step_usec;
        cells->steps = times->steps;
        cells->is_machine = query_is_machine(query);
        cells->recorded = calloc(cells->steps, sizeof(cells->recorded[0]));
        bool has_failed = !cells->recorded;
        for (size_t i = 0; i < COLUMN_MAX; i++) {
                if (!(quantities[i].metric & query->metrics) || !name_of(&quantities[i], cells->is_machine))
                        continue;
                cells->is_wanted[i] = true;
                cells->cell[i] = calloc(cells->steps, sizeof(struct cell));
                has_failed |= !cells->cell[i];
        }
        return has_failed ? cells_free(cells) : cells;
}

static void cell_add(struct cell *cell, const struct piece *piece, double weight, double part, bool is_range)
{
        if (isnan(piece->mean))
                return;
        cell->sum += piece->mean * part;
        cell->weight += part;
        /* An interval that mostly belongs to the neighbour is no extreme of this step. */
        if (cell->pieces && part < weight / 2 && !is_range)
                return;
        double minimum = is_range && !isnan(piece->minimum) ? piece->minimum : piece->mean;
        double maximum = is_range && !isnan(piece->maximum) ? piece->maximum : piece->mean;
        cell->minimum = cell->pieces ? fmin(cell->minimum, minimum) : minimum;
        cell->maximum = cell->pieces ? fmax(cell->maximum, maximum) : maximum;
        cell->pieces += is_range ? 2 : 1;
}

void cells_add(struct cells *cells, usec_t from_usec, usec_t until_usec, double weight,
               const struct piece *pieces, bool is_range)
{
        usec_t end_usec = cells->since_usec + cells->steps * cells->step_usec;
        usec_t begin = from_usec > cells->since_usec ? from_usec : cells->since_usec;
        usec_t end = until_usec < end_usec ? until_usec : end_usec;
        if (begin >= end || until_usec <= from_usec)
                return;
        size_t first = (size_t)((begin - cells->since_usec) / cells->step_usec);
        size_t last = (size_t)((end - 1 - cells->since_usec) / cells->step_usec);
        for (size_t i = first; i <= last; i++) {
                usec_t cell_begin = cells->since_usec + i * cells->step_usec;
                usec_t cell_end = cell_begin + cells->step_usec;
                usec_t a = begin > cell_begin ? begin : cell_begin, b = end < cell_end ? end : cell_end;
                double part = weight * (double)(b - a) / (double)(until_usec - from_usec);
                cells->recorded[i] += part;
                for (size_t c = 0; c < COLUMN_MAX; c++)
                        if (cells->is_wanted[c])
                                cell_add(&cells->cell[c][i], &pieces[c], weight, part, is_range);
        }
}

int cells_finish(const struct cells *cells, struct query_result *ret_result)
{
        struct query_series *all = calloc(COLUMN_MAX, sizeof(*all));
        size_t count = 0;
        if (!all)
                return -ENOMEM;
        for (size_t c = 0; c < COLUMN_MAX; c++) {
                if (!cells->is_wanted[c])
                        continue;
                struct query_series *series = &all[count++];
                double scale = quantities[c].scale;
                series->name = name_of(&quantities[c], cells->is_machine);
                series->unit = quantities[c].unit;
                for (size_t i = 0; i < cells->steps; i++) {
                        const struct cell *cell = &cells->cell[c][i];
                        bool is_gone = quantities[c].is_level && !cells->is_machine &&
                                       cells->recorded[i] > 0 && cells->cell[COLUMN_COUNT][i].maximum <= 0;
                        series->value[i] = cell->weight > 0 ? cell->sum / cell->weight * scale
                                           : is_gone        ? 0
                                                            : (double)NAN;
                        series->minimum[i] = series->maximum[i] = (double)NAN;
                        if (cell->pieces < 2)
                                continue;
                        series->has_range = true;
                        series->minimum[i] = cell->minimum * scale;
                        series->maximum[i] = cell->maximum * scale;
                }
        }
        ret_result->series = all;
        ret_result->series_count = count;
        return 0;
}

/* ---- what goes into them ---- */

static const enum field machine_fields[COLUMN_MAX] = {
        [COLUMN_CPU] = FIELD_CPU_BUSY,          [COLUMN_MEMORY] = FIELD_MEMORY_AVAILABLE_BYTES,
        [COLUMN_READ] = FIELD_DISK_READ_BYTES,  [COLUMN_WRITE] = FIELD_DISK_WRITE_BYTES,
        [COLUMN_WAIT_CPU] = FIELD_PSI_CPU_SOME, [COLUMN_WAIT_MEMORY] = FIELD_PSI_MEMORY_SOME,
        [COLUMN_WAIT_IO] = FIELD_PSI_IO_SOME,   [COLUMN_THREADS] = FIELD_TASKS,
        [COLUMN_FILES] = FIELD_FILES,
};

void pieces_of_machine(const struct snapshot *snapshot, struct piece pieces[static COLUMN_MAX])
{
        for (size_t c = 0; c < COLUMN_MAX; c++) {
                double value = quantities[c].machine_name ? snapshot->value[machine_fields[c]] : (double)NAN;
                pieces[c] = (struct piece){ value, value, value };
        }
}

static struct piece unpack(const struct rollup_value *value)
{
        return (struct piece){ rollup_unpack(value->mean), rollup_unpack(value->minimum),
                               rollup_unpack(value->maximum) };
}

void pieces_of_machine_rollup(const struct rollup_machine *machine, struct piece pieces[static COLUMN_MAX])
{
        for (size_t c = 0; c < COLUMN_MAX; c++)
                pieces[c] = quantities[c].machine_name
                                    ? unpack(&machine->value[machine_fields[c]])
                                    : (struct piece){ (double)NAN, (double)NAN, (double)NAN };
}

void pieces_begin(struct piece pieces[static COLUMN_MAX])
{
        for (size_t c = 0; c < COLUMN_MAX; c++) {
                double nothing = quantities[c].is_level ? (double)NAN : 0;
                pieces[c] = (struct piece){ nothing, nothing, nothing };
        }
}

static double sum(double a, double b)
{
        return isnan(a) ? b : isnan(b) ? a : a + b;
}

static void add(struct piece *piece, struct piece other)
{
        *piece = (struct piece){ sum(piece->mean, other.mean), sum(piece->minimum, other.minimum),
                                 sum(piece->maximum, other.maximum) };
}

static void add_one(struct piece *piece, double value)
{
        add(piece, (struct piece){ value, value, value });
}

static double known(uint64_t value)
{
        return value == ABSENT ? (double)NAN : (double)value;
}

void pieces_add_process(struct piece pieces[static COLUMN_MAX], const struct process_rate *rate)
{
        const struct process_sample *process = rate->sample;
        const struct ledger *ledger = &rate->ledger;
        double anon = known(process->rss_anon_bytes);
        add_one(&pieces[COLUMN_CPU], (double)rate->cpu);
        add_one(&pieces[COLUMN_MEMORY], isnan(anon) ? known(process->rss_bytes) : anon);
        add_one(&pieces[COLUMN_SWAP], known(process->swap_bytes));
        add_one(&pieces[COLUMN_READ], (double)rate->read_bytes);
        add_one(&pieces[COLUMN_WRITE], (double)rate->write_bytes);
        add_one(&pieces[COLUMN_WAIT_CPU], (double)ledger->cpu_wait);
        add_one(&pieces[COLUMN_WAIT_DISK], (double)ledger->disk_wait);
        add_one(&pieces[COLUMN_WAIT_SWAP], (double)ledger->swap_wait);
        add_one(&pieces[COLUMN_WAIT_RECLAIM], (double)ledger->reclaim_wait);
        add_one(&pieces[COLUMN_WAIT_THROTTLED], (double)ledger->throttled);
        add_one(&pieces[COLUMN_COUNT], 1);
        add_one(&pieces[COLUMN_THREADS], process->threads);
        add_one(&pieces[COLUMN_FILES], known(process->files));
}

void pieces_add_rollup(struct piece pieces[static COLUMN_MAX], const struct rollup_program *program)
{
        static const enum rollup_metric metrics[COLUMN_MAX] = {
                [COLUMN_CPU] = ROLLUP_CPU,
                [COLUMN_SWAP] = ROLLUP_SWAP,
                [COLUMN_READ] = ROLLUP_READ_BYTES,
                [COLUMN_WRITE] = ROLLUP_WRITE_BYTES,
                [COLUMN_WAIT_CPU] = ROLLUP_CPU_WAIT,
                [COLUMN_WAIT_DISK] = ROLLUP_DISK_WAIT,
                [COLUMN_WAIT_SWAP] = ROLLUP_SWAP_WAIT,
                [COLUMN_WAIT_RECLAIM] = ROLLUP_RECLAIM_WAIT,
                [COLUMN_WAIT_THROTTLED] = ROLLUP_THROTTLED,
                [COLUMN_COUNT] = ROLLUP_COUNT,
                [COLUMN_THREADS] = ROLLUP_THREADS,
                [COLUMN_FILES] = ROLLUP_FILES,
        };
        for (size_t c = 0; c < COLUMN_MAX; c++)
                if (quantities[c].program_name && c != COLUMN_MEMORY && c != COLUMN_WAIT)
                        add(&pieces[c], unpack(&program->value[metrics[c]]));
        bool has_anon = program->value[ROLLUP_MEMORY].mean != ROLLUP_UNKNOWN;
        add(&pieces[COLUMN_MEMORY], unpack(&program->value[has_anon ? ROLLUP_MEMORY : ROLLUP_RSS]));
}

void pieces_end(struct piece pieces[static COLUMN_MAX])
{
        static const enum query_column waits[] = { COLUMN_WAIT_CPU, COLUMN_WAIT_DISK, COLUMN_WAIT_SWAP,
                                                   COLUMN_WAIT_RECLAIM, COLUMN_WAIT_THROTTLED };
        double waited = 0;
        for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++)
                waited = sum(waited, pieces[waits[i]].mean);
        double wanted = sum(waited, pieces[COLUMN_CPU].mean);
        double share = pieces[COLUMN_COUNT].mean > 0 ? (wanted > 0 ? waited / wanted : 0) : (double)NAN;
        pieces[COLUMN_WAIT] = (struct piece){ share, share, share };
}
