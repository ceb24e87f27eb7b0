/* Bytes of unknown length, written and read: a buffer that grows up to a cap, variable-length numbers, and a
 * cursor that never reads past its end. Both fail once and stay failed, so callers check at the end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VARINT_MAX 10          /* bytes of the longest number */
#define BYTES_MAX  (64u << 20) /* no buffer of the history grows past this */

struct bytes {
        uint8_t *data;
        size_t length, capacity;
        bool failed; /* no memory, or over BYTES_MAX: the content is incomplete */
};

void bytes_done(struct bytes *bytes);
/* Empties it and keeps its memory. */
void bytes_clear(struct bytes *bytes);
void bytes_put(struct bytes *bytes, const void *data, size_t length);
/* Seven bits a byte, the lowest first. */
void bytes_put_varint(struct bytes *bytes, uint64_t value);
/* A difference modulo 2^64, small for small distances in either direction (zigzag). */
void bytes_put_delta(struct bytes *bytes, uint64_t delta);
void bytes_put_u32(struct bytes *bytes, uint32_t value);
void bytes_put_u64(struct bytes *bytes, uint64_t value);

struct reader {
        const uint8_t *at, *end;
        bool failed; /* a read went past the end, or a number was malformed; what was read since is 0 */
};

static inline struct reader reader_of(const void *data, size_t length)
{
        return (struct reader){ .at = data, .end = length ? (const uint8_t *)data + length : data };
}

static inline size_t reader_left(const struct reader *reader)
{
        return (size_t)(reader->end - reader->at);
}

uint64_t reader_long_varint(struct reader *reader);
/* Most numbers are one byte, and a day's record has millions of them. */
static inline uint64_t reader_varint(struct reader *reader)
{
        if (reader->at < reader->end && *reader->at < 0x80)
                return *reader->at++;
        return reader_long_varint(reader);
}

static inline uint64_t reader_delta(struct reader *reader)
{
        uint64_t value = reader_varint(reader);
        return (value >> 1) ^ (0 - (value & 1));
}

uint32_t reader_u32(struct reader *reader);
uint64_t reader_u64(struct reader *reader);
/* The next `length` bytes, borrowed from what is read; NULL (and failed) if there are fewer. */
const uint8_t *reader_take(struct reader *reader, size_t length);

/* 64 bits, eight bytes at a step: tells change and damage, not malice. */
uint64_t bytes_hash(const void *data, size_t length);
