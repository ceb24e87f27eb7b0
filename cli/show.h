/* The last step of every command: a reply as JSON, or rendered by the command's own function. */
#pragma once

#include <json-c/json.h>

#include "cli/options.h"
#include "cli/page.h"
#include "cli/views.h"
#include "common/usec.h"

/* Shows it. STATUS_HEALTHY, or STATUS_NOT_REACHABLE after a sentence. */
int show_reply(const struct options *options, struct json_object *reply, renderer render);

/* Asks once and shows the reply. As ask_once() and show_reply(). */
int show_question(const struct options *options, const char *method, struct json_object *parameters,
                  renderer render);

/* "14:02:11" if it is on the same day as `now_usec`, else "Nov 22 14:02", with the year if that differs.
 * Local time. Returns buffer. */
#define SHOW_TIME_MAX 64
const char *show_time(char buffer[static SHOW_TIME_MAX], usec_t time_usec, usec_t now_usec);
/* "2024-11-22 at 14:02:11", local time. Returns buffer. */
const char *show_date_time(char buffer[static SHOW_TIME_MAX], usec_t time_usec);
