/* Complaints. */
#include "cli/complain.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/page.h"
#include "common/cleanup.h"
#include "common/text.h"

/* What a terminal would obey beyond control characters, such as marks of writing direction, becomes '?'. */
static void replace_unsafe(char *text)
{
        char *out = text;
        for (const char *at = text; *at;) {
                unsigned code;
                size_t length = page_unsafe_character(at, &code);
                *out++ = length > 0 ? '?' : *at;
                at += length > 0 ? length : 1;
        }
        *out = '\0';
}

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
        replace_unsafe(text);
        (void)fprintf(stderr, "slowctl: %s\n", text);
}
