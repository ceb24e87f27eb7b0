/* A walk over user.slice, which holds a slice for each user and below it the user's manager. */
#include "daemon/sample/boot_sessions.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/text.h"

#define USERS     "sys/fs/cgroup/user.slice"
#define DEPTH_MAX 6
#define PATH_SIZE 1024

struct walk {
        const struct root *root;
        struct boot_node *nodes;
        size_t count, max;
        unsigned directories;
};

static bool ends_in(const char *name, const char *suffix)
{
        size_t length = strlen(name), end = strlen(suffix);
        return length > end && strcmp(name + length - end, suffix) == 0;
}

/* cpu.stat begins "usage_usec 48213" (6.1). */
static uint64_t read_cpu(const struct root *root, const char *group)
{
        char path[PATH_SIZE + 16], text[256];
        uint64_t usec;
        struct span line, word, content;
        text_format(path, sizeof(path), "%s/cpu.stat", group);
        ssize_t length = root_read(root, path, text, sizeof(text));
        content = (struct span){ text, length > 0 ? (size_t)length : 0 };
        if (!span_take_line(&content, &line) || !span_take_word(&line, &word) ||
            !span_equal(word, "usage_usec") || span_take_u64(&line, &usec) < 0)
                return ABSENT;
        return usec;
}

/* One number, since Linux 5.19. */
static uint64_t read_memory_peak(const struct root *root, const char *group)
{
        char path[PATH_SIZE + 16], text[32];
        uint64_t bytes;
        text_format(path, sizeof(path), "%s/memory.peak", group);
        ssize_t length = root_read(root, path, text, sizeof(text));
        struct span line = { text, length > 0 ? (size_t)length : 0 };
        return span_take_u64(&line, &bytes) < 0 ? ABSENT : bytes;
}

static void add_unit(struct walk *walk, const char *name, const char *group)
{
        uint64_t cpu_usec = read_cpu(walk->root, group);
        if (cpu_usec == ABSENT || walk->count == walk->max)
                return;
        struct boot_node *node = &walk->nodes[walk->count++];
        memset(node, 0, sizeof(*node));
        struct boot_unit *unit = &node->unit;
        text_format(unit->name, sizeof(unit->name), "%s", name);
        text_sanitize(unit->name, "");
        text_format(unit->type, sizeof(unit->type), "session");
        text_format(unit->enabled, sizeof(unit->enabled), "%s",
                    ends_in(name, "@autostart.service") ? "autostart" : "user");
        unit->activating_usec = unit->activated_usec = ABSENT;
        unit->read_bytes = unit->write_bytes = ABSENT;
        unit->cpu_usec = cpu_usec;
        unit->memory_peak_bytes = read_memory_peak(walk->root, group);
}

/* Slices, user@UID.service and what is in it; not what services keep below themselves. */
static void walk_directory(struct walk *walk, const char *path, int depth)
{
        const struct dirent *entry;
        if (depth == DEPTH_MAX || walk->directories++ >= BOOT_SESSION_DIRECTORIES_MAX)
                return;
        int fd = root_open_directory(walk->root, path);
        if (fd < 0)
                return;
        CLEANUP_CLOSEDIR DIR *directory = fdopendir(fd);
        if (!directory) {
                (void)close(fd);
                return;
        }
        while ((entry = readdir(directory)) && walk->count < walk->max) {
                char below[PATH_SIZE];
                const char *name = entry->d_name;
                if (strlen(path) + strlen(name) + 2 > sizeof(below) || name[0] == '.')
                        continue;
                text_format(below, sizeof(below), "%s/%s", path, name);
                bool is_manager = span_starts(span_of(name), "user@") && ends_in(name, ".service");
                if (ends_in(name, ".slice") || is_manager)
                        walk_directory(walk, below, depth + 1);
                else if (ends_in(name, ".service"))
                        add_unit(walk, name, below);
        }
}

size_t boot_session_units(const struct root *root, struct boot_node *ret_nodes, size_t max)
{
        struct walk walk = { .root = root,
                             .nodes = ret_nodes,
                             .max = max < BOOT_SESSION_UNITS_MAX ? max : BOOT_SESSION_UNITS_MAX };
        walk_directory(&walk, USERS, 0);
        return walk.count;
}
