/* Trends as of an instant, from what is stored. */
#pragma once

#include "daemon/history/store_read.h"
#include "daemon/history/trends.h"

/* Fills new trends with what was summed up before `until_usec`. Older files have the memory of programs and
 * the machine's values only. What is damaged is left out. 0 or negative errno. */
int trends_load(struct trends *trends, struct store_reader *reader, usec_t until_usec);
