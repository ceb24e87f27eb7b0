/* Processes of two samples -> what each did in the interval. Pairs by pid and start time, so a recycled pid
 * is a new process; knows how the kernel books waits, and mends what that does to short intervals. */
#include "daemon/model/rates.h"

#include <string.h>

static bool is_same(const struct process_sample *a, const struct process_sample *b)
{
        return a->pid == b->pid && a->start_ticks == b->start_ticks;
}

static uint64_t sum_known(uint64_t a, uint64_t b)
{
        return a == ABSENT || b == ABSENT ? ABSENT : a + b;
}

static uint64_t cpu_ticks(const struct process_sample *process)
{
        return sum_known(process->user_ticks, process->system_ticks);
}

static uint64_t children_ticks(const struct process_sample *process)
{
        return sum_known(process->children_user_ticks, process->children_system_ticks);
}

/* Where a task in D state sleeps, by the kernel function: the families of research on 6.1 and 6.18 kernels.
 */
static bool is_disk_channel(const char *channel)
{
        static const char *const prefixes[] = { "io_schedule", "folio_wait",     "wait_on_page",
                                                "blk_",        "wait_on_buffer", "__wait_on_buffer",
                                                "jbd2_",       "ext4_",          "xfs_",
                                                "btrfs_",      "balance_dirty",  "submit_bio_wait",
                                                "rq_qos_wait", "do_get_write",   "wait_on_commit",
                                                "wbt_wait",    "dio_",           "__iomap_dio",
                                                "iomap_dio",   "wb_wait",        "bit_wait_io",
                                                "out_of_line", "loop_",          "__lock_page" };
        for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
                if (strncmp(channel, prefixes[i], strlen(prefixes[i])) == 0)
                        return true;
        return false;
}

struct interval {
        double seconds, hz;
        double cpus; /* INFINITY: not known */
};

/* What running and waiting in one interval can be. */
struct bounds {
        double seconds; /* of the interval */
        double age;     /* of the process, in seconds */
        double threads;
        double cpus;      /* INFINITY: not known */
        bool was_waiting; /* its main thread was in D state when the interval began */
};

/* Clocks of CPUs and our own reading are this much apart. */
#define BOOKING_SLACK_SEC 0.05

/* Seconds of waiting per second. Waits are booked when they end, so a little more than the interval may come
 * at once: not more than every thread all the time is true of it. */
static float queued(uint64_t older, uint64_t newer, const struct bounds *bounds)
{
        double share = rate_per_sec(older, newer, bounds->seconds) / 1e9;
        return (float)(share > bounds->threads ? bounds->threads : share);
}

/* The same of what delay accounting books, which is not always a wait. Since 6.11 a task may be taken off the
 * run queue later than it went to sleep, by another one's schedule(); then __block_task() has
 * delayacct_blkio_start() note the begin in `current`, the wrong task (kernel/sched/sched.h,
 * kernel/delayacct.c). At its wake-up the right one books all the time since its former wait for a disk began
 * or, if it never had one, since the machine was started. Of a wait that is too long for the interval, of a
 * process that was not seen to wait when the interval began, nothing is known but that it is not true. A dead
 * disk is different: ten seconds on it arrive at once, but it was seen in D state before. */
static float waited(uint64_t older, uint64_t newer, const struct bounds *bounds)
{
        double seconds = rate_per_sec(older, newer, 1) / 1e9, possible = bounds->threads * bounds->seconds;
        if (isnan(seconds) || seconds > bounds->threads * (bounds->age + 1))
                return NAN;
        if (seconds <= possible + BOOKING_SLACK_SEC)
                return (float)(fmin(seconds, possible) / bounds->seconds);
        return bounds->was_waiting ? (float)bounds->threads : NAN;
}

/* On its way out a task of several threads is counted twice: the kernel has added it to those of its group
 * that have ended (fill_tgid_exit() in kernel/taskstats.c), and until exit_notify() it counts as one that
 * lives as well. All its life seems to pass in one interval then, more than its threads and the CPUs could
 * run, and the ticks, which are counted otherwise, have at most half of it. */
static bool is_counted_twice(double ran, double ticks, const struct bounds *bounds)
{
        return ran > fmin(bounds->threads, bounds->cpus) + BOOKING_SLACK_SEC / bounds->seconds &&
               ticks <= ran / 2;
}

static float largest(float a, float b)
{
        return isnan(a) || b > a ? b : a;
}

/* In the same state at both ends, and not one of its threads was put on a CPU in between. */
static bool has_stayed(const struct process_sample *a, const struct process_sample *b)
{
        return a->state == b->state && b->slices != ABSENT && a->slices == b->slices &&
               a->run_nsec == b->run_nsec;
}

/* A wait that is going on and not booked yet: the main thread has slept in D state through the whole
 * interval, or, where nothing is booked at all, it does so at this instant, which over many ticks is the same
 * share. Booked at the end, such a wait fills the last interval only. */
static void add_unbooked(const struct process_sample *a, const struct process_sample *b,
                         const struct bounds *bounds, struct ledger *ledger)
{
        /* Who was forked in this interval and has not run yet has waited since then, not longer. */
        float whole = bounds->age < bounds->seconds ? (float)(bounds->age / bounds->seconds) : 1;
        bool is_counted = b->delays == DELAYS_FULL;
        if (b->state == 'D' && (has_stayed(a, b) || !is_counted)) {
                if (is_disk_channel(b->wait_channel))
                        ledger->disk_wait = largest(ledger->disk_wait, whole);
                else
                        ledger->stuck = whole;
        }
        if (b->state == 'R' && has_stayed(a, b))
                ledger->cpu_wait = largest(ledger->cpu_wait, whole); /* runnable, and never got a CPU */
}

static struct ledger ledger_of(const struct process_sample *a, const struct process_sample *b,
                               const struct interval *interval, double age)
{
        struct ledger ledger = ledger_unknown();
        const double seconds = interval->seconds;
        uint32_t threads = a->threads > b->threads ? a->threads : b->threads;
        const struct bounds bounds = { .seconds = seconds,
                                       .age = age,
                                       .threads = threads > 0 ? threads : 1,
                                       .cpus = interval->cpus,
                                       .was_waiting = a->state == 'D' };
        double ran = rate_per_sec(a->run_nsec, b->run_nsec, seconds) / 1e9;
        double ticks = rate_per_sec(cpu_ticks(a), cpu_ticks(b), seconds) / interval->hz;
        bool is_twice = is_counted_twice(ran, ticks, &bounds);
        ledger.running = (float)(isnan(ran) || is_twice || b->delays == DELAYS_MAIN_ONLY ? ticks : ran);
        if (is_twice)
                return ledger; /* its waits have been, too: they are not known */
        ledger.cpu_wait = queued(a->run_delay_nsec, b->run_delay_nsec, &bounds);
        ledger.stuck = 0;
        float block = waited(a->block_delay_nsec, b->block_delay_nsec, &bounds);
        float swapin = waited(a->swapin_delay_nsec, b->swapin_delay_nsec, &bounds);
        float thrashing = waited(a->thrashing_delay_nsec, b->thrashing_delay_nsec, &bounds);
        float reclaim = waited(a->reclaim_delay_nsec, b->reclaim_delay_nsec, &bounds);
        float compact = waited(a->compact_delay_nsec, b->compact_delay_nsec, &bounds);
        /* Since 5.17 one swap-in is booked as swap-in, as thrashing and as block I/O: count it once, as swap.
         */
        ledger.swap_wait = largest(swapin, thrashing);
        ledger.disk_wait = block > ledger.swap_wait ? block - ledger.swap_wait : block * 0;
        if (isnan(ledger.swap_wait))
                ledger.disk_wait = block;
        ledger.reclaim_wait = isnan(compact) ? reclaim : reclaim + compact;
        add_unbooked(a, b, &bounds, &ledger);
        return ledger;
}

static struct process_sample zero_before(const struct process_sample *process)
{
        struct process_sample zero = *process;
        zero.user_ticks = zero.system_ticks = zero.children_user_ticks = zero.children_system_ticks = 0;
        zero.run_nsec = zero.slices = zero.run_delay_nsec = zero.block_delay_nsec = zero.swapin_delay_nsec =
                0;
        zero.reclaim_delay_nsec = zero.thrashing_delay_nsec = zero.compact_delay_nsec = 0;
        zero.voluntary_switches = zero.involuntary_switches = zero.minor_faults = zero.major_faults = 0;
        zero.read_chars = zero.write_chars = zero.read_calls = zero.write_calls = 0;
        zero.children_major_faults = zero.read_bytes = zero.write_bytes = zero.cancelled_write_bytes = 0;
        return zero;
}

/* What reached the disk: what was dirtied and thrown away again did not. */
static float written_per_sec(const struct process_sample *a, const struct process_sample *b, double seconds)
{
        double written = rate_per_sec(a->write_bytes, b->write_bytes, seconds);
        double cancelled =
                known_or_zero(rate_per_sec(a->cancelled_write_bytes, b->cancelled_write_bytes, seconds));
        return (float)(written > cancelled ? written - cancelled : written * 0);
}

static void process_rate_make(const struct process_sample *a, const struct process_sample *b,
                              const struct interval *interval, struct process_rate *rate)
{
        const double seconds = interval->seconds;
        double children = rate_per_sec(children_ticks(a), children_ticks(b), seconds) / interval->hz;
        rate->ledger = ledger_of(a, b, interval, (double)rate->age_usec / (double)USEC_PER_SEC);
        rate->cpu = rate->ledger.running;
        rate->children_cpu = (float)children;
        rate->read_bytes = (float)rate_per_sec(a->read_bytes, b->read_bytes, seconds);
        rate->write_bytes = written_per_sec(a, b, seconds);
        rate->major_faults = (float)rate_per_sec(a->major_faults, b->major_faults, seconds);
        rate->minor_faults = (float)rate_per_sec(a->minor_faults, b->minor_faults, seconds);
        rate->voluntary_switches = (float)rate_per_sec(a->voluntary_switches, b->voluntary_switches, seconds);
        rate->read_chars = (float)rate_per_sec(a->read_chars, b->read_chars, seconds);
        rate->write_chars = (float)rate_per_sec(a->write_chars, b->write_chars, seconds);
        rate->read_calls = (float)rate_per_sec(a->read_calls, b->read_calls, seconds);
        rate->write_calls = (float)rate_per_sec(a->write_calls, b->write_calls, seconds);
}

/* Rates stand in the order of the sample's processes. */
static struct process_rate *rate_of_pid(struct snapshot *snapshot, uint32_t pid)
{
        const struct process_sample *found = sample_find_process(snapshot->sample, pid);
        return found ? &snapshot->processes[found - snapshot->sample->processes] : NULL;
}

/* An ended process hands its whole life to its parent's children counters; what former intervals have shown
 * of it already is taken off there, or a compiler would be counted twice: while it ran and when it was
 * reaped. */
static void take_off(float *rate, uint64_t counter, double seconds)
{
        float left = *rate - (counter == ABSENT ? 0 : (float)((double)counter / seconds));
        *rate = left < 0 ? 0 : left;
}

/* What the kernel adds to a parent's own counters (wait_task_zombie() in kernel/exit.c) when it reaps a
 * child: or a shell would seem to read at once what its child has read in an hour. */
static void take_off_seen_io(struct process_rate *parent, const struct process_sample *ended, double seconds)
{
        uint64_t written = ended->write_bytes;
        if (written != ABSENT && ended->cancelled_write_bytes != ABSENT)
                written -= ended->cancelled_write_bytes < written ? ended->cancelled_write_bytes : written;
        take_off(&parent->read_bytes, ended->read_bytes, seconds);
        take_off(&parent->write_bytes, written, seconds);
        take_off(&parent->read_chars, ended->read_chars, seconds);
        take_off(&parent->write_chars, ended->write_chars, seconds);
        take_off(&parent->read_calls, ended->read_calls, seconds);
        take_off(&parent->write_calls, ended->write_calls, seconds);
}

static void take_off_seen(struct snapshot *snapshot, const struct sample *older,
                          const struct process_sample *ended, double seconds, double hz)
{
        uint64_t ticks = sum_known(cpu_ticks(ended), children_ticks(ended));
        double seen = ticks == ABSENT ? 0 : (double)ticks / hz / seconds;
        const struct process_sample *at = ended;
        /* Parents may have ended in the same interval; then their own parent reaped the sum. */
        for (int depth = 0; depth < 32 && at->ppid > 0; depth++) {
                struct process_rate *parent = rate_of_pid(snapshot, at->ppid);
                if (parent) {
                        float left = parent->children_cpu - (float)seen;
                        parent->children_cpu = left < 0 ? 0 : left;
                        take_off_seen_io(parent, ended, seconds);
                        return;
                }
                at = sample_find_process(older, at->ppid);
                if (!at)
                        return;
        }
}

static void unattributed(const struct sample *newer, struct snapshot *snapshot)
{
        double attributed = 0;
        if (snapshot->process_count == 0 || newer->stat.cpu_count == ABSENT)
                return;
        for (size_t i = 0; i < snapshot->process_count; i++)
                attributed += known_or_zero(snapshot->processes[i].cpu) +
                              known_or_zero(snapshot->processes[i].children_cpu);
        double busy = (snapshot->value[FIELD_CPU_BUSY] - snapshot->value[FIELD_CPU_IRQ]) *
                      (double)newer->stat.cpu_count;
        double left = (busy - attributed) / (double)newer->stat.cpu_count;
        snapshot->value[FIELD_CPU_UNATTRIBUTED] = left < 0 ? 0 : left;
}

/* When it began, as CLOCK_BOOTTIME; nothing begins after it has been seen, whatever a damaged record says. */
static usec_t begun_at(const struct process_sample *process, double hz, usec_t now_usec)
{
        double begun_usec = (double)process->start_ticks / hz * (double)USEC_PER_SEC;
        return begun_usec < (double)now_usec ? (usec_t)begun_usec : now_usec;
}

void process_rates(const struct sample *older, const struct sample *newer, double seconds,
                   struct snapshot *snapshot)
{
        double hz = newer->machine.hz && newer->machine.hz != ABSENT ? (double)newer->machine.hz : 100;
        const struct interval interval = {
                .seconds = seconds,
                .hz = hz,
                .cpus = newer->stat.cpu_count == ABSENT ? INFINITY : (double)newer->stat.cpu_count,
        };
        size_t k = 0;
        for (size_t i = 0; i < newer->process_count; i++) {
                const struct process_sample *process = &newer->processes[i];
                struct process_rate *rate = &snapshot->processes[i];
                usec_t now_usec = newer->time.boottime_usec;
                usec_t begun_usec = begun_at(process, hz, now_usec);
                *rate = (struct process_rate){ .sample = process,
                                               .ledger = ledger_unknown(),
                                               .cpu = NAN,
                                               .children_cpu = NAN,
                                               .read_bytes = NAN,
                                               .write_bytes = NAN,
                                               .major_faults = NAN,
                                               .minor_faults = NAN,
                                               .voluntary_switches = NAN,
                                               .read_chars = NAN,
                                               .write_chars = NAN,
                                               .read_calls = NAN,
                                               .write_calls = NAN };
                rate->age_usec = now_usec - begun_usec;
                if (!older)
                        continue;
                while (k < older->process_count && older->processes[k].pid < process->pid)
                        k++;
                if (k < older->process_count && is_same(&older->processes[k], process)) {
                        process_rate_make(&older->processes[k], process, &interval, rate);
                } else if (begun_usec + USEC_PER_SEC / 10 >= older->time.boottime_usec) {
                        struct process_sample zero = zero_before(process);
                        rate->is_new = true;
                        process_rate_make(&zero, process, &interval, rate);
                } /* else it was over a cap before: nothing to compare with yet */
        }
        snapshot->process_count = newer->process_count;
        if (!older)
                return;
        k = 0;
        for (size_t i = 0; i < older->process_count; i++) {
                const struct process_sample *process = &older->processes[i];
                while (k < newer->process_count && newer->processes[k].pid < process->pid)
                        k++;
                if (k >= newer->process_count || !is_same(process, &newer->processes[k]))
                        take_off_seen(snapshot, older, process, seconds, hz);
        }
        unattributed(newer, snapshot);
}
