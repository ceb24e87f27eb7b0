/* The Varlink codec. The first byte says into what pieces the bytes are cut; the rest is what a client sends.
 * What is taken for a call is asked for again in every way, and has to be the same after being written and
 * read again. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/varlink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A call that has been parsed, formatted and parsed again is the same call. */
static void check_round_trip(const struct varlink_call *call)
{
        char *bytes;
        size_t length;
        struct json_object *parameters = call->parameters ? json_object_get(call->parameters) : NULL;
        if (varlink_call_format(call->method, parameters, call->more, &bytes, &length) < 0)
                return;
        struct varlink_reader reader;
        struct varlink_call again;
        CLEANUP_JSON struct json_object *message = NULL;
        varlink_reader_init(&reader, VARLINK_REPLY_MAX);
        assert(varlink_reader_push(&reader, bytes, length) == 0);
        assert(varlink_reader_take(&reader, &message) == 1);
        assert(varlink_call_parse(message, &again) == 0);
        assert(strcmp(again.method, call->method) == 0 && again.more == call->more);
        assert(!again.parameters == !call->parameters);
        varlink_reader_done(&reader);
        free(bytes);
}

static void look_at(struct json_object *message)
{
        struct varlink_call call;
        struct varlink_reply reply;
        (void)varlink_reply_parse(message, &reply);
        if (varlink_call_parse(message, &call) < 0)
                return;
        assert(strchr(call.method, '.'));
        check_round_trip(&call);
        if (!call.parameters)
                return;
        json_object_object_foreach(call.parameters, name, value)
        {
                const char *text;
                int64_t number;
                (void)value;
                (void)json_get_string(call.parameters, name, &text);
                (void)json_get_int(call.parameters, name, &number);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size == 0)
                return 0;
        size_t piece = data[0] ? data[0] : 1;
        const char *at = (const char *)data + 1;
        struct varlink_reader reader;
        varlink_reader_init(&reader, 4096);
        int r = 0;
        for (size_t left = size - 1; left > 0 && r >= 0;) {
                size_t length = left < piece ? left : piece;
                if (varlink_reader_push(&reader, at, length) < 0)
                        break;
                at += length;
                left -= length;
                do {
                        CLEANUP_JSON struct json_object *message = NULL;
                        bool has_message = varlink_reader_has_message(&reader);
                        r = varlink_reader_take(&reader, &message);
                        assert(has_message || r <= 0);
                        if (r > 0)
                                look_at(message);
                } while (r > 0);
                assert(r < 0 || varlink_reader_pending(&reader) < reader.message_max);
        }
        varlink_reader_done(&reader);
        return 0;
}
