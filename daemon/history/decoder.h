/* A block -> rows, tick by tick. Trusts nothing: whatever the block holds, rows stay within their entity's
 * cap, texts are NUL-terminated clean UTF-8, and numbers are within their column's maximum. */
#pragma once

#include "daemon/history/block.h"
#include "daemon/history/schema.h"

enum row_mark {
        ROW_NEW = 1,     /* not there at the tick before */
        ROW_CHANGED = 2, /* a column differs from the tick before */
        ROW_ACTIVE = 4,  /* of them one with is_activity */
};

/* The rows of one entity at the current tick, owned by the decoder until the next. Members that are no
 * columns are the caller's to set; they stay with their row from tick to tick. */
struct decoded_rows {
        void *rows;
        const uint64_t *links;
        const uint8_t *marks; /* enum row_mark, one a row; lists only */
        size_t count;
};

struct decoder;

/* Schema and block must outlive it. 0; -ENOMSG: a block of another schema; -EBADMSG: damaged; -ENOMEM. */
int decoder_new(const struct schema *schema, const struct block *block, struct decoder **ret_decoder);
struct decoder *decoder_free(struct decoder *decoder); /* returns NULL; accepts NULL */

/* 1: the next tick's rows are there; 0: the block is at its end; -EBADMSG: it is damaged from here on;
 * -ENOMEM. */
int decoder_next(struct decoder *decoder);
/* By position in schema->entities. */
struct decoded_rows decoder_rows(const struct decoder *decoder, uint32_t entity);
/* Before the first tick: this entity is not asked for and has no rows. */
void decoder_leave_out(struct decoder *decoder, uint32_t entity);
/* The same of an entity of SHAPE_DENSE: of the columns that lie at this offset in its row, or behind it. */
void decoder_leave_out_behind(struct decoder *decoder, uint32_t entity, size_t offset);
/* The same of a list: rows whose first column is another number stay as they were when they were new. */
void decoder_want_key(struct decoder *decoder, uint32_t entity, uint64_t key);
