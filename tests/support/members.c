/* Members of control groups, for tests. */
#include "tests/support/members.h"

#include <assert.h>
#include <string.h>

#include "common/text.h"
#include "daemon/sample/cgroup_path.h"

static struct process_sample *add(struct members *members, uint32_t pid, const char *cgroup_file)
{
        struct cgroup_membership membership;
        assert(members->count < MEMBERS_MAX);
        struct process_identity *identity = &members->identities[members->count];
        struct process_sample *process = &members->processes[members->count++];

        *identity = (struct process_identity){ .pid = pid };
        if (cgroup_parse_proc(cgroup_file, &membership) == 0)
                identity->cgroup_id = membership.id;
        *process = (struct process_sample){
                .pid = pid, .read_bytes = ABSENT, .write_bytes = ABSENT, .rss_anon_bytes = ABSENT
        };
        return process;
}

struct process_sample *members_add(struct members *members, const struct tree *tree, uint32_t pid,
                                   const char *cgroup_file)
{
        char path[64];
        text_format(path, sizeof(path), "proc/%u/cgroup", pid);
        tree_write(tree, path, cgroup_file);
        return add(members, pid, cgroup_file);
}

struct process_sample *members_add_live(struct members *members, const struct root *root, uint32_t pid)
{
        char path[64], text[4096];
        text_format(path, sizeof(path), "proc/%u/cgroup", pid);
        return add(members, pid, root_read(root, path, text, sizeof(text)) > 0 ? text : "");
}

int members_collect(struct members *members, struct cgroup_source *source, struct buffer *buffer, usec_t now,
                    struct sample *sample)
{
        struct process_sample *own = sample->processes;
        sample_clear(sample);
        sample->time.monotonic_usec = now;
        for (size_t i = 0; i < members->count; i++)
                members->processes[i].identity = &members->identities[i];
        sample->processes = members->processes;
        sample->process_count = members->count;
        int r = cgroup_source_collect(source, buffer, sample);
        sample->processes = own;
        sample->process_count = 0;
        return r;
}

const struct cgroup_sample *members_find_unit(const struct sample *sample, const char *unit)
{
        for (size_t i = 0; i < sample->cgroup_count; i++)
                if (strcmp(sample->cgroups[i].unit, unit) == 0)
                        return &sample->cgroups[i];
        return NULL;
}
