/* What a stored frame is made of, as tables: entities (processes, disks ...) with columns (pid, read_bytes
 * ...). The codec knows only these tables; adding a stored field is one line of one of them.
 *
 * Columns and entities have stable numbers, which each block lists: an old file opens with new code (what it
 * lacks reads as absent), and what a newer minor version added is skipped. A number is never used again for
 * another meaning, width or scale. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENTITIES_MAX       32
#define ENTITY_COLUMNS_MAX 256
#define SPARSE_COLUMNS_MAX 64 /* one bit each in the mask of what changed */
#define BLOCK_COLUMNS_MAX  1024
#define BLOCK_TICKS_MAX    4096

enum column_kind {
        COLUMN_NUMBER, /* stored as difference from the row's former value */
        COLUMN_STEADY, /* grows evenly: stored as difference of differences; dense entities only */
        COLUMN_TEXT,   /* NUL-terminated in a char array; stored whole when it changes */
        COLUMN_LINK,   /* no member of the row: a number that the caller hands in beside it */
};

struct column {
        uint64_t maximum; /* a larger stored value is damage; 0: any */
        uint32_t width;   /* bytes of the member */
        uint32_t offset;  /* in the row */
        uint32_t scale;   /* stored in this unit: what is finer is not kept */
        uint32_t
                minus[2]; /* 1 + offsets of 64-bit members that it follows, stored as the distance; 0: none */
        uint16_t number;  /* stable, unique in its entity, not 0 */
        uint8_t kind;     /* enum column_kind */
        bool is_signed;
        bool absent_by_default; /* ABSENT if the file does not have it, else 0 or "" */
        bool is_activity;       /* a process that did anything has moved one of these */
};

enum entity_shape {
        SHAPE_LIST,  /* rows with a past, matched by key; only changed ones are stored */
        SHAPE_DENSE, /* nearly every column of every row changes every time: no masks */
        SHAPE_EVENT, /* rows without a past: each tick has its own */
};

struct entity {
        const struct column *columns;
        uint32_t column_count;
        uint32_t row_size;
        uint32_t rows_max; /* at one tick */
        uint8_t number;    /* stable, not 0 */
        uint8_t shape;     /* enum entity_shape */
        uint8_t key_count; /* the first columns are its key; 0: rows are matched by position */
        bool is_sorted;    /* ascending by key; otherwise in any, mostly stable order */
};

struct schema {
        const struct entity *entities;
        uint32_t entity_count;
};

/* The rows of one entity at one tick. */
struct rows {
        const void *base;            /* the first of `count` rows, or */
        const void *const *pointers; /* one pointer a row */
        const uint64_t *links;       /* of the COLUMN_LINK, one a row; NULL without one */
        size_t count;
};

static inline const void *rows_at(const struct rows *rows, size_t row_size, size_t index)
{
        return rows->pointers ? rows->pointers[index] : (const char *)rows->base + index * row_size;
}

/* A column's number as it is stored: scaled, relative to what it follows; of a text its hash. */
uint64_t column_load(const struct column *column, const void *row, uint64_t link);
/* The reverse for numbers. False if the value is over the column's maximum. */
bool column_store(const struct column *column, void *row, uint64_t value);
/* Zeroes a row and sets its columns to what they read as if a file does not have them. */
void entity_default_row(const struct entity *entity, void *row);

/* Bytes of mask that each changed row of a sparse entity has. */
static inline uint32_t mask_bytes(uint32_t column_count)
{
        return (column_count + 7) / 8;
}

/* Columns of bookkeeping before an entity's own in a block: edits, then, unless dense, masks, and for lists
 * the changed rows. */
static inline uint32_t shape_columns(enum entity_shape shape, uint32_t column_count)
{
        switch (shape) {
        case SHAPE_DENSE:
                return 1;
        case SHAPE_EVENT:
                return 1 + mask_bytes(column_count);
        case SHAPE_LIST:
                break;
        }
        return 2 + mask_bytes(column_count);
}

#define SWAP(a, b)                                                                                           \
        do {                                                                                                 \
                __typeof__(a) swap_ = (a);                                                                   \
                (a) = (b);                                                                                   \
                (b) = swap_;                                                                                 \
        } while (0)

/* ---- for the tables: number, type, member, scale */

#define MEMBER_(type, member) ((type *)0)->member
#define PLACE_(n, t, m)       .number = (n), .width = sizeof(MEMBER_(t, m)), .offset = offsetof(t, m)
#define NUMERIC_(n, t, m)                                                                                    \
        PLACE_(n, t, m), .is_signed = (__typeof__(MEMBER_(t, m)))-1 < (__typeof__(MEMBER_(t, m)))1

/* 64-bit counters and levels that are ABSENT where they are not known. */
#define COUNTER(n, t, m, s)                                                                                  \
        {                                                                                                    \
                NUMERIC_(n, t, m), .kind = COLUMN_NUMBER, .scale = (s), .absent_by_default = true            \
        }
#define STEADY(n, t, m, s)                                                                                   \
        {                                                                                                    \
                NUMERIC_(n, t, m), .kind = COLUMN_STEADY, .scale = (s), .absent_by_default = true            \
        }
/* Counters that move only when a process ran. */
#define ACTIVITY(n, t, m, s)                                                                                 \
        {                                                                                                    \
                NUMERIC_(n, t, m), .kind = COLUMN_NUMBER, .scale = (s), .absent_by_default = true,           \
                                   .is_activity = true                                                       \
        }
/* Small numbers, 0 where they are not known; at most `max` (0: any). */
#define NUMBER(n, t, m, max)                                                                                 \
        {                                                                                                    \
                NUMERIC_(n, t, m), .kind = COLUMN_NUMBER, .scale = 1, .maximum = (max)                       \
        }
#define TEXT(n, t, m)                                                                                        \
        {                                                                                                    \
                PLACE_(n, t, m), .kind = COLUMN_TEXT, .scale = 1                                             \
        }
#define LINK(n)                                                                                              \
        {                                                                                                    \
                .number = (n), .kind = COLUMN_LINK, .scale = 1                                               \
        }
