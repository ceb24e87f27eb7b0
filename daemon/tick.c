/* The pipeline, and what of its results is published. */
#include "daemon/tick.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "daemon/checks/run.h"
#include "daemon/diagnosis/diagnose.h"
#include "daemon/disk_rows.h"
#include "daemon/history/boots_load.h"
#include "daemon/mount_rows.h"
#include "daemon/history/trends_load.h"
#include "daemon/ranking.h"
#include "daemon/top_rows.h"

#define COST_TICKS 60 /* over which the mean cost is taken */

struct tick {
        const struct root *root;
        const struct clock *clock;
        const struct config *config;
        struct sampler *sampler;
        struct sample samples[2]; /* taken in turn */
        unsigned current;
        bool has_older;
        struct snapshot snapshot;
        struct history *history;
        struct finding findings[CHECKS_MAX];
        bool was_found[CHECKS_MAX];
        struct incidents *incidents;
        struct boot_report boot;
        struct store *store;
        uint64_t signature;
        struct ranked *ranked;
        size_t ranked_capacity;
        struct self_cost self;
        uint32_t cost_usec[COST_TICKS];
        usec_t cpu_counted_usec;    /* CPU time of this process that was counted already */
        usec_t pressure_since_usec; /* monotonic; 0: nobody is under pressure */
};

struct tick *tick_free(struct tick *tick)
{
        if (!tick)
                return NULL;
        tick->sampler = sampler_free(tick->sampler);
        sample_done(&tick->samples[0]);
        sample_done(&tick->samples[1]);
        snapshot_done(&tick->snapshot);
        if (tick->store)
                store_set_trends(tick->store, NULL);
        tick->history = history_free(tick->history);
        tick->incidents = incidents_free(tick->incidents);
        free(tick->ranked);
        free(tick);
        return NULL;
}

int tick_new(const struct root *root, const struct clock *clock, const struct config *config,
             const struct sampler_options *options, struct tick **ret_tick)
{
        struct tick *tick = calloc(1, sizeof(*tick));
        if (!tick)
                return -ENOMEM;
        tick->root = root;
        tick->clock = clock;
        tick->config = config;
        tick->history = history_new();
        tick->incidents = incidents_new();
        int r = tick->history && tick->incidents ? 0 : -ENOMEM;
        if (r == 0)
                r = sampler_new(root, clock, options, &tick->sampler);
        if (r < 0) {
                tick_free(tick);
                return r;
        }
        tick->self.started_usec = clock_now(clock).realtime_usec;
        tick->cpu_counted_usec = clock_process_cpu_usec(); /* starting is no tick's cost */
        *ret_tick = tick;
        return 0;
}

void tick_set_store(struct tick *tick, struct store *store)
{
        tick->store = store;
        if (store)
                store_set_trends(store, history_trends(tick->history));
}

void tick_load(struct tick *tick, const char *path)
{
        char error[STORE_ERROR_MAX];
        struct store_reader *reader;
        if (!path[0] || store_reader_open(path, &reader, error) < 0)
                return; /* a first start; what else may be wrong the store says */
        (void)boots_load(reader, UINT64_MAX, tick->history);
        (void)trends_load(history_trends(tick->history), reader, clock_now(tick->clock).realtime_usec);
        (void)store_reader_close(reader);
}

void tick_set_config(struct tick *tick, const struct config *config)
{
        tick->config = config;
}

/* ---- what is published ---- */

static void publish_top(struct tick *tick, struct published *published)
{
        const struct snapshot *snapshot = &tick->snapshot;
        published->top_count = 0;
        if (snapshot->program_count > tick->ranked_capacity) {
                size_t wanted = snapshot->program_count + 64;
                struct ranked *bigger = realloc(tick->ranked, wanted * sizeof(bigger[0]));
                if (!bigger)
                        return;
                tick->ranked = bigger;
                tick->ranked_capacity = wanted;
        }
        for (size_t i = 0; i < snapshot->program_count; i++)
                tick->ranked[i] = (struct ranked){ (uint32_t)i, top_row_score(&snapshot->programs[i]) };
        size_t best = ranking_best(tick->ranked, snapshot->program_count, PUBLISHED_PROGRAMS_MAX);
        for (size_t i = 0; i < best; i++)
                top_row_make(snapshot, &snapshot->programs[tick->ranked[i].index],
                             &published->top[published->top_count++]);
}

/* What happened is remembered on disk; without a store, or while it cannot write, in memory only. */
static void keep(struct tick *tick, const struct sample *sample, const struct published *published)
{
        if (!tick->store)
                return;
        store_append(tick->store, sample);
        if (!tick->snapshot.is_first)
                store_append_snapshot(tick->store, &tick->snapshot);
        for (size_t i = 0; i < published->event_count; i++)
                store_append_incident(tick->store, &published->events[i].incident);
}

static void publish_store(const struct tick *tick, struct published *published)
{
        published->has_store = tick->store != NULL;
        if (tick->store)
                store_status(tick->store, &published->store);
}

/* A store that does not write is part of the answer: last night will be asked about, and be missing. So is
 * one that had to begin anew. */
static void note_store(struct published *published)
{
        struct diagnosis *diagnosis = &published->diagnosis;
        const struct store_status *store = &published->store;
        /* Without a reason it has only just begun to open its file. */
        bool is_known = store->is_writing ? store->set_aside[0] : store->text[0];
        if (!published->has_store || !is_known || diagnosis->not_checked_count == CHECKS_MAX)
                return;
        struct reason *reason = &diagnosis->not_checked[diagnosis->not_checked_count++];
        reason->check = "history";
        if (!store->is_writing)
                text_format(reason->text, sizeof(reason->text), "remembered in memory only: %s", store->text);
        else
                text_format(reason->text, sizeof(reason->text), "the past is missing: %s", store->set_aside);
}

/* Made anew only when something has become known: it is a lot to compare. */
static void publish_boot(struct tick *tick, struct published *published)
{
        const struct boot *boots[HISTORY_BOOTS_MAX + 1];
        size_t count = 0;
        while ((boots[count] = history_boot(tick->history, count)))
                count++;
        published->has_boot = count > 0 && strcmp(boots[0]->times.boot_id, published->machine.boot_id) == 0;
        if (!published->has_boot)
                return;
        if (tick->boot.boot.times.known_usec != boots[0]->times.known_usec)
                boot_report_make(boots[0], boots + 1, count - 1, &tick->boot);
        published->boot = tick->boot;
}

static void publish_incidents(const struct tick *tick, struct published *published)
{
        const struct incident *incident;
        published->incident_count = 0;
        for (size_t i = 0; (incident = incidents_get(tick->incidents, i)); i++)
                published->incidents[published->incident_count++] = *incident;
}

/* Resident pages are the second number of /proc/self/statm: "3120 1210 830 ..." (6.1). */
static uint64_t own_rss_bytes(const struct tick *tick)
{
        char text[128];
        uint64_t size, resident;
        ssize_t length =
                tick->root->is_live ? root_read(tick->root, "proc/self/statm", text, sizeof(text)) : -ENOENT;
        if (length < 0)
                return ABSENT;
        struct span line = { text, (size_t)length };
        if (span_take_u64(&line, &size) < 0 || span_take_u64(&line, &resident) < 0)
                return ABSENT;
        return resident * tick->samples[tick->current].machine.page_bytes;
}

static void publish_cost(struct tick *tick, usec_t begun_usec, usec_t expected_usec,
                         struct published *published)
{
        struct self_cost *self = &tick->self;
        const struct sample *sample = &tick->samples[tick->current];
        struct clock_reading now = clock_now(tick->clock);
        /* From the end of one tick to that of the next, so that answering clients and writing history count
         * too. */
        usec_t cpu_usec = clock_process_cpu_usec();
        self->last_cpu_usec = cpu_usec - tick->cpu_counted_usec;
        tick->cpu_counted_usec = cpu_usec;
        self->last_duration_usec = now.monotonic_usec - begun_usec;
        self->last_tick_usec = sample->time.realtime_usec;
        self->interval_usec = expected_usec;
        self->processes = sample->process_count;
        self->rss_bytes = own_rss_bytes(tick);
        tick->cost_usec[self->ticks % COST_TICKS] = (uint32_t)self->last_cpu_usec;
        uint64_t known = self->ticks < COST_TICKS ? self->ticks + 1 : COST_TICKS, sum = 0;
        self->ticks++;
        for (uint64_t i = 0; i < known; i++)
                sum += tick->cost_usec[i];
        self->mean_cpu_usec = sum / known;
        published->self = *self;
}

/* ---- when to look more closely ---- */

/* Somebody waits noticeably, whether a check has concluded anything or not. Pressure that leads to no finding
 * within this time is how this machine works, and the fast tick is for what changes. */
#define PRESSURE_PATIENCE_USEC (2 * USEC_PER_MINUTE)

static bool wants_fast(struct tick *tick, const struct diagnosis *diagnosis)
{
        const double *value = tick->snapshot.value;
        usec_t now_usec = tick->snapshot.time.monotonic_usec;
        bool is_pressed = value[FIELD_PSI_CPU_SOME] >= 0.2 || value[FIELD_PSI_MEMORY_SOME] >= 0.05 ||
                          value[FIELD_PSI_IO_SOME] >= 0.2 || value[FIELD_SWAP_IN_PAGES] >= 100 ||
                          value[FIELD_CPU_BUSY] >= 0.85;
        if (!is_pressed)
                tick->pressure_since_usec = 0;
        else if (tick->pressure_since_usec == 0)
                tick->pressure_since_usec = now_usec;
        if (diagnosis->verdict == DIAGNOSIS_SLOW || diagnosis->verdict == DIAGNOSIS_UNKNOWN)
                return true;
        return is_pressed && now_usec - tick->pressure_since_usec < PRESSURE_PATIENCE_USEC;
}

void tick_run(struct tick *tick, usec_t expected_usec, struct published *ret_published)
{
        struct published *published = ret_published;
        usec_t begun_usec = clock_now(tick->clock).monotonic_usec;
        const struct sample *older = tick->has_older ? &tick->samples[tick->current] : NULL;
        tick->current ^= 1;
        struct sample *sample = &tick->samples[tick->current];
        tick->has_older = true;

        sampler_collect(tick->sampler, sample);
        sample->expected_usec = expected_usec;
        (void)snapshot_make(older, sample, expected_usec,
                            &tick->snapshot); /* without memory: an empty snapshot */
        history_push(tick->history, &tick->snapshot);
        size_t count = checks_run(tick->history, tick->config, tick->was_found, tick->findings);
        diagnose(tick->findings, count, tick->history, &published->diagnosis);

        published->event_count = incidents_update(tick->incidents, &published->diagnosis, published->events,
                                                  INCIDENT_EVENTS_MAX);
        keep(tick, sample, published);
        publish_store(tick, published);
        note_store(published);
        published->machine = sample->machine;
        memcpy(published->value, tick->snapshot.value, sizeof(published->value));
        published->collector_count = sample->collector_count;
        memcpy(published->collectors, sample->collectors,
               sample->collector_count * sizeof(sample->collectors[0]));
        publish_top(tick, published);
        published->disk_count = disk_rows_make(tick->history, published->disks);
        publish_boot(tick, published);
        log_rows_make(tick->history, &published->logs);
        published->mount_count = mount_rows_make(tick->history, published->mounts);
        publish_incidents(tick, published);
        uint64_t signature = diagnosis_signature(&published->diagnosis);
        published->has_changed = signature != tick->signature;
        tick->signature = signature;
        published->wants_fast = wants_fast(tick, &published->diagnosis);
        publish_cost(tick, begun_usec, expected_usec, published);
}
