/* Reading a history file, live or sent by somebody: samples, roll-ups and incidents in the order in which
 * they were recorded. Memory does not grow with the file. A damaged piece is named and skipped. */
#pragma once

#include <stdatomic.h>

#include "daemon/diagnosis/diagnosis.h"
#include "daemon/history/rollup.h"
#include "daemon/history/sample_codec.h"
#include "daemon/history/trends.h"
#include "daemon/history/store_file.h"
#include "daemon/history/unwritten.h"

struct store_reader;
struct boot;

/* 0, or as store_file_open() with a sentence in error; nothing is written. One thread at a time. */
int store_reader_open(const char *path, struct store_reader **ret_reader, char error[static STORE_ERROR_MAX]);
struct store_reader *store_reader_close(struct store_reader *reader); /* returns NULL; accepts NULL */

/* A reader without a file, for one that cannot be read. 0 or -ENOMEM. */
int store_reader_open_nothing(struct store_reader **ret_reader);
/* From the next seek on what is in memory only is read as well, behind what the file holds. Keeps a
 * reference. */
void store_reader_add_unwritten(struct store_reader *reader, struct unwritten *unwritten);

/* From here on, store_reader_next() gives the samples taken between two realtime instants, both included.
 * Where the clock was set back every match is given, in the order recorded. With `program` (a name, else
 * NULL) blocks in which it was idle all the time may be left out. */
void store_reader_seek(struct store_reader *reader, usec_t from_usec, usec_t until_usec, const char *program);
/* The next sample: ret_sample is zeroed before its first use; two are used in turn, and what they point to
 * stays valid until the second call after, as with sampler_collect(). 1; 0 at the end; -EBADMSG: something
 * was damaged, store_reader_error() names it, and the next call goes on after it; other errors are final. */
int store_reader_next(struct store_reader *reader, struct sample *ret_sample);
/* Samples from the next seek on hold only these processes, and neither disks, interfaces, mounts, swaps,
 * messages nor single CPUs (sample_codec.h). NULL: all again. What it points to is borrowed. */
void store_reader_set_filter(struct store_reader *reader, const struct sample_filter *filter);
/* Samples from here on come without command lines, directories and scripts. */
void store_reader_hide_command_lines(struct store_reader *reader);
const char *store_reader_error(const struct store_reader *reader);
/* When another thread sets it, store_reader_next() and store_reader_next_rollup() end with -ECANCELED.
 * Borrowed. */
void store_reader_set_cancelled(struct store_reader *reader, const atomic_bool *is_cancelled);

/* Roll-ups of a series between two instants. 1 with the machine's row and the programs' (borrowed until the
 * next call), otherwise as store_reader_next(). Seek first. */
void store_reader_seek_rollups(struct store_reader *reader, enum series series, usec_t from_usec,
                               usec_t until_usec, const char *program);
int store_reader_next_rollup(struct store_reader *reader, const struct rollup_machine **ret_machine,
                             const struct rollup_program **ret_programs, size_t *ret_count);

/* The trends of that period, borrowed as the rest; none in older files. */
const struct rollup_trend *store_reader_trends(const struct store_reader *reader, size_t *ret_count);

/* Incidents that were open at some time between the two instants, in order of beginning: calls `found` for
 * each until it returns false. One whose end was never written (slowd was killed) has until_usec 0. 0,
 * -EBADMSG (some are damaged, the others were given) or other errors. */
int store_reader_incidents(struct store_reader *reader, usec_t from_usec, usec_t until_usec,
                           bool (*found)(void *userdata, const struct incident *incident), void *userdata);

/* The last `max` boots that were known at that instant, newest first: calls `found` for each until it returns
 * false; `number` counts them from the oldest kept. 0, -EBADMSG (some are damaged, the others were given) or
 * other errors. A file of before there were boots has none. */
int store_reader_boots(struct store_reader *reader, usec_t until_usec, size_t max,
                       bool (*found)(void *userdata, const struct boot *boot, uint64_t number),
                       void *userdata);

/* Realtime of the first and last sample in the file; 0 and 0 if there is none. */
int store_reader_span(struct store_reader *reader, usec_t *ret_from_usec, usec_t *ret_until_usec);
