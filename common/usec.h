/* The one time type: microseconds, of which clock a variable says. */
#pragma once

#include <inttypes.h>
#include <stdint.h>

typedef uint64_t usec_t;

#define USEC_PER_MSEC   UINT64_C(1000)
#define USEC_PER_SEC    UINT64_C(1000000)
#define USEC_PER_MINUTE (60 * USEC_PER_SEC)
#define USEC_PER_HOUR   (60 * USEC_PER_MINUTE)
#define USEC_PER_DAY    (24 * USEC_PER_HOUR)
#define NSEC_PER_USEC   UINT64_C(1000)
