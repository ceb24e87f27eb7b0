/* What all checks share: programs of one name taken together as suspects and victims, and the sentences,
 * subjects and remedies that a finding is made of. Decides nothing. */
#pragma once

#include "daemon/checks/check.h"

#define FAMILIES_MAX        192
#define FAMILY_PROGRAMS_MAX 8

/* All programs of one name, whatever unit they are in: thirty ffmpegs are one suspect even if they were
 * started from three sessions. Means over a window; borrowed names and indices are those of the latest
 * snapshot. */
struct family {
        const char *name;
        struct ledger ledger;
        float cpu;        /* CPUs used, with what reaped children used unseen */
        float demand;     /* CPUs wanted: used and waited for, throttling left out */
        float steady_cpu; /* of cpu, by processes that are no part of a burst of short jobs */
        float read_bytes, write_bytes, major_faults, voluntary_switches;
        float throttled_time_share;
        uint64_t memory_bytes; /* anonymous, shared and swapped; ABSENT if unknown */
        uint32_t count;
        uint32_t programs[FAMILY_PROGRAMS_MAX]; /* the one that wanted most first */
        uint32_t program_count;
        bool is_kernel, is_batch, is_idle_class;
        bool is_self; /* slowd or slowctl: neither suspect nor victim */
        bool delays_known;
};

/* Families with a living process that did anything in the window. Returns how many, at most `max`. */
size_t families_make(const struct history *history, usec_t window_usec, struct family *ret_families,
                     size_t max);

/* The same, with a say in what counts as one family: the name under which a program is taken, which must last
 * as long as the families; NULL for its own. */
typedef const char *family_namer(void *userdata, const struct program_window *window,
                                 const struct program *program);
size_t families_make_named(const struct history *history, usec_t window_usec, family_namer *name_of,
                           void *userdata, struct family *ret_families, size_t max);

/* The time it lost of the time it wanted to work, to one kind of wait, in permille; 0 if it wanted nothing.
 */
int32_t lost_permille_of(float waited, const struct ledger *ledger);

/* What somebody loses to a suspect by one kind of wait. */
struct loss {
        double permille;       /* of the time it wants to work */
        double usual_permille; /* what it waited before the suspect began; NAN: not known */
        bool is_usual_known;
};

/* Where its past is known, what it waits beyond what it always waits. Else `part` (0..1) of what it waits: as
 * much of it as can come from the suspect. */
struct loss loss_of(const struct history *history, const struct family *family, usec_t since_usec,
                    float (*wait)(const struct ledger *), double part);
/* The same for the disk. Who always waits for its disk loses too if it gets less done than it used to. */
struct loss disk_loss(const struct history *history, const struct family *family, usec_t since_usec,
                      double part);

/* The disk to name: the one that is busiest, and of equals the one that is a disk itself rather than stacked
 * on one. NULL if there is none. */
const struct disk_rate *busiest_disk(const struct snapshot *latest);

/* Both are parts of one build (make, cc1, ld ...): they wait for each other by design. */
bool is_build_tool(const char *name);
/* One descends from the other (a script and what it started, a pipeline's parent), or both belong to one
 * build: tools of it, or whatever the same make started. */
bool is_same_job(const struct snapshot *snapshot, const struct family *a, const struct family *b);

/* Whether nice values decide between the two: CFS and EEVDF weigh tasks only within one control group or
 * autogroup. */
enum nice_effect { NICE_WORKS, NICE_OTHER_UNIT, NICE_OTHER_SESSION, NICE_UNKNOWN };
enum nice_effect nice_between(const struct snapshot *snapshot, const struct family *a,
                              const struct family *b);

/* `a` gets of the CPUs what `b` leaves: a batch whose nice value works between the two, or a unit of so much
 * less CPUWeight=. */
bool yields(const struct snapshot *snapshot, const struct family *a, const struct family *b);

/* ---- filling a finding ---- */

struct subject subject_of_family(const struct snapshot *snapshot, const struct family *family, float lost_to,
                                 enum subject_kind kind);
struct subject subject_of_unit(const struct snapshot *snapshot, const struct cgroup_sample *group);
struct subject subject_machine(const struct snapshot *snapshot);
/* What started it: parents, script and directory, as first seen. False if nothing is known. */
bool origin_of_family(const struct snapshot *snapshot, const struct family *family,
                      struct origin *ret_origin);
/* The same of one process of the snapshot. */
bool origin_of_process(const struct snapshot *snapshot, const struct process_identity *identity,
                       struct origin *ret_origin);

/* value, threshold and usual in `unit`; NAN threshold or usual: none. A NAN value adds nothing. */
void finding_evidence(struct finding *finding, const char *name, double value, const char *unit,
                      double threshold, double usual, const char *format, ...)
        __attribute__((format(printf, 7, 8)));
void finding_remedy(struct finding *finding, const char *command, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
/* Commands that can be typed. Names come from processes, which may call themselves anything: a name that a
 * shell would not take literally is never put into a command; then buffer is "". Return buffer. `send` is
 * "kill -STOP" or such: followed by a list of pids, or by pgrep where there are many and the name is the
 * processes' own (not a script's: pgrep would find every other script of that interpreter). */
const char *command_to_processes(char buffer[static FINDING_TEXT_MAX], const struct snapshot *snapshot,
                                 const struct family *family, const char *send);
const char *command_on_unit(char buffer[static FINDING_TEXT_MAX], const char *unit, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
/* Verdict clear or unknown, with its reason. */
void finding_reason(struct finding *finding, enum verdict verdict, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
/* "30 ffmpeg processes", "ffmpeg". */
const char *family_words(char *buffer, size_t size, const struct family *family);

/* The same figure before this began: the mean over up to ten minutes that end a minute before the onset; NAN
 * unknown. */
double usual_lost_permille(const struct history *history, const struct family *family, usec_t since_usec,
                           float (*wait)(const struct ledger *));
