/* /proc/vmstat: what the memory management has done since boot. */
#include "daemon/sample/parsers.h"

#include "daemon/sample/fields.h"

#define COUNT(name, field) KEYED(struct vmstat_sample, field, name, 1)
#define SUM(name, field)   KEYED_SUM(struct vmstat_sample, field, name)

/* In the order in which the kernel prints them. */
static const struct keyed_field fields[] = {
        COUNT("workingset_refault_anon", refault_anon),
        COUNT("workingset_refault_file", refault_file),
        COUNT("workingset_activate_anon", activate_anon),
        COUNT("workingset_activate_file", activate_file),
        COUNT("workingset_restore_anon", restore_anon),
        COUNT("workingset_restore_file", restore_file),
        COUNT("pgpgin", page_in_kib),
        COUNT("pgpgout", page_out_kib),
        COUNT("pswpin", swap_in_pages),
        COUNT("pswpout", swap_out_pages),
        SUM("allocstall_dma", allocation_stalls),
        SUM("allocstall_dma32", allocation_stalls),
        SUM("allocstall_normal", allocation_stalls),
        SUM("allocstall_movable", allocation_stalls),
        SUM("allocstall_device", allocation_stalls),
        COUNT("pgfault", faults),
        COUNT("pgmajfault", major_faults),
        COUNT("pgsteal_kswapd", steal_kswapd),
        COUNT("pgsteal_direct", steal_direct),
        COUNT("pgscan_kswapd", scan_kswapd),
        COUNT("pgscan_direct", scan_direct),
        COUNT("oom_kill", oom_kills),
        COUNT("compact_stall", compact_stalls),
        COUNT("thp_fault_fallback", thp_fault_fallback),
};

/* Linux 6.18, four of 190 lines:
 *   nr_free_pages 1179188
 *   workingset_refault_file 53102
 *   pgpgin 1556413
 *   allocstall_normal 0 */
int vmstat_parse(struct span text, struct sample *sample)
{
        return fields_parse_keyed(text, fields, sizeof(fields) / sizeof(fields[0]), &sample->vmstat);
}
