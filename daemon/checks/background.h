/* What background.indexer and background.maintenance share: who of the known workers runs, what each of them
 * takes from the others, and the finding about it. A worker that nobody waits for does its work. */
#pragma once

#include "daemon/checks/disk_use.h"

enum background_parameter {
        BACKGROUND_WINDOW,
        BACKGROUND_RAISE,
        BACKGROUND_CLEAR,
        BACKGROUND_MINIMUM_WAIT,
        BACKGROUND_MINIMUM_SHARE,
        BACKGROUND_MINIMUM_BUSY,
        BACKGROUND_BURST,
        BACKGROUND_PARAMETERS
};
extern const struct check_parameter background_parameters[];

#define BACKGROUND_JOBS_MAX 16

/* One worker and everything that it started. */
struct background_job {
        struct worker worker;
        const char *name; /* its families' */
        uint32_t pid;     /* of the worker itself */
};

/* How far the question came what others lose to a worker; of two resources or disks the further one counts.
 */
enum harm_state {
        HARM_NOTHING_SHORT,   /* neither the disk nor the CPUs are busy enough for it */
        HARM_NOBODY_WAITS,    /* for that resource */
        HARM_BRIEF,           /* it has used the CPUs for a moment only */
        HARM_OTHERS_USE_MORE, /* the waiting is theirs */
        HARM_UNTOLD,          /* who waits uses as much, and has no past by which to tell them apart */
        HARM_KNOWN,           /* the figures below are worked out */
};

/* What the others lose to one worker by one resource. */
struct harm {
        enum harm_state state;
        const struct family *victims[FINDING_VICTIMS_MAX]; /* the worst first */
        double lost_permille_of[FINDING_VICTIMS_MAX];      /* of what each wants */
        double usual_permille[FINDING_VICTIMS_MAX];        /* what it always waits; NAN: not known */
        size_t victim_count;
        double lost; /* by all victims, seconds per second: no more than can come from the worker */
        double lost_permille;
        bool is_usual_known; /* of the worst victim */
        bool is_cpu;         /* else the disk */
};

/* Somebody who may be in the way: a worker's family, or an array of disks that has no process. */
struct offender {
        const struct background_job *job; /* NULL: an array, or nothing known by name */
        const struct family *family;      /* NULL: an array */
        const struct raid_sample *raid;
        struct disk_use place;        /* one of the disks that it works on */
        const struct disk_rate *disk; /* the same, or the busiest if that is not known; NULL: there is none */
        double moved;                 /* bytes per second */
        double queue;                 /* requests it keeps in flight, about */
        usec_t since_usec;
        struct harm harm; /* the worse of both resources */
};

struct background {
        const struct check_context *context;
        const struct history *history;
        const struct snapshot *latest;
        usec_t window_usec;
        double cpus, cpu_busy, disk_in_use; /* disk_in_use: the busiest disk's, or PSI io some */
        struct family families[FAMILIES_MAX];
        struct disk_use uses[FAMILIES_MAX];
        size_t count;
        struct background_job jobs[BACKGROUND_JOBS_MAX];
        size_t job_count;
};

/* Looks at who runs. 0; -ENODATA: neither CPU nor disk figures are known; -EBUSY: nothing is scarce, and the
 * caller's finding has been made. */
int background_begin(const struct check_context *context, struct background *ret_background,
                     struct finding *finding);
/* The worker whose kind is among these (bits 1 << enum worker_kind) that costs the others most; false if none
 * of them runs. */
bool background_worst(const struct background *background, unsigned kinds, struct offender *ret_offender);
/* Whether it goes through directories and takes little from each, whatever it is called: seen by its open
 * files and by what it reads. ret_unread: share of its bytes that no read(2) asked for, 0..1: directories and
 * inodes. */
bool background_is_walker(const struct background *background, const struct family *family,
                          double *ret_unread);
/* What others lose to an offender by the disk, and to a worker by the CPUs: each fills offender->harm if it
 * is worse than what is there. */
void background_examine_disk(const struct background *background, struct offender *offender);
void background_examine_cpu(const struct background *background, struct offender *offender);
bool background_costs_more(const struct offender *a, const struct offender *b);
/* Verdict, with its reason or all that makes a finding. */
void background_conclude(const struct background *background, const struct offender *offender,
                         struct finding *ret_finding);

/* ---- for background_harm.c and background_report.c ---- */
double background_parameter(const struct background *background, enum background_parameter number);
/* Which of the workers that family is; NULL: none. */
const struct background_job *background_job_of(const struct background *background,
                                               const struct family *family);
void background_report(const struct background *background, const struct offender *offender,
                       struct finding *ret_finding);
