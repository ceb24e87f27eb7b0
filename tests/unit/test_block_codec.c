/* Samples through frames and blocks and back: damaged ones, older and newer ones, then whole stretches. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/history/decoder.h"
#include "daemon/history/encoder.h"
#include "daemon/history/sample_codec.h"
#include "daemon/history/sample_schema.h"
#include "tests/support/synthetic.h"

#define TICKS 60

static struct bytes frames[TICKS];
static struct sample samples[TICKS];
static struct synthetic *machine;

static int make_stretch(void **state)
{
        (void)state;
        const struct synthetic_options options = {
                .processes = 120, .cpus = 4, .busy_permille = 80, .churn_permille = 5, .seed = 7
        };
        machine = synthetic_new(&options);
        struct sample_encoder *encoder = sample_encoder_new();
        for (size_t i = 0; i < TICKS; i++) {
                synthetic_step(machine, 5 * USEC_PER_SEC, &samples[i]);
                if (sample_encoder_add(encoder, &samples[i], &frames[i]) != (i == 0))
                        return -1;
        }
        (void)sample_encoder_free(encoder);
        return 0;
}

static int drop_stretch(void **state)
{
        (void)state;
        for (size_t i = 0; i < TICKS; i++) {
                bytes_done(&frames[i]);
                synthetic_sample_done(&samples[i]);
        }
        machine = synthetic_free(machine);
        return 0;
}

static void join(struct block *block, size_t count)
{
        for (size_t i = 0; i < count; i++)
                assert_int_equal(block_append(block, frames[i].data, frames[i].length), 0);
}

static void frames_that_are_damaged_or_out_of_order_add_nothing(void **state)
{
        (void)state;
        struct block block = { 0 };
        assert_int_equal(block_append(&block, "", 0), -EBADMSG);
        assert_int_equal(block_append(&block, "garbage!garbage!", 16), -EBADMSG);
        assert_int_equal(block_append(&block, frames[1].data, frames[1].length), -EBADMSG);
        join(&block, 2);
        size_t raw = block.raw_bytes;
        assert_int_equal(block_append(&block, frames[1].data, frames[1].length), -EBADMSG);
        assert_int_equal(block_append(&block, frames[3].data, frames[3].length), -EBADMSG);
        for (size_t cut = 0; cut < frames[2].length; cut++)
                assert_int_equal(block_append(&block, frames[2].data, cut), -EBADMSG);
        for (size_t i = 0; i < frames[2].length; i++) {
                frames[2].data[i] ^= 0x10;
                assert_int_equal(block_append(&block, frames[2].data, frames[2].length), -EBADMSG);
                frames[2].data[i] ^= 0x10;
        }
        assert_int_equal(block.raw_bytes, raw);
        assert_int_equal(block.ticks, 2);
        assert_int_equal(block_append(&block, frames[2].data, frames[2].length), 0);
        block_done(&block);
}

static void blocks_with_flipped_bits_are_refused(void **state)
{
        (void)state;
        struct block block = { 0 }, other = { 0 };
        struct bytes packed = { 0 };
        join(&block, TICKS);
        assert_int_equal(block_write(&block, &packed), 0);
        assert_int_equal(block_read(&other, "", 0), -EBADMSG);
        assert_int_equal(block_read(&other, "not a block at all", 18), -EBADMSG);
        size_t harmless = 0;
        for (size_t i = 0; i < packed.length; i += 7) {
                packed.data[i] ^= (uint8_t)(1 << i % 8);
                int result = block_read(&other, packed.data, packed.length);
                if (result == 0) { /* a bit that means nothing to the decompressor: then nothing is lost */
                        assert_int_equal(other.stream_count, block.stream_count);
                        for (uint32_t k = 0; k < block.stream_count; k++) {
                                assert_int_equal(other.streams[k].length, block.streams[k].length);
                                if (block.streams[k].length)
                                        assert_memory_equal(other.streams[k].data, block.streams[k].data,
                                                            block.streams[k].length);
                        }
                        harmless++;
                } else {
                        assert_int_equal(result, -EBADMSG);
                }
                packed.data[i] ^= (uint8_t)(1 << i % 8);
        }
        assert_in_range(harmless, 0, packed.length / 7 / 20);
        for (size_t cut = 0; cut < packed.length; cut += 13)
                assert_int_equal(block_read(&other, packed.data, cut), -EBADMSG);
        assert_int_equal(block_read(&other, packed.data, packed.length), 0);
        bytes_done(&packed);
        block_done(&block);
        block_done(&other);
}

/* Past the checksums: streams that say nonsense must be refused, not followed. */
static void streams_of_nonsense_never_get_out_of_bounds(void **state)
{
        (void)state;
        srand(11);
        size_t refused = 0;
        for (size_t round = 0; round < 400; round++) {
                struct block block = { 0 };
                join(&block, 6);
                for (size_t hit = 0; hit < 1 + round % 4; hit++) {
                        struct bytes *stream = &block.streams[(size_t)rand() % block.stream_count];
                        if (stream->length == 0)
                                continue;
                        if (rand() % 4 == 0)
                                stream->length = (size_t)rand() % stream->length;
                        else
                                stream->data[(size_t)rand() % stream->length] = (uint8_t)rand();
                }
                struct sample_decoder *decoder;
                int result = sample_decoder_new(&block, &decoder);
                block_done(&block);
                if (result < 0) {
                        refused++;
                        continue;
                }
                struct sample sample = { 0 };
                size_t ticks = 0;
                while ((result = sample_decoder_next(decoder, &sample)) == 1) {
                        ticks++;
                        assert_true(sample.process_count <= PROCESSES_MAX);
                        for (size_t i = 0; i < sample.process_count; i++) {
                                const struct process_identity *identity = sample.processes[i].identity;
                                assert_non_null(identity);
                                assert_true(identity->chain_length <= ORIGIN_CHAIN_MAX);
                                assert_true(memchr(identity->name, 0, sizeof(identity->name)) != NULL);
                        }
                }
                assert_true(result == 0 || result == -EBADMSG);
                refused += result < 0;
                assert_true(ticks <= 6);
                synthetic_sample_done(&sample);
                (void)sample_decoder_free(decoder);
        }
        assert_true(refused > 100);
}

/* What an older slowd wrote lacks columns and entities; what a newer one wrote has some more. */
static void older_and_newer_blocks_open(void **state)
{
        (void)state;
        struct old_row {
                uint32_t pid;
                uint64_t bytes;
                char name[8];
        };
        struct new_row {
                char name[8];
                uint64_t fresh;
                uint64_t bytes;
                uint32_t pid;
        };
        static const struct column old_columns[] = { NUMBER(1, struct old_row, pid, 0),
                                                     COUNTER(2, struct old_row, bytes, 1),
                                                     TEXT(5, struct old_row, name) };
        static const struct column new_columns[] = { NUMBER(1, struct new_row, pid, 0),
                                                     TEXT(5, struct new_row, name),
                                                     COUNTER(2, struct new_row, bytes, 1),
                                                     COUNTER(9, struct new_row, fresh, 1) };
        static const struct entity old_entity = { .number = 3,
                                                  .shape = SHAPE_LIST,
                                                  .is_sorted = true,
                                                  .key_count = 1,
                                                  .row_size = sizeof(struct old_row),
                                                  .rows_max = 9,
                                                  .columns = old_columns,
                                                  .column_count = 3 };
        static const struct entity new_entities[] = { { .number = 4,
                                                        .shape = SHAPE_EVENT,
                                                        .row_size = sizeof(struct new_row),
                                                        .rows_max = 9,
                                                        .columns = new_columns,
                                                        .column_count = 4 },
                                                      { .number = 3,
                                                        .shape = SHAPE_LIST,
                                                        .is_sorted = true,
                                                        .key_count = 1,
                                                        .row_size = sizeof(struct new_row),
                                                        .rows_max = 9,
                                                        .columns = new_columns,
                                                        .column_count = 4 } };
        const struct schema old_schema = { &old_entity, 1 }, new_schema = { new_entities, 2 };

        const struct old_row old[2] = { { 7, 70, "a" }, { 8, ABSENT, "b" } };
        const struct new_row new[2] = { { "x", 1, 10, 1 }, { "y", 2, 20, 2 } };
        struct encoder *encoder = encoder_new(&old_schema);
        struct bytes frame = { 0 };
        struct block block = { 0 };
        struct decoder *decoder;
        assert_int_equal(encoder_encode(encoder, &(struct rows){ .base = old, .count = 2 }, &frame), 0);
        assert_int_equal(block_append(&block, frame.data, frame.length), 0);
        assert_int_equal(decoder_new(&new_schema, &block, &decoder), 0);
        assert_int_equal(decoder_next(decoder), 1);
        assert_int_equal(decoder_rows(decoder, 0).count, 0);
        assert_int_equal(decoder_rows(decoder, 1).count, 2);
        const struct new_row *got_new = decoder_rows(decoder, 1).rows;
        assert_string_equal(got_new[0].name, "a");
        assert_true(got_new[0].bytes == 70 && got_new[0].pid == 7 && got_new[0].fresh == ABSENT);
        assert_true(got_new[1].bytes == ABSENT && got_new[1].fresh == ABSENT);
        assert_int_equal(decoder_next(decoder), 0);
        (void)decoder_free(decoder);
        (void)encoder_free(encoder);

        block_clear(&block);
        encoder = encoder_new(&new_schema);
        const struct rows rows[2] = { { .base = new, .count = 2 }, { .base = new, .count = 2 } };
        assert_int_equal(encoder_encode(encoder, rows, &frame), 0);
        assert_int_equal(block_append(&block, frame.data, frame.length), 0);
        assert_int_equal(decoder_new(&old_schema, &block, &decoder), 0);
        assert_int_equal(decoder_next(decoder), 1);
        const struct old_row *got_old = decoder_rows(decoder, 0).rows;
        assert_int_equal(decoder_rows(decoder, 0).count, 2);
        assert_true(got_old[1].pid == 2 && got_old[1].bytes == 20);
        assert_string_equal(got_old[1].name, "y");
        (void)decoder_free(decoder);
        (void)encoder_free(encoder);
        bytes_done(&frame);
        block_done(&block);
}

/* A member that is added to a struct and not to its table would be lost in silence. */
static void every_member_is_in_its_table(void **state)
{
        (void)state;
        static const struct {
                enum sample_entity entity;
                size_t left_out; /* bytes of padding and of what is told otherwise */
        } expected[] = {
                { ENTITY_CPU, 0 },
                { ENTITY_SWAP, 7 },
                { ENTITY_DISK, 3 },
                { ENTITY_INTERFACE, 0 },
                { ENTITY_MOUNT, 2 },
                { ENTITY_CGROUP, 7 + 8 }, /* padding; read_usec is a link */
                { ENTITY_IDENTITY, 6 },
                /* identity, is_idle; padding */
                { ENTITY_PROCESS, 8 + 1 + 15 },
                { ENTITY_MESSAGE, 4 },
                { ENTITY_RAID, 6 },
                { ENTITY_FILE_SYSTEM, 7 },
                { ENTITY_LOG_FILE, 2 },
                { ENTITY_LOG_UNIT, 0 },
                { ENTITY_FS_ERRORS, 4 },
                { ENTITY_DISK_HEALTH, 4 },
        };
        for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
                const struct entity *entity = &sample_schema.entities[expected[i].entity];
                size_t covered = 0;
                for (uint32_t c = 0; c < entity->column_count; c++) {
                        covered += entity->columns[c].width;
                        for (uint32_t d = 0; d < c; d++) {
                                assert_int_not_equal(entity->columns[c].number, entity->columns[d].number);
                                if (entity->columns[c].width && entity->columns[d].width)
                                        assert_int_not_equal(entity->columns[c].offset,
                                                             entity->columns[d].offset);
                        }
                }
                if (entity->row_size - covered != expected[i].left_out)
                        fail_msg("entity %u leaves out %zu bytes of %u, not %zu", entity->number,
                                 entity->row_size - covered, entity->row_size, expected[i].left_out);
        }
        const size_t machine_wide = sizeof(struct clock_reading) + sizeof(usec_t) + sizeof(struct machine) +
                                    sizeof(struct cpu_sample) + 5 * 8 + sizeof(struct load_sample) +
                                    PRESSURE_MAX * sizeof(struct pressure_sample) +
                                    sizeof(struct meminfo_sample) + sizeof(struct vmstat_sample) + 8 + 7 * 8;
        size_t covered = 0;
        const struct entity *entity = &sample_schema.entities[ENTITY_MACHINE];
        for (uint32_t c = 0; c < entity->column_count; c++)
                covered += entity->columns[c].width;
        assert_int_equal(covered, machine_wide);
}

static void a_stretch_comes_back_as_it_was(void **state)
{
        (void)state;
        struct block block = { 0 }, read = { 0 };
        struct bytes packed = { 0 };
        join(&block, TICKS);
        assert_int_equal(block_write(&block, &packed), 0);
        assert_int_equal(block_read(&read, packed.data, packed.length), 0);
        struct sample_decoder *decoder;
        assert_int_equal(sample_decoder_new(&read, &decoder), 0);
        struct sample turn[2] = { 0 };
        for (size_t i = 0; i < TICKS; i++) {
                assert_int_equal(sample_decoder_next(decoder, &turn[i % 2]), 1);
                const char *difference = sample_difference(&samples[i], &turn[i % 2]);
                if (difference)
                        fail_msg("tick %zu: %s", i, difference);
                if (i > 0) { /* the sample before is still whole */
                        difference = sample_difference(&samples[i - 1], &turn[(i - 1) % 2]);
                        if (difference)
                                fail_msg("tick %zu, looked at one later: %s", i - 1, difference);
                }
        }
        assert_int_equal(sample_decoder_next(decoder, &turn[0]), 0);
        (void)sample_decoder_free(decoder);
        synthetic_sample_done(&turn[0]);
        synthetic_sample_done(&turn[1]);
        bytes_done(&packed);
        block_done(&block);
        block_done(&read);
}

static bool is_multiple(const void *userdata, const struct process_identity *identity)
{
        return identity->pid % *(const uint32_t *)userdata == 0;
}

static bool is_pid(const void *userdata, const struct process_identity *identity)
{
        return identity->pid == *(const uint32_t *)userdata;
}

/* What a filter leaves, in a window, is as it is without: the same processes, groups and machine. */
static void compare_filtered(const struct sample_filter *filter)
{
        static struct process_sample wanted[256];
        struct block block = { 0 };
        struct sample_decoder *decoder;
        struct sample turn = { 0 };
        size_t seen = 0;
        join(&block, TICKS);
        assert_int_equal(sample_decoder_new(&block, &decoder), 0);
        sample_decoder_set_filter(decoder, filter);
        sample_decoder_set_window(decoder, samples[3].time.realtime_usec,
                                  samples[TICKS - 2].time.realtime_usec);
        for (size_t i = 3; i < TICKS - 1; i++) {
                assert_int_equal(sample_decoder_next(decoder, &turn), 1);
                struct sample expected = turn;
                expected.time = samples[i].time;
                expected.machine = samples[i].machine;
                expected.stat = samples[i].stat;
                memcpy(expected.stat.cpu, turn.stat.cpu, sizeof(turn.stat.cpu));
                expected.processes = wanted;
                expected.process_count = 0;
                for (size_t p = 0; p < samples[i].process_count; p++)
                        if (filter->is_wanted(filter->userdata, samples[i].processes[p].identity))
                                wanted[expected.process_count++] = samples[i].processes[p];
                seen += expected.process_count;
                const char *difference = sample_difference(&expected, &turn);
                if (difference)
                        fail_msg("tick %zu: %s", i, difference);
        }
        assert_true(seen > 0);
        assert_int_equal(sample_decoder_next(decoder, &turn), 0);
        synthetic_sample_done(&turn);
        (void)sample_decoder_free(decoder);
        block_done(&block);
}

static void a_filter_leaves_the_wanted_as_they_are(void **state)
{
        (void)state;
        const uint32_t seven = 7, first = samples[TICKS / 2].processes[0].pid,
                       last = samples[TICKS / 2].processes[samples[TICKS / 2].process_count - 1].pid;
        compare_filtered(&(struct sample_filter){ .is_wanted = is_multiple, .userdata = &seven });
        compare_filtered(&(struct sample_filter){ .is_wanted = is_pid, .userdata = &first, .pid = first });
        compare_filtered(&(struct sample_filter){ .is_wanted = is_pid, .userdata = &last, .pid = last });
}

static void idle_processes_cost_nothing(void **state)
{
        (void)state;
        size_t length[2];
        for (uint32_t many = 0; many < 2; many++) {
                const struct synthetic_options options = { .processes = many ? 2000 : 100,
                                                           .cpus = 2,
                                                           .seed = 3 };
                struct synthetic *idle = synthetic_new(&options);
                struct sample_encoder *encoder = sample_encoder_new();
                struct sample sample = { 0 };
                struct bytes frame = { 0 };
                for (size_t i = 0; i < 3; i++) {
                        synthetic_step(idle, USEC_PER_SEC, &sample);
                        assert_int_equal(sample_encoder_add(encoder, &sample, &frame), i == 0);
                }
                length[many] = frame.length;
                bytes_done(&frame);
                synthetic_sample_done(&sample);
                (void)sample_encoder_free(encoder);
                (void)synthetic_free(idle);
        }
        /* Whatever the number of processes; what differs are random machine-wide values. */
        assert_in_range(length[1], 1, length[0] + 120);
}

static void a_block_ends_by_time_by_ticks_and_by_boot(void **state)
{
        (void)state;
        const struct synthetic_options options = { .processes = 5, .cpus = 1, .seed = 3 };
        struct synthetic *small = synthetic_new(&options);
        struct sample_encoder *encoder = sample_encoder_new();
        struct sample sample = { 0 };
        struct bytes frame = { 0 };
        size_t starts = 0;
        for (size_t i = 0; i < 241; i++) {
                synthetic_step(small, 5 * USEC_PER_SEC, &sample);
                starts += (size_t)sample_encoder_add(encoder, &sample, &frame);
        }
        assert_int_equal(starts, 2);
        synthetic_reboot(small);
        synthetic_step(small, 5 * USEC_PER_SEC, &sample);
        assert_int_equal(sample_encoder_add(encoder, &sample, &frame), 1);
        for (size_t i = 1; i < SAMPLE_BLOCK_TICKS; i++) {
                synthetic_step(small, 100 * USEC_PER_MSEC, &sample);
                assert_int_equal(sample_encoder_add(encoder, &sample, &frame), 0);
        }
        synthetic_step(small, 100 * USEC_PER_MSEC, &sample);
        assert_int_equal(sample_encoder_add(encoder, &sample, &frame), 1);
        sample_encoder_restart(encoder);
        synthetic_step(small, 100 * USEC_PER_MSEC, &sample);
        assert_int_equal(sample_encoder_add(encoder, &sample, &frame), 1);
        bytes_done(&frame);
        synthetic_sample_done(&sample);
        (void)sample_encoder_free(encoder);
        (void)synthetic_free(small);
}

/* On a machine where each tick brings new processes. */
static void a_block_ends_by_bytes_unless_it_is_large_from_the_start(void **state)
{
        (void)state;
        for (uint32_t many = 0; many < 2; many++) {
                const struct synthetic_options options = { .processes = many ? 3000 : 300,
                                                           .cpus = 2,
                                                           .busy_permille = 500,
                                                           .churn_permille = 100,
                                                           .seed = 3 };
                struct synthetic *busy = synthetic_new(&options);
                struct sample_encoder *encoder = sample_encoder_new();
                struct sample sample = { 0 };
                struct bytes frame = { 0 };
                size_t bytes = 0, start_bytes = 0, ticks = 0, starts = 0;
                for (size_t i = 0; i < 3000 && starts < 3; i++) {
                        synthetic_step(busy, USEC_PER_SEC, &sample);
                        if (sample_encoder_add(encoder, &sample, &frame) == 1) {
                                if (starts++ > 0)
                                        assert_in_range(ticks, SAMPLE_BLOCK_STARTS, SAMPLE_BLOCK_TICKS - 1);
                                start_bytes = frame.length;
                                bytes = ticks = 0;
                        }
                        bytes += frame.length;
                        ticks++;
                        size_t cap = start_bytes * SAMPLE_BLOCK_STARTS;
                        assert_in_range(bytes, 1,
                                        (cap > SAMPLE_BLOCK_BYTES ? cap : SAMPLE_BLOCK_BYTES) + start_bytes);
                }
                assert_int_equal(starts, 3);
                bytes_done(&frame);
                synthetic_sample_done(&sample);
                (void)sample_encoder_free(encoder);
                (void)synthetic_free(busy);
        }
}

static void tags_find_the_programs_that_were_active(void **state)
{
        (void)state;
        struct block block = { 0 };
        join(&block, TICKS);
        const struct bytes *tags = &block.streams[STREAM_TAGS];
        assert_true(tags->length >= 4);
        assert_true(sample_tags_have(tags->data, tags->length, sample_program_tag("nginx")));
        assert_false(sample_tags_have(tags->data, tags->length, sample_program_tag("unheard-of")));
        assert_true(sample_tags_have("\xff\xff\xff\xff", 4, sample_program_tag("unheard-of")));
        block_done(&block);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(frames_that_are_damaged_or_out_of_order_add_nothing),
                cmocka_unit_test(blocks_with_flipped_bits_are_refused),
                cmocka_unit_test(streams_of_nonsense_never_get_out_of_bounds),
                cmocka_unit_test(older_and_newer_blocks_open),
                cmocka_unit_test(every_member_is_in_its_table),
                cmocka_unit_test(a_stretch_comes_back_as_it_was),
                cmocka_unit_test(a_filter_leaves_the_wanted_as_they_are),
                cmocka_unit_test(idle_processes_cost_nothing),
                cmocka_unit_test(a_block_ends_by_time_by_ticks_and_by_boot),
                cmocka_unit_test(a_block_ends_by_bytes_unless_it_is_large_from_the_start),
                cmocka_unit_test(tags_find_the_programs_that_were_active),
        };
        return cmocka_run_group_tests(tests, make_stretch, drop_stretch);
}
