/* One smartctl at a time, each with a deadline, its arguments handed over as they are: no shell. */
#include "daemon/examine_disks.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "daemon/examine_answer.h"

#define DISK_DEADLINE_USEC (20 * USEC_PER_SEC)
#define REAP_TRIES         50 /* of 20 ms, for one that was killed: stuck in the kernel it stays */
#define PATH_SIZE          320

static const char *const smartctl_paths[] = { "/usr/sbin/smartctl", "/usr/local/sbin/smartctl",
                                              "/usr/bin/smartctl" };

static const char *find_smartctl(void)
{
        for (size_t i = 0; i < sizeof(smartctl_paths) / sizeof(smartctl_paths[0]); i++)
                if (access(smartctl_paths[i], X_OK) == 0)
                        return smartctl_paths[i];
        return NULL;
}

/* ---- one disk ---- */

static int start(const char *smartctl, const char *name, pid_t *ret_pid, int *ret_fd)
{
        char device[PATH_SIZE];
        const char *const arguments[] = { smartctl, "--json=c", "-n", "standby,3", "-i",
                                          "-H",     "-A",       "--", device,      NULL };
        const char *const environment[] = { "LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
        posix_spawn_file_actions_t actions;
        int ends[2];
        (void)snprintf(device, sizeof(device), "/dev/%s", name);
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        int r = posix_spawn_file_actions_init(&actions);
        if (r == 0) {
                (void)posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
                (void)posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
                r = posix_spawn(ret_pid, smartctl, &actions, NULL, (char *const *)arguments,
                                (char *const *)environment);
                (void)posix_spawn_file_actions_destroy(&actions);
        }
        (void)close(ends[1]);
        if (r != 0) {
                (void)close(ends[0]);
                return -r;
        }
        *ret_fd = ends[0];
        return 0;
}

/* Reads until the end or the deadline. The length, or -ETIMEDOUT, -EFBIG, or another negative errno. */
static ssize_t read_answer(int fd, const struct clock *clock, char *buffer, size_t size)
{
        usec_t end_usec = clock_now(clock).monotonic_usec + DISK_DEADLINE_USEC;
        size_t length = 0;
        for (;;) {
                usec_t now_usec = clock_now(clock).monotonic_usec;
                if (now_usec >= end_usec)
                        return -ETIMEDOUT;
                struct pollfd poller = { .fd = fd, .events = POLLIN };
                int r = poll(&poller, 1, (int)((end_usec - now_usec) / USEC_PER_MSEC) + 1);
                if (r < 0 && errno != EINTR)
                        return -errno;
                if (r <= 0)
                        continue;
                if (length == size)
                        return -EFBIG;
                ssize_t n = read(fd, buffer + length, size - length);
                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n == 0)
                        return (ssize_t)length;
                if (n > 0)
                        length += (size_t)n;
        }
}

/* Its exit status, or -1. */
static int reap(pid_t pid)
{
        int status;
        for (int i = 0; i < REAP_TRIES; i++) {
                pid_t r = waitpid(pid, &status, WNOHANG);
                if (r == pid)
                        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
                if (r < 0)
                        return -1;
                (void)poll(NULL, 0, 20);
        }
        return -1;
}

static void ask(const char *smartctl, const struct clock *clock, struct disk_health_row *row)
{
        static char answer[EXAMINE_ANSWER_MAX];
        pid_t pid = -1;
        int fd = -1, status = -1;
        ssize_t length = start(smartctl, row->sample.name, &pid, &fd);
        if (length == 0) {
                length = read_answer(fd, clock, answer, sizeof(answer));
                (void)close(fd);
                if (length < 0)
                        (void)kill(pid, SIGKILL);
                status = reap(pid);
        }
        struct span text = { answer, length < 0 || status < 0 ? 0 : (size_t)length };
        if (examine_answer(text, status < 0 ? 2 : status, row) < 0)
                row->sample.state = DISK_HEALTH_SILENT;
}

/* ---- which disks ---- */

static bool is_plain_name(const char *name)
{
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
        return name[0] && name[0] != '-' && strlen(name) < DEVICE_NAME_MAX &&
               name[strspn(name, plain)] == '\0';
}

static bool exists(const struct root *root, const char *name, const char *file)
{
        char path[PATH_SIZE];
        (void)snprintf(path, sizeof(path), "sys/block/%s/%s", name, file);
        int fd = root_open(root, path);
        if (fd >= 0)
                (void)close(fd);
        return fd >= 0;
}

static bool starts(const char *name, const char *prefix)
{
        return strncmp(name, prefix, strlen(prefix)) == 0;
}

static void name_row(struct disk_health_file *file, const char *name, enum disk_health_state state)
{
        struct disk_health_row *row = &file->rows[file->count++];
        memset(row, 0xff, sizeof(*row));
        row->sample.state = state;
        memset(row->sample.name, 0, sizeof(row->sample.name));
        memset(row->sample.model, 0, sizeof(row->sample.model));
        memset(row->sample.serial, 0, sizeof(row->sample.serial));
        memcpy(row->sample.name, name, strlen(name));
}

/* Whatever has hardware behind it; optical drives and floppies have no health. */
static int list_disks(const struct root *root, struct disk_health_file *file)
{
        int fd = root_open_directory(root, "sys/block");
        if (fd < 0)
                return fd;
        CLEANUP_CLOSEDIR DIR *directory = fdopendir(fd);
        if (!directory) {
                (void)close(fd);
                return -ENOMEM;
        }
        for (struct dirent *entry; (entry = readdir(directory)) && file->count < DISK_HEALTH_MAX;) {
                const char *name = entry->d_name;
                if (!is_plain_name(name) || starts(name, "sr") || starts(name, "fd") ||
                    !exists(root, name, "device"))
                        continue;
                bool is_virtual = starts(name, "vd") || starts(name, "xvd");
                name_row(file, name, is_virtual ? DISK_HEALTH_UNSUPPORTED : DISK_HEALTH_UNASKED);
        }
        return 0;
}

/* ---- the files ---- */

static void read_former(const char *path, struct disk_health_file *ret_file)
{
        static char text[DISK_HEALTH_TEXT_MAX];
        ret_file->count = 0;
        CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return;
        ssize_t length = root_reread(fd, text, sizeof(text));
        if (length > 0)
                (void)disk_health_parse((struct span){ text, (size_t)length },
                                        ret_file); /* else it begins anew */
}

static int write_all(int fd, const char *text, size_t length)
{
        while (length > 0) {
                ssize_t n = write(fd, text, length);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                text += n;
                length -= (size_t)n;
        }
        return 0;
}

static int write_file(const char *directory, const char *text, size_t length)
{
        char path[PATH_SIZE], part[PATH_SIZE + 8];
        (void)snprintf(path, sizeof(path), "%s/" DISK_HEALTH_FILE, directory);
        (void)snprintf(part, sizeof(part), "%s.part", path);
        if (unlink(part) < 0 && errno != ENOENT)
                return -errno;
        int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (fd < 0)
                return -errno;
        int r = write_all(fd, text, length);
        if (r == 0 && fchmod(fd, 0644) < 0)
                r = -errno;
        if (r == 0 && fsync(fd) < 0)
                r = -errno;
        if (close(fd) < 0 && r == 0)
                r = -errno;
        if (r == 0 && rename(part, path) < 0)
                r = -errno;
        return r;
}

static const struct disk_health_row *find_former(const struct disk_health_file *former, const char *name)
{
        for (size_t i = 0; i < former->count; i++)
                if (strcmp(former->rows[i].sample.name, name) == 0)
                        return &former->rows[i];
        return NULL;
}

int examine_disks(const struct root *root, const struct clock *clock, const char *run_directory,
                  const char *state_directory, char *error, size_t error_size)
{
        static struct disk_health_file file, former;
        static char text[DISK_HEALTH_TEXT_MAX];
        char path[PATH_SIZE];
        const char *smartctl = find_smartctl();
        (void)snprintf(path, sizeof(path), "%s/" DISK_HEALTH_FILE, state_directory);
        read_former(path, &former);
        file.count = 0;
        file.lacks_smartctl = !smartctl;
        int r = list_disks(root, &file);
        if (r < 0) {
                text_format(error, error_size, "cannot list the disks in /sys/block: %s", strerror(-r));
                return r;
        }
        for (size_t i = 0; i < file.count; i++) {
                struct disk_health_row *row = &file.rows[i];
                if (row->sample.state != DISK_HEALTH_UNASKED || !smartctl)
                        continue;
                ask(smartctl, clock, row);
                disk_health_remember(row, find_former(&former, row->sample.name),
                                     clock_now(clock).realtime_usec);
        }
        file.written_usec = clock_now(clock).realtime_usec;
        ssize_t length = disk_health_format(&file, text, sizeof(text));
        r = length < 0 ? (int)length : write_file(state_directory, text, (size_t)length);
        if (r < 0)
                text_format(error, error_size, "cannot write to %s: %s", state_directory, strerror(-r));
        /* What is below /run is what slowd reads: a full or failing disk must not keep it from there. */
        int r_run = length < 0 ? (int)length : write_file(run_directory, text, (size_t)length);
        if (r_run < 0)
                text_format(error, error_size, "cannot write to %s: %s", run_directory, strerror(-r_run));
        return r_run < 0 ? r_run : r;
}
