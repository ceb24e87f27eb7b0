/* How replies look: one function per question of the interface. */
#pragma once

#include <json-c/json.h>

#include "cli/page.h"

/* Writes the reply on the page: 0, -EBADMSG (it is not what the interface promises) or -ENOMEM. */
typedef int (*renderer)(struct page *page, struct json_object *reply);

int diagnosis_view(struct page *page, struct json_object *reply);
int checks_view(struct page *page, struct json_object *reply);
int explain_view(struct page *page, struct json_object *reply);
int top_view(struct page *page, struct json_object *reply);
int alerts_view(struct page *page, struct json_object *reply);
int status_view(struct page *page, struct json_object *reply);
