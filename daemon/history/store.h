/* The store as the daemon sees it: what is handed in is encoded at once and written by a thread of its own,
 * so a slow, full or broken disk never holds up a tick. Whatever happens to the file, slowd goes on;
 * store_status() says what happened. */
#pragma once

#include "daemon/clock.h"
#include "daemon/diagnosis/diagnosis.h"
#include "daemon/history/store_file.h"
#include "daemon/history/trends.h"
#include "daemon/history/unwritten.h"
#include "daemon/model/snapshot.h"

#define STORE_FILE_NAME       "history.slowd"
#define STORE_QUEUE_MAX       64 /* records handed in and not yet written; further ones are dropped */
#define STORE_QUEUE_BYTES_MAX (32u << 20)
#define STORE_PENDING_MAX     (4u << 20) /* bytes of finished blocks kept while the file cannot be written */

struct store_options {
        const char *path;          /* of the file */
        const struct clock *clock; /* must outlive the store */
        struct store_limits limits;
        usec_t sync_usec; /* at most one sync in this time; power loss loses no more */
};

/* 30 days of samples, 13 months of roll-ups, 500 MB in all, a sync every 30 s. */
void store_default_options(const char *path, const struct clock *clock, struct store_options *ret_options);

struct store;

/* Starts the writer, which opens the file. A file that cannot be used is no error here. 0, -ENOMEM or what
 * pthread_create() says. */
int store_new(const struct store_options *options, struct store **ret_store);
/* Finishes the blocks being filled, writes and syncs everything. Returns NULL; accepts NULL. */
struct store *store_free(struct store *store);

/* Other limits from now on; what is over them is removed little by little. Any thread. */
void store_set_limits(struct store *store, const struct store_limits *limits);

/* These are for one thread, the tick's. The first three never wait for the disk. A kill -9 loses what is
 * still in the queue: the sample handed in last, or more only while the disk is stuck for longer than a tick.
 */
void store_append(struct store *store, const struct sample *sample);
/* What becomes the roll-ups; after each snapshot_make(). */
void store_append_snapshot(struct store *store, const struct snapshot *snapshot);
/* What is summed up with them; borrowed, the same thread's. Before they go away: NULL, which ends the periods
 * at hand. */
void store_set_trends(struct store *store, const struct trends *trends);
/* An incident that opened, worsened or closed. */
void store_append_incident(struct store *store, const struct incident *incident);
/* Waits until what was handed in has been dealt with: it is then safe against the death of this process. */
void store_wait(struct store *store);
/* The same, and syncs: it is then safe against power loss, if the file can be written. */
void store_flush(struct store *store);

struct store_status {
        bool has_unwritten;              /* part of the past is in memory only: store_unwritten() has it */
        bool is_writing;                 /* false: slowd remembers in memory only, and `text` says why */
        char text[STORE_ERROR_MAX];      /* what went wrong last, "" if nothing did */
        usec_t since_usec;               /* realtime, of that */
        uint64_t bytes;                  /* on disk */
        usec_t oldest_usec;              /* realtime of the oldest sample, 0 if there is none */
        uint64_t lost_ticks;             /* samples that were not kept, since start */
        char set_aside[STORE_ERROR_MAX]; /* the file that was put aside as damaged, "" if none was */
};
/* What of the past is in memory only, for readers of the file (store_reader_add_unwritten()): a reference of
 * the caller's. NULL: nothing, or the writer did not answer within three seconds because the disk holds it
 * up. Any thread but the tick's: it waits. */
struct unwritten *store_unwritten(struct store *store);
/* Any thread. */
void store_status(struct store *store, struct store_status *ret_status);
