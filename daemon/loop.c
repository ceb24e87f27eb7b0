/* libuv: the timer of ticks, the worker that runs them, pressure triggers, signals and the watchdog. Two
 * published states are used in turn: one is filled by the worker while the other is served; they change
 * places in the loop's thread, so there are no locks. */
#include "daemon/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include "common/log.h"
#include "common/text.h"
#include "daemon/own_memory.h"
#include "daemon/pressure_trigger.h"
#include "daemon/publish/alerts.h"
#include "daemon/publish/notify.h"
#include "daemon/rhythm.h"
#include "daemon/serve/server.h"
#include "daemon/tick.h"

/* One for the tick, one for alerts to a journal that may block, QUESTIONS_AT_ONCE (serve/questions.h) for
 * questions about the past: a tick never waits for any of them. */
#define WORKER_THREADS   "4"
#define STOP_LIMIT_MSEC  2000 /* for a worker to come back when we end */
#define CONFIG_ERROR_MAX 512
#define START_TICKS                                                                                          \
        (2 * RHYTHM_START_FAST_TICKS) /* by then the processes are known, and the boot has been asked for */

static const char *const trigger_names[] = { "cpu", "memory", "io" };
#define TRIGGERS (sizeof(trigger_names) / sizeof(trigger_names[0]))
static const int signal_numbers[] = { SIGTERM, SIGINT, SIGHUP };
#define SIGNALS (sizeof(signal_numbers) / sizeof(signal_numbers[0]))

struct loop {
        const struct loop_options *options;
        uv_loop_t uv;
        uv_timer_t due, watchdog, stop_limit;
        uv_signal_t signals[SIGNALS];
        uv_poll_t triggers[TRIGGERS];
        int trigger_fds[TRIGGERS]; /* -1: none */
        uv_work_t tick_work, alert_work;
        struct rhythm rhythm;
        struct tick *tick;
        struct server *server;
        struct alerts *alerts;
        struct config configs[2];
        unsigned config; /* the one in use */
        bool has_new_config;
        struct published *published[2];
        unsigned filling; /* the one that the worker fills */
        usec_t expected_usec;
        usec_t watchdog_usec;
        char status[FINDING_TEXT_MAX]; /* as last told to the service manager */
        bool is_ready, is_stopping, is_stuck;
        bool has_forgotten_start;
};

static usec_t now_monotonic(const struct loop *loop)
{
        return clock_now(loop->options->clock).monotonic_usec;
}

static void arm(struct loop *loop);

/* ---- alerts ---- */

static void send_alerts(uv_work_t *work)
{
        struct loop *loop = work->data;
        alerts_send(loop->alerts);
}

static void on_alerts_sent(uv_work_t *work, int status)
{
        struct loop *loop = work->data;
        (void)status; /* never cancelled */
        alerts_sent(loop->alerts);
        if (!loop->is_stopping && alerts_take(loop->alerts))
                (void)uv_queue_work(&loop->uv, &loop->alert_work, send_alerts, on_alerts_sent);
}

static void pass_on_events(struct loop *loop, const struct published *published)
{
        alerts_push(loop->alerts, published->events, published->event_count, now_monotonic(loop));
        if (alerts_take(loop->alerts))
                (void)uv_queue_work(&loop->uv, &loop->alert_work, send_alerts, on_alerts_sent);
}

/* ---- reload ---- */

static void use_new_config(struct loop *loop)
{
        if (!loop->has_new_config)
                return;
        loop->has_new_config = false;
        loop->config ^= 1U;
        const struct config *config = &loop->configs[loop->config];
        tick_set_config(loop->tick, config);
        server_set_config(loop->server, config);
        if (loop->options->store)
                store_set_limits(loop->options->store, &config->limits);
        rhythm_set(&loop->rhythm, config->interval_usec, config->fast_interval_usec);
        log_info("configuration reloaded");
        notify_ready(loop->status);
}

static void reload(struct loop *loop)
{
        char error[CONFIG_ERROR_MAX];
        notify_reloading(now_monotonic(loop));
        struct config *config = &loop->configs[loop->config ^ 1U];
        if (loop->options->reload(loop->options->userdata, config, error, sizeof(error)) < 0) {
                log_error("%s; the configuration stays as it was", error);
                loop->has_new_config = false;
                notify_ready(loop->status);
                return;
        }
        loop->has_new_config = true;
        if (!loop->rhythm.is_running) /* else when the tick, which reads the old one, is done */
                use_new_config(loop);
}

/* ---- ticks ---- */

static void run_tick(uv_work_t *work)
{
        struct loop *loop = work->data;
        tick_run(loop->tick, loop->expected_usec, loop->published[loop->filling]);
}

static void tell_manager(struct loop *loop, const char *summary)
{
        bool is_changed = strcmp(loop->status, summary) != 0;
        text_format(loop->status, sizeof(loop->status), "%s", summary);
        if (!loop->is_ready)
                notify_ready(loop->status);
        else if (is_changed)
                notify_status(loop->status);
        loop->is_ready = true;
}

/* What is let go of, and is needed after all, comes back from the page cache or from a disk: not now, then,
 * if somebody waits for either. */
static void forget_start(struct loop *loop, const struct published *published)
{
        if (loop->has_forgotten_start || published->self.ticks < START_TICKS ||
            published->value[FIELD_PSI_MEMORY_SOME] >= 0.05 || published->value[FIELD_PSI_IO_SOME] >= 0.2)
                return;
        loop->has_forgotten_start = true;
        own_memory_forget_start();
}

static void on_tick_done(uv_work_t *work, int status)
{
        struct loop *loop = work->data;
        struct published *published = loop->published[loop->filling];
        (void)status; /* never cancelled */
        rhythm_end(&loop->rhythm, now_monotonic(loop), published->wants_fast);
        if (loop->is_stopping)
                return;
        loop->filling ^= 1U;
        published->self.missed_ticks = loop->rhythm.missed_ticks;
        published->self.interval_usec = rhythm_interval(&loop->rhythm);
        use_new_config(loop);
        server_publish(loop->server, published);
        pass_on_events(loop, published);
        tell_manager(loop, published->diagnosis.summary);
        forget_start(loop, published);
        arm(loop);
}

static void on_due(uv_timer_t *timer)
{
        struct loop *loop = timer->data;
        if (rhythm_begin(&loop->rhythm, now_monotonic(loop), &loop->expected_usec))
                (void)uv_queue_work(&loop->uv, &loop->tick_work, run_tick, on_tick_done);
        else if (!loop->rhythm.is_running)
                arm(loop); /* the timer was a moment early */
}

static void arm(struct loop *loop)
{
        if (loop->is_stopping || loop->rhythm.is_running)
                return;
        uv_update_time(&loop->uv);
        usec_t wait_usec = rhythm_wait(&loop->rhythm, now_monotonic(loop));
        (void)uv_timer_start(&loop->due, on_due, (wait_usec + USEC_PER_MSEC - 1) / USEC_PER_MSEC, 0);
}

/* ---- pressure ---- */

static void on_pressure(uv_poll_t *poll, int status, int events)
{
        struct loop *loop = poll->data;
        (void)events;
        if (status < 0) {
                (void)uv_poll_stop(poll);
                return;
        }
        rhythm_hurry(&loop->rhythm, now_monotonic(loop));
        arm(loop);
}

/* Where triggers are not permitted, the rhythm alone has to do. */
static void open_triggers(struct loop *loop)
{
        for (size_t i = 0; i < TRIGGERS; i++) {
                int fd = pressure_trigger_open(loop->options->root, trigger_names[i]);
                loop->trigger_fds[i] = -1;
                if (fd < 0)
                        continue;
                if (uv_poll_init(&loop->uv, &loop->triggers[i], fd) < 0) {
                        (void)close(fd);
                        continue;
                }
                loop->trigger_fds[i] = fd;
                loop->triggers[i].data = loop;
                (void)uv_poll_start(&loop->triggers[i], UV_PRIORITIZED, on_pressure);
        }
}

/* ---- the watchdog ---- */

/* The manager hears that we are alive only while ticks are made: one that is stuck, or one that does not
 * begin, is to be noticed. */
static void on_watchdog(uv_timer_t *timer)
{
        const struct loop *loop = timer->data;
        const struct rhythm *rhythm = &loop->rhythm;
        usec_t now = now_monotonic(loop);
        usec_t since = rhythm->is_running ? rhythm->begun_usec : rhythm->due_usec;
        if (now < since + loop->watchdog_usec / 2)
                notify_alive();
}

/* ---- the end ---- */

static void on_stop_limit(uv_timer_t *timer)
{
        struct loop *loop = timer->data;
        loop->is_stuck = true;
        uv_stop(&loop->uv);
}

static void stop(struct loop *loop)
{
        if (loop->is_stopping)
                return;
        loop->is_stopping = true;
        notify_stopping();
        server_stop(loop->server);
        uv_close((uv_handle_t *)&loop->due, NULL);
        uv_close((uv_handle_t *)&loop->watchdog, NULL);
        for (size_t i = 0; i < SIGNALS; i++)
                uv_close((uv_handle_t *)&loop->signals[i], NULL);
        for (size_t i = 0; i < TRIGGERS; i++)
                if (loop->trigger_fds[i] >= 0)
                        uv_close((uv_handle_t *)&loop->triggers[i], NULL);
        /* the loop runs on until workers are back; the timer alone does not keep it running */
        (void)uv_timer_start(&loop->stop_limit, on_stop_limit, STOP_LIMIT_MSEC, 0);
        uv_unref((uv_handle_t *)&loop->stop_limit);
}

static void on_signal(uv_signal_t *signal, int number)
{
        struct loop *loop = signal->data;
        if (number == SIGHUP)
                reload(loop);
        else
                stop(loop);
}

/* ---- the beginning ---- */

static int open_handles(struct loop *loop)
{
        int r = uv_loop_init(&loop->uv);
        if (r < 0)
                return r;
        uv_timer_t *timers[] = { &loop->due, &loop->watchdog, &loop->stop_limit };
        for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++) {
                (void)uv_timer_init(&loop->uv, timers[i]); /* cannot fail */
                timers[i]->data = loop;
        }
        for (size_t i = 0; i < SIGNALS; i++) {
                (void)uv_signal_init(&loop->uv, &loop->signals[i]); /* fails only without descriptors */
                loop->signals[i].data = loop;
                r = uv_signal_start(&loop->signals[i], on_signal, signal_numbers[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int run(struct loop *loop, struct listen_socket *socket)
{
        const struct config *config = &loop->configs[0];
        loop->tick_work.data = loop->alert_work.data = loop;
        int r = open_handles(loop);
        if (r < 0)
                return r;
        r = server_new(&loop->uv, socket->fd, config, loop->options->history_path, loop->options->store,
                       &loop->server);
        socket->fd = -1;
        if (r < 0)
                return r;
        open_triggers(loop);
        loop->watchdog_usec = notify_watchdog_usec();
        if (loop->watchdog_usec) {
                uint64_t msec = loop->watchdog_usec / (4 * USEC_PER_MSEC);
                (void)uv_timer_start(&loop->watchdog, on_watchdog, msec, msec ? msec : 1);
        }
        rhythm_init(&loop->rhythm, config->interval_usec, config->fast_interval_usec, now_monotonic(loop));
        arm(loop);
        (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
        return 0;
}

static void release(struct loop *loop)
{
        for (size_t i = 0; i < TRIGGERS; i++)
                if (loop->trigger_fds[i] >= 0)
                        (void)close(loop->trigger_fds[i]);
        server_free(loop->server);
        alerts_free(loop->alerts);
        tick_free(loop->tick);
        free(loop->published[0]);
        free(loop->published[1]);
        free(loop);
}

int loop_run(const struct loop_options *options, struct listen_socket *socket)
{
        struct loop *loop = calloc(1, sizeof(*loop));
        if (!loop)
                return -ENOMEM;
        loop->options = options;
        loop->configs[0] = *options->config;
        for (size_t i = 0; i < TRIGGERS; i++)
                loop->trigger_fds[i] = -1;
        (void)setenv("UV_THREADPOOL_SIZE", WORKER_THREADS, 1);
        loop->published[0] = calloc(1, sizeof(*loop->published[0]));
        loop->published[1] = calloc(1, sizeof(*loop->published[1]));
        loop->alerts = alerts_new(options->root->is_live);
        int r = -ENOMEM;
        if (loop->published[0] && loop->published[1] && loop->alerts)
                r = tick_new(options->root, options->clock, &loop->configs[0], &options->sources,
                             &loop->tick);
        if (r < 0) {
                release(loop);
                return r;
        }
        tick_set_store(loop->tick, options->store);
        tick_load(loop->tick, options->history_path);
        own_memory_give_back();
        r = run(loop, socket);
        if (r < 0 || loop->is_stuck)
                return r < 0 ? r : 1; /* the process ends now, with handles open or a worker still at work */
        uv_close((uv_handle_t *)&loop->stop_limit, NULL);
        (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
        (void)uv_loop_close(&loop->uv);
        release(loop);
        return 0;
}
