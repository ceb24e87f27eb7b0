/* /proc/pressure/X and a control group's X.pressure: time in which some, or all, tasks waited (PSI). */
#include "daemon/sample/parsers.h"

#include <errno.h>

#include "daemon/sample/fields.h"

static int parse_line(struct span line, uint64_t *ret_total_usec, uint64_t *ret_avg10_permille)
{
        struct span word, key;
        uint64_t total = ABSENT, hundredths = ABSENT;

        while (span_take_word(&line, &word)) {
                int r = 0;
                if (!span_take_until(&word, '=', &key))
                        return -EINVAL;
                if (span_equal(key, "avg10"))
                        r = fields_parse_decimal(word, 2, &hundredths); /* of a per cent */
                else if (span_equal(key, "total"))
                        r = span_u64(word, &total);
                if (r < 0)
                        return r;
        }
        if (total == ABSENT)
                return -EINVAL;
        *ret_total_usec = total;
        *ret_avg10_permille = hundredths == ABSENT ? ABSENT : hundredths / 10 + (hundredths % 10 >= 5);
        return 0;
}

/* Linux 6.18, /proc/pressure/memory; averages in per cent, the total in microseconds. "full" is missing for
 * cpu before 5.13, "some" for irq:
 *   some avg10=0.04 avg60=0.02 avg300=0.08 total=4338989
 *   full avg10=0.00 avg60=0.00 avg300=0.07 total=3995422 */
int pressure_parse(struct span text, struct pressure_sample *ret_pressure)
{
        struct span line, key;
        size_t known = 0;
        int error = 0;

        while (span_take_line(&text, &line)) {
                int r;
                if (!span_take_word(&line, &key))
                        continue;
                if (span_equal(key, "some"))
                        r = parse_line(line, &ret_pressure->some_total_usec,
                                       &ret_pressure->some_avg10_permille);
                else if (span_equal(key, "full"))
                        r = parse_line(line, &ret_pressure->full_total_usec,
                                       &ret_pressure->full_avg10_permille);
                else
                        continue;
                known++;
                fields_note(r, &error);
        }
        return known ? error : -ENODATA;
}

int pressure_parse_cpu(struct span text, struct sample *sample)
{
        return pressure_parse(text, &sample->pressure[PRESSURE_CPU]);
}

int pressure_parse_memory(struct span text, struct sample *sample)
{
        return pressure_parse(text, &sample->pressure[PRESSURE_MEMORY]);
}

int pressure_parse_io(struct span text, struct sample *sample)
{
        return pressure_parse(text, &sample->pressure[PRESSURE_IO]);
}

int pressure_parse_irq(struct span text, struct sample *sample)
{
        return pressure_parse(text, &sample->pressure[PRESSURE_IRQ]);
}
