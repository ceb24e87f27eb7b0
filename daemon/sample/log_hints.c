/* Who reads and writes much, by the tick's samples, for the log scan. */
#include <pthread.h>
#include <unistd.h>

#include "daemon/sample/log_scan.h"

/* Less than this fills no disk in a day's time, and no file that matters is read over and over with less. */
#define WRITER_PER_SEC (20 * 1000.0)
#define READER_PER_SEC (2 * 1000 * 1000.0)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct log_hints given;

static double per_sec(uint64_t before, uint64_t after, double seconds)
{
        return before == ABSENT || after == ABSENT || after < before || seconds <= 0
                       ? 0
                       : (double)(after - before) / seconds;
}

static void insert(uint32_t *pids, double *rates, size_t *count, uint32_t pid, double rate)
{
        size_t at = *count < LOG_HINTS_MAX ? (*count)++ : LOG_HINTS_MAX - 1;
        if (at == LOG_HINTS_MAX - 1 && *count == LOG_HINTS_MAX && rates[at] >= rate && rates[at] > 0)
                return;
        for (; at > 0 && rates[at - 1] < rate; at--) {
                rates[at] = rates[at - 1];
                pids[at] = pids[at - 1];
        }
        rates[at] = rate;
        pids[at] = pid;
}

struct log_hints log_hints_of(const struct sample *older, const struct sample *newer)
{
        struct log_hints hints = { .writer_count = 0 };
        double writes[LOG_HINTS_MAX] = { 0 }, reads[LOG_HINTS_MAX] = { 0 };
        if (!older || older->time.monotonic_usec >= newer->time.monotonic_usec)
                return hints;
        double seconds =
                (double)(newer->time.monotonic_usec - older->time.monotonic_usec) / (double)USEC_PER_SEC;
        const uint32_t self = (uint32_t)getpid();
        size_t k = 0;
        for (size_t i = 0; i < newer->process_count; i++) {
                const struct process_sample *now = &newer->processes[i];
                while (k < older->process_count && older->processes[k].pid < now->pid)
                        k++;
                if (now->is_idle || k == older->process_count || older->processes[k].pid != now->pid ||
                    older->processes[k].start_ticks != now->start_ticks || now->pid == self)
                        continue;
                const struct process_sample *before = &older->processes[k];
                double written = per_sec(before->write_chars, now->write_chars, seconds);
                double read = per_sec(before->read_chars, now->read_chars, seconds);
                if (written >= WRITER_PER_SEC)
                        insert(hints.writers, writes, &hints.writer_count, now->pid, written);
                if (read >= READER_PER_SEC)
                        insert(hints.readers, reads, &hints.reader_count, now->pid, read);
        }
        return hints;
}

void log_hints_give(const struct log_hints *hints)
{
        (void)pthread_mutex_lock(&lock);
        given = *hints;
        (void)pthread_mutex_unlock(&lock);
}

struct log_hints log_hints_take(void)
{
        (void)pthread_mutex_lock(&lock);
        struct log_hints hints = given;
        (void)pthread_mutex_unlock(&lock);
        return hints;
}
