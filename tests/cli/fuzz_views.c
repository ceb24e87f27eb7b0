/* Any JSON as the reply to any question: nothing that a terminal would obey comes out, and nothing breaks.
 * The first byte chooses the view, the width and whether there is UTF-8. */
#include <assert.h>
#include <locale.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "cli/page.h"
#include "cli/views.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
        (void)argc;
        (void)argv;
        (void)setlocale(LC_CTYPE, "C.UTF-8");
        (void)setenv("TZ", "UTC", 1);
        return 0;
}

static void assert_harmless(const struct page *page)
{
        for (size_t i = 0; i < page->size; i++) {
                unsigned code;
                assert(page->text[i] == '\n' || page_unsafe_character(page->text + i, &code) == 0);
                assert(page->is_utf8 || (unsigned char)page->text[i] < 0x80);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const size_t widths[] = { 40, 80, 200 };
        static const renderer views[] = { diagnosis_view, checks_view, explain_view, top_view,
                                          alerts_view,    status_view, why_view,     history_view,
                                          history_csv,    boot_view,   mounts_view };
        enum { VIEWS = sizeof(views) / sizeof(views[0]) };
        static const struct options asked[] = {
                { 0 },
                { .now_usec = 1, .at_usec = 1, .pid = 1, .each = true, .argument = "1" },
                { .now_usec = UINT64_MAX / 2, .since_usec = 1, .unit = "ssh.service" },
        };
        struct page page;
        if (size < 1)
                return 0;
        unsigned choice = data[0];
        struct json_tokener *tokener = json_tokener_new_ex(32);
        if (!tokener)
                return 0;
        json_tokener_set_flags(tokener, JSON_TOKENER_VALIDATE_UTF8);
        struct json_object *reply = json_tokener_parse_ex(tokener, (const char *)data + 1, (int)(size - 1));
        if (json_object_is_type(reply, json_type_object) &&
            page_init_fixed(&page, widths[choice / VIEWS / 2 % 3], false, choice / VIEWS % 2) == 0) {
                (void)views[choice % VIEWS](&page, reply, &asked[choice / VIEWS / 6 % 3]);
                (void)fflush(page.out);
                assert_harmless(&page);
                page_done(&page);
        }
        json_object_put(reply);
        json_tokener_free(tokener);
        return 0;
}
