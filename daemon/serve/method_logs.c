/* ListLogs: the largest and fastest growing logs, and who fills the journal. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "daemon/checks/log_growth.h"
#include "daemon/serve/methods.h"

static int add_known(struct json_object *object, const char *name, double value)
{
        return isnan(value) ? json_add_null(object, name) : json_add_int(object, name, llround(value));
}

/* Where everybody may look, names are no secret; elsewhere only to those who see everything. */
static bool may_see_path(const struct viewer *viewer, const char *path)
{
        return viewer_may_see(viewer, 0) || strncmp(path, "/var/log/", 9) == 0 ||
               strncmp(path, "/run/log/", 9) == 0;
}

static struct json_object *row_to_json(const struct log_row *row)
{
        static const char *const kinds[LOG_KIND_MAX] = { "log", "journal", "container", "deleted", "other" };
        static const char *const rotations[LOG_ROTATION_MAX] = { NULL, "none", "covered" };
        char words[LOG_WORDS_MAX];
        const struct log_file_sample *log = &row->log;
        const char *rotation = log->rotation == LOG_ROTATION_COVERED && log_rotation_words(words, log)[0]
                                       ? words
                                       : rotations[log->rotation];
        double per_hour = 3600 * (double)row->growth_per_sec;
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        if (!object || json_add_string(object, "path", log->path) < 0 ||
            json_add_string(object, "kind", kinds[log->kind]) < 0 ||
            json_add_int(object, "sizeBytes", (int64_t)log->size_bytes) < 0 ||
            json_add_int(object, "allocatedBytes", (int64_t)log->allocated_bytes) < 0 ||
            add_known(object, "growthBytesPerHour", per_hour) < 0 ||
            json_add_string_or_null(object, "writer", row->writer) < 0 ||
            json_add_string_or_null(object, "unit", row->unit) < 0 ||
            json_add_string_or_null(object, "rotation", rotation) < 0 ||
            json_add_string_or_null(object, "reader", log->reader) < 0 ||
            add_known(object, "readsPerHour", 60 * (double)row->reads_per_min) < 0 ||
            json_add_string_or_null(object, "mount", row->mount) < 0 ||
            (row->full_usec ? json_add_int(object, "fullInUSec", (int64_t)row->full_usec)
                            : json_add_null(object, "fullInUSec")) < 0 ||
            json_add_int(object, "modifiedUSec", (int64_t)log->modified_usec) < 0)
                return NULL;
        return TAKE(object);
}

static struct json_object *unit_to_json(const struct log_unit_sample *unit)
{
        double hours = (double)unit->earlier_usec / (double)USEC_PER_HOUR;
        bool is_known =
                unit->earlier_usec >= LOG_WATCH_LEAST_USEC / 2 && unit->entries >= unit->earlier_entries;
        double per_hour = is_known ? (double)(unit->entries - unit->earlier_entries) / hours : (double)NAN;
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        if (!object || json_add_string_or_null(object, "unit", unit->unit) < 0 ||
            json_add_int(object, "messages", (int64_t)unit->entries) < 0 ||
            add_known(object, "messagesPerHour", per_hour) < 0)
                return NULL;
        return TAKE(object);
}

static int append(struct json_object *array, struct json_object *item)
{
        if (!item)
                return -ENOMEM;
        if (json_object_array_add(array, item) == 0)
                return 0;
        json_object_put(item);
        return -ENOMEM;
}

int method_list_logs(const struct served *served, const struct viewer *viewer, struct json_object *parameters,
                     struct answer *ret_answer)
{
        (void)parameters;
        const struct published *published = served->published;
        if (!published)
                return answer_error(ret_answer, INTERFACE_NAME ".NotReady", NULL, NULL);
        CLEANUP_JSON struct json_object *logs = json_object_new_array();
        CLEANUP_JSON struct json_object *units = json_object_new_array();
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        if (!logs || !units || !object)
                return -ENOMEM;
        for (size_t i = 0; i < published->logs.count; i++)
                if (may_see_path(viewer, published->logs.rows[i].log.path) &&
                    append(logs, row_to_json(&published->logs.rows[i])) < 0)
                        return -ENOMEM;
        for (size_t i = 0; i < published->logs.unit_count; i++)
                if (append(units, unit_to_json(&published->logs.units[i])) < 0)
                        return -ENOMEM;
        if (json_add_int(object, "atUSec", (int64_t)published->logs.read_usec) < 0 ||
            json_add(object, "logs", TAKE(logs)) < 0 || json_add(object, "journalUnits", TAKE(units)) < 0)
                return -ENOMEM;
        *ret_answer = (struct answer){ .parameters = TAKE(object) };
        return 0;
}
