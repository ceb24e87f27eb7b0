/* The kernel's clocks: the only place that reads them. */
#include "daemon/clock.h"

#include <time.h>

static usec_t clock_usec(clockid_t id)
{
        struct timespec now;
        (void)clock_gettime(id, &now);
        return (usec_t)now.tv_sec * USEC_PER_SEC + (usec_t)now.tv_nsec / NSEC_PER_USEC;
}

static void clock_real_read(void *userdata, struct clock_reading *ret_now)
{
        (void)userdata;
        *ret_now = (struct clock_reading){
                .realtime_usec = clock_usec(CLOCK_REALTIME),
                .monotonic_usec = clock_usec(CLOCK_MONOTONIC),
                .boottime_usec = clock_usec(CLOCK_BOOTTIME),
        };
}

usec_t clock_process_cpu_usec(void)
{
        return clock_usec(CLOCK_PROCESS_CPUTIME_ID);
}

const struct clock clock_real = { .read = clock_real_read };
