/* A boot against earlier ones: longer or not, a step or a creep, or once only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/model/boot_compare.h"
#include "tests/support/boots.h"

static struct boot boots[16]; /* oldest first */
static const struct boot *earlier[16];

/* Boots of these lengths, oldest first; the last is compared with the others. */
static struct boot_comparison compare(size_t count, const double *seconds)
{
        struct boot_comparison comparison;
        for (size_t i = 0; i < count; i++)
                boots[i] = fake_boot((unsigned)i, seconds[i]);
        for (size_t i = 0; i + 1 < count; i++)
                earlier[i] = &boots[count - 2 - i];
        boot_compare(&boots[count - 1], earlier, count - 1, &comparison);
        return comparison;
}

#define COMPARE(...)                                                                                         \
        compare(sizeof((const double[]){ __VA_ARGS__ }) / sizeof(double), (const double[]){ __VA_ARGS__ })

static void test_nothing(void **state)
{
        (void)state;
        struct boot_comparison comparison = COMPARE(20);
        assert_int_equal(comparison.count, 0);
        assert_true(comparison.usual_usec == ABSENT);
        assert_int_equal(comparison.over_usec, 0);
        assert_int_equal(comparison.change, BOOT_AS_USUAL);
        assert_false(comparison.is_once);
}

static void test_usual(void **state)
{
        (void)state;
        struct boot_comparison comparison = COMPARE(21, 19, 60, 20, 20.5);
        assert_int_equal(comparison.count, 4);
        assert_int_equal(comparison.usual_usec, 20500 * USEC_PER_MSEC);
        assert_int_equal(comparison.change, BOOT_AS_USUAL);
        comparison = COMPARE(20, 20, 20, 12);
        assert_int_equal(comparison.over_usec, 0);
        /* No more than ten, the newest. */
        comparison = COMPARE(90, 90, 90, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20);
        assert_int_equal(comparison.count, 10);
        assert_int_equal(comparison.usual_usec, 20 * USEC_PER_SEC);
}

static void test_step(void **state)
{
        (void)state;
        struct boot_comparison comparison = COMPARE(20, 21, 20, 19, 45);
        assert_int_equal(comparison.over_usec, 25 * USEC_PER_SEC);
        assert_int_equal(comparison.change, BOOT_STEP);
        assert_int_equal(comparison.since_boots, 0);
        assert_int_equal(comparison.since_usec, boots[4].times.began_usec);
        comparison = COMPARE(20, 21, 20, 19, 20, 21, 20, 45, 46, 45);
        assert_int_equal(comparison.change, BOOT_STEP);
        assert_int_equal(comparison.since_boots, 2);
        assert_int_equal(comparison.since_usec, boots[7].times.began_usec);
}

static void test_creep(void **state)
{
        (void)state;
        struct boot_comparison comparison = COMPARE(20, 23, 25, 29, 32, 34, 38, 41, 44, 47, 50);
        assert_int_equal(comparison.change, BOOT_CREEP);
        assert_int_equal(comparison.since_usec, boots[0].times.began_usec);
}

/* A boot that had not finished when the machine went down says nothing. */
static void test_unfinished(void **state)
{
        (void)state;
        struct boot_comparison comparison;
        for (unsigned i = 0; i < 4; i++) {
                boots[i] = fake_boot(i, 20);
                earlier[3 - i] = &boots[i];
        }
        boots[3].times.stage = BOOT_STARTING;
        struct boot now = fake_boot(9, 22);
        boot_compare(&now, earlier, 4, &comparison);
        assert_int_equal(comparison.count, 3);
}

static void assert_once(struct boot *now, const char *reason)
{
        struct boot_comparison comparison;
        boot_compare(now, earlier, 3, &comparison);
        assert_int_equal(comparison.is_once, reason != NULL);
        assert_string_equal(comparison.once, reason ? reason : "");
}

static void test_once(void **state)
{
        (void)state;
        for (unsigned i = 0; i < 3; i++) {
                boots[i] = fake_boot(i, 20);
                earlier[2 - i] = &boots[i];
        }
        struct boot now = fake_boot(9, 60);
        assert_once(&now, NULL);
        (void)snprintf(now.times.kernel, sizeof(now.times.kernel), "6.1.0-42-amd64");
        assert_once(&now, "the first boot with kernel 6.1.0-42-amd64");
        now = fake_boot(9, 60);
        (void)fake_boot_unit(&now, "systemd-fsck@dev-vda.service", 0.4, 0.4); /* as in every boot */
        assert_once(&now, NULL);
        (void)fake_boot_unit(&now, "systemd-fsck-root.service", 38, 38);
        assert_once(&now, "a file system was checked");
        now = fake_boot(9, 60);
        (void)fake_boot_unit(&now, "dkms.service", 30, 30);
        assert_once(&now, "kernel modules were built");
        now = fake_boot(9, 60);
        (void)fake_boot_unit(&now, "systemd-firstboot.service", 0.1, 0);
        assert_once(&now, "the first start of this system");
}

static void test_units(void **state)
{
        (void)state;
        uint64_t usual[BOOT_UNITS_MAX];
        for (unsigned i = 0; i < 3; i++) {
                boots[i] = fake_boot(i, 20);
                earlier[2 - i] = &boots[i];
                (void)fake_boot_unit(&boots[i], "web.service", 1 + i, 1);
        }
        struct boot now = fake_boot(9, 60);
        (void)fake_boot_unit(&now, "new.service", 30, 30);
        (void)fake_boot_unit(&now, "web.service", 30, 30);
        boot_compare_units(&now, earlier, 3, usual);
        assert_int_equal(usual[0], 0); /* the target */
        assert_int_equal(usual[1], 500 * USEC_PER_MSEC);
        assert_true(usual[2] == ABSENT);
        assert_int_equal(usual[3], 2 * USEC_PER_SEC);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nothing),    cmocka_unit_test(test_usual),
                cmocka_unit_test(test_step),       cmocka_unit_test(test_creep),
                cmocka_unit_test(test_unfinished), cmocka_unit_test(test_once),
                cmocka_unit_test(test_units),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
