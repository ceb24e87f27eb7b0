/* A tick that looks at no machine: it publishes what the file named by SLOWD_FAKE_STATE asks for, so that the
 * tests of the socket decide what there is to be told and when. Words: "healthy", "slow", "worse", "stuck"
 * (does not come back while the file says so). Linked into slowd-fake, which is never installed. */
#include "daemon/tick.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/text.h"

#define FAKE_PROGRAMS 256

struct tick {
        const struct clock *clock;
        const struct config *config;
        char state[16];
        uint64_t ticks;
        usec_t started_usec, slow_since_usec;
};

int tick_new(const struct root *root, const struct clock *clock, const struct config *config,
             const struct sampler_options *options, struct tick **ret_tick)
{
        (void)root;
        struct tick *tick = calloc(1, sizeof(*tick));
        if (!tick)
                return -ENOMEM;
        (void)options;
        tick->clock = clock;
        tick->config = config;
        tick->started_usec = clock_now(clock).realtime_usec;
        *ret_tick = tick;
        return 0;
}

struct tick *tick_free(struct tick *tick)
{
        free(tick);
        return NULL;
}

void tick_load(struct tick *tick, const char *path)
{
        (void)tick;
        (void)path;
}

void tick_set_store(struct tick *tick, struct store *store)
{
        (void)tick;
        (void)store;
}

void tick_set_config(struct tick *tick, const struct config *config)
{
        tick->config = config;
}

static void read_state(char *state, size_t size)
{
        const char *path = getenv("SLOWD_FAKE_STATE");
        ssize_t length = path ? root_read_at(-1, path, state, size) : -ENOENT;
        if (length < 0)
                text_format(state, size, "healthy");
        state[strcspn(state, "\n")] = '\0';
}

static void fake_subject(struct subject *subject, const char *name, uint32_t uid, const char *command_line)
{
        *subject = (struct subject){ .kind = SUBJECT_PROGRAM,
                                     .count = 30,
                                     .pids = { 4711, 4712 },
                                     .pid_count = 2,
                                     .uid = uid,
                                     .lost_permille = 310 };
        text_format(subject->name, sizeof(subject->name), "%s", name);
        text_format(subject->unit, sizeof(subject->unit), "cron.service");
        text_format(subject->user, sizeof(subject->user), "%u", uid);
        text_format(subject->command_line, sizeof(subject->command_line), "%s", command_line);
}

static void fake_finding(struct finding *finding, usec_t since_usec, bool is_worse)
{
        *finding = (struct finding){ .check = "cpu.overload",
                                     .verdict = VERDICT_FOUND,
                                     .severity = is_worse ? SEVERITY_CRITICAL : SEVERITY_WARNING,
                                     .since_usec = since_usec,
                                     .lost_permille = is_worse ? 600 : 310,
                                     .confidence_permille = 950,
                                     .has_origin = true,
                                     .victim_count = 1,
                                     .evidence_count = 1,
                                     .remedy_count = 1 };
        text_format(finding->summary, sizeof(finding->summary),
                    "30 ffmpeg processes want 28 CPUs of 2, and nginx waits %s of its time.",
                    is_worse ? "60 %" : "31 %");
        fake_subject(&finding->culprit, "ffmpeg", 0, "ffmpeg -i secret-of-root.mkv out.mp4");
        fake_subject(&finding->victims[0], "nginx", 65534, "nginx: worker of nobody");
        finding->origin.chain_length = 2;
        text_format(finding->origin.chain[0].name, PROGRAM_NAME_MAX, "cron");
        text_format(finding->origin.chain[1].name, PROGRAM_NAME_MAX, "sh");
        text_format(finding->origin.chain[1].command_line, COMMAND_LINE_MAX, "/bin/sh /secret/deploy.sh");
        text_format(finding->origin.script, PATH_TEXT_MAX, "/secret/deploy.sh");
        text_format(finding->origin.working_directory, PATH_TEXT_MAX, "/secret");
        finding->evidence[0] = (struct evidence){ .name = "cpu.waiting",
                                                  .value = 310,
                                                  .unit = "permille",
                                                  .threshold = 100,
                                                  .usual = INT64_MIN,
                                                  .text = "nginx waits for a CPU 31 % of the time" };
        finding->remedies[0] =
                (struct remedy){ .text = "run them one after the other", .command = "slowctl queue ffmpeg" };
}

static void fake_incident(struct incident *incident, const struct finding *finding)
{
        *incident = (struct incident){ .id = 1,
                                       .check = finding->check,
                                       .since_usec = finding->since_usec,
                                       .severity = finding->severity,
                                       .peak_permille = finding->lost_permille,
                                       .peak_usec = finding->since_usec,
                                       .culprit = finding->culprit,
                                       .victims = { finding->victims[0] },
                                       .victim_count = 1 };
        text_format(incident->summary, sizeof(incident->summary), "%s", finding->summary);
}

static void add_event(struct published *published, enum incident_change change)
{
        published->events[published->event_count++] =
                (struct incident_event){ .change = change, .incident = published->incidents[0] };
}

static void fake_logs(struct published *published)
{
        struct log_row *row = &published->logs.rows[0];
        published->logs.count = published->logs.unit_count = 1;
        published->logs.read_usec = published->self.last_tick_usec;
        *row = (struct log_row){ .growth_per_sec = 1000, .reads_per_min = NAN, .full_usec = USEC_PER_HOUR };
        row->log.size_bytes = row->log.allocated_bytes = 5000000;
        row->log.rotation_bytes = ABSENT;
        text_format(row->log.path, sizeof(row->log.path), "/var/log/app.log");
        text_format(row->writer, sizeof(row->writer), "app");
        published->logs.units[0] = (struct log_unit_sample){ .entries = 7, .earlier_usec = USEC_PER_MINUTE };
}

static void fake_programs(struct published *published)
{
        fake_logs(published);
        published->top_count = FAKE_PROGRAMS;
        for (uint32_t i = 0; i < FAKE_PROGRAMS; i++) {
                struct top_row *row = &published->top[i];
                *row = (struct top_row){ .uid = i % 2 ? 65534 : 0,
                                         .count = 1,
                                         .first_pid = 1000 + i,
                                         .cpu = 0.5F,
                                         .lost = NAN,
                                         .memory_bytes = (uint64_t)i << 20,
                                         .swap_bytes = ABSENT };
                text_format(row->name, sizeof(row->name), "program%u", i);
                text_format(row->command_line, sizeof(row->command_line), "%s --number=%u",
                            row->uid ? "nobodys" : "roots", i);
        }
}

static void fake_boot(struct boot_report *report)
{
        struct boot_times *times = &report->boot.times;
        times->stage = BOOT_SETTLED;
        text_format(times->boot_id, sizeof(times->boot_id), "fake-boot");
        text_format(times->target, sizeof(times->target), "multi-user.target");
        times->userspace_usec = 10 * USEC_PER_SEC;
        times->ready_usec = times->finish_usec = 30 * USEC_PER_SEC;
        report->boot.unit_count = 2;
        text_format(report->boot.units[0].name, UNIT_NAME_MAX, "multi-user.target");
        text_format(report->boot.units[1].name, UNIT_NAME_MAX, "slow.service");
        report->boot.units[0].level = report->boot.units[1].level = 1;
        report->earlier_count = 1;
        report->earlier[0] = *times;
}

void tick_run(struct tick *tick, usec_t expected_usec, struct published *ret_published)
{
        struct published *p = ret_published;
        (void)expected_usec;
        char state[16];
        for (read_state(state, sizeof(state)); strcmp(state, "stuck") == 0; read_state(state, sizeof(state)))
                (void)nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
        usec_t now = clock_now(tick->clock).realtime_usec;
        memset(p, 0, sizeof(*p));
        bool was_slow = strcmp(tick->state, "slow") == 0 || strcmp(tick->state, "worse") == 0;
        bool is_worse = strcmp(state, "worse") == 0, is_slow = is_worse || strcmp(state, "slow") == 0;
        if (is_slow && !was_slow)
                tick->slow_since_usec = now;
        p->has_changed = strcmp(state, tick->state) != 0;
        p->wants_fast = is_slow;
        text_format(tick->state, sizeof(tick->state), "%s", state);
        text_format(p->diagnosis.machine, sizeof(p->diagnosis.machine), "fake");
        text_format(p->machine.hostname, sizeof(p->machine.hostname), "fake");
        p->machine.cpus = 2;
        p->diagnosis.at_usec = now;
        p->diagnosis.verdict = is_slow ? DIAGNOSIS_SLOW : DIAGNOSIS_HEALTHY;
        text_format(p->diagnosis.summary, sizeof(p->diagnosis.summary), "fake is %s.", state);
        if (tick->slow_since_usec) {
                fake_finding(&p->diagnosis.causes[0], tick->slow_since_usec, is_worse);
                p->diagnosis.cause_count = is_slow;
                fake_incident(&p->incidents[0], &p->diagnosis.causes[0]);
                p->incidents[0].until_usec = is_slow ? 0 : now;
                p->incident_count = 1;
                if (p->has_changed && (is_slow || was_slow))
                        add_event(p, !is_slow   ? INCIDENT_CLOSED
                                     : was_slow ? INCIDENT_WORSENED
                                                : INCIDENT_OPENED);
        }
        fake_programs(p);
        fake_boot(&p->boot);
        p->has_boot = true;
        p->self = (struct self_cost){ .started_usec = tick->started_usec,
                                      .ticks = ++tick->ticks,
                                      .last_tick_usec = now };
        p->collectors[0] = (struct collector_status){ .name = "stat", .state = COLLECTOR_OK };
        p->collectors[1] =
                (struct collector_status){ .name = "kmsg", .state = COLLECTOR_DENIED, .error = -EPERM };
        p->collector_count = 2;
}
