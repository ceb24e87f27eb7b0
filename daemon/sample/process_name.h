/* What people call a program: "nginx", "deploy.sh", "manage.py", "kworker". Pure text work. */
#pragma once

#include "common/text.h"
#include "daemon/sample/sample.h"

/* What is known of a process. Empty where unknown. */
struct process_name_source {
        struct span comm;      /* as in /proc/PID/stat */
        struct span exe;       /* target of /proc/PID/exe, " (deleted)" and all */
        struct span arguments; /* /proc/PID/cmdline: NUL-separated, perhaps cut */
        bool is_kernel_thread;
};

/* The name: the executable's base name; for an interpreter the script's (module's, jar's), or the name that
 * the process gave itself; for a multi-call binary its comm; for a kernel thread its comm without numbers. Of
 * an executable that may not be seen comm and the arguments tell. ret_script gets the script as it stands in
 * the arguments, an empty span if this is no interpreter with a script file. */
void process_name(const struct process_name_source *source, char ret_name[static PROGRAM_NAME_MAX],
                  struct span *ret_script);

/* The arguments joined by blanks, cut with "…" at a character's boundary, sanitized. */
void process_command_line(struct span arguments, char ret_text[static COMMAND_LINE_MAX]);
