/* How replies look: one function per question of the interface. */
#pragma once

#include <json-c/json.h>

#include "cli/options.h"
#include "cli/page.h"

/* Writes the reply on the page, as the answer to what `options` asked: 0, -EBADMSG (it is not what the
 * interface promises) or -ENOMEM. */
typedef int (*renderer)(struct page *page, struct json_object *reply, const struct options *options);

int diagnosis_view(struct page *page, struct json_object *reply, const struct options *options);
/* Of two replies in one object, history and diagnosis. */
int why_view(struct page *page, struct json_object *reply, const struct options *options);
int checks_view(struct page *page, struct json_object *reply, const struct options *options);
int explain_view(struct page *page, struct json_object *reply, const struct options *options);
int mounts_view(struct page *page, struct json_object *reply, const struct options *options);
int top_view(struct page *page, struct json_object *reply, const struct options *options);
int alerts_view(struct page *page, struct json_object *reply, const struct options *options);
int boot_view(struct page *page, struct json_object *reply, const struct options *options);
int logs_view(struct page *page, struct json_object *reply, const struct options *options);
int disks_view(struct page *page, struct json_object *reply, const struct options *options);
int status_view(struct page *page, struct json_object *reply, const struct options *options);
int history_view(struct page *page, struct json_object *reply, const struct options *options);
int history_csv(struct page *page, struct json_object *reply, const struct options *options);
