/* What the process source costs, in CPU time per process and tick, beside the plainest reader there could be:
 * open, read and close of every /proc/PID/stat. Both in one run, in turn, at several numbers of processes;
 * with a gap before each round, as a sampler sees it (caches cold), and back to back.
 *
 *   bench_sample [--rounds N] [--gap MSEC] PROCESSES...
 *   bench_sample --plain [--rounds N] [--gap MSEC]     the plain loop alone, over what runs: us of CPU,
 * median */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "daemon/clock.h"
#include "daemon/sample/process.h"
#include "tests/bench/herd.h"

#define ROUNDS_MAX 100

enum way { WAY_LOOP, WAY_TASKSTATS, WAY_PROC, WAY_MAX };

struct watcher {
        struct process_source *source;
        struct sample samples[2];
        size_t turn;
};

static double cpu_usec(void)
{
        struct timespec now;
        (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
        return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void rest(long msec)
{
        struct timespec span = { .tv_sec = msec / 1000, .tv_nsec = msec % 1000 * 1000000 };
        while (nanosleep(&span, &span) < 0 && errno == EINTR)
                ;
}

static size_t plain_loop(void)
{
        char path[300], buffer[1024];
        size_t count = 0;
        DIR *directory = opendir("/proc");
        for (struct dirent *entry; directory && (entry = readdir(directory));) {
                if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
                        continue;
                (void)snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
                int fd = open(path, O_RDONLY | O_CLOEXEC);
                if (fd < 0)
                        continue;
                count += read(fd, buffer, sizeof(buffer)) > 0;
                (void)close(fd);
        }
        if (directory)
                (void)closedir(directory);
        return count;
}

static struct sample *watch(struct watcher *watcher)
{
        struct sample *older = watcher->turn > 0 ? &watcher->samples[(watcher->turn - 1) % 2] : NULL;
        struct sample *sample = &watcher->samples[watcher->turn++ % 2];
        sample->collector_count = 0;
        sample->dropped = 0;
        sample->time = clock_now(&clock_real);
        process_source_collect(watcher->source, older, sample);
        return sample;
}

static size_t partial(const struct sample *sample)
{
        size_t count = 0;
        for (size_t i = 0; i < sample->process_count; i++)
                count += sample->processes[i].identity->user[0] == '\0'; /* read with the details */
        return count;
}

static int by_size(const void *a, const void *b)
{
        const double x = *(const double *)a, y = *(const double *)b;
        return x < y ? -1 : x > y;
}

static double median(double *values, size_t n)
{
        qsort(values, n, sizeof(*values), by_size);
        return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* Median CPU time of a round, us. *ret_count: processes seen in the last one. */
static void measure(struct watcher watchers[WAY_MAX], size_t rounds, long gap_msec, double ret_usec[WAY_MAX],
                    size_t *ret_count)
{
        static double spent[WAY_MAX][ROUNDS_MAX];
        for (size_t round = 0; round < rounds; round++)
                for (size_t i = 0; i < WAY_MAX; i++) {
                        size_t way = (i + round) % WAY_MAX; /* none is always first */
                        if (way != WAY_LOOP && !watchers[way].source)
                                continue;
                        rest(gap_msec);
                        double before = cpu_usec();
                        if (way == WAY_LOOP)
                                *ret_count = plain_loop();
                        else
                                (void)watch(&watchers[way]);
                        spent[way][round] = cpu_usec() - before;
                }
        for (size_t way = 0; way < WAY_MAX; way++)
                ret_usec[way] = median(spent[way], rounds);
}

static int open_watcher(struct watcher *watcher, const struct root *root, bool without_taskstats)
{
        const struct machine machine = { .hz = (uint64_t)sysconf(_SC_CLK_TCK),
                                         .page_bytes = (uint64_t)sysconf(_SC_PAGESIZE) };
        int r = process_source_new(root, &machine, without_taskstats, &watcher->source);
        if (r < 0)
                return r;
        struct sample *sample;
        double before = cpu_usec();
        size_t ticks = 0;
        do {
                sample = watch(watcher);
                ticks++;
        } while (partial(sample) > 0 && ticks < 30);
        printf("  %-9s first %zu ticks, until every process is known: %.1f ms of CPU; %s\n",
               without_taskstats ? "proc" : "taskstats", ticks, (cpu_usec() - before) / 1e3,
               sample->collectors[1].state == COLLECTOR_OK ? "taskstats in use" : "without taskstats");
        (void)watch(watcher); /* the second look at new processes */
        return 0;
}

static void close_watcher(struct watcher *watcher)
{
        watcher->source = process_source_free(watcher->source);
        for (size_t i = 0; i < 2; i++)
                free(watcher->samples[i].processes);
}

static void print_row(const char *kind, const double usec[WAY_MAX], size_t count)
{
        printf("  %-12s %6zu", kind, count);
        for (size_t way = 0; way < WAY_MAX; way++)
                printf("  %7.0f ns %8.2f ms", usec[way] * 1e3 / (double)count, usec[way] / 1e3);
        printf("  %5.2f  %5.2f\n", usec[WAY_TASKSTATS] / usec[WAY_LOOP], usec[WAY_PROC] / usec[WAY_LOOP]);
}

static int run(const struct root *root, size_t n, size_t rounds, long gap_msec)
{
        static struct herd herd;
        static struct watcher watchers[WAY_MAX];
        double usec[WAY_MAX];
        size_t count = 0;

        int r = herd_start(&herd, n);
        printf("herd of %zu, %d %% of it active\n", herd.count, HERD_ACTIVE_PER_CENT);
        memset(watchers, 0, sizeof(watchers));
        if (r == 0)
                r = open_watcher(&watchers[WAY_TASKSTATS], root, false);
        if (r == 0)
                r = open_watcher(&watchers[WAY_PROC], root, true);
        if (r == 0) {
                printf("  %-12s %6s  %22s  %22s  %22s  %s\n", "", "seen", "open/read/close stat",
                       "with taskstats", "/proc only", "ratios to the loop");
                measure(watchers, rounds, gap_msec, usec, &count);
                print_row("with a gap", usec, count);
                measure(watchers, rounds, 0, usec, &count);
                print_row("back to back", usec, count);
                if (count < n || watchers[WAY_PROC].samples[0].process_count < n)
                        r = -ENODATA; /* somebody did not see the herd: the figures mean nothing */
        }
        close_watcher(&watchers[WAY_TASKSTATS]);
        close_watcher(&watchers[WAY_PROC]);
        herd_stop(&herd);
        return r;
}

static void print_plain(size_t rounds, long gap_msec)
{
        double spent[ROUNDS_MAX];
        for (size_t round = 0; round < rounds; round++) {
                rest(gap_msec);
                double before = cpu_usec();
                (void)plain_loop();
                spent[round] = cpu_usec() - before;
        }
        printf("%.0f\n", median(spent, rounds));
}

int main(int argc, char **argv)
{
        static const struct option options[] = { { "rounds", required_argument, NULL, 'r' },
                                                 { "gap", required_argument, NULL, 'g' },
                                                 { "plain", no_argument, NULL, 'p' },
                                                 { NULL, 0, NULL, 0 } };
        long rounds = 9, gap_msec = 1000;
        bool is_plain = false;
        struct rusage usage;
        struct root root;

        for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;)
                switch (c) {
                case 'r':
                        rounds = strtol(optarg, NULL, 10);
                        break;
                case 'g':
                        gap_msec = strtol(optarg, NULL, 10);
                        break;
                case 'p':
                        is_plain = true;
                        break;
                default:
                        return 2;
                }
        if ((optind == argc) != is_plain || rounds < 1 || rounds > ROUNDS_MAX || gap_msec < 0) {
                (void)fprintf(stderr,
                              "usage: bench_sample [--rounds N] [--gap MSEC] PROCESSES... | --plain\n");
                return 2;
        }
        if (is_plain) {
                print_plain((size_t)rounds, gap_msec);
                return 0;
        }
        int r = root_init(&root, "/");
        for (int i = optind; r == 0 && i < argc; i++)
                r = run(&root, (size_t)strtoul(argv[i], NULL, 10), (size_t)rounds, gap_msec);
        if (r < 0) {
                (void)fprintf(stderr, "bench_sample: %s\n", strerror(-r));
                return 1;
        }
        (void)getrusage(RUSAGE_SELF, &usage);
        printf("largest resident size, herd's share of it included: %ld kB\n", usage.ru_maxrss);
        root_done(&root);
        return 0;
}
