/* A sample taken apart into rows; decides when a block ends and which identities a block still lacks. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "daemon/history/encoder.h"
#include "daemon/history/sample_codec.h"
#include "daemon/history/sample_schema.h"
#include "daemon/sample/boot.h"

/* What the block knows of a process's identity, to see without comparing texts that nothing changed. */
struct known {
        uint32_t pid, uid;
        uint64_t start_ticks, cgroup_id;
        const struct process_identity *identity; /* compared, never followed: it may be gone */
        bool is_partial;
        uint64_t hash;   /* of all texts that exec changes */
        uint64_t number; /* in the block, from 1 */
        bool was_idle;   /* when its row was first written */
};

struct sample_encoder {
        struct encoder *encoder;
        usec_t block_began_usec; /* monotonic */
        uint32_t block_ticks;
        size_t block_bytes, start_bytes; /* of its first tick */
        uint64_t identity_count;
        char boot_id[40];
        struct known *known, *next_known;
        size_t known_count, capacity;
        uint64_t *links;
        const void **identities;
        size_t new_identities;
        struct cgroup_link {
                uint64_t id, link;
        } cgroups[2][CGROUPS_MAX]; /* the last tick's, and this one's */
        size_t cgroup_count;
        uint64_t cgroup_links[CGROUPS_MAX];
};

struct sample_encoder *sample_encoder_new(void)
{
        struct sample_encoder *encoder = calloc(1, sizeof(*encoder));
        if (!encoder)
                return NULL;
        encoder->encoder = encoder_new(&sample_schema);
        return encoder->encoder ? encoder : sample_encoder_free(encoder);
}

struct sample_encoder *sample_encoder_free(struct sample_encoder *encoder)
{
        if (!encoder)
                return NULL;
        (void)encoder_free(encoder->encoder);
        free(encoder->known);
        free(encoder->next_known);
        free(encoder->links);
        free(encoder->identities);
        free(encoder);
        return NULL;
}

void sample_encoder_restart(struct sample_encoder *encoder)
{
        encoder_restart(encoder->encoder);
}

static int reserve(struct sample_encoder *encoder, size_t count)
{
        if (count <= encoder->capacity)
                return 0;
        size_t capacity = count + count / 4 + 16;
        struct known *known = realloc(encoder->known, capacity * sizeof(*known));
        if (known)
                encoder->known = known;
        struct known *next_known = realloc(encoder->next_known, capacity * sizeof(*next_known));
        if (next_known)
                encoder->next_known = next_known;
        uint64_t *links = realloc(encoder->links, capacity * sizeof(*links));
        if (links)
                encoder->links = links;
        const void **identities = realloc(encoder->identities, capacity * sizeof(*identities));
        if (identities)
                encoder->identities = identities;
        if (!known || !next_known || !links || !identities)
                return -ENOMEM;
        encoder->capacity = capacity;
        return 0;
}

static uint64_t hash_texts(const struct process_identity *identity)
{
        uint64_t hash = text_hash(HASH_SEED, identity->comm);
        hash = text_hash(hash, identity->name);
        hash = text_hash(hash, identity->command_line);
        hash = text_hash(hash, identity->exe);
        hash = text_hash(hash, identity->script);
        return text_hash(hash, identity->unit);
}

/* Whether the identity was rewritten. One that has not run since cannot have called exec, so its texts need
 * no look; what others do to it (another control group, details read later) is compared always. */
static bool has_changed(const struct known *former, const struct process_sample *process, uint64_t *hash)
{
        const struct process_identity *identity = process->identity;
        *hash = former->hash;
        bool is_same = former->identity == identity && former->is_partial == identity->is_partial &&
                       former->uid == identity->uid && former->cgroup_id == identity->cgroup_id;
        if (is_same && process->is_idle)
                return false;
        *hash = hash_texts(identity);
        return former->is_partial != identity->is_partial || former->uid != identity->uid ||
               former->cgroup_id != identity->cgroup_id || former->hash != *hash;
}

/* Fills links and the list of identities that are new to the block. */
static int link_identities(struct sample_encoder *encoder, const struct sample *sample)
{
        int result = reserve(encoder, sample->process_count);
        if (result < 0)
                return result;
        encoder->new_identities = 0;
        size_t old = 0;
        for (size_t i = 0; i < sample->process_count; i++) {
                const struct process_sample *process = &sample->processes[i];
                const struct process_identity *identity = process->identity;
                while (old < encoder->known_count && encoder->known[old].pid < process->pid)
                        old++;
                const struct known *former = old < encoder->known_count ? &encoder->known[old] : NULL;
                bool is_known =
                        former && former->pid == process->pid && former->start_ticks == process->start_ticks;
                struct known *known = &encoder->next_known[i];
                *known = (struct known){ .pid = process->pid, .start_ticks = process->start_ticks };
                if (is_known)
                        *known = *former;
                else
                        known->was_idle = process->is_idle;
                uint64_t hash = 0;
                if (identity && is_known && known->number && !has_changed(known, process, &hash)) {
                        known->identity = identity;
                        known->hash = hash;
                } else if (identity) {
                        known->identity = identity;
                        known->is_partial = identity->is_partial;
                        known->uid = identity->uid;
                        known->cgroup_id = identity->cgroup_id;
                        known->hash = hash ? hash : hash_texts(identity);
                        known->number = ++encoder->identity_count;
                        encoder->identities[encoder->new_identities++] = identity;
                }
                encoder->links[i] = 2 * known->number + known->was_idle;
                if (!process->is_idle && identity)
                        encoder_tag(encoder->encoder, sample_program_tag(identity->name));
        }
        struct known *known = encoder->known;
        encoder->known = encoder->next_known;
        encoder->next_known = known;
        encoder->known_count = sample->process_count;
        return 0;
}

/* How old each group's values are; groups are sorted by id. */
static void link_cgroups(struct sample_encoder *encoder, const struct sample *sample)
{
        struct cgroup_link *former = encoder->cgroups[0], *now = encoder->cgroups[1];
        size_t count = sample->cgroup_count < CGROUPS_MAX ? sample->cgroup_count : CGROUPS_MAX, old = 0;
        for (size_t i = 0; i < count; i++) {
                const struct cgroup_sample *cgroup = &sample->cgroups[i];
                while (old < encoder->cgroup_count && former[old].id < cgroup->id)
                        old++;
                bool is_known = old < encoder->cgroup_count && former[old].id == cgroup->id;
                int64_t age = (int64_t)(sample->time.monotonic_usec - cgroup->read_usec);
                age += age < 0 ? -(int64_t)CGROUP_AGE_USEC / 2 : (int64_t)CGROUP_AGE_USEC / 2;
                now[i].id = cgroup->id;
                now[i].link = cgroup->is_stale && is_known ? former[old].link
                                                           : (uint64_t)(age / (int64_t)CGROUP_AGE_USEC);
                encoder->cgroup_links[i] = now[i].link;
        }
        memcpy(former, now, count * sizeof(*now));
        encoder->cgroup_count = count;
}

uint32_t sample_program_tag(const char *program_name)
{
        uint32_t tag = (uint32_t)text_hash(HASH_SEED, program_name);
        return tag == TAG_ANY ? 0 : tag;
}

bool sample_tags_have(const void *tags, size_t length, uint32_t tag)
{
        struct reader reader = reader_of(tags, length);
        while (reader_left(&reader) >= 4) {
                uint32_t other = reader_u32(&reader);
                if (other == tag || other == TAG_ANY)
                        return true;
        }
        return false;
}

static size_t cpu_rows(const struct stat_sample *stat)
{
        size_t count = CPUS_MAX;
        while (count > 0 && stat->cpu[count - 1].user == ABSENT && stat->cpu[count - 1].idle == ABSENT)
                count--;
        return count;
}

static size_t block_bytes_max(const struct sample_encoder *encoder)
{
        size_t bytes = encoder->start_bytes * SAMPLE_BLOCK_STARTS;
        if (bytes < SAMPLE_BLOCK_BYTES)
                return SAMPLE_BLOCK_BYTES;
        return bytes < SAMPLE_BLOCK_BYTES_MAX ? bytes : SAMPLE_BLOCK_BYTES_MAX;
}

static void begin_block_if_due(struct sample_encoder *encoder, const struct sample *sample)
{
        usec_t now = sample->time.monotonic_usec;
        if (now < encoder->block_began_usec || now - encoder->block_began_usec >= SAMPLE_BLOCK_USEC ||
            encoder->block_ticks >= SAMPLE_BLOCK_TICKS || encoder->block_bytes >= block_bytes_max(encoder) ||
            strcmp(encoder->boot_id, sample->machine.boot_id) != 0)
                encoder_restart(encoder->encoder);
        if (encoder_is_at_start(encoder->encoder)) {
                encoder->block_began_usec = now;
                encoder->block_ticks = 0;
                encoder->block_bytes = 0;
                encoder->identity_count = 0;
                encoder->known_count = 0;
                encoder->cgroup_count = 0;
                memcpy(encoder->boot_id, sample->machine.boot_id, sizeof(encoder->boot_id));
        }
}

int sample_encoder_add(struct sample_encoder *encoder, const struct sample *sample, struct bytes *ret_frame)
{
        begin_block_if_due(encoder, sample);
        bool is_start = encoder_is_at_start(encoder->encoder);
        int result = link_identities(encoder, sample);
        if (result < 0) {
                encoder_restart(encoder->encoder);
                return result;
        }
        link_cgroups(encoder, sample);
        struct collector_row collectors[COLLECTORS_MAX] = { 0 };
        for (size_t i = 0; i < sample->collector_count && i < COLLECTORS_MAX; i++) {
                text_format(collectors[i].name, sizeof(collectors[i].name), "%s", sample->collectors[i].name);
                collectors[i].state = sample->collectors[i].state;
                collectors[i].error = sample->collectors[i].error;
        }
        const struct rows rows[SAMPLE_ENTITIES] = {
                [ENTITY_MACHINE] = { .base = sample, .count = 1 },
                [ENTITY_CPU] = { .base = sample->stat.cpu, .count = cpu_rows(&sample->stat) },
                [ENTITY_SWAP] = { .base = sample->swaps, .count = sample->swap_count },
                [ENTITY_DISK] = { .base = sample->disks, .count = sample->disk_count },
                [ENTITY_INTERFACE] = { .base = sample->interfaces, .count = sample->interface_count },
                [ENTITY_MOUNT] = { .base = sample->mounts, .count = sample->mount_count },
                [ENTITY_CGROUP] = { .base = sample->cgroups,
                                    .links = encoder->cgroup_links,
                                    .count = sample->cgroup_count },
                [ENTITY_IDENTITY] = { .pointers = encoder->identities, .count = encoder->new_identities },
                [ENTITY_PROCESS] = { .base = sample->processes,
                                     .links = encoder->links,
                                     .count = sample->process_count },
                [ENTITY_MESSAGE] = { .base = sample->messages, .count = sample->message_count },
                [ENTITY_RAID] = { .base = sample->raids, .count = sample->raid_count },
                [ENTITY_SLAB] = { .base = sample->slabs, .count = sample->slab_count },
                [ENTITY_FILE_SYSTEM] = { .base = sample->file_systems, .count = sample->file_system_count },
                [ENTITY_LOG_FILE] = { .base = sample->logs, .count = sample->log_count },
                [ENTITY_LOG_UNIT] = { .base = sample->log_units, .count = sample->log_unit_count },
                [ENTITY_COLLECTOR] = { .base = collectors, .count = sample->collector_count },
                [ENTITY_DISK_HEALTH] = { .base = sample->disk_health, .count = sample->disk_health_count },
                [ENTITY_FS_ERRORS] = { .base = sample->fs_errors, .count = sample->fs_errors_count },
                [ENTITY_NETWORK_MOUNT] = { .base = sample->network_mounts,
                                           .count = sample->network_mount_count },
                [ENTITY_MOUNT_USER] = { .base = sample->mount_users, .count = sample->mount_user_count },
                [ENTITY_BOOT] = { .base = sample->boot ? &sample->boot->times : NULL,
                                  .count = sample->boot ? 1 : 0 },
                [ENTITY_BOOT_UNIT] = { .base = sample->boot ? sample->boot->units : NULL,
                                       .count = sample->boot ? sample->boot->unit_count : 0 },
        };
        result = encoder_encode(encoder->encoder, rows, ret_frame);
        if (result < 0)
                return result;
        if (encoder->block_ticks == 0)
                encoder->start_bytes = ret_frame->length;
        encoder->block_ticks++;
        encoder->block_bytes += ret_frame->length;
        return is_start;
}
