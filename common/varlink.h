/* The Varlink codec (varlink.org, "Method Call"): bytes <-> calls and replies. No I/O, no event loop.
 * A message is one JSON object followed by one NUL byte. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <json-c/json.h>

#define VARLINK_DEPTH_MAX 32                /* nested objects and arrays in one message */
#define VARLINK_CALL_MAX  (64 * 1024)       /* bytes of one call, its NUL included: what a server takes */
#define VARLINK_REPLY_MAX (8 * 1024 * 1024) /* bytes of one reply, its NUL included: what a client takes */

/* Bytes in, messages out. Holds memory only while a message is incomplete or has not been taken. */
struct varlink_reader {
        size_t message_max; /* bytes of one message, its NUL included */
        char *buffer;
        size_t begin, end, capacity; /* unread bytes are buffer[begin..end) */
        size_t scanned;              /* bytes after begin known to hold no NUL */
};

void varlink_reader_init(struct varlink_reader *reader, size_t message_max);
void varlink_reader_done(struct varlink_reader *reader);
/* Appends received bytes. 0, or -ENOMEM. The caller takes messages between two pushes and so bounds what is
 * held: at most message_max bytes plus what it pushes at once. */
int varlink_reader_push(struct varlink_reader *reader, const char *bytes, size_t length);
/* The next message, owned by the caller. 1; 0 if it is not complete yet; -EMSGSIZE (too long, complete or
 * not), -EBADMSG (not exactly one JSON object in valid UTF-8, or nested too deeply), -ENOMEM. After an error
 * the stream cannot be used any more. */
int varlink_reader_take(struct varlink_reader *reader, struct json_object **ret_message);
/* Whether a complete message waits. */
bool varlink_reader_has_message(struct varlink_reader *reader);
/* Bytes pushed and not taken yet. */
static inline size_t varlink_reader_pending(const struct varlink_reader *reader)
{
        return reader->end - reader->begin;
}

/* Both borrow from the message they were made from. */
struct varlink_call {
        const char *method;
        struct json_object *parameters; /* NULL: omitted, null or {} */
        bool more, oneway, upgrade;
};

struct varlink_reply {
        const char *error;              /* NULL: none */
        struct json_object *parameters; /* NULL: omitted, null or {} */
        bool continues;
};

/* 0, or -EBADMSG: a member is missing or of the wrong type, or `method` is no qualified name. */
int varlink_call_parse(struct json_object *message, struct varlink_call *ret_call);
int varlink_reply_parse(struct json_object *message, struct varlink_reply *ret_reply);

/* The bytes of a message with their NUL, which ret_length counts; freed by the caller. `parameters` is
 * consumed, also on failure, and may be NULL. 0, or -ENOMEM. */
int varlink_call_format(const char *method, struct json_object *parameters, bool more, char **ret_bytes,
                        size_t *ret_length);
int varlink_reply_format(const char *error, struct json_object *parameters, bool continues, char **ret_bytes,
                         size_t *ret_length);
