/* Questions about a recording of two hours and a half: nonsense and the unknown first, then what is known to
 * have happened, from samples, minutes and hours. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/text.h"
#include "daemon/history/query.h"
#include "daemon/history/store.h"
#include "tests/support/scratch.h"
#include "tests/support/synthetic.h"

#define PROCESSES 40
#define INTERVAL  (5 * USEC_PER_SEC)
#define TICKS     1800 /* two hours and a half */
#define WORKERS   3
#define BEGIN     600            /* tick at which they begin to work ... */
#define END       1200           /* ... and after which they are gone */
#define RATE      (INTERVAL / 2) /* half a CPU each */

static const char *directory, *path;
static usec_t first_usec, begin_usec, end_usec, last_usec;
static struct process_identity workers[WORKERS];

static void disguise(struct sample *sample, uint64_t tick)
{
        uint64_t ran = tick < BEGIN ? 0 : (tick < END ? tick - BEGIN + 1 : END - BEGIN);
        for (size_t i = 0; i < WORKERS; i++) {
                struct process_sample *process = &sample->processes[i];
                struct process_identity *identity = &workers[i];
                *identity = *process->identity;
                identity->is_kernel_thread = identity->is_partial = false;
                text_format(identity->name, PROGRAM_NAME_MAX, "crunch.py");
                text_format(identity->comm, COMM_MAX, "python3");
                text_format(identity->exe, PATH_TEXT_MAX, "/usr/bin/python3.11 (deleted)");
                text_format(identity->unit, UNIT_NAME_MAX, "crunch.service");
                text_format(identity->command_line, COMMAND_LINE_MAX, "python3 crunch.py");
                text_format(identity->origin_script, PATH_TEXT_MAX, "/srv/nightly.sh");
                process->identity = identity;
                process->is_idle = tick < BEGIN;
                process->run_nsec = 1000000 + ran * RATE * 1000;
                process->user_ticks = ran * RATE / 10000;
                process->system_ticks = 0;
                process->run_delay_nsec = ran * RATE * 1000; /* and waits for as long */
                process->block_delay_nsec = process->swapin_delay_nsec = 0;
                process->reclaim_delay_nsec = process->thrashing_delay_nsec = 0;
                process->compact_delay_nsec = 0;
                process->read_bytes = ran * 5 * 4096;
                process->write_bytes = 0;
                process->rss_anon_bytes = process->rss_bytes = 100 << 20;
                process->swap_bytes = 0;
                process->threads = 2;
                process->files = i == 1 ? ABSENT : 20 + i; /* of one it is not known */
        }
        if (tick > END) { /* the first ones: those behind them move up */
                sample->process_count -= WORKERS;
                memmove(sample->processes, sample->processes + WORKERS,
                        sample->process_count * sizeof(sample->processes[0]));
        }
}

static int record(void **state)
{
        (void)state;
        static char copy[4096];
        directory = scratch_make();
        text_format(copy, sizeof(copy), "%s", scratch_path(directory, STORE_FILE_NAME));
        path = copy;
        const struct synthetic_options options = { .processes = PROCESSES, .cpus = 4, .seed = 7 };
        struct synthetic *machine = synthetic_new(&options);
        struct store_options store_options;
        struct store *store;
        struct snapshot snapshot = { 0 };
        static struct sample turn[2];
        store_default_options(path, &clock_real, &store_options);
        if (store_new(&store_options, &store) < 0)
                return -1;
        for (uint64_t i = 0; i < TICKS; i++) {
                struct sample *sample = &turn[i % 2];
                synthetic_step(machine, INTERVAL, sample);
                disguise(sample, i);
                if (snapshot_make(i ? &turn[(i + 1) % 2] : NULL, sample, INTERVAL, &snapshot) < 0)
                        return -1;
                store_append(store, sample);
                store_append_snapshot(store, &snapshot);
                store_wait(store);
                last_usec = sample->time.realtime_usec;
                first_usec = i == 0 ? last_usec : first_usec;
                begin_usec = i == BEGIN - 1 ? last_usec : begin_usec; /* they worked from here on */
                end_usec = i == END ? last_usec : end_usec;           /* the last sight of them */
        }
        const struct incident incident = { .id = 1,
                                           .check = "cpu.overload",
                                           .since_usec = begin_usec,
                                           .until_usec = end_usec,
                                           .severity = SEVERITY_WARNING };
        store_append_incident(store, &incident);
        (void)store_free(store);
        (void)synthetic_free(machine);
        snapshot_done(&snapshot);
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

static int ask(const struct query *question, struct query_result *ret_result)
{
        char error[STORE_ERROR_MAX];
        struct store_reader *reader;
        struct query query = *question;
        if (query.interval_usec == 0)
                query.interval_usec = INTERVAL;
        if (query.metrics == 0)
                query.metrics = QUERY_USUAL;
        if (store_reader_open(path, &reader, error) < 0)
                fail_msg("%s", error);
        int r = query_run(reader, &query, ret_result);
        (void)store_reader_close(reader);
        return r;
}

static const struct query_series *find(const struct query_result *result, const char *name)
{
        for (size_t i = 0; i < result->series_count; i++)
                if (strcmp(result->series[i].name, name) == 0)
                        return &result->series[i];
        fail_msg("there is no series %s", name);
        return NULL;
}

/* The step in which an instant lies. */
static size_t step_of(const struct query_result *result, usec_t at)
{
        return (size_t)((at - result->since_usec) / result->step_usec);
}

static void assert_value(const struct query_result *result, const char *name, usec_t at, double expected,
                         double tolerance)
{
        double value = find(result, name)->value[step_of(result, at)];
        if (!(fabs(value - expected) <= tolerance))
                fail_msg("%s is %g, not %g", name, value, expected);
}

static void nobody_and_never_are_said(void **state)
{
        (void)state;
        struct query_result result;
        const struct query questions[] = {
                { .program = "nobody", .since_usec = first_usec, .until_usec = last_usec },
                { .program = "", .since_usec = first_usec, .until_usec = last_usec },
                { .unit = "crunch.ser", .since_usec = first_usec, .until_usec = last_usec },
                { .pid = 4194305, .since_usec = first_usec, .until_usec = last_usec },
                { .since_usec = 0, .until_usec = 1 },
                { .since_usec = 0, .until_usec = 0 },
                { .since_usec = last_usec + USEC_PER_HOUR, .until_usec = last_usec + 2 * USEC_PER_HOUR },
                { .program = "crunch.py", .since_usec = 5, .until_usec = 30 * USEC_PER_DAY },
        };
        for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
                int r = ask(&questions[i], &result);
                if (r != -ENODATA)
                        fail_msg("question %zu: %d", i, r);
                query_done(&result);
        }
}

static void a_thousand_steps_at_most(void **state)
{
        (void)state;
        struct query_result result;
        const struct query query = { .since_usec = 0, .until_usec = last_usec, .step_usec = 1 };
        assert_int_equal(ask(&query, &result), 0);
        assert_in_range(result.steps, 1, QUERY_STEPS_MAX);
        assert_true(result.since_usec + result.steps * result.step_usec >= last_usec);
        query_done(&result);
}

static void samples_tell_what_they_did(void **state)
{
        (void)state;
        static const char *const names[] = { "crunch.py", "python3", "python3.11" };
        for (size_t i = 0; i < 3; i++) {
                struct query_result result;
                const struct query query = { .program = names[i],
                                             .since_usec = begin_usec - 10 * USEC_PER_MINUTE,
                                             .until_usec = end_usec + 10 * USEC_PER_MINUTE,
                                             .step_usec = USEC_PER_MINUTE,
                                             .metrics = QUERY_USUAL | QUERY_THREADS | QUERY_FILES };
                assert_int_equal(ask(&query, &result), 0);
                assert_int_equal(result.resolution, SERIES_RAW);
                assert_int_equal(result.step_usec, USEC_PER_MINUTE);
                usec_t middle = begin_usec + 5 * USEC_PER_MINUTE, before = begin_usec - 5 * USEC_PER_MINUTE,
                       after = end_usec + 5 * USEC_PER_MINUTE;
                assert_value(&result, "cpu", before, 0, 1);
                assert_value(&result, "cpu", middle, 1500, 5);
                assert_value(&result, "cpu", after, 0, 0);
                assert_value(&result, "wait.cpu", middle, 1500, 5);
                assert_value(&result, "wait", middle, 500, 2);
                assert_value(&result, "memory", before, 3 * (100 << 20), 1);
                assert_value(&result, "memory", after, 0, 0);
                assert_value(&result, "count", middle, 3, 0);
                assert_value(&result, "count", after, 0, 0);
                assert_value(&result, "threads", middle, 6, 0);
                assert_value(&result, "files", middle, 20 + 22, 0);
                assert_value(&result, "files", after, 0, 0);
                assert_value(&result, "io.read", middle, 3 * 4096, 5);
                const struct query_series *cpu = find(&result, "cpu");
                assert_true(cpu->has_range);
                assert_true(fabs(cpu->maximum[step_of(&result, middle)] - 1500) < 5);
                query_done(&result);
        }
}

static void lifetimes_are_summed_or_each(void **state)
{
        (void)state;
        struct query_result result;
        struct query query = { .unit = "crunch",
                               .since_usec = begin_usec - USEC_PER_MINUTE,
                               .until_usec = end_usec + USEC_PER_MINUTE };
        double work = (double)(END - BEGIN) * RATE;
        assert_int_equal(ask(&query, &result), 0);
        assert_int_equal(result.lifetime_count, 1);
        const struct query_lifetime *life = &result.lifetimes[0];
        assert_string_equal(life->name, "crunch.py");
        assert_string_equal(life->command_line, "python3 crunch.py");
        assert_string_equal(life->origin.script, "/srv/nightly.sh");
        assert_int_equal(life->count, 3);
        assert_int_equal(life->pid, 0);
        assert_true(fabs(life->cpu_usec - 3 * work) < work / 100);
        assert_true(fabs(life->read_bytes - 3.0 * (END - BEGIN) * 5 * 4096) < 20 * 4096);
        assert_true(life->peak_memory_bytes == 100 << 20);
        assert_true(life->ended_usec >= end_usec - INTERVAL && life->ended_usec <= end_usec);
        assert_int_equal(result.incident_count, 1);
        query_done(&result);

        query.each = true;
        assert_int_equal(ask(&query, &result), 0);
        assert_int_equal(result.lifetime_count, 3);
        for (size_t i = 0; i < 3; i++) {
                assert_int_not_equal(result.lifetimes[i].pid, 0);
                assert_true(fabs(result.lifetimes[i].share - 1.0 / 3) < 0.01);
                assert_true(fabs(result.lifetimes[i].cpu_usec - work) < work / 100);
        }
        query = (struct query){ .pid = result.lifetimes[1].pid,
                                .since_usec = query.since_usec,
                                .until_usec = begin_usec + USEC_PER_MINUTE };
        query_done(&result);
        assert_int_equal(ask(&query, &result), 0);
        assert_int_equal(result.lifetime_count, 1);
        assert_int_equal(result.lifetimes[0].pid, query.pid);
        assert_true(result.lifetimes[0].ended_usec == 0); /* it was there at the end of the question */
        query_done(&result);
}

static void minutes_and_hours_agree_with_samples(void **state)
{
        (void)state;
        static const usec_t windows[] = { 12 * USEC_PER_HOUR, 7 * USEC_PER_DAY };
        double work = 3.0 * (END - BEGIN) * RATE;
        for (size_t i = 0; i < 2; i++) {
                struct query_result result;
                struct query query = { .program = "python3",
                                       .since_usec = last_usec - windows[i],
                                       .until_usec = last_usec };
                /* By the end they are gone; their command's and executable's names are known all the same. */
                assert_int_equal(ask(&query, &result), 0);
                assert_string_equal(result.lifetimes[0].name, "crunch.py");
                query_done(&result);
                query.program = "python3.11";
                assert_int_equal(ask(&query, &result), 0);
                assert_string_equal(result.lifetimes[0].name, "crunch.py");
                assert_int_equal(result.lifetime_count, 1);
                query_done(&result);
                query.program = "python3.1";
                assert_int_equal(ask(&query, &result), -ENODATA);
                query_done(&result);
                query.program = "crunch.py";
                assert_int_equal(ask(&query, &result), 0);
                assert_int_equal(result.resolution, i == 0 ? SERIES_MINUTE : SERIES_HOUR);
                assert_int_equal(result.lifetime_count, 1);
                const struct query_lifetime *life = &result.lifetimes[0];
                if (!(fabs(life->cpu_usec - work) < work / 50))
                        fail_msg("%g of %g", life->cpu_usec, work);
                assert_int_equal(life->count, 3);
                assert_true(life->ended_usec != 0);
                const struct query_series *cpu = find(&result, "cpu");
                double sum = 0;
                for (size_t j = 0; j < result.steps; j++)
                        if (!isnan(cpu->value[j]))
                                sum += cpu->value[j];
                assert_true(sum > 0);
                if (i == 0) {
                        assert_value(&result, "cpu", begin_usec + 20 * USEC_PER_MINUTE, 1500, 15);
                        /* idle, and so without a row in those minutes; but there */
                        assert_value(&result, "memory", begin_usec - 20 * USEC_PER_MINUTE, 3 * (100 << 20),
                                     3 << 20);
                        assert_value(&result, "count", begin_usec - 20 * USEC_PER_MINUTE, 3, 0.01);
                }
                assert_true(isnan(cpu->value[0])); /* nothing was recorded then */
                query_done(&result);
        }
}

static void the_machine_has_its_own_series(void **state)
{
        (void)state;
        struct query_result result;
        const struct query query = { .since_usec = last_usec - USEC_PER_HOUR,
                                     .until_usec = last_usec,
                                     .metrics = QUERY_CPU | QUERY_MEMORY };
        assert_int_equal(ask(&query, &result), 0);
        assert_int_equal(result.series_count, 2);
        assert_string_equal(result.series[0].name, "cpu");
        assert_string_equal(result.series[1].name, "memory");
        assert_int_equal(result.steps, 120);
        for (size_t i = 0; i < result.steps; i++)
                assert_true(result.series[1].value[i] > 0);
        query_done(&result);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(nobody_and_never_are_said),
                cmocka_unit_test(a_thousand_steps_at_most),
                cmocka_unit_test(samples_tell_what_they_did),
                cmocka_unit_test(lifetimes_are_summed_or_each),
                cmocka_unit_test(minutes_and_hours_agree_with_samples),
                cmocka_unit_test(the_machine_has_its_own_series),
        };
        return cmocka_run_group_tests(tests, record, forget);
}
