/* smartctl's JSON -> what is kept of it. */
#pragma once

#include "common/text.h"
#include "daemon/sample/disk_health.h"

#define EXAMINE_ANSWER_MAX ((size_t)256 << 10)
#define EXAMINE_ASLEEP     3 /* what smartctl is told to end with if it would have to wake the disk */

/* Reads one answer of "smartctl --json -i -H -A" with its exit status into a row whose name is set already.
 * 0; -EINVAL if it is no such answer: the row is then that of a disk that did not answer. */
int examine_answer(struct span text, int exit_status, struct disk_health_row *row);
