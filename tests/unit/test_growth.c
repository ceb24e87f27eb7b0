/* The composite rule against made-up traces of memory: ten healthy shapes and six leaks, as the research had
 * them (synthetic, seeded). What it is held to: how often it is wrong, and how often it sees a leak. */
#include "tests/support/cases.h"

#include <stdlib.h>

#include "daemon/checks/growth.h"

#define BEGIN   (UINT64_C(1732276800) * USEC_PER_SEC)
#define MB      1e6
#define ID      7
#define TOTAL   (8000 * MB)
#define ROOM    (3000 * MB)
#define TRACES  25
#define MINUTES (6 * 60)

static uint64_t seed;

static double uniform(double low, double high)
{
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return low + (high - low) * ((double)(seed >> 11) / 9007199254740992.0);
}

static double normal(void)
{
        double sum = 0;
        for (int i = 0; i < 12; i++)
                sum += uniform(0, 1);
        return sum - 6;
}

/* What a shape is made of; drawn anew for each trace. */
struct trace {
        double base, amount, noise, tau, phase, period, wave;
        double steps[8]; /* minutes */
        int step_count;
        double walk, leaked, burst, burst_left;
};

static struct trace trace;

static void draw(void)
{
        trace = (struct trace){
                .base = uniform(200, 1200) * MB,
                .amount = uniform(300, 1500) * MB,
                .tau = uniform(0, 1),
                .phase = uniform(0, 1),
                .period = uniform(5, 30),
                .wave = uniform(0.2, 1),
                .step_count = 3 + (int)uniform(0, 4),
        };
        trace.noise = uniform(0.005, 0.03) * trace.amount;
        for (int i = 0; i < trace.step_count; i++)
                trace.steps[i] = uniform(0, MINUTES);
}

static double flat(double minute)
{
        (void)minute;
        return 0;
}

static double warm_up(double minute)
{
        return 1 - exp(-minute / (20 + 40 * trace.tau));
}

static double slow_warm_up(double minute)
{
        return 1 - exp(-minute / (120 + 120 * trace.tau));
}

static double cache(double minute)
{
        double tau = 5 + 25 * trace.tau;
        return log(1 + minute / tau) / log(1 + MINUTES / tau);
}

static double steps(double minute)
{
        double sum = 0;
        for (int i = 0; i < trace.step_count; i++)
                sum += minute >= trace.steps[i];
        return sum / trace.step_count;
}

static double one_step(double minute)
{
        return minute >= trace.steps[0];
}

static double sawtooth(double minute)
{
        return fmod(minute / trace.period + trace.phase, 1) * trace.wave;
}

static double bursts(double minute)
{
        (void)minute;
        if (trace.burst_left-- <= 0) {
                trace.burst = uniform(0, 1) < 0.1 ? uniform(0.2, 1) : 0;
                trace.burst_left = uniform(5, 30);
        }
        return trace.burst;
}

static double daily(double minute)
{
        return (1 - cos(2 * M_PI * (minute / 1440 + trace.phase))) / 2;
}

static double walk(double minute)
{
        (void)minute;
        return trace.walk += normal() / 3 / sqrt(MINUTES);
}

static double leak(double minute)
{
        return minute / MINUTES;
}

static double noisy_leak(double minute)
{
        return leak(minute) + 0.3 * fabs(normal());
}

static double leak_under_garbage(double minute)
{
        return leak(minute) + sawtooth(minute);
}

static double leak_in_portions(double minute)
{
        (void)minute;
        if (uniform(0, 1) < 0.1)
                trace.leaked += uniform(0, 2) * 10 / MINUTES;
        return trace.leaked;
}

static double growing_leak(double minute)
{
        return pow(minute / MINUTES, 1.5);
}

static double late_leak(double minute)
{
        double begin = 60 + 60 * trace.tau;
        return minute > begin ? (minute - begin) / (MINUTES - begin) : 0;
}

static const struct shape {
        const char *name;
        double (*at)(double minute);
        bool is_leak;
} shapes[] = {
        { "flat", flat, false },
        { "warm-up", warm_up, false },
        { "slow warm-up", slow_warm_up, false },
        { "cache fill", cache, false },
        { "steps", steps, false },
        { "one step", one_step, false },
        { "sawtooth, flat floor", sawtooth, false },
        { "bursts", bursts, false },
        { "daily rise", daily, false },
        { "random walk", walk, false },
        { "leak", leak, true },
        { "noisy leak", noisy_leak, true },
        { "leak under garbage", leak_under_garbage, true },
        { "leak in portions", leak_in_portions, true },
        { "growing leak", growing_leak, true },
        { "late leak", late_leak, true },
};
#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

/* One program in an empty machine. */
static struct history *history;
static struct program program;
static struct sample *sample;
static struct snapshot *now;

static void restart(void)
{
        history = history_free(history);
        history = history_new();
        sample = sample ? sample : calloc(1, sizeof(*sample));
        now = now ? now : calloc(1, sizeof(*now));
        assert_true(history && sample && now);
        sample_clear(sample);
        memset(now, 0, sizeof(*now));
        now->sample = sample;
        now->programs = &program;
        now->program_count = 1;
        now->time = (struct clock_reading){ BEGIN, SECONDS(1000000), SECONDS(1000000) };
        for (size_t i = 0; i < FIELD_MAX; i++)
                now->value[i] = NAN;
        program = (struct program){ .id = ID, .name = "app", .swap_bytes = ABSENT };
}

static void pass(double seconds, double bytes)
{
        now->interval_usec = now->expected_usec = (usec_t)(seconds * 1e6);
        now->time.realtime_usec += now->interval_usec;
        now->time.monotonic_usec += now->interval_usec;
        now->time.boottime_usec += now->interval_usec;
        program.anon_bytes = (uint64_t)(bytes > MB ? bytes : MB);
        history_push(history, now);
}

static struct growth_question question(void)
{
        return (struct growth_question){
                .history = history,
                .kind = TREND_PROGRAM_MEMORY,
                .id = ID,
                .age_usec = now->time.realtime_usec - BEGIN,
                .room_bytes = ROOM,
                .total_bytes = TOTAL,
                .horizon_sec = 7 * 86400.0,
                .share = 0.02,
        };
}

struct score {
        int at_end, ever;
};

#define DAYS_BEFORE 2

/* Six hours of a process that was just started, or that has lived for two days before: steadily, or up and
 * down each day where the shape is that. Asked every half an hour. */
static void run_trace(const struct shape *shape, bool is_old, struct score *score)
{
        struct growth growth;
        bool was_found = false, is_found = false;
        draw();
        restart();
        double offset = shape->at(0), daily_amount = shape->at == daily ? trace.amount : 0;
        for (int minute = -1440 * DAYS_BEFORE; is_old && minute < 0; minute += 30)
                pass(1800, trace.base + daily_amount * (daily(minute) - daily(0)));
        for (int minute = 1; minute <= MINUTES; minute++) {
                double height = trace.amount * (shape->at(minute) - offset);
                double above = fabs(normal()) * trace.noise; /* requests at work */
                pass(60, trace.base + height + above);
                if (minute % 30 != 0)
                        continue;
                struct growth_question q = question();
                is_found = growth_find(&q, &growth);
                was_found |= is_found;
        }
        score->at_end += is_found;
        score->ever += was_found;
}

/* Per cent, over all traces of a kind. */
static void run_all(bool is_old, double *ret_wrong, double *ret_ever_wrong, double *ret_seen)
{
        struct score healthy = { 0 }, leaks = { 0 };
        int healthy_traces = 0, leak_traces = 0;
        for (size_t s = 0; s < SHAPES; s++) {
                struct score score = { 0 };
                seed = 1 + s;
                for (int i = 0; i < TRACES; i++)
                        run_trace(&shapes[s], is_old, &score);
                print_message("%-22s %-5s %-5s found at the end %3d of %d, ever %3d\n", shapes[s].name,
                              shapes[s].is_leak ? "leak" : "", is_old ? "old" : "young", score.at_end, TRACES,
                              score.ever);
                struct score *sum = shapes[s].is_leak ? &leaks : &healthy;
                sum->at_end += score.at_end;
                sum->ever += score.ever;
                *(shapes[s].is_leak ? &leak_traces : &healthy_traces) += TRACES;
        }
        *ret_wrong = 100.0 * healthy.at_end / healthy_traces;
        *ret_ever_wrong = 100.0 * healthy.ever / healthy_traces;
        *ret_seen = 100.0 * leaks.at_end / leak_traces;
        print_message("%s: wrong %.1f %% at the end, %.1f %% ever; leaks seen %.1f %%\n",
                      is_old ? "old" : "young", *ret_wrong, *ret_ever_wrong, *ret_seen);
}

/* ---- bad input first ---- */

static void nothing_known_is_no_growth(void **state)
{
        (void)state;
        struct growth growth;
        restart();
        now->is_first = true;
        pass(5, 100 * MB);
        now->is_first = false;
        struct growth_question q = question();
        assert_false(growth_find(&q, &growth));
        assert_int_equal(growth.verdict, GROWTH_TOO_FEW);
        pass(5, 100 * MB);
        q = question();
        q.id = 99;
        assert_false(growth_find(&q, &growth));
        for (int i = 0; i < 200; i++) {
                pass(5, 100 * MB);
                q = question();
                q.room_bytes = q.total_bytes = 0; /* anything would be too much */
                assert_false(growth_find(&q, &growth));
        }
        assert_int_equal(growth.verdict, GROWTH_NONE);
}

/* ---- the research's bounds ---- */

static void a_young_process_is_left_alone(void **state)
{
        (void)state;
        double wrong, ever_wrong, seen;
        run_all(false, &wrong, &ever_wrong, &seen);
        assert_true(wrong <= 1 && ever_wrong <= 3);
}

static void an_old_process_that_leaks_is_seen(void **state)
{
        (void)state;
        double wrong, ever_wrong, seen;
        run_all(true, &wrong, &ever_wrong, &seen);
        assert_true(wrong <= 3 && ever_wrong <= 5);
        assert_true(seen >= 90);
}

/* ---- other widths ---- */

/* What ends soon is seen in minutes, in a process that is minutes old. */
static void a_fast_leak_is_seen_in_minutes(void **state)
{
        (void)state;
        struct growth growth = { 0 };
        restart();
        double room = ROOM;
        int second = 0;
        for (bool is_found = false; !is_found && second < 300; second += 5) {
                pass(5, 100 * MB + second * 12 * MB);
                struct growth_question q = question();
                q.room_bytes = room = ROOM - second * 12 * MB;
                is_found = growth_find(&q, &growth);
        }
        assert_true(second > 90 && second < 200 && room > 0);
        assert_about(growth.bytes_per_sec / MB, 12, 0.5);
        assert_about(growth.left_sec, room / 12e6, 10);
        assert_true(growth.since_usec < BEGIN + SECONDS(40));
}

/* 50 MB a day: two weeks are needed, and the daily ups and downs are four times as high. */
static void a_slow_leak_is_seen_in_days(void **state)
{
        (void)state;
        struct growth growth = { 0 };
        restart();
        int hour = 0;
        bool is_found = false;
        for (; !is_found && hour < 14 * 24; hour++) {
                for (int i = 0; i < 6; i++)
                        pass(600, 400 * MB + hour * 50.0 / 24 * MB + 100 * MB * daily(hour * 60));
                struct growth_question q = question();
                q.room_bytes = 300 * MB;
                is_found = growth_find(&q, &growth);
        }
        assert_true(is_found && hour > 72);
        assert_about(growth.bytes_per_sec * 86400 / MB, 50, 12);
        /* Without the leak it is never seen. */
        restart();
        for (hour = 0; hour < 14 * 24; hour++) {
                for (int i = 0; i < 6; i++)
                        pass(600, 400 * MB + 200 * MB * daily(hour * 60));
                struct growth_question q = question();
                q.room_bytes = 300 * MB;
                assert_false(growth_find(&q, &growth));
        }
}

/* Once found, a leak that slows down because the machine starves stays found; one that ends does not. */
static void found_stays_found_for_a_while(void **state)
{
        (void)state;
        struct growth growth = { 0 };
        restart();
        for (int second = 0; second < 150; second += 5)
                pass(5, 100 * MB + second * 12 * MB);
        for (int second = 0; second < 120; second += 5)
                pass(5, 1900 * MB + second * 2 * MB);
        struct growth_question q = question();
        q.room_bytes = 300 * MB;
        assert_false(growth_find(&q, &growth));
        q.was_found = true;
        assert_true(growth_find(&q, &growth));
        for (int second = 0; second < 3600; second += 5)
                pass(5, 2140 * MB);
        q = question();
        q.was_found = true;
        assert_false(growth_find(&q, &growth));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(nothing_known_is_no_growth),
                cmocka_unit_test(a_young_process_is_left_alone),
                cmocka_unit_test(an_old_process_that_leaks_is_seen),
                cmocka_unit_test(a_fast_leak_is_seen_in_minutes),
                cmocka_unit_test(a_slow_leak_is_seen_in_days),
                cmocka_unit_test(found_stays_found_for_a_while),
        };
        int failed = cmocka_run_group_tests(tests, NULL, NULL);
        history = history_free(history);
        free(sample);
        free(now);
        return failed;
}
