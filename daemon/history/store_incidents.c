/* Incidents of a history file; and what all reading shares. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/text.h"
#include "daemon/history/incident_codec.h"
#include "daemon/history/store_read_internal.h"

int64_t reader_sql_time(usec_t usec)
{
        return usec > (usec_t)INT64_MAX ? INT64_MAX : (int64_t)usec;
}

bool reader_is_damage(int code)
{
        return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB ||
               (code & 0xff) == SQLITE_IOERR;
}

int reader_fail(struct store_reader *reader, int code)
{
        return sql_fail(reader->db, code, reader->path, reader->error);
}

int reader_say_damaged(struct store_reader *reader, const char *what, int64_t number)
{
        text_format(reader->error, sizeof(reader->error), "%s: %s %" PRId64 " is damaged and was left out",
                    reader->path, what, number);
        return -EBADMSG;
}

int store_reader_incidents(struct store_reader *reader, usec_t from_usec, usec_t until_usec,
                           bool (*found)(void *userdata, const struct incident *incident), void *userdata)
{
        sqlite3_stmt *statement = NULL;
        int code =
                sqlite3_prepare_v2(reader->db,
                                   "SELECT data FROM incident WHERE since_usec <= ?2 AND (until_usec >= ?1 OR"
                                   " until_usec = 0) ORDER BY since_usec, id",
                                   -1, &statement, NULL);
        if (code != SQLITE_OK)
                return reader_fail(reader, code);
        (void)sqlite3_bind_int64(statement, 1, reader_sql_time(from_usec));
        (void)sqlite3_bind_int64(statement, 2, reader_sql_time(until_usec));
        int result = 0;
        bool goes_on = true;
        int64_t number = 0;
        struct incident *incident = malloc(sizeof(*incident));
        while (incident && goes_on && (code = sqlite3_step(statement)) == SQLITE_ROW) {
                const void *data = sqlite3_column_blob(statement, 0);
                number++;
                if (data && incident_read(data, (size_t)sqlite3_column_bytes(statement, 0), incident) == 0)
                        goes_on = found(userdata, incident);
                else
                        result = reader_say_damaged(reader, "incident", number);
        }
        free(incident);
        (void)sqlite3_finalize(statement);
        if (!incident)
                return -ENOMEM;
        if (code != SQLITE_ROW && code != SQLITE_DONE)
                return reader_is_damage(code)
                               ? reader_say_damaged(reader, "list of incidents, from number", number + 1)
                               : reader_fail(reader, code);
        return result;
}
