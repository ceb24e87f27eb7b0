/* A heap of the best so far with the worst of them on top, then taken apart from the end. */
#include "daemon/ranking.h"

#include <math.h>
#include <stdbool.h>

static bool is_worse(const struct ranked *a, const struct ranked *b)
{
        float x = isnan(a->score) ? -INFINITY : a->score, y = isnan(b->score) ? -INFINITY : b->score;
        return x < y || (!(y < x) && a->index > b->index);
}

static void swap(struct ranked *a, struct ranked *b)
{
        struct ranked kept = *a;
        *a = *b;
        *b = kept;
}

static void sift_down(struct ranked *heap, size_t at, size_t count)
{
        for (size_t worst = at;; at = worst) {
                size_t left = 2 * at + 1, right = left + 1;
                if (left < count && is_worse(&heap[left], &heap[worst]))
                        worst = left;
                if (right < count && is_worse(&heap[right], &heap[worst]))
                        worst = right;
                if (worst == at)
                        return;
                swap(&heap[at], &heap[worst]);
        }
}

size_t ranking_best(struct ranked *list, size_t count, size_t max)
{
        size_t kept = count < max ? count : max;
        if (kept == 0)
                return 0;
        for (size_t at = kept / 2; at > 0; at--)
                sift_down(list, at - 1, kept);
        for (size_t i = kept; i < count; i++) {
                if (!is_worse(&list[0], &list[i]))
                        continue;
                swap(&list[0], &list[i]);
                sift_down(list, 0, kept);
        }
        for (size_t last = kept - 1; last > 0; last--) {
                swap(&list[0], &list[last]);
                sift_down(list, 0, last);
        }
        return kept;
}
