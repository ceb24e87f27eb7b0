/* Medians, and a choice between two explanations of how the lengths came to grow. */
#include "daemon/model/boot_compare.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "common/units.h"

static int compare_lengths(const void *a, const void *b)
{
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
        return x < y ? -1 : x > y;
}

static uint64_t median(uint64_t *values, size_t count)
{
        if (count == 0)
                return ABSENT;
        qsort(values, count, sizeof(values[0]), compare_lengths);
        return count % 2 ? values[count / 2] : values[count / 2 - 1] / 2 + values[count / 2] / 2;
}

/* ---- a step or a creep ---- */

struct series {
        double seconds[BOOT_EARLIER_MAX + 1]; /* oldest first */
        usec_t began_usec[BOOT_EARLIER_MAX + 1];
        size_t count;
};

/* Sum of squares around the mean of a stretch. */
static double scatter(const struct series *series, size_t from, size_t until)
{
        double mean = 0, sum = 0;
        for (size_t i = from; i < until; i++)
                mean += series->seconds[i] / (double)(until - from);
        for (size_t i = from; i < until; i++)
                sum += (series->seconds[i] - mean) * (series->seconds[i] - mean);
        return sum;
}

/* Sum of squares around the best line. */
static double scatter_of_line(const struct series *series)
{
        double n = (double)series->count, mean_x = (n - 1) / 2, mean_y = 0, xy = 0, xx = 0, sum = 0;
        for (size_t i = 0; i < series->count; i++)
                mean_y += series->seconds[i] / n;
        for (size_t i = 0; i < series->count; i++) {
                xy += ((double)i - mean_x) * (series->seconds[i] - mean_y);
                xx += ((double)i - mean_x) * ((double)i - mean_x);
        }
        for (size_t i = 0; i < series->count; i++) {
                double off = series->seconds[i] - mean_y - xy / xx * ((double)i - mean_x);
                sum += off * off;
        }
        return sum;
}

#define CREEP_LEAST_BOOTS 6   /* a line through fewer says nothing */
#define CREEP_BETTER      0.5 /* it has to explain clearly more than one step does */

static void explain_change(const struct series *series, struct boot_comparison *comparison)
{
        size_t best = series->count - 1;
        double least = scatter(series, 0, best);
        for (size_t at = 1; at + 1 < series->count; at++) {
                double sum = scatter(series, 0, at) + scatter(series, at, series->count);
                if (sum < least) {
                        least = sum;
                        best = at;
                }
        }
        if (series->count >= CREEP_LEAST_BOOTS && scatter_of_line(series) < CREEP_BETTER * least) {
                comparison->change = BOOT_CREEP;
                comparison->since_usec = series->began_usec[0];
                return;
        }
        comparison->change = BOOT_STEP;
        comparison->since_usec = series->began_usec[best];
        comparison->since_boots = (uint32_t)(series->count - 1 - best);
}

/* ---- what happens once ---- */

static const struct {
        const char *prefix;
        const char *reason;
        bool must_be_long; /* it explains only what it took itself */
} once_units[] = {
        { "systemd-firstboot", "the first start of this system", false },
        { "systemd-machine-id-commit", "the first start of this system", false },
        { "selinux-autorelabel", "all files were labelled anew", false },
        { "fixfiles", "all files were labelled anew", false },
        { "packagekit-offline-update", "updates were installed", false },
        { "dnf-system-upgrade", "updates were installed", false },
        { "dnf5-offline-transaction", "updates were installed", false },
        { "systemd-fsck", "a file system was checked", true },
        { "dkms", "kernel modules were built", true },
        { "ldconfig", "the caches of /usr were made anew after an update", true },
        { "systemd-hwdb-update", "the caches of /usr were made anew after an update", true },
        { "systemd-sysusers", "the caches of /usr were made anew after an update", true },
};

#define ONCE_LEAST_USEC (2 * USEC_PER_SEC)

static const char *once_unit(const struct boot *boot, uint64_t over_usec)
{
        for (size_t k = 0;
             boot->times.stage == BOOT_STARTING && k < sizeof(once_units) / sizeof(once_units[0]); k++)
                if (span_starts(span_of(boot->times.waiting), once_units[k].prefix))
                        return once_units[k].reason;
        for (uint32_t i = 0; i < boot->unit_count; i++)
                for (size_t k = 0; k < sizeof(once_units) / sizeof(once_units[0]); k++) {
                        const struct boot_unit *unit = &boot->units[i];
                        if (!span_starts(span_of(unit->name), once_units[k].prefix))
                                continue;
                        if (!once_units[k].must_be_long ||
                            (unit->length_usec >= ONCE_LEAST_USEC && unit->length_usec >= over_usec / 2))
                                return once_units[k].reason;
                }
        return NULL;
}

static void find_once(const struct boot *boot, const struct boot *before, struct boot_comparison *comparison)
{
        const char *reason = once_unit(boot, comparison->over_usec);
        if (reason)
                text_format(comparison->once, sizeof(comparison->once), "%s", reason);
        else if (before && boot->times.kernel[0] && before->times.kernel[0] &&
                 strcmp(boot->times.kernel, before->times.kernel) != 0)
                text_format(comparison->once, sizeof(comparison->once), "the first boot with kernel %s",
                            boot->times.kernel);
        comparison->is_once = comparison->once[0] != '\0';
}

/* ---- all together ---- */

/* What differs by less than this is the same: boots are never equal. */
#define NOISE_USEC (2 * USEC_PER_SEC)

void boot_compare(const struct boot *boot, const struct boot *const *earlier, size_t count,
                  struct boot_comparison *ret_comparison)
{
        uint64_t values[BOOT_EARLIER_MAX], length_usec = boot_length(&boot->times);
        const struct boot *known[BOOT_EARLIER_MAX];
        struct boot_comparison *comparison = ret_comparison;
        *comparison = (struct boot_comparison){ .usual_usec = ABSENT };
        for (size_t i = 0; i < count && comparison->count < BOOT_EARLIER_MAX; i++)
                if (boot_length(&earlier[i]->times) != ABSENT)
                        known[comparison->count++] = earlier[i];
        for (uint32_t i = 0; i < comparison->count; i++)
                values[i] = boot_length(&known[i]->times);
        comparison->usual_usec = median(values, comparison->count);
        if (comparison->count > 0 && length_usec != ABSENT && length_usec > comparison->usual_usec)
                comparison->over_usec = length_usec - comparison->usual_usec;
        find_once(boot, comparison->count > 0 ? known[0] : NULL, comparison);
        if (length_usec == ABSENT || comparison->count == 0 || comparison->over_usec < NOISE_USEC ||
            comparison->over_usec < comparison->usual_usec / 8)
                return;
        struct series series = { .count = comparison->count + 1 };
        for (size_t i = 0; i < series.count; i++) {
                const struct boot *one = i + 1 < series.count ? known[series.count - 2 - i] : boot;
                series.began_usec[i] = one->times.began_usec;
                series.seconds[i] = (double)boot_length(&one->times) / (double)USEC_PER_SEC;
        }
        explain_change(&series, comparison);
}

void boot_compare_units(const struct boot *boot, const struct boot *const *earlier, size_t count,
                        uint64_t ret_usual_usec[static BOOT_UNITS_MAX])
{
        uint64_t values[BOOT_EARLIER_MAX];
        for (uint32_t i = 0; i < boot->unit_count; i++) {
                size_t seen = 0;
                for (size_t k = 0; k < count && seen < BOOT_EARLIER_MAX; k++) {
                        const struct boot_unit *unit = boot_find_unit(earlier[k], boot->units[i].name);
                        if (unit)
                                values[seen++] = unit->length_usec;
                }
                ret_usual_usec[i] = median(values, seen);
        }
}

void boot_report_make(const struct boot *boot, const struct boot *const *earlier, size_t count,
                      struct boot_report *ret_report)
{
        ret_report->boot = *boot;
        boot_compare(boot, earlier, count, &ret_report->comparison);
        boot_compare_units(boot, earlier, count, ret_report->unit_usual_usec);
        ret_report->earlier_count = 0;
        for (size_t i = 0; i < count && i < BOOT_EARLIER_MAX; i++)
                ret_report->earlier[ret_report->earlier_count++] = earlier[i]->times;
}
