/* SQLite: the tables of a history file, their version, and its errors as ours. */
#include "daemon/history/store_sql.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/text.h"

/* Blocks lie in a table of their own, so that looking for one does not read them. Incidents are replaced as
 * they get worse and end. */
static const char tables[] =
        "CREATE TABLE block(id INTEGER PRIMARY KEY, series INTEGER NOT NULL, from_usec INTEGER NOT NULL,"
        " until_usec INTEGER NOT NULL, ticks INTEGER NOT NULL, raw_bytes INTEGER NOT NULL, tags BLOB);"
        "CREATE INDEX block_time ON block(series, id, from_usec, until_usec);"
        "CREATE TABLE block_data(id INTEGER PRIMARY KEY, data BLOB NOT NULL);"
        "CREATE TABLE journal(id INTEGER PRIMARY KEY, series INTEGER NOT NULL, generation INTEGER NOT NULL,"
        " realtime_usec INTEGER NOT NULL, frame BLOB NOT NULL);"
        "CREATE TABLE incident(since_usec INTEGER NOT NULL, id INTEGER NOT NULL, check_name TEXT NOT NULL,"
        " until_usec INTEGER NOT NULL, data BLOB NOT NULL,"
        " PRIMARY KEY(since_usec, id, check_name)) WITHOUT ROWID;";

/* Added later: a file that lacks it gets it when it is opened for writing. In the order of insertion, as the
 * clock may have been wrong at the start of a machine. */
static const char boot_table[] =
        "CREATE TABLE IF NOT EXISTS boot(number INTEGER PRIMARY KEY, id INTEGER NOT NULL UNIQUE,"
        " known_usec INTEGER NOT NULL, stage INTEGER NOT NULL, data BLOB NOT NULL);";

int sql_fail(sqlite3 *db, int code, const char *path, char error[static STORE_ERROR_MAX])
{
        int system = db ? sqlite3_system_errno(db) : 0;
        int result = -EIO;
        const char *what = db ? sqlite3_errmsg(db) : sqlite3_errstr(code);
        switch (code & 0xff) {
        case SQLITE_FULL:
                result = -ENOSPC;
                what = "the disk is full";
                break;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
        case SQLITE_FORMAT:
                result = -EBADMSG;
                what = "the file is damaged";
                break;
        case SQLITE_READONLY:
        case SQLITE_PERM:
                result = -EROFS;
                what = "it may not be written";
                break;
        case SQLITE_CANTOPEN:
                result = system ? -system : -EACCES;
                what = system ? strerror(system) : "it cannot be opened";
                break;
        case SQLITE_IOERR:
                result = system ? -system : -EIO;
                if (system)
                        what = strerror(system);
                break;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
                result = -EBUSY;
                what = "another process writes to it";
                break;
        case SQLITE_NOMEM:
                result = -ENOMEM;
                break;
        default:
                break;
        }
        text_format(error, STORE_ERROR_MAX, "%s: %s", path, what);
        return result;
}

int sql_prepare(sqlite3 *db, const char *text, sqlite3_stmt **statement)
{
        if (*statement)
                return SQLITE_OK;
        return sqlite3_prepare_v3(db, text, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
}

int sql_run(sqlite3_stmt *statement)
{
        int code = sqlite3_step(statement);
        while (code == SQLITE_ROW)
                code = sqlite3_step(statement);
        int reset = sqlite3_reset(statement);
        (void)sqlite3_clear_bindings(statement);
        return code == SQLITE_DONE ? SQLITE_OK : (reset != SQLITE_OK ? reset : code);
}

int sql_exec(sqlite3 *db, const char *text)
{
        return sqlite3_exec(db, text, NULL, NULL, NULL);
}

int sql_number(sqlite3 *db, const char *text, int64_t *ret_number)
{
        sqlite3_stmt *statement = NULL;
        int code = sqlite3_prepare_v2(db, text, -1, &statement, NULL);
        int64_t number = 0;
        if (code == SQLITE_OK) {
                code = sqlite3_step(statement);
                if (code == SQLITE_ROW)
                        number = sqlite3_column_int64(statement, 0);
        }
        (void)sqlite3_finalize(statement);
        if (code != SQLITE_ROW && code != SQLITE_DONE)
                return code;
        *ret_number = number;
        return SQLITE_OK;
}

static int create(sqlite3 *db)
{
        char pragma[64];
        int code = sql_exec(db, "PRAGMA auto_vacuum = INCREMENTAL");
        if (code == SQLITE_OK)
                code = sql_exec(db, "PRAGMA journal_mode = WAL");
        if (code == SQLITE_OK)
                code = sql_exec(db, "BEGIN IMMEDIATE");
        if (code == SQLITE_OK)
                code = sql_exec(db, tables);
        if (code == SQLITE_OK)
                code = sql_exec(db, boot_table);
        text_format(pragma, sizeof(pragma), "PRAGMA application_id = %d", STORE_APPLICATION_ID);
        if (code == SQLITE_OK)
                code = sql_exec(db, pragma);
        text_format(pragma, sizeof(pragma), "PRAGMA user_version = %d", STORE_VERSION);
        if (code == SQLITE_OK)
                code = sql_exec(db, pragma);
        if (code == SQLITE_OK)
                code = sql_exec(db, "COMMIT");
        return code;
}

/* That it is one of ours, and not from the future. */
static int check_version(sqlite3 *db, const char *path, bool may_write, char error[static STORE_ERROR_MAX])
{
        int64_t application = 0, version = 0, objects = 0;
        int code = sql_number(db, "SELECT count(*) FROM sqlite_schema", &objects);
        if (code == SQLITE_OK)
                code = sql_number(db, "PRAGMA application_id", &application);
        if (code == SQLITE_OK)
                code = sql_number(db, "PRAGMA user_version", &version);
        if (code == SQLITE_OK && may_write && objects == 0 && application == 0 && version == 0) {
                code = create(db);
                return code == SQLITE_OK ? 0 : sql_fail(db, code, path, error);
        }
        if (code != SQLITE_OK)
                return sql_fail(db, code, path, error);
        if (application != STORE_APPLICATION_ID) {
                text_format(error, STORE_ERROR_MAX, "%s: not a history of slowd", path);
                return -EBADMSG;
        }
        if (version > STORE_VERSION) {
                text_format(error, STORE_ERROR_MAX,
                            "%s: written by a newer slowd (format %" PRId64 ", this one knows %d)", path,
                            version, STORE_VERSION);
                return -EPROTONOSUPPORT;
        }
        code = may_write ? sql_exec(db, boot_table) : SQLITE_OK;
        return code == SQLITE_OK ? 0 : sql_fail(db, code, path, error);
}

static int open_with(const char *path, int flags, sqlite3 **ret_db)
{
        int code = sqlite3_open_v2(path, ret_db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
        if (code != SQLITE_OK)
                return code;
        (void)sqlite3_busy_timeout(*ret_db, 2000);
        (void)sqlite3_db_config(*ret_db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        (void)sqlite3_db_config(*ret_db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        /* A small cache: the daemon must stay small. No checkpoint but ours: it is what syncs. */
        return sql_exec(*ret_db, "PRAGMA cache_size = -512; PRAGMA cell_size_check = ON;"
                                 "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0;"
                                 "PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 1048576");
}

int sql_open(const char *path, bool may_write, sqlite3 **ret_db, char error[static STORE_ERROR_MAX])
{
        sqlite3 *db = NULL;
        int result;
        struct stat status;
        if (!may_write && stat(path, &status) < 0) {
                result = -errno;
                text_format(error, STORE_ERROR_MAX, "%s: %s", path, strerror(errno));
                return result;
        }
        int code = open_with(
                path, may_write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY, &db);
        if (code == SQLITE_OK)
                result = check_version(db, path, may_write, error);
        else
                result = sql_fail(db, code, path, error);
        if (!may_write && (result == -EROFS || result == -EACCES || result == -ENOENT || result == -EIO)) {
                /* A file of a killed writer in a directory that may not be written: without its log, which
                 * cannot be opened there, the blocks are still good. */
                char uri[4096];
                (void)sqlite3_close(db);
                db = NULL;
                (void)sqlite3_snprintf((int)sizeof(uri), uri, "file:%s?immutable=1", path);
                code = open_with(uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, &db);
                result = code == SQLITE_OK ? check_version(db, path, false, error)
                                           : sql_fail(db, code, path, error);
        }
        if (result < 0) {
                (void)sqlite3_close(db);
                return result;
        }
        *ret_db = db;
        return 0;
}
