/* Network mounts in sentences. */
#include "daemon/checks/mounts.h"

#include <string.h>

#include "common/text.h"
#include "common/units.h"
#include "daemon/sample/mountinfo.h"

bool mounts_are_known(const struct snapshot *latest, struct finding *finding)
{
        const struct sample *sample = latest->sample;
        bool is_any = sample->network_mount_count > 0;
        for (size_t i = 0; i < sample->mount_count; i++)
                is_any |= sample->mounts[i].is_network;
        if (!is_any) {
                finding_reason(finding, VERDICT_CLEAR, "no network mount and no FUSE mount is there");
                return false;
        }
        for (size_t i = 0; i < sample->collector_count; i++) {
                const struct collector_status *status = &sample->collectors[i];
                if (strcmp(status->name, "networkMounts") != 0)
                        continue;
                if (status->state == COLLECTOR_OK)
                        return true;
                finding_reason(finding, VERDICT_UNKNOWN, "the kernel's figures of mounts cannot be read: %s",
                               strerror(-status->error));
                return false;
        }
        finding_reason(finding, VERDICT_UNKNOWN,
                       "there are network mounts, but what their users wait for was not recorded");
        return false;
}

const char *mount_path(const struct mount_rate *mount)
{
        return mount->mount ? mount->mount->path : "?";
}

/* "files:/export", "me@files:/home/me", "[fd00::1]:/export", "//files/share" */
const char *mount_server(char buffer[static MOUNT_SERVER_MAX], const struct mount_rate *mount)
{
        struct span source = span_of(mount->mount ? mount->mount->source : ""), part;
        buffer[0] = '\0';
        if (span_starts(source, "//")) {
                source = (struct span){ source.at + 2, source.length - 2 };
                if (span_take_until(&source, '/', &part))
                        (void)span_copy(part, buffer, MOUNT_SERVER_MAX);
                return buffer;
        }
        const char *slash = strstr(source.at, ":/");
        struct span host = { source.at, slash ? (size_t)(slash - source.at) : 0 };
        if (host.length == 0 && span_take_until(&source, ':', &part))
                host = part;
        if (span_take_until(&host, '@', &part) && host.length == 0)
                host = part;
        (void)span_copy(host, buffer, MOUNT_SERVER_MAX);
        return buffer;
}

const struct kernel_message *mount_complaint(const struct history *history, const char *server)
{
        const struct kernel_message *message;
        for (size_t i = 0; server[0] && (message = history_message(history, i)); i++) {
                const char *at = strstr(message->text, server);
                if (!at)
                        continue;
                if (strstr(at, "not respond"))
                        return message;
                if (strcmp(at + strlen(server), " OK") == 0)
                        return NULL; /* the newest comes first */
        }
        return NULL;
}

static bool is_network(const struct mount_rate *mount)
{
        return mount->mount && mount->mount->is_network;
}

const char *mount_words(char buffer[static FINDING_TEXT_MAX], const struct mount_rate *mount)
{
        char server[MOUNT_SERVER_MAX];
        if (!is_network(mount))
                text_format(buffer, FINDING_TEXT_MAX, "%s (%s)", mount_path(mount),
                            mount->mount ? mount->mount->type : "unmounted");
        else if (mount_server(server, mount)[0])
                text_format(buffer, FINDING_TEXT_MAX, "the network mount %s (from %s)", mount_path(mount),
                            server);
        else
                text_format(buffer, FINDING_TEXT_MAX, "the network mount %s", mount_path(mount));
        return buffer;
}

struct subject subject_of_mount(const struct snapshot *latest, const struct mount_rate *mount)
{
        struct subject subject = { .kind = SUBJECT_MOUNT, .lost_permille = -1 };
        (void)latest;
        (void)span_copy(span_of(mount_path(mount)), subject.name, sizeof(subject.name));
        return subject;
}

static const struct family *family_named(const struct family *families, size_t count,
                                         const struct program *program)
{
        for (size_t i = 0; i < count; i++)
                if (families[i].is_batch == program->is_batch && strcmp(families[i].name, program->name) == 0)
                        return &families[i];
        return NULL;
}

/* Adds a process to the use of its program. */
static void add_use(struct mount_use *uses, size_t *count, const struct family *family,
                    const struct mount_user_rate *user)
{
        size_t at = 0;
        while (at < *count &&
               (uses[at].family.name != family->name || uses[at].family.is_batch != family->is_batch))
                at++;
        if (at == MOUNT_USES_MAX)
                return;
        struct mount_use *use = &uses[at];
        if (at == *count) {
                *use = (struct mount_use){ .family = *family };
                (*count)++;
        }
        use->waiting += user->sample->waiting;
        if (user->sample->directory[0] &&
            (!use->directory[0] || user->sample->longest_usec >= use->longest_usec))
                (void)span_copy(span_of(user->sample->directory), use->directory, sizeof(use->directory));
        if (user->sample->longest_usec > use->longest_usec)
                use->longest_usec = user->sample->longest_usec;
}

static void sort_uses(struct mount_use *uses, size_t count)
{
        for (size_t i = 1; i < count; i++) {
                struct mount_use use = uses[i];
                size_t at = i;
                for (; at > 0 && uses[at - 1].family.ledger.stuck < use.family.ledger.stuck; at--)
                        uses[at] = uses[at - 1];
                uses[at] = use;
        }
}

size_t mount_uses(const struct history *history, const struct mount_rate *mount, usec_t window_usec,
                  bool with_batch, struct mount_use ret_uses[static MOUNT_USES_MAX])
{
        const struct snapshot *latest = history_latest(history);
        struct family families[FAMILIES_MAX];
        size_t family_count = families_make(history, window_usec, families, FAMILIES_MAX), count = 0;
        for (size_t i = 0; i < latest->mount_user_count; i++) {
                const struct mount_user_rate *user = &latest->mount_users[i];
                if (user->sample->mount_id != mount->sample->id || !user->process)
                        continue;
                const struct family *family =
                        family_named(families, family_count, &latest->programs[user->process->program]);
                if (!family || family->is_kernel || family->is_self || (family->is_batch && !with_batch) ||
                    !(family->ledger.stuck > 0))
                        continue;
                add_use(ret_uses, &count, family, user);
        }
        sort_uses(ret_uses, count);
        return count;
}

static float stuck_of(const struct ledger *ledger)
{
        return ledger->stuck;
}

void mount_add_victims(const struct history *history, const struct mount_use *uses, size_t count,
                       struct finding *finding)
{
        char share[UNITS_MAX];
        struct ledger all = ledger_unknown();
        for (size_t i = 0; i < count; i++) {
                const struct family *family = &uses[i].family;
                ledger_add(&all, &family->ledger);
                if (finding->victim_count == FINDING_VICTIMS_MAX)
                        continue;
                struct subject *subject = &finding->victims[finding->victim_count++];
                *subject = subject_of_family(history_latest(history), family, family->ledger.stuck,
                                             SUBJECT_PROGRAM);
                subject->count = family->count;
                if (i < 2)
                        finding_evidence(finding, "mount.waiting", subject->lost_permille, "permille", NAN,
                                         usual_lost_permille(history, family, finding->since_usec, stuck_of),
                                         "%s waits for it %s of the time it wants to work: %.2f s of each "
                                         "second",
                                         family->name, format_permille(share, subject->lost_permille),
                                         (double)family->ledger.stuck);
        }
        finding->lost_permille = lost_permille_of(all.stuck, &all);
        finding->severity = finding->lost_permille >= 600 ? SEVERITY_CRITICAL : SEVERITY_WARNING;
}
