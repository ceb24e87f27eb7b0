/* "Did you mean": near misses are found, strangers are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "cli/suggest.h"

static const char *const names[] = { "diagnose", "checks",       "explain",   "top",       "alerts",
                                     "status",   "cpu.overload", "cpu.quota", "memory.oom" };

static void assert_suggests(const char *typed, const char *expected)
{
        const char *near = suggest(typed, names, sizeof(names) / sizeof(names[0]));
        if (!expected)
                assert_null(near);
        else if (!near || strcmp(near, expected) != 0)
                fail_msg("%s: %s instead of %s", typed, near ? near : "nothing", expected);
}

static void test_suggest(void **state)
{
        char huge[1000];
        (void)state;
        memset(huge, 'a', sizeof(huge) - 1);
        huge[sizeof(huge) - 1] = '\0';
        assert_suggests(huge, NULL);
        assert_suggests("", NULL);
        assert_suggests("x", NULL);
        assert_suggests("history", NULL);
        assert_suggests("frobnicate", NULL);

        assert_suggests("diagnos", "diagnose");
        assert_suggests("daignose", "diagnose"); /* two letters swapped are one slip */
        assert_suggests("chekcs", "checks");
        assert_suggests("staus", "status");
        assert_suggests("pot", NULL);
        assert_suggests("tpo", "top");
        assert_suggests("diag", "diagnose"); /* a beginning */
        assert_suggests("overload", "cpu.overload");
        assert_suggests("oom", "memory.oom"); /* the part behind the dot */
        assert_suggests("cpu.qouta", "cpu.quota");
        assert_null(suggest("top", NULL, 0));
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_suggest) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
