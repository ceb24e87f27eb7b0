/* What file systems have counted of their errors. All of it is in memory of the kernel, but scattered over
 * many small files: read aside, every ten seconds. */
#pragma once

#include "daemon/sample/aside.h"
#include "daemon/sample/sample.h"

struct fs_errors_result {
        struct fs_errors_sample fs[FS_ERRORS_MAX];
        size_t fs_count;
        uint64_t dropped; /* over the caps */
};

/* The result is a struct fs_errors_result. */
extern const struct aside_source fs_errors_source;
