/* Questions about windows that end now. Every mean weighs each frame by the time it covers, because frames
 * are longer when nothing is wrong. */
#include <string.h>

#include "daemon/history/history_internal.h"

/* Walks the frames of a window from the latest back; a gap ends the window: before itself, or after itself if
 * it is the latest frame and so all that is known of now. */
struct walk {
        const struct history *history;
        usec_t oldest_usec; /* monotonic; frames that end at or before this are out */
        size_t age;
        bool is_over;
};

static struct walk walk_window(const struct history *history, usec_t window_usec)
{
        const struct frame *latest = history_frame(history, 0);
        usec_t now = latest ? latest->monotonic_usec : 0;
        return (struct walk){ history, now > window_usec ? now - window_usec : 0, 0, false };
}

static const struct frame *walk_next(struct walk *walk, double *ret_seconds)
{
        const struct frame *frame = history_frame(walk->history, walk->age);
        if (!frame || walk->is_over || frame->monotonic_usec <= walk->oldest_usec ||
            (frame->is_gap && walk->age > 0))
                return NULL;
        walk->age++;
        walk->is_over = frame->is_gap;
        /* Of a frame that begins before the window only its part inside counts. */
        usec_t inside = frame->monotonic_usec - walk->oldest_usec;
        *ret_seconds = (double)(frame->interval_usec < inside ? frame->interval_usec : inside) /
                       (double)USEC_PER_SEC;
        return frame;
}

usec_t history_covered(const struct history *history, usec_t window_usec)
{
        struct walk walk = walk_window(history, window_usec);
        double seconds, sum = 0;
        while (walk_next(&walk, &seconds))
                sum += seconds;
        return (usec_t)(sum * (double)USEC_PER_SEC);
}

double history_mean(const struct history *history, enum field field, usec_t window_usec)
{
        struct walk walk = walk_window(history, window_usec);
        double seconds, weight = 0, sum = 0;
        for (const struct frame *frame; (frame = walk_next(&walk, &seconds));) {
                if (isnan(frame->value[field]))
                        continue;
                sum += (double)frame->value[field] * seconds;
                weight += seconds;
        }
        return weight > 0 ? sum / weight : NAN;
}

double history_total(const struct history *history, enum field field, usec_t window_usec)
{
        struct walk walk = walk_window(history, window_usec);
        double seconds, sum = NAN;
        for (const struct frame *frame; (frame = walk_next(&walk, &seconds));)
                if (!isnan(frame->value[field]))
                        sum = (isnan(sum) ? 0 : sum) + (double)frame->value[field] * seconds;
        return sum;
}

double history_max(const struct history *history, enum field field, usec_t window_usec)
{
        struct walk walk = walk_window(history, window_usec);
        double seconds, best = NAN;
        for (const struct frame *frame; (frame = walk_next(&walk, &seconds));)
                if (!isnan(frame->value[field]) && !((double)frame->value[field] <= best))
                        best = (double)frame->value[field];
        return best;
}

double history_min(const struct history *history, enum field field, usec_t window_usec)
{
        struct walk walk = walk_window(history, window_usec);
        double seconds, best = NAN;
        for (const struct frame *frame; (frame = walk_next(&walk, &seconds));)
                if (!isnan(frame->value[field]) && !((double)frame->value[field] >= best))
                        best = (double)frame->value[field];
        return best;
}

double history_share_above(const struct history *history, enum field field, double threshold,
                           usec_t window_usec)
{
        struct walk walk = walk_window(history, window_usec);
        double seconds, above = 0, weight = 0;
        for (const struct frame *frame; (frame = walk_next(&walk, &seconds));) {
                if (isnan(frame->value[field]))
                        continue;
                weight += seconds;
                if ((double)frame->value[field] >= threshold)
                        above += seconds;
        }
        return weight > 0 ? above / weight : NAN;
}

double history_slope(const struct history *history, enum field field, usec_t window_usec)
{
        struct walk walk = walk_window(history, window_usec);
        double seconds, n = 0, sum_t = 0, sum_v = 0, sum_tt = 0, sum_tv = 0;
        const struct frame *latest = history_frame(history, 0);
        for (const struct frame *frame; (frame = walk_next(&walk, &seconds));) {
                if (isnan(frame->value[field]))
                        continue;
                double t = -(double)(latest->monotonic_usec - frame->monotonic_usec) / (double)USEC_PER_SEC;
                double v = (double)frame->value[field];
                n++;
                sum_t += t;
                sum_v += v;
                sum_tt += t * t;
                sum_tv += t * v;
        }
        double spread = n * sum_tt - sum_t * sum_t;
        return n >= 3 && spread > 0 ? (n * sum_tv - sum_t * sum_v) / spread : NAN;
}

/* How many frames in a row may fall below before a stretch counts as ended. */
#define PASSED_OVER_MAX 2

usec_t history_last_above(const struct history *history, enum field field, double threshold)
{
        const struct frame *frame;
        for (size_t age = 0; (frame = history_frame(history, age)); age++)
                if ((double)frame->value[field] >= threshold)
                        return frame->realtime_usec;
        return 0;
}

usec_t history_since_above(const struct history *history, enum field field, double threshold)
{
        struct walk walk = walk_window(history, HISTORY_SPAN_USEC);
        double seconds;
        usec_t since = 0;
        int below = 0;
        for (const struct frame *frame; below <= PASSED_OVER_MAX && (frame = walk_next(&walk, &seconds));) {
                if ((double)frame->value[field] >= threshold) {
                        since = frame_begin(frame);
                        below = 0;
                } else if (walk.age == 1) {
                        return 0;
                } else {
                        below++;
                }
        }
        return since;
}

/* ---- programs ---- */

static void add_weighted(float *sum, float value, float seconds)
{
        if (!isnan(value))
                *sum = (isnan(*sum) ? 0 : *sum) + value * seconds;
}

static void window_add(struct program_window *window, const struct program_row *row, float seconds)
{
        add_weighted(&window->ledger.running, row->ledger.running, seconds);
        add_weighted(&window->ledger.cpu_wait, row->ledger.cpu_wait, seconds);
        add_weighted(&window->ledger.throttled, row->ledger.throttled, seconds);
        add_weighted(&window->ledger.disk_wait, row->ledger.disk_wait, seconds);
        add_weighted(&window->ledger.swap_wait, row->ledger.swap_wait, seconds);
        add_weighted(&window->ledger.reclaim_wait, row->ledger.reclaim_wait, seconds);
        add_weighted(&window->ledger.stuck, row->ledger.stuck, seconds);
        add_weighted(&window->cpu, row->cpu, seconds);
        add_weighted(&window->children_cpu, row->children_cpu, seconds);
        add_weighted(&window->steady_cpu, row->steady_cpu, seconds);
        add_weighted(&window->read_bytes, row->read_bytes, seconds);
        add_weighted(&window->write_bytes, row->write_bytes, seconds);
        add_weighted(&window->major_faults, row->major_faults, seconds);
        add_weighted(&window->voluntary_switches, row->voluntary_switches, seconds);
        window->count += (float)row->count * seconds;
        window->throttled_time_share += row->is_throttled ? seconds : 0;
        window->is_batch &= row->is_batch;
        window->is_idle_class &= row->is_idle_class;
        window->is_kernel &= row->is_kernel;
}

static void window_divide(struct program_window *window, float seconds)
{
        float *const values[] = { &window->ledger.running,
                                  &window->ledger.cpu_wait,
                                  &window->ledger.throttled,
                                  &window->ledger.disk_wait,
                                  &window->ledger.swap_wait,
                                  &window->ledger.reclaim_wait,
                                  &window->ledger.stuck,
                                  &window->cpu,
                                  &window->children_cpu,
                                  &window->steady_cpu,
                                  &window->read_bytes,
                                  &window->write_bytes,
                                  &window->major_faults,
                                  &window->voluntary_switches,
                                  &window->count,
                                  &window->throttled_time_share };
        for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
                *values[i] /= seconds;
}

static struct program_window window_empty(uint64_t id)
{
        return (struct program_window){
                .id = id,
                .program = -1,
                .ledger = ledger_unknown(),
                .is_batch = true,
                .is_idle_class = true,
                .is_kernel = true,
        };
}

/* Open addressing over indices + 1; twice as large as what it may hold. */
#define TABLE_SIZE (2 * HISTORY_WINDOW_PROGRAMS_MAX)

static struct program_window *window_find(uint16_t table[TABLE_SIZE], struct program_window *windows,
                                          size_t *count, size_t max, uint64_t id)
{
        size_t at = (size_t)(id ^ id >> 32) % TABLE_SIZE;
        while (table[at]) {
                if (windows[table[at] - 1].id == id)
                        return &windows[table[at] - 1];
                at = (at + 1) % TABLE_SIZE;
        }
        if (*count >= max)
                return NULL;
        windows[*count] = window_empty(id);
        table[at] = (uint16_t)(*count + 1);
        return &windows[(*count)++];
}

size_t history_programs(const struct history *history, usec_t window_usec,
                        struct program_window *ret_programs, size_t max)
{
        uint16_t table[TABLE_SIZE] = { 0 };
        struct walk walk = walk_window(history, window_usec);
        double seconds, covered = 0;
        size_t count = 0;
        if (max > HISTORY_WINDOW_PROGRAMS_MAX)
                max = HISTORY_WINDOW_PROGRAMS_MAX;
        for (const struct frame *frame; (frame = walk_next(&walk, &seconds));) {
                covered += seconds;
                for (uint32_t i = 0; i < frame->program_count; i++) {
                        const struct program_row *row = frame_program(history, frame, i);
                        struct program_window *window =
                                window_find(table, ret_programs, &count, max, row->id);
                        if (window)
                                window_add(window, row, (float)seconds);
                }
        }
        for (size_t i = 0; i < count; i++)
                window_divide(&ret_programs[i], (float)covered);
        const struct snapshot *latest = history->latest;
        for (size_t i = 0; latest && i < latest->program_count; i++) {
                uint64_t id = latest->programs[i].id;
                size_t at = (size_t)(id ^ id >> 32) % TABLE_SIZE;
                for (; table[at]; at = (at + 1) % TABLE_SIZE) {
                        if (ret_programs[table[at] - 1].id == id) {
                                ret_programs[table[at] - 1].program = (int32_t)i;
                                break;
                        }
                }
        }
        return count;
}

static const struct program_row *frame_find_program(const struct history *history, const struct frame *frame,
                                                    uint64_t id)
{
        for (uint32_t i = 0; i < frame->program_count; i++) {
                const struct program_row *row = frame_program(history, frame, i);
                if (row->id == id)
                        return row;
        }
        return NULL;
}

bool history_program(const struct history *history, uint64_t id, usec_t begin_usec, usec_t end_usec,
                     struct program_window *ret_window)
{
        struct walk walk = walk_window(history, begin_usec);
        const struct frame *latest = history_frame(history, 0);
        struct program_window window = window_empty(id);
        double seconds, covered = 0;
        bool is_any = false;
        for (const struct frame *frame; (frame = walk_next(&walk, &seconds));) {
                if (latest->monotonic_usec - frame->monotonic_usec < end_usec)
                        continue;
                const struct program_row *row = frame_find_program(history, frame, id);
                covered += seconds;
                if (row) {
                        window_add(&window, row, (float)seconds);
                        is_any = true;
                }
        }
        if (!is_any || !(covered > 0))
                return false;
        window_divide(&window, (float)covered);
        *ret_window = window;
        return true;
}

static usec_t program_since(const struct history *history, uint64_t id, float at_least,
                            float (*value)(const struct program_row *))
{
        struct walk walk = walk_window(history, HISTORY_SPAN_USEC);
        double seconds;
        usec_t since = 0;
        int below = 0;
        for (const struct frame *frame; below <= PASSED_OVER_MAX && (frame = walk_next(&walk, &seconds));) {
                const struct program_row *row = frame_find_program(history, frame, id);
                if (row && value(row) >= at_least) {
                        since = frame_begin(frame);
                        below = 0;
                } else {
                        below++;
                }
        }
        return since;
}

static float row_cpu(const struct program_row *row)
{
        return row->cpu + row->children_cpu;
}

static float row_io(const struct program_row *row)
{
        return row->read_bytes + row->write_bytes;
}

usec_t history_program_since_cpu(const struct history *history, uint64_t id, float cpus)
{
        return program_since(history, id, cpus, row_cpu);
}

usec_t history_program_since_io(const struct history *history, uint64_t id, float bytes_per_sec)
{
        return program_since(history, id, bytes_per_sec, row_io);
}

/* ---- units ---- */

bool history_unit(const struct history *history, uint64_t cgroup_id, usec_t window_usec,
                  struct unit_window *ret_window)
{
        struct walk walk = walk_window(history, window_usec);
        struct unit_window window = { .psi_memory_some = NAN, .psi_memory_full = NAN };
        double seconds, covered = 0;
        bool is_any = false;
        for (const struct frame *frame; (frame = walk_next(&walk, &seconds));) {
                covered += seconds;
                for (uint32_t i = 0; i < frame->unit_count; i++) {
                        const struct unit_row *row = frame_unit(history, frame, i);
                        if (row->id != cgroup_id)
                                continue;
                        is_any = true;
                        window.throttled_share += row->throttled_share * (float)seconds;
                        add_weighted(&window.psi_memory_some, row->psi_memory_some, (float)seconds);
                        add_weighted(&window.psi_memory_full, row->psi_memory_full, (float)seconds);
                        window.refaults += row->refaults * (float)seconds;
                        window.events_high += row->events_high;
                        window.events_max += row->events_max;
                        window.events_oom_kill += row->events_oom_kill;
                        break;
                }
        }
        if (!is_any || !(covered > 0))
                return false;
        window.throttled_share /= (float)covered;
        window.psi_memory_some /= (float)covered;
        window.psi_memory_full /= (float)covered;
        window.refaults /= (float)covered;
        *ret_window = window;
        return true;
}
