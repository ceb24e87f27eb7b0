/* /proc/swaps: the swap areas. Read when the amount of swap has changed, else once a minute: meminfo has the
 * level of every tick. */
#pragma once

#include "daemon/sample/buffer.h"
#include "daemon/sample/sample.h"

struct swaps {
        struct swap_sample rows[SWAPS_MAX];
        size_t count;
        uint64_t dropped;
        uint64_t total_bytes; /* meminfo's when they were read */
        usec_t read_usec;     /* monotonic; 0 never */
        int error;
};

/* Errors as in parsers.h. */
int swaps_parse(struct span text, struct swaps *ret_swaps);
/* Fills sample->swaps; sample->time and meminfo must be there already. 0, or negative errno of the last
 * reading. */
int swaps_collect(struct swaps *swaps, const struct root *root, struct buffer *buffer, struct sample *sample);
