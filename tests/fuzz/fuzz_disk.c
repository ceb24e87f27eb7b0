/* What disks and the kernel say of disks: a message, the file that slowd-disks.service leaves, an answer of
 * smartctl; the first byte chooses which. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/examine_answer.h"
#include "daemon/sample/disk_message.h"

static bool is_clean(const char *text, size_t size)
{
        for (size_t i = 0; i < size; i++) {
                if (text[i] == '\0')
                        return true;
                if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
                        return false;
        }
        return false;
}

static void try_message(const char *text)
{
        struct disk_message message;
        if (!disk_message_parse(text, &message))
                return;
        assert(message.kind < DISK_MESSAGE_KINDS);
        assert(message.device[0] && is_clean(message.device, sizeof(message.device)));
        assert(memchr(message.program, '\0', sizeof(message.program)));
        assert(!strpbrk(message.device, " $`;|&<>()'\"\\/"));
}

static void check_row(const struct disk_health_row *row)
{
        assert(row->sample.state <= DISK_HEALTH_SILENT);
        assert(is_clean(row->sample.name, sizeof(row->sample.name)));
        assert(is_clean(row->sample.model, sizeof(row->sample.model)));
        assert(is_clean(row->sample.serial, sizeof(row->sample.serial)));
}

/* What is taken is written, and taken again as the same. */
static void try_file(struct span text)
{
        static struct disk_health_file file, again;
        static char written[DISK_HEALTH_TEXT_MAX];
        (void)disk_health_parse(text, &file);
        assert(file.count <= DISK_HEALTH_MAX);
        for (size_t i = 0; i < file.count; i++)
                check_row(&file.rows[i]);
        if (file.written_usec == ABSENT)
                return;
        ssize_t length = disk_health_format(&file, written, sizeof(written));
        assert(length > 0);
        assert(disk_health_parse((struct span){ written, (size_t)length }, &again) == 0);
        assert(again.count == file.count);
        for (size_t i = 0; i < file.count; i++)
                assert(memcmp(&again.rows[i].sample.now, &file.rows[i].sample.now,
                              sizeof(file.rows[i].sample.now)) == 0);
}

static void try_answer(struct span text, int status)
{
        struct disk_health_row row = { .sample = { .name = "sda" } };
        (void)examine_answer(text, status, &row);
        check_row(&row);
        assert(strcmp(row.sample.name, "sda") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size == 0)
                return 0;
        struct span text = { (const char *)data + 1, size - 1 };
        char message[MESSAGE_TEXT_MAX];
        switch (data[0] % 3) {
        case 0:
                (void)span_copy(text, message, sizeof(message));
                try_message(message);
                break;
        case 1:
                try_file(text);
                break;
        default:
                try_answer(text, data[0] >> 4);
                break;
        }
        return 0;
}
