/* Puts findings together: what is a root, what follows from it, what was ruled out. */
#include "daemon/diagnosis/diagnose.h"

#include <string.h>

#include "common/text.h"
#include "common/units.h"
#include "daemon/checks/blame.h"
#include "daemon/diagnosis/relation.h"

static bool explains(const char *root, const char *follower)
{
        const struct check *check = check_find(root);
        for (const char *const *name = check ? check->explains : NULL; name && *name; name++)
                if (strcmp(*name, follower) == 0)
                        return true;
        return false;
}

/* Which finding follows from which: one step up for each, and NO_ROOT for a root. */
#define NO_ROOT SIZE_MAX
struct forest {
        size_t above[CHECKS_MAX];
};

static bool is_above(const struct forest *forest, size_t upper, size_t lower)
{
        for (; lower != NO_ROOT; lower = forest->above[lower])
                if (lower == upper)
                        return true;
        return false;
}

/* Of several that may explain one finding it is the first in elimination order. No step may close a circle;
 * from the last to the first, so that of two that explain each other the earlier is the root. */
static struct forest forest_of(const struct finding *findings, size_t count, const struct sample *sample)
{
        struct forest forest;
        for (size_t i = 0; i < CHECKS_MAX; i++)
                forest.above[i] = NO_ROOT;
        for (size_t i = count; i-- > 0;) {
                if (findings[i].verdict != VERDICT_FOUND)
                        continue;
                for (size_t k = 0; k < count && forest.above[i] == NO_ROOT; k++)
                        if (findings[k].verdict == VERDICT_FOUND && !is_above(&forest, i, k) &&
                            explains(findings[k].check, findings[i].check) &&
                            relation_holds(sample, &findings[k], &findings[i]))
                                forest.above[i] = k;
        }
        return forest;
}

/* A consequence of a consequence is one of the root. */
static size_t root_of(const struct forest *forest, size_t index)
{
        while (forest->above[index] != NO_ROOT)
                index = forest->above[index];
        return index;
}

/* What a root costs is what it costs itself and what its consequences cost; one whose consequence hurts now
 * is no risk any more, whatever it thought of itself. */
static struct finding with_consequences(const struct finding *findings, size_t count,
                                        const struct forest *forest, size_t root)
{
        struct finding sum = findings[root];
        for (size_t i = 0; i < count; i++) {
                if (findings[i].verdict != VERDICT_FOUND || root_of(forest, i) != root)
                        continue;
                if (findings[i].kind == FINDING_CAUSE)
                        sum.kind = FINDING_CAUSE;
                if (findings[i].lost_permille > sum.lost_permille)
                        sum.lost_permille = findings[i].lost_permille;
        }
        return sum;
}

static void insert_ranked(struct finding *list, uint32_t *count, const struct finding *finding,
                          const char *because)
{
        uint32_t at = *count < DIAGNOSIS_FINDINGS_MAX ? *count : DIAGNOSIS_FINDINGS_MAX - 1;
        if (*count == DIAGNOSIS_FINDINGS_MAX && list[at].lost_permille >= finding->lost_permille)
                return;
        while (at > 0 && list[at - 1].lost_permille < finding->lost_permille) {
                list[at] = list[at - 1];
                at--;
        }
        list[at] = *finding;
        list[at].because = because;
        if (*count < DIAGNOSIS_FINDINGS_MAX)
                (*count)++;
}

static void add_found(struct diagnosis *diagnosis, const struct finding *findings, size_t count,
                      const struct forest *forest, size_t index)
{
        size_t above = root_of(forest, index);
        if (above != index) {
                insert_ranked(diagnosis->consequences, &diagnosis->consequence_count, &findings[index],
                              findings[above].check);
                return;
        }
        struct finding root = with_consequences(findings, count, forest, index);
        if (root.kind == FINDING_RISK)
                insert_ranked(diagnosis->risks, &diagnosis->risk_count, &root, NULL);
        else
                insert_ranked(diagnosis->causes, &diagnosis->cause_count, &root, NULL);
}

static void add_reason(struct reason *reasons, uint32_t *count, const struct finding *finding)
{
        if (*count == CHECKS_MAX)
                return;
        reasons[*count].check = finding->check;
        (void)span_copy(span_of(finding->summary), reasons[*count].text, sizeof(reasons[*count].text));
        (*count)++;
}

/* From here on whoever asks wants to know with what. */
#define BUSY_SHARE 0.5

/* ", mostly with ffmpeg": the program that uses more of the CPUs than all others together; "" if they are not
 * busy. */
static const char *busy_with(const struct history *history, double busy, char *buffer, size_t size)
{
        struct family families[FAMILIES_MAX];
        const struct family *largest = NULL;
        float all = 0;
        buffer[0] = '\0';
        if (!(busy >= BUSY_SHARE))
                return buffer;
        size_t count = families_make(history, USEC_PER_MINUTE, families, FAMILIES_MAX);
        for (size_t i = 0; i < count; i++) {
                all += families[i].cpu;
                if (!families[i].is_kernel && (!largest || families[i].cpu > largest->cpu))
                        largest = &families[i];
        }
        if (largest && largest->cpu > all / 2)
                text_format(buffer, size, ", mostly with %s", largest->name);
        return buffer;
}

static void healthy_summary(const struct history *history, struct diagnosis *diagnosis)
{
        char busy[UNITS_MAX], memory[UNITS_MAX], disk[UNITS_MAX], with[FINDING_TEXT_MAX];
        double cpu = history_mean(history, FIELD_CPU_BUSY, USEC_PER_MINUTE);
        double available = history_mean(history, FIELD_MEMORY_AVAILABLE_BYTES, USEC_PER_MINUTE) /
                           history_mean(history, FIELD_MEMORY_TOTAL_BYTES, USEC_PER_MINUTE);
        double disks = history_mean(history, FIELD_DISK_BUSY_MAX, USEC_PER_MINUTE);
        text_format(
                diagnosis->summary, sizeof(diagnosis->summary),
                "%s is healthy: nothing found that makes it slow (CPUs %s busy%s, %s of memory available, "
                "disks %s busy).",
                diagnosis->machine, format_permille(busy, 1000 * cpu),
                busy_with(history, cpu, with, sizeof(with)), format_permille(memory, 1000 * available),
                format_permille(disk, 1000 * disks));
}

static void summarize(const struct history *history, struct diagnosis *diagnosis)
{
        switch (diagnosis->verdict) {
        case DIAGNOSIS_UNKNOWN:
                text_format(diagnosis->summary, sizeof(diagnosis->summary),
                            "Too little is known of %s yet: slowd has just begun to look.",
                            diagnosis->machine);
                break;
        case DIAGNOSIS_SLOW:
                text_format(diagnosis->summary, sizeof(diagnosis->summary), "%s is slow: %s.",
                            diagnosis->machine, diagnosis->causes[0].summary);
                break;
        case DIAGNOSIS_RISK:
                text_format(diagnosis->summary, sizeof(diagnosis->summary), "%s is not slow, but %s.",
                            diagnosis->machine, diagnosis->risks[0].summary);
                break;
        case DIAGNOSIS_HEALTHY:
                healthy_summary(history, diagnosis);
                break;
        }
}

void diagnose(const struct finding *findings, size_t count, const struct history *history,
              struct diagnosis *ret_diagnosis)
{
        struct diagnosis *diagnosis = ret_diagnosis;
        const struct snapshot *latest = history_latest(history);
        bool is_known = history_frames(history) >= DIAGNOSIS_FRAMES_MIN;
        const struct forest forest = forest_of(findings, count, latest->sample);
        diagnosis->cause_count = diagnosis->risk_count = diagnosis->consequence_count = 0;
        diagnosis->ruled_out_count = diagnosis->not_checked_count = 0;
        diagnosis->at_usec = latest->time.realtime_usec;
        (void)span_copy(span_of(latest->sample->machine.hostname), diagnosis->machine,
                        sizeof(diagnosis->machine));
        for (size_t i = 0; i < count && is_known; i++) {
                const struct finding *finding = &findings[i];
                switch (finding->verdict) {
                case VERDICT_CLEAR:
                        add_reason(diagnosis->ruled_out, &diagnosis->ruled_out_count, finding);
                        break;
                case VERDICT_UNKNOWN:
                        add_reason(diagnosis->not_checked, &diagnosis->not_checked_count, finding);
                        break;
                case VERDICT_FOUND:
                        add_found(diagnosis, findings, count, &forest, i);
                        break;
                }
        }
        diagnosis->verdict = !is_known                    ? DIAGNOSIS_UNKNOWN
                             : diagnosis->cause_count > 0 ? DIAGNOSIS_SLOW
                             : diagnosis->risk_count > 0  ? DIAGNOSIS_RISK
                                                          : DIAGNOSIS_HEALTHY;
        summarize(history, diagnosis);
}

static uint64_t hash_findings(uint64_t hash, const struct finding *findings, uint32_t count, const char *list)
{
        hash = text_hash(hash, list);
        for (uint32_t i = 0; i < count; i++)
                hash = text_hash(text_hash(hash, findings[i].check), findings[i].culprit.name);
        return hash;
}

uint64_t diagnosis_signature(const struct diagnosis *diagnosis)
{
        static const char *const verdicts[] = { "unknown", "healthy", "risk", "slow" };
        uint64_t hash = text_hash(HASH_SEED, verdicts[diagnosis->verdict]);
        hash = hash_findings(hash, diagnosis->causes, diagnosis->cause_count, "causes");
        hash = hash_findings(hash, diagnosis->risks, diagnosis->risk_count, "risks");
        hash = hash_findings(hash, diagnosis->consequences, diagnosis->consequence_count, "consequences");
        for (uint32_t i = 0; i < diagnosis->not_checked_count; i++)
                hash = text_hash(hash, diagnosis->not_checked[i].check);
        return hash;
}
