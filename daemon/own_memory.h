/* slowd's own memory: small, and in memory when the machine thrashes. */
#pragma once

/* Before anything is allocated and before there are threads: what malloc keeps back. */
void own_memory_tune(void);
/* Locks what slowd touches, now and later, so that it can still answer while everything else is swapped out.
 * Where that is not permitted nothing happens. */
void own_memory_lock(void);
