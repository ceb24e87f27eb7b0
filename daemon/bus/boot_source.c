/* When to ask systemd about the boot, and what to make of its answers. Asking costs systemd some tens of
 * milliseconds and is done twice per boot: when nothing is left to start, and when daemons have settled. */
#include "daemon/bus/boot_source.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/text.h"
#include "daemon/bus/manager.h"
#include "daemon/sample/boot_sessions.h"

#define INTERVAL_USEC (3 * USEC_PER_SEC)
#define DEADLINE_USEC (30 * USEC_PER_SEC) /* of one whole look; systemd answers in milliseconds */
/* What daemons do in the first minute after the end belongs to the boot (research: Windows' boot trace and
 * bootchart stop there too); what they do later is their work. */
#define SETTLE_USEC USEC_PER_MINUTE
#define LATE_USEC   (5 * USEC_PER_MINUTE)
/* When all is known, or there is no systemd: a thread that wakes up for nothing costs more than it seems. */
#define DONE_USEC USEC_PER_HOUR
/* After a failure it is asked less and less often: while a machine starts, the bus may not be up yet. */
#define PATIENCE_FIRST_USEC INTERVAL_USEC
#define PATIENCE_LAST_USEC  (5 * USEC_PER_MINUTE)

struct state {
        bool is_done;
        bool is_elsewhere;                        /* not started by systemd */
        int error;                                /* of the last look, if it failed */
        usec_t retry_usec, patience_usec;         /* monotonic; after a failure */
        usec_t finish_usec;                       /* 0: not finished yet, or not known */
        usec_t next_usec;                         /* monotonic: while it starts, no look before */
        uint64_t cpu_waited_usec, io_waited_usec; /* as of then; ABSENT if nobody looked then */
};

static void read_line(const struct root *root, const char *path, char *text, size_t size)
{
        ssize_t length = root_read(root, path, text, size);
        text[length > 0 ? strcspn(text, "\n") : 0] = '\0';
}

/* The first line of a PSI file: "some avg10=0.00 avg60=0.00 avg300=0.00 total=1234567" (6.1). */
static uint64_t read_waited(const struct root *root, const char *path)
{
        char text[256];
        uint64_t total;
        struct span line, word, content;
        ssize_t length = root_read(root, path, text, sizeof(text));
        if (length <= 0)
                return ABSENT;
        content = (struct span){ text, (size_t)length };
        if (!span_take_line(&content, &line) || !span_starts(line, "some "))
                return ABSENT;
        while (span_take_word(&line, &word))
                if (span_starts(word, "total=") &&
                    span_u64((struct span){ word.at + 6, word.length - 6 }, &total) == 0)
                        return total;
        return ABSENT;
}

static void describe_machine(const struct root *root, const struct clock_reading *now, struct boot *boot)
{
        struct boot_times *times = &boot->times;
        read_line(root, "proc/sys/kernel/random/boot_id", times->boot_id, sizeof(times->boot_id));
        read_line(root, "proc/sys/kernel/osrelease", times->kernel, sizeof(times->kernel));
        times->looked_usec = now->monotonic_usec;
        times->known_usec = now->realtime_usec;
        /* In a container the kernel's clock has been running since long before (container-interface). */
        int fd = root_open(root, "run/systemd/container");
        times->is_container = fd >= 0;
        if (fd >= 0)
                (void)close(fd);
        times->began_usec =
                now->realtime_usec -
                (times->is_container ? now->monotonic_usec - times->userspace_usec : now->boottime_usec);
}

/* Costs go on being counted; long after the boot only those of units that had ended belong to it. */
static void set_stage(struct boot *boot, struct boot_node *nodes, size_t count)
{
        usec_t finish_usec = boot->times.finish_usec, looked_usec = boot->times.looked_usec;
        if (finish_usec == ABSENT)
                boot->times.stage = BOOT_STARTING;
        else if (looked_usec < finish_usec + SETTLE_USEC)
                boot->times.stage = BOOT_FINISHED;
        else if (looked_usec < finish_usec + LATE_USEC)
                boot->times.stage = BOOT_SETTLED;
        else
                boot->times.stage = BOOT_LATE;
        for (size_t i = 0; i < count && boot->times.stage == BOOT_LATE; i++)
                if (!nodes[i].has_ended)
                        nodes[i].unit.cpu_usec = nodes[i].unit.read_bytes = nodes[i].unit.write_bytes =
                                nodes[i].unit.memory_peak_bytes = ABSENT;
}

static void sum_up(struct boot *boot, const struct boot_node *nodes, size_t count)
{
        struct boot_times *times = &boot->times;
        bool is_counted = times->stage == BOOT_FINISHED || times->stage == BOOT_SETTLED;
        times->services = times->stage == BOOT_STARTING ? ABSENT : 0;
        times->cpu_usec = ABSENT;
        for (size_t i = 0; i < count; i++) {
                const struct boot_unit *unit = &nodes[i].unit;
                size_t length = strlen(unit->name);
                if (length < 8 || strcmp(unit->name + length - 8, ".service") != 0 ||
                    unit->activating_usec == ABSENT || unit->activating_usec > times->finish_usec)
                        continue;
                times->services++;
                if (unit->cpu_usec != ABSENT && is_counted)
                        times->cpu_usec = (times->cpu_usec == ABSENT ? 0 : times->cpu_usec) + unit->cpu_usec;
        }
}

/* Of the boot itself, not of what daemons do afterwards. */
static void note_pressure(const struct root *root, struct state *state, struct boot_times *times)
{
        if (times->stage <= BOOT_FINISHED) {
                state->cpu_waited_usec = read_waited(root, "proc/pressure/cpu");
                state->io_waited_usec = read_waited(root, "proc/pressure/io");
        } else if (!state->finish_usec) {
                state->cpu_waited_usec = state->io_waited_usec = ABSENT;
        }
        /* A container's PSI is that of the whole machine, which started long before. */
        times->cpu_waited_usec = times->is_container ? ABSENT : state->cpu_waited_usec;
        times->io_waited_usec = times->is_container ? ABSENT : state->io_waited_usec;
}

/* 0, or negative errno. */
static int ask(const struct root *root, const struct clock *clock, struct boot *boot)
{
        struct manager *manager = NULL;
        int r = manager_open(clock, clock_now(clock).monotonic_usec + DEADLINE_USEC, &manager);
        if (r == 0)
                r = manager_read_times(manager, &boot->times);
        if (r == 0 && boot->times.finish_usec == ABSENT)
                r = manager_read_waiting(manager, &boot->times);
        else if (r == 0)
                r = manager_read_units(manager);
        if (r == 0) {
                struct clock_reading now = clock_now(clock);
                describe_machine(root, &now, boot);
                set_stage(boot, manager->nodes, manager->node_count);
                /* Sessions come up after the boot; long after it, what they used is not the start's. */
                if (boot->times.stage == BOOT_SETTLED)
                        manager->node_count += boot_session_units(root, manager->nodes + manager->node_count,
                                                                  MANAGER_UNITS_MAX - manager->node_count);
                sum_up(boot, manager->nodes, manager->node_count);
                boot_choose_units(manager->nodes, manager->node_count, manager->edges, manager->target, boot);
        }
        manager_close(manager);
        return r;
}

/* Some machines never finish: a job that waits for ever. The longer it takes, the less a moment matters. */
#define STARTING_PART      20
#define STARTING_LAST_USEC USEC_PER_MINUTE

static usec_t next_look(const struct boot_times *times)
{
        usec_t so_far_usec =
                times->looked_usec > times->userspace_usec ? times->looked_usec - times->userspace_usec : 0;
        usec_t wait_usec = so_far_usec / STARTING_PART;
        return times->looked_usec + (wait_usec < STARTING_LAST_USEC ? wait_usec : STARTING_LAST_USEC);
}

static int look(const struct root *root, const struct clock *clock, void *userdata, void *ret_result)
{
        struct state *state = userdata;
        struct boot *boot = ret_result;
        usec_t now_usec = clock_now(clock).monotonic_usec;
        if (state->is_done)
                return -EALREADY;
        if (state->error < 0 && now_usec < state->retry_usec)
                return state->error;
        if (now_usec < state->next_usec)
                return -EALREADY;
        int fd = root->is_live ? root_open_directory(root, "run/systemd/system") : -ENOENT;
        state->is_elsewhere = fd < 0;
        if (fd < 0)
                return -ENOENT; /* sd_booted(3) */
        (void)close(fd);
        if (state->finish_usec && now_usec < state->finish_usec + SETTLE_USEC)
                return -EALREADY;
        memset(boot, 0, sizeof(*boot));
        int r = ask(root, clock, boot);
        if (r < 0) {
                state->error = r;
                state->patience_usec *= 2;
                if (state->patience_usec < PATIENCE_FIRST_USEC)
                        state->patience_usec = PATIENCE_FIRST_USEC;
                if (state->patience_usec > PATIENCE_LAST_USEC)
                        state->patience_usec = PATIENCE_LAST_USEC;
                state->retry_usec = clock_now(clock).monotonic_usec + state->patience_usec;
                return r;
        }
        note_pressure(root, state, &boot->times);
        state->error = 0;
        state->patience_usec = 0;
        state->is_done = boot->times.stage >= BOOT_SETTLED;
        state->finish_usec = boot->times.stage == BOOT_STARTING ? 0 : boot->times.finish_usec;
        state->next_usec = boot->times.stage == BOOT_STARTING ? next_look(&boot->times) : 0;
        return 0;
}

static usec_t pace(const void *userdata)
{
        const struct state *state = userdata;
        return state->is_done || state->is_elsewhere ? DONE_USEC : INTERVAL_USEC;
}

const struct aside_source boot_source = {
        .name = "boot",
        .delay_usec = 0,
        .interval_usec = INTERVAL_USEC,
        .deadline_usec = DEADLINE_USEC + 5 * USEC_PER_SEC,
        .state_size = sizeof(struct state),
        .result_size = sizeof(struct boot),
        .look = look,
        .interval = pace,
};
