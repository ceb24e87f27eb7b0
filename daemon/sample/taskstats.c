/* Asks the kernel for taskstats by thread group, in batches over generic netlink. The struct grew with the
 * kernel's versions (6.1 has 13, 6.12 has 14, 6.18 has VERSION618): it is read by offset up to the length
 * that the kernel gives, never by sizeof. */
#include "daemon/sample/taskstats.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/taskstats.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/sample/sample.h"

/* A reply is about 600 bytes with version VERSION618. */
#define REPLY_MAX 1024
/* A socket buffer that holds a batch of replies: each costs the kernel about 1.3 kB of accounted memory. */
#define SOCKET_BUFFER_BYTES (512 * 1024)
/* All three are multiples of the alignment of netlink (4). */
#define HEADERS          (sizeof(struct nlmsghdr) + sizeof(struct genlmsghdr))
#define ATTRIBUTE_HEADER sizeof(struct nlattr)

struct request {
        struct nlmsghdr netlink;
        struct genlmsghdr generic;
        struct nlattr attribute;
        uint32_t tgid;
};

struct taskstats_socket {
        int fd;
        uint16_t family;
        uint32_t sequence;
        struct request requests[TASKSTATS_BATCH];
        struct mmsghdr messages[TASKSTATS_BATCH];
        struct iovec vectors[TASKSTATS_BATCH];
        struct sockaddr_nl senders[TASKSTATS_BATCH];
        _Alignas(8) unsigned char replies[TASKSTATS_BATCH][REPLY_MAX];
};

/* ---- the struct ------------------------------------------------------------------------------------------
 */

/* Where the fields lie. Fields are only ever appended, but for version 15 (kernel 6.14 and 6.15), which put a
 * maximum and a minimum behind each delay; version 16 moved them to the end ("taskstats: fix struct taskstats
 * breaks backward compatibility since version 15"). */
struct layout {
        uint16_t slices, run_delay, block_count, block_delay, swapin_count, swapin_delay, run, voluntary,
                involuntary, reclaim_count, reclaim_delay, thrashing_count, thrashing_delay, compact_count,
                compact_delay, copy_count;
};

static const struct layout layout_usual = {
        .slices = 16,
        .run_delay = 24,
        .block_count = 32,
        .block_delay = 40,
        .swapin_count = 48,
        .swapin_delay = 56,
        .run = 72,
        .voluntary = 272,
        .involuntary = 280,
        .reclaim_count = 312,
        .reclaim_delay = 320,
        .thrashing_count = 328,
        .thrashing_delay = 336,
        .compact_count = 352,
        .compact_delay = 360,
        .copy_count = 400,
};
static const struct layout layout_15 = {
        .slices = 16,
        .run_delay = 24,
        .block_count = 48,
        .block_delay = 56,
        .swapin_count = 80,
        .swapin_delay = 88,
        .run = 120,
        .voluntary = 320,
        .involuntary = 328,
        .reclaim_count = 360,
        .reclaim_delay = 368,
        .thrashing_count = 392,
        .thrashing_delay = 400,
        .compact_count = 432,
        .compact_delay = 440,
        .copy_count = 496,
};
#define LAYOUT_15_BYTES 560
#define VERSION_COPIES  13

/* The header at hand confirms the offsets, where it is not version 15 itself. */
#if TASKSTATS_VERSION == 13 || TASKSTATS_VERSION == 14 || TASKSTATS_VERSION >= 16
#define HOLDS(field, offset) _Static_assert(offsetof(struct taskstats, field) == (offset), #field)
HOLDS(cpu_count, 16);
HOLDS(cpu_run_virtual_total, 72);
HOLDS(nivcsw, 280);
HOLDS(thrashing_delay_total, 336);
HOLDS(wpcopy_count, 400);
#endif

static uint64_t field_at(const unsigned char *stats, size_t length, size_t offset)
{
        uint64_t value;
        if (offset + sizeof(value) > length)
                return ABSENT;
        memcpy(&value, stats + offset, sizeof(value));
        return value;
}

static int parse_stats(const unsigned char *stats, size_t length, struct taskstats_values *ret)
{
        uint16_t version;
        const struct layout *at = &layout_usual;

        if (length < sizeof(version))
                return -EBADMSG;
        memcpy(&version, stats, sizeof(version));
        if (version == 15) {
                if (length != LAYOUT_15_BYTES)
                        return -EBADMSG;
                at = &layout_15;
        }
        struct taskstats_values v = {
                .slices = field_at(stats, length, at->slices),
                .run_nsec = field_at(stats, length, at->run),
                .run_delay_nsec = field_at(stats, length, at->run_delay),
                .block_delay_nsec = field_at(stats, length, at->block_delay),
                .swapin_delay_nsec = field_at(stats, length, at->swapin_delay),
                .reclaim_delay_nsec = field_at(stats, length, at->reclaim_delay),
                .thrashing_delay_nsec = field_at(stats, length, at->thrashing_delay),
                .compact_delay_nsec = field_at(stats, length, at->compact_delay),
                .voluntary_switches = field_at(stats, length, at->voluntary),
                .involuntary_switches = field_at(stats, length, at->involuntary),
        };
        if (v.run_nsec == ABSENT)
                return -EBADMSG;
        const uint16_t counts[] = { at->block_count,     at->swapin_count,  at->reclaim_count,
                                    at->thrashing_count, at->compact_count, at->copy_count };
        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
                uint64_t count = field_at(stats, length, counts[i]);
                v.has_delays |= count != ABSENT && count != 0;
        }
        v.counts_copies = version >= VERSION_COPIES && field_at(stats, length, at->copy_count) != ABSENT;
        *ret = v;
        return 0;
}

/* ---- netlink ---------------------------------------------------------------------------------------------
 */

/* Takes the next attribute from a run of them; false at the end or at garbage. */
static bool take_attribute(const unsigned char **at, size_t *length, uint16_t *ret_type,
                           const unsigned char **ret_data, size_t *ret_length)
{
        struct nlattr header;
        if (*length < sizeof(header))
                return false;
        memcpy(&header, *at, sizeof(header));
        if (header.nla_len < sizeof(header) || header.nla_len > *length)
                return false;
        *ret_type = header.nla_type & (uint16_t)NLA_TYPE_MASK;
        *ret_data = *at + sizeof(header);
        *ret_length = header.nla_len - sizeof(header);
        size_t step = (header.nla_len + 3u) & ~(size_t)3; /* NLA_ALIGNTO */
        step = step < *length ? step : *length;
        *at += step;
        *length -= step;
        return true;
}

static bool find_attribute(const unsigned char *at, size_t length, uint16_t type,
                           const unsigned char **ret_data, size_t *ret_length)
{
        uint16_t found;
        while (take_attribute(&at, &length, &found, ret_data, ret_length))
                if (found == type)
                        return true;
        return false;
}

/* The attributes behind the headers of a generic netlink message of this family; -EBADMSG if it is none.
 * An error message gives its (negative) errno. */
static int open_message(const unsigned char *message, size_t length, uint16_t family, uint32_t *ret_sequence,
                        const unsigned char **ret_attributes, size_t *ret_length)
{
        struct nlmsghdr header;
        if (length < sizeof(header))
                return -EBADMSG;
        memcpy(&header, message, sizeof(header));
        if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > length)
                return -EBADMSG;
        *ret_sequence = header.nlmsg_seq;
        if (header.nlmsg_type == NLMSG_ERROR) {
                struct nlmsgerr error;
                if (header.nlmsg_len < sizeof(struct nlmsghdr) + sizeof(error))
                        return -EBADMSG;
                memcpy(&error, message + sizeof(struct nlmsghdr), sizeof(error));
                return error.error < 0 && error.error > -4096 && error.error != -EBADMSG ? error.error
                                                                                         : -EPROTO;
        }
        if (header.nlmsg_type != family || header.nlmsg_len < HEADERS)
                return -EBADMSG;
        *ret_attributes = message + HEADERS;
        *ret_length = header.nlmsg_len - HEADERS;
        return 0;
}

int taskstats_parse(const void *message, size_t length, uint16_t family, uint32_t *ret_sequence,
                    uint32_t *ret_pid, struct taskstats_values *ret_values)
{
        const unsigned char *attributes, *group, *data;
        size_t attributes_length, group_length, data_length;
        uint32_t sequence, pid;

        int r = open_message(message, length, family, &sequence, &attributes, &attributes_length);
        if (r == -EBADMSG)
                return r;
        if (r < 0) {
                *ret_sequence = sequence;
                *ret_pid = 0;
                *ret_values = (struct taskstats_values){ .error = r };
                return 0;
        }
        if (!find_attribute(attributes, attributes_length, TASKSTATS_TYPE_AGGR_TGID, &group, &group_length) ||
            !find_attribute(group, group_length, TASKSTATS_TYPE_TGID, &data, &data_length) ||
            data_length != sizeof(pid))
                return -EBADMSG;
        memcpy(&pid, data, sizeof(pid));
        if (!find_attribute(group, group_length, TASKSTATS_TYPE_STATS, &data, &data_length))
                return -EBADMSG;
        r = parse_stats(data, data_length, ret_values);
        if (r < 0)
                return r;
        *ret_sequence = sequence;
        *ret_pid = pid;
        return 0;
}

static int send_all(int fd, const void *data, size_t length)
{
        static const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
        ssize_t n;
        do
                n = sendto(fd, data, length, 0, (const struct sockaddr *)&kernel, sizeof(kernel));
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        return (size_t)n == length ? 0 : -EIO;
}

static int ask_family(int fd, uint16_t *ret_family)
{
        struct {
                struct nlmsghdr netlink;
                struct genlmsghdr generic;
                struct nlattr attribute;
                char name[12]; /* TASKSTATS_GENL_NAME, padded to the alignment of attributes */
        } request = {
                .netlink = { .nlmsg_len = sizeof(request),
                             .nlmsg_type = GENL_ID_CTRL,
                             .nlmsg_flags = NLM_F_REQUEST },
                .generic = { .cmd = CTRL_CMD_GETFAMILY, .version = 1 },
                .attribute = { .nla_len = ATTRIBUTE_HEADER + sizeof(TASKSTATS_GENL_NAME),
                               .nla_type = CTRL_ATTR_FAMILY_NAME },
                .name = TASKSTATS_GENL_NAME,
        };
        _Alignas(8) unsigned char reply[4096];
        const unsigned char *attributes, *data;
        size_t attributes_length, data_length;
        uint32_t sequence;

        int r = send_all(fd, &request, sizeof(request));
        if (r < 0)
                return r;
        ssize_t n = recv(fd, reply, sizeof(reply), MSG_DONTWAIT);
        if (n < 0)
                return -errno;
        r = open_message(reply, (size_t)n, GENL_ID_CTRL, &sequence, &attributes, &attributes_length);
        if (r < 0)
                return r;
        if (!find_attribute(attributes, attributes_length, CTRL_ATTR_FAMILY_ID, &data, &data_length) ||
            data_length != sizeof(*ret_family))
                return -EBADMSG;
        memcpy(ret_family, data, sizeof(*ret_family));
        return 0;
}

int taskstats_new(struct taskstats_socket **ret_taskstats)
{
        struct taskstats_socket *taskstats = calloc(1, sizeof(*taskstats));
        if (!taskstats)
                return -ENOMEM;
        taskstats->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
        if (taskstats->fd < 0) {
                int r = -errno;
                free(taskstats);
                return r;
        }
        for (size_t i = 0; i < TASKSTATS_BATCH; i++) {
                taskstats->vectors[i] = (struct iovec){ taskstats->replies[i], REPLY_MAX };
                taskstats->messages[i].msg_hdr = (struct msghdr){ .msg_iov = &taskstats->vectors[i],
                                                                  .msg_iovlen = 1,
                                                                  .msg_name = &taskstats->senders[i] };
        }
        /* Where it is refused the default holds a smaller batch, and lost answers are asked again. */
        const int size = SOCKET_BUFFER_BYTES;
        if (setsockopt(taskstats->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
                (void)setsockopt(taskstats->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
        const int on = 1; /* error messages without a copy of the request; older kernels send it */
        (void)setsockopt(taskstats->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));

        struct taskstats_values self;
        const uint32_t pid = (uint32_t)getpid();
        int r = ask_family(taskstats->fd, &taskstats->family);
        if (r == 0)
                r = taskstats_query(taskstats, &pid, 1, &self);
        if (r == 0)
                r = self.error;
        if (r < 0) {
                (void)taskstats_free(taskstats);
                return r;
        }
        *ret_taskstats = taskstats;
        return 0;
}

struct taskstats_socket *taskstats_free(struct taskstats_socket *taskstats)
{
        if (taskstats) {
                (void)close(taskstats->fd);
                free(taskstats);
        }
        return NULL;
}

/* Takes what has arrived. 1: more may have come, 0: no more, negative errno. The kernel answers within
 * the send, so nothing is waited for. */
static int receive(struct taskstats_socket *taskstats, uint32_t first_sequence, const uint32_t *pids,
                   size_t n, struct taskstats_values *values, size_t *waiting)
{
        for (size_t i = 0; i < TASKSTATS_BATCH; i++)
                taskstats->messages[i].msg_hdr.msg_namelen = sizeof(struct sockaddr_nl);
        int count = recvmmsg(taskstats->fd, taskstats->messages, TASKSTATS_BATCH, MSG_DONTWAIT, NULL);
        if (count < 0) {
                if (errno == EAGAIN)
                        return 0;
                return errno == EINTR || errno == ENOBUFS ? 1 : -errno; /* ENOBUFS: some answers were lost */
        }
        for (int i = 0; i < count; i++) {
                struct taskstats_values v;
                uint32_t sequence, pid;
                if (taskstats->senders[i].nl_pid != 0 ||
                    (taskstats->messages[i].msg_hdr.msg_flags & MSG_TRUNC) ||
                    taskstats_parse(taskstats->replies[i], taskstats->messages[i].msg_len, taskstats->family,
                                    &sequence, &pid, &v) < 0)
                        continue;
                uint32_t index = sequence - first_sequence;
                /* An answer to an earlier, given up batch has another number. */
                if (index >= n || values[index].error != -EAGAIN || (v.error == 0 && pid != pids[index]))
                        continue;
                values[index] = v;
                (*waiting)--;
        }
        return *waiting > 0;
}

static int ask(struct taskstats_socket *taskstats, const uint32_t *pids, size_t n,
               struct taskstats_values *values)
{
        const uint32_t first_sequence = taskstats->sequence;
        size_t waiting = 0, count = 0;

        for (size_t i = 0; i < n; i++) {
                if (values[i].error != -EAGAIN)
                        continue;
                taskstats->requests[count++] = (struct request){
                        .netlink = { .nlmsg_len = sizeof(struct request),
                                     .nlmsg_type = taskstats->family,
                                     .nlmsg_flags = NLM_F_REQUEST,
                                     .nlmsg_seq = first_sequence + (uint32_t)i },
                        .generic = { .cmd = TASKSTATS_CMD_GET, .version = TASKSTATS_GENL_VERSION },
                        .attribute = { .nla_len = ATTRIBUTE_HEADER + sizeof(uint32_t),
                                       .nla_type = TASKSTATS_CMD_ATTR_TGID },
                        .tgid = pids[i],
                };
                waiting++;
        }
        if (count == 0)
                return 0;
        taskstats->sequence += (uint32_t)n;
        int r = send_all(taskstats->fd, taskstats->requests, count * sizeof(struct request));
        if (r < 0)
                return r;
        do
                r = receive(taskstats, first_sequence, pids, n, values, &waiting);
        while (r > 0);
        return r;
}

int taskstats_query(struct taskstats_socket *taskstats, const uint32_t *pids, size_t n,
                    struct taskstats_values *ret_values)
{
        for (size_t i = 0; i < n; i++)
                ret_values[i] = (struct taskstats_values){ .error = -EAGAIN };
        int r = ask(taskstats, pids, n, ret_values);
        /* What was lost is asked once more: the batch is smaller by then. */
        return r < 0 ? r : ask(taskstats, pids, n, ret_values);
}
