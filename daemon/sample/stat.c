/* /proc/stat: CPU time per CPU, context switches, forks, tasks running and blocked; and, as they stand there
 * too, how many CPUs are online and when the machine booted. */
#include "daemon/sample/parsers.h"

#include <errno.h>
#include <string.h>

#include "daemon/sample/fields.h"

#define CPU_FIELDS 10
_Static_assert(sizeof(struct cpu_sample) == CPU_FIELDS * sizeof(uint64_t), "ten counters in this order");

/* Older kernels have fewer columns: those stay ABSENT. The first four are as old as the file. */
static int parse_cpu(struct span line, struct cpu_sample *ret_cpu)
{
        uint64_t values[CPU_FIELDS];
        memset(values, 0xff, sizeof(values));
        for (size_t i = 0; i < CPU_FIELDS; i++) {
                int r = span_take_u64(&line, &values[i]);
                if (r == -ENODATA && i >= 4)
                        break;
                if (r < 0)
                        return r;
        }
        memcpy(ret_cpu, values, sizeof(values));
        return 0;
}

static int parse_cpu_line(struct span key, struct span line, struct sample *sample)
{
        uint64_t number;
        if (key.length == 3)
                return parse_cpu(line, &sample->stat.all);
        int r = span_u64((struct span){ key.at + 3, key.length - 3 }, &number);
        if (r < 0)
                return r;
        if (number >= CPUS_MAX) {
                sample->dropped++;
                return 0;
        }
        r = parse_cpu(line, &sample->stat.cpu[number]);
        if (r == 0)
                sample->stat.cpu_count = sample->stat.cpu_count == ABSENT ? 1 : sample->stat.cpu_count + 1;
        return r;
}

static int parse_boot_time(struct span line, struct machine *machine)
{
        uint64_t seconds;
        int r = span_take_u64(&line, &seconds);
        if (r == 0)
                r = fields_scale(&seconds, USEC_PER_SEC);
        if (r == 0)
                machine->boot_realtime_usec = seconds;
        return r;
}

/* Linux 6.18, two CPUs; of "intr" and "softirq" only the first of many columns is shown:
 *   cpu  13390 0 7845 368411 5541 0 321 37 0 0
 *   cpu0 5723 0 3394 185954 2593 0 36 19 0 0
 *   cpu1 7666 0 4451 182456 2948 0 284 17 0 0
 *   intr 542399
 *   ctxt 1523375
 *   btime 1795460412
 *   processes 47472
 *   procs_running 3
 *   procs_blocked 0
 *   softirq 537617 */
int stat_parse(struct span text, struct sample *sample)
{
        struct stat_sample *stat = &sample->stat;
        struct span line, key;
        size_t known = 0;
        int error = 0;

        while (span_take_line(&text, &line)) {
                int r = 0;
                if (!span_take_word(&line, &key))
                        continue;
                known++;
                if (span_starts(key, "cpu"))
                        r = parse_cpu_line(key, line, sample);
                else if (span_equal(key, "ctxt"))
                        r = span_take_u64(&line, &stat->context_switches);
                else if (span_equal(key, "btime"))
                        r = parse_boot_time(line, &sample->machine);
                else if (span_equal(key, "processes"))
                        r = span_take_u64(&line, &stat->forks);
                else if (span_equal(key, "procs_running"))
                        r = span_take_u64(&line, &stat->procs_running);
                else if (span_equal(key, "procs_blocked"))
                        r = span_take_u64(&line, &stat->procs_blocked);
                else
                        known--;
                fields_note(r, &error);
        }
        if (stat->cpu_count != ABSENT)
                sample->machine.cpus = stat->cpu_count;
        return known ? error : -ENODATA;
}
