/* Logs joined with their writers, mounts and growth. */
#include "daemon/log_rows.h"

#include <string.h>

#include "common/text.h"
#include "daemon/checks/log_growth.h"

#define REACH 8 /* as the checks have it by default */

static void name_writer(const struct snapshot *latest, const struct log_file_sample *log, struct log_row *row)
{
        const struct process_sample *writer =
                log->writer_pid ? sample_find_process(latest->sample, log->writer_pid) : NULL;
        /* Its number may be another's by now. */
        bool is_same = writer && strncmp(writer->identity->comm, log->writer, COMM_MAX - 1) == 0;
        (void)span_copy(span_of(is_same ? writer->identity->name : log->writer), row->writer,
                        sizeof(row->writer));
        if (is_same)
                memcpy(row->unit, writer->identity->unit, sizeof(row->unit));
}

void log_rows_make(const struct history *history, struct log_rows *ret_rows)
{
        const struct snapshot *latest = history_latest(history);
        const struct sample *sample = latest->sample;
        usec_t age = sample->time.monotonic_usec - sample->logs_read_usec;
        ret_rows->count = ret_rows->unit_count = 0;
        ret_rows->read_usec = sample->logs_read_usec ? sample->time.realtime_usec - age : 0;
        for (size_t i = 0; i < sample->log_count; i++) {
                struct log_growth growth = log_growth_of(history, &sample->logs[i], REACH);
                struct log_row *row = &ret_rows->rows[ret_rows->count++];
                *row = (struct log_row){ .log = sample->logs[i],
                                         .growth_per_sec = (float)growth.per_sec,
                                         .reads_per_min = (float)growth.reads_per_min,
                                         .full_usec = growth.fills ? growth.full_usec : 0 };
                name_writer(latest, &sample->logs[i], row);
                if (growth.place)
                        memcpy(row->mount, growth.place->path, sizeof(row->mount));
        }
        for (size_t i = 0; i < sample->log_unit_count; i++)
                ret_rows->units[ret_rows->unit_count++] = sample->log_units[i];
}
