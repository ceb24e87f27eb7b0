/* How a diagnosis looks: the sentence, a block per cause, what follows, risks, what was ruled out. */
#pragma once

#include <json-c/json.h>

#include "cli/page.h"

/* Renders the reply of Diagnose. 0, or -EBADMSG: it holds no diagnosis with a verdict. */
int diagnosis_view(struct page *page, struct json_object *reply);

/* The verdict of that reply: "slow" ...; NULL if there is none. Borrowed. */
const char *diagnosis_view_verdict(struct json_object *reply);
