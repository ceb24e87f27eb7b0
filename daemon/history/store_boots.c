/* Boots of a history file. */
#include <errno.h>
#include <stdlib.h>

#include "daemon/history/boot_codec.h"
#include "daemon/history/store_read_internal.h"

int store_reader_boots(struct store_reader *reader, usec_t until_usec, size_t max,
                       bool (*found)(void *userdata, const struct boot *boot, uint64_t number),
                       void *userdata)
{
        sqlite3_stmt *statement = NULL;
        int64_t tables = 0;
        int code = sql_number(reader->db, "SELECT count(*) FROM sqlite_schema WHERE name = 'boot'", &tables);
        if (code == SQLITE_OK && tables == 0)
                return 0;
        if (code == SQLITE_OK)
                code = sqlite3_prepare_v2(
                        reader->db,
                        "SELECT data, (SELECT count(*) FROM boot AS b WHERE b.number <= boot.number)"
                        " FROM boot WHERE known_usec <= ? ORDER BY number DESC LIMIT ?",
                        -1, &statement, NULL);
        if (code != SQLITE_OK)
                return reader_fail(reader, code);
        (void)sqlite3_bind_int64(statement, 1, reader_sql_time(until_usec));
        (void)sqlite3_bind_int64(statement, 2, (int64_t)max);
        int result = 0;
        bool goes_on = true;
        struct boot *boot = malloc(sizeof(*boot));
        while (boot && goes_on && (code = sqlite3_step(statement)) == SQLITE_ROW) {
                const void *data = sqlite3_column_blob(statement, 0);
                int64_t number = sqlite3_column_int64(statement, 1);
                if (data && boot_read(data, (size_t)sqlite3_column_bytes(statement, 0), boot) == 0)
                        goes_on = found(userdata, boot, (uint64_t)number);
                else
                        result = reader_say_damaged(reader, "boot", number);
        }
        free(boot);
        (void)sqlite3_finalize(statement);
        if (!boot)
                return -ENOMEM;
        if (code != SQLITE_ROW && code != SQLITE_DONE)
                return reader_is_damage(code) ? reader_say_damaged(reader, "list of boots, from number", 0)
                                              : reader_fail(reader, code);
        return result;
}
