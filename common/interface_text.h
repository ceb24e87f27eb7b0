/* The text of io.slowd.Diagnostics.varlink as it was when this was built (see embed.cmake). */
#pragma once

#include <stddef.h>

extern const char interface_text[]; /* NUL-terminated */
extern const size_t interface_text_length;
