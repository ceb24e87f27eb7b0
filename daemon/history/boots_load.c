/* The reader gives the newest first, history wants them in the order in which they were. */
#include "daemon/history/boots_load.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/sample/boot.h"

struct loaded {
        struct boot boots[HISTORY_BOOTS_MAX];
        size_t count;
};

static bool take(void *userdata, const struct boot *boot, uint64_t number)
{
        struct loaded *loaded = userdata;
        (void)number;
        loaded->boots[loaded->count++] = *boot;
        return loaded->count < HISTORY_BOOTS_MAX;
}

int boots_load(struct store_reader *reader, usec_t until_usec, struct history *history)
{
        struct loaded *loaded = calloc(1, sizeof(*loaded));
        if (!loaded)
                return -ENOMEM;
        int r = store_reader_boots(reader, until_usec, HISTORY_BOOTS_MAX, take, loaded);
        while (loaded->count > 0)
                history_add_boot(history, &loaded->boots[--loaded->count]);
        free(loaded);
        return r == -EBADMSG ? 0 : r;
}
