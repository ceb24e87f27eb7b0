/* What users' sessions started, from a recorded tree of control groups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/sample/boot_sessions.h"
#include "tests/support/tree.h"

#define USERS "sys/fs/cgroup/user.slice"

static struct boot_node nodes[BOOT_SESSION_UNITS_MAX + 8];
static struct tree tree;

static int set_up(void **state)
{
        (void)state;
        memset(nodes, 0xff, sizeof(nodes));
        tree_init(&tree);
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        tree_done(&tree);
        return 0;
}

static void add(const char *group, const char *cpu_stat)
{
        char path[512];
        (void)snprintf(path, sizeof(path), USERS "/%s/cpu.stat", group);
        tree_write(&tree, path, cpu_stat);
}

static const struct boot_unit *find(size_t count, const char *name)
{
        for (size_t i = 0; i < count; i++)
                if (strcmp(nodes[i].unit.name, name) == 0)
                        return &nodes[i].unit;
        return NULL;
}

static void test_nothing(void **state)
{
        (void)state;
        assert_int_equal(boot_session_units(&tree.root, nodes, 8), 0);
        add("user-1000.slice/session-2.scope", "usage_usec 5000000\n"); /* a login, not a service */
        add("user-1000.slice/user@1000.service", "usage_usec 900\n");   /* the manager itself */
        add("user-1000.slice/user@1000.service/app.slice/a.service", "");
        add("user-1000.slice/user@1000.service/app.slice/b.service", "usage_usec many\n");
        add("user-1000.slice/user@1000.service/app.slice/c.service", "user_usec 12\n");
        assert_int_equal(boot_session_units(&tree.root, nodes, 8), 0);
}

static void test_session(void **state)
{
        (void)state;
        add("user-1000.slice/user@1000.service/app.slice/app-gnome\\x2dsoftware@autostart.service",
            "usage_usec 7200000\nuser_usec 6000000\nsystem_usec 1200000\n");
        tree_write(&tree,
                   USERS
                   "/user-1000.slice/user@1000.service/app.slice/app-gnome\\x2dsoftware@autostart.service/"
                   "memory.peak",
                   "181000000\n");
        add("user-1000.slice/user@1000.service/session.slice/pipewire.service", "usage_usec 310000\n");
        add("user-1000.slice/user@1000.service/app.slice/podman.service/inner.service", "usage_usec 1\n");
        size_t count = boot_session_units(&tree.root, nodes, 8);
        assert_int_equal(count, 2);
        const struct boot_unit *unit = find(count, "app-gnome\\x2dsoftware@autostart.service");
        assert_non_null(unit);
        assert_string_equal(unit->enabled, "autostart");
        assert_string_equal(unit->type, "session");
        assert_int_equal(unit->cpu_usec, 7200000);
        assert_int_equal(unit->memory_peak_bytes, 181000000);
        assert_true(unit->read_bytes == ABSENT && unit->activating_usec == ABSENT);
        assert_int_equal(unit->length_usec, 0);
        unit = find(count, "pipewire.service");
        assert_non_null(unit);
        assert_string_equal(unit->enabled, "user");
        assert_true(unit->memory_peak_bytes == ABSENT);
}

static void test_caps(void **state)
{
        char group[128];
        (void)state;
        for (int i = 0; i < BOOT_SESSION_UNITS_MAX + 8; i++) {
                (void)snprintf(group, sizeof(group), "user-7.slice/user@7.service/app.slice/app-%d.service",
                               i);
                add(group, "usage_usec 1\n");
        }
        assert_int_equal(boot_session_units(&tree.root, nodes, 3), 3);
        assert_int_equal(boot_session_units(&tree.root, nodes, sizeof(nodes) / sizeof(nodes[0])),
                         BOOT_SESSION_UNITS_MAX);
        add("user-8.slice/a.slice/b.slice/c.slice/d.slice/e.slice/f.slice/deep.service", "usage_usec 1\n");
        (void)boot_session_units(&tree.root, nodes, 3);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_nothing, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_session, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_caps, set_up, tear_down),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
