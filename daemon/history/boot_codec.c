/* The two entities that a boot is in a sample, as a schema of their own. */
#include "daemon/history/boot_codec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/history/decoder.h"
#include "daemon/history/encoder.h"
#include "daemon/history/sample_schema.h"

enum { TIMES, UNITS, BOOT_ENTITIES };

struct work {
        struct entity entities[BOOT_ENTITIES];
        struct schema schema;
        struct block block;
        struct bytes frame;
        struct encoder *encoder;
        struct decoder *decoder;
};

static struct work *work_new(void)
{
        struct work *work = calloc(1, sizeof(*work));
        if (!work)
                return NULL;
        work->entities[TIMES] = sample_schema.entities[ENTITY_BOOT];
        work->entities[UNITS] = sample_schema.entities[ENTITY_BOOT_UNIT];
        work->schema = (struct schema){ .entities = work->entities, .entity_count = BOOT_ENTITIES };
        return work;
}

static void work_free(struct work *work)
{
        (void)encoder_free(work->encoder);
        (void)decoder_free(work->decoder);
        bytes_done(&work->frame);
        block_done(&work->block);
        free(work);
}

int boot_write(const struct boot *boot, struct bytes *ret_bytes)
{
        struct work *work = work_new();
        if (!work)
                return -ENOMEM;
        const struct rows rows[BOOT_ENTITIES] = {
                [TIMES] = { .base = &boot->times, .count = 1 },
                [UNITS] = { .base = boot->units, .count = boot->unit_count },
        };
        work->encoder = encoder_new(&work->schema);
        int r = work->encoder ? encoder_encode(work->encoder, rows, &work->frame) : -ENOMEM;
        if (r == 0)
                r = block_append(&work->block, work->frame.data, work->frame.length);
        r = r == 0 ? block_write(&work->block, ret_bytes) : -ENOMEM;
        work_free(work);
        return r;
}

static int read_with(struct work *work, const void *data, size_t length, struct boot *ret_boot)
{
        int r = block_read(&work->block, data, length);
        if (r == 0)
                r = decoder_new(&work->schema, &work->block, &work->decoder);
        if (r < 0)
                return r == -ENOMSG ? -EBADMSG : r;
        r = decoder_next(work->decoder);
        if (r <= 0)
                return r < 0 ? r : -EBADMSG;
        struct decoded_rows times = decoder_rows(work->decoder, TIMES);
        struct decoded_rows units = decoder_rows(work->decoder, UNITS);
        if (times.count != 1)
                return -EBADMSG;
        memset(ret_boot, 0, sizeof(*ret_boot));
        memcpy(&ret_boot->times, times.rows, sizeof(ret_boot->times));
        if (units.count)
                memcpy(ret_boot->units, units.rows, units.count * sizeof(ret_boot->units[0]));
        ret_boot->unit_count = (uint32_t)units.count;
        return 0;
}

int boot_read(const void *data, size_t length, struct boot *ret_boot)
{
        struct work *work = work_new();
        if (!work)
                return -ENOMEM;
        int r = read_with(work, data, length, ret_boot);
        work_free(work);
        return r;
}
