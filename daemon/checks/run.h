/* All checks over one state of history: the same for the live machine and for a recorded one. */
#pragma once

#include "daemon/config.h"

/* Runs every check that the configuration does not switch off. was_found[] and ret_findings[] are in the
 * order of checks[]; was_found[] says which incidents are open, and is brought up to date. Returns how many
 * checks. */
size_t checks_run(const struct history *history, const struct config *config,
                  bool was_found[static CHECKS_MAX], struct finding ret_findings[static CHECKS_MAX]);
