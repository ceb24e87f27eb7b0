/* slowctl --help and slowctl COMMAND --help. */
#include "cli/help.h"

#include <string.h>

#include "cli/commands.h"

#define INDENT      2
#define TEXT_COLUMN 24

static void paragraph(struct page *page, const char *text)
{
        page_paragraphs(page, 0, page_text_width(page), text);
        (void)fputc('\n', page->out);
}

static void title(struct page *page, const char *text)
{
        (void)fprintf(page->out, "%s%s%s\n", page_style(page, STYLE_BOLD), text,
                      page_style_end(page, STYLE_BOLD));
}

/* "  name            text", the text wrapped below itself. */
static void entry(struct page *page, const char *name, const char *text)
{
        size_t column = INDENT + strlen(name);
        (void)fprintf(page->out, "%*s%s", INDENT, "", name);
        if (column + 2 > TEXT_COLUMN) {
                (void)fputc('\n', page->out);
                column = 0;
        }
        page_blanks(page, TEXT_COLUMN - column);
        (void)page_wrap(page, TEXT_COLUMN, TEXT_COLUMN, page_text_width(page), text);
        (void)fputc('\n', page->out);
}

static void option_entries(struct page *page, unsigned bits)
{
        const struct option_help *help;
        for (size_t i = 0; (help = options_help(i)); i++)
                if (help->bit & bits)
                        entry(page, help->form, help->text);
}

static void render_command(struct page *page, const struct command *command)
{
        (void)fprintf(page->out, "slowctl %s%s%s [OPTION...]\n\n", command->name,
                      command->argument ? " " : "", command->argument ? command->argument : "");
        paragraph(page, command->help);
        if (command->options) {
                title(page, "Options");
                option_entries(page, command->options);
                (void)fputc('\n', page->out);
        }
        title(page, "Options of all commands");
        option_entries(page, OPTION_GLOBAL);
}

static void render_all(struct page *page)
{
        (void)fputs("slowctl [OPTION...] [COMMAND]\n\n", page->out);
        paragraph(page,
                  "Asks slowd why this machine is slow: the cause, who did it, who waits, what helps and "
                  "what was ruled out.");
        title(page, "Commands");
        for (size_t i = 0; commands[i]; i++) {
                char name[64];
                (void)snprintf(name, sizeof(name), "%s%s%s", commands[i]->name,
                               commands[i]->argument ? " " : "",
                               commands[i]->argument ? commands[i]->argument : "");
                entry(page, name, commands[i]->summary);
        }
        entry(page, "help [COMMAND]", "this text, or what a command does and takes");
        (void)fputc('\n', page->out);
        title(page, "Options");
        option_entries(page, OPTION_GLOBAL);
        (void)fputc('\n', page->out);
        title(page, "Exit status of diagnose");
        page_paragraphs(page, INDENT, page_text_width(page),
                        "0 healthy, 1 slow or at risk, 2 wrong use, 3 slowd cannot be asked, 4 unknown yet");
        (void)fputc('\n', page->out);
        (void)fputs("More: slowctl COMMAND --help, slowctl(1)\n", page->out);
}

void help_render(struct page *page, const struct options *options)
{
        if (options->help_names_command)
                render_command(page, options->command);
        else
                render_all(page);
}
