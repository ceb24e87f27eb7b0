/* Text gathered, cleaned, wrapped and shown. */
#include "cli/page.h"

#include <errno.h>
#include <langinfo.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "cli/pager.h"
#include "common/text.h"

/* ---- what standard output is -----------------------------------------------------------------------------
 */

static size_t size_from_environment(const char *name)
{
        const char *text = getenv(name);
        uint64_t value;
        return text && span_u64(span_of(text), &value) == 0 && value < 10000 ? (size_t)value : 0;
}

static bool wants_color(enum when color, bool is_terminal)
{
        const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
        if (color != WHEN_AUTO)
                return color == WHEN_ALWAYS;
        /* no-color.org: present and not empty, whatever the value. */
        return is_terminal && !(no_color && no_color[0]) && term && strcmp(term, "dumb") != 0;
}

int page_init_fixed(struct page *page, size_t width, bool is_color, bool is_utf8)
{
        *page = (struct page){ .width = width < PAGE_WIDTH_MIN ? PAGE_WIDTH_MIN : width,
                               .is_color = is_color,
                               .is_utf8 = is_utf8 };
        page->out = open_memstream(&page->text, &page->size);
        return page->out ? 0 : -ENOMEM;
}

int page_init(struct page *page, enum when color)
{
        bool is_terminal = isatty(STDOUT_FILENO);
        size_t columns = size_from_environment("COLUMNS"), lines = size_from_environment("LINES");
        struct winsize size;
        if (is_terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
                columns = columns ? columns : size.ws_col;
                lines = lines ? lines : size.ws_row;
        }
        int r = page_init_fixed(page, columns ? columns : PAGE_WIDTH_DEFAULT, wants_color(color, is_terminal),
                                strcmp(nl_langinfo(CODESET), "UTF-8") == 0);
        if (r == 0 && is_terminal)
                page->lines = lines ? lines : 24;
        return r;
}

void page_done(struct page *page)
{
        if (page->out)
                (void)fclose(page->out);
        free(page->text);
        *page = (struct page){ 0 };
}

size_t page_text_width(const struct page *page)
{
        return page->width < PAGE_TEXT_MAX ? page->width : PAGE_TEXT_MAX;
}

static size_t count_lines(const char *text, size_t size)
{
        size_t lines = 0;
        for (const char *at = text; (at = memchr(at, '\n', size - (size_t)(at - text))); at++)
                lines++;
        return lines;
}

int page_show(struct page *page, bool may_page)
{
        if (fflush(page->out) != 0)
                return -ENOMEM;
        bool is_long = page->lines > 0 && count_lines(page->text, page->size) >= page->lines;
        int r = may_page && is_long ? pager_show(page->text, page->size) : -ENOENT;
        if (r == -ENOENT) {
                bool is_written = fwrite(page->text, 1, page->size, stdout) == page->size;
                r = fflush(stdout) == 0 && is_written ? 0 : errno == EPIPE ? 0 : -errno;
        }
        rewind(page->out);
        return r;
}

/* ---- cleaning --------------------------------------------------------------------------------------------
 */

static const struct {
        const char *utf8, *ascii;
} transliterations[] = {
        { "→", "->" }, { "←", "<-" }, { "—", "-" },  { "–", "-" },  { "−", "-" },      { "…", "..." },
        { "‘", "'" },  { "’", "'" },  { "“", "\"" }, { "”", "\"" }, { "×", "x" },      { "µ", "u" },
        { "·", "." },  { "•", "*" },  { "≥", ">=" }, { "≤", "<=" }, { "\u00a0", " " },
};

size_t page_unsafe_character(const char *text, unsigned *ret_code)
{
        const unsigned char *at = (const unsigned char *)text;
        size_t length = 0;
        unsigned code = at[0];
        if (code < 0x20 || code == 0x7f) {
                length = code ? 1 : 0;
        } else if ((code == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0) || (code == 0xd8 && at[1] == 0x9c)) {
                length = 2;
                code = (code & 0x1fU) << 6 | (at[1] & 0x3fU);
        } else if ((code == 0xe2 || code == 0xef) && at[1] && at[2]) {
                code = (code & 0xfU) << 12 | (at[1] & 0x3fU) << 6 | (at[2] & 0x3fU);
                bool is_mark = (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
                               (code >= 0x2060 && code <= 0x206f) || code == 0xfeff;
                length = is_mark ? 3 : 0;
        }
        if (length > 0)
                *ret_code = code;
        return length;
}

static size_t character_length(unsigned char lead)
{
        return lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
}

static const char *transliterate(const char *character, size_t length)
{
        for (size_t i = 0; i < sizeof(transliterations) / sizeof(transliterations[0]); i++)
                if (strlen(transliterations[i].utf8) == length &&
                    memcmp(transliterations[i].utf8, character, length) == 0)
                        return transliterations[i].ascii;
        return "?";
}

/* `text` is valid UTF-8 without control characters of one byte. */
static void clean_into(const struct page *page, const char *text, char *clean)
{
        size_t out = 0;
        while (*text) {
                size_t length = character_length((unsigned char)*text);
                const char *source = text;
                size_t source_length = length;
                unsigned code;
                if (page_unsafe_character(text, &code) > 0) {
                        source = "?";
                        source_length = 1;
                } else if (length > 1 && !page->is_utf8) {
                        source = transliterate(text, length);
                        source_length = strlen(source);
                }
                memcpy(clean + out, source, source_length);
                out += source_length;
                text += length;
        }
        clean[out] = '\0';
}

char *page_clean(const struct page *page, const char *text)
{
        /* No transliteration is longer than the bytes it stands for; two more are for page_cut(). */
        char *copy = strdup(text), *clean = malloc(strlen(text) + 3);
        if (copy && clean) {
                text_sanitize(copy, "");
                clean_into(page, copy, clean);
        } else {
                free(clean);
                clean = NULL;
        }
        free(copy);
        return clean;
}

/* ---- widths ----------------------------------------------------------------------------------------------
 */

/* Columns of the character at `text`, whose bytes are put into ret_length. */
static size_t character_columns(const struct page *page, const char *text, size_t *ret_length)
{
        mbstate_t state = { 0 };
        wchar_t wide;
        *ret_length = 1;
        if (!page->is_utf8 || (unsigned char)text[0] < 0x80)
                return 1;
        size_t length = mbrtowc(&wide, text, MB_CUR_MAX, &state);
        if (length == 0 || length > MB_CUR_MAX)
                return 1;
        *ret_length = length;
        int columns = wcwidth(wide);
        return columns < 0 ? 1 : (size_t)columns;
}

static size_t span_columns(const struct page *page, const char *text, size_t length)
{
        size_t columns = 0, step;
        for (const char *at = text; at < text + length; at += step)
                columns += character_columns(page, at, &step);
        return columns;
}

size_t page_columns(const struct page *page, const char *text)
{
        return span_columns(page, text, strlen(text));
}

void page_cut(const struct page *page, char *text, size_t columns)
{
        const char *ellipsis = page->is_utf8 ? "…" : "~";
        size_t used = 0, step;
        if (page_columns(page, text) <= columns)
                return;
        char *at = text;
        for (; *at; at += step) {
                size_t next = character_columns(page, at, &step);
                if (used + next + 1 > columns)
                        break;
                used += next;
        }
        while (at > text && strchr(" ,", at[-1]))
                at--;
        memcpy(at, ellipsis, strlen(ellipsis) + 1);
}

/* ---- writing ---------------------------------------------------------------------------------------------
 */

const char *page_style(const struct page *page, enum style style)
{
        static const char *const sequences[] = {
                [STYLE_PLAIN] = "",         [STYLE_BOLD] = "\033[1m",      [STYLE_DIM] = "\033[2m",
                [STYLE_RED] = "\033[1;31m", [STYLE_YELLOW] = "\033[1;33m", [STYLE_GREEN] = "\033[1;32m",
        };
        return page->is_color ? sequences[style] : "";
}

const char *page_style_end(const struct page *page, enum style style)
{
        return page->is_color && style != STYLE_PLAIN ? "\033[0m" : "";
}

size_t page_styled(struct page *page, enum style style, const char *text)
{
        char *clean = page_clean(page, text);
        size_t columns = 0;
        if (clean) {
                page_cut(page, clean, page_text_width(page) / 2);
                columns = page_columns(page, clean);
                (void)fprintf(page->out, "%s%s%s", page_style(page, style), clean,
                              page_style_end(page, style));
        }
        free(clean);
        return columns;
}

void page_blanks(struct page *page, size_t count)
{
        (void)fprintf(page->out, "%*s", (int)count, "");
}

/* A word that stays on the line of the number before it: "31 %", "12 min". */
static bool is_unit(const char *word, size_t length)
{
        static const char *const units[] = { "%",  "B", "kB",  "MB", "GB", "TB",
                                             "ms", "s", "min", "h",  "d",  "CPUs" };
        while (length > 0 && strchr(".,;:)", word[length - 1]))
                length--;
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
                if (strlen(units[i]) == length && memcmp(units[i], word, length) == 0)
                        return true;
        return false;
}

/* Bytes of the next piece that must not be broken: a word, with its unit if it ends in a digit. */
static size_t piece_length(const char *text)
{
        size_t length = strcspn(text, " ");
        while (length > 0 && text[length] == ' ' && text[length - 1] >= '0' && text[length - 1] <= '9') {
                size_t next = strcspn(text + length + 1, " ");
                if (!is_unit(text + length + 1, next))
                        break;
                length += 1 + next;
        }
        return length;
}

/* Where to break a piece that is wider than a whole line: behind the last slash or comma that fits, else
 * where the line ends. */
static size_t break_length(const struct page *page, const char *piece, size_t length, size_t columns)
{
        size_t used = 0, step, at = 0, behind_mark = 0;
        for (; at < length; at += step) {
                size_t next = character_columns(page, piece + at, &step);
                if (used + next > columns && at > 0)
                        break;
                used += next;
                if (strchr("/,=", piece[at]))
                        behind_mark = at + 1;
        }
        return behind_mark > at / 2 ? behind_mark : at;
}

static void new_line(struct page *page, size_t *column)
{
        (void)fputc('\n', page->out);
        *column = 0;
}

static size_t wrap_clean(struct page *page, size_t column, size_t indent, size_t width, const char *clean)
{
        bool wants_blank = clean[0] == ' ';
        for (const char *at = clean; *(at += strspn(at, " "));) {
                size_t length = piece_length(at), columns = span_columns(page, at, length);
                if (column > indent && column + (wants_blank ? 1 : 0) + columns > width)
                        new_line(page, &column);
                if (column == 0) {
                        page_blanks(page, indent);
                        column = indent;
                } else if (wants_blank) {
                        (void)fputc(' ', page->out);
                        column++;
                }
                if (column + columns > width && column <= indent) {
                        length = break_length(page, at, length, width - column);
                        columns = span_columns(page, at, length);
                }
                (void)fwrite(at, 1, length, page->out);
                column += columns;
                at += length;
                wants_blank = true;
                if (*at && *at != ' ') /* the rest of a broken piece */
                        new_line(page, &column);
        }
        return column;
}

size_t page_wrap(struct page *page, size_t column, size_t indent, size_t width, const char *text)
{
        char *clean = page_clean(page, text);
        if (!clean)
                return column;
        /* Where there is next to no room, lines are too long rather than of single letters. */
        column = wrap_clean(page, column, indent, width < indent + 10 ? indent + 10 : width, clean);
        free(clean);
        return column;
}

void page_paragraphs(struct page *page, size_t indent, size_t width, const char *text)
{
        struct span rest = span_of(text), line;
        while (span_take_line(&rest, &line)) {
                char *paragraph = strndup(line.at, line.length);
                if (paragraph && line.length > 0)
                        (void)page_wrap(page, 0, indent, width, paragraph);
                free(paragraph);
                (void)fputc('\n', page->out);
        }
}
