/* The long past in fixed memory, for checks that need hours or days: named series of levels, fed from every
 * snapshot and kept as ten seconds (10 min), minutes (3 h), ten minutes (2 days) and hours (14 days), each
 * with minimum, mean and maximum. To follow something: a kind here, its share of the room in trends.c, a line
 * in trends_feed.c.
 *
 * All but the ten seconds are written to the store with the roll-ups, and read back (trends_load.h).
 *
 * Dates are realtime; when the clock is set, what was recorded since the start is dated anew. Suspend, gaps
 * and reboots are steps without data. */
#pragma once

#include "daemon/history/rollup.h"

/* Stored for ever in files: a number is never used again for another meaning. */
enum trend_kind {
        TREND_PROGRAM_MEMORY = 1, /* bytes, anonymous and swapped; id: program.id */
        TREND_MACHINE = 2,        /* id: enum field; those that trends_feed.c lists */
        /* Of these the id is trend_id() of the name: mount point, disk, cache, path. */
        TREND_FILE_SYSTEM_AVAILABLE = 3, /* bytes */
        TREND_FILE_SYSTEM_INODES = 4,    /* inodes left */
        TREND_DISK_AWAIT = 5,            /* msec of one request */
        TREND_DISK_BUSY = 6,             /* share of time, 0..1 */
        TREND_SLAB = 7,                  /* bytes of an unreclaimable kernel cache */
        TREND_LOG_SIZE = 8,              /* bytes */
        TREND_TMPFS_USED = 9,            /* bytes of a file system in memory */
        TREND_PROGRAM_SHARED = 10,       /* bytes of shared memory that one process maps; id: program.id */
        TREND_KINDS
};

/* Programs that hold less are no machine's trouble. */
#define TREND_PROGRAM_MEMORY_MIN 1e6

#define TRENDS_MAX         144
#define TREND_NAME_MAX     48
#define TREND_LEVELS       4
#define TREND_POINTS_MAX   336 /* of one level; enough room for any question */
#define TREND_HISTORY_USEC (14 * USEC_PER_DAY)

struct trend_point {
        usec_t from_usec;    /* realtime, begin of the step */
        usec_t covered_usec; /* of the step, by snapshots */
        double minimum, mean, maximum;
};

/* One series in one finished minute or hour, as it is stored; of an hour with its ten minutes. */
#define ROLLUP_TREND_PARTS 6
struct rollup_trend {
        uint32_t kind;
        uint64_t id;
        char name[TREND_NAME_MAX];
        struct rollup_value value[1 + ROLLUP_TREND_PARTS]; /* of the whole, then of an hour's ten minutes */
};

struct trends;

/* NULL if there is no memory. About 800 kB. */
struct trends *trends_new(void);
struct trends *trends_free(struct trends *trends); /* returns NULL; accepts NULL */

uint64_t trend_id(const char *name);
/* The stable id of a machine-wide field; fields are renumbered, files are not. */
uint64_t trend_field_id(enum field field);

/* Takes over the levels of a snapshot with rates; others are ignored. */
void trends_push(struct trends *trends, const struct snapshot *snapshot);
/* For trends_feed.c: the value of one series in the snapshot at hand. NAN adds nothing. Where a kind has more
 * series than room, those of least weight, and those not seen for long, make room for heavier ones. */
void trends_feed(struct trends *trends, enum trend_kind kind, uint64_t id, const char *name, double value,
                 double weight);
void trends_feed_snapshot(struct trends *trends, const struct snapshot *snapshot);

/* The steps of a series that began within `window_usec` of the end, oldest first, at most `max` (the newest
 * ones). `step_usec` is ten seconds, a minute, ten minutes, an hour, or a multiple of one of these. The step
 * that has not ended is the last one. Steps without data are left out. `id` as the kind has it. */
size_t trends_get(const struct trends *trends, enum trend_kind kind, uint64_t id, usec_t window_usec,
                  usec_t step_usec, struct trend_point *ret_points, size_t max);
/* The id and name of a kind's series by index, ended ones included; false past the last index. Series that
 * are not there have id 0. */
bool trends_list(const struct trends *trends, enum trend_kind kind, size_t index, uint64_t *ret_id,
                 const char **ret_name);

/* What became of the period that began then, sorted by kind and id; also of the one at hand. 0 if it is not
 * known. `period_usec` a minute or an hour. Returns how many. */
size_t trends_rows(const struct trends *trends, usec_t period_usec, usec_t from_usec,
                   struct rollup_trend ret_rows[static TRENDS_MAX]);
/* Before the first push: a stored minute or hour, in the order in which they were; hours first. */
void trends_load_period(struct trends *trends, const struct rollup_machine *machine,
                        const struct rollup_trend *rows, size_t count);
