/* The codec: bad bytes first, then framing in every way bytes may be cut, then what a message means. */
#include "common/varlink.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/cleanup.h"
#include "common/json.h"

/* What the reader says to these bytes, at once. */
static int take_once(const char *bytes, size_t length)
{
        struct varlink_reader reader;
        CLEANUP_JSON struct json_object *message = NULL;
        varlink_reader_init(&reader, VARLINK_CALL_MAX);
        assert_int_equal(varlink_reader_push(&reader, bytes, length), 0);
        int r = varlink_reader_take(&reader, &message);
        assert_true((r == 1) == (message != NULL));
        varlink_reader_done(&reader);
        return r;
}

#define TAKE_ONCE(literal) take_once(literal, sizeof(literal)) /* with its NUL */

static void test_garbage(void **state)
{
        (void)state;
        static const struct {
                const char *bytes;
                size_t length;
        } bad[] = {
#define BAD(literal) { literal, sizeof(literal) }
                BAD(""), /* nothing but the NUL */
                BAD(" "),
                BAD("garbage"),
                BAD("{"), /* truncated */
                BAD("{\"method\":\"a.B\""),
                BAD("{\"method\":\"a.B"),
                BAD("[]"), /* no object */
                BAD("null"),
                BAD("1"),
                BAD("\"text\""),
                BAD("{}{}"), /* two in a frame */
                BAD("{} {}"),
                BAD("{}x"),
                BAD("{},"),
                BAD("{\"a\":1,}"),  /* not strict JSON */
                BAD("{\"a\":'b'}"), /* (of a member's name json-c takes {'a':1} even so) */
                BAD("{\"a\":01}"),
                BAD("{a:1}"),
                BAD("{\"a\":\"\xff\"}"), /* not UTF-8 */
                BAD("{\"a\":\"\xc3\"}"),
                BAD("{\"\xc3\x28\":1}"),
                BAD("/* c */{}"),
                BAD("GET / HTTP/1.1\r\n\r\n"),
        };
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                if (take_once(bad[i].bytes, bad[i].length) != -EBADMSG)
                        fail_msg("taken: %s", bad[i].bytes);
}

static void test_depth(void **state)
{
        (void)state;
        for (size_t depth = VARLINK_DEPTH_MAX - 2; depth < VARLINK_DEPTH_MAX + 10; depth++) {
                char text[512] = "{\"a\":";
                for (size_t i = 1; i < depth; i++)
                        strcat(text, "[");
                for (size_t i = 1; i < depth; i++)
                        strcat(text, "]");
                strcat(text, "}");
                int expected = depth < VARLINK_DEPTH_MAX ? 1 : -EBADMSG;
                if (depth != VARLINK_DEPTH_MAX) /* at the limit itself json-c's versions differ */
                        assert_int_equal(take_once(text, strlen(text) + 1), expected);
        }
}

/* A message of exactly `length` bytes with its NUL. */
static char *message_of(size_t length)
{
        char *text = malloc(length);
        assert_non_null(text);
        memset(text, ' ', length);
        text[0] = '{';
        text[length - 2] = '}';
        text[length - 1] = '\0';
        return text;
}

static void test_size(void **state)
{
        (void)state;
        CLEANUP_FREE char *largest = message_of(VARLINK_CALL_MAX);
        assert_int_equal(take_once(largest, VARLINK_CALL_MAX), 1);
        CLEANUP_FREE char *larger = message_of(VARLINK_CALL_MAX + 1);
        assert_int_equal(take_once(larger, VARLINK_CALL_MAX + 1), -EMSGSIZE);
        /* without a NUL it is refused as soon as it cannot fit any more */
        assert_int_equal(take_once(larger, VARLINK_CALL_MAX - 1), 0);
        assert_int_equal(take_once(larger, VARLINK_CALL_MAX), -EMSGSIZE);
}

static void test_every_cut(void **state)
{
        (void)state;
        static const char bytes[] = "{\"method\":\"a.B\"}\0{\"method\":\"a.C\"}\0{\"method\":\"\xc3\xa4.D\"}";
        for (size_t cut = 0; cut <= sizeof(bytes); cut++) {
                struct varlink_reader reader;
                int taken = 0;
                varlink_reader_init(&reader, VARLINK_CALL_MAX);
                for (int part = 0; part < 2; part++) {
                        const char *at = part ? bytes + cut : bytes;
                        size_t length = part ? sizeof(bytes) - cut : cut;
                        assert_int_equal(varlink_reader_push(&reader, at, length), 0);
                        for (;;) {
                                CLEANUP_JSON struct json_object *message = NULL;
                                bool has_message = varlink_reader_has_message(&reader);
                                int r = varlink_reader_take(&reader, &message);
                                assert_true(r >= 0);
                                assert_int_equal(has_message, r);
                                if (r == 0)
                                        break;
                                taken++;
                        }
                }
                assert_int_equal(taken, 3);
                assert_int_equal(varlink_reader_pending(&reader), 0);
                assert_null(reader.buffer); /* nothing is held while nothing waits */
                varlink_reader_done(&reader);
        }
}

static void test_byte_by_byte(void **state)
{
        (void)state;
        static const char bytes[] = "{\"method\":\"org.varlink.service.GetInfo\",\"parameters\":{}}";
        struct varlink_reader reader;
        varlink_reader_init(&reader, VARLINK_CALL_MAX);
        for (int round = 0; round < 3; round++) {
                for (size_t i = 0; i < sizeof(bytes); i++) {
                        CLEANUP_JSON struct json_object *message = NULL;
                        assert_int_equal(varlink_reader_push(&reader, &bytes[i], 1), 0);
                        assert_int_equal(varlink_reader_take(&reader, &message), i == sizeof(bytes) - 1);
                }
        }
        varlink_reader_done(&reader);
}

/* The result of parsing the text as a call. */
static int parse_call(const char *text, struct varlink_call *ret_call)
{
        struct json_object *message = json_tokener_parse(text);
        assert_non_null(message);
        int r = varlink_call_parse(message, ret_call);
        json_object_put(message);
        return r;
}

static void test_bad_calls(void **state)
{
        (void)state;
        static const char *const bad[] = {
                "{}",
                "{\"method\":null}",
                "{\"method\":1}",
                "{\"method\":\"\"}",
                "{\"method\":\"NoDot\"}",
                "{\"method\":\".B\"}",
                "{\"method\":\"a.\"}",
                "{\"method\":\"a.B C\"}",
                "{\"method\":\"a.B\\n\"}",
                "{\"method\":\"a.B\\u0000C\"}",
                "{\"method\":\"a.\\u00e4\"}",
                "{\"method\":\"a.B\",\"parameters\":[]}",
                "{\"method\":\"a.B\",\"parameters\":1}",
                "{\"method\":\"a.B\",\"parameters\":\"x\"}",
                "{\"method\":\"a.B\",\"more\":1}",
                "{\"method\":\"a.B\",\"oneway\":\"yes\"}",
                "{\"method\":\"a.B\",\"upgrade\":{}}",
        };
        struct varlink_call call = { .method = "kept" };
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                if (parse_call(bad[i], &call) != -EBADMSG)
                        fail_msg("taken: %s", bad[i]);
        assert_string_equal(call.method, "kept");
}

static void test_empty_parameters_are_equal(void **state)
{
        (void)state;
        static const char *const empty[] = {
                "{\"method\":\"a.B\"}",
                "{\"method\":\"a.B\",\"parameters\":null}",
                "{\"method\":\"a.B\",\"parameters\":{}}",
                "{\"method\":\"a.B\",\"parameters\":{},\"more\":null,\"oneway\":false,\"extra\":1}",
        };
        for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
                struct varlink_call call;
                assert_int_equal(parse_call(empty[i], &call), 0);
                assert_null(call.parameters);
                assert_false(call.more || call.oneway || call.upgrade);
        }
}

static void test_call_there_and_back(void **state)
{
        (void)state;
        struct json_object *parameters = json_tokener_parse("{\"check\":\"cpu/\\u00e4\"}");
        CLEANUP_FREE char *bytes = NULL;
        size_t length;
        assert_int_equal(
                varlink_call_format("io.slowd.Diagnostics.Explain", parameters, true, &bytes, &length), 0);
        assert_int_equal(bytes[length - 1], '\0');
        assert_int_equal(strlen(bytes), length - 1);
        struct varlink_reader reader;
        CLEANUP_JSON struct json_object *message = NULL;
        varlink_reader_init(&reader, VARLINK_CALL_MAX);
        assert_int_equal(varlink_reader_push(&reader, bytes, length), 0);
        assert_int_equal(varlink_reader_take(&reader, &message), 1);
        struct varlink_call call;
        assert_int_equal(varlink_call_parse(message, &call), 0);
        assert_string_equal(call.method, "io.slowd.Diagnostics.Explain");
        assert_true(call.more);
        assert_false(call.oneway);
        assert_string_equal(json_string_or(call.parameters, "check", ""), "cpu/\xc3\xa4");
        varlink_reader_done(&reader);
}

static void test_replies(void **state)
{
        (void)state;
        CLEANUP_FREE char *bytes = NULL;
        size_t length;
        assert_int_equal(varlink_reply_format("a.Wrong", NULL, false, &bytes, &length), 0);
        assert_string_equal(bytes, "{\"error\":\"a.Wrong\",\"parameters\":{}}");
        free(TAKE(bytes));
        assert_int_equal(varlink_reply_format(NULL, json_tokener_parse("{\"a\":1}"), true, &bytes, &length),
                         0);
        assert_string_equal(bytes, "{\"parameters\":{\"a\":1},\"continues\":true}");

        struct varlink_reply reply;
        static const char *const bad[] = { "{\"error\":1}", "{\"error\":\"x\"}", "{\"parameters\":[]}",
                                           "{\"continues\":0}" };
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                CLEANUP_JSON struct json_object *message = json_tokener_parse(bad[i]);
                assert_int_equal(varlink_reply_parse(message, &reply), -EBADMSG);
        }
        CLEANUP_JSON struct json_object *message = json_tokener_parse("{}"); /* an empty reply is a reply */
        assert_int_equal(varlink_reply_parse(message, &reply), 0);
        assert_null(reply.error);
        assert_null(reply.parameters);
        assert_false(reply.continues);
}

static void test_one_whole(void **state)
{
        (void)state;
        assert_int_equal(TAKE_ONCE("{\"method\":\"a.B\"}"), 1);
        assert_int_equal(TAKE_ONCE(" {\"method\":\"a.B\"}\n"), 1);  /* white space around is JSON too */
        assert_int_equal(take_once("{\"method\":\"a.B\"}", 16), 0); /* the NUL has not come */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_garbage),
                cmocka_unit_test(test_depth),
                cmocka_unit_test(test_size),
                cmocka_unit_test(test_every_cut),
                cmocka_unit_test(test_byte_by_byte),
                cmocka_unit_test(test_one_whole),
                cmocka_unit_test(test_bad_calls),
                cmocka_unit_test(test_empty_parameters_are_equal),
                cmocka_unit_test(test_call_there_and_back),
                cmocka_unit_test(test_replies),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
