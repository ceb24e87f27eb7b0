/* What the views of a boot share. */
#pragma once

#include <stdint.h>

#include <json-c/json.h>

#include "cli/page.h"
#include "common/units.h"

/* A number that is not negative; UINT64_MAX if it is missing or null. */
uint64_t boot_member(struct json_object *object, const char *name);
/* Boots are told in tenths of seconds: "7.6 s", "551 ms", "3 min"; "?" if unknown. Returns buffer. */
const char *boot_length_text(char buffer[static UNITS_MAX], uint64_t usec);

#define BOOT_NAME_SIZE 256
/* A unit's name as people read it: "dev-disk-by-uuid-1a2b.device". Returns buffer. */
const char *boot_unit_name(char buffer[static BOOT_NAME_SIZE], struct json_object *unit);

/* The units of a reply to Boot that are on the critical chain, the first that was there on top, with its
 * title; nothing if there are none. */
void boot_chain_view(struct page *page, struct json_object *reply, struct json_object *units);
