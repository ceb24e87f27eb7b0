/* Base64. */
#include "cli/base64.h"

#include <errno.h>

/* 0 to 63; -1: no digit. */
static int digit(char c)
{
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int base64_decode(const char *text, size_t length, unsigned char *bytes, size_t *ret_size)
{
        size_t size = 0;
        if (length % 4 != 0)
                return -EBADMSG;
        for (size_t i = 0; i < length; i += 4) {
                size_t padding = i + 4 < length || text[i + 3] != '=' ? 0 : text[i + 2] == '=' ? 2 : 1;
                unsigned group = 0;
                for (size_t k = 0; k < 4; k++) {
                        int value = k + padding >= 4 ? 0 : digit(text[i + k]);
                        if (value < 0)
                                return -EBADMSG;
                        group = group << 6 | (unsigned)value;
                }
                for (size_t k = 0; k + padding < 3; k++)
                        bytes[size++] = (unsigned char)(group >> (16 - 8 * k));
        }
        *ret_size = size;
        return 0;
}
