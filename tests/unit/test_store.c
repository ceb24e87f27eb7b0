/* The store with files that are missing, foreign, damaged, from the future, on a full disk; then what it
 * keeps. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/history/store_read.h"
#include "daemon/history/store_sql.h"
#include "daemon/history/store.h"
#include "tests/support/scratch.h"
#include "tests/support/synthetic.h"

static const char *directory, *path;
static struct clock_reading fake_now = { 1732284842000000, 1000000, 1000000 };

static void read_fake_clock(void *userdata, struct clock_reading *ret_now)
{
        (void)userdata;
        *ret_now = fake_now;
}
static const struct clock fake_clock = { .read = read_fake_clock };

static int set_up(void **state)
{
        (void)state;
        static char copy[4096];
        directory = scratch_make();
        (void)snprintf(copy, sizeof(copy), "%s/" STORE_FILE_NAME, directory);
        path = copy;
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        scratch_remove(directory);
        return 0;
}

static struct store *start(void)
{
        struct store_options options;
        struct store *store;
        store_default_options(path, &fake_clock, &options);
        assert_int_equal(store_new(&options, &store), 0);
        return store;
}

static struct synthetic *small_machine(uint64_t seed)
{
        const struct synthetic_options options = {
                .processes = 40, .cpus = 2, .busy_permille = 100, .churn_permille = 5, .seed = seed
        };
        return synthetic_new(&options);
}

static void run(struct synthetic *machine, struct store *store, size_t ticks, usec_t interval)
{
        static struct sample sample;
        for (size_t i = 0; i < ticks; i++) {
                synthetic_step(machine, interval, &sample);
                store_append(store, &sample);
                if (i % 32 == 31) /* the queue is bounded, and this is faster than any tick */
                        store_flush(store);
        }
        store_flush(store);
        synthetic_sample_done(&sample);
}

static struct store_reader *open_reader(void)
{
        char error[STORE_ERROR_MAX];
        struct store_reader *reader;
        int result = store_reader_open(path, &reader, error);
        if (result < 0)
                fail_msg("%s", error);
        return reader;
}

/* How many samples can be read; *ret_damages: how many pieces were named as damaged. */
static size_t count_samples(usec_t from, usec_t until, size_t *ret_damages)
{
        struct store_reader *reader = open_reader();
        struct sample turn[2] = { 0 };
        size_t count = 0, damages = 0;
        int result;
        store_reader_seek(reader, from, until, NULL);
        while ((result = store_reader_next(reader, &turn[count % 2])) != 0) {
                if (result == 1) {
                        count++;
                        continue;
                }
                if (result != -EBADMSG)
                        fail_msg("%s", store_reader_error(reader));
                assert_non_null(strstr(store_reader_error(reader), "damaged"));
                assert_in_range(++damages, 1, 10000);
        }
        synthetic_sample_done(&turn[0]);
        synthetic_sample_done(&turn[1]);
        (void)store_reader_close(reader);
        if (ret_damages)
                *ret_damages = damages;
        else
                assert_int_equal(damages, 0);
        return count;
}

/* How many samples there are, those in memory only included; each once, in order. */
static size_t count_with_memory(struct store *store, bool has_file)
{
        struct store_reader *reader = NULL;
        struct unwritten *unwritten = store_unwritten(store);
        struct sample turn[2] = { 0 };
        size_t count = 0;
        usec_t first, last;
        if (has_file)
                reader = open_reader();
        else
                assert_int_equal(store_reader_open_nothing(&reader), 0);
        if (unwritten)
                store_reader_add_unwritten(reader, unwritten);
        (void)unwritten_unref(unwritten);
        store_reader_seek(reader, 0, UINT64_MAX, NULL);
        while (store_reader_next(reader, &turn[count % 2]) == 1) {
                if (count > 0)
                        assert_true(turn[count % 2].time.monotonic_usec >
                                    turn[(count + 1) % 2].time.monotonic_usec);
                count++;
        }
        assert_int_equal(store_reader_span(reader, &first, &last), 0);
        if (count > 0)
                assert_true(last == turn[(count + 1) % 2].time.realtime_usec && first < last);
        store_reader_seek(reader, 1, 2, NULL);
        assert_int_equal(store_reader_next(reader, &turn[count % 2]), 0);
        synthetic_sample_done(&turn[0]);
        synthetic_sample_done(&turn[1]);
        (void)store_reader_close(reader);
        return count;
}

/* ---- files that cannot be used */

static void reading_what_is_not_there_or_not_ours_fails_with_a_sentence(void **state)
{
        (void)state;
        char error[STORE_ERROR_MAX];
        struct store_reader *reader;
        assert_int_equal(store_reader_open(path, &reader, error), -ENOENT);
        assert_non_null(strstr(error, path));
        assert_int_equal(scratch_count(directory, "history"), 0);

        FILE *file = fopen(path, "w");
        for (int i = 0; i < 1000; i++)
                (void)fputs("this is no history", file);
        (void)fclose(file);
        assert_int_equal(store_reader_open(path, &reader, error), -EBADMSG);
        assert_int_equal(truncate(path, 0), 0);
        assert_int_equal(store_reader_open(path, &reader, error), -EBADMSG);

        sqlite3 *db = NULL;
        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        assert_int_equal(sql_exec(db, "CREATE TABLE somebody(elses)"), SQLITE_OK);
        (void)sqlite3_close(db);
        assert_int_equal(store_reader_open(path, &reader, error), -EBADMSG);
        assert_non_null(strstr(error, "not a history of slowd"));
}

static void a_foreign_file_is_put_aside_and_said(void **state)
{
        (void)state;
        FILE *file = fopen(path, "w");
        for (int i = 0; i < 1000; i++)
                (void)fputs("this is no history", file);
        (void)fclose(file);
        struct synthetic *machine = small_machine(1);
        struct store *store = start();
        run(machine, store, 5, USEC_PER_SEC);
        struct store_status status;
        store_status(store, &status);
        assert_true(status.is_writing);
        assert_non_null(strstr(status.set_aside, "damaged"));
        assert_int_equal(scratch_count(directory, ".damaged-"), 1);
        assert_int_equal(count_samples(0, UINT64_MAX, NULL), 5);
        (void)store_free(store);
        (void)synthetic_free(machine);
}

static void a_file_from_the_future_is_kept_aside(void **state)
{
        (void)state;
        struct synthetic *machine = small_machine(1);
        struct store *store = start();
        run(machine, store, 5, USEC_PER_SEC);
        (void)store_free(store);
        sqlite3 *db = NULL;
        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        assert_int_equal(sql_exec(db, "PRAGMA user_version = 7"), SQLITE_OK);
        (void)sqlite3_close(db);

        char error[STORE_ERROR_MAX];
        struct store_reader *reader;
        assert_int_equal(store_reader_open(path, &reader, error), -EPROTONOSUPPORT);
        assert_non_null(strstr(error, "newer slowd (format 7"));
        store = start();
        run(machine, store, 3, USEC_PER_SEC);
        struct store_status status;
        store_status(store, &status);
        assert_true(status.is_writing);
        assert_non_null(strstr(status.set_aside, "newer slowd"));
        (void)store_free(store);
        assert_int_equal(count_samples(0, UINT64_MAX, NULL), 3);
        assert_int_equal(scratch_count(directory, ".damaged-"), 1);
        (void)synthetic_free(machine);
}

static void at_most_three_damaged_files_are_kept(void **state)
{
        (void)state;
        for (usec_t time = 1; time <= 5; time++) {
                FILE *file = fopen(path, "w");
                (void)fprintf(file, "%d", (int)time);
                (void)fclose(file);
                assert_int_equal(store_file_put_aside(path, time * USEC_PER_DAY), 0);
        }
        assert_int_equal(scratch_count(directory, ".damaged-"), STORE_DAMAGED_MAX);
        char name[64];
        (void)snprintf(name, sizeof(name), STORE_FILE_NAME ".damaged-%016llu",
                       (unsigned long long)(5 * USEC_PER_DAY));
        assert_int_equal(access(scratch_path(directory, name), F_OK), 0);
}

static void without_its_directory_it_remembers_and_writes_when_it_can(void **state)
{
        (void)state;
        char missing[4096];
        (void)snprintf(missing, sizeof(missing), "%s/later/" STORE_FILE_NAME, directory);
        const char *before = path;
        path = missing;
        struct synthetic *machine = small_machine(1);
        struct store *store = start();
        run(machine, store, 20, USEC_PER_SEC);
        struct store_status status;
        store_status(store, &status);
        assert_false(status.is_writing);
        assert_non_null(strstr(status.text, "No such file"));
        assert_true(status.since_usec > 0);
        assert_true(status.has_unwritten);
        assert_int_equal(count_with_memory(store, false), 20);
        assert_int_equal(mkdir(scratch_path(directory, "later"), 0700), 0);
        run(machine, store, 150, USEC_PER_SEC);
        store_status(store, &status);
        assert_true(status.is_writing);
        assert_int_equal(status.lost_ticks, 0);
        (void)store_free(store);
        assert_int_equal(count_samples(0, UINT64_MAX, NULL), 170);
        (void)synthetic_free(machine);
        scratch_remove(scratch_path(directory, "later"));
        path = before;
}

/* A file system of one megabyte, in a mount namespace of this process. */
static void a_full_disk_is_survived(void **state)
{
        (void)state;
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("tmpfs", directory, "tmpfs", 0, "size=1m") < 0) {
                print_message("skipped: no right to mount a small file system: %s\n", strerror(errno));
                skip();
        }
        struct synthetic *machine = small_machine(1);
        struct store *store = start();
        run(machine, store, 30, USEC_PER_SEC);
        int ballast = open(scratch_path(directory, "ballast"), O_WRONLY | O_CREAT, 0600);
        static const char chunk[512];
        while (write(ballast, chunk, sizeof(chunk)) > 0)
                ; /* to the last byte */
        (void)close(ballast);

        struct store_status status = { .is_writing = true };
        size_t ticks = 30;
        for (; status.is_writing && ticks < 2000; ticks++) {
                run(machine, store, 1, USEC_PER_SEC);
                store_status(store, &status);
        }
        assert_false(status.is_writing);
        assert_non_null(strstr(status.text, "full"));
        run(machine, store, 100, USEC_PER_SEC);
        ticks += 100;
        store_status(store, &status);
        assert_false(status.is_writing);
        assert_int_equal(scratch_count(directory, ".damaged-"), 0);
        assert_true(count_samples(0, UINT64_MAX, NULL) < ticks); /* what was written stays readable */
        assert_int_equal(count_with_memory(store, true), ticks); /* and what was not, too */

        assert_int_equal(unlink(scratch_path(directory, "ballast")), 0);
        run(machine, store, 150, USEC_PER_SEC);
        ticks += 150;
        store_status(store, &status);
        assert_true(status.is_writing);
        assert_int_equal(status.lost_ticks, 0);
        assert_int_equal(count_with_memory(store, true), ticks);
        (void)store_free(store);
        assert_int_equal(count_samples(0, UINT64_MAX, NULL), ticks);
        (void)synthetic_free(machine);
        assert_int_equal(umount2(directory, MNT_DETACH), 0);
}

static void random_damage_is_named_and_the_rest_is_read(void **state)
{
        (void)state;
        struct synthetic *machine = small_machine(1);
        struct store *store = start();
        run(machine, store, 600, 20 * USEC_PER_SEC); /* ten blocks */
        (void)store_free(store);
        (void)synthetic_free(machine);
        assert_int_equal(count_samples(0, UINT64_MAX, NULL), 600);

        struct stat status;
        assert_int_equal(stat(path, &status), 0);
        size_t size = (size_t)status.st_size;
        uint8_t *whole = malloc(size);
        int fd = open(path, O_RDWR);
        assert_int_equal(pread(fd, whole, size, 0), size);
        srand(5);
        size_t read_in_all = 0, refused = 0, silent = 0;
        const size_t rounds = 300;
        for (size_t round = 0; round < rounds; round++) {
                /* Past the first page, which tells what the file is: that is another test. */
                size_t hits = 1 + (size_t)rand() % 3;
                for (size_t i = 0; i < hits; i++) {
                        uint8_t noise[16];
                        for (size_t k = 0; k < sizeof(noise); k++)
                                noise[k] = (uint8_t)rand();
                        size_t at = 4096 + (size_t)rand() % (size - 4096 - sizeof(noise));
                        assert_int_equal(pwrite(fd, noise, sizeof(noise), (off_t)at), sizeof(noise));
                }
                size_t damages = 0;
                char error[STORE_ERROR_MAX];
                struct store_reader *reader;
                int result = store_reader_open(path, &reader, error);
                if (result < 0) {
                        assert_int_equal(result, -EBADMSG);
                        refused++;
                } else {
                        (void)store_reader_close(reader);
                        size_t count = count_samples(0, UINT64_MAX, &damages);
                        read_in_all += count;
                        silent += count < 600 && damages == 0;
                        assert_in_range(count, 0, 600);
                }
                assert_int_equal(pwrite(fd, whole, size, 0), size);
        }
        assert_int_equal(silent, 0);
        assert_int_equal(refused, 0);
        /* Each round damages at most three blocks of ten, and mostly fewer. */
        assert_true(read_in_all > rounds * 600 * 6 / 10);

        /* Cut off at any length. */
        for (size_t length = 0; length < size; length += size / 23) {
                assert_int_equal(ftruncate(fd, (off_t)length), 0);
                char error[STORE_ERROR_MAX];
                struct store_reader *reader;
                if (store_reader_open(path, &reader, error) == 0) {
                        (void)store_reader_close(reader);
                        size_t damages = 0;
                        size_t count = count_samples(0, UINT64_MAX, &damages);
                        assert_true(count == 600 || damages > 0);
                }
                assert_int_equal(pwrite(fd, whole, size, 0), size);
        }
        (void)close(fd);
        free(whole);
}

static void a_file_damaged_while_it_is_written_is_put_aside(void **state)
{
        (void)state;
        struct synthetic *machine = small_machine(1);
        struct store *store = start();
        run(machine, store, 200, 5 * USEC_PER_SEC);
        (void)store_free(store);
        struct stat status;
        assert_int_equal(stat(path, &status), 0);
        int fd = open(path, O_RDWR);
        srand(6);
        for (off_t at = 4096; at < status.st_size; at++)
                assert_int_equal(pwrite(fd, &(uint8_t){ (uint8_t)rand() }, 1, at), 1);
        (void)close(fd);
        store = start();
        run(machine, store, 200, 5 * USEC_PER_SEC);
        struct store_status said;
        store_status(store, &said);
        assert_true(said.is_writing);
        assert_non_null(strstr(said.set_aside, "damaged"));
        (void)store_free(store);
        assert_int_equal(scratch_count(directory, STORE_FILE_NAME ".damaged-") > 0, 1);
        assert_int_equal(count_samples(0, UINT64_MAX, NULL), 200);
        (void)synthetic_free(machine);
}

/* ---- what it keeps */

static void samples_come_back_live_and_after_a_restart(void **state)
{
        (void)state;
        enum { TICKS = 300 };
        static struct sample samples[TICKS];
        struct synthetic *machine = small_machine(9);
        struct store *store = start();
        for (size_t i = 0; i < TICKS; i++) {
                if (i == 100) { /* slowd is restarted */
                        (void)store_free(store);
                        store = start();
                }
                if (i == 150) {
                        synthetic_set_clock(machine, -(int64_t)USEC_PER_HOUR);
                        synthetic_suspend(machine, 2 * USEC_PER_HOUR);
                }
                if (i == 200)
                        synthetic_reboot(machine);
                synthetic_step(machine, 5 * USEC_PER_SEC, &samples[i]);
                store_append(store, &samples[i]);
                store_flush(store);
        }
        for (int pass = 0; pass < 2; pass++) { /* from the journal, then from blocks alone */
                struct store_reader *reader = open_reader();
                struct sample turn[2] = { 0 };
                for (size_t i = 0; i < TICKS; i++) {
                        if (store_reader_next(reader, &turn[i % 2]) != 1)
                                fail_msg("%zu: %s", i, store_reader_error(reader));
                        const char *difference = sample_difference(&samples[i], &turn[i % 2]);
                        if (!difference && i > 0)
                                difference = sample_difference(&samples[i - 1], &turn[(i - 1) % 2]);
                        /* Whether a process was idle before the restart is not asked: it began a block. */
                        if (difference)
                                fail_msg("tick %zu: %s", i, difference);
                }
                assert_int_equal(store_reader_next(reader, &turn[0]), 0);
                usec_t from, until;
                assert_int_equal(store_reader_span(reader, &from, &until), 0);
                assert_true(from == samples[0].time.realtime_usec);
                (void)store_reader_close(reader);
                synthetic_sample_done(&turn[0]);
                synthetic_sample_done(&turn[1]);
                if (pass == 0)
                        store = store_free(store);
        }
        for (size_t i = 0; i < TICKS; i++)
                synthetic_sample_done(&samples[i]);
        (void)synthetic_free(machine);
}

static void an_hour_that_comes_twice_is_given_twice_in_order(void **state)
{
        (void)state;
        struct synthetic *machine = small_machine(9);
        struct store *store = start();
        struct sample sample = { 0 };
        synthetic_step(machine, USEC_PER_SEC, &sample);
        usec_t begin = sample.time.realtime_usec;
        run(machine, store, 720, 5 * USEC_PER_SEC);
        synthetic_set_clock(machine, -(int64_t)USEC_PER_HOUR);
        run(machine, store, 720, 5 * USEC_PER_SEC);
        struct store_reader *reader = open_reader();
        struct sample turn[2] = { 0 };
        size_t count = 0, steps_back = 0;
        usec_t former = 0, former_monotonic = 0;
        store_reader_seek(reader, begin + 30 * USEC_PER_MINUTE, begin + 40 * USEC_PER_MINUTE, NULL);
        while (store_reader_next(reader, &turn[count % 2]) == 1) {
                const struct clock_reading *time = &turn[count % 2].time;
                assert_in_range(time->realtime_usec, begin + 30 * USEC_PER_MINUTE,
                                begin + 40 * USEC_PER_MINUTE);
                assert_true(time->monotonic_usec > former_monotonic);
                steps_back += time->realtime_usec < former;
                former = time->realtime_usec;
                former_monotonic = time->monotonic_usec;
                count++;
        }
        assert_int_equal(steps_back, 1);
        assert_in_range(count, 238, 242);
        (void)store_reader_close(reader);
        (void)store_free(store);
        (void)synthetic_free(machine);
        synthetic_sample_done(&turn[0]);
        synthetic_sample_done(&turn[1]);
        synthetic_sample_done(&sample);
}

static bool take_incident(void *userdata, const struct incident *incident)
{
        struct incident **next = userdata;
        *(*next)++ = *incident;
        return true;
}

static void incidents_are_kept_and_updated(void **state)
{
        (void)state;
        static struct incident incident, got[4];
        struct incident *next = got;
        struct synthetic *machine = small_machine(9);
        struct store *store = start();
        run(machine, store, 3, USEC_PER_SEC);
        incident = (struct incident){
                .id = 1,
                .check = "cpu.overload",
                .since_usec = 1732284900000000,
                .severity = SEVERITY_WARNING,
                .peak_permille = 310,
                .peak_usec = 1732284950000000,
                .summary = "30 ffmpeg processes want 28 CPUs of 2",
                .culprit = { .kind = SUBJECT_PROGRAM,
                             .name = "ffmpeg",
                             .id = 77,
                             .count = 30,
                             .pids = { 512, 513 },
                             .pid_count = 2,
                             .unit = "cron.service",
                             .user = "www-data",
                             .command_line = "ffmpeg -i a b",
                             .lost_permille = -1 },
                .victims = { { .kind = SUBJECT_PROGRAM, .name = "nginx", .lost_permille = 310 } },
                .victim_count = 1,
                .remedy = "run them one after the other"
        };
        store_append_incident(store, &incident);
        incident.until_usec = 1732285000000000;
        incident.severity = SEVERITY_CRITICAL;
        store_append_incident(store, &incident);
        struct incident other = incident;
        other.id = 2;
        other.since_usec += USEC_PER_HOUR;
        other.until_usec = 0;
        store_append_incident(store, &other);
        (void)store_free(store);

        struct store_reader *reader = open_reader();
        assert_int_equal(store_reader_incidents(reader, 0, UINT64_MAX, take_incident, &next), 0);
        assert_int_equal(next - got, 2);
        assert_string_equal(got[0].check, "cpu.overload");
        assert_int_equal(got[0].severity, SEVERITY_CRITICAL);
        assert_true(got[0].until_usec == incident.until_usec && got[0].peak_usec == incident.peak_usec);
        assert_string_equal(got[0].summary, incident.summary);
        assert_memory_equal(&got[0].culprit, &incident.culprit, sizeof(incident.culprit));
        assert_int_equal(got[0].victim_count, 1);
        assert_memory_equal(&got[0].victims, &incident.victims, sizeof(incident.victims));
        assert_string_equal(got[0].remedy, incident.remedy);
        next = got;
        assert_int_equal(
                store_reader_incidents(reader, 1732285000000001, 1732285500000000, take_incident, &next), 0);
        assert_int_equal(next - got, 0);
        assert_int_equal(
                store_reader_incidents(reader, other.since_usec + 1, UINT64_MAX, take_incident, &next), 0);
        assert_int_equal(next - got, 1); /* still open */
        (void)store_reader_close(reader);
        (void)synthetic_free(machine);
}

static void what_is_old_or_too_much_goes_in_small_steps(void **state)
{
        (void)state;
        struct store_options options;
        struct store *store;
        store_default_options(path, &fake_clock, &options);
        options.limits.keep_usec[SERIES_RAW] = USEC_PER_HOUR;
        assert_int_equal(store_new(&options, &store), 0);
        struct synthetic *machine = small_machine(9);
        run(machine, store, 3 * 360, 10 * USEC_PER_SEC);
        struct sample sample = { 0 };
        synthetic_step(machine, USEC_PER_SEC, &sample);
        struct store_status status;
        store_status(store, &status);
        assert_in_range(status.oldest_usec, sample.time.realtime_usec - 85 * USEC_PER_MINUTE,
                        sample.time.realtime_usec - 55 * USEC_PER_MINUTE);
        (void)store_free(store);
        size_t kept = count_samples(0, UINT64_MAX, NULL);
        assert_in_range(kept, 355, 510);

        /* A clock that jumps a year ahead for a while must not cost the record. */
        assert_int_equal(store_new(&options, &store), 0);
        synthetic_set_clock(machine, (int64_t)(365 * USEC_PER_DAY));
        run(machine, store, 20, 10 * USEC_PER_SEC);
        synthetic_set_clock(machine, -(int64_t)(365 * USEC_PER_DAY));
        run(machine, store, 20, 10 * USEC_PER_SEC);
        (void)store_free(store);
        assert_in_range(count_samples(0, UINT64_MAX, NULL), kept, kept + 40);

        options.limits.size_bytes = 100000;
        assert_int_equal(store_new(&options, &store), 0);
        run(machine, store, 200, 10 * USEC_PER_SEC);
        store_status(store, &status);
        (void)store_free(store);
        struct stat file;
        assert_int_equal(stat(path, &file), 0);
        assert_in_range(file.st_size, 1, 160000);
        assert_in_range(count_samples(0, UINT64_MAX, NULL), 60, 600);
        (void)synthetic_free(machine);
        synthetic_sample_done(&sample);
}

static void a_full_queue_drops_and_counts_and_recovers(void **state)
{
        (void)state;
        struct synthetic *machine = small_machine(9);
        struct store *store = start();
        struct sample sample = { 0 };
        for (size_t i = 0; i < 2000; i++) {
                synthetic_step(machine, USEC_PER_SEC, &sample);
                store_append(store, &sample);
        }
        store_flush(store);
        run(machine, store, 5, USEC_PER_SEC);
        struct store_status status;
        store_status(store, &status);
        (void)store_free(store);
        assert_int_equal(count_samples(0, UINT64_MAX, NULL), 2005 - status.lost_ticks);
        (void)synthetic_free(machine);
        synthetic_sample_done(&sample);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                TEST(reading_what_is_not_there_or_not_ours_fails_with_a_sentence),
                TEST(a_foreign_file_is_put_aside_and_said),
                TEST(a_file_from_the_future_is_kept_aside),
                TEST(at_most_three_damaged_files_are_kept),
                TEST(without_its_directory_it_remembers_and_writes_when_it_can),
                TEST(random_damage_is_named_and_the_rest_is_read),
                TEST(a_file_damaged_while_it_is_written_is_put_aside),
                TEST(samples_come_back_live_and_after_a_restart),
                TEST(an_hour_that_comes_twice_is_given_twice_in_order),
                TEST(incidents_are_kept_and_updated),
                TEST(what_is_old_or_too_much_goes_in_small_steps),
                TEST(a_full_queue_drops_and_counts_and_recovers),
                TEST(a_full_disk_is_survived), /* last: it leaves the mount namespace */
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
