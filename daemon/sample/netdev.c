/* /proc/net/dev: traffic per network interface. */
#include "daemon/sample/parsers.h"

#include <errno.h>

#include "daemon/sample/fields.h"

#define COLUMNS 16

static int parse_line(struct span line, struct interface_sample *ret_interface)
{
        struct span name, word;
        uint64_t column[COLUMNS];

        if (!span_take_until(&line, ':', &name) || !span_take_word(&name, &word))
                return -EINVAL;
        for (size_t i = 0; i < COLUMNS; i++) {
                int r = span_take_u64(&line, &column[i]);
                if (r < 0)
                        return r == -ENODATA ? -EINVAL : r;
        }
        *ret_interface = (struct interface_sample){
                .rx_bytes = column[0],
                .rx_packets = column[1],
                .rx_errors = column[2],
                .rx_dropped = column[3],
                .tx_bytes = column[8],
                .tx_packets = column[9],
                .tx_errors = column[10],
                .tx_dropped = column[11],
        };
        (void)span_copy(word, ret_interface->name, sizeof(ret_interface->name));
        text_sanitize(ret_interface->name, "");
        return 0;
}

/* Linux 6.18; the two lines of heading have no colon:
 *   Inter-|   Receive                                                |  Transmit
 *    face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls
 * ... eth0: 68892730    1572    0    0    0     0          0         0    95717     965    0    0    0     0
 * ... */
int netdev_parse(struct span text, struct sample *sample)
{
        struct span line;
        size_t lines = 0;
        int error = 0;

        for (; span_take_line(&text, &line); lines++) {
                if (lines < 2)
                        continue;
                if (sample->interface_count == INTERFACES_MAX) {
                        sample->dropped++;
                        continue;
                }
                int r = parse_line(line, &sample->interfaces[sample->interface_count]);
                if (r == 0)
                        sample->interface_count++;
                fields_note(r, &error);
        }
        return lines ? error : -ENODATA;
}
