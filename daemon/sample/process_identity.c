/* Reads what hardly changes in a process's life. See process_name.h for the name, cgroup_path.h for the unit.
 */
#include "daemon/sample/process_identity.h"

#include <errno.h>
#include <string.h>

#include "daemon/sample/cgroup_path.h"
#include "daemon/sample/process_name.h"

/* Of a command line as much is read as can matter for its name: interpreters with long options (java). */
#define ARGUMENTS_MAX 4096
#define STATUS_SIZE   4096
#define CGROUP_SIZE   4096
#define LINK_SIZE     4096

/* Parents of new processes that are new themselves: deeper chains within one tick are cut. */
#define NEW_ANCESTORS_MAX 16

static void copy_text(struct span text, char *buffer, size_t size)
{
        (void)span_copy(text, buffer, size);
        text_sanitize(buffer, "");
}

static void set_comm(struct process_identity *identity, struct span comm)
{
        copy_text(comm, identity->comm, sizeof(identity->comm));
}

void process_identity_begin(struct process_entry *entry, struct span comm, bool is_kernel_thread)
{
        struct process_identity *identity = entry->identity;
        const struct process_name_source source = { .comm = comm, .is_kernel_thread = is_kernel_thread };
        struct span script;

        set_comm(identity, comm);
        identity->is_kernel_thread = is_kernel_thread;
        identity->is_partial = true;
        process_name(&source, identity->name, &script);
}

bool process_identity_read_status(const struct process_files *files, const struct process_users *users,
                                  struct process_entry *entry, struct process_sample *sample,
                                  struct process_status *ret_status)
{
        char buffer[STATUS_SIZE];
        if (process_files_read_once(files, entry->pid, "status", buffer, sizeof(buffer)) < 0 ||
            process_parse_status(buffer, ret_status) < 0)
                return false;
        if (entry->identity->uid != ret_status->uid) {
                entry->identity->uid = ret_status->uid;
                process_users_name(users, ret_status->uid, entry->identity->user);
        }
        sample->rss_anon_bytes = ret_status->rss_anon_bytes;
        sample->rss_file_bytes = ret_status->rss_file_bytes;
        sample->rss_shmem_bytes = ret_status->rss_shmem_bytes;
        sample->swap_bytes = ret_status->swap_bytes;
        sample->page_tables_bytes = ret_status->page_tables_bytes;
        return true;
}

void process_identity_read_cgroup(const struct process_files *files, struct process_entry *entry)
{
        char buffer[CGROUP_SIZE];
        struct cgroup_membership membership;
        if (process_files_read_once(files, entry->pid, "cgroup", buffer, sizeof(buffer)) < 0 ||
            cgroup_parse_proc(buffer, &membership) < 0)
                return;
        entry->cgroup_id = entry->identity->cgroup_id = membership.id;
        memcpy(entry->identity->unit, membership.unit, sizeof(membership.unit));
}

/* A path as the process meant it: below its working directory unless it is absolute; "" if that is unknown.
 */
static void resolve(const char *directory, struct span path, char ret_path[static PATH_TEXT_MAX])
{
        ret_path[0] = '\0';
        if (path.length == 0)
                return;
        while (span_starts(path, "./"))
                path = (struct span){ path.at + 2, path.length - 2 };
        if (path.length > 0 && path.at[0] == '/')
                (void)span_copy(path, ret_path, PATH_TEXT_MAX);
        else if (directory[0] == '/')
                text_format(ret_path, PATH_TEXT_MAX, "%s/%.*s", directory[1] ? directory : "",
                            (int)path.length, path.at);
        text_sanitize(ret_path, "");
}

static struct span base_name(struct span path)
{
        for (size_t i = path.length; i > 0; i--)
                if (path.at[i - 1] == '/')
                        return (struct span){ path.at + i, path.length - i };
        return path;
}

/* Where a relative script really is. Shells keep it open while they run it (bash as 255, dash as 10), which
 * holds even if the script has changed its directory since; else it is taken to be below the working
 * directory. */
static void find_script(const struct process_files *files, struct process_identity *identity,
                        const char *directory, struct span script)
{
        static const char *const descriptors[] = { "fd/255", "fd/10" };
        char link[LINK_SIZE];
        struct span name = base_name(script);
        bool is_relative = script.length > 0 && script.at[0] != '/';

        for (size_t i = 0; is_relative && i < sizeof(descriptors) / sizeof(descriptors[0]); i++) {
                ssize_t n = process_files_read_link(files, identity->pid, descriptors[i], link, sizeof(link));
                struct span found = n > 0 ? base_name(span_of(link)) : SPAN("");
                if (found.length == name.length && name.length > 0 &&
                    memcmp(found.at, name.at, name.length) == 0) {
                        copy_text(span_of(link), identity->script, sizeof(identity->script));
                        return;
                }
        }
        resolve(directory, script, identity->script);
}

/* "exec" at the end of a script turns the shell that ran it into something else: then the script is what
 * started this program. */
static void remember_former_script(struct process_identity *identity, const struct process_identity *former)
{
        if (former->script[0] == '\0' || identity->script[0] != '\0')
                return;
        memcpy(identity->origin_script, former->script, sizeof(identity->origin_script));
        memcpy(identity->origin_directory, former->working_directory, sizeof(identity->origin_directory));
}

void process_identity_read(const struct process_files *files, const struct process_users *users,
                           struct process_entry *entry, struct span comm, bool is_kernel_thread,
                           struct process_sample *sample)
{
        struct process_identity *identity = entry->identity;
        const struct process_identity former = *identity;
        char exe[LINK_SIZE] = "", cwd[LINK_SIZE] = "", arguments[ARGUMENTS_MAX] = "";
        struct process_status status;
        ssize_t arguments_length = 0, n = 0;
        bool is_denied = false;

        (void)process_identity_read_status(files, users, entry, sample, &status);
        process_identity_read_cgroup(files, entry);
        if (!is_kernel_thread) {
                n = process_files_read_link(files, identity->pid, "exe", exe, sizeof(exe));
                is_denied |= n == -EACCES || n == -EPERM;
                n = process_files_read_link(files, identity->pid, "cwd", cwd, sizeof(cwd));
                is_denied |= n == -EACCES || n == -EPERM;
                arguments_length = process_files_read_once(files, identity->pid, "cmdline", arguments,
                                                           sizeof(arguments));
                if (arguments_length < 0)
                        arguments_length = 0;
        }
        const struct process_name_source source = {
                .comm = comm,
                .exe = span_of(exe),
                .arguments = { arguments, (size_t)arguments_length },
                .is_kernel_thread = is_kernel_thread,
        };
        struct span script;

        set_comm(identity, comm);
        process_name(&source, identity->name, &script);
        process_command_line(source.arguments, identity->command_line);
        copy_text(source.exe, identity->exe, sizeof(identity->exe));
        copy_text(span_of(cwd), identity->working_directory, sizeof(identity->working_directory));
        find_script(files, identity, cwd, script);
        identity->is_kernel_thread = is_kernel_thread;
        identity->is_partial = entry->details_denied = is_denied;
        if (entry->has_identity)
                remember_former_script(identity, &former);
        entry->has_identity = true;
}

static void inherit(struct process_identity *identity, const struct process_identity *parent)
{
        struct ancestor *chain = identity->chain;
        uint32_t inherited =
                parent->chain_length < ORIGIN_CHAIN_MAX - 1 ? parent->chain_length : ORIGIN_CHAIN_MAX - 1;
        chain[0] = (struct ancestor){ .pid = parent->pid, .uid = parent->uid };
        (void)span_copy(span_of(parent->name), chain[0].name, sizeof(chain[0].name));
        memcpy(chain + 1, parent->chain, inherited * sizeof(chain[0]));
        identity->chain_length = inherited + 1;

        const bool is_script = parent->script[0] != '\0';
        /* Its own script, from before an exec, speaks only where no ancestor runs one: a wrapper that execs
         * what it was asked for (a language's version manager) started nothing. */
        if (identity->origin_script[0] != '\0' && !is_script && parent->origin_script[0] == '\0')
                return;
        memcpy(identity->origin_script, is_script ? parent->script : parent->origin_script,
               sizeof(identity->origin_script));
        memcpy(identity->origin_directory, is_script ? parent->working_directory : parent->origin_directory,
               sizeof(identity->origin_directory));
}

void process_identity_settle_origin(const struct process_table *table, struct process_entry *entry)
{
        struct process_entry *path[NEW_ANCESTORS_MAX];
        size_t depth = 0;

        /* Up to the first ancestor that is settled ... */
        for (struct process_entry *at = entry; at && !at->has_origin && depth < NEW_ANCESTORS_MAX;
             at = process_table_find(table, at->identity->ppid))
                path[depth++] = at;
        /* ... and down again. */
        while (depth > 0) {
                struct process_entry *at = path[--depth];
                const struct process_entry *parent = process_table_find(table, at->identity->ppid);
                if (!at->has_identity || (parent && !parent->has_identity && !parent->is_gone))
                        return;
                if (parent && parent != at)
                        inherit(at->identity, parent->identity);
                at->has_origin = true;
        }
}
