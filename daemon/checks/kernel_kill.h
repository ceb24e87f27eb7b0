/* What the kernel's out-of-memory killer says of a kill, read from its messages. */
#pragma once

#include "daemon/history/history.h"

struct kernel_kill {
        usec_t at_usec;      /* realtime */
        uint64_t anon_bytes; /* what it held; ABSENT if not told */
        uint32_t pid;
        bool is_limit; /* its control group's limit, not the machine, ran out */
        char name[COMM_MAX];
        char group[UNIT_NAME_MAX]; /* of the killed task, last part of its path; "" if not told */
};

/* The kills of the last `window_usec`, newest first, at most `max`. Returns how many. */
size_t kernel_kills(const struct history *history, usec_t window_usec, struct kernel_kill *ret_kills,
                    size_t max);
