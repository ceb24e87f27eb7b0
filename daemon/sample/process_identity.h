/* Who a process is: fills a struct process_identity from exe, cmdline, cwd, status and cgroup, and settles
 * what started it. */
#pragma once

#include "daemon/sample/process_files.h"
#include "daemon/sample/process_users.h"

/* Reads everything; what is missing or may not be read stays empty (is_partial is set if not permitted).
 * Fills the memory fields of sample as well: they come from the same file as the user. comm is that of the
 * process's stat. */
void process_identity_read(const struct process_files *files, const struct process_users *users,
                           struct process_entry *entry, struct span comm, bool is_kernel_thread,
                           struct process_sample *sample);
/* Reads status again: the user into the identity, memory into the sample. False, and nothing changed, if it
 * could not be read; ret_status is the rest of what it says. */
bool process_identity_read_status(const struct process_files *files, const struct process_users *users,
                                  struct process_entry *entry, struct process_sample *sample,
                                  struct process_status *ret_status);
/* Reads the control group again. */
void process_identity_read_cgroup(const struct process_files *files, struct process_entry *entry);
/* What can be said without reading: comm, and a name made of it. */
void process_identity_begin(struct process_entry *entry, struct span comm, bool is_kernel_thread);

/* Settles the ancestors of an entry from the table alone (parents first, also those that are new themselves),
 * as far as they are known: what an ancestor remembers of its own ancestors is inherited, so a chain outlives
 * its members. An entry whose parent's details are still to be read stays unsettled (has_origin false). */
void process_identity_settle_origin(const struct process_table *table, struct process_entry *entry);
