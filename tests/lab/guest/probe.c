/* Somebody who uses the machine, and measures how long it makes them wait. The name it is called by says who:
 *   ui-ticks      works 1 ms every 10 ms, as whatever answers to a person does
 *   web-client    fetches a page from nginx on this machine every 200 ms
 *   note-writer   writes 4 KiB to FILE and waits until they are on the disk, every 200 ms
 *   reader        reads 64 KiB at a random place of FILE, past the cache, every 100 ms
 *   table-reader  reads 10 records of 4 KiB at random places of FILE, past the cache, every 500 ms
 *   probe-all     prints the medians of all of them over the last SECONDS (for scripts)
 * The pauses are these on average, a quarter more or less: at whole multiples of a quota's period (100 ms)
 * somebody would come at the same moment of each, always before the quota is used up or always after. Each
 * writes a line a second to /run/lab/NAME: when (monotonic, s), median and longest wait (us), how many.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define WAITS_MAX 256

static volatile uint64_t sink;
static uint64_t loops_per_msec = 1000;

static int64_t now_usec(void)
{
        struct timespec t;
        (void)clock_gettime(CLOCK_MONOTONIC, &t);
        return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void work(uint64_t loops)
{
        for (uint64_t i = 0; i < loops; i++)
                sink += i * i;
}

/* How much work takes a millisecond: the best of ten tries, for others may be at work too. */
static void calibrate(void)
{
        int64_t best = INT64_MAX;
        for (int i = 0; i < 10; i++) {
                int64_t began = now_usec();
                work(200000);
                int64_t took = now_usec() - began;
                best = took < best ? took : best;
        }
        loops_per_msec = (uint64_t)(200000 * 1000 / (best > 0 ? best : 1));
}

static void tick(const char *argument)
{
        (void)argument;
        work(loops_per_msec);
}

static void fetch(const char *argument)
{
        static const char request[] = "GET /page.txt HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n";
        char bytes[4096];
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argument)) };
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
            send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) > 0)
                while (read(fd, bytes, sizeof(bytes)) > 0)
                        ;
        (void)close(fd);
}

static void store(const char *argument)
{
        static int fd = -1;
        static uint64_t count;
        static char bytes[4096];
        if (fd < 0)
                fd = open(argument, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        memset(bytes, (int)('a' + count % 26), sizeof(bytes));
        if (pwrite(fd, bytes, sizeof(bytes), (off_t)(count++ % 64 * sizeof(bytes))) < 0 ||
            fdatasync(fd) < 0) {
                (void)close(fd);
                fd = -1;
        }
}

static void read_anywhere(const char *argument, off_t size, int times)
{
        static int fd = -1;
        static char bytes[65536] __attribute__((aligned(4096)));
        struct stat st = { 0 };
        if (fd < 0)
                fd = open(argument, O_RDONLY | O_DIRECT | O_CLOEXEC);
        if (fstat(fd, &st) < 0 || st.st_size < size)
                return;
        for (int i = 0; i < times; i++)
                (void)!pread(fd, bytes, (size_t)size, random() % (st.st_size / size) * size);
}

static void look_up(const char *argument)
{
        read_anywhere(argument, 65536, 1);
}

static void look_up_many(const char *argument)
{
        read_anywhere(argument, 4096, 10);
}

static const struct kind {
        const char *name;
        void (*act)(const char *argument);
        int64_t period_usec;
} kinds[] = {
        { "ui-ticks", tick, 10000 },
        { "web-client", fetch, 200000 },
        { "note-writer", store, 200000 },
        { "reader", look_up, 100000 },
        { "table-reader", look_up_many, 500000 },
};

static int compare(const void *a, const void *b)
{
        int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
        return (x > y) - (x < y);
}

static void run(const struct kind *kind, const char *argument)
{
        int64_t waits[WAITS_MAX], due = now_usec(), told = due;
        size_t count = 0;
        char path[64];
        (void)snprintf(path, sizeof(path), "/run/lab/%s", kind->name);
        FILE *log = fopen(path, "ae");
        for (;;) {
                due += kind->period_usec * 3 / 4 + random() % (kind->period_usec / 2);
                struct timespec until = { .tv_sec = due / 1000000, .tv_nsec = due % 1000000 * 1000 };
                (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
                kind->act(argument);
                int64_t now = now_usec();
                if (count < WAITS_MAX)
                        waits[count++] = now - due;
                if (now - due > kind->period_usec) /* what was missed is not made up for */
                        due = now;
                if (now - told < 1000000 || !log)
                        continue;
                qsort(waits, count, sizeof(waits[0]), compare);
                (void)fprintf(log, "%lld %lld %lld %zu\n", (long long)(now / 1000000),
                              (long long)waits[count / 2], (long long)waits[count - 1], count);
                (void)fflush(log);
                told = now;
                count = 0;
        }
}

/* The median of the medians between two moments: "ui-ticks 1234" each. Nothing in it: a wait until now. */
static void print_medians(int64_t from, int64_t to)
{
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
                int64_t medians[WAITS_MAX];
                size_t count = 0;
                char path[64];
                long long when, median, last = 0;
                (void)snprintf(path, sizeof(path), "/run/lab/%s", kinds[i].name);
                FILE *log = fopen(path, "re");
                if (!log)
                        continue;
                while (fscanf(log, "%lld %lld %*d %*d", &when, &median) == 2) {
                        last = when <= to ? when : last;
                        if (when >= from && when <= to && count < WAITS_MAX)
                                medians[count++] = median;
                }
                (void)fclose(log);
                qsort(medians, count, sizeof(medians[0]), compare);
                (void)printf("%s %lld\n", kinds[i].name,
                             count ? (long long)medians[count / 2] : (long long)(to - last) * 1000000);
        }
}

int main(int argc, char **argv)
{
        const char *name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
        if (strcmp(name, "probe-all") == 0 && argc > 1) {
                int64_t now = now_usec() / 1000000;
                print_medians(now - atoi(argv[1]), now);
                return 0;
        }
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
                if (strcmp(name, kinds[i].name) == 0) {
                        calibrate();
                        run(&kinds[i], argc > 1 ? argv[1] : "");
                }
        return 2;
}
