/* Reading the command line. Options may stand before and behind the command and its argument. */
#include "cli/options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/suggest.h"
#include "common/cleanup.h"
#include "common/text.h"
#include "common/time_grammar.h"

#define LIMIT_MAX         256 /* as in the interface */
#define WAIT_DEFAULT_USEC (30 * USEC_PER_SEC)
#define NAMES_MAX         32

void complain(const char *format, ...)
{
        CLEANUP_FREE char *text = NULL;
        va_list arguments;
        va_start(arguments, format);
        int length = vasprintf(&text, format, arguments);
        va_end(arguments);
        if (length < 0) {
                text = NULL; /* its value is undefined then */
                return;
        }
        text_sanitize(text, "");
        (void)fprintf(stderr, "slowctl: %s\n", text);
}

/* ---- values ----------------------------------------------------------------------------------------------
 */

/* Each setter gets a NULL value if none was given, and complains itself. */
typedef int (*setter)(struct options *options, const char *value, usec_t now_usec);

static int set_socket(struct options *options, const char *value, usec_t now_usec)
{
        (void)now_usec;
        options->socket = value;
        options->socket_is_option = true;
        if (value[0])
                return 0;
        complain("--socket needs the path of slowd's socket.");
        return STATUS_WRONG_USE;
}

static int set_json(struct options *options, const char *value, usec_t now_usec)
{
        (void)now_usec;
        if (!value)
                options->json = JSON_AUTO;
        else if (strcmp(value, "pretty") == 0)
                options->json = JSON_PRETTY;
        else if (strcmp(value, "short") == 0)
                options->json = JSON_SHORT;
        else {
                complain("--json does not know '%s': use pretty or short.", value);
                return STATUS_WRONG_USE;
        }
        return 0;
}

static int set_color(struct options *options, const char *value, usec_t now_usec)
{
        (void)now_usec;
        if (strcmp(value, "auto") == 0)
                options->color = WHEN_AUTO;
        else if (strcmp(value, "always") == 0)
                options->color = WHEN_ALWAYS;
        else if (strcmp(value, "never") == 0)
                options->color = WHEN_NEVER;
        else {
                complain("--color does not know '%s': use auto, always or never.", value);
                return STATUS_WRONG_USE;
        }
        return 0;
}

static int set_no_pager(struct options *options, const char *value, usec_t now_usec)
{
        (void)value;
        (void)now_usec;
        options->no_pager = true;
        return 0;
}

static int set_help(struct options *options, const char *value, usec_t now_usec)
{
        (void)value;
        (void)now_usec;
        options->help = true;
        return 0;
}

static int set_version(struct options *options, const char *value, usec_t now_usec)
{
        (void)value;
        (void)now_usec;
        options->version = true;
        return 0;
}

static int set_follow(struct options *options, const char *value, usec_t now_usec)
{
        (void)value;
        (void)now_usec;
        options->follow = true;
        return 0;
}

static int set_wait(struct options *options, const char *value, usec_t now_usec)
{
        char error[TIME_ERROR_MAX];
        (void)now_usec;
        options->wait = true;
        options->wait_usec = WAIT_DEFAULT_USEC;
        if (!value || time_grammar_span(value, &options->wait_usec, error) == 0)
                return 0;
        complain("--wait: %s.", error);
        return STATUS_WRONG_USE;
}

static int set_sort(struct options *options, const char *value, usec_t now_usec)
{
        static const char *const keys[] = { "lost", "cpu", "memory", "io", "wait" };
        (void)now_usec;
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
                if (strcmp(value, keys[i]) == 0) {
                        options->sort = keys[i];
                        return 0;
                }
        complain("--sort does not know '%s': use lost, cpu, memory, io or wait.", value);
        return STATUS_WRONG_USE;
}

static int set_limit(struct options *options, const char *value, usec_t now_usec)
{
        uint64_t limit;
        (void)now_usec;
        if (span_u64(span_of(value), &limit) < 0 || limit < 1 || limit > LIMIT_MAX) {
                complain("--limit must be a number from 1 to %d, not '%s'.", LIMIT_MAX, value);
                return STATUS_WRONG_USE;
        }
        options->limit = (int)limit;
        return 0;
}

static int set_time(const char *name, const char *value, usec_t now_usec, usec_t *ret_usec)
{
        char error[TIME_ERROR_MAX];
        if (time_grammar_instant(value, now_usec, ret_usec, error) == 0)
                return 0;
        complain("%s: %s.", name, error);
        return STATUS_WRONG_USE;
}

static int set_since(struct options *options, const char *value, usec_t now_usec)
{
        return set_time("--since", value, now_usec, &options->since_usec);
}

static int set_until(struct options *options, const char *value, usec_t now_usec)
{
        return set_time("--until", value, now_usec, &options->until_usec);
}

/* ---- the table -------------------------------------------------------------------------------------------
 */

enum value_kind { VALUE_NONE, VALUE_OPTIONAL, VALUE_REQUIRED };

static const struct option_spec {
        const char *name; /* without the dashes */
        char letter;      /* 0: none */
        enum value_kind value;
        setter set;
        struct option_help help;
} specs[] = {
        { "follow",
          'f',
          VALUE_NONE,
          set_follow,
          { "-f, --follow", "print the answer again whenever it changes, until Ctrl-C", OPTION_FOLLOW } },
        { "wait",
          0,
          VALUE_OPTIONAL,
          set_wait,
          { "--wait[=SECONDS]",
            "while slowd has seen too little to tell, wait, at most so long (default: 30)", OPTION_WAIT } },
        { "sort",
          0,
          VALUE_REQUIRED,
          set_sort,
          { "--sort=KEY", "most first by lost (default), cpu, memory, io or wait", OPTION_SORT } },
        { "limit",
          'n',
          VALUE_REQUIRED,
          set_limit,
          { "-n, --limit=NUMBER", "so many programs, 1 to 256 (default: 20)", OPTION_LIMIT } },
        { "since",
          0,
          VALUE_REQUIRED,
          set_since,
          { "--since=TIME", "only what lasted to this time or later: 14:03, \"yesterday 14:03\", -2h",
            OPTION_SINCE } },
        { "until",
          0,
          VALUE_REQUIRED,
          set_until,
          { "--until=TIME", "only what began before this time", OPTION_UNTIL } },
        { "socket",
          0,
          VALUE_REQUIRED,
          set_socket,
          { "--socket=PATH", "ask the slowd that listens there (also: SLOWD_SOCKET)", OPTION_GLOBAL } },
        { "json",
          0,
          VALUE_OPTIONAL,
          set_json,
          { "--json[=FORM]", "the answer as JSON: pretty (the default on a terminal) or short",
            OPTION_GLOBAL } },
        { "color",
          0,
          VALUE_REQUIRED,
          set_color,
          { "--color=WHEN", "auto, always or never (also: NO_COLOR)", OPTION_GLOBAL } },
        { "no-pager",
          0,
          VALUE_NONE,
          set_no_pager,
          { "--no-pager", "write long answers straight to the terminal", OPTION_GLOBAL } },
        { "version", 0, VALUE_NONE, set_version, { "--version", "the version of slowctl", OPTION_GLOBAL } },
        { "help", 'h', VALUE_NONE, set_help, { "-h, --help", "this text", OPTION_GLOBAL } },
};
#define SPEC_COUNT (sizeof(specs) / sizeof(specs[0]))

const struct option_help *options_help(size_t index)
{
        return index < SPEC_COUNT ? &specs[index].help : NULL;
}

/* ---- reading ---------------------------------------------------------------------------------------------
 */

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
        const char *names[SPEC_COUNT];
        char typed[SUGGEST_NAME_MAX];
        for (size_t i = 0; i < SPEC_COUNT; i++)
                names[i] = specs[i].name;
        text_format(typed, sizeof(typed), "%.*s", (int)strcspn(argument + 2, "="), argument + 2);
        const char *near = argument[1] == '-' ? suggest(typed, names, SPEC_COUNT) : NULL;
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
        for (size_t i = 0; i < SPEC_COUNT; i++)
                if (strlen(specs[i].name) == length && strncmp(specs[i].name, argument + 2, length) == 0)
                        return take_option(reader, &specs[i], value);
        return complain_unknown_option(argument);
}

/* "-f", "-n5", "-n 5", "-fh" */
static int take_short(struct reader *reader, const char *argument)
{
        for (const char *letter = argument + 1; *letter; letter++) {
                const struct option_spec *spec = NULL;
                for (size_t i = 0; i < SPEC_COUNT; i++)
                        if (specs[i].letter == *letter)
                                spec = &specs[i];
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

/* What can be told only when everything has been read. */
static int check_together(const struct reader *reader)
{
        const struct options *options = reader->options;
        unsigned foreign = reader->given & ~(options->command->options | OPTION_GLOBAL);
        for (size_t i = 0; i < SPEC_COUNT; i++)
                if (foreign & specs[i].help.bit) {
                        complain("%s does not take --%s; see slowctl %s --help.", options->command->name,
                                 specs[i].name, options->command->name);
                        return STATUS_WRONG_USE;
                }
        if (options->command->argument && !options->argument) {
                complain("%s needs a %s; slowctl checks lists them.", options->command->name,
                         options->command->argument);
                return STATUS_WRONG_USE;
        }
        if (options->follow && options->wait) {
                complain("--follow already waits: use it without --wait.");
                return STATUS_WRONG_USE;
        }
        if (options->since_usec && options->until_usec && options->since_usec > options->until_usec) {
                complain("--since must not be later than --until.");
                return STATUS_WRONG_USE;
        }
        return 0;
}

int options_parse(int argc, char *const argv[], usec_t now_usec, struct options *ret_options)
{
        const char *socket = getenv("SLOWD_SOCKET");
        struct options options = { .command = commands[0], .socket = socket && socket[0] ? socket : NULL };
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
