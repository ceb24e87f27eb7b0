/* The table of methods against the interface text, in both directions, and answers without a socket. */
#include "daemon/serve/methods.h"

#include <ctype.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/cleanup.h"
#include "common/interface_text.h"
#include "common/json.h"
#include "common/text.h"

/* The lines of the text that begin with `keyword`, without it. */
static bool next_declaration(struct span *text, const char *keyword, struct span *ret_rest)
{
        struct span line;
        while (span_take_line(text, &line)) {
                if (!span_starts(line, keyword))
                        continue;
                *ret_rest = (struct span){ line.at + strlen(keyword), line.length - strlen(keyword) };
                return true;
        }
        return false;
}

static const struct method *find_method(struct span name)
{
        char qualified[128];
        text_format(qualified, sizeof(qualified), INTERFACE_NAME ".%.*s", (int)name.length, name.at);
        for (const struct method *method = methods; method->name; method++)
                if (strcmp(method->name, qualified) == 0)
                        return method;
        return NULL;
}

static void test_text_to_table(void **state)
{
        (void)state;
        struct span text = { interface_text, interface_text_length }, rest, name;
        int count = 0;
        while (next_declaration(&text, "method ", &rest)) {
                assert_true(span_take_until(&rest, '(', &name));
                const struct method *method = find_method(name);
                if (!method)
                        fail_msg("%.*s is not in the table", (int)name.length, name.at);
                /* and its parameters: "check: string)" up to the closing parenthesis */
                struct span parameters, parameter;
                assert_true(span_take_until(&rest, ')', &parameters));
                size_t known = 0;
                while (span_take_until(&parameters, ':', &parameter)) {
                        while (parameter.length > 0 && (parameter.at[0] == ' ' || parameter.at[0] == ',')) {
                                parameter.at++;
                                parameter.length--;
                        }
                        assert_non_null(method->parameters[known]);
                        assert_true(span_equal(parameter, method->parameters[known]));
                        known++;
                        struct span type;
                        if (!span_take_until(&parameters, ',', &type))
                                break;
                }
                assert_null(method->parameters[known]);
                count++;
        }
        assert_true(count >= 6);
}

static void test_table_to_text(void **state)
{
        (void)state;
        for (const struct method *method = methods; method->name; method++) {
                if (strncmp(method->name, INTERFACE_NAME ".", strlen(INTERFACE_NAME ".")) != 0)
                        continue;
                char declaration[128];
                text_format(declaration, sizeof(declaration), "\nmethod %s(", strrchr(method->name, '.') + 1);
                if (!strstr(interface_text, declaration))
                        fail_msg("%s is not in the text", method->name);
        }
}

/* Calls a method by name with parameters in JSON; the answer's parameters are the caller's. */
static struct json_object *ask(const struct served *served, const struct viewer *viewer, const char *name,
                               const char *parameters, const char **ret_error)
{
        CLEANUP_JSON struct json_object *object = json_tokener_parse(parameters);
        const struct varlink_call call = { .method = name, .parameters = object };
        const struct method *method;
        struct answer answer = { 0 };
        assert_int_equal(method_find(&call, &method, &answer), 0);
        if (method)
                assert_int_equal(method->run(served, viewer, object, &answer), 0);
        *ret_error = answer.error;
        return answer.parameters;
}

static void test_states_of_checks(void **state)
{
        (void)state;
        struct published *published = calloc(1, sizeof(*published));
        struct config config;
        assert_non_null(published);
        config_defaults(&config);
        struct diagnosis *d = &published->diagnosis;
        d->causes[0].check = checks[0]->name;
        text_format(d->causes[0].summary, sizeof(d->causes[0].summary), "found it");
        d->cause_count = 1;
        d->ruled_out[0].check = checks[1]->name;
        text_format(d->ruled_out[0].text, sizeof(d->ruled_out[0].text), "0.0 %% of it");
        d->ruled_out_count = 1;
        const struct served served = { .published = published, .config = &config };
        const struct viewer viewer = { .sees_all = true };
        const char *error;
        CLEANUP_JSON struct json_object *answer =
                ask(&served, &viewer, INTERFACE_NAME ".ListChecks", "{}", &error);
        assert_null(error);
        struct json_object *list;
        assert_int_equal(json_get_array(answer, "checks", &list), 0);
        struct json_object *first = json_object_array_get_idx(list, 0);
        struct json_object *second = json_object_array_get_idx(list, 1);
        assert_string_equal(json_string_or(first, "name", ""), checks[0]->name);
        assert_string_equal(json_string_or(first, "state", ""), "found");
        assert_string_equal(json_string_or(first, "reason", ""), "found it");
        assert_string_equal(json_string_or(second, "state", ""), "clear");
        assert_string_equal(json_string_or(second, "reason", ""), "0.0 % of it");
        free(published);
}

static void test_explain_shows_what_is_in_force(void **state)
{
        (void)state;
        struct config config;
        config_defaults(&config);
        assert_non_null(checks[0]->parameters[0].key);
        config.parameters[0][0] = 42;
        const struct served served = { .config = &config };
        const struct viewer viewer = { .uid = 1 };
        char parameters[128];
        text_format(parameters, sizeof(parameters), "{\"check\":\"%s\"}", checks[0]->name);
        const char *error;
        CLEANUP_JSON struct json_object *answer =
                ask(&served, &viewer, INTERFACE_NAME ".Explain", parameters, &error);
        assert_null(error);
        struct json_object *list;
        assert_int_equal(json_get_array(answer, "parameters", &list), 0);
        assert_int_equal(json_int_or(json_object_array_get_idx(list, 0), "value", -1), 42);
        assert_int_equal(strlen(json_string_or(answer, "messageId", "")), 32);
}

static void test_top_by_key(void **state)
{
        (void)state;
        struct published *published = calloc(1, sizeof(*published));
        struct config config;
        assert_non_null(published);
        config_defaults(&config);
        published->top_count = 3;
        for (uint32_t i = 0; i < 3; i++) {
                published->top[i].first_pid = i;
                published->top[i].cpu = i == 1 ? NAN : (float)i;
                published->top[i].memory_bytes = i == 0 ? ABSENT : 100 - i;
                published->top[i].lost = NAN;
                published->top[i].read_bytes = NAN;
                published->top[i].write_bytes = i == 1 ? 5 : 0;
                published->top[i].ledger =
                        (struct ledger){ NAN, NAN, NAN, NAN, NAN, NAN, i == 1 ? 1.0F : NAN };
        }
        static const struct {
                const char *sort;
                int64_t order[3];
        } cases[] = {
                { "lost", { 0, 1, 2 } }, { "cpu", { 2, 0, 1 } },  { "memory", { 1, 2, 0 } },
                { "io", { 1, 0, 2 } },   { "wait", { 1, 0, 2 } },
        };
        const struct served served = { .published = published, .config = &config };
        const struct viewer viewer = { .uid = 1 };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                char parameters[64];
                text_format(parameters, sizeof(parameters), "{\"sort\":\"%s\"}", cases[i].sort);
                const char *error;
                CLEANUP_JSON struct json_object *answer =
                        ask(&served, &viewer, INTERFACE_NAME ".Top", parameters, &error);
                assert_null(error);
                struct json_object *list;
                assert_int_equal(json_get_array(answer, "programs", &list), 0);
                assert_int_equal(json_object_array_length(list), 3);
                for (size_t j = 0; j < 3; j++)
                        if (json_int_or(json_object_array_get_idx(list, j), "firstPid", -1) !=
                            cases[i].order[j])
                                fail_msg("sorted by %s, place %zu", cases[i].sort, j);
        }
        free(published);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_text_to_table),
                cmocka_unit_test(test_table_to_text),
                cmocka_unit_test(test_states_of_checks),
                cmocka_unit_test(test_explain_shows_what_is_in_force),
                cmocka_unit_test(test_top_by_key),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
