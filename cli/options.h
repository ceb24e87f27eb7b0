/* The command line of slowctl: one table of options, read strictly. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cli/page.h"
#include "common/usec.h"

/* slowctl's exit statuses, as in its manual page. */
enum exit_status {
        STATUS_HEALTHY = 0, /* or: done */
        STATUS_FOUND = 1,   /* diagnose: risk or slow */
        STATUS_WRONG_USE = 2,
        STATUS_NOT_REACHABLE = 3,
        STATUS_UNKNOWN = 4, /* diagnose: no verdict yet */
};

enum json_form { JSON_NONE, JSON_AUTO, JSON_PRETTY, JSON_SHORT };

/* Which options a command takes, as bits. */
enum option_bit {
        OPTION_GLOBAL = 1 << 0, /* taken by all */
        OPTION_FOLLOW = 1 << 1,
        OPTION_WAIT = 1 << 2,
        OPTION_SORT = 1 << 3,
        OPTION_LIMIT = 1 << 4,
        OPTION_SINCE = 1 << 5,
        OPTION_UNTIL = 1 << 6,
};

struct command;

/* Strings are borrowed from argv or the environment. */
struct options {
        const struct command *command; /* diagnose if none is named */
        const char *argument;          /* NULL if none */
        const char *socket;            /* NULL: the usual places */
        bool socket_is_option;         /* --socket rather than SLOWD_SOCKET */
        enum json_form json;
        enum when color;
        bool no_pager, help, version;
        bool help_names_command; /* `slowctl help X` or `slowctl X --help`: that command's own help */
        bool follow, wait;
        usec_t wait_usec;
        const char *sort;              /* NULL: the server's default */
        int limit;                     /* 0: the server's default */
        usec_t since_usec, until_usec; /* realtime; 0: no bound */
};

/* One option as shown in help texts, in the order of the table. */
struct option_help {
        const char *form; /* "-n, --limit=NUMBER" */
        const char *text;
        unsigned bit;
};
/* NULL past the end. */
const struct option_help *options_help(size_t index);

/* `now_usec`: realtime, for --since and --until. 0, or STATUS_WRONG_USE after one sentence on standard error.
 */
int options_parse(int argc, char *const argv[], usec_t now_usec, struct options *ret_options);
