/* The best of many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "daemon/ranking.h"

static void test_none(void **state)
{
        (void)state;
        struct ranked one = { 7, 1 };
        assert_int_equal(ranking_best(NULL, 0, 5), 0);
        assert_int_equal(ranking_best(&one, 1, 0), 0);
        assert_int_equal(ranking_best(&one, 1, 5), 1);
        assert_int_equal(one.index, 7);
}

static void test_odd_scores(void **state)
{
        (void)state;
        struct ranked list[] = { { 0, NAN }, { 1, -1 }, { 2, 3 }, { 3, INFINITY }, { 4, 3 }, { 5, NAN } };
        static const uint32_t expected[] = { 3, 2, 4, 1, 0, 5 };
        assert_int_equal(ranking_best(list, 6, 6), 6);
        for (size_t i = 0; i < 6; i++)
                assert_int_equal(list[i].index, expected[i]);
}

/* Every length with every cap: the highest, in order, and nothing lost behind them. */
static void test_all_sizes(void **state)
{
        (void)state;
        for (size_t count = 1; count < 40; count++) {
                for (size_t max = 1; max < 45; max += 3) {
                        struct ranked list[40];
                        uint64_t seen = 0;
                        for (size_t i = 0; i < count; i++)
                                list[i] = (struct ranked){ (uint32_t)i, (float)((i * 17 + 5) % count / 2) };
                        size_t kept = ranking_best(list, count, max);
                        assert_int_equal(kept, count < max ? count : max);
                        for (size_t i = 0; i < count; i++)
                                seen |= UINT64_C(1) << list[i].index;
                        assert_int_equal(seen, (UINT64_C(1) << count) - 1);
                        for (size_t i = 1; i < kept; i++)
                                assert_true(list[i - 1].score > list[i].score ||
                                            (!(list[i - 1].score < list[i].score) &&
                                             list[i - 1].index < list[i].index));
                        for (size_t i = kept; i < count; i++)
                                assert_true(list[i].score <= list[kept - 1].score);
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_none),
                cmocka_unit_test(test_odd_scores),
                cmocka_unit_test(test_all_sizes),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
