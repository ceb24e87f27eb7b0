/* Tables. */
#include "cli/table.h"

#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

#define GAP         2
#define LAST_RESORT 12
#define LINES_MAX   4096 /* more than any reply has; what is beyond is not shown */

struct cell {
        char *text; /* clean; NULL: nothing known */
        enum style style;
};

struct table {
        const struct page *page;
        const struct table_column *columns;
        size_t column_count, line_count, line_capacity;
        struct cell *cells; /* line by line */
};

struct table *table_new(const struct page *page, const struct table_column *columns, size_t count)
{
        struct table *table = calloc(1, sizeof(*table));
        if (table)
                *table = (struct table){ .page = page, .columns = columns, .column_count = count };
        return table;
}

struct table *table_free(struct table *table)
{
        if (table) {
                for (size_t i = 0; i < table->line_count * table->column_count; i++)
                        free(table->cells[i].text);
                free(table->cells);
                free(table);
        }
        return NULL;
}

bool table_add_line(struct table *table)
{
        if (table->line_count == LINES_MAX)
                return false;
        if (table->line_count == table->line_capacity) {
                size_t capacity = table->line_capacity ? 2 * table->line_capacity : 64;
                struct cell *cells =
                        reallocarray(table->cells, capacity * table->column_count, sizeof(*cells));
                if (!cells)
                        return false;
                table->cells = cells;
                table->line_capacity = capacity;
        }
        memset(table->cells + table->line_count * table->column_count, 0,
               table->column_count * sizeof(*table->cells));
        table->line_count++;
        return true;
}

static struct cell *cell_at(const struct table *table, size_t line, size_t column)
{
        return &table->cells[line * table->column_count + column];
}

static struct cell *last_line(const struct table *table, size_t column)
{
        return cell_at(table, table->line_count - 1, column);
}

void table_set(struct table *table, size_t column, const char *text)
{
        struct cell *cell = last_line(table, column);
        free(cell->text);
        cell->text = text && text[0] ? page_clean(table->page, text) : NULL;
}

void table_set_format(struct table *table, size_t column, const char *format, ...)
{
        CLEANUP_FREE char *text = NULL;
        va_list arguments;
        va_start(arguments, format);
        int length = vasprintf(&text, format, arguments);
        va_end(arguments);
        if (length < 0)
                text = NULL; /* its value is undefined then */
        table_set(table, column, text);
}

void table_set_style(struct table *table, size_t column, enum style style)
{
        last_line(table, column)->style = style;
}

/* ---- fitting ---------------------------------------------------------------------------------------------
 */

static void natural_widths(const struct table *table, size_t *widths)
{
        for (size_t c = 0; c < table->column_count; c++) {
                widths[c] = strlen(table->columns[c].title);
                for (size_t l = 0; l < table->line_count; l++) {
                        const char *text = cell_at(table, l, c)->text;
                        size_t width = text ? page_columns(table->page, text) : 1;
                        widths[c] = width > widths[c] ? width : widths[c];
                }
        }
}

/* A column in which nothing is known in any line says nothing. */
static bool is_empty(const struct table *table, size_t column)
{
        for (size_t l = 0; l < table->line_count; l++)
                if (cell_at(table, l, column)->text)
                        return false;
        return table->line_count > 0;
}

/* Sets widths to what is printed, 0 for columns that are left out. */
static void fit(const struct table *table, size_t *widths)
{
        natural_widths(table, widths);
        for (size_t c = 0; c < table->column_count; c++)
                if (table->columns[c].importance < TABLE_ALWAYS && is_empty(table, c))
                        widths[c] = 0;
        for (;;) {
                size_t total = 0, spare = 0, least = SIZE_MAX;
                for (size_t c = 0; c < table->column_count; c++) {
                        const struct table_column *column = &table->columns[c];
                        if (widths[c] == 0)
                                continue;
                        total += widths[c] + (total ? GAP : 0);
                        if (column->shrinks_to && widths[c] > column->shrinks_to)
                                spare += widths[c] - column->shrinks_to;
                        if (column->importance < TABLE_ALWAYS &&
                            (least == SIZE_MAX || column->importance < table->columns[least].importance))
                                least = c;
                }
                if (total <= table->page->width)
                        return;
                size_t excess = total - table->page->width;
                if (spare < excess && least != SIZE_MAX) {
                        widths[least] = 0;
                        continue;
                }
                bool is_last_resort = spare < excess;
                /* From the right: what is there is the longest and the least needed. */
                for (size_t c = table->column_count; c-- > 0 && excess > 0;) {
                        size_t shrinks_to = table->columns[c].shrinks_to;
                        /* With nothing left to leave out, rather an ugly table than one that does not fit. */
                        if (is_last_resort && shrinks_to > LAST_RESORT)
                                shrinks_to = LAST_RESORT;
                        if (!shrinks_to || widths[c] <= shrinks_to)
                                continue;
                        size_t cut = widths[c] - shrinks_to < excess ? widths[c] - shrinks_to : excess;
                        widths[c] -= cut;
                        excess -= cut;
                }
                return;
        }
}

/* ---- printing --------------------------------------------------------------------------------------------
 */

/* The text with newlines between words so that no line is wider than `width`; freed by the caller. */
static char *broken(const struct page *page, const char *text, size_t width)
{
        struct page part;
        if (page_init_fixed(&part, width, false, page->is_utf8) < 0)
                return NULL;
        (void)page_wrap(&part, 0, 0, width, text);
        char *copy = fflush(part.out) == 0 ? strdup(part.text) : NULL;
        page_done(&part);
        return copy;
}

static char *shown_text(const struct table *table, const struct cell *cell, size_t column, size_t width)
{
        if (!cell->text)
                return strdup("-");
        if (table->columns[column].wraps)
                return broken(table->page, cell->text, width);
        char *copy = page_clean(table->page, cell->text); /* leaves room for the ellipsis */
        if (copy)
                page_cut(table->page, copy, width);
        return copy;
}

static const char *style_name(enum style style)
{
        static const char *const names[] = {
                [STYLE_PLAIN] = NULL, [STYLE_BOLD] = "\033[1m", [STYLE_DIM] = "\033[2m",
                [STYLE_RED] = "red",  [STYLE_YELLOW] = "brown", [STYLE_GREEN] = "green",
        };
        return names[style];
}

static int fill(const struct table *table, struct libscols_table *output, const size_t *widths)
{
        for (size_t c = 0; c < table->column_count; c++) {
                const struct table_column *column = &table->columns[c];
                int flags = (column->is_right ? SCOLS_FL_RIGHT : 0) | (column->wraps ? SCOLS_FL_WRAP : 0);
                if (widths[c] == 0)
                        continue;
                struct libscols_column *made = scols_table_new_column(output, column->title, 0, flags);
                if (!made)
                        return -ENOMEM;
                if (column->wraps && (scols_column_set_safechars(made, "\n") < 0 ||
                                      scols_column_set_wrapfunc(made, scols_wrapnl_chunksize,
                                                                scols_wrapnl_nextchunk, NULL) < 0))
                        return -ENOMEM;
        }
        for (size_t l = 0; l < table->line_count; l++) {
                struct libscols_line *line = scols_table_new_line(output, NULL);
                size_t out = 0;
                if (!line)
                        return -ENOMEM;
                for (size_t c = 0; c < table->column_count; c++) {
                        const struct cell *cell = cell_at(table, l, c);
                        if (widths[c] == 0)
                                continue;
                        char *text = shown_text(table, cell, c, widths[c]);
                        struct libscols_cell *made = scols_line_get_cell(line, out++);
                        if (!text || !made || scols_cell_refer_data(made, text) < 0) {
                                free(text);
                                return -ENOMEM;
                        }
                        (void)scols_cell_set_color(made, style_name(cell->style));
                }
        }
        return 0;
}

/* Copies the table without blanks at the ends of lines, of which libsmartcols leaves some. */
static void print_trimmed(struct page *page, const char *text)
{
        while (*text) {
                size_t length = strcspn(text, "\n"), shown = length;
                while (shown > 0 && text[shown - 1] == ' ')
                        shown--;
                (void)fwrite(text, 1, shown, page->out);
                (void)fputc('\n', page->out);
                text += length + (text[length] == '\n');
        }
}

int table_print(struct table *table, struct page *page)
{
        size_t widths[TABLE_COLUMNS_MAX];
        CLEANUP_FREE char *text = NULL;
        struct libscols_table *output = scols_new_table();
        fit(table, widths);
        int r = output ? 0 : -ENOMEM;
        if (r == 0 && (scols_table_set_column_separator(output, "  ") < 0 ||
                       scols_table_enable_colors(output, page->is_color) < 0 ||
                       /* Room to spare: what fits was decided above. */
                       scols_table_set_termforce(output, SCOLS_TERMFORCE_ALWAYS) < 0 ||
                       scols_table_set_termwidth(output, page->width + 10) < 0 ||
                       fill(table, output, widths) < 0 || scols_print_table_to_string(output, &text) < 0))
                r = -ENOMEM;
        scols_unref_table(output);
        if (r == 0)
                print_trimmed(page, text);
        return r;
}
