/* What every test file about a fake machine begins with: cmocka, a fresh machine for each case, and the few
 * comparisons that cmocka lacks. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/support/machine.h"

#define SECONDS(n) ((usec_t)(n)*USEC_PER_SEC)

static struct fake_machine *machine;

static inline int set_up(void **state)
{
        (void)state;
        machine = fake_new();
        return 0;
}

static inline int tear_down(void **state)
{
        (void)state;
        machine = fake_free(machine);
        return 0;
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static inline void assert_about(double is, double expected, double tolerance)
{
        if (!(fabs(is - expected) <= tolerance))
                fail_msg("%.6f is not %.6f", is, expected);
}

static inline struct finding assert_verdict(const char *check, enum verdict verdict, bool was_found)
{
        struct finding finding = fake_check(machine, check, was_found);
        if (finding.verdict != verdict)
                fail_msg("%s is %s: %s", check,
                         finding.verdict == VERDICT_FOUND   ? "found"
                         : finding.verdict == VERDICT_CLEAR ? "clear"
                                                            : "unknown",
                         finding.summary);
        return finding;
}

static inline struct finding assert_found(const char *check)
{
        return assert_verdict(check, VERDICT_FOUND, false);
}

/* Clear, and it says why: `says` is part of the reason. */
static inline void assert_clear(const char *check, const char *says)
{
        struct finding finding = assert_verdict(check, VERDICT_CLEAR, false);
        if (!strstr(finding.summary, says))
                fail_msg("%s does not say \"%s\" but \"%s\"", check, says, finding.summary);
}

static inline void assert_says(const struct finding *finding, const char *text)
{
        if (!fake_says(finding, text))
                fail_msg("%s does not say \"%s\": %s", finding->check, text, finding->summary);
}
