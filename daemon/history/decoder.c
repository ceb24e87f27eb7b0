/* What a block lists, matched with what this version knows. */
#include "daemon/history/decoder.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/history/decoder_internal.h"
#include "daemon/history/encoder.h"

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
                if (!table)
                        continue;
                table->columns[c] = find_column(table->entity, column);
                if (shape != SHAPE_DENSE && table->columns[c] != NOT_STORED &&
                    table->entity->columns[table->columns[c]].minus[0])
                        table->distance_columns[table->distance_count++] = (uint8_t)c;
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

int decoder_next(struct decoder *decoder)
{
        if (decoder->tick >= decoder->block->ticks)
                return 0;
        for (uint32_t i = 0; i < decoder->schema->entity_count; i++) {
                struct table *table = &decoder->tables[i];
                if (!table->entity || table->is_left_out)
                        continue;
                int result = table->entity->shape == SHAPE_EVENT ? decoder_read_events(decoder, table)
                                                                 : decoder_read_list(decoder, table);
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

void decoder_leave_out(struct decoder *decoder, uint32_t entity)
{
        decoder->tables[entity].is_left_out = true;
}

void decoder_want_key(struct decoder *decoder, uint32_t entity, uint64_t key)
{
        decoder->tables[entity].has_wanted = true;
        decoder->tables[entity].wanted = key;
}

void decoder_leave_out_behind(struct decoder *decoder, uint32_t entity, size_t offset)
{
        struct table *table = &decoder->tables[entity];
        if (!table->entity || table->entity->shape != SHAPE_DENSE)
                return;
        for (uint32_t c = 0; c < table->column_count; c++)
                if (table->columns[c] != NOT_STORED &&
                    table->entity->columns[table->columns[c]].offset >= offset)
                        table->columns[c] =
                                NOT_STORED; /* each column has a stream of its own: nothing else moves */
}
