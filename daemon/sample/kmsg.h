/* /dev/kmsg: what the kernel has said since the last sample. */
#pragma once

#include "daemon/root.h"
#include "common/text.h"
#include "daemon/sample/sample.h"

#define KMSG_RECORD_MAX       8192 /* no kernel's records are longer */
#define KMSG_RECORDS_PER_TICK 2048 /* read at one tick; what is left waits in the kernel's ring */
/* At the start the ring holds everything since boot. What is older than this is no news; a kill for want of
 * memory just before slowd was started is. */
#define KMSG_LOOK_BACK_USEC (15 * USEC_PER_MINUTE)

struct kmsg {
        int fd;           /* -1: not open */
        bool is_recorded; /* a regular file below --root: read on from `offset` */
        uint64_t offset;
        bool has_sequence;
        uint64_t next_sequence;
        usec_t retry_usec; /* monotonic: when to try opening again */
        int error;
        char record[KMSG_RECORD_MAX + 1];
};

void kmsg_init(struct kmsg *kmsg);
void kmsg_done(struct kmsg *kmsg);
/* Adds the new messages to sample->messages. sample->time must be set. 0, or negative errno: -EPERM where
 * only root may read it. */
int kmsg_collect(struct kmsg *kmsg, const struct root *root, struct sample *sample);

/* One record. 0; -EINVAL if it is none; -ENOMSG for one that user space wrote into the kernel's log. */
int kmsg_parse(struct span record, struct kernel_message *ret_message);
/* Keeps a message in the sample. Is that full, the more important message stays, and messages_lost counts the
 * other one. */
void kmsg_keep(struct sample *sample, const struct kernel_message *message);
