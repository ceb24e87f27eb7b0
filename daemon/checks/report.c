/* Subjects, origins, evidence and remedies of a finding. */
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "daemon/checks/blame.h"

static void copy_text(char *buffer, size_t size, const char *text)
{
        (void)span_copy(span_of(text), buffer, size);
}

struct subject subject_of_family(const struct snapshot *snapshot, const struct family *family, float lost_to,
                                 enum subject_kind kind)
{
        const struct program *first = &snapshot->programs[family->programs[0]];
        struct subject subject = { .kind = kind, .id = first->id, .count = family->count, .uid = first->uid };
        copy_text(subject.name, sizeof(subject.name), family->name);
        copy_text(subject.user, sizeof(subject.user), first->user);
        copy_text(subject.unit, sizeof(subject.unit), first->unit);
        subject.lost_permille = isnan(lost_to) ? -1 : lost_permille_of(lost_to, &family->ledger);
        for (uint32_t i = 0; i < family->program_count; i++) {
                uint32_t indices[SUBJECT_PIDS_MAX];
                size_t room = SUBJECT_PIDS_MAX - subject.pid_count;
                size_t count = snapshot_program_processes(snapshot, family->programs[i], indices, room);
                for (size_t k = 0; k < count; k++) {
                        const struct process_sample *process = snapshot->processes[indices[k]].sample;
                        if (subject.pid_count == 0)
                                copy_text(subject.command_line, sizeof(subject.command_line),
                                          process->identity->command_line);
                        subject.pids[subject.pid_count++] = process->pid;
                }
                /* Of several units none is the one to name. */
                if (strcmp(snapshot->programs[family->programs[i]].unit, first->unit) != 0)
                        subject.unit[0] = '\0';
        }
        return subject;
}

struct subject subject_of_unit(const struct snapshot *snapshot, const struct cgroup_sample *group)
{
        struct subject subject = { .kind = SUBJECT_UNIT, .id = group->id, .lost_permille = -1 };
        copy_text(subject.name, sizeof(subject.name), group->unit);
        copy_text(subject.unit, sizeof(subject.unit), group->unit);
        for (size_t i = 0; i < snapshot->process_count; i++) {
                const struct process_sample *process = snapshot->processes[i].sample;
                if (process->identity->cgroup_id != group->id)
                        continue;
                if (subject.count++ == 0) {
                        subject.uid = process->identity->uid;
                        copy_text(subject.user, sizeof(subject.user), process->identity->user);
                        copy_text(subject.command_line, sizeof(subject.command_line),
                                  process->identity->command_line);
                }
                if (subject.pid_count < SUBJECT_PIDS_MAX)
                        subject.pids[subject.pid_count++] = process->pid;
        }
        return subject;
}

struct subject subject_machine(const struct snapshot *snapshot)
{
        struct subject subject = { .kind = SUBJECT_MACHINE, .lost_permille = -1 };
        copy_text(subject.name, sizeof(subject.name), snapshot->sample->machine.hostname);
        return subject;
}

/* The process whose origin speaks for all: one with a script behind it if there is any, else the busiest. */
static const struct process_identity *spokesman(const struct snapshot *snapshot, const struct family *family)
{
        uint32_t indices[SUBJECT_PIDS_MAX];
        size_t count = snapshot_program_processes(snapshot, family->programs[0], indices, SUBJECT_PIDS_MAX);
        for (size_t i = 0; i < count; i++) {
                const struct process_identity *identity = snapshot->processes[indices[i]].sample->identity;
                if (identity->origin_script[0])
                        return identity;
        }
        return count > 0 ? snapshot->processes[indices[0]].sample->identity : NULL;
}

bool origin_of_process(const struct snapshot *snapshot, const struct process_identity *identity,
                       struct origin *ret_origin)
{
        struct origin origin = { 0 };
        /* Recorded parent first; told from the outermost in, init left out: everything descends from it. */
        for (uint32_t i = identity->chain_length; i > 0; i--) {
                const struct ancestor *ancestor = &identity->chain[i - 1];
                if (ancestor->pid <= 1)
                        continue;
                struct origin_step *step = &origin.chain[origin.chain_length++];
                const struct process_sample *process = sample_find_process(snapshot->sample, ancestor->pid);
                step->pid = ancestor->pid;
                step->uid = ancestor->uid;
                copy_text(step->name, sizeof(step->name), ancestor->name);
                /* The same process still, not one that got its number. */
                if (process && (strncmp(process->identity->comm, ancestor->name, COMM_MAX - 1) == 0 ||
                                strncmp(process->identity->name, ancestor->name, COMM_MAX - 1) == 0)) {
                        copy_text(step->command_line, sizeof(step->command_line),
                                  process->identity->command_line);
                        if (process->identity->name[0])
                                copy_text(step->name, sizeof(step->name), process->identity->name);
                }
        }
        copy_text(origin.script, sizeof(origin.script), identity->origin_script);
        copy_text(origin.working_directory, sizeof(origin.working_directory),
                  identity->origin_directory[0] ? identity->origin_directory : identity->working_directory);
        if (origin.chain_length == 0 && !origin.script[0] && !origin.working_directory[0])
                return false;
        *ret_origin = origin;
        return true;
}

bool origin_of_family(const struct snapshot *snapshot, const struct family *family, struct origin *ret_origin)
{
        const struct process_identity *identity = spokesman(snapshot, family);
        return identity && origin_of_process(snapshot, identity, ret_origin);
}

static int64_t rounded(double value)
{
        return isnan(value) || value < -9e18 || value > 9e18 ? INT64_MIN : (int64_t)llround(value);
}

void finding_evidence(struct finding *finding, const char *name, double value, const char *unit,
                      double threshold, double usual, const char *format, ...)
{
        va_list arguments;
        if (finding->evidence_count == FINDING_EVIDENCE_MAX || isnan(value))
                return;
        struct evidence *evidence = &finding->evidence[finding->evidence_count++];
        copy_text(evidence->name, sizeof(evidence->name), name);
        copy_text(evidence->unit, sizeof(evidence->unit), unit);
        evidence->value = rounded(value);
        evidence->threshold = rounded(threshold);
        evidence->usual = rounded(usual);
        va_start(arguments, format);
        (void)vsnprintf(evidence->text, sizeof(evidence->text), format, arguments);
        va_end(arguments);
        text_sanitize(evidence->text, "");
}

void finding_remedy(struct finding *finding, const char *command, const char *format, ...)
{
        va_list arguments;
        if (finding->remedy_count == FINDING_REMEDIES_MAX)
                return;
        struct remedy *remedy = &finding->remedies[finding->remedy_count++];
        copy_text(remedy->command, sizeof(remedy->command), command ? command : "");
        va_start(arguments, format);
        (void)vsnprintf(remedy->text, sizeof(remedy->text), format, arguments);
        va_end(arguments);
        text_sanitize(remedy->text, "");
}

static bool is_shell_safe(const char *name)
{
        static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+@:-";
        return name[0] && name[0] != '-' && name[strspn(name, safe)] == '\0';
}

/* More pids than this are better named than listed, if the name can be trusted; no more are ever listed than
 * the second. */
#define COMMAND_PIDS_SHORT 6
#define COMMAND_PIDS_MAX   32

/* pgrep takes a regular expression: "python3.11" would find python3x11 as well, "g++" nothing. */
static void append_pgrep(char *buffer, size_t *length, const char *name)
{
        bool is_plain = !strpbrk(name, ".+");
        (void)text_append(buffer, FINDING_TEXT_MAX, length, "$(pgrep -x %s", is_plain ? "" : "'");
        for (const char *at = name; *at; at++)
                (void)text_append(buffer, FINDING_TEXT_MAX, length, *at == '.' || *at == '+' ? "[%c]" : "%c",
                                  *at);
        (void)text_append(buffer, FINDING_TEXT_MAX, length, "%s)", is_plain ? "" : "'");
}

static size_t family_processes(const struct snapshot *snapshot, const struct family *family,
                               uint32_t indices[COMMAND_PIDS_MAX])
{
        size_t count = 0;
        for (uint32_t i = 0; i < family->program_count && count < COMMAND_PIDS_MAX; i++)
                count += snapshot_program_processes(snapshot, family->programs[i], &indices[count],
                                                    COMMAND_PIDS_MAX - count);
        return count;
}

const char *command_to_processes(char buffer[static FINDING_TEXT_MAX], const struct snapshot *snapshot,
                                 const struct family *family, const char *send)
{
        uint32_t indices[COMMAND_PIDS_MAX];
        size_t count = family_processes(snapshot, family, indices), length = 0;
        buffer[0] = '\0';
        if (count == 0)
                return buffer;
        const char *comm = snapshot->processes[indices[0]].sample->identity->comm;
        bool is_own_name = is_shell_safe(comm) && strncmp(family->name, comm, COMM_MAX - 1) == 0;
        if (family->count > COMMAND_PIDS_SHORT && is_own_name) {
                (void)text_append(buffer, FINDING_TEXT_MAX, &length, "%s ", send);
                append_pgrep(buffer, &length, comm);
                return buffer;
        }
        if (family->count > COMMAND_PIDS_MAX)
                return buffer;
        (void)text_append(buffer, FINDING_TEXT_MAX, &length, "%s", send);
        for (size_t i = 0; i < count; i++)
                (void)text_append(buffer, FINDING_TEXT_MAX, &length, " %u",
                                  snapshot->processes[indices[i]].sample->pid);
        return buffer;
}

const char *command_on_unit(char buffer[static FINDING_TEXT_MAX], const char *unit, const char *format, ...)
{
        va_list arguments;
        const char *type = strrchr(unit, '.');
        buffer[0] = '\0';
        bool is_unit = type && (strcmp(type, ".service") == 0 || strcmp(type, ".scope") == 0 ||
                                strcmp(type, ".slice") == 0 || strcmp(type, ".timer") == 0);
        if (!is_unit || !is_shell_safe(unit))
                return buffer;
        va_start(arguments, format);
        (void)vsnprintf(buffer, FINDING_TEXT_MAX, format, arguments);
        va_end(arguments);
        return buffer;
}

void finding_reason(struct finding *finding, enum verdict verdict, const char *format, ...)
{
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(finding->summary, sizeof(finding->summary), format, arguments);
        va_end(arguments);
        text_sanitize(finding->summary, "");
        finding->verdict = verdict;
}

const char *family_words(char *buffer, size_t size, const struct family *family)
{
        if (family->count > 1)
                text_format(buffer, size, "%u %s processes", family->count, family->name);
        else
                text_format(buffer, size, "%s", family->name);
        return buffer;
}
