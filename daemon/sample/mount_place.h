/* Where a process works: which of the watched mounts, and in which directory of it most. By the links below
 * /proc/PID alone, whose reading asks no server anything. */
#pragma once

#include "daemon/sample/mount_watch.h"
#include "daemon/sample/process_files.h"

#define MOUNT_PLACES_MAX 4   /* directories remembered of a process */
#define PLACE_FDS_MAX    128 /* descriptors looked at */

struct mount_place {
        char directory[PATH_TEXT_MAX];
        uint32_t weight; /* 0: free */
};

struct mount_places {
        struct mount_place list[MOUNT_PLACES_MAX];
        uint32_t open_files; /* on the mount, at the last look */
};

/* Looks at a process once more and adds what is found to `places`. `scratch` is for directories. The watch it
 * has most files open on, or works in; -1 none. A place on another mount than before begins anew. */
int mount_places_look(struct mount_places *places, const struct process_files *files,
                      const struct mount_watches *watches, uint32_t pid, void *scratch, size_t scratch_size);
/* The directory seen most often; "" none. */
const char *mount_places_best(const struct mount_places *places);
