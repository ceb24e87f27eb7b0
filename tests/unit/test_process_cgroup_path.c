/* Units and ids from /proc/PID/cgroup. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "daemon/sample/cgroup_path.h"

static void garbage_is_refused(void **state)
{
        static const char *const bad[] = { "",      "\n\n", "0",     "0:", "0::", "0::relative",
                                           "x::/a", ":::",  "-1::/a" };
        struct cgroup_membership membership = { .id = 7 };
        (void)state;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                assert_int_equal(cgroup_parse_proc(bad[i], &membership), -EINVAL);
        assert_int_equal(membership.id, 7);
}

static void check(const char *text, const char *unit, const char *id_path)
{
        struct cgroup_membership membership;
        assert_int_equal(cgroup_parse_proc(text, &membership), 0);
        assert_string_equal(membership.unit, unit);
        assert_int_equal(membership.id, cgroup_id_of_path(id_path));
}

static void units_of_systemd(void **state)
{
        (void)state;
        check("0::/\n", "", "/");
        check("0::/init.scope\n", "init.scope", "/init.scope");
        check("0::/system.slice/nginx.service\n", "nginx.service", "/system.slice/nginx.service");
        check("junk\n0::/system.slice/nginx.service", "nginx.service", "/system.slice/nginx.service");
        /* sub-groups of a service count to the service */
        check("0::/system.slice/docker.service/a/b\n", "docker.service", "/system.slice/docker.service");
        check("0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.service\n", "app-x.service",
              "/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.service");
        check("0::/system.slice/dev-hugepages.mount\n", "dev-hugepages.mount",
              "/system.slice/dev-hugepages.mount");
        check("0::/system.slice/x.service (deleted)\n", "x.service", "/system.slice/x.service");
        check("0::/.service\n", ".service", "/.service"); /* no name: a plain group */
        check("0::/a\tb.service\n", "a?b.service", "/a\tb.service");
        check("9:name=systemd:/system.slice/cron.service\n4:memory:/\n1:cpu,cpuacct:/system.slice\n0::/\n",
              "cron.service", "/system.slice/cron.service");
}

static void plain_groups(void **state)
{
        struct cgroup_membership membership;
        (void)state;
        check("9:name=systemd:/\n4:memory:/\n2:cpuacct:/x\n1:cpu:/hogs\n0::/\n", "hogs", "/hogs");
        check("4:memory:/box\n1:cpu,cpuacct:/\n", "box", "/box");
        check("4:memory:/a/b\n1:cpu:/a/b\n", "a/b", "/a/b");
        check("8:pids:/p\n1:cpu:/\n", "p", "/p");
        check("0::/docker/0b510\n", "docker/0b510", "/docker/0b510");
        check("0::/docker/0b510/\n", "docker/0b510", "/docker/0b510");

        /* limits in different groups: an id of its own for each combination */
        assert_int_equal(cgroup_parse_proc("4:memory:/box\n1:cpu:/hogs\n7:blkio:/\n", &membership), 0);
        assert_string_equal(membership.unit, "hogs");
        uint64_t both = membership.id;
        assert_int_equal(both, cgroup_id_of_paths(SPAN("/hogs"), SPAN("/box"), SPAN("/")));
        assert_int_not_equal(both, cgroup_id_of_path("/hogs"));
        assert_int_not_equal(both, cgroup_id_of_path("/box"));
        assert_int_not_equal(both, cgroup_id_of_paths(SPAN("/box"), SPAN("/hogs"), SPAN("/")));
        assert_int_equal(cgroup_id_of_paths(SPAN("/hogs"), SPAN(""), SPAN("/")), cgroup_id_of_path("/hogs"));
        assert_true(span_equal(membership.memory, "/box"));
        assert_true(span_equal(membership.cpu, "/hogs"));
        assert_int_equal(membership.systemd.length, 0);
}

static void ids_are_those_of_the_unit_s_directory(void **state)
{
        struct span unit;
        (void)state;
        assert_int_equal(cgroup_id_of_path(""), 0);
        assert_int_equal(cgroup_id_of_path("/"), 0);
        assert_int_equal(cgroup_id_of_path("/a.service/sub"), cgroup_id_of_path("/a.service"));
        assert_int_equal(cgroup_id_of_path("/a.service"), text_hash(HASH_SEED, "/a.service"));
        assert_int_not_equal(cgroup_id_of_path("/b/a.service"), cgroup_id_of_path("/a.service"));
        assert_true(span_equal(cgroup_unit_directory(SPAN("/x.slice/a.service/sub"), &unit),
                               "/x.slice/a.service"));
        assert_true(span_equal(unit, "a.service"));
        assert_int_equal(cgroup_unit_directory(SPAN(""), &unit).length, 0);
        assert_int_equal(unit.length, 0);
        assert_true(span_equal(cgroup_unit_directory(SPAN("//"), &unit), "/"));
        assert_int_equal(unit.length, 0);
}

static void long_names_are_cut(void **state)
{
        char text[600] = "0::/";
        struct cgroup_membership membership;
        (void)state;
        memset(text + 4, 'u', 400);
        memcpy(text + 404, ".service\n", 10);
        assert_int_equal(cgroup_parse_proc(text, &membership), 0);
        assert_int_equal(strlen(membership.unit), UNIT_NAME_MAX - 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(garbage_is_refused), cmocka_unit_test(units_of_systemd),
                cmocka_unit_test(plain_groups),       cmocka_unit_test(ids_are_those_of_the_unit_s_directory),
                cmocka_unit_test(long_names_are_cut),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
