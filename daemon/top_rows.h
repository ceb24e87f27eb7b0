/* Programs of a snapshot as rows of Top. */
#pragma once

#include "daemon/model/snapshot.h"
#include "daemon/tick.h"

/* Which rows come first: time wanted; of idle programs the one that holds most memory. */
float top_row_score(const struct program *program);
void top_row_make(const struct snapshot *snapshot, const struct program *program, struct top_row *row);
