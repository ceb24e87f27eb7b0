/* Touches memory, for the memory scenarios: `toucher random MB` writes one byte of a random page for ever (a
 * working set of that size), `toucher once MB` fills its pages once and then sleeps (cold memory), `toucher
 * grow MB` does so and ends (for restart loops). The pages hold noise, so that no compression makes them
 * small. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static uint64_t next_random(uint64_t *state)
{
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        return *state;
}

int main(int argc, char **argv)
{
        if (argc != 3) {
                fprintf(stderr, "usage: toucher random|once|grow MEGABYTES\n");
                return 2;
        }
        size_t size = (size_t)strtoul(argv[2], NULL, 10) << 20, pages = size / 4096;
        uint64_t state = 88172645463325252u;
        if (pages == 0)
                return 2;
        unsigned char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED)
                return 1;
        (void)madvise(memory, size, MADV_NOHUGEPAGE); /* one fault per page; without it still random */
        for (size_t offset = 0; offset + 8 <= size; offset += 8) {
                uint64_t noise = next_random(&state);
                memcpy(memory + offset, &noise, 8);
        }
        if (strcmp(argv[1], "grow") == 0)
                return 0;
        while (strcmp(argv[1], "random") != 0)
                pause();
        for (;;)
                memory[next_random(&state) % pages * 4096]++;
}
