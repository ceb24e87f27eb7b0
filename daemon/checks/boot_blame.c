/* boot.overload: who held up a boot that was long, and what is said about it. Whether it was long is decided
 * in boot_overload.c. */
#include "daemon/checks/boot_blame.h"

#include <string.h>

#include "common/text.h"
#include "common/units.h"

double boot_seconds(uint64_t usec)
{
        return (double)usec / (double)USEC_PER_SEC;
}

/* ---- who ---- */

struct boot_suspect boot_find_holder(const struct boot_situation *s)
{
        struct boot_suspect best = { .usual_usec = ABSENT };
        for (uint32_t i = 0; i < s->boot->unit_count; i++) {
                const struct boot_unit *unit = &s->boot->units[i];
                if (unit->level == 0 || unit->held_usec == ABSENT)
                        continue;
                uint64_t usual_usec = s->has_usual ? s->unit_usual_usec[i] : ABSENT;
                uint64_t excess_usec = usual_usec == ABSENT           ? unit->held_usec
                                       : unit->held_usec > usual_usec ? unit->held_usec - usual_usec
                                                                      : 0;
                if (!best.unit || excess_usec > best.excess_usec)
                        best = (struct boot_suspect){ unit, unit->held_usec, usual_usec, excess_usec };
        }
        return best;
}

bool boot_is_held(const struct boot_situation *s, const struct boot_suspect *suspect)
{
        if (!suspect->unit)
                return false;
        if (s->has_usual)
                return boot_seconds(suspect->excess_usec) >= s->longer_sec / 2 &&
                       suspect->excess_usec >= s->usual.over_usec / 2;
        return (double)suspect->held_usec * 1000 >= s->holder_permille * (double)s->length_usec;
}

static usec_t earlier_of(usec_t a, usec_t b)
{
        return a < b ? a : b;
}

/* What went on between two moments of the boot. */
struct company {
        usec_t next_usec;                  /* when the last but one had started or ended */
        double own_sec, cpu_sec, most_sec; /* CPU time: of the unit that was last, of all, of the costliest */
};

/* last: whose own part is asked for, or NULL. Times are monotonic. */
static struct company company_of(const struct boot_situation *s, const struct boot_unit *last,
                                 usec_t begin_usec, usec_t end_usec, double cpus)
{
        struct company company = { .next_usec = begin_usec };
        for (uint32_t i = 0; i < s->boot->unit_count; i++) {
                const struct boot_unit *unit = &s->boot->units[i];
                if (unit->cpu_usec == ABSENT || unit->length_usec == ABSENT)
                        continue;
                usec_t ended_usec = unit->activating_usec + unit->length_usec;
                usec_t from_usec = unit->activating_usec > begin_usec ? unit->activating_usec : begin_usec;
                usec_t until_usec = earlier_of(ended_usec, end_usec);
                if (until_usec <= from_usec)
                        continue;
                /* Counted until a minute later: it cannot have used more than there was. */
                double cpu_sec =
                        fmin(boot_seconds(unit->cpu_usec), cpus * boot_seconds(until_usec - from_usec));
                company.cpu_sec += cpu_sec;
                company.most_sec = fmax(company.most_sec, cpu_sec);
                if (unit == last)
                        company.own_sec = cpu_sec;
                else if (ended_usec <= end_usec && ended_usec > company.next_usec)
                        company.next_usec = ended_usec;
        }
        return company;
}

/* Of many that compute at once one is the last, and the chain waited for it as long as for all of them. It is
 * not to blame alone if without it the next to last would have held up the boot, and if they kept each other
 * waiting: together they had most of the CPUs, and the last one the smaller part of that. */
static bool is_last_of_many(const struct boot_situation *s, const struct boot_suspect *suspect)
{
        if (s->latest->sample->stat.cpu_count == ABSENT || suspect->unit->activated_usec == ABSENT ||
            suspect->unit->activated_usec < suspect->held_usec)
                return false;
        double cpus = (double)s->latest->sample->stat.cpu_count;
        usec_t end_usec = suspect->unit->activated_usec;
        struct company company = company_of(s, suspect->unit, end_usec - suspect->held_usec, end_usec, cpus);
        struct boot_suspect alone = *suspect;
        alone.held_usec = suspect->unit->activated_usec - company.next_usec;
        alone.excess_usec = earlier_of(alone.held_usec, suspect->excess_usec);
        return !boot_is_held(s, &alone) && company.own_sec < company.cpu_sec / 2 &&
               company.cpu_sec >= cpus * boot_seconds(suspect->held_usec) / 2;
}

bool boot_is_holder(const struct boot_situation *s, const struct boot_suspect *suspect)
{
        return boot_is_held(s, suspect) && !is_last_of_many(s, suspect);
}

usec_t boot_crowd_usec(const struct boot_situation *s)
{
        if (s->latest->sample->stat.cpu_count == ABSENT || s->length_usec == ABSENT)
                return 0;
        double cpus = (double)s->latest->sample->stat.cpu_count;
        usec_t begin_usec = s->boot->times.userspace_usec;
        struct company company = company_of(s, NULL, begin_usec, begin_usec + s->length_usec, cpus);
        /* One that computes for long beside the chain, or anything that leaves a CPU free, holds up nobody.
         */
        const uint64_t waited_usec = s->boot->times.cpu_waited_usec;
        if (company.most_sec > company.cpu_sec / 2 ||
            (waited_usec != ABSENT &&
             1000 * (double)waited_usec < s->holder_permille * (double)s->length_usec))
                return 0;
        return (usec_t)(fmin(company.cpu_sec / cpus, boot_seconds(s->length_usec)) * (double)USEC_PER_SEC);
}

/* What all services that are new, or cost much more than a second, cost together. */
struct load {
        const struct boot_unit *most; /* the costliest; of new ones if they are what costs */
        uint32_t count, new_count;    /* services that used a noticeable part of the CPUs */
        double cpu_sec, new_cpu_sec;
};

#define LOAD_LEAST_USEC (500 * USEC_PER_MSEC)

static struct load find_load(const struct boot_situation *s)
{
        struct load load = { 0 };
        const struct boot_unit *most_new = NULL;
        for (uint32_t i = 0; i < s->boot->unit_count; i++) {
                const struct boot_unit *unit = &s->boot->units[i];
                if (unit->cpu_usec == ABSENT || unit->cpu_usec < LOAD_LEAST_USEC)
                        continue;
                load.count++;
                load.cpu_sec += boot_seconds(unit->cpu_usec);
                if (!load.most || unit->cpu_usec > load.most->cpu_usec)
                        load.most = unit;
                if (s->unit_usual_usec[i] != ABSENT)
                        continue;
                load.new_count++;
                load.new_cpu_sec += boot_seconds(unit->cpu_usec);
                if (!most_new || unit->cpu_usec > most_new->cpu_usec)
                        most_new = unit;
        }
        if (most_new && load.new_cpu_sec >= load.cpu_sec / 2)
                load.most = most_new;
        return load;
}

/* ---- what is said ---- */

struct subject boot_subject(const struct boot_situation *s, const struct boot_unit *unit)
{
        struct subject subject = { .kind = SUBJECT_UNIT, .lost_permille = -1 };
        for (size_t i = 0; i < s->latest->unit_count; i++)
                if (strcmp(s->latest->units[i].sample->unit, unit->name) == 0)
                        return subject_of_unit(s->latest, s->latest->units[i].sample);
        text_format(subject.name, sizeof(subject.name), "%s", unit->name);
        text_format(subject.unit, sizeof(subject.unit), "%s", unit->name);
        return subject;
}

static bool ends_in(const char *name, const char *suffix)
{
        size_t length = strlen(name), end = strlen(suffix);
        return length > end && strcmp(name + length - end, suffix) == 0;
}

static void remedies_for_unit(const struct boot_situation *s, const struct boot_unit *unit,
                              struct finding *finding)
{
        char command[FINDING_TEXT_MAX];
        const char *target = s->boot->times.target[0] ? s->boot->times.target : "multi-user.target";
        if (ends_in(unit->name, ".device")) {
                finding_remedy(finding, "journalctl -b -k",
                               "see why the device appears so late, or take it out of /etc/fstab (nofail, "
                               "x-systemd.device-timeout=)");
                return;
        }
        if (ends_in(unit->name, ".mount")) {
                finding_remedy(finding, "systemctl list-units --type=mount",
                               "mount it when it is first used: noauto,x-systemd.automount in /etc/fstab");
                return;
        }
        if (!ends_in(unit->name, ".service"))
                return;
        if (strcmp(unit->enabled, "enabled") == 0) {
                (void)command_on_unit(command, unit->name, "systemctl disable %s", unit->name);
                finding_remedy(finding, command, "do not start it with the machine, if nobody needs it");
        } else {
                (void)command_on_unit(command, unit->name, "systemctl list-dependencies --reverse %s",
                                      unit->name);
                finding_remedy(finding, command, "see who wants it, and disable that or mask it");
        }
        (void)command_on_unit(command, unit->name, "systemctl edit %s", unit->name);
        if (command[0])
                finding_remedy(finding, command, "let it start when the rest is there: [Unit] After=%s",
                               target);
        if (strcmp(unit->type, "oneshot") == 0)
                finding_remedy(finding, NULL,
                               "Type=exec instead of oneshot, if nothing has to wait until it has ended");
        (void)command_on_unit(command, unit->name, "journalctl -b -u %s", unit->name);
        if (command[0])
                finding_remedy(finding, command, "see what it does in that time");
}

void boot_say_trend(const struct boot_situation *s, struct finding *finding)
{
        char over[UNITS_MAX], usual[UNITS_MAX];
        if (!s->has_usual)
                return;
        (void)format_duration(over, s->usual.over_usec);
        (void)format_duration(usual, s->usual.usual_usec);
        if (s->usual.change == BOOT_CREEP)
                finding_evidence(finding, "boot.trend", (double)s->usual.count + 1, "count", NAN, NAN,
                                 "it has grown little by little over the last %u boots", s->usual.count + 1);
        else if (s->usual.change == BOOT_STEP && s->usual.since_boots > 0)
                finding_evidence(finding, "boot.trend", s->usual.since_boots, "count", NAN, NAN,
                                 "the %u boots before took as long; what came before them took %s",
                                 s->usual.since_boots, usual);
        else if (s->usual.change == BOOT_STEP)
                finding_evidence(finding, "boot.trend", 0, "count", NAN, NAN,
                                 "the boots before took %s: something has changed since the last one", usual);
}

void boot_say_pressure(const struct boot_situation *s, struct finding *finding)
{
        const struct boot_times *times = &s->boot->times;
        char share[UNITS_MAX];
        /* Counted since the kernel's start, but before userspace nobody waits. */
        double span = (double)times->finish_usec - (double)times->userspace_usec;
        const struct {
                uint64_t waited_usec;
                const char *name, *what;
        } rows[] = { { times->cpu_waited_usec, "boot.waiting.cpu", "a CPU" },
                     { times->io_waited_usec, "boot.waiting.io", "a disk" } };
        for (size_t i = 0; i < 2; i++) {
                double permille = fmin(1000 * (double)rows[i].waited_usec / span, 1000);
                if (rows[i].waited_usec != ABSENT && permille >= 300)
                        finding_evidence(finding, rows[i].name, permille, "permille", NAN, NAN,
                                         "something that started waited for %s %s of the time", rows[i].what,
                                         format_permille(share, permille));
        }
}

void boot_blame_holder(const struct boot_situation *s, const struct boot_suspect *suspect,
                       const char *how_long, struct finding *finding)
{
        char held[UNITS_MAX], usual[UNITS_MAX];
        const struct boot_unit *unit = suspect->unit;
        finding->culprit = boot_subject(s, unit);
        (void)format_duration(held, suspect->held_usec);
        if (suspect->usual_usec != ABSENT)
                (void)format_duration(usual, suspect->usual_usec);
        finding_evidence(finding, "boot.held", (double)suspect->held_usec, "usec", NAN,
                         suspect->usual_usec == ABSENT ? NAN : (double)suspect->usual_usec,
                         "%s held up the critical chain for %s%s%s", unit->name, held,
                         suspect->usual_usec != ABSENT ? ", usually " : "",
                         suspect->usual_usec != ABSENT ? usual
                         : s->has_usual                ? "; earlier boots did not have it"
                                                       : "");
        text_format(finding->summary, sizeof(finding->summary), "%s, and %s held it up for %s", how_long,
                    unit->name, held);
        remedies_for_unit(s, unit, finding);
}

void boot_blame_load(const struct boot_situation *s, const char *how_long, struct finding *finding)
{
        struct load found = find_load(s);
        const struct load *load = &found;
        char services[UNITS_MAX], cpu[UNITS_MAX], all[UNITS_MAX], command[FINDING_TEXT_MAX];
        (void)format_duration(all, (usec_t)(load->cpu_sec * (double)USEC_PER_SEC));
        if (!load->most) {
                finding->culprit = subject_machine(s->latest);
                text_format(finding->summary, sizeof(finding->summary),
                            "%s, and no single unit accounts for it", how_long);
                finding_remedy(finding, "slowctl boot", "see what started, and what took how long");
                return;
        }
        bool is_most = boot_seconds(load->most->cpu_usec) >= load->cpu_sec / 2;
        finding->culprit = is_most ? boot_subject(s, load->most) : subject_machine(s->latest);
        finding_evidence(finding, "boot.cpu", load->cpu_sec * (double)USEC_PER_SEC, "usec", NAN, NAN,
                         "%u services used %s of CPU, %s alone %s", load->count, all, load->most->name,
                         format_duration(cpu, load->most->cpu_usec));
        if (load->new_count > 0)
                finding_evidence(finding, "boot.new", load->new_count, "count", NAN, NAN,
                                 "%u of them earlier boots did not have", load->new_count);
        text_format(finding->summary, sizeof(finding->summary),
                    "%s: %s services start with it and use %s of CPU, %s %s", how_long,
                    format_count(services, (double)s->boot->times.services), all,
                    is_most ? "most of it" : "none more than", is_most ? load->most->name : cpu);
        if (!is_most)
                finding_remedy(
                        finding, NULL,
                        "disable those that nobody needs, and let others start when the rest is there: "
                        "[Unit] After=%s",
                        s->boot->times.target[0] ? s->boot->times.target : "multi-user.target");
        else if (strcmp(load->most->type, "session") == 0) {
                finding_remedy(finding, NULL,
                               "take out of the desktop's startup programs (~/.config/autostart) what nobody "
                               "needs at once");
        } else {
                (void)command_on_unit(command, load->most->name, "systemctl disable %s", load->most->name);
                finding_remedy(finding, command, "do not start with the machine what nobody needs at once");
                (void)command_on_unit(command, load->most->name, "systemctl edit %s", load->most->name);
                finding_remedy(finding, command, "let it start when the rest is there: [Unit] After=%s",
                               s->boot->times.target[0] ? s->boot->times.target : "multi-user.target");
        }
        finding_remedy(finding, "slowctl boot", "see what each of them cost");
}
