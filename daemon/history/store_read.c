/* One cursor over blocks and then the journal. SQLite's own pages may be damaged too: then blocks are looked
 * up one by one, by number. */
#include "daemon/history/store_read.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "daemon/history/encoder.h"
#include "daemon/history/store_read_internal.h"

/* How many numbers in a row may lead to nothing before the end is believed, when no index can be read. */
#define BLIND_MISSES_MAX 4096

int store_reader_open(const char *path, struct store_reader **ret_reader, char error[static STORE_ERROR_MAX])
{
        struct store_reader *reader = calloc(1, sizeof(*reader));
        text_format(error, STORE_ERROR_MAX, "%s: no memory", path);
        if (!reader)
                return -ENOMEM;
        reader->path = strdup(path);
        int result = reader->path ? sql_open(path, false, &reader->db, error) : -ENOMEM;
        if (result < 0) {
                (void)store_reader_close(reader);
                return result;
        }
        store_reader_seek(reader, 0, (usec_t)INT64_MAX, NULL);
        *ret_reader = reader;
        return 0;
}

int store_reader_open_nothing(struct store_reader **ret_reader)
{
        char error[STORE_ERROR_MAX];
        struct store_reader *reader = calloc(1, sizeof(*reader));
        if (!reader)
                return -ENOMEM;
        reader->path = strdup("memory");
        if (!reader->path || sql_open(":memory:", true, &reader->db, error) < 0) {
                (void)store_reader_close(reader);
                return -ENOMEM;
        }
        store_reader_seek(reader, 0, (usec_t)INT64_MAX, NULL);
        *ret_reader = reader;
        return 0;
}

void store_reader_add_unwritten(struct store_reader *reader, struct unwritten *unwritten)
{
        reader->unwritten = unwritten_unref(reader->unwritten);
        reader->unwritten = unwritten_ref(unwritten);
}

static void forget_position(struct store_reader *reader)
{
        reader->samples = sample_decoder_free(reader->samples);
        reader->samples_before = sample_decoder_free(reader->samples_before);
        reader->rollups = decoder_free(reader->rollups);
        if (reader->frames)
                (void)sqlite3_reset(reader->frames);
        if (!sqlite3_get_autocommit(reader->db))
                (void)sql_exec(reader->db, "COMMIT");
}

struct store_reader *store_reader_close(struct store_reader *reader)
{
        if (!reader)
                return NULL;
        if (reader->db)
                forget_position(reader);
        (void)sqlite3_finalize(reader->next_block);
        (void)sqlite3_finalize(reader->block_data);
        (void)sqlite3_finalize(reader->frames);
        (void)sqlite3_close(reader->db);
        block_done(&reader->block);
        block_done(&reader->rollup_block);
        (void)unwritten_unref(reader->unwritten);
        free(reader->path);
        free(reader);
        return NULL;
}

void store_reader_hide_command_lines(struct store_reader *reader)
{
        reader->hides_command_lines = true;
}

void store_reader_set_filter(struct store_reader *reader, const struct sample_filter *filter)
{
        reader->filter = filter ? *filter : (struct sample_filter){ 0 };
}

void store_reader_set_cancelled(struct store_reader *reader, const atomic_bool *is_cancelled)
{
        reader->is_cancelled = is_cancelled;
}

static bool is_cancelled(const struct store_reader *reader)
{
        return reader->is_cancelled && atomic_load_explicit(reader->is_cancelled, memory_order_relaxed);
}

const char *store_reader_error(const struct store_reader *reader)
{
        return reader->error;
}

void store_reader_seek_rollups(struct store_reader *reader, enum series series, usec_t from_usec,
                               usec_t until_usec, const char *program)
{
        forget_position(reader);
        reader->series = series;
        reader->from_usec = from_usec;
        reader->until_usec = until_usec;
        reader->has_tag = program != NULL;
        reader->tag = program ? sample_program_tag(program) : 0;
        reader->block_id = 0;
        reader->is_blind = reader->is_in_journal = reader->is_at_end = reader->is_journal_damaged = false;
        reader->blind_misses = 0;
        reader->generation = 0;
        reader->unwritten_at = 0;
        (void)sql_exec(reader->db, "BEGIN"); /* one state of the file, though it is written meanwhile */
}

void store_reader_seek(struct store_reader *reader, usec_t from_usec, usec_t until_usec, const char *program)
{
        store_reader_seek_rollups(reader, SERIES_RAW, from_usec, until_usec, program);
}

/* ---- blocks */

/* Moves to the next block whose time and tags match: 1, 0 (no more), -EBADMSG (once, when the list of blocks
 * turns out to be damaged) or another error. */
static int find_block(struct store_reader *reader)
{
        int code = sql_prepare(reader->db,
                               "SELECT id, (SELECT tags FROM block AS b WHERE b.id = block.id) FROM block"
                               " INDEXED BY block_time WHERE series = ? AND id > ? AND until_usec >= ?"
                               " AND from_usec <= ? ORDER BY id",
                               &reader->next_block);
        /* Roll-ups are dated by the begin of their period. */
        usec_t earlier = reader->series == SERIES_RAW ? 0 : USEC_PER_HOUR;
        usec_t from = reader->from_usec > earlier ? reader->from_usec - earlier : 0;
        while (code == SQLITE_OK && !reader->is_blind) {
                (void)sqlite3_bind_int(reader->next_block, 1, (int)reader->series);
                (void)sqlite3_bind_int64(reader->next_block, 2, reader->block_id);
                (void)sqlite3_bind_int64(reader->next_block, 3, reader_sql_time(from));
                (void)sqlite3_bind_int64(reader->next_block, 4, reader_sql_time(reader->until_usec));
                code = sqlite3_step(reader->next_block);
                bool matches = false;
                if (code == SQLITE_ROW) {
                        reader->block_id = sqlite3_column_int64(reader->next_block, 0);
                        const void *tags = sqlite3_column_blob(reader->next_block, 1);
                        matches = !reader->has_tag || !tags ||
                                  sample_tags_have(tags, (size_t)sqlite3_column_bytes(reader->next_block, 1),
                                                   reader->tag);
                }
                int step = code;
                code = sqlite3_reset(reader->next_block);
                if (matches)
                        return 1;
                if (step == SQLITE_DONE)
                        return 0;
        }
        if (reader->is_blind) {
                reader->block_id++;
                bool is_over = reader->blind_last ? reader->block_id > reader->blind_last
                                                  : reader->blind_misses > BLIND_MISSES_MAX;
                return !is_over;
        }
        if (!reader_is_damage(code))
                return reader_fail(reader, code);
        reader->is_blind = true;
        if (sql_number(reader->db, "SELECT max(id) FROM block_data", &reader->blind_last) != SQLITE_OK)
                reader->blind_last = 0;
        text_format(reader->error, sizeof(reader->error),
                    "%s: the list of blocks is damaged after block %" PRId64
                    "; blocks are looked up one by one",
                    reader->path, reader->block_id);
        return -EBADMSG;
}

/* Reads the block found into reader->block: 1, 0 (there is none of that number), -EBADMSG, other errors. */
static int load_block(struct store_reader *reader)
{
        int code = sql_prepare(reader->db, "SELECT data FROM block_data WHERE id = ?", &reader->block_data);
        if (code != SQLITE_OK)
                return reader_is_damage(code) ? reader_say_damaged(reader, "block", reader->block_id)
                                              : reader_fail(reader, code);
        (void)sqlite3_bind_int64(reader->block_data, 1, reader->block_id);
        code = sqlite3_step(reader->block_data);
        int result = 0;
        if (code == SQLITE_ROW) {
                const void *data = sqlite3_column_blob(reader->block_data, 0);
                result = data ? block_read(&reader->block, data,
                                           (size_t)sqlite3_column_bytes(reader->block_data, 0))
                              : -EBADMSG;
                if (result == 0)
                        result = 1;
        } else if (code != SQLITE_DONE) {
                result = reader_is_damage(code) ? -EBADMSG : reader_fail(reader, code);
        } else if (!reader->is_blind) {
                result = -EBADMSG; /* listed, but not there */
        }
        (void)sqlite3_reset(reader->block_data);
        if (reader->is_blind)
                reader->blind_misses = result == 0 ? reader->blind_misses + 1 : 0;
        return result == -EBADMSG ? reader_say_damaged(reader, "block", reader->block_id) : result;
}

/* ---- the journal: blocks that are still being filled */

/* Joins the next generation's frames: 1 (reader->block has what could be read), 0 (no more), -EBADMSG. */
static int load_generation(struct store_reader *reader)
{
        int code = sql_prepare(reader->db,
                               "SELECT generation, frame FROM journal WHERE series = ?1 AND generation ="
                               " (SELECT min(generation) FROM journal WHERE series = ?1 AND generation > ?2)"
                               " ORDER BY id",
                               &reader->frames);
        if (code != SQLITE_OK)
                return reader_is_damage(code) ? reader_say_damaged(reader, "journal", 0)
                                              : reader_fail(reader, code);
        (void)sqlite3_bind_int(reader->frames, 1, (int)reader->series);
        (void)sqlite3_bind_int64(reader->frames, 2, (int64_t)reader->generation);
        block_clear(&reader->block);
        int result = 0;
        while ((code = sqlite3_step(reader->frames)) == SQLITE_ROW && result == 0) {
                const void *frame = sqlite3_column_blob(reader->frames, 1);
                reader->generation = (uint64_t)sqlite3_column_int64(reader->frames, 0);
                result = frame ? block_append(&reader->block, frame,
                                              (size_t)sqlite3_column_bytes(reader->frames, 1))
                               : -EBADMSG;
        }
        (void)sqlite3_reset(reader->frames);
        if (reader->block.ticks > 0) { /* first what comes before the damage */
                reader->is_journal_damaged = result < 0;
                return 1;
        }
        if (result < 0)
                return reader_say_damaged(reader, "journal of block", (int64_t)reader->generation);
        if (code == SQLITE_DONE)
                return 0;
        return reader_is_damage(code) ? reader_say_damaged(reader, "journal", 0) : reader_fail(reader, code);
}

/* The same of a generation that is not in memory as a whole. */
static int load_lone_generation(struct store_reader *reader)
{
        int result = load_generation(reader);
        while (result == 1 && reader->unwritten &&
               unwritten_has_generation(reader->unwritten, reader->series, reader->generation))
                result = load_generation(reader);
        return result;
}

/* ---- what is in memory only */

/* It was written after it was copied. */
static bool is_in_file(const struct store_reader *reader, const struct block_info *info)
{
        char text[160];
        int64_t count = 0;
        text_format(text, sizeof(text),
                    "SELECT count(*) FROM block WHERE series = %d AND from_usec = %" PRId64
                    " AND ticks >= %u",
                    (int)info->series, reader_sql_time(info->from_usec), info->ticks);
        return sql_number(reader->db, text, &count) == SQLITE_OK && count > 0;
}

static int load_unwritten(struct store_reader *reader)
{
        const struct unwritten_block *block;
        while (reader->unwritten && (block = unwritten_block(reader->unwritten, reader->unwritten_at))) {
                const struct block_info *info = &block->info;
                usec_t earlier = reader->series == SERIES_RAW ? 0 : USEC_PER_HOUR; /* as in find_block() */
                reader->unwritten_at++;
                if (info->series != reader->series || info->until_usec + earlier < reader->from_usec ||
                    info->from_usec > reader->until_usec ||
                    (reader->has_tag && !sample_tags_have(info->tags, info->tags_length, reader->tag)) ||
                    is_in_file(reader, info))
                        continue;
                int result = block_read(&reader->block, block->packed.data, block->packed.length);
                return result < 0 ? result : 1;
        }
        return 0;
}

/* The next block or generation into reader->block: 1, 0, negative errno. */
static int load_next(struct store_reader *reader)
{
        int result = 0;
        while (!reader->is_in_journal && result == 0) {
                result = find_block(reader);
                if (result < 0)
                        return result;
                if (result == 0)
                        reader->is_in_journal = true;
                else
                        result = load_block(reader);
        }
        if (result == 0 && reader->is_journal_damaged) {
                reader->is_journal_damaged = false;
                return reader_say_damaged(reader, "journal of block", (int64_t)reader->generation);
        }
        if (result == 0 && !reader->is_at_end) {
                uint64_t generation = reader->generation;
                result = load_lone_generation(reader);
                /* Damage that names no generation would be met again and again. */
                if (result == 0 || (result < 0 && reader->generation == generation))
                        reader->is_at_end = true;
        }
        return result == 0 && reader->is_at_end ? load_unwritten(reader) : result;
}

/* ---- what they hold */

int store_reader_next(struct store_reader *reader, struct sample *ret_sample)
{
        for (;;) {
                int result = 0;
                if (is_cancelled(reader))
                        return -ECANCELED;
                if (reader->samples && (result = sample_decoder_next(reader->samples, ret_sample)) == 1)
                        return 1;
                if (result < 0) {
                        (void)sample_decoder_free(reader->samples_before);
                        reader->samples_before = reader->samples;
                        reader->samples = NULL;
                        return result == -EBADMSG ? reader_say_damaged(reader, "block", reader->block_id)
                                                  : result;
                }
                result = load_next(reader);
                if (result <= 0)
                        return result;
                struct sample_decoder *samples;
                result = sample_decoder_new(&reader->block, &samples);
                if (result == -ENOMSG)
                        continue; /* of another series: it was looked up by number alone */
                if (result == -EBADMSG)
                        return reader_say_damaged(reader, "block", reader->block_id);
                if (result < 0)
                        return result;
                if (reader->hides_command_lines)
                        sample_decoder_hide_command_lines(samples);
                sample_decoder_set_window(samples, reader->from_usec, reader->until_usec);
                sample_decoder_set_filter(samples, &reader->filter);
                if (reader->samples) {
                        (void)sample_decoder_free(reader->samples_before);
                        reader->samples_before = reader->samples;
                }
                reader->samples = samples;
        }
}

const struct rollup_trend *store_reader_trends(const struct store_reader *reader, size_t *ret_count)
{
        struct decoded_rows trends = { 0 };
        if (reader->rollups)
                trends = decoder_rows(reader->rollups, ROLLUP_ENTITY_TREND);
        *ret_count = trends.count;
        return trends.rows;
}

int store_reader_next_rollup(struct store_reader *reader, const struct rollup_machine **ret_machine,
                             const struct rollup_program **ret_programs, size_t *ret_count)
{
        for (;;) {
                int result = 0;
                if (is_cancelled(reader))
                        return -ECANCELED;
                while (reader->rollups && (result = decoder_next(reader->rollups)) == 1) {
                        struct decoded_rows machine = decoder_rows(reader->rollups, ROLLUP_ENTITY_MACHINE);
                        struct decoded_rows programs = decoder_rows(reader->rollups, ROLLUP_ENTITY_PROGRAM);
                        const struct rollup_machine *row = machine.rows;
                        /* A period that begins before the asked time reaches into it. */
                        if (machine.count == 0 || row->from_usec > reader->until_usec ||
                            row->from_usec + row->period_usec <= reader->from_usec)
                                continue;
                        *ret_machine = row;
                        *ret_programs = programs.rows;
                        *ret_count = programs.count;
                        return 1;
                }
                reader->rollups = decoder_free(reader->rollups);
                if (result < 0)
                        return result == -EBADMSG ? reader_say_damaged(reader, "block", reader->block_id)
                                                  : result;
                result = load_next(reader);
                if (result <= 0)
                        return result;
                struct block former = reader->rollup_block;
                reader->rollup_block = reader->block;
                reader->block = former;
                result = decoder_new(&rollup_schema, &reader->rollup_block, &reader->rollups);
                if (result == -EBADMSG)
                        return reader_say_damaged(reader, "block", reader->block_id);
                if (result < 0 && result != -ENOMSG)
                        return result;
        }
}

int store_reader_span(struct store_reader *reader, usec_t *ret_from_usec, usec_t *ret_until_usec)
{
        int64_t from = 0, until = 0;
        int code = sql_number(
                reader->db,
                "SELECT coalesce((SELECT from_usec FROM block WHERE series = 0 ORDER BY id LIMIT 1),"
                " (SELECT realtime_usec FROM journal WHERE series = 0 ORDER BY id LIMIT 1))",
                &from);
        if (code == SQLITE_OK)
                code = sql_number(
                        reader->db,
                        "SELECT coalesce((SELECT realtime_usec FROM journal WHERE series = 0 ORDER BY id "
                        "DESC LIMIT 1),"
                        " (SELECT until_usec FROM block WHERE series = 0 ORDER BY id DESC LIMIT 1))",
                        &until);
        if (code != SQLITE_OK)
                return reader_fail(reader, code);
        const struct unwritten_block *block;
        for (size_t i = 0; reader->unwritten && (block = unwritten_block(reader->unwritten, i)); i++) {
                if (block->info.series != SERIES_RAW)
                        continue;
                if (from == 0)
                        from = reader_sql_time(block->info.from_usec);
                if (reader_sql_time(block->info.until_usec) > until)
                        until = reader_sql_time(block->info.until_usec);
        }
        *ret_from_usec = (usec_t)from;
        *ret_until_usec = (usec_t)until;
        return 0;
}
