/* logrotate's configuration, as logrotate 3.21 -d was seen to take it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "daemon/sample/logrotate.h"
#include "daemon/sample/sample.h"
#include "tests/support/tree.h"

static struct logrotate rules;

static void parse(const char *text)
{
        rules.count = 0;
        rules.dropped = 0;
        logrotate_parse(span_of(text), &rules);
}

static const struct logrotate_rule *find(const char *path)
{
        return logrotate_find(&rules, path);
}

static void test_bad(void **state)
{
        static const char *const bad[] = {
                "",
                "\n\n",
                "#",
                "weekly",
                "{",
                "}",
                "/var/log/x",
                "{ }",
                "\"/var/log/x",
                "include",
                "/x {\nprerotate\n",
                "size 1Q\nrotate x\n",
                "{{{{}}}}",
                "}}}}",
                "\\",
                "/var/log/x \\",
        };
        (void)state;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                parse(bad[i]);
                assert_null(find("/var/log/x"));
        }
        parse("/var/log/x {"); /* cut off: its name counts */
        assert_non_null(find("/var/log/x"));
}

static void test_block(void **state)
{
        (void)state;
        parse("# comment {\n"
              "weekly\nrotate 4\ncreate\n"
              "/var/log/nginx/*.log {\n\tdaily\n\tmissingok\n\trotate 14\n\tprerotate\n"
              "\t\tif [ -d /x ]; then \\\n\t\t\trun-parts /x; \\\n\t\tfi \\\n\tendscript\n"
              "\tpostrotate\n\t\techo \"}\"; /var/log/evil { \n\t\tsize 1\n\tendscript\n}\n"
              "/var/log/btmp {\n  # rotate 9 }\n  monthly\n  minsize 1M\n}\n"
              "/var/log/last { rotate 7 }");
        const struct logrotate_rule *rule = find("/var/log/nginx/access.log");
        assert_non_null(rule);
        assert_int_equal(rule->interval_hours, 24);
        assert_int_equal(rule->keep, 14);
        assert_int_equal(rule->size_bytes, ABSENT);
        assert_null(find("/var/log/nginx/sub/access.log"));
        assert_null(find("/var/log/nginx/.hidden.log"));
        assert_null(find("/var/log/evil"));
        rule = find("/var/log/btmp");
        assert_non_null(rule);
        assert_int_equal(rule->interval_hours, 30 * 24);
        assert_int_equal(rule->keep, 4); /* as set for all */
        rule = find("/var/log/last");
        assert_non_null(rule);
        assert_int_equal(rule->keep, 7);
        assert_int_equal(rule->interval_hours, 7 * 24);
        assert_null(find("/var/log/other"));
}

static void test_names(void **state)
{
        (void)state;
        parse("/var/log/a /var/log/b\n\"/var/log/c d\" '/var/log/e f'\n/var/log/g\\ h\n{\nsize=5k\nsu root "
              "adm\n}\n"
              "/var/log/a {\nhourly\n}\n/srv/[ab]?.out{\nrotate -1\n}");
        static const char *const names[] = { "/var/log/a", "/var/log/b", "/var/log/c d", "/var/log/e f",
                                             "/var/log/g h" };
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                const struct logrotate_rule *rule = find(names[i]);
                assert_non_null(rule);
                assert_int_equal(rule->size_bytes, 5 * 1024); /* the first that names it */
                assert_int_equal(rule->interval_hours, 0);
        }
        assert_non_null(find("/srv/a1.out"));
        assert_int_equal(find("/srv/b2.out")->keep, UINT32_MAX);
        assert_null(find("/srv/c2.out"));
}

/* The later of size and interval counts; maxsize comes on top. */
static void test_sizes(void **state)
{
        (void)state;
        parse("size 100\n/a {\ndaily\n}\n/b {\n}\n/c {\ndaily\nsize 2G\n}\n/d {\nweekly\nmaxsize 10M\n}\n");
        assert_int_equal(find("/a")->size_bytes, ABSENT);
        assert_int_equal(find("/a")->interval_hours, 24);
        assert_int_equal(find("/b")->size_bytes, 100);
        assert_int_equal(find("/b")->interval_hours, 0);
        assert_int_equal(find("/c")->size_bytes, UINT64_C(2) << 30);
        assert_int_equal(find("/d")->size_bytes, 10 << 20);
        assert_int_equal(find("/d")->interval_hours, 7 * 24);
        parse("/a {\nsize 99999999999999999999\nmaxsize 18446744073709551615G\n}\n");
        assert_int_equal(find("/a")->size_bytes, ABSENT);
}

static void test_too_many(void **state)
{
        char text[LOGROTATE_RULES_MAX * 32 + 512] = "";
        size_t length = 0;
        (void)state;
        for (int i = 0; i < LOGROTATE_RULES_MAX + 5; i++)
                assert_true(text_append(text, sizeof(text), &length, "/l/%d {\n}\n", i));
        parse(text);
        assert_int_equal(rules.count, LOGROTATE_RULES_MAX);
        assert_int_equal(rules.dropped, 5);
        char name[LOGROTATE_PATTERN_MAX + 40];
        memset(name, 'x', sizeof(name));
        memcpy(name, "/", 1);
        memcpy(name + sizeof(name) - 6, "{\n}\n", 5);
        parse(name);
        assert_int_equal(rules.count, 0);
        assert_int_equal(rules.dropped, 1);
}

static void test_files(void **state)
{
        struct tree tree;
        struct buffer buffer;
        (void)state;
        tree_init(&tree);
        assert_int_equal(buffer_init(&buffer), 0);
        assert_int_equal(logrotate_read(&tree.root, &buffer, &rules), -ENOENT);
        tree_write(&tree, "etc/logrotate.conf",
                   "monthly\ninclude /etc/logrotate.d\ninclude /etc/logrotate.d/missing\n"
                   "/var/log/z {\n}\n");
        tree_write(&tree, "etc/logrotate.d/b", "/var/log/b {\nrotate 2\n}\ndaily\n");
        tree_write(&tree, "etc/logrotate.d/a", "/var/log/a {\nrotate 1\n}\n/var/log/b {\nrotate 1\n}\n");
        tree_write(&tree, "etc/logrotate.d/c.dpkg-old", "/var/log/c {\n}\n");
        tree_write(&tree, "etc/logrotate.d/d~", "/var/log/d {\n}\n");
        tree_make_directory(&tree, "etc/logrotate.d/dir");
        assert_int_equal(logrotate_read(&tree.root, &buffer, &rules), 0);
        assert_int_equal(find("/var/log/a")->interval_hours, 30 * 24);
        assert_int_equal(find("/var/log/b")->keep, 1);
        assert_int_equal(find("/var/log/z")->interval_hours, 24); /* options of an included file stay */
        assert_null(find("/var/log/c"));
        assert_null(find("/var/log/d"));
        tree_write(&tree, "etc/logrotate.d/e", "include /etc/logrotate.conf\n"); /* round and round */
        assert_int_equal(logrotate_read(&tree.root, &buffer, &rules), 0);
        assert_int_equal(find("/var/log/a")->keep, 1);
        buffer_done(&buffer);
        tree_done(&tree);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_bad),   cmocka_unit_test(test_block),    cmocka_unit_test(test_names),
                cmocka_unit_test(test_sizes), cmocka_unit_test(test_too_many), cmocka_unit_test(test_files),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
