/* Streams of differences become rows again; the mirror of encoder.c. */
#include "daemon/history/decoder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "daemon/history/encoder.h"

#define NOT_STORED UINT16_MAX

/* One entity as the block lists it. */
struct table {
        const struct entity *entity;
        uint16_t columns[ENTITY_COLUMNS_MAX]; /* position in entity->columns, or NOT_STORED: newer than we are
                                               */
        uint32_t column_count;                /* as in the block */
        uint32_t first_stream;
        char *rows, *next;
        uint64_t *links, *next_links;
        uint64_t *steps, *next_steps; /* dense: column_count a row */
        uint8_t *marks;
        size_t count, capacity;
        char *base; /* one row: what a new row begins as */
};

struct decoder {
        const struct schema *schema;
        const struct block *block;
        struct reader streams[BLOCK_COLUMNS_MAX];
        struct table tables[ENTITIES_MAX]; /* as in schema */
        uint32_t tick;
};

static void table_done(struct table *table)
{
        free(table->rows);
        free(table->next);
        free(table->links);
        free(table->next_links);
        free(table->steps);
        free(table->next_steps);
        free(table->marks);
        free(table->base);
}

struct decoder *decoder_free(struct decoder *decoder)
{
        if (!decoder)
                return NULL;
        for (size_t i = 0; i < ENTITIES_MAX; i++)
                table_done(&decoder->tables[i]);
        free(decoder);
        return NULL;
}

/* ---- what the block lists */

static uint16_t find_column(const struct entity *entity, uint64_t number)
{
        for (uint32_t c = 0; c < entity->column_count; c++)
                if (entity->columns[c].number == number)
                        return (uint16_t)c;
        return NOT_STORED;
}

static int read_table(struct decoder *decoder, struct reader *reader, uint32_t *stream)
{
        uint64_t number = reader_varint(reader);
        uint64_t shape = reader_varint(reader);
        uint64_t column_count = reader_varint(reader);
        if (reader->failed || shape > SHAPE_EVENT || column_count > ENTITY_COLUMNS_MAX ||
            (shape != SHAPE_DENSE && column_count > SPARSE_COLUMNS_MAX))
                return -EBADMSG;

        struct table *table = NULL;
        for (uint32_t i = 0; i < decoder->schema->entity_count; i++) {
                const struct entity *entity = &decoder->schema->entities[i];
                if (entity->number != number)
                        continue;
                if (entity->shape != shape || decoder->tables[i].entity) /* listed twice */
                        return -EBADMSG;
                table = &decoder->tables[i];
                table->entity = entity;
        }
        uint64_t column = 0;
        for (uint64_t c = 0; c < column_count; c++) {
                column += reader_delta(reader);
                if (table)
                        table->columns[c] = find_column(table->entity, column);
        }
        uint32_t streams =
                shape_columns((enum entity_shape)shape, (uint32_t)column_count) + (uint32_t)column_count;
        if (reader->failed || streams > BLOCK_COLUMNS_MAX - *stream)
                return -EBADMSG;
        if (table) {
                table->column_count = (uint32_t)column_count;
                table->first_stream = *stream;
                table->base = calloc(1, table->entity->row_size);
                if (!table->base)
                        return -ENOMEM;
                entity_default_row(table->entity, table->base);
        }
        *stream += streams;
        return 0;
}

int decoder_new(const struct schema *schema, const struct block *block, struct decoder **ret_decoder)
{
        struct decoder *decoder = calloc(1, sizeof(*decoder));
        if (!decoder)
                return -ENOMEM;
        decoder->schema = schema;
        decoder->block = block;
        for (uint32_t i = 0; i < block->stream_count; i++)
                decoder->streams[i] = reader_of(block->streams[i].data, block->streams[i].length);

        struct reader *reader = &decoder->streams[STREAM_SCHEMA];
        uint64_t entity_count = reader_varint(reader);
        int result = reader->failed ? -EBADMSG : 0;
        uint32_t stream = STREAM_FIRST;
        for (uint64_t i = 0; i < entity_count && result == 0; i++)
                result = read_table(decoder, reader, &stream);
        bool is_ours = false;
        for (uint32_t i = 0; i < schema->entity_count; i++)
                is_ours |= decoder->tables[i].entity != NULL;
        if (result == 0 && !is_ours)
                result = -ENOMSG;
        if (result < 0) {
                (void)decoder_free(decoder);
                return result;
        }
        *ret_decoder = decoder;
        return 0;
}

/* ---- rows */

static bool grow(void *array, size_t count, size_t size)
{
        void **pointer = array;
        void *grown = realloc(*pointer, count * size);
        if (!grown)
                return false;
        *pointer = grown;
        return true;
}

static int reserve(struct table *table, size_t count)
{
        if (count <= table->capacity)
                return 0;
        size_t capacity = count + count / 4;
        if (capacity > table->entity->rows_max)
                capacity = table->entity->rows_max;
        bool is_dense = table->entity->shape == SHAPE_DENSE;
        if (!grow(&table->rows, capacity, table->entity->row_size) ||
            !grow(&table->links, capacity, sizeof(uint64_t)) || !grow(&table->marks, capacity, 1))
                return -ENOMEM;
        if (is_dense && !grow(&table->steps, capacity, table->column_count * sizeof(uint64_t)))
                return -ENOMEM;
        if (table->entity->shape != SHAPE_EVENT) {
                if (!grow(&table->next, capacity, table->entity->row_size) ||
                    !grow(&table->next_links, capacity, sizeof(uint64_t)))
                        return -ENOMEM;
                if (is_dense && !grow(&table->next_steps, capacity, table->column_count * sizeof(uint64_t)))
                        return -ENOMEM;
        }
        table->capacity = capacity;
        return 0;
}

static void copy_rows(struct table *table, size_t to, size_t from, size_t count)
{
        if (count == 0)
                return;
        size_t size = table->entity->row_size;
        memcpy(table->next + to * size, table->rows + from * size, count * size);
        memcpy(table->next_links + to, table->links + from, count * sizeof(uint64_t));
        if (table->steps)
                memcpy(table->next_steps + to * table->column_count,
                       table->steps + from * table->column_count,
                       count * table->column_count * sizeof(uint64_t));
        memset(table->marks + to, 0, count);
}

/* Keeps, removes and makes room for new rows (marked, but not yet filled in). */
static int read_edits(struct table *table, struct reader *reader)
{
        uint64_t runs = reader_varint(reader);
        if (reader->failed)
                return -EBADMSG;
        if (runs == 0) {
                if (table->count)
                        memset(table->marks, 0, table->count);
                return 0;
        }
        struct reader ahead = *reader; /* first how many rows there will be */
        uint64_t old = 0, inserted = 0, removed = 0;
        for (uint64_t i = 0; i < runs; i++) {
                uint64_t keep = reader_varint(&ahead), remove = reader_varint(&ahead);
                uint64_t insert = reader_varint(&ahead);
                if (ahead.failed || keep > table->count - old || remove > table->count - old - keep ||
                    insert > table->entity->rows_max - inserted)
                        return -EBADMSG;
                old += keep + remove;
                removed += remove;
                inserted += insert;
        }
        uint64_t count = table->count - removed + inserted;
        if (count > table->entity->rows_max)
                return -EBADMSG;
        int result = reserve(table, count);
        if (result < 0)
                return result;

        size_t from = 0, to = 0;
        for (uint64_t i = 0; i < runs; i++) {
                size_t keep = (size_t)reader_varint(reader), remove = (size_t)reader_varint(reader);
                size_t insert = (size_t)reader_varint(reader);
                copy_rows(table, to, from, keep);
                from += keep + remove;
                to += keep;
                if (insert)
                        memset(table->marks + to, ROW_NEW, insert);
                to += insert;
        }
        copy_rows(table, to, from, table->count - from);
        table->count = (size_t)count;
        SWAP(table->rows, table->next);
        SWAP(table->links, table->next_links);
        SWAP(table->steps, table->next_steps);
        return 0;
}

static int read_text(const struct column *column, void *row, struct reader *reader)
{
        uint64_t length = reader_varint(reader);
        if (reader->failed || length > column->width || length > reader_left(reader))
                return -EBADMSG;
        char *text = (char *)row + column->offset;
        memset(text, 0, column->width);
        memcpy(text, reader_take(reader, (size_t)length), (size_t)length);
        text[column->width - 1] = 0;
        text_sanitize(text, "\n\t");
        return 0;
}

/* The columns that the row's mask names. */
static int read_sparse(struct decoder *decoder, struct table *table, char *row, uint64_t *link, uint8_t *mark)
{
        struct reader *masks = &decoder->streams[table->first_stream + 1];
        uint64_t mask = 0;
        for (uint32_t i = 0; i < mask_bytes(table->column_count); i++) {
                const uint8_t *byte = reader_take(&masks[i], 1);
                if (!byte)
                        return -EBADMSG;
                mask |= (uint64_t)*byte << (8 * i);
        }
        if (table->column_count < 64 && mask >> table->column_count)
                return -EBADMSG;
        uint32_t first = table->first_stream + shape_columns(table->entity->shape, table->column_count);
        for (; mask; mask &= mask - 1) {
                uint32_t c = (uint32_t)__builtin_ctzll(mask);
                if (table->columns[c] == NOT_STORED)
                        continue;
                const struct column *column = &table->entity->columns[table->columns[c]];
                struct reader *reader = &decoder->streams[first + c];
                if (column->is_activity)
                        *mark |= ROW_ACTIVE;
                if (column->kind == COLUMN_TEXT) {
                        if (read_text(column, row, reader) < 0)
                                return -EBADMSG;
                        continue;
                }
                uint64_t difference = reader_delta(reader);
                if (column->kind == COLUMN_LINK)
                        *link += difference;
                else if (!column_store(column, row, column_load(column, row, 0) + difference))
                        return -EBADMSG;
                if (reader->failed)
                        return -EBADMSG;
        }
        return 0;
}

static int read_dense(struct decoder *decoder, struct table *table, char *row, uint64_t *steps, bool is_new)
{
        uint32_t first = table->first_stream + shape_columns(SHAPE_DENSE, table->column_count);
        uint64_t values[ENTITY_COLUMNS_MAX] = { 0 }; /* all first: some are stored relative to others */
        for (uint32_t c = 0; c < table->column_count; c++)
                if (table->columns[c] != NOT_STORED)
                        values[c] = column_load(&table->entity->columns[table->columns[c]], row, 0);
        for (uint32_t c = 0; c < table->column_count; c++) {
                if (table->columns[c] == NOT_STORED)
                        continue;
                const struct column *column = &table->entity->columns[table->columns[c]];
                struct reader *reader = &decoder->streams[first + c];
                if (column->kind == COLUMN_TEXT) {
                        uint64_t differs = reader_varint(reader);
                        if (reader->failed || differs > 1 || (differs && read_text(column, row, reader) < 0))
                                return -EBADMSG;
                        continue;
                }
                uint64_t step = reader_delta(reader);
                if (column->kind == COLUMN_STEADY && !is_new)
                        step += steps[c];
                steps[c] = is_new ? 0 : step;
                if (reader->failed || !column_store(column, row, values[c] + step))
                        return -EBADMSG;
        }
        return 0;
}

static int read_list(struct decoder *decoder, struct table *table)
{
        bool is_dense = table->entity->shape == SHAPE_DENSE;
        int result = read_edits(table, &decoder->streams[table->first_stream]);
        if (result < 0)
                return result;
        if (!is_dense) {
                struct reader *changed =
                        &decoder->streams[table->first_stream + 1 + mask_bytes(table->column_count)];
                uint64_t count = reader_varint(changed), index = 0;
                for (uint64_t i = 0; i < count; i++) {
                        uint64_t gap = reader_varint(changed);
                        if (gap >= table->count - index || (i > 0 && gap == 0))
                                return -EBADMSG;
                        index += gap;
                        if (table->marks[index])
                                return -EBADMSG;
                        table->marks[index] = ROW_CHANGED;
                }
                if (changed->failed)
                        return -EBADMSG;
        }
        size_t size = table->entity->row_size;
        for (size_t i = 0; i < table->count; i++) {
                char *row = table->rows + i * size;
                bool is_new = table->marks[i] == ROW_NEW;
                if (is_new) {
                        bool has_neighbour = decoder->tick == 0 && i > 0;
                        memcpy(row, has_neighbour ? row - size : table->base, size);
                        table->links[i] = has_neighbour ? table->links[i - 1] : 0;
                }
                if (is_dense)
                        result = read_dense(decoder, table, row, table->steps + i * table->column_count,
                                            is_new);
                else if (table->marks[i])
                        result = read_sparse(decoder, table, row, &table->links[i], &table->marks[i]);
                if (result < 0)
                        return result;
        }
        return 0;
}

static int read_events(struct decoder *decoder, struct table *table)
{
        struct reader *reader = &decoder->streams[table->first_stream];
        uint64_t count = reader_varint(reader);
        if (reader->failed || count > table->entity->rows_max)
                return -EBADMSG;
        int result = reserve(table, (size_t)count);
        size_t size = table->entity->row_size;
        uint64_t link = 0;
        for (size_t i = 0; i < count && result == 0; i++) {
                result = read_sparse(decoder, table, table->base, &link, &(uint8_t){ 0 });
                memcpy(table->rows + i * size, table->base, size);
        }
        table->count = result == 0 ? (size_t)count : 0;
        return result;
}

int decoder_next(struct decoder *decoder)
{
        if (decoder->tick >= decoder->block->ticks)
                return 0;
        for (uint32_t i = 0; i < decoder->schema->entity_count; i++) {
                struct table *table = &decoder->tables[i];
                if (!table->entity)
                        continue;
                int result = table->entity->shape == SHAPE_EVENT ? read_events(decoder, table)
                                                                 : read_list(decoder, table);
                if (result < 0) {
                        decoder->tick = decoder->block->ticks;
                        return result;
                }
        }
        decoder->tick++;
        return 1;
}

struct decoded_rows decoder_rows(const struct decoder *decoder, uint32_t entity)
{
        const struct table *table = &decoder->tables[entity];
        return (struct decoded_rows){ table->rows, table->links, table->marks, table->count };
}
