/* The tick's side of the store, and the queue between it and the writer's thread. */
#include "daemon/history/store.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "daemon/history/boot_codec.h"
#include "daemon/history/catch_up.h"
#include "daemon/history/incident_codec.h"
#include "daemon/history/rollup_encode.h"
#include "daemon/history/sample_codec.h"
#include "daemon/history/writer.h"
#include "daemon/own_memory.h"

#define UNWRITTEN_WAIT_SEC 3 /* a slower writer is stuck in the disk */

struct summary {
        struct rollup *rollup;
        struct rollup_encoder *encoder;
        enum series series;
};

struct store {
        struct store_options options;
        struct sample_encoder *encoder;
        struct summary summaries[2];
        const struct trends *trends; /* or NULL */
        struct clock_reading now;    /* of the last sample */
        pthread_t thread;
        struct writer *writer; /* the thread's */

        pthread_mutex_t lock;
        pthread_cond_t has_work, has_finished;
        struct record queue[STORE_QUEUE_MAX];
        size_t first, count, bytes;
        bool is_busy, is_stopping;
        bool restart[SERIES_MAX];   /* the next frame is to begin a block */
        uint64_t lost_ticks;        /* dropped here, before the writer saw them */
        struct store_limits limits; /* for the writer from its next record on */
        struct store_status status;
        struct unwritten *unwritten; /* the newest copy that somebody asked for */
        uint64_t copies_wanted, copies_made;
};

void store_default_options(const char *path, const struct clock *clock, struct store_options *ret_options)
{
        *ret_options = (struct store_options){
                .path = path,
                .clock = clock,
                .limits = { .keep_usec = { [SERIES_RAW] = 30 * USEC_PER_DAY,
                                           [SERIES_MINUTE] = 396 * USEC_PER_DAY,
                                           [SERIES_HOUR] = 396 * USEC_PER_DAY },
                            .size_bytes = 500 * UINT64_C(1000000) },
                .sync_usec = 30 * USEC_PER_SEC,
        };
}

/* ---- the writer's thread */

static void publish_status(struct store *store)
{
        store->status = *writer_status(store->writer);
        store->status.has_unwritten = writer_has_unwritten(store->writer);
        if (!store->status.has_unwritten)
                store->unwritten = unwritten_unref(store->unwritten);
        for (int series = 0; series < SERIES_MAX; series++)
                store->restart[series] |= writer_wants_restart(store->writer, (enum series)series);
}

/* With the lock held, but for the work itself. */
static void make_copy(struct store *store)
{
        uint64_t wanted = store->copies_wanted;
        (void)pthread_mutex_unlock(&store->lock);
        struct unwritten *unwritten = writer_unwritten(store->writer);
        (void)pthread_mutex_lock(&store->lock);
        store->unwritten = unwritten_unref(store->unwritten);
        store->unwritten = unwritten;
        store->copies_made = wanted;
        (void)pthread_cond_broadcast(&store->has_finished);
}

static void *run(void *userdata)
{
        struct store *store = userdata;
        struct clock_reading now = clock_now(store->options.clock);
        writer_open(store->writer, &now);
        (void)pthread_mutex_lock(&store->lock);
        publish_status(store); /* what follows takes a while */
        (void)pthread_mutex_unlock(&store->lock);
        writer_end_incidents(store->writer);
        if (writer_status(store->writer)->is_writing)
                catch_up(store->options.path, store->writer);
        own_memory_give_back();
        (void)pthread_mutex_lock(&store->lock);
        publish_status(store);
        for (;;) {
                while (store->count == 0 && !store->is_stopping && store->copies_made == store->copies_wanted)
                        (void)pthread_cond_wait(&store->has_work, &store->lock);
                if (store->copies_made < store->copies_wanted)
                        make_copy(store);
                if (store->count == 0 && store->is_stopping)
                        break;
                if (store->count == 0)
                        continue;
                struct record record = store->queue[store->first];
                store->first = (store->first + 1) % STORE_QUEUE_MAX;
                store->count--;
                store->bytes -= record.data.length;
                store->is_busy = true;
                struct store_limits limits = store->limits;
                (void)pthread_mutex_unlock(&store->lock);

                writer_set_limits(store->writer, &limits);
                writer_handle(store->writer, &record);
                bytes_done(&record.data);

                (void)pthread_mutex_lock(&store->lock);
                store->is_busy = false;
                publish_status(store);
                (void)pthread_cond_broadcast(&store->has_finished);
        }
        (void)pthread_mutex_unlock(&store->lock);
        store->writer = writer_free(store->writer);
        return NULL;
}

/* Takes over record->data. False if the queue is full: a frame is then missing, and its block must end. */
static bool hand_in(struct store *store, struct record *record)
{
        (void)pthread_mutex_lock(&store->lock);
        bool fits =
                store->count < STORE_QUEUE_MAX && record->data.length <= STORE_QUEUE_BYTES_MAX - store->bytes;
        if (fits) {
                store->queue[(store->first + store->count) % STORE_QUEUE_MAX] = *record;
                store->count++;
                store->bytes += record->data.length;
                (void)pthread_cond_signal(&store->has_work);
        } else {
                if (record->kind == RECORD_FRAME)
                        store->restart[record->series] = true;
                if (record->kind == RECORD_FRAME && record->series == SERIES_RAW)
                        store->lost_ticks++;
        }
        (void)pthread_mutex_unlock(&store->lock);
        if (!fits)
                bytes_done(&record->data);
        return fits;
}

static bool take_restart(struct store *store, enum series series)
{
        (void)pthread_mutex_lock(&store->lock);
        bool restart = store->restart[series];
        store->restart[series] = false;
        (void)pthread_mutex_unlock(&store->lock);
        return restart;
}

/* ---- handing in */

static void append_boot(struct store *store, const struct boot *boot)
{
        struct record record = { .kind = RECORD_BOOT,
                                 .realtime_usec = store->now.realtime_usec,
                                 .monotonic_usec = store->now.monotonic_usec,
                                 .id = boot_number(&boot->times),
                                 .stage = boot->times.stage };
        if (boot_write(boot, &record.data) < 0)
                bytes_done(&record.data);
        else
                (void)hand_in(store, &record);
}

void store_append(struct store *store, const struct sample *sample)
{
        store->now = sample->time;
        if (take_restart(store, SERIES_RAW))
                sample_encoder_restart(store->encoder);
        struct record record = { .kind = RECORD_FRAME,
                                 .series = SERIES_RAW,
                                 .realtime_usec = sample->time.realtime_usec,
                                 .monotonic_usec = sample->time.monotonic_usec };
        int result = sample_encoder_add(store->encoder, sample, &record.data);
        if (result < 0) {
                bytes_done(&record.data);
                (void)pthread_mutex_lock(&store->lock);
                store->lost_ticks++;
                (void)pthread_mutex_unlock(&store->lock);
                return;
        }
        record.is_start = result > 0;
        (void)hand_in(store, &record);
        if (sample->boot && sample->boot->times.stage != BOOT_STARTING)
                append_boot(store, sample->boot);
}

/* The finished period of a roll-up as a frame of its series. */
static void hand_in_summary(struct store *store, struct summary *summary)
{
        if (take_restart(store, summary->series))
                rollup_encoder_restart(summary->encoder);
        struct record record = { .monotonic_usec = store->now.monotonic_usec };
        size_t count;
        const struct rollup_program *programs = rollup_programs(summary->rollup, &count);
        const struct rollup_machine *machine = rollup_machine(summary->rollup);
        struct rollup_trend trends[TRENDS_MAX];
        if (store->trends)
                rollup_encoder_trends(
                        summary->encoder, trends,
                        trends_rows(store->trends, machine->period_usec, machine->from_usec, trends));
        if (rollup_encoder_add(summary->encoder, machine, programs, count, &record) < 0)
                bytes_done(&record.data);
        else
                (void)hand_in(store, &record);
}

void store_append_snapshot(struct store *store, const struct snapshot *snapshot)
{
        for (size_t i = 0; i < 2; i++)
                if (rollup_add(store->summaries[i].rollup, snapshot))
                        hand_in_summary(store, &store->summaries[i]);
}

static void finish_summaries(struct store *store)
{
        for (size_t i = 0; i < 2; i++)
                if (rollup_finish(store->summaries[i].rollup))
                        hand_in_summary(store, &store->summaries[i]);
}

void store_set_trends(struct store *store, const struct trends *trends)
{
        if (!trends)
                finish_summaries(store);
        store->trends = trends;
}

void store_append_incident(struct store *store, const struct incident *incident)
{
        struct record record = { .kind = RECORD_INCIDENT,
                                 .realtime_usec = store->now.realtime_usec,
                                 .monotonic_usec = store->now.monotonic_usec,
                                 .since_usec = incident->since_usec,
                                 .until_usec = incident->until_usec,
                                 .id = incident->id,
                                 .check = incident->check };
        if (incident_write(incident, &record.data) < 0)
                bytes_done(&record.data);
        else
                (void)hand_in(store, &record);
}

void store_wait(struct store *store)
{
        (void)pthread_mutex_lock(&store->lock);
        while (store->count > 0 || store->is_busy)
                (void)pthread_cond_wait(&store->has_finished, &store->lock);
        (void)pthread_mutex_unlock(&store->lock);
}

void store_flush(struct store *store)
{
        store_wait(store);
        struct record record = { .kind = RECORD_SYNC,
                                 .realtime_usec = store->now.realtime_usec,
                                 .monotonic_usec = store->now.monotonic_usec };
        (void)hand_in(store, &record);
        store_wait(store);
}

void store_set_limits(struct store *store, const struct store_limits *limits)
{
        (void)pthread_mutex_lock(&store->lock);
        store->limits = *limits;
        (void)pthread_mutex_unlock(&store->lock);
}

struct unwritten *store_unwritten(struct store *store)
{
        struct unwritten *unwritten = NULL;
        usec_t now_usec = clock_now(&clock_real).realtime_usec;
        const struct timespec until = { .tv_sec = (time_t)(now_usec / USEC_PER_SEC) + UNWRITTEN_WAIT_SEC };
        (void)pthread_mutex_lock(&store->lock);
        if (store->status.has_unwritten && !store->is_stopping) {
                uint64_t wanted = ++store->copies_wanted;
                int r = 0;
                (void)pthread_cond_signal(&store->has_work);
                while (store->copies_made < wanted && r == 0)
                        r = pthread_cond_timedwait(&store->has_finished, &store->lock, &until);
                /* Else an earlier copy, if there is one, is better than nothing. */
                if (store->unwritten)
                        unwritten = unwritten_ref(store->unwritten);
        }
        (void)pthread_mutex_unlock(&store->lock);
        return unwritten;
}

void store_status(struct store *store, struct store_status *ret_status)
{
        (void)pthread_mutex_lock(&store->lock);
        *ret_status = store->status;
        ret_status->lost_ticks += store->lost_ticks;
        (void)pthread_mutex_unlock(&store->lock);
}

/* ---- begin and end */

static void store_destroy(struct store *store)
{
        (void)unwritten_unref(store->unwritten);
        (void)writer_free(store->writer);
        (void)sample_encoder_free(store->encoder);
        for (size_t i = 0; i < 2; i++) {
                (void)rollup_free(store->summaries[i].rollup);
                (void)rollup_encoder_free(store->summaries[i].encoder);
        }
        (void)pthread_mutex_destroy(&store->lock);
        (void)pthread_cond_destroy(&store->has_work);
        (void)pthread_cond_destroy(&store->has_finished);
        free(store);
}

int store_new(const struct store_options *options, struct store **ret_store)
{
        struct store *store = calloc(1, sizeof(*store));
        if (!store)
                return -ENOMEM;
        store->options = *options;
        store->limits = options->limits;
        (void)pthread_mutex_init(&store->lock, NULL);
        (void)pthread_cond_init(&store->has_work, NULL);
        (void)pthread_cond_init(&store->has_finished, NULL);
        store->summaries[0] = (struct summary){ .rollup = rollup_new(USEC_PER_MINUTE),
                                                .encoder = rollup_encoder_new(SERIES_MINUTE),
                                                .series = SERIES_MINUTE };
        store->summaries[1] = (struct summary){ .rollup = rollup_new(USEC_PER_HOUR),
                                                .encoder = rollup_encoder_new(SERIES_HOUR),
                                                .series = SERIES_HOUR };
        store->encoder = sample_encoder_new();
        int result = writer_new(options, &store->writer);
        if (!store->encoder || !store->summaries[0].rollup || !store->summaries[0].encoder ||
            !store->summaries[1].rollup || !store->summaries[1].encoder)
                result = -ENOMEM;
        if (result == 0) {
                /* Signals are the main thread's business. */
                sigset_t all, former;
                (void)sigfillset(&all);
                (void)pthread_sigmask(SIG_SETMASK, &all, &former);
                result = -pthread_create(&store->thread, NULL, run, store);
                (void)pthread_sigmask(SIG_SETMASK, &former, NULL);
        }
        if (result < 0) {
                store_destroy(store);
                return result;
        }
        *ret_store = store;
        return 0;
}

struct store *store_free(struct store *store)
{
        if (!store)
                return NULL;
        finish_summaries(store);
        (void)pthread_mutex_lock(&store->lock);
        store->is_stopping = true;
        (void)pthread_cond_signal(&store->has_work);
        (void)pthread_mutex_unlock(&store->lock);
        (void)pthread_join(store->thread, NULL);
        store_destroy(store);
        return NULL;
}
