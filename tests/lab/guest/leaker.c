/* Keeps KB more of memory each tenth of a second, up to a maximum, and goes on using all that it has:
 *   leaker KB [MAXIMUM-MB]     at the maximum it stays as it is
 *   leaker -s KB MAXIMUM-MB    at the maximum it gives all back and begins again, as a garbage collector does
 * The pages hold noise, so that no compression makes them small. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BLOCKS_MAX    100000
#define TOUCHES       200 /* of what it has, each tenth of a second */
#define TENTH_USEC    100000
#define PAGE_BYTES    4096
#define UNTOUCHED_MAX ((size_t)1 << 40)

static unsigned char *blocks[BLOCKS_MAX];

static uint64_t next_random(void)
{
        static uint64_t state = 88172645463325252U;
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return state;
}

int main(int argc, char **argv)
{
        int is_sawtooth = argc > 1 && strcmp(argv[1], "-s") == 0, at = is_sawtooth ? 2 : 1;
        if (argc <= at)
                return 2;
        size_t size = strtoul(argv[at], NULL, 10) * 1024 / PAGE_BYTES * PAGE_BYTES, count = 0;
        size_t maximum = argc > at + 1 ? strtoul(argv[at + 1], NULL, 10) << 20 : UNTOUCHED_MAX;
        if (size == 0)
                return 2;
        for (;;) {
                if ((count + 1) * size <= maximum && count < BLOCKS_MAX) {
                        unsigned char *block =
                                mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                        if (block == MAP_FAILED)
                                return 1;
                        for (size_t i = 0; i < size; i += 64) {
                                uint64_t noise = next_random();
                                memcpy(block + i, &noise, sizeof(noise));
                        }
                        blocks[count++] = block;
                } else if (is_sawtooth) {
                        while (count > 0)
                                (void)munmap(blocks[--count], size);
                }
                for (int i = 0; i < TOUCHES && count > 0; i++)
                        blocks[next_random() % count][next_random() % size]++;
                (void)usleep(TENTH_USEC);
        }
}
