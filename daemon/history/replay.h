/* A recorded machine goes through the same pipeline as the live one: snapshot, history, checks, diagnosis. */
#pragma once

#include "daemon/config.h"
#include "daemon/history/store_read.h"

struct replay;

/* The configuration must outlive it. NULL if there is no memory. */
struct replay *replay_new(const struct config *config);
struct replay *replay_free(struct replay *replay); /* returns NULL; accepts NULL */

/* One tick. The sample must stay valid until the second call after, as those of store_reader_next() do; of
 * the diagnosis see replay_diagnosis(). With `is_silent` checks are not run: history only fills up. */
void replay_push(struct replay *replay, const struct sample *sample, bool is_silent);
/* What was known for longer than samples are kept in memory: boots. Before the first push; `until_usec` is
 * its realtime. */
void replay_load(struct replay *replay, struct store_reader *reader, usec_t until_usec);
/* As of the last push that was not silent; the verdict is unknown before the second. */
const struct diagnosis *replay_diagnosis(const struct replay *replay);
const struct snapshot *replay_snapshot(const struct replay *replay);
const struct history *replay_history(const struct replay *replay);

/* What slowd would have answered at that instant (realtime), from the 15 minutes recorded before it; the time
 * of the last sample at or before it is in ret_diagnosis->at_usec. Where incidents are recorded too, a
 * finding's onset is theirs: it may lie long before those 15 minutes. Damaged pieces are left out; error then
 * names the last, otherwise it is "". 0; -ENODATA: nothing was recorded within 2 minutes before; other errors
 * as store_reader_next(). */
int replay_at(struct store_reader *reader, const struct config *config, usec_t at_usec,
              struct diagnosis *ret_diagnosis, char error[static STORE_ERROR_MAX]);

/* The worst moment between two instants: the peak of the worst incident, else the minute in which most time
 * was lost. 0 or -ENODATA (nothing recorded), other errors as store_reader_next_rollup(). */
int replay_worst(struct store_reader *reader, usec_t from_usec, usec_t until_usec, usec_t *ret_at_usec);
