/* Complaints. */
#include "cli/complain.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/text.h"

void complain(const char *format, ...)
{
        CLEANUP_FREE char *text = NULL;
        va_list arguments;
        va_start(arguments, format);
        int length = vasprintf(&text, format, arguments);
        va_end(arguments);
        if (length < 0) {
                text = NULL; /* its value is undefined then */
                return;
        }
        text_sanitize(text, "");
        (void)fprintf(stderr, "slowctl: %s\n", text);
}
