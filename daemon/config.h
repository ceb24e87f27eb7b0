/* slowd.conf and slowd.conf.d/NAME.conf: parsed once into a constant struct; SIGHUP makes a new one. */
#pragma once

#include <stddef.h>

#include "daemon/checks/check.h"
#include "daemon/history/store_file.h"

#define INTERVAL_MIN_USEC (50 * USEC_PER_MSEC)
#define INTERVAL_MAX_USEC (60 * USEC_PER_SEC)
#define KEEP_MIN_USEC     USEC_PER_HOUR
#define KEEP_MAX_USEC     (3653 * USEC_PER_DAY) /* ten years */
#define SIZE_MIN_BYTES    UINT64_C(1000000)
#define SIZE_MAX_BYTES    UINT64_C(1000000000000)

struct config {
        usec_t interval_usec;       /* [slowd] Interval=, default 5 s */
        usec_t fast_interval_usec;  /* [slowd] FastInterval=, default 1 s; never longer than interval_usec */
        struct store_limits limits; /* KeepSamples= 30 days, KeepSummaries= 13 months, MaximumSize= 500 MB */
        struct added_workers workers; /* [workers] */
        bool check_enabled[CHECKS_MAX];
        double parameters[CHECKS_MAX]
                         [CHECK_PARAMETERS_MAX]; /* in the order of checks[] and of their parameters */
};

/* The defaults, from the tables of the checks. */
void config_defaults(struct config *ret_config);

/* Reads FILE and then every FILE.d/NAME.conf in order of name, over the defaults. A missing FILE is fine if
 * `may_be_missing`. 0, or negative errno with one clear sentence ("slowd.conf:12: unknown setting 'Foo' in
 * [slowd]") in error. */
int config_read(const char *path, bool may_be_missing, struct config *ret_config, char *error,
                size_t error_size);

/* The same for text already in memory, over what ret_config holds; `name` is what a sentence calls it. */
int config_parse(const char *name, const char *text, size_t length, struct config *ret_config, char *error,
                 size_t error_size);

/* "5", "0.2", "500ms", "5s", "2min" -> microseconds. 0, -EINVAL (no such time) or -ERANGE (over a day). */
int config_parse_time(const char *text, usec_t *ret_usec);
/* "500M", "1.5G", "800 kB", "2000000" -> bytes; powers of 1000. 0, -EINVAL or -ERANGE (over 10^15). */
int config_parse_size(const char *text, uint64_t *ret_bytes);
