/* Paths and mount points. */
#include "daemon/checks/places.h"

#include <string.h>

bool place_is_below(const char *path, const char *directory)
{
        size_t length = strlen(directory);
        if (strcmp(directory, "/") == 0)
                return path[0] == '/';
        return length > 0 && strncmp(path, directory, length) == 0 &&
               (path[length] == '/' || path[length] == '\0');
}

const struct file_system_sample *place_of_device(const struct sample *sample, uint32_t major, uint32_t minor)
{
        for (size_t i = 0; i < sample->file_system_count; i++)
                if (sample->file_systems[i].major == major && sample->file_systems[i].minor == minor)
                        return &sample->file_systems[i];
        return NULL;
}

const struct file_system_sample *place_of_path(const struct sample *sample, const char *path)
{
        const struct mount_sample *best = NULL;
        for (size_t i = 0; i < sample->mount_count; i++) {
                const struct mount_sample *mount = &sample->mounts[i];
                /* Of several on one point the last hides the others. */
                if (place_is_below(path, mount->path) && (!best || strlen(mount->path) >= strlen(best->path)))
                        best = mount;
        }
        return best ? place_of_device(sample, best->major, best->minor) : NULL;
}
