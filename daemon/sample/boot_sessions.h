/* What users' sessions started with the machine: the services of their own service managers, of which the
 * system's one knows nothing. Desktops run autostart entries as such (app-NAME@autostart.service). */
#pragma once

#include "daemon/root.h"
#include "daemon/sample/boot.h"

#define BOOT_SESSION_UNITS_MAX       64
#define BOOT_SESSION_DIRECTORIES_MAX 512 /* looked into */

/* The services with what they have used so far (CPU, peak memory), from the unified control group hierarchy;
 * when they began is not known. Returns how many, at most `max`; none without that hierarchy. */
size_t boot_session_units(const struct root *root, struct boot_node *ret_nodes, size_t max);
