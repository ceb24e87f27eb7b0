/* One start of the machine as the service manager tells it: when what began, when it was ready, which units
 * held it up and what each cost. Known once per boot; history keeps it for months. */
#pragma once

#include "daemon/sample/sample.h"

#define BOOT_UNITS_MAX 48 /* kept of one boot: the critical chain first, then what took or cost most */
#define BOOT_CHAIN_MAX 24 /* units on the chain; Debian's boots have 8 to 15 */
#define BOOT_TYPE_MAX  16

/* Whether the machine is still starting, and how well its costs are known. */
enum boot_stage {
        BOOT_STARTING, /* not finished: only the times so far and the unit that is waited for */
        BOOT_FINISHED, /* all times; costs as of the end, where daemons may still be settling */
        BOOT_SETTLED,  /* costs as of a minute after the end: final */
        BOOT_LATE,     /* looked at long after: costs only of units that had ended by themselves */
        BOOT_STAGES
};

/* Instants are monotonic, as the service manager counts them; lengths of time are called so. ABSENT is never
 * zero. */
struct boot_times {
        char boot_id[40];
        char kernel[64];
        char target[UNIT_NAME_MAX];  /* what default.target stands for: "graphical.target" */
        char waiting[UNIT_NAME_MAX]; /* while it starts: the unit that has been starting for longest */
        uint8_t stage;               /* enum boot_stage */
        bool is_container;           /* what came before userspace is not its own */
        usec_t began_usec;           /* realtime of the kernel's start; of a container its own */
        usec_t known_usec;           /* realtime of the look */
        usec_t looked_usec;
        uint64_t firmware_length_usec, loader_length_usec; /* ABSENT: not told (BIOS, virtual machines) */
        usec_t initrd_usec;    /* its begin; ABSENT without one that has systemd */
        usec_t userspace_usec; /* begin of the real root's service manager */
        usec_t ready_usec;     /* the target was reached; ABSENT: it was not */
        usec_t finish_usec;    /* nothing was left to start */
        usec_t waiting_since_usec;
        uint64_t services;        /* that were started until the end */
        uint64_t cpu_usec;        /* used by all of them, as far as told */
        uint64_t cpu_waited_usec; /* PSI "some" from the kernel's start to the end of the boot */
        uint64_t io_waited_usec;
};

struct boot_unit {
        char name[UNIT_NAME_MAX];
        char type[BOOT_TYPE_MAX];    /* Type= of a service: "oneshot" */
        char enabled[BOOT_TYPE_MAX]; /* UnitFileState: "enabled", "static" ... */
        uint8_t level;               /* on the critical chain: its depth from 1, the target; 0: not on it */
        usec_t activating_usec,
                activated_usec; /* activated: on the chain also the end of a oneshot; else ABSENT */
        uint64_t length_usec;   /* it took, as systemd-analyze has it */
        uint64_t held_usec;     /* of that the time in which the chain waited for nothing else; chain only */
        uint64_t cpu_usec, read_bytes, write_bytes, memory_peak_bytes;
};

struct boot {
        struct boot_times times;
        struct boot_unit units[BOOT_UNITS_MAX]; /* the chain as systemd-analyze prints it, then the others */
        uint32_t unit_count;
};

/* How long people waited, from the begin of userspace: until the target was reached, else until nothing was
 * left to start. ABSENT while it is starting. */
uint64_t boot_length(const struct boot_times *times);
/* The unit of that name, NULL if it is not among those kept. */
const struct boot_unit *boot_find_unit(const struct boot *boot, const char *name);
/* Whether both are the same start of the same machine. Containers have the boot id of their host, and a soft
 * reboot keeps it. */
bool boot_is_same(const struct boot_times *a, const struct boot_times *b);
/* A number for it, to be found by. */
uint64_t boot_number(const struct boot_times *times);
/* Whether what is known of a boot now should replace what was known before. */
bool boot_is_better(const struct boot *now, const struct boot *before);

/* ---- the critical chain ---- */

/* One loaded unit with its own four timestamps (0: never), and what it is ordered after: indices into the
 * same array, in edges[first_after] and the following. */
struct boot_node {
        struct boot_unit unit;
        usec_t deactivated_usec;
        uint32_t first_after, after_count;
        bool has_ended; /* it is not active any more */
        bool is_kept;   /* scratch */
};

/* systemd's own rule for how long a unit took (analyze-time-data.c): until it was active, else, if it never
 * was, until it had ended. Sets unit.length_usec. */
void boot_node_length(struct boot_node *node);

/* The chain as `systemd-analyze critical-chain` finds it (analyze-critical-chain.c, fuzz 0): from the target,
 * of all units that it is After= and that were active by the end the one that became so last (all of them if
 * several did in the same microsecond), and so on from there; and, where that leaves a hole, the oneshot that
 * ended at its end. Fills ret_boot->units with the chain and then,
 * in the room left, the units that took or cost most; sets level and held_usec. `target` is an index. */
void boot_choose_units(struct boot_node *nodes, size_t count, const uint32_t *edges, size_t target,
                       struct boot *ret_boot);
