/* When something that is used up will be gone: from the last minutes, the last hour, the last day. */
#pragma once

#include "daemon/history/history.h"

struct forecast {
        usec_t watched_usec; /* over which it was seen to shrink */
        usec_t since_usec;   /* realtime, begin of that */
        double per_sec;      /* of loss */
        usec_t left_usec;    /* until nothing is left */
};

/* The soonest credible end of a level of which `left` is left now; what was watched for a time is foretold
 * for `reach` times as long, since nothing goes on for ever. A level that falls in one step, that comes back
 * (a cache, a rotation) or that has stopped falling foretells nothing. False if there is none. */
bool forecast_end(const struct history *history, enum trend_kind kind, uint64_t id, double left, double reach,
                  struct forecast *ret_forecast);
/* The same from the points of one window, oldest first. */
bool forecast_from_points(const struct trend_point *points, size_t count, double left, double reach,
                          struct forecast *ret_forecast);
