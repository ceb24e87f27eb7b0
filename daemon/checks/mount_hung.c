/* mount.hung: a mount does not answer at all, and tasks stand still on it. A dead mount that nobody touches
 * hurts nobody; one that answers slowly is mount.slow. */
#include <string.h>

#include "common/text.h"
#include "common/units.h"
#include "daemon/checks/mounts.h"

enum { SILENT_SECONDS, CLEAR_SECONDS };

static const struct check_parameter parameters[] = {
        [SILENT_SECONDS] = { "SilentSeconds", "seconds", 10, 3, 600,
                             "how long somebody must have waited without a single answer of the mount",
                             "a server that starts again, or a retransmission (NFS over TCP: 60 s, and "
                             "sooner after a lost connection), takes seconds; ten are felt as standing still",
                             "nfs(5): a request is sent again after timeo=600, that is 60 s" },
        [CLEAR_SECONDS] = { "ClearSeconds", "seconds", 3, 1, 600,
                            "while an incident is open, so long a silence still belongs to it",
                            "the first answer after a hang is not the end of it if the next one hangs again",
                            "hysteresis" },
        { NULL, NULL, 0, 0, 0, NULL, NULL, NULL },
};

#define WINDOW_USEC (15 * USEC_PER_SEC)

/* The mount that has been silent for longest while somebody who matters waits for it. */
static const struct mount_rate *most_silent(const struct history *history, usec_t least_usec,
                                            struct mount_use *ret_uses, size_t *ret_count)
{
        const struct snapshot *latest = history_latest(history);
        const struct mount_rate *worst = NULL;
        for (size_t i = 0; i < latest->mount_count; i++) {
                const struct mount_rate *mount = &latest->mounts[i];
                struct mount_use uses[MOUNT_USES_MAX];
                if (mount->sample->silent_usec == ABSENT || mount->sample->silent_usec < least_usec ||
                    (worst && mount->sample->silent_usec <= worst->sample->silent_usec))
                        continue;
                size_t count = mount_uses(history, mount, WINDOW_USEC, true, uses), waiting = 0;
                for (size_t k = 0; k < count; k++)
                        if (uses[k].waiting > 0)
                                ret_uses[waiting++] = uses[k];
                if (waiting == 0)
                        continue;
                *ret_count = waiting;
                worst = mount;
        }
        return worst;
}

static void add_remedies(const struct mount_rate *mount, const char *server, struct finding *finding)
{
        char command[FINDING_TEXT_MAX];
        if (server[0]) {
                text_format(command, sizeof(command), "ping -c 3 %s", server);
                finding_remedy(finding,
                               server[strspn(server, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                     "0123456789.-")] ||
                                               server[0] == '-'
                                       ? ""
                                       : command,
                               "see whether %s is there and serves", server);
        } else if (mount->sample->kind == MOUNT_FUSE)
                finding_remedy(finding, "", "see whether the program that serves it still runs (%s)",
                               mount->mount ? mount->mount->type : "fuse");
        finding_remedy(finding,
                       command_on_path(command, mount_path(mount), "umount -l %s", mount_path(mount)),
                       "take it away, so that nobody else gets stuck on it");
        finding_remedy(finding,
                       command_on_path(command, mount_path(mount), "umount -f %s", mount_path(mount)),
                       "end the waits that there are with an error");
        if (mount->sample->kind == MOUNT_NFS)
                finding_remedy(
                        finding, "",
                        "mount it with softerr,timeo=100,retrans=3 in /etc/fstab where programs had better "
                        "get an error than wait");
        else if (mount->mount && strcmp(mount->mount->type, "fuse.sshfs") == 0)
                finding_remedy(finding, "",
                               "mount it with -o reconnect,ServerAliveInterval=15, so that a dead connection "
                               "is noticed");
}

static void found(const struct history *history, const struct mount_rate *mount, const struct mount_use *uses,
                  size_t count, const double *p, struct finding *finding)
{
        const struct snapshot *latest = history_latest(history);
        const struct network_mount_sample *sample = mount->sample;
        char words[FINDING_TEXT_MAX], server[MOUNT_SERVER_MAX], silent[UNITS_MAX], who[SUBJECT_NAME_MAX];
        const struct kernel_message *complaint = mount_complaint(history, mount_server(server, mount));
        uint32_t waiting = 0;
        for (size_t i = 0; i < count; i++)
                waiting += uses[i].waiting;
        finding->verdict = VERDICT_FOUND;
        finding->since_usec = latest->time.realtime_usec - sample->silent_usec;
        finding->confidence_permille = complaint ? 980 : 900;
        finding->culprit = subject_of_mount(latest, mount);
        (void)format_duration(silent, sample->silent_usec);
        finding_evidence(finding, "mount.silent", (double)sample->silent_usec, "usec",
                         p[SILENT_SECONDS] * (double)USEC_PER_SEC, NAN,
                         "no answer for %s, while %u task%s wait%s for one", silent, waiting,
                         waiting == 1 ? "" : "s", waiting == 1 ? "s" : "");
        mount_add_victims(history, uses, count, finding);
        if (sample->outstanding != ABSENT && sample->outstanding > 0)
                finding_evidence(finding, "mount.outstanding", (double)sample->outstanding, "count", NAN, NAN,
                                 "%" PRIu64 " requests are without an answer", sample->outstanding);
        if (complaint)
                finding_evidence(finding, "kernel.message", 1, "count", NAN, NAN, "the kernel says: %s",
                                 complaint->text);
        if (uses[0].directory[0])
                finding_evidence(finding, "mount.directory", uses[0].waiting, "count", NAN, NAN,
                                 "%s works in %s", uses[0].family.name, uses[0].directory);
        add_remedies(mount, server, finding);
        text_format(finding->summary, sizeof(finding->summary),
                    "%s has not answered for %s, and %s %s stuck on it", mount_words(words, mount), silent,
                    family_words(who, sizeof(who), &uses[0].family), uses[0].family.count > 1 ? "are" : "is");
}

/* Somebody waits for one of several mounts, and nothing tells for which. */
static const struct mount_user_rate *stray(const struct snapshot *latest, usec_t least_usec)
{
        for (size_t i = 0; i < latest->mount_user_count; i++) {
                const struct mount_user_rate *user = &latest->mount_users[i];
                if (user->sample->mount_id == 0 && user->sample->waiting > 0 && user->process &&
                    user->sample->longest_usec >= least_usec)
                        return user;
        }
        return NULL;
}

static void run(const struct check_context *context, struct finding *ret_finding)
{
        const struct history *history = context->history;
        const struct snapshot *latest = history_latest(history);
        const double *p = context->parameters;
        struct mount_use uses[MOUNT_USES_MAX];
        size_t count = 0;
        if (!mounts_are_known(latest, ret_finding))
                return;
        double least = p[context->was_found && p[CLEAR_SECONDS] < p[SILENT_SECONDS] ? CLEAR_SECONDS
                                                                                    : SILENT_SECONDS];
        usec_t least_usec = (usec_t)(least * (double)USEC_PER_SEC);
        const struct mount_rate *mount = most_silent(history, least_usec, uses, &count);
        if (mount) {
                found(history, mount, uses, count, p, ret_finding);
                return;
        }
        const struct mount_user_rate *user = stray(latest, least_usec);
        if (user)
                finding_reason(ret_finding, VERDICT_UNKNOWN,
                               "%s waits for a network mount, but nothing tells for which",
                               latest->programs[user->process->program].name);
        else
                finding_reason(ret_finding, VERDICT_CLEAR,
                               "nobody waits for long for one of the %zu network and FUSE mounts",
                               latest->mount_count);
}

const struct check check_mount_hung = {
        .name = "mount.hung",
        .title = "A network-mounted directory does not answer, and programs are stuck on it",
        .message_id = "bff4f908542708104d1133b34034dcbe",
        .culprit_kind = SUBJECT_MOUNT,
        .cause = "The server of a network mount, the link to it, or the program behind a FUSE mount has "
                 "stopped "
                 "answering. Whoever touches a file there waits, on most mounts without end.",
        .meaning =
                "Programs stand still and cannot even be killed. Each further one that looks at the "
                "directory "
                "(a backup, df, a shell completing a name) joins them, and the load goes up while the CPUs "
                "idle.",
        .remedy =
                "Bring the server back, or take the mount away with umount -l; umount -f ends the waits that "
                "there are. Mount with softerr and a timeo= where an error is better than waiting.",
        .look_alike =
                "A dead mount that nobody touches hurts nobody and is only listed by slowctl mounts. "
                "A program that waits for a lock on a file waits for another program. A mount that answers, "
                "if late, is mount.slow.",
        .explains = (const char *const[]){ "limits.tasks", "network.peer", NULL },
        .parameters = parameters,
        .run = run,
};
