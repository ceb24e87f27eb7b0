/* The table of what is stored of an incident. */
#include "daemon/history/incident_codec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "daemon/history/decoder.h"
#include "daemon/history/encoder.h"
#include "daemon/history/intern.h"

#define CHECK_NAME_MAX 48

struct incident_row {
        struct incident incident;
        char check[CHECK_NAME_MAX];
};

static const struct column incident_columns[] = {
        NUMBER(1, struct incident_row, incident.id, 0),
        TEXT(2, struct incident_row, check),
        NUMBER(3, struct incident_row, incident.since_usec, 0),
        NUMBER(4, struct incident_row, incident.until_usec, 0),
        NUMBER(5, struct incident_row, incident.severity, SEVERITY_CRITICAL),
        NUMBER(6, struct incident_row, incident.peak_permille, 0),
        NUMBER(7, struct incident_row, incident.peak_usec, 0),
        TEXT(8, struct incident_row, incident.summary),
        TEXT(9, struct incident_row, incident.remedy),
};

static const struct column subject_columns[] = {
        NUMBER(1, struct subject, kind, SUBJECT_KIND_MAX - 1),
        TEXT(2, struct subject, name),
        NUMBER(3, struct subject, id, 0),
        NUMBER(4, struct subject, count, 0),
        NUMBER(5, struct subject, pid_count, SUBJECT_PIDS_MAX),
        NUMBER(6, struct subject, uid, 0),
        TEXT(7, struct subject, unit),
        TEXT(8, struct subject, user),
        TEXT(9, struct subject, command_line),
        NUMBER(10, struct subject, lost_permille, 0),
        NUMBER(32, struct subject, pids[0], 0),
        NUMBER(33, struct subject, pids[1], 0),
        NUMBER(34, struct subject, pids[2], 0),
        NUMBER(35, struct subject, pids[3], 0),
        NUMBER(36, struct subject, pids[4], 0),
        NUMBER(37, struct subject, pids[5], 0),
        NUMBER(38, struct subject, pids[6], 0),
        NUMBER(39, struct subject, pids[7], 0),
        NUMBER(40, struct subject, pids[8], 0),
        NUMBER(41, struct subject, pids[9], 0),
        NUMBER(42, struct subject, pids[10], 0),
        NUMBER(43, struct subject, pids[11], 0),
        NUMBER(44, struct subject, pids[12], 0),
        NUMBER(45, struct subject, pids[13], 0),
        NUMBER(46, struct subject, pids[14], 0),
        NUMBER(47, struct subject, pids[15], 0),
        NUMBER(48, struct subject, pids[16], 0),
        NUMBER(49, struct subject, pids[17], 0),
        NUMBER(50, struct subject, pids[18], 0),
        NUMBER(51, struct subject, pids[19], 0),
        NUMBER(52, struct subject, pids[20], 0),
        NUMBER(53, struct subject, pids[21], 0),
        NUMBER(54, struct subject, pids[22], 0),
        NUMBER(55, struct subject, pids[23], 0),
        NUMBER(56, struct subject, pids[24], 0),
        NUMBER(57, struct subject, pids[25], 0),
        NUMBER(58, struct subject, pids[26], 0),
        NUMBER(59, struct subject, pids[27], 0),
        NUMBER(60, struct subject, pids[28], 0),
        NUMBER(61, struct subject, pids[29], 0),
        NUMBER(62, struct subject, pids[30], 0),
        NUMBER(63, struct subject, pids[31], 0),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { ENTITY_INCIDENT, ENTITY_SUBJECT, INCIDENT_ENTITIES };

static const struct entity entities[INCIDENT_ENTITIES] = {
        [ENTITY_INCIDENT] = { .number = 40,
                              .shape = SHAPE_EVENT,
                              .row_size = sizeof(struct incident_row),
                              .rows_max = 1,
                              .columns = incident_columns,
                              .column_count = COUNT(incident_columns) },
        [ENTITY_SUBJECT] = { .number = 41, /* the culprit, then the victims */
                             .shape = SHAPE_EVENT,
                             .row_size = sizeof(struct subject),
                             .rows_max = 1 + INCIDENT_VICTIMS_MAX,
                             .columns = subject_columns,
                             .column_count = COUNT(subject_columns) },
};

static const struct schema incident_schema = { .entities = entities, .entity_count = INCIDENT_ENTITIES };

struct work {
        struct block block;
        struct bytes frame;
        struct encoder *encoder;
        struct decoder *decoder;
};

static void work_free(struct work *work)
{
        (void)encoder_free(work->encoder);
        (void)decoder_free(work->decoder);
        bytes_done(&work->frame);
        block_done(&work->block);
        free(work);
}

static int write_with(struct work *work, const struct incident *incident, struct bytes *ret_bytes)
{
        work->encoder = encoder_new(&incident_schema);
        if (!work->encoder)
                return -ENOMEM;
        struct incident_row row = { .incident = *incident };
        text_format(row.check, sizeof(row.check), "%s", incident->check);
        const void *subjects[1 + INCIDENT_VICTIMS_MAX] = { &incident->culprit };
        uint32_t victims =
                incident->victim_count < INCIDENT_VICTIMS_MAX ? incident->victim_count : INCIDENT_VICTIMS_MAX;
        for (uint32_t i = 0; i < victims; i++)
                subjects[1 + i] = &incident->victims[i];
        const struct rows rows[INCIDENT_ENTITIES] = {
                [ENTITY_INCIDENT] = { .base = &row, .count = 1 },
                [ENTITY_SUBJECT] = { .pointers = subjects, .count = 1 + victims },
        };
        int result = encoder_encode(work->encoder, rows, &work->frame);
        if (result == 0)
                result = block_append(&work->block, work->frame.data, work->frame.length);
        return result == 0 ? block_write(&work->block, ret_bytes) : -ENOMEM;
}

int incident_write(const struct incident *incident, struct bytes *ret_bytes)
{
        struct work *work = calloc(1, sizeof(*work));
        if (!work)
                return -ENOMEM;
        int result = write_with(work, incident, ret_bytes);
        work_free(work);
        return result;
}

static int read_with(struct work *work, const void *data, size_t length, struct incident *ret_incident)
{
        int result = block_read(&work->block, data, length);
        if (result == 0)
                result = decoder_new(&incident_schema, &work->block, &work->decoder);
        if (result < 0)
                return result == -ENOMSG ? -EBADMSG : result;
        result = decoder_next(work->decoder);
        if (result <= 0)
                return result < 0 ? result : -EBADMSG;
        struct decoded_rows incidents = decoder_rows(work->decoder, ENTITY_INCIDENT);
        struct decoded_rows subjects = decoder_rows(work->decoder, ENTITY_SUBJECT);
        if (incidents.count != 1 || subjects.count < 1)
                return -EBADMSG;
        const struct incident_row *row = incidents.rows;
        const struct subject *subject = subjects.rows;
        *ret_incident = row->incident;
        ret_incident->check = intern(row->check);
        ret_incident->culprit = subject[0];
        ret_incident->victim_count = (uint32_t)subjects.count - 1;
        memcpy(ret_incident->victims, subject + 1, (subjects.count - 1) * sizeof(*subject));
        return 0;
}

int incident_read(const void *data, size_t length, struct incident *ret_incident)
{
        struct work *work = calloc(1, sizeof(*work));
        if (!work)
                return -ENOMEM;
        int result = read_with(work, data, length, ret_incident);
        work_free(work);
        return result;
}
