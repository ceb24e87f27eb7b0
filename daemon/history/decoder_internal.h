/* What a decoder keeps, for decoder.c (which blocks it understands) and decoder_rows.c (how rows change). */
#pragma once

#include "daemon/history/decoder.h"
#include "daemon/history/varint.h"

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
        char *base; /* one row: what a new row begins as, the new one before it in the block */
        uint64_t base_link;
        bool is_left_out; /* not asked for */
        bool has_wanted;  /* only rows whose first column is this are kept up to date */
        uint64_t wanted;
        uint8_t distance_columns[SPARSE_COLUMNS_MAX]; /* lists: columns that are stored relative to others */
        uint32_t distance_count;
};

struct decoder {
        const struct schema *schema;
        const struct block *block;
        struct reader streams[BLOCK_COLUMNS_MAX];
        struct table tables[ENTITIES_MAX]; /* as in schema */
        uint32_t tick;
};

/* The next tick of one entity. 0, -EBADMSG, -ENOMEM. */
int decoder_read_list(struct decoder *decoder, struct table *table);
int decoder_read_events(struct decoder *decoder, struct table *table);
