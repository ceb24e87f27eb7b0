/* Differences of rows against the tick before, appended to streams. Keeps of each row its columns as numbers
 * (a text as its hash), not the row. */
#include "daemon/history/encoder.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/history/block.h"
#include "daemon/history/row_edits.h"

#define TAGS_MAX 1024 /* per block, then TAG_ANY */

struct state {
        uint64_t *values,
                *next; /* rows x stride: the columns, and for dense entities their last differences */
        uint64_t *hashes, *next_hashes; /* lists: of the rows as they lay in memory */
        size_t count, capacity, next_capacity;
        uint64_t *defaults; /* stride: a row of which nothing is stored */
        uint64_t *base;     /* stride: what a new row is compared with, the new one before it in the block */
        uint32_t stride;
        uint32_t first_stream;
};

struct encoder {
        const struct schema *schema;
        struct state states[ENTITIES_MAX];
        struct bytes streams[BLOCK_COLUMNS_MAX];
        uint32_t stream_count;
        bool is_at_start;
        uint32_t tick;
        uint32_t tags[TAGS_MAX];
        uint32_t tag_count;
        struct bytes changed; /* scratch: gaps between changed rows */
};

/* A row as a reader sees it before anything was stored of it. */
static uint64_t *default_values(const struct entity *entity, uint32_t stride)
{
        void *row = malloc(entity->row_size);
        uint64_t *values = row ? calloc(stride, sizeof(uint64_t)) : NULL;
        if (values) {
                entity_default_row(entity, row);
                for (uint32_t c = 0; c < entity->column_count; c++)
                        values[c] = column_load(&entity->columns[c], row, 0);
        }
        free(row);
        return values;
}

struct encoder *encoder_new(const struct schema *schema)
{
        assert(schema->entity_count <= ENTITIES_MAX);
        struct encoder *encoder = calloc(1, sizeof(*encoder));
        if (!encoder)
                return NULL;
        encoder->schema = schema;
        encoder->is_at_start = true;
        uint32_t stream = STREAM_FIRST;
        for (uint32_t i = 0; i < schema->entity_count; i++) {
                const struct entity *entity = &schema->entities[i];
                struct state *state = &encoder->states[i];
                assert(entity->shape == SHAPE_DENSE ? entity->column_count <= ENTITY_COLUMNS_MAX
                                                    : entity->column_count <= SPARSE_COLUMNS_MAX);
                state->stride = entity->column_count * (entity->shape == SHAPE_DENSE ? 2 : 1);
                state->base = calloc(state->stride, sizeof(uint64_t));
                state->defaults = default_values(entity, state->stride);
                if (!state->base || !state->defaults)
                        return encoder_free(encoder);
                state->first_stream = stream;
                stream += shape_columns(entity->shape, entity->column_count) + entity->column_count;
        }
        assert(stream <= BLOCK_COLUMNS_MAX);
        encoder->stream_count = stream;
        return encoder;
}

struct encoder *encoder_free(struct encoder *encoder)
{
        if (!encoder)
                return NULL;
        for (size_t i = 0; i < ENTITIES_MAX; i++) {
                free(encoder->states[i].values);
                free(encoder->states[i].next);
                free(encoder->states[i].hashes);
                free(encoder->states[i].next_hashes);
                free(encoder->states[i].defaults);
                free(encoder->states[i].base);
        }
        for (size_t i = 0; i < encoder->stream_count; i++)
                bytes_done(&encoder->streams[i]);
        bytes_done(&encoder->changed);
        free(encoder);
        return NULL;
}

void encoder_restart(struct encoder *encoder)
{
        encoder->is_at_start = true;
        encoder->tag_count = 0;
}

bool encoder_is_at_start(const struct encoder *encoder)
{
        return encoder->is_at_start;
}

void encoder_tag(struct encoder *encoder, uint32_t tag)
{
        for (uint32_t i = 0; i < encoder->tag_count; i++)
                if (encoder->tags[i] == tag)
                        return;
        if (encoder->tag_count >= TAGS_MAX)
                return;
        if (encoder->tag_count == TAGS_MAX - 1)
                tag = TAG_ANY;
        encoder->tags[encoder->tag_count++] = tag;
        bytes_put_u32(&encoder->streams[STREAM_TAGS], tag);
}

static void put_schema(struct encoder *encoder)
{
        struct bytes *stream = &encoder->streams[STREAM_SCHEMA];
        bytes_put_varint(stream, encoder->schema->entity_count);
        for (uint32_t i = 0; i < encoder->schema->entity_count; i++) {
                const struct entity *entity = &encoder->schema->entities[i];
                bytes_put_varint(stream, entity->number);
                bytes_put_varint(stream, entity->shape);
                bytes_put_varint(stream, entity->column_count);
                uint64_t former = 0;
                for (uint32_t c = 0; c < entity->column_count; c++) {
                        bytes_put_delta(stream, entity->columns[c].number - former);
                        former = entity->columns[c].number;
                }
        }
}

static bool reserve(struct state *state, size_t count)
{
        if (count <= state->next_capacity)
                return true;
        size_t wanted = count + count / 4 + 4;
        uint64_t *next = realloc(state->next, wanted * state->stride * sizeof(uint64_t));
        if (next)
                state->next = next;
        uint64_t *hashes = realloc(state->next_hashes, wanted * sizeof(uint64_t));
        if (hashes)
                state->next_hashes = hashes;
        if (!next || !hashes)
                return false;
        state->next_capacity = wanted;
        return true;
}

/* To see that nothing in a row changed without looking at every column: most processes are idle. Differences
 * in padding or in members that are not stored only cost that look. */
static uint64_t hash_row(const struct entity *entity, const void *row, uint64_t link)
{
        return bytes_hash(row, entity->row_size) + link;
}

/* ---- which rows stayed ---- */

static int compare_keys(const struct entity *entity, const uint64_t *a, const uint64_t *b)
{
        for (uint32_t i = 0; i < entity->key_count; i++)
                if (a[i] != b[i])
                        return a[i] < b[i] ? -1 : 1;
        return 0;
}

/* How many old rows from `old` on are gone before `row` comes: 0 if it is the next, or is new. */
static size_t rows_gone(const struct entity *entity, const struct state *state, size_t old,
                        const uint64_t *row)
{
        size_t i = old;
        if (entity->is_sorted) {
                while (i < state->count && compare_keys(entity, state->values + i * state->stride, row) < 0)
                        i++;
                return i - old;
        }
        while (i < state->count && compare_keys(entity, state->values + i * state->stride, row) != 0)
                i++;
        return i < state->count ? i - old : 0;
}

/* ---- what changed in a row */

static void put_value(struct encoder *encoder, const struct entity *entity, const struct state *state,
                      uint32_t c, const void *row, uint64_t difference)
{
        const struct column *column = &entity->columns[c];
        struct bytes *stream = &encoder->streams[state->first_stream +
                                                 shape_columns(entity->shape, entity->column_count) + c];
        if (column->kind == COLUMN_TEXT) {
                const char *text = (const char *)row + column->offset;
                size_t length = strnlen(text, column->width);
                bytes_put_varint(stream, length);
                bytes_put(stream, text, length);
                return;
        }
        bytes_put_delta(stream, difference);
}

/* Every column; a text after a 1 if it differs, else a 0. A new row has no last difference. */
static void put_dense(struct encoder *encoder, const struct entity *entity, const struct state *state,
                      const void *row, const uint64_t *base, uint64_t *values, bool is_new)
{
        uint32_t n = entity->column_count;
        for (uint32_t c = 0; c < n; c++) {
                const struct column *column = &entity->columns[c];
                if (column->kind == COLUMN_TEXT) {
                        struct bytes *stream =
                                &encoder->streams[state->first_stream + shape_columns(SHAPE_DENSE, n) + c];
                        bytes_put_varint(stream, values[c] != base[c]);
                        if (values[c] != base[c])
                                put_value(encoder, entity, state, c, row, 0);
                        continue;
                }
                uint64_t step = values[c] - base[c];
                values[n + c] = is_new ? 0 : step;
                put_value(encoder, entity, state, c, row,
                          column->kind == COLUMN_STEADY && !is_new ? step - base[n + c] : step);
        }
}

/* Only the columns that differ. Returns false if none does and nothing was written. */
static bool put_sparse(struct encoder *encoder, const struct entity *entity, const struct state *state,
                       const void *row, const uint64_t *base, const uint64_t *values, bool is_new)
{
        uint32_t n = entity->column_count;
        uint64_t mask = 0;
        for (uint32_t c = 0; c < n; c++)
                mask |= (uint64_t)(values[c] != base[c]) << c;
        if (!mask && !is_new)
                return false;
        struct bytes *masks = &encoder->streams[state->first_stream + 1];
        for (uint32_t i = 0; i < mask_bytes(n); i++)
                bytes_put(&masks[i], &(uint8_t){ (uint8_t)(mask >> (8 * i)) }, 1);
        for (; mask; mask &= mask - 1) {
                uint32_t c = (uint32_t)__builtin_ctzll(mask);
                put_value(encoder, entity, state, c, row, values[c] - base[c]);
        }
        return true;
}

/* The columns from `begin` to before `end`. */
static void load_columns(const struct entity *entity, const struct rows *rows, size_t index, uint32_t begin,
                         uint32_t end, uint64_t *values)
{
        const void *row = rows_at(rows, entity->row_size, index);
        uint64_t link = rows->links ? rows->links[index] : 0;
        for (uint32_t c = begin; c < end; c++)
                values[c] = column_load(&entity->columns[c], row, link);
}

/* Each row against the one before it, over the whole block. */
static int encode_events(struct encoder *encoder, const struct entity *entity, struct state *state,
                         const struct rows *rows, size_t count)
{
        if (!reserve(state, 1))
                return -ENOMEM;
        if (encoder->is_at_start)
                memcpy(state->base, state->defaults, state->stride * sizeof(uint64_t));
        bytes_put_varint(&encoder->streams[state->first_stream], count);
        for (size_t i = 0; i < count; i++) {
                load_columns(entity, rows, i, 0, entity->column_count, state->next);
                (void)put_sparse(encoder, entity, state, rows_at(rows, entity->row_size, i), state->base,
                                 state->next, true);
                memcpy(state->base, state->next, state->stride * sizeof(uint64_t));
        }
        return 0;
}

static int encode_list(struct encoder *encoder, const struct entity *entity, struct state *state,
                       const struct rows *rows, size_t count)
{
        if (encoder->is_at_start) {
                state->count = 0;
                memcpy(state->base, state->defaults, state->stride * sizeof(uint64_t));
        }
        if (!reserve(state, count))
                return -ENOMEM;

        struct row_edits edits = { 0 };
        struct bytes *changed = &encoder->changed;
        bytes_clear(changed);
        uint64_t changed_count = 0;
        size_t last_changed = 0, old = 0;
        for (size_t i = 0; i < count; i++) {
                const void *row = rows_at(rows, entity->row_size, i);
                uint64_t *values = state->next + i * state->stride;
                load_columns(entity, rows, i, 0, entity->key_count, values);
                for (size_t gone = rows_gone(entity, state, old, values); gone; gone--, old++)
                        edit_remove(&edits);

                const uint64_t *former = old < state->count ? state->values + old * state->stride : NULL;
                bool is_kept = former && compare_keys(entity, former, values) == 0;
                const uint64_t *base = is_kept ? former : state->base;
                if (entity->shape == SHAPE_LIST) {
                        state->next_hashes[i] = hash_row(entity, row, rows->links ? rows->links[i] : 0);
                        if (is_kept && state->next_hashes[i] == state->hashes[old]) {
                                memcpy(values, former, state->stride * sizeof(uint64_t));
                                edit_keep(&edits);
                                old++;
                                continue;
                        }
                }
                load_columns(entity, rows, i, entity->key_count, entity->column_count, values);
                if (is_kept) {
                        edit_keep(&edits);
                        old++;
                } else {
                        edit_insert(&edits);
                }
                if (entity->shape == SHAPE_DENSE) {
                        put_dense(encoder, entity, state, row, base, values, !is_kept);
                } else if (put_sparse(encoder, entity, state, row, base, values, !is_kept) && is_kept) {
                        bytes_put_varint(changed, i - last_changed);
                        last_changed = i;
                        changed_count++;
                }
                if (!is_kept)
                        memcpy(state->base, values, state->stride * sizeof(uint64_t));
        }
        for (; old < state->count; old++)
                edit_remove(&edits);
        bool failed = !edits_finish(&edits, &encoder->streams[state->first_stream]) || changed->failed;
        if (entity->shape == SHAPE_LIST) {
                struct bytes *stream =
                        &encoder->streams[state->first_stream + 1 + mask_bytes(entity->column_count)];
                bytes_put_varint(stream, changed_count);
                bytes_put(stream, changed->data, changed->length);
        }

        SWAP(state->values, state->next);
        SWAP(state->hashes, state->next_hashes);
        SWAP(state->capacity, state->next_capacity);
        state->count = count;
        return failed ? -ENOMEM : 0;
}

int encoder_encode(struct encoder *encoder, const struct rows *rows, struct bytes *ret_frame)
{
        if (encoder->is_at_start) {
                encoder->tick = 0;
                put_schema(encoder);
        }
        int result = 0;
        for (uint32_t i = 0; i < encoder->schema->entity_count && result == 0; i++) {
                const struct entity *entity = &encoder->schema->entities[i];
                struct state *state = &encoder->states[i];
                size_t count = rows[i].count < entity->rows_max ? rows[i].count : entity->rows_max;
                result = entity->shape == SHAPE_EVENT ? encode_events(encoder, entity, state, &rows[i], count)
                                                      : encode_list(encoder, entity, state, &rows[i], count);
        }
        bytes_clear(ret_frame);
        if (result == 0)
                result = frame_write(encoder->tick, encoder->streams, encoder->stream_count, ret_frame);
        for (uint32_t i = 0; i < encoder->stream_count; i++)
                bytes_clear(&encoder->streams[i]);
        encoder->tick++;
        encoder->is_at_start = false;
        if (result < 0)
                encoder_restart(encoder);
        return result;
}
