/* Boots for tests. */
#include "tests/support/boots.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USERSPACE_USEC (10 * USEC_PER_SEC)

static usec_t usec(double seconds)
{
        return (usec_t)(seconds * (double)USEC_PER_SEC);
}

struct boot fake_boot(unsigned number, double seconds)
{
        struct boot boot = { .times = { .stage = BOOT_SETTLED } };
        struct boot_times *times = &boot.times;
        (void)snprintf(times->boot_id, sizeof(times->boot_id), "fake-boot-%u", number);
        (void)snprintf(times->kernel, sizeof(times->kernel), "6.1.0-41-amd64");
        (void)snprintf(times->target, sizeof(times->target), "multi-user.target");
        times->began_usec = 1690000000000000 + number * USEC_PER_DAY;
        times->firmware_length_usec = times->loader_length_usec = times->waiting_since_usec = ABSENT;
        times->initrd_usec = 2 * USEC_PER_SEC;
        times->userspace_usec = USERSPACE_USEC;
        times->ready_usec = USERSPACE_USEC + usec(seconds);
        times->finish_usec = times->ready_usec + 100 * USEC_PER_MSEC;
        times->looked_usec = times->finish_usec + USEC_PER_MINUTE;
        times->known_usec = times->began_usec + times->looked_usec;
        times->services = 40;
        times->cpu_usec = 5 * USEC_PER_SEC;
        times->cpu_waited_usec = times->io_waited_usec = 0;
        struct boot_unit *target = fake_boot_unit(&boot, "multi-user.target", 0, 0);
        target->level = 1;
        target->activating_usec = target->activated_usec = times->ready_usec;
        (void)fake_boot_unit(&boot, "sshd.service", 0.5, 0.5);
        return boot;
}

struct boot_unit *fake_boot_unit(struct boot *boot, const char *name, double length, double held)
{
        if (boot->unit_count == BOOT_UNITS_MAX)
                abort();
        struct boot_unit *unit = &boot->units[boot->unit_count++];
        memset(unit, 0, sizeof(*unit));
        (void)snprintf(unit->name, sizeof(unit->name), "%s", name);
        (void)snprintf(unit->type, sizeof(unit->type), "oneshot");
        (void)snprintf(unit->enabled, sizeof(unit->enabled), "enabled");
        unit->activating_usec = USERSPACE_USEC + USEC_PER_SEC;
        unit->length_usec = usec(length);
        unit->activated_usec = unit->activating_usec + unit->length_usec;
        unit->held_usec = held > 0 ? usec(held) : ABSENT;
        unit->level = held > 0 ? 2 : 0;
        unit->cpu_usec = 100 * USEC_PER_MSEC;
        unit->read_bytes = unit->write_bytes = unit->memory_peak_bytes = ABSENT;
        return unit;
}
