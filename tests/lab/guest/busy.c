/* Computes for so many seconds of its own time: `busy 1`, under whatever name it is called. */
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

static volatile uint64_t sink;

int main(int argc, char **argv)
{
        clock_t until = clock() + (argc > 1 ? atoi(argv[1]) : 1) * CLOCKS_PER_SEC;
        while (clock() < until)
                for (uint64_t i = 0; i < 100000; i++)
                        sink += i * i;
        return 0;
}
