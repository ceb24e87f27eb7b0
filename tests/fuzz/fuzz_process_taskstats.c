/* Netlink messages of taskstats. Family 27, as in the kept corpus. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/sample/taskstats_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct taskstats_values values;
        uint32_t sequence, pid;
        void *message = malloc(size ? size : 1);
        if (!message)
                return 0;
        memcpy(message, data, size);
        if (taskstats_parse(message, size, 27, &sequence, &pid, &values) == 0 &&
            (values.error > 0 || values.error == -EBADMSG))
                abort();
        free(message);
        return 0;
}
