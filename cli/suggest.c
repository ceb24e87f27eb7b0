/* Near misses, by the number of slips between two words. */
#include "cli/suggest.h"

#include <stdint.h>
#include <string.h>

static size_t least(size_t a, size_t b, size_t c)
{
        size_t smaller = a < b ? a : b;
        return smaller < c ? smaller : c;
}

/* Letters to add, drop, change or swap with their neighbour (optimal string alignment distance). */
static size_t distance(const char *a, const char *b)
{
        size_t rows[3][SUGGEST_NAME_MAX + 1];
        size_t a_length = strlen(a), b_length = strlen(b);
        if (a_length > SUGGEST_NAME_MAX || b_length > SUGGEST_NAME_MAX)
                return SIZE_MAX;
        for (size_t j = 0; j <= b_length; j++)
                rows[0][j] = j;
        for (size_t i = 1; i <= a_length; i++) {
                size_t *now = rows[i % 3], *before = rows[(i - 1) % 3], *two_before = rows[(i + 1) % 3];
                now[0] = i;
                for (size_t j = 1; j <= b_length; j++) {
                        now[j] = least(before[j] + 1, now[j - 1] + 1, before[j - 1] + (a[i - 1] != b[j - 1]));
                        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                            two_before[j - 2] + 1 < now[j])
                                now[j] = two_before[j - 2] + 1;
                }
        }
        return rows[a_length % 3][b_length];
}

const char *suggest(const char *typed, const char *const *names, size_t count)
{
        const char *best = NULL;
        size_t length = strlen(typed), best_distance = length / 3 + 1; /* one slip in three letters */
        for (size_t i = 0; i < count; i++) {
                size_t slips = distance(typed, names[i]);
                /* What was typed may also be the beginning, or the part behind the dot. */
                const char *dot = strchr(names[i], '.');
                if (length >= 3 &&
                    (strncmp(names[i], typed, length) == 0 || (dot && strcmp(dot + 1, typed) == 0)))
                        slips = 1;
                if (slips < best_distance) {
                        best = names[i];
                        best_distance = slips;
                }
        }
        return best;
}
