/* A History reply as numbers. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/history.h"
#include "common/json.h"

int history_read_span(struct json_object *reply, struct history_span *ret_span)
{
        int64_t since, until, step;
        if (json_get_int(reply, "sinceUSec", &since) < 0 || json_get_int(reply, "untilUSec", &until) < 0 ||
            json_get_int(reply, "stepUSec", &step) < 0 || since < 0 || until <= since || step <= 0)
                return -EBADMSG;
        *ret_span = (struct history_span){ (usec_t)since, (usec_t)until, (usec_t)step };
        return 0;
}

/* NAN for null and for what is no number. NULL without memory. */
static double *read_values(struct json_object *array, size_t count)
{
        double *values = malloc((count > 0 ? count : 1) * sizeof(*values));
        for (size_t i = 0; values && i < count; i++) {
                struct json_object *value =
                        i < json_object_array_length(array) ? json_object_array_get_idx(array, i) : NULL;
                values[i] = json_object_is_type(value, json_type_int) ? (double)json_object_get_int64(value)
                                                                      : NAN;
        }
        return values;
}

static enum chart_unit read_unit(const char *unit)
{
        static const struct {
                const char *name;
                enum chart_unit unit;
        } units[] = {
                { "permille", CHART_PERMILLE },
                { "bytes", CHART_BYTES },
                { "bytesPerSecond", CHART_BYTES_PER_SEC },
                { "perSecond", CHART_PER_SEC },
        };
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
                if (strcmp(units[i].name, unit) == 0)
                        return units[i].unit;
        return CHART_COUNT;
}

int history_series_init(struct history_series *series, struct json_object *from)
{
        struct json_object *values, *minimums = NULL, *maximums = NULL;
        *series = (struct history_series){ 0 };
        if (json_get_array(from, "values", &values) < 0 || json_get_string(from, "name", &series->name) < 0)
                return -EBADMSG;
        (void)json_get_array(from, "minimums", &minimums);
        (void)json_get_array(from, "maximums", &maximums);
        series->unit = read_unit(json_string_or(from, "unit", ""));
        series->count = json_object_array_length(values);
        series->means = read_values(values, series->count);
        series->minimums = minimums ? read_values(minimums, series->count) : NULL;
        series->maximums = maximums ? read_values(maximums, series->count) : NULL;
        if (series->means && (!minimums || series->minimums) && (!maximums || series->maximums))
                return 0;
        history_series_done(series);
        return -ENOMEM;
}

void history_series_done(struct history_series *series)
{
        free(series->means);
        free(series->minimums);
        free(series->maximums);
        *series = (struct history_series){ 0 };
}
