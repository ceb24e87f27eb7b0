/* The documents made from the table of checks: no text of a check may be misread by journald, by slowd.conf's
 * reader or by scdoc, whatever words stand in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/cleanup.h"
/* Its static functions and nothing of the daemon: linking would need a table of checks. */
#include "systemd/document.c" /* NOLINT(bugprone-suspicious-include) */

#define LONG "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct check_parameter hostile_parameters[] = {
        { "RaisePermille", "permille", 62.5, 0, 1000, LONG " [check x] ends a section", "a *star* in it",
          "proc_pid_stat(5)" },
        { NULL, NULL, 0, 0, 0, NULL, NULL, NULL },
};
static const char *const explained[] = { "disk.saturated", "memory.oom", NULL };
static const struct check hostile = {
        .name = "cpu.overload",
        .title = "One program asks for more than there is",
        .message_id = "0123456789abcdef0123456789abcdef",
        .culprit_kind = SUBJECT_PROGRAM,
        .cause = LONG " # a number sign\n\n" LONG " -- ffffffffffffffffffffffffffffffff",
        .meaning = "-- ffffffffffffffffffffffffffffffff begins\n\n; a comment",
        .remedy = "set cpu_quota_us, not \\*",
        .look_alike = "- a list\n\n#heading",
        .explains = explained,
        .parameters = hostile_parameters,
};
static const struct check disk = {
        .name = "disk.saturated",
        .title = "The disk is busy",
        .message_id = "00000000000000000000000000000000",
        .culprit_kind = SUBJECT_PROGRAM,
        .cause = "",
        .meaning = "",
        .remedy = "",
        .look_alike = "",
};
static const struct check *const table[] = { &hostile, &disk, NULL };
static const struct check *const nothing[] = { NULL };

static char *written(void (*write)(FILE *out, const struct check *const *table),
                     const struct check *const *of)
{
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);
        assert_non_null(out);
        write(out, of);
        assert_int_equal(fclose(out), 0);
        return text;
}

static size_t lines_beginning(const char *text, const char *with)
{
        size_t count = 0;
        for (const char *line = text; line && *line; line = strchr(line, '\n'), line += line != NULL)
                count += strncmp(line, with, strlen(with)) == 0;
        return count;
}

static int manual(const char *page, char **ret_text)
{
        size_t size;
        FILE *in = fmemopen((void *)(uintptr_t)page, strlen(page), "r");
        FILE *out = open_memstream(ret_text, &size);
        assert_non_null(in);
        assert_non_null(out);
        int r = document_manual(in, out, table);
        assert_int_equal(fclose(out), 0);
        assert_int_equal(fclose(in), 0);
        return r;
}

static void test_empty_table(void **state)
{
        (void)state;
        CLEANUP_FREE char *names = written(document_names, nothing);
        CLEANUP_FREE char *catalog = written(document_catalog, nothing);
        assert_string_equal(names, "");
        assert_int_equal(lines_beginning(catalog, "-- "), 0);
}

static void test_catalog_has_one_entry_each(void **state)
{
        (void)state;
        CLEANUP_FREE char *catalog = written(document_catalog, table);
        assert_int_equal(lines_beginning(catalog, "-- "), 2);
        assert_int_equal(lines_beginning(catalog, "#"), 1); /* the file's own first line */
        assert_int_equal(lines_beginning(catalog, ";"), 0);
        assert_non_null(strstr(catalog, "\n-- 0123456789abcdef0123456789abcdef\nSubject: One program"));
        assert_non_null(strstr(catalog, "@SLOWD_CULPRIT@"));
        assert_non_null(strstr(catalog, "set cpu_quota_us, not \\*\n"));
}

static void test_example_sets_nothing(void **state)
{
        (void)state;
        CLEANUP_FREE char *example = written(document_example, table);
        size_t settings = 0;
        for (const char *line = example; line && *line; line = strchr(line, '\n'), line += line != NULL)
                settings += !strchr("#[\n", line[0]);
        assert_int_equal(settings, 0);
        assert_int_equal(lines_beginning(example, "["), 4); /* [slowd], [workers] and the two checks */
        assert_non_null(strstr(example, "\n#RaisePermille=62.5\n"));
}

static void test_manual_refuses_unknown_place(void **state)
{
        (void)state;
        CLEANUP_FREE char *text = NULL;
        assert_int_equal(manual("# NAME\n@CHEKCS@\n", &text), -EINVAL);
}

static void test_manual_takes_marks_literally(void **state)
{
        (void)state;
        CLEANUP_FREE char *text = NULL;
        assert_int_equal(manual("# CHECKS\n@CHECKS@\n# SETTINGS\n@SETTINGS@\n# END\n", &text), 0);
        assert_int_equal(lines_beginning(text, "#"), 5); /* three of the page, a section for each check */
        assert_non_null(strstr(text, "## [check cpu.overload]\n"));
        assert_non_null(strstr(text, "set cpu\\_quota\\_us, not \\\\\\*\n"));
        assert_non_null(strstr(text, "- a list\n\n\\#heading\n"));
        assert_non_null(strstr(text, "\t\\; a comment\n"));
        assert_non_null(strstr(text, "reason of:_ *disk.saturated*\n")); /* no memory.oom in this table */
        assert_non_null(strstr(text, "from 0 to 1000"));
        assert_non_null(strstr(text, "a \\*star\\* in it"));
        assert_non_null(strstr(text, "\n# END\n"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_empty_table),
                cmocka_unit_test(test_catalog_has_one_entry_each),
                cmocka_unit_test(test_example_sets_nothing),
                cmocka_unit_test(test_manual_refuses_unknown_place),
                cmocka_unit_test(test_manual_takes_marks_literally),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
