/* Asks the kernel for taskstats by thread group, in batches over generic netlink. */
#include "daemon/sample/taskstats.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/taskstats.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/sample/taskstats_message.h"

/* A reply is about 600 bytes with version 16. */
#define REPLY_MAX 1024
/* A socket buffer that holds a batch of replies: each costs the kernel about 1.3 kB of accounted memory. */
#define SOCKET_BUFFER_BYTES (512 * 1024)
#define ATTRIBUTE_HEADER    sizeof(struct nlattr)

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
        r = taskstats_open_message(reply, (size_t)n, GENL_ID_CTRL, &sequence, &attributes,
                                   &attributes_length);
        if (r < 0)
                return r;
        if (!taskstats_find_attribute(attributes, attributes_length, CTRL_ATTR_FAMILY_ID, &data,
                                      &data_length) ||
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
