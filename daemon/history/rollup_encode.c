/* Frames of roll-ups. */
#include "daemon/history/rollup_encode.h"

#include <stdlib.h>

#include "daemon/history/encoder.h"
#include "daemon/history/sample_codec.h"

#define MINUTES_PER_BLOCK 60
#define HOURS_PER_BLOCK   24

struct rollup_encoder {
        struct encoder *encoder;
        enum series series;
        uint32_t ticks; /* of the block */
        struct rows trends;
};

struct rollup_encoder *rollup_encoder_new(enum series series)
{
        struct rollup_encoder *encoder = calloc(1, sizeof(*encoder));
        if (!encoder)
                return NULL;
        encoder->series = series;
        encoder->encoder = encoder_new(&rollup_schema);
        return encoder->encoder ? encoder : rollup_encoder_free(encoder);
}

struct rollup_encoder *rollup_encoder_free(struct rollup_encoder *encoder)
{
        if (encoder)
                (void)encoder_free(encoder->encoder);
        free(encoder);
        return NULL;
}

void rollup_encoder_restart(struct rollup_encoder *encoder)
{
        encoder_restart(encoder->encoder);
}

void rollup_encoder_trends(struct rollup_encoder *encoder, const struct rollup_trend *rows, size_t count)
{
        encoder->trends = (struct rows){ .base = rows, .count = count };
}

int rollup_encoder_add(struct rollup_encoder *encoder, const struct rollup_machine *machine,
                       const struct rollup_program *programs, size_t count, struct record *ret_record)
{
        if (encoder->ticks >= (encoder->series == SERIES_HOUR ? HOURS_PER_BLOCK : MINUTES_PER_BLOCK))
                encoder_restart(encoder->encoder);
        bool is_start = encoder_is_at_start(encoder->encoder);
        if (is_start)
                encoder->ticks = 0;
        for (size_t i = 0; i < count; i++)
                encoder_tag(encoder->encoder, sample_program_tag(programs[i].name));
        const struct rows rows[ROLLUP_ENTITIES] = {
                [ROLLUP_ENTITY_MACHINE] = { .base = machine, .count = 1 },
                [ROLLUP_ENTITY_PROGRAM] = { .base = programs, .count = count },
                [ROLLUP_ENTITY_TREND] = encoder->trends,
        };
        encoder->trends = (struct rows){ 0 };
        int result = encoder_encode(encoder->encoder, rows, &ret_record->data);
        if (result < 0)
                return result;
        encoder->ticks++;
        ret_record->kind = RECORD_FRAME;
        ret_record->series = encoder->series;
        ret_record->is_start = is_start;
        ret_record->realtime_usec = machine->from_usec;
        return 0;
}
