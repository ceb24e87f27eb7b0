/* Frames and incidents -> the file, whatever the file does: opens it, writes again when it can, keeps
 * finished blocks meanwhile, puts a damaged file aside, syncs and prunes. Time comes with the records.
 * Single-threaded; the store runs it on its thread, the export at once. */
#pragma once

#include "daemon/history/store.h"
#include "daemon/history/unwritten.h"

enum record_kind { RECORD_FRAME, RECORD_INCIDENT, RECORD_BOOT, RECORD_SYNC };

struct record {
        enum record_kind kind;
        enum series series;
        bool is_start; /* the frame begins a block */
        usec_t realtime_usec, monotonic_usec;
        struct bytes data;
        /* of an incident */
        usec_t since_usec, until_usec;
        uint64_t id;
        const char *check; /* static */
        /* of a boot, whose id is boot_number() */
        uint8_t stage;
};

struct writer;

/* 0 or -ENOMEM. The file is opened with the first record. */
int writer_new(const struct store_options *options, struct writer **ret_writer);
/* Finishes the blocks, syncs and closes. Returns NULL; accepts NULL. */
struct writer *writer_free(struct writer *writer);
/* Tries to open the file, as of this time. */
void writer_open(struct writer *writer, const struct clock_reading *now);
/* Incidents that a killed slowd left open end with the last sample before. Once, after writer_open(). */
void writer_end_incidents(struct writer *writer);
void writer_set_limits(struct writer *writer, const struct store_limits *limits);
/* Borrows the record. */
void writer_handle(struct writer *writer, const struct record *record);
/* Whether the next frame of a series should begin a block. Asked once, the answer is forgotten. */
bool writer_wants_restart(struct writer *writer, enum series series);
/* Whether it holds anything that a reader of the file does not find there, and a copy of it; NULL: nothing,
 * or no memory. */
bool writer_has_unwritten(const struct writer *writer);
struct unwritten *writer_unwritten(const struct writer *writer);
const struct store_status *writer_status(const struct writer *writer);
