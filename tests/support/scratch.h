/* A directory for one test, gone afterwards. */
#pragma once

#include <stddef.h>

/* Makes a fresh directory below $TMPDIR or /tmp; static buffer. */
const char *scratch_make(void);
/* DIRECTORY/NAME in one of eight static buffers. */
const char *scratch_path(const char *directory, const char *name);
/* Removes the directory and the files in it (no directories below). */
void scratch_remove(const char *directory);
/* Files in it whose name holds `part`. */
size_t scratch_count(const char *directory, const char *part);
