/* memory.ownerless: memory grows that no process has as its own: files in memory (tmpfs, memfd, shared
 * segments), kernel objects, page tables, what drivers took. No list of processes shows it. */
#include <string.h>

#include "common/text.h"
#include "common/units.h"
#include "daemon/checks/blame.h"
#include "daemon/checks/ownerless.h"

static const struct check_parameter parameters[] = {
        [OWNERLESS_HORIZON] = { "HorizonSeconds", "seconds", 604800, 600, 8640000,
                                "memory must be used up within this time, at the rate at which it grows",
                                "the same as for programs, so that causes can be compared", "memory.leak" },
        [OWNERLESS_MINIMUM_GROWTH] = { "MinimumGrowthPermille", "permille", 20, 1, 500,
                                       "of the machine's memory that it must have grown by within an hour; a "
                                       "quarter "
                                       "of it within hours and days, and more within minutes",
                                       "less is what a busier day needs", "memory.leak" },
        [OWNERLESS_WARNING] = { "WarningSeconds", "seconds", 86400, 600, 8640000,
                                "when less time is left it is a warning, before that a notice",
                                "a day is enough to plan a restart", "memory.leak" },
        [OWNERLESS_MINIMUM_OWNED] = { "MinimumOwnedPermille", "permille", 500, 100, 1000,
                                      "of the growth that one place, program or cache must have to be named",
                                      "who has more than all others together is the one to look at",
                                      "convention" },
        [OWNERLESS_BOUNDED] = { "BoundedPermille", "permille", 400, 0, 1000,
                                "of the machine's memory: a tmpfs that may not grow further than this is "
                                "left alone",
                                "it ends at its own size, and leaves most to others; /run has a tenth or a "
                                "fifth",
                                "the kernel's own default is a half (tmpfs(5))" },
        { NULL, NULL, 0, 0, 0, NULL, NULL, NULL },
};

/* What may grow, each of which /proc/meminfo has a line for; the last is what no line has. */
static const struct ownerless_pool pools[] = {
        { FIELD_MEMORY_SHMEM_BYTES, "files and segments in memory", "shared memory", true },
        { FIELD_MEMORY_SLAB_BYTES, "kernel objects", "kernel objects", false },
        { FIELD_MEMORY_PAGE_TABLES_BYTES, "page tables", "page tables", false },
        { FIELD_MEMORY_VMALLOC_BYTES, "the kernel's virtual memory (vmalloc)", "vmalloc", false },
        { FIELD_MEMORY_PERCPU_BYTES, "the kernel's per-CPU memory", "per-CPU memory", false },
        { FIELD_MEMORY_UNACCOUNTED_BYTES, "memory that the kernel accounts to nobody", "unaccounted memory",
          false },
};
#define POOLS (sizeof(pools) / sizeof(pools[0]))

static usec_t uptime_of(const struct snapshot *latest)
{
        return latest->sample->uptime_usec ? latest->sample->uptime_usec : latest->time.boottime_usec;
}

static void find_pool(struct ownerless *s, struct growth *nearest, const struct ownerless_pool **ret_nearest)
{
        for (size_t i = 0; i < POOLS; i++) {
                double room = s->available + (pools[i].can_swap ? s->swap_free : 0);
                const struct growth_question question = {
                        .history = s->history,
                        .kind = TREND_MACHINE,
                        .id = (uint64_t)pools[i].field,
                        .age_usec = uptime_of(s->latest),
                        .room_bytes = room,
                        .swap_bytes = pools[i].can_swap ? s->swap_free : 0,
                        .total_bytes = s->total,
                        .horizon_sec = s->p[OWNERLESS_HORIZON],
                        .share = s->p[OWNERLESS_MINIMUM_GROWTH] / 1000,
                        .was_found = s->was_found,
                };
                struct growth growth;
                bool is_found = growth_find(&question, &growth);
                if (is_found && (!s->pool || growth.left_sec < s->growth.left_sec)) {
                        s->pool = &pools[i];
                        s->growth = growth;
                        s->room = room;
                }
                if (!*ret_nearest || growth.verdict < nearest->verdict) {
                        *nearest = growth;
                        *ret_nearest = &pools[i];
                }
        }
}

/* ---- who has it ---- */

/* The floor of a series when the growth began, or when it was first followed since; NAN: it is not. */
static double floor_of_then(const struct ownerless *s, enum trend_kind kind, uint64_t id,
                            bool *ret_is_of_then)
{
        struct trend_point points[TREND_POINTS_MAX];
        static const usec_t steps[] = { 10 * USEC_PER_SEC, USEC_PER_MINUTE, 10 * USEC_PER_MINUTE,
                                        USEC_PER_HOUR };
        static const usec_t reach[] = { 10 * USEC_PER_MINUTE, 3 * USEC_PER_HOUR, 2 * USEC_PER_DAY,
                                        TREND_HISTORY_USEC };
        usec_t age = s->latest->time.realtime_usec - s->growth.since_usec;
        size_t level = 0;
        while (level < 3 && age > reach[level])
                level++;
        size_t count = history_trend(s->history, kind, id, age + steps[level], steps[level], points,
                                     TREND_POINTS_MAX);
        *ret_is_of_then = count > 0 && points[0].from_usec <= s->growth.since_usec + steps[level];
        return count > 0 ? points[0].minimum : NAN;
}

/* By how much a series is above its floor of then. */
static double grown_since(const struct ownerless *s, enum trend_kind kind, uint64_t id, double now_bytes)
{
        bool is_of_then;
        double floor = floor_of_then(s, kind, id, &is_of_then);
        return isnan(floor) ? 0 : now_bytes - floor;
}

static void find_mount(struct ownerless *s)
{
        const struct sample *sample = s->latest->sample;
        for (size_t i = 0; i < sample->file_system_count; i++) {
                const struct file_system_sample *row = &sample->file_systems[i];
                if (strcmp(row->type, "tmpfs") != 0 || row->free_bytes == ABSENT)
                        continue;
                double used = (double)row->total_bytes - (double)row->free_bytes;
                double grown = grown_since(s, TREND_TMPFS_USED, trend_id(row->path), used);
                if (grown > s->owned) {
                        s->owned = grown;
                        s->mount = row;
                }
        }
}

static void find_program(struct ownerless *s)
{
        for (size_t i = 0; i < s->latest->program_count; i++) {
                const struct program *program = &s->latest->programs[i];
                if (program->shmem_bytes == ABSENT || program->shmem_bytes == 0)
                        continue;
                double grown =
                        grown_since(s, TREND_PROGRAM_SHARED, program->id, (double)program->shmem_bytes);
                if (grown > s->owned) {
                        s->owned = grown;
                        s->program = program;
                        s->mount = NULL;
                }
        }
}

/* What it has beyond all that there was then, whoever's that may have been, it has taken since. */
static void find_mapper(struct ownerless *s)
{
        for (size_t i = 0; i < s->latest->program_count; i++) {
                const struct program *program = &s->latest->programs[i];
                if (program->page_tables_bytes == ABSENT)
                        continue;
                double grown = (double)program->page_tables_bytes - s->growth.from_bytes;
                if (grown > s->owned) {
                        s->owned = grown;
                        s->program = program;
                }
        }
}

static void insert_cache(struct ownerless *s, const struct ownerless_cache *cache)
{
        size_t at = s->cache_count;
        while (at > 0 && s->caches[at - 1].grown < cache->grown)
                at--;
        if (at == OWNERLESS_CACHES_TOLD)
                return;
        size_t kept = s->cache_count < OWNERLESS_CACHES_TOLD ? s->cache_count++ : OWNERLESS_CACHES_TOLD - 1;
        memmove(&s->caches[at + 1], &s->caches[at], (kept - at) * sizeof(s->caches[0]));
        s->caches[at] = *cache;
}

/* Less than this share of the growth is noise. */
#define CACHE_SHARE 0.01

static void find_slab(struct ownerless *s)
{
        const struct sample *sample = s->latest->sample;
        double floors[SLABS_MAX];
        bool are_of_then[SLABS_MAX], was_followed = false;
        for (size_t i = 0; i < sample->slab_count; i++) {
                floors[i] = floor_of_then(s, TREND_SLAB, trend_id(sample->slabs[i].name), &are_of_then[i]);
                was_followed |= are_of_then[i];
        }
        for (size_t i = 0; i < sample->slab_count; i++) {
                const struct slab_sample *slab = &sample->slabs[i];
                /* Only the largest caches are followed: one that was not among them then, while others were,
                 * had next to nothing. */
                double grown = (double)slab->bytes - (was_followed && !are_of_then[i] ? 0 : floors[i]);
                if (!(grown >= CACHE_SHARE * (s->growth.now_bytes - s->growth.from_bytes)))
                        continue;
                insert_cache(s, &(struct ownerless_cache){ slab, grown });
        }
        if (s->cache_count > 0) {
                s->slab = s->caches[0].slab;
                s->owned = s->caches[0].grown;
        }
}

static void find_owner(struct ownerless *s)
{
        if (s->pool->field == FIELD_MEMORY_SHMEM_BYTES) {
                find_mount(s);
                /* What is mapped may lie in a file as well: the file's place says more than who has it open,
                 * unless it says nothing (a file without a name is in no mount that anybody sees). */
                if (s->owned <
                    s->p[OWNERLESS_MINIMUM_OWNED] / 1000 * (s->growth.now_bytes - s->growth.from_bytes))
                        find_program(s);
        } else if (s->pool->field == FIELD_MEMORY_SLAB_BYTES) {
                find_slab(s);
        } else if (s->pool->field == FIELD_MEMORY_PAGE_TABLES_BYTES) {
                find_mapper(s);
        }
        if (s->owned < s->p[OWNERLESS_MINIMUM_OWNED] / 1000 * (s->growth.now_bytes - s->growth.from_bytes)) {
                s->mount = NULL;
                s->program = NULL;
                s->slab = NULL;
        }
}

/* ---- the whole ---- */

static void say_clear(const struct ownerless *s, const struct ownerless_pool *pool,
                      const struct growth *nearest, struct finding *finding)
{
        char shared[UNITS_MAX], kernel[UNITS_MAX], rate[UNITS_MAX];
        if (pool && nearest->verdict >= GROWTH_DAILY && nearest->verdict <= GROWTH_UNSTEADY) {
                finding_reason(finding, VERDICT_CLEAR, "%s rise by %s each hour, but not without bound",
                               pool->words, format_bytes(rate, nearest->bytes_per_sec * 3600));
                return;
        }
        double slab = s->latest->value[FIELD_MEMORY_SLAB_BYTES];
        double in_files = s->latest->value[FIELD_MEMORY_SHMEM_BYTES];
        finding_reason(finding, VERDICT_CLEAR,
                       "nothing grows: %s of files and segments in memory, %s of kernel objects",
                       format_bytes(shared, isnan(in_files) ? 0 : in_files),
                       format_bytes(kernel, isnan(slab) ? 0 : slab));
}

static void run(const struct check_context *context, struct finding *ret_finding)
{
        struct growth nearest = { .verdict = GROWTH_TOO_FEW };
        const struct ownerless_pool *nearest_pool = NULL;
        struct ownerless s = {
                .history = context->history,
                .latest = history_latest(context->history),
                .p = context->parameters,
                .was_found = context->was_found,
        };
        double swap = s.latest->value[FIELD_SWAP_TOTAL_BYTES] - s.latest->value[FIELD_SWAP_USED_BYTES];
        s.total = s.latest->value[FIELD_MEMORY_TOTAL_BYTES];
        s.available = s.latest->value[FIELD_MEMORY_AVAILABLE_BYTES];
        s.swap_free = isnan(swap) ? 0 : swap;
        if (isnan(s.total) || isnan(s.available)) {
                finding_reason(ret_finding, VERDICT_UNKNOWN, "MemAvailable of /proc/meminfo cannot be read");
                return;
        }
        find_pool(&s, &nearest, &nearest_pool);
        if (!s.pool) {
                say_clear(&s, nearest_pool, &nearest, ret_finding);
                return;
        }
        find_owner(&s);
        s.left_sec = s.growth.left_sec;
        if (s.mount && (double)s.mount->available_bytes < s.room) {
                s.is_bounded = true;
                s.left_sec = (double)s.mount->available_bytes / s.growth.bytes_per_sec;
        }
        if (s.mount && 1000 * (double)s.mount->total_bytes < s.p[OWNERLESS_BOUNDED] * s.total) {
                char left[UNITS_MAX];
                finding_reason(ret_finding, VERDICT_CLEAR,
                               "files below %s, which lie in memory, grow, but only by %s more are allowed",
                               s.mount->path, format_bytes(left, (double)s.mount->available_bytes));
                return;
        }
        ownerless_found(&s, ret_finding);
}

static const char *const explains[] = { "memory.thrash", "memory.exhausted", "memory.oom",
                                        "disk.full",     "disk.saturated",   NULL };

const struct check check_memory_ownerless = {
        .name = "memory.ownerless",
        .title = "Memory grows that no process owns",
        .message_id = "29bc28e463824a95a7bc0296567213aa",
        .culprit_kind = SUBJECT_MOUNT,
        .cause =
                "Files in a tmpfs (/dev/shm, /run, often /tmp), deleted ones that somebody still holds, "
                "shared segments or the kernel's own objects grow steadily. They count for no process, so no "
                "list of processes shows where the memory is.",
        .meaning = "Memory gets short for everybody although the programs together hold little of it; in the "
                   "end the machine swaps, or the kernel kills programs that have nothing to do with it.",
        .remedy = "Remove the files, restart who holds them, or limit the tmpfs (mount option size=). Kernel "
                  "objects that nobody holds are a driver's fault: a newer kernel, and until then a restart "
                  "in time.",
        .look_alike = "The caches of directory entries and inodes, which grow with every search through the "
                      "disk, are given back when memory is needed; a large tmpfs that does not grow, or that "
                      "ends at its own size, is as it should be.",
        .explains = explains,
        .parameters = parameters,
        .run = run,
};
