/* Holds both ways of reading processes to the same answer on this machine: with taskstats and by /proc alone,
 * for a child that spins, one that sleeps and one whose second thread spins. Exit status 77: skipped, and
 * why. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "daemon/clock.h"
#include "daemon/sample/process.h"

#define SKIPPED 77
/* How long the children are watched, and by how much the two ways may differ: they do not look at the same
 * instant, and between their looks a child may run on or be kept from running. */
#define WATCH_MSEC      1200
#define SLACK_NSEC      UINT64_C(150000000)
#define LEAST_SPIN_NSEC UINT64_C(100000000) /* two spinners on one busy CPU get at least this much */
#define TICK_NSEC       UINT64_C(10000000)

enum child { SPINS, SLEEPS, THREAD_SPINS, CHILDREN };
static const char *const names[CHILDREN] = { "slowd-spins", "slowd-sleeps", "slowd-thread" };

static int failures;

static void expect(bool holds, const char *child, const char *what, uint64_t a, uint64_t b)
{
        if (holds)
                return;
        failures++;
        printf("FAILED %s: %s: taskstats %" PRIu64 ", /proc %" PRIu64 "\n", child, what, a, b);
}

static void *spin(void *nothing)
{
        for (volatile uint64_t n = 0;; n++)
                ;
        return nothing;
}

static pid_t start(enum child child)
{
        pid_t pid = fork();
        if (pid != 0)
                return pid;
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)prctl(PR_SET_NAME, names[child]);
        pthread_t thread;
        if (child == SPINS)
                (void)spin(NULL);
        if (child == THREAD_SPINS && pthread_create(&thread, NULL, spin, NULL) != 0)
                _exit(1);
        for (;;)
                (void)pause();
}

struct watcher {
        struct process_source *source;
        struct sample samples[2];
};

static void look(struct watcher *watcher, size_t turn)
{
        struct sample *sample = &watcher->samples[turn];
        sample->collector_count = 0;
        sample->time = clock_now(&clock_real);
        process_source_collect(watcher->source, turn > 0 ? &watcher->samples[turn - 1] : NULL, sample);
}

static const struct process_sample *find(const struct sample *sample, pid_t pid)
{
        for (size_t i = 0; i < sample->process_count; i++)
                if (sample->processes[i].pid == (uint32_t)pid)
                        return &sample->processes[i];
        return NULL;
}

static uint64_t apart(uint64_t a, uint64_t b)
{
        return a > b ? a - b : b - a;
}

static uint64_t ticks_of(const struct process_sample *process)
{
        return process->user_ticks + process->system_ticks;
}

static void compare(enum child child, pid_t pid, const struct watcher *taskstats, const struct watcher *proc)
{
        const struct process_sample *t[2], *p[2];
        for (size_t i = 0; i < 2; i++) {
                t[i] = find(&taskstats->samples[i], pid);
                p[i] = find(&proc->samples[i], pid);
                if (!t[i] || !p[i]) {
                        expect(false, names[child], "not seen", i, i);
                        return;
                }
        }
        const uint64_t run_t = t[1]->run_nsec - t[0]->run_nsec, run_p = p[1]->run_nsec - p[0]->run_nsec;
        const uint64_t delay_t = t[1]->run_delay_nsec - t[0]->run_delay_nsec;
        const uint64_t delay_p = p[1]->run_delay_nsec - p[0]->run_delay_nsec;
        printf("%-13s ran %5.1f and %5.1f ms, waited %5.1f and %5.1f ms, %" PRIu64 " and %" PRIu64 " ticks\n",
               names[child], (double)run_t / 1e6, (double)run_p / 1e6, (double)delay_t / 1e6,
               (double)delay_p / 1e6, ticks_of(t[1]) - ticks_of(t[0]), ticks_of(p[1]) - ticks_of(p[0]));

        expect(t[1]->start_ticks == p[1]->start_ticks, names[child], "start", t[1]->start_ticks,
               p[1]->start_ticks);
        expect(strcmp(t[1]->identity->name, p[1]->identity->name) == 0, names[child], "name", 0, 0);
        expect(t[1]->identity->cgroup_id == p[1]->identity->cgroup_id, names[child], "cgroup",
               t[1]->identity->cgroup_id, p[1]->identity->cgroup_id);
        expect(t[1]->threads == p[1]->threads, names[child], "threads", t[1]->threads, p[1]->threads);
        expect(t[1]->threads == (child == THREAD_SPINS ? 2 : 1), names[child], "threads", t[1]->threads, 0);
        expect(t[1]->rss_bytes == p[1]->rss_bytes, names[child], "rss", t[1]->rss_bytes, p[1]->rss_bytes);
        expect(t[1]->is_idle == (child == SLEEPS), names[child], "is idle", t[1]->is_idle, 0);
        expect(p[1]->is_idle == (child == SLEEPS), names[child], "is idle", 0, p[1]->is_idle);
        expect(t[1]->delays == DELAYS_FULL, names[child], "delays by taskstats", t[1]->delays, 0);
        expect(p[1]->delays == DELAYS_RUN_ONLY, names[child], "delays by /proc", 0, p[1]->delays);
        expect(t[1]->block_delay_nsec != ABSENT, names[child], "block delay", t[1]->block_delay_nsec, 0);
        expect(p[1]->block_delay_nsec == ABSENT, names[child], "block delay", 0, p[1]->block_delay_nsec);
        if (child == SLEEPS) {
                expect(run_t == 0 && run_p == 0, names[child], "run time", run_t, run_p);
                expect(delay_t == 0 && delay_p == 0, names[child], "run delay", delay_t, delay_p);
                return;
        }
        expect(run_t > LEAST_SPIN_NSEC, names[child], "run time", run_t, run_p);
        expect(apart(run_t, run_p) < SLACK_NSEC, names[child], "run time", run_t, run_p);
        expect(apart(delay_t, delay_p) < SLACK_NSEC, names[child], "run delay", delay_t, delay_p);
        /* The kernel's own sum of ticks is cut to whole ones, twice. */
        const uint64_t ticked = (ticks_of(t[1]) - ticks_of(t[0])) * TICK_NSEC;
        expect(apart(ticked, run_t) < 4 * TICK_NSEC + SLACK_NSEC / 10, names[child], "ticks", ticked, run_t);
        /* A spinner is always running or waiting to run. */
        expect(apart(run_t + delay_t, WATCH_MSEC * UINT64_C(1000000)) < 2 * SLACK_NSEC, names[child],
               "run time and delay make up the time", run_t, delay_t);
}

int main(void)
{
        static struct watcher taskstats, proc;
        struct timespec span = { .tv_sec = WATCH_MSEC / 1000, .tv_nsec = WATCH_MSEC % 1000 * 1000000L };
        const struct machine machine = { .hz = (uint64_t)sysconf(_SC_CLK_TCK),
                                         .page_bytes = (uint64_t)sysconf(_SC_PAGESIZE) };
        struct root root;
        pid_t pids[CHILDREN];

        if (root_init(&root, "/") < 0 || process_source_new(&root, &machine, false, &taskstats.source) < 0 ||
            process_source_new(&root, &machine, true, &proc.source) < 0) {
                printf("FAILED: no process source\n");
                return 1;
        }
        look(&taskstats, 0);
        int skipped = 0;
        if (taskstats.samples[0].collectors[1].state != COLLECTOR_OK) {
                printf("skipped: taskstats may not be asked here (%s)\n",
                       strerror(-taskstats.samples[0].collectors[1].error));
                skipped = SKIPPED;
        } else if (taskstats.samples[0].delay_accounting_since_usec == ABSENT) {
                printf("skipped: kernel.task_delayacct is off and may not be switched on\n");
                skipped = SKIPPED;
        } else {
                struct timespec moment = { .tv_nsec = 50000000 }; /* starts are counted in ticks */
                (void)nanosleep(&moment, NULL);
                for (enum child child = 0; child < CHILDREN; child++)
                        pids[child] = start(child);
                (void)nanosleep(&moment, NULL);
                look(&taskstats, 0);
                look(&proc, 0);
                (void)nanosleep(&span, NULL);
                look(&taskstats, 1);
                look(&proc, 1);
                for (enum child child = 0; child < CHILDREN; child++)
                        compare(child, pids[child], &taskstats, &proc);
                for (enum child child = 0; child < CHILDREN; child++) {
                        (void)kill(pids[child], SIGKILL);
                        (void)waitpid(pids[child], NULL, 0);
                }
        }
        for (size_t i = 0; i < 2; i++) {
                free(taskstats.samples[i].processes);
                free(proc.samples[i].processes);
        }
        (void)process_source_free(taskstats.source);
        (void)process_source_free(proc.source);
        root_done(&root);
        return skipped ? skipped : failures > 0;
}
