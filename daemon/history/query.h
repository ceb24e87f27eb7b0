/* Questions about the past: values over time and who lived then, machine-wide or of one program, unit or
 * process. Short windows are answered from samples, longer ones from the roll-ups by minute and hour, whose
 * unfinished ends come from the finer record. Memory is bounded by the caps below, whatever is asked. */
#pragma once

#include "daemon/diagnosis/diagnosis.h"
#include "daemon/history/store_read.h"

#define QUERY_STEPS_MAX     1000
#define QUERY_STEPS_USUAL   120
#define QUERY_SERIES_MAX    14
#define QUERY_INCIDENTS_MAX 128   /* the newest ones */
#define QUERY_LIVES_MAX     512   /* followed at once; the ones that used least are forgotten first */
#define QUERY_LIFETIMES_MAX 64    /* told, those that used most CPU first */
#define QUERY_PROCESSES_MAX 32768 /* counted; further ones are not */
#define QUERY_SAMPLES_USEC  (2 * USEC_PER_HOUR)  /* a longer window is not answered from samples ... */
#define QUERY_FINE_USEC     (12 * USEC_PER_HOUR) /* ... but up to here if the step is under a minute */
#define QUERY_MINUTES_USEC  (36 * USEC_PER_HOUR) /* and a longer one than this not from minutes, usually */
#define QUERY_PROCESS_USEC  (24 * USEC_PER_HOUR) /* of one process, and with `each`: the window's end */
#define QUERY_NAMES_MAX     8                    /* programs that a name may mean in roll-ups */

enum query_metric {
        QUERY_CPU = 1,
        QUERY_MEMORY = 2,
        QUERY_IO = 4,
        QUERY_WAIT = 8,
        QUERY_THREADS = 16,
        QUERY_FILES = 32,
        QUERY_USUAL = QUERY_CPU | QUERY_MEMORY | QUERY_IO | QUERY_WAIT,
};

struct query {
        const char *program;           /* its name, comm or the base name of its executable; NULL: any */
        const char *unit;              /* "nginx.service" or "nginx"; NULL: any */
        uint32_t pid;                  /* 0: any */
        usec_t since_usec, until_usec; /* realtime */
        usec_t step_usec;              /* 0: as fits */
        usec_t interval_usec;          /* between samples, usually: no step is shorter */
        unsigned metrics;              /* enum query_metric */
        bool each;                     /* a lifetime for each process instead of each program */
};

struct query_series {
        const char *name, *unit; /* static */
        /* One a step; NAN: nothing was recorded. Minimum and maximum only where a value sums up several. */
        double value[QUERY_STEPS_MAX], minimum[QUERY_STEPS_MAX], maximum[QUERY_STEPS_MAX];
        bool has_range; /* at least one step has them */
};

/* One process, or all of one name. */
struct query_lifetime {
        char name[PROGRAM_NAME_MAX];
        char unit[UNIT_NAME_MAX];
        char user[USER_NAME_MAX];
        uint32_t uid;
        bool is_uid_known; /* roll-ups do not have it */
        uint32_t pid;      /* of `each`, else 0 */
        uint32_t count;    /* processes */
        char command_line[COMMAND_LINE_MAX];
        bool has_origin;
        struct origin origin;
        usec_t began_usec, ended_usec; /* ended 0: it was there at the end of the window */
        double cpu_usec, read_bytes, write_bytes, peak_memory_bytes; /* memory NAN: unknown */
        /* Of the CPU time that the machine used meanwhile; with `each` of what all that were asked for used.
         */
        double share;
};

struct query_result {
        usec_t since_usec, until_usec, step_usec;
        enum series resolution;
        size_t steps;
        struct query_series *series;
        size_t series_count;
        struct query_lifetime *lifetimes;
        size_t lifetime_count;
        struct incident *incidents; /* oldest first */
        size_t incident_count;
        char damaged[STORE_ERROR_MAX]; /* what had to be left out, "" if nothing */
};

/* The answer; ret_result is zeroed first and released with query_done(), also after an error. 0; -ENODATA:
 * nothing was recorded then, or nobody of that name was there; -ENOMEM; others as store_reader_next(). */
int query_run(struct store_reader *reader, const struct query *query, struct query_result *ret_result);
void query_done(struct query_result *result);

/* The snapshot of the last interval that ends at or before an instant; what it points to lives as long as
 * turn[], which the caller has zeroed and releases, as the snapshot. 0; -ENODATA: nothing within two minutes
 * before; others as store_reader_next(). */
int query_snapshot_at(struct store_reader *reader, usec_t at_usec, struct sample turn[static 2],
                      struct snapshot *ret_snapshot);
