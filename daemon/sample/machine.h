/* Facts that hold for a whole boot: names, and the units in which /proc counts. */
#pragma once

#include "common/text.h"
#include "daemon/root.h"
#include "daemon/sample/sample.h"

#define MACHINE_FILE "slowd.machine" /* at the top of a recorded machine: see machine_parse_recorded() */

struct machine_facts {
        struct machine machine;
        bool was_collected;
        usec_t read_usec; /* monotonic */
};

/* Reads what is there; never fails as a whole: unknown names are empty. hz and page_bytes always have a value
 * afterwards: the kernel's on a live root, else what was recorded, else 100 and 4096. 0, or the error of the
 * first file. */
int machine_read(const struct root *root, struct machine *ret_machine);
/* Copies the facts into the sample, reading them again once a minute (a host name may change).
 * boot_realtime_usec and cpus come from /proc/stat. sample->time must be set. */
int machine_collect(struct machine_facts *facts, const struct root *root, struct sample *sample);
/* Lines "hz N" and "page_bytes N" of a recorded machine; numbers that cannot be are passed over. */
int machine_parse_recorded(struct span text, struct machine *machine);
