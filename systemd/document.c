/* The texts of the table of checks, laid out for the journal catalog, slowd.conf and scdoc. The words are the
 * checks' own; this file knows three mark-ups and how to break lines so that none of them is misread. */
#include "systemd/document.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define TEXT_WIDTH 78

/* A line that begins so means something else to the readers of plain text: '#' and ';' are comments in the
 * catalog and in slowd.conf, "--" begins a catalog entry, '[' a section. */
static bool may_begin_line(const char *word)
{
        return !strchr("#;[", word[0]) && strncmp(word, "--", 2) != 0;
}

/* Takes the next word from *text; `ret_breaks` says that an empty line stood before it. False at the end. */
static bool take_word(const char **text, bool *ret_breaks, const char **ret_word, size_t *ret_length)
{
        size_t newlines = 0;
        const char *word = *text;
        for (; *word && isspace((unsigned char)*word); word++)
                newlines += *word == '\n';
        if (!*word)
                return false;
        *ret_breaks = newlines > 1;
        *ret_word = word;
        *ret_length = strcspn(word, " \t\n");
        *text = word + *ret_length;
        return true;
}

/* Words filled into lines that each begin with `prefix`; an empty line in the text begins a paragraph. */
static void write_filled(FILE *out, const char *prefix, const char *text)
{
        const char *word;
        size_t length, column = 0;
        bool breaks;
        while (take_word(&text, &breaks, &word, &length)) {
                if (column > 0 && breaks) {
                        fprintf(out, "\n%.*s\n", (int)strcspn(prefix, " "), prefix);
                        column = 0;
                } else if (column + 1 + length > TEXT_WIDTH && column > 0 && may_begin_line(word)) {
                        fputc('\n', out);
                        column = 0;
                }
                column += (size_t)fprintf(out, "%s%.*s", column > 0 ? " " : prefix, (int)length, word);
        }
        fputc('\n', out);
}

/* The same words for scdoc, a paragraph on a line of its own, with every mark taken literally. */
static void write_scdoc(FILE *out, const char *indent, const char *text)
{
        const char *word;
        size_t length;
        bool begins_line = true, breaks;
        while (take_word(&text, &breaks, &word, &length)) {
                if (!begins_line)
                        fputs(breaks ? "\n\n" : " ", out);
                begins_line |= breaks;
                if (begins_line)
                        fputs(indent, out);
                for (size_t i = 0; i < length; i++) {
                        if (strchr("\\*_~+<`", word[i]) || (begins_line && strchr("#;-[|]", word[i])))
                                fputc('\\', out);
                        fputc(word[i], out);
                        begins_line = false;
                }
        }
        fputc('\n', out);
}

static const char *culprit_kind_text(enum subject_kind kind)
{
        static const char *const texts[SUBJECT_KIND_MAX] = {
                [SUBJECT_NONE] = "nobody",   [SUBJECT_PROGRAM] = "program",     [SUBJECT_PROCESS] = "process",
                [SUBJECT_UNIT] = "unit",     [SUBJECT_FILE] = "file",           [SUBJECT_DISK] = "disk",
                [SUBJECT_MOUNT] = "mount",   [SUBJECT_INTERFACE] = "interface", [SUBJECT_PEER] = "peer",
                [SUBJECT_DEVICE] = "device", [SUBJECT_SETTING] = "setting",     [SUBJECT_MACHINE] = "machine",
        };
        return texts[kind];
}

void document_catalog(FILE *out, const struct check *const *table)
{
        fputs("# Journal catalog of slowd, written by slowd-generate from the table of checks.\n", out);
        for (; *table; table++) {
                const struct check *check = *table;
                fprintf(out,
                        "\n-- %s\n"
                        "Subject: %s\n"
                        "Defined-By: slowd\n"
                        "Documentation: man:slowd(8)\n"
                        "\n"
                        "Who or what: @SLOWD_CULPRIT@\n"
                        "Who waits:   @SLOWD_VICTIM@\n"
                        "Time lost:   @SLOWD_LOST_PERMILLE@ of 1000\n"
                        "\n",
                        check->message_id, check->title);
                fputs("What is going on\n", out);
                write_filled(out, "    ", check->cause);
                fputs("\nWhat it means\n", out);
                write_filled(out, "    ", check->meaning);
                fputs("\nWhat helps\n", out);
                write_filled(out, "    ", check->remedy);
                fprintf(out,
                        "\n"
                        "\"slowctl diagnose\" says what is so now, \"slowctl explain %s\" more of this "
                        "check.\n",
                        check->name);
        }
}

void document_example(FILE *out, const struct check *const *table)
{
        fputs("# Configuration of slowd, see slowd.conf(5). Every setting is shown with its default: remove "
              "the '#'\n"
              "# to change one. Own settings are better kept in /etc/slowd/slowd.conf.d/NAME.conf. Then:\n"
              "#     slowd --check-config && systemctl reload slowd\n"
              "\n"
              "[slowd]\n"
              "# Time between two looks at the machine, in seconds; while something is wrong the shorter one "
              "holds.\n"
              "#Interval=5\n"
              "#FastInterval=1\n"
              "# How long history is kept: every look, their sums by minute and hour, and in all.\n"
              "#KeepSamples=30d\n"
              "#KeepSummaries=13 months\n"
              "#MaximumSize=500M\n"
              "\n"
              "[workers]\n"
              "# Programs that work in the background, beside those that slowd knows: name, timer, and "
              "where\n"
              "# it is told what to leave out.\n"
              "#Indexer=my-indexer timer=my-indexer.timer exclude=/etc/my-indexer.conf\n"
              "#Maintenance=\n"
              "#Backup=\n",
              out);
        for (; *table; table++) {
                const struct check *check = *table;
                fprintf(out, "\n[check %s]\n", check->name);
                write_filled(out, "# ", check->title);
                fputs("#Enabled=yes\n", out);
                for (const struct check_parameter *parameter = check->parameters; parameter && parameter->key;
                     parameter++) {
                        write_filled(out, "# ", parameter->meaning);
                        fprintf(out, "#%s=%.15g\n", parameter->key, parameter->default_value);
                }
        }
}

void document_names(FILE *out, const struct check *const *table)
{
        for (; *table; table++)
                fprintf(out, "%s\n", (*table)->name);
}

/* Of the checks that can follow from this one, those that there are. */
static void write_explained(FILE *out, const struct check *check, const struct check *const *table)
{
        const char *before = "\n\t_Can be the reason of:_ ";
        for (const struct check *const *other = table; *other; other++) {
                for (const char *const *name = check->explains; name && *name; name++) {
                        if (strcmp(*name, (*other)->name) != 0)
                                continue;
                        fprintf(out, "%s*%s*", before, *name);
                        before = ", ";
                }
        }
        if (before[0] == ',')
                fputc('\n', out);
}

static void write_checks(FILE *out, const struct check *const *table)
{
        for (; *table; table++) {
                const struct check *check = *table;
                fprintf(out, "*%s*\n", check->name);
                write_scdoc(out, "\t", check->title);
                fputc('\n', out);
                write_scdoc(out, "\t", check->cause);
                fputc('\n', out);
                write_scdoc(out, "\t", check->meaning);
                fputs("\n\t_What helps:_ ", out);
                write_scdoc(out, "", check->remedy);
                fputs("\n\t_Told apart from:_ ", out);
                write_scdoc(out, "", check->look_alike);
                write_explained(out, check, table);
                fprintf(out, "\n\t_Names as culprit a:_ %s\n\n\t_MESSAGE\\_ID:_ %s\n\n",
                        culprit_kind_text(check->culprit_kind), check->message_id);
        }
}

static const char *unit_text(const char *unit)
{
        if (strcmp(unit, "perSecond") == 0)
                return "Events per second";
        if (strcmp(unit, "permille") == 0)
                return "Thousandths";
        if (strcmp(unit, "count") == 0)
                return "A number";
        if (strcmp(unit, "seconds") == 0)
                return "Seconds";
        return unit;
}

static void write_settings(FILE *out, const struct check *const *table)
{
        for (; *table; table++) {
                const struct check *check = *table;
                fprintf(out, "## [check %s]\n\n", check->name);
                write_scdoc(out, "", check->title);
                fputs("\n*Enabled=*_yes_\n\tWhether this hypothesis is examined at all.\n\n", out);
                for (const struct check_parameter *parameter = check->parameters; parameter && parameter->key;
                     parameter++) {
                        fprintf(out, "*%s=*_%.15g_\n", parameter->key, parameter->default_value);
                        write_scdoc(out, "\t", parameter->meaning);
                        fprintf(out, "\n\t%s, from %.15g to %.15g.\n\n\t_Why:_ ", unit_text(parameter->unit),
                                parameter->minimum, parameter->maximum);
                        write_scdoc(out, "", parameter->reason);
                        fputs("\n\t_Source:_ ", out);
                        write_scdoc(out, "", parameter->source);
                        fputc('\n', out);
                }
        }
}

int document_manual(FILE *page, FILE *out, const struct check *const *table)
{
        char line[1024];
        while (fgets(line, sizeof line, page)) {
                if (strcmp(line, "@CHECKS@\n") == 0)
                        write_checks(out, table);
                else if (strcmp(line, "@SETTINGS@\n") == 0)
                        write_settings(out, table);
                else if (line[0] == '@')
                        return -EINVAL;
                else
                        fputs(line, out);
        }
        return 0;
}
