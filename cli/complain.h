/* What goes wrong is said in one sentence on standard error. */
#pragma once

/* "slowctl: SENTENCE", cleaned of what a terminal would obey. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
