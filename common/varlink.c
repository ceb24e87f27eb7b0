/* Framing and meaning of Varlink messages. */
#include "common/varlink.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"

#define READER_CAPACITY_MIN 512

/* ---- the reader ---- */

void varlink_reader_init(struct varlink_reader *reader, size_t message_max)
{
        *reader = (struct varlink_reader){ .message_max = message_max };
}

void varlink_reader_done(struct varlink_reader *reader)
{
        free(reader->buffer);
        varlink_reader_init(reader, reader->message_max);
}

int varlink_reader_push(struct varlink_reader *reader, const char *bytes, size_t length)
{
        if (length == 0)
                return 0;
        size_t pending = varlink_reader_pending(reader);
        if (reader->begin > 0 && pending + length > reader->capacity - reader->begin) {
                memmove(reader->buffer, reader->buffer + reader->begin, pending);
                reader->begin = 0;
                reader->end = pending;
        }
        if (pending + length > reader->capacity - reader->begin) {
                size_t capacity = reader->capacity ? reader->capacity : READER_CAPACITY_MIN;
                while (capacity < pending + length)
                        capacity *= 2;
                char *buffer = realloc(reader->buffer, capacity);
                if (!buffer)
                        return -ENOMEM;
                reader->buffer = buffer;
                reader->capacity = capacity;
        }
        memcpy(reader->buffer + reader->end, bytes, length);
        reader->end += length;
        return 0;
}

/* The end of the next message, or NULL; looks at no byte twice, however slowly they come. */
static const char *reader_find_end(struct varlink_reader *reader)
{
        size_t pending = varlink_reader_pending(reader);
        if (pending == reader->scanned)
                return NULL;
        const char *from = reader->buffer + reader->begin + reader->scanned;
        const char *nul = memchr(from, '\0', pending - reader->scanned);
        if (!nul)
                reader->scanned = pending;
        return nul;
}

bool varlink_reader_has_message(struct varlink_reader *reader)
{
        return reader_find_end(reader) != NULL;
}

/* One JSON object; `length` counts the terminating NUL, which tells json-c that the value is complete (a bare
 * number would otherwise look unfinished). A depth of 0 would make json-c 0.16 crash. */
static int parse_object(const char *text, size_t length, struct json_object **ret_object)
{
        struct json_tokener *tokener = json_tokener_new_ex(VARLINK_DEPTH_MAX);
        if (!tokener)
                return -ENOMEM;
        json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
        CLEANUP_JSON struct json_object *object = json_tokener_parse_ex(tokener, text, (int)length);
        enum json_tokener_error error = json_tokener_get_error(tokener);
        size_t parsed = json_tokener_get_parse_end(tokener);
        json_tokener_free(tokener);
        /* the end is before the NUL or behind it, depending on the version */
        if (error != json_tokener_success || parsed + 1 < length ||
            !json_object_is_type(object, json_type_object))
                return -EBADMSG;
        *ret_object = TAKE(object);
        return 0;
}

int varlink_reader_take(struct varlink_reader *reader, struct json_object **ret_message)
{
        const char *nul = reader_find_end(reader);
        if (!nul)
                return varlink_reader_pending(reader) >= reader->message_max ? -EMSGSIZE : 0;
        const char *message = reader->buffer + reader->begin;
        size_t length = (size_t)(nul - message) + 1;
        if (length > reader->message_max)
                return -EMSGSIZE;
        int r = parse_object(message, length, ret_message);
        if (r < 0)
                return r;
        reader->begin += length;
        reader->scanned = 0;
        if (varlink_reader_pending(reader) == 0) /* an idle connection holds no buffer */
                varlink_reader_done(reader);
        return 1;
}

/* ---- calls and replies ---- */

/* A flag may be absent or null, which is false, but is never of another type. */
static int parse_flag(struct json_object *message, const char *name, bool *ret_flag)
{
        int r = json_get_bool(message, name, ret_flag);
        if (r == -ENOENT)
                *ret_flag = false;
        return r == -EINVAL ? -EBADMSG : 0;
}

static int parse_parameters(struct json_object *message, struct json_object **ret_parameters)
{
        struct json_object *parameters = NULL;
        if (json_get_object(message, "parameters", &parameters) == -EINVAL)
                return -EBADMSG;
        *ret_parameters = parameters && json_object_object_length(parameters) > 0 ? parameters : NULL;
        return 0;
}

/* "org.varlink.service.GetInfo": an interface and a member name; no byte that is not printable ASCII. */
static bool is_qualified_name(const char *name)
{
        const char *dot = strrchr(name, '.');
        if (!dot || dot == name || dot[1] == '\0')
                return false;
        for (const char *at = name; *at; at++)
                if (*at <= ' ' || *at > '~')
                        return false;
        return true;
}

static int parse_name(struct json_object *message, const char *member, const char **ret_name)
{
        const char *name;
        int r = json_get_string(message, member, &name);
        if (r < 0)
                return r;
        /* a NUL escaped in the JSON would let "a.B\0x" pass for "a.B" */
        struct json_object *value = json_object_object_get(message, member);
        if (strlen(name) != (size_t)json_object_get_string_len(value) || !is_qualified_name(name))
                return -EBADMSG;
        *ret_name = name;
        return 0;
}

int varlink_call_parse(struct json_object *message, struct varlink_call *ret_call)
{
        struct varlink_call call = { 0 };
        if (parse_name(message, "method", &call.method) < 0 ||
            parse_parameters(message, &call.parameters) < 0 || parse_flag(message, "more", &call.more) < 0 ||
            parse_flag(message, "oneway", &call.oneway) < 0 ||
            parse_flag(message, "upgrade", &call.upgrade) < 0)
                return -EBADMSG;
        *ret_call = call;
        return 0;
}

int varlink_reply_parse(struct json_object *message, struct varlink_reply *ret_reply)
{
        struct varlink_reply reply = { 0 };
        int r = parse_name(message, "error", &reply.error);
        if ((r < 0 && r != -ENOENT) || parse_parameters(message, &reply.parameters) < 0 ||
            parse_flag(message, "continues", &reply.continues) < 0)
                return -EBADMSG;
        *ret_reply = reply;
        return 0;
}

static int format_message(struct json_object *message, char **ret_bytes, size_t *ret_length)
{
        size_t length;
        const char *text = json_object_to_json_string_length(
                message, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &length);
        if (!text)
                return -ENOMEM;
        char *bytes = malloc(length + 1);
        if (!bytes)
                return -ENOMEM;
        memcpy(bytes, text, length + 1);
        *ret_bytes = bytes;
        *ret_length = length + 1;
        return 0;
}

static int add_true(struct json_object *message, const char *name)
{
        return json_add(message, name, json_object_new_boolean(true));
}

int varlink_call_format(const char *method, struct json_object *parameters, bool more, char **ret_bytes,
                        size_t *ret_length)
{
        CLEANUP_JSON struct json_object *owned = parameters;
        CLEANUP_JSON struct json_object *message = json_object_new_object();
        if (!message || json_add_string(message, "method", method) < 0 ||
            (owned && json_add(message, "parameters", TAKE(owned)) < 0) ||
            (more && add_true(message, "more") < 0))
                return -ENOMEM;
        return format_message(message, ret_bytes, ret_length);
}

int varlink_reply_format(const char *error, struct json_object *parameters, bool continues, char **ret_bytes,
                         size_t *ret_length)
{
        CLEANUP_JSON struct json_object *owned = parameters;
        CLEANUP_JSON struct json_object *message = json_object_new_object();
        /* "parameters" even if empty: not every client takes its absence for {} */
        if (!message || (error && json_add_string(message, "error", error) < 0) ||
            json_add(message, "parameters", owned ? TAKE(owned) : json_object_new_object()) < 0 ||
            (continues && add_true(message, "continues") < 0))
                return -ENOMEM;
        return format_message(message, ret_bytes, ret_length);
}
