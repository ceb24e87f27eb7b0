/* Rows -> frames. A block is a sequence of ticks in which each column is one stream of differences; a frame
 * is what one tick adds to each of these streams. So the block being filled can be written tick by tick, and
 * is finished by joining its frames (block.h): there is one encoding, not two.
 *
 * Streams of a block: 0 lists the entities and columns (stable numbers), 1 holds tags (32-bit numbers by
 * which blocks are found later), then for each entity its bookkeeping and its columns, in the order of stream
 * 0. */
#pragma once

#include "daemon/history/schema.h"
#include "daemon/history/varint.h"

#define STREAM_SCHEMA 0
#define STREAM_TAGS   1
#define STREAM_FIRST  2

struct encoder;

/* The schema must outlive it. NULL if there is no memory. */
struct encoder *encoder_new(const struct schema *schema);
struct encoder *encoder_free(struct encoder *encoder); /* returns NULL; accepts NULL */

/* The next frame begins a block: it depends on none before. So does the first one. */
void encoder_restart(struct encoder *encoder);
bool encoder_is_at_start(const struct encoder *encoder);

/* Encodes one tick; rows[] has one element per entity of the schema; rows over an entity's cap are left out.
 * ret_frame is emptied first. 0; or -ENOMEM, and the next frame begins a block. */
int encoder_encode(struct encoder *encoder, const struct rows *rows, struct bytes *ret_frame);
#define TAG_ANY UINT32_MAX /* a block that has it may hold anything: there were too many tags */
/* A tag for the next frame; each is written once per block. */
void encoder_tag(struct encoder *encoder, uint32_t tag);
