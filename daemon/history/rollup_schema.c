/* What is stored of a roll-up: the number of a field or metric is stable, its position in its enum is not.
 * Each value takes three column numbers: 4 n, 4 n + 1 and 4 n + 2 are minimum, mean and maximum. */
#include "daemon/history/trends.h"

#define VALUE(n, type, at)                                                                                   \
        NUMBER(4 * (n), type, value[at].minimum, 0), NUMBER(4 * (n) + 1, type, value[at].mean, 0),           \
                NUMBER(4 * (n) + 2, type, value[at].maximum, 0)
#define FIELD(n, field)   VALUE(n, struct rollup_machine, field)
#define METRIC(n, metric) VALUE(n, struct rollup_program, metric)

static const struct column machine_columns[] = {
        COUNTER(3, struct rollup_machine, from_usec, 1),
        COUNTER(7, struct rollup_machine, period_usec, 1),
        COUNTER(11, struct rollup_machine, covered_usec, 1000),
        NUMBER(15, struct rollup_machine, left_out, 0),
        COUNTER(31, struct rollup_machine, until_usec, 1),
        NUMBER(19, struct rollup_machine, cpu_p95, 0),
        NUMBER(23, struct rollup_machine, memory_p95, 0),
        NUMBER(27, struct rollup_machine, io_p95, 0),
        FIELD(1, FIELD_CPU_BUSY),
        FIELD(2, FIELD_CPU_USER),
        FIELD(3, FIELD_CPU_NICE),
        FIELD(4, FIELD_CPU_SYSTEM),
        FIELD(5, FIELD_CPU_IRQ),
        FIELD(6, FIELD_CPU_IOWAIT),
        FIELD(7, FIELD_CPU_STEAL),
        FIELD(8, FIELD_CPU_IDLE),
        FIELD(9, FIELD_CPU_UNATTRIBUTED),
        FIELD(10, FIELD_PSI_CPU_SOME),
        FIELD(11, FIELD_PSI_MEMORY_SOME),
        FIELD(12, FIELD_PSI_MEMORY_FULL),
        FIELD(13, FIELD_PSI_IO_SOME),
        FIELD(14, FIELD_PSI_IO_FULL),
        FIELD(15, FIELD_PSI_IRQ_FULL),
        FIELD(16, FIELD_LOAD1),
        FIELD(17, FIELD_PROCS_RUNNING),
        FIELD(18, FIELD_PROCS_BLOCKED),
        FIELD(19, FIELD_MEMORY_TOTAL_BYTES),
        FIELD(20, FIELD_MEMORY_AVAILABLE_BYTES),
        FIELD(21, FIELD_MEMORY_ANON_BYTES),
        FIELD(22, FIELD_MEMORY_FILE_BYTES),
        FIELD(23, FIELD_MEMORY_SHMEM_BYTES),
        FIELD(24, FIELD_MEMORY_DIRTY_BYTES),
        FIELD(25, FIELD_SWAP_TOTAL_BYTES),
        FIELD(26, FIELD_SWAP_USED_BYTES),
        FIELD(27, FIELD_SWAP_IN_PAGES),
        FIELD(28, FIELD_SWAP_OUT_PAGES),
        FIELD(29, FIELD_MAJOR_FAULTS),
        FIELD(30, FIELD_REFAULT_FILE),
        FIELD(31, FIELD_REFAULT_ANON),
        FIELD(32, FIELD_RESTORE_FILE),
        FIELD(33, FIELD_RECLAIM_SCAN_DIRECT),
        FIELD(34, FIELD_RECLAIM_SCAN_KSWAPD),
        FIELD(35, FIELD_OOM_KILLS),
        FIELD(36, FIELD_FORKS),
        FIELD(37, FIELD_CONTEXT_SWITCHES),
        FIELD(38, FIELD_DISK_READ_BYTES),
        FIELD(39, FIELD_DISK_WRITE_BYTES),
        FIELD(40, FIELD_DISK_BUSY_MAX),
        FIELD(41, FIELD_DISK_AWAIT_MSEC),
        FIELD(42, FIELD_NETWORK_RX_BYTES),
        FIELD(43, FIELD_NETWORK_TX_BYTES),
        FIELD(44, FIELD_PROCESSES),
        FIELD(45, FIELD_TASKS),
        FIELD(46, FIELD_MEMORY_SLAB_BYTES),
        FIELD(47, FIELD_MEMORY_PAGE_TABLES_BYTES),
        FIELD(48, FIELD_MEMORY_VMALLOC_BYTES),
        FIELD(49, FIELD_MEMORY_PERCPU_BYTES),
        FIELD(50, FIELD_MEMORY_UNACCOUNTED_BYTES),
};

static const struct column program_columns[] = {
        COUNTER(3, struct rollup_program, id, 1),
        TEXT(7, struct rollup_program, name),
        TEXT(11, struct rollup_program, unit),
        TEXT(15, struct rollup_program, user),
        NUMBER(19, struct rollup_program, waited_p95, 0),
        NUMBER(23, struct rollup_program, started, 0),
        TEXT(27, struct rollup_program, comm),
        TEXT(31, struct rollup_program, executable),
        METRIC(1, ROLLUP_CPU),
        METRIC(2, ROLLUP_CPU_WAIT),
        METRIC(3, ROLLUP_THROTTLED),
        METRIC(4, ROLLUP_DISK_WAIT),
        METRIC(5, ROLLUP_SWAP_WAIT),
        METRIC(6, ROLLUP_RECLAIM_WAIT),
        METRIC(7, ROLLUP_WAITED),
        METRIC(8, ROLLUP_READ_BYTES),
        METRIC(9, ROLLUP_WRITE_BYTES),
        METRIC(10, ROLLUP_MEMORY),
        METRIC(11, ROLLUP_RSS),
        METRIC(12, ROLLUP_SWAP),
        METRIC(13, ROLLUP_COUNT),
        METRIC(14, ROLLUP_THREADS),
};

static const struct column trend_columns[] = {
        NUMBER(3, struct rollup_trend, kind, 0), COUNTER(7, struct rollup_trend, id, 1),
        TEXT(11, struct rollup_trend, name),     VALUE(1, struct rollup_trend, 0),
        VALUE(2, struct rollup_trend, 1),        VALUE(3, struct rollup_trend, 2),
        VALUE(4, struct rollup_trend, 3),        VALUE(5, struct rollup_trend, 4),
        VALUE(6, struct rollup_trend, 5),        VALUE(7, struct rollup_trend, 6),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Numbers of entities differ from those of samples: a block says by them what it is. */
static const struct entity entities[ROLLUP_ENTITIES] = {
        [ROLLUP_ENTITY_MACHINE] = { .number = 32,
                                    .shape = SHAPE_DENSE,
                                    .row_size = sizeof(struct rollup_machine),
                                    .rows_max = 1,
                                    .columns = machine_columns,
                                    .column_count = COUNT(machine_columns) },
        [ROLLUP_ENTITY_PROGRAM] = { .number = 33,
                                    .shape = SHAPE_LIST,
                                    .is_sorted = true,
                                    .key_count = 1,
                                    .row_size = sizeof(struct rollup_program),
                                    .rows_max = ROLLUP_PROGRAMS_MAX,
                                    .columns = program_columns,
                                    .column_count = COUNT(program_columns) },
        [ROLLUP_ENTITY_TREND] = { .number = 34,
                                  .shape = SHAPE_LIST,
                                  .is_sorted = true,
                                  .key_count = 2,
                                  .row_size = sizeof(struct rollup_trend),
                                  .rows_max = TRENDS_MAX,
                                  .columns = trend_columns,
                                  .column_count = COUNT(trend_columns) },
};

const struct schema rollup_schema = { .entities = entities, .entity_count = ROLLUP_ENTITIES };
