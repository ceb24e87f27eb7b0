/* Network mounts of two samples -> how they answered, and who waited. The kernel books a wait for a page of a
 * file as a wait for a disk, whatever brings the page: here it is moved to where it belongs. */
#include "daemon/model/rates.h"

static const struct network_mount_sample *mount_before(const struct sample *older, uint32_t id)
{
        for (size_t i = 0; older && i < older->network_mount_count; i++)
                if (older->network_mounts[i].id == id)
                        return &older->network_mounts[i];
        return NULL;
}

static const struct mount_sample *mount_of(const struct sample *sample, uint32_t id)
{
        for (size_t i = 0; i < sample->mount_count; i++)
                if (sample->mounts[i].id == id)
                        return &sample->mounts[i];
        return NULL;
}

/* Milliseconds of requests as seconds of requests per second. */
static float time_rate(uint64_t older, uint64_t newer, double seconds)
{
        return (float)(rate_per_sec(older, newer, seconds) / 1e3);
}

static struct mount_rate mount_rate_of(const struct network_mount_sample *a,
                                       const struct network_mount_sample *b, double seconds)
{
        struct mount_rate rate = {
                .sample = b,
                .operations = (float)rate_per_sec(a->operations, b->operations, seconds),
                .data_operations = (float)rate_per_sec(a->data_operations, b->data_operations, seconds),
                .retransmissions = (float)rate_per_sec(a->transmissions, b->transmissions, seconds),
                .queue = time_rate(a->queue_msec, b->queue_msec, seconds),
                .rtt = time_rate(a->rtt_msec, b->rtt_msec, seconds),
                .execute = time_rate(a->execute_msec, b->execute_msec, seconds),
                .read_bytes = (float)rate_per_sec(a->read_bytes, b->read_bytes, seconds),
                .write_bytes = (float)rate_per_sec(a->write_bytes, b->write_bytes, seconds),
                .waited = 0,
        };
        rate.retransmissions -= rate.operations;
        return rate;
}

static struct mount_rate unknown_rate(const struct network_mount_sample *sample)
{
        return (struct mount_rate){ .sample = sample,
                                    .operations = NAN,
                                    .data_operations = NAN,
                                    .retransmissions = NAN,
                                    .queue = NAN,
                                    .rtt = NAN,
                                    .execute = NAN,
                                    .read_bytes = NAN,
                                    .write_bytes = NAN,
                                    .waited = 0 };
}

/* ---- users ---- */

static const struct mount_user_sample *user_before(const struct sample *older, uint32_t pid)
{
        for (size_t i = 0; i < older->mount_user_count; i++)
                if (older->mount_users[i].pid == pid)
                        return &older->mount_users[i];
        return NULL;
}

static struct process_rate *process_of(struct snapshot *snapshot, uint32_t pid)
{
        const struct process_sample *found = sample_find_process(snapshot->sample, pid);
        return found ? &snapshot->processes[found - snapshot->sample->processes] : NULL;
}

/* Task seconds per second. A user that was not there before has begun to wait since then. */
static float waited_of(uint64_t before, uint64_t after, double seconds, float threads)
{
        double waited = known_or_zero(rate_per_sec(before, after, seconds)) / (double)USEC_PER_SEC;
        return waited > (double)threads ? threads : (float)waited;
}

static void mend_ledger(struct process_rate *process, float waited, float paged)
{
        struct ledger *ledger = &process->ledger;
        if (!(ledger->stuck >= waited))
                ledger->stuck = waited;
        if (!isnan(ledger->disk_wait))
                ledger->disk_wait = ledger->disk_wait > paged ? ledger->disk_wait - paged : 0;
}

/* What a mount without counters does is what its users do. */
static void add_to_mount(struct mount_rate *mount, const struct mount_user_rate *user,
                         const struct sample *older, double seconds)
{
        mount->waited += user->waited;
        if (!mount->is_estimated || !user->process)
                return;
        const struct process_sample *b = user->process->sample;
        const struct process_sample *a = sample_find_process(older, b->pid);
        if (isnan(mount->execute))
                mount->execute = mount->read_bytes = mount->write_bytes = 0;
        mount->execute += user->waited;
        if (a && a->start_ticks == b->start_ticks && mount->sample->read_bytes == ABSENT) {
                mount->read_bytes +=
                        (float)known_or_zero(rate_per_sec(a->read_chars, b->read_chars, seconds));
                mount->write_bytes +=
                        (float)known_or_zero(rate_per_sec(a->write_chars, b->write_chars, seconds));
        }
        if (mount->sample->operations == ABSENT)
                mount->operations = (float)known_or_zero((double)mount->operations) +
                                    (float)known_or_zero((double)user->process->voluntary_switches);
}

static void user_rate(const struct sample *older, const struct mount_user_sample *sample, double seconds,
                      struct snapshot *snapshot)
{
        const struct mount_user_sample *before = user_before(older, sample->pid);
        struct process_rate *process = process_of(snapshot, sample->pid);
        struct mount_user_rate *user = &snapshot->mount_users[snapshot->mount_user_count++];
        float threads = process && process->sample->threads > 0 ? (float)process->sample->threads : 1;
        *user = (struct mount_user_rate){ .sample = sample, .process = process };
        user->waited = waited_of(before ? before->waited_usec : 0, sample->waited_usec, seconds, threads);
        if (process && user->waited > 0)
                mend_ledger(process, user->waited,
                            waited_of(before ? before->paged_usec : 0, sample->paged_usec, seconds, threads));
        for (size_t i = 0; i < snapshot->mount_count; i++)
                if (snapshot->mounts[i].sample->id == sample->mount_id)
                        add_to_mount(&snapshot->mounts[i], user, older, seconds);
}

void mount_rates(const struct sample *older, const struct sample *newer, double seconds,
                 struct snapshot *snapshot)
{
        for (size_t i = 0; i < newer->network_mount_count && i < NETWORK_MOUNTS_MAX; i++) {
                const struct network_mount_sample *b = &newer->network_mounts[i];
                const struct network_mount_sample *a = mount_before(older, b->id);
                struct mount_rate *mount = &snapshot->mounts[snapshot->mount_count++];
                *mount = a ? mount_rate_of(a, b, seconds) : unknown_rate(b);
                mount->mount = mount_of(newer, b->id);
                mount->is_estimated = b->execute_msec == ABSENT;
        }
        for (size_t i = 0; older && i < newer->mount_user_count && i < MOUNT_USERS_MAX; i++)
                user_rate(older, &newer->mount_users[i], seconds, snapshot);
}
