/* Due times of ticks. */
#include "daemon/rhythm.h"

usec_t rhythm_interval(const struct rhythm *rhythm)
{
        return rhythm->is_fast ? rhythm->fast_interval_usec : rhythm->interval_usec;
}

void rhythm_init(struct rhythm *rhythm, usec_t interval_usec, usec_t fast_interval_usec, usec_t now_usec)
{
        *rhythm = (struct rhythm){ .due_usec = now_usec,
                                   .last_due_usec = now_usec,
                                   .fast_ticks = RHYTHM_START_FAST_TICKS,
                                   .is_fast = true };
        rhythm_set(rhythm, interval_usec, fast_interval_usec);
        rhythm->asked_usec = rhythm->fast_interval_usec;
}

void rhythm_set(struct rhythm *rhythm, usec_t interval_usec, usec_t fast_interval_usec)
{
        rhythm->interval_usec = interval_usec;
        rhythm->fast_interval_usec = fast_interval_usec < interval_usec ? fast_interval_usec : interval_usec;
}

bool rhythm_begin(struct rhythm *rhythm, usec_t now_usec, usec_t *ret_expected_usec)
{
        if (rhythm->is_running || now_usec < rhythm->due_usec)
                return false;
        usec_t interval = rhythm_interval(rhythm);
        usec_t skipped = (now_usec - rhythm->due_usec) / interval;
        rhythm->missed_ticks += skipped; /* stopped, or starved of the CPU */
        rhythm->last_due_usec = rhythm->due_usec + skipped * interval;
        rhythm->due_usec = rhythm->last_due_usec + interval;
        rhythm->begun_usec = now_usec;
        rhythm->is_running = true;
        *ret_expected_usec = rhythm->asked_usec;
        return true;
}

void rhythm_end(struct rhythm *rhythm, usec_t now_usec, bool wants_fast)
{
        if (rhythm->fast_ticks > 0)
                rhythm->fast_ticks--;
        rhythm->is_running = false;
        rhythm->is_fast = wants_fast || rhythm->fast_ticks > 0;
        usec_t interval = rhythm_interval(rhythm);
        rhythm->due_usec = rhythm->last_due_usec + interval;
        if (now_usec >= rhythm->due_usec) {
                usec_t skipped = (now_usec - rhythm->due_usec) / interval + 1;
                rhythm->missed_ticks += skipped;
                rhythm->due_usec += skipped * interval;
        }
        bool stood_still = now_usec - rhythm->begun_usec >= RHYTHM_STANDSTILL_USEC;
        rhythm->asked_usec = stood_still ? interval : rhythm->due_usec - rhythm->last_due_usec;
}

void rhythm_hurry(struct rhythm *rhythm, usec_t now_usec)
{
        if (rhythm->fast_ticks < RHYTHM_HURRY_FAST_TICKS)
                rhythm->fast_ticks = RHYTHM_HURRY_FAST_TICKS;
        rhythm->is_fast = true;
        if (rhythm->is_running || rhythm->begun_usec == 0)
                return; /* its end sets the next due time */
        usec_t earliest = rhythm->begun_usec + rhythm->fast_interval_usec;
        if (earliest < now_usec)
                earliest = now_usec;
        if (earliest < rhythm->due_usec) {
                rhythm->due_usec = earliest;
                rhythm->asked_usec = earliest - rhythm->last_due_usec;
        }
}

usec_t rhythm_wait(const struct rhythm *rhythm, usec_t now_usec)
{
        return now_usec >= rhythm->due_usec ? 0 : rhythm->due_usec - now_usec;
}
