/* Labels and values, aligned. */
#include "cli/block.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

#define PAIR_GAP       3  /* blanks between the two columns */
#define RIGHT_TEXT_MIN 28 /* a narrower right column of running text is unreadable */
#define COMMAND_INDENT 4
#define ITEM_INDENT    2

void block_label(struct page *page, const char *label)
{
        size_t length = label ? strlen(label) : 0;
        page_blanks(page, BLOCK_INDENT);
        if (length > 0)
                (void)fprintf(page->out, "%s%s%s", page_style(page, STYLE_BOLD), label,
                              page_style_end(page, STYLE_BOLD));
        page_blanks(page, length < BLOCK_LABEL_COLUMN ? BLOCK_LABEL_COLUMN - length : 1);
}

void block_line(struct page *page, const char *label, const char *text)
{
        block_label(page, label);
        (void)page_wrap(page, BLOCK_VALUE_COLUMN, BLOCK_VALUE_COLUMN, page_text_width(page), text);
        (void)fputc('\n', page->out);
}

void block_item(struct page *page, const char *label, const char *text)
{
        block_label(page, label);
        (void)page_wrap(page, BLOCK_VALUE_COLUMN, BLOCK_VALUE_COLUMN + ITEM_INDENT, page_text_width(page),
                        text);
        (void)fputc('\n', page->out);
}

void block_format(struct page *page, const char *label, const char *format, ...)
{
        CLEANUP_FREE char *text = NULL;
        va_list arguments;
        va_start(arguments, format);
        int length = vasprintf(&text, format, arguments);
        va_end(arguments);
        if (length < 0)
                text = NULL; /* its value is undefined then */
        else
                block_line(page, label, text);
}

static size_t columns_of(const struct page *page, const char *text)
{
        CLEANUP_FREE char *clean = text ? page_clean(page, text) : NULL;
        return clean ? page_columns(page, clean) : 0;
}

struct pair_widths {
        size_t left, right; /* right 0: none */
};

/* Whether a pair stands on one line if rights begin at `column`. */
static bool fits_beside(const struct page *page, const struct pair_widths *widths, size_t column,
                        bool is_command)
{
        size_t right = is_command || widths->right < RIGHT_TEXT_MIN ? widths->right : RIGHT_TEXT_MIN;
        return BLOCK_VALUE_COLUMN + widths->left + PAIR_GAP <= column &&
               column + right <= page_text_width(page);
}

/* The column at which most rights fit beside their lefts, the leftmost of those. */
static size_t right_column(const struct page *page, const struct block_pair *pairs, size_t count,
                           bool is_command)
{
        struct pair_widths widths[BLOCK_PAIRS_MAX];
        size_t best_column = 0, most = 0;
        for (size_t i = 0; i < count; i++)
                widths[i] = (struct pair_widths){ columns_of(page, pairs[i].left),
                                                  columns_of(page, pairs[i].right) };
        for (size_t i = 0; i < count; i++) {
                size_t column = BLOCK_VALUE_COLUMN + widths[i].left + PAIR_GAP, fitting = 0;
                for (size_t j = 0; j < count; j++)
                        if (widths[j].right > 0 && fits_beside(page, &widths[j], column, is_command))
                                fitting++;
                if (fitting > most || (fitting == most && column < best_column)) {
                        most = fitting;
                        best_column = column;
                }
        }
        return best_column;
}

static void print_pair(struct page *page, const struct block_pair *pair, size_t column, bool is_command)
{
        size_t width = page_text_width(page);
        struct pair_widths widths = { columns_of(page, pair->left), columns_of(page, pair->right) };
        bool fits = fits_beside(page, &widths, column, is_command);
        size_t at = page_wrap(page, BLOCK_VALUE_COLUMN, BLOCK_VALUE_COLUMN, width, pair->left);
        if (widths.right == 0)
                return;
        size_t indent = fits ? column : BLOCK_VALUE_COLUMN + COMMAND_INDENT;
        if (!fits) {
                (void)fputc('\n', page->out);
                at = 0;
        }
        page_blanks(page, indent - at);
        if (!is_command) {
                (void)page_wrap(page, indent, indent, width, pair->right);
                return;
        }
        CLEANUP_FREE char *clean = page_clean(page, pair->right);
        if (clean)
                (void)fprintf(page->out, "%s%s%s", page_style(page, STYLE_BOLD), clean,
                              page_style_end(page, STYLE_BOLD));
}

void block_pairs(struct page *page, const char *label, const struct block_pair *pairs, size_t count,
                 bool is_command)
{
        if (count > BLOCK_PAIRS_MAX)
                count = BLOCK_PAIRS_MAX;
        size_t column = right_column(page, pairs, count, is_command);
        for (size_t i = 0; i < count; i++) {
                block_label(page, i == 0 ? label : NULL);
                print_pair(page, &pairs[i], column, is_command);
                (void)fputc('\n', page->out);
        }
}
