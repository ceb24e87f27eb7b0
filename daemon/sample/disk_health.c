/* The file is lines of KEY VALUE, one stretch for each disk. */
#include "daemon/sample/disk_health.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "daemon/sample/fields.h"

#define REREAD_USEC USEC_PER_MINUTE
#define HEADING     "slowd-disks 1"
#define RUN_PATH    "run/" DISK_HEALTH_DIRECTORY "/" DISK_HEALTH_FILE

#define ROW(field, name) KEYED(struct disk_health_row, field, name, 1)
static const struct keyed_field fields[] = {
        ROW(sample.asked_usec, "asked"),
        ROW(sample.passed, "passed"),
        ROW(sample.hours, "hours"),
        ROW(sample.temperature, "temperature"),
        ROW(sample.critical_warning, "criticalWarning"),
        ROW(sample.spare_percent, "spare"),
        ROW(sample.spare_threshold_percent, "spareThreshold"),
        ROW(sample.used_percent, "used"),
        ROW(sample.now.reallocated, "reallocated"),
        ROW(sample.now.uncorrected, "uncorrected"),
        ROW(sample.now.timeouts, "timeouts"),
        ROW(sample.now.pending, "pending"),
        ROW(sample.now.offline, "offline"),
        ROW(sample.now.crc, "crc"),
        ROW(sample.now.media_errors, "mediaErrors"),
        ROW(sample.before_usec, "beforeAt"),
        ROW(sample.before.reallocated, "before.reallocated"),
        ROW(sample.before.uncorrected, "before.uncorrected"),
        ROW(sample.before.timeouts, "before.timeouts"),
        ROW(sample.before.pending, "before.pending"),
        ROW(sample.before.offline, "before.offline"),
        ROW(sample.before.crc, "before.crc"),
        ROW(sample.before.media_errors, "before.mediaErrors"),
        ROW(next_usec, "nextAt"),
        ROW(next.reallocated, "next.reallocated"),
        ROW(next.uncorrected, "next.uncorrected"),
        ROW(next.timeouts, "next.timeouts"),
        ROW(next.pending, "next.pending"),
        ROW(next.offline, "next.offline"),
        ROW(next.crc, "next.crc"),
        ROW(next.media_errors, "next.mediaErrors"),
};
#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

static const char *const states[] = {
        [DISK_HEALTH_UNASKED] = "unasked", [DISK_HEALTH_TOLD] = "told",
        [DISK_HEALTH_ASLEEP] = "asleep",   [DISK_HEALTH_UNSUPPORTED] = "unsupported",
        [DISK_HEALTH_SILENT] = "silent",
};
#define STATE_COUNT (sizeof(states) / sizeof(states[0]))

static void clear_row(struct disk_health_row *row)
{
        memset(row, 0xff, sizeof(*row)); /* ABSENT */
        row->sample.state = DISK_HEALTH_UNASKED;
        memset(row->sample.name, 0, sizeof(row->sample.name));
        memset(row->sample.model, 0, sizeof(row->sample.model));
        memset(row->sample.serial, 0, sizeof(row->sample.serial));
}

static void take_text(struct span text, char *buffer, size_t size)
{
        (void)span_copy(text, buffer, size);
        text_sanitize(buffer, "");
}

/* One disk: "disk sda" and the lines up to the next. */
static int parse_disk(struct span text, struct disk_health_row *row)
{
        struct span line, rest = text, key;
        bool has_state = false;
        clear_row(row);
        while (span_take_line(&rest, &line)) {
                if (!span_take_until(&line, ' ', &key) || line.length == 0)
                        return -EINVAL;
                if (span_equal(key, "disk"))
                        take_text(line, row->sample.name, sizeof(row->sample.name));
                else if (span_equal(key, "model"))
                        take_text(line, row->sample.model, sizeof(row->sample.model));
                else if (span_equal(key, "serial"))
                        take_text(line, row->sample.serial, sizeof(row->sample.serial));
                else if (span_equal(key, "state"))
                        for (uint32_t i = 0; i < STATE_COUNT; i++)
                                if (span_equal(line, states[i])) {
                                        row->sample.state = i;
                                        has_state = true;
                                }
        }
        int r = fields_parse_keyed(text, fields, FIELD_COUNT, row);
        return !has_state || !row->sample.name[0] ? -EINVAL : r == -ENODATA ? 0 : r;
}

/* Where the next disk's lines begin. */
static size_t stretch(struct span text)
{
        for (size_t i = 1; i < text.length; i++)
                if (text.at[i - 1] == '\n' &&
                    span_starts((struct span){ text.at + i, text.length - i }, "disk "))
                        return i;
        return text.length;
}

/* As `slowd --examine-disks` writes it:
 *   slowd-disks 1
 *   written 1795470565000000
 *   disk sda
 *   model ST4000DM004-2CV104
 *   serial ZFN0XXXX
 *   state told
 *   asked 1795470565000000
 *   passed 1
 *   reallocated 0
 *   ... */
int disk_health_parse(struct span text, struct disk_health_file *ret_file)
{
        struct span line, key;
        int error = 0;
        ret_file->written_usec = ABSENT;
        ret_file->lacks_smartctl = false;
        ret_file->count = 0;
        if (!span_take_line(&text, &line) || !span_equal(line, HEADING))
                return -EINVAL;
        while (text.length > 0 && !span_starts(text, "disk ")) {
                (void)span_take_line(&text, &line);
                if (!span_take_until(&line, ' ', &key))
                        return -EINVAL;
                if (span_equal(key, "written") && span_u64(line, &ret_file->written_usec) < 0)
                        return -EINVAL;
                if (span_equal(key, "lacks"))
                        ret_file->lacks_smartctl = span_equal(line, "smartctl");
        }
        if (ret_file->written_usec == ABSENT)
                return -EINVAL;
        while (text.length > 0 && ret_file->count < DISK_HEALTH_MAX) {
                struct span disk = { text.at, stretch(text) };
                int r = parse_disk(disk, &ret_file->rows[ret_file->count]);
                if (r == 0)
                        ret_file->count++;
                fields_note(r, &error);
                text.at += disk.length;
                text.length -= disk.length;
        }
        return error;
}

static void append_row(const struct disk_health_row *row, char *buffer, size_t size, size_t *length)
{
        const struct disk_health_sample *sample = &row->sample;
        (void)text_append(buffer, size, length, "disk %s\n", sample->name);
        if (sample->model[0])
                (void)text_append(buffer, size, length, "model %s\n", sample->model);
        if (sample->serial[0])
                (void)text_append(buffer, size, length, "serial %s\n", sample->serial);
        (void)text_append(buffer, size, length, "state %s\n", states[sample->state]);
        for (size_t i = 0; i < FIELD_COUNT; i++) {
                uint64_t value;
                memcpy(&value, (const char *)row + fields[i].offset, sizeof(value));
                if (value != ABSENT)
                        (void)text_append(buffer, size, length, "%s %llu\n", fields[i].key,
                                          (unsigned long long)value);
        }
}

ssize_t disk_health_format(const struct disk_health_file *file, char *buffer, size_t size)
{
        size_t length = 0;
        (void)text_append(buffer, size, &length, HEADING "\nwritten %llu\n",
                          (unsigned long long)file->written_usec);
        if (file->lacks_smartctl)
                (void)text_append(buffer, size, &length, "lacks smartctl\n");
        for (size_t i = 0; i < file->count; i++)
                append_row(&file->rows[i], buffer, size, &length);
        return length + 1 < size ? (ssize_t)length : -ENOBUFS;
}

static bool is_same_disk(const struct disk_health_row *a, const struct disk_health_row *b)
{
        return strcmp(a->sample.model, b->sample.model) == 0 &&
               strcmp(a->sample.serial, b->sample.serial) == 0;
}

void disk_health_remember(struct disk_health_row *row, const struct disk_health_row *former, usec_t now_usec)
{
        uint32_t state = row->sample.state;
        if ((state == DISK_HEALTH_ASLEEP || state == DISK_HEALTH_SILENT) && former) {
                *row = *former;
                row->sample.state = state;
                return;
        }
        if (row->sample.state != DISK_HEALTH_TOLD)
                return;
        row->sample.asked_usec = now_usec;
        /* Another disk under the same name has a past of its own. */
        if (!former || !is_same_disk(row, former) || former->sample.before_usec == ABSENT) {
                row->sample.before = row->next = row->sample.now;
                row->sample.before_usec = row->next_usec = now_usec;
                return;
        }
        row->sample.before = former->sample.before;
        row->sample.before_usec = former->sample.before_usec;
        row->next = former->next;
        row->next_usec = former->next_usec;
        if (row->next_usec == ABSENT || now_usec < row->next_usec ||
            now_usec - row->next_usec >= DISK_HEALTH_WEEK_USEC) {
                if (row->next_usec != ABSENT && now_usec >= row->next_usec) {
                        row->sample.before = row->next;
                        row->sample.before_usec = row->next_usec;
                }
                row->next = row->sample.now;
                row->next_usec = now_usec;
        }
}

/* ---- for the sampler ---- */

static bool exists(const struct root *root, const char *path)
{
        int fd = root_open(root, path);
        if (fd >= 0)
                (void)close(fd);
        return fd >= 0;
}

static int why_not(const struct root *root)
{
        static const char *const places[] = { "usr/sbin/smartctl", "usr/local/sbin/smartctl",
                                              "usr/bin/smartctl" };
        bool is_there = false;
        for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
                is_there = is_there || exists(root, places[i]);
        return !is_there ? -ENOPKG : !exists(root, "run/systemd/system") ? -EOPNOTSUPP : -ENOENT;
}

static int reread(struct disk_health *health, const struct root *root, struct buffer *buffer)
{
        static struct disk_health_file file; /* one sampler at a time, and large for a stack */
        struct span text;
        health->count = 0;
        int r = buffer_read(buffer, root, RUN_PATH, &text);
        if (r == -ENOENT || r == -ENOTDIR)
                return why_not(root);
        if (r < 0)
                return r;
        r = disk_health_parse(text, &file);
        if (r < 0 && file.count == 0)
                return r;
        for (size_t i = 0; i < file.count; i++)
                health->rows[health->count++] = file.rows[i].sample;
        return file.lacks_smartctl ? -ENOPKG : r;
}

int disk_health_collect(struct disk_health *health, const struct root *root, struct buffer *buffer,
                        struct sample *sample)
{
        usec_t now_usec = sample->time.monotonic_usec;
        if (!health->was_read || now_usec - health->read_usec >= REREAD_USEC) {
                health->error = reread(health, root, buffer);
                health->was_read = true;
                health->read_usec = now_usec;
        }
        sample->disk_health = health->rows;
        sample->disk_health_count = health->count;
        return health->error;
}
