/* The recent past in memory: the last 15 minutes of snapshots, in a fixed amount of memory. Checks ask it
 * about windows that end now; they keep no past of their own. (The store on disk is another file and another
 * question.) */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "daemon/history/trends.h"
#include "daemon/history/disk_events.h"
#include "daemon/history/disk_past.h"
#include "daemon/model/snapshot.h"

#define HISTORY_SPAN_USEC           (15 * USEC_PER_MINUTE)
#define HISTORY_FRAMES_MAX          900   /* 15 minutes at the fast tick of one second */
#define HISTORY_PROGRAM_ROWS_MAX    24576 /* program rows over all frames; the oldest frames go first */
#define HISTORY_FRAME_PROGRAMS_MAX  192   /* programs kept of one frame: those that used or lost most */
#define HISTORY_WINDOW_PROGRAMS_MAX 256

struct history;

/* NULL if there is no memory. */
struct history *history_new(void);
struct history *history_free(struct history *history); /* returns NULL */

/* A sample that comes this much later than due, and two intervals at least, begins a new stretch: windows do
 * not reach back over it. Less is an interval that took longer (a machine that thrashes delays slowd as
 * well), and its rates are as good as any. */
#define HISTORY_GAP_USEC (10 * USEC_PER_SEC)

/* Remembers a snapshot. It is borrowed as "the latest" until the next push. */
void history_push(struct history *history, const struct snapshot *snapshot);

const struct snapshot *history_latest(const struct history *history); /* NULL before the first push */
/* Frames with rates since start, up to the cap. */
size_t history_frames(const struct history *history);
/* The time covered by the frames that lie within `window_usec` of the end: what a mean over that window rests
 * on. */
usec_t history_covered(const struct history *history, usec_t window_usec);

/* Of a field over the window, each frame weighted by its length; NAN if it is known in none of them. */
double history_mean(const struct history *history, enum field field, usec_t window_usec);
double history_max(const struct history *history, enum field field, usec_t window_usec);
double history_min(const struct history *history, enum field field, usec_t window_usec);
/* The share of the window's time, 0..1, in which the field was at or above the threshold; NAN if never known.
 */
double history_share_above(const struct history *history, enum field field, double threshold,
                           usec_t window_usec);
/* Least-squares slope in units of the field per second; NAN with fewer than three frames. */
double history_slope(const struct history *history, enum field field, usec_t window_usec);
/* Sum of value x length: for fields that count per second, the events in the window. */
double history_total(const struct history *history, enum field field, usec_t window_usec);
/* The realtime instant since which the field has been at or above the threshold in every frame up to now,
 * looking back over at most two frames in a row that are below; 0 if it is not so now. */
usec_t history_since_above(const struct history *history, enum field field, double threshold);
/* The realtime instant at which the field was last at or above the threshold; 0 if never in the record. */
usec_t history_last_above(const struct history *history, enum field field, double threshold);

/* ---- programs over a window ---- */

/* One program's means over a window. Frames in which it did nothing count as zero. */
struct program_window {
        uint64_t id;
        int32_t program; /* index into the latest snapshot's programs; -1 if it has no process any more */
        struct ledger ledger;
        float cpu, children_cpu, steady_cpu;
        float read_bytes, write_bytes;
        float major_faults;
        float voluntary_switches;
        float throttled_time_share;              /* share of frames in which its unit was throttled */
        float count;                             /* mean number of processes */
        bool is_batch, is_idle_class, is_kernel; /* in all frames where it ran */
};

/* All programs that used or lost anything in the window, at most `max`; unordered. Returns how many. */
size_t history_programs(const struct history *history, usec_t window_usec,
                        struct program_window *ret_programs, size_t max);
/* One program over the stretch from `begin_usec` to `end_usec` before now (begin > end): what is usual for
 * it. False if it was in no frame of that stretch, or the stretch is not covered. */
bool history_program(const struct history *history, uint64_t id, usec_t begin_usec, usec_t end_usec,
                     struct program_window *ret_window);
/* The realtime instant since which, in one stretch up to now, the program has used at least this much; at
 * most two frames in a row below, the latest ones included, are passed over. 0: it does not use as much now.
 */
usec_t history_program_since_cpu(const struct history *history, uint64_t id, float cpus);
usec_t history_program_since_io(const struct history *history, uint64_t id, float bytes_per_sec);

/* ---- units over a window ---- */

#define HISTORY_UNIT_ROWS_MAX   8192
#define HISTORY_FRAME_UNITS_MAX 24 /* limited units that were held back in a frame, worst first */

/* A limited unit's means over a window, and what happened to it in all. Frames where nothing held it back are
 * zero. */
struct unit_window {
        float throttled_share;                          /* of its periods */
        float psi_memory_some, psi_memory_full;         /* NAN: this kernel keeps none for units */
        float refaults;                                 /* per second */
        float events_high, events_max, events_oom_kill; /* in all */
};

/* False if nothing held it back in the window. */
bool history_unit(const struct history *history, uint64_t cgroup_id, usec_t window_usec,
                  struct unit_window *ret_window);

/* ---- hours and days ---- */

/* The steps of a series within `window_usec` of the end: see trends_get(). */
size_t history_trend(const struct history *history, enum trend_kind kind, uint64_t id, usec_t window_usec,
                     usec_t step_usec, struct trend_point *ret_points, size_t max);
/* For whoever loads or stores them. Lives as long as the history. */
struct trends *history_trends(struct history *history);

/* ---- network mounts over a window ---- */

#define HISTORY_MOUNT_ROWS_MAX 4096 /* a mount on which nothing happens has none */

/* A mount's means over a stretch; see struct mount_rate. A stretch in which nothing happened is zero. */
struct mount_window {
        float operations, data_operations, retransmissions; /* per second */
        float queue, rtt, execute;                          /* request seconds per second; rtt NAN unknown */
        float read_bytes, write_bytes;
        float waited;  /* task seconds per second */
        float seconds; /* covered by the frames in which something happened */
};

/* Over the stretch from `begin_usec` to `end_usec` before now (begin > end). False if nothing happened. */
bool history_mount(const struct history *history, uint32_t mount_id, usec_t begin_usec, usec_t end_usec,
                   struct mount_window *ret_window);
/* The realtime instant since which, in one stretch up to now, its users have waited at least so many task
 * seconds per second; at most two frames in a row below are passed over. 0: not so now. */
usec_t history_mount_since_waited(const struct history *history, uint32_t mount_id, float waited);

/* ---- kernel messages ---- */

#define HISTORY_MESSAGES_MAX 128
/* Kernel messages of warning level or worse of the last 15 minutes; newest first. Index 0..n-1; NULL past the
 * end. Borrowed until the next push. */
const struct kernel_message *history_message(const struct history *history, size_t index);
#define HISTORY_KILL_MESSAGES_MAX 64
/* The same of the out-of-memory killer's lines that say who was killed ("oom-kill:", "Killed process"): kept
 * apart, because each kill comes with a hundred lines of warnings. When it was said is set if there is one.
 */
const struct kernel_message *history_kill_message(const struct history *history, size_t index,
                                                  usec_t *ret_realtime_usec);
/* What it has said about disks in the last 15 minutes, at any level; newest first, NULL past the end.
 * Borrowed until the next push. */
const struct disk_event *history_disk_event(const struct history *history, size_t index);
/* How long a disk took for its requests; NULL if nothing is known of it. Borrowed until the next push. */
const struct disk_past_row *history_disk_past(const struct history *history, const char *name);

/* ---- gaps ---- */

struct gap {
        usec_t begin_realtime_usec; /* when the machine was last seen well */
        usec_t end_realtime_usec;   /* when it was seen again */
        usec_t end_monotonic_usec;
        usec_t late_usec; /* how much later than due the sample came, suspend not counted */
        bool others_ran;  /* other processes made progress meanwhile: slowd alone stood still */
};

#define HISTORY_GAPS_MAX 64 /* each at least a second late: more than fit into a minute */
/* Newest first; NULL past the end. A suspend or a set clock alone is no gap. */
const struct gap *history_gap(const struct history *history, size_t index);

/* ---- boots ---- */

#define HISTORY_BOOTS_MAX 11 /* the one that is running, and ten to compare it with */

struct boot;

/* Newest first; NULL past the end. They come with samples, and at the start from the record. */
const struct boot *history_boot(const struct history *history, size_t age);
/* What has become known of a boot: the newest one, or better knowledge of one that is known. */
void history_add_boot(struct history *history, const struct boot *boot);
