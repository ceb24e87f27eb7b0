/* Typed access to JSON objects that somebody else wrote: every getter says whether the member is there and of
 * the right type, so that neither side has to trust the other. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

static inline void cleanup_json_(struct json_object **object)
{
        json_object_put(*object);
}

#define CLEANUP_JSON __attribute__((cleanup(cleanup_json_)))

/* Each getter: 0; -ENOENT if the member is absent or null; -EINVAL if it has another type (or `object` is
 * none). Results are borrowed from the object and valid as long as it is. */
int json_get_string(struct json_object *object, const char *name, const char **ret_value);
int json_get_int(struct json_object *object, const char *name, int64_t *ret_value); /* -EINVAL out of range */
int json_get_bool(struct json_object *object, const char *name, bool *ret_value);
int json_get_array(struct json_object *object, const char *name, struct json_object **ret_value);
int json_get_object(struct json_object *object, const char *name, struct json_object **ret_value);

/* The same for what may well be missing, with what to take instead. */
const char *json_string_or(struct json_object *object, const char *name, const char *fallback);
int64_t json_int_or(struct json_object *object, const char *name, int64_t fallback);
bool json_bool_or(struct json_object *object, const char *name, bool fallback);

/* Adds a member; the value is consumed, also on failure. 0 or -ENOMEM, where a NULL value (an allocation that
 * failed) is -ENOMEM too: use json_add_null() for a null. */
int json_add(struct json_object *object, const char *name, struct json_object *value);
int json_add_null(struct json_object *object, const char *name);
int json_add_string(struct json_object *object, const char *name, const char *value);
/* An empty string means that it is not known: null. */
int json_add_string_or_null(struct json_object *object, const char *name, const char *value);
int json_add_int(struct json_object *object, const char *name, int64_t value);
