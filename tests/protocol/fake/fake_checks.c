/* Two checks, until the real table is there. */
#include <string.h>

#include "daemon/checks/check.h"

static const struct check_parameter parameters[] = {
        { "RaiseVictimWaitPermille", "permille", 100, 1, 1000, "meaning", "reason", "source" },
        { "SustainedSeconds", "seconds", 10, 1, 600, "meaning", "reason", "source" },
        { 0 },
};

static void run(const struct check_context *context, struct finding *ret_finding)
{
        (void)context;
        memset(ret_finding, 0, sizeof(*ret_finding));
}

static const struct check cpu_overload = {
        .name = "cpu.overload",
        .title = "One program asks for more CPU than there is",
        .message_id = "0123456789abcdef0123456789abcdef",
        .culprit_kind = SUBJECT_PROGRAM,
        .cause = "cause",
        .meaning = "meaning",
        .remedy = "remedy",
        .look_alike = "look-alike",
        .parameters = parameters,
        .run = run,
};
static const struct check memory_thrash = {
        .name = "memory.thrash",
        .title = "The working set does not fit",
        .message_id = "0123456789abcdef0123456789abcde0",
        .culprit_kind = SUBJECT_PROGRAM,
        .cause = "cause",
        .meaning = "meaning",
        .remedy = "remedy",
        .look_alike = "look-alike",
        .parameters = parameters,
        .run = run,
};

const struct check *const checks[] = { &cpu_overload, &memory_thrash, NULL };

const struct check *check_find(const char *name)
{
        for (size_t i = 0; checks[i]; i++)
                if (strcmp(checks[i]->name, name) == 0)
                        return checks[i];
        return NULL;
}
