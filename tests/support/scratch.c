/* Scratch directories. */
#include "tests/support/scratch.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *scratch_make(void)
{
        static char directory[PATH_MAX];
        const char *parent = getenv("TMPDIR");
        (void)snprintf(directory, sizeof(directory), "%s/slowd-test-XXXXXX", parent ? parent : "/tmp");
        return mkdtemp(directory);
}

const char *scratch_path(const char *directory, const char *name)
{
        static char paths[8][PATH_MAX];
        static unsigned turn;
        char *path = paths[turn++ % 8];
        (void)snprintf(path, PATH_MAX, "%s/%s", directory, name);
        return path;
}

void scratch_remove(const char *directory)
{
        DIR *entries = opendir(directory);
        for (struct dirent *entry; entries && (entry = readdir(entries));)
                if (entry->d_name[0] != '.')
                        (void)unlink(scratch_path(directory, entry->d_name));
        if (entries)
                (void)closedir(entries);
        (void)rmdir(directory);
}

size_t scratch_count(const char *directory, const char *part)
{
        size_t count = 0;
        DIR *entries = opendir(directory);
        for (struct dirent *entry; entries && (entry = readdir(entries));)
                count += strstr(entry->d_name, part) != NULL;
        if (entries)
                (void)closedir(entries);
        return count;
}
