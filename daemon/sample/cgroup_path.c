/* Reads /proc/PID/cgroup and cuts a unit and its id out of a control group's path. */
#include "daemon/sample/cgroup_path.h"

#include <errno.h>
#include <string.h>

/* The kinds of unit that own processes, systemd.unit(5). */
static const char *const unit_suffixes[] = { ".service", ".scope", ".slice",     ".mount",
                                             ".socket",  ".swap",  ".automount", NULL };

static bool is_unit_name(struct span component)
{
        for (const char *const *suffix = unit_suffixes; *suffix; suffix++) {
                size_t n = strlen(*suffix);
                if (component.length > n && memcmp(component.at + component.length - n, *suffix, n) == 0)
                        return true;
        }
        return false;
}

static bool is_root(struct span path)
{
        return path.length == 0 || span_equal(path, "/");
}

/* text_hash() of a span. */
static uint64_t hash_span(uint64_t hash, struct span span)
{
        for (size_t i = 0; i < span.length; i++)
                hash = (hash ^ (uint8_t)span.at[i]) * UINT64_C(0x100000001b3);
        return (hash ^ 0xff) * UINT64_C(0x100000001b3);
}

struct span cgroup_unit_directory(struct span path, struct span *ret_unit)
{
        struct span unit = { path.at, 0 };
        size_t end = 0;

        for (size_t i = 0; i < path.length;) {
                size_t begin = i + (path.at[i] == '/');
                size_t stop = begin;
                while (stop < path.length && path.at[stop] != '/')
                        stop++;
                struct span component = { path.at + begin, stop - begin };
                if (is_unit_name(component)) {
                        unit = component;
                        end = stop;
                }
                i = stop > i ? stop : i + 1;
        }
        if (end == 0) {
                while (path.length > 1 && path.at[path.length - 1] == '/')
                        path.length--;
                end = path.length;
                size_t slash = path.length > 0 && path.at[0] == '/';
                unit = (struct span){ path.at + slash, path.length - slash };
        }
        if (ret_unit)
                *ret_unit = unit;
        return (struct span){ path.at, end };
}

uint64_t cgroup_id_of_span(struct span path)
{
        return is_root(path) ? 0 : hash_span(HASH_SEED, cgroup_unit_directory(path, NULL));
}

uint64_t cgroup_id_of_path(const char *path)
{
        return cgroup_id_of_span(span_of(path));
}

uint64_t cgroup_id_of_paths(struct span cpu, struct span memory, struct span blkio)
{
        const struct span paths[] = { cpu, memory, blkio };
        struct span first = { "", 0 };
        bool differ = false;

        for (size_t i = 0; i < 3; i++) {
                if (is_root(paths[i]))
                        continue;
                if (first.length == 0)
                        first = paths[i];
                else if (cgroup_id_of_span(first) != cgroup_id_of_span(paths[i]))
                        differ = true;
        }
        if (!differ)
                return cgroup_id_of_span(first);
        uint64_t hash = HASH_SEED;
        for (size_t i = 0; i < 3; i++) {
                const struct span path = is_root(paths[i]) ? SPAN("/") : paths[i];
                hash = hash_span(hash, cgroup_unit_directory(path, NULL));
        }
        return hash;
}

/* "4,3:cpu,cpuacct" names several controllers. */
static bool names_controller(struct span controllers, const char *name)
{
        struct span one;
        while (span_take_until(&controllers, ',', &one))
                if (span_equal(one, name))
                        return true;
        return span_equal(controllers, name);
}

static void take_line(struct span line, struct cgroup_membership *membership, bool *found)
{
        struct span number, controllers;
        uint64_t hierarchy;

        if (!span_take_until(&line, ':', &number) || span_u64(number, &hierarchy) < 0 ||
            !span_take_until(&line, ':', &controllers) || line.length == 0 || line.at[0] != '/')
                return;
        *found = true;
        /* A group that is removed while a process sits in it: "/x.service (deleted)". */
        static const char deleted[] = " (deleted)";
        size_t n = sizeof(deleted) - 1;
        if (line.length > n && memcmp(line.at + line.length - n, deleted, n) == 0)
                line.length -= n;
        if (controllers.length == 0)
                membership->v2 = line;
        else if (span_equal(controllers, "name=systemd"))
                membership->systemd = line;
        else {
                if (names_controller(controllers, "cpu"))
                        membership->cpu = line;
                if (names_controller(controllers, "memory"))
                        membership->memory = line;
                if (names_controller(controllers, "blkio"))
                        membership->blkio = line;
                if (names_controller(controllers, "pids"))
                        membership->pids = line;
        }
}

/* Kernel 6.18, hybrid:
 *   9:name=systemd:/system.slice/cron.service
 *   4:memory:/system.slice/cron.service
 *   1:cpu:/
 *   0::/system.slice/cron.service
 * Kernel 6.1, v2 only:
 *   0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.service */
int cgroup_parse_proc(const char *buffer, struct cgroup_membership *ret)
{
        struct cgroup_membership membership = { .unit = "" };
        struct span text = span_of(buffer), line, unit = { "", 0 };
        bool found = false;

        while (span_take_line(&text, &line))
                take_line(line, &membership, &found);
        if (!found)
                return -EINVAL;

        const struct span joined = !is_root(membership.v2) ? membership.v2 : membership.systemd;
        if (!is_root(joined)) {
                membership.id = cgroup_id_of_span(joined);
                (void)cgroup_unit_directory(joined, &unit);
        } else {
                /* The group that limits CPU names the process before the one that limits memory: where they
                 * differ, one of them is mostly the container that everything here is in. */
                const struct span order[] = { membership.cpu, membership.memory, membership.blkio,
                                              membership.pids };
                membership.id = cgroup_id_of_paths(membership.cpu, membership.memory, membership.blkio);
                for (size_t i = 0; i < 4; i++)
                        if (!is_root(order[i])) {
                                (void)cgroup_unit_directory(order[i], &unit);
                                if (membership.id == 0)
                                        membership.id = cgroup_id_of_span(order[i]);
                                break;
                        }
        }
        (void)span_copy(unit, membership.unit, sizeof(membership.unit));
        text_sanitize(membership.unit, "");
        *ret = membership;
        return 0;
}
