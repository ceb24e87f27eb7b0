/* What an answer is written on: text gathered in memory at a known width, in colour or not, in UTF-8 or
 * ASCII, then shown at once, through the pager if it is longer than the screen.
 * Whatever came over the socket passes page_clean() here, so that no name can speak to the terminal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define PAGE_WIDTH_MIN     40  /* narrower terminals get this and wrap by themselves */
#define PAGE_WIDTH_DEFAULT 80  /* where there is no terminal */
#define PAGE_TEXT_MAX      110 /* columns of running text: longer lines are hard to read */

enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_RED, STYLE_YELLOW, STYLE_GREEN };

enum when { WHEN_AUTO, WHEN_ALWAYS, WHEN_NEVER };

/* Not to be copied: the stream points into it. */
struct page {
        FILE *out; /* memory stream; only for what holds nothing from the socket */
        char *text;
        size_t size;
        size_t width;  /* of the terminal: for tables */
        size_t lines;  /* of the terminal; 0: no terminal, never use a pager */
        bool is_color; /* may be coloured */
        bool is_utf8;  /* else ASCII only */
};

/* What standard output is: its width and height (COLUMNS, LINES, the terminal), whether it takes colour
 * (NO_COLOR, TERM) and UTF-8 (the locale, which main has set). 0, or -ENOMEM. */
int page_init(struct page *page, enum when color);
/* The same for a test: nothing is looked up. */
int page_init_fixed(struct page *page, size_t width, bool is_color, bool is_utf8);
void page_done(struct page *page);

/* Columns of running text. */
size_t page_text_width(const struct page *page);

/* Writes what was gathered to standard output, through the pager if `may_page` and it is longer than the
 * screen, and empties the page. A reader that has gone (EPIPE) is no error. 0, or negative errno. */
int page_show(struct page *page, bool may_page);

/* A copy that is safe to show and can be shown: control characters, newlines, invalid UTF-8 and characters
 * that turn the direction of writing become '?'; without UTF-8, arrows, dashes and quotes become ASCII and
 * the rest
 * '?'. Newlines stay. Freed by the caller; NULL without memory. */
char *page_clean(const struct page *page, const char *text);

/* The bytes of the character at `text` (valid UTF-8) if a terminal would obey it instead of showing it:
 * control characters, marks that turn the direction of writing, line separators. 0 if it is harmless. */
size_t page_unsafe_character(const char *text, unsigned *ret_code);

/* Columns that clean text takes on the screen. */
size_t page_columns(const struct page *page, const char *text);
/* Cuts a result of page_clean() to that many columns, ending in an ellipsis if anything was lost. */
void page_cut(const struct page *page, char *text, size_t columns);

/* The escape sequence, or "" without colour. */
const char *page_style(const struct page *page, enum style style);
const char *page_style_end(const struct page *page, enum style style);

/* Writes text, cleaned, from column `column` on, between words onto new lines that begin at `indent`, at most
 * `width` columns wide. A word wider than a line is broken, after a slash if possible. A number is not parted
 * from its unit. It goes on behind what stands on the line, with a blank between if it begins with one.
 * Returns the column reached; ends without a newline. */
size_t page_wrap(struct page *page, size_t column, size_t indent, size_t width, const char *text);
/* A text of several paragraphs, parted by newlines; ends with a newline. */
void page_paragraphs(struct page *page, size_t indent, size_t width, const char *text);
/* A short text, cleaned, in a style, without a line break; cut if it is longer than half a line. Returns its
 * columns. */
size_t page_styled(struct page *page, enum style style, const char *text);
/* That many blanks; for indentation. */
void page_blanks(struct page *page, size_t count);
