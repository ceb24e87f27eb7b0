/* Replies on their way out. */
#include "cli/show.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/ask.h"
#include "cli/complain.h"
#include "common/cleanup.h"

/* JSON leaves DEL, the C1 controls and marks of writing direction as they are; on a terminal they act. All
 * stand inside strings, so a \u escape keeps the meaning. */
static void write_escaped(struct page *page, const char *json)
{
        while (*json) {
                unsigned code;
                size_t length = *json == '\n' ? 0 : page_unsafe_character(json, &code);
                if (length > 0)
                        (void)fprintf(page->out, "\\u%04x", code);
                else
                        (void)fputc(*json, page->out);
                json += length > 0 ? length : 1;
        }
        (void)fputc('\n', page->out);
}

static int render_json(struct page *page, const struct options *options, struct json_object *reply)
{
        bool is_pretty = options->json == JSON_PRETTY ||
                         (options->json == JSON_AUTO && !options->follow && isatty(STDOUT_FILENO));
        int flags = JSON_C_TO_STRING_NOSLASHESCAPE |
                    (is_pretty ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED : JSON_C_TO_STRING_PLAIN);
        const char *text = json_object_to_json_string_ext(reply, flags);
        if (!text)
                return -ENOMEM;
        write_escaped(page, text);
        return 0;
}

int show_reply(const struct options *options, struct json_object *reply, renderer render)
{
        struct page page;
        int r = page_init(&page, options->color);
        if (r == 0)
                r = options->json != JSON_NONE ? render_json(&page, options, reply)
                                               : render(&page, reply, options);
        if (r == 0) {
                r = page_show(&page, options->json == JSON_NONE && !options->csv && !options->no_pager &&
                                             !options->follow);
                if (r < 0)
                        complain("The answer cannot be written: %s", strerror(-r));
        } else if (r == -EBADMSG) {
                complain("slowd's answer lacks what slowctl needs; are both of the same version?");
        } else {
                complain("There is no memory.");
        }
        page_done(&page);
        return r < 0 ? STATUS_NOT_REACHABLE : STATUS_HEALTHY;
}

int show_question(const struct options *options, const char *method, struct json_object *parameters,
                  renderer render)
{
        CLEANUP_JSON struct json_object *reply = NULL;
        int r = ask_once(options, method, parameters, &reply);
        return r != 0 ? r : show_reply(options, reply, render);
}

const char *show_time(char buffer[static SHOW_TIME_MAX], usec_t time_usec, usec_t now_usec)
{
        time_t time = (time_t)(time_usec / USEC_PER_SEC), now = (time_t)(now_usec / USEC_PER_SEC);
        struct tm local, today;
        if (!localtime_r(&time, &local) || !localtime_r(&now, &today)) {
                (void)snprintf(buffer, SHOW_TIME_MAX, "@%" PRIu64, time_usec / USEC_PER_SEC);
                return buffer;
        }
        const char *format = local.tm_year != today.tm_year   ? "%Y-%m-%d %H:%M"
                             : local.tm_yday != today.tm_yday ? "%b %e %H:%M"
                                                              : "%H:%M:%S";
        if (strftime(buffer, SHOW_TIME_MAX, format, &local) == 0)
                buffer[0] = '\0';
        return buffer;
}

const char *show_date_time(char buffer[static SHOW_TIME_MAX], usec_t time_usec)
{
        time_t time = (time_t)(time_usec / USEC_PER_SEC);
        struct tm local;
        if (!localtime_r(&time, &local) ||
            strftime(buffer, SHOW_TIME_MAX, "%Y-%m-%d at %H:%M:%S", &local) == 0)
                (void)snprintf(buffer, SHOW_TIME_MAX, "@%" PRIu64, time_usec / USEC_PER_SEC);
        return buffer;
}
