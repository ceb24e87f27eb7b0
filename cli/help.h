/* Help texts, made from the tables of commands and options. */
#pragma once

#include "cli/options.h"
#include "cli/page.h"

/* `slowctl --help`, or one command's if options->help_names_command. */
void help_render(struct page *page, const struct options *options);
