/* slowd's own memory: small, and in memory when the machine thrashes. */
#pragma once

/* Before anything is allocated and before there are threads: what malloc keeps back. */
void own_memory_tune(void);
/* Locks what slowd touches, now and later, so that it can still answer while everything else is swapped out.
 * Where that is not permitted nothing happens. */
void own_memory_lock(void);
/* Once the start is over: code and tables of libraries that only the start has needed are taken out of
 * memory; what is used again comes back at its next use, and is locked again. Any thread. */
void own_memory_forget_start(void);
/* After something that needed much for a moment (a question about the past): what was freed in between is
 * given back to the machine. Any thread. */
void own_memory_give_back(void);
