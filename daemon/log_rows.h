/* What is told of the logs: one row each, made from the last look and the history. */
#pragma once

#include "daemon/history/history.h"

struct log_row {
        struct log_file_sample log;
        float growth_per_sec;          /* bytes; NAN unknown */
        float reads_per_min;           /* in full; NAN unknown */
        usec_t full_usec;              /* until it alone has filled its file system; 0: not soon */
        char writer[PROGRAM_NAME_MAX]; /* "" unknown */
        char unit[UNIT_NAME_MAX];      /* its */
        char mount[PATH_TEXT_MAX];     /* that it lies on */
};

struct log_rows {
        usec_t read_usec; /* realtime; 0: not looked at yet */
        struct log_row rows[LOG_FILES_MAX];
        size_t count;
        struct log_unit_sample units[LOG_UNITS_MAX];
        size_t unit_count;
};

/* Of the history's latest snapshot. */
void log_rows_make(const struct history *history, struct log_rows *ret_rows);
