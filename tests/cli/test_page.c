/* Cleaning, measuring, cutting and wrapping of text that others wrote; aligned pairs; tables that fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "cli/block.h"
#include "cli/page.h"
#include "cli/show.h"
#include "cli/table.h"

static void init_page(struct page *page, size_t width, bool is_utf8)
{
        assert_int_equal(page_init_fixed(page, width, false, is_utf8), 0);
}

static void assert_page(struct page *page, const char *expected)
{
        assert_int_equal(fflush(page->out), 0);
        assert_string_equal(page->text, expected);
        page_done(page);
}

static void assert_clean(bool is_utf8, const char *text, const char *expected)
{
        struct page page;
        init_page(&page, 80, is_utf8);
        char *clean = page_clean(&page, text);
        assert_non_null(clean);
        assert_string_equal(clean, expected);
        free(clean);
        page_done(&page);
}

static void test_clean(void **state)
{
        (void)state;
        assert_clean(true, "", "");
        assert_clean(true, "a\033[31mb\007\tc\nd\re\177", "a?[31mb??c?d?e?");
        assert_clean(true,
                     "\xc2\x9b"
                     "2J",
                     "??2J"); /* C1 CSI */
        assert_clean(true, "\xff\xfe\xc3", "???");
        assert_clean(true, "\xed\xa0\x80", "???"); /* a surrogate */
        assert_clean(true, "a\u202eb\u2066c\u200bd",
                     "a?b?c?d"); /* right-to-left override, isolate, zero width */
        assert_clean(true, "\ufeff\u061c\u2028", "???");
        assert_clean(true, "cron → sh — näive 日本", "cron → sh — näive 日本");
        assert_clean(false, "cron → sh — näive 日本 …", "cron -> sh - n?ive ?? ...");
        assert_clean(false, "≥ 5 µs × 3", ">= 5 us x 3");
}

static void assert_cut(const char *text, size_t columns, const char *expected)
{
        struct page page;
        init_page(&page, 80, true);
        char *clean = page_clean(&page, text);
        assert_non_null(clean);
        page_cut(&page, clean, columns);
        assert_string_equal(clean, expected);
        assert_true(page_columns(&page, clean) <= columns);
        free(clean);
        page_done(&page);
}

static void test_cut(void **state)
{
        (void)state;
        assert_cut("", 1, "");
        assert_cut("ab", 1, "…");
        assert_cut("abc", 3, "abc");
        assert_cut("abcd", 3, "ab…");
        assert_cut("ab cd", 4, "ab…");    /* no blank before the ellipsis */
        assert_cut("日本語", 5, "日本…"); /* two columns each */
        assert_cut("日本語", 4, "日…");
        assert_cut("n\u0303o\u0303x", 3, "n\u0303o\u0303x"); /* combining marks take none */
}

static void assert_wrapped(size_t column, size_t indent, size_t width, const char *text, const char *expected)
{
        struct page page;
        init_page(&page, 80, true);
        (void)page_wrap(&page, column, indent, width, text);
        assert_page(&page, expected);
}

static void test_wrap(void **state)
{
        (void)state;
        assert_wrapped(0, 0, 20, "", "");
        assert_wrapped(0, 0, 20, "   ", "");
        assert_wrapped(0, 0, 20, "one two three four five", "one two three four\nfive");
        assert_wrapped(0, 2, 20, "one two three four five", "  one two three four\n  five");
        assert_wrapped(4, 4, 20, "one two three four five", "one two three\n    four five");
        /* Behind something that stands there already. */
        assert_wrapped(10, 0, 20, " one two three", " one two\nthree");
        assert_wrapped(18, 0, 20, " three", "\nthree");
        assert_wrapped(10, 0, 20, ", three", ", three");
        /* A number keeps its unit. */
        assert_wrapped(0, 0, 20, "nginx waits long 31 % of it", "nginx waits long\n31 % of it");
        assert_wrapped(0, 0, 20, "it began 12 minutes 5 min ago", "it began 12 minutes\n5 min ago");
        /* Words that are wider than a line: behind a slash if there is one far enough, else where it ends. */
        assert_wrapped(0, 0, 20, "/usr/share/slowd/very/long/path/x", "/usr/share/slowd/\nvery/long/path/x");
        assert_wrapped(0, 2, 14, "aaaaaaaaaaaaaaaaaaaa", "  aaaaaaaaaaaa\n  aaaaaaaa");
        assert_wrapped(0, 2, 14, "日本語日本語日本語", "  日本語日本語\n  日本語");
        /* Less than nothing to write in. */
        assert_wrapped(0, 30, 20, "one two", "                              one two");
}

static void test_paragraphs(void **state)
{
        (void)state;
        struct page page;
        init_page(&page, 80, true);
        page_paragraphs(&page, 2, 20, "one\n\ntwo three four five six\n");
        assert_page(&page, "  one\n\n  two three four\n  five six\n");
}

static void test_pairs(void **state)
{
        (void)state;
        /* One right that fits nowhere must not push the others onto lines of their own. */
        const struct block_pair pairs[] = {
                { "stop it", "kill 1" },
                { "start them one after the other", NULL },
                { "a long text with a long command", "systemctl set-property --runtime cron.service" },
        };
        struct page page;
        init_page(&page, 60, true);
        block_pairs(&page, "what helps", pairs, 3, true);
        assert_page(&page, "  what helps  stop it   kill 1\n"
                           "              start them one after the other\n"
                           "              a long text with a long command\n"
                           "                  systemctl set-property --runtime cron.service\n");

        init_page(&page, 80, true);
        block_pairs(&page, "what helps", NULL, 0, true);
        assert_page(&page, "");
}

static struct table *fill_table(struct page *page, const struct table_column *columns)
{
        static const char *const lines[][3] = { { "ffmpeg", "31 %", "wants 28 CPUs of 2" },
                                                { "sh\033[1m", NULL, "x" } };
        struct table *table = table_new(page, columns, 3);
        assert_non_null(table);
        for (size_t i = 0; i < 2; i++) {
                assert_true(table_add_line(table));
                for (size_t c = 0; c < 3; c++)
                        table_set(table, c, lines[i][c]);
        }
        return table;
}

static void assert_table(size_t width, const struct table_column *columns, const char *expected)
{
        struct page page;
        init_page(&page, 80, true);
        page.width = width;
        struct table *table = fill_table(&page, columns);
        assert_int_equal(table_print(table, &page), 0);
        table_free(table);
        assert_page(&page, expected);
}

static void test_table(void **state)
{
        (void)state;
        struct table_column columns[] = {
                { .title = "PROGRAM", .importance = TABLE_ALWAYS, .shrinks_to = 4 },
                { .title = "LOST", .importance = 5, .is_right = true },
                { .title = "WHAT", .importance = TABLE_ALWAYS, .shrinks_to = 10 },
        };
        assert_table(80, columns,
                     "PROGRAM  LOST  WHAT\n"
                     "ffmpeg   31 %  wants 28 CPUs of 2\n"
                     "sh?[1m      -  x\n");
        assert_table(28, columns,
                     "PROGRAM  LOST  WHAT\n"
                     "ffmpeg   31 %  wants 28 CPU…\n"
                     "sh?[1m      -  x\n");
        /* Even cut to the least, three columns do not fit: the least important one goes. */
        assert_table(20, columns,
                     "PROGRAM  WHAT\n"
                     "ffmpeg   wants 28 C…\n"
                     "sh?[1m   x\n");
        columns[2].wraps = true;
        assert_table(28, columns,
                     "PROGRAM  LOST  WHAT\n"
                     "ffmpeg   31 %  wants 28 CPUs\n"
                     "               of 2\n"
                     "sh?[1m      -  x\n");
        /* A column in which nothing is known is left out, unless it is always shown. */
        struct page page;
        init_page(&page, 80, true);
        struct table *table = table_new(&page, columns, 3);
        assert_non_null(table);
        assert_true(table_add_line(table));
        table_set(table, 0, "sh");
        assert_int_equal(table_print(table, &page), 0);
        table_free(table);
        assert_page(&page, "PROGRAM  WHAT\n"
                           "sh       -\n");
}

static void test_time(void **state)
{
        char text[SHOW_TIME_MAX];
        const usec_t now = UINT64_C(1732284842) * USEC_PER_SEC; /* 2024-11-22 14:14:02 UTC */
        (void)state;
        assert_int_equal(setenv("TZ", "UTC", 1), 0);
        assert_string_equal(show_time(text, now - USEC_PER_HOUR, now), "13:14:02");
        assert_string_equal(show_time(text, now - USEC_PER_DAY, now), "Nov 21 14:14");
        assert_string_equal(show_time(text, now - 365 * USEC_PER_DAY, now), "2023-11-23 14:14");
        assert_string_equal(show_time(text, UINT64_MAX, now), "586524-01-19 08:01");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_clean), cmocka_unit_test(test_cut),        cmocka_unit_test(test_wrap),
                cmocka_unit_test(test_pairs), cmocka_unit_test(test_paragraphs), cmocka_unit_test(test_table),
                cmocka_unit_test(test_time),
        };
        if (!setlocale(LC_ALL, "C.UTF-8")) {
                print_message("no UTF-8 locale\n");
                return 77;
        }
        return cmocka_run_group_tests(tests, NULL, NULL);
}
