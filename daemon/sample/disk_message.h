/* What the kernel's messages say about disks and the file systems on them. Reads one text; decides nothing.
 */
#pragma once

#include <stdbool.h>

#include "daemon/sample/sample.h"

enum disk_message_kind {
        DISK_MESSAGE_IO_ERROR,    /* a read or write has failed for good */
        DISK_MESSAGE_LOST_WRITE,  /* what a program had written is gone */
        DISK_MESSAGE_FILE_SYSTEM, /* a file system has found itself damaged, or its disk not answering */
        DISK_MESSAGE_READ_ONLY,   /* and takes no more writes */
        DISK_MESSAGE_LINK,        /* a request timed out, or the link to the disk had to be reset */
        DISK_MESSAGE_OFFLINE,     /* the kernel has given the disk up */
        DISK_MESSAGE_RAID,        /* it was thrown out of an array */
        DISK_MESSAGE_KINDS
};

struct disk_message {
        enum disk_message_kind kind;
        /* As the message names it: "sda1", or one of disk_sample.address: "ata3", "nvme0", "2:0:0:0".
         * Letters, digits and "_-.:+!" only. */
        char device[DEVICE_NAME_MAX];
        char program[COMM_MAX]; /* who ran into it; "" if the message does not say */
};

/* True if the text is one of them. Floppies and optical drives are none: an unreadable CD is no sick disk. */
bool disk_message_parse(const char *text, struct disk_message *ret_message);
