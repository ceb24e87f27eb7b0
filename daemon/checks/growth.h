/* Whether a level grows without bound, or only rises for a while: what memory.leak and memory.ownerless have
 * in common. Judges the floors of a trend (what is left when garbage has been collected and requests are
 * answered) over minutes, hours and days. A trend test alone finds a leak in every warm-up and every morning,
 * so all of these must hold: the floor rises (Mann-Kendall), nearly everywhere, no slower than before, not in
 * a few steps, above anything seen before, and fast enough to matter. */
#pragma once

#include "daemon/diagnosis/finding.h"
#include "daemon/history/history.h"

struct growth_question {
        const struct history *history;
        enum trend_kind kind;
        uint64_t id;
        usec_t age_usec;    /* of what grows: what was before is not its past */
        double room_bytes;  /* that it can still grow into */
        double swap_bytes;  /* of it, where it hurts already: in minutes only the rest counts */
        double total_bytes; /* of the machine */
        double horizon_sec; /* growth that ends later than this is no matter yet */
        double share;       /* of the machine that it must have grown by in hours; in minutes more */
        bool was_found;     /* a weaker proof will do */
};

/* Why it is no growth, the nearest to one first. */
enum growth_verdict {
        GROWTH_FOUND,
        GROWTH_DAILY,    /* it has been as high before, or may be: no day of it is known yet */
        GROWTH_SLOWING,  /* it slows down: a cache or a pool that fills */
        GROWTH_STEPS,    /* in a few steps: tabs, a reload */
        GROWTH_UNSTEADY, /* up and down */
        GROWTH_LATER,    /* it would take too long to matter */
        GROWTH_NONE,     /* it does not rise */
        GROWTH_TOO_FEW,  /* not long enough known */
};

struct growth {
        enum growth_verdict verdict;
        usec_t since_usec;    /* realtime, when it began to rise */
        usec_t over_usec;     /* the window in which it was judged */
        double bytes_per_sec; /* in that window */
        double from_bytes;    /* the floor when it began */
        double now_bytes;     /* the floor now */
        double left_sec;      /* until the room is used up */
};

/* With less of the machine's memory left than this, others lack it because of what grew. */
#define GROWTH_SHORT 0.2

/* The shortest window that shows growth wins, for its rate is the newest. ret_growth is set in any case: if
 * nothing grows, to what comes nearest. */
bool growth_find(const struct growth_question *question, struct growth *ret_growth);
/* "12 MB more each minute"; by the hour or day what goes on for longer. Returns buffer. */
const char *growth_rate_words(char buffer[static FINDING_TEXT_MAX], const struct growth *growth);
/* Growth is a risk, as grave as the time until the room is used up is short: all of the finding but who it is
 * and the words. With less than `warning_sec` left it is a warning. */
void growth_found(const struct growth *growth, double left_sec, double warning_sec, struct finding *finding);
/* Evidence: how fast it grows. */
void growth_say_rate(const struct growth *growth, struct finding *finding);
/* Evidence: how long what is left lasts. */
void growth_say_time_left(double left_sec, double warning_sec, struct finding *finding);
