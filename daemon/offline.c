/* Replays a recording to an instant and prints what slowd would have said. */
#include "daemon/offline.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "common/time_grammar.h"
#include "daemon/clock.h"
#include "daemon/diagnosis/diagnosis_json.h"
#include "daemon/history/replay.h"

static int print(const struct diagnosis *diagnosis)
{
        /* Who holds the file holds all that is in it. */
        const struct viewer viewer = { .sees_all = true };
        struct json_object *reply = json_object_new_object();
        struct json_object *object = diagnosis_to_json(diagnosis, &viewer);
        int r = -ENOMEM;
        if (reply && object && json_object_object_add(reply, "diagnosis", object) == 0) {
                object = NULL;
                r = puts(json_object_to_json_string_ext(reply, JSON_C_TO_STRING_PRETTY |
                                                                       JSON_C_TO_STRING_NOSLASHESCAPE)) < 0
                            ? -EIO
                            : 0;
        }
        json_object_put(object);
        json_object_put(reply);
        return r;
}

static int find_instant(struct store_reader *reader, const char *at, usec_t *ret_usec,
                        char error[static OFFLINE_ERROR_MAX])
{
        char sentence[TIME_ERROR_MAX];
        usec_t first_usec, last_usec;
        int r = store_reader_span(reader, &first_usec, &last_usec);
        if (r < 0 || last_usec == 0) {
                text_format(error, OFFLINE_ERROR_MAX, "nothing is recorded there");
                return r < 0 ? r : -ENODATA;
        }
        *ret_usec = last_usec;
        if (!at)
                return 0;
        r = time_grammar_instant(at, clock_now(&clock_real).realtime_usec, ret_usec, sentence);
        if (r < 0)
                text_format(error, OFFLINE_ERROR_MAX, "--at=%s: %s", at, sentence);
        return r < 0 ? -EINVAL : 0;
}

int offline_diagnose(const char *path, const char *at, const struct config *config,
                     char error[static OFFLINE_ERROR_MAX])
{
        char sentence[STORE_ERROR_MAX] = "";
        struct store_reader *reader = NULL;
        struct diagnosis *diagnosis = calloc(1, sizeof(*diagnosis));
        usec_t at_usec;
        error[0] = '\0';
        int r = diagnosis ? store_reader_open(path, &reader, sentence) : -ENOMEM;
        if (r < 0) {
                text_format(error, OFFLINE_ERROR_MAX, "cannot read %s: %s", path,
                            sentence[0] ? sentence : strerror(-r));
                r = r == -EINVAL ? -EBADMSG : r; /* -EINVAL says that the time is wrong */
        } else {
                r = find_instant(reader, at, &at_usec, error);
        }
        if (r == 0) {
                r = replay_at(reader, config, at_usec, diagnosis, sentence);
                if (r == -ENODATA)
                        text_format(error, OFFLINE_ERROR_MAX, "nothing is recorded around that time");
                else if (r < 0 || sentence[0])
                        text_format(error, OFFLINE_ERROR_MAX, "%s", sentence[0] ? sentence : strerror(-r));
                if (r == 0)
                        r = print(diagnosis);
                r = r == -EINVAL ? -EIO : r;
        }
        store_reader_close(reader);
        free(diagnosis);
        return r;
}
