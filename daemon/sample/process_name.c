/* Names of programs, and which argument of an interpreter is its script. */
#include "daemon/sample/process_name.h"

#include <string.h>

/* How an interpreter reads its command line, from its manual page: which options mean that there is no script
 * file, and which take the next argument, so that it is not mistaken for the script. */
struct interpreter {
        const char *name;             /* also with a version behind it: "python3.11" */
        const char *code_letters;     /* the program is an argument or comes from standard input */
        const char *module_letters;   /* the argument names the module to run */
        const char *script_letters;   /* the argument is the script */
        const char *argument_letters; /* take an argument, joined or the next one */
        const char *joined_letters;   /* take what is joined only */
        const char *long_arguments;   /* " --option --option ": take the next argument */
        const char *long_code;        /* the same: the program is an argument */
};

#define SHELL(shell_name)                                                                                    \
        {                                                                                                    \
                .name = (shell_name), .code_letters = "cs", .argument_letters = "oO",                        \
                .long_arguments = " --rcfile --init-file "                                                   \
        }

static const struct interpreter interpreters[] = {
        SHELL("sh"),
        SHELL("bash"),
        SHELL("dash"),
        SHELL("zsh"),
        SHELL("ksh"),
        SHELL("ash"),
        SHELL("mksh"),
        SHELL("rbash"),
        SHELL("fish"),
        { .name = "python",
          .code_letters = "c",
          .module_letters = "m",
          .argument_letters = "WXQ",
          .long_arguments = " --check-hash-based-pycs " },
        { .name = "pypy", .code_letters = "c", .module_letters = "m", .argument_letters = "WX" },
        { .name = "perl", .code_letters = "eE", .argument_letters = "I", .joined_letters = "MmiFl0dDxCV" },
        { .name = "ruby", .code_letters = "e", .argument_letters = "IrEC", .joined_letters = "iFlK0TWx" },
        { .name = "node",
          .code_letters = "ep",
          .argument_letters = "rC",
          .long_arguments = " --require --import --loader --experimental-loader --conditions --title ",
          .long_code = " --eval --print " },
        { .name = "nodejs",
          .code_letters = "ep",
          .argument_letters = "rC",
          .long_arguments = " --require --import --loader ",
          .long_code = " --eval --print " },
        { .name = "php", .code_letters = "rBRE", .script_letters = "f", .argument_letters = "cdtSz" },
        { .name = "lua", .argument_letters = "el" },
        { .name = "luajit", .argument_letters = "elj" },
        { .name = "tclsh", .code_letters = "" },
        { .name = "wish", .code_letters = "" },
        { .name = "mono", .code_letters = "" },
        { .name = "dotnet", .long_arguments = " --fx-version --additionalprobingpath --depsfile " },
        { .name = "java" }, /* its options are words, see java_program() */
};

/* One file that is many programs: which one, comm says. */
static const char *const multi_call[] = { "busybox", "toybox", "coreutils", "udevadm", NULL };

/* What runtimes call their main thread, whatever program they run. */
static const char *const runtime_names[] = { "MainThread", "node-MainThread", "main", NULL };

static bool in_list(const char *const *list, struct span word)
{
        for (; *list; list++)
                if (span_equal(word, *list))
                        return true;
        return false;
}

/* Is the word one of " --a --b "? */
static bool in_words(const char *words, struct span word)
{
        struct span list, one;
        if (!words)
                return false;
        list = span_of(words);
        while (span_take_word(&list, &one))
                if (one.length == word.length && memcmp(one.at, word.at, one.length) == 0)
                        return true;
        return false;
}

static struct span base_name(struct span path)
{
        for (size_t i = path.length; i > 0; i--)
                if (path.at[i - 1] == '/' && i < path.length)
                        return (struct span){ path.at + i, path.length - i };
        return path;
}

static struct span without_suffix(struct span text, const char *suffix)
{
        size_t n = strlen(suffix);
        if (text.length >= n && memcmp(text.at + text.length - n, suffix, n) == 0)
                text.length -= n;
        return text;
}

static const struct interpreter *find_interpreter(struct span name)
{
        for (size_t i = 0; i < sizeof(interpreters) / sizeof(interpreters[0]); i++) {
                const struct interpreter *it = &interpreters[i];
                size_t n = strlen(it->name);
                if (!span_starts(name, it->name))
                        continue;
                /* What follows is a version, or nothing. "php-fpm8.2" and "shfmt" are programs of their own.
                 */
                while (n < name.length && strchr("0123456789.-", name.at[n]))
                        n++;
                if (n == name.length)
                        return it;
        }
        return NULL;
}

static bool take_argument(struct span *arguments, struct span *ret)
{
        if (arguments->length == 0)
                return false;
        if (!span_take_until(arguments, '\0', ret)) {
                *ret = *arguments;
                arguments->length = 0;
        }
        return true;
}

enum program_kind { PROGRAM_NONE, PROGRAM_SCRIPT, PROGRAM_MODULE };

/* "bash /dev/fd/3", "bash <(make-script)": a pipe, not a file that somebody could look at. */
static bool is_descriptor(struct span path)
{
        return span_starts(path, "/dev/fd/") || span_starts(path, "/proc/self/fd/") ||
               span_equal(path, "/dev/stdin");
}

/* java [options] class [arguments], java [options] -jar file [arguments], java [options] -m module[/class] */
static enum program_kind java_program(struct span arguments, struct span *ret)
{
        static const char with_argument[] =
                " -cp -classpath --class-path -p --module-path --upgrade-module-path --add-modules "
                "--add-reads --add-exports --add-opens --limit-modules --patch-module --source "
                "--enable-native-access ";
        struct span word;
        while (take_argument(&arguments, &word)) {
                if (span_equal(word, "-jar") || span_equal(word, "-m") || span_equal(word, "--module"))
                        return take_argument(&arguments, ret) ? PROGRAM_MODULE : PROGRAM_NONE;
                if (in_words(with_argument, word))
                        (void)take_argument(&arguments, &word);
                else if (word.length > 0 && word.at[0] != '-' && word.at[0] != '@') {
                        *ret = word;
                        return PROGRAM_MODULE;
                }
        }
        return PROGRAM_NONE;
}

static bool has_letter(const char *letters, char letter)
{
        return letters && letter && strchr(letters, letter);
}

/* One cluster of short options, "-xeu". Sets *ret_is_done when it decides what the program is. */
static enum program_kind short_options(const struct interpreter *it, struct span cluster,
                                       struct span *arguments, struct span *ret, bool *ret_is_done)
{
        for (size_t i = 1; i < cluster.length; i++) {
                char letter = cluster.at[i];
                struct span rest = { cluster.at + i + 1, cluster.length - i - 1 };
                bool is_module = has_letter(it->module_letters, letter);
                if (has_letter(it->code_letters, letter)) {
                        *ret_is_done = true;
                        return PROGRAM_NONE;
                }
                if (is_module || has_letter(it->script_letters, letter)) {
                        *ret_is_done = true;
                        if (rest.length == 0 && !take_argument(arguments, &rest))
                                return PROGRAM_NONE;
                        *ret = rest;
                        return is_module ? PROGRAM_MODULE : PROGRAM_SCRIPT;
                }
                if (has_letter(it->joined_letters, letter))
                        break;
                if (has_letter(it->argument_letters, letter)) {
                        if (rest.length == 0)
                                (void)take_argument(arguments, &rest);
                        break;
                }
        }
        return PROGRAM_NONE;
}

static enum program_kind find_program(const struct interpreter *it, struct span arguments, struct span *ret)
{
        struct span word;
        bool is_done = false;

        if (!take_argument(&arguments, &word)) /* argv[0] */
                return PROGRAM_NONE;
        if (strcmp(it->name, "java") == 0)
                return java_program(arguments, ret);
        while (take_argument(&arguments, &word)) {
                bool is_last = span_equal(word, "--");
                if (is_last && !take_argument(&arguments, &word))
                        return PROGRAM_NONE;
                if (word.length == 0 || span_equal(word, "-") || is_descriptor(word))
                        return PROGRAM_NONE; /* from standard input */
                if (is_last || (word.at[0] != '-' && word.at[0] != '+')) {
                        *ret = word;
                        return PROGRAM_SCRIPT;
                }
                if (span_starts(word, "--")) {
                        if (in_words(it->long_code, word))
                                return PROGRAM_NONE;
                        if (in_words(it->long_arguments, word))
                                (void)take_argument(&arguments, &word);
                        continue;
                }
                enum program_kind kind = short_options(it, word, &arguments, ret, &is_done);
                if (is_done)
                        return kind;
        }
        return PROGRAM_NONE;
}

/* "/srv/app/__main__.py" is called app, "org.example.Server" by all of its name as long as that fits. */
static struct span program_name(struct span program)
{
        struct span base = base_name(program);
        if (span_equal(base, "__main__.py") && base.length + 1 < program.length)
                base = base_name((struct span){ program.at, program.length - base.length - 1 });
        if (base.length >= PROGRAM_NAME_MAX)
                for (size_t i = base.length; i > 0; i--)
                        if (base.at[i - 1] == '.' && i < base.length && base.length - i > 3)
                                return (struct span){ base.at + i, base.length - i };
        return base;
}

/* "kworker/u8:2-events" is kworker, "ksoftirqd/0" ksoftirqd, "kswapd0" kswapd. */
static struct span kernel_name(struct span comm)
{
        struct span name = comm;
        for (size_t i = 1; i < name.length; i++)
                if (name.at[i] == '/')
                        return (struct span){ name.at, i };
        while (name.length > 1 && strchr("0123456789", name.at[name.length - 1]))
                name.length--;
        while (name.length > 1 && strchr("_-:.", name.at[name.length - 1]))
                name.length--;
        return name;
}

/* comm holds 15 bytes of the name that was executed. */
static bool is_comm_of(struct span comm, struct span name)
{
        size_t n = name.length < COMM_MAX - 1 ? name.length : COMM_MAX - 1;
        return comm.length == n && memcmp(comm.at, name.at, n) == 0;
}

/* Where the executable may not be seen: what it was called as, if that is an interpreter; else mostly comm.
 */
static struct span likely_executable(const struct process_name_source *source)
{
        struct span arguments = source->arguments, first;
        if (take_argument(&arguments, &first) && find_interpreter(base_name(first)))
                return base_name(first);
        return source->comm;
}

void process_name(const struct process_name_source *source, char ret_name[static PROGRAM_NAME_MAX],
                  struct span *ret_script)
{
        const struct span comm = source->comm;
        const struct span exe = source->exe.length > 0 ? base_name(without_suffix(source->exe, " (deleted)"))
                                                       : likely_executable(source);
        struct span program = { "", 0 }, name = exe;
        enum program_kind kind = PROGRAM_NONE;

        *ret_script = program;
        if (source->is_kernel_thread)
                name = kernel_name(comm);
        else {
                bool is_multi_call = in_list(multi_call, exe);
                const struct interpreter *it = find_interpreter(is_multi_call ? comm : exe);
                if (it)
                        kind = find_program(it, source->arguments, &program);
                if (kind == PROGRAM_SCRIPT)
                        *ret_script = program;
                if (it || is_multi_call) {
                        const struct span called = program_name(program);
                        bool is_own_name = !is_comm_of(comm, exe) && !find_interpreter(comm) &&
                                           !in_list(runtime_names, comm);
                        /* comm is cut at 15 bytes: the script's whole name is better where they agree. */
                        if (kind != PROGRAM_NONE && called.length > 0 &&
                            (!is_own_name || is_comm_of(comm, called)))
                                name = called;
                        else if (comm.length > 0)
                                name = comm;
                }
        }
        (void)span_copy(name, ret_name, PROGRAM_NAME_MAX);
        text_sanitize(ret_name, "");
}

void process_command_line(struct span arguments, char ret_text[static COMMAND_LINE_MAX])
{
        static const char cut[] = "…";
        size_t length = arguments.length;

        while (length > 0 && arguments.at[length - 1] == '\0')
                length--;
        bool fits = length < COMMAND_LINE_MAX;
        if (!fits) {
                length = COMMAND_LINE_MAX - sizeof(cut);
                /* 10xxxxxx continues a character of at most four bytes: cut before its first one. */
                for (size_t i = 0; i < 3 && ((unsigned char)arguments.at[length] & 0xc0) == 0x80; i++)
                        length--;
        }
        for (size_t i = 0; i < length; i++)
                ret_text[i] = arguments.at[i] ? arguments.at[i] : ' ';
        memcpy(ret_text + length, fits ? "" : cut, fits ? 1 : sizeof(cut));
        text_sanitize(ret_text, "");
}
