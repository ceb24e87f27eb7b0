/* Through the directories where logs live, a piece at a time. Nothing is kept open in between: a directory
 * that somebody holds open cannot be unmounted. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "daemon/sample/log_scan_internal.h"

/* Smaller files fill nothing unless somebody holds them open, and then they are found there. */
#define SIZE_LEAST (64 * 1024)

static const char *const roots[] = { "var/log", "var/lib/docker/containers", "var/lib/containers/storage" };
#define ROOT_COUNT (sizeof(roots) / sizeof(roots[0]))

static void note_file(struct log_scan *scan, int directory_fd, const char *name)
{
        struct log_facts facts;
        char path[PATH_TEXT_MAX];
        size_t length = 0;
        if (!log_scan_stat(scan, directory_fd, name, false, &facts) || facts.size_bytes < SIZE_LEAST ||
            !text_append(path, sizeof(path), &length, "/%s/%s", scan->walk.path, name))
                return;
        size_t tail = strlen(name);
        if (tail > 8 && strcmp(name + tail - 8, ".journal") == 0)
                return; /* they are looked at together */
        (void)log_table_note(&scan->table, path, log_kind_of_path(path, false), &facts, scan->now_usec);
}

/* One level down; false if there is none. */
static bool enter(struct log_scan *scan, int directory_fd, const char *name)
{
        struct log_walk *walk = &scan->walk;
        struct log_facts facts;
        size_t length = strlen(walk->path);
        if (walk->depth == LOG_WALK_DEPTH_MAX || !log_scan_stat(scan, directory_fd, name, true, &facts) ||
            !text_append(walk->path, sizeof(walk->path), &length, walk->path[0] ? "/%s" : "%s", name)) {
                walk->path[walk->depth ? walk->lengths[walk->depth - 1] : 0] = '\0';
                return false;
        }
        walk->lengths[walk->depth] = length;
        walk->offsets[walk->depth] = 0;
        walk->depth++;
        return true;
}

static void leave(struct log_walk *walk)
{
        walk->depth--;
        walk->path[walk->depth ? walk->lengths[walk->depth - 1] : 0] = '\0';
}

/* Goes on in the directory at hand, up to its end or the next one below it. */
static size_t walk_here(struct log_scan *scan, size_t budget)
{
        struct log_walk *walk = &scan->walk;
        CLEANUP_CLOSE int fd = root_open_directory_at(scan->root_fd, walk->path);
        CLEANUP_CLOSEDIR DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
        if (!directory) {
                leave(walk);
                return budget - 1;
        }
        int directory_fd = take_fd(&fd); /* the stream's now */
        if (walk->offsets[walk->depth - 1])
                seekdir(directory, walk->offsets[walk->depth - 1]);
        while (budget > 0) {
                struct dirent *entry = readdir(directory);
                if (!entry) {
                        leave(walk);
                        return budget - 1;
                }
                walk->offsets[walk->depth - 1] = telldir(directory);
                budget--;
                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                if (entry->d_type == DT_REG)
                        note_file(scan, directory_fd, entry->d_name);
                else if (entry->d_type == DT_DIR && enter(scan, directory_fd, entry->d_name))
                        return budget;
        }
        return 0;
}

void log_walk_on(struct log_scan *scan, size_t budget)
{
        struct log_walk *walk = &scan->walk;
        size_t begun = 0;
        while (budget > 0) {
                if (walk->depth == 0) {
                        if (begun++ == ROOT_COUNT)
                                return; /* all of them within one look: enough */
                        walk->path[0] = '\0';
                        const char *name = roots[walk->root];
                        walk->root = (walk->root + 1) % ROOT_COUNT;
                        budget--;
                        if (!enter(scan, scan->root_fd, name))
                                continue;
                }
                budget = walk_here(scan, budget);
        }
}
