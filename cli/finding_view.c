/* One finding in lines. */
#include "cli/finding_view.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/block.h"
#include "cli/show.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/text.h"
#include "common/units.h"

#define LINE_MAX_BYTES     2048
#define EVIDENCE_SHOWN     5
#define EVIDENCE_MAX       32 /* bits of a mask; no reply has more */
#define PIDS_SHOWN         3
#define REMEDIES_MAX       16
#define SURE_FROM_PERMILLE 800 /* below it the answer says how sure it is */

enum style finding_view_style(const char *severity)
{
        if (strcmp(severity, "critical") == 0)
                return STYLE_RED;
        return strcmp(severity, "warning") == 0 ? STYLE_YELLOW : STYLE_BOLD;
}

static size_t array_length(struct json_object *object, const char *name, struct json_object **ret_array)
{
        return json_get_array(object, name, ret_array) == 0 ? json_object_array_length(*ret_array) : 0;
}

/* ---- subjects --------------------------------------------------------------------------------------------
 */

/* Whether a kind says more than its name alone: "disk sda", but not "program ffmpeg". */
static bool kind_is_shown(const char *kind)
{
        static const char *const shown[] = {
                "disk", "file", "mount", "interface", "peer", "device", "setting"
        };
        for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
                if (strcmp(kind, shown[i]) == 0)
                        return true;
        return false;
}

void finding_view_subject(char *buffer, size_t size, size_t *length, struct json_object *subject)
{
        const char *kind = json_string_or(subject, "kind", ""), *name = json_string_or(subject, "name", "");
        const char *user = json_string_or(subject, "user", NULL),
                   *unit = json_string_or(subject, "unit", NULL);
        int64_t count = json_int_or(subject, "count", 0);
        struct json_object *pids;
        size_t pid_count = array_length(subject, "pids", &pids);
        if (strcmp(kind, "machine") == 0)
                (void)text_append(buffer, size, length, "%s", name[0] ? name : "the whole machine");
        else
                (void)text_append(buffer, size, length, "%s%s%s", kind_is_shown(kind) ? kind : "",
                                  kind_is_shown(kind) ? " " : "", name);
        if (count > 1)
                (void)text_append(buffer, size, length, ", %" PRId64 " processes", count);
        if (pid_count > 0 && pid_count <= PIDS_SHOWN && count <= PIDS_SHOWN) {
                (void)text_append(buffer, size, length, " (pid");
                for (size_t i = 0; i < pid_count; i++)
                        (void)text_append(buffer, size, length, "%s %" PRId64, i > 0 ? "," : "",
                                          json_object_get_int64(json_object_array_get_idx(pids, i)));
                (void)text_append(buffer, size, length, ")");
        }
        if (user)
                (void)text_append(buffer, size, length, ", user %s", user);
        if (unit && strcmp(unit, name) != 0)
                (void)text_append(buffer, size, length, ", %s", unit);
}

/* Its command line, cut to one line: enough to know it again. */
static void command_line(struct page *page, struct json_object *subject)
{
        const char *text = json_string_or(subject, "commandLine", NULL);
        CLEANUP_FREE char *clean = text ? page_clean(page, text) : NULL;
        if (!clean || strcmp(clean, json_string_or(subject, "name", "")) == 0)
                return;
        page_cut(page, clean, page_text_width(page) - BLOCK_VALUE_COLUMN);
        block_label(page, "command");
        (void)fprintf(page->out, "%s\n", clean);
}

/* ---- who started it --------------------------------------------------------------------------------------
 */

static const char *base_name(const char *path)
{
        const char *slash = strrchr(path, '/');
        return slash ? slash + 1 : path;
}

/* Whether a step of the chain is the process that runs the script: named after it, or with it among its
 * arguments ("bash deploy.sh"). */
static bool runs_script(struct json_object *step, const char *script)
{
        const char *name = json_string_or(step, "name", ""), *base = base_name(script);
        struct span line = span_of(json_string_or(step, "commandLine", "")), word;
        if (strcmp(name, base) == 0)
                return true;
        while (span_take_word(&line, &word)) {
                char argument[512];
                (void)span_copy(word, argument, sizeof(argument));
                if (strcmp(base_name(argument), base) == 0)
                        return true;
        }
        return false;
}

static void started_by(struct page *page, struct json_object *origin)
{
        const char *script = json_string_or(origin, "script", NULL);
        const char *directory = json_string_or(origin, "workingDirectory", NULL);
        char line[LINE_MAX_BYTES] = "";
        size_t length = 0, script_step = SIZE_MAX;
        struct json_object *chain;
        size_t steps = array_length(origin, "chain", &chain);
        for (size_t i = 0; script && i < steps; i++) /* the last one wins: nearest to the culprit */
                if (runs_script(json_object_array_get_idx(chain, i), script))
                        script_step = i;
        for (size_t i = 0; i < steps; i++) {
                struct json_object *step = json_object_array_get_idx(chain, i);
                (void)text_append(line, sizeof(line), &length, "%s%s", i > 0 ? " → " : "",
                                  i == script_step ? script : json_string_or(step, "name", "?"));
        }
        if (script && script_step == SIZE_MAX)
                (void)text_append(line, sizeof(line), &length, "%s%s", length > 0 ? ", script " : "", script);
        if (directory)
                (void)text_append(line, sizeof(line), &length, "%sin %s", length > 0 ? ", " : "", directory);
        if (length > 0)
                block_line(page, "started by", line);
}

/* ---- evidence and victims --------------------------------------------------------------------------------
 */

static const char *format_value(char buffer[static UNITS_MAX], const char *unit, int64_t value)
{
        double number = (double)value;
        size_t length;
        if (strcmp(unit, "permille") == 0)
                return format_permille(buffer, number);
        if (strcmp(unit, "usec") == 0)
                return format_duration(buffer, value > 0 ? (usec_t)value : 0);
        if (strcmp(unit, "bytes") == 0)
                return format_bytes(buffer, number);
        if (strcmp(unit, "bytesPerSecond") == 0)
                (void)format_bytes(buffer, number);
        else
                (void)format_count(buffer, number);
        length = strlen(buffer);
        if (strcmp(unit, "bytesPerSecond") == 0 || strcmp(unit, "perSecond") == 0)
                (void)text_append(buffer, UNITS_MAX, &length, "/s");
        return buffer;
}

/* Whether a word of the text is the name: "nginx waits for a CPU 31 % of the time". */
static bool names(const char *text, const char *name)
{
        size_t length = strlen(name);
        for (const char *at = text; length > 0 && (at = strstr(at, name)); at++) {
                bool begins = at == text || strchr(" (", at[-1]), ends = strchr(" ,.:;)", at[length]);
                if (begins && ends)
                        return true;
        }
        return false;
}

/* The evidence that is a victim's own loss, said beside its name and not twice; EVIDENCE_MAX if there is
 * none. */
static size_t evidence_of_victim(struct json_object *evidence, size_t count, struct json_object *victim)
{
        int64_t lost, value;
        if (json_get_int(victim, "lostPermille", &lost) < 0)
                return EVIDENCE_MAX;
        for (size_t i = 0; i < count; i++) {
                struct json_object *item = json_object_array_get_idx(evidence, i);
                if (strcmp(json_string_or(item, "unit", ""), "permille") == 0 &&
                    json_get_int(item, "value", &value) == 0 && value == lost &&
                    names(json_string_or(item, "text", ""), json_string_or(victim, "name", "")))
                        return i;
        }
        return EVIDENCE_MAX;
}

/* Returns the evidence that has been said with the victims, as bits. */
static uint32_t who_waits(struct page *page, struct json_object *finding)
{
        struct json_object *victims, *evidence;
        size_t count = array_length(finding, "victims", &victims), length = 0;
        size_t evidence_count = array_length(finding, "evidence", &evidence);
        char line[LINE_MAX_BYTES] = "", number[UNITS_MAX];
        uint32_t said = 0;
        if (evidence_count > EVIDENCE_MAX)
                evidence_count = EVIDENCE_MAX;
        for (size_t i = 0; i < count; i++) {
                struct json_object *victim = json_object_array_get_idx(victims, i);
                size_t index = evidence_of_victim(evidence, evidence_count, victim);
                int64_t lost, usual;
                (void)text_append(line, sizeof(line), &length, "%s%s", i > 0 ? ", " : "",
                                  json_string_or(victim, "name", "?"));
                if (json_get_int(victim, "lostPermille", &lost) == 0)
                        (void)text_append(line, sizeof(line), &length, " %s%s",
                                          format_permille(number, (double)lost),
                                          i == 0 ? " of its time" : "");
                if (index == EVIDENCE_MAX)
                        continue;
                said |= UINT32_C(1) << index;
                if (json_get_int(json_object_array_get_idx(evidence, index), "usual", &usual) == 0)
                        (void)text_append(line, sizeof(line), &length, " (usually %s)",
                                          format_permille(number, (double)usual));
        }
        if (length > 0)
                block_line(page, "who waits", line);
        return said;
}

static void evidence_lines(struct page *page, struct json_object *finding, uint32_t said)
{
        struct json_object *evidence;
        size_t count = array_length(finding, "evidence", &evidence), shown = 0;
        for (size_t i = 0; i < count && shown < EVIDENCE_SHOWN; i++) {
                struct json_object *item = json_object_array_get_idx(evidence, i);
                const char *text = json_string_or(item, "text", "");
                char line[LINE_MAX_BYTES] = "", number[UNITS_MAX];
                size_t length = 0;
                int64_t usual;
                if (i < EVIDENCE_MAX && (said & UINT32_C(1) << i))
                        continue;
                (void)text_append(line, sizeof(line), &length, "%s", text);
                if (json_get_int(item, "usual", &usual) == 0 && !strstr(text, "usually"))
                        (void)text_append(line, sizeof(line), &length, " (usually %s)",
                                          format_value(number, json_string_or(item, "unit", ""), usual));
                block_item(page, shown == 0 ? "evidence" : NULL, line);
                shown++;
        }
}

/* ---- the whole -------------------------------------------------------------------------------------------
 */

/* Whether a command is about one of these processes. */
static bool names_pid(const char *command, struct json_object *subject)
{
        struct span rest = span_of(command), word;
        struct json_object *pids;
        size_t count = array_length(subject, "pids", &pids);
        uint64_t number;
        while (span_take_word(&rest, &word))
                for (size_t i = 0; i < count && span_u64(word, &number) == 0; i++)
                        if (json_object_get_int64(json_object_array_get_idx(pids, i)) == (int64_t)number)
                                return true;
        return false;
}

/* Of the past, commands that name processes are left out: others may have their numbers by now. */
static void what_helps(struct page *page, struct json_object *finding, bool is_past)
{
        struct json_object *remedies, *culprit;
        struct block_pair pairs[REMEDIES_MAX];
        size_t count = array_length(finding, "remedies", &remedies);
        if (count > REMEDIES_MAX)
                count = REMEDIES_MAX;
        for (size_t i = 0; i < count; i++) {
                struct json_object *remedy = json_object_array_get_idx(remedies, i);
                pairs[i] = (struct block_pair){ json_string_or(remedy, "text", ""),
                                                json_string_or(remedy, "command", NULL) };
                if (is_past && pairs[i].right && json_get_object(finding, "culprit", &culprit) == 0 &&
                    names_pid(pairs[i].right, culprit))
                        pairs[i].right = NULL;
        }
        block_pairs(page, "what helps", pairs, count, true);
}

static void headline(struct page *page, const char *label, struct json_object *finding, usec_t now_usec)
{
        const char *severity = json_string_or(finding, "severity", "notice");
        int64_t since = json_int_or(finding, "sinceUSec", 0);
        int64_t confidence = json_int_or(finding, "confidencePermille", 1000);
        char rest[LINE_MAX_BYTES] = "", time[SHOW_TIME_MAX], number[UNITS_MAX];
        size_t length = 0;
        (void)text_append(rest, sizeof(rest), &length, ", %s", severity);
        if (confidence < SURE_FROM_PERMILLE)
                (void)text_append(rest, sizeof(rest), &length, ", %s sure",
                                  format_permille(number, (double)confidence));
        if (since > 0)
                (void)text_append(rest, sizeof(rest), &length, ", since %s",
                                  show_time(time, (usec_t)since, now_usec));
        if (since > 0 && now_usec >= (usec_t)since)
                (void)text_append(rest, sizeof(rest), &length, " (%s)",
                                  format_duration(number, now_usec - (usec_t)since));
        block_label(page, label);
        size_t columns =
                page_styled(page, finding_view_style(severity), json_string_or(finding, "check", "?"));
        (void)page_wrap(page, BLOCK_VALUE_COLUMN + columns, BLOCK_VALUE_COLUMN, page_text_width(page), rest);
        (void)fputc('\n', page->out);
}

void finding_view(struct page *page, const char *label, struct json_object *finding, usec_t now_usec,
                  bool is_past)
{
        struct json_object *culprit, *origin;
        headline(page, label, finding, now_usec);
        if (json_get_object(finding, "culprit", &culprit) == 0) {
                char line[LINE_MAX_BYTES] = "";
                size_t length = 0;
                finding_view_subject(line, sizeof(line), &length, culprit);
                block_line(page, "who", line);
                command_line(page, culprit);
                if (json_get_object(culprit, "startedBy", &origin) == 0)
                        started_by(page, origin);
        }
        uint32_t said = who_waits(page, finding);
        evidence_lines(page, finding, said);
        what_helps(page, finding, is_past);
}
