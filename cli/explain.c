/* slowctl explain CHECK: what a check means, what helps, and its thresholds with their reasons. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/block.h"
#include "cli/commands.h"
#include "cli/complain.h"
#include "cli/show.h"
#include "cli/suggest.h"
#include "cli/views.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/text.h"
#include "common/units.h"

#define CHECKS_MAX 64

static size_t array_length(struct json_object *object, const char *name, struct json_object **ret_array)
{
        return json_get_array(object, name, ret_array) == 0 ? json_object_array_length(*ret_array) : 0;
}

/* A heading and a paragraph below it. */
static void section(struct page *page, const char *title, const char *text)
{
        if (!text || !text[0])
                return;
        (void)fprintf(page->out, "\n%s%s%s\n", page_style(page, STYLE_BOLD), title,
                      page_style_end(page, STYLE_BOLD));
        page_paragraphs(page, BLOCK_INDENT, page_text_width(page), text);
}

/* As it would be written in slowd.conf, with what the number counts. */
static const char *format_setting(char buffer[static UNITS_MAX], const char *unit, int64_t value)
{
        double number = (double)value;
        size_t length;
        if (strcmp(unit, "permille") == 0)
                return format_permille(buffer, number);
        if (strcmp(unit, "seconds") == 0)
                return format_duration(buffer, value > 0 ? (usec_t)value * USEC_PER_SEC : 0);
        if (strcmp(unit, "bytes") == 0)
                return format_bytes(buffer, number);
        if (strcmp(unit, "bytesPerSecond") == 0)
                (void)format_bytes(buffer, number);
        else
                (void)format_count(buffer, number);
        length = strlen(buffer);
        if (strcmp(unit, "perSecond") == 0 || strcmp(unit, "bytesPerSecond") == 0)
                (void)text_append(buffer, UNITS_MAX, &length, "/s");
        return buffer;
}

/* "  RaisePressurePermille=100 (10 %; default 20 %)", then why. */
static void threshold(struct page *page, struct json_object *parameter)
{
        const char *key = json_string_or(parameter, "key", "?"),
                   *unit = json_string_or(parameter, "unit", "");
        int64_t value = json_int_or(parameter, "value", 0);
        int64_t usual = json_int_or(parameter, "defaultValue", value);
        char number[UNITS_MAX], default_number[UNITS_MAX];

        page_blanks(page, BLOCK_INDENT);
        (void)page_styled(page, STYLE_BOLD, key);
        (void)fprintf(page->out, "=%" PRId64 "  (%s", value, format_setting(number, unit, value));
        if (value != usual)
                (void)fprintf(page->out, "; default %s", format_setting(default_number, unit, usual));
        (void)fputs(")\n", page->out);

        const char *source = json_string_or(parameter, "source", "");
        CLEANUP_FREE char *source_line = NULL;
        if (source[0] && asprintf(&source_line, "Source: %s", source) < 0)
                source_line = NULL; /* its value is undefined then */
        const char *const texts[] = { json_string_or(parameter, "meaning", ""),
                                      json_string_or(parameter, "reason", ""), source_line };
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
                if (texts[i] && texts[i][0])
                        page_paragraphs(page, BLOCK_INDENT + 4, page_text_width(page), texts[i]);
}

int explain_view(struct page *page, struct json_object *reply, const struct options *options)
{
        (void)options;
        struct json_object *list;
        const char *name;
        if (json_get_string(reply, "name", &name) < 0)
                return -EBADMSG;
        size_t columns = page_styled(page, STYLE_BOLD, name);
        char title[512];
        text_format(title, sizeof(title), ": %s", json_string_or(reply, "title", ""));
        (void)page_wrap(page, columns, 0, page_text_width(page), title);
        (void)fputc('\n', page->out);

        section(page, "What is going on", json_string_or(reply, "cause", NULL));
        section(page, "What it means", json_string_or(reply, "meaning", NULL));
        section(page, "What it is told apart from", json_string_or(reply, "lookAlike", NULL));
        section(page, "What helps", json_string_or(reply, "remedy", NULL));

        char follows[1024] = "";
        size_t length = 0, count = array_length(reply, "explains", &list);
        for (size_t i = 0; i < count; i++)
                (void)text_append(follows, sizeof(follows), &length, "%s%s", i > 0 ? ", " : "",
                                  json_object_get_string(json_object_array_get_idx(list, i)));
        section(page, "What can follow from it", follows);

        count = array_length(reply, "parameters", &list);
        if (count > 0)
                (void)fprintf(page->out, "\n%sThresholds%s", page_style(page, STYLE_BOLD),
                              page_style_end(page, STYLE_BOLD));
        if (count > 0) {
                (void)fputs(" (slowd.conf, section [check ", page->out);
                (void)page_styled(page, STYLE_PLAIN, name);
                (void)fputs("])\n", page->out);
        }
        for (size_t i = 0; i < count; i++)
                threshold(page, json_object_array_get_idx(list, i));

        char alerts[256];
        const char *message_id = json_string_or(reply, "messageId", "");
        text_format(alerts, sizeof(alerts), "journalctl MESSAGE_ID=%s", message_id);
        section(page, "Its entries in the journal", message_id[0] ? alerts : NULL);
        return 0;
}

/* There is no such check: which was meant? Without an answer to that, the plain sentence. */
static int complain_unknown(const struct options *options)
{
        CLEANUP_JSON struct json_object *reply = NULL;
        const char *names[CHECKS_MAX], *near = NULL;
        struct json_object *checks;
        size_t count = 0;
        if (ask_once(options, "ListChecks", NULL, &reply) == 0) {
                size_t length = array_length(reply, "checks", &checks);
                for (size_t i = 0; i < length && count < CHECKS_MAX; i++)
                        names[count++] = json_string_or(json_object_array_get_idx(checks, i), "name", "");
                near = suggest(options->argument, names, count);
        }
        if (near)
                complain("There is no check '%s'; did you mean %s?", options->argument, near);
        else
                complain("There is no check '%s'; slowctl checks lists them.", options->argument);
        return STATUS_WRONG_USE;
}

static int explain_run(const struct options *options)
{
        struct json_object *parameters = json_object_new_object();
        if (!parameters || json_add_string(parameters, "check", options->argument) < 0) {
                json_object_put(parameters);
                complain("There is no memory.");
                return STATUS_NOT_REACHABLE;
        }
        int r = show_question(options, "Explain", parameters, explain_view);
        return r == -ENOENT ? complain_unknown(options) : r;
}

const struct command command_explain = {
        .name = "explain",
        .argument = "CHECK",
        .argument_hint = "slowctl checks lists them",
        .summary = "what a check means, what helps, and its thresholds with their reasons",
        .help = "Says about one check: what is going on when it is found, what that means, what it is told "
                "apart "
                "from, what helps, what can follow from it, and its thresholds with the reason and the "
                "source of "
                "each. slowctl checks lists the checks.",
        .run = explain_run,
};
