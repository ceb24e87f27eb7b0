/* What writer and readers of a history file share: opening, statements, errors. */
#pragma once

#include <sqlite3.h>

#include "daemon/history/store_file.h"

/* Makes an errno of a result of SQLite and writes a sentence that names the file. */
int sql_fail(sqlite3 *db, int code, const char *path, char error[static STORE_ERROR_MAX]);

/* Opens, checks that it is a history file of a known version, creates tables if may_write and it is empty.
 * 0 or as store_file_open(). */
int sql_open(const char *path, bool may_write, sqlite3 **ret_db, char error[static STORE_ERROR_MAX]);

/* Prepared once; reset and unbound after use. SQLITE_OK or an error. */
int sql_prepare(sqlite3 *db, const char *text, sqlite3_stmt **statement);
/* Runs to the end. SQLITE_OK or an error. */
int sql_run(sqlite3_stmt *statement);
int sql_exec(sqlite3 *db, const char *text);
/* The first column of the only row, 0 if NULL or no row. */
int sql_number(sqlite3 *db, const char *text, int64_t *ret_number);
