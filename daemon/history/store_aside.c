/* Damaged history files are moved aside, never deleted at once: they may still be read or mended. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/text.h"
#include "daemon/history/store_file.h"

/* The log and its index belong to their file: what was committed last is in them alone. */
static const char *const suffixes[] = { "", "-wal", "-shm" };

static void remove_all(const char *path)
{
        for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
                char name[PATH_MAX];
                text_format(name, sizeof(name), "%s%s", path, suffixes[i]);
                (void)unlink(name); /* most have no log */
        }
}

/* Removes the oldest of PATH.damaged-TIME while there are too many; names sort by time. */
static void thin_out(const char *path)
{
        char directory[PATH_MAX];
        text_format(directory, sizeof(directory), "%s", path);
        char *slash = strrchr(directory, '/');
        const char *file = slash ? strrchr(path, '/') + 1 : path;
        if (slash)
                *slash = 0;
        const char *where = slash ? (directory[0] ? directory : "/") : ".";
        char prefix[NAME_MAX + 1];
        text_format(prefix, sizeof(prefix), "%s.damaged-", file);

        for (;;) {
                CLEANUP_CLOSEDIR DIR *entries = opendir(where);
                if (!entries)
                        return;
                char oldest[NAME_MAX + 1] = "";
                size_t count = 0;
                for (struct dirent *entry; (entry = readdir(entries));) {
                        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0 ||
                            strstr(entry->d_name, "-wal") || strstr(entry->d_name, "-shm"))
                                continue;
                        count++;
                        if (!oldest[0] || strcmp(entry->d_name, oldest) < 0)
                                text_format(oldest, sizeof(oldest), "%s", entry->d_name);
                }
                if (count <= STORE_DAMAGED_MAX)
                        return;
                char victim[PATH_MAX + NAME_MAX];
                text_format(victim, sizeof(victim), "%s/%s", where, oldest);
                remove_all(victim);
                if (access(victim, F_OK) == 0) /* it cannot be removed: no endless loop */
                        return;
        }
}

int store_file_put_aside(const char *path, usec_t realtime_usec)
{
        int result = 0;
        for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
                char from[PATH_MAX], to[PATH_MAX];
                text_format(from, sizeof(from), "%s%s", path, suffixes[i]);
                text_format(to, sizeof(to), "%s.damaged-%016llu%s", path, (unsigned long long)realtime_usec,
                            suffixes[i]);
                if (rename(from, to) < 0 && errno != ENOENT && result == 0)
                        result = -errno;
        }
        thin_out(path);
        return result;
}
