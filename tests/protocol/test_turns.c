/* Who is served next: a flood delays its sender and nobody else, and silence earns nothing. */
#include "daemon/serve/turns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void test_accounts_are_counted(void **state)
{
        (void)state;
        struct turns turns = { 0 };
        struct account *a = turns_open(&turns, 1000), *b = turns_open(&turns, 1001);
        assert_ptr_equal(turns_open(&turns, 1000), a);
        assert_int_equal(turns_connections(&turns, 1000), 2);
        assert_int_equal(turns_connections(&turns, 1001), 1);
        assert_int_equal(turns_connections(&turns, 7), 0);
        turns_close(&turns, a);
        assert_int_equal(turns_connections(&turns, 1000), 1);
        turns_close(&turns, b);
        turns_close(&turns, a);
        assert_null(turns.accounts);
}

static void test_whoever_cost_less_is_first(void **state)
{
        (void)state;
        struct turns turns = { 0 };
        struct account *flood = turns_open(&turns, 1), *quiet = turns_open(&turns, 2);
        uint64_t flood_cost = 0, quiet_cost = 0;
        for (int i = 0; i < 100; i++) {
                turns_wait(&turns, flood, &flood_cost);
                turns_charge(&turns, flood, &flood_cost, 1000000);
        }
        turns_wait(&turns, flood, &flood_cost);
        turns_wait(&turns, quiet, &quiet_cost);
        assert_true(turns_is_before(quiet, quiet_cost, flood, flood_cost));
        assert_false(turns_is_before(flood, flood_cost, quiet, quiet_cost));
        /* but what it did not use it has not saved: after one turn of the same cost they are about even */
        turns_charge(&turns, quiet, &quiet_cost, 1500000);
        turns_wait(&turns, quiet, &quiet_cost);
        assert_true(turns_is_before(flood, flood_cost, quiet, quiet_cost));
        turns_close(&turns, flood);
        turns_close(&turns, quiet);
}

static void test_within_one_user(void **state)
{
        (void)state;
        struct turns turns = { 0 };
        struct account *user = turns_open(&turns, 1);
        uint64_t heavy = 0, light = 0;
        (void)turns_open(&turns, 1);
        for (int i = 0; i < 10; i++) {
                turns_wait(&turns, user, &heavy);
                turns_charge(&turns, user, &heavy, 1000);
        }
        turns_wait(&turns, user, &heavy);
        turns_wait(&turns, user, &light);
        assert_true(turns_is_before(user, light, user, heavy));
        turns_close(&turns, user);
        turns_close(&turns, user);
}

static void test_many_connections_do_not_help(void **state)
{
        (void)state;
        struct turns turns = { 0 };
        struct account *flood = turns_open(&turns, 1), *quiet = turns_open(&turns, 2);
        uint64_t costs[50] = { 0 }, quiet_cost = 0;
        for (int i = 0; i < 50; i++)
                turns_wait(&turns, flood, &costs[i]);
        turns_charge(&turns, flood, &costs[0], 1000); /* one of fifty new connections has been served */
        turns_wait(&turns, quiet, &quiet_cost);
        for (int i = 1; i < 50; i++)
                assert_true(turns_is_before(quiet, quiet_cost, flood, costs[i]));
        turns_close(&turns, flood);
        turns_close(&turns, quiet);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_accounts_are_counted),
                cmocka_unit_test(test_whoever_cost_less_is_first),
                cmocka_unit_test(test_within_one_user),
                cmocka_unit_test(test_many_connections_do_not_help),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
