/* Questions about network mounts over a window. */
#include "daemon/history/history_internal.h"

static const struct mount_row *row_of(const struct history *history, const struct frame *frame, uint32_t id)
{
        for (uint32_t i = 0; i < frame->mount_count; i++)
                if (frame_mount(history, frame, i)->id == id)
                        return frame_mount(history, frame, i);
        return NULL;
}

static void add_row(struct mount_window *window, const struct mount_row *row, float seconds)
{
        window->operations += row->operations * seconds;
        window->data_operations += row->data_operations * seconds;
        window->retransmissions += row->retransmissions * seconds;
        window->queue += row->queue * seconds;
        window->rtt += row->rtt * seconds;
        window->execute += row->execute * seconds;
        window->read_bytes += row->read_bytes * seconds;
        window->write_bytes += row->write_bytes * seconds;
        window->waited += row->waited * seconds;
        window->seconds += seconds;
}

static void divide(struct mount_window *window, float seconds)
{
        float *const sums[] = {
                &window->operations, &window->data_operations, &window->retransmissions, &window->queue,
                &window->rtt,        &window->execute,         &window->read_bytes,      &window->write_bytes,
                &window->waited
        };
        for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++)
                *sums[i] /= seconds;
}

bool history_mount(const struct history *history, uint32_t mount_id, usec_t begin_usec, usec_t end_usec,
                   struct mount_window *ret_window)
{
        const struct frame *latest = history_frame(history, 0), *frame;
        struct mount_window window = { 0 };
        float covered = 0;
        for (size_t age = 0; latest && (frame = history_frame(history, age)); age++) {
                usec_t before_usec = latest->monotonic_usec - frame->monotonic_usec;
                if (before_usec >= begin_usec || (frame->is_gap && age > 0))
                        break;
                if (before_usec < end_usec)
                        continue;
                float seconds = (float)frame->interval_usec / (float)USEC_PER_SEC;
                const struct mount_row *row = row_of(history, frame, mount_id);
                covered += seconds;
                if (row)
                        add_row(&window, row, seconds);
        }
        if (window.seconds <= 0)
                return false;
        divide(&window, covered);
        *ret_window = window;
        return true;
}

#define MISSED_FRAMES_MAX 2

usec_t history_mount_since_waited(const struct history *history, uint32_t mount_id, float waited)
{
        const struct frame *frame, *first = NULL;
        size_t missed = 0;
        for (size_t age = 0; (frame = history_frame(history, age)); age++) {
                const struct mount_row *row = row_of(history, frame, mount_id);
                if (row && row->waited >= waited) {
                        first = frame;
                        missed = 0;
                } else if (++missed > MISSED_FRAMES_MAX)
                        break;
                if (frame->is_gap)
                        break;
        }
        return first ? frame_begin(first) : 0;
}
