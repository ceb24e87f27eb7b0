/* memory.leak: the memory of one program grows without bound. Judged is the floor of what it holds alone,
 * anonymous and swapped: never resident or shared memory, which grows as caches and buffers fill. */
#include <string.h>

#include "common/text.h"
#include "common/units.h"
#include "daemon/checks/blame.h"
#include "daemon/checks/growth.h"

enum { HORIZON, MINIMUM_GROWTH, WARNING };

static const struct check_parameter parameters[] = {
        [HORIZON] = { "HorizonSeconds", "seconds", 604800, 600, 8640000,
                      "memory must be used up within this time, at the rate at which it grows",
                      "what takes longer than a week is met by an update or a reboot first",
                      "a proposal of the project's research: less than seven days" },
        [MINIMUM_GROWTH] = { "MinimumGrowthPermille", "permille", 20, 1, 500,
                             "of the machine's memory that it must have grown by within an hour; a quarter "
                             "of it within hours and days, and more within minutes",
                             "less is a program that has more to do",
                             "the research's 2 % of growth, taken of the machine" },
        [WARNING] = { "WarningSeconds", "seconds", 86400, 600, 8640000,
                      "when less time is left it is a warning, before that a notice",
                      "a day is enough to plan a restart", "convention" },
        { NULL, NULL, 0, 0, 0, NULL, NULL, NULL },
};

/* Looked at, those that hold most. Who is further down holds too little to have grown by that much. */
#define SUSPECTS_MAX 16

struct suspect {
        uint32_t program;
        uint64_t bytes;
        usec_t age_usec;                   /* of its oldest process */
        const struct cgroup_sample *limit; /* the group whose limit it meets before the machine's; or NULL */
        double room_bytes;
        struct growth growth;
};

struct situation {
        const struct history *history;
        const struct snapshot *latest;
        const double *p;
        bool was_found;
        double total, room, swap_free;
        struct suspect suspects[SUSPECTS_MAX];
        size_t count;
        bool is_any_known;
};

static uint64_t own_bytes(const struct program *program)
{
        if (program->anon_bytes == ABSENT)
                return ABSENT;
        return program->anon_bytes + (program->swap_bytes == ABSENT ? 0 : program->swap_bytes);
}

static void find_suspects(struct situation *s)
{
        for (size_t i = 0; i < s->latest->program_count; i++) {
                const struct program *program = &s->latest->programs[i];
                uint64_t bytes = own_bytes(program);
                if (bytes == ABSENT || program->is_kernel)
                        continue;
                s->is_any_known = true;
                if (1000 * (double)bytes < s->p[MINIMUM_GROWTH] / 4 * s->total)
                        continue;
                size_t at = s->count < SUSPECTS_MAX ? s->count++ : SUSPECTS_MAX - 1;
                if (at == SUSPECTS_MAX - 1 && s->suspects[at].bytes >= bytes)
                        continue;
                for (; at > 0 && s->suspects[at - 1].bytes < bytes; at--)
                        s->suspects[at] = s->suspects[at - 1];
                s->suspects[at] = (struct suspect){ .program = (uint32_t)i, .bytes = bytes };
        }
        for (size_t i = 0; i < s->latest->process_count; i++) {
                const struct process_rate *rate = &s->latest->processes[i];
                for (size_t k = 0; k < s->count; k++)
                        if (s->suspects[k].program == rate->program &&
                            rate->age_usec > s->suspects[k].age_usec)
                                s->suspects[k].age_usec = rate->age_usec;
        }
}

static const struct cgroup_sample *find_group(const struct snapshot *latest, uint64_t id)
{
        for (size_t i = 0; id && i < latest->unit_count; i++)
                if (latest->units[i].sample->id == id)
                        return latest->units[i].sample;
        return NULL;
}

/* What a limited group may still hold: its cache makes room, what is shared does not. */
static double room_of(const struct cgroup_sample *group)
{
        if (group->memory_max_bytes == ABSENT || group->memory_bytes == ABSENT)
                return NAN;
        double used = (double)group->memory_bytes;
        if (group->memory_file_bytes != ABSENT && group->memory_shmem_bytes != ABSENT &&
            group->memory_file_bytes > group->memory_shmem_bytes)
                used -= (double)(group->memory_file_bytes - group->memory_shmem_bytes);
        return fmax(0, (double)group->memory_max_bytes - used);
}

static void find_room(const struct situation *s, struct suspect *suspect)
{
        const struct cgroup_sample *group =
                find_group(s->latest, s->latest->programs[suspect->program].cgroup_id);
        suspect->room_bytes = s->room;
        for (int depth = 0; group && depth < 16; depth++) {
                double room = room_of(group);
                if (room < suspect->room_bytes) {
                        suspect->room_bytes = room;
                        suspect->limit = group;
                }
                group = find_group(s->latest, group->parent_id);
        }
}

/* The one that is first to use up what there is. */
static struct suspect *find_leak(struct situation *s)
{
        struct suspect *worst = NULL;
        for (size_t i = 0; i < s->count; i++) {
                struct suspect *suspect = &s->suspects[i];
                find_room(s, suspect);
                const struct growth_question question = {
                        .history = s->history,
                        .kind = TREND_PROGRAM_MEMORY,
                        .id = s->latest->programs[suspect->program].id,
                        .age_usec = suspect->age_usec,
                        .room_bytes = suspect->room_bytes,
                        .swap_bytes = suspect->limit ? 0 : s->swap_free,
                        .total_bytes = suspect->limit ? (double)suspect->limit->memory_max_bytes : s->total,
                        .horizon_sec = s->p[HORIZON],
                        .share = s->p[MINIMUM_GROWTH] / 1000,
                        .was_found = s->was_found,
                };
                if (growth_find(&question, &suspect->growth) &&
                    (!worst || suspect->growth.left_sec < worst->growth.left_sec))
                        worst = suspect;
        }
        return worst;
}

/* ---- what is said ---- */

static void say_clear(const struct situation *s, struct finding *finding)
{
        static const char *const why[] = {
                [GROWTH_DAILY] = "but no further than it has been, or than a day's past could tell",
                [GROWTH_SLOWING] = "but more and more slowly",
                [GROWTH_STEPS] = "but in a few steps",
                [GROWTH_UNSTEADY] = "but up and down",
        };
        const struct suspect *nearest = NULL;
        char rate[UNITS_MAX];
        for (size_t i = 0; i < s->count; i++)
                if (!nearest || s->suspects[i].growth.verdict < nearest->growth.verdict)
                        nearest = &s->suspects[i];
        enum growth_verdict verdict = nearest ? nearest->growth.verdict : GROWTH_NONE;
        if (verdict == GROWTH_TOO_FEW)
                finding_reason(finding, VERDICT_CLEAR,
                               "no large program has grown steadily in the time that it has been watched");
        else if (verdict == GROWTH_LATER || verdict == GROWTH_NONE)
                finding_reason(finding, VERDICT_CLEAR, "no program's memory grows noticeably");
        else
                finding_reason(finding, VERDICT_CLEAR, "the memory of %s grows by %s each hour, %s",
                               s->latest->programs[nearest->program].name,
                               format_bytes(rate, nearest->growth.bytes_per_sec * 3600), why[verdict]);
}

/* Half of what it has when it begins anew, in whole hours where that is possible; 0 if that is too often. */
static unsigned restart_every_sec(const struct suspect *leak)
{
        double sec = (leak->room_bytes + leak->growth.now_bytes - leak->growth.from_bytes) / 2 /
                     leak->growth.bytes_per_sec;
        sec = fmin(sec, 7 * 86400.0);
        return sec >= 3600 ? (unsigned)sec / 3600 * 3600 : sec >= 600 ? (unsigned)sec / 60 * 60 : 0;
}

static void add_remedies(const struct situation *s, const struct suspect *leak, const struct family *family,
                         struct finding *finding)
{
        char command[FINDING_TEXT_MAX], size[UNITS_MAX], every[UNITS_MAX];
        const char *unit = s->latest->programs[leak->program].unit, *type = strrchr(unit, '.');
        bool is_service = type && strcmp(type, ".service") == 0;
        unsigned sec = restart_every_sec(leak);
        (void)format_bytes(size, leak->growth.now_bytes - leak->growth.from_bytes);
        if (!is_service) {
                finding_remedy(finding, NULL, "close %s and start it again, which frees about %s",
                               family->name, size);
                finding_remedy(finding, command_to_processes(command, s->latest, family, "kill -TERM"),
                               "or end it, before the kernel has to");
                return;
        }
        finding_remedy(finding, command_on_unit(command, unit, "systemctl restart %s", unit),
                       "restart it, which frees about %s", size);
        (void)command_on_unit(command, unit,
                              "mkdir -p /etc/systemd/system/%s.d && printf '[Service]\\nRuntimeMaxSec=%u\\n"
                              "Restart=always\\n' >/etc/systemd/system/%s.d/leak.conf && "
                              "systemctl daemon-reload",
                              unit, sec, unit);
        if (command[0] && sec > 0)
                finding_remedy(finding, command, "until it is mended, let systemd restart it every %s",
                               format_duration(every, sec * USEC_PER_SEC));
        (void)command_on_unit(command, unit, "systemctl set-property %s MemoryMax=%.0fM", unit,
                              (leak->growth.now_bytes + leak->room_bytes / 2) / 1e6);
        if (command[0] && !leak->limit)
                finding_remedy(finding, command, "confine the damage to it");
}

static void describe(const struct situation *s, const struct suspect *leak, struct finding *finding)
{
        char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX];
        const struct growth *growth = &leak->growth;
        usec_t age_usec = s->latest->time.realtime_usec - growth->since_usec;
        finding_evidence(finding, "memory.growth", growth->now_bytes - growth->from_bytes, "bytes",
                         s->p[MINIMUM_GROWTH] / 1000 * s->total, NAN,
                         "what it holds when it holds least has grown from %s to %s in %s",
                         format_bytes(a, growth->from_bytes), format_bytes(b, growth->now_bytes),
                         format_duration(c, age_usec));
        growth_say_rate(growth, finding);
        if (leak->limit)
                finding_evidence(finding, "memory.left", leak->room_bytes, "bytes", NAN, NAN,
                                 "%s are left of the %s that %s may hold", format_bytes(a, leak->room_bytes),
                                 format_bytes(b, (double)leak->limit->memory_max_bytes), leak->limit->unit);
        else
                finding_evidence(finding, "memory.left", leak->room_bytes, "bytes", NAN, NAN,
                                 "%s of memory and swap are left", format_bytes(a, leak->room_bytes));
        growth_say_time_left(growth->left_sec, s->p[WARNING], finding);
}

static void found(const struct situation *s, const struct suspect *leak, struct finding *finding)
{
        char size[UNITS_MAX], rate[FINDING_TEXT_MAX], left[UNITS_MAX];
        const struct program *program = &s->latest->programs[leak->program];
        const struct growth *growth = &leak->growth;
        struct family family = {
                .name = program->name,
                .ledger = program->ledger,
                .memory_bytes = leak->bytes,
                .count = program->count,
                .programs = { leak->program },
                .program_count = 1,
        };
        growth_found(growth, growth->left_sec, s->p[WARNING], finding);
        finding->takes_memory = !leak->limit && s->room < GROWTH_SHORT * s->total;
        finding->culprit = subject_of_family(s->latest, &family, NAN, SUBJECT_PROGRAM);
        finding->has_origin = origin_of_family(s->latest, &family, &finding->origin);
        describe(s, leak, finding);
        add_remedies(s, leak, &family, finding);
        text_format(
                finding->summary, sizeof(finding->summary),
                "the memory of %s grows without bound: %s by now, %s more each hour, and %s used up in %s",
                program->name, format_bytes(size, growth->now_bytes),
                format_bytes(rate, growth->bytes_per_sec * 3600), leak->limit ? "its limit is" : "memory is",
                format_duration(left, (usec_t)(growth->left_sec * 1e6)));
}

static void run(const struct check_context *context, struct finding *ret_finding)
{
        struct situation s = {
                .history = context->history,
                .latest = history_latest(context->history),
                .p = context->parameters,
                .was_found = context->was_found,
        };
        double swap = s.latest->value[FIELD_SWAP_TOTAL_BYTES] - s.latest->value[FIELD_SWAP_USED_BYTES];
        s.total = s.latest->value[FIELD_MEMORY_TOTAL_BYTES];
        s.swap_free = isnan(swap) ? 0 : swap;
        s.room = s.latest->value[FIELD_MEMORY_AVAILABLE_BYTES] + s.swap_free;
        if (isnan(s.total) || isnan(s.room)) {
                finding_reason(ret_finding, VERDICT_UNKNOWN, "MemAvailable of /proc/meminfo cannot be read");
                return;
        }
        find_suspects(&s);
        if (!s.is_any_known && s.latest->program_count > 0) {
                finding_reason(ret_finding, VERDICT_UNKNOWN, "the memory of programs cannot be read");
                return;
        }
        const struct suspect *leak = find_leak(&s);
        if (leak)
                found(&s, leak, ret_finding);
        else
                say_clear(&s, ret_finding);
}

static const char *const explains[] = { "memory.thrash", "memory.exhausted", "memory.limit",
                                        "memory.oom",    "disk.saturated",   NULL };

const struct check check_memory_leak = {
        .name = "memory.leak",
        .title = "The memory of one program grows without bound",
        .message_id = "7e0d3e189253477898fa850d3549f56d",
        .culprit_kind = SUBJECT_PROGRAM,
        .cause = "A program keeps memory that it does not need any more, more of it from hour to hour. What "
                 "it holds when it holds least rises steadily.",
        .meaning = "One day memory is used up: first caches go, then the machine swaps, then the kernel "
                   "kills a program, which need not be this one.",
        .remedy = "Restart it before that, for a while by a timer (RuntimeMaxSec=), and have it mended. A "
                  "MemoryMax= on its unit makes sure that it hurts nobody else.",
        .look_alike = "A cache that fills, a warm-up, buffers that are shared, garbage that is collected and "
                      "the daily rise end by themselves: they slow down, fall back, or have been as high "
                      "before. Files in the page cache belong to no program and are dropped when memory is "
                      "needed.",
        .explains = explains,
        .parameters = parameters,
        .run = run,
};
