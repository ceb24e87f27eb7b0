/* The state machine of the file: writing, or not writing and trying again after a while.
 *
 * While it cannot be written the blocks being filled grow in memory as ever, finished ones wait in a short
 * list. So an outage shorter than that list loses nothing but its protection against a crash. */
#include "daemon/history/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "daemon/history/incident_codec.h"
#include "daemon/history/store_read.h"
#include "daemon/history/block.h"
#include "daemon/history/encoder.h"

#define RETRY_FIRST_USEC (5 * USEC_PER_SEC)
#define RETRY_LAST_USEC  (60 * USEC_PER_SEC)
#define PENDING_MAX      64 /* finished blocks, and incidents, each */
/* After the clock was set, wait before anything is removed for its age: it may be set back. */
#define CLOCK_TRUST_USEC USEC_PER_HOUR
#define CLOCK_STEP_USEC  (10 * USEC_PER_MINUTE)

struct pending {
        struct block_info info; /* tags are owned */
        struct bytes packed, tags;
};

struct filling {
        struct block block;
        struct block_info info;
        bool has_gap; /* the journal lacks a frame of it, so later ones are of no use there */
};

struct writer {
        struct store_options options;
        char *path;
        struct store_file *file;
        struct store_status status;
        usec_t now_monotonic_usec, now_realtime_usec;
        usec_t retry_at_usec, retry_after_usec; /* monotonic */
        usec_t synced_at_usec;                  /* monotonic */
        usec_t clock_set_usec;                  /* monotonic: when realtime last jumped */
        uint64_t next_generation;
        bool is_open_tried, is_failing, has_unsynced;
        bool wants_restart[SERIES_MAX];
        struct filling filling[SERIES_MAX];
        struct pending pending[PENDING_MAX]; /* oldest first */
        size_t pending_count, pending_bytes;
        struct record boot; /* that could not be written; without data if there is none */
};

int writer_new(const struct store_options *options, struct writer **ret_writer)
{
        struct writer *writer = calloc(1, sizeof(*writer));
        if (!writer)
                return -ENOMEM;
        writer->options = *options;
        writer->next_generation = 1;
        writer->path = strdup(options->path);
        if (!writer->path) {
                free(writer);
                return -ENOMEM;
        }
        *ret_writer = writer;
        return 0;
}

const struct store_status *writer_status(const struct writer *writer)
{
        return &writer->status;
}

bool writer_wants_restart(struct writer *writer, enum series series)
{
        bool wants = writer->wants_restart[series];
        writer->wants_restart[series] = false;
        return wants;
}

/* ---- what goes wrong */

static void set_failed(struct writer *writer, const char *text)
{
        if (!writer->is_failing) {
                writer->is_failing = true;
                writer->retry_after_usec = RETRY_FIRST_USEC;
        } else if (writer->retry_after_usec < RETRY_LAST_USEC) {
                writer->retry_after_usec *= 2;
                if (writer->retry_after_usec > RETRY_LAST_USEC)
                        writer->retry_after_usec = RETRY_LAST_USEC;
        }
        if (writer->status.is_writing || !writer->status.text[0])
                writer->status.since_usec = writer->now_realtime_usec;
        writer->status.is_writing = false;
        writer->retry_at_usec = writer->now_monotonic_usec + writer->retry_after_usec;
        text_format(writer->status.text, sizeof(writer->status.text), "%s", text);
}

static void set_written(struct writer *writer)
{
        writer->is_failing = false;
        if (!writer->status.is_writing) {
                writer->status.is_writing = true;
                writer->status.since_usec = writer->now_realtime_usec;
                writer->status.text[0] = 0;
        }
}

/* A file that is damaged, or that a newer slowd wrote, makes room for a fresh one. */
static int put_aside(struct writer *writer, const char *error)
{
        writer->file = store_file_close(writer->file);
        int result = store_file_put_aside(writer->path, writer->now_realtime_usec);
        if (result == 0)
                text_format(writer->status.set_aside, sizeof(writer->status.set_aside),
                            "%s; kept as %s.damaged-%016llu", error, STORE_FILE_NAME,
                            (unsigned long long)writer->now_realtime_usec);
        return result;
}

static int open_file(struct writer *writer)
{
        char error[STORE_ERROR_MAX];
        writer->is_open_tried = true;
        int result = store_file_open(writer->path, &writer->file, error);
        if ((result == -EBADMSG || result == -EPROTONOSUPPORT) && put_aside(writer, error) == 0)
                result = store_file_open(writer->path, &writer->file, error);
        if (result < 0) {
                set_failed(writer, error);
                return result;
        }
        uint64_t generation = store_file_generation(writer->file);
        if (generation > writer->next_generation)
                writer->next_generation = generation;
        struct store_extent extent;
        if (store_file_extent(writer->file, &extent) == 0) { /* else keep_up() will find out */
                writer->status.bytes = extent.bytes;
                writer->status.oldest_usec = extent.oldest_usec;
        }
        return 0;
}

static void note_failure(struct writer *writer, int result)
{
        char error[STORE_ERROR_MAX];
        text_format(error, sizeof(error), "%s", store_file_error(writer->file));
        if (result == -EBADMSG) {
                for (int series = 0; series < SERIES_MAX; series++) /* a fresh file lacks the frames so far */
                        writer->filling[series].has_gap = true;
                if (put_aside(writer, error) == 0 && open_file(writer) == 0)
                        return;
        } else if (result != -ENOSPC && result != -EBUSY) {
                writer->file = store_file_close(writer->file); /* a new start may help: remounted, mended */
        }
        set_failed(writer, error);
}

static bool is_due(const struct writer *writer)
{
        return !writer->is_failing || writer->now_monotonic_usec >= writer->retry_at_usec;
}

/* Whether it makes sense to write now; opens the file if it is not open. */
static bool may_write(struct writer *writer)
{
        return is_due(writer) && (writer->file || open_file(writer) == 0);
}

/* Something was written: an outage, if there was one, is over. */
static void note_success(struct writer *writer)
{
        writer->has_unsynced = true;
        set_written(writer);
}

/* ---- finished blocks */

static void drop_oldest_pending(struct writer *writer, bool is_lost)
{
        struct pending *oldest = &writer->pending[0];
        if (is_lost && oldest->info.series == SERIES_RAW)
                writer->status.lost_ticks += oldest->info.ticks;
        writer->pending_bytes -= oldest->packed.length;
        bytes_done(&oldest->packed);
        bytes_done(&oldest->tags);
        writer->pending_count--;
        memmove(oldest, oldest + 1, writer->pending_count * sizeof(*oldest));
}

static int write_pending(struct writer *writer)
{
        while (writer->pending_count > 0) {
                struct pending *oldest = &writer->pending[0];
                oldest->info.tags = oldest->tags.data;
                oldest->info.tags_length = oldest->tags.length;
                int result = store_file_seal(writer->file, &oldest->info, &oldest->packed);
                if (result < 0)
                        return result;
                writer->has_unsynced = true;
                drop_oldest_pending(writer, false);
        }
        return 0;
}

/* ---- for readers, while it cannot be written */

/* Without a gap all of it is in the journal. */
static bool is_unwritten(const struct filling *filling)
{
        return filling->block.ticks > 0 && filling->has_gap;
}

bool writer_has_unwritten(const struct writer *writer)
{
        bool has_any = writer->pending_count > 0;
        for (int series = 0; series < SERIES_MAX; series++)
                has_any |= is_unwritten(&writer->filling[series]);
        return has_any;
}

/* Both are copied. */
static void add_unwritten(struct unwritten *unwritten, const struct block_info *info,
                          const struct bytes *tags, const struct bytes *packed)
{
        struct unwritten_block *block = unwritten_add(unwritten);
        bytes_put(&block->tags, tags->data, tags->length);
        bytes_put(&block->packed, packed->data, packed->length);
        block->info = *info;
        block->info.tags = block->tags.data;
        block->info.tags_length = block->tags.length;
        if (block->tags.failed || block->packed.failed)
                unwritten_drop_last(unwritten);
}

struct unwritten *writer_unwritten(const struct writer *writer)
{
        struct unwritten *unwritten =
                writer_has_unwritten(writer) ? unwritten_new(writer->pending_count + SERIES_MAX) : NULL;
        for (size_t i = 0; unwritten && i < writer->pending_count; i++)
                add_unwritten(unwritten, &writer->pending[i].info, &writer->pending[i].tags,
                              &writer->pending[i].packed);
        for (int series = 0; unwritten && series < SERIES_MAX; series++) {
                const struct filling *filling = &writer->filling[series];
                struct bytes packed = { 0 };
                struct block_info info = filling->info;
                info.ticks = filling->block.ticks;
                if (is_unwritten(filling) && block_write(&filling->block, &packed) == 0)
                        add_unwritten(unwritten, &info, &filling->block.streams[STREAM_TAGS], &packed);
                bytes_done(&packed);
        }
        return unwritten;
}

/* Packs the block being filled and queues it; the block is then empty. */
static void finish_block(struct writer *writer, enum series series)
{
        struct filling *filling = &writer->filling[series];
        if (filling->block.ticks == 0)
                return;
        if (writer->pending_count == PENDING_MAX)
                drop_oldest_pending(writer, true);
        struct pending *pending = &writer->pending[writer->pending_count];
        *pending = (struct pending){ .info = filling->info };
        pending->info.ticks = filling->block.ticks;
        pending->info.raw_bytes = filling->block.raw_bytes;
        const struct bytes *tags = &filling->block.streams[STREAM_TAGS];
        bytes_put(&pending->tags, tags->data, tags->length);
        if (block_write(&filling->block, &pending->packed) < 0) {
                if (series == SERIES_RAW)
                        writer->status.lost_ticks += filling->block.ticks;
                bytes_done(&pending->tags);
        } else {
                writer->pending_count++;
                writer->pending_bytes += pending->packed.length;
                while (writer->pending_bytes > STORE_PENDING_MAX)
                        drop_oldest_pending(writer, true);
        }
        block_clear(&filling->block);
}

void writer_open(struct writer *writer, const struct clock_reading *now)
{
        writer->now_monotonic_usec = writer->synced_at_usec = now->monotonic_usec;
        writer->now_realtime_usec = now->realtime_usec;
        if (open_file(writer) == 0)
                set_written(writer);
}

struct ending {
        struct writer *writer;
        usec_t end_usec;
};

static bool end_incident(void *userdata, const struct incident *incident)
{
        const struct ending *ending = userdata;
        struct incident ended = *incident;
        struct bytes data = { 0 };
        if (incident->until_usec != 0)
                return true;
        ended.until_usec = ending->end_usec > incident->since_usec ? ending->end_usec : incident->since_usec;
        int result = incident_write(&ended, &data);
        if (result == 0)
                result = store_file_incident(ending->writer->file, ended.since_usec, ended.id, ended.check,
                                             ended.until_usec, &data);
        bytes_done(&data);
        return result == 0;
}

void writer_end_incidents(struct writer *writer)
{
        char error[STORE_ERROR_MAX];
        struct store_reader *reader;
        struct ending ending = { .writer = writer };
        usec_t first;
        /* A help, no need: whoever asks sees an open incident's end as well (daemon/serve). */
        if (!writer->file || store_reader_open(writer->path, &reader, error) < 0)
                return;
        if (store_reader_span(reader, &first, &ending.end_usec) == 0 && ending.end_usec)
                (void)store_reader_incidents(reader, INT64_MAX, INT64_MAX, end_incident, &ending);
        (void)store_reader_close(reader);
        writer->has_unsynced = true;
}

void writer_set_limits(struct writer *writer, const struct store_limits *limits)
{
        writer->options.limits = *limits;
}

/* ---- upkeep: sync, remove what is old, look at the size */

static void keep_up(struct writer *writer, bool is_asked)
{
        bool is_time = writer->now_monotonic_usec - writer->synced_at_usec >= writer->options.sync_usec;
        if (!writer->file || writer->is_failing || !(is_time || is_asked))
                return;
        writer->synced_at_usec = writer->now_monotonic_usec;
        int result = 0;
        if (writer->has_unsynced)
                result = store_file_sync(writer->file);
        writer->has_unsynced = false;
        bool is_clock_trusted = writer->now_monotonic_usec - writer->clock_set_usec >= CLOCK_TRUST_USEC ||
                                writer->clock_set_usec == 0;
        if (result >= 0)
                result = store_file_prune(writer->file, &writer->options.limits,
                                          is_clock_trusted ? writer->now_realtime_usec : 0);
        if (result > 0)
                writer->has_unsynced = true;
        struct store_extent extent;
        if (result >= 0)
                result = store_file_extent(writer->file, &extent);
        if (result < 0) {
                note_failure(writer, result);
                return;
        }
        writer->status.bytes = extent.bytes;
        writer->status.oldest_usec = extent.oldest_usec;
}

static void take_time(struct writer *writer, const struct record *record)
{
        if (record->kind == RECORD_FRAME && record->series != SERIES_RAW)
                return; /* dated by the begin of its period */
        int64_t step = (int64_t)(record->realtime_usec - writer->now_realtime_usec) -
                       (int64_t)(record->monotonic_usec - writer->now_monotonic_usec);
        /* A suspend looks the same here, and costs but an hour without pruning. */
        if (writer->is_open_tried && (step > (int64_t)CLOCK_STEP_USEC || step < -(int64_t)CLOCK_STEP_USEC))
                writer->clock_set_usec = record->monotonic_usec;
        writer->now_realtime_usec = record->realtime_usec;
        writer->now_monotonic_usec = record->monotonic_usec;
}

static void take_frame(struct writer *writer, const struct record *record)
{
        struct filling *filling = &writer->filling[record->series];
        if (record->is_start) {
                finish_block(writer, record->series);
                filling->has_gap = false;
                filling->info = (struct block_info){ .series = record->series,
                                                     .generation = writer->next_generation++,
                                                     .from_usec = record->realtime_usec,
                                                     .until_usec = record->realtime_usec };
        }
        if (block_append(&filling->block, record->data.data, record->data.length) < 0) {
                /* It follows a block that was cut short, or there is no memory: the next block will do. */
                writer->status.lost_ticks += record->series == SERIES_RAW;
                writer->wants_restart[record->series] = true;
                return;
        }
        if (record->realtime_usec < filling->info.from_usec)
                filling->info.from_usec = record->realtime_usec;
        if (record->realtime_usec > filling->info.until_usec)
                filling->info.until_usec = record->realtime_usec;
        if (filling->has_gap) {
                /* Finished, the block will be written whole; only the next one can be written tick by tick.
                 */
                if (is_due(writer))
                        writer->wants_restart[record->series] = true;
                return;
        }
        filling->has_gap = true;
        if (!may_write(writer))
                return;
        int result = write_pending(writer);
        if (result == 0)
                result = store_file_append(writer->file, record->series, filling->info.generation,
                                           record->realtime_usec, &record->data);
        filling->has_gap = result < 0;
        if (result < 0)
                note_failure(writer, result);
        else
                note_success(writer);
}

/* There is one in a boot, and nobody can tell it again: it waits until it can be written. */
static void write_boot(struct writer *writer)
{
        struct record *boot = &writer->boot;
        if (boot->data.length == 0 || !may_write(writer))
                return;
        int result = store_file_boot(writer->file, boot->id, boot->realtime_usec, boot->stage, &boot->data);
        if (result < 0) {
                note_failure(writer, result);
                return;
        }
        note_success(writer);
        bytes_done(&boot->data);
}

static void take_boot(struct writer *writer, const struct record *record)
{
        bytes_done(&writer->boot.data);
        writer->boot = *record;
        writer->boot.data = (struct bytes){ 0 };
        bytes_put(&writer->boot.data, record->data.data, record->data.length);
        write_boot(writer);
}

static void take_incident(struct writer *writer, const struct record *record)
{
        if (!may_write(writer))
                return; /* its later states, and its end, come when that is possible again */
        int result = store_file_incident(writer->file, record->since_usec, record->id, record->check,
                                         record->until_usec, &record->data);
        if (result < 0)
                note_failure(writer, result);
        else
                note_success(writer);
}

void writer_handle(struct writer *writer, const struct record *record)
{
        take_time(writer, record);
        switch (record->kind) {
        case RECORD_FRAME:
                take_frame(writer, record);
                write_boot(writer);
                break;
        case RECORD_INCIDENT:
                take_incident(writer, record);
                break;
        case RECORD_BOOT:
                take_boot(writer, record);
                break;
        case RECORD_SYNC:
                break;
        }
        keep_up(writer, record->kind == RECORD_SYNC);
}

struct writer *writer_free(struct writer *writer)
{
        if (!writer)
                return NULL;
        for (int series = 0; series < SERIES_MAX; series++)
                finish_block(writer, (enum series)series);
        if (writer->file && write_pending(writer) == 0)
                (void)store_file_sync(writer->file); /* on the way out there is nobody left to tell */
        while (writer->pending_count > 0)
                drop_oldest_pending(writer, true);
        for (int series = 0; series < SERIES_MAX; series++)
                block_done(&writer->filling[series].block);
        (void)store_file_close(writer->file);
        bytes_done(&writer->boot.data);
        free(writer->path);
        free(writer);
        return NULL;
}
