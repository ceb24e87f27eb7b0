/* daemon/bus: what is asked of systemd, and what is made of its answers. The manager is this test's own, at
 * the other end of a socket pair: no bus daemon and no systemd are needed. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "daemon/bus/manager.h"

#define UNIT_PREFIX "/org/freedesktop/systemd1/unit"

/* ---- the manager ---- */

struct played_unit {
        const char *name, *after[3], *type, *enabled, *active;
        uint64_t exit, enter, end; /* InactiveExit, ActiveEnter, InactiveEnter */
        uint64_t cpu_nsec, read_bytes;
        int is_gone; /* listed, but unloaded when it is asked for */
};

static const struct played_unit units[] = {
        { .name = "slow.service",
          .after = { "network.target", "not-loaded.service" },
          .type = "oneshot",
          .enabled = "enabled",
          .active = "inactive",
          .exit = 4000000,
          .enter = 29000000,
          .end = 29000001,
          .cpu_nsec = 1500000000,
          .read_bytes = 4096 },
        { .name = "multi-user.target",
          .after = { "slow.service", "basic.target" },
          .active = "active",
          .exit = 30000000,
          .enter = 30000000 },
        { .name = "network.target",
          .after = { "basic.target" },
          .active = "active",
          .exit = 3000000,
          .enter = 3000000 },
        { .name = "basic.target", .active = "active", .exit = 2000000, .enter = 2000000 },
        { .name = "never.service", .type = "simple", .active = "inactive" },
        { .name = "dev-disk-by\\x2duuid-1a2b.device", .active = "active", .exit = 1000000, .enter = 1000000 },
        { .name = "gone.service", .is_gone = 1 },
};
#define UNITS (sizeof(units) / sizeof(units[0]))

static struct {
        uint64_t finish;
        int has_wrong_types;
        pthread_t thread;
        int fds[2];
        sd_bus *client;
} played;

static const struct played_unit *find_unit(const char *path)
{
        char *name = NULL;
        const struct played_unit *found = NULL;
        if (sd_bus_path_decode(path, UNIT_PREFIX, &name) > 0 && strcmp(name, "default.target") == 0)
                found = &units[1];
        for (size_t i = 0; name && !found && i < UNITS; i++)
                if (strcmp(units[i].name, name) == 0 && !units[i].is_gone)
                        found = &units[i];
        free(name);
        return found;
}

static int get_unit_property(sd_bus *bus, const char *path, const char *interface, const char *property,
                             sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        const struct played_unit *unit = find_unit(path);
        (void)bus;
        (void)interface;
        (void)userdata;
        (void)error;
        if (strcmp(property, "After") == 0) {
                int r = sd_bus_message_open_container(reply, 'a', "s");
                for (size_t i = 0; r >= 0 && i < 3 && unit->after[i]; i++)
                        r = sd_bus_message_append(reply, "s", unit->after[i]);
                return r < 0 ? r : sd_bus_message_close_container(reply);
        }
        const struct {
                const char *name;
                uint64_t value;
        } numbers[] = {
                { "InactiveExitTimestampMonotonic", unit->exit },
                { "ActiveEnterTimestampMonotonic", unit->enter },
                { "InactiveEnterTimestampMonotonic", unit->end },
                { "CPUUsageNSec", unit->cpu_nsec },
                { "IOReadBytes", unit->read_bytes },
                { "IOWriteBytes", UINT64_MAX },
        };
        for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
                if (strcmp(property, numbers[i].name) == 0)
                        return sd_bus_message_append(reply, "t", numbers[i].value);
        const char *text = strcmp(property, "Id") == 0            ? unit->name
                           : strcmp(property, "Type") == 0        ? unit->type
                           : strcmp(property, "ActiveState") == 0 ? unit->active
                                                                  : unit->enabled;
        return sd_bus_message_append(reply, "s", text ? text : "");
}

static const sd_bus_vtable unit_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Description", "s", get_unit_property, 0, 0), /* is passed over */
        SD_BUS_PROPERTY("Id", "s", get_unit_property, 0, 0),
        SD_BUS_PROPERTY("After", "as", get_unit_property, 0, 0),
        SD_BUS_PROPERTY("ActiveState", "s", get_unit_property, 0, 0),
        SD_BUS_PROPERTY("UnitFileState", "s", get_unit_property, 0, 0),
        SD_BUS_PROPERTY("InactiveExitTimestampMonotonic", "t", get_unit_property, 0, 0),
        SD_BUS_PROPERTY("ActiveEnterTimestampMonotonic", "t", get_unit_property, 0, 0),
        SD_BUS_PROPERTY("InactiveEnterTimestampMonotonic", "t", get_unit_property, 0, 0),
        SD_BUS_VTABLE_END,
};

/* Without MemoryPeak, as before systemd 255. */
static const sd_bus_vtable service_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Type", "s", get_unit_property, 0, 0),
        SD_BUS_PROPERTY("CPUUsageNSec", "t", get_unit_property, 0, 0),
        SD_BUS_PROPERTY("IOReadBytes", "t", get_unit_property, 0, 0),
        SD_BUS_PROPERTY("IOWriteBytes", "t", get_unit_property, 0, 0),
        SD_BUS_VTABLE_END,
};

static int get_manager_property(sd_bus *bus, const char *path, const char *interface, const char *property,
                                sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        (void)bus;
        (void)path;
        (void)interface;
        (void)userdata;
        (void)error;
        uint64_t value = strcmp(property, "FirmwareTimestampMonotonic") == 0    ? 5000000
                         : strcmp(property, "LoaderTimestampMonotonic") == 0    ? 1500000
                         : strcmp(property, "UserspaceTimestampMonotonic") == 0 ? 1000000
                         : strcmp(property, "FinishTimestampMonotonic") == 0    ? played.finish
                                                                                : 0;
        return sd_bus_message_append(reply, "t", value);
}

static int list_units(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
        sd_bus_message *reply = NULL;
        (void)userdata;
        (void)error;
        if (played.has_wrong_types)
                return sd_bus_reply_method_return(call, "as", 1, "nonsense");
        int r = sd_bus_message_new_method_return(call, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(ssssssouso)");
        for (size_t i = 0; r >= 0 && i < UNITS; i++)
                r = sd_bus_message_append(reply, "(ssssssouso)", units[i].name, "", "loaded", "active", "",
                                          "", "/", 0, "", "/");
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        if (r >= 0)
                r = sd_bus_send(NULL, reply, NULL);
        sd_bus_message_unref(reply);
        return r;
}

static int list_jobs(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
        (void)userdata;
        (void)error;
        return sd_bus_reply_method_return(call, "a(usssoo)", 4, 1, "multi-user.target", "start", "waiting",
                                          "/", "/", 2, "slow.service", "start", "running", "/", "/", 3,
                                          "basic.target", "stop", "running", "/", "/", 4, "gone.service",
                                          "start", "running", "/", "/");
}

static const sd_bus_vtable manager_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("ListUnits", "", "a(ssssssouso)", list_units, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ListJobs", "", "a(usssoo)", list_jobs, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("FirmwareTimestampMonotonic", "t", get_manager_property, 0, 0),
        SD_BUS_PROPERTY("LoaderTimestampMonotonic", "t", get_manager_property, 0, 0),
        SD_BUS_PROPERTY("InitRDTimestampMonotonic", "t", get_manager_property, 0, 0),
        SD_BUS_PROPERTY("UserspaceTimestampMonotonic", "t", get_manager_property, 0, 0),
        SD_BUS_PROPERTY("FinishTimestampMonotonic", "t", get_manager_property, 0, 0),
        SD_BUS_VTABLE_END,
};

static int find_object(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret_found,
                       sd_bus_error *error)
{
        (void)bus;
        (void)userdata;
        (void)error;
        const struct played_unit *unit = find_unit(path);
        *ret_found = NULL;
        /* Only services have what services cost. */
        return unit && (strcmp(interface, "org.freedesktop.systemd1.Service") != 0 || unit->type);
}

/* Until the other end is closed. */
static void *play(void *userdata)
{
        sd_bus *bus = NULL;
        sd_id128_t id = { { 1 } };
        (void)userdata;
        int r = sd_bus_new(&bus);
        if (r >= 0)
                r = sd_bus_set_fd(bus, played.fds[1], played.fds[1]);
        if (r >= 0)
                r = sd_bus_set_server(bus, 1, id);
        if (r >= 0)
                r = sd_bus_set_anonymous(bus, 1);
        if (r >= 0) {
                (void)sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/systemd1",
                                               "org.freedesktop.systemd1.Manager", manager_vtable, NULL);
                (void)sd_bus_add_fallback_vtable(bus, NULL, UNIT_PREFIX, "org.freedesktop.systemd1.Unit",
                                                 unit_vtable, find_object, NULL);
                (void)sd_bus_add_fallback_vtable(bus, NULL, UNIT_PREFIX, "org.freedesktop.systemd1.Service",
                                                 service_vtable, find_object, NULL);
        }
        if (r >= 0)
                r = sd_bus_start(bus);
        while (r >= 0) {
                r = sd_bus_process(bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(bus, UINT64_MAX);
        }
        sd_bus_close_unref(bus);
        return NULL;
}

static int set_up(void **state)
{
        (void)state;
        played.has_wrong_types = 0;
        played.finish = 31000000;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, played.fds), 0);
        assert_int_equal(pthread_create(&played.thread, NULL, play, NULL), 0);
        assert_true(sd_bus_new(&played.client) >= 0);
        assert_true(sd_bus_set_fd(played.client, played.fds[0], played.fds[0]) >= 0);
        assert_true(sd_bus_set_anonymous(played.client, 1) >= 0);
        assert_true(sd_bus_start(played.client) >= 0);
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        played.client = sd_bus_flush_close_unref(played.client);
        assert_int_equal(pthread_join(played.thread, NULL), 0);
        return 0;
}

/* ---- the questions ---- */

static struct manager *ask(usec_t until_usec)
{
        struct manager *manager;
        assert_int_equal(manager_new(played.client, &clock_real, until_usec, &manager), 0);
        return manager;
}

static void test_too_late(void **state)
{
        struct boot_times times = { 0 };
        (void)state;
        struct manager *manager = ask(0);
        assert_int_equal(manager_read_times(manager, &times), -ETIMEDOUT);
        assert_int_equal(manager_read_waiting(manager, &times), -ETIMEDOUT);
        assert_int_equal(manager_read_units(manager), -ETIMEDOUT);
        manager_close(manager);
}

static void test_wrong_types(void **state)
{
        (void)state;
        played.has_wrong_types = 1;
        struct manager *manager = ask(UINT64_MAX);
        assert_true(manager_read_units(manager) < 0);
        assert_int_equal(manager->node_count, 0);
        manager_close(manager);
}

static void test_starting(void **state)
{
        struct boot_times times = { 0 };
        (void)state;
        played.finish = 0;
        struct manager *manager = ask(UINT64_MAX);
        assert_int_equal(manager_read_times(manager, &times), 0);
        assert_true(times.finish_usec == ABSENT);
        assert_int_equal(manager_read_waiting(manager, &times), 0);
        assert_string_equal(times.waiting, "slow.service");
        assert_int_equal(times.waiting_since_usec, 4000000);
        manager_close(manager);
}

static const struct boot_node *find(const struct manager *manager, const char *name)
{
        for (size_t i = 0; i < manager->node_count; i++)
                if (strcmp(manager->nodes[i].unit.name, name) == 0)
                        return &manager->nodes[i];
        fail_msg("no %s", name);
        return NULL;
}

static void test_finished(void **state)
{
        struct boot boot = { .times = { .stage = BOOT_FINISHED } };
        (void)state;
        struct manager *manager = ask(UINT64_MAX);
        assert_int_equal(manager_read_times(manager, &boot.times), 0);
        assert_int_equal(boot.times.firmware_length_usec, 3500000);
        assert_int_equal(boot.times.loader_length_usec, 1500000);
        assert_true(boot.times.initrd_usec == ABSENT);
        assert_int_equal(boot.times.userspace_usec, 1000000);
        assert_int_equal(boot.times.finish_usec, 31000000);
        assert_string_equal(boot.times.target, "multi-user.target");
        assert_int_equal(boot.times.ready_usec, 30000000);

        assert_int_equal(manager_read_units(manager), 0);
        assert_int_equal(manager->node_count, UNITS);
        const struct boot_node *slow = find(manager, "slow.service");
        assert_string_equal(slow->unit.type, "oneshot");
        assert_string_equal(slow->unit.enabled, "enabled");
        assert_int_equal(slow->unit.length_usec, 25000000);
        assert_int_equal(slow->unit.cpu_usec, 1500000);
        assert_int_equal(slow->unit.read_bytes, 4096);
        assert_true(slow->unit.write_bytes == ABSENT);       /* not accounted for */
        assert_true(slow->unit.memory_peak_bytes == ABSENT); /* this manager has none */
        assert_true(slow->has_ended);
        assert_int_equal(slow->after_count, 1); /* of those that are loaded */
        assert_true(find(manager, "never.service")->unit.activating_usec == ABSENT);
        assert_true(find(manager, "gone.service")->unit.activating_usec == ABSENT);
        assert_int_equal(find(manager, "dev-disk-by\\x2duuid-1a2b.device")->unit.activated_usec, 1000000);

        boot_choose_units(manager->nodes, manager->node_count, manager->edges, manager->target, &boot);
        static const char *const chain[] = { "multi-user.target", "slow.service", "network.target",
                                             "basic.target" };
        for (unsigned i = 0; i < 4; i++) {
                assert_string_equal(boot.units[i].name, chain[i]);
                assert_int_equal(boot.units[i].level, i + 1);
        }
        assert_int_equal(boot.unit_count, 4);
        manager_close(manager);
}

/* A target that somebody started by hand long afterwards was not reached by the boot. */
static void test_reached_later(void **state)
{
        struct boot_times times = { 0 };
        (void)state;
        played.finish = 20000000;
        struct manager *manager = ask(UINT64_MAX);
        assert_int_equal(manager_read_times(manager, &times), 0);
        assert_true(times.ready_usec == ABSENT);
        manager_close(manager);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_too_late, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_wrong_types, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_starting, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_finished, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_reached_later, set_up, tear_down),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
