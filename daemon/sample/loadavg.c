/* /proc/loadavg: load averages and the number of tasks. */
#include "daemon/sample/parsers.h"

#include <errno.h>

#include "daemon/sample/fields.h"

static int take_milli(struct span *line, uint64_t *ret_milli)
{
        struct span word;
        return span_take_word(line, &word) ? fields_parse_decimal(word, 3, ret_milli) : -ENODATA;
}

/* Linux 6.18: load of 1, 5 and 15 minutes, runnable/all tasks, the last pid given out:
 *   0.36 0.13 0.06 1/93 9768 */
int loadavg_parse(struct span text, struct sample *sample)
{
        struct load_sample load;
        struct span word, runnable;

        int r = take_milli(&text, &load.load1_milli);
        if (r == 0)
                r = take_milli(&text, &load.load5_milli);
        if (r == 0)
                r = take_milli(&text, &load.load15_milli);
        if (r < 0)
                return r;
        if (!span_take_word(&text, &word) || !span_take_until(&word, '/', &runnable))
                return -EINVAL;
        r = span_u64(word, &load.tasks);
        if (r == 0)
                sample->load = load;
        return r;
}
