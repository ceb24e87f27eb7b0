/* Looks for listening sockets of a process, proc_pid_fd(5) and proc_pid_net(5). */
#include "daemon/sample/process_servers.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"

#define SCRATCH_SIZE 16384
/* Lines of net/unix looked at: what listens was bound early and stands anywhere. */
#define LINES_MAX 16384

struct sockets {
        uint64_t inodes[PROCESS_SERVER_SOCKETS_MAX];
        size_t count;
};

static bool take_words(struct span *line, size_t n, struct span *ret_last)
{
        for (size_t i = 0; i < n; i++)
                if (!span_take_word(line, ret_last))
                        return false;
        return true;
}

/* Kernel 6.18, net/tcp: "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0
 *   0 49021 1 0000000000000000 100 0 0 10 0": state 0A listens, the tenth word is the inode.
 * net/unix: "0000000000000000: 00000002 00000000 00010000 0001 01 49022 /run/x.sock": flag 00010000 listens.
 */
int process_servers_parse(struct span line, bool is_unix, uint64_t *ret_inode)
{
        struct span flags, inode;
        uint64_t value;

        if (!take_words(&line, 4, &flags) || span_hex(flags, &value) < 0 || flags.length != (is_unix ? 8 : 2))
                return -EINVAL;
        if (!take_words(&line, is_unix ? 3 : 6, &inode))
                return -EINVAL;
        uint64_t number;
        if (span_u64(inode, &number) < 0)
                return -EINVAL;
        if (is_unix ? !(value & 0x10000) : value != 0x0a)
                return -ENODATA;
        *ret_inode = number;
        return 0;
}

static bool owns(const struct sockets *sockets, uint64_t inode)
{
        for (size_t i = 0; i < sockets->count; i++)
                if (sockets->inodes[i] == inode)
                        return true;
        return false;
}

/* 1: one of the sockets listens, 0: none in this table. */
static int search_table(const struct process_files *files, uint32_t pid, const char *name, bool is_unix,
                        const struct sockets *sockets)
{
        char buffer[SCRATCH_SIZE];
        size_t held = 0, lines = 0;
        CLEANUP_CLOSE int fd = process_files_open(files, pid, name, false);
        if (fd < 0)
                return 0;
        for (;;) {
                ssize_t n = read(fd, buffer + held, sizeof(buffer) - held);
                if (n <= 0)
                        return 0;
                struct span text = { buffer, held + (size_t)n }, line;
                while (span_take_until(&text, '\n', &line)) {
                        uint64_t inode;
                        int r = process_servers_parse(line, is_unix, &inode);
                        if (r == 0 && owns(sockets, inode))
                                return 1;
                        /* The kernel lists TCP sockets that listen before all others. */
                        if (lines++ > LINES_MAX || (r == -ENODATA && !is_unix))
                                return 0;
                }
                if (text.length == sizeof(buffer))
                        return 0; /* no line is that long */
                memmove(buffer, text.at, text.length);
                held = text.length;
        }
}

static int collect_sockets(const struct process_files *files, uint32_t pid, struct sockets *ret_sockets)
{
        static const char prefix[] = "socket:[";
        _Alignas(8) char scratch[SCRATCH_SIZE];
        uint32_t numbers[PROCESS_SERVER_FDS_MAX];
        CLEANUP_CLOSE int fd = process_files_open(files, pid, "fd", true);
        if (fd < 0)
                return fd;
        ssize_t n = process_files_list(fd, scratch, sizeof(scratch), numbers, PROCESS_SERVER_FDS_MAX);
        if (n < 0)
                return (int)n;
        ret_sockets->count = 0;
        for (size_t i = 0; i < (size_t)n && i < PROCESS_SERVER_FDS_MAX; i++) {
                char name[16], target[64];
                uint64_t inode;
                text_format(name, sizeof(name), "%" PRIu32, numbers[i]);
                ssize_t length = readlinkat(fd, name, target, sizeof(target));
                if (length < (ssize_t)sizeof(prefix) || memcmp(target, prefix, sizeof(prefix) - 1) != 0)
                        continue;
                struct span number = { target + sizeof(prefix) - 1, (size_t)length - sizeof(prefix) };
                if (span_u64(number, &inode) == 0 && ret_sockets->count < PROCESS_SERVER_SOCKETS_MAX)
                        ret_sockets->inodes[ret_sockets->count++] = inode;
        }
        return 0;
}

int process_servers_examine(const struct process_files *files, uint32_t pid)
{
        struct sockets sockets;
        int r = collect_sockets(files, pid, &sockets);
        if (r < 0 || sockets.count == 0)
                return r;
        return search_table(files, pid, "net/tcp", false, &sockets) ||
               search_table(files, pid, "net/tcp6", false, &sockets) ||
               search_table(files, pid, "net/unix", true, &sockets);
}
