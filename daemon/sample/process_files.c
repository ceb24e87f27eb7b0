/* Opens, reads and keeps files below /proc/PID. */
#include "daemon/sample/process_files.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"

#define NAME_SIZE 64 /* "4194304/task/4194304/schedstat" */

static const char *const file_names[PROCESS_FILE_MAX] = { "stat", "statm", "io", "schedstat" };

void process_files_init(struct process_files *files, const struct root *root)
{
        struct rlimit limit = { .rlim_cur = 0 };
        *files = (struct process_files){ .proc_fd = root->proc_fd, .kept_max = PROCESS_DESCRIPTORS_MAX };
        if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
            limit.rlim_cur / 2 < files->kept_max)
                files->kept_max = (size_t)limit.rlim_cur / 2;
}

/* "1234/stat", by hand: it is made for every process at every tick. */
static void make_name(char buffer[static NAME_SIZE], uint32_t pid, const char *name)
{
        char digits[10];
        size_t n = 0, length = 0;
        do
                digits[n++] = (char)('0' + pid % 10);
        while (pid /= 10);
        while (n > 0)
                buffer[length++] = digits[--n];
        buffer[length++] = '/';
        size_t rest = strlen(name);
        assert(length + rest < NAME_SIZE);
        memcpy(buffer + length, name, rest + 1);
}

/* A process that ended shows as ESRCH through a descriptor and as ENOENT by name. */
static int vanished(int error)
{
        return error == ENOENT || error == ESRCH ? -ESRCH : -error;
}

int process_files_open(const struct process_files *files, uint32_t pid, const char *name, bool is_directory)
{
        char path[NAME_SIZE];
        make_name(path, pid, name);
        int fd = openat(files->proc_fd, path,
                        O_RDONLY | O_CLOEXEC | O_NOCTTY | (is_directory ? O_DIRECTORY : 0));
        return fd < 0 ? vanished(errno) : fd;
}

static ssize_t read_start(int fd, char *buffer, size_t size)
{
        ssize_t n;
        do
                n = pread(fd, buffer, size - 1, 0);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return vanished(errno);
        buffer[n] = '\0';
        return n;
}

ssize_t process_files_read(struct process_files *files, struct process_entry *entry, enum process_file file,
                           bool keep, char *buffer, size_t size)
{
        if (entry->fds[file] >= 0) {
                ssize_t n = read_start(entry->fds[file], buffer, size);
                if (n != -ESRCH)
                        return n;
                /* The process is gone, but the number may already be another one's. */
                process_files_close(files, entry, PROCESS_FILE_MAX);
        }
        int fd = process_files_open(files, entry->pid, file_names[file], false);
        if (fd < 0)
                return fd;
        ssize_t n = read_start(fd, buffer, size);
        if (keep && n >= 0 && files->kept < files->kept_max) {
                entry->fds[file] = fd;
                files->kept++;
        } else
                (void)close(fd);
        return n;
}

ssize_t process_files_read_once(const struct process_files *files, uint32_t pid, const char *name,
                                char *buffer, size_t size)
{
        CLEANUP_CLOSE int fd = process_files_open(files, pid, name, false);
        if (fd < 0)
                return fd;
        ssize_t n = root_reread(fd, buffer, size);
        if (n == -EFBIG)
                return (ssize_t)size - 1;
        return n < 0 ? vanished((int)-n) : n;
}

ssize_t process_files_read_link(const struct process_files *files, uint32_t pid, const char *name,
                                char *buffer, size_t size)
{
        char path[NAME_SIZE];
        make_name(path, pid, name);
        ssize_t n = readlinkat(files->proc_fd, path, buffer, size - 1);
        if (n < 0)
                return vanished(errno);
        buffer[n] = '\0';
        return n;
}

int process_files_size(const struct process_files *files, uint32_t pid, const char *name, uint64_t *ret_size)
{
        char path[NAME_SIZE];
        struct stat status;
        make_name(path, pid, name);
        if (fstatat(files->proc_fd, path, &status, 0) < 0)
                return vanished(errno);
        *ret_size = (uint64_t)status.st_size;
        return 0;
}

void process_files_close(struct process_files *files, struct process_entry *entry, enum process_file but)
{
        for (enum process_file i = 0; i < PROCESS_FILE_MAX; i++)
                if (i != but && entry->fds[i] >= 0) {
                        (void)close(entry->fds[i]);
                        entry->fds[i] = -1;
                        files->kept--;
                }
}

struct directory_entry { /* linux_dirent64 of getdents64(2) */
        uint64_t inode;
        int64_t offset;
        uint16_t length;
        uint8_t type;
        char name[];
};

ssize_t process_files_list(int directory_fd, void *buffer, size_t size, uint32_t *ret_numbers, size_t max)
{
        size_t count = 0;

        if (lseek(directory_fd, 0, SEEK_SET) < 0)
                return -errno;
        for (;;) {
                long n = syscall(SYS_getdents64, directory_fd, buffer, size);
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return (ssize_t)count;
                for (long at = 0; at < n;) {
                        const struct directory_entry *entry = (const void *)((const char *)buffer + at);
                        uint64_t number;
                        at += entry->length;
                        if (entry->name[0] < '1' || entry->name[0] > '9' ||
                            span_u64(span_of(entry->name), &number) < 0 || number > INT32_MAX)
                                continue;
                        if (count < max)
                                ret_numbers[count] = (uint32_t)number;
                        count++;
                }
        }
}

int process_files_count_some(int directory_fd, void *buffer, size_t size, uint64_t *count)
{
        long n = syscall(SYS_getdents64, directory_fd, buffer, size);
        if (n < 0)
                return -errno;
        for (long at = 0; at < n;) {
                const struct directory_entry *entry = (const void *)((const char *)buffer + at);
                at += entry->length;
                *count += strcmp(entry->name, ".") != 0 && strcmp(entry->name, "..") != 0;
        }
        return n > 0;
}
