/* Writing a history file. A frame is one committed row of the journal in the write-ahead log, so the death of
 * the process loses nothing that was appended; only store_file_sync() makes the disk wait. */
#include "daemon/history/store_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/text.h"
#include "daemon/history/block.h"
#include "daemon/history/encoder.h"
#include "daemon/history/store_sql.h"
#include "daemon/sample/boot.h"

#define PRUNE_BLOCKS 8   /* at one step */
#define PRUNE_PAGES  512 /* given back to the file system at one step */

struct store_file {
        sqlite3 *db;
        char *path;
        char error[STORE_ERROR_MAX];
        sqlite3_stmt *append, *seal, *seal_data, *forget, *incident, *boot;
};

static int fail(struct store_file *file, int code)
{
        int result = sql_fail(file->db, code, file->path, file->error);
        if (!sqlite3_get_autocommit(file->db))
                (void)sql_exec(file->db, "ROLLBACK");
        return result;
}

struct store_file *store_file_close(struct store_file *file)
{
        if (!file)
                return NULL;
        (void)sqlite3_finalize(file->append);
        (void)sqlite3_finalize(file->seal);
        (void)sqlite3_finalize(file->seal_data);
        (void)sqlite3_finalize(file->forget);
        (void)sqlite3_finalize(file->incident);
        (void)sqlite3_finalize(file->boot);
        (void)sqlite3_close(file->db);
        free(file->path);
        free(file);
        return NULL;
}

const char *store_file_error(const struct store_file *file)
{
        return file->error;
}

/* ---- what a killed writer left */

struct leftover {
        struct block block;
        struct block_info info;
        struct bytes packed;
};

/* Joins the frames of the oldest generation of a series; a damaged one ends it. SQLITE_DONE: there is none.
 */
static int join_leftover(struct store_file *file, enum series series, struct leftover *leftover)
{
        sqlite3_stmt *frames = NULL;
        int code = sqlite3_prepare_v2(
                file->db,
                "SELECT generation, realtime_usec, frame FROM journal WHERE series = ?1 AND"
                " generation = (SELECT min(generation) FROM journal WHERE series = ?1)"
                " ORDER BY id",
                -1, &frames, NULL);
        if (code != SQLITE_OK)
                return code;
        (void)sqlite3_bind_int(frames, 1, (int)series);
        block_clear(&leftover->block);
        leftover->info = (struct block_info){ .series = series };
        bool is_whole = true, is_empty = true;
        while ((code = sqlite3_step(frames)) == SQLITE_ROW) {
                const void *frame = sqlite3_column_blob(frames, 2);
                leftover->info.generation = (uint64_t)sqlite3_column_int64(frames, 0);
                is_empty = false;
                if (is_whole && frame)
                        is_whole = block_append(&leftover->block, frame,
                                                (size_t)sqlite3_column_bytes(frames, 2)) == 0;
                if (!is_whole || !frame)
                        continue;
                usec_t realtime = (usec_t)sqlite3_column_int64(frames, 1);
                if (leftover->block.ticks == 1 || realtime < leftover->info.from_usec)
                        leftover->info.from_usec = realtime;
                if (realtime > leftover->info.until_usec)
                        leftover->info.until_usec = realtime;
        }
        (void)sqlite3_finalize(frames);
        if (code != SQLITE_DONE)
                return code;
        leftover->info.ticks = leftover->block.ticks;
        leftover->info.raw_bytes = leftover->block.raw_bytes;
        leftover->info.tags = leftover->block.streams[STREAM_TAGS].data;
        leftover->info.tags_length = leftover->block.streams[STREAM_TAGS].length;
        return is_empty ? SQLITE_DONE : SQLITE_OK;
}

static int forget_generation(struct store_file *file, enum series series, uint64_t generation)
{
        int code = sql_prepare(file->db, "DELETE FROM journal WHERE series = ? AND generation = ?",
                               &file->forget);
        if (code != SQLITE_OK)
                return code;
        (void)sqlite3_bind_int(file->forget, 1, (int)series);
        (void)sqlite3_bind_int64(file->forget, 2, (int64_t)generation);
        return sql_run(file->forget);
}

static int recover(struct store_file *file)
{
        struct leftover *leftover = calloc(1, sizeof(*leftover));
        int result = leftover ? 0 : -ENOMEM;
        for (int series = 0; series < SERIES_MAX && result == 0; series++) {
                int code;
                while (result == 0 &&
                       (code = join_leftover(file, (enum series)series, leftover)) == SQLITE_OK) {
                        if (leftover->block.ticks > 0) {
                                result = block_write(&leftover->block, &leftover->packed);
                                if (result == 0)
                                        result = store_file_seal(file, &leftover->info, &leftover->packed);
                        } else if ((code = forget_generation(file, (enum series)series,
                                                             leftover->info.generation)) != SQLITE_OK) {
                                break;
                        }
                }
                if (result == 0 && code != SQLITE_DONE)
                        result = fail(file, code);
        }
        if (leftover) {
                block_done(&leftover->block);
                bytes_done(&leftover->packed);
                free(leftover);
        }
        return result;
}

int store_file_open(const char *path, struct store_file **ret_file, char error[static STORE_ERROR_MAX])
{
        struct store_file *file = calloc(1, sizeof(*file));
        text_format(error, STORE_ERROR_MAX, "%s: no memory", path);
        if (!file)
                return -ENOMEM;
        file->path = strdup(path);
        int result = file->path ? sql_open(path, true, &file->db, error) : -ENOMEM;
        if (result == 0) {
                result = recover(file);
                if (result < 0)
                        text_format(error, STORE_ERROR_MAX, "%s", file->error);
        }
        if (result < 0) {
                (void)store_file_close(file);
                return result;
        }
        *ret_file = file;
        return 0;
}

/* ---- writing */

uint64_t store_file_generation(struct store_file *file)
{
        int64_t highest = 0;
        (void)sql_number(file->db, "SELECT max(generation) FROM journal", &highest);
        return (uint64_t)highest + 1;
}

int store_file_append(struct store_file *file, enum series series, uint64_t generation, usec_t realtime_usec,
                      const struct bytes *frame)
{
        int code = sql_prepare(
                file->db, "INSERT INTO journal(series, generation, realtime_usec, frame) VALUES(?,?,?,?)",
                &file->append);
        if (code != SQLITE_OK)
                return fail(file, code);
        (void)sqlite3_bind_int(file->append, 1, (int)series);
        (void)sqlite3_bind_int64(file->append, 2, (int64_t)generation);
        (void)sqlite3_bind_int64(file->append, 3, (int64_t)realtime_usec);
        (void)sqlite3_bind_blob64(file->append, 4, frame->data, frame->length, SQLITE_STATIC);
        code = sql_run(file->append);
        return code == SQLITE_OK ? 0 : fail(file, code);
}

static int insert_block(struct store_file *file, const struct block_info *info, const struct bytes *packed)
{
        (void)sqlite3_bind_int(file->seal, 1, (int)info->series);
        (void)sqlite3_bind_int64(file->seal, 2, (int64_t)info->from_usec);
        (void)sqlite3_bind_int64(file->seal, 3, (int64_t)info->until_usec);
        (void)sqlite3_bind_int64(file->seal, 4, info->ticks);
        (void)sqlite3_bind_int64(file->seal, 5, (int64_t)info->raw_bytes);
        (void)sqlite3_bind_blob64(file->seal, 6, info->tags, info->tags_length, SQLITE_STATIC);
        int code = sql_run(file->seal);
        if (code != SQLITE_OK)
                return code;
        (void)sqlite3_bind_int64(file->seal_data, 1, sqlite3_last_insert_rowid(file->db));
        (void)sqlite3_bind_blob64(file->seal_data, 2, packed->data, packed->length, SQLITE_STATIC);
        return sql_run(file->seal_data);
}

int store_file_seal(struct store_file *file, const struct block_info *info, const struct bytes *packed)
{
        int code = sql_prepare(file->db,
                               "INSERT INTO block(series, from_usec, until_usec, ticks, raw_bytes, tags)"
                               " VALUES(?,?,?,?,?,?)",
                               &file->seal);
        if (code == SQLITE_OK)
                code = sql_prepare(file->db, "INSERT INTO block_data(id, data) VALUES(?,?)",
                                   &file->seal_data);
        if (code == SQLITE_OK)
                code = sql_exec(file->db, "BEGIN IMMEDIATE");
        if (code == SQLITE_OK)
                code = insert_block(file, info, packed);
        if (code == SQLITE_OK)
                code = forget_generation(file, info->series, info->generation);
        if (code == SQLITE_OK)
                code = sql_exec(file->db, "COMMIT");
        return code == SQLITE_OK ? 0 : fail(file, code);
}

int store_file_incident(struct store_file *file, usec_t since_usec, uint64_t id, const char *check,
                        usec_t until_usec, const struct bytes *data)
{
        int code =
                sql_prepare(file->db, "INSERT OR REPLACE INTO incident VALUES(?,?,?,?,?)", &file->incident);
        if (code != SQLITE_OK)
                return fail(file, code);
        (void)sqlite3_bind_int64(file->incident, 1, (int64_t)since_usec);
        (void)sqlite3_bind_int64(file->incident, 2, (int64_t)id);
        (void)sqlite3_bind_text(file->incident, 3, check, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(file->incident, 4, (int64_t)until_usec);
        (void)sqlite3_bind_blob64(file->incident, 5, data->data, data->length, SQLITE_STATIC);
        code = sql_run(file->incident);
        return code == SQLITE_OK ? 0 : fail(file, code);
}

int store_file_boot(struct store_file *file, uint64_t id, usec_t known_usec, uint8_t stage,
                    const struct bytes *data)
{
        char text[128];
        int code = sql_prepare(file->db,
                               "INSERT INTO boot(id, known_usec, stage, data) VALUES(?1, ?2, ?3, ?4)"
                               " ON CONFLICT(id) DO UPDATE SET known_usec = ?2, stage = ?3, data = ?4"
                               " WHERE ?3 >= stage AND ?3 <> ?5",
                               &file->boot);
        if (code != SQLITE_OK)
                return fail(file, code);
        (void)sqlite3_bind_int64(file->boot, 1, (int64_t)id);
        (void)sqlite3_bind_int64(file->boot, 2, (int64_t)known_usec);
        (void)sqlite3_bind_int(file->boot, 3, stage);
        (void)sqlite3_bind_blob64(file->boot, 4, data->data, data->length, SQLITE_STATIC);
        (void)sqlite3_bind_int(file->boot, 5, BOOT_LATE);
        code = sql_run(file->boot);
        text_format(text, sizeof(text),
                    "DELETE FROM boot WHERE number <= (SELECT max(number) FROM boot) - %d", STORE_BOOTS_MAX);
        if (code == SQLITE_OK)
                code = sql_exec(file->db, text);
        return code == SQLITE_OK ? 0 : fail(file, code);
}

int store_file_sync(struct store_file *file)
{
        /* In synchronous=NORMAL a checkpoint is the one thing that syncs: the log, then the file. A reader
         * may keep it from finishing; the log itself is synced all the same. */
        int code = sqlite3_wal_checkpoint_v2(file->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
        return code == SQLITE_OK || code == SQLITE_BUSY ? 0 : fail(file, code);
}

int store_file_extent(struct store_file *file, struct store_extent *ret_extent)
{
        int64_t blocks = 0, oldest = 0;
        int code = sql_number(file->db, "SELECT count(*) FROM block", &blocks);
        if (code == SQLITE_OK)
                code = sql_number(file->db,
                                  "SELECT from_usec FROM block WHERE series = 0 ORDER BY id LIMIT 1",
                                  &oldest);
        if (code == SQLITE_OK && oldest == 0)
                code = sql_number(file->db,
                                  "SELECT realtime_usec FROM journal WHERE series = 0 ORDER BY id LIMIT 1",
                                  &oldest);
        if (code != SQLITE_OK)
                return fail(file, code);
        uint64_t bytes = 0;
        static const char *const suffixes[] = { "", "-wal" };
        for (size_t i = 0; i < 2; i++) {
                char path[4096];
                struct stat status;
                text_format(path, sizeof(path), "%s%s", file->path, suffixes[i]);
                if (stat(path, &status) == 0)
                        bytes += (uint64_t)status.st_size;
        }
        *ret_extent = (struct store_extent){ bytes, (uint64_t)blocks, (usec_t)oldest };
        return 0;
}

/* ---- pruning */

/* The oldest blocks of a series that ended before `before_usec`. */
static int remove_oldest(struct store_file *file, enum series series, usec_t before_usec,
                         int64_t *ret_removed)
{
        char text[400];
        text_format(
                text, sizeof(text),
                "BEGIN IMMEDIATE;"
                "DELETE FROM block_data WHERE id IN (SELECT id FROM block WHERE series = %d AND until_usec < "
                "%lld"
                " ORDER BY id LIMIT %d);"
                "DELETE FROM block WHERE id IN (SELECT id FROM block WHERE series = %d AND until_usec < %lld"
                " ORDER BY id LIMIT %d);",
                (int)series, (long long)before_usec, PRUNE_BLOCKS, (int)series, (long long)before_usec,
                PRUNE_BLOCKS);
        int code = sql_exec(file->db, text);
        *ret_removed = sqlite3_changes(file->db);
        if (code == SQLITE_OK)
                code = sql_exec(file->db, "COMMIT");
        return code;
}

static int used_bytes(struct store_file *file, uint64_t *ret_used)
{
        int64_t pages = 0, free_pages = 0, page = 0;
        int code = sql_number(file->db, "PRAGMA page_count", &pages);
        if (code == SQLITE_OK)
                code = sql_number(file->db, "PRAGMA freelist_count", &free_pages);
        if (code == SQLITE_OK)
                code = sql_number(file->db, "PRAGMA page_size", &page);
        *ret_used = (uint64_t)(pages - free_pages) * (uint64_t)page;
        return code;
}

int store_file_prune(struct store_file *file, const struct store_limits *limits, usec_t now_usec)
{
        int code = SQLITE_OK;
        int64_t removed = 0;
        for (int series = 0; series < SERIES_MAX && code == SQLITE_OK && removed == 0; series++)
                if (now_usec > limits->keep_usec[series])
                        code = remove_oldest(file, (enum series)series, now_usec - limits->keep_usec[series],
                                             &removed);
        uint64_t used = 0;
        if (code == SQLITE_OK)
                code = used_bytes(file, &used);
        /* Over the size: raw samples first, they are the bulk and their roll-ups stay. */
        for (int series = 0;
             series < SERIES_MAX && code == SQLITE_OK && removed == 0 && used > limits->size_bytes; series++)
                code = remove_oldest(file, (enum series)series, (usec_t)INT64_MAX, &removed);
        if (code == SQLITE_OK && removed) {
                char text[64];
                text_format(text, sizeof(text), "PRAGMA incremental_vacuum(%d)", PRUNE_PAGES);
                code = sql_exec(file->db, text);
        }
        if (code != SQLITE_OK)
                return fail(file, code);
        return removed > 0;
}
