/* Aligned lines of a label and a value:
 *
 *   who waits   nginx 31 % of its time, sshd 12 %
 *   what helps  run them one after the other         slowctl queue ffmpeg
 */
#pragma once

#include "cli/page.h"

#define BLOCK_INDENT       2
#define BLOCK_LABEL_COLUMN 12 /* the longest label, "not checked", and a blank */
#define BLOCK_VALUE_COLUMN (BLOCK_INDENT + BLOCK_LABEL_COLUMN)

/* The label, in bold; NULL or "" for a further line of the one before. Ours, never from the socket. Leaves
 * the page at BLOCK_VALUE_COLUMN. */
void block_label(struct page *page, const char *label);
/* A whole line: the label and the text, wrapped below itself. */
void block_line(struct page *page, const char *label, const char *text);
/* The same for one of several items below each other: further lines of the text stand out to the right. */
void block_item(struct page *page, const char *label, const char *text);
void block_format(struct page *page, const char *label, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

#define BLOCK_PAIRS_MAX 64 /* further ones are not shown */

struct block_pair {
        const char *left, *right; /* right may be NULL; both borrowed */
};

/* Two columns below `label`: rights at one column where as many as possible fit beside their lefts, the
 * others on lines of their own. is_command: rights are to be copied and are never broken; else they are text
 * and wrapped. */
void block_pairs(struct page *page, const char *label, const struct block_pair *pairs, size_t count,
                 bool is_command);
