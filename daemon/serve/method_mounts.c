/* Mounts: network and FUSE mounts as of the last tick. */
#include "daemon/serve/methods.h"

#include <errno.h>
#include <math.h>

#include "common/cleanup.h"
#include "common/json.h"

static int add_rounded(struct json_object *object, const char *name, float value)
{
        return isnan(value) ? json_add_null(object, name) : json_add_int(object, name, llroundf(value));
}

static int add_known(struct json_object *object, const char *name, uint64_t value)
{
        return value == ABSENT ? json_add_null(object, name) : json_add_int(object, name, (int64_t)value);
}

static struct json_object *user_to_json(const struct mount_row_user *user, const struct viewer *viewer)
{
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        if (!object || json_add_string(object, "name", user->name) < 0 ||
            json_add_int(object, "count", user->count) < 0 ||
            json_add_int(object, "waiting", user->waiting) < 0 ||
            add_rounded(object, "waitedPermille", 1000 * user->waited) < 0 ||
            json_add_string_or_null(object, "directory",
                                    viewer_may_see(viewer, user->uid) ? user->directory : NULL) < 0)
                return NULL;
        return TAKE(object);
}

static int add_users(struct json_object *object, const struct mount_row *row, const struct viewer *viewer)
{
        CLEANUP_JSON struct json_object *users = json_object_new_array();
        for (uint32_t i = 0; users && i < row->user_count; i++) {
                struct json_object *user = user_to_json(&row->users[i], viewer);
                if (!user || json_object_array_add(users, user) < 0) {
                        json_object_put(user);
                        return -ENOMEM;
                }
        }
        return json_add(object, "users", TAKE(users));
}

static struct json_object *row_to_json(const struct mount_row *row, const struct viewer *viewer)
{
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        if (!object || json_add_string(object, "path", row->path) < 0 ||
            json_add_string(object, "type", row->type) < 0 ||
            json_add_string(object, "source", row->source) < 0 ||
            json_add_string(object, "state", row->state) < 0 ||
            add_rounded(object, "requestsPerSecond", row->operations) < 0 ||
            add_rounded(object, "requestUSec", row->request_usec) < 0 ||
            add_rounded(object, "roundTripUSec", row->round_trip_usec) < 0 ||
            add_rounded(object, "retransmittedPermille", 1000 * row->retransmitted) < 0 ||
            add_rounded(object, "readBytesPerSecond", row->read_bytes) < 0 ||
            add_rounded(object, "writeBytesPerSecond", row->write_bytes) < 0 ||
            add_rounded(object, "waitedPermille", 1000 * row->waited) < 0 ||
            add_known(object, "outstanding", row->outstanding) < 0 ||
            add_known(object, "silentUSec", row->silent_usec) < 0 || add_users(object, row, viewer) < 0)
                return NULL;
        return TAKE(object);
}

int method_mounts(const struct served *served, const struct viewer *viewer, struct json_object *parameters,
                  struct answer *ret_answer)
{
        const struct published *p = served->published;
        (void)parameters;
        if (!p)
                return answer_error(ret_answer, INTERFACE_NAME ".NotReady", NULL, NULL);
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        CLEANUP_JSON struct json_object *mounts = json_object_new_array();
        for (size_t i = 0; mounts && i < p->mount_count; i++) {
                struct json_object *row = row_to_json(&p->mounts[i], viewer);
                if (!row || json_object_array_add(mounts, row) < 0) {
                        json_object_put(row);
                        return -ENOMEM;
                }
        }
        if (!object || json_add_int(object, "atUSec", (int64_t)p->self.last_tick_usec) < 0 ||
            json_add(object, "mounts", TAKE(mounts)) < 0)
                return -ENOMEM;
        *ret_answer = (struct answer){ .parameters = TAKE(object) };
        return 0;
}
