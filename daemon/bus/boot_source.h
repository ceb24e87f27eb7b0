/* The machine's start, asked once of systemd over D-Bus. The only user of sd-bus. */
#pragma once

#include "daemon/sample/aside.h"

/* Its result is a struct boot (daemon/sample/boot.h): while the machine starts, when that has finished, and a
 * minute later. Its looks end with -ENOENT where this machine was not started by systemd, with -EALREADY when
 * there is nothing new to say, otherwise with what the bus says. */
extern const struct aside_source boot_source;
