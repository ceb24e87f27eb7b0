/* The disk wrote much of this text itself: every member may be missing or of another type. */
#include "daemon/examine_answer.h"

#include <errno.h>
#include <string.h>

#include "common/json.h"

#define DEPTH_MAX 16

/* smartctl(8), EXIT STATUS: the command line was wrong, or the device could not be opened. Further bits are
 * about the disk's state, and the answer is there. */
#define EXIT_NO_ANSWER 3

static uint64_t number_or_absent(struct json_object *object, const char *name)
{
        int64_t value;
        return json_get_int(object, name, &value) == 0 && value >= 0 ? (uint64_t)value : ABSENT;
}

static uint64_t number_in(struct json_object *object, const char *part, const char *name)
{
        struct json_object *inner;
        return json_get_object(object, part, &inner) == 0 ? number_or_absent(inner, name) : ABSENT;
}

/* Some makers pack two or three 16-bit numbers into the 48 bits; the count is the lowest. */
#define PACKED_LEAST (UINT64_C(1) << 32)

static uint64_t count_of(struct json_object *attribute)
{
        uint64_t raw = number_in(attribute, "raw", "value");
        return raw != ABSENT && raw >= PACKED_LEAST ? raw & 0xffff : raw;
}

static void take_ata(struct json_object *answer, struct disk_health_counts *counts)
{
        struct json_object *attributes, *table;
        if (json_get_object(answer, "ata_smart_attributes", &attributes) < 0 ||
            json_get_array(attributes, "table", &table) < 0)
                return;
        size_t length = json_object_array_length(table);
        for (size_t i = 0; i < length; i++) {
                struct json_object *attribute = json_object_array_get_idx(table, i);
                uint64_t *count = NULL;
                switch (json_int_or(attribute, "id", 0)) {
                case 5:
                        count = &counts->reallocated;
                        break;
                case 187:
                        count = &counts->uncorrected;
                        break;
                case 188:
                        count = &counts->timeouts;
                        break;
                case 197:
                        count = &counts->pending;
                        break;
                case 198:
                        count = &counts->offline;
                        break;
                case 199:
                        count = &counts->crc;
                        break;
                default:
                        break;
                }
                if (count)
                        *count = count_of(attribute);
        }
}

static void take_nvme(struct json_object *answer, struct disk_health_sample *sample)
{
        struct json_object *log;
        if (json_get_object(answer, "nvme_smart_health_information_log", &log) < 0)
                return;
        sample->critical_warning = number_or_absent(log, "critical_warning");
        sample->spare_percent = number_or_absent(log, "available_spare");
        sample->spare_threshold_percent = number_or_absent(log, "available_spare_threshold");
        sample->used_percent = number_or_absent(log, "percentage_used");
        sample->now.media_errors = number_or_absent(log, "media_errors");
}

static void take_scsi(struct json_object *answer, struct disk_health_counts *counts)
{
        struct json_object *log;
        uint64_t defects = number_or_absent(answer, "scsi_grown_defect_list");
        if (defects != ABSENT)
                counts->reallocated = defects;
        if (json_get_object(answer, "scsi_error_counter_log", &log) < 0)
                return;
        uint64_t read = number_in(log, "read", "total_uncorrected_errors");
        if (read != ABSENT)
                counts->uncorrected = read;
}

static void take_text(struct json_object *answer, const char *name, char *buffer, size_t size)
{
        (void)span_copy(span_of(json_string_or(answer, name, "")), buffer, size);
        text_sanitize(buffer, "");
}

static struct json_object *parse(struct span text)
{
        struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
        if (!tokener || text.length > EXAMINE_ANSWER_MAX) {
                if (tokener)
                        json_tokener_free(tokener);
                return NULL;
        }
        struct json_object *object = json_tokener_parse_ex(tokener, text.at, (int)text.length);
        json_tokener_free(tokener);
        return object;
}

int examine_answer(struct span text, int exit_status, struct disk_health_row *row)
{
        struct disk_health_sample *sample = &row->sample;
        char name[DEVICE_NAME_MAX];
        memcpy(name, sample->name, sizeof(name));
        memset(row, 0xff, sizeof(*row)); /* ABSENT */
        memset(sample->model, 0, sizeof(sample->model));
        memset(sample->serial, 0, sizeof(sample->serial));
        memcpy(sample->name, name, sizeof(name));
        sample->state = DISK_HEALTH_SILENT;
        if (exit_status == EXAMINE_ASLEEP) {
                sample->state = DISK_HEALTH_ASLEEP;
                return 0;
        }
        CLEANUP_JSON struct json_object *answer = parse(text);
        struct json_object *status;
        if (!answer || !json_object_is_type(answer, json_type_object))
                return -EINVAL;
        take_text(answer, "model_name", sample->model, sizeof(sample->model));
        if (!sample->model[0])
                take_text(answer, "scsi_model_name", sample->model, sizeof(sample->model));
        take_text(answer, "serial_number", sample->serial, sizeof(sample->serial));
        if (exit_status & EXIT_NO_ANSWER) {
                /* "Unable to detect device type": a virtual disk; "Permission denied": silent. */
                sample->state = exit_status == 1 ? DISK_HEALTH_UNSUPPORTED : DISK_HEALTH_SILENT;
                return 0;
        }
        if (json_get_object(answer, "smart_status", &status) == 0) {
                bool passed;
                if (json_get_bool(status, "passed", &passed) == 0)
                        sample->passed = passed;
        }
        sample->hours = number_in(answer, "power_on_time", "hours");
        sample->temperature = number_in(answer, "temperature", "current");
        take_ata(answer, &sample->now);
        take_nvme(answer, sample);
        take_scsi(answer, &sample->now);
        bool has_any = sample->passed != ABSENT || sample->critical_warning != ABSENT ||
                       sample->now.reallocated != ABSENT || sample->now.pending != ABSENT;
        sample->state = has_any ? DISK_HEALTH_TOLD : DISK_HEALTH_UNSUPPORTED;
        return 0;
}
