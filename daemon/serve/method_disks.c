/* Disks: how they are, how long they take, and their errors. */
#include "daemon/serve/methods.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"

/* In units of 1/factor; unknown is null. */
static int add_number(struct json_object *object, const char *name, double value, double factor)
{
        return isnan(value) ? json_add_null(object, name)
                            : json_add_int(object, name, llround(value * factor));
}

static int add_level(struct json_object *object, const char *name, uint64_t value)
{
        return value == ABSENT ? json_add_null(object, name) : json_add_int(object, name, (int64_t)value);
}

static struct json_object *row_to_json(const struct disk_row *row)
{
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        bool is_virtual = strncmp(row->name, "vd", 2) == 0 || strncmp(row->name, "xvd", 3) == 0;
        const char *kind = row->is_stacked      ? "stacked"
                           : is_virtual         ? "virtual"
                           : row->is_rotational ? "spinning"
                                                : "solid";
        if (!object || json_add_string(object, "name", row->name) < 0 ||
            json_add_string_or_null(object, "model", row->model) < 0 ||
            json_add_string(object, "kind", kind) < 0 ||
            json_add_string_or_null(object, "lower", row->lower) < 0 ||
            json_add_string_or_null(object, "mounts", row->mounts) < 0 ||
            json_add_string_or_null(object, "health", row->health) < 0 ||
            add_level(object, "askedUSec", row->asked_usec) < 0 ||
            add_level(object, "poweredHours", row->hours) < 0 ||
            add_level(object, "temperatureCelsius", row->temperature) < 0 ||
            add_level(object, "usedPercent", row->used_percent) < 0 ||
            add_number(object, "busyPermille", (double)row->busy, 1000) < 0 ||
            add_number(object, "queueMilli", (double)row->queue, 1000) < 0 ||
            add_number(object, "readsPerSecond", (double)row->reads, 1) < 0 ||
            add_number(object, "writesPerSecond", (double)row->writes, 1) < 0 ||
            add_number(object, "readBytesPerSecond", (double)row->read_bytes, 1) < 0 ||
            add_number(object, "writeBytesPerSecond", (double)row->write_bytes, 1) < 0 ||
            add_number(object, "latency50USec", row->latency50_msec, 1000) < 0 ||
            add_number(object, "latency95USec", row->latency95_msec, 1000) < 0 ||
            add_number(object, "latency99USec", row->latency99_msec, 1000) < 0 ||
            json_add_int(object, "messages", row->messages) < 0 ||
            add_level(object, "countedErrors", row->counted_errors) < 0 ||
            add_level(object, "lastErrorUSec", row->last_error_usec) < 0)
                return NULL;
        return TAKE(object);
}

static struct json_object *rows_to_json(const struct published *published)
{
        CLEANUP_JSON struct json_object *array = json_object_new_array();
        for (size_t i = 0; array && i < published->disk_count; i++) {
                struct json_object *row = row_to_json(&published->disks[i]);
                if (!row || json_object_array_add(array, row) < 0) {
                        json_object_put(row);
                        return NULL;
                }
        }
        return TAKE(array);
}

int method_disks(const struct served *served, const struct viewer *viewer, struct json_object *parameters,
                 struct answer *ret_answer)
{
        const struct published *p = served->published;
        (void)viewer;
        (void)parameters;
        if (!p)
                return answer_error(ret_answer, INTERFACE_NAME ".NotReady", NULL, NULL);
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        if (!object || json_add_int(object, "atUSec", (int64_t)p->self.last_tick_usec) < 0 ||
            json_add(object, "disks", rows_to_json(p)) < 0)
                return -ENOMEM;
        *ret_answer = (struct answer){ .parameters = TAKE(object) };
        return 0;
}
