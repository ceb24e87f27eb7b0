/* Roll-ups -> records for the writer: a block is an hour of minutes, or a day of hours. */
#pragma once

#include "daemon/history/trends.h"
#include "daemon/history/writer.h"

struct rollup_encoder;

/* NULL if there is no memory. */
struct rollup_encoder *rollup_encoder_new(enum series series);
struct rollup_encoder *rollup_encoder_free(struct rollup_encoder *encoder); /* returns NULL; accepts NULL */
/* The next record begins a block. */
void rollup_encoder_restart(struct rollup_encoder *encoder);
/* The trends of the period that is added next; borrowed until then. */
void rollup_encoder_trends(struct rollup_encoder *encoder, const struct rollup_trend *rows, size_t count);
/* Fills a record; its data is reused if it has any, and is the caller's. 0, or -ENOMEM. */
int rollup_encoder_add(struct rollup_encoder *encoder, const struct rollup_machine *machine,
                       const struct rollup_program *programs, size_t count, struct record *ret_record);
