/* Reads, encodes again and writes: so the new file has exactly the asked stretch, and nothing that was to be
 * left out. */
#include "daemon/history/export.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/text.h"
#include "daemon/history/boot_codec.h"
#include "daemon/history/history.h"
#include "daemon/history/incident_codec.h"
#include "daemon/history/rollup_encode.h"
#include "daemon/history/sample_codec.h"
#include "daemon/history/store_sql.h"
#include "daemon/history/writer.h"

/* Checks look back so far: the 15 minutes of the history in memory. */
#define PAST_USEC (15 * USEC_PER_MINUTE)

struct export
{
        struct store_reader *reader;
        const struct export_options *options;
        struct writer *writer;
        struct clock_reading now; /* of the sample written last */
        char *error;
        int result;
        uint64_t samples;
};

/* 1: there is something to write; 0: the end; errors but damage end the export. */
static int check(struct export *export, int result)
{
        if (result >= 0)
                return result;
        text_format(export->error, STORE_ERROR_MAX, "%s", store_reader_error(export->reader));
        return result == -EBADMSG ? -EBADMSG : (export->result = result);
}

static void hand_on(struct export *export, struct record *record)
{
        record->monotonic_usec = export->now.monotonic_usec;
        writer_handle(export->writer, record);
        const struct store_status *status = writer_status(export->writer);
        if (!status->is_writing && export->result == 0) {
                text_format(export->error, STORE_ERROR_MAX, "%s", status->text);
                export->result = -EIO;
        }
}

static void export_samples(struct export *export, usec_t from_usec)
{
        struct sample_encoder *encoder = sample_encoder_new();
        struct sample *turn = calloc(2, sizeof(*turn));
        struct record record = { .kind = RECORD_FRAME, .series = SERIES_RAW };
        int result;
        if (!encoder || !turn)
                export->result = -ENOMEM;
        store_reader_seek(export->reader, from_usec, export->options->until_usec, NULL);
        while (export->result == 0 &&
               (result = check(export, store_reader_next(export->reader, &turn[export->samples % 2]))) != 0) {
                if (result < 0)
                        continue;
                const struct sample *sample = &turn[export->samples++ % 2];
                result = sample_encoder_add(encoder, sample, &record.data);
                if (result < 0) {
                        export->result = result;
                        break;
                }
                export->now = sample->time;
                record.is_start = result > 0;
                record.realtime_usec = sample->time.realtime_usec;
                hand_on(export, &record);
        }
        if (turn) {
                sample_done(&turn[0]);
                sample_done(&turn[1]);
        }
        free(turn);
        bytes_done(&record.data);
        (void)sample_encoder_free(encoder);
}

static void export_rollups(struct export *export, enum series series)
{
        struct rollup_encoder *encoder = rollup_encoder_new(series);
        struct record record = { 0 };
        const struct rollup_machine *machine;
        const struct rollup_program *programs;
        size_t count;
        int result;
        if (!encoder)
                export->result = -ENOMEM;
        store_reader_seek_rollups(export->reader, series, export->options->from_usec,
                                  export->options->until_usec, NULL);
        while (export->result == 0 &&
               (result = check(export,
                               store_reader_next_rollup(export->reader, &machine, &programs, &count))) != 0) {
                if (result < 0)
                        continue;
                size_t trends_count;
                const struct rollup_trend *trends = store_reader_trends(export->reader, &trends_count);
                rollup_encoder_trends(encoder, trends, trends_count);
                if (rollup_encoder_add(encoder, machine, programs, count, &record) < 0)
                        export->result = -ENOMEM;
                else
                        hand_on(export, &record);
        }
        bytes_done(&record.data);
        (void)rollup_encoder_free(encoder);
}

static bool export_incident(void *userdata, const struct incident *incident)
{
        struct export *export = userdata;
        struct incident copy = *incident;
        struct record record = { .kind = RECORD_INCIDENT,
                                 .realtime_usec = export->now.realtime_usec,
                                 .since_usec = incident->since_usec,
                                 .until_usec = incident->until_usec,
                                 .id = incident->id,
                                 .check = incident->check };
        if (!export->options->with_command_lines) {
                memset(copy.culprit.command_line, 0, sizeof(copy.culprit.command_line));
                for (uint32_t i = 0; i < copy.victim_count; i++)
                        memset(copy.victims[i].command_line, 0, sizeof(copy.victims[i].command_line));
        }
        if (incident_write(&copy, &record.data) < 0)
                export->result = -ENOMEM;
        else
                hand_on(export, &record);
        bytes_done(&record.data);
        return export->result == 0;
}

/* Those that the boots in the stretch are compared with, too. They come newest first and are kept in order.
 */
struct exported_boots {
        struct record records[HISTORY_BOOTS_MAX];
        size_t count;
        bool has_failed;
};

static bool take_boot(void *userdata, const struct boot *boot, uint64_t number)
{
        struct exported_boots *boots = userdata;
        struct record *record = &boots->records[boots->count++];
        (void)number;
        *record = (struct record){ .kind = RECORD_BOOT,
                                   .realtime_usec = boot->times.known_usec,
                                   .id = boot_number(&boot->times),
                                   .stage = boot->times.stage };
        boots->has_failed |= boot_write(boot, &record->data) < 0;
        return !boots->has_failed && boots->count < HISTORY_BOOTS_MAX;
}

static void export_boots(struct export *export)
{
        struct exported_boots boots = { 0 };
        (void)check(export, store_reader_boots(export->reader, export->options->until_usec, HISTORY_BOOTS_MAX,
                                               take_boot, &boots));
        if (boots.has_failed)
                export->result = -ENOMEM;
        while (boots.count > 0) {
                struct record *record = &boots.records[--boots.count];
                if (export->result == 0)
                        hand_on(export, record);
                bytes_done(&record->data);
        }
}

/* One plain file: no log beside it, so it can be sent, and read where nothing may be written; without the
 * pages that the blocks took while they were filled, which are most of it. */
static int seal_file(const char *path, char error[static STORE_ERROR_MAX])
{
        sqlite3 *db = NULL;
        int result = sql_open(path, true, &db, error);
        if (result < 0)
                return result;
        int code = sql_exec(db, "PRAGMA incremental_vacuum");
        if (code == SQLITE_OK)
                code = sql_exec(db, "PRAGMA journal_mode = DELETE");
        if (code != SQLITE_OK)
                result = sql_fail(db, code, path, error);
        (void)sqlite3_close(db);
        return result;
}

static void remove_file(const char *path)
{
        static const char *const suffixes[] = { "", "-wal", "-shm" };
        for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
                char name[4096];
                text_format(name, sizeof(name), "%s%s", path, suffixes[i]);
                (void)unlink(name); /* what is not there need not go */
        }
}

int export_write(struct store_reader *reader, const struct export_options *options, const char *path,
                 char error[static STORE_ERROR_MAX])
{
        error[0] = 0;
        if (access(path, F_OK) == 0) {
                text_format(error, STORE_ERROR_MAX, "%s: there is such a file already", path);
                return -EEXIST;
        }
        struct export export = { .reader = reader, .options = options, .error = error };
        struct store_options store_options;
        store_default_options(path, NULL, &store_options);
        store_options.limits = (struct store_limits){ .keep_usec = { UINT64_MAX, UINT64_MAX, UINT64_MAX },
                                                      .size_bytes = UINT64_MAX };
        store_options.sync_usec = USEC_PER_HOUR; /* of recorded time: it is done again if it is interrupted */
        export.result = writer_new(&store_options, &export.writer);
        if (export.result < 0)
                return export.result;
        if (!options->with_command_lines)
                store_reader_hide_command_lines(reader);
        export_samples(&export, options->from_usec > PAST_USEC ? options->from_usec - PAST_USEC : 0);
        for (int series = SERIES_MINUTE; series < SERIES_MAX && export.result == 0; series++)
                export_rollups(&export, (enum series)series);
        if (export.result == 0)
                export_boots(&export);
        if (export.result == 0) {
                int result = store_reader_incidents(reader, options->from_usec, options->until_usec,
                                                    export_incident, &export);
                (void)check(&export, result);
        }
        (void)writer_free(export.writer);
        if (export.result == 0 && export.samples == 0) {
                text_format(error, STORE_ERROR_MAX, "nothing was recorded at that time");
                export.result = -ENODATA;
        }
        if (export.result == 0)
                export.result = seal_file(path, error);
        if (export.result < 0)
                remove_file(path);
        return export.result;
}
