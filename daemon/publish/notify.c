/* sd_notify(3). A manager that cannot be told changes nothing for us, so its errors are ignored. */
#include "daemon/publish/notify.h"

#include <systemd/sd-daemon.h>

#define STATUS_SHOWN_MAX 320 /* bytes */

void notify_ready(const char *status)
{
        (void)sd_notifyf(0, "READY=1\nSTATUS=%.*s", STATUS_SHOWN_MAX, status);
}

void notify_status(const char *status)
{
        (void)sd_notifyf(0, "STATUS=%.*s", STATUS_SHOWN_MAX, status);
}

void notify_reloading(usec_t now_monotonic_usec)
{
        (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, now_monotonic_usec);
}

void notify_stopping(void)
{
        (void)sd_notify(0, "STOPPING=1");
}

usec_t notify_watchdog_usec(void)
{
        uint64_t usec;
        return sd_watchdog_enabled(0, &usec) > 0 ? usec : 0;
}

void notify_alive(void)
{
        (void)sd_notify(0, "WATCHDOG=1");
}
