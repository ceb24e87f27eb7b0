/* slowctl mounts: network mounts, how they answer, and who waits for them. */
#include <errno.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/show.h"
#include "cli/table.h"
#include "cli/views.h"
#include "common/json.h"
#include "common/text.h"
#include "common/units.h"

enum {
        COLUMN_MOUNT,
        COLUMN_STATE,
        COLUMN_REQUESTS,
        COLUMN_REQUEST,
        COLUMN_ROUND_TRIP,
        COLUMN_RETRANSMITTED,
        COLUMN_READ,
        COLUMN_WRITTEN,
        COLUMN_OPEN,
        COLUMN_TYPE,
        COLUMN_SOURCE,
        COLUMN_USERS,
        COLUMN_COUNT
};

static const struct table_column columns[COLUMN_COUNT] = {
        [COLUMN_MOUNT] = { .title = "MOUNT", .importance = TABLE_ALWAYS, .shrinks_to = 14 },
        [COLUMN_STATE] = { .title = "STATE", .importance = TABLE_ALWAYS, .shrinks_to = 14 },
        [COLUMN_REQUESTS] = { .title = "REQ/s", .importance = 80, .is_right = true },
        [COLUMN_REQUEST] = { .title = "EACH", .importance = 90, .is_right = true },
        [COLUMN_ROUND_TRIP] = { .title = "RTT", .importance = 40, .is_right = true },
        [COLUMN_RETRANSMITTED] = { .title = "RESENT", .importance = 50, .is_right = true },
        [COLUMN_READ] = { .title = "READ/s", .importance = 30, .is_right = true },
        [COLUMN_WRITTEN] = { .title = "WRITE/s", .importance = 30, .is_right = true },
        [COLUMN_OPEN] = { .title = "OPEN", .importance = 35, .is_right = true },
        [COLUMN_TYPE] = { .title = "TYPE", .importance = 60 },
        [COLUMN_SOURCE] = { .title = "SOURCE", .importance = 20, .shrinks_to = 14 },
        [COLUMN_USERS] = { .title = "WHO WAITS", .importance = 95, .shrinks_to = 16 },
};

/* "250 us" below a millisecond, "1.2 ms" below a second. */
static void set_time(struct table *table, size_t column, struct json_object *mount, const char *member)
{
        char text[UNITS_MAX];
        int64_t usec;
        if (json_get_int(mount, member, &usec) < 0 || usec < 0)
                return;
        if (usec < 10000)
                table_set_format(table, column, "%.1f ms", (double)usec / 1e3);
        else
                table_set(table, column, format_duration(text, (usec_t)usec));
}

typedef const char *(*formatter)(char buffer[static UNITS_MAX], double value);

static void set_number(struct table *table, size_t column, struct json_object *mount, const char *member,
                       formatter format)
{
        char text[UNITS_MAX];
        int64_t value;
        if (json_get_int(mount, member, &value) == 0)
                table_set(table, column, format(text, (double)value));
}

/* "rsync 90 % in /mnt/x/projects, ls 4 %": of one task's time. */
static void set_users(struct table *table, struct json_object *mount)
{
        char text[1024] = "", share[UNITS_MAX];
        size_t length = 0;
        struct json_object *users;
        if (json_get_array(mount, "users", &users) < 0 || json_object_array_length(users) == 0)
                return;
        for (size_t i = 0; i < json_object_array_length(users); i++) {
                struct json_object *user = json_object_array_get_idx(users, i);
                const char *directory = json_string_or(user, "directory", NULL);
                (void)text_append(text, sizeof(text), &length, "%s%s %s%s%s", i > 0 ? ", " : "",
                                  json_string_or(user, "name", "?"),
                                  format_permille(share, (double)json_int_or(user, "waitedPermille", 0)),
                                  directory ? " in " : "", directory ? directory : "");
        }
        table_set(table, COLUMN_USERS, text);
}

static void set_state(struct table *table, struct json_object *mount)
{
        char silent[UNITS_MAX];
        const char *state = json_string_or(mount, "state", "?");
        int64_t silent_usec = json_int_or(mount, "silentUSec", 0);
        bool is_hung = strcmp(state, "hung") == 0;
        if (is_hung && silent_usec > 0)
                table_set_format(table, COLUMN_STATE, "hung %s",
                                 format_duration(silent, (usec_t)silent_usec));
        else
                table_set(table, COLUMN_STATE, state);
        if (is_hung || strcmp(state, "not responding") == 0)
                table_set_style(table, COLUMN_STATE, STYLE_RED);
        else if (strcmp(state, "slow") == 0)
                table_set_style(table, COLUMN_STATE, STYLE_YELLOW);
}

static void set_mount(struct table *table, struct json_object *mount)
{
        table_set(table, COLUMN_MOUNT, json_string_or(mount, "path", "?"));
        set_state(table, mount);
        set_number(table, COLUMN_REQUESTS, mount, "requestsPerSecond", format_count);
        set_time(table, COLUMN_REQUEST, mount, "requestUSec");
        set_time(table, COLUMN_ROUND_TRIP, mount, "roundTripUSec");
        set_number(table, COLUMN_RETRANSMITTED, mount, "retransmittedPermille", format_permille);
        set_number(table, COLUMN_READ, mount, "readBytesPerSecond", format_bytes);
        set_number(table, COLUMN_WRITTEN, mount, "writeBytesPerSecond", format_bytes);
        set_number(table, COLUMN_OPEN, mount, "outstanding", format_count);
        table_set(table, COLUMN_TYPE, json_string_or(mount, "type", NULL));
        table_set(table, COLUMN_SOURCE, json_string_or(mount, "source", NULL));
        set_users(table, mount);
}

int mounts_view(struct page *page, struct json_object *reply, const struct options *options)
{
        struct json_object *mounts;
        char time[SHOW_TIME_MAX];
        if (json_get_array(reply, "mounts", &mounts) < 0)
                return -EBADMSG;
        (void)options;
        if (json_object_array_length(mounts) == 0) {
                (void)fputs("No network mount and no FUSE mount is there.\n", page->out);
                return 0;
        }
        int64_t at = json_int_or(reply, "atUSec", 0);
        if (at > 0)
                (void)fprintf(page->out, "%s, over a minute\n\n", show_time(time, (usec_t)at, (usec_t)at));
        struct table *table = table_new(page, columns, COLUMN_COUNT);
        for (size_t i = 0; table && i < json_object_array_length(mounts) && table_add_line(table); i++)
                set_mount(table, json_object_array_get_idx(mounts, i));
        int r = table ? table_print(table, page) : -ENOMEM;
        table_free(table);
        return r;
}

static int mounts_run(const struct options *options)
{
        return show_question(options, "Mounts", NULL, mounts_view);
}

const struct command command_mounts = {
        .name = "mounts",
        .summary = "network mounts: how they answer, and who waits for them",
        .help = "Lists what is mounted from other machines (NFS, CIFS and others) or served by a program "
                "(FUSE). "
                "EACH is what a request takes in all, RTT what link and server take of it, RESENT how many "
                "had to "
                "be sent again, OPEN how many are without an answer now. WHO WAITS says how much of one "
                "task's time "
                "a program waits, and in which directory. STATE is hung if somebody waits and no answer "
                "comes at all; "
                "not responding if the kernel says so and nobody waits. FUSE counts no requests: there they "
                "are how "
                "often its users go to sleep.\n\n"
                "slowd touches none of these mounts to know: it cannot get stuck on one.",
        .options = 0,
        .run = mounts_run,
};
