/* Rows put together into samples. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/history/decoder.h"
#include "daemon/history/intern.h"
#include "daemon/history/sample_codec.h"
#include "daemon/history/sample_schema.h"
#include "daemon/sample/boot.h"

#define IDENTITY_CHUNK     64
#define WANTED_CGROUPS_MAX 64
#define IDENTITY_CHUNKS    ((2 * PROCESSES_MAX) / IDENTITY_CHUNK) /* identities that one block may hold */

struct chunk {
        struct process_identity identities[IDENTITY_CHUNK];
        bool is_wanted[IDENTITY_CHUNK];
};

struct sample_decoder {
        struct block block;
        struct decoder *decoder;
        struct chunk *chunks[IDENTITY_CHUNKS]; /* never moved: samples point into them */
        size_t identity_count;
        struct process_identity nobody; /* what a process without a known identity points to */
        struct mount_sample *mounts[2]; /* in turn, whenever they change */
        size_t mount_count;
        unsigned mounts_now;
        struct slow_rows {
                struct file_system_sample file_systems[FILE_SYSTEMS_MAX];
                struct slab_sample slabs[SLABS_MAX];
                struct log_file_sample logs[LOG_FILES_MAX];
                struct log_unit_sample log_units[LOG_UNITS_MAX];
                struct fs_errors_sample fs_errors[FS_ERRORS_MAX];
        } slow_rows[2]; /* in turn */
        unsigned ticks;
        struct network_view {
                struct network_mount_sample mounts[NETWORK_MOUNTS_MAX];
                struct mount_user_sample users[MOUNT_USERS_MAX];
        } * network[2]; /* in turn, at each sample that has any; NULL: none yet */
        unsigned network_now;
        struct boot *boots[2]; /* in turn */
        unsigned boots_now;
        bool hides_command_lines;
        usec_t from_usec, until_usec; /* samples of other times are passed over */
        struct sample_filter filter;
};

int sample_decoder_new(struct block *block, struct sample_decoder **ret_decoder)
{
        struct sample_decoder *decoder = calloc(1, sizeof(*decoder));
        if (!decoder)
                return -ENOMEM;
        decoder->until_usec = UINT64_MAX;
        decoder->block = *block; /* taken over */
        *block = (struct block){ 0 };
        int result = decoder_new(&sample_schema, &decoder->block, &decoder->decoder);
        if (result < 0) {
                (void)sample_decoder_free(decoder);
                return result;
        }
        *ret_decoder = decoder;
        return 0;
}

struct sample_decoder *sample_decoder_free(struct sample_decoder *decoder)
{
        if (!decoder)
                return NULL;
        (void)decoder_free(decoder->decoder);
        for (size_t i = 0; i < IDENTITY_CHUNKS && decoder->chunks[i]; i++)
                free(decoder->chunks[i]);
        free(decoder->mounts[0]);
        free(decoder->mounts[1]);
        free(decoder->network[0]);
        free(decoder->network[1]);
        free(decoder->boots[0]);
        free(decoder->boots[1]);
        block_done(&decoder->block);
        free(decoder);
        return NULL;
}

void sample_decoder_hide_command_lines(struct sample_decoder *decoder)
{
        decoder->hides_command_lines = true;
}

void sample_decoder_set_window(struct sample_decoder *decoder, usec_t from_usec, usec_t until_usec)
{
        decoder->from_usec = from_usec;
        decoder->until_usec = until_usec;
}

void sample_decoder_set_filter(struct sample_decoder *decoder, const struct sample_filter *filter)
{
        decoder->filter = *filter;
        for (int i = 0; filter->is_wanted && i < SAMPLE_ENTITIES; i++)
                if (i != ENTITY_MACHINE && i != ENTITY_CGROUP && i != ENTITY_IDENTITY && i != ENTITY_PROCESS)
                        decoder_leave_out(decoder->decoder, (uint32_t)i);
        if (filter->is_wanted && filter->pid)
                decoder_want_key(decoder->decoder, ENTITY_PROCESS, filter->pid);
        if (filter->is_wanted) /* pressure, memory and the like */
                decoder_leave_out_behind(decoder->decoder, ENTITY_MACHINE, offsetof(struct sample, load));
}

static void hide_command_line(struct process_identity *identity)
{
        memset(identity->command_line, 0, sizeof(identity->command_line));
        memset(identity->working_directory, 0, sizeof(identity->working_directory));
        memset(identity->script, 0, sizeof(identity->script));
        memset(identity->origin_script, 0, sizeof(identity->origin_script));
        memset(identity->origin_directory, 0, sizeof(identity->origin_directory));
}

static struct process_identity *identity_at(const struct sample_decoder *decoder, size_t index)
{
        return &decoder->chunks[index / IDENTITY_CHUNK]->identities[index % IDENTITY_CHUNK];
}

static int take_identities(struct sample_decoder *decoder)
{
        struct decoded_rows new = decoder_rows(decoder->decoder, ENTITY_IDENTITY);
        const struct process_identity *identities = new.rows;
        for (size_t i = 0; i < new.count; i++) {
                size_t index = decoder->identity_count, chunk = index / IDENTITY_CHUNK;
                if (chunk >= IDENTITY_CHUNKS)
                        return -EBADMSG;
                if (!decoder->chunks[chunk]) {
                        decoder->chunks[chunk] = malloc(sizeof(struct chunk));
                        if (!decoder->chunks[chunk])
                                return -ENOMEM;
                }
                *identity_at(decoder, index) = identities[i];
                if (decoder->hides_command_lines)
                        hide_command_line(identity_at(decoder, index));
                if (decoder->filter.is_wanted)
                        decoder->chunks[chunk]->is_wanted[index % IDENTITY_CHUNK] =
                                decoder->filter.is_wanted(decoder->filter.userdata, &identities[i]);
                decoder->identity_count++;
        }
        return 0;
}

static bool reserve(void *array, size_t *capacity, size_t count, size_t size)
{
        if (count <= *capacity)
                return true;
        void **pointer = array;
        void *grown = realloc(*pointer, (count + count / 4) * size);
        if (!grown)
                return false;
        *pointer = grown;
        *capacity = count + count / 4;
        return true;
}

static void set_process(const struct sample_decoder *decoder, const struct decoded_rows *rows, size_t row,
                        struct process_sample *process)
{
        uint64_t number = LINK_IDENTITY(rows->links[row]);
        process->identity = number ? identity_at(decoder, (size_t)number - 1) : &decoder->nobody;
        process->is_idle = (rows->marks[row] & ROW_NEW) ? LINK_IS_IDLE(rows->links[row])
                                                        : !(rows->marks[row] & ROW_ACTIVE);
}

/* They are sorted by pid; of one pid there may be two at a tick. */
static size_t first_wanted(const struct sample_decoder *decoder, const struct process_sample *processes,
                           size_t count)
{
        size_t low = 0, high = decoder->filter.pid ? count : 0;
        while (low < high) {
                size_t middle = (low + high) / 2;
                if (processes[middle].pid < decoder->filter.pid)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

/* Of a whole machine few are wanted: the others are not even looked at. */
static int take_wanted_processes(struct sample_decoder *decoder, const struct decoded_rows *rows,
                                 struct sample *sample)
{
        const struct process_sample *processes = rows->rows;
        for (size_t i = first_wanted(decoder, processes, rows->count); i < rows->count; i++) {
                if (decoder->filter.pid && processes[i].pid != decoder->filter.pid)
                        break;
                uint64_t number = LINK_IDENTITY(rows->links[i]);
                if (number > decoder->identity_count)
                        return -EBADMSG;
                if (number == 0 ||
                    !decoder->chunks[(number - 1) / IDENTITY_CHUNK]->is_wanted[(number - 1) % IDENTITY_CHUNK])
                        continue;
                if (!reserve(&sample->processes, &sample->process_capacity, sample->process_count + 1,
                             sizeof(*sample->processes)))
                        return -ENOMEM;
                struct process_sample *process = &sample->processes[sample->process_count++];
                *process = processes[i];
                set_process(decoder, rows, i, process);
        }
        return 0;
}

static int take_processes(struct sample_decoder *decoder, struct sample *sample)
{
        struct decoded_rows rows = decoder_rows(decoder->decoder, ENTITY_PROCESS);
        sample->process_count = 0;
        if (decoder->filter.is_wanted)
                return take_wanted_processes(decoder, &rows, sample);
        if (!reserve(&sample->processes, &sample->process_capacity, rows.count, sizeof(*sample->processes)))
                return -ENOMEM;
        if (rows.count)
                memcpy(sample->processes, rows.rows, rows.count * sizeof(*sample->processes));
        sample->process_count = rows.count;
        for (size_t i = 0; i < rows.count; i++) {
                if (LINK_IDENTITY(rows.links[i]) > decoder->identity_count)
                        return -EBADMSG;
                set_process(decoder, &rows, i, &sample->processes[i]);
        }
        return 0;
}

/* Those that the wanted processes are in, and those above them. */
static int take_wanted_cgroups(const struct decoded_rows *rows, struct sample *sample)
{
        const struct cgroup_sample *cgroups = rows->rows;
        uint64_t ids[WANTED_CGROUPS_MAX];
        size_t count = 0;
        for (size_t i = 0; i < sample->process_count && count < WANTED_CGROUPS_MAX; i++) {
                uint64_t id = sample->processes[i].identity->cgroup_id;
                if (count == 0 || ids[count - 1] != id)
                        ids[count++] = id;
        }
        if (!reserve(&sample->cgroups, &sample->cgroup_capacity, rows->count, sizeof(*sample->cgroups)))
                return -ENOMEM;
        /* Those above are added to the list while it is gone through. */
        bool is_taken[CGROUPS_MAX] = { false };
        for (size_t next = 0; next < count; next++)
                for (size_t i = 0; i < rows->count && i < CGROUPS_MAX; i++) {
                        if (cgroups[i].id != ids[next] || is_taken[i])
                                continue;
                        is_taken[i] = true;
                        if (cgroups[i].parent_id && count < WANTED_CGROUPS_MAX)
                                ids[count++] = cgroups[i].parent_id;
                }
        for (size_t i = 0; i < rows->count && i < CGROUPS_MAX; i++)
                if (is_taken[i])
                        sample->cgroups[sample->cgroup_count++] = cgroups[i];
        return 0;
}

/* When a group that is stale was read is known from earlier samples, whether they are asked for or not. */
static int take_cgroups(struct sample_decoder *decoder, bool is_asked_for, struct sample *sample)
{
        struct decoded_rows rows = decoder_rows(decoder->decoder, ENTITY_CGROUP);
        sample->cgroup_count = 0;
        struct cgroup_sample *cgroups = rows.rows;
        for (size_t i = 0; i < rows.count; i++)
                if (!cgroups[i].is_stale || (rows.marks[i] & ROW_NEW))
                        cgroups[i].read_usec = sample->time.monotonic_usec - rows.links[i] * CGROUP_AGE_USEC;
        if (!is_asked_for)
                return 0;
        if (decoder->filter.is_wanted)
                return take_wanted_cgroups(&rows, sample);
        if (!reserve(&sample->cgroups, &sample->cgroup_capacity, rows.count, sizeof(*sample->cgroups)))
                return -ENOMEM;
        if (rows.count)
                memcpy(sample->cgroups, rows.rows, rows.count * sizeof(*sample->cgroups));
        sample->cgroup_count = rows.count;
        return 0;
}

static int take_mounts(struct sample_decoder *decoder, struct sample *sample)
{
        struct decoded_rows rows = decoder_rows(decoder->decoder, ENTITY_MOUNT);
        bool is_same = rows.count == decoder->mount_count;
        for (size_t i = 0; i < rows.count && is_same; i++)
                is_same = !rows.marks[i];
        if (!is_same && rows.count) {
                decoder->mounts_now ^= 1;
                struct mount_sample *mounts =
                        realloc(decoder->mounts[decoder->mounts_now], rows.count * sizeof(*mounts));
                if (!mounts)
                        return -ENOMEM;
                memcpy(mounts, rows.rows, rows.count * sizeof(*mounts));
                decoder->mounts[decoder->mounts_now] = mounts;
        }
        decoder->mount_count = rows.count;
        sample->mounts = decoder->mounts[decoder->mounts_now];
        sample->mount_count = rows.count;
        return 0;
}

static int take_boot(struct sample_decoder *decoder, struct sample *sample)
{
        struct decoded_rows times = decoder_rows(decoder->decoder, ENTITY_BOOT);
        struct decoded_rows units = decoder_rows(decoder->decoder, ENTITY_BOOT_UNIT);
        sample->boot = NULL;
        if (times.count == 0)
                return 0;
        struct boot **boot = &decoder->boots[decoder->boots_now ^= 1];
        if (!*boot)
                *boot = calloc(1, sizeof(**boot));
        if (!*boot)
                return -ENOMEM;
        memcpy(&(*boot)->times, times.rows, sizeof((*boot)->times));
        if (units.count)
                memcpy((*boot)->units, units.rows, units.count * sizeof((*boot)->units[0]));
        (*boot)->unit_count = (uint32_t)units.count;
        sample->boot = *boot;
        return 0;
}

/* A list that is an array in the sample; the schema's cap is the array's size. */
static size_t take_array(const struct sample_decoder *decoder, enum sample_entity entity, void *array)
{
        struct decoded_rows rows = decoder_rows(decoder->decoder, entity);
        if (rows.count)
                memcpy(array, rows.rows, rows.count * sample_schema.entities[entity].row_size);
        return rows.count;
}

static void take_machine(const struct sample_decoder *decoder, struct sample *sample)
{
        const struct entity *entity = &sample_schema.entities[ENTITY_MACHINE];
        struct decoded_rows rows = decoder_rows(decoder->decoder, ENTITY_MACHINE);
        if (rows.count && decoder->filter.is_wanted) { /* all of it is columns, but for the CPUs one by one */
                const struct sample *row = rows.rows;
                const size_t behind = offsetof(struct sample, stat.cpu_count);
                memcpy((char *)sample, (const char *)row, offsetof(struct sample, stat.cpu));
                memcpy((char *)sample + behind, (const char *)row + behind,
                       offsetof(struct sample, load) - behind);
                return;
        }
        for (uint32_t i = 0; rows.count && i < entity->column_count; i++) {
                const struct column *column = &entity->columns[i];
                memcpy((char *)sample + column->offset, (const char *)rows.rows + column->offset,
                       column->width);
        }
}

static void take_collectors(const struct sample_decoder *decoder, struct sample *sample)
{
        struct decoded_rows rows = decoder_rows(decoder->decoder, ENTITY_COLLECTOR);
        const struct collector_row *collectors = rows.rows;
        for (size_t i = 0; i < rows.count; i++)
                sample->collectors[i] = (struct collector_status){
                        .name = intern(collectors[i].name),
                        .state = (enum collector_state)collectors[i].state,
                        .error = collectors[i].error,
                };
        sample->collector_count = rows.count;
}

/* What the sampler looks at aside is not in the sample itself. */
static void take_slow_rows(struct sample_decoder *decoder, struct sample *sample)
{
        struct slow_rows *rows = &decoder->slow_rows[decoder->ticks++ % 2];
        sample->slab_count = take_array(decoder, ENTITY_SLAB, rows->slabs);
        sample->slabs = rows->slabs;
        sample->file_system_count = take_array(decoder, ENTITY_FILE_SYSTEM, rows->file_systems);
        sample->file_systems = rows->file_systems;
        sample->log_count = take_array(decoder, ENTITY_LOG_FILE, rows->logs);
        sample->logs = rows->logs;
        sample->log_unit_count = take_array(decoder, ENTITY_LOG_UNIT, rows->log_units);
        sample->log_units = rows->log_units;
        sample->fs_errors_count = take_array(decoder, ENTITY_FS_ERRORS, rows->fs_errors);
        sample->fs_errors = rows->fs_errors;
}

static int take_network_mounts(struct sample_decoder *decoder, struct sample *sample)
{
        struct decoded_rows mounts = decoder_rows(decoder->decoder, ENTITY_NETWORK_MOUNT);
        struct decoded_rows users = decoder_rows(decoder->decoder, ENTITY_MOUNT_USER);
        sample->network_mounts = NULL;
        sample->mount_users = NULL;
        sample->network_mount_count = sample->mount_user_count = 0;
        if (mounts.count == 0 && users.count == 0)
                return 0;
        decoder->network_now ^= 1;
        struct network_view **view = &decoder->network[decoder->network_now];
        if (!*view)
                *view = malloc(sizeof(**view));
        if (!*view)
                return -ENOMEM;
        if (mounts.count)
                memcpy((*view)->mounts, mounts.rows, mounts.count * sizeof((*view)->mounts[0]));
        if (users.count)
                memcpy((*view)->users, users.rows, users.count * sizeof((*view)->users[0]));
        for (size_t i = 0; i < users.count && decoder->hides_command_lines; i++)
                memset((*view)->users[i].directory, 0, sizeof((*view)->users[i].directory));
        sample->network_mounts = (*view)->mounts;
        sample->network_mount_count = mounts.count;
        sample->mount_users = (*view)->users;
        sample->mount_user_count = users.count;
        return 0;
}

/* The lists of one sample. */
static int take_lists(struct sample_decoder *decoder, struct sample *sample)
{
        if (decoder->filter.is_wanted)
                return take_processes(decoder, sample);
        size_t cpus = take_array(decoder, ENTITY_CPU, sample->stat.cpu);
        memset(sample->stat.cpu + cpus, 0xff, (CPUS_MAX - cpus) * sizeof(sample->stat.cpu[0])); /* ABSENT */
        sample->swap_count = take_array(decoder, ENTITY_SWAP, sample->swaps);
        sample->disk_count = take_array(decoder, ENTITY_DISK, sample->disks);
        sample->interface_count = take_array(decoder, ENTITY_INTERFACE, sample->interfaces);
        sample->raid_count = take_array(decoder, ENTITY_RAID, sample->raids);
        sample->message_count = take_array(decoder, ENTITY_MESSAGE, sample->messages);
        take_slow_rows(decoder, sample);
        take_collectors(decoder, sample);
        struct decoded_rows health = decoder_rows(decoder->decoder, ENTITY_DISK_HEALTH);
        sample->disk_health = health.rows;
        sample->disk_health_count = health.count;
        int result = take_network_mounts(decoder, sample);
        if (result == 0)
                result = take_boot(decoder, sample);
        return result == 0 ? take_processes(decoder, sample) : result;
}

int sample_decoder_next(struct sample_decoder *decoder, struct sample *sample)
{
        int result;
        while ((result = decoder_next(decoder->decoder)) == 1) {
                take_machine(decoder, sample);
                usec_t time = sample->time.realtime_usec;
                bool is_asked_for = time >= decoder->from_usec && time <= decoder->until_usec;
                result = take_identities(decoder);
                if (result == 0)
                        result = take_mounts(decoder, sample);
                if (result == 0 && is_asked_for)
                        result = take_lists(decoder, sample);
                if (result == 0)
                        result = take_cgroups(decoder, is_asked_for, sample);
                if (result < 0 || is_asked_for)
                        return result == 0 ? 1 : result;
        }
        return result;
}
