/* The critical chain of a boot as bars over time: each unit below the one that it waited for. */
#include "cli/boot.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/text.h"
#include "common/units.h"

uint64_t boot_member(struct json_object *object, const char *name)
{
        int64_t value = json_int_or(object, name, -1);
        return value >= 0 ? (uint64_t)value : UINT64_MAX;
}

/* Boots are told in tenths of seconds: "7.6 s", "551 ms", "3 min". */
const char *boot_length_text(char buffer[static UNITS_MAX], uint64_t usec)
{
        double seconds = (double)usec / (double)USEC_PER_SEC;
        if (usec == UINT64_MAX)
                text_format(buffer, UNITS_MAX, "?");
        else if (seconds >= 0.9995 && seconds < 99.95)
                text_format(buffer, UNITS_MAX, "%.1f s", seconds);
        else
                (void)format_duration(buffer, usec);
        return buffer;
}

static int hex_digit(char c)
{
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A unit as people call it: systemd writes what is no letter or digit in the name of a device or mount as
 * \\x2d (systemd-escape(1)), and tables would escape that again. Only what is plain ASCII is put back. */
const char *boot_unit_name(char buffer[static BOOT_NAME_SIZE], struct json_object *unit)
{
        const char *name = json_string_or(unit, "name", "?");
        size_t out = 0;
        while (*name && out + 1 < BOOT_NAME_SIZE) {
                int high = name[0] == '\\' && name[1] == 'x' ? hex_digit(name[2]) : -1;
                int low = high >= 0 ? hex_digit(name[3]) : -1, code = 16 * high + low;
                bool is_plain = low >= 0 && code > ' ' && code < 0x7f && code != '\\';
                buffer[out++] = is_plain ? (char)code : *name;
                name += is_plain ? 4 : 1;
        }
        buffer[out] = '\0';
        return buffer;
}
#define NAME_COLUMNS_MAX 40
#define LENGTH_COLUMNS   8
#define BAR_COLUMNS_MAX  120
#define CHAIN_MAX        64

struct bar {
        size_t from, held, until; /* cells; `held` is where its full part begins */
};

static size_t cell_of(uint64_t usec, uint64_t span_usec, size_t columns, bool is_end)
{
        double cell = (double)usec / (double)span_usec * (double)columns;
        size_t at = (size_t)fmin(is_end ? ceil(cell - 1e-9) : floor(cell), (double)columns);
        return !is_end && at == columns ? columns - 1 : at;
}

static bool make_bar(struct json_object *unit, uint64_t span_usec, size_t columns, struct bar *ret_bar)
{
        uint64_t began = boot_member(unit, "beganUSec"), active = boot_member(unit, "activeUSec");
        uint64_t held = boot_member(unit, "heldUSec");
        if (active == UINT64_MAX || span_usec == 0)
                return false;
        if (began == UINT64_MAX || began > active)
                began = active;
        if (held == UINT64_MAX || held > active)
                held = 0;
        ret_bar->from = cell_of(began, span_usec, columns, false);
        ret_bar->until = cell_of(active, span_usec, columns, true);
        if (ret_bar->until <= ret_bar->from)
                ret_bar->until = ret_bar->from + 1;
        ret_bar->held = cell_of(active - held, span_usec, columns, false);
        if (held == 0)
                ret_bar->held = ret_bar->until;
        return true;
}

static void print_bar(struct page *page, const struct bar *bar, bool is_long)
{
        enum style style = is_long ? STYLE_RED : STYLE_PLAIN;
        page_blanks(page, bar->from);
        if (bar->held >= bar->until && bar->until - bar->from == 1) { /* it took no time */
                (void)fputs(page->is_utf8 ? "│" : "|", page->out);
                return;
        }
        (void)fputs(page_style(page, STYLE_DIM), page->out);
        for (size_t i = bar->from; i < bar->held && i < bar->until; i++)
                (void)fputs(page->is_utf8 ? "░" : ":", page->out);
        (void)fputs(page_style_end(page, STYLE_DIM), page->out);
        (void)fputs(page_style(page, style), page->out);
        for (size_t i = bar->held > bar->from ? bar->held : bar->from; i < bar->until; i++)
                (void)fputs(page->is_utf8 ? "█" : "#", page->out);
        (void)fputs(page_style_end(page, style), page->out);
}

struct chain {
        struct json_object *units[CHAIN_MAX]; /* the target first */
        size_t count;
        size_t name_columns, bar_columns;
        uint64_t span_usec, length_usec;
};

static void take_chain(struct page *page, struct json_object *reply, struct json_object *units,
                       struct chain *chain)
{
        chain->length_usec = boot_member(reply, "lengthUSec");
        for (size_t i = 0; i < json_object_array_length(units) && chain->count < CHAIN_MAX; i++) {
                struct json_object *unit = json_object_array_get_idx(units, i);
                uint64_t active = boot_member(unit, "activeUSec");
                if (json_int_or(unit, "level", 0) <= 0)
                        continue;
                chain->units[chain->count++] = unit;
                char plain[BOOT_NAME_SIZE];
                CLEANUP_FREE char *name = page_clean(page, boot_unit_name(plain, unit));
                size_t columns = name ? page_columns(page, name) : 0;
                if (columns > chain->name_columns)
                        chain->name_columns = columns;
                if (active != UINT64_MAX && active > chain->span_usec)
                        chain->span_usec = active;
        }
        size_t most = page->width * 9 / 20 < NAME_COLUMNS_MAX ? page->width * 9 / 20 : NAME_COLUMNS_MAX;
        if (chain->name_columns > most)
                chain->name_columns = most;
        size_t left = 2 + chain->name_columns + LENGTH_COLUMNS + 2;
        chain->bar_columns = page->width > left + 8 ? page->width - left : 8;
        if (chain->bar_columns > BAR_COLUMNS_MAX)
                chain->bar_columns = BAR_COLUMNS_MAX;
}

static void print_link(struct page *page, const struct chain *chain, struct json_object *unit)
{
        char number[UNITS_MAX] = "", plain[BOOT_NAME_SIZE];
        struct bar bar;
        uint64_t length = boot_member(unit, "lengthUSec"), held = boot_member(unit, "heldUSec");
        CLEANUP_FREE char *name = page_clean(page, boot_unit_name(plain, unit));
        if (!name)
                return;
        page_cut(page, name, chain->name_columns);
        page_blanks(page, 2);
        (void)fputs(name, page->out);
        if (length != UINT64_MAX || boot_member(unit, "activeUSec") != UINT64_MAX)
                page_blanks(page, chain->name_columns - page_columns(page, name));
        if (length != UINT64_MAX && length >= USEC_PER_MSEC)
                (void)boot_length_text(number, length);
        bool has_bar = make_bar(unit, chain->span_usec, chain->bar_columns, &bar);
        if (number[0] || has_bar)
                (void)fprintf(page->out, "%*s", LENGTH_COLUMNS, number);
        if (has_bar) {
                page_blanks(page, 2);
                print_bar(page, &bar,
                          held != UINT64_MAX && chain->length_usec != UINT64_MAX &&
                                  held >= chain->length_usec / 5);
        }
        (void)fputc('\n', page->out);
}

/* Three labels below the bars: begin, middle and end. */
static void print_axis(struct page *page, const struct chain *chain)
{
        char middle[UNITS_MAX], end[UNITS_MAX];
        size_t half = chain->bar_columns / 2;
        (void)boot_length_text(middle, chain->span_usec / 2);
        (void)boot_length_text(end, chain->span_usec);
        page_blanks(page, 2 + chain->name_columns + LENGTH_COLUMNS + 2);
        (void)fputs(page_style(page, STYLE_DIM), page->out);
        (void)fputs("0 s", page->out);
        size_t at = 3, middle_at = half - strlen(middle) / 2, end_at = chain->bar_columns - strlen(end);
        if (middle_at > at + 1 && middle_at + strlen(middle) + 1 < end_at) {
                page_blanks(page, middle_at - at);
                (void)fputs(middle, page->out);
                at = middle_at + strlen(middle);
        }
        page_blanks(page, end_at > at ? end_at - at : 1);
        (void)fprintf(page->out, "%s%s\n", end, page_style_end(page, STYLE_DIM));
}

void boot_chain_view(struct page *page, struct json_object *reply, struct json_object *units)
{
        struct chain chain = { 0 };
        take_chain(page, reply, units, &chain);
        if (chain.count == 0)
                return;
        (void)fputc('\n', page->out);
        page_blanks(page, 2);
        (void)page_styled(page, STYLE_BOLD, "Critical chain");
        (void)fputs(": each waited for the one above it\n", page->out);
        for (size_t i = chain.count; i-- > 0;)
                print_link(page, &chain, chain.units[i]);
        if (chain.span_usec > 0)
                print_axis(page, &chain);
}
