/* Alerts on their way to the journal, or to standard error where there is none. Writing may block (a journal
 * that is itself stuck on this machine), so it is done by a worker; the queue is bounded and so is the rate.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "daemon/diagnosis/diagnosis.h"

#define ALERTS_QUEUE_MAX   64
#define ALERTS_BURST_MAX   20                  /* at once, after a quiet time */
#define ALERTS_REFILL_USEC (30 * USEC_PER_SEC) /* and then one per this time */

struct alerts;

/* `to_journal` false: always to standard error (another machine's --root). NULL if there is no memory. */
struct alerts *alerts_new(bool to_journal);
struct alerts *alerts_free(struct alerts *alerts); /* returns NULL; accepts NULL */

/* Queues what happened at a tick. What is over the rate or the queue is dropped and counted. */
void alerts_push(struct alerts *alerts, const struct incident_event *events, size_t count,
                 usec_t now_monotonic_usec);
/* Hands what is queued to the worker; false if there is nothing to send, or it is still sending. */
bool alerts_take(struct alerts *alerts);
/* On the worker: sends what has been taken. Touches nothing else. */
void alerts_send(struct alerts *alerts);
/* Back on the loop: the worker is done. */
void alerts_sent(struct alerts *alerts);
