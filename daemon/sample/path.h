/* Paths as the kernel prints them into tables: blanks and the like as three octal digits. */
#pragma once

#include <stddef.h>

#include "common/text.h"

/* Copies a path with its "\040" escapes undone, sanitized, cut to fit. */
void path_unescape(struct span escaped, char *buffer, size_t size);
