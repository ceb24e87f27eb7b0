/* Roll-ups -> cells and lives. In a minute's roll-up a program that did nothing has no row: whether it was
 * there all the same, the hours tell, in which each program has one. */
#include "daemon/history/query_rollups.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define IDLERS_MAX 64    /* programs followed through minutes without a row */
#define HOURS_MAX  10000 /* 13 months */

/* A program and what it holds while it does nothing. */
struct idler {
        uint64_t id;
        struct rollup_program row; /* the last one, of a minute or else of an hour */
        bool is_there;
        bool was_told; /* in the minute at hand */
        uint8_t hours[HOURS_MAX / 8 + 1];
};

struct minutes {
        usec_t first_hour; /* since 1970 */
        usec_t open_hour;  /* the one that has not ended: no row tells of it */
        struct idler *idlers;
        size_t count;
};

bool query_matches_unit(const struct query *query, const char *unit)
{
        if (!query->unit)
                return true;
        size_t length = strlen(query->unit);
        return strncmp(unit, query->unit, length) == 0 &&
               (unit[length] == '\0' || strcmp(unit + length, ".service") == 0);
}

int asking_check(struct asking *asking, int result)
{
        if (result == -EBADMSG)
                memcpy(asking->damaged, store_reader_error(asking->reader), STORE_ERROR_MAX);
        return result;
}

static bool is_asked_for(const struct asking *asking, const struct rollup_program *program)
{
        if (!query_matches_unit(asking->query, program->unit))
                return false;
        const char *name = asking->query->program;
        if (name && !name[0])
                return false; /* not those that have no other name */
        if (!name || strcmp(name, program->name) == 0 || strcmp(name, program->comm) == 0 ||
            strcmp(name, program->executable) == 0)
                return true;
        for (size_t i = 0; i < asking->names.count; i++)
                if (strcmp(asking->names.name[i], program->name) == 0)
                        return true;
        return false;
}

static struct idler *find_idler(struct minutes *minutes, uint64_t id)
{
        for (size_t i = 0; i < minutes->count; i++)
                if (minutes->idlers[i].id == id)
                        return &minutes->idlers[i];
        if (minutes->count == IDLERS_MAX)
                return NULL;
        struct idler *idler = &minutes->idlers[minutes->count++];
        idler->id = id;
        return idler;
}

/* Nothing used, and what it held is still held. */
static void idle_row(struct rollup_program *row)
{
        static const enum rollup_metric rates[] = { ROLLUP_CPU,       ROLLUP_CPU_WAIT,   ROLLUP_THROTTLED,
                                                    ROLLUP_DISK_WAIT, ROLLUP_SWAP_WAIT,  ROLLUP_RECLAIM_WAIT,
                                                    ROLLUP_WAITED,    ROLLUP_READ_BYTES, ROLLUP_WRITE_BYTES };
        for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
                if (row->value[rates[i]].mean != ROLLUP_UNKNOWN)
                        row->value[rates[i]] = (struct rollup_value){ 0, 0, 0 };
        for (size_t i = 0; i < ROLLUP_METRIC_MAX; i++)
                row->value[i].minimum = row->value[i].maximum = row->value[i].mean;
}

static int read_hours(struct asking *asking, struct minutes *minutes, usec_t from_usec, usec_t until_usec)
{
        const struct rollup_machine *machine;
        const struct rollup_program *programs;
        size_t count;
        int result;
        store_reader_seek_rollups(asking->reader, SERIES_HOUR, from_usec, until_usec, NULL);
        while ((result = asking_check(asking, store_reader_next_rollup(asking->reader, &machine, &programs,
                                                                       &count))) != 0) {
                if (result == -EBADMSG)
                        continue;
                if (result < 0)
                        return result;
                usec_t hour = machine->from_usec / USEC_PER_HOUR;
                for (size_t i = 0; i < count; i++) {
                        if (!is_asked_for(asking, &programs[i]))
                                continue;
                        struct idler *idler = find_idler(minutes, programs[i].id);
                        if (!idler || hour < minutes->first_hour || hour - minutes->first_hour >= HOURS_MAX)
                                continue;
                        usec_t bit = hour - minutes->first_hour;
                        idler->hours[bit / 8] |= (uint8_t)(1U << bit % 8);
                        if (idler->row.id)
                                continue;
                        idler->row = programs[i];
                        idler->is_there = rollup_unpack(programs[i].value[ROLLUP_COUNT].minimum) > 0;
                        idle_row(&idler->row);
                }
        }
        return 0;
}

static void add_idlers(struct minutes *minutes, usec_t at_usec, struct piece pieces[static COLUMN_MAX])
{
        usec_t hour = at_usec / USEC_PER_HOUR;
        usec_t bit = hour < minutes->first_hour ? HOURS_MAX : hour - minutes->first_hour;
        for (size_t i = 0; i < minutes->count; i++) {
                struct idler *idler = &minutes->idlers[i];
                bool may_be_there = hour >= minutes->open_hour ||
                                    (bit < HOURS_MAX && idler->hours[bit / 8] >> bit % 8 & 1);
                if (!may_be_there)
                        idler->is_there = false;
                if (!idler->was_told && idler->is_there)
                        pieces_add_rollup(pieces, &idler->row);
                idler->was_told = false;
        }
}

static void note_row(struct minutes *minutes, const struct rollup_program *program)
{
        struct idler *idler = find_idler(minutes, program->id);
        if (!idler)
                return;
        /* It was there to the last moment only if there was no moment without it. */
        idler->is_there = rollup_unpack(program->value[ROLLUP_COUNT].minimum) > 0;
        idler->was_told = true;
        idler->row = *program;
        idle_row(&idler->row);
}

static void take_period(struct asking *asking, struct minutes *minutes, const struct rollup_machine *machine,
                        const struct rollup_program *programs, size_t count)
{
        struct piece pieces[COLUMN_MAX];
        bool is_machine = query_is_machine(asking->query);
        double covered = (double)machine->covered_usec;
        pieces_begin(pieces);
        for (size_t i = 0; i < count; i++) {
                if (!is_asked_for(asking, &programs[i]))
                        continue;
                lives_add_rollup(asking->lives, machine, &programs[i]);
                if (is_machine)
                        continue;
                pieces_add_rollup(pieces, &programs[i]);
                if (minutes)
                        note_row(minutes, &programs[i]);
        }
        if (is_machine)
                pieces_of_machine_rollup(machine, pieces);
        else if (minutes)
                add_idlers(minutes, machine->from_usec, pieces);
        if (!is_machine)
                pieces_end(pieces);
        lives_add_machine(asking->lives,
                          rollup_unpack(machine->value[FIELD_CPU_BUSY].mean) * asking->cpus * covered);
        usec_t end = machine->from_usec + machine->period_usec;
        cells_add(asking->cells, machine->from_usec, end, covered, pieces, true);
        asking->is_recorded = true;
        if (end > asking->last_usec)
                asking->last_usec = end;
}

int rollups_read(struct asking *asking, enum series series, usec_t from_usec, usec_t until_usec)
{
        const struct rollup_machine *machine;
        const struct rollup_program *programs;
        size_t count;
        struct minutes minutes = { .first_hour = from_usec / USEC_PER_HOUR,
                                   .open_hour = until_usec / USEC_PER_HOUR };
        int result = 0;
        bool has_idlers = series == SERIES_MINUTE && !query_is_machine(asking->query);
        if (until_usec <= from_usec)
                return 0;
        if (has_idlers) {
                minutes.idlers = calloc(IDLERS_MAX, sizeof(minutes.idlers[0]));
                result = minutes.idlers ? read_hours(asking, &minutes, from_usec, until_usec) : -ENOMEM;
        }
        if (result == 0) {
                /* A period that begins at the end is not asked for. */
                store_reader_seek_rollups(asking->reader, series, from_usec, until_usec - 1, NULL);
                while ((result = asking_check(asking, store_reader_next_rollup(asking->reader, &machine,
                                                                               &programs, &count))) != 0) {
                        if (result == -EBADMSG)
                                continue;
                        if (result < 0)
                                break;
                        take_period(asking, has_idlers ? &minutes : NULL, machine, programs, count);
                }
        }
        free(minutes.idlers);
        return result;
}
