/* The table of commands. */
#include "cli/commands.h"

#include <string.h>

const struct command *command_find(const char *name)
{
        for (size_t i = 0; commands[i]; i++)
                if (strcmp(commands[i]->name, name) == 0)
                        return commands[i];
        return NULL;
}

const struct command *const commands[] = {
        &command_diagnose, &command_why,
        &command_checks,   &command_explain,
        &command_top,      &command_mounts,
        &command_alerts,   &command_history,
        &command_boot,     &command_disks,
        &command_export,   &command_logs,
        &command_status,   NULL,
};
