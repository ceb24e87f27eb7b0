/* Growing buffers, variable-length numbers and the cursor that reads them back. */
#include "daemon/history/varint.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

void bytes_done(struct bytes *bytes)
{
        free(bytes->data);
        *bytes = (struct bytes){ 0 };
}

void bytes_clear(struct bytes *bytes)
{
        bytes->length = 0;
        bytes->failed = false;
}

static bool bytes_reserve(struct bytes *bytes, size_t more)
{
        if (bytes->failed)
                return false;
        if (more > BYTES_MAX - bytes->length) {
                bytes->failed = true;
                return false;
        }
        if (more <= bytes->capacity - bytes->length)
                return true;
        size_t capacity = bytes->capacity ? bytes->capacity + bytes->capacity / 2 : 32;
        if (capacity < bytes->length + more)
                capacity = bytes->length + more;
        uint8_t *data = realloc(bytes->data, capacity);
        if (!data) {
                bytes->failed = true;
                return false;
        }
        bytes->data = data;
        bytes->capacity = capacity;
        return true;
}

void bytes_put(struct bytes *bytes, const void *data, size_t length)
{
        if (length == 0 || !bytes_reserve(bytes, length))
                return;
        memcpy(bytes->data + bytes->length, data, length);
        bytes->length += length;
}

void bytes_put_varint(struct bytes *bytes, uint64_t value)
{
        if (!bytes_reserve(bytes, VARINT_MAX)) /* a little short of the cap is over it */
                return;
        while (value >= 0x80) {
                bytes->data[bytes->length++] = (uint8_t)(value | 0x80);
                value >>= 7;
        }
        bytes->data[bytes->length++] = (uint8_t)value;
}

void bytes_put_delta(struct bytes *bytes, uint64_t delta)
{
        bytes_put_varint(bytes, (delta << 1) ^ (0 - (delta >> 63)));
}

static void put_little_endian(struct bytes *bytes, uint64_t value, size_t length)
{
        uint8_t data[8];
        for (size_t i = 0; i < length; i++)
                data[i] = (uint8_t)(value >> (8 * i));
        bytes_put(bytes, data, length);
}

void bytes_put_u32(struct bytes *bytes, uint32_t value)
{
        put_little_endian(bytes, value, 4);
}

void bytes_put_u64(struct bytes *bytes, uint64_t value)
{
        put_little_endian(bytes, value, 8);
}

uint64_t reader_long_varint(struct reader *reader)
{
        uint64_t value = 0;
        for (unsigned shift = 0; shift < 64 && reader->at < reader->end; shift += 7) {
                uint8_t byte = *reader->at++;
                if (shift == 63 && byte > 1) /* more than 64 bits */
                        break;
                value |= (uint64_t)(byte & 0x7f) << shift;
                if (byte < 0x80)
                        return value;
        }
        reader->failed = true;
        reader->at = reader->end;
        return 0;
}

const uint8_t *reader_take(struct reader *reader, size_t length)
{
        if (length > reader_left(reader)) {
                reader->failed = true;
                reader->at = reader->end;
                return NULL;
        }
        const uint8_t *at = reader->at;
        reader->at += length;
        return at;
}

static uint64_t take_little_endian(struct reader *reader, size_t length)
{
        const uint8_t *data = reader_take(reader, length);
        uint64_t value = 0;
        for (size_t i = 0; data && i < length; i++)
                value |= (uint64_t)data[i] << (8 * i);
        return value;
}

uint32_t reader_u32(struct reader *reader)
{
        return (uint32_t)take_little_endian(reader, 4);
}

uint64_t reader_u64(struct reader *reader)
{
        return take_little_endian(reader, 8);
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15); /* 2^64 / golden ratio */
        return hash ^ hash >> 29;
}

uint64_t bytes_hash(const void *data, size_t length)
{
        uint64_t hash = length + 1;
        const uint8_t *at = data;
        for (; length >= sizeof(uint64_t); length -= sizeof(uint64_t), at += sizeof(uint64_t)) {
                uint64_t word;
                memcpy(&word, at, sizeof(word));
                hash = mix(hash, le64toh(word));
        }
        for (; length > 0; length--)
                hash = mix(hash, *at++);
        return hash;
}
