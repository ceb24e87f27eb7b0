/* Typed getters and adders over json-c. */
#include "common/json.h"

#include <errno.h>

static int json_member(struct json_object *object, const char *name, enum json_type type,
                       struct json_object **ret_member)
{
        if (!json_object_is_type(object, json_type_object))
                return -EINVAL;
        struct json_object *member;
        if (!json_object_object_get_ex(object, name, &member) || !member)
                return -ENOENT;
        if (!json_object_is_type(member, type))
                return -EINVAL;
        *ret_member = member;
        return 0;
}

int json_get_string(struct json_object *object, const char *name, const char **ret_value)
{
        struct json_object *member;
        int r = json_member(object, name, json_type_string, &member);
        if (r < 0)
                return r;
        *ret_value = json_object_get_string(member);
        return 0;
}

int json_get_int(struct json_object *object, const char *name, int64_t *ret_value)
{
        struct json_object *member;
        int r = json_member(object, name, json_type_int, &member);
        if (r < 0)
                return r;
        /* json-c clamps what it cannot hold; both ends of the range are therefore taken for out of range */
        int64_t value = json_object_get_int64(member);
        if (value == INT64_MAX || value == INT64_MIN)
                return -EINVAL;
        *ret_value = value;
        return 0;
}

int json_get_bool(struct json_object *object, const char *name, bool *ret_value)
{
        struct json_object *member;
        int r = json_member(object, name, json_type_boolean, &member);
        if (r < 0)
                return r;
        *ret_value = json_object_get_boolean(member);
        return 0;
}

int json_get_array(struct json_object *object, const char *name, struct json_object **ret_value)
{
        return json_member(object, name, json_type_array, ret_value);
}

int json_get_object(struct json_object *object, const char *name, struct json_object **ret_value)
{
        return json_member(object, name, json_type_object, ret_value);
}

const char *json_string_or(struct json_object *object, const char *name, const char *fallback)
{
        const char *value;
        return json_get_string(object, name, &value) < 0 ? fallback : value;
}

int64_t json_int_or(struct json_object *object, const char *name, int64_t fallback)
{
        int64_t value;
        return json_get_int(object, name, &value) < 0 ? fallback : value;
}

bool json_bool_or(struct json_object *object, const char *name, bool fallback)
{
        bool value;
        return json_get_bool(object, name, &value) < 0 ? fallback : value;
}

int json_add_null(struct json_object *object, const char *name)
{
        return json_object_object_add(object, name, NULL) < 0 ? -ENOMEM : 0;
}

int json_add(struct json_object *object, const char *name, struct json_object *value)
{
        if (!value)
                return -ENOMEM;
        if (json_object_object_add(object, name, value) < 0) {
                json_object_put(value);
                return -ENOMEM;
        }
        return 0;
}

int json_add_string(struct json_object *object, const char *name, const char *value)
{
        return json_add(object, name, json_object_new_string(value));
}

int json_add_string_or_null(struct json_object *object, const char *name, const char *value)
{
        return value && value[0] ? json_add_string(object, name, value) : json_add_null(object, name);
}

int json_add_int(struct json_object *object, const char *name, int64_t value)
{
        return json_add(object, name, json_object_new_int64(value));
}
