/* Values over time, put together from pieces of any length: means by weight, minima and maxima. Inside
 * query*.c only. */
#pragma once

#include "daemon/history/query.h"
#include "daemon/history/rollup.h"
#include "daemon/model/snapshot.h"

/* One piece of time, of one series. */
struct piece {
        double mean, minimum, maximum; /* NAN mean: nothing is known */
};

struct cells;

/* Series that belong to the metrics, over the result's time. NULL if there is no memory. */
struct cells *cells_new(const struct query *query, const struct query_result *times);
struct cells *cells_free(struct cells *cells); /* returns NULL; accepts NULL */

/* What one interval, or one period of a roll-up, has to say; pieces by enum query_column. */
void cells_add(struct cells *cells, usec_t from_usec, usec_t until_usec, double weight,
               const struct piece *pieces, bool is_range);
/* The finished series; allocates ret_result->series. 0 or -ENOMEM. */
int cells_finish(const struct cells *cells, struct query_result *ret_result);

/* The columns of a program; those of the machine share the numbers where they mean the same. */
enum query_column {
        COLUMN_CPU,
        COLUMN_MEMORY,
        COLUMN_SWAP,
        COLUMN_READ,
        COLUMN_WRITE,
        COLUMN_WAIT_CPU,
        COLUMN_WAIT_MEMORY, /* machine only */
        COLUMN_WAIT_IO,     /* machine only */
        COLUMN_WAIT_DISK,
        COLUMN_WAIT_SWAP,
        COLUMN_WAIT_RECLAIM,
        COLUMN_WAIT_THROTTLED,
        COLUMN_WAIT,
        COLUMN_COUNT,
        COLUMN_THREADS,
        COLUMN_FILES,
        COLUMN_MAX
};

/* Whether a question is about the whole machine. */
static inline bool query_is_machine(const struct query *query)
{
        return !query->program && !query->unit && query->pid == 0;
}

void pieces_of_machine(const struct snapshot *snapshot, struct piece pieces[static COLUMN_MAX]);
void pieces_of_machine_rollup(const struct rollup_machine *machine, struct piece pieces[static COLUMN_MAX]);
/* Sums of what was asked for begin with nothing. */
void pieces_begin(struct piece pieces[static COLUMN_MAX]);
void pieces_add_process(struct piece pieces[static COLUMN_MAX], const struct process_rate *rate);
void pieces_add_rollup(struct piece pieces[static COLUMN_MAX], const struct rollup_program *program);
/* Makes the share of lost time of the sums. */
void pieces_end(struct piece pieces[static COLUMN_MAX]);
