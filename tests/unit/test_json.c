/* Typed getters: absent, null and the wrong type are told apart. */
#include "common/json.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void test_absent_null_and_wrong_type(void **state)
{
        (void)state;
        CLEANUP_JSON struct json_object *o = json_tokener_parse(
                "{\"n\":null,\"s\":\"text\",\"i\":3,\"d\":1.5,\"b\":true,\"a\":[1],\"o\":{},"
                "\"huge\":99999999999999999999,\"low\":-99999999999999999999}");
        assert_non_null(o);
        const char *s = "kept";
        int64_t i = 42;
        bool b = true;
        struct json_object *x = NULL;
        assert_int_equal(json_get_string(o, "absent", &s), -ENOENT);
        assert_int_equal(json_get_string(o, "n", &s), -ENOENT);
        assert_int_equal(json_get_string(o, "i", &s), -EINVAL);
        assert_string_equal(s, "kept");
        assert_int_equal(json_get_int(o, "d", &i), -EINVAL);
        assert_int_equal(json_get_int(o, "s", &i), -EINVAL);
        assert_int_equal(json_get_int(o, "huge", &i), -EINVAL);
        assert_int_equal(json_get_int(o, "low", &i), -EINVAL);
        assert_int_equal(i, 42);
        assert_int_equal(json_get_bool(o, "i", &b), -EINVAL);
        assert_int_equal(json_get_array(o, "o", &x), -EINVAL);
        assert_int_equal(json_get_object(o, "a", &x), -EINVAL);
        assert_null(x);
        assert_int_equal(json_get_int(NULL, "i", &i), -EINVAL);
        assert_int_equal(json_get_int(json_object_object_get(o, "a"), "i", &i), -EINVAL);
}

static void test_values(void **state)
{
        (void)state;
        CLEANUP_JSON struct json_object *o =
                json_tokener_parse("{\"s\":\"text\",\"i\":-3,\"b\":false,\"a\":[1],\"o\":{\"k\":1}}");
        const char *s;
        int64_t i;
        bool b;
        struct json_object *x;
        assert_int_equal(json_get_string(o, "s", &s), 0);
        assert_string_equal(s, "text");
        assert_int_equal(json_get_int(o, "i", &i), 0);
        assert_int_equal(i, -3);
        assert_int_equal(json_get_bool(o, "b", &b), 0);
        assert_false(b);
        assert_int_equal(json_get_array(o, "a", &x), 0);
        assert_int_equal(json_object_array_length(x), 1);
        assert_int_equal(json_get_object(o, "o", &x), 0);
        assert_int_equal(json_int_or(x, "k", 7), 1);
        assert_int_equal(json_int_or(x, "l", 7), 7);
        assert_string_equal(json_string_or(o, "i", "else"), "else");
        assert_true(json_bool_or(o, "s", true));
}

static void test_adding(void **state)
{
        (void)state;
        CLEANUP_JSON struct json_object *o = json_object_new_object();
        assert_int_equal(json_add(o, "x", NULL), -ENOMEM); /* an allocation that failed is no null */
        assert_int_equal(json_add_string_or_null(o, "empty", ""), 0);
        assert_int_equal(json_add_string_or_null(o, "s", "t"), 0);
        assert_int_equal(json_add_int(o, "i", INT64_MAX), 0);
        assert_int_equal(json_add_null(o, "n"), 0);
        assert_string_equal(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN),
                            "{\"empty\":null,\"s\":\"t\",\"i\":9223372036854775807,\"n\":null}");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_absent_null_and_wrong_type),
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_adding),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
