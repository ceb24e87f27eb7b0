/* The part of a question that roll-ups answer. Inside query*.c only. */
#pragma once

#include "daemon/history/query_cells.h"
#include "daemon/history/query_lives.h"

/* What a question's name means, as of the programs seen last: roll-ups of older versions have program names
 * only. */
struct names {
        char name[QUERY_NAMES_MAX][PROGRAM_NAME_MAX];
        size_t count;
};

/* Everything that one question works with. */
struct asking {
        const struct query *query;
        struct store_reader *reader;
        struct cells *cells;
        struct lives *lives;
        struct names names;
        double cpus;      /* of the machine; NAN until known */
        usec_t last_usec; /* the latest instant that was met */
        bool is_recorded; /* anything at all */
        char *damaged;    /* STORE_ERROR_MAX bytes */
};

/* "nginx" is nginx.service too. */
bool query_matches_unit(const struct query *query, const char *unit);
/* Keeps a damaged piece's name; other results are passed on: 1, 0, negative errno, and -EBADMSG to go on. */
int asking_check(struct asking *asking, int result);

/* Goes through the periods of a series between two instants. 0 or negative errno. */
int rollups_read(struct asking *asking, enum series series, usec_t from_usec, usec_t until_usec);
