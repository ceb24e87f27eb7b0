/* What boot.overload knows while it decides, who held up a boot, and what is said of it. */
#pragma once

#include "daemon/checks/blame.h"
#include "daemon/model/boot_compare.h"

struct boot_situation {
        const double *p;        /* the check's parameters */
        double longer_sec;      /* of them: so much over the usual is long */
        double holder_permille; /* of them: one unit's part of a boot that has no usual */
        const struct snapshot *latest;
        const struct boot *boot;
        const struct boot *earlier[HISTORY_BOOTS_MAX];
        size_t earlier_count;
        struct boot_comparison usual;
        uint64_t unit_usual_usec[BOOT_UNITS_MAX]; /* once it is known to be long */
        uint64_t length_usec;
        bool has_usual;
};

struct boot_suspect {
        const struct boot_unit *unit; /* NULL: no single one */
        uint64_t held_usec;           /* the chain waited for it, and nothing else, for so long */
        uint64_t usual_usec;          /* it usually takes; ABSENT: it was not seen in earlier boots */
        uint64_t excess_usec;         /* of held_usec, what is not usual */
};

double boot_seconds(uint64_t usec);
/* The unit of the chain that took most of what is not usual. */
struct boot_suspect boot_find_holder(const struct boot_situation *s);
/* Whether the chain waited for that one unit for so long that it explains the delay: it is not just the
 * longest of many small ones. */
bool boot_is_held(const struct boot_situation *s, const struct boot_suspect *suspect);
/* And whether it alone is to blame, rather than being the last of many that shared the CPUs. */
bool boot_is_holder(const struct boot_situation *s, const struct boot_suspect *suspect);
/* How long all CPUs were needed just for what many units computed while they started; 0 if one of them did
 * most of it, or if hardly anybody waited for a CPU. */
usec_t boot_crowd_usec(const struct boot_situation *s);
struct subject boot_subject(const struct boot_situation *s, const struct boot_unit *unit);

/* Culprit, evidence, remedies and summary; `how_long` begins the sentence. */
void boot_blame_holder(const struct boot_situation *s, const struct boot_suspect *suspect,
                       const char *how_long, struct finding *finding);
/* The same where no unit holds it up: too much starts at once. */
void boot_blame_load(const struct boot_situation *s, const char *how_long, struct finding *finding);
/* A step or a creep, and what was waited for: evidence. */
void boot_say_trend(const struct boot_situation *s, struct finding *finding);
void boot_say_pressure(const struct boot_situation *s, struct finding *finding);
