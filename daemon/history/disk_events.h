/* What the kernel has said about disks in the last 15 minutes: messages that repeat each other put together.
 */
#pragma once

#include "daemon/sample/disk_message.h"
#include "daemon/sample/sample.h"

#define DISK_EVENTS_MAX     128
#define DISK_REMOVABLES_MAX 16

/* One kind of message about one device, of at most a minute. */
struct disk_event {
        enum disk_message_kind kind;
        char device[DEVICE_NAME_MAX]; /* as in /proc/diskstats, where that is known; else as the message says
                                       */
        bool is_removable;            /* it hung on USB, or its medium can be taken out */
        bool is_named;                /* `device` is or was one of /proc/diskstats */
        uint32_t count;
        usec_t first_usec, last_usec; /* monotonic */
        /* Realtime: of the same, by the clock as it is set now. */
        usec_t first_realtime_usec, last_realtime_usec;
        char program[COMM_MAX];      /* of the last that named one; "" */
        char text[MESSAGE_TEXT_MAX]; /* the first message */
};

struct disk_events {
        struct disk_event events[DISK_EVENTS_MAX]; /* a ring */
        uint32_t next, count;
        /* What can be pulled out: when the kernel complains it is often gone already. */
        struct {
                char name[DEVICE_NAME_MAX], address[DEVICE_NAME_MAX];
                usec_t seen_usec; /* monotonic */
        } removables[DISK_REMOVABLES_MAX];
};

void disk_events_push(struct disk_events *events, const struct sample *sample);
/* The realtime clock has been set forwards (or back, if negative) by so much. */
void disk_events_set_clock(struct disk_events *events, int64_t step_usec);
/* Newest first; NULL past the end, and for what is older than the span before `now_usec` (monotonic). */
const struct disk_event *disk_events_get(const struct disk_events *events, size_t index, usec_t now_usec,
                                         usec_t span_usec);
