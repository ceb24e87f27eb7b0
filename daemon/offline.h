/* An answer from a recording, on whatever machine. */
#pragma once

#include "daemon/config.h"

#define OFFLINE_ERROR_MAX 1024

/* Prints the diagnosis of the recording as of `at` (times as people type them; NULL: its end) to standard
 * output, as `slowctl diagnose --json` does. 0, with what was damaged in error or ""; -EINVAL: `at` is no
 * time; or other errors, each with one sentence in error. */
int offline_diagnose(const char *path, const char *at, const struct config *config,
                     char error[static OFFLINE_ERROR_MAX]);
