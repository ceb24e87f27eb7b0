/* One value over time as a chart of characters: resampled to the columns there are, scaled to a round number,
 * with a gap where nothing was recorded. The time axis below it is in chart_axis.h. */
#pragma once

#include <stddef.h>

#include "cli/page.h"
#include "common/units.h"
#include "common/usec.h"

#define CHART_COLUMNS_MAX 1024
#define CHART_ROWS_MIN    2
#define CHART_ROWS_MAX    8

enum chart_unit { CHART_PERMILLE, CHART_BYTES, CHART_BYTES_PER_SEC, CHART_COUNT, CHART_PER_SEC };

/* What falls into one column; NAN: nothing was recorded. */
struct chart_column {
        double mean, maximum;
};

/* Values of steps of step_usec, the first of which begins with the chart; NAN: not recorded. */
struct chart_values {
        const double *means;
        const double *maximums; /* NULL: as the means */
        size_t count;
        usec_t step_usec; /* not 0 */
};

/* Spreads the values over the columns of a chart that spans span_usec: values that share a column become
 * their mean and their highest maximum, a value wider than a column is repeated. A column beyond them is a
 * gap. */
void chart_resample(const struct chart_values *values, usec_t span_usec, struct chart_column *columns,
                    size_t column_count);

/* The value at the upper edge: the next round number, whose half is round, too; never 0. */
double chart_top(double maximum, enum chart_unit unit);

/* "31 %", "1.5 GB", "1.2 MB/s", "12,408", "40/s". Returns buffer. */
#define CHART_VALUE_MAX (UNITS_MAX + 4)
const char *chart_format(char buffer[static CHART_VALUE_MAX], enum chart_unit unit, double value);

/* Where the chart's columns begin on the page: behind labels of that width and the axis. */
#define CHART_MARGIN 4
size_t chart_left(size_t label_width);

/* The rows above the axis. Full characters reach up to the mean, lighter ones to the maximum; a column
 * without a record has a dot at its foot; a value above 0 is always seen. */
void chart_rows(struct page *page, const struct chart_column *columns, size_t column_count, size_t rows,
                size_t label_width, double top, enum chart_unit unit);
