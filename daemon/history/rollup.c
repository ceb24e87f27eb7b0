/* Accumulates snapshots; each weighs as long as its interval lasted. */
#include "daemon/history/rollup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EXPONENT_LOWEST (-14)
#define BUCKETS         64

/* Below this a program counts as having done nothing in the period: a thousandth of a CPU is what one wake-up
 * a second costs. */
#define ACTIVE_CPU 0.001

rollup_number rollup_pack(double value)
{
        if (isnan(value))
                return ROLLUP_UNKNOWN;
        if (isinf(value) && value > 0)
                return ROLLUP_UNKNOWN - 1;
        int exponent;
        double mantissa = 2 * frexp(value > 0 ? value : 0, &exponent); /* 1 <= mantissa < 2 */
        exponent -= 1 + EXPONENT_LOWEST;
        if (value <= 0 || exponent < 0)
                return 0;
        long code = exponent * 1024L + lround((mantissa - 1) * 1024);
        return code < ROLLUP_UNKNOWN ? (rollup_number)code : ROLLUP_UNKNOWN - 1;
}

double rollup_unpack(rollup_number number)
{
        if (number == ROLLUP_UNKNOWN)
                return (double)NAN;
        if (number == 0)
                return 0;
        /* ldexp() by hand, for trends are unpacked by the thousand: the bits of a double (IEEE 754). */
        uint64_t bits = (uint64_t)(number / 1024 + EXPONENT_LOWEST + 1023) << 52 | (uint64_t)(number % 1024)
                                                                                           << 42;
        double value;
        memcpy(&value, &bits, sizeof(value));
        return value;
}

/* Minimum, mean and maximum of what is known. */
struct sum {
        double total, weight, minimum, maximum;
};

static void sum_add(struct sum *sum, double value, double weight)
{
        if (isnan(value))
                return;
        if (sum->weight <= 0 || value < sum->minimum)
                sum->minimum = value;
        if (sum->weight <= 0 || value > sum->maximum)
                sum->maximum = value;
        sum->total += value * weight;
        sum->weight += weight;
}

static struct rollup_value sum_value(const struct sum *sum)
{
        if (sum->weight <= 0)
                return (struct rollup_value){ ROLLUP_UNKNOWN, ROLLUP_UNKNOWN, ROLLUP_UNKNOWN };
        return (struct rollup_value){ rollup_pack(sum->minimum), rollup_pack(sum->total / sum->weight),
                                      rollup_pack(sum->maximum) };
}

/* Milliseconds spent at each height of a share between 0 and 1, finer near 0. */
struct histogram {
        uint32_t msec[BUCKETS];
};

static void histogram_add(struct histogram *histogram, double share, double msec)
{
        if (isnan(share))
                return;
        long bucket = (long)(sqrt(share > 0 ? share : 0) * BUCKETS);
        histogram->msec[bucket < BUCKETS ? bucket : BUCKETS - 1] += (uint32_t)msec;
}

static rollup_number histogram_p95(const struct histogram *histogram, const struct sum *sum)
{
        uint64_t all = 0, below = 0;
        for (size_t i = 0; i < BUCKETS; i++)
                all += histogram->msec[i];
        if (all == 0)
                return ROLLUP_UNKNOWN;
        size_t i = 0;
        for (; i < BUCKETS - 1; i++) {
                below += histogram->msec[i];
                if (below * 100 >= all * 95)
                        break;
        }
        double bound = (double)((i + 1) * (i + 1)) / (BUCKETS * BUCKETS);
        return rollup_pack(bound < sum->maximum ? bound : sum->maximum);
}

struct slot {
        uint64_t id;
        char name[PROGRAM_NAME_MAX], unit[UNIT_NAME_MAX], user[USER_NAME_MAX];
        char comm[COMM_MAX], executable[PROGRAM_NAME_MAX];
        bool has_identity; /* comm and executable are set, if they differ */
        bool is_in_period;
        struct sum sums[ROLLUP_METRIC_MAX];
        struct histogram waited;
        double present_msec;
        uint64_t started;
        rollup_number told_memory; /* in the last row made of it */
};

/* What its processes tell of a program that it does not know itself. */
struct program_part {
        uint32_t threads;
        const struct process_identity *identity; /* of the first of them that is known in full; or NULL */
};

struct rollup {
        usec_t period_usec;
        bool has_begun;
        uint64_t period; /* number since 1970 */
        usec_t until_usec;
        double msec;
        struct sum fields[FIELD_MAX];
        struct histogram cpu, memory, io;
        struct slot slots[ROLLUP_PROGRAMS_MAX]; /* sorted by id */
        size_t slot_count;
        uint32_t left_out;
        struct program_part *parts; /* scratch, by program */
        size_t parts_capacity;
        struct rollup_machine machine;
        struct rollup_program programs[ROLLUP_PROGRAMS_MAX];
        size_t program_count;
};

struct rollup *rollup_new(usec_t period_usec)
{
        struct rollup *rollup = calloc(1, sizeof(*rollup));
        if (rollup)
                rollup->period_usec = period_usec;
        return rollup;
}

struct rollup *rollup_free(struct rollup *rollup)
{
        if (rollup)
                free(rollup->parts);
        free(rollup);
        return NULL;
}

static struct slot *find_slot(struct rollup *rollup, const struct program *program)
{
        size_t low = 0, high = rollup->slot_count;
        while (low < high) {
                size_t middle = (low + high) / 2;
                if (rollup->slots[middle].id < program->id)
                        low = middle + 1;
                else
                        high = middle;
        }
        if (low < rollup->slot_count && rollup->slots[low].id == program->id)
                return &rollup->slots[low];
        if (rollup->slot_count == ROLLUP_PROGRAMS_MAX) {
                rollup->left_out++;
                return NULL;
        }
        struct slot *slot = &rollup->slots[low];
        memmove(slot + 1, slot, (rollup->slot_count - low) * sizeof(*slot));
        rollup->slot_count++;
        *slot = (struct slot){ .id = program->id };
        memcpy(slot->name, program->name, sizeof(slot->name));
        memcpy(slot->unit, program->unit, sizeof(slot->unit));
        return slot;
}

/* NULL if there is no memory: they are then unknown. */
static const struct program_part *gather_parts(struct rollup *rollup, const struct snapshot *snapshot)
{
        if (snapshot->program_count > rollup->parts_capacity) {
                struct program_part *parts =
                        realloc(rollup->parts, 2 * snapshot->program_count * sizeof(*parts));
                if (!parts)
                        return NULL;
                rollup->parts = parts;
                rollup->parts_capacity = 2 * snapshot->program_count;
        }
        if (snapshot->program_count == 0)
                return NULL;
        memset(rollup->parts, 0, snapshot->program_count * sizeof(*rollup->parts));
        for (size_t i = 0; i < snapshot->process_count; i++) {
                const struct process_rate *process = &snapshot->processes[i];
                if (process->program >= snapshot->program_count)
                        continue;
                struct program_part *part = &rollup->parts[process->program];
                const struct process_identity *identity = process->sample->identity;
                part->threads += process->sample->threads;
                if (!part->identity && identity && !identity->is_partial)
                        part->identity = identity;
        }
        return rollup->parts;
}

/* The other names that people may ask for a program by, once for as long as it is followed. */
static void name_slot(struct slot *slot, const struct process_identity *identity)
{
        const char *slash = strrchr(identity->exe, '/'), *base = slash ? slash + 1 : identity->exe;
        const char *deleted = strstr(base, " (deleted)");
        size_t length = deleted ? (size_t)(deleted - base) : strlen(base);
        slot->has_identity = true;
        if (strcmp(identity->comm, slot->name) != 0)
                memcpy(slot->comm, identity->comm, sizeof(slot->comm));
        if (length == 0 || length >= sizeof(slot->executable))
                return;
        memcpy(slot->executable, base, length);
        slot->executable[length] = '\0';
        if (strcmp(slot->executable, slot->name) == 0 || strcmp(slot->executable, identity->comm) == 0)
                slot->executable[0] = '\0';
}

static double known(uint64_t level)
{
        return level == ABSENT ? (double)NAN : (double)level;
}

static void add_program(struct slot *slot, const struct program *program, double threads, double msec)
{
        const struct ledger *ledger = &program->ledger;
        double wanted = (double)ledger_wanted(ledger), waited = (double)ledger_waited(ledger);
        double share = wanted > 0 ? waited / wanted : waited; /* NAN stays NAN */
        const double values[ROLLUP_METRIC_MAX] = {
                [ROLLUP_CPU] = (double)program->cpu,
                [ROLLUP_CPU_WAIT] = (double)ledger->cpu_wait,
                [ROLLUP_THROTTLED] = (double)ledger->throttled,
                [ROLLUP_DISK_WAIT] = (double)ledger->disk_wait,
                [ROLLUP_SWAP_WAIT] = (double)ledger->swap_wait,
                [ROLLUP_RECLAIM_WAIT] = (double)ledger->reclaim_wait,
                [ROLLUP_WAITED] = share,
                [ROLLUP_READ_BYTES] = (double)program->read_bytes,
                [ROLLUP_WRITE_BYTES] = (double)program->write_bytes,
                [ROLLUP_MEMORY] = known(program->anon_bytes),
                [ROLLUP_RSS] = known(program->rss_bytes),
                [ROLLUP_SWAP] = known(program->swap_bytes),
                [ROLLUP_COUNT] = program->count,
                [ROLLUP_THREADS] = threads,
                [ROLLUP_FILES] = known(program->files),
        };
        for (size_t i = 0; i < ROLLUP_METRIC_MAX; i++)
                sum_add(&slot->sums[i], values[i], msec);
        histogram_add(&slot->waited, share, msec);
        slot->present_msec += msec;
        slot->started += program->new_count;
        slot->is_in_period = true;
        memcpy(slot->user, program->user, sizeof(slot->user));
}

static void accumulate(struct rollup *rollup, const struct snapshot *snapshot)
{
        double msec = (double)snapshot->interval_usec / 1000;
        rollup->msec += msec;
        rollup->until_usec = snapshot->time.realtime_usec;
        for (size_t i = 0; i < FIELD_MAX; i++)
                sum_add(&rollup->fields[i], snapshot->value[i], msec);
        histogram_add(&rollup->cpu, snapshot->value[FIELD_PSI_CPU_SOME], msec);
        histogram_add(&rollup->memory, snapshot->value[FIELD_PSI_MEMORY_SOME], msec);
        histogram_add(&rollup->io, snapshot->value[FIELD_PSI_IO_SOME], msec);
        const struct program_part *parts = gather_parts(rollup, snapshot);
        for (size_t i = 0; i < snapshot->program_count; i++) {
                struct slot *slot = find_slot(rollup, &snapshot->programs[i]);
                if (slot)
                        add_program(slot, &snapshot->programs[i], parts ? parts[i].threads : (double)NAN,
                                    msec);
                if (slot && parts && parts[i].identity && !slot->has_identity)
                        name_slot(slot, parts[i].identity);
        }
}

static bool is_close(rollup_number a, rollup_number b)
{
        return (a > b ? a - b : b - a) <= 16; /* 1.6 % */
}

/* The slot's row; false if a minute can do without it. */
static bool make_row(const struct rollup *rollup, struct slot *slot, struct rollup_program *row)
{
        *row = (struct rollup_program){ .id = slot->id, .waited_p95 = ROLLUP_UNKNOWN };
        memcpy(row->name, slot->name, sizeof(row->name));
        memcpy(row->unit, slot->unit, sizeof(row->unit));
        memcpy(row->user, slot->user, sizeof(row->user));
        memcpy(row->comm, slot->comm, sizeof(row->comm));
        memcpy(row->executable, slot->executable, sizeof(row->executable));
        for (size_t i = 0; i < ROLLUP_METRIC_MAX; i++) {
                struct sum sum = slot->sums[i];
                /* While it was not there it used nothing; but it had no memory or files to be few either. */
                bool is_level = i == ROLLUP_MEMORY || i == ROLLUP_RSS || i == ROLLUP_SWAP ||
                                i == ROLLUP_WAITED || i == ROLLUP_FILES;
                if (!is_level && sum.weight > 0 && slot->present_msec < rollup->msec - 1)
                        sum_add(&sum, 0, rollup->msec - slot->present_msec);
                row->value[i] = sum_value(&sum);
        }
        row->waited_p95 = histogram_p95(&slot->waited, &slot->sums[ROLLUP_WAITED]);
        row->started = rollup_pack((double)slot->started);
        rollup_number memory = row->value[ROLLUP_MEMORY].mean;
        bool is_active = slot->started || rollup_unpack(row->value[ROLLUP_CPU].mean) >= ACTIVE_CPU ||
                         rollup_unpack(row->value[ROLLUP_READ_BYTES].mean) >= 1 ||
                         rollup_unpack(row->value[ROLLUP_WRITE_BYTES].mean) >= 1 ||
                         !is_close(memory, slot->told_memory);
        if (!is_active && rollup->period_usec < USEC_PER_HOUR)
                return false;
        slot->told_memory = memory;
        return true;
}

bool rollup_finish(struct rollup *rollup)
{
        if (!rollup->has_begun)
                return false;
        rollup->machine = (struct rollup_machine){
                .from_usec = rollup->period * rollup->period_usec,
                .period_usec = rollup->period_usec,
                .covered_usec = (usec_t)(rollup->msec * 1000),
                .until_usec = rollup->until_usec,
                .left_out = rollup->left_out,
                .cpu_p95 = histogram_p95(&rollup->cpu, &rollup->fields[FIELD_PSI_CPU_SOME]),
                .memory_p95 = histogram_p95(&rollup->memory, &rollup->fields[FIELD_PSI_MEMORY_SOME]),
                .io_p95 = histogram_p95(&rollup->io, &rollup->fields[FIELD_PSI_IO_SOME]),
        };
        for (size_t i = 0; i < FIELD_MAX; i++)
                rollup->machine.value[i] = sum_value(&rollup->fields[i]);
        rollup->program_count = 0;
        size_t kept = 0;
        for (size_t i = 0; i < rollup->slot_count; i++) {
                struct slot *slot = &rollup->slots[i];
                if (!slot->is_in_period) /* gone for a whole period: forgotten */
                        continue;
                if (make_row(rollup, slot, &rollup->programs[rollup->program_count]))
                        rollup->program_count++;
                memset(slot->sums, 0, sizeof(slot->sums));
                slot->waited = (struct histogram){ 0 };
                slot->present_msec = 0;
                slot->started = 0;
                slot->is_in_period = false;
                if (kept != i)
                        rollup->slots[kept] = *slot;
                kept++;
        }
        rollup->slot_count = kept;
        rollup->has_begun = false;
        rollup->msec = 0;
        rollup->left_out = 0;
        memset(rollup->fields, 0, sizeof(rollup->fields));
        rollup->cpu = rollup->memory = rollup->io = (struct histogram){ 0 };
        return true;
}

bool rollup_add(struct rollup *rollup, const struct snapshot *snapshot)
{
        if (snapshot->is_first || snapshot->interval_usec == 0 || snapshot->time.realtime_usec == 0)
                return false;
        uint64_t period = (snapshot->time.realtime_usec - 1) / rollup->period_usec;
        bool is_finished = rollup->has_begun && period != rollup->period && rollup_finish(rollup);
        rollup->has_begun = true;
        rollup->period = period;
        accumulate(rollup, snapshot);
        return is_finished;
}

const struct rollup_machine *rollup_machine(const struct rollup *rollup)
{
        return &rollup->machine;
}

const struct rollup_program *rollup_programs(const struct rollup *rollup, size_t *ret_count)
{
        *ret_count = rollup->program_count;
        return rollup->programs;
}
