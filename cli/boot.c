/* slowctl boot: how the machine started, what held it up, what cost most. */
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/show.h"
#include "cli/views.h"
#include "common/json.h"

static int boot_run(const struct options *options)
{
        struct json_object *parameters = ask_parameters(options);
        if (!parameters)
                return STATUS_NOT_REACHABLE;
        if (options->boot != 0 && json_add_int(parameters, "boot", options->boot) < 0)
                return ask_complain_memory(parameters);
        return show_question(options, "Boot", parameters, boot_view);
}

const struct command command_boot = {
        .name = "boot",
        .summary = "how long the machine took to start, and what held it up",
        .help = "Says how long the last start took, from the begin of userspace until the machine's target "
                "was "
                "reached, and how long that usually takes here; then the critical chain, in which each unit "
                "waited for the one above it, and the units that took or used most. A bar shows when a unit "
                "was starting; its full part is the time in which the chain waited for nothing else. A slow "
                "unit off the chain keeps nobody waiting.\n\n"
                "--boot=-1 is the start before this one, --boot=1 the first that slowd remembers.",
        .options = OPTION_BOOT,
        .run = boot_run,
};
