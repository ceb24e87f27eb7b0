/* What a reader keeps, for store_read.c (samples and roll-ups) and store_incidents.c. */
#pragma once

#include "daemon/history/decoder.h"
#include "daemon/history/sample_codec.h"
#include "daemon/history/store_read.h"
#include "daemon/history/store_sql.h"

struct store_reader {
        sqlite3 *db;
        char *path;
        char error[STORE_ERROR_MAX];
        sqlite3_stmt *next_block, *block_data, *frames;

        enum series series;
        usec_t from_usec, until_usec;
        uint32_t tag;
        bool has_tag;
        bool hides_command_lines;
        struct sample_filter filter;
        const atomic_bool *is_cancelled; /* may be NULL */

        int64_t block_id;   /* the one being read, or read last */
        bool is_blind;      /* the list of blocks is damaged: every number is tried */
        int64_t blind_last; /* the highest number known; 0: not known */
        uint32_t blind_misses;
        bool is_in_journal, is_at_end;
        bool is_journal_damaged; /* after what was given of it */
        uint64_t generation;     /* of the journal, read last */

        struct unwritten *unwritten; /* what the file lacks; NULL: nothing */
        size_t unwritten_at;

        struct block block;                              /* scratch */
        struct sample_decoder *samples, *samples_before; /* identities of the last block are still in use */
        struct decoder *rollups;
        struct block rollup_block;
};

/* SQLite's integers are signed. */
int64_t reader_sql_time(usec_t usec);
/* Whether a result of SQLite speaks of one damaged place, so that it makes sense to go on. */
bool reader_is_damage(int code);
/* Both put a sentence into reader->error; the second returns -EBADMSG. */
int reader_fail(struct store_reader *reader, int code);
int reader_say_damaged(struct store_reader *reader, const char *what, int64_t number);
