/* /proc/meminfo: where the memory is. */
#include "daemon/sample/parsers.h"

#include "daemon/sample/fields.h"

#define KIB(name, field) KEYED(struct meminfo_sample, field, name, 1024)

/* In the order in which the kernel prints them. */
static const struct keyed_field fields[] = {
        KIB("MemTotal", total_bytes),
        KIB("MemFree", free_bytes),
        KIB("MemAvailable", available_bytes),
        KIB("Buffers", buffers_bytes),
        KIB("Cached", cached_bytes),
        KIB("SwapCached", swap_cached_bytes),
        KIB("Active(anon)", active_anon_bytes),
        KIB("Inactive(anon)", inactive_anon_bytes),
        KIB("Active(file)", active_file_bytes),
        KIB("Inactive(file)", inactive_file_bytes),
        KIB("Unevictable", unevictable_bytes),
        KIB("Mlocked", mlocked_bytes),
        KIB("SwapTotal", swap_total_bytes),
        KIB("SwapFree", swap_free_bytes),
        KIB("Zswap", zswap_bytes),
        KIB("Zswapped", zswapped_bytes),
        KIB("Dirty", dirty_bytes),
        KIB("Writeback", writeback_bytes),
        KIB("AnonPages", anon_bytes),
        KIB("Mapped", mapped_bytes),
        KIB("Shmem", shmem_bytes),
        KIB("SReclaimable", slab_reclaimable_bytes),
        KIB("SUnreclaim", slab_unreclaimable_bytes),
        KIB("KernelStack", kernel_stack_bytes),
        KIB("PageTables", page_tables_bytes),
        KIB("CommitLimit", commit_limit_bytes),
        KIB("Committed_AS", committed_bytes),
        KIB("VmallocUsed", vmalloc_used_bytes),
        KIB("Percpu", percpu_bytes),
        KIB("HardwareCorrupted", hardware_corrupted_bytes),
        KIB("Hugetlb", hugetlb_bytes),
};

/* Linux 6.18, four of 50 lines:
 *   MemTotal:       24684096 kB
 *   MemAvailable:   23925520 kB
 *   Active(anon):      14780 kB
 *   HugePages_Total:       0 */
int meminfo_parse(struct span text, struct sample *sample)
{
        return fields_parse_keyed(text, fields, sizeof(fields) / sizeof(fields[0]), &sample->meminfo);
}
