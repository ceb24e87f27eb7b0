/* Octal escapes of seq_path() and mangle(): "\040" for a blank, also \011, \012, \134 and \043. */
#include "daemon/sample/path.h"

static int octal_value(struct span text)
{
        int value = 0;
        if (text.length < 4 || text.at[0] != '\\')
                return -1;
        for (size_t i = 1; i < 4; i++) {
                if (text.at[i] < '0' || text.at[i] > '7')
                        return -1;
                value = value * 8 + (text.at[i] - '0');
        }
        return value > 0 && value < 256 ? value : -1;
}

void path_unescape(struct span escaped, char *buffer, size_t size)
{
        char plain[4096]; /* PATH_MAX: the kernel prints nothing longer */
        size_t length = 0;

        while (escaped.length > 0 && length < sizeof(plain)) {
                int value = octal_value(escaped);
                size_t step = value < 0 ? 1 : 4;
                plain[length++] = value < 0 ? escaped.at[0] : (char)value;
                escaped.at += step;
                escaped.length -= step;
        }
        (void)span_copy((struct span){ plain, length }, buffer, size);
        text_sanitize(buffer, "");
}
