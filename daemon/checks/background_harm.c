/* What others lose to one background worker, by the disk and by the CPUs: beyond what they always lose, and
 * no more than can come from it. Where that was not worked out, how far the question came. */
#include "daemon/checks/background.h"

static float cpu_wait_of(const struct ledger *ledger)
{
        return ledger->cpu_wait;
}

static void add_victim(struct harm *harm, const struct family *family, double lost, double usual)
{
        size_t at = harm->victim_count < FINDING_VICTIMS_MAX ? harm->victim_count : FINDING_VICTIMS_MAX - 1;
        double weight = lost * (double)ledger_wanted(&family->ledger);
        if (harm->victim_count == FINDING_VICTIMS_MAX &&
            harm->lost_permille_of[at] * (double)ledger_wanted(&harm->victims[at]->ledger) >= weight)
                return;
        for (;
             at > 0 &&
             harm->lost_permille_of[at - 1] * (double)ledger_wanted(&harm->victims[at - 1]->ledger) < weight;
             at--) {
                harm->victims[at] = harm->victims[at - 1];
                harm->lost_permille_of[at] = harm->lost_permille_of[at - 1];
                harm->usual_permille[at] = harm->usual_permille[at - 1];
        }
        harm->victims[at] = family;
        harm->lost_permille_of[at] = lost;
        harm->usual_permille[at] = usual;
        if (harm->victim_count < FINDING_VICTIMS_MAX)
                harm->victim_count++;
}

static bool can_be_victim(const struct background *background, const struct offender *offender,
                          const struct family *family)
{
        if (family == offender->family || family->is_kernel || family->is_self || family->is_batch ||
            background_job_of(background, family))
                return false;
        return !offender->family || !is_same_job(background->latest, offender->family, family);
}

/* Of the two resources: the one of which each victim loses the larger part of its time. */
static void keep_worse(struct offender *offender, const struct harm *harm)
{
        if (harm->state > offender->harm.state ||
            (harm->state == offender->harm.state && harm->lost_permille > offender->harm.lost_permille))
                offender->harm = *harm;
}

/* Who waits less than this of its time is not what the answer is about. */
#define DISK_NOTABLE_PERMILLE 100
#define CPU_NOTABLE_PERMILLE  50

/* Somebody who moves more than that beside the worker cannot be told from a culprit, unless its past says
 * that it never waited before. */
#define VICTIM_MOVES 0.5

static bool is_disk_victim(const struct background *background, const struct offender *offender,
                           const struct family *family)
{
        if (!can_be_victim(background, offender, family) || !(family->ledger.disk_wait >= 0.01F) ||
            lost_permille_of(family->ledger.disk_wait, &family->ledger) < DISK_NOTABLE_PERMILLE)
                return false;
        return disk_use_meets(background->latest, &offender->place,
                              &background->uses[family - background->families]);
}

/* Nobody else moves more there; of work that is no reading or writing, nobody else waits more. */
static bool is_main_user(const struct background *background, const struct offender *offender, double waiting)
{
        double share = background_parameter(background, BACKGROUND_MINIMUM_SHARE) / 1000;
        if (offender->raid)
                return offender->disk && offender->moved >= share * disk_carried(offender->disk);
        if (offender->job && offender->job->worker.is_byteless)
                return offender->queue >= share * (offender->queue + waiting);
        return disk_is_main_user(background->latest, background->families, background->uses,
                                 background->count, (size_t)(offender->family - background->families),
                                 &offender->place, share);
}

/* Returns what this victim wanted: 0 for one that has lost nothing. */
static double add_loss(struct harm *harm, const struct family *family, const struct loss *loss)
{
        double wanted = (double)ledger_wanted(&family->ledger);
        if (!(loss->permille > 0))
                return 0;
        harm->lost += loss->permille / 1000 * wanted;
        add_victim(harm, family, loss->permille, loss->usual_permille);
        return wanted;
}

static void sum_up(struct harm *harm, double wanted)
{
        harm->lost_permille = wanted > 0 ? 1000 * harm->lost / wanted : 0;
        harm->is_usual_known = harm->victim_count > 0 && !isnan(harm->usual_permille[0]);
}

static void add_disk_losses(const struct background *background, const struct offender *offender, double part,
                            struct harm *harm)
{
        double wanted = 0;
        bool is_byteless = offender->job && offender->job->worker.is_byteless;
        for (size_t i = 0; i < background->count; i++) {
                const struct family *family = &background->families[i];
                if (!is_disk_victim(background, offender, family))
                        continue;
                struct loss loss = disk_loss(background->history, family, offender->since_usec, part);
                if (!loss.is_usual_known && !is_byteless && !offender->raid &&
                    disk_moved(family) >= VICTIM_MOVES * offender->moved)
                        continue;
                harm->state = HARM_KNOWN;
                wanted += add_loss(harm, family, &loss);
        }
        sum_up(harm, wanted);
}

void background_examine_disk(const struct background *background, struct offender *offender)
{
        struct harm harm = { .state = HARM_UNTOLD };
        double waiting = 0;
        if (!(1000 * background->disk_in_use >= background_parameter(background, BACKGROUND_MINIMUM_BUSY)))
                return;
        for (size_t i = 0; i < background->count; i++)
                if (is_disk_victim(background, offender, &background->families[i]))
                        waiting += (double)background->families[i].ledger.disk_wait;
        if (waiting <= 0)
                harm.state = HARM_NOBODY_WAITS;
        else if (!is_main_user(background, offender, waiting))
                harm.state = HARM_OTHERS_USE_MORE;
        else
                add_disk_losses(background, offender, disk_part(offender->disk, offender->queue, waiting),
                                &harm);
        keep_worse(offender, &harm);
}

/* ---- CPU ---- */

/* CPUs: beside a batch a daemon that wants next to nothing waits for most of it, and nobody feels that. */
#define BATCH_VICTIM_CPU 0.02F
#define LEAST_CPUS       0.2 /* of all */

static bool is_cpu_victim(const struct background *background, const struct offender *offender,
                          const struct family *family)
{
        const struct family *worker = offender->family;
        if (!can_be_victim(background, offender, family) || !(family->ledger.cpu_wait >= 0.005F) ||
            family->demand > worker->demand / 2 ||
            lost_permille_of(family->ledger.cpu_wait, &family->ledger) < CPU_NOTABLE_PERMILLE)
                return false;
        if (worker->is_batch && !(family->cpu >= BATCH_VICTIM_CPU))
                return false;
        return !yields(background->latest, worker, family);
}

/* What those use who wait for it is no other explanation of their waiting. */
static bool is_main_cpu_user(const struct background *background, const struct offender *offender)
{
        double own = (double)offender->family->cpu, others = 0;
        if (own < LEAST_CPUS * background->cpus)
                return false;
        for (size_t i = 0; i < background->count; i++) {
                const struct family *family = &background->families[i];
                if (family != offender->family && !family->is_kernel &&
                    !is_cpu_victim(background, offender, family))
                        others += (double)family->cpu;
        }
        return 1000 * own >= background_parameter(background, BACKGROUND_MINIMUM_SHARE) * (own + others);
}

static bool is_brief(const struct background *background, const struct offender *offender)
{
        usec_t now_usec = background->latest->time.realtime_usec;
        return (double)(now_usec - offender->since_usec) <
               background_parameter(background, BACKGROUND_BURST) * (double)USEC_PER_SEC;
}

static void add_cpu_losses(const struct background *background, const struct offender *offender, double part,
                           struct harm *harm)
{
        double wanted = 0;
        for (size_t i = 0; i < background->count; i++) {
                const struct family *family = &background->families[i];
                if (!is_cpu_victim(background, offender, family))
                        continue;
                struct loss loss =
                        loss_of(background->history, family, offender->since_usec, cpu_wait_of, part);
                wanted += add_loss(harm, family, &loss);
        }
        sum_up(harm, wanted);
}

void background_examine_cpu(const struct background *background, struct offender *offender)
{
        struct harm harm = { .state = HARM_KNOWN, .is_cpu = true };
        double waited = 0, least = background_parameter(background, BACKGROUND_MINIMUM_BUSY);
        least = least > 850 ? least : 850; /* while CPUs idle nobody need wait for one */
        if (!offender->family || !(1000 * background->cpu_busy >= least))
                return;
        for (size_t i = 0; i < background->count; i++)
                if (is_cpu_victim(background, offender, &background->families[i]))
                        waited += (double)background->families[i].ledger.cpu_wait;
        if (!is_main_cpu_user(background, offender))
                harm.state = HARM_OTHERS_USE_MORE;
        else if (waited <= 0)
                harm.state = HARM_NOBODY_WAITS;
        else if (is_brief(background, offender))
                harm.state = HARM_BRIEF;
        double own = (double)offender->family->cpu;
        if (harm.state == HARM_KNOWN)
                add_cpu_losses(background, offender, waited > own ? own / waited : 1, &harm);
        keep_worse(offender, &harm);
}
