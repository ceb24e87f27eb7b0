/* Looks at the open files of processes, proc_pid_fd(5) and proc_pid_fdinfo(5). */
#include "daemon/sample/process_places.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"

/* Who has done less since the last sample, per second, is not looked at. */
#define NOTABLE_BYTES     100000
#define NOTABLE_WAIT_NSEC 20000000
/* A process is looked at this often while it goes on; who has directories open at the next sample already,
 * to see whether they are others then. */
#define PLACES_PERIOD   (10 * USEC_PER_SEC)
#define PLACES_PER_TICK 4
#define PLACES_FDS_MAX  40
/* Of more files than that some are looked at, spread over all: updatedb has hundreds of directories open. */
#define PLACES_FDS_LISTED 1024

/* Who has had other directories open this often, and not for longer the same, goes through them. A database
 * opens one now and then. */
#define WALKING_CHANGES 2
#define WALKING_USEC    (30 * USEC_PER_SEC)

#define SCRATCH_SIZE 4096

void process_places_init(struct process_places *places, const struct root *root)
{
        memset(places, 0, sizeof(*places));
        process_files_init(&places->files, root);
}

static int parse_octal(struct span word, uint64_t *ret_value)
{
        uint64_t value = 0;
        if (word.length == 0 || word.length > 20)
                return -EINVAL;
        for (size_t i = 0; i < word.length; i++) {
                if (word.at[i] < '0' || word.at[i] > '7')
                        return -EINVAL;
                value = value << 3 | (uint64_t)(word.at[i] - '0');
        }
        *ret_value = value;
        return 0;
}

/* Linux 6.1; the number of a mount as in mountinfo, flags of open(2) in octal:
 *   pos:	0
 *   flags:	02300000
 *   mnt_id:	26
 *   ino:	131073 */
int process_places_parse(struct span text, uint64_t *ret_flags, uint32_t *ret_mount_id)
{
        struct span line, key;
        uint64_t flags = 0, mount = 0;
        bool has_flags = false, has_mount = false;
        while (span_take_line(&text, &line)) {
                if (!span_take_word(&line, &key))
                        continue;
                if (span_equal(key, "flags:"))
                        has_flags = span_take_word(&line, &key) && parse_octal(key, &flags) == 0;
                else if (span_equal(key, "mnt_id:"))
                        has_mount = span_take_u64(&line, &mount) == 0 && mount <= UINT32_MAX;
        }
        if (!has_flags || !has_mount)
                return -EINVAL;
        *ret_flags = flags;
        *ret_mount_id = (uint32_t)mount;
        return 0;
}

uint32_t process_places_device(const struct sample *sample, const struct mount_sample *mount)
{
        if (mount->major == 0 && strncmp(mount->source, "/dev/", 5) == 0)
                for (size_t i = 0; i < sample->disk_count; i++)
                        if (strcmp(sample->disks[i].name, mount->source + 5) == 0)
                                return DEVICE_NUMBER(sample->disks[i].major, sample->disks[i].minor);
        return DEVICE_NUMBER(mount->major, mount->minor);
}

/* ---- one process ---- */

struct look {
        uint32_t devices[IO_DEVICES_MAX];
        size_t count;
        uint64_t directories;
        size_t directory_count;
};

static void add_device(struct look *look, uint32_t device)
{
        for (size_t i = 0; i < look->count; i++)
                if (look->devices[i] == device)
                        return;
        if (look->count < IO_DEVICES_MAX)
                look->devices[look->count] = device;
        look->count++;
}

/* A disk itself, opened as a file. */
static void add_block_device(const struct sample *sample, const char *path, struct look *look)
{
        for (size_t i = 0; i < sample->disk_count; i++)
                if (strcmp(sample->disks[i].name, path + 5) == 0)
                        add_device(look, DEVICE_NUMBER(sample->disks[i].major, sample->disks[i].minor));
}

static bool has_prefix(const char *text, const char *prefix)
{
        return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Files that are the kernel's own words take no disk and no memory. */
static bool is_kernels(const char *type)
{
        static const char *const types[] = { "proc", "sysfs", "cgroup", "cgroup2", "devpts", "tracefs" };
        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
                if (strcmp(type, types[i]) == 0)
                        return true;
        return false;
}

static void add_file(const struct process_places *places, const struct sample *sample, uint32_t pid,
                     uint32_t fd, const char *path, struct look *look)
{
        char name[32], text[512];
        uint64_t flags;
        uint32_t id;
        if (has_prefix(path, "/dev/")) {
                add_block_device(sample, path, look);
                return;
        }
        text_format(name, sizeof(name), "fdinfo/%" PRIu32, fd);
        ssize_t length = process_files_read_once(&places->files, pid, name, text, sizeof(text));
        if (length <= 0 || process_places_parse((struct span){ text, (size_t)length }, &flags, &id) < 0)
                return;
        if (flags & O_DIRECTORY) {
                look->directories = text_hash(look->directories ? look->directories : HASH_SEED, path);
                look->directory_count++;
        }
        for (size_t i = 0; i < sample->mount_count; i++)
                if (sample->mounts[i].id == id && !is_kernels(sample->mounts[i].type))
                        add_device(look, process_places_device(sample, &sample->mounts[i]));
}

static int look_at(const struct process_places *places, const struct sample *sample, uint32_t pid,
                   struct look *ret_look)
{
        _Alignas(8) char scratch[SCRATCH_SIZE];
        uint32_t numbers[PLACES_FDS_LISTED];
        memset(ret_look, 0, sizeof(*ret_look));
        CLEANUP_CLOSE int directory = process_files_open(&places->files, pid, "fd", true);
        if (directory < 0)
                return directory;
        ssize_t count = process_files_list(directory, scratch, sizeof(scratch), numbers, PLACES_FDS_LISTED);
        if (count < 0)
                return (int)count;
        size_t listed = count < PLACES_FDS_LISTED ? (size_t)count : PLACES_FDS_LISTED;
        size_t step = (listed + PLACES_FDS_MAX - 1) / PLACES_FDS_MAX;
        for (size_t i = 0; i < listed; i += step) {
                char name[16], target[PATH_TEXT_MAX];
                text_format(name, sizeof(name), "%" PRIu32, numbers[i]);
                ssize_t length = readlinkat(directory, name, target, sizeof(target) - 1);
                if (length <= 0 || target[0] != '/')
                        continue;
                target[length] = '\0';
                add_file(places, sample, pid, numbers[i], target, ret_look);
        }
        /* Another part of very many files is looked at each time: other directories then say little, unless
         * there is hardly anything else. */
        if (step > 1 && ret_look->directory_count * 2 < listed / step)
                ret_look->directories = 0;
        return 0;
}

/* ---- who is looked at ---- */

static struct place *place_of(struct process_places *places, const struct process_sample *process)
{
        struct place *oldest = &places->list[0];
        for (size_t i = 0; i < PLACES_MAX; i++) {
                struct place *place = &places->list[i];
                if (place->looked_usec > 0 && place->pid == process->pid &&
                    place->start_ticks == process->start_ticks)
                        return place;
                if (place->looked_usec < oldest->looked_usec)
                        oldest = place;
        }
        *oldest = (struct place){ .pid = process->pid, .start_ticks = process->start_ticks };
        return oldest;
}

static uint64_t grown(uint64_t before, uint64_t now)
{
        return before == ABSENT || now == ABSENT || now < before ? 0 : now - before;
}

static bool is_notable(const struct process_sample *before, const struct process_sample *now, double seconds)
{
        double bytes = (double)grown(before->read_bytes, now->read_bytes) +
                       (double)grown(before->write_bytes, now->write_bytes);
        double wait = (double)grown(before->block_delay_nsec, now->block_delay_nsec);
        return bytes >= NOTABLE_BYTES * seconds || wait >= NOTABLE_WAIT_NSEC * seconds;
}

static void examine(struct process_places *places, const struct sample *sample,
                    struct process_sample *process, usec_t now_usec, unsigned *left)
{
        struct place *place = place_of(places, process);
        struct look look;
        bool is_first = place->looked_usec == 0;
        if (!is_first && place->directories == 0 && now_usec - place->looked_usec < PLACES_PERIOD)
                return;
        if (*left == 0) {
                if (is_first || now_usec - place->looked_usec >= PLACES_PERIOD)
                        memset(process->io_devices, 0, sizeof(process->io_devices)); /* better none */
                return;
        }
        (*left)--;
        place->looked_usec = now_usec > 0 ? now_usec : 1;
        if (look_at(places, sample, process->pid, &look) < 0)
                memset(&look, 0, sizeof(look));
        /* More disks than there is room for are as good as none known. */
        if (look.count > IO_DEVICES_MAX)
                memset(look.devices, 0, sizeof(look.devices));
        memcpy(process->io_devices, look.devices, sizeof(look.devices));
        if (now_usec - place->changed_usec > WALKING_USEC)
                place->changes = 0;
        if (!is_first && place->directories != 0 && look.directories != 0 &&
            look.directories != place->directories) {
                place->changes++;
                place->changed_usec = now_usec;
        }
        process->is_walking = place->changes >= WALKING_CHANGES;
        place->directories = look.directories;
}

void process_places_collect(struct process_places *places, const struct sample *older, struct sample *sample)
{
        unsigned left = PLACES_PER_TICK;
        if (!older || sample->time.monotonic_usec <= older->time.monotonic_usec)
                return;
        double seconds =
                (double)(sample->time.monotonic_usec - older->time.monotonic_usec) / (double)USEC_PER_SEC;
        for (size_t i = 0, k = 0; i < sample->process_count; i++) {
                struct process_sample *process = &sample->processes[i];
                if (process->is_idle || process->identity->is_kernel_thread)
                        continue;
                while (k < older->process_count && older->processes[k].pid < process->pid)
                        k++;
                if (k == older->process_count)
                        return;
                if (older->processes[k].pid == process->pid &&
                    older->processes[k].start_ticks == process->start_ticks &&
                    is_notable(&older->processes[k], process, seconds))
                        examine(places, sample, process, sample->time.monotonic_usec, &left);
        }
}
