/* The netlink messages of taskstats: pure parsing of bytes that somebody else received. */
#pragma once

#include "daemon/sample/taskstats.h"

/* Parses one message of the generic netlink family. 0 with *ret_pid and *ret_values (for an error message
 * values.error is set, and pid 0); *ret_sequence is the number of the request it answers. -EBADMSG: garbage.
 */
int taskstats_parse(const void *message, size_t length, uint16_t family, uint32_t *ret_sequence,
                    uint32_t *ret_pid, struct taskstats_values *ret_values);

/* The attributes behind the headers of a message of this family; -EBADMSG if it is none. An error message
 * gives its (negative) errno. */
int taskstats_open_message(const unsigned char *message, size_t length, uint16_t family,
                           uint32_t *ret_sequence, const unsigned char **ret_attributes, size_t *ret_length);
/* Finds one attribute among them. */
bool taskstats_find_attribute(const unsigned char *at, size_t length, uint16_t type,
                              const unsigned char **ret_data, size_t *ret_length);
