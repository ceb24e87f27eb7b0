/* Programs of one name over a window, and how two of them are related. */
#include <string.h>

#include "common/text.h"
#include "daemon/checks/blame.h"
#include "daemon/sample/cgroup_path.h"

static float known(float value)
{
        return isnan(value) ? 0 : value;
}

static uint64_t program_memory(const struct program *program)
{
        uint64_t sum = 0;
        if (program->anon_bytes == ABSENT)
                return program->rss_bytes;
        sum = program->anon_bytes;
        if (program->swap_bytes != ABSENT)
                sum += program->swap_bytes;
        if (program->shmem_bytes != ABSENT)
                sum += program->shmem_bytes;
        return sum;
}

static struct family *family_of(struct family *families, size_t *count, size_t max,
                                const struct program *program, const char *name)
{
        for (size_t i = 0; i < *count; i++)
                if (families[i].is_batch == program->is_batch && strcmp(families[i].name, name) == 0)
                        return &families[i];
        if (*count == max)
                return NULL;
        families[*count] = (struct family){
                .name = name,
                .ledger = ledger_unknown(),
                .memory_bytes = ABSENT,
                .is_kernel = true,
                .is_batch = program->is_batch,
                .is_idle_class = true,
                .delays_known = true,
                .is_self = strcmp(name, "slowd") == 0 || strcmp(name, "slowctl") == 0,
        };
        return &families[(*count)++];
}

static void family_add(struct family *family, const struct program_window *window,
                       const struct program *program)
{
        ledger_add(&family->ledger, &window->ledger);
        family->cpu += known(window->cpu) + known(window->children_cpu);
        family->demand += known(window->cpu) + known(window->children_cpu) + known(window->ledger.cpu_wait);
        family->steady_cpu += known(window->steady_cpu);
        family->read_bytes += known(window->read_bytes);
        family->write_bytes += known(window->write_bytes);
        family->major_faults += known(window->major_faults);
        family->voluntary_switches += known(window->voluntary_switches);
        family->throttled_time_share = window->throttled_time_share > family->throttled_time_share
                                               ? window->throttled_time_share
                                               : family->throttled_time_share;
        family->is_kernel &= window->is_kernel;
        family->is_idle_class &= window->is_idle_class;
        family->delays_known &= program->delays_known;
        family->count += program->count;
        uint64_t memory = program_memory(program);
        if (memory != ABSENT)
                family->memory_bytes = (family->memory_bytes == ABSENT ? 0 : family->memory_bytes) + memory;
}

/* The one that wanted most stands first; of more than there is room for, later ones only if they want more
 * than it. */
static void add_program(const struct snapshot *latest, struct family *family, uint32_t program)
{
        bool is_first = family->program_count == 0 ||
                        ledger_wanted(&latest->programs[program].ledger) >
                                ledger_wanted(&latest->programs[family->programs[0]].ledger);
        uint32_t at = family->program_count;
        if (at == FAMILY_PROGRAMS_MAX && !is_first)
                return;
        if (at == FAMILY_PROGRAMS_MAX)
                at--;
        else
                family->program_count++;
        family->programs[at] = program;
        if (is_first) {
                family->programs[at] = family->programs[0];
                family->programs[0] = program;
        }
}

size_t families_make_named(const struct history *history, usec_t window_usec, family_namer *name_of,
                           void *userdata, struct family *ret_families, size_t max)
{
        struct program_window windows[HISTORY_WINDOW_PROGRAMS_MAX];
        const struct snapshot *latest = history_latest(history);
        size_t window_count = history_programs(history, window_usec, windows, HISTORY_WINDOW_PROGRAMS_MAX);
        size_t count = 0;
        for (size_t i = 0; i < window_count; i++) {
                if (windows[i].program < 0)
                        continue;
                const struct program *program = &latest->programs[windows[i].program];
                const char *name = name_of ? name_of(userdata, &windows[i], program) : NULL;
                struct family *family =
                        family_of(ret_families, &count, max, program, name ? name : program->name);
                if (!family)
                        continue;
                family_add(family, &windows[i], program);
                add_program(latest, family, (uint32_t)windows[i].program);
        }
        return count;
}

size_t families_make(const struct history *history, usec_t window_usec, struct family *ret_families,
                     size_t max)
{
        return families_make_named(history, window_usec, NULL, NULL, ret_families, max);
}

int32_t lost_permille_of(float waited, const struct ledger *ledger)
{
        float wanted = ledger_wanted(ledger);
        if (!(wanted > 0) || isnan(waited))
                return 0;
        float permille = 1000 * waited / wanted;
        return permille > 1000 ? 1000 : (int32_t)permille;
}

bool is_build_tool(const char *name)
{
        /* The group "build" of common process tables, and what compilers call in turn. */
        static const char *const tools[] = { "make",        "gmake",   "ninja",    "cmake",
                                             "cc1",         "cc1plus", "gcc",      "cc",
                                             "g++",         "c++",     "clang",    "clang++",
                                             "as",          "ld",      "collect2", "lto1",
                                             "lto-wrapper", "ld.gold", "ld.lld",   "mold",
                                             "ar",          "ranlib",  "rustc",    "cargo",
                                             "go",          "compile", "link",     "javac",
                                             "gradle",      "mvn",     "bazel",    "meson",
                                             "ccache",      "sccache", "distcc",   "f951",
                                             "ghc",         "tsc",     "cc1obj",   "dpkg-buildpackage" };
        for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++)
                if (strcmp(name, tools[i]) == 0)
                        return true;
        /* x86_64-linux-gnu-gcc-12, clang-14 */
        return strstr(name, "-gcc") || strstr(name, "-g++") || strstr(name, "-linux-gnu") ||
               strncmp(name, "clang-", 6) == 0;
}

/* A few of a family's processes speak for all of them. */
#define SPOKESMEN 4

static size_t spokesmen(const struct snapshot *snapshot, const struct family *family,
                        const struct process_sample *ret_processes[SPOKESMEN])
{
        uint32_t indices[SPOKESMEN];
        size_t count = snapshot_program_processes(snapshot, family->programs[0], indices, SPOKESMEN);
        for (size_t i = 0; i < count; i++)
                ret_processes[i] = snapshot->processes[indices[i]].sample;
        return count;
}

static bool descends(const struct process_sample *process, uint32_t pid)
{
        const struct process_identity *identity = process->identity;
        if (pid <= 1)
                return false;
        for (uint32_t i = 0; i < identity->chain_length; i++)
                if (identity->chain[i].pid == pid)
                        return true;
        return false;
}

/* Both were started by the same build: its shells and scripts wait for its compilers by design. */
static bool is_one_build(const struct process_sample *a, const struct process_sample *b)
{
        const struct process_identity *identity = a->identity;
        for (uint32_t i = 0; i < identity->chain_length; i++)
                if (is_build_tool(identity->chain[i].name) && descends(b, identity->chain[i].pid))
                        return true;
        return false;
}

bool is_same_job(const struct snapshot *snapshot, const struct family *a, const struct family *b)
{
        const struct process_sample *of_a[SPOKESMEN], *of_b[SPOKESMEN];
        if (is_build_tool(a->name) && is_build_tool(b->name))
                return true;
        size_t count_a = spokesmen(snapshot, a, of_a), count_b = spokesmen(snapshot, b, of_b);
        for (size_t i = 0; i < count_a; i++)
                for (size_t k = 0; k < count_b; k++)
                        if (descends(of_a[i], of_b[k]->pid) || descends(of_b[k], of_a[i]->pid) ||
                            is_one_build(of_a[i], of_b[k]))
                                return true;
        return false;
}

static const struct cgroup_sample *group_of(const struct snapshot *snapshot, const struct program *program)
{
        for (size_t i = 0; i < snapshot->unit_count; i++)
                if (snapshot->units[i].sample->id == program->cgroup_id)
                        return snapshot->units[i].sample;
        return NULL;
}

static uint64_t weight_of(const struct snapshot *snapshot, const struct program *program)
{
        const struct cgroup_sample *group = group_of(snapshot, program);
        return group ? group->cpu_weight : ABSENT;
}

/* The path itself is not kept, but its hash is. */
static bool is_below(const struct cgroup_sample *group, const char *directory)
{
        char path[UNIT_NAME_MAX + sizeof("/system.slice/")];
        text_format(path, sizeof(path), "%s/%s", directory, group->unit);
        return group->id == cgroup_id_of_path(path);
}

/* Of one parent: two services where systemd puts them, or, without systemd, two groups whose paths say so.
 * And the first process beside all of system.slice: it gets as much as all services together, whatever one of
 * them weighs. */
static bool is_sibling(const struct cgroup_sample *a, const struct cgroup_sample *b)
{
        const char *end_a = strrchr(a->unit, '/'), *end_b = strrchr(b->unit, '/');
        size_t length_a = end_a ? (size_t)(end_a - a->unit) : 0;
        size_t length_b = end_b ? (size_t)(end_b - b->unit) : 0;
        if (is_below(a, "/system.slice"))
                return is_below(b, "/system.slice") || strcmp(b->unit, "init.scope") == 0;
        return is_below(a, "") && is_below(b, "") && length_a == length_b &&
               strncmp(a->unit, b->unit, length_a) == 0;
}

/* What the remedy sets (CPUWeight=10 of the usual 100) is low enough. */
#define WEIGHT_FACTOR_LOW 10

/* Weights compare between siblings only: beyond that it is their ancestors' that count. */
static bool yields_by_weight(const struct snapshot *snapshot, const struct program *a,
                             const struct program *b)
{
        const struct cgroup_sample *of_a = group_of(snapshot, a), *of_b = group_of(snapshot, b);
        return of_a && of_b && of_a->cpu_weight != ABSENT && of_b->cpu_weight != ABSENT &&
               WEIGHT_FACTOR_LOW * of_a->cpu_weight <= of_b->cpu_weight && is_sibling(of_a, of_b);
}

/* An autogroup whose own nice is this low yields to the others whatever its members' nice is. */
#define AUTOGROUP_NICE_LOW 10

enum nice_effect nice_between(const struct snapshot *snapshot, const struct family *a, const struct family *b)
{
        const struct program *program_a = &snapshot->programs[a->programs[0]];
        const struct program *program_b = &snapshot->programs[b->programs[0]];
        const struct process_sample *of_a[SPOKESMEN], *of_b[SPOKESMEN];
        if (program_a->cgroup_id && program_a->cgroup_id == program_b->cgroup_id &&
            weight_of(snapshot, program_a) != ABSENT)
                return NICE_WORKS;
        /* With a CPU controller on either side, weights of units decide, and autogroups are out of play
         * there. */
        if (weight_of(snapshot, program_a) != ABSENT || weight_of(snapshot, program_b) != ABSENT)
                return NICE_OTHER_UNIT;
        if (spokesmen(snapshot, a, of_a) == 0 || spokesmen(snapshot, b, of_b) == 0)
                return NICE_UNKNOWN;
        if (of_a[0]->autogroup == ABSENT || of_b[0]->autogroup == ABSENT)
                return NICE_UNKNOWN;
        if (of_a[0]->autogroup == of_b[0]->autogroup || of_a[0]->autogroup_nice >= AUTOGROUP_NICE_LOW)
                return NICE_WORKS;
        return NICE_OTHER_SESSION;
}

bool yields(const struct snapshot *snapshot, const struct family *a, const struct family *b)
{
        return (a->is_batch && nice_between(snapshot, a, b) == NICE_WORKS) ||
               yields_by_weight(snapshot, &snapshot->programs[a->programs[0]],
                                &snapshot->programs[b->programs[0]]);
}
