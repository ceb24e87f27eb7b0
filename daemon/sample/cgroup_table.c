/* The control groups that are followed, and how they are learned from the processes in them: no tree is ever
 * walked. */
#include "daemon/sample/cgroup_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/sample/cgroup_path.h"

static size_t position(const struct cgroup_table *table, uint64_t id)
{
        size_t low = 0, high = table->count;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (table->groups[middle]->id < id)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

struct group *cgroup_table_find(const struct cgroup_table *table, uint64_t id)
{
        size_t at = position(table, id);
        return at < table->count && table->groups[at]->id == id ? table->groups[at] : NULL;
}

static struct group *insert(struct cgroup_table *table, uint64_t id)
{
        if (table->count == CGROUP_TABLE_MAX) {
                table->dropped++;
                return NULL;
        }
        if (table->count == table->capacity) {
                size_t capacity = table->capacity ? table->capacity * 2 : 64;
                struct group **groups = reallocarray(table->groups, capacity, sizeof(struct group *));
                if (!groups)
                        return NULL;
                table->groups = groups;
                table->capacity = capacity;
        }
        struct group *group = calloc(1, sizeof(*group));
        if (!group)
                return NULL;
        group->id = id;
        group->has_run = true; /* for all that is known */
        memset(group->fds, 0xff, sizeof(group->fds));
        memset(&group->values, 0xff, sizeof(group->values));
        memset(group->values.unit, 0, sizeof(group->values.unit));
        group->values.id = id;
        group->values.is_stale = true;
        group->values.read_usec = 0;
        size_t at = position(table, id);
        memmove(&table->groups[at + 1], &table->groups[at], (table->count - at) * sizeof(struct group *));
        table->groups[at] = group;
        table->count++;
        return group;
}

static void set_unit(struct group *group, struct span unit)
{
        (void)span_copy(unit, group->values.unit, sizeof(group->values.unit));
        text_sanitize(group->values.unit, "");
}

/* Follows every directory above `path` in one tree, as one with a limit holds back what is below it, and ends
 * at the nearest. With several trees the group's parent is that in the first of them. */
static struct group *follow_ancestors(struct cgroup_table *table, enum cgroup_hierarchy first,
                                      enum cgroup_hierarchy last, struct span path, uint64_t below)
{
        struct group *parent = NULL;
        for (size_t i = 1; i < path.length; i++) {
                struct span unit, directory;
                if (path.at[i] != '/')
                        continue;
                directory = cgroup_unit_directory((struct span){ path.at, i }, &unit);
                uint64_t id = cgroup_id_of_span(directory);
                if (id == 0 || id == below || (parent && parent->id == id))
                        continue;
                struct group *ancestor = cgroup_table_find(table, id);
                if (!ancestor && (ancestor = insert(table, id)) != NULL)
                        set_unit(ancestor, unit);
                if (!ancestor)
                        continue;
                for (enum cgroup_hierarchy h = first; h <= last; h++)
                        if (!ancestor->path[h] && group_set_path(ancestor, h, directory) < 0)
                                table->error = -ENOMEM;
                if (!ancestor->parent && ancestor != parent)
                        ancestor->parent = parent;
                parent = ancestor;
        }
        return parent;
}

static bool is_inside(struct span path, struct span directory)
{
        return path.length >= directory.length && directory.length > 0 &&
               memcmp(path.at, directory.at, directory.length) == 0 &&
               (path.length == directory.length || path.at[directory.length] == '/');
}

/* Where a process's group lies in one v1 tree. Where v2 or systemd name the unit, the trees follow them (a
 * controller that is not switched on for it leaves the process further up), but a tree that somebody has
 * arranged otherwise is read where the process is. */
static struct span path_in_tree(struct span path, struct span unit_directory)
{
        bool is_top = path.length <= 1;
        if (unit_directory.length == 0)
                return is_top ? (struct span){ 0 } : cgroup_unit_directory(path, NULL);
        if (is_top || is_inside(path, unit_directory) || is_inside(unit_directory, path))
                return unit_directory;
        return cgroup_unit_directory(path, NULL);
}

static void follow(struct cgroup_table *table, struct group *group,
                   const struct cgroup_membership *membership)
{
        struct span named = membership->v2.length > 1 ? membership->v2 : membership->systemd;
        named = named.length > 1 ? cgroup_unit_directory(named, NULL) : (struct span){ 0 };
        const struct span paths[HIERARCHY_MAX] = {
                [HIERARCHY_V2] = named,
                [HIERARCHY_CPU] = path_in_tree(membership->cpu, named),
                [HIERARCHY_CPUACCT] = path_in_tree(membership->cpu, named),
                [HIERARCHY_MEMORY] = path_in_tree(membership->memory, named),
                [HIERARCHY_BLKIO] = path_in_tree(membership->blkio, named),
                [HIERARCHY_PIDS] = path_in_tree(membership->pids, named),
        };
        for (enum cgroup_hierarchy h = 0; h < HIERARCHY_MAX; h++)
                if (paths[h].length > 1 && group_set_path(group, h, paths[h]) < 0)
                        table->error = -ENOMEM;
        set_unit(group, span_of(membership->unit));
        group->is_followed = true;

        struct group *parent = NULL;
        if (named.length > 1)
                parent = follow_ancestors(table, HIERARCHY_V2, HIERARCHY_PIDS, named, group->id);
        static const enum cgroup_hierarchy trees[] = { HIERARCHY_CPU, HIERARCHY_MEMORY, HIERARCHY_BLKIO };
        for (size_t i = 0; i < sizeof(trees) / sizeof(trees[0]) && named.length <= 1; i++) {
                enum cgroup_hierarchy last = trees[i] == HIERARCHY_CPU ? HIERARCHY_CPUACCT : trees[i];
                struct group *above = follow_ancestors(table, trees[i], last, paths[trees[i]], group->id);
                if (!parent)
                        parent = above;
        }
        if (parent != group && !group->parent)
                group->parent = parent;
}

/* Where the group of an id lies only its processes can tell. */
struct group *cgroup_table_meet(struct cgroup_table *table, const struct root *root, struct buffer *buffer,
                                const struct process_sample *process, usec_t now)
{
        struct cgroup_membership membership;
        struct span text;
        char path[32];

        if (table->met == CGROUP_MEET_MAX)
                return NULL;
        table->met++;
        struct group *group = cgroup_table_find(table, process->identity->cgroup_id);
        if (!group)
                group = insert(table, process->identity->cgroup_id);
        if (!group)
                return NULL;
        group->asked_usec = now;
        text_format(path, sizeof(path), "proc/%u/cgroup", process->pid);
        if (buffer_read(buffer, root, path, &text) == 0 &&
            cgroup_parse_proc(buffer->data, &membership) == 0 && membership.id == group->id)
                follow(table, group, &membership);
        return group;
}

void cgroup_table_done(struct cgroup_table *table, struct cgroup_trees *trees)
{
        for (size_t i = 0; i < table->count; i++)
                group_free(trees, table->groups[i]);
        free(table->groups);
        *table = (struct cgroup_table){ 0 };
}
