/* The boots that a history remembers. */
#include <string.h>

#include "daemon/history/history_internal.h"

const struct boot *history_boot(const struct history *history, size_t age)
{
        return age < history->boot_count ? &history->boots[age] : NULL;
}

void history_add_boot(struct history *history, const struct boot *boot)
{
        for (size_t i = 0; i < history->boot_count; i++) {
                struct boot *known = &history->boots[i];
                if (!boot_is_same(&known->times, &boot->times))
                        continue;
                if (boot_is_better(boot, known))
                        *known = *boot;
                return;
        }
        if (history->boot_count < HISTORY_BOOTS_MAX)
                history->boot_count++;
        memmove(&history->boots[1], &history->boots[0],
                (history->boot_count - 1) * sizeof(history->boots[0]));
        history->boots[0] = *boot;
}
