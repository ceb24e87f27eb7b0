/* Where files lie: which file system a path is on, as init sees the mounts. */
#pragma once

#include "daemon/sample/sample.h"

/* The path is the directory, or lies below it. Neither ends in a slash, but for "/". */
bool place_is_below(const char *path, const char *directory);
/* The file system that a path lies on: by the longest mount point above it; NULL if it is none of those that
 * are looked at. Symbolic links in the path are not followed. */
const struct file_system_sample *place_of_path(const struct sample *sample, const char *path);
/* By its numbers; NULL likewise. */
const struct file_system_sample *place_of_device(const struct sample *sample, uint32_t major, uint32_t minor);
