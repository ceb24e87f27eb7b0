/* Boots for tests. */
#pragma once

#include "daemon/sample/boot.h"

/* A boot that took that long from the begin of userspace to multi-user.target (at second 10 of the machine's
 * time), with sshd.service on its chain and a few others. `number` names and dates it: the later, the higher.
 */
struct boot fake_boot(unsigned number, double seconds);
/* Adds a unit to it; on the chain, between the target and what comes after it, if `held` is not 0. */
struct boot_unit *fake_boot_unit(struct boot *boot, const char *name, double length, double held);
