/* Walks from the header over the table of field names to the values of two of them. */
#include "daemon/sample/journal_file.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/text.h"

/* Where things are, in bytes from the begin of the header or object. */
enum {
        HEADER_SIGNATURE = 0,
        HEADER_INCOMPATIBLE = 12,
        HEADER_FILE_ID = 24,
        HEADER_FIELDS_OFFSET = 120,
        HEADER_FIELDS_SIZE = 128,
        HEADER_ENTRIES = 152,
        HEADER_NEEDED = 160,
        OBJECT_TYPE = 0,
        OBJECT_FLAGS = 1,
        OBJECT_SIZE = 8,
        FIELD_NEXT = 24,
        FIELD_VALUES = 32,
        FIELD_PAYLOAD = 40,
        DATA_NEXT = 32,
        DATA_ENTRIES = 56,
        DATA_PAYLOAD = 64,
        DATA_PAYLOAD_COMPACT = 72,
};

enum { TYPE_DATA = 1, TYPE_FIELD = 2 };
#define COMPACT          (UINT32_C(1) << 4) /* of the incompatible flags: since 252 */
#define KNOWN_FLAGS      UINT32_C(0x1f)
#define COMPRESSED_FLAGS 7

/* A damaged file must not lead round in circles. */
#define BUCKETS_MAX 4096
#define FIELDS_MAX  1024
#define VALUES_MAX  1024
#define OBJECT_READ 192 /* as much of an object as names need */

struct reader {
        int fd;
        bool is_compact;
        struct journal_units *units;
};

static uint64_t number_at(const uint8_t *bytes, size_t offset)
{
        uint64_t value;
        memcpy(&value, bytes + offset, sizeof(value));
        return le64toh(value);
}

/* Reads at most `size` bytes; fewer at the end of the file. */
static ssize_t read_at(int fd, uint64_t offset, void *buffer, size_t size)
{
        if (offset > INT64_MAX - size)
                return -EBADMSG;
        ssize_t n = pread(fd, buffer, size, (off_t)offset);
        return n < 0 ? -errno : n;
}

/* The begin of an object, and how long its payload is as far as it was read. */
static ssize_t read_object(const struct reader *reader, uint64_t offset, uint8_t type, size_t payload_at,
                           uint8_t buffer[static OBJECT_READ])
{
        ssize_t n = read_at(reader->fd, offset, buffer, OBJECT_READ);
        if (n < 0)
                return n;
        if ((size_t)n < payload_at || buffer[OBJECT_TYPE] != type)
                return -EBADMSG;
        uint64_t size = number_at(buffer, OBJECT_SIZE);
        if (size < payload_at)
                return -EBADMSG;
        return (ssize_t)(size < (uint64_t)n ? size - payload_at : (uint64_t)n - payload_at);
}

static void add_unit(struct journal_units *units, struct span name, uint64_t entries)
{
        size_t at = units->count;
        if (at == JOURNAL_UNITS_MAX) {
                units->dropped++;
                at = 0;
                for (size_t i = 1; i < units->count; i++)
                        if (units->units[i].entries < units->units[at].entries)
                                at = i;
                if (units->units[at].entries >= entries)
                        return;
        } else
                units->count++;
        units->units[at].entries = entries;
        (void)span_copy(name, units->units[at].unit, sizeof(units->units[at].unit));
        text_sanitize(units->units[at].unit, "");
}

static int read_values(const struct reader *reader, uint64_t offset, const char *field)
{
        uint8_t buffer[OBJECT_READ];
        size_t payload_at = reader->is_compact ? DATA_PAYLOAD_COMPACT : DATA_PAYLOAD, length = strlen(field);
        bool is_transport = strcmp(field, "_TRANSPORT") == 0;
        for (size_t i = 0; offset != 0 && i < VALUES_MAX; i++) {
                ssize_t n = read_object(reader, offset, TYPE_DATA, payload_at, buffer);
                if (n < 0)
                        return (int)n;
                offset = number_at(buffer, DATA_NEXT);
                struct span payload = { (const char *)buffer + payload_at, (size_t)n };
                if ((buffer[OBJECT_FLAGS] & COMPRESSED_FLAGS) || payload.length <= length ||
                    memcmp(payload.at, field, length) != 0 || payload.at[length] != '=')
                        continue; /* names of units are too short to be compressed */
                struct span value = { payload.at + length + 1, payload.length - length - 1 };
                if (!is_transport || span_equal(value, "kernel"))
                        add_unit(reader->units, value, number_at(buffer, DATA_ENTRIES));
        }
        return 0;
}

static int read_fields(const struct reader *reader, uint64_t offset, size_t *left)
{
        static const char *const wanted[] = { "_SYSTEMD_UNIT", "_TRANSPORT" };
        uint8_t buffer[OBJECT_READ];
        while (offset != 0 && (*left)-- > 0) {
                ssize_t n = read_object(reader, offset, TYPE_FIELD, FIELD_PAYLOAD, buffer);
                if (n < 0)
                        return (int)n;
                offset = number_at(buffer, FIELD_NEXT);
                struct span name = { (const char *)buffer + FIELD_PAYLOAD, (size_t)n };
                for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
                        if (span_equal(name, wanted[i])) {
                                int r = read_values(reader, number_at(buffer, FIELD_VALUES), wanted[i]);
                                if (r < 0)
                                        return r;
                                break;
                        }
        }
        return 0;
}

int journal_file_read(int fd, struct journal_units *ret_units)
{
        uint8_t header[HEADER_NEEDED];
        uint64_t buckets[2 * 64]; /* head and tail of each */
        ssize_t n = read_at(fd, 0, header, sizeof(header));
        if (n < 0)
                return (int)n;
        if (n < (ssize_t)sizeof(header) || memcmp(header + HEADER_SIGNATURE, "LPKSHHRH", 8) != 0)
                return -EBADMSG;
        uint32_t flags;
        memcpy(&flags, header + HEADER_INCOMPATIBLE, sizeof(flags));
        flags = le32toh(flags);
        if (flags & ~KNOWN_FLAGS)
                return -EBADMSG;
        ret_units->entries = number_at(header, HEADER_ENTRIES);
        ret_units->count = 0;
        ret_units->dropped = 0;
        memcpy(ret_units->file_id, header + HEADER_FILE_ID, JOURNAL_ID_BYTES);

        const struct reader reader = { fd, (flags & COMPACT) != 0, ret_units };
        uint64_t offset = number_at(header, HEADER_FIELDS_OFFSET);
        uint64_t left = number_at(header, HEADER_FIELDS_SIZE) / 16;
        size_t fields_left = FIELDS_MAX;
        if (left > BUCKETS_MAX)
                return -EBADMSG;
        while (left > 0) {
                size_t now = left < 64 ? (size_t)left : 64;
                n = read_at(fd, offset, buckets, now * 16);
                if (n < 0 || (size_t)n < now * 16)
                        return n < 0 ? (int)n : -EBADMSG;
                for (size_t i = 0; i < now; i++) {
                        int r = read_fields(&reader, le64toh(buckets[2 * i]), &fields_left);
                        if (r < 0)
                                return r;
                }
                offset += now * 16;
                left -= now;
        }
        return 0;
}
