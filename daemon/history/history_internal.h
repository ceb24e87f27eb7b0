/* How the ring is laid out; for history.c (filling) and history_query.c (asking) only. */
#pragma once

#include "daemon/history/history.h"
#include "daemon/sample/boot.h"

struct frame {
        usec_t monotonic_usec; /* its end */
        usec_t realtime_usec;  /* the same, by the clock as it is set now */
        usec_t interval_usec;
        bool is_gap; /* far longer than it should be: windows do not reach back over it */
        float value[FIELD_MAX];
        uint32_t first_program, program_count; /* rows, in a ring */
        uint32_t first_unit, unit_count;
        uint32_t first_mount, mount_count;
};

struct program_row {
        uint64_t id;
        struct ledger ledger;
        float cpu, children_cpu, steady_cpu;
        float read_bytes, write_bytes;
        float major_faults, voluntary_switches;
        uint32_t count;
        bool is_batch, is_idle_class, is_kernel, is_throttled;
};

struct unit_row {
        uint64_t id;
        float throttled_share, psi_memory_some, psi_memory_full, refaults;
        float events_high, events_max, events_oom_kill;
};

struct mount_row {
        uint32_t id;
        float operations, data_operations, retransmissions;
        float queue, rtt, execute;
        float read_bytes, write_bytes, waited;
};

struct history {
        const struct snapshot *latest;
        struct trends *trends;
        struct frame frames[HISTORY_FRAMES_MAX];
        uint32_t frame_next, frame_count;
        struct program_row program_rows[HISTORY_PROGRAM_ROWS_MAX];
        uint32_t program_row_next, program_rows_used;
        struct unit_row unit_rows[HISTORY_UNIT_ROWS_MAX];
        uint32_t unit_row_next, unit_rows_used;
        struct mount_row mount_rows[HISTORY_MOUNT_ROWS_MAX];
        uint32_t mount_row_next, mount_rows_used;
        struct kernel_message messages[HISTORY_MESSAGES_MAX];
        uint32_t message_next, message_count;
        struct kernel_message kills[HISTORY_KILL_MESSAGES_MAX];
        usec_t kills_realtime_usec[HISTORY_KILL_MESSAGES_MAX];
        uint32_t kill_next, kill_count;
        struct disk_events disk_events;
        struct disk_past disk_past;
        struct gap gaps[HISTORY_GAPS_MAX];
        uint32_t gap_next, gap_count;
        struct boot boots[HISTORY_BOOTS_MAX]; /* newest first: a new one comes once in a boot */
        size_t boot_count;
};

/* By age: 0 is the latest frame; NULL past the oldest. */
const struct frame *history_frame(const struct history *history, size_t age);

/* Realtime. */
static inline usec_t frame_begin(const struct frame *frame)
{
        return frame->realtime_usec > frame->interval_usec ? frame->realtime_usec - frame->interval_usec : 0;
}

static inline const struct program_row *frame_program(const struct history *history,
                                                      const struct frame *frame, uint32_t index)
{
        return &history->program_rows[(frame->first_program + index) % HISTORY_PROGRAM_ROWS_MAX];
}

static inline const struct unit_row *frame_unit(const struct history *history, const struct frame *frame,
                                                uint32_t index)
{
        return &history->unit_rows[(frame->first_unit + index) % HISTORY_UNIT_ROWS_MAX];
}

static inline const struct mount_row *frame_mount(const struct history *history, const struct frame *frame,
                                                  uint32_t index)
{
        return &history->mount_rows[(frame->first_mount + index) % HISTORY_MOUNT_ROWS_MAX];
}
