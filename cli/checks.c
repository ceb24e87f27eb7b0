/* slowctl checks: every check, its state and the value behind it. */
#include <errno.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/show.h"
#include "cli/table.h"
#include "cli/views.h"
#include "common/json.h"

enum { COLUMN_CHECK, COLUMN_STATE, COLUMN_SAYS, COLUMN_REASON, COLUMN_COUNT };

static const struct table_column columns[COLUMN_COUNT] = {
        [COLUMN_CHECK] = { .title = "CHECK", .importance = TABLE_ALWAYS },
        [COLUMN_STATE] = { .title = "STATE", .importance = TABLE_ALWAYS },
        [COLUMN_SAYS] = { .title = "SAYS THAT", .importance = 1 },
        [COLUMN_REASON] = { .title = "BECAUSE", .importance = TABLE_ALWAYS, .shrinks_to = 30, .wraps = true },
};

static enum style state_style(const char *state)
{
        if (strcmp(state, "found") == 0)
                return STYLE_RED;
        return strcmp(state, "clear") == 0 ? STYLE_GREEN : STYLE_YELLOW;
}

int checks_view(struct page *page, struct json_object *reply, const struct options *options)
{
        (void)options;
        struct json_object *checks;
        if (json_get_array(reply, "checks", &checks) < 0)
                return -EBADMSG;
        struct table *table = table_new(page, columns, COLUMN_COUNT);
        int r = table ? 0 : -ENOMEM;
        for (size_t i = 0; r == 0 && i < json_object_array_length(checks); i++) {
                struct json_object *check = json_object_array_get_idx(checks, i);
                const char *state = json_string_or(check, "state", "?");
                if (!table_add_line(table))
                        break;
                table_set(table, COLUMN_CHECK, json_string_or(check, "name", "?"));
                table_set(table, COLUMN_STATE, state);
                table_set_style(table, COLUMN_STATE, state_style(state));
                table_set(table, COLUMN_SAYS, json_string_or(check, "title", NULL));
                table_set(table, COLUMN_REASON, json_string_or(check, "reason", NULL));
        }
        if (r == 0)
                r = table_print(table, page);
        table_free(table);
        return r;
}

static int checks_run(const struct options *options)
{
        return show_question(options, "ListChecks", NULL, checks_view);
}

const struct command command_checks = {
        .name = "checks",
        .summary = "what slowd looks for, and what it found each time it looked last",
        .help = "Lists all checks in the order in which they are eliminated, each with its state and the "
                "measured "
                "value behind it: found, clear (ruled out), unknown (could not be examined, and why) or "
                "disabled "
                "in slowd.conf.",
        .run = checks_run,
};
