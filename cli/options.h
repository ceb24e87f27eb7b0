/* The command line of slowctl: one table of options, read strictly. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/page.h"
#include "common/usec.h"

/* slowctl's exit statuses, as in its manual page. */
enum exit_status {
        STATUS_HEALTHY = 0, /* or: done */
        STATUS_FOUND = 1,   /* diagnose: risk or slow */
        STATUS_WRONG_USE = 2,
        STATUS_NOT_REACHABLE = 3,
        STATUS_UNKNOWN = 4, /* diagnose: no verdict yet; of the past: nothing was recorded then */
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
        OPTION_AT = 1 << 7,
        OPTION_PROC = 1 << 8,
        OPTION_UNIT = 1 << 9,
        OPTION_STEP = 1 << 10,
        OPTION_METRIC = 1 << 11,
        OPTION_EACH = 1 << 12,
        OPTION_CSV = 1 << 13,
        OPTION_COMMAND_LINES = 1 << 14,
        OPTION_FORCE = 1 << 15,
        OPTION_BOOT = 1 << 16,
};

/* What history shows, as bits in the order of option_metrics. */
#define OPTION_METRICS 6
extern const char *const option_metrics[OPTION_METRICS];

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
        usec_t now_usec;               /* realtime, when the command line was read */
        usec_t since_usec, until_usec; /* realtime; 0: no bound */
        usec_t at_usec;                /* realtime; 0: now */
        const char *program;           /* --proc: NULL: all */
        int64_t pid;                   /* --proc with a number; 0: none */
        const char *unit;              /* NULL: all */
        usec_t step_usec;              /* 0: what suits */
        unsigned metrics;              /* bits; 0: the server's default */
        bool each, csv, command_lines, force;
        int boot; /* 0 this one, -1 the one before, 1 the first */
};

/* One option as shown in help texts, in the order of the table. */
struct option_help {
        const char *form; /* "-n, --limit=NUMBER" */
        const char *text;
        unsigned bit;
};
/* NULL past the end. */
const struct option_help *options_help(size_t index);

/* `now_usec`: realtime, to which --since, --until and --at are relative. 0, or STATUS_WRONG_USE after one
 * sentence on standard error. */
int options_parse(int argc, char *const argv[], usec_t now_usec, struct options *ret_options);
