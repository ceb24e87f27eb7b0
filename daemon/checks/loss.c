/* What a victim loses to a suspect, told apart from what it always waits. */
#include "daemon/checks/blame.h"

/* In its past it must have wanted this share of what it wants now: of one that did nothing no habit is known.
 */
#define PAST_SHARE 0.05F

/* Long enough to average bursts out, and a minute's distance so that the onset itself is not in it. */
#define USUAL_SPAN_USEC     (10 * USEC_PER_MINUTE)
#define USUAL_DISTANCE_USEC USEC_PER_MINUTE

static bool past_of(const struct history *history, const struct family *family, usec_t since_usec,
                    struct program_window *ret_window)
{
        const struct snapshot *latest = history_latest(history);
        usec_t now_usec = latest->time.realtime_usec;
        usec_t age = (now_usec > since_usec ? now_usec - since_usec : 0) + USUAL_DISTANCE_USEC;
        return history_program(history, latest->programs[family->programs[0]].id, age + USUAL_SPAN_USEC, age,
                               ret_window);
}

double usual_lost_permille(const struct history *history, const struct family *family, usec_t since_usec,
                           float (*wait)(const struct ledger *))
{
        struct program_window window;
        if (!past_of(history, family, since_usec, &window))
                return NAN;
        return lost_permille_of(wait(&window.ledger), &window.ledger);
}

static float larger(float a, float b)
{
        return b > a ? b : a;
}

/* How much more it does now than it used to: nobody is to blame for what more work waits. */
static float work_ratio(const struct family *family, const struct program_window *past)
{
        float before = past->read_bytes + past->write_bytes, now = family->read_bytes + family->write_bytes;
        float ratio = past->ledger.running > 0 ? larger(1, family->ledger.running / past->ledger.running) : 1;
        return before > 0 ? larger(ratio, now / before) : ratio;
}

struct loss loss_of(const struct history *history, const struct family *family, usec_t since_usec,
                    float (*wait)(const struct ledger *), double part)
{
        struct program_window past;
        double lost = lost_permille_of(wait(&family->ledger), &family->ledger);
        struct loss loss = { .permille = lost * (isnan(part) ? 1 : part), .usual_permille = NAN };
        if (!past_of(history, family, since_usec, &past) ||
            ledger_wanted(&past.ledger) < PAST_SHARE * ledger_wanted(&family->ledger))
                return loss;
        loss.is_usual_known = true;
        loss.usual_permille = lost_permille_of(wait(&past.ledger), &past.ledger);
        loss.permille = lost > loss.usual_permille ? lost - loss.usual_permille : 0;
        /* Who does little but wait (a save every second) has waited for most of what it wanted before as
         * well: then it is how long that tells. */
        float expected = wait(&past.ledger) * work_ratio(family, &past);
        double more = (double)(1000 * (wait(&family->ledger) - expected) / ledger_wanted(&family->ledger));
        if (more > loss.permille)
                loss.permille = more;
        return loss;
}

static float disk_wait_of(const struct ledger *ledger)
{
        return ledger->disk_wait;
}

/* Who waits this much of its time does hardly anything else: then what it gets done tells how it fares. */
#define BOUND_PERMILLE 500
#define BOUND_BYTES    16384 /* per second, in the past: four pages; less is no measure */

struct loss disk_loss(const struct history *history, const struct family *family, usec_t since_usec,
                      double part)
{
        struct program_window past;
        struct loss loss = loss_of(history, family, since_usec, disk_wait_of, part);
        double lost = lost_permille_of(family->ledger.disk_wait, &family->ledger);
        if (!loss.is_usual_known || lost < BOUND_PERMILLE || !past_of(history, family, since_usec, &past))
                return loss;
        double before = (double)(past.read_bytes + past.write_bytes);
        double now = (double)(family->read_bytes + family->write_bytes);
        if (before >= BOUND_BYTES && now < before && lost * (1 - now / before) > loss.permille)
                loss.permille = lost * (1 - now / before);
        return loss;
}

const struct disk_rate *busiest_disk(const struct snapshot *latest)
{
        const struct disk_rate *busiest = NULL;
        for (size_t i = 0; i < latest->disk_count; i++) {
                const struct disk_rate *disk = &latest->disks[i];
                if (disk->sample->is_partition || disk->sample->is_memory)
                        continue;
                if (!busiest || disk->busy > busiest->busy + 0.05F ||
                    (disk->busy > busiest->busy - 0.05F && busiest->sample->is_stacked &&
                     !disk->sample->is_stacked))
                        busiest = disk;
        }
        return busiest;
}
