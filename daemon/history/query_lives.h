/* Who was there, since when, and what they used: gathered while a question goes through the record. Inside
 * query*.c only. */
#pragma once

#include "daemon/history/query_cells.h"

struct lives;

/* NULL if there is no memory. */
struct lives *lives_new(const struct query *query);
struct lives *lives_free(struct lives *lives); /* returns NULL; accepts NULL */

/* A process that was asked for, over one interval. With `only_new` it is counted only if it began then:
 * others were counted by roll-ups. */
void lives_add_process(struct lives *lives, const struct snapshot *snapshot, const struct process_rate *rate,
                       bool only_new);
/* Whether the snapshots to come hold only processes that were asked for: not those who started them. */
void lives_set_narrow(struct lives *lives, bool is_narrow);
/* One program's row of one period. */
void lives_add_rollup(struct lives *lives, const struct rollup_machine *machine,
                      const struct rollup_program *program);
/* A process of that snapshot tells what roll-ups do not know: who started it, when, and what it runs. Only of
 * lives that are known already; of those that have no details yet. */
void lives_describe(struct lives *lives, const struct snapshot *snapshot, const struct process_rate *rate);
/* CPU time that the whole machine used. */
void lives_add_machine(struct lives *lives, double cpu_usec);
bool lives_is_empty(const struct lives *lives);
/* An instant at which the life that used most, of those that lack details, was seen; 0: there is none. */
usec_t lives_undescribed(const struct lives *lives);
/* Allocates ret_result->lifetimes: those that used most first. Whoever was seen at `end_usec` or later has
 * not ended. 0 or -ENOMEM. */
int lives_finish(const struct lives *lives, usec_t end_usec, struct query_result *ret_result);
