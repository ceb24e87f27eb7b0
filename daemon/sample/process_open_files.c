/* Counts /proc/PID/fd by its size or its names, within a budget, going round the processes. */
#include "daemon/sample/process_open_files.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIMITS_SIZE 2048                           /* about 1350 bytes on 6.18 */
#define NAMES_SIZE  (PROCESS_FILES_NAMES_MAX * 24) /* of at most four digits; longer ones take 32 bytes */

void process_open_files_init(struct process_open_files *open_files, const struct root *root)
{
        struct stat status;
        *open_files = (struct process_open_files){ .listing_fd = -1 };
        /* This process has files open, so 0 is what kernels before 6.2 say; a recorded tree has directories.
         */
        open_files->size_is_count =
                root->is_live && fstatat(root->proc_fd, "self/fd", &status, 0) == 0 && status.st_size > 0;
}

static void end_listing(struct process_open_files *open_files)
{
        if (open_files->listing_fd >= 0)
                (void)close(open_files->listing_fd);
        open_files->listing_fd = -1;
}

void process_open_files_done(struct process_open_files *open_files)
{
        end_listing(open_files);
}

void process_open_files_begin(struct process_open_files *open_files)
{
        open_files->counts_left = PROCESS_FILES_COUNTS_MAX;
        open_files->firsts_left = open_files->size_is_count ? PROCESS_FILES_FIRST_MAX : 0;
        open_files->names_left = PROCESS_FILES_NAMES_MAX;
        open_files->limits_left = PROCESS_FILES_LIMITS_MAX;
}

void process_open_files_end(struct process_open_files *open_files)
{
        /* There was budget for all behind it: the next round begins. */
        if (open_files->counts_left > 0 && open_files->names_left > 0)
                open_files->counted_pid = 0;
}

static bool is_being_listed(const struct process_open_files *open_files, const struct process_entry *entry)
{
        return open_files->listing_fd >= 0 && open_files->listing_pid == entry->pid &&
               open_files->listing_start_ticks == entry->start_ticks;
}

/* Counts on where the last collect left off. 0, -EAGAIN: not at the end yet, or other negative errno. */
static int list_names(struct process_open_files *open_files, const struct process_files *files,
                      const struct process_entry *entry, uint64_t *ret_count)
{
        char buffer[NAMES_SIZE];
        if (!is_being_listed(open_files, entry)) {
                end_listing(open_files); /* of one that ended meanwhile */
                int fd = process_files_open(files, entry->pid, "fd", true);
                if (fd < 0)
                        return fd;
                open_files->listing_fd = fd;
                open_files->listing_pid = entry->pid;
                open_files->listing_start_ticks = entry->start_ticks;
                open_files->listed = 0;
        }
        int more = 1;
        while (open_files->names_left > 0 && more > 0) {
                uint64_t before = open_files->listed;
                more = process_files_count_some(open_files->listing_fd, buffer, sizeof(buffer),
                                                &open_files->listed);
                uint64_t some = open_files->listed - before;
                open_files->names_left -=
                        some < open_files->names_left ? (unsigned)some : open_files->names_left;
        }
        if (more > 0)
                return -EAGAIN;
        end_listing(open_files);
        *ret_count = open_files->listed;
        return more;
}

/* Whether the budget has room for this one; takes it. */
static bool take_turn(struct process_open_files *open_files, const struct process_entry *entry,
                      const struct process_sample *sample)
{
        if (sample->files == ABSENT && open_files->firsts_left > 0) {
                open_files->firsts_left--;
                return true;
        }
        if (entry->pid <= open_files->counted_pid || open_files->counts_left == 0 ||
            open_files->names_left == 0)
                return false;
        open_files->counts_left--;
        open_files->counted_pid = entry->pid;
        return true;
}

static void count(struct process_open_files *open_files, const struct process_files *files,
                  struct process_entry *entry, struct process_sample *sample)
{
        uint64_t count;
        int r = open_files->size_is_count ? process_files_size(files, entry->pid, "fd", &count)
                                          : list_names(open_files, files, entry, &count);
        if (r == -EAGAIN) { /* the round stays at this process, and so does the former figure */
                open_files->counted_pid = entry->pid - 1;
                return;
        }
        entry->files_are_counted = true; /* what is refused is refused until it runs again, too */
        sample->files = r < 0 ? ABSENT : count;
}

static void read_limit(struct process_open_files *open_files, const struct process_files *files,
                       struct process_entry *entry, usec_t now_usec, struct process_sample *sample)
{
        char buffer[LIMITS_SIZE];
        open_files->limits_left--;
        entry->files_limit_usec = now_usec;
        if (process_files_read_once(files, entry->pid, "limits", buffer, sizeof(buffer)) > 0)
                (void)process_parse_files_limit(buffer, &sample->files_limit);
}

void process_open_files_look(struct process_open_files *open_files, const struct process_files *files,
                             struct process_entry *entry, bool is_idle, usec_t now_usec,
                             struct process_sample *sample)
{
        if (entry->is_kernel_thread || sample->state == 'Z') {
                sample->files = ABSENT;
                return;
        }
        /* Who has not run has opened nothing; one whose names are being counted is counted to the end. */
        if (!is_idle && !is_being_listed(open_files, entry))
                entry->files_are_counted = false;
        if (!entry->files_are_counted && take_turn(open_files, entry, sample))
                count(open_files, files, entry, sample);
        if (sample->files != ABSENT && open_files->limits_left > 0 &&
            (entry->files_limit_usec == 0 ||
             (!is_idle && now_usec - entry->files_limit_usec >= PROCESS_FILES_LIMIT_USEC)))
                read_limit(open_files, files, entry, now_usec, sample);
}
