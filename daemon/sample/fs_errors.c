/* /sys/fs/ext4 and /sys/fs/btrfs: XFS keeps no such count, it tells the kernel's log only. */
#include "daemon/sample/fs_errors.h"

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/text.h"
#include "daemon/sample/fields.h"

#define LOOK_INTERVAL_USEC (10 * USEC_PER_SEC)
#define LOOK_DEADLINE_USEC (30 * USEC_PER_SEC)
#define NUMBER_TEXT_MAX    64

/* The counts of the last look: btrfs does not say when an error was. */
struct fs_errors_state {
        struct fs_errors_sample fs[FS_ERRORS_MAX];
        size_t fs_count;
};

/* Calls `take` with each name in a directory that is no dot file. A directory that is not there has none. */
static void each_entry(const struct root *root, const char *path,
                       void (*take)(const struct root *, const char *name, void *), void *userdata)
{
        int fd = root_open_directory(root, path);
        if (fd < 0)
                return;
        CLEANUP_CLOSEDIR DIR *directory = fdopendir(fd);
        if (!directory) {
                (void)close(fd);
                return;
        }
        for (struct dirent *entry; (entry = readdir(directory));)
                if (entry->d_name[0] != '.')
                        take(root, entry->d_name, userdata);
}

static bool read_number(const struct root *root, const char *directory, const char *name, uint64_t *ret_value)
{
        char path[PATH_TEXT_MAX], text[NUMBER_TEXT_MAX];
        text_format(path, sizeof(path), "%s/%s", directory, name);
        ssize_t length = root_read(root, path, text, sizeof(text));
        return length > 0 && fields_parse_single((struct span){ text, (size_t)length }, ret_value) == 0;
}

static struct fs_errors_sample *new_row(struct fs_errors_result *result, const char *device, const char *type)
{
        if (result->fs_count == FS_ERRORS_MAX) {
                result->dropped++;
                return NULL;
        }
        struct fs_errors_sample *fs = &result->fs[result->fs_count++];
        *fs = (struct fs_errors_sample){ .devices = 1,
                                         .first_usec = ABSENT,
                                         .last_usec = ABSENT,
                                         .read_errors = ABSENT,
                                         .write_errors = ABSENT,
                                         .corruption_errors = ABSENT };
        (void)span_copy(span_of(device), fs->device, sizeof(fs->device));
        text_sanitize(fs->device, "");
        text_format(fs->type, sizeof(fs->type), "%s", type);
        return fs;
}

/* Linux 6.18, /sys/fs/ext4/loop0: errors_count "3", first_error_time "1795470565" (seconds since 1970, 0 for
 * none), last_error_time; "features" stands among the devices. */
static void take_ext4(const struct root *root, const char *name, void *userdata)
{
        char directory[PATH_TEXT_MAX];
        uint64_t errors, seconds;
        text_format(directory, sizeof(directory), "sys/fs/ext4/%s", name);
        if (!read_number(root, directory, "errors_count", &errors))
                return;
        struct fs_errors_sample *fs = new_row(userdata, name, "ext4");
        if (!fs)
                return;
        fs->errors = errors;
        if (read_number(root, directory, "first_error_time", &seconds) && seconds > 0 &&
            fields_scale(&seconds, USEC_PER_SEC) == 0)
                fs->first_usec = seconds;
        if (read_number(root, directory, "last_error_time", &seconds) && seconds > 0 &&
            fields_scale(&seconds, USEC_PER_SEC) == 0)
                fs->last_usec = seconds;
}

static void take_device_name(const struct root *root, const char *name, void *userdata)
{
        struct fs_errors_sample *fs = userdata;
        (void)root;
        /* In a steady order, whatever that of the directory is. */
        if (fs->devices++ == 0 || strcmp(name, fs->device) < 0) {
                (void)span_copy(span_of(name), fs->device, sizeof(fs->device));
                text_sanitize(fs->device, "");
        }
}

#define KEYED_ERRORS(field, name) KEYED_SUM(struct fs_errors_sample, field, name)

struct btrfs_look {
        struct fs_errors_sample *fs;
        char directory[PATH_TEXT_MAX];
        bool is_any;
};

/* Linux 6.1, /sys/fs/btrfs/UUID/devinfo/1/error_stats (since 5.14), of one device since it was made or since
 * "btrfs device stats -z":
 *   write_errs 0
 *   read_errs 2
 *   flush_errs 0
 *   corruption_errs 1
 *   generation_errs 0 */
static void take_btrfs_device(const struct root *root, const char *name, void *userdata)
{
        static const struct keyed_field fields[] = {
                KEYED_ERRORS(errors, "write_errs"),      KEYED_ERRORS(errors, "read_errs"),
                KEYED_ERRORS(errors, "flush_errs"),      KEYED_ERRORS(errors, "corruption_errs"),
                KEYED_ERRORS(errors, "generation_errs"),
        };
        static const struct keyed_field parts[] = {
                KEYED_ERRORS(write_errors, "write_errs"),
                KEYED_ERRORS(read_errors, "read_errs"),
                KEYED_ERRORS(corruption_errors, "corruption_errs"),
        };
        struct btrfs_look *look = userdata;
        char path[PATH_TEXT_MAX + 64], text[256];
        text_format(path, sizeof(path), "%s/devinfo/%s/error_stats", look->directory, name);
        ssize_t length = root_read(root, path, text, sizeof(text));
        if (length <= 0)
                return;
        struct span stats = { text, (size_t)length };
        if (fields_parse_keyed(stats, fields, sizeof(fields) / sizeof(fields[0]), look->fs) == 0 &&
            fields_parse_keyed(stats, parts, sizeof(parts) / sizeof(parts[0]), look->fs) == 0)
                look->is_any = true;
}

static void take_btrfs(const struct root *root, const char *name, void *userdata)
{
        struct fs_errors_result *result = userdata;
        struct btrfs_look look = { 0 };
        char path[PATH_TEXT_MAX];
        text_format(look.directory, sizeof(look.directory), "sys/fs/btrfs/%s", name);
        text_format(path, sizeof(path), "%s/devinfo", look.directory);
        int fd = root_open_directory(root, path); /* "features" has none */
        if (fd < 0)
                return;
        (void)close(fd);
        look.fs = new_row(result, "", "btrfs");
        if (!look.fs)
                return;
        look.fs->devices = 0;
        text_format(path, sizeof(path), "%s/devices", look.directory);
        each_entry(root, path, take_device_name, look.fs);
        look.fs->write_errors = look.fs->read_errors = look.fs->corruption_errors = 0;
        text_format(path, sizeof(path), "%s/devinfo", look.directory);
        each_entry(root, path, take_btrfs_device, &look);
        if (!look.is_any || !look.fs->device[0])
                result->fs_count--;
}

static const struct fs_errors_sample *find_former(const struct fs_errors_state *state,
                                                  const struct fs_errors_sample *fs)
{
        for (size_t i = 0; i < state->fs_count; i++)
                if (strcmp(state->fs[i].device, fs->device) == 0 && strcmp(state->fs[i].type, fs->type) == 0)
                        return &state->fs[i];
        return NULL;
}

/* Where the file system does not say when, the look that saw the count grow does. */
static void date_growth(const struct clock *clock, struct fs_errors_state *state,
                        struct fs_errors_result *result)
{
        for (size_t i = 0; i < result->fs_count; i++) {
                struct fs_errors_sample *fs = &result->fs[i];
                const struct fs_errors_sample *former = find_former(state, fs);
                if (strcmp(fs->type, "btrfs") != 0 || !former)
                        continue;
                fs->last_usec =
                        fs->errors > former->errors ? clock_now(clock).realtime_usec : former->last_usec;
        }
        memcpy(state->fs, result->fs, result->fs_count * sizeof(result->fs[0]));
        state->fs_count = result->fs_count;
}

static int look(const struct root *root, const struct clock *clock, void *state, void *ret_result)
{
        struct fs_errors_result *result = ret_result;
        result->fs_count = 0;
        result->dropped = 0;
        each_entry(root, "sys/fs/ext4", take_ext4, result);
        each_entry(root, "sys/fs/btrfs", take_btrfs, result);
        date_growth(clock, state, result);
        return 0;
}

const struct aside_source fs_errors_source = {
        .name = "fs-errors",
        .interval_usec = LOOK_INTERVAL_USEC,
        .deadline_usec = LOOK_DEADLINE_USEC,
        .is_polite = true,
        .state_size = sizeof(struct fs_errors_state),
        .result_size = sizeof(struct fs_errors_result),
        .look = look,
};
