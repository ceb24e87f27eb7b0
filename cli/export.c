/* slowctl export: a part of the record as a file of its own, to be looked at elsewhere. It is written beside
 * its name and gets that name when it is complete: what has the name is whole. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/ask.h"
#include "cli/base64.h"
#include "cli/commands.h"
#include "cli/complain.h"
#include "cli/show.h"
#include "common/cleanup.h"
#include "common/text.h"
#include "common/units.h"

struct output {
        const char *name; /* as given; "-": standard output */
        int fd;
        bool is_stdout;
        uint64_t size;
};

/* ---- the file --------------------------------------------------------------------------------------------
 */

/* For the signal handler: the unfinished file, "" when there is none. */
static char unfinished[PATH_MAX];

static void on_signal(int number)
{
        if (unfinished[0])
                (void)unlink(unfinished);
        (void)signal(number, SIG_DFL);
        (void)raise(number);
}

static void catch_signals(void)
{
        static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
        struct sigaction action = { .sa_handler = on_signal };
        for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
                struct sigaction before;
                /* What was ignored from the start (nohup) stays so. */
                if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
                        (void)sigaction(signals[i], &action, NULL);
        }
}

/* 0, or an exit status after a sentence. */
static int output_open(struct output *output, const struct options *options)
{
        struct stat status;
        *output = (struct output){ .name = options->argument, .fd = STDOUT_FILENO };
        output->is_stdout = strcmp(output->name, "-") == 0;
        if (output->is_stdout) {
                if (!isatty(STDOUT_FILENO))
                        return 0;
                complain(
                        "A recording is not for a terminal: name a file, or send standard output elsewhere.");
                return STATUS_WRONG_USE;
        }
        if (lstat(output->name, &status) == 0) {
                if (!S_ISREG(status.st_mode)) {
                        complain("%s is not a regular file; for standard output, use - instead.",
                                 output->name);
                        return STATUS_WRONG_USE;
                }
                if (!options->force) {
                        complain("%s exists already; --force overwrites it.", output->name);
                        return STATUS_WRONG_USE;
                }
        }
        if (!output->name[0] || strlen(output->name) + sizeof(".XXXXXX") > sizeof(unfinished)) {
                complain("'%s' cannot be the name of a file.", output->name);
                return STATUS_WRONG_USE;
        }
        text_format(unfinished, sizeof(unfinished), "%s.XXXXXX", output->name);
        /* Only for its owner: it says who did what on this machine. */
        output->fd = mkostemp(unfinished, O_CLOEXEC);
        if (output->fd >= 0) {
                catch_signals();
                return 0;
        }
        unfinished[0] = '\0';
        complain("%s cannot be written: %s", output->name, strerror(errno));
        return STATUS_NOT_REACHABLE;
}

/* 0 or negative errno. */
static int output_write(struct output *output, const unsigned char *bytes, size_t size)
{
        for (size_t done = 0; done < size;) {
                ssize_t written = write(output->fd, bytes + done, size - done);
                if (written < 0 && errno != EINTR)
                        return -errno;
                done += written > 0 ? (size_t)written : 0;
        }
        output->size += size;
        return 0;
}

/* Gives the file its name. Without `may_replace` it does not take it from another that has got it meanwhile.
 */
static int output_name(const struct output *output, bool may_replace)
{
        if (may_replace)
                return rename(unfinished, output->name) < 0 ? -errno : 0;
        if (renameat2(AT_FDCWD, unfinished, AT_FDCWD, output->name, RENAME_NOREPLACE) == 0)
                return 0;
        if (errno != EINVAL && errno != ENOSYS)
                return -errno;
        /* This file system cannot promise that; it was looked for at the start. */
        return access(output->name, F_OK) == 0 ? -EEXIST : rename(unfinished, output->name) < 0 ? -errno : 0;
}

static int output_finish(struct output *output, bool may_replace)
{
        if (output->is_stdout)
                return 0;
        int r = fsync(output->fd) < 0 ? -errno : 0;
        if (close(take_fd(&output->fd)) < 0 && r == 0)
                r = -errno;
        if (r == 0)
                r = output_name(output, may_replace);
        if (r == 0)
                unfinished[0] = '\0';
        return r;
}

static void output_done(struct output *output)
{
        if (!output->is_stdout && output->fd >= 0)
                (void)close(output->fd);
        if (unfinished[0])
                (void)unlink(unfinished);
        unfinished[0] = '\0';
}

/* ---- the conversation ------------------------------------------------------------------------------------
 */

/* Since when there is a record; 0 if that is not told. */
static usec_t oldest_record(struct ask *ask)
{
        CLEANUP_JSON struct json_object *reply = NULL;
        if (ask_call(ask, "Status", NULL, false) != ANSWER_OK ||
            ask_receive(ask, ASK_TIMEOUT_USEC, &reply) != ANSWER_OK)
                return 0;
        int64_t oldest = json_int_or(reply, "historyOldestUSec", 0);
        return oldest > 0 ? (usec_t)oldest : 0;
}

static int write_piece(struct output *output, const char *text)
{
        size_t length = strlen(text), size;
        CLEANUP_FREE unsigned char *bytes = malloc(BASE64_BYTES_MAX(length) + 1);
        if (!bytes)
                return -ENOMEM;
        int r = base64_decode(text, length, bytes, &size);
        return r < 0 ? r : output_write(output, bytes, size);
}

/* Takes all pieces. 0, or an exit status after a sentence. */
static int receive(struct ask *ask, struct output *output)
{
        do {
                CLEANUP_JSON struct json_object *reply = NULL;
                const char *data;
                enum answer answer = ask_receive(ask, ASK_PAST_TIMEOUT_USEC, &reply);
                if (answer == ANSWER_TIMED_OUT)
                        ask_complain_timeout(ask, ASK_PAST_TIMEOUT_USEC);
                if (answer == ANSWER_NOT_READY)
                        return ask_complain_not_ready();
                if (answer == ANSWER_NO_HISTORY)
                        return STATUS_UNKNOWN;
                if (answer != ANSWER_OK)
                        return STATUS_NOT_REACHABLE;
                int r = json_get_string(reply, "data", &data) < 0 ? -EBADMSG : write_piece(output, data);
                if (r == -EBADMSG)
                        ask_complain_reply(ask);
                else if (r < 0)
                        complain("%s cannot be written: %s",
                                 output->is_stdout ? "Standard output" : output->name, strerror(-r));
                if (r < 0)
                        return STATUS_NOT_REACHABLE;
        } while (!ask->has_ended);
        if (output->size > 0)
                return 0;
        complain("slowd has sent an empty recording");
        return STATUS_NOT_REACHABLE;
}

/* "bug.slowd: 1.2 MB, from 2024-11-22 at 13:14:02 to 2024-11-22 at 14:14:02" */
static void say_result(const struct output *output, const struct options *options, usec_t oldest_usec)
{
        char size[UNITS_MAX], since[SHOW_TIME_MAX], until[SHOW_TIME_MAX];
        usec_t begin = options->since_usec > oldest_usec ? options->since_usec : oldest_usec;
        usec_t end = options->until_usec && options->until_usec < options->now_usec ? options->until_usec
                                                                                    : options->now_usec;
        char text[PATH_MAX + 256];
        size_t length = 0;
        (void)text_append(text, sizeof(text), &length, "%s%s%s", output->is_stdout ? "" : output->name,
                          output->is_stdout ? "" : ": ", format_bytes(size, (double)output->size));
        if (begin > 0 && begin < end)
                (void)text_append(text, sizeof(text), &length, ", from %s to %s",
                                  show_date_time(since, begin), show_date_time(until, end));
        text_sanitize(text, "");
        (void)fprintf(output->is_stdout ? stderr : stdout, "%s\n", text);
}

static int add_parameters(struct json_object *parameters, const struct options *options)
{
        return options->command_lines
                       ? json_add(parameters, "withCommandLines", json_object_new_boolean(true))
                       : 0;
}

static int export_run(const struct options *options)
{
        struct output output;
        struct ask ask = { 0 };
        if (options->json != JSON_NONE) {
                complain("export writes a recording, not JSON: use it without --json.");
                return STATUS_WRONG_USE;
        }
        int status = output_open(&output, options);
        if (status != 0)
                return status;
        struct json_object *parameters = ask_parameters(options);
        usec_t oldest = 0;
        status = STATUS_NOT_REACHABLE;
        if (parameters && add_parameters(parameters, options) < 0)
                (void)ask_complain_memory(TAKE(parameters));
        if (parameters && ask_open(options, &ask) == ANSWER_OK) {
                oldest = oldest_record(&ask);
                if (ask_call(&ask, "Export", TAKE(parameters), true) == ANSWER_OK)
                        status = receive(&ask, &output);
        }
        json_object_put(parameters);
        ask_done(&ask);
        if (status == 0) {
                int r = output_finish(&output, options->force);
                if (r < 0) {
                        complain("%s cannot be written: %s", output.name, strerror(-r));
                        status = r == -EEXIST ? STATUS_WRONG_USE : STATUS_NOT_REACHABLE;
                }
        }
        output_done(&output);
        if (status == 0)
                say_result(&output, options, oldest);
        return status;
}

const struct command command_export = {
        .name = "export",
        .argument = "FILE",
        .argument_hint = "- is standard output",
        .summary = "a part of the record as a file, to send or to look at elsewhere",
        .help = "Writes what was recorded in that time, by default all of it, into FILE, or to standard "
                "output if that "
                "is -. slowd answers from it on any machine, see slowd(8). Command lines are "
                "left out "
                "unless they are asked for. The file is readable by its owner alone; send it on as you see "
                "fit. Only "
                "for root and members of group slowd.\n\n"
                "Times are written like 14:03, \"yesterday 14:03\", today, 2026-11-22, \"2026-11-22 "
                "14:03:00\", -2h, "
                "\"10 min ago\" or @1732284842, in the local time zone.",
        .options = OPTION_SINCE | OPTION_UNTIL | OPTION_COMMAND_LINES | OPTION_FORCE,
        .run = export_run,
};
