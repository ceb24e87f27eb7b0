/* What the views of a History reply share: its values as numbers. */
#pragma once

#include <json-c/json.h>

#include "cli/chart.h"
#include "cli/options.h"
#include "common/usec.h"

#define HISTORY_SERIES_MAX 32 /* more than any reply has; further ones are not shown */

/* The times of a reply. */
struct history_span {
        usec_t since_usec, until_usec, step_usec; /* realtime; step is not 0, until is later than since */
};

/* 0, or -EBADMSG: a member is missing or makes no sense. */
int history_read_span(struct json_object *reply, struct history_span *ret_span);

/* One series. Means are NAN where nothing was recorded; minimums and maximums are NULL or NAN where they are
 * not told. name is borrowed from the reply. */
struct history_series {
        const char *name;
        enum chart_unit unit;
        size_t count;
        double *means, *minimums, *maximums;
};

/* 0, -EBADMSG or -ENOMEM; on success to be released with history_series_done(). */
int history_series_init(struct history_series *series, struct json_object *from);
void history_series_done(struct history_series *series);

/* Columns that a chart has on this page, whatever its labels. */
size_t history_chart_columns(const struct page *page);

/* What existed in that time: the sum of one program as lines, several as a table, of the whole
 * machine only the first. 0 or -ENOMEM. */
int history_lifetimes(struct page *page, struct json_object *reply, const struct history_span *span,
                      const struct options *options);
