/* /proc/sys/fs/file-nr: file handles of the whole machine. */
#include <errno.h>

#include "daemon/sample/parsers.h"

/* Linux 6.18: handles in use, free ones (0 since 2.6), the most there may be:
 *   1216\t0\t9223372036854775807 */
int file_nr_parse(struct span text, struct sample *sample)
{
        uint64_t open_count, unused, max;
        if (text.length == 0)
                return -ENODATA;
        if (span_take_u64(&text, &open_count) < 0 || span_take_u64(&text, &unused) < 0 ||
            span_take_u64(&text, &max) < 0 || unused > open_count)
                return -EINVAL;
        sample->files_open = open_count - unused;
        sample->files_max = max;
        return 0;
}
