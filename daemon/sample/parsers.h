/* The parsers of small kernel files: text in, counters of struct sample out. They read nothing, allocate
 * nothing and believe nothing. The sample must have been cleared: what a text does not tell stays ABSENT.
 *
 * All return 0; -ENODATA for a text that holds nothing they know; else the error of the first bad line, while
 * the good lines are taken all the same. Lists that are full count what does not fit in sample->dropped. */
#pragma once

#include "common/text.h"
#include "daemon/sample/sample.h"

int stat_parse(struct span text,
               struct sample *sample); /* also machine.cpus and machine.boot_realtime_usec */
int loadavg_parse(struct span text, struct sample *sample);
int uptime_parse(struct span text, struct sample *sample);
int file_nr_parse(struct span text, struct sample *sample);
int meminfo_parse(struct span text, struct sample *sample);
int vmstat_parse(struct span text, struct sample *sample);
int netdev_parse(struct span text, struct sample *sample);
int mdstat_parse(struct span text, struct sample *sample); /* a file without arrays is fine */

/* One PSI file of the machine or of a control group. */
int pressure_parse(struct span text, struct pressure_sample *ret_pressure);
int pressure_parse_cpu(struct span text, struct sample *sample);
int pressure_parse_memory(struct span text, struct sample *sample);
int pressure_parse_io(struct span text, struct sample *sample);
int pressure_parse_irq(struct span text, struct sample *sample);
