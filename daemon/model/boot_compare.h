/* One boot held against this machine's own earlier ones: longer than usual, since when, suddenly or little by
 * little, and whether it was one of those that take longer once. Pure. */
#pragma once

#include "daemon/sample/boot.h"

#define BOOT_EARLIER_MAX 10 /* boots that make up what is usual */

enum boot_change {
        BOOT_AS_USUAL, /* or shorter, or there is nothing to compare with */
        BOOT_STEP,     /* from one boot to the next */
        BOOT_CREEP,    /* over many boots */
};

struct boot_comparison {
        uint32_t count;      /* earlier boots that it was compared with */
        uint64_t usual_usec; /* the median of their lengths; ABSENT without any */
        uint64_t over_usec;  /* so much longer; 0 if not */
        enum boot_change change;
        usec_t since_usec; /* a step: realtime of the first boot that was so long; a creep: of the first seen
                            */
        uint32_t since_boots;         /* a step: this one and so many before it are so long */
        bool is_once;                 /* it is no measure of the next ones */
        char once[2 * UNIT_NAME_MAX]; /* and why: "the first boot with kernel 6.1.0-42-amd64" */
};

/* `earlier`: newest first, at most BOOT_EARLIER_MAX are looked at. */
void boot_compare(const struct boot *boot, const struct boot *const *earlier, size_t count,
                  struct boot_comparison *ret_comparison);
/* What each unit of a boot usually took, in the order of boot->units: the median; ABSENT if no earlier boot
 * has kept it. Takes a while, as all names are compared: not for every tick. */
void boot_compare_units(const struct boot *boot, const struct boot *const *earlier, size_t count,
                        uint64_t ret_usual_usec[static BOOT_UNITS_MAX]);

/* What is told of one boot: itself, and what it was compared with. */
struct boot_report {
        struct boot boot;
        struct boot_comparison comparison;
        uint64_t unit_usual_usec[BOOT_UNITS_MAX];
        struct boot_times earlier[BOOT_EARLIER_MAX]; /* newest first */
        uint32_t earlier_count;
};

/* As boot_compare_units(). */
void boot_report_make(const struct boot *boot, const struct boot *const *earlier, size_t count,
                      struct boot_report *ret_report);
