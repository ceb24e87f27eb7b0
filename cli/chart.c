/* Columns, scale and rows of a chart. */
#include "cli/chart.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "common/text.h"

void chart_resample(const struct chart_values *values, usec_t span_usec, struct chart_column *columns,
                    size_t column_count)
{
        assert(values->step_usec > 0);
        double steps = (double)span_usec / (double)values->step_usec; /* of the whole chart */
        for (size_t c = 0; c < column_count; c++) {
                double first = floor(steps * (double)c / (double)column_count);
                /* A column ends before the next one begins: a last step that only touches is the next one's.
                 */
                double last = ceil(steps * (double)(c + 1) / (double)column_count - 1e-9);
                /* Where steps are wider than columns, a column shows the one at its middle, unmixed. */
                if (steps <= (double)column_count) {
                        first = floor(steps * ((double)c + 0.5) / (double)column_count);
                        last = first + 1;
                }
                double sum = 0, maximum = NAN;
                size_t known = 0;
                for (double i = first; i < last && i < (double)values->count; i++) {
                        double mean = values->means[(size_t)i];
                        double most = values->maximums ? values->maximums[(size_t)i] : NAN;
                        if (isnan(mean))
                                continue;
                        sum += mean;
                        known++;
                        maximum = fmax(maximum, fmax(mean, most)); /* fmax() prefers what is a number */
                }
                columns[c] = (struct chart_column){ known > 0 ? sum / (double)known : NAN, maximum };
        }
}

double chart_top(double maximum, enum chart_unit unit)
{
        static const double round_numbers[] = { 1, 2, 3, 4, 5, 6, 8, 10 };
        /* Half of it must be told apart from it when both are written. */
        double least = unit == CHART_PERMILLE ? 10 : unit == CHART_COUNT || unit == CHART_PER_SEC ? 2 : 1000;
        double value = isfinite(maximum) && maximum > least ? maximum : least;
        double power = pow(10, floor(log10(value)));
        for (size_t i = 0; i < sizeof(round_numbers) / sizeof(round_numbers[0]); i++)
                if (round_numbers[i] * power >= value * (1 - 1e-12))
                        return round_numbers[i] * power;
        return 10 * power;
}

const char *chart_format(char buffer[static CHART_VALUE_MAX], enum chart_unit unit, double value)
{
        char number[UNITS_MAX];
        switch (unit) {
        case CHART_PERMILLE:
                format_permille(number, value);
                break;
        case CHART_BYTES:
        case CHART_BYTES_PER_SEC:
                format_bytes(number, value);
                break;
        case CHART_COUNT:
        case CHART_PER_SEC:
                format_count(number, value < 999e15 ? value : 999e15); /* what it can write */
                break;
        }
        text_format(buffer, CHART_VALUE_MAX, "%s%s", number,
                    unit == CHART_BYTES_PER_SEC || unit == CHART_PER_SEC ? "/s" : "");
        return buffer;
}

size_t chart_left(size_t label_width)
{
        return label_width + CHART_MARGIN;
}

/* The characters of a cell, from nearly empty to full. */
struct glyphs {
        const char *levels[9];
        size_t count;
        const char *range, *gap, *tick, *side;
};

static const struct glyphs utf8_glyphs = {
        { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" }, 8, "░", "·", "┤", "│"
};
static const struct glyphs ascii_glyphs = { { ".", ":", "#" }, 3, "'", "?", "+", "|" };

/* The character of the cell in `row`, counted from the axis. */
static const char *cell(const struct glyphs *glyphs, const struct chart_column *column, size_t row,
                        size_t rows, double top)
{
        double scale = (double)(rows * glyphs->count) / top;
        double filled = fmin(fmax(column->mean, 0) * scale, (double)(rows * glyphs->count));
        double levels = column->mean > 0 && filled < 1 ? 1 : round(filled);
        double here = levels - (double)(row * glyphs->count);
        if (isnan(column->mean))
                return row == 0 ? glyphs->gap : " ";
        if (here >= 1)
                return glyphs->levels[here >= (double)glyphs->count ? glyphs->count - 1 : (size_t)here - 1];
        /* A short peak is seen where the mean does not show it. */
        return round(column->maximum * scale) > (double)(row * glyphs->count) ? glyphs->range : " ";
}

static bool is_dim(const struct glyphs *glyphs, const char *character)
{
        return character == glyphs->range || character == glyphs->gap;
}

static void print_row(struct page *page, const struct glyphs *glyphs, const struct chart_column *columns,
                      size_t column_count, size_t row, size_t rows, double top)
{
        size_t blanks = 0;
        bool dim = false;
        for (size_t c = 0; c < column_count; c++) {
                const char *character = cell(glyphs, &columns[c], row, rows, top);
                if (*character == ' ') { /* those at the end of the line are not written */
                        blanks++;
                        continue;
                }
                if (is_dim(glyphs, character) != dim) {
                        (void)fputs(dim ? page_style_end(page, STYLE_DIM) : page_style(page, STYLE_DIM),
                                    page->out);
                        dim = !dim;
                }
                page_blanks(page, blanks);
                blanks = 0;
                (void)fputs(character, page->out);
        }
        (void)fprintf(page->out, "%s\n", dim ? page_style_end(page, STYLE_DIM) : "");
}

void chart_rows(struct page *page, const struct chart_column *columns, size_t column_count, size_t rows,
                size_t label_width, double top, enum chart_unit unit)
{
        const struct glyphs *glyphs = page->is_utf8 ? &utf8_glyphs : &ascii_glyphs;
        for (size_t row = rows; row-- > 0;) {
                char label[CHART_VALUE_MAX] = "";
                /* A label stands at the upper edge of its row. */
                bool is_top = row + 1 == rows, is_middle = rows % 2 == 0 && rows >= 4 && row + 1 == rows / 2;
                if (is_top || is_middle)
                        chart_format(label, unit, is_top ? top : top / 2);
                /* Only what cannot be true is so large. */
                if (strlen(label) > label_width)
                        text_format(label, sizeof(label), "~");
                (void)fprintf(page->out, "  %*s %s", (int)label_width, label,
                              is_top || is_middle ? glyphs->tick : glyphs->side);
                print_row(page, glyphs, columns, column_count, row, rows, top);
        }
}
