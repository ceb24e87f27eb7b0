/* memory.ownerless: memory grows that no process has as its own: files in memory (tmpfs, memfd, shared
 * segments), kernel objects, page tables, what drivers took. No list of processes shows it. */
#include <string.h>

#include "common/text.h"
#include "common/units.h"
#include "daemon/checks/blame.h"
#include "daemon/checks/growth.h"

enum { HORIZON, MINIMUM_GROWTH, WARNING, MINIMUM_OWNED, BOUNDED };

static const struct check_parameter parameters[] = {
        [HORIZON] = { "HorizonSeconds", "seconds", 604800, 600, 8640000,
                      "memory must be used up within this time, at the rate at which it grows",
                      "the same as for programs, so that causes can be compared", "memory.leak" },
        [MINIMUM_GROWTH] = { "MinimumGrowthPermille", "permille", 20, 1, 500,
                             "of the machine's memory that it must have grown by within an hour; a quarter "
                             "of it within hours and days, and more within minutes",
                             "less is what a busier day needs", "memory.leak" },
        [WARNING] = { "WarningSeconds", "seconds", 86400, 600, 8640000,
                      "when less time is left it is a warning, before that a notice",
                      "a day is enough to plan a restart", "memory.leak" },
        [MINIMUM_OWNED] = { "MinimumOwnedPermille", "permille", 500, 100, 1000,
                            "of the growth that one place, program or cache must have to be named",
                            "who has more than all others together is the one to look at", "convention" },
        [BOUNDED] = { "BoundedPermille", "permille", 400, 0, 1000,
                      "of the machine's memory: a tmpfs that may not grow further than this is left alone",
                      "it ends at its own size, and leaves most to others; /run has a tenth or a fifth",
                      "the kernel's own default is a half (tmpfs(5))" },
        { NULL, NULL, 0, 0, 0, NULL, NULL, NULL },
};

/* What may grow, each of which /proc/meminfo has a line for; the last is what no line has. */
static const struct pool {
        enum field field;
        const char *words, *name;
        bool can_swap;
} pools[] = {
        { FIELD_MEMORY_SHMEM_BYTES, "files and segments in memory", "shared memory", true },
        { FIELD_MEMORY_SLAB_BYTES, "kernel objects", "kernel objects", false },
        { FIELD_MEMORY_PAGE_TABLES_BYTES, "page tables", "page tables", false },
        { FIELD_MEMORY_VMALLOC_BYTES, "the kernel's virtual memory (vmalloc)", "vmalloc", false },
        { FIELD_MEMORY_PERCPU_BYTES, "the kernel's per-CPU memory", "per-CPU memory", false },
        { FIELD_MEMORY_UNACCOUNTED_BYTES, "memory that the kernel accounts to nobody", "unaccounted memory",
          false },
};
#define POOLS (sizeof(pools) / sizeof(pools[0]))

#define CACHES_TOLD 4

struct cache {
        const struct slab_sample *slab;
        double grown; /* bytes */
};

struct situation {
        const struct history *history;
        const struct snapshot *latest;
        const double *p;
        bool was_found;
        double total, available, swap_free;
        const struct pool *pool; /* the one that uses memory up first */
        struct growth growth;
        double room;
        /* Who has most of the growth, if that can be told; at most one of them. */
        const struct file_system_sample *mount;
        const struct program *program;
        const struct slab_sample *slab;
        double owned;                     /* of the growth */
        struct cache caches[CACHES_TOLD]; /* that have grown, the one that has most first */
        size_t cache_count;
        bool is_bounded; /* the tmpfs is full before memory is */
        double left_sec; /* until memory, or what a tmpfs may hold, is used up */
};

static usec_t uptime_of(const struct snapshot *latest)
{
        return latest->sample->uptime_usec ? latest->sample->uptime_usec : latest->time.boottime_usec;
}

static void find_pool(struct situation *s, struct growth *nearest, const struct pool **ret_nearest)
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
                        .horizon_sec = s->p[HORIZON],
                        .share = s->p[MINIMUM_GROWTH] / 1000,
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
static double floor_of_then(const struct situation *s, enum trend_kind kind, uint64_t id,
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
static double grown_since(const struct situation *s, enum trend_kind kind, uint64_t id, double now_bytes)
{
        bool is_of_then;
        double floor = floor_of_then(s, kind, id, &is_of_then);
        return isnan(floor) ? 0 : now_bytes - floor;
}

static void find_mount(struct situation *s)
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

static void find_program(struct situation *s)
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
static void find_mapper(struct situation *s)
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

/* Caches whose objects somebody holds, and what those are. */
static const char *slab_hint(const char *name)
{
        static const struct {
                const char *name, *words;
        } hints[] = {
                { "filp", "open files: limits.files may know who holds them" },
                { "eventpoll", "epoll registrations and eventfds of some program" },
                { "sock", "sockets of some program: ss -s" },
                { "UNIX", "sockets of some program: ss -xp" },
                { "TCP", "TCP connections of some program: ss -s" },
                { "nf_conntrack", "connections that the firewall tracks" },
                { "task_struct", "threads of some program" },
                { "vm_area_struct", "mappings of some program" },
                { "anon_vma", "mappings of some program" },
                { "skbuff", "packets that nobody takes" },
                { "bio", "requests to a disk that does not answer" },
                { "kernfs", "control groups or devices that come and go" },
                { "cgroup", "control groups that are gone but still charged" },
        };
        for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
                if (strncmp(name, hints[i].name, strlen(hints[i].name)) == 0)
                        return hints[i].words;
        return NULL;
}

/* Only the largest caches are followed: one that was not among them then, while others were, had next to
 * nothing. */
static bool was_any_slab_followed(const struct situation *s)
{
        const struct sample *sample = s->latest->sample;
        bool is_of_then = false;
        for (size_t i = 0; i < sample->slab_count && !is_of_then; i++)
                (void)floor_of_then(s, TREND_SLAB, trend_id(sample->slabs[i].name), &is_of_then);
        return is_of_then;
}

static void insert_cache(struct situation *s, const struct cache *cache)
{
        size_t at = s->cache_count;
        while (at > 0 && s->caches[at - 1].grown < cache->grown)
                at--;
        if (at == CACHES_TOLD)
                return;
        size_t kept = s->cache_count < CACHES_TOLD ? s->cache_count++ : CACHES_TOLD - 1;
        memmove(&s->caches[at + 1], &s->caches[at], (kept - at) * sizeof(s->caches[0]));
        s->caches[at] = *cache;
}

/* Less than this share of the growth is noise. */
#define CACHE_SHARE 0.01

static void find_slab(struct situation *s)
{
        const struct sample *sample = s->latest->sample;
        bool was_followed = was_any_slab_followed(s);
        for (size_t i = 0; i < sample->slab_count; i++) {
                const struct slab_sample *slab = &sample->slabs[i];
                bool is_of_then;
                double floor = floor_of_then(s, TREND_SLAB, trend_id(slab->name), &is_of_then);
                double grown = (double)slab->bytes - (was_followed && !is_of_then ? 0 : floor);
                if (!(grown >= CACHE_SHARE * (s->growth.now_bytes - s->growth.from_bytes)))
                        continue;
                insert_cache(s, &(struct cache){ slab, grown });
        }
        if (s->cache_count > 0) {
                s->slab = s->caches[0].slab;
                s->owned = s->caches[0].grown;
        }
}

static void find_owner(struct situation *s)
{
        if (s->pool->field == FIELD_MEMORY_SHMEM_BYTES) {
                find_mount(s);
                /* What is mapped may lie in a file as well: the file's place says more than who has it open,
                 * unless it says nothing (a file without a name is in no mount that anybody sees). */
                if (s->owned < s->p[MINIMUM_OWNED] / 1000 * (s->growth.now_bytes - s->growth.from_bytes))
                        find_program(s);
        } else if (s->pool->field == FIELD_MEMORY_SLAB_BYTES) {
                find_slab(s);
        } else if (s->pool->field == FIELD_MEMORY_PAGE_TABLES_BYTES) {
                find_mapper(s);
        }
        if (s->owned < s->p[MINIMUM_OWNED] / 1000 * (s->growth.now_bytes - s->growth.from_bytes)) {
                s->mount = NULL;
                s->program = NULL;
                s->slab = NULL;
        }
}

/* ---- what is said ---- */

static bool is_plain_path(const char *path)
{
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_.-";
        return path[0] == '/' && path[strspn(path, plain)] == '\0';
}

static uint64_t held_by(const struct situation *s, const struct program *program)
{
        return s->pool->field == FIELD_MEMORY_PAGE_TABLES_BYTES ? program->page_tables_bytes
                                                                : program->shmem_bytes;
}

static void set_culprit(const struct situation *s, struct finding *finding)
{
        struct subject *culprit = &finding->culprit;
        if (s->program) {
                struct family family = {
                        .name = s->program->name,
                        .ledger = s->program->ledger,
                        .memory_bytes = held_by(s, s->program),
                        .count = s->program->count,
                        .programs = { (uint32_t)(s->program - s->latest->programs) },
                        .program_count = 1,
                };
                *culprit = subject_of_family(s->latest, &family, NAN, SUBJECT_PROGRAM);
                finding->has_origin = origin_of_family(s->latest, &family, &finding->origin);
                return;
        }
        *culprit = subject_machine(s->latest);
        if (s->mount) {
                culprit->kind = SUBJECT_MOUNT;
                text_format(culprit->name, sizeof(culprit->name), "%s", s->mount->path);
        } else if (s->slab) {
                culprit->kind = SUBJECT_DEVICE;
                text_format(culprit->name, sizeof(culprit->name), "%s", s->slab->name);
        }
}

static const char *what_words(char buffer[static FINDING_TEXT_MAX], const struct situation *s)
{
        if (s->mount)
                text_format(buffer, FINDING_TEXT_MAX, "files below %s, which lie in memory,", s->mount->path);
        else if (s->program && s->pool->field == FIELD_MEMORY_PAGE_TABLES_BYTES)
                text_format(buffer, FINDING_TEXT_MAX, "page tables for what %s maps", s->program->name);
        else if (s->program)
                text_format(buffer, FINDING_TEXT_MAX, "shared memory that %s holds", s->program->name);
        else if (s->slab)
                text_format(buffer, FINDING_TEXT_MAX, "the kernel's %s objects", s->slab->name);
        else
                text_format(buffer, FINDING_TEXT_MAX, "%s", s->pool->words);
        return buffer;
}

static void add_shared_remedies(const struct situation *s, struct finding *finding)
{
        char command[FINDING_TEXT_MAX] = "";
        if (s->mount) {
                if (is_plain_path(s->mount->path))
                        text_format(command, sizeof(command), "du -xah %s | sort -h | tail", s->mount->path);
                finding_remedy(finding, command, "see what lies there, and remove what nobody needs");
                if (command[0])
                        text_format(command, sizeof(command), "mount -o remount,size=%.0fM %s",
                                    ((double)s->mount->total_bytes - (double)s->mount->free_bytes) / 1048576 *
                                            1.1,
                                    s->mount->path);
                finding_remedy(finding, command, "let it grow no further");
                return;
        }
        if (s->program) {
                const char *unit = s->program->unit;
                (void)command_on_unit(command, unit, "systemctl restart %s", unit);
                finding_remedy(finding, command, "restart or close %s, which lets go of it",
                               s->program->name);
                return;
        }
        finding_remedy(finding, "ls -l /proc/[0-9]*/fd 2>/dev/null | grep -e memfd: -e /dev/shm/",
                       "see who holds files in memory that have no name any more");
        finding_remedy(finding, "ipcs -m -p", "see who made shared segments that nobody uses");
}

static void add_remedies(const struct situation *s, struct finding *finding)
{
        const char *hint = NULL, *name = "";
        for (size_t i = 0; i < s->cache_count && !hint; i++) {
                name = s->caches[i].slab->name;
                hint = slab_hint(name);
        }
        switch (s->pool->field) {
        case FIELD_MEMORY_SHMEM_BYTES:
                add_shared_remedies(s, finding);
                break;
        case FIELD_MEMORY_SLAB_BYTES:
                finding_remedy(finding, "slabtop -o -s c | head -20", "watch the kernel's caches%s%s%s%s",
                               hint ? "; objects of " : "", hint ? name : "", hint ? " are " : "",
                               hint ? hint : "");
                finding_remedy(finding, NULL,
                               "if no program holds them, a driver loses them: update the "
                               "kernel, and restart the machine before memory is used up");
                break;
        case FIELD_MEMORY_PAGE_TABLES_BYTES:
                finding_remedy(
                        finding, NULL,
                        "many processes map much memory: huge pages (for a database), or fewer of them%s%s",
                        s->program ? ": here it is " : "", s->program ? s->program->name : "");
                break;
        default:
                finding_remedy(finding, NULL,
                               "a driver or module of the kernel takes it (or, on a virtual machine, the "
                               "hypervisor's balloon): update it, and restart the machine before memory is "
                               "used up");
                break;
        }
}

/* One thing that is held needs objects of several caches: a socket its own, a file, an inode, its packets. */
static void tell_caches(const struct situation *s, struct finding *finding)
{
        char text[FINDING_TEXT_MAX], size[UNITS_MAX];
        double sum = 0;
        size_t length = 0;
        for (size_t i = 0; i < s->cache_count; i++) {
                const struct cache *cache = &s->caches[i];
                if (!text_append(text, sizeof(text), &length, "%s%s of %s", i > 0 ? ", " : "",
                                 format_bytes(size, cache->grown), cache->slab->name))
                        break;
                sum += cache->grown;
        }
        if (length > 0)
                finding_evidence(finding, "memory.caches", sum, "bytes", NAN, NAN,
                                 "the caches that have grown most since then: %s", text);
}

static void describe(const struct situation *s, struct finding *finding)
{
        char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX];
        const struct growth *growth = &s->growth;
        usec_t age_usec = s->latest->time.realtime_usec - growth->since_usec;
        finding_evidence(finding, "memory.growth", growth->now_bytes - growth->from_bytes, "bytes",
                         s->p[MINIMUM_GROWTH] / 1000 * s->total, NAN, "%s: from %s to %s in %s",
                         s->pool->words, format_bytes(a, growth->from_bytes),
                         format_bytes(b, growth->now_bytes), format_duration(c, age_usec));
        growth_say_rate(growth, finding);
        if (s->mount)
                finding_evidence(finding, "memory.place", s->owned, "bytes", NAN, NAN,
                                 "%s of that lie below %s", format_bytes(a, s->owned), s->mount->path);
        else if (s->program && s->pool->field == FIELD_MEMORY_PAGE_TABLES_BYTES)
                finding_evidence(finding, "memory.holder", (double)s->program->page_tables_bytes, "bytes",
                                 NAN, NAN, "%u processes of %s need %s of them, more than all did then",
                                 s->program->count, s->program->name,
                                 format_bytes(a, (double)s->program->page_tables_bytes));
        else if (s->program)
                finding_evidence(finding, "memory.holder", s->owned, "bytes", NAN, NAN,
                                 "%s maps %s more of it than then", s->program->name,
                                 format_bytes(a, s->owned));
        else if (s->slab)
                finding_evidence(finding, "memory.cache", (double)s->slab->objects, "count", NAN, NAN,
                                 "%s of that are %s objects; the cache holds %s in all",
                                 format_bytes(a, s->owned), s->slab->name,
                                 format_bytes(b, (double)s->slab->bytes));
        else
                tell_caches(s, finding);
        finding_evidence(finding, "memory.left", s->room, "bytes", NAN, NAN, "%s of memory%s are left",
                         format_bytes(a, s->room), s->pool->can_swap ? " and swap" : "");
        growth_say_time_left(s->left_sec, s->p[WARNING], finding);
}

/* Whether what_words() are: "shared memory grows", but "kernel objects grow". */
static bool is_singular(const struct situation *s)
{
        if (s->program)
                return s->pool->field == FIELD_MEMORY_SHMEM_BYTES;
        return !s->mount && !s->slab && s->pool->field >= FIELD_MEMORY_VMALLOC_BYTES &&
               s->pool->field <= FIELD_MEMORY_UNACCOUNTED_BYTES;
}

static void found(const struct situation *s, struct finding *finding)
{
        char what[FINDING_TEXT_MAX], size[UNITS_MAX], rate[FINDING_TEXT_MAX], left[UNITS_MAX];
        const struct growth *growth = &s->growth;
        growth_found(growth, s->left_sec, s->p[WARNING], finding);
        finding->takes_memory = s->available < GROWTH_SHORT * s->total;
        set_culprit(s, finding);
        describe(s, finding);
        add_remedies(s, finding);
        text_format(finding->summary, sizeof(finding->summary),
                    "%s grow%s without bound: %s by now, %s, and %s used up in %s", what_words(what, s),
                    is_singular(s) ? "s" : "", format_bytes(size, growth->now_bytes),
                    growth_rate_words(rate, growth), s->is_bounded ? "what they may take is" : "memory is",
                    format_duration(left, (usec_t)(s->left_sec * 1e6)));
}

static void say_clear(const struct situation *s, const struct pool *pool, const struct growth *nearest,
                      struct finding *finding)
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
        const struct pool *nearest_pool = NULL;
        struct situation s = {
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
        if (s.mount && 1000 * (double)s.mount->total_bytes < s.p[BOUNDED] * s.total) {
                char left[UNITS_MAX];
                finding_reason(ret_finding, VERDICT_CLEAR,
                               "files below %s, which lie in memory, grow, but only by %s more are allowed",
                               s.mount->path, format_bytes(left, (double)s.mount->available_bytes));
                return;
        }
        found(&s, ret_finding);
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
