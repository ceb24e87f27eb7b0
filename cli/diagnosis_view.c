/* A diagnosis in lines. */
#include "cli/diagnosis_view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/block.h"
#include "cli/finding_view.h"
#include "cli/show.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/text.h"
#include "common/usec.h"

#define RULED_OUT_LINES   3
#define NOT_CHECKED_LINES 6
#define REASONS_MAX       64
#define NAMES_BYTES_MAX   2048

static size_t array_length(struct json_object *object, const char *name, struct json_object **ret_array)
{
        return json_get_array(object, name, ret_array) == 0 ? json_object_array_length(*ret_array) : 0;
}

const char *diagnosis_view_verdict(struct json_object *reply)
{
        struct json_object *diagnosis;
        const char *verdict;
        return json_get_object(reply, "diagnosis", &diagnosis) == 0 &&
                               json_get_string(diagnosis, "verdict", &verdict) == 0
                       ? verdict
                       : NULL;
}

static bool is_past(const struct options *options)
{
        return options->at_usec > 0 || options->since_usec > 0;
}

/* "On 2026-11-22 at 14:03:12, the worst moment in between, ", the moment that was asked for; nothing if that
 * is now. Returns the columns. */
static size_t moment(struct page *page, struct json_object *diagnosis, const struct options *options)
{
        int64_t at = json_int_or(diagnosis, "atUSec", 0);
        char date[SHOW_TIME_MAX], line[2 * SHOW_TIME_MAX];
        if (at <= 0)
                at = (int64_t)options->at_usec;
        if (!is_past(options) || at <= 0)
                return 0;
        text_format(line, sizeof(line), "On %s%s", show_date_time(date, (usec_t)at),
                    options->since_usec ? ", the worst moment in between," : "");
        (void)fputs(line, page->out);
        return strlen(line);
}

/* "web1 is slow: 30 ffmpeg processes ...". slowd's sentence begins so by itself; one that does not gets it.
 * Of a moment of the past: "On 2026-11-22 at 14:03:12 web1 was slow: ...".
 */
static void headline(struct page *page, struct json_object *diagnosis, const char *verdict,
                     const struct options *options)
{
        static const struct {
                const char *verdict, *words;
                enum style style;
        } heads[] = {
                { "slow", "slow", STYLE_RED },
                { "risk", "not slow, but", STYLE_YELLOW },
                { "healthy", "healthy", STYLE_GREEN },
        };
        const char *summary = json_string_or(diagnosis, "summary", "");
        const char *machine = json_string_or(diagnosis, "machine", "this machine");
        CLEANUP_FREE char *behind = NULL; /* begins with a blank or a colon */
        size_t column = moment(page, diagnosis, options), i = 0, length = strlen(machine);
        const char *verb = column > 0 ? " was " : " is ";
        while (i < sizeof(heads) / sizeof(heads[0]) && strcmp(heads[i].verdict, verdict) != 0)
                i++;
        if (i < sizeof(heads) / sizeof(heads[0])) {
                const char *words = heads[i].words;
                bool has_machine = strncmp(summary, machine, length) == 0 &&
                                   strncmp(summary + length, " is ", 4) == 0 &&
                                   strncmp(summary + length + 4, words, strlen(words)) == 0;
                if (column > 0) {
                        bool fits = column + 1 + strlen(machine) + strlen(verb) + strlen(words) <=
                                    page_text_width(page);
                        (void)fputc(fits ? ' ' : '\n', page->out);
                        column = fits ? column + 1 : 0;
                }
                column += page_styled(page, STYLE_BOLD, machine);
                (void)fputs(verb, page->out);
                column += strlen(verb) + page_styled(page, heads[i].style, words);
                if (asprintf(&behind, "%s%s",
                             has_machine                       ? ""
                             : words[strlen(words) - 1] == 't' ? " "
                                                               : ": ",
                             has_machine ? summary + length + 4 + strlen(words) : summary) < 0)
                        behind = NULL; /* its value is undefined then */
        }
        if (column > 0 && !behind) { /* what it was then, in slowd's words */
                (void)fputc(':', page->out);
                if (asprintf(&behind, " %s", summary[0] ? summary : "nothing can be said of it.") < 0)
                        behind = NULL; /* its value is undefined then */
                column++;
        }
        (void)page_wrap(page, column, 0, page_text_width(page), behind ? behind : summary);
        (void)fputc('\n', page->out);
}

/* Without its full stop, to go on behind it. */
static int sentence_length(const char *text)
{
        size_t length = strlen(text);
        return (int)(length > 0 && text[length - 1] == '.' ? length - 1 : length);
}

/* What follows from the finding of `check`, or, if that is NULL, what has not been said yet (as bits). */
static void consequences(struct page *page, struct json_object *diagnosis, const char *check, uint64_t *said)
{
        struct json_object *list;
        size_t count = array_length(diagnosis, "consequences", &list);
        bool is_first = true;
        for (size_t i = 0; i < count && i < REASONS_MAX; i++) {
                struct json_object *finding = json_object_array_get_idx(list, i);
                const char *because = json_string_or(finding, "because", NULL);
                const char *summary = json_string_or(finding, "summary", "");
                CLEANUP_FREE char *line = NULL;
                if ((*said & UINT64_C(1) << i) || (check && (!because || strcmp(because, check) != 0)))
                        continue;
                *said |= UINT64_C(1) << i;
                if (asprintf(&line, "%s: %.*s%s%s", json_string_or(finding, "check", "?"),
                             sentence_length(summary), summary, because ? ", because of " : "",
                             because ? because : "") < 0) {
                        line = NULL; /* its value is undefined then */
                        continue;
                }
                if (is_first && !check)
                        (void)fputc('\n', page->out);
                block_item(page, is_first ? "consequence" : NULL, line);
                is_first = false;
        }
}

/* Whether the sentence of the whole has said what this finding says. */
static bool is_said(const char *summary, const char *own)
{
        size_t length = (size_t)sentence_length(own);
        return length == 0 || memmem(summary, strlen(summary), own, length);
}

/* Each with its own sentence, unless the headline has said it. */
static void findings(struct page *page, struct json_object *diagnosis, const char *list_name,
                     const char *label, uint64_t *said, const struct options *options)
{
        const char *summary = json_string_or(diagnosis, "summary", "");
        int64_t now = json_int_or(diagnosis, "atUSec", 0);
        struct json_object *list;
        size_t count = array_length(diagnosis, list_name, &list);
        for (size_t i = 0; i < count; i++) {
                struct json_object *finding = json_object_array_get_idx(list, i);
                const char *own = json_string_or(finding, "summary", "");
                if (!json_object_is_type(finding, json_type_object))
                        continue;
                (void)fputc('\n', page->out);
                if (!is_said(summary, own)) {
                        page_blanks(page, BLOCK_INDENT);
                        (void)fputs(page_style(page, STYLE_BOLD), page->out);
                        (void)page_wrap(page, BLOCK_INDENT, BLOCK_INDENT, page_text_width(page), own);
                        /* What a check says is a sentence without its full stop. */
                        (void)fprintf(page->out, "%s%s\n", own[strlen(own) - 1] == '.' ? "" : ".",
                                      page_style_end(page, STYLE_BOLD));
                }
                finding_view(page, label, finding, now > 0 ? (usec_t)now : 0, is_past(options));
                consequences(page, diagnosis, json_string_or(finding, "check", ""), said);
        }
}

/* The names alone, on a few lines at most; the values are for `slowctl checks`. */
static void ruled_out_names(struct page *page, struct json_object *diagnosis)
{
        struct json_object *list;
        size_t count = array_length(diagnosis, "ruledOut", &list), length = 0, shown = 0;
        size_t room = RULED_OUT_LINES * (page_text_width(page) - BLOCK_VALUE_COLUMN) -
                      strlen("and 99 more (slowctl checks)") -
                      RULED_OUT_LINES * 16; /* ends of lines that no name fits into */
        char line[NAMES_BYTES_MAX] = "";
        for (; shown < count; shown++) {
                const char *check = json_string_or(json_object_array_get_idx(list, shown), "check", "?");
                if (length + 2 + strlen(check) > room)
                        break;
                (void)text_append(line, sizeof(line), &length, "%s%s", shown > 0 ? ", " : "", check);
        }
        if (shown < count)
                (void)text_append(line, sizeof(line), &length, " and %zu more", count - shown);
        if (count > 0)
                block_format(page, "ruled out", "%s (slowctl checks)", line);
}

/* Two columns: what was ruled out, and the value that did it. */
static void ruled_out_values(struct page *page, struct json_object *diagnosis)
{
        struct json_object *list;
        struct block_pair pairs[REASONS_MAX];
        size_t count = array_length(diagnosis, "ruledOut", &list);
        if (count > REASONS_MAX)
                count = REASONS_MAX;
        for (size_t i = 0; i < count; i++) {
                struct json_object *reason = json_object_array_get_idx(list, i);
                pairs[i] = (struct block_pair){ json_string_or(reason, "check", "?"),
                                                json_string_or(reason, "reason", "") };
        }
        block_pairs(page, "ruled out", pairs, count, false);
}

/* Checks that lack the same thing share a line. */
static void not_checked(struct page *page, struct json_object *diagnosis)
{
        struct json_object *list;
        size_t count = array_length(diagnosis, "notChecked", &list), lines = 0;
        uint64_t said = 0;
        if (count > REASONS_MAX)
                count = REASONS_MAX;
        for (size_t i = 0; i < count; i++) {
                const char *reason = json_string_or(json_object_array_get_idx(list, i), "reason", "");
                char names[NAMES_BYTES_MAX] = "";
                size_t length = 0;
                if (said & UINT64_C(1) << i)
                        continue;
                if (lines == NOT_CHECKED_LINES) {
                        block_line(page, NULL, "and more (slowctl checks)");
                        break;
                }
                for (size_t j = i; j < count; j++) {
                        struct json_object *other = json_object_array_get_idx(list, j);
                        if (strcmp(json_string_or(other, "reason", ""), reason) != 0)
                                continue;
                        said |= UINT64_C(1) << j;
                        (void)text_append(names, sizeof(names), &length, "%s%s", length > 0 ? ", " : "",
                                          json_string_or(other, "check", "?"));
                }
                (void)text_append(names, sizeof(names), &length, ": %s", reason);
                block_item(page, lines == 0 ? "not checked" : NULL, names);
                lines++;
        }
}

int diagnosis_view(struct page *page, struct json_object *reply, const struct options *options)
{
        struct json_object *diagnosis;
        const char *verdict = diagnosis_view_verdict(reply);
        uint64_t said = 0;
        if (!verdict || json_get_object(reply, "diagnosis", &diagnosis) < 0)
                return -EBADMSG;
        headline(page, diagnosis, verdict, options);
        findings(page, diagnosis, "causes", "cause", &said, options);
        findings(page, diagnosis, "risks", "risk", &said, options);
        consequences(page, diagnosis, NULL, &said);
        struct json_object *list;
        if (array_length(diagnosis, "ruledOut", &list) > 0 ||
            array_length(diagnosis, "notChecked", &list) > 0)
                (void)fputc('\n', page->out);
        if (strcmp(verdict, "healthy") == 0)
                ruled_out_values(page, diagnosis);
        else
                ruled_out_names(page, diagnosis);
        not_checked(page, diagnosis);
        return 0;
}
