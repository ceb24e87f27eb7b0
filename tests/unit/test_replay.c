/* A recorded overload: the answer from disk is the answer of the time, also from an export on another
 * machine. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "common/text.h"
#include "daemon/history/export.h"
#include "daemon/history/replay.h"
#include "daemon/history/store.h"
#include "tests/support/scratch.h"
#include "tests/support/synthetic.h"

#define PROCESSES 60
#define ENCODERS  20 /* of them: ffmpeg, each wanting a CPU of the two */
#define TICKS     400
#define ONSET     300 /* tick */
#define INTERVAL  (5 * USEC_PER_SEC)

static const char *directory, *path;
static struct config config;
static struct diagnosis then; /* at the last tick, as slowd saw it */
static usec_t then_usec;
static struct process_identity encoders[ENCODERS], server;

/* Makes the quiet machine's sample one of an overload that began `ticks` ticks ago. */
static void overload(struct sample *sample, uint64_t ticks)
{
        for (size_t i = 0; i < PROCESSES; i++) {
                struct process_sample *process = &sample->processes[i];
                bool is_encoder = i < ENCODERS, is_server = i == ENCODERS;
                if (is_encoder || is_server) {
                        struct process_identity *identity = is_encoder ? &encoders[i] : &server;
                        *identity = *process->identity;
                        identity->is_kernel_thread = false;
                        text_format(identity->comm, COMM_MAX, is_encoder ? "ffmpeg" : "nginx");
                        text_format(identity->name, PROGRAM_NAME_MAX, is_encoder ? "ffmpeg" : "nginx");
                        text_format(identity->unit, UNIT_NAME_MAX,
                                    is_encoder ? "cron.service" : "nginx.service");
                        process->identity = identity;
                }
                if (ticks == 0 || i > ENCODERS)
                        continue;
                /* Two CPUs, shared by twenty; the server wants 5 % and waits three times as long. */
                uint64_t run = is_encoder ? INTERVAL / 10 * 97 / 100 : INTERVAL / 20;
                uint64_t wait = is_encoder ? INTERVAL * 9 / 10 : INTERVAL * 3 / 20;
                process->is_idle = false;
                process->state = 'R';
                process->run_nsec += ticks * run * 1000;
                process->run_delay_nsec += ticks * wait * 1000;
                process->user_ticks += ticks * run / 10000;
                process->slices += ticks * 100;
                process->involuntary_switches += ticks * 100;
        }
        sample->stat.all.user += ticks * 2 * INTERVAL / 10000;
        sample->stat.all.idle -= ticks * 2 * INTERVAL / 10000;
        sample->pressure[PRESSURE_CPU].some_total_usec += ticks * INTERVAL * 99 / 100;
        sample->stat.procs_running = ticks ? 22 : 1;
}

static int record(void **state)
{
        (void)state;
        static char copy[4096];
        directory = scratch_make();
        text_format(copy, sizeof(copy), "%s", scratch_path(directory, STORE_FILE_NAME));
        path = copy;
        config_defaults(&config);
        const struct synthetic_options options = { .processes = PROCESSES, .cpus = 2, .seed = 4 };
        struct synthetic *machine = synthetic_new(&options);
        struct replay *live = replay_new(&config);
        struct store_options store_options;
        struct store *store;
        static struct sample turn[2];
        store_default_options(path, &clock_real, &store_options);
        if (store_new(&store_options, &store) < 0)
                return -1;
        for (uint64_t i = 0; i < TICKS; i++) {
                struct sample *sample = &turn[i % 2];
                synthetic_step(machine, INTERVAL, sample);
                overload(sample, i >= ONSET ? i - ONSET + 1 : 0);
                replay_push(live, sample, false);
                store_append(store, sample);
                store_append_snapshot(store, replay_snapshot(live));
                store_wait(store);
                then_usec = sample->time.realtime_usec;
        }
        then = *replay_diagnosis(live);
        const struct incident incident = { .id = 1,
                                           .check = then.cause_count ? then.causes[0].check : "none",
                                           .since_usec = then.cause_count ? then.causes[0].since_usec : 1,
                                           .severity = SEVERITY_WARNING,
                                           .peak_permille = 500,
                                           .peak_usec = then_usec - 30 * USEC_PER_SEC,
                                           .culprit = { .kind = SUBJECT_PROGRAM, .command_line = "secret" } };
        store_append_incident(store, &incident);
        (void)store_free(store);
        (void)replay_free(live);
        (void)synthetic_free(machine);
        synthetic_sample_done(&turn[0]);
        synthetic_sample_done(&turn[1]);
        return 0;
}

static int forget(void **state)
{
        (void)state;
        scratch_remove(directory);
        return 0;
}

static struct store_reader *open_reader(const char *name)
{
        char error[STORE_ERROR_MAX];
        struct store_reader *reader;
        if (store_reader_open(name, &reader, error) < 0)
                fail_msg("%s", error);
        return reader;
}

static void assert_same_answer(const struct diagnosis *now)
{
        assert_int_equal(now->verdict, then.verdict);
        assert_int_equal(now->cause_count, then.cause_count);
        assert_string_equal(now->summary, then.summary);
        assert_true(now->at_usec == then.at_usec);
        for (uint32_t i = 0; i < then.cause_count; i++) {
                const struct finding *a = &now->causes[i], *b = &then.causes[i];
                assert_string_equal(a->check, b->check);
                assert_string_equal(a->culprit.name, b->culprit.name);
                assert_int_equal(a->culprit.count, b->culprit.count);
                assert_memory_equal(a->culprit.pids, b->culprit.pids, sizeof(b->culprit.pids));
                assert_int_equal(a->victim_count, b->victim_count);
                assert_string_equal(a->victims[0].name, b->victims[0].name);
                assert_in_range(a->lost_permille, b->lost_permille - 1, b->lost_permille + 1);
                assert_true(a->since_usec == b->since_usec);
        }
        assert_int_equal(now->ruled_out_count, then.ruled_out_count);
        assert_int_equal(now->not_checked_count, then.not_checked_count);
}

static void a_time_without_record_is_said(void **state)
{
        (void)state;
        char error[STORE_ERROR_MAX];
        static struct diagnosis diagnosis;
        struct store_reader *reader = open_reader(path);
        assert_int_equal(replay_at(reader, &config, then_usec + USEC_PER_HOUR, &diagnosis, error), -ENODATA);
        assert_int_equal(replay_at(reader, &config, 5, &diagnosis, error), -ENODATA);
        assert_non_null(strstr(error, "nothing was recorded"));
        usec_t worst;
        assert_int_equal(replay_worst(reader, 5, 6, &worst), -ENODATA);
        (void)store_reader_close(reader);
}

static void the_answer_from_disk_is_the_answer_of_the_time(void **state)
{
        (void)state;
        assert_int_equal(then.verdict, DIAGNOSIS_SLOW); /* or the rest shows nothing */
        assert_string_equal(then.causes[0].check, "cpu.overload");
        assert_string_equal(then.causes[0].culprit.name, "ffmpeg");
        char error[STORE_ERROR_MAX];
        static struct diagnosis now;
        struct store_reader *reader = open_reader(path);
        assert_int_equal(replay_at(reader, &config, then_usec, &now, error), 0);
        assert_string_equal(error, "");
        assert_same_answer(&now);
        /* and before it began, nothing */
        assert_int_equal(replay_at(reader, &config, then_usec - 110 * INTERVAL, &now, error), 0);
        assert_int_equal(now.verdict, DIAGNOSIS_HEALTHY);
        (void)store_reader_close(reader);
}

static void the_worst_moment_is_found(void **state)
{
        (void)state;
        struct store_reader *reader = open_reader(path);
        usec_t at;
        assert_int_equal(replay_worst(reader, 0, UINT64_MAX, &at), 0);
        assert_true(at == then_usec - 30 * USEC_PER_SEC);
        (void)store_reader_close(reader);
}

/* Pages of the file that nothing is in: a number in its header (www.sqlite.org/fileformat.html). */
static void assert_no_free_pages(const char *name)
{
        static const unsigned char none[4];
        unsigned char header[40];
        FILE *file = fopen(name, "re");
        assert_non_null(file);
        assert_int_equal(fread(header, 1, sizeof(header), file), sizeof(header));
        (void)fclose(file);
        assert_memory_equal(&header[36], none, sizeof(none));
}

static void an_export_answers_alike_and_keeps_no_secrets(void **state)
{
        (void)state;
        char error[STORE_ERROR_MAX], other[4096];
        text_format(other, sizeof(other), "%s", scratch_path(directory, "sent.slowd"));
        struct store_reader *reader = open_reader(path);
        struct export_options options = { then_usec + USEC_PER_HOUR, then_usec + 2 * USEC_PER_HOUR, false };
        assert_int_equal(export_write(reader, &options, other, error), -ENODATA);
        assert_int_equal(scratch_count(directory, "sent"), 0);

        options = (struct export_options){ then_usec - 5 * USEC_PER_MINUTE, then_usec, false };
        if (export_write(reader, &options, other, error) < 0)
                fail_msg("%s", error);
        assert_string_equal(error, "");
        assert_int_equal(scratch_count(directory, "sent"), 1); /* one file, no log beside it */
        assert_no_free_pages(other);
        assert_int_equal(export_write(reader, &options, other, error), -EEXIST);
        (void)store_reader_close(reader);

        static struct diagnosis now;
        reader = open_reader(other);
        assert_int_equal(replay_at(reader, &config, then_usec, &now, error), 0);
        assert_same_answer(&now);
        struct sample turn[2] = { 0 };
        size_t count = 0;
        store_reader_seek(reader, 0, UINT64_MAX, NULL);
        for (; store_reader_next(reader, &turn[count % 2]) == 1; count++)
                for (size_t i = 0; i < turn[count % 2].process_count; i++) {
                        assert_string_equal(turn[count % 2].processes[i].identity->command_line, "");
                        assert_string_equal(turn[count % 2].processes[i].identity->origin_script, "");
                }
        assert_in_range(count, 239, 242); /* 20 minutes: the five, and the past that checks need */
        (void)store_reader_close(reader);
        synthetic_sample_done(&turn[0]);
        synthetic_sample_done(&turn[1]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_time_without_record_is_said),
                cmocka_unit_test(the_answer_from_disk_is_the_answer_of_the_time),
                cmocka_unit_test(the_worst_moment_is_found),
                cmocka_unit_test(an_export_answers_alike_and_keeps_no_secrets),
        };
        return cmocka_run_group_tests(tests, record, forget);
}
