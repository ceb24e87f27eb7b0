/* mount.slow: requests to a mount take long, and a program spends its time on them. Says where that time
 * goes. A fast mount under load answers in a millisecond; a slow one that nobody uses slows nobody down. */
#include <string.h>

#include "common/text.h"
#include "common/units.h"
#include "daemon/checks/mounts.h"

enum {
        WINDOW_SECONDS,
        RAISE_LOST,
        CLEAR_LOST,
        MINIMUM_WAIT,
        MINIMUM_REQUEST,
        SLOW_REQUEST,
        BULK_BYTES,
        LOSS,
};

static const struct check_parameter parameters[] = {
        [WINDOW_SECONDS] = { "WindowSeconds", "seconds", 20, 5, 300, "the window whose means are judged",
                             "one look into a directory takes seconds on a slow mount, and is over then",
                             "convention" },
        [RAISE_LOST] = { "RaiseLostPermille", "permille", 250, 20, 1000,
                         "share of the time it wants to work that a program must lose to the mount",
                         "whoever works on files of another machine waits for them somewhat in any case",
                         "the same level as for disks, so that causes can be compared" },
        [CLEAR_LOST] = { "ClearLostPermille", "permille", 150, 10, 1000, "below this an open incident ends",
                         "well below the raise level, so that an answer does not flap", "hysteresis" },
        [MINIMUM_WAIT] = { "MinimumWaitPermille", "permille", 250, 1, 1000,
                           "time its users together must lose over the window, of one task's time",
                           "five seconds of twenty; less is somebody who has looked into a directory",
                           "convention" },
        [MINIMUM_REQUEST] = { "MinimumRequestUSec", "count", 5000, 100, 1000000,
                              "microseconds that a request must take on average",
                              "a local network answers in one or two milliseconds, a disk takes five to ten: "
                              "below that the mount is as good as a disk",
                              "nfsiostat(8) shows 0.3 to 2 ms on a healthy LAN" },
        [SLOW_REQUEST] = { "SlowRequestUSec", "count", 30000, 1000, 10000000,
                           "from here on (or from five times the usual) it is the server or the link that is "
                           "slow",
                           "30 ms is a server far away or overloaded; between 5 and 30 ms it is the number "
                           "of "
                           "requests that makes a program slow",
                           "the old rule for NFS: a smoothed round trip above 50 ms is a slow mount" },
        [BULK_BYTES] = { "BulkBytesPerSecond", "bytes", 10e6, 1e5, 1e10,
                         "at this rate, in requests of 64 KiB and more, the mount is busy rather than slow",
                         "large requests take long because they are large and queue behind each other",
                         "100 Mbit/s carry 11 MB/s" },
        [LOSS] = { "LossPermille", "permille", 50, 1, 1000,
                   "share of requests that had to be sent again for loss to be the reason",
                   "each one lost costs a timeout, that is a thousand round trips",
                   "nfsstat: above 5 % retransmitted, requests do not arrive" },
        { NULL, NULL, 0, 0, 0, NULL, NULL, NULL },
};

#define SILENT_USEC (10 * USEC_PER_SEC) /* from here on it is mount.hung */
/* Of a task's waits so much must be for requests that were answered: the rest may be another's lock. */
#define ANSWERED_SHARE    0.5
#define USUAL_FACTOR      5
#define BULK_REQUEST      (64 * 1024.0)
#define STARVED_SHARE     0.5 /* of the time somebody waits for a CPU: the server of a FUSE mount may, too */
#define USUAL_SPAN_USEC   (10 * USEC_PER_MINUTE)
#define USUAL_BEFORE_USEC USEC_PER_MINUTE

enum reason { REASON_SERVER, REASON_LOSS, REASON_QUEUE, REASON_CHATTY };

struct situation {
        const struct history *history;
        const struct snapshot *latest;
        const double *p;
        usec_t window_usec;
        const struct mount_rate *mount;
        struct mount_window window;
        struct mount_use uses[MOUNT_USES_MAX];
        size_t count;
        double waited;             /* task seconds per second, of the victims */
        double request_usec;       /* mean time of a request */
        double usual_request_usec; /* NAN unknown */
        enum reason reason;
};

/* ---- one mount ---- */

static double request_usec(const struct mount_window *window)
{
        return window->operations > 0 ? 1e6 * (double)window->execute / (double)window->operations : NAN;
}

static bool is_bulk(const struct mount_window *window, const double *p)
{
        double bytes = (double)window->read_bytes + (double)window->write_bytes;
        return bytes >= p[BULK_BYTES] && bytes >= BULK_REQUEST * (double)window->operations;
}

/* Keeps those who lose enough. */
static void keep_victims(struct situation *s, double threshold)
{
        size_t kept = 0;
        s->waited = 0;
        for (size_t i = 0; i < s->count; i++) {
                const struct family *family = &s->uses[i].family;
                if (lost_permille_of(family->ledger.stuck, &family->ledger) < threshold)
                        continue;
                s->waited += (double)family->ledger.stuck;
                s->uses[kept++] = s->uses[i];
        }
        s->count = kept;
}

/* A mount that has just fallen silent is waited for as well, but not because of how long its answers take.
 * Held against what one task waits: many may wait for one request. */
static bool is_answered(const struct situation *s)
{
        double waited = 0;
        for (size_t i = 0; i < s->count; i++) {
                uint32_t tasks = s->uses[i].waiting > 1 ? s->uses[i].waiting : 1;
                double each = (double)s->uses[i].family.ledger.stuck / tasks;
                waited = each > waited ? each : waited;
        }
        return s->mount->is_estimated || (double)s->window.execute >= ANSWERED_SHARE * waited;
}

/* Why it is not this mount; "" if it is. */
static const char *examine(struct situation *s, double threshold, char *buffer, size_t size)
{
        const double *p = s->p;
        char text[UNITS_MAX];
        buffer[0] = '\0';
        s->count = 0;
        if (s->mount->sample->silent_usec != ABSENT && s->mount->sample->silent_usec >= SILENT_USEC) {
                text_format(buffer, size, "it does not answer at all");
                return buffer;
        }
        if (!history_mount(s->history, s->mount->sample->id, s->window_usec, 0, &s->window) ||
            !(1000 * s->window.waited >= p[MINIMUM_WAIT])) {
                text_format(buffer, size, "nobody waits for it");
                return buffer;
        }
        s->request_usec = request_usec(&s->window);
        s->count = mount_uses(s->history, s->mount, s->window_usec, false, s->uses);
        keep_victims(s, threshold);
        if (s->count == 0 || 1000 * s->waited < p[MINIMUM_WAIT])
                text_format(buffer, size, "no program loses much of its time to it");
        else if (isnan(s->request_usec))
                text_format(buffer, size, "it has answered nothing in the last %.0f s",
                            (double)s->window_usec / (double)USEC_PER_SEC);
        else if (!is_answered(s))
                text_format(buffer, size, "what it answers takes %.1f ms, and that is not what is waited for",
                            s->request_usec / 1e3);
        else if (!(s->request_usec >= p[MINIMUM_REQUEST]))
                text_format(buffer, size, "it answers within %.1f ms", s->request_usec / 1e3);
        else if (is_bulk(&s->window, p))
                text_format(buffer, size, "it moves %s each second in large requests",
                            format_bytes(text, (double)s->window.read_bytes + (double)s->window.write_bytes));
        else if (s->mount->sample->kind == MOUNT_FUSE && s->request_usec < p[SLOW_REQUEST] &&
                 history_mean(s->history, FIELD_PSI_CPU_SOME, s->window_usec) >= STARVED_SHARE)
                text_format(buffer, size, "the program that serves it has to wait for a CPU");
        else if (history_covered(s->history, s->window_usec) < s->window_usec / 2)
                text_format(buffer, size, "it is slow, but only for a moment yet");
        return buffer;
}

/* ---- what the answer says ---- */

static void find_reason(struct situation *s, usec_t since_usec)
{
        const struct mount_window *window = &s->window;
        struct mount_window usual;
        usec_t now_usec = s->latest->time.realtime_usec;
        usec_t ago_usec = (now_usec > since_usec ? now_usec - since_usec : 0) + USUAL_BEFORE_USEC;
        s->usual_request_usec = NAN;
        if (history_mount(s->history, s->mount->sample->id, ago_usec + USUAL_SPAN_USEC, ago_usec, &usual))
                s->usual_request_usec = request_usec(&usual);
        double lost = 1000 * (double)window->retransmissions / (double)window->operations;
        if (lost >= s->p[LOSS])
                s->reason = REASON_LOSS;
        else if (!isnan(window->rtt) && (double)window->execute - (double)window->rtt > (double)window->rtt)
                s->reason = REASON_QUEUE;
        else if (s->request_usec >= s->p[SLOW_REQUEST] ||
                 s->request_usec >= USUAL_FACTOR * s->usual_request_usec)
                s->reason = REASON_SERVER;
        else
                s->reason = REASON_CHATTY;
}

static void describe(const struct situation *s, struct finding *finding)
{
        const struct mount_window *window = &s->window;
        char text[UNITS_MAX];
        mount_add_victims(s->history, s->uses, s->count, finding);
        finding_evidence(finding, "mount.request", s->request_usec, "usec", s->p[MINIMUM_REQUEST],
                         s->usual_request_usec, "a request takes %.1f ms%s", s->request_usec / 1e3,
                         s->mount->is_estimated ? " (by how often its users go to sleep)" : "");
        finding_evidence(finding, "mount.requests", (double)window->operations, "perSecond", NAN, NAN,
                         "%s requests each second", format_count(text, (double)window->operations));
        if (!isnan(window->rtt)) {
                double rtt = 1e6 * (double)window->rtt / (double)window->operations;
                finding_evidence(finding, "mount.roundTrip", rtt, "usec", NAN, NAN,
                                 "of that link and server take %.1f ms, the queue in this machine %.1f ms",
                                 rtt / 1e3, (s->request_usec - rtt) / 1e3);
                double lost = 1000 * (double)window->retransmissions / (double)window->operations;
                finding_evidence(finding, "mount.retransmissions", lost, "permille", s->p[LOSS], NAN,
                                 "%s of the requests were sent again", format_permille(text, lost));
        }
        if (s->uses[0].directory[0])
                finding_evidence(finding, "mount.directory", s->uses[0].waiting, "count", NAN, NAN,
                                 "%s works in %s", s->uses[0].family.name, s->uses[0].directory);
}

static void add_remedies(const struct situation *s, struct finding *finding)
{
        char command[FINDING_TEXT_MAX], server[MOUNT_SERVER_MAX];
        const char *directory = s->uses[0].directory;
        if (!directory[0])
                directory = mount_path(s->mount);
        finding_remedy(finding, command_on_path(command, directory, "cp -a %s /srv/", directory),
                       "keep %s on a local disk, and let %s work there", directory, s->uses[0].family.name);
        (void)mount_server(server, s->mount);
        switch (s->reason) {
        case REASON_LOSS:
                finding_remedy(finding, "ip -s link", "look for errors and drops on the way to %s",
                               server[0] ? server : "the server");
                break;
        case REASON_QUEUE:
                finding_remedy(
                        finding, "",
                        "more requests at once: nconnect=4 in the mount options (nfs(5)), or fewer programs");
                break;
        case REASON_SERVER:
                if (server[0])
                        finding_remedy(finding, "", "see what %s is busy with, and how far it is (ping)",
                                       server);
                break;
        case REASON_CHATTY:
                break;
        }
        if (s->mount->sample->kind == MOUNT_NFS)
                finding_remedy(
                        finding, "",
                        "noatime,actimeo=60 in the mount options: fewer questions about files that do not "
                        "change");
        else if (s->mount->sample->kind == MOUNT_CIFS)
                finding_remedy(
                        finding, "",
                        "actimeo=60 in the mount options: fewer questions about files that do not change");
        else if (s->mount->mount && strcmp(s->mount->mount->type, "fuse.sshfs") == 0)
                finding_remedy(finding, "",
                               "mount it with -o kernel_cache,dcache_timeout=60: fewer questions about files "
                               "that do "
                               "not change");
}

static const char *reason_words(const struct situation *s, char *buffer, size_t size)
{
        char text[UNITS_MAX];
        double milliseconds = s->request_usec / 1e3;
        switch (s->reason) {
        case REASON_SERVER:
                text_format(buffer, size, "each request takes the server or the link %.0f ms", milliseconds);
                break;
        case REASON_LOSS:
                text_format(buffer, size, "requests get lost on the way and are sent again (%.0f ms each)",
                            milliseconds);
                break;
        case REASON_QUEUE:
                text_format(buffer, size, "requests queue here before they are sent (%.0f ms each)",
                            milliseconds);
                break;
        case REASON_CHATTY:
                text_format(buffer, size, "it makes %s requests a second, of %.0f ms each",
                            format_count(text, (double)s->window.operations), milliseconds);
                break;
        }
        return buffer;
}

static void found(struct situation *s, struct finding *finding)
{
        char words[FINDING_TEXT_MAX], why[FINDING_TEXT_MAX], who[SUBJECT_NAME_MAX], share[UNITS_MAX];
        finding->verdict = VERDICT_FOUND;
        finding->since_usec =
                history_mount_since_waited(s->history, s->mount->sample->id, (float)(s->waited / 4));
        if (finding->since_usec == 0)
                finding->since_usec = s->latest->time.realtime_usec - s->window_usec;
        find_reason(s, finding->since_usec);
        finding->confidence_permille = s->mount->is_estimated ? 800 : 900;
        finding->culprit = subject_of_mount(s->latest, s->mount);
        describe(s, finding);
        add_remedies(s, finding);
        text_format(finding->summary, sizeof(finding->summary), "%s %s %s of %s time for %s: %s",
                    family_words(who, sizeof(who), &s->uses[0].family),
                    s->uses[0].family.count > 1 ? "wait" : "waits",
                    format_permille(share, finding->victims[0].lost_permille),
                    s->uses[0].family.count > 1 ? "their" : "its", mount_words(words, s->mount),
                    reason_words(s, why, sizeof(why)));
}

static void run(const struct check_context *context, struct finding *ret_finding)
{
        struct situation s = { .history = context->history,
                               .latest = history_latest(context->history),
                               .p = context->parameters },
                         worst = s;
        char why[REASON_TEXT_MAX], reason[REASON_TEXT_MAX] = "";
        double threshold = s.p[context->was_found ? CLEAR_LOST : RAISE_LOST], most = 0;
        s.window_usec = (usec_t)(s.p[WINDOW_SECONDS] * (double)USEC_PER_SEC);
        if (!mounts_are_known(s.latest, ret_finding))
                return;
        for (size_t i = 0; i < s.latest->mount_count; i++) {
                s.mount = &s.latest->mounts[i];
                const char *not_it = examine(&s, threshold, why, sizeof(why));
                if (not_it[0] && (reason[0] == '\0' || s.count > 0))
                        text_format(reason, sizeof(reason), "%s: %s", mount_path(s.mount), not_it);
                else if (!not_it[0] && s.waited > most) {
                        most = s.waited;
                        worst = s;
                }
        }
        if (worst.mount)
                found(&worst, ret_finding);
        else
                finding_reason(ret_finding, VERDICT_CLEAR, "%s",
                               reason[0] ? reason : "no network mount and no FUSE mount is there");
}

const struct check check_mount_slow = {
        .name = "mount.slow",
        .title = "A network-mounted directory is slow, and a program does much of its work there",
        .message_id = "79dbabd086a69aaecec54a094d7da33d",
        .culprit_kind = SUBJECT_MOUNT,
        .cause = "Each look at a file on a network mount is a question to another machine. Where an answer "
                 "takes "
                 "tens of milliseconds, a program that opens a thousand small files waits for half a minute.",
        .meaning =
                "The program is slow although CPUs, memory and disks of this machine are idle. Whatever else "
                "uses that directory is as slow; the rest of the machine is not affected.",
        .remedy =
                "Keep the directory on a local disk. Where that cannot be, let the kernel ask less (noatime, "
                "actimeo=), use fewer and larger files, and see what the server or the link is busy with.",
        .look_alike = "A fast mount under load answers each request in a millisecond or two. Large files "
                      "copied at the speed of the link are work in progress. A slow mount that nobody uses "
                      "slows nobody down, and one that does not answer at all is mount.hung.",
        .explains = (const char *const[]){ "network.peer", NULL },
        .parameters = parameters,
        .run = run,
};
