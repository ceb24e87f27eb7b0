/* struct sample -> frames of a block, and a block -> the same samples again, identities included. */
#pragma once

#include "daemon/history/block.h"
#include "daemon/sample/sample.h"

/* A block is finished when it reaches one of these: longer blocks are smaller (each begins with a row for
 * every process) but slower to read one instant from, and lose more when one is damaged.
 *
 * A block being filled lies in memory, so one of a machine that is looked at every second while it forks and
 * execs (4 kB a tick seen) has to end earlier than for its time. But where a row for every process is large
 * (10000 processes: about 1 MB), blocks are larger too, else they would hold little but such rows. */
#define SAMPLE_BLOCK_USEC      (20 * USEC_PER_MINUTE)
#define SAMPLE_BLOCK_TICKS     1200
#define SAMPLE_BLOCK_BYTES     ((size_t)768 * 1024)
#define SAMPLE_BLOCK_STARTS    16 /* as many times the first tick's bytes, if that is more */
#define SAMPLE_BLOCK_BYTES_MAX (BLOCK_RAW_MAX / 4)

struct sample_encoder;

struct sample_encoder *sample_encoder_new(void);
struct sample_encoder *sample_encoder_free(struct sample_encoder *encoder); /* returns NULL; accepts NULL */
/* The next sample begins a block, whatever came before. */
void sample_encoder_restart(struct sample_encoder *encoder);
/* 1: ret_frame begins a block; 0: it continues the last one; -ENOMEM: it is lost, and the next begins one. */
int sample_encoder_add(struct sample_encoder *encoder, const struct sample *sample, struct bytes *ret_frame);

/* The tag under which blocks list the programs that did anything in them. */
uint32_t sample_program_tag(const char *program_name);
/* Whether a block whose tags these are may hold activity of that program. */
bool sample_tags_have(const void *tags, size_t length, uint32_t tag);

struct sample_decoder;

/* Takes over what the block holds, which is empty afterwards. 0, -ENOMSG, -EBADMSG, -ENOMEM as decoder_new().
 */
int sample_decoder_new(struct block *block, struct sample_decoder **ret_decoder);
struct sample_decoder *sample_decoder_free(struct sample_decoder *decoder);
/* Identities from here on come without command lines, directories and scripts. */
void sample_decoder_hide_command_lines(struct sample_decoder *decoder);
/* Only samples taken between these two instants, both included, are given; the others cost less. */
void sample_decoder_set_window(struct sample_decoder *decoder, usec_t from_usec, usec_t until_usec);

/* Which processes are asked for. */
struct sample_filter {
        bool (*is_wanted)(const void *userdata, const struct process_identity *identity); /* NULL: all */
        const void *userdata;
        uint32_t pid; /* that of all of them, which costs less still; 0: several */
};
/* Samples from here on hold only these processes, the machine's own counters and the control groups: a sixth
 * of the work. Before the first one. */
void sample_decoder_set_filter(struct sample_decoder *decoder, const struct sample_filter *filter);
/* Fills ret_sample, which is zeroed before its first use and released with sample_done(). Identities live as
 * long as the decoder; mounts are valid until the second call after, as with sampler_collect().
 * 1, 0 at the end, -EBADMSG (damaged from here on), -ENOMEM. */
int sample_decoder_next(struct sample_decoder *decoder, struct sample *ret_sample);
