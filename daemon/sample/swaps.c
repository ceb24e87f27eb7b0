/* /proc/swaps: which files and partitions are swapped to, and how full they are. */
#include "daemon/sample/swaps.h"

#include <errno.h>
#include <string.h>

#include "daemon/sample/fields.h"
#include "daemon/sample/path.h"

#define REREAD_USEC USEC_PER_MINUTE

static int parse_line(struct span line, struct swap_sample *ret_swap)
{
        struct span path, type;
        uint64_t size, used = 0;

        if (!span_take_word(&line, &path) || !span_take_word(&line, &type))
                return -EINVAL;
        *ret_swap = (struct swap_sample){ .is_file = span_equal(type, "file") };
        int r = span_take_u64(&line, &size);
        if (r == 0)
                r = span_take_u64(&line, &used);
        if (r == 0)
                r = span_take_i64(&line, &ret_swap->priority);
        if (r == 0)
                r = fields_scale(&size, 1024);
        if (r == 0)
                r = fields_scale(&used, 1024);
        if (r < 0)
                return r == -ENODATA ? -EINVAL : r;
        ret_swap->size_bytes = size;
        ret_swap->used_bytes = used;
        path_unescape(path, ret_swap->path, sizeof(ret_swap->path));
        return 0;
}

/* Linux 6.18; sizes in KiB, blanks in a path as \040; a file system that is gone leaves " (deleted)" there:
 *   Filename				Type		Size		Used		Priority
 *   /swapfile                               file		1048572		256		-2 */
int swaps_parse(struct span text, struct swaps *ret_swaps)
{
        struct span line;
        bool is_heading = true;
        int error = 0;

        ret_swaps->count = 0;
        ret_swaps->dropped = 0;
        if (text.length == 0)
                return -ENODATA;
        for (; span_take_line(&text, &line); is_heading = false) {
                if (is_heading)
                        continue;
                if (ret_swaps->count == SWAPS_MAX) {
                        ret_swaps->dropped++;
                        continue;
                }
                int r = parse_line(line, &ret_swaps->rows[ret_swaps->count]);
                if (r == 0)
                        ret_swaps->count++;
                fields_note(r, &error);
        }
        return error;
}

int swaps_collect(struct swaps *swaps, const struct root *root, struct buffer *buffer, struct sample *sample)
{
        usec_t now = sample->time.monotonic_usec;
        struct span text;

        if (swaps->read_usec == 0 || now - swaps->read_usec >= REREAD_USEC ||
            swaps->total_bytes != sample->meminfo.swap_total_bytes) {
                swaps->count = 0;
                swaps->error = buffer_read(buffer, root, "proc/swaps", &text);
                if (swaps->error == 0)
                        swaps->error = swaps_parse(text, swaps);
                swaps->read_usec = now;
                swaps->total_bytes = sample->meminfo.swap_total_bytes;
        }
        memcpy(sample->swaps, swaps->rows, swaps->count * sizeof(swaps->rows[0]));
        sample->swap_count = swaps->count;
        sample->dropped += swaps->dropped;
        return swaps->error;
}
