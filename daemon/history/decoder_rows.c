/* Rows that stay, go, come and change, from streams of differences; the mirror of encoder.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "daemon/history/decoder_internal.h"
#include "daemon/sample/sample.h"

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

/* Copies the rows from one on into the second set. */
static void set_aside(struct table *table, size_t first)
{
        size_t size = table->entity->row_size, count = table->count - first;
        if (count == 0)
                return;
        memcpy(table->next + first * size, table->rows + first * size, count * size);
        memcpy(table->next_links + first, table->links + first, count * sizeof(uint64_t));
        if (table->steps)
                memcpy(table->next_steps + first * table->column_count,
                       table->steps + first * table->column_count,
                       count * table->column_count * sizeof(uint64_t));
}

/* Copies rows of the second set to where they belong now. */
static void put_back(struct table *table, size_t to, size_t from, size_t count)
{
        size_t size = table->entity->row_size;
        if (count == 0)
                return;
        memcpy(table->rows + to * size, table->next + from * size, count * size);
        memcpy(table->links + to, table->next_links + from, count * sizeof(uint64_t));
        if (table->steps)
                memcpy(table->steps + to * table->column_count,
                       table->next_steps + from * table->column_count,
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

        /* Rows before the first edit stay where they are: mostly it is the newest processes that come and go.
         */
        size_t first = (size_t)reader_varint(reader), from = first, to = first;
        set_aside(table, first);
        if (first)
                memset(table->marks, 0, first);
        for (uint64_t i = 0; i < runs; i++) {
                size_t keep = i == 0 ? 0 : (size_t)reader_varint(reader);
                size_t remove = (size_t)reader_varint(reader), insert = (size_t)reader_varint(reader);
                put_back(table, to, from, keep);
                from += keep + remove;
                to += keep;
                if (insert)
                        memset(table->marks + to, ROW_NEW, insert);
                to += insert;
        }
        put_back(table, to, from, table->count - from);
        table->count = (size_t)count;
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

/* Columns that are stored relative to others change with them: they are taken before, and put back after. */
static void load_distances(const struct table *table, const char *row,
                           uint64_t distances[static SPARSE_COLUMNS_MAX])
{
        for (uint32_t i = 0; i < table->distance_count; i++) {
                uint32_t c = table->distance_columns[i];
                distances[c] = column_load(&table->entity->columns[table->columns[c]], row, 0);
        }
}

static bool store_distances(const struct table *table, char *row,
                            const uint64_t distances[static SPARSE_COLUMNS_MAX])
{
        for (uint32_t i = 0; i < table->distance_count; i++) {
                uint32_t c = table->distance_columns[i];
                if (!column_store(&table->entity->columns[table->columns[c]], row, distances[c]))
                        return false;
        }
        return true;
}

/* Adds what a column changed by. False if that is over its maximum. */
static bool add_difference(const struct column *column, char *row, uint64_t difference)
{
        uint64_t value;
        if (column->width != sizeof(value) || column->maximum)
                return column_store(column, row, column_load(column, row, 0) + difference);
        /* Nearly all are like this. What was stored before is a multiple of the scale: no need to divide. */
        memcpy(&value, row + column->offset, sizeof(value));
        if (value == ABSENT)
                return column_store(column, row, value + difference);
        value += difference * column->scale;
        if (value == -(uint64_t)column->scale)
                value = ABSENT;
        memcpy(row + column->offset, &value, sizeof(value));
        return true;
}

static int read_mask(struct decoder *decoder, const struct table *table, uint64_t *ret_mask)
{
        struct reader *masks = &decoder->streams[table->first_stream + 1];
        uint64_t mask = 0;
        for (uint32_t i = 0; i < mask_bytes(table->column_count); i++) {
                if (masks[i].at == masks[i].end)
                        return -EBADMSG;
                mask |= (uint64_t)*masks[i].at++ << (8 * i);
        }
        if (table->column_count < 64 && mask >> table->column_count)
                return -EBADMSG;
        *ret_mask = mask;
        return 0;
}

/* Passes over what a row that nobody asked for changed by. */
static int skip_sparse(struct decoder *decoder, const struct table *table)
{
        uint32_t first = table->first_stream + shape_columns(table->entity->shape, table->column_count);
        uint64_t mask;
        if (read_mask(decoder, table, &mask) < 0)
                return -EBADMSG;
        for (; mask; mask &= mask - 1) {
                uint32_t c = (uint32_t)__builtin_ctzll(mask);
                if (table->columns[c] == NOT_STORED)
                        continue;
                struct reader *reader = &decoder->streams[first + c];
                uint64_t value = reader_varint(reader);
                if (table->entity->columns[table->columns[c]].kind == COLUMN_TEXT &&
                    (value > reader_left(reader) || !reader_take(reader, (size_t)value)))
                        return -EBADMSG;
                if (reader->failed)
                        return -EBADMSG;
        }
        return 0;
}

/* The columns that the row's mask names. */
static int read_sparse(struct decoder *decoder, struct table *table, char *row, uint64_t *link, uint8_t *mark)
{
        uint64_t mask;
        if (read_mask(decoder, table, &mask) < 0)
                return -EBADMSG;
        uint64_t distances[SPARSE_COLUMNS_MAX];
        if (table->distance_count)
                load_distances(table, row, distances);
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
                if (reader->failed)
                        return -EBADMSG;
                if (column->kind == COLUMN_LINK)
                        *link += difference;
                else if (column->minus[0])
                        distances[c] += difference;
                else if (!add_difference(column, row, difference))
                        return -EBADMSG;
        }
        return table->distance_count == 0 || store_distances(table, row, distances) ? 0 : -EBADMSG;
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

int decoder_read_list(struct decoder *decoder, struct table *table)
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
                uint64_t eight;
                if (!is_dense && i % sizeof(eight) == 0 && table->count - i >= sizeof(eight)) {
                        memcpy(&eight, table->marks + i, sizeof(eight));
                        if (eight == 0) { /* most rows of a list stay as they are */
                                i += sizeof(eight) - 1;
                                continue;
                        }
                }
                char *row = table->rows + i * size;
                bool is_new = table->marks[i] == ROW_NEW;
                if (is_new) {
                        memcpy(row, table->base, size);
                        table->links[i] = table->base_link;
                }
                if (is_dense)
                        result = read_dense(decoder, table, row, table->steps + i * table->column_count,
                                            is_new);
                else if (table->marks[i] && !is_new && table->has_wanted &&
                         column_load(&table->entity->columns[0], row, 0) != table->wanted)
                        result = skip_sparse(decoder, table);
                else if (table->marks[i])
                        result = read_sparse(decoder, table, row, &table->links[i], &table->marks[i]);
                if (result < 0)
                        return result;
                if (is_new) {
                        memcpy(table->base, row, size);
                        table->base_link = table->links[i];
                }
        }
        return 0;
}

int decoder_read_events(struct decoder *decoder, struct table *table)
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
