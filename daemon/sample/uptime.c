/* /proc/uptime: how long the machine has been up, sleep included. */
#include "daemon/sample/parsers.h"

#include <errno.h>

#include "daemon/sample/fields.h"

/* Linux 6.18: seconds since boot, and idle seconds summed over CPUs:
 *   7835.69 14339.26 */
int uptime_parse(struct span text, struct sample *sample)
{
        struct span word;
        return span_take_word(&text, &word) ? fields_parse_decimal(word, 6, &sample->uptime_usec) : -ENODATA;
}
