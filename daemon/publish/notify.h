/* What the service manager is told (sd_notify(3)); without one all of it does nothing. */
#pragma once

#include "common/usec.h"

void notify_ready(const char *status);
void notify_status(const char *status);
void notify_reloading(usec_t now_monotonic_usec);
void notify_stopping(void);
/* How often the manager wants to hear that we are alive; 0: it does not. */
usec_t notify_watchdog_usec(void);
void notify_alive(void);
