/* Reading the command line. Options may stand before and behind the command and its argument. */
#include "cli/options.h"

#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/complain.h"
#include "cli/option_table.h"
#include "cli/suggest.h"
#include "common/text.h"

#define NAMES_MAX 32

const struct option_help *options_help(size_t index)
{
        return index < OPTION_TABLE_COUNT ? &option_table[index].help : NULL;
}

struct reader {
        int argc;
        char *const *argv;
        int at; /* the next argument */
        usec_t now_usec;
        unsigned given; /* enum option_bit of the options seen */
        struct options *options;
};

static int complain_unknown_option(const char *argument)
{
        const char *names[OPTION_TABLE_COUNT];
        char typed[SUGGEST_NAME_MAX];
        for (size_t i = 0; i < OPTION_TABLE_COUNT; i++)
                names[i] = option_table[i].name;
        text_format(typed, sizeof(typed), "%.*s", (int)strcspn(argument + 2, "="), argument + 2);
        const char *near = argument[1] == '-' ? suggest(typed, names, OPTION_TABLE_COUNT) : NULL;
        if (near)
                complain("There is no option '--%s'; did you mean --%s?", typed, near);
        else
                complain("There is no option '%s'; see slowctl --help.", argument);
        return STATUS_WRONG_USE;
}

static int take_option(struct reader *reader, const struct option_spec *spec, const char *value)
{
        if (value && spec->value == VALUE_NONE) {
                complain("--%s takes no value.", spec->name);
                return STATUS_WRONG_USE;
        }
        if (!value && spec->value == VALUE_REQUIRED) {
                if (reader->at == reader->argc) {
                        complain("--%s needs a value, as in %s.", spec->name, strstr(spec->help.form, "--"));
                        return STATUS_WRONG_USE;
                }
                value = reader->argv[reader->at++];
        }
        reader->given |= spec->help.bit;
        return spec->set(reader->options, value, reader->now_usec);
}

/* "--limit=5", "--limit 5" */
static int take_long(struct reader *reader, const char *argument)
{
        size_t length = strcspn(argument + 2, "=");
        const char *value = argument[2 + length] == '=' ? argument + 3 + length : NULL;
        for (size_t i = 0; i < OPTION_TABLE_COUNT; i++)
                if (strlen(option_table[i].name) == length &&
                    strncmp(option_table[i].name, argument + 2, length) == 0)
                        return take_option(reader, &option_table[i], value);
        return complain_unknown_option(argument);
}

/* "-f", "-n5", "-n 5", "-fh" */
static int take_short(struct reader *reader, const char *argument)
{
        for (const char *letter = argument + 1; *letter; letter++) {
                const struct option_spec *spec = NULL;
                for (size_t i = 0; i < OPTION_TABLE_COUNT; i++)
                        if (option_table[i].letter == *letter)
                                spec = &option_table[i];
                if (!spec)
                        return complain_unknown_option(argument);
                const char *value = spec->value != VALUE_NONE && letter[1] ? letter + 1 : NULL;
                int r = take_option(reader, spec, value);
                if (r != 0 || value)
                        return r;
        }
        return 0;
}

static int complain_unknown_command(const char *name)
{
        const char *names[NAMES_MAX];
        size_t count = 0;
        for (; commands[count] && count + 1 < NAMES_MAX; count++)
                names[count] = commands[count]->name;
        names[count++] = "help";
        const char *near = suggest(name, names, count);
        if (near)
                complain("There is no command '%s'; did you mean %s?", name, near);
        else
                complain("There is no command '%s'; see slowctl --help.", name);
        return STATUS_WRONG_USE;
}

/* A word that is no option: the command, or its argument. `help` is a command here alone. */
static int take_word(struct reader *reader, const char *word, bool *command_is_named)
{
        struct options *options = reader->options;
        if (!*command_is_named && !options->help_names_command && strcmp(word, "help") == 0) {
                options->help = options->help_names_command = true;
                return 0;
        }
        if (!*command_is_named) {
                options->command = command_find(word);
                *command_is_named = true;
                return options->command ? 0 : complain_unknown_command(word);
        }
        if (!options->command->argument || options->help_names_command) {
                complain("%s takes no argument, but '%s' was given.", options->command->name, word);
                return STATUS_WRONG_USE;
        }
        if (options->argument) {
                complain("%s takes one argument, but '%s' was given behind '%s'.", options->command->name,
                         word, options->argument);
                return STATUS_WRONG_USE;
        }
        options->argument = word;
        return 0;
}

/* A sentence if options do not go together, else NULL. */
static const char *contradiction(const struct options *options)
{
        bool is_past = options->at_usec || options->since_usec || options->until_usec;
        bool is_diagnose = options->command->options & OPTION_FOLLOW;
        if (options->follow && options->wait)
                return "--follow already waits: use it without --wait.";
        if (is_past && (options->follow || options->wait))
                return "--follow and --wait are about what comes: use them without a time of the past.";
        if (options->at_usec && (options->since_usec || options->until_usec))
                return "--at is one moment: use it without --since and --until.";
        if (is_diagnose && options->until_usec && !options->since_usec)
                return "--until needs --since: the worst moment in between is sought.";
        if (options->since_usec && options->until_usec && options->since_usec > options->until_usec)
                return "--since must not be later than --until.";
        if (options->at_usec > options->now_usec || options->since_usec > options->now_usec)
                return options->at_usec ? "--at is in the future; did you mean yesterday?"
                                        : "--since is in the future; did you mean yesterday?";
        if (options->unit && (options->program || options->pid))
                return "--proc and --unit do not go together: use one of them.";
        if (options->csv && options->json != JSON_NONE)
                return "--csv and --json do not go together: use one of them.";
        return NULL;
}

/* What can be told only when everything has been read. */
static int check_together(const struct reader *reader)
{
        const struct options *options = reader->options;
        unsigned foreign = reader->given & ~(options->command->options | OPTION_GLOBAL);
        for (size_t i = 0; i < OPTION_TABLE_COUNT; i++)
                if (foreign & option_table[i].help.bit) {
                        complain("%s does not take --%s; see slowctl %s --help.", options->command->name,
                                 option_table[i].name, options->command->name);
                        return STATUS_WRONG_USE;
                }
        if (options->command->argument && !options->argument) {
                complain("%s needs a %s; %s.", options->command->name, options->command->argument,
                         options->command->argument_hint);
                return STATUS_WRONG_USE;
        }
        const char *sentence = contradiction(options);
        if (!sentence)
                return 0;
        complain("%s", sentence);
        return STATUS_WRONG_USE;
}

int options_parse(int argc, char *const argv[], usec_t now_usec, struct options *ret_options)
{
        const char *socket = getenv("SLOWD_SOCKET");
        struct options options = { .command = commands[0],
                                   .socket = socket && socket[0] ? socket : NULL,
                                   .now_usec = now_usec };
        struct reader reader = {
                .argc = argc, .argv = argv, .at = 1, .now_usec = now_usec, .options = &options
        };
        bool only_words = false, command_is_named = false;
        while (reader.at < argc) {
                const char *argument = argv[reader.at++];
                int r = 0;
                if (!only_words && strcmp(argument, "--") == 0)
                        only_words = true;
                else if (!only_words && strncmp(argument, "--", 2) == 0)
                        r = take_long(&reader, argument);
                else if (!only_words && argument[0] == '-' && argument[1])
                        r = take_short(&reader, argument);
                else
                        r = take_word(&reader, argument, &command_is_named);
                if (r != 0)
                        return r;
        }
        options.help_names_command = options.help && command_is_named;
        if (!options.help && !options.version) {
                int r = check_together(&reader);
                if (r != 0)
                        return r;
        }
        *ret_options = options;
        return 0;
}
