/* Which background workers are at work, and which of them costs others most. */
#include <errno.h>
#include <string.h>

#include "common/text.h"
#include "common/units.h"
#include "daemon/checks/background.h"

const struct check_parameter background_parameters[] = {
        [BACKGROUND_WINDOW] = { "WindowSeconds", "seconds", 10, 2, 300, "the window whose means are judged",
                                "as long as for disk.saturated, so that both speak of the same time",
                                "the kernel writes back every 5 s (dirty_writeback_centisecs)" },
        [BACKGROUND_RAISE] = { "RaiseLostPermille", "permille", 200, 20, 1000,
                               "share of the time they want to work that the victims must lose to the worker",
                               "a little below the level of disk.saturated and cpu.overload: a worker that "
                               "is "
                               "known by name needs less to be the explanation",
                               "those checks raise at 250" },
        [BACKGROUND_CLEAR] = { "ClearLostPermille", "permille", 100, 10, 1000,
                               "below this an open incident ends",
                               "well below the raise level, so that an answer does not flap", "hysteresis" },
        [BACKGROUND_MINIMUM_WAIT] = { "MinimumWaitPermille", "permille", 50, 1, 1000,
                                      "time all victims together must lose, of one task's time",
                                      "50 ms in each second; less is a daemon writing its state",
                                      "as for disk.saturated" },
        [BACKGROUND_MINIMUM_SHARE] = { "MinimumSharePermille", "permille", 500, 100, 1000,
                                       "share of what all but the victims use that must be the worker's",
                                       "somebody else who uses more is the explanation", "convention" },
        [BACKGROUND_MINIMUM_BUSY] = { "MinimumBusyPermille", "permille", 600, 100, 1000,
                                      "share of time in which the disk (or a task waiting for it) or the "
                                      "CPUs "
                                      "must be busy",
                                      "an indexer waits for one small request after the other, so a disk is "
                                      "not busy all the time even where it hurts",
                                      "measured: updatedb beside a small database keeps PSI io some at 85 % "
                                      "and more" },
        [BACKGROUND_BURST] = { "BurstSeconds", "seconds", 30, 0, 900,
                               "how long it may use the CPUs before that counts",
                               "installing a small package is over by then", "convention" },
        { NULL, NULL, 0, 0, 0, NULL, NULL, NULL },
};

double background_parameter(const struct background *background, enum background_parameter number)
{
        return background->context->parameters[number];
}

static double known(double value)
{
        return isnan(value) ? 0 : value;
}

/* ---- who runs ---- */

/* Who uses less is not looked up by name: hardly anybody does anything. */
#define NOTABLE_BYTES 20000.0
#define NOTABLE_WAIT  0.05F
#define NOTABLE_CPU   0.05F

static const char *name_of(void *userdata, const struct program_window *window, const struct program *program)
{
        struct background *background = userdata;
        bool is_notable =
                known((double)window->read_bytes) + known((double)window->write_bytes) >= NOTABLE_BYTES ||
                window->ledger.disk_wait >= NOTABLE_WAIT || window->cpu + window->children_cpu >= NOTABLE_CPU;
        const struct sample *sample = background->latest->sample;
        const struct process_sample *process = sample_find_process(sample, program->first_pid);
        struct background_job job;
        if (!is_notable || program->is_kernel || !process ||
            !worker_of_process(sample, process->identity, background->context->workers, &job.worker,
                               &job.pid))
                return NULL;
        for (size_t i = 0; i < background->job_count; i++)
                if (strcmp(background->jobs[i].name, job.worker.process) == 0)
                        return background->jobs[i].name;
        if (background->job_count == BACKGROUND_JOBS_MAX)
                return NULL;
        job.name = job.worker.process;
        background->jobs[background->job_count++] = job;
        return job.name;
}

const struct background_job *background_job_of(const struct background *background,
                                               const struct family *family)
{
        for (size_t i = 0; i < background->job_count; i++)
                if (background->jobs[i].name == family->name)
                        return &background->jobs[i];
        return NULL;
}

int background_begin(const struct check_context *context, struct background *ret_background,
                     struct finding *finding)
{
        struct background *background = ret_background;
        background->context = context;
        background->history = context->history;
        background->latest = history_latest(context->history);
        background->window_usec =
                (usec_t)(background_parameter(background, BACKGROUND_WINDOW) * (double)USEC_PER_SEC);
        background->job_count = background->count = 0;
        const struct sample *sample = background->latest->sample;
        background->cpus = sample->stat.cpu_count == ABSENT ? NAN : (double)sample->stat.cpu_count;
        background->cpu_busy = history_mean(context->history, FIELD_CPU_BUSY, background->window_usec);
        double busy = history_mean(context->history, FIELD_DISK_BUSY_MAX, background->window_usec);
        double stalled = history_mean(context->history, FIELD_PSI_IO_SOME, background->window_usec);
        background->disk_in_use = isnan(busy) || stalled > busy ? stalled : busy;
        if (isnan(background->cpu_busy) && isnan(background->disk_in_use)) {
                finding_reason(finding, VERDICT_UNKNOWN, "neither CPU times nor disk figures can be read");
                return -ENODATA;
        }
        double least = background_parameter(background, BACKGROUND_MINIMUM_BUSY);
        if (!(1000 * background->cpu_busy >= least) && !(1000 * background->disk_in_use >= least)) {
                char cpu[UNITS_MAX], disk[UNITS_MAX];
                finding_reason(finding, VERDICT_CLEAR, "CPUs %s busy, disks in use %s of the time",
                               format_permille(cpu, 1000 * known(background->cpu_busy)),
                               format_permille(disk, 1000 * known(background->disk_in_use)));
                return -EBUSY;
        }
        background->count = families_make_named(context->history, background->window_usec, name_of,
                                                background, background->families, FAMILIES_MAX);
        disk_uses_make(background->latest, background->families, background->count, background->uses);
        return 0;
}

/* ---- the whole ---- */

/* When it began: with its process, if that is younger than the past that is remembered; a daemon began when
 * it last became busy. */
static usec_t since_of(const struct background *background, const struct background_job *job,
                       const struct family *family)
{
        const struct snapshot *latest = background->latest;
        uint32_t pid = job ? job->pid : latest->programs[family->programs[0]].first_pid;
        const struct process_sample *process = sample_find_process(latest->sample, pid);
        usec_t now_usec = latest->time.realtime_usec, age = HISTORY_SPAN_USEC;
        uint64_t hz = latest->sample->machine.hz;
        if (process && hz > 0 && hz != ABSENT) {
                usec_t started = process->start_ticks * USEC_PER_SEC / hz;
                age = latest->time.boottime_usec > started ? latest->time.boottime_usec - started : 0;
        }
        if (age < HISTORY_SPAN_USEC)
                return now_usec - age;
        uint64_t id = latest->programs[family->programs[0]].id;
        usec_t by_io = history_program_since_io(background->history, id, (float)(disk_moved(family) / 4));
        usec_t by_cpu = history_program_since_cpu(background->history, id, family->cpu / 2);
        usec_t since = disk_moved(family) >= NOTABLE_BYTES && by_io > 0 ? by_io : by_cpu;
        return since > 0 ? since : now_usec;
}

/* A file is read in pieces of 128 KiB and more by whoever copies it; a piece of this size is a small file or
 * its beginning. */
#define SMALL_READ  16384.0F
#define CALLS_LEAST 20.0F /* per second */
/* Who copies writes as much as it reads. */
#define WRITES_PART 0.3F
#define UNREAD_PART 0.5F

bool background_is_walker(const struct background *background, const struct family *family,
                          double *ret_unread)
{
        const struct snapshot *latest = background->latest;
        float bytes = 0, chars = 0, calls = 0, written = 0;
        bool is_walking = false;
        if (family->is_kernel || family->is_self || !(family->ledger.disk_wait >= NOTABLE_WAIT))
                return false;
        for (uint32_t i = 0; i < family->program_count; i++) {
                for (size_t k = 0; k < latest->process_count; k++) {
                        const struct process_rate *rate = &latest->processes[k];
                        if (rate->program != family->programs[i] || isnan(rate->read_chars) ||
                            isnan(rate->read_bytes))
                                continue;
                        is_walking |= rate->sample->is_walking;
                        bytes += rate->read_bytes;
                        chars += rate->read_chars;
                        calls += rate->read_calls;
                        written += isnan(rate->write_bytes) ? 0 : rate->write_bytes;
                }
        }
        if (!is_walking || !(bytes >= NOTABLE_BYTES) || written > WRITES_PART * bytes)
                return false;
        *ret_unread = chars < bytes ? (double)(1 - chars / bytes) : 0;
        return *ret_unread >= UNREAD_PART || (calls >= CALLS_LEAST && chars < SMALL_READ * calls);
}

static void examine(const struct background *background, const struct background_job *job,
                    const struct family *family, struct offender *ret_offender)
{
        struct disk_use use = background->uses[family - background->families];
        struct offender offender = {
                .job = job,
                .family = family,
                .moved = disk_moved(family),
                .queue = known((double)family->ledger.disk_wait),
                .since_usec = since_of(background, job, family),
        };
        *ret_offender = offender;
        for (size_t i = 0; i < disk_use_places(&use); i++) {
                offender.place = disk_use_place(&use, i);
                offender.disk = disk_use_disk(background->latest, &offender.place);
                offender.harm = (struct harm){ 0 };
                background_examine_disk(background, &offender);
                if (i == 0 || background_costs_more(&offender, ret_offender))
                        *ret_offender = offender;
        }
        if (job)
                background_examine_cpu(background, ret_offender);
}

bool background_costs_more(const struct offender *a, const struct offender *b)
{
        return a->harm.state > b->harm.state ||
               (a->harm.state == b->harm.state && a->harm.lost > b->harm.lost);
}

bool background_worst(const struct background *background, unsigned kinds, struct offender *ret_offender)
{
        bool is_any = false;
        for (size_t i = 0; i < background->count; i++) {
                const struct family *family = &background->families[i];
                const struct background_job *job = background_job_of(background, family);
                struct offender offender;
                double unread;
                if (job ? !(kinds & 1u << job->worker.kind)
                        : !(kinds & 1u << WORKER_INDEXER) ||
                                    !background_is_walker(background, family, &unread))
                        continue;
                examine(background, job, family, &offender);
                if (is_any && !background_costs_more(&offender, ret_offender))
                        continue;
                *ret_offender = offender;
                is_any = true;
        }
        return is_any;
}

/* A figure stands in it only where it was worked out. */
static void clear(const struct background *background, const struct offender *offender, const char *name,
                  double threshold, struct finding *ret_finding)
{
        const struct harm *harm = &offender->harm;
        const char *what = harm->is_cpu ? "a CPU" : "the disk";
        char a[UNITS_MAX], b[UNITS_MAX];
        switch (harm->state) {
        case HARM_NOTHING_SHORT:
                finding_reason(ret_finding, VERDICT_CLEAR,
                               "%s is at work, with the CPUs %s busy and disks in use %s of the time", name,
                               format_permille(a, 1000 * known(background->cpu_busy)),
                               format_permille(b, 1000 * known(background->disk_in_use)));
                return;
        case HARM_NOBODY_WAITS:
                finding_reason(ret_finding, VERDICT_CLEAR, "%s is at work, and nobody else waits long for %s",
                               name, what);
                return;
        case HARM_BRIEF:
                finding_reason(ret_finding, VERDICT_CLEAR, "%s is at work, for a moment yet", name);
                return;
        case HARM_OTHERS_USE_MORE:
                finding_reason(ret_finding, VERDICT_CLEAR, "%s is at work, but others use %s more than it",
                               name, harm->is_cpu ? "the CPUs" : "the disk");
                return;
        case HARM_UNTOLD:
                finding_reason(ret_finding, VERDICT_CLEAR,
                               "%s is at work, but who waits for the disk uses it as much, and what that one "
                               "usually waits is not known yet",
                               name);
                return;
        case HARM_KNOWN:
                break;
        }
        if (harm->lost_permille < threshold)
                finding_reason(ret_finding, VERDICT_CLEAR,
                               "%s is at work, but others lose only %s of their time to it", name,
                               format_permille(a, harm->lost_permille));
        else
                finding_reason(ret_finding, VERDICT_CLEAR,
                               "%s is at work, but others lose only %.0f ms of each second to it", name,
                               1000 * harm->lost);
}

void background_conclude(const struct background *background, const struct offender *offender,
                         struct finding *ret_finding)
{
        const struct harm *harm = &offender->harm;
        const char *name = offender->family ? offender->family->name : offender->raid->name;
        double threshold = background_parameter(
                background, background->context->was_found ? BACKGROUND_CLEAR : BACKGROUND_RAISE);
        double least = background_parameter(background, BACKGROUND_MINIMUM_WAIT);
        if (harm->state != HARM_KNOWN || harm->lost_permille < threshold || 1000 * harm->lost < least) {
                clear(background, offender, name, threshold, ret_finding);
                return;
        }
        if (history_covered(background->history, background->window_usec) < background->window_usec / 2) {
                finding_reason(ret_finding, VERDICT_CLEAR, "%s is at work, for a moment yet", name);
                return;
        }
        background_report(background, offender, ret_finding);
}
