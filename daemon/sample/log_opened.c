/* What processes have open: proc_pid_fd(5), proc_pid_fdinfo(5). */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "daemon/sample/log_scan_internal.h"
#include "daemon/sample/process_files.h"
#include "daemon/sample/process_parse.h"

#define DESCRIPTORS_MAX    256 /* of one process */
#define OPENED_MAX         16  /* of them worth a second look */
#define WRITTEN_LEAST      (64 * 1024)
#define READ_LEAST         (4 * 1024 * 1024) /* smaller ones are read over and over by everybody */
#define DELETED_LEAST      (1024 * 1024)
#define READING_LOOKS      3
#define READING_PAUSE_NSEC (25 * 1000 * 1000)
#define WATCHES_MAX        16

struct opened {
        uint32_t fd;
        bool is_written, is_read, is_appended, is_deleted;
        uint64_t position;
        struct log_facts facts;
        char path[PATH_TEXT_MAX];
};

/* What a look has found to be nothing: the next one, a fortieth of a second later, need not find it again. */
struct dismissed {
        uint32_t fd;
        uint64_t path; /* hash of it; 0: this leads to no file (a socket, a device, an event) */
};

struct dismissals {
        struct dismissed rows[DESCRIPTORS_MAX]; /* by descriptor, as the kernel lists them */
        size_t count;
        bool is_complete; /* of a first look; later ones only ask */
};

/* Kernel 6.18: "pos:\t0\nflags:\t0100001\nmnt_id:\t27\nino:\t1234\n" */
struct descriptor {
        uint64_t position, flags, mount_id;
};

static bool parse_octal(struct span word, uint64_t *ret_value)
{
        uint64_t value = 0;
        for (size_t i = 0; i < word.length; i++) {
                if (word.at[i] < '0' || word.at[i] > '7' || value >> 60)
                        return false;
                value = value * 8 + (uint64_t)(word.at[i] - '0');
        }
        *ret_value = value;
        return word.length > 0;
}

static bool parse_descriptor(struct span text, struct descriptor *ret_descriptor)
{
        struct span line, key, value;
        unsigned found = 0;
        while (found < 3 && span_take_line(&text, &line)) {
                if (!span_take_until(&line, ':', &key) || !span_take_word(&line, &value))
                        continue;
                if (span_equal(key, "pos"))
                        found += span_u64(value, &ret_descriptor->position) == 0;
                else if (span_equal(key, "flags"))
                        found += parse_octal(value, &ret_descriptor->flags);
                else if (span_equal(key, "mnt_id"))
                        found += span_u64(value, &ret_descriptor->mount_id) == 0;
        }
        return found == 3;
}

/* A container's or a hardened service's mounts are not init's; then its own table tells. */
static const struct log_mount *mount_of(struct log_scan *scan, uint32_t pid, uint64_t id)
{
        const struct log_mount *mount = log_mounts_local(&scan->mounts, id);
        for (size_t i = 0; !mount && i < scan->mounts.count; i++)
                if (scan->mounts.rows[i].id == id)
                        return NULL; /* known, and not local */
        if (mount)
                return mount;
        if (scan->foreign_pid != pid) {
                char name[32];
                text_format(name, sizeof(name), "%u/mountinfo", pid);
                scan->foreign_pid = 0;
                scan->foreign.count = 0;
                if (log_mounts_read(scan->root->proc_fd, name, &scan->buffer, &scan->foreign) == 0)
                        scan->foreign_pid = pid;
        }
        return log_mounts_local(&scan->foreign, id);
}

static struct log_facts facts_of(const struct stat *st, uint32_t major_number, uint32_t minor_number)
{
        return (struct log_facts){ .device = st->st_dev,
                                   .inode = st->st_ino,
                                   .major = major_number,
                                   .minor = minor_number,
                                   .size_bytes = (uint64_t)st->st_size,
                                   .allocated_bytes = (uint64_t)st->st_blocks * 512,
                                   .modified_usec = (usec_t)st->st_mtim.tv_sec * USEC_PER_SEC +
                                                    (usec_t)st->st_mtim.tv_nsec / NSEC_PER_USEC };
}

/* The name that a process has for a file is not always its name for others. */
static bool is_found_there(const struct log_scan *scan, const struct opened *opened)
{
        struct log_facts facts;
        return log_scan_stat(scan, scan->root_fd, opened->path + 1, false, &facts) &&
               facts.inode == opened->facts.inode && facts.device == opened->facts.device;
}

/* False: it leads to no file with a name. */
static bool read_path(int directory_fd, uint32_t fd, struct opened *opened)
{
        char name[16];
        opened->fd = fd;
        text_format(name, sizeof(name), "%u", fd);
        ssize_t n = readlinkat(directory_fd, name, opened->path, sizeof(opened->path));
        if (n <= 0 || (size_t)n >= sizeof(opened->path) - 1)
                return false;
        opened->path[n] = '\0';
        return opened->path[0] == '/' && strncmp(opened->path, "/memfd:", 7) != 0 &&
               (strncmp(opened->path, "/dev/", 5) != 0 || strncmp(opened->path, "/dev/shm/", 9) == 0);
}

/* False: too small to matter, or not of this machine. */
static bool read_facts(struct log_scan *scan, uint32_t pid, int directory_fd, uint32_t fd,
                       struct opened *ret_opened)
{
        char name[40], text[256];
        struct descriptor descriptor = { 0 };
        struct stat st;
        text_format(name, sizeof(name), "%u/fdinfo/%u", pid, fd);
        ssize_t n = root_read_at(scan->root->proc_fd, name, text, sizeof(text));
        if (n == -EFBIG)
                n = (ssize_t)sizeof(text) - 1; /* locks and events come after what is needed */
        if (n < 0 || !parse_descriptor((struct span){ text, (size_t)n }, &descriptor))
                return false;
        const struct log_mount *mount = mount_of(scan, pid, descriptor.mount_id);
        text_format(name, sizeof(name), "%u", fd);
        if (!mount || fstatat(directory_fd, name, &st, 0) < 0 || !S_ISREG(st.st_mode))
                return false;
        unsigned mode = (unsigned)descriptor.flags & O_ACCMODE;
        ret_opened->position = descriptor.position;
        ret_opened->facts = facts_of(&st, mount->major, mount->minor);
        ret_opened->is_deleted = st.st_nlink == 0;
        ret_opened->is_written = mode == O_WRONLY || mode == O_RDWR;
        ret_opened->is_read = mode == O_RDONLY || mode == O_RDWR;
        ret_opened->is_appended = ret_opened->is_written && (descriptor.flags & O_APPEND);
        if (ret_opened->is_deleted)
                return ret_opened->facts.allocated_bytes >= DELETED_LEAST;
        return (ret_opened->is_written && ret_opened->facts.size_bytes >= WRITTEN_LEAST) ||
               (ret_opened->is_read && ret_opened->facts.size_bytes >= READ_LEAST);
}

static bool look_at_descriptor(struct log_scan *scan, uint32_t pid, int directory_fd, uint32_t fd,
                               const struct dismissed *former, struct dismissals *dismissals,
                               struct opened *ret_opened)
{
        if (former && former->path == 0)
                return false;
        bool is_file = read_path(directory_fd, fd, ret_opened);
        uint64_t path = is_file ? text_hash(HASH_SEED, ret_opened->path) | 1 : 0;
        if (former && former->path == path)
                return false;
        if (is_file && read_facts(scan, pid, directory_fd, fd, ret_opened))
                return true;
        if (!dismissals->is_complete)
                dismissals->rows[dismissals->count++] = (struct dismissed){ fd, path };
        return false;
}

static size_t look_at_process(struct log_scan *scan, uint32_t pid, struct dismissals *dismissals,
                              struct opened *ret_opened, size_t max)
{
        uint32_t numbers[DESCRIPTORS_MAX];
        char name[24];
        size_t found = 0, k = 0;
        text_format(name, sizeof(name), "%u/fd", pid);
        CLEANUP_CLOSE int fd = root_open_directory_at(scan->root->proc_fd, name);
        if (fd < 0)
                return 0;
        ssize_t count =
                process_files_list(fd, scan->scratch, sizeof(scan->scratch), numbers, DESCRIPTORS_MAX);
        for (ssize_t i = 0; i < count && i < DESCRIPTORS_MAX && found < max; i++) {
                const struct dismissed *former = NULL;
                if (dismissals->is_complete) {
                        while (k < dismissals->count && dismissals->rows[k].fd < numbers[i])
                                k++;
                        if (k < dismissals->count && dismissals->rows[k].fd == numbers[i])
                                former = &dismissals->rows[k];
                }
                if (look_at_descriptor(scan, pid, fd, numbers[i], former, dismissals, &ret_opened[found]))
                        found++;
        }
        dismissals->is_complete = true;
        return found;
}

static void name_of(const struct log_scan *scan, uint32_t pid, char comm[static COMM_MAX])
{
        char name[24], text[COMM_MAX + 2];
        text_format(name, sizeof(name), "%u/comm", pid);
        ssize_t n = root_read_at(scan->root->proc_fd, name, text, sizeof(text));
        comm[0] = '\0';
        if (n <= 0)
                return;
        struct span line = { text, (size_t)n }, first;
        if (span_take_line(&line, &first))
                (void)span_copy(first, comm, COMM_MAX);
        text_sanitize(comm, "");
}

/* ---- writers ---- */

static struct log_entry *note(struct log_scan *scan, const struct opened *opened)
{
        if (!opened->is_deleted && !is_found_there(scan, opened))
                return NULL;
        char path[PATH_TEXT_MAX];
        (void)span_copy(span_of(opened->path), path, sizeof(path));
        text_sanitize(path, "");
        enum log_kind kind = opened->is_deleted ? LOG_DELETED : log_kind_of_path(path, opened->is_appended);
        return log_table_note(&scan->table, path, kind, &opened->facts, scan->now_usec);
}

static void note_writer(struct log_scan *scan, uint32_t pid, const struct opened *opened)
{
        struct log_entry *entry = opened->is_written || opened->is_deleted ? note(scan, opened) : NULL;
        if (!entry)
                return;
        if (entry->writer_pid != pid || !entry->writer[0])
                name_of(scan, pid, entry->writer);
        entry->writer_pid = pid;
        entry->holder_fd = opened->fd;
}

/* ---- readers ---- */

static uint64_t chars_read(const struct log_scan *scan, uint32_t pid)
{
        char name[24], text[256];
        struct process_io io;
        text_format(name, sizeof(name), "%u/io", pid);
        ssize_t n = root_read_at(scan->root->proc_fd, name, text, sizeof(text));
        return n > 0 && process_parse_io(text, &io) == 0 ? io.read_chars : ABSENT;
}

/* Opened and closed says how often, as IN_ACCESS would at each read() of it: no more is asked for. */
static void watch(struct log_scan *scan, struct log_entry *entry)
{
        size_t watches = 0;
        for (size_t i = 0; i < scan->table.count; i++)
                watches += scan->table.entries[i].watch >= 0;
        if (entry->watch >= 0 || scan->inotify_fd < 0 || watches == WATCHES_MAX || entry->kind == LOG_DELETED)
                return;
        CLEANUP_CLOSE int fd = root_open_place(scan->root_fd, entry->path + 1);
        if (fd < 0)
                return;
        int r = root_watch(scan->inotify_fd, fd, IN_CLOSE_NOWRITE | IN_OPEN);
        if (r < 0)
                return;
        entry->watch = r;
        entry->watched_since_usec = scan->now_usec;
        entry->opens = entry->read_bytes = 0;
}

static void note_reader(struct log_scan *scan, uint32_t pid, const struct opened *opened)
{
        struct log_entry *entry = note(scan, opened);
        if (!entry)
                return;
        entry->reader_usec = scan->now_usec;
        watch(scan, entry);
        if (entry->reader_pid == pid)
                return;
        entry->reader_pid = pid;
        name_of(scan, pid, entry->reader);
        entry->reader_chars = chars_read(scan, pid);
}

static const struct opened *find(const struct opened *opened, size_t count, const struct opened *which)
{
        for (size_t i = 0; i < count; i++)
                if (opened[i].fd == which->fd && opened[i].facts.inode == which->facts.inode)
                        return &opened[i];
        return NULL;
}

/* Being read: its position moved, or it was opened or closed, within a moment. */
static void note_reading(struct log_scan *scan, uint32_t pid, const struct opened *before,
                         size_t before_count, const struct opened *now, size_t now_count)
{
        for (size_t i = 0; i < before_count; i++)
                if (before[i].is_read && before[i].facts.size_bytes >= READ_LEAST &&
                    !find(now, now_count, &before[i]))
                        note_reader(scan, pid, &before[i]);
        for (size_t i = 0; i < now_count; i++) {
                const struct opened *other = find(before, before_count, &now[i]);
                if (now[i].is_read && now[i].facts.size_bytes >= READ_LEAST &&
                    (!other || other->position != now[i].position))
                        note_reader(scan, pid, &now[i]);
        }
}

void log_opened_look(struct log_scan *scan, uint32_t pid, bool wants_reads)
{
        static const struct timespec pause = { .tv_nsec = READING_PAUSE_NSEC };
        struct opened opened[2][OPENED_MAX];
        struct dismissals dismissals;
        size_t count[2] = { 0 };
        unsigned now = 0;
        dismissals.count = 0;
        dismissals.is_complete = false;
        count[0] = look_at_process(scan, pid, &dismissals, opened[0], OPENED_MAX);
        for (size_t i = 0; i < count[0]; i++)
                note_writer(scan, pid, &opened[0][i]);
        for (int i = 1; wants_reads && i < READING_LOOKS; i++) {
                (void)nanosleep(&pause, NULL);
                now ^= 1;
                count[now] = look_at_process(scan, pid, &dismissals, opened[now], OPENED_MAX);
                note_reading(scan, pid, opened[now ^ 1], count[now ^ 1], opened[now], count[now]);
        }
}

void log_opened_follow_readers(struct log_scan *scan)
{
        for (size_t i = 0; i < scan->table.count; i++) {
                struct log_entry *entry = &scan->table.entries[i];
                if (entry->reader_pid == 0 || entry->watch < 0)
                        continue;
                uint64_t chars = chars_read(scan, entry->reader_pid);
                if (chars != ABSENT && entry->reader_chars != ABSENT && chars >= entry->reader_chars)
                        entry->read_bytes += chars - entry->reader_chars;
                entry->reader_chars = chars;
        }
}
