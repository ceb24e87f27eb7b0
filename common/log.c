/* Lines on standard error. */
#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void log_line(int level, const char *format, ...)
{
        int saved_errno = errno;
        char line[LOG_LINE_MAX];
        size_t length = 0;
        int n = isatty(STDERR_FILENO) ? snprintf(line, sizeof(line), "slowd: ")
                                      : snprintf(line, sizeof(line), "<%d>", level);
        if (n > 0)
                length = (size_t)n;
        va_list arguments;
        va_start(arguments, format);
        n = vsnprintf(line + length, sizeof(line) - length, format, arguments);
        va_end(arguments);
        if (n > 0)
                length += (size_t)n;
        if (length > sizeof(line) - 1)
                length = sizeof(line) - 1;
        for (size_t i = 0; i < length; i++) /* one message is one line, whatever a name holds */
                if (line[i] == '\n')
                        line[i] = ' ';
        line[length] = '\n';
        /* whoever cannot be told has to go without */
        ssize_t ignored = write(STDERR_FILENO, line, length + 1);
        (void)ignored;
        errno = saved_errno;
}
