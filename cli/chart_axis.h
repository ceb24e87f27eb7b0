/* What stands below a chart: the time axis with its labels, and the incidents of that time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cli/page.h"
#include "common/usec.h"

struct chart_span {
        usec_t since_usec, until_usec; /* realtime; since is the earlier one */
        size_t columns, label_width;   /* as of the chart above */
};

/* The axis and a line of local times below it; where the span holds a midnight, that is its date. */
void chart_axis(struct page *page, const struct chart_span *span);

struct chart_mark {
        const char *name; /* of the check; borrowed, may come from the socket */
        usec_t since_usec, until_usec;
        enum style style;
};

#define CHART_MARKS_MAX 256 /* further ones are only counted */

/* Bars below the axis, a line for each name, at most four. Sorts `marks`. */
void chart_marks(struct page *page, const struct chart_span *span, struct chart_mark *marks, size_t count);

/* Whether both are of one day, in local time. */
bool chart_is_one_day(usec_t a_usec, usec_t b_usec);
