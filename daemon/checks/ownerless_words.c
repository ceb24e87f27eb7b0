/* memory.ownerless: what is said of what grows, and of who has it. What that is, is decided in
 * memory_ownerless.c. */
#include "daemon/checks/ownerless.h"

#include <string.h>

#include "common/text.h"
#include "common/units.h"
#include "daemon/checks/blame.h"

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

static bool is_plain_path(const char *path)
{
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_.-";
        return path[0] == '/' && path[strspn(path, plain)] == '\0';
}

static uint64_t held_by(const struct ownerless *s, const struct program *program)
{
        return s->pool->field == FIELD_MEMORY_PAGE_TABLES_BYTES ? program->page_tables_bytes
                                                                : program->shmem_bytes;
}

static void set_culprit(const struct ownerless *s, struct finding *finding)
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

static const char *what_words(char buffer[static FINDING_TEXT_MAX], const struct ownerless *s)
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

static void add_shared_remedies(const struct ownerless *s, struct finding *finding)
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

static void add_remedies(const struct ownerless *s, struct finding *finding)
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
static void tell_caches(const struct ownerless *s, struct finding *finding)
{
        char text[FINDING_TEXT_MAX], size[UNITS_MAX];
        double sum = 0;
        size_t length = 0;
        for (size_t i = 0; i < s->cache_count; i++) {
                const struct ownerless_cache *cache = &s->caches[i];
                if (!text_append(text, sizeof(text), &length, "%s%s of %s", i > 0 ? ", " : "",
                                 format_bytes(size, cache->grown), cache->slab->name))
                        break;
                sum += cache->grown;
        }
        if (length > 0)
                finding_evidence(finding, "memory.caches", sum, "bytes", NAN, NAN,
                                 "the caches that have grown most since then: %s", text);
}

static void describe(const struct ownerless *s, struct finding *finding)
{
        char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX];
        const struct growth *growth = &s->growth;
        usec_t age_usec = s->latest->time.realtime_usec - growth->since_usec;
        finding_evidence(finding, "memory.growth", growth->now_bytes - growth->from_bytes, "bytes",
                         s->p[OWNERLESS_MINIMUM_GROWTH] / 1000 * s->total, NAN, "%s: from %s to %s in %s",
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
        growth_say_time_left(s->left_sec, s->p[OWNERLESS_WARNING], finding);
}

/* Whether what_words() are: "shared memory grows", but "kernel objects grow". */
static bool is_singular(const struct ownerless *s)
{
        if (s->program)
                return s->pool->field == FIELD_MEMORY_SHMEM_BYTES;
        return !s->mount && !s->slab && s->pool->field >= FIELD_MEMORY_VMALLOC_BYTES &&
               s->pool->field <= FIELD_MEMORY_UNACCOUNTED_BYTES;
}

void ownerless_found(const struct ownerless *s, struct finding *finding)
{
        char what[FINDING_TEXT_MAX], size[UNITS_MAX], rate[FINDING_TEXT_MAX], left[UNITS_MAX];
        const struct growth *growth = &s->growth;
        growth_found(growth, s->left_sec, s->p[OWNERLESS_WARNING], finding);
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
