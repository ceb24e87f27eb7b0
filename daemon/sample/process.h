/* The process source: what every process does, read as cheaply as this machine allows. Knows /proc/PID and
 * taskstats, keeps a table of known processes and their identities; makes no rates and judges nothing. */
#pragma once

#include "daemon/root.h"
#include "daemon/sample/sample.h"

struct process_source;

/* Entries that the source adds to sample->collectors at most: "processes", "process.taskstats",
 * "process.delays", "process.details". */
#define PROCESS_STATUS_MAX 4

/* Opens what is kept open and allocates what is kept. On a live root, where permitted, it switches
 * kernel.task_delayacct on. root must outlive the source; of machine, hz and page_bytes are used (copied).
 * without_taskstats: read /proc only, as without privileges. 0, or negative errno (no /proc: -ENOENT). */
int process_source_new(const struct root *root, const struct machine *machine, bool without_taskstats,
                       struct process_source **ret_source);
struct process_source *process_source_free(struct process_source *source); /* returns NULL; accepts NULL */

/* Fills sample->processes (sorted by pid), process_count and delay_accounting_since_usec, adds to
 * sample->dropped and appends up to PROCESS_STATUS_MAX entries to sample->collectors. sample->time must be
 * set before. `older` is the sample filled by the call before (NULL at the first): processes that have not
 * run since are copied from it, not read. Identities of processes that ended stay valid until the second call
 * after. Never fails as a whole. */
void process_source_collect(struct process_source *source, const struct sample *older, struct sample *sample);

/* Asks that processes in these control groups (process_identity.cgroup_id: units held back by a CPU quota) be
 * examined for listening sockets at the next collect; replaces what was asked before. Up to
 * PROCESS_SERVER_GROUPS_MAX are kept. */
#define PROCESS_SERVER_GROUPS_MAX 64
void process_source_examine_servers(struct process_source *source, const uint64_t *cgroup_ids, size_t n);
