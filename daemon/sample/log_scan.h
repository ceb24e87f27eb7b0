/* The scan for logs: which files grow, who writes them, who reads them over and over, what logrotate covers,
 * and which unit fills the journal. It goes on bit by bit on a polite thread, a hundred names and a few
 * processes a look, and remembers where it stopped; it enters no network or FUSE mount and follows no
 * symlink. The tick hints at processes that write or read much right now: those are looked at first. */
#pragma once

#include "daemon/sample/aside.h"
#include "daemon/sample/sample.h"

struct log_scan_result {
        struct log_file_sample logs[LOG_FILES_MAX];
        size_t log_count;
        struct log_unit_sample units[LOG_UNITS_MAX];
        size_t unit_count;
};

/* A struct log_scan_result every five seconds; what is looked at in each differs. -EOPNOTSUPP below a root
 * that is not live. */
extern const struct aside_source log_scan_source;

#define LOG_HINTS_MAX 16

/* Processes that move most by read() and write() at the moment. */
struct log_hints {
        uint32_t writers[LOG_HINTS_MAX], readers[LOG_HINTS_MAX];
        size_t writer_count, reader_count;
};

/* From the tick, at any time: what two samples say of who moves much. `older` may be NULL. */
struct log_hints log_hints_of(const struct sample *older, const struct sample *newer);
/* Hands them to the thread. There is one machine, so there is one place for them. */
void log_hints_give(const struct log_hints *hints);
struct log_hints log_hints_take(void);
