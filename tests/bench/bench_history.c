/* How fast a record is read: a week of a made-up machine is stored with the real codec, then asked. The
 * figures are medians of several runs, each with the file opened anew and its pages in the page cache. Then
 * the file is made as large as it may get, of copies of its blocks with earlier times, and opened as at a
 * start.
 *
 *   bench_history [--days N] [--processes N] [--megabytes N] [--file PATH] [--keep] */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "daemon/history/query.h"
#include "daemon/history/replay.h"
#include "daemon/history/store.h"
#include "daemon/history/trends_load.h"
#include "tests/support/synthetic.h"

#define RUNS 7

static const char *path = "/tmp/bench-history.slowd";
static struct config config;
static usec_t first_usec, last_usec;
static double fill_cpu_sec;

static double now_msec(clockid_t clock)
{
        struct timespec now;
        (void)clock_gettime(clock, &now);
        return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void remove_file(void)
{
        static const char *const suffixes[] = { "", "-wal", "-shm" };
        for (size_t i = 0; i < 3; i++) {
                char name[4096];
                (void)snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
                (void)unlink(name);
        }
}

static int fill(long days, uint32_t processes)
{
        const struct synthetic_options options = {
                .processes = processes, .cpus = 2, .busy_permille = 30, .churn_permille = 0, .seed = 1
        };
        struct synthetic *machine = synthetic_new(&options);
        struct sample turn[2] = { 0 };
        struct snapshot snapshot = { 0 };
        struct store_options store_options;
        struct store *store;
        struct trends *trends = trends_new();
        store_default_options(path, &clock_real, &store_options);
        store_options.sync_usec = USEC_PER_HOUR; /* of recorded time, which flies here */
        if (!trends || store_new(&store_options, &store) < 0)
                return -1;
        store_set_trends(store, trends);
        double begin = now_msec(CLOCK_THREAD_CPUTIME_ID);
        for (long i = 0; i < days * 17280; i++) {
                struct sample *sample = &turn[i % 2];
                synthetic_step(machine, 5 * USEC_PER_SEC, sample);
                (void)snapshot_make(i ? &turn[(i + 1) % 2] : NULL, sample, 5 * USEC_PER_SEC, &snapshot);
                trends_push(trends, &snapshot);
                store_append(store, sample);
                store_append_snapshot(store, &snapshot);
                if (i % 32 == 31)
                        store_wait(store);
                if (i == 0)
                        first_usec = sample->time.realtime_usec;
                last_usec = sample->time.realtime_usec;
        }
        fill_cpu_sec = (now_msec(CLOCK_THREAD_CPUTIME_ID) - begin) / 1e3;
        store_flush(store);
        struct store_status status;
        store_status(store, &status);
        store_set_trends(store, NULL);
        (void)store_free(store);
        (void)trends_free(trends);
        (void)synthetic_free(machine);
        snapshot_done(&snapshot);
        synthetic_sample_done(&turn[0]);
        synthetic_sample_done(&turn[1]);
        return status.lost_ticks ? -1 : 0;
}

/* What slowctl history asks: the first life's program or process over the last days. Found: steps with
 * values. */
static size_t ask_query(struct store_reader *reader, struct query *query, usec_t span)
{
        struct query_result result;
        query->since_usec = last_usec - span;
        query->until_usec = last_usec;
        query->interval_usec = 5 * USEC_PER_SEC;
        query->metrics = QUERY_USUAL;
        size_t found = 0;
        if (query_run(reader, query, &result) == 0)
                for (size_t i = 0; i < result.steps; i++)
                        found += result.series[0].value[i] >= 0;
        query_done(&result);
        return found;
}

static size_t ask_week(struct store_reader *reader)
{
        return ask_query(reader, &(struct query){ .program = "ffmpeg" }, 7 * USEC_PER_DAY);
}

static uint32_t some_pid;

static size_t ask_pid(struct store_reader *reader)
{
        return ask_query(reader, &(struct query){ .pid = some_pid }, USEC_PER_DAY);
}

static size_t ask_each(struct store_reader *reader)
{
        return ask_query(reader, &(struct query){ .program = "ffmpeg", .each = true }, USEC_PER_DAY);
}

static void find_pid(void)
{
        struct store_reader *reader;
        struct sample sample = { 0 };
        char error[STORE_ERROR_MAX];
        if (store_reader_open(path, &reader, error) < 0)
                exit(1);
        if (store_reader_next(reader, &sample) == 1)
                some_pid = sample.processes[sample.process_count / 2].pid;
        sample_done(&sample);
        (void)store_reader_close(reader);
}

static size_t ask_rollups(struct store_reader *reader, enum series series, usec_t span)
{
        const struct rollup_machine *machine;
        const struct rollup_program *programs;
        size_t count, found = 0;
        store_reader_seek_rollups(reader, series, last_usec - span, last_usec, "ffmpeg");
        while (store_reader_next_rollup(reader, &machine, &programs, &count) == 1)
                for (size_t i = 0; i < count; i++)
                        found += strcmp(programs[i].name, "ffmpeg") == 0;
        return found;
}

static size_t ask_minutes(struct store_reader *reader)
{
        return ask_rollups(reader, SERIES_MINUTE, 7 * USEC_PER_DAY);
}

static size_t ask_hours(struct store_reader *reader)
{
        return ask_rollups(reader, SERIES_HOUR, 7 * USEC_PER_DAY);
}

static size_t ask_diagnosis(struct store_reader *reader)
{
        static struct diagnosis diagnosis;
        char error[STORE_ERROR_MAX];
        return replay_at(reader, &config, last_usec - (last_usec - first_usec) / 3, &diagnosis, error) == 0;
}

static size_t ask_trends(struct store_reader *reader)
{
        struct trends *trends = trends_new();
        if (!trends || trends_load(trends, reader, last_usec) < 0)
                return 0;
        struct rollup_trend rows[TRENDS_MAX];
        size_t count =
                trends_rows(trends, USEC_PER_HOUR, (last_usec / USEC_PER_HOUR - 2) * USEC_PER_HOUR, rows);
        (void)trends_free(trends);
        return count;
}

static size_t ask_samples(struct store_reader *reader)
{
        struct sample turn[2] = { 0 };
        size_t count = 0;
        store_reader_seek(reader, last_usec - USEC_PER_DAY, last_usec, NULL);
        while (store_reader_next(reader, &turn[count % 2]) == 1)
                count++;
        synthetic_sample_done(&turn[0]);
        synthetic_sample_done(&turn[1]);
        return count;
}

static size_t ask_nothing(struct store_reader *reader)
{
        usec_t from, until;
        return store_reader_span(reader, &from, &until) == 0;
}

static int ascending(const void *a, const void *b)
{
        double x = *(const double *)a, y = *(const double *)b;
        return (x > y) - (x < y);
}

static void measure(const char *what, size_t (*ask)(struct store_reader *reader))
{
        double msec[RUNS], cpu_msec[RUNS];
        size_t found = 0;
        for (size_t i = 0; i < RUNS; i++) {
                double begin = now_msec(CLOCK_MONOTONIC), cpu_begin = now_msec(CLOCK_THREAD_CPUTIME_ID);
                char error[STORE_ERROR_MAX];
                struct store_reader *reader;
                if (store_reader_open(path, &reader, error) < 0) {
                        (void)fprintf(stderr, "%s\n", error);
                        exit(1);
                }
                found = ask(reader);
                (void)store_reader_close(reader);
                msec[i] = now_msec(CLOCK_MONOTONIC) - begin;
                cpu_msec[i] = now_msec(CLOCK_THREAD_CPUTIME_ID) - cpu_begin;
        }
        qsort(msec, RUNS, sizeof(msec[0]), ascending);
        qsort(cpu_msec, RUNS, sizeof(cpu_msec[0]), ascending);
        printf("%-46s %8.1f ms (%.1f to %.1f), %.1f ms of CPU, %zu found\n", what, msec[RUNS / 2], msec[0],
               msec[RUNS - 1], cpu_msec[RUNS / 2], found);
}

static bool execute(sqlite3 *db, const char *text)
{
        char *error = NULL;
        if (sqlite3_exec(db, text, NULL, NULL, &error) == SQLITE_OK)
                return true;
        (void)fprintf(stderr, "%s: %s\n", text, error);
        sqlite3_free(error);
        return false;
}

/* The blocks again and again, each time a week (or what there is) earlier and numbered before the first. */
static bool enlarge(long megabytes)
{
        sqlite3 *db = NULL;
        struct stat file;
        char text[600];
        const long long span = (long long)(last_usec - first_usec) + 1000000;
        bool is_good =
                sqlite3_open(path, &db) == SQLITE_OK &&
                execute(db, "PRAGMA synchronous = OFF; CREATE TEMP TABLE original AS SELECT * FROM block");
        for (long long copy = 1; is_good && stat(path, &file) == 0 && file.st_size < megabytes * 1000000;
             copy++) {
                (void)snprintf(
                        text, sizeof(text),
                        "BEGIN; INSERT INTO block SELECT id - %lld * (SELECT 1 + max(id) FROM original), "
                        "series,"
                        " from_usec - %lld, until_usec - %lld, ticks, raw_bytes, tags FROM original;"
                        "INSERT INTO block_data SELECT id - %lld * (SELECT 1 + max(id) FROM original), data"
                        " FROM block_data WHERE id > 0; COMMIT; PRAGMA wal_checkpoint(TRUNCATE)",
                        copy, copy * span, copy * span, copy);
                is_good = execute(db, text);
        }
        (void)sqlite3_close(db);
        return is_good;
}

/* As at a start of slowd: until the writer has the file open, and what of it stays in memory. */
static int measure_start(void)
{
        double msec[RUNS];
        struct store_status status = { 0 };
        struct rusage before, after;
        (void)getrusage(RUSAGE_SELF, &before);
        for (size_t i = 0; i < RUNS; i++) {
                struct store_options options;
                struct store *store;
                store_default_options(path, &clock_real, &options);
                options.limits.size_bytes = UINT64_MAX / 2;
                for (int series = 0; series < SERIES_MAX; series++)
                        options.limits.keep_usec[series] = UINT64_MAX;
                double begin = now_msec(CLOCK_MONOTONIC);
                if (store_new(&options, &store) < 0)
                        return -1;
                store_flush(store);
                msec[i] = now_msec(CLOCK_MONOTONIC) - begin;
                store_status(store, &status);
                (void)store_free(store);
        }
        (void)getrusage(RUSAGE_SELF, &after);
        qsort(msec, RUNS, sizeof(msec[0]), ascending);
        printf("a start with %.0f MB: until it is open, caught up and synced %17.1f ms (%.1f to %.1f)%s\n",
               (double)status.bytes / 1e6, msec[RUNS / 2], msec[0], msec[RUNS - 1],
               status.is_writing ? "" : ", which failed");
        printf("memory at its highest: %ld kB before, %ld kB after\n", before.ru_maxrss, after.ru_maxrss);
        return status.is_writing ? 0 : -1;
}

int main(int argc, char **argv)
{
        long days = 7, processes = 300, megabytes = 500;
        bool keeps = false;
        static const struct option options[] = { { "days", required_argument, NULL, 'd' },
                                                 { "processes", required_argument, NULL, 'p' },
                                                 { "megabytes", required_argument, NULL, 'm' },
                                                 { "file", required_argument, NULL, 'f' },
                                                 { "keep", no_argument, NULL, 'k' },
                                                 { NULL, 0, NULL, 0 } };
        for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
                if (option == 'd')
                        days = strtol(optarg, NULL, 10);
                else if (option == 'p')
                        processes = strtol(optarg, NULL, 10);
                else if (option == 'm')
                        megabytes = strtol(optarg, NULL, 10);
                else if (option == 'f')
                        path = optarg;
                else if (option == 'k')
                        keeps = true;
                else
                        return 2;
        }
        if (days < 1 || processes < 1 || processes > 60000)
                return 2;
        config_defaults(&config);
        remove_file();
        if (fill(days, (uint32_t)processes) < 0)
                return 1;
        struct stat file;
        if (stat(path, &file) < 0)
                return 1;
        printf("%ld days of %ld processes at 5 s: %.1f MB; %.0f usec of CPU a tick to make up, look and "
               "encode\n",
               days, processes, (double)file.st_size / 1e6, fill_cpu_sec * 1e6 / (double)(days * 17280));
        struct rusage before, after;
        (void)getrusage(RUSAGE_SELF, &before);
        find_pid();
        measure("open, first and last time", ask_nothing);
        measure("history --proc NAME --since -7d", ask_week);
        measure("history --proc PID --since -1d", ask_pid);
        measure("history --proc NAME --since -1d --each", ask_each);
        measure("one program, 7 days by the hour", ask_hours);
        measure("one program, 7 days by the minute", ask_minutes);
        measure("the trends of two weeks", ask_trends);
        measure("diagnose --at", ask_diagnosis);
        measure("every sample of 24 hours", ask_samples);
        (void)getrusage(RUSAGE_SELF, &after);
        printf("memory at its highest: %ld kB before reading, %ld kB after\n", before.ru_maxrss,
               after.ru_maxrss);
        int result = enlarge(megabytes) ? measure_start() : -1;
        if (result == 0) {
                measure("of it: first and last time", ask_nothing);
                measure("of it: history --proc NAME --since -7d", ask_week);
                measure("of it: history --proc PID --since -1d", ask_pid);
                measure("of it: diagnose --at", ask_diagnosis);
        }
        if (!keeps)
                remove_file();
        return result < 0;
}
