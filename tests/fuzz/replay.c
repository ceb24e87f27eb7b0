/* Runs a fuzz target over the files of its kept corpus, where the compiler has no libFuzzer: every input that
 * once broke something is tried by every build. An empty input and one of 64 KiB of each of a few bytes are
 * tried as well, so a target without a corpus tests something too. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

#define INPUT_MAX ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t inputs;

/* A copy of exactly that size, so that a sanitizer sees a read past its end. */
static void run(const uint8_t *data, size_t size)
{
        uint8_t *copy = calloc(1, size ? size : 1); /* empty or not, the compiler sees it written */
        if (!copy)
                abort();
        if (size)
                memcpy(copy, data, size);
        (void)LLVMFuzzerTestOneInput(copy, size);
        free(copy);
        inputs++;
}

static int run_file(const char *path)
{
        static uint8_t data[INPUT_MAX];
        FILE *file = fopen(path, "rbe");
        if (!file) {
                perror(path);
                return -1;
        }
        size_t size = fread(data, 1, sizeof(data), file);
        (void)fclose(file);
        run(data, size);
        return 0;
}

static int run_directory(const char *directory)
{
        char path[4096];
        CLEANUP_CLOSEDIR DIR *listing = opendir(directory);
        if (!listing) /* a target that has no corpus yet */
                return 0;
        for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
                if (entry->d_name[0] == '.')
                        continue;
                (void)snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
                if (run_file(path) < 0)
                        return -1;
        }
        return 0;
}

static void run_uniform(void)
{
        static const uint8_t bytes[] = { 0, ' ', '\n', '0', '9', '(', ':', 'a', 0x80, 0xff };
        static uint8_t data[65536];
        run(data, 0);
        for (size_t i = 0; i < sizeof(bytes); i++) {
                memset(data, bytes[i], sizeof(data));
                run(data, 1);
                run(data, sizeof(data));
        }
}

int main(int argc, char **argv)
{
        run_uniform();
        for (int i = 1; i < argc; i++)
                if (run_directory(argv[i]) < 0)
                        return EXIT_FAILURE;
        (void)printf("%zu inputs\n", inputs);
        return EXIT_SUCCESS;
}
