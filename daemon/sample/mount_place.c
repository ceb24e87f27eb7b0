/* Directories are counted as in Misra and Gries (1982): few counters, and what is frequent stays in them. */
#include "daemon/sample/mount_place.h"

#include <string.h>

#include "common/cleanup.h"

#define LINK_SIZE 1024
#define DELETED   " (deleted)"

static void count_place(struct mount_places *places, const char *directory)
{
        struct mount_place *free_place = NULL;
        for (size_t i = 0; i < MOUNT_PLACES_MAX; i++) {
                struct mount_place *place = &places->list[i];
                if (place->weight == 0)
                        free_place = place;
                else if (strcmp(place->directory, directory) == 0) {
                        place->weight++;
                        return;
                }
        }
        if (!free_place) {
                for (size_t i = 0; i < MOUNT_PLACES_MAX; i++)
                        places->list[i].weight--;
                return;
        }
        (void)span_copy(span_of(directory), free_place->directory, sizeof(free_place->directory));
        text_sanitize(free_place->directory, "");
        free_place->weight = 1;
}

/* "/mnt/x/mail/cur/17 (deleted)" -> "/mnt/x/mail/cur" */
static void cut_to_directory(char *path)
{
        size_t length = strlen(path), suffix = strlen(DELETED);
        if (length > suffix && strcmp(path + length - suffix, DELETED) == 0)
                path[length - suffix] = '\0';
        char *slash = strrchr(path, '/');
        if (slash && slash > path)
                *slash = '\0';
}

/* The mount that a link of the process leads to; `path` is then that of the directory. */
static int follow(const struct process_files *files, const struct mount_watches *watches, uint32_t pid,
                  const char *name, bool is_directory, char path[static LINK_SIZE])
{
        if (process_files_read_link(files, pid, name, path, LINK_SIZE) <= 0 || path[0] != '/')
                return -1;
        int watch = mount_watches_find(watches, path);
        if (watch < 0 || is_directory)
                return watch;
        /* The mount point itself may be what is open. */
        char directory[LINK_SIZE];
        memcpy(directory, path, LINK_SIZE);
        cut_to_directory(directory);
        if (mount_watches_find(watches, directory) == watch)
                memcpy(path, directory, LINK_SIZE);
        return watch;
}

static int look_at_files(struct mount_places *places, const struct process_files *files,
                         const struct mount_watches *watches, uint32_t pid, void *scratch, size_t size)
{
        uint32_t numbers[PLACE_FDS_MAX], hits[NETWORK_MOUNTS_MAX] = { 0 };
        char path[LINK_SIZE];
        int best = -1;
        CLEANUP_CLOSE int directory_fd = process_files_open(files, pid, "fd", true);
        if (directory_fd < 0)
                return -1;
        ssize_t n = process_files_list(directory_fd, scratch, size, numbers, PLACE_FDS_MAX);
        for (ssize_t i = 0; i < n && i < PLACE_FDS_MAX; i++) {
                char name[32];
                text_format(name, sizeof(name), "fd/%u", numbers[i]);
                int watch = follow(files, watches, pid, name, false, path);
                if (watch < 0)
                        continue;
                count_place(places, path);
                hits[watch]++;
                if (best < 0 || hits[watch] > hits[best])
                        best = watch;
        }
        places->open_files = best < 0 ? 0 : hits[best];
        return best;
}

/* Places on other mounts than this one are of no interest. */
static void keep_those_on(struct mount_places *places, const struct mount_watches *watches, int watch)
{
        for (size_t i = 0; i < MOUNT_PLACES_MAX; i++)
                if (places->list[i].weight > 0 &&
                    mount_watches_find(watches, places->list[i].directory) != watch)
                        places->list[i].weight = 0;
}

int mount_places_look(struct mount_places *places, const struct process_files *files,
                      const struct mount_watches *watches, uint32_t pid, void *scratch, size_t scratch_size)
{
        char path[LINK_SIZE];
        int watch = look_at_files(places, files, watches, pid, scratch, scratch_size);
        int working = follow(files, watches, pid, "cwd", true, path);
        if (working >= 0 && (watch < 0 || watch == working)) {
                watch = working;
                if (!mount_places_best(places)[0])
                        count_place(places, path);
        }
        if (watch >= 0)
                keep_those_on(places, watches, watch);
        return watch;
}

const char *mount_places_best(const struct mount_places *places)
{
        const struct mount_place *best = &places->list[0];
        for (size_t i = 1; i < MOUNT_PLACES_MAX; i++)
                if (places->list[i].weight > best->weight)
                        best = &places->list[i];
        return best->weight > 0 ? best->directory : "";
}
