/* Labels and values, aligned. */
#include "cli/block.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

#define PAIR_GAP        3  /* blanks between the two columns */
#define RIGHT_TEXT_MIN  28 /* a narrower right column of running text is unreadable */
#define COMMAND_INDENT  4

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

/* The column at which the rights begin: behind the widest left beside which a right fits; 0 if none does. */
static size_t right_column(const struct page *page, const struct block_pair *pairs, size_t count,
                           bool is_command)
{
        size_t width = page_text_width(page), limit = width, column;
        /* A wide left may push the column so far that another's right no longer fits: then without that left. */
        do {
                size_t widest_left = 0, widest_right = 0;
                for (size_t i = 0; i < count; i++) {
                        size_t left = columns_of(page, pairs[i].left), right = columns_of(page, pairs[i].right);
                        if (right == 0 || left >= limit)
                                continue;
                        if (!is_command && right > RIGHT_TEXT_MIN)
                                right = RIGHT_TEXT_MIN;
                        widest_left = left > widest_left ? left : widest_left;
                        widest_right = right > widest_right ? right : widest_right;
                }
                if (widest_right == 0)
                        return 0;
                limit = widest_left;
                column = BLOCK_VALUE_COLUMN + widest_left + PAIR_GAP;
                if (column + widest_right <= width)
                        return column;
        } while (limit > 0);
        return 0;
}

static void print_pair(struct page *page, const struct block_pair *pair, size_t column, bool is_command)
{
        size_t width = page_text_width(page);
        size_t left = columns_of(page, pair->left), right = columns_of(page, pair->right);
        bool fits = column > 0 && BLOCK_VALUE_COLUMN + left + PAIR_GAP <= column &&
                    (!is_command || column + right <= width);
        size_t at = page_wrap(page, BLOCK_VALUE_COLUMN, BLOCK_VALUE_COLUMN, width, pair->left);
        if (right == 0)
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
        size_t column = right_column(page, pairs, count, is_command);
        for (size_t i = 0; i < count; i++) {
                block_label(page, i == 0 ? label : NULL);
                print_pair(page, &pairs[i], column, is_command);
                (void)fputc('\n', page->out);
        }
}
