/* Base64 (RFC 4648, section 4) back to bytes. */
#pragma once

#include <stddef.h>

/* Room for what a text of that length can hold. */
#define BASE64_BYTES_MAX(length) ((length) / 4 * 3)

/* Decodes `text`, whose last group may be padded, into at most BASE64_BYTES_MAX(length) bytes. 0, or
 * -EBADMSG: the length is no multiple of four, or a character does not belong there. */
int base64_decode(const char *text, size_t length, unsigned char *bytes, size_t *ret_size);
