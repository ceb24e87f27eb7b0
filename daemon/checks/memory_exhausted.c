/* memory.exhausted: too many programs are open for the memory there is, and no single one is to blame. */
#include <string.h>

#include "common/text.h"
#include "common/units.h"
#include "daemon/checks/blame.h"

enum { WINDOW_SECONDS, RAISE_AVAILABLE, CLEAR_AVAILABLE, RISK_AVAILABLE, MINIMUM_PRESSURE, SINGLE_SHARE };

static const struct check_parameter parameters[] = {
        [WINDOW_SECONDS] = { "WindowSeconds", "seconds", 20, 2, 300, "the window whose means are judged",
                             "memory that is short for a moment is what caches are dropped for",
                             "oomd: 30 s" },
        [RAISE_AVAILABLE] = { "RaiseAvailablePermille", "permille", 100, 1, 500,
                              "memory still available, and swap still free where there is swap, of their "
                              "totals",
                              "below a tenth of both the kernel frees memory in the path of whoever asks for "
                              "some",
                              "earlyoom: MemAvailable and free swap both at 10 %; systemd-oomd: both 90 % "
                              "used" },
        [CLEAR_AVAILABLE] = { "ClearAvailablePermille", "permille", 150, 1, 600,
                              "above this an open incident ends", "half as much again as the raise level",
                              "netdata ram_available: 10 % and 15 %" },
        [RISK_AVAILABLE] = { "RiskAvailablePermille", "permille", 50, 1, 500,
                             "below this it is a risk even if nobody waits yet",
                             "the next large allocation can call the out-of-memory killer",
                             "earlyoom kills at 5 %" },
        [MINIMUM_PRESSURE] = { "MinimumPressurePermille", "permille", 100, 1, 1000,
                               "share of time in which somebody waits for memory (PSI some)",
                               "memory that is full but that nobody waits for is memory well used",
                               "psi-notify: memory some above 10 %; nohang: PSI must be joined with memory "
                               "state" },
        [SINGLE_SHARE] = { "SingleSharePermille", "permille", 500, 100, 1000,
                           "a program with this share of all program memory is to blame alone",
                           "whoever holds half is the one to close, which is another finding",
                           "convention: more than all others together" },
        { NULL, NULL, 0, 0, 0, NULL, NULL, NULL },
};

/* Programs by the memory they hold, whether they did anything or not. */
struct holder {
        const char *name;
        uint32_t program;
        uint32_t count;
        uint64_t bytes;
};

#define HOLDERS_MAX 256
#define SHOWN_MAX   4

/* The few that are shown to the front, largest first; nothing is allocated where memory is short. */
static void largest_first(struct holder *holders, size_t count)
{
        for (size_t i = 0; i < SHOWN_MAX && i < count; i++) {
                size_t largest = i;
                for (size_t k = i + 1; k < count; k++)
                        if (holders[k].bytes > holders[largest].bytes)
                                largest = k;
                struct holder kept = holders[i];
                holders[i] = holders[largest];
                holders[largest] = kept;
        }
}

static size_t find_holders(const struct snapshot *latest, struct holder *ret_holders, uint64_t *ret_total)
{
        size_t count = 0;
        uint64_t total = 0;
        for (size_t i = 0; i < latest->program_count; i++) {
                const struct program *program = &latest->programs[i];
                uint64_t bytes = program->anon_bytes == ABSENT ? program->rss_bytes : program->anon_bytes;
                if (bytes == ABSENT || program->is_kernel)
                        continue;
                if (program->swap_bytes != ABSENT)
                        bytes += program->swap_bytes;
                total += bytes;
                size_t at = 0;
                while (at < count && strcmp(ret_holders[at].name, program->name) != 0)
                        at++;
                if (at == HOLDERS_MAX)
                        continue;
                if (at == count)
                        ret_holders[count++] =
                                (struct holder){ .name = program->name, .program = (uint32_t)i };
                ret_holders[at].bytes += bytes;
                ret_holders[at].count += program->count;
        }
        largest_first(ret_holders, count);
        *ret_total = total;
        return count;
}

static void describe_holders(const struct holder *holders, size_t count, struct finding *finding)
{
        char size[UNITS_MAX];
        for (size_t i = 0; i < count && i < SHOWN_MAX; i++)
                finding_evidence(finding, "memory.program", (double)holders[i].bytes, "bytes", NAN, NAN,
                                 "%s holds %s in %u process%s", holders[i].name,
                                 format_bytes(size, (double)holders[i].bytes), holders[i].count,
                                 holders[i].count == 1 ? "" : "es");
}

static void run(const struct check_context *context, struct finding *ret_finding)
{
        const double *p = context->parameters;
        const struct history *history = context->history;
        const struct snapshot *latest = history_latest(history);
        usec_t window_usec = (usec_t)(p[WINDOW_SECONDS] * (double)USEC_PER_SEC);
        double total = latest->value[FIELD_MEMORY_TOTAL_BYTES];
        double available = history_mean(history, FIELD_MEMORY_AVAILABLE_BYTES, window_usec);
        double swap_total = latest->value[FIELD_SWAP_TOTAL_BYTES];
        double swap_free = swap_total - latest->value[FIELD_SWAP_USED_BYTES];
        double pressure = history_mean(history, FIELD_PSI_MEMORY_SOME, window_usec);
        char share[UNITS_MAX], size[UNITS_MAX], lost[UNITS_MAX], whole[UNITS_MAX];
        if (isnan(total) || isnan(available)) {
                finding_reason(ret_finding, VERDICT_UNKNOWN, "MemAvailable of /proc/meminfo cannot be read");
                return;
        }
        double available_permille = 1000 * available / total;
        double limit = context->was_found ? p[CLEAR_AVAILABLE] : p[RAISE_AVAILABLE];
        bool is_swap_left = swap_total > 0 && 1000 * swap_free > limit * swap_total;
        (void)format_permille(share, available_permille);
        (void)format_bytes(size, available);
        (void)format_bytes(whole, total);
        if (available_permille > limit || is_swap_left) {
                finding_reason(ret_finding, VERDICT_CLEAR, "%s of %s memory are available (%s)", size, whole,
                               share);
                return;
        }
        struct holder holders[HOLDERS_MAX];
        uint64_t held;
        size_t count = find_holders(latest, holders, &held);
        if (count > 0 && 1000 * (double)holders[0].bytes >= p[SINGLE_SHARE] * (double)held) {
                finding_reason(ret_finding, VERDICT_CLEAR,
                               "%s of memory are available, but one program (%s) holds most", share,
                               holders[0].name);
                return;
        }
        bool hurts = 1000 * pressure >= p[MINIMUM_PRESSURE];
        if (!hurts && available_permille > p[RISK_AVAILABLE]) {
                finding_reason(ret_finding, VERDICT_CLEAR,
                               "%s of memory are available, and nobody waits for memory (%s)", share,
                               format_permille(lost, 1000 * pressure));
                return;
        }
        struct finding *finding = ret_finding;
        finding->verdict = VERDICT_FOUND;
        finding->kind = hurts ? FINDING_CAUSE : FINDING_RISK;
        finding->lost_permille = isnan(pressure) ? 0 : (int32_t)(1000 * pressure);
        finding->severity = hurts ? SEVERITY_CRITICAL : SEVERITY_WARNING;
        finding->confidence_permille = isnan(pressure) ? 600 : 850;
        finding->since_usec = latest->time.realtime_usec - history_covered(history, window_usec);
        finding->culprit = subject_machine(latest);
        finding_evidence(finding, "memory.available", available, "bytes", p[RAISE_AVAILABLE] / 1000 * total,
                         NAN, "%s of %s are available (%s)", size, whole, share);
        finding_evidence(finding, "pressure.memory.some", 1000 * pressure, "permille", p[MINIMUM_PRESSURE],
                         NAN, "somebody waits for memory %s of the time (PSI)",
                         format_permille(lost, 1000 * pressure));
        describe_holders(holders, count, finding);
        text_format(finding->summary, sizeof(finding->summary),
                    "too many programs for the memory: %s of %s are left, %zu programs share the rest", size,
                    whole, count);
        if (count > 0)
                finding_remedy(finding, NULL, "close one of the largest: %s%s%s%s%s", holders[0].name,
                               count > 1 ? ", " : "", count > 1 ? holders[1].name : "", count > 2 ? ", " : "",
                               count > 2 ? holders[2].name : "");
        finding_remedy(finding, NULL,
                       swap_total > 0 ? "add memory" : "add memory, or swap for what is seldom used");
}

static const char *const explains[] = { "memory.thrash", "memory.oom", "disk.saturated", NULL };

const struct check check_memory_exhausted = {
        .name = "memory.exhausted",
        .title = "Too many programs are open for the memory there is",
        .message_id = "d28652b6ef4f4bb484027c6f77ca6606",
        .culprit_kind = SUBJECT_MACHINE,
        .cause = "Memory and swap are used up by many programs together; none of them holds most of it.",
        .meaning = "Whoever asks for memory first has to wait until some is freed, and the kernel may soon "
                   "kill a program.",
        .remedy =
                "Close programs, or add memory. Swap or zram helps where much of the memory is seldom used.",
        .look_alike = "Memory that is full of file cache is available: the kernel drops it when somebody "
                      "needs memory.",
        .explains = explains,
        .parameters = parameters,
        .run = run,
};
