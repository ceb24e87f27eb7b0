/* Frames -> a block -> its streams again. Knows nothing of what the streams mean. Frames and blocks carry
 * checksums, so damage is told from content. */
#pragma once

#include "daemon/history/schema.h"
#include "daemon/history/varint.h"

#define BLOCK_RAW_MAX                                                                                        \
        (16u << 20) /* bytes of all streams; a block that reaches a quarter of it is finished                \
                     */

/* What one tick adds to each stream, as one record. 0 or -ENOMEM. */
int frame_write(uint32_t tick, const struct bytes *streams, uint32_t stream_count, struct bytes *ret_frame);

/* A block being put together, or taken apart. Zero it before first use. */
struct block {
        struct bytes streams[BLOCK_COLUMNS_MAX];
        uint32_t stream_count; /* highest used + 1 */
        uint32_t ticks;
        size_t raw_bytes;
};

void block_clear(struct block *block);
void block_done(struct block *block);

/* Appends a frame. 0; -EBADMSG: damaged, or not the next one of this block (nothing was added); -ENOMEM or
 * -EFBIG (the block is then of no use). */
int block_append(struct block *block, const void *frame, size_t length);
/* The tick that a frame is in its block, without checking all of it; negative errno. */
int frame_tick(const void *frame, size_t length, uint32_t *ret_tick);

/* The compressed form. 0 or -ENOMEM. */
int block_write(const struct block *block, struct bytes *ret_bytes);
/* Takes it apart; the block is cleared first. 0; -EBADMSG: damaged; -ENOMEM. */
int block_read(struct block *block, const void *data, size_t length);
