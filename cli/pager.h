/* Long output goes through a pager: $SLOWD_PAGER, $PAGER, less or more. */
#pragma once

#include <stddef.h>

/* Shows the text and waits until its reader has had enough. 0; -ENOENT if there is no pager, or none is
 * wanted (an empty variable, or "cat"): nothing has been shown then; another negative errno. */
int pager_show(const char *text, size_t size);
