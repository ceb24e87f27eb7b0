/* Time is passed in, never fetched: a replayed machine brings its own. clock.c alone reads the kernel's
 * clocks. */
#pragma once

#include "common/usec.h"

struct clock_reading {
        usec_t realtime_usec;  /* CLOCK_REALTIME: what people call the time; may step */
        usec_t monotonic_usec; /* CLOCK_MONOTONIC: never steps, stands still during suspend */
        usec_t boottime_usec;  /* CLOCK_BOOTTIME: as monotonic, but runs on during suspend */
};

struct clock {
        void (*read)(void *userdata, struct clock_reading *ret_now);
        void *userdata;
};

/* CPU time that this process has used, all threads: what slowd itself costs. */
usec_t clock_process_cpu_usec(void);

/* The kernel's clocks. */
extern const struct clock clock_real;

static inline struct clock_reading clock_now(const struct clock *clock)
{
        struct clock_reading now;
        clock->read(clock->userdata, &now);
        return now;
}
