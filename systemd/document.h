/* What people read about the checks, written from the one table: the journal catalog, the example
 * configuration, the manual pages, the list of names. Build-time only; nothing of this is in the daemon. */
#pragma once

#include <stdio.h>

#include "daemon/checks/check.h"

/* Entries for journalctl -x, one for each check, in the format of systemd.io/CATALOG. */
void document_catalog(FILE *out, const struct check *const *table);
/* slowd.conf with every setting commented out at its default. */
void document_example(FILE *out, const struct check *const *table);
/* The names, one a line. */
void document_names(FILE *out, const struct check *const *table);
/* Copies a manual page in scdoc, replacing the lines @CHECKS@ (what each check means) and @SETTINGS@ (what
 * can be set of it). 0, or -EINVAL if the page has a line of another @NAME@. */
int document_manual(FILE *page, FILE *out, const struct check *const *table);
