/* History and Export. */
#include "daemon/serve/past.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/text.h"
#include "daemon/history/export.h"
#include "daemon/history/query.h"

/* ---- History: what is asked ---- */

static const struct {
        const char *name;
        unsigned metric;
} metric_names[] = {
        { "cpu", QUERY_CPU },   { "memory", QUERY_MEMORY },   { "io", QUERY_IO },
        { "wait", QUERY_WAIT }, { "threads", QUERY_THREADS }, { "files", QUERY_FILES },
};

static int parse_metrics(struct json_object *parameters, unsigned *ret_metrics)
{
        struct json_object *list;
        int r = json_get_array(parameters, "metrics", &list);
        *ret_metrics = r == -ENOENT ? QUERY_USUAL : 0;
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        for (size_t i = 0; i < json_object_array_length(list); i++) {
                struct json_object *item = json_object_array_get_idx(list, i);
                const char *name =
                        json_object_is_type(item, json_type_string) ? json_object_get_string(item) : "";
                unsigned metric = 0;
                for (size_t j = 0; j < sizeof(metric_names) / sizeof(metric_names[0]); j++)
                        if (strcmp(metric_names[j].name, name) == 0)
                                metric = metric_names[j].metric;
                if (!metric)
                        return -EINVAL;
                *ret_metrics |= metric;
        }
        return *ret_metrics ? 0 : -EINVAL;
}

static int parse_name(struct json_object *parameters, const char *name, const char **ret_value)
{
        int r = json_get_string(parameters, name, ret_value);
        if (r == -ENOENT)
                *ret_value = NULL;
        return r == -EINVAL || (*ret_value && !(*ret_value)[0]) ? -EINVAL : 0;
}

/* NULL, or the name of the parameter that is wrong. */
static const char *parse_history(const struct past *past, struct json_object *parameters,
                                 struct query *ret_query)
{
        struct query *query = ret_query;
        int64_t pid = 0;
        *query = (struct query){ .interval_usec = past->config.interval_usec, .metrics = QUERY_USUAL };
        if (past_optional_time(parameters, "untilUSec", past->now_usec, &query->until_usec) < 0 ||
            query->until_usec > (usec_t)INT64_MAX / 2)
                return "untilUSec";
        usec_t hour_before = query->until_usec > USEC_PER_HOUR ? query->until_usec - USEC_PER_HOUR : 0;
        if (past_optional_time(parameters, "sinceUSec", hour_before, &query->since_usec) < 0)
                return "sinceUSec";
        if (query->since_usec > query->until_usec)
                return "untilUSec";
        if (past_optional_time(parameters, "stepUSec", 0, &query->step_usec) < 0 ||
            query->step_usec > (usec_t)INT64_MAX / 2)
                return "stepUSec";
        if (!parameters)
                return NULL;
        if (parse_name(parameters, "program", &query->program) < 0)
                return "program";
        if (parse_name(parameters, "unit", &query->unit) < 0)
                return "unit";
        int r = json_get_int(parameters, "pid", &pid);
        if (r == -EINVAL || (r == 0 && (pid < 1 || pid > UINT32_MAX)))
                return "pid";
        query->pid = (uint32_t)pid;
        if (parse_metrics(parameters, &query->metrics) < 0)
                return "metrics";
        return json_get_bool(parameters, "each", &query->each) == -EINVAL ? "each" : NULL;
}

/* ---- History: the answer ---- */

static struct json_object *values_to_json(const double *values, size_t count)
{
        CLEANUP_JSON struct json_object *array = json_object_new_array_ext((int)count);
        for (size_t i = 0; array && i < count; i++) {
                struct json_object *value =
                        isnan(values[i]) ? NULL : json_object_new_int64(llround(values[i]));
                if ((!value && !isnan(values[i])) || json_object_array_add(array, value) < 0) {
                        json_object_put(value);
                        return NULL;
                }
        }
        return TAKE(array);
}

static struct json_object *series_to_json(const struct query_series *series, size_t steps)
{
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        if (!object || json_add_string(object, "name", series->name) < 0 ||
            json_add_string(object, "unit", series->unit) < 0 ||
            json_add(object, "values", values_to_json(series->value, steps)) < 0)
                return NULL;
        int r = series->has_range ? json_add(object, "minimums", values_to_json(series->minimum, steps))
                                  : json_add_null(object, "minimums");
        if (r == 0)
                r = series->has_range ? json_add(object, "maximums", values_to_json(series->maximum, steps))
                                      : json_add_null(object, "maximums");
        return r < 0 ? NULL : TAKE(object);
}

static struct json_object *lifetime_to_json(const struct query_lifetime *life, const struct viewer *viewer)
{
        bool may_see = life->is_uid_known && viewer_may_see(viewer, life->uid);
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        if (!object || json_add_string(object, "name", life->name) < 0 ||
            (life->pid ? json_add_int(object, "pid", life->pid) : json_add_null(object, "pid")) < 0 ||
            json_add_int(object, "count", life->count) < 0 ||
            json_add_string_or_null(object, "unit", life->unit) < 0 ||
            json_add_string_or_null(object, "user", life->user) < 0 ||
            json_add_string_or_null(object, "commandLine", may_see ? life->command_line : NULL) < 0 ||
            (life->has_origin
                     ? json_add(object, "startedBy", origin_to_json(&life->origin, life->uid, viewer))
                     : json_add_null(object, "startedBy")) < 0 ||
            json_add_int(object, "beganUSec", (int64_t)life->began_usec) < 0 ||
            (life->ended_usec ? json_add_int(object, "endedUSec", (int64_t)life->ended_usec)
                              : json_add_null(object, "endedUSec")) < 0 ||
            json_add_int(object, "cpuUSec", llround(life->cpu_usec)) < 0 ||
            json_add_int(object, "readBytes", llround(life->read_bytes)) < 0 ||
            json_add_int(object, "writeBytes", llround(life->write_bytes)) < 0 ||
            (isnan(life->peak_memory_bytes)
                     ? json_add_null(object, "peakMemoryBytes")
                     : json_add_int(object, "peakMemoryBytes", llround(life->peak_memory_bytes))) < 0 ||
            json_add_int(object, "sharePermille", llround(life->share * 1000)) < 0)
                return NULL;
        return TAKE(object);
}

/* Adds an item to the array `name` of the object. */
static int add_item(struct json_object *object, const char *name, struct json_object *item)
{
        if (!item)
                return -ENOMEM;
        if (json_object_array_add(json_object_object_get(object, name), item) < 0) {
                json_object_put(item);
                return -ENOMEM;
        }
        return 0;
}

/* While the file cannot be written, the newest incidents are not in it. */
static int add_unwritten_incidents(const struct past *past, const struct query_result *result,
                                   struct json_object *object)
{
        for (size_t i = past->incident_count; i > 0 && past->memory_only[0]; i--) {
                const struct incident *incident = &past->incidents[i - 1];
                bool is_there = incident->since_usec > result->until_usec ||
                                (incident->until_usec && incident->until_usec < result->since_usec);
                for (size_t k = 0; k < result->incident_count && !is_there; k++)
                        is_there = result->incidents[k].id == incident->id &&
                                   result->incidents[k].since_usec == incident->since_usec;
                if (!is_there && add_item(object, "incidents", incident_to_json(incident, &past->viewer)) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int history_to_json(const struct past *past, const struct query_result *result,
                           struct json_object *object)
{
        const struct viewer *viewer = &past->viewer;
        static const char *const resolutions[SERIES_MAX] = { "sample", "minute", "hour" };
        if (json_add_int(object, "sinceUSec", (int64_t)result->since_usec) < 0 ||
            json_add_int(object, "untilUSec", (int64_t)result->until_usec) < 0 ||
            json_add_int(object, "stepUSec", (int64_t)result->step_usec) < 0 ||
            json_add_string(object, "resolution", resolutions[result->resolution]) < 0 ||
            json_add(object, "series", json_object_new_array()) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < result->series_count; i++)
                if (add_item(object, "series", series_to_json(&result->series[i], result->steps)) < 0)
                        return -ENOMEM;
        if (json_add(object, "lifetimes", json_object_new_array()) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < result->lifetime_count; i++)
                if (add_item(object, "lifetimes", lifetime_to_json(&result->lifetimes[i], viewer)) < 0)
                        return -ENOMEM;
        if (json_add(object, "incidents", json_object_new_array()) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < result->incident_count; i++)
                if (add_item(object, "incidents", incident_to_json(&result->incidents[i], viewer)) < 0)
                        return -ENOMEM;
        if (add_unwritten_incidents(past, result, object) < 0 ||
            json_add_string_or_null(object, "damaged", result->damaged) < 0)
                return -ENOMEM;
        return json_add_string_or_null(object, "memoryOnly", past->memory_only);
}

int past_history(struct past *past, struct json_object *parameters, struct answer *ret_answer)
{
        struct query query;
        struct query_result result;
        struct store_reader *reader;
        const char *wrong = parse_history(past, parameters, &query);
        if (wrong)
                return answer_invalid(ret_answer, wrong);
        int r = past_open(past, &reader, ret_answer);
        if (r != 0)
                return r < 0 ? r : 0;
        r = query_run(reader, &query, &result);
        (void)store_reader_close(reader);
        if (r < 0) {
                query_done(&result);
                return past_nothing(r, r == -ENODATA ? "nothing of that was recorded in that time" : NULL,
                                    ret_answer);
        }
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        r = object ? history_to_json(past, &result, object) : -ENOMEM;
        query_done(&result);
        if (r == 0)
                *ret_answer = (struct answer){ .parameters = TAKE(object) };
        return r;
}

/* ---- Export ---- */

/* A name that nobody has, beside the history file. */
static int temporary_path(const struct past *past, char *path, size_t size)
{
        static atomic_uint number;
        const char *slash = strrchr(past->path, '/');
        size_t length = slash ? (size_t)(slash - past->path) + 1 : 0, at = 0;
        bool fits = text_append(path, size, &at, "%.*s" EXPORT_NAME_PREFIX "%ld-%u.slowd", (int)length,
                                past->path, (long)getpid(), atomic_fetch_add(&number, 1));
        return fits ? 0 : -ENAMETOOLONG;
}

int past_export(struct past *past, struct json_object *parameters, struct answer *ret_answer)
{
        struct export_options options = { 0 };
        char path[4096], error[STORE_ERROR_MAX] = "";
        struct store_reader *reader;
        if (!past->viewer.sees_all)
                return answer_error(ret_answer, "org.varlink.service.PermissionDenied", NULL, NULL);
        if (past_optional_time(parameters, "sinceUSec", 0, &options.from_usec) < 0)
                return answer_invalid(ret_answer, "sinceUSec");
        if (past_optional_time(parameters, "untilUSec", past->now_usec, &options.until_usec) < 0 ||
            options.until_usec < options.from_usec)
                return answer_invalid(ret_answer, "untilUSec");
        if (parameters &&
            json_get_bool(parameters, "withCommandLines", &options.with_command_lines) == -EINVAL)
                return answer_invalid(ret_answer, "withCommandLines");
        int r = past_open(past, &reader, ret_answer);
        if (r != 0)
                return r < 0 ? r : 0;
        r = temporary_path(past, path, sizeof(path));
        if (r == 0)
                r = export_write(reader, &options, path, error);
        (void)store_reader_close(reader);
        if (r == 0) {
                past->export_fd = open(path, O_RDONLY | O_CLOEXEC);
                r = past->export_fd < 0 ? -errno : 0;
                (void)unlink(path);
        }
        return r < 0 ? past_nothing(r, error, ret_answer) : 0;
}

static void base64(const uint8_t *data, size_t length, char *text)
{
        static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        for (size_t i = 0; i < length; i += 3) {
                size_t left = length - i;
                uint32_t three = (uint32_t)data[i] << 16 | (left > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
                                 (left > 2 ? data[i + 2] : 0);
                *text++ = digits[three >> 18];
                *text++ = digits[three >> 12 & 63];
                *text++ = left > 1 ? digits[three >> 6 & 63] : '=';
                *text++ = left > 2 ? digits[three & 63] : '=';
        }
        *text = '\0';
}

int past_export_piece(int fd, uint64_t *offset, struct answer *ret_answer)
{
        uint8_t data[EXPORT_PIECE_BYTES]; /* a worker's stack has megabytes */
        char text[EXPORT_PIECE_BYTES / 3 * 4 + 1];
        size_t length = 0;
        ssize_t got = 1;
        while (length < EXPORT_PIECE_BYTES && got > 0) {
                got = pread(fd, data + length, EXPORT_PIECE_BYTES - length, (off_t)(*offset + length));
                if (got < 0 && errno != EINTR)
                        return -errno;
                if (got > 0)
                        length += (size_t)got;
        }
        *offset += length;
        base64(data, length, text);
        int r = answer_error(ret_answer, NULL, "data", text);
        return r < 0 ? r : length == EXPORT_PIECE_BYTES;
}
