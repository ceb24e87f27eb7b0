/* The best of many, in place: glibc's qsort takes memory for lists over a kilobyte, which a tick must not. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct ranked {
        uint32_t index; /* of whatever is ranked */
        float score;
};

/* Moves the `max` highest scores to the front, highest first; what stands behind them is in no order. Equal
 * ones stand by index; NAN counts as lowest. Returns how many there are: count, or max if that is less. */
size_t ranking_best(struct ranked *list, size_t count, size_t max);
