/* What is known of one log: how fast it grows, when that fills its disk, how often it is read in full. Used
 * by log.oversized and by the list of logs. */
#pragma once

#include "daemon/checks/filling.h"
#include "daemon/checks/forecast.h"

#define LOG_WORDS_MAX 96

struct log_growth {
        const struct log_file_sample *log;
        const struct file_system_sample *place; /* NULL unknown */
        double per_sec;                         /* bytes; NAN not known yet */
        usec_t watched_usec;                    /* over which that was seen */
        bool fills;                             /* it alone will fill its file system: */
        usec_t full_usec;                       /* in so long */
        bool has_filled;                        /* it is full, and this log has taken most of what was left */
        double reads_per_min;                   /* in full; NAN not known */
        double reads;                           /* in all, while it was watched */
};

/* Less is no time to know a rate. */
#define LOG_WATCH_LEAST_USEC (USEC_PER_MINUTE)

struct log_growth log_growth_of(const struct history *history, const struct log_file_sample *log,
                                double reach);
/* "daily", "from 100 MB on": how logrotate is told to treat it; "" if it is not. Returns buffer. */
const char *log_rotation_words(char buffer[static LOG_WORDS_MAX], const struct log_file_sample *log);
/* logrotate will have its turn before the disk is full. */
bool log_is_rotated_in_time(const struct log_growth *growth);
