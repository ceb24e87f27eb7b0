/* Snapshots summed up by minute and hour, machine-wide and by program: minimum, mean and maximum of each
 * value; of waiting the 95th percentile; of memory the floor. Numbers are kept to three digits. */
#pragma once

#include "daemon/history/schema.h"
#include "daemon/model/snapshot.h"

#define ROLLUP_PROGRAMS_MAX                                                                                  \
        512 /* followed at once; further ones of the same period are left out, and counted */

/* A non-negative number in 16 bits that sort as it does: 6 bits of exponent, 10 of mantissa (0.1 %), from
 * 2^-14 to 2^49. 0 is 0, too small ones too; NAN is 0xffff. */
typedef uint16_t rollup_number; /* the one typedef: a plain number could be mistaken for a value */
rollup_number rollup_pack(double value);
double rollup_unpack(rollup_number number);
#define ROLLUP_UNKNOWN UINT16_MAX

struct rollup_value {
        rollup_number minimum, mean, maximum;
};

enum rollup_metric {
        ROLLUP_CPU,      /* CPUs */
        ROLLUP_CPU_WAIT, /* the ledger: seconds per second */
        ROLLUP_THROTTLED,
        ROLLUP_DISK_WAIT,
        ROLLUP_SWAP_WAIT,
        ROLLUP_RECLAIM_WAIT,
        ROLLUP_WAITED,     /* all of these together, as a share of the time it wanted to work */
        ROLLUP_READ_BYTES, /* per second */
        ROLLUP_WRITE_BYTES,
        ROLLUP_MEMORY, /* bytes: anonymous memory */
        ROLLUP_RSS,    /* bytes */
        ROLLUP_SWAP,   /* bytes */
        ROLLUP_COUNT,  /* processes */
        ROLLUP_THREADS,
        ROLLUP_FILES, /* open descriptors */
        ROLLUP_METRIC_MAX
};

/* One period of the whole machine. */
struct rollup_machine {
        usec_t from_usec;                          /* realtime, begin of the period */
        usec_t period_usec;                        /* a minute or an hour */
        usec_t covered_usec;                       /* of it, by snapshots */
        usec_t until_usec;                         /* realtime of the last of them */
        uint32_t left_out;                         /* programs over the cap */
        rollup_number cpu_p95, memory_p95, io_p95; /* of the pressures: below it in 95 % of the time */
        struct rollup_value value[FIELD_MAX];
};

/* One program in one period. A program that did nothing and whose memory stayed has no row in a minute; in
 * each hour every program has one. */
struct rollup_program {
        uint64_t id;
        char name[PROGRAM_NAME_MAX];
        char unit[UNIT_NAME_MAX];
        char user[USER_NAME_MAX];
        char comm[COMM_MAX];               /* of one of its processes; "" if it is the name */
        char executable[PROGRAM_NAME_MAX]; /* the last part of its path; "" if it is one of these */
        struct rollup_value value[ROLLUP_METRIC_MAX];
        rollup_number waited_p95; /* the value that 95 % of the period's time stayed below */
        rollup_number started;    /* processes begun */
};

/* Positions in rollup_schema.entities. */
enum rollup_entity { ROLLUP_ENTITY_MACHINE, ROLLUP_ENTITY_PROGRAM, ROLLUP_ENTITY_TREND, ROLLUP_ENTITIES };
extern const struct schema rollup_schema;

struct rollup;

/* NULL if there is no memory. */
struct rollup *rollup_new(usec_t period_usec);
struct rollup *rollup_free(struct rollup *rollup);
/* Adds a snapshot with rates. If it belongs to a later period than those before, true: first the finished one
 * is to be taken with rollup_machine() and rollup_programs(), which stay valid until the next call. */
bool rollup_add(struct rollup *rollup, const struct snapshot *snapshot);
/* Ends the period that has begun, if any: true, and the results are there. */
bool rollup_finish(struct rollup *rollup);
const struct rollup_machine *rollup_machine(const struct rollup *rollup);
/* Sorted by id. */
const struct rollup_program *rollup_programs(const struct rollup *rollup, size_t *ret_count);
