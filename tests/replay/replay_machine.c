/* Replays one recorded machine and holds every answer on the way against expected.json:
 *   {"beginUSec": 1795465000000000,          when the fault began (realtime)
 *    "mustFind": [{"check": "cpu.overload", "culprit": "ffmpeg", "bySecond": 15},
 *                 {"check": "disk.full", "because": "log.oversized", "bySecond": 60}],
 *    "mustNotFind": ["memory.thrash"],       in no answer, neither as cause nor as risk nor as consequence
 *    "mustBeHealthy": false,                 no answer but healthy and unknown
 *    "healthyFromSecond": 0,                 and that only from then on: what was before has passed
 *    "timeFactor": 60}                       each second of the recording passes for a minute
 * Seconds are those of the recording. What must be found must be there by that second after the fault began,
 * and with that culprit: among the causes or risks, or, with a "because", among the consequences of that
 * check.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "common/text.h"
#include "daemon/history/replay.h"

#define FIND_MAX  8
#define PATH_SIZE 1024

struct wanted {
        const char *check, *culprit, *because; /* the last two may be NULL */
        double by_second;
        double found_at; /* seconds after the beginning; NAN: not yet */
};

struct expectation {
        usec_t begin_usec;
        struct wanted find[FIND_MAX];
        size_t find_count;
        struct json_object *not_found; /* array of strings, or NULL */
        bool must_be_healthy;
        double healthy_from_second;
        uint64_t factor;
        usec_t first_usec; /* realtime of the first sample */
};

static int expectation_read(struct json_object *object, struct expectation *ret)
{
        struct json_object *value, *list;
        if (!json_object_object_get_ex(object, "beginUSec", &value))
                return -EINVAL;
        ret->begin_usec = (usec_t)json_object_get_int64(value);
        ret->factor = 1;
        if (json_object_object_get_ex(object, "timeFactor", &value))
                ret->factor = json_object_get_uint64(value);
        if (json_object_object_get_ex(object, "mustBeHealthy", &value))
                ret->must_be_healthy = json_object_get_boolean(value);
        ret->healthy_from_second = -INFINITY;
        if (json_object_object_get_ex(object, "healthyFromSecond", &value))
                ret->healthy_from_second = json_object_get_double(value);
        if (json_object_object_get_ex(object, "mustNotFind", &value))
                ret->not_found = value;
        if (!json_object_object_get_ex(object, "mustFind", &list))
                return 0;
        for (size_t i = 0; i < json_object_array_length(list) && i < FIND_MAX; i++) {
                struct json_object *item = json_object_array_get_idx(list, i);
                struct wanted *wanted = &ret->find[ret->find_count++];
                *wanted = (struct wanted){ .by_second = 15, .found_at = NAN };
                if (!json_object_object_get_ex(item, "check", &value))
                        return -EINVAL;
                wanted->check = json_object_get_string(value);
                if (json_object_object_get_ex(item, "culprit", &value))
                        wanted->culprit = json_object_get_string(value);
                if (json_object_object_get_ex(item, "because", &value))
                        wanted->because = json_object_get_string(value);
                if (json_object_object_get_ex(item, "bySecond", &value))
                        wanted->by_second = json_object_get_double(value);
        }
        return 0;
}

static bool has_check(const struct finding *findings, uint32_t count, const char *check)
{
        for (uint32_t i = 0; i < count; i++)
                if (strcmp(findings[i].check, check) == 0)
                        return true;
        return false;
}

static bool has_wanted(const struct finding *findings, uint32_t count, const struct wanted *wanted)
{
        for (uint32_t i = 0; i < count; i++)
                if (strcmp(findings[i].check, wanted->check) == 0 &&
                    (!wanted->culprit || strcmp(findings[i].culprit.name, wanted->culprit) == 0) &&
                    (!wanted->because ||
                     (findings[i].because && strcmp(findings[i].because, wanted->because) == 0)))
                        return true;
        return false;
}

static bool is_there(const struct diagnosis *diagnosis, const struct wanted *wanted)
{
        if (wanted->because)
                return has_wanted(diagnosis->consequences, diagnosis->consequence_count, wanted);
        return has_wanted(diagnosis->causes, diagnosis->cause_count, wanted) ||
               has_wanted(diagnosis->risks, diagnosis->risk_count, wanted);
}

static const char *reason_of(const struct reason *reasons, uint32_t count, const char *check)
{
        for (uint32_t i = 0; i < count; i++)
                if (strcmp(reasons[i].check, check) == 0)
                        return reasons[i].text;
        return NULL;
}

/* Why it was not found, as of the last answer. */
static void print_reason(const struct diagnosis *diagnosis, const char *check)
{
        const char *text = reason_of(diagnosis->ruled_out, diagnosis->ruled_out_count, check);
        if (!text)
                text = reason_of(diagnosis->not_checked, diagnosis->not_checked_count, check);
        if (text)
                (void)printf("%s: %s\n", check, text);
}

static int hold_answer(const struct diagnosis *diagnosis, struct expectation *expectation)
{
        double passed = (double)(diagnosis->at_usec - expectation->first_usec) / (double)expectation->factor;
        double second = ((double)expectation->first_usec + passed - (double)expectation->begin_usec) / 1e6;
        int failures = 0;
        for (size_t i = 0; i < expectation->find_count; i++) {
                struct wanted *wanted = &expectation->find[i];
                if (isnan(wanted->found_at) && is_there(diagnosis, wanted))
                        wanted->found_at = second;
        }
        for (size_t i = 0; expectation->not_found && i < json_object_array_length(expectation->not_found);
             i++) {
                const char *check =
                        json_object_get_string(json_object_array_get_idx(expectation->not_found, i));
                if (!has_check(diagnosis->causes, diagnosis->cause_count, check) &&
                    !has_check(diagnosis->risks, diagnosis->risk_count, check) &&
                    !has_check(diagnosis->consequences, diagnosis->consequence_count, check))
                        continue;
                (void)printf("second %.0f: %s must not be found: %s\n", second, check, diagnosis->summary);
                failures++;
        }
        if (expectation->must_be_healthy && second >= expectation->healthy_from_second &&
            (diagnosis->verdict == DIAGNOSIS_SLOW || diagnosis->verdict == DIAGNOSIS_RISK)) {
                (void)printf("second %.0f: must be healthy: %s\n", second, diagnosis->summary);
                failures++;
        }
        return failures;
}

/* A slow fault need not be waited for: what was recorded in a second is taken to have lasted `factor`
 * seconds. Counters are left as they are, so rates are that much smaller; levels stay. */
static void stretch(struct sample *sample, const struct sample *first, uint64_t factor)
{
        uint64_t more = factor - 1;
        usec_t passed = sample->time.monotonic_usec - first->time.monotonic_usec;
        uint64_t first_ticks = first->uptime_usec / (USEC_PER_SEC / first->machine.hz);
        sample->time.realtime_usec += more * passed;
        sample->time.monotonic_usec += more * passed;
        sample->time.boottime_usec += more * passed;
        sample->uptime_usec += more * passed;
        sample->expected_usec *= factor;
        for (size_t i = 0; i < sample->process_count; i++) {
                struct process_sample *process = &sample->processes[i];
                if (process->start_ticks > first_ticks)
                        process->start_ticks += more * (process->start_ticks - first_ticks);
        }
}

static int replay_all(struct store_reader *reader, struct expectation *expectation)
{
        static struct sample samples[2], first;
        struct config config;
        int failures = 0, answers = 0, r;
        config_defaults(&config);
        struct replay *replay = replay_new(&config);
        if (!replay)
                return 1;
        usec_t first_usec, last_usec;
        if (store_reader_span(reader, &first_usec, &last_usec) == 0)
                replay_load(replay, reader, first_usec);
        store_reader_seek(reader, 0, UINT64_MAX, NULL);
        for (unsigned turn = 0; (r = store_reader_next(reader, &samples[turn])) != 0; turn ^= 1) {
                if (r < 0) {
                        (void)printf("the recording is damaged: %s\n", store_reader_error(reader));
                        failures++;
                        break;
                }
                if (answers == 0) {
                        expectation->first_usec = samples[turn].time.realtime_usec;
                        first.time = samples[turn].time;
                        first.machine = samples[turn].machine;
                        first.uptime_usec = samples[turn].uptime_usec;
                }
                stretch(&samples[turn], &first, expectation->factor);
                replay_push(replay, &samples[turn], false);
                failures += hold_answer(replay_diagnosis(replay), expectation);
                answers++;
        }
        for (size_t i = 0; i < expectation->find_count; i++) {
                const struct wanted *wanted = &expectation->find[i];
                (void)printf("%s%s%s%s%s: found %.1f s after the beginning (by %.0f)\n", wanted->check,
                             wanted->culprit ? " by " : "", wanted->culprit ? wanted->culprit : "",
                             wanted->because ? " because of " : "", wanted->because ? wanted->because : "",
                             wanted->found_at, wanted->by_second);
                if (!(wanted->found_at <= wanted->by_second)) {
                        print_reason(replay_diagnosis(replay), wanted->check);
                        failures++;
                }
        }
        (void)printf("%d answers, %d of them wrong\n", answers, failures);
        replay_free(replay);
        sample_done(&samples[0]);
        sample_done(&samples[1]);
        return failures > 0 || answers < 3;
}

int main(int argc, char **argv)
{
        char path[PATH_SIZE], error[STORE_ERROR_MAX];
        struct expectation expectation = { 0 };
        struct store_reader *reader;
        if (argc != 2)
                return 2;
        text_format(path, sizeof(path), "%s/expected.json", argv[1]);
        struct json_object *expected = json_object_from_file(path);
        if (!expected || expectation_read(expected, &expectation) < 0) {
                (void)printf("%s says nothing usable\n", path);
                json_object_put(expected);
                return 2;
        }
        text_format(path, sizeof(path), "%s/history.slowd", argv[1]);
        int r = store_reader_open(path, &reader, error);
        if (r < 0) {
                (void)printf("%s: %s\n", path, error);
                json_object_put(expected);
                return 2;
        }
        r = replay_all(reader, &expectation);
        store_reader_close(reader);
        json_object_put(expected);
        return r;
}
