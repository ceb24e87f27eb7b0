/* Boots of before, from the record into a history: what today's boot is compared with. */
#pragma once

#include "daemon/history/history.h"
#include "daemon/history/store_read.h"

/* Those that were known at that instant. Damaged ones are left out. 0, or negative errno. */
int boots_load(struct store_reader *reader, usec_t until_usec, struct history *history);
