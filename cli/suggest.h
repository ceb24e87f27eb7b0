/* "Did you mean": the nearest of the names that would have been right. */
#pragma once

#include <stddef.h>

#define SUGGEST_NAME_MAX 64

/* The name among `names` (count) that `typed` is probably a slip of; NULL if none is near enough. */
const char *suggest(const char *typed, const char *const *names, size_t count);
