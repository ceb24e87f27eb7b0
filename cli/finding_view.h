/* How one finding looks: who, why, who waits, what helps, aligned. */
#pragma once

#include <stdbool.h>

#include <json-c/json.h>

#include "cli/page.h"
#include "common/usec.h"

/* A block of lines that begins with `label` ("cause" or "risk"). Members that are missing leave their lines
 * out. `now_usec`: realtime of the diagnosis; is_past: that is not the present. */
void finding_view(struct page *page, const char *label, struct json_object *finding, usec_t now_usec,
                  bool is_past);

/* Appends "ffmpeg, 30 processes, user www-data, cron.service" for a Subject. */
void finding_view_subject(char *buffer, size_t size, size_t *length, struct json_object *subject);

/* The colour of a severity. */
enum style finding_view_style(const char *severity);
