/* What can be told of a diagnosis without showing it; diagnosis_view() itself is in views.h. */
#pragma once

#include <json-c/json.h>

#include "cli/views.h"

/* The verdict of that reply: "slow" ...; NULL if there is none. Borrowed. */
const char *diagnosis_view_verdict(struct json_object *reply);
