/* Names of programs from what processes say of themselves: comm, exe and arguments, one line each. */
#include <stdlib.h>
#include <string.h>

#include "daemon/sample/process_name.h"

static void require_clean(const char *text, size_t size)
{
        if (strlen(text) >= size)
                abort();
        for (; *text; text++)
                if ((unsigned char)*text < 0x20 || *text == 0x7f)
                        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char name[PROGRAM_NAME_MAX], command_line[COMMAND_LINE_MAX];
        char *text = malloc(size ? size : 1);
        if (!text)
                return 0;
        memcpy(text, data, size);
        struct span rest = { text, size }, script;
        struct process_name_source source = { .is_kernel_thread = size > 0 && text[0] == '[' };
        if (!span_take_until(&rest, '\n', &source.comm) || !span_take_until(&rest, '\n', &source.exe))
                source.comm = source.exe = (struct span){ text, 0 };
        source.arguments = rest;
        process_name(&source, name, &script);
        require_clean(name, sizeof(name));
        if (script.length > size ||
            (script.length > 0 && (script.at < text || script.at + script.length > text + size)))
                abort();
        process_command_line(rest, command_line);
        require_clean(command_line, sizeof(command_line));
        free(text);
        return 0;
}
