/* Looks aside: results handed over, errors, a look that hangs, and an end while one does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <semaphore.h>
#include <string.h>

#include "daemon/sample/aside.h"
#include "tests/support/tree.h"

static usec_t ahead_usec; /* of the kernel's clock */

static void read_clock(void *userdata, struct clock_reading *ret_now)
{
        (void)userdata;
        *ret_now = clock_now(&clock_real);
        ret_now->monotonic_usec += ahead_usec;
}

static const struct clock test_clock = { .read = read_clock };

struct counted {
        int looks;
};

static int fail_with; /* what the next looks return */
static int released;

static int count_look(const struct root *root, const struct clock *clock, void *state, void *ret_result)
{
        struct counted *counter = state, *result = ret_result;
        (void)root;
        (void)clock;
        result->looks = ++counter->looks;
        return fail_with;
}

static void count_done(void *state, void *result)
{
        released += state ? 100 : 1;
        assert_true((state == NULL) != (result == NULL));
}

static const struct aside_source counting = {
        .name = "counting",
        .delay_usec = 2 * USEC_PER_SEC,
        .interval_usec = 10 * USEC_PER_SEC,
        .deadline_usec = USEC_PER_SEC,
        .state_size = sizeof(struct counted),
        .result_size = sizeof(struct counted),
        .look = count_look,
        .done = count_done,
};

/* What is recorded is looked at by the tick itself: the same answers each time. */
static void test_without_thread(void **state)
{
        struct tree tree;
        struct aside *aside = NULL;
        const void *result;
        const struct counted *counted;
        usec_t begun_usec;
        bool is_new;
        (void)state;
        released = fail_with = 0;
        ahead_usec = 0;
        tree_init(&tree);
        assert_int_equal(aside_new(&counting, &tree.root, &test_clock, &aside), 0);
        assert_int_equal(aside_take(aside, &result, &begun_usec, &is_new), -EAGAIN);
        assert_null(result);
        assert_false(is_new);

        ahead_usec += 2 * USEC_PER_SEC;
        usec_t now_usec = clock_now(&test_clock).monotonic_usec;
        assert_int_equal(aside_take(aside, &result, &begun_usec, &is_new), 0);
        counted = result;
        assert_int_equal(counted->looks, 1);
        assert_true(is_new);
        assert_true(begun_usec >= now_usec);
        assert_int_equal(aside_take(aside, &result, &begun_usec, &is_new), 0);
        assert_ptr_equal(result, counted);
        assert_false(is_new);

        fail_with = -EIO; /* the result before stays, and its time */
        usec_t before_usec = begun_usec;
        ahead_usec += 11 * USEC_PER_SEC;
        assert_int_equal(aside_take(aside, &result, &begun_usec, &is_new), -EIO);
        counted = result;
        assert_int_equal(counted->looks, 1);
        assert_false(is_new);
        assert_int_equal(begun_usec, before_usec);

        fail_with = 0;
        ahead_usec += 11 * USEC_PER_SEC;
        assert_int_equal(aside_take(aside, &result, &begun_usec, &is_new), 0);
        counted = result;
        assert_int_equal(counted->looks, 3);
        assert_true(is_new);
        assert_null(aside_free(aside));
        assert_int_equal(released, 103); /* three results and the state */
        tree_done(&tree);
}

static sem_t entered, go_on;

static int wait_look(const struct root *root, const struct clock *clock, void *state, void *ret_result)
{
        struct counted *counter = state, *result = ret_result;
        (void)root;
        (void)clock;
        assert_int_equal(sem_post(&entered), 0);
        assert_int_equal(sem_wait(&go_on), 0);
        result->looks = ++counter->looks;
        return 0;
}

static sem_t has_released;

static void wait_done(void *state, void *result)
{
        (void)result;
        if (state)
                assert_int_equal(sem_post(&has_released), 0);
}

static const struct aside_source waiting = {
        .name = "waiting",
        .deadline_usec = 30 * USEC_PER_SEC, /* more than a loaded machine may take between two lines below */
        .is_polite = true,
        .state_size = sizeof(struct counted),
        .result_size = sizeof(struct counted),
        .look = wait_look,
        .done = wait_done,
};

static void test_with_thread(void **state)
{
        struct root root;
        struct aside *aside = NULL;
        const void *result;
        usec_t begun_usec;
        bool is_new;
        (void)state;
        ahead_usec = 0;
        assert_int_equal(sem_init(&entered, 0, 0), 0);
        assert_int_equal(sem_init(&go_on, 0, 0), 0);
        assert_int_equal(sem_init(&has_released, 0, 0), 0);
        assert_int_equal(root_init(&root, "/"), 0);
        assert_int_equal(aside_new(&waiting, &root, &test_clock, &aside), 0);
        assert_int_equal(sem_wait(&entered), 0);
        assert_int_equal(aside_take(aside, &result, &begun_usec, &is_new), -EAGAIN);
        ahead_usec += 31 * USEC_PER_SEC;
        assert_int_equal(aside_take(aside, &result, &begun_usec, &is_new), -ETIMEDOUT);
        assert_null(result);
        assert_int_equal(sem_post(&go_on), 0);
        assert_int_equal(sem_wait(&entered), 0); /* the second look: the first is finished */
        assert_int_equal(aside_take(aside, &result, &begun_usec, &is_new), 0);
        assert_true(is_new);
        assert_int_equal(((const struct counted *)result)->looks, 1);

        /* The second hangs for good: the end does not wait for it. */
        ahead_usec += 31 * USEC_PER_SEC;
        assert_int_equal(aside_take(aside, &result, &begun_usec, &is_new), -ETIMEDOUT);
        assert_int_equal(((const struct counted *)result)->looks, 1);
        assert_false(is_new);
        assert_null(aside_free(aside));
        assert_int_equal(sem_trywait(&has_released), -1); /* it is still in use */
        assert_int_equal(sem_post(&go_on), 0);
        assert_int_equal(sem_wait(&has_released), 0);
        root_done(&root);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_without_thread),
                cmocka_unit_test(test_with_thread),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
