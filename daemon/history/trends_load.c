/* Hours of two weeks, with their ten minutes, then the minutes since. */
#include "daemon/history/trends_load.h"

#include <errno.h>
#include <math.h>

#include "common/text.h"
#include "daemon/history/trends_internal.h"

static void add(struct trends *trends, size_t level, const struct rollup_trend *row,
                struct rollup_value value, double weight)
{
        if (value.mean == ROLLUP_UNKNOWN || row->kind == 0 || row->kind >= TREND_KINDS)
                return;
        double mean = rollup_unpack(value.mean);
        /* Of the machine's fields each matters as much; of programs the large ones. */
        int at = trend_need(trends, (enum trend_kind)row->kind, row->id, row->name,
                            row->kind == TREND_PROGRAM_MEMORY ? mean : 1);
        if (at < 0)
                return;
        trends->series[at].weight = row->kind == TREND_PROGRAM_MEMORY ? (float)mean : 1;
        trends->series[at].was_fed = true;
        trend_sum_add(&trends->levels[level].sums[at], (float)rollup_unpack(value.minimum), mean,
                      (float)rollup_unpack(value.maximum), weight);
}

static void add_step(struct trends *trends, size_t level, usec_t from_usec, double covered_sec,
                     const struct rollup_trend *rows, size_t count)
{
        trend_enter_step(trends, level, from_usec + 1, covered_sec);
        for (size_t i = 0; i < count; i++)
                add(trends, level, &rows[i], rows[i].value[0], covered_sec);
}

/* How many of an hour's ten minutes have data: so long each was covered. */
static void add_parts(struct trends *trends, usec_t from_usec, double covered_sec,
                      const struct rollup_trend *rows, size_t count)
{
        unsigned known = 0;
        for (size_t i = 0; i < count; i++)
                for (unsigned part = 0; part < ROLLUP_TREND_PARTS; part++)
                        known |= (unsigned)(rows[i].value[1 + part].mean != ROLLUP_UNKNOWN) << part;
        double each = known ? fmin(600, covered_sec / __builtin_popcount(known)) : 0;
        for (unsigned part = 0; part < ROLLUP_TREND_PARTS; part++) {
                if (!(known >> part & 1))
                        continue;
                trend_enter_step(trends, LEVEL_TEN, from_usec + part * 10 * USEC_PER_MINUTE + 1, each);
                for (size_t i = 0; i < count; i++)
                        add(trends, LEVEL_TEN, &rows[i], rows[i].value[1 + part], each);
        }
}

void trends_load_period(struct trends *trends, const struct rollup_machine *machine,
                        const struct rollup_trend *rows, size_t count)
{
        usec_t from = machine->from_usec;
        double covered_sec = (double)machine->covered_usec / (double)USEC_PER_SEC;
        trends->is_loading = true;
        if (machine->period_usec >= USEC_PER_HOUR) {
                add_step(trends, LEVEL_HOUR, from, covered_sec, rows, count);
                add_parts(trends, from, covered_sec, rows, count);
                if (machine->until_usec != ABSENT && machine->until_usec > trends->loaded_until)
                        trends->loaded_until = machine->until_usec;
                return;
        }
        add_step(trends, LEVEL_MINUTE, from, covered_sec, rows, count);
        if (from < trends->loaded_until)
                return; /* its hour has told of it */
        add_step(trends, LEVEL_TEN, from, covered_sec, rows, count);
        add_step(trends, LEVEL_HOUR, from, covered_sec, rows, count);
}

/* ---- older files ---- */

static rollup_number both(rollup_number a, rollup_number b)
{
        if (a == ROLLUP_UNKNOWN || b == ROLLUP_UNKNOWN)
                return a;
        return rollup_pack(rollup_unpack(a) + rollup_unpack(b));
}

static size_t rows_of_programs(const struct rollup_program *programs, size_t count,
                               struct rollup_trend rows[static TRENDS_MAX])
{
        size_t made = 0;
        for (size_t i = 0; i < count && made < TRENDS_MAX; i++) {
                const struct rollup_value *anon = &programs[i].value[ROLLUP_MEMORY];
                const struct rollup_value *swap = &programs[i].value[ROLLUP_SWAP];
                if (anon->mean == ROLLUP_UNKNOWN || rollup_unpack(anon->mean) < TREND_PROGRAM_MEMORY_MIN)
                        continue;
                struct rollup_trend *row = &rows[made++];
                *row = (struct rollup_trend){ .kind = TREND_PROGRAM_MEMORY,
                                              .id = programs[i].id,
                                              .value = { { both(anon->minimum, swap->minimum),
                                                           both(anon->mean, swap->mean),
                                                           both(anon->maximum, swap->maximum) } } };
                for (size_t part = 0; part < ROLLUP_TREND_PARTS; part++)
                        row->value[1 + part] =
                                (struct rollup_value){ ROLLUP_UNKNOWN, ROLLUP_UNKNOWN, ROLLUP_UNKNOWN };
                (void)span_copy(span_of(programs[i].name), row->name, sizeof(row->name));
        }
        return made;
}

static int load_series(struct trends *trends, struct store_reader *reader, enum series series,
                       usec_t from_usec, usec_t until_usec)
{
        struct rollup_trend made[TRENDS_MAX];
        const struct rollup_machine *machine;
        const struct rollup_program *programs;
        size_t count;
        int result;
        store_reader_seek_rollups(reader, series, from_usec, until_usec, NULL);
        while ((result = store_reader_next_rollup(reader, &machine, &programs, &count)) != 0) {
                if (result == -EBADMSG)
                        continue;
                if (result < 0)
                        return result;
                /* It goes on after the instant that is asked for. */
                usec_t end = machine->until_usec != ABSENT ? machine->until_usec
                                                           : machine->from_usec + machine->period_usec;
                if (end > until_usec || machine->from_usec < from_usec)
                        continue;
                size_t rows_count;
                const struct rollup_trend *rows = store_reader_trends(reader, &rows_count);
                if (rows_count == 0) {
                        rows_count = rows_of_programs(programs, count, made);
                        rows = made;
                }
                trends_load_period(trends, machine, rows, rows_count);
        }
        return 0;
}

int trends_load(struct trends *trends, struct store_reader *reader, usec_t until_usec)
{
        usec_t from = until_usec > TREND_HISTORY_USEC ? until_usec - TREND_HISTORY_USEC : 0;
        int result = load_series(trends, reader, SERIES_HOUR, from, until_usec);
        usec_t minutes = (usec_t)STEPS_MINUTE * USEC_PER_MINUTE;
        from = until_usec > minutes ? until_usec - minutes : 0;
        if (result == 0)
                result = load_series(trends, reader, SERIES_MINUTE, from, until_usec);
        trends->is_loading = false;
        trends->now_usec = until_usec;
        return result;
}
