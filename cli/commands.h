/* The commands of slowctl: one file each, one table. */
#pragma once

#include "cli/options.h"

struct command {
        const char *name;
        const char *argument;      /* "CHECK", or NULL if it takes none */
        const char *argument_hint; /* what to say behind "explain needs a CHECK; " */
        const char *summary;       /* one line of slowctl --help */
        const char *help;          /* paragraphs of its own help, parted by newlines */
        unsigned options;          /* enum option_bit */
        /* An exit status; has said on standard error what went wrong. */
        int (*run)(const struct options *options);
};

/* In the order of the help; the first is what slowctl does without a command. NULL-ended. */
extern const struct command *const commands[];

/* NULL if there is none of that name. */
const struct command *command_find(const char *name);

extern const struct command command_diagnose;
extern const struct command command_why;
extern const struct command command_checks;
extern const struct command command_explain;
extern const struct command command_top;
extern const struct command command_mounts;
extern const struct command command_alerts;
extern const struct command command_history;
extern const struct command command_export;
extern const struct command command_boot;
extern const struct command command_logs;
extern const struct command command_disks;
extern const struct command command_status;
