/* A table that fits the page, by libsmartcols: the least important columns go first, then one column is
 * shortened; nothing is wrapped but the text of a last column made for it. Cells may come from the socket. */
#pragma once

#include "cli/page.h"

#define TABLE_COLUMNS_MAX 20

struct table_column {
        const char *title; /* in capitals */
        size_t shrinks_to; /* may be cut to so many columns before others are left out; 0: never cut */
        int importance;    /* the lowest goes first if there is no room; TABLE_ALWAYS never does */
        bool is_right;     /* numbers */
        bool wraps;        /* the last column only: its text continues below itself */
};
#define TABLE_ALWAYS 100

struct table;

/* `columns` is borrowed and must outlive the table. NULL without memory. */
struct table *table_new(const struct page *page, const struct table_column *columns, size_t count);
struct table *table_free(struct table *table); /* returns NULL; accepts NULL */
/* The next line, empty; false without memory. */
bool table_add_line(struct table *table);
/* A cell of the last line. Without a text it shows "-". */
void table_set(struct table *table, size_t column, const char *text);
void table_set_format(struct table *table, size_t column, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
void table_set_style(struct table *table, size_t column, enum style style);
/* 0, or -ENOMEM. */
int table_print(struct table *table, struct page *page);
