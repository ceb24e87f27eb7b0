/* A table of lives, by process or by name. When it is full, the half that used least CPU is forgotten. */
#include "daemon/history/query_lives.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "daemon/checks/blame.h"

#define TABLE_SIZE 2048 /* a power of two, well above QUERY_LIVES_MAX */
#define SEEN_SIZE  (2 * QUERY_PROCESSES_MAX)

struct life {
        uint64_t key;
        struct query_lifetime told;
        usec_t last_usec; /* seen */
        bool has_details;
        /* The details are those of this process at this instant, seen without its ancestors: what those were
         * is still to be told. 0: all is told. */
        uint64_t lacks_ancestors_of;
        usec_t described_usec;
};

struct lives {
        bool each;
        bool is_narrow; /* snapshots hold only the processes that were asked for */
        struct life *life;
        size_t count;
        uint16_t table[TABLE_SIZE]; /* index + 1 */
        uint64_t *seen;             /* processes counted already */
        size_t seen_count;
        double machine_cpu_usec;
};

struct lives *lives_new(const struct query *query)
{
        struct lives *lives = calloc(1, sizeof(*lives));
        if (!lives)
                return NULL;
        lives->each = query->each || query->pid;
        lives->life = calloc(QUERY_LIVES_MAX, sizeof(lives->life[0]));
        lives->seen = calloc(SEEN_SIZE, sizeof(lives->seen[0]));
        return lives->life && lives->seen ? lives : lives_free(lives);
}

struct lives *lives_free(struct lives *lives)
{
        if (!lives)
                return NULL;
        free(lives->life);
        free(lives->seen);
        free(lives);
        return NULL;
}

static uint64_t mix(uint64_t value)
{
        value = (value ^ value >> 31) * UINT64_C(0x9e3779b97f4a7c15);
        return value ^ value >> 29;
}

/* Most CPU first; those that used none in the order in which they came. */
static int compare_lives(const void *a, const void *b)
{
        const struct life *x = a, *y = b;
        if (x->told.cpu_usec != y->told.cpu_usec)
                return x->told.cpu_usec > y->told.cpu_usec ? -1 : 1;
        return x->key < y->key ? -1 : x->key > y->key;
}

static void insert(struct lives *lives, size_t index)
{
        size_t at = (size_t)mix(lives->life[index].key) % TABLE_SIZE;
        while (lives->table[at])
                at = (at + 1) % TABLE_SIZE;
        lives->table[at] = (uint16_t)(index + 1);
}

static void forget_half(struct lives *lives)
{
        qsort(lives->life, lives->count, sizeof(lives->life[0]), compare_lives);
        lives->count /= 2;
        memset(lives->table, 0, sizeof(lives->table));
        for (size_t i = 0; i < lives->count; i++)
                insert(lives, i);
}

static struct life *find(const struct lives *lives, uint64_t key)
{
        for (size_t at = (size_t)mix(key) % TABLE_SIZE; lives->table[at]; at = (at + 1) % TABLE_SIZE)
                if (lives->life[lives->table[at] - 1].key == key)
                        return &lives->life[lives->table[at] - 1];
        return NULL;
}

static struct life *find_or_add(struct lives *lives, uint64_t key, bool *ret_is_new)
{
        struct life *life = find(lives, key);
        *ret_is_new = !life;
        if (life)
                return life;
        if (lives->count == QUERY_LIVES_MAX)
                forget_half(lives);
        life = &lives->life[lives->count++];
        memset(life, 0, sizeof(*life));
        life->key = key;
        life->told.peak_memory_bytes = (double)NAN;
        insert(lives, lives->count - 1);
        return life;
}

static const char *name_of(const struct process_identity *identity)
{
        return identity->name[0] ? identity->name : identity->comm;
}

static uint64_t process_key(const struct process_sample *process)
{
        uint64_t key = mix(process->start_ticks) ^ process->pid;
        return key ? key : 1;
}

static uint64_t key_of(const struct lives *lives, const struct process_sample *process)
{
        return lives->each ? process_key(process) : text_hash(HASH_SEED, name_of(process->identity));
}

/* Whether it is met for the first time. Once the set is full nobody is new. */
static bool note_seen(struct lives *lives, const struct process_sample *process)
{
        uint64_t key = process_key(process);
        size_t at = (size_t)mix(key) % SEEN_SIZE;
        for (; lives->seen[at]; at = (at + 1) % SEEN_SIZE)
                if (lives->seen[at] == key)
                        return false;
        if (lives->seen_count == QUERY_PROCESSES_MAX)
                return false;
        lives->seen[at] = key;
        lives->seen_count++;
        return true;
}

static void describe(const struct lives *lives, struct life *life, const struct snapshot *snapshot,
                     const struct process_rate *rate)
{
        const struct process_identity *identity = rate->sample->identity;
        struct query_lifetime *told = &life->told;
        usec_t now = snapshot->time.realtime_usec, began = now > rate->age_usec ? now - rate->age_usec : 0;
        if (told->began_usec == 0 || began < told->began_usec)
                told->began_usec = began;
        if (lives->each)
                told->pid = rate->sample->pid;
        /* Those with a script behind them tell more than the others. */
        if (life->has_details && (told->origin.script[0] || !identity->origin_script[0]))
                return;
        text_format(told->name, sizeof(told->name), "%s", name_of(identity));
        text_format(told->unit, sizeof(told->unit), "%s", identity->unit);
        text_format(told->user, sizeof(told->user), "%s", identity->user);
        text_format(told->command_line, sizeof(told->command_line), "%s", identity->command_line);
        told->uid = identity->uid;
        told->is_uid_known = true;
        told->has_origin = origin_of_process(snapshot, identity, &told->origin);
        life->has_details = !identity->is_partial;
        life->lacks_ancestors_of = told->has_origin && lives->is_narrow ? process_key(rate->sample) : 0;
        life->described_usec = now;
}

static double known_or_zero(double value)
{
        return isnan(value) ? 0 : value;
}

void lives_add_process(struct lives *lives, const struct snapshot *snapshot, const struct process_rate *rate,
                       bool only_new)
{
        const struct process_sample *process = rate->sample;
        double interval = (double)snapshot->interval_usec;
        bool is_new;
        struct life *life = find_or_add(lives, key_of(lives, process), &is_new);
        struct query_lifetime *told = &life->told;
        if (note_seen(lives, process) && (!only_new || rate->is_new || is_new))
                told->count++;
        describe(lives, life, snapshot, rate);
        told->cpu_usec += known_or_zero((double)rate->cpu) * interval;
        told->read_bytes += known_or_zero((double)rate->read_bytes) * interval / USEC_PER_SEC;
        told->write_bytes += known_or_zero((double)rate->write_bytes) * interval / USEC_PER_SEC;
        uint64_t memory = process->rss_anon_bytes == ABSENT ? process->rss_bytes : process->rss_anon_bytes;
        if (memory != ABSENT)
                told->peak_memory_bytes = fmax(told->peak_memory_bytes, (double)memory);
        life->last_usec = snapshot->time.realtime_usec;
}

void lives_add_rollup(struct lives *lives, const struct rollup_machine *machine,
                      const struct rollup_program *program)
{
        bool is_new;
        struct life *life = find_or_add(lives, text_hash(HASH_SEED, program->name), &is_new);
        struct query_lifetime *told = &life->told;
        const struct rollup_value *value = program->value;
        double covered = (double)machine->covered_usec;
        if (is_new) {
                text_format(told->name, sizeof(told->name), "%s", program->name);
                text_format(told->unit, sizeof(told->unit), "%s", program->unit);
                text_format(told->user, sizeof(told->user), "%s", program->user);
                told->began_usec = machine->from_usec;
        }
        double count = rollup_unpack(is_new ? value[ROLLUP_COUNT].maximum : program->started);
        told->count += isnan(count) ? 0 : (uint32_t)llround(fmin(count, UINT32_MAX / 2.0));
        told->cpu_usec += known_or_zero(rollup_unpack(value[ROLLUP_CPU].mean)) * covered;
        told->read_bytes +=
                known_or_zero(rollup_unpack(value[ROLLUP_READ_BYTES].mean)) * covered / USEC_PER_SEC;
        told->write_bytes +=
                known_or_zero(rollup_unpack(value[ROLLUP_WRITE_BYTES].mean)) * covered / USEC_PER_SEC;
        bool has_anon = value[ROLLUP_MEMORY].maximum != ROLLUP_UNKNOWN;
        told->peak_memory_bytes = fmax(told->peak_memory_bytes,
                                       rollup_unpack(value[has_anon ? ROLLUP_MEMORY : ROLLUP_RSS].maximum));
        usec_t end = machine->from_usec + machine->period_usec;
        if (end > life->last_usec)
                life->last_usec = end;
}

void lives_describe(struct lives *lives, const struct snapshot *snapshot, const struct process_rate *rate)
{
        struct life *life = find(lives, key_of(lives, rate->sample));
        if (!life)
                return;
        if (life->lacks_ancestors_of) {
                if (life->lacks_ancestors_of == process_key(rate->sample)) {
                        (void)origin_of_process(snapshot, rate->sample->identity, &life->told.origin);
                        life->lacks_ancestors_of = 0;
                }
                return;
        }
        describe(lives, life, snapshot, rate);
        if (snapshot->time.realtime_usec > life->last_usec)
                life->last_usec = snapshot->time.realtime_usec;
}

void lives_set_narrow(struct lives *lives, bool is_narrow)
{
        lives->is_narrow = is_narrow;
}

void lives_add_machine(struct lives *lives, double cpu_usec)
{
        lives->machine_cpu_usec += known_or_zero(cpu_usec);
}

bool lives_is_empty(const struct lives *lives)
{
        return lives->count == 0;
}

usec_t lives_undescribed(const struct lives *lives)
{
        const struct life *most = NULL;
        for (size_t i = 0; i < lives->count; i++) {
                const struct life *life = &lives->life[i];
                if (((!life->has_details && !life->told.is_uid_known) || life->lacks_ancestors_of) &&
                    (!most || life->told.cpu_usec > most->told.cpu_usec))
                        most = life;
        }
        return !most ? 0 : most->lacks_ancestors_of ? most->described_usec : most->last_usec;
}

int lives_finish(const struct lives *lives, usec_t end_usec, struct query_result *ret_result)
{
        size_t count = lives->count < QUERY_LIFETIMES_MAX ? lives->count : QUERY_LIFETIMES_MAX;
        double all = 0;
        qsort(lives->life, lives->count, sizeof(lives->life[0]), compare_lives);
        struct query_lifetime *told = calloc(count ? count : 1, sizeof(*told));
        if (!told)
                return -ENOMEM;
        for (size_t i = 0; i < lives->count; i++)
                all += lives->life[i].told.cpu_usec;
        if (!lives->each)
                all = lives->machine_cpu_usec;
        for (size_t i = 0; i < count; i++) {
                told[i] = lives->life[i].told;
                usec_t last = lives->life[i].last_usec;
                told[i].ended_usec = last >= end_usec ? 0 : last;
                told[i].share = all > 0 ? fmin(told[i].cpu_usec / all, 1) : 0;
        }
        ret_result->lifetimes = told;
        ret_result->lifetime_count = count;
        return 0;
}
