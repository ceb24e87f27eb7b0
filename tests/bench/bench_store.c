/* What the record of a machine takes on disk and costs to write: the machine that this runs on, with a herd
 * of processes, is sampled and stored as slowd does, then the file is weighed. A day is reckoned from the
 * blocks that were finished: what a block begins with (a row for every process) and what each tick adds.
 *
 *   bench_store [--ticks N] [--gap MSEC] [--file PATH] PROCESSES */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/history/sample_codec.h"
#include "daemon/history/store.h"
#include "daemon/history/store_read.h"
#include "daemon/root.h"
#include "daemon/sample/collectors.h"
#include "tests/bench/herd.h"

static double now_usec(clockid_t clock)
{
        struct timespec now;
        (void)clock_gettime(clock, &now);
        return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void rest_until(double until_usec)
{
        double left = until_usec - now_usec(CLOCK_MONOTONIC);
        if (left > 0)
                (void)usleep((useconds_t)left);
}

struct packed {
        size_t bytes, rows, ticks, blocks;
};

static void pack_block(struct block *block, struct packed *packed)
{
        struct bytes bytes = { 0 };
        if (block->ticks == 0)
                return;
        (void)block_write(block, &bytes);
        packed->bytes += bytes.length;
        packed->ticks += block->ticks;
        packed->blocks++;
        bytes_done(&bytes);
        block_clear(block);
}

/* Packs the first `count` of the recorded samples into blocks, as the store does. */
static struct packed pack(const char *path, size_t count)
{
        struct store_reader *reader;
        char error[STORE_ERROR_MAX];
        struct sample turn[2] = { 0 };
        struct sample_encoder *encoder = sample_encoder_new();
        struct bytes frame = { 0 };
        struct block *block = calloc(1, sizeof(*block));
        struct packed packed = { 0 };
        if (store_reader_open(path, &reader, error) < 0) {
                (void)fprintf(stderr, "%s\n", error);
                exit(1);
        }
        for (size_t i = 0; i < count && store_reader_next(reader, &turn[i % 2]) == 1; i++) {
                if (sample_encoder_add(encoder, &turn[i % 2], &frame) == 1)
                        pack_block(block, &packed);
                if (block_append(block, frame.data, frame.length) < 0)
                        break;
                packed.rows += turn[i % 2].process_count;
        }
        pack_block(block, &packed);
        block_done(block);
        free(block);
        bytes_done(&frame);
        sample_done(&turn[0]);
        sample_done(&turn[1]);
        (void)sample_encoder_free(encoder);
        (void)store_reader_close(reader);
        return packed;
}

static void weigh(const char *path, size_t ticks, double gap_sec, const char *what)
{
        struct packed one = pack(path, 1), all = pack(path, ticks);
        double begun = (double)(all.blocks * one.bytes);
        double tick_bytes =
                all.ticks > all.blocks ? ((double)all.bytes - begun) / (double)(all.ticks - all.blocks) : 0;
        double day_ticks = 86400 / gap_sec, processes = (double)all.rows / (double)all.ticks;
        double block_ticks = (double)SAMPLE_BLOCK_USEC / 1e6 / gap_sec;
        if (block_ticks > SAMPLE_BLOCK_TICKS)
                block_ticks = SAMPLE_BLOCK_TICKS;
        double day = day_ticks * tick_bytes + day_ticks / block_ticks * (double)one.bytes;
        printf("%s: %zu ticks of %.1f s in %zu blocks, %.0f processes: %zu bytes at a block's begin, %.0f a "
               "tick; "
               "%.3f bytes per process-sample; a day: %.2f MB\n",
               what, all.ticks, gap_sec, all.blocks, processes, one.bytes, tick_bytes,
               day / (day_ticks * processes), day / 1e6);
}

int main(int argc, char **argv)
{
        long ticks = 120, gap = 1000;
        const char *path = "/tmp/bench-store.slowd";
        static const struct option options[] = { { "ticks", required_argument, NULL, 't' },
                                                 { "gap", required_argument, NULL, 'g' },
                                                 { "file", required_argument, NULL, 'f' },
                                                 { NULL, 0, NULL, 0 } };
        for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
                if (option == 't')
                        ticks = strtol(optarg, NULL, 10);
                else if (option == 'g')
                        gap = strtol(optarg, NULL, 10);
                else if (option == 'f')
                        path = optarg;
                else
                        return 2;
        }
        size_t processes = optind < argc ? strtoul(argv[optind], NULL, 10) : 200;
        if (ticks < 1 || gap < 1 || processes > HERD_MAX)
                return 2;
        static const char *const suffixes[] = { "", "-wal", "-shm" };
        for (size_t i = 0; i < 3; i++) {
                char name[4096];
                (void)snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
                (void)unlink(name);
        }

        static struct herd herd;
        struct root root;
        struct sampler *sampler;
        struct store *store;
        struct store_options store_options;
        store_default_options(path, &clock_real, &store_options);
        if (herd_start(&herd, processes) < 0 || root_init(&root, "/") < 0 ||
            sampler_new(&root, &clock_real, &(struct sampler_options){ 0 }, &sampler) < 0 ||
            store_new(&store_options, &store) < 0)
                return 1;
        struct sample turn[2] = { 0 };
        struct snapshot snapshot = { 0 };
        double collecting = 0, storing = 0, begin = now_usec(CLOCK_MONOTONIC);
        double cpu_begin = now_usec(CLOCK_PROCESS_CPUTIME_ID);
        for (long i = 0; i < ticks; i++) {
                struct sample *sample = &turn[i % 2];
                double before = now_usec(CLOCK_THREAD_CPUTIME_ID);
                sampler_collect(sampler, sample);
                (void)snapshot_make(i ? &turn[(i + 1) % 2] : NULL, sample, (usec_t)gap * 1000, &snapshot);
                double between = now_usec(CLOCK_THREAD_CPUTIME_ID);
                store_append(store, sample);
                store_append_snapshot(store, &snapshot);
                collecting += between - before;
                storing += now_usec(CLOCK_THREAD_CPUTIME_ID) - between;
                rest_until(begin + (double)(i + 1) * (double)gap * 1000);
        }
        double cpu = now_usec(CLOCK_PROCESS_CPUTIME_ID) - cpu_begin;
        store_flush(store);
        struct store_status status;
        store_status(store, &status);
        (void)store_free(store);
        herd_stop(&herd);
        sampler = sampler_free(sampler);
        root_done(&root);
        snapshot_done(&snapshot);
        sample_done(&turn[0]);
        sample_done(&turn[1]);

        struct stat file;
        printf("tick: %.0f usec to look, %.0f usec to encode; writer: %.0f usec; %llu ticks lost\n",
               collecting / (double)ticks, storing / (double)ticks,
               (cpu - collecting - storing) / (double)ticks, (unsigned long long)status.lost_ticks);
        printf("file: %lld bytes\n", stat(path, &file) == 0 ? (long long)file.st_size : -1LL);
        weigh(path, (size_t)ticks, (double)gap / 1000, "samples");
        return status.is_writing ? 0 : 1;
}
