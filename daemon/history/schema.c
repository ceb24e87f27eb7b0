/* Members of rows as numbers, by their table. */
#include "daemon/history/schema.h"

#include <assert.h>
#include <string.h>

#include "daemon/history/varint.h"
#include "daemon/sample/sample.h"

static uint64_t member_load(const struct column *column, const void *row)
{
        const char *at = (const char *)row + column->offset;
        switch (column->width) {
        case 8: {
                uint64_t value;
                memcpy(&value, at, sizeof(value));
                return value;
        }
        case 4: {
                uint32_t value;
                memcpy(&value, at, sizeof(value));
                return column->is_signed ? (uint64_t)(int64_t)(int32_t)value : value;
        }
        case 2: {
                uint16_t value;
                memcpy(&value, at, sizeof(value));
                return column->is_signed ? (uint64_t)(int64_t)(int16_t)value : value;
        }
        default:
                assert(column->width == 1);
                return column->is_signed ? (uint64_t)(int64_t)(int8_t)*at : (uint8_t)*at;
        }
}

/* Distances are around this, so that none is ABSENT. */
#define DISTANCE_ZERO (UINT64_C(1) << 62)

static uint64_t followed(const struct column *column, const void *row)
{
        uint64_t sum = 0, value;
        for (size_t i = 0; i < 2 && column->minus[i]; i++) {
                memcpy(&value, (const char *)row + column->minus[i] - 1, sizeof(value));
                sum += value;
        }
        return sum;
}

uint64_t column_load(const struct column *column, const void *row, uint64_t link)
{
        if (column->kind == COLUMN_LINK)
                return link;
        if (column->kind == COLUMN_TEXT) {
                const char *text = (const char *)row + column->offset;
                size_t length = strnlen(text, column->width);
                return length ? bytes_hash(text, length) : 0;
        }
        uint64_t value = member_load(column, row);
        if (value == ABSENT)
                return value;
        if (column->minus[0])
                return value - followed(column, row) + DISTANCE_ZERO;
        return column->scale > 1 ? value / column->scale : value;
}

bool column_store(const struct column *column, void *row, uint64_t value)
{
        if (column->maximum && value > column->maximum)
                return false;
        if (value != ABSENT) {
                if (column->minus[0])
                        value += followed(column, row) - DISTANCE_ZERO;
                else if (column->scale > 1)
                        value *= column->scale;
        }
        char *at = (char *)row + column->offset;
        switch (column->width) {
        case 8:
                memcpy(at, &value, sizeof(value));
                break;
        case 4:
                memcpy(at, &(uint32_t){ (uint32_t)value }, sizeof(uint32_t));
                break;
        case 2:
                memcpy(at, &(uint16_t){ (uint16_t)value }, sizeof(uint16_t));
                break;
        default:
                memcpy(at, &(uint8_t){ (uint8_t)value }, sizeof(uint8_t));
        }
        return true;
}

void entity_default_row(const struct entity *entity, void *row)
{
        memset(row, 0, entity->row_size);
        for (uint32_t i = 0; i < entity->column_count; i++) {
                const struct column *column = &entity->columns[i];
                if (column->kind == COLUMN_LINK)
                        continue;
                memset((char *)row + column->offset, column->absent_by_default ? 0xff : 0, column->width);
        }
}
