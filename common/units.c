/* Numbers for people. */
#include "common/units.h"

#include <math.h>
#include <stdio.h>

const char *format_bytes(char buffer[static UNITS_MAX], double bytes)
{
        static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
        size_t unit = 0;
        double value = isfinite(bytes) && bytes > 0 ? bytes : 0;
        while (value >= 999.5 && unit + 1 < sizeof(units) / sizeof(units[0])) {
                value /= 1000;
                unit++;
        }
        (void)snprintf(buffer, UNITS_MAX, unit > 0 && value < 9.95 ? "%.1f %s" : "%.0f %s", value,
                       units[unit]);
        return buffer;
}

const char *format_duration(char buffer[static UNITS_MAX], usec_t usec)
{
        if (usec < USEC_PER_SEC) {
                (void)snprintf(buffer, UNITS_MAX, "%" PRIu64 " ms", usec / USEC_PER_MSEC);
                return buffer;
        }
        uint64_t seconds = (usec + USEC_PER_SEC / 2) / USEC_PER_SEC;
        uint64_t minutes = seconds / 60, hours = minutes / 60, days = hours / 24;
        if (seconds < 120)
                (void)snprintf(buffer, UNITS_MAX, "%" PRIu64 " s", seconds);
        else if (minutes < 120)
                (void)snprintf(buffer, UNITS_MAX, "%" PRIu64 " min", minutes);
        else if (hours < 48)
                (void)snprintf(buffer, UNITS_MAX, "%" PRIu64 " h %" PRIu64 " min", hours, minutes % 60);
        else
                (void)snprintf(buffer, UNITS_MAX, "%" PRIu64 " d %" PRIu64 " h", days, hours % 24);
        return buffer;
}

const char *format_permille(char buffer[static UNITS_MAX], double permille)
{
        double percent = isfinite(permille) ? permille / 10 : 0;
        (void)snprintf(buffer, UNITS_MAX, fabs(percent) < 9.95 ? "%.1f %%" : "%.0f %%", percent);
        return buffer;
}

const char *format_count(char buffer[static UNITS_MAX], double value)
{
        char digits[UNITS_MAX];
        if (!isfinite(value) || fabs(value) >= 1e18)
                value = 0;
        if (fabs(value) < 9.95 && value != floor(value)) {
                (void)snprintf(buffer, UNITS_MAX, "%.1f", value);
                return buffer;
        }
        int length = snprintf(digits, sizeof(digits), "%.0f", fabs(value));
        size_t out = 0;
        if (value <= -0.5)
                buffer[out++] = '-';
        for (int i = 0; i < length && out + 2 < UNITS_MAX; i++) {
                if (i > 0 && (length - i) % 3 == 0)
                        buffer[out++] = ',';
                buffer[out++] = digits[i];
        }
        buffer[out] = '\0';
        return buffer;
}
