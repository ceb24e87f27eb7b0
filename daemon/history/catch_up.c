/* Roll-ups of the last hours from their samples. */
#include "daemon/history/catch_up.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/history/rollup_encode.h"
#include "daemon/history/store_read.h"

/* Roll-ups are at most an hour behind, if the clock was not set. */
#define BEHIND_MAX_USEC (2 * USEC_PER_HOUR)
/* Rates need the sample before. */
#define BEFORE_USEC (2 * USEC_PER_MINUTE)

/* Realtime up to which samples are summed up in a series; `earliest` if that is not known. */
static usec_t summed_up_until(struct store_reader *reader, enum series series, usec_t earliest)
{
        const struct rollup_machine *machine;
        const struct rollup_program *programs;
        size_t count;
        usec_t until = earliest;
        int result;
        store_reader_seek_rollups(reader, series, earliest, UINT64_MAX, NULL);
        while ((result = store_reader_next_rollup(reader, &machine, &programs, &count)) == 1 ||
               result == -EBADMSG)
                if (result == 1 && machine->until_usec != ABSENT && machine->until_usec > until)
                        until = machine->until_usec;
        return until;
}

struct summary {
        struct rollup *rollup;
        struct trends *trends; /* of these periods; NULL without memory */
        struct rollup_encoder *encoder;
        struct record record;
        struct writer *writer;
};

static void hand_on(struct summary *summary)
{
        size_t count;
        const struct rollup_program *programs = rollup_programs(summary->rollup, &count);
        const struct rollup_machine *machine = rollup_machine(summary->rollup);
        struct rollup_trend trends[TRENDS_MAX];
        if (summary->trends)
                rollup_encoder_trends(
                        summary->encoder, trends,
                        trends_rows(summary->trends, machine->period_usec, machine->from_usec, trends));
        if (rollup_encoder_add(summary->encoder, machine, programs, count, &summary->record) == 0)
                writer_handle(summary->writer, &summary->record);
}

static void sum_up(struct store_reader *reader, struct summary *summary, struct sample turn[static 2],
                   usec_t after_usec)
{
        struct snapshot snapshot = { 0 };
        const struct sample *older = NULL;
        size_t count = 0;
        int result;
        store_reader_seek(reader, after_usec - BEFORE_USEC, UINT64_MAX, NULL);
        while ((result = store_reader_next(reader, &turn[count % 2])) == 1 || result == -EBADMSG) {
                if (result < 0)
                        continue;
                const struct sample *sample = &turn[count++ % 2];
                if (older && strcmp(older->machine.boot_id, sample->machine.boot_id) != 0)
                        older = NULL;
                if (snapshot_make(older, sample, sample->expected_usec, &snapshot) == 0 &&
                    sample->time.realtime_usec > after_usec) {
                        if (summary->trends)
                                trends_push(summary->trends, &snapshot);
                        if (rollup_add(summary->rollup, &snapshot))
                                hand_on(summary);
                }
                older = sample;
        }
        if (rollup_finish(summary->rollup))
                hand_on(summary);
        snapshot_done(&snapshot);
}

void catch_up(const char *path, struct writer *writer)
{
        char error[STORE_ERROR_MAX];
        struct store_reader *reader;
        usec_t from, until;
        if (store_reader_open(path, &reader, error) < 0)
                return;
        struct sample *turn = calloc(2, sizeof(*turn));
        if (turn && store_reader_span(reader, &from, &until) == 0 && until > BEHIND_MAX_USEC + BEFORE_USEC) {
                for (int series = SERIES_MINUTE; series < SERIES_MAX; series++) {
                        usec_t after = summed_up_until(reader, (enum series)series, until - BEHIND_MAX_USEC);
                        struct summary summary = {
                                .rollup = rollup_new(series == SERIES_HOUR ? USEC_PER_HOUR : USEC_PER_MINUTE),
                                .trends = trends_new(),
                                .encoder = rollup_encoder_new((enum series)series),
                                .writer = writer,
                        };
                        if (after < until && summary.rollup && summary.encoder)
                                sum_up(reader, &summary, turn, after);
                        (void)rollup_free(summary.rollup);
                        (void)trends_free(summary.trends);
                        (void)rollup_encoder_free(summary.encoder);
                        bytes_done(&summary.record.data);
                }
        }
        if (turn) {
                sample_done(&turn[0]);
                sample_done(&turn[1]);
        }
        free(turn);
        (void)store_reader_close(reader);
}
