/* The realtime of what is remembered: worked out once, when it is seen, and moved when the clock is set. */
#pragma once

#include "daemon/clock.h"

/* The realtime instant of one on the monotonic clock that is past; what seems yet to come is now. */
static inline usec_t date_of(const struct clock_reading *now, usec_t monotonic_usec)
{
        usec_t age = now->monotonic_usec > monotonic_usec ? now->monotonic_usec - monotonic_usec : 0;
        return now->realtime_usec > age ? now->realtime_usec - age : 0;
}

/* A realtime instant after the clock has been set by `step_usec`. */
static inline usec_t date_moved(usec_t realtime_usec, int64_t step_usec)
{
        usec_t back = step_usec < 0 ? -(usec_t)step_usec : 0;
        return step_usec >= 0         ? realtime_usec + (usec_t)step_usec
               : realtime_usec > back ? realtime_usec - back
                                      : 0;
}
