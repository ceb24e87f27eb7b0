/* The ring of the last 15 minutes: frames of machine-wide values, and rows of programs and limited units that
 * the frames point to. Pushing makes room by forgetting the oldest frames; nothing is allocated after the
 * start. */
#include "daemon/history/history.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "daemon/history/dates.h"
#include "daemon/history/history_internal.h"
#include "daemon/ranking.h"

struct history *history_new(void)
{
        struct history *history = calloc(1, sizeof(*history));
        if (!history || !(history->trends = trends_new()))
                return history_free(history);
        return history;
}

struct history *history_free(struct history *history)
{
        if (history)
                (void)trends_free(history->trends);
        free(history);
        return NULL;
}

const struct frame *history_frame(const struct history *history, size_t age)
{
        if (age >= history->frame_count)
                return NULL;
        return &history->frames[(history->frame_next + HISTORY_FRAMES_MAX - 1 - age) % HISTORY_FRAMES_MAX];
}

static void forget_oldest(struct history *history)
{
        const struct frame *oldest = history_frame(history, history->frame_count - 1);
        history->program_rows_used -= oldest->program_count;
        history->unit_rows_used -= oldest->unit_count;
        history->mount_rows_used -= oldest->mount_count;
        history->frame_count--;
}

/* ---- choosing what of a snapshot is worth a row ---- */

static float known(float value)
{
        return isnan(value) ? 0 : value;
}

/* Task seconds, with a hundred megabytes of I/O or a thousand major faults worth as much as one. */
static float program_score(const struct program *program)
{
        return known(ledger_wanted(&program->ledger)) + program->children_cpu +
               (program->read_bytes + program->write_bytes) / 1e8F + program->major_faults / 1e3F;
}

/* Room for another candidate: of very many only the best so far stay. */
#define CANDIDATES_MAX 1024

static void add_candidate(struct ranked *candidates, size_t *count, struct ranked candidate, size_t best)
{
        if (*count == CANDIDATES_MAX)
                *count = ranking_best(candidates, *count, best);
        candidates[(*count)++] = candidate;
}

static void push_programs(struct history *history, const struct snapshot *snapshot, struct frame *frame)
{
        struct ranked candidates[CANDIDATES_MAX];
        size_t count = 0;
        for (size_t i = 0; i < snapshot->program_count; i++) {
                float score = program_score(&snapshot->programs[i]);
                if (score > 0.0002F)
                        add_candidate(candidates, &count, (struct ranked){ (uint32_t)i, score },
                                      HISTORY_FRAME_PROGRAMS_MAX);
        }
        count = ranking_best(candidates, count, HISTORY_FRAME_PROGRAMS_MAX);
        while (history->program_rows_used + count > HISTORY_PROGRAM_ROWS_MAX)
                forget_oldest(history);
        frame->first_program = history->program_row_next;
        frame->program_count = (uint32_t)count;
        for (size_t i = 0; i < count; i++) {
                const struct program *program = &snapshot->programs[candidates[i].index];
                history->program_rows[history->program_row_next] = (struct program_row){
                        .id = program->id,
                        .ledger = program->ledger,
                        .cpu = program->cpu,
                        .children_cpu = program->children_cpu,
                        .steady_cpu = program->steady_cpu,
                        .read_bytes = program->read_bytes,
                        .write_bytes = program->write_bytes,
                        .major_faults = program->major_faults,
                        .voluntary_switches = program->voluntary_switches,
                        .count = program->count,
                        .is_batch = program->is_batch,
                        .is_idle_class = program->is_idle_class,
                        .is_kernel = program->is_kernel,
                        .is_throttled = program->is_throttled,
                };
                history->program_row_next = (history->program_row_next + 1) % HISTORY_PROGRAM_ROWS_MAX;
        }
        history->program_rows_used += (uint32_t)count;
}

static bool is_limited(const struct cgroup_sample *group)
{
        return group->cpu_quota_usec != ABSENT || group->memory_max_bytes != ABSENT ||
               group->memory_high_bytes != ABSENT;
}

static float unit_score(const struct unit_rate *unit)
{
        if (!is_limited(unit->sample))
                return 0;
        return known(unit->throttled_share) + known(unit->psi_memory_some) + known(unit->events_oom_kill) +
               (known(unit->events_high) + known(unit->events_max) > 0 ? 0.1F : 0);
}

static void push_units(struct history *history, const struct snapshot *snapshot, struct frame *frame)
{
        struct ranked candidates[CANDIDATES_MAX];
        size_t count = 0;
        for (size_t i = 0; i < snapshot->unit_count; i++) {
                float score = unit_score(&snapshot->units[i]);
                if (score > 0)
                        add_candidate(candidates, &count, (struct ranked){ (uint32_t)i, score },
                                      HISTORY_FRAME_UNITS_MAX);
        }
        count = ranking_best(candidates, count, HISTORY_FRAME_UNITS_MAX);
        while (history->unit_rows_used + count > HISTORY_UNIT_ROWS_MAX)
                forget_oldest(history);
        frame->first_unit = history->unit_row_next;
        frame->unit_count = (uint32_t)count;
        for (size_t i = 0; i < count; i++) {
                const struct unit_rate *unit = &snapshot->units[candidates[i].index];
                history->unit_rows[history->unit_row_next] = (struct unit_row){
                        .id = unit->sample->id,
                        .throttled_share = known(unit->throttled_share),
                        .psi_memory_some = unit->psi_memory_some,
                        .psi_memory_full = unit->psi_memory_full,
                        .refaults = known(unit->refaults),
                        .events_high = known(unit->events_high),
                        .events_max = known(unit->events_max),
                        .events_oom_kill = known(unit->events_oom_kill),
                };
                history->unit_row_next = (history->unit_row_next + 1) % HISTORY_UNIT_ROWS_MAX;
        }
        history->unit_rows_used += (uint32_t)count;
}

static void push_mounts(struct history *history, const struct snapshot *snapshot, struct frame *frame)
{
        while (history->mount_rows_used + snapshot->mount_count > HISTORY_MOUNT_ROWS_MAX)
                forget_oldest(history);
        frame->first_mount = history->mount_row_next;
        for (size_t i = 0; i < snapshot->mount_count; i++) {
                const struct mount_rate *mount = &snapshot->mounts[i];
                if (!(mount->operations > 0) && !(mount->waited > 0))
                        continue;
                history->mount_rows[history->mount_row_next] = (struct mount_row){
                        .id = mount->sample->id,
                        .operations = known(mount->operations),
                        .data_operations = known(mount->data_operations),
                        .retransmissions = known(mount->retransmissions),
                        .queue = known(mount->queue),
                        .rtt = mount->rtt,
                        .execute = known(mount->execute),
                        .read_bytes = known(mount->read_bytes),
                        .write_bytes = known(mount->write_bytes),
                        .waited = known(mount->waited),
                };
                history->mount_row_next = (history->mount_row_next + 1) % HISTORY_MOUNT_ROWS_MAX;
                frame->mount_count++;
        }
        history->mount_rows_used += frame->mount_count;
}

/* ---- gaps and messages ---- */

/* Context switches go on even on an idle machine. What goes beyond those of the interval that was due must be
 * a fourth of the usual rate: a machine that stood still has to catch up a little, too. */
static bool others_ran(const struct history *history, const struct snapshot *snapshot, usec_t late_usec)
{
        double usual = history_mean(history, FIELD_CONTEXT_SWITCHES, USEC_PER_MINUTE);
        double now = snapshot->value[FIELD_CONTEXT_SWITCHES];
        double beyond = now * (double)snapshot->interval_usec - usual * (double)snapshot->expected_usec;
        return isnan(beyond) ? true : beyond >= usual / 4 * (double)late_usec;
}

/* A gap is worth remembering when a whole interval and more than a second were missed; checks judge its size.
 * True if windows end at it. */
static bool push_gap(struct history *history, const struct snapshot *snapshot)
{
        usec_t expected = snapshot->expected_usec;
        usec_t late = snapshot->interval_usec > expected ? snapshot->interval_usec - expected : 0;
        if (snapshot->is_first || late < USEC_PER_SEC || late < expected)
                return false;
        struct gap *gap = &history->gaps[history->gap_next];
        *gap = (struct gap){
                .begin_realtime_usec = snapshot->time.realtime_usec - late,
                .end_realtime_usec = snapshot->time.realtime_usec,
                .end_monotonic_usec = snapshot->time.monotonic_usec,
                .late_usec = late,
                .others_ran = others_ran(history, snapshot, late),
        };
        history->gap_next = (history->gap_next + 1) % HISTORY_GAPS_MAX;
        if (history->gap_count < HISTORY_GAPS_MAX)
                history->gap_count++;
        return late >= HISTORY_GAP_USEC;
}

/* The kernel log's "warning"; one of the out-of-memory killer's lines is "info". */
#define PRIORITY_WARNING 4

static bool is_about_a_kill(const struct kernel_message *message)
{
        return strstr(message->text, "oom-kill:") || strstr(message->text, "Killed process ");
}

/* NFS says it at "notice". */
static bool is_about_a_server(const struct kernel_message *message)
{
        return strncmp(message->text, "nfs: server ", strlen("nfs: server ")) == 0;
}

static void push_messages(struct history *history, const struct sample *sample)
{
        for (size_t i = 0; i < sample->message_count; i++) {
                const struct kernel_message *message = &sample->messages[i];
                if (is_about_a_kill(message)) {
                        history->kills[history->kill_next] = *message;
                        history->kills_realtime_usec[history->kill_next] =
                                date_of(&sample->time, message->monotonic_usec);
                        history->kill_next = (history->kill_next + 1) % HISTORY_KILL_MESSAGES_MAX;
                        if (history->kill_count < HISTORY_KILL_MESSAGES_MAX)
                                history->kill_count++;
                }
                if (message->priority > PRIORITY_WARNING && !is_about_a_server(message))
                        continue;
                history->messages[history->message_next] = *message;
                history->message_next = (history->message_next + 1) % HISTORY_MESSAGES_MAX;
                if (history->message_count < HISTORY_MESSAGES_MAX)
                        history->message_count++;
        }
}

/* What is remembered was dated when it was seen, and the dates stay the same to the microsecond: worked out
 * anew from two clocks they would not. Only when the clock is set they move with it, for what it showed
 * before was wrong. */
static void set_clock(struct history *history, int64_t step_usec)
{
        for (size_t i = 0; i < HISTORY_FRAMES_MAX; i++)
                history->frames[i].realtime_usec = date_moved(history->frames[i].realtime_usec, step_usec);
        for (size_t i = 0; i < HISTORY_KILL_MESSAGES_MAX; i++)
                history->kills_realtime_usec[i] = date_moved(history->kills_realtime_usec[i], step_usec);
        disk_events_set_clock(&history->disk_events, step_usec);
}

void history_push(struct history *history, const struct snapshot *snapshot)
{
        bool is_gap = push_gap(history, snapshot);
        history->latest = snapshot;
        if (snapshot->clock_step_usec != 0)
                set_clock(history, snapshot->clock_step_usec);
        push_messages(history, snapshot->sample);
        trends_push(history->trends, snapshot);
        disk_events_push(&history->disk_events, snapshot->sample);
        if (snapshot->sample->boot)
                history_add_boot(history, snapshot->sample->boot);
        if (snapshot->is_first)
                return;
        disk_past_push(&history->disk_past, snapshot);
        if (history->frame_count == HISTORY_FRAMES_MAX)
                forget_oldest(history);
        struct frame frame = {
                .monotonic_usec = snapshot->time.monotonic_usec,
                .realtime_usec = snapshot->time.realtime_usec,
                .interval_usec = snapshot->interval_usec,
                .is_gap = is_gap || snapshot->suspended_usec > 0,
        };
        for (size_t i = 0; i < FIELD_MAX; i++)
                frame.value[i] = (float)snapshot->value[i];
        push_programs(history, snapshot, &frame);
        push_units(history, snapshot, &frame);
        push_mounts(history, snapshot, &frame);
        history->frames[history->frame_next] = frame;
        history->frame_next = (history->frame_next + 1) % HISTORY_FRAMES_MAX;
        history->frame_count++;
        /* Fifteen minutes of frames at the slow tick, whatever the cap would hold. */
        while (history->frame_count > 1 &&
               frame.monotonic_usec - history_frame(history, history->frame_count - 1)->monotonic_usec >
                       HISTORY_SPAN_USEC)
                forget_oldest(history);
}

const struct snapshot *history_latest(const struct history *history)
{
        return history->latest;
}

struct trends *history_trends(struct history *history)
{
        return history->trends;
}

size_t history_trend(const struct history *history, enum trend_kind kind, uint64_t id, usec_t window_usec,
                     usec_t step_usec, struct trend_point *ret_points, size_t max)
{
        if (kind == TREND_MACHINE)
                id = trend_field_id((enum field)id);
        return trends_get(history->trends, kind, id, window_usec, step_usec, ret_points, max);
}

size_t history_frames(const struct history *history)
{
        return history->frame_count;
}

/* printk's clock is the monotonic one but for a drift of well under a second. */
static usec_t message_age(const struct history *history, const struct kernel_message *message)
{
        usec_t now = history->latest->time.monotonic_usec;
        return now > message->monotonic_usec ? now - message->monotonic_usec : 0;
}

const struct kernel_message *history_message(const struct history *history, size_t index)
{
        const struct kernel_message *message =
                &history->messages[(history->message_next + HISTORY_MESSAGES_MAX - 1 -
                                    index % HISTORY_MESSAGES_MAX) %
                                   HISTORY_MESSAGES_MAX];
        return index < history->message_count && message_age(history, message) <= HISTORY_SPAN_USEC ? message
                                                                                                    : NULL;
}

const struct kernel_message *history_kill_message(const struct history *history, size_t index,
                                                  usec_t *ret_realtime_usec)
{
        size_t slot =
                (history->kill_next + HISTORY_KILL_MESSAGES_MAX - 1 - index % HISTORY_KILL_MESSAGES_MAX) %
                HISTORY_KILL_MESSAGES_MAX;
        if (index >= history->kill_count || message_age(history, &history->kills[slot]) > HISTORY_SPAN_USEC)
                return NULL;
        *ret_realtime_usec = history->kills_realtime_usec[slot];
        return &history->kills[slot];
}

const struct disk_event *history_disk_event(const struct history *history, size_t index)
{
        return disk_events_get(&history->disk_events, index, history->latest->time.monotonic_usec,
                               HISTORY_SPAN_USEC);
}

const struct disk_past_row *history_disk_past(const struct history *history, const char *name)
{
        return disk_past_find(&history->disk_past, name);
}

const struct gap *history_gap(const struct history *history, size_t index)
{
        if (index >= history->gap_count)
                return NULL;
        return &history->gaps[(history->gap_next + HISTORY_GAPS_MAX - 1 - index) % HISTORY_GAPS_MAX];
}
