/* The finding about a background worker that is in the way: what it does, who waits, and what can be typed so
 * that it keeps out of the way: its timer, its list of exceptions, its priority. */
#include <string.h>

#include "common/text.h"
#include "common/units.h"
#include "daemon/checks/background.h"

static void add_victims(const struct background *background, const struct offender *offender,
                        struct finding *finding)
{
        const struct harm *harm = &offender->harm;
        const char *what = harm->is_cpu ? "a CPU" : "the disk";
        for (size_t i = 0; i < harm->victim_count; i++) {
                const struct family *victim = harm->victims[i];
                char share[UNITS_MAX], usual[UNITS_MAX];
                float waited = harm->is_cpu ? victim->ledger.cpu_wait : victim->ledger.disk_wait;
                struct subject *subject = &finding->victims[finding->victim_count++];
                *subject = subject_of_family(background->latest, victim, waited, SUBJECT_PROGRAM);
                if (i >= 3)
                        continue;
                (void)format_permille(share, subject->lost_permille);
                const char *name = harm->is_cpu ? "cpu.waiting" : "disk.waiting";
                if (isnan(harm->usual_permille[i]))
                        finding_evidence(finding, name, subject->lost_permille, "permille", NAN, NAN,
                                         "%s waits for %s %s of the time it wants to work; what it waits "
                                         "without %s is not known yet",
                                         victim->name, what, share, finding->culprit.name);
                else
                        finding_evidence(finding, name, subject->lost_permille, "permille", NAN,
                                         harm->usual_permille[i],
                                         "%s waits for %s %s of the time it wants to work (usually %s)",
                                         victim->name, what, share,
                                         format_permille(usual, harm->usual_permille[i]));
        }
}

static void add_usage(const struct background *background, const struct offender *offender,
                      struct finding *finding)
{
        const struct family *family = offender->family;
        char a[UNITS_MAX], b[UNITS_MAX];
        if (family && offender->harm.is_cpu) {
                finding_evidence(finding, "cpu.share", 1000 * (double)family->cpu / background->cpus,
                                 "permille", NAN, NAN, "%s uses %s of all CPU time", family->name,
                                 format_permille(a, 1000 * (double)family->cpu / background->cpus));
                return;
        }
        if (family)
                finding_evidence(finding, "disk.moved", offender->moved, "bytesPerSecond", NAN, NAN,
                                 "%s reads %s and writes %s each second, and waits for the disk itself",
                                 family->name, format_bytes(a, (double)family->read_bytes),
                                 format_bytes(b, (double)family->write_bytes));
        else
                finding_evidence(finding, "disk.moved", offender->moved, "bytesPerSecond", NAN, NAN,
                                 "%s goes through %s of each of its disks each second", offender->raid->name,
                                 format_bytes(a, offender->moved));
        double unread;
        if (family && !offender->job && background_is_walker(background, family, &unread))
                finding_evidence(finding, "disk.unread", 1000 * unread, "permille", NAN, NAN,
                                 "it goes from directory to directory; %s of what it takes from the disk is "
                                 "no file's contents but directories and inodes",
                                 format_permille(a, 1000 * unread));
        const struct disk_rate *disk = offender->disk;
        if (disk && !isnan(disk->busy))
                finding_evidence(finding, "disk.busy", 1000 * (double)disk->busy, "permille", NAN, NAN,
                                 "%s is busy %s of the time, a request takes %.0f ms", disk->sample->name,
                                 format_permille(a, 1000 * (double)disk->busy),
                                 isnan(disk->await_msec) ? 0 : (double)disk->await_msec);
        double stalled = history_mean(background->history, FIELD_PSI_IO_SOME, background->window_usec);
        finding_evidence(finding, "pressure.io.some", 1000 * stalled, "permille", NAN, NAN,
                         "some task stands still for I/O %s of the time (PSI)",
                         format_permille(a, 1000 * stalled));
}

/* ---- remedies ---- */

static bool ends_with(const char *text, const char *end)
{
        size_t length = strlen(text), tail = strlen(end);
        return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* Whether this timer starts that service: they share a name. */
static bool is_timer_of(const char *timer, const char *service)
{
        const char *dot = strrchr(timer, '.');
        return dot && ends_with(service, ".service") && strlen(service) == (size_t)(dot - timer) + 8 &&
               strncmp(timer, service, (size_t)(dot - timer)) == 0;
}

static bool is_from_cron(const struct finding *finding)
{
        for (uint32_t i = 0; i < finding->origin.chain_length; i++)
                if (strstr(finding->origin.chain[i].name, "cron") ||
                    strcmp(finding->origin.chain[i].name, "CRON") == 0)
                        return true;
        return false;
}

static void add_timer(const struct worker *worker, const char *unit, struct finding *finding)
{
        char command[FINDING_TEXT_MAX];
        const char *user = worker->is_users ? "--user " : "";
        bool is_its = worker->timer && (worker->is_added || is_timer_of(worker->timer, unit));
        if (is_its) {
                (void)command_on_unit(command, worker->timer, "systemctl %sedit %s", user, worker->timer);
                if (command[0])
                        finding_remedy(finding, command,
                                       "let it run when nobody works: OnCalendar= of its timer");
        } else if (finding->has_origin && is_from_cron(finding)) {
                finding_remedy(finding, NULL, "let cron start it when nobody works");
        }
}

static void add_exclude(const struct worker *worker, struct finding *finding)
{
        if (worker->is_added && worker->exclude_text)
                finding_remedy(finding, NULL, "tell it what to leave out: %s", worker->exclude_text);
        else if (worker->exclude_text)
                finding_remedy(finding, worker->exclude, "%s", worker->exclude_text);
}

/* For good, if it is a service of the system's; and for this time. */
static void add_priority(const struct background *background, const struct offender *offender,
                         const char *unit, struct finding *finding)
{
        char command[FINDING_TEXT_MAX];
        const struct family *family = offender->family;
        if (offender->job && ends_with(unit, ".service") && !offender->job->worker.is_users &&
            !strchr(unit, '@')) {
                (void)command_on_unit(command, unit,
                                      "mkdir -p /etc/systemd/system/%s.d && printf '[Service]\\nNice=19\\n"
                                      "IOSchedulingClass=idle\\nCPUWeight=10\\nIOWeight=10\\n' > "
                                      "/etc/systemd/system/%s.d/idle.conf && systemctl daemon-reload",
                                      unit, unit);
                if (command[0] && strlen(command) < FINDING_TEXT_MAX - 1)
                        finding_remedy(finding, command,
                                       "let it run behind the others, from its next start on");
        }
        if (offender->harm.is_cpu)
                finding_remedy(finding,
                               command_to_processes(command, background->latest, family, "renice -n 19 -p"),
                               "let it run behind the others now");
        else
                finding_remedy(finding,
                               command_to_processes(command, background->latest, family, "ionice -c 3 -p"),
                               "let it use the disk only when nobody else does (with the bfq scheduler)");
}

static void add_raid_remedies(const struct raid_sample *raid, struct finding *finding)
{
        char command[FINDING_TEXT_MAX];
        double speed = raid->bytes_per_sec == ABSENT ? 0 : (double)raid->bytes_per_sec / 1024;
        text_format(command, sizeof(command), "echo %.0f > /proc/sys/dev/raid/speed_limit_max",
                    speed > 8000 ? speed / 4 : 2000);
        finding_remedy(finding, command, "let it go slower (KiB each second; 200000 is the default)");
        text_format(command, sizeof(command), "echo 1000 > /proc/sys/dev/raid/speed_limit_min");
        finding_remedy(finding, command, "let it yield to everybody else (the default)");
        if (strcmp(raid->action, "check") == 0) {
                text_format(command, sizeof(command), "echo idle > /sys/block/%s/md/sync_action", raid->name);
                finding_remedy(finding, command, "end the check; it can be repeated at night");
        }
}

static void add_remedies(const struct background *background, const struct offender *offender,
                         struct finding *finding)
{
        char command[FINDING_TEXT_MAX];
        if (offender->raid) {
                add_raid_remedies(offender->raid, finding);
                return;
        }
        if (!offender->family)
                return;
        const char *unit = background->latest->programs[offender->family->programs[0]].unit;
        if (offender->job) {
                add_timer(&offender->job->worker, unit, finding);
                add_exclude(&offender->job->worker, finding);
        }
        add_priority(background, offender, unit, finding);
        finding_remedy(finding,
                       command_to_processes(command, background->latest, offender->family, "kill -STOP"),
                       "stop it for a while (kill -CONT lets it go on)");
}

/* ---- the whole ---- */

static const char *raid_does(const struct raid_sample *raid)
{
        static const char *const does[][2] = {
                { "resync", "makes its disks equal again" },
                { "recovery", "rebuilds a disk" },
                { "reshape", "changes its shape" },
                { "check", "checks that its disks are equal" },
        };
        for (size_t i = 0; i < sizeof(does) / sizeof(does[0]); i++)
                if (strcmp(raid->action, does[i][0]) == 0)
                        return does[i][1];
        return "is busy with itself";
}

static struct subject subject_of_raid(const struct raid_sample *raid)
{
        struct subject subject = { .kind = SUBJECT_DEVICE, .lost_permille = -1 };
        (void)span_copy(span_of(raid->name), subject.name, sizeof(subject.name));
        return subject;
}

void background_report(const struct background *background, const struct offender *offender,
                       struct finding *ret_finding)
{
        struct finding *finding = ret_finding;
        const struct harm *harm = &offender->harm;
        char share[UNITS_MAX];
        finding->verdict = VERDICT_FOUND;
        finding->since_usec = offender->since_usec;
        finding->lost_permille = (int32_t)(harm->lost_permille > 1000 ? 1000 : harm->lost_permille);
        finding->severity = harm->lost_permille >= 600 ? SEVERITY_CRITICAL : SEVERITY_WARNING;
        finding->confidence_permille = !harm->is_usual_known || (!offender->job && !offender->raid) ? 600
                                       : harm->victims[0]->delays_known                             ? 900
                                                                                                    : 700;
        if (offender->family) {
                finding->culprit =
                        subject_of_family(background->latest, offender->family, NAN, SUBJECT_PROGRAM);
                finding->has_origin =
                        origin_of_family(background->latest, offender->family, &finding->origin);
        } else {
                finding->culprit = subject_of_raid(offender->raid);
        }
        if (offender->disk && !harm->is_cpu)
                (void)span_copy(span_of(offender->disk->sample->name), finding->device,
                                sizeof(finding->device));
        add_victims(background, offender, finding);
        add_usage(background, offender, finding);
        add_remedies(background, offender, finding);
        const char *does = offender->raid  ? raid_does(offender->raid)
                           : offender->job ? offender->job->worker.does
                                           : "goes through many directories";
        text_format(finding->summary, sizeof(finding->summary), "%s %s, and %s waits %s of its time for %s",
                    finding->culprit.name, does, harm->victims[0]->name,
                    format_permille(share, finding->victims[0].lost_permille),
                    harm->is_cpu ? "a CPU" : "the disk");
}
