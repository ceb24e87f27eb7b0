/* slowctl: reads its command line and runs one command. */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "cli/commands.h"
#include "cli/complain.h"
#include "cli/help.h"

static usec_t realtime_now(void)
{
        struct timespec now;
        (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail for this clock */
        return (usec_t)now.tv_sec * USEC_PER_SEC + (usec_t)now.tv_nsec / NSEC_PER_USEC;
}

static int show_help(const struct options *options)
{
        struct page page;
        if (page_init(&page, options->color) < 0) {
                complain("There is no memory.");
                return STATUS_NOT_REACHABLE;
        }
        help_render(&page, options);
        int r = page_show(&page, !options->no_pager);
        page_done(&page);
        return r < 0 ? STATUS_NOT_REACHABLE : STATUS_HEALTHY;
}

int main(int argc, char *argv[])
{
        struct options options;
        /* Widths and UTF-8 of the terminal; numbers and dates stay as everywhere. */
        (void)setlocale(LC_CTYPE, "");
        /* A reader of our output, or slowd, that goes away is told by EPIPE. */
        (void)signal(SIGPIPE, SIG_IGN);
        int r = options_parse(argc, argv, realtime_now(), &options);
        if (r != 0)
                return r;
        if (options.help)
                return show_help(&options);
        if (options.version) {
                (void)puts("slowctl " SLOWD_VERSION);
                return STATUS_HEALTHY;
        }
        return options.command->run(&options);
}
