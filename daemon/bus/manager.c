/* Calls of org.freedesktop.systemd1 (org.freedesktop.systemd1(5)), and their replies. */
#include "daemon/bus/manager.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

#define DESTINATION       "org.freedesktop.systemd1"
#define MANAGER_PATH      "/org/freedesktop/systemd1"
#define UNIT_PREFIX       "/org/freedesktop/systemd1/unit"
#define MANAGER           "org.freedesktop.systemd1.Manager"
#define UNIT              "org.freedesktop.systemd1.Unit"
#define SERVICE           "org.freedesktop.systemd1.Service"
#define CALL_TIMEOUT_USEC (5 * USEC_PER_SEC)
#define UNIT_PATH_MAX     (sizeof(UNIT_PREFIX) + 3 * UNIT_NAME_MAX)

int manager_new(sd_bus *bus, const struct clock *clock, usec_t until_usec, struct manager **ret_manager)
{
        struct manager *manager = calloc(1, sizeof(*manager));
        if (!manager)
                return -ENOMEM;
        manager->bus = sd_bus_ref(bus);
        manager->clock = clock;
        manager->until_usec = until_usec;
        *ret_manager = manager;
        return 0;
}

int manager_open(const struct clock *clock, usec_t until_usec, struct manager **ret_manager)
{
        sd_bus *bus = NULL;
        int r = sd_bus_open_system(&bus);
        if (r >= 0)
                r = sd_bus_set_method_call_timeout(bus, CALL_TIMEOUT_USEC);
        if (r >= 0)
                r = manager_new(bus, clock, until_usec, ret_manager);
        if (r < 0)
                (void)sd_bus_flush_close_unref(bus);
        else
                (void)sd_bus_unref(bus);
        return r;
}

void manager_close(struct manager *manager)
{
        if (!manager)
                return;
        (void)sd_bus_flush_close_unref(manager->bus);
        free(manager->nodes);
        free(manager->edges);
        free(manager);
}

static int check_time(const struct manager *manager)
{
        return clock_now(manager->clock).monotonic_usec < manager->until_usec ? 0 : -ETIMEDOUT;
}

/* Encoded as systemd does it: what is no letter or digit becomes _XX. */
static int path_of(const char *unit, char path[static UNIT_PATH_MAX])
{
        char *encoded = NULL;
        int r = sd_bus_path_encode(UNIT_PREFIX, unit, &encoded);
        if (r >= 0)
                text_format(path, UNIT_PATH_MAX, "%s", encoded);
        free(encoded);
        return r < 0 ? r : 0;
}

static int get_number(struct manager *manager, const char *path, const char *interface, const char *property,
                      uint64_t *ret_number)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        uint64_t number;
        int r = check_time(manager);
        if (r == 0)
                r = sd_bus_get_property_trivial(manager->bus, DESTINATION, path, interface, property, &error,
                                                't', &number);
        sd_bus_error_free(&error);
        if (r >= 0)
                *ret_number = number;
        return r < 0 ? r : 0;
}

static int get_text(struct manager *manager, const char *path, const char *interface, const char *property,
                    char *buffer, size_t size)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        char *text = NULL;
        int r = check_time(manager);
        if (r == 0)
                r = sd_bus_get_property_string(manager->bus, DESTINATION, path, interface, property, &error,
                                               &text);
        sd_bus_error_free(&error);
        if (r >= 0) {
                text_format(buffer, size, "%s", text);
                text_sanitize(buffer, "");
        }
        free(text);
        return r < 0 ? r : 0;
}

static usec_t or_absent(uint64_t usec)
{
        return usec ? usec : ABSENT;
}

int manager_read_times(struct manager *manager, struct boot_times *ret_times)
{
        struct {
                const char *property;
                uint64_t value;
        } stamps[] = {
                { "FirmwareTimestampMonotonic", 0 }, { "LoaderTimestampMonotonic", 0 },
                { "InitRDTimestampMonotonic", 0 },   { "UserspaceTimestampMonotonic", 0 },
                { "FinishTimestampMonotonic", 0 },
        };
        for (size_t i = 0; i < sizeof(stamps) / sizeof(stamps[0]); i++) {
                int r = get_number(manager, MANAGER_PATH, MANAGER, stamps[i].property, &stamps[i].value);
                if (r < 0)
                        return r;
        }
        struct boot_times *times = ret_times;
        /* The first two lie before the kernel's clock began: distances back from there. */
        uint64_t firmware = stamps[0].value, loader = stamps[1].value;
        times->firmware_length_usec = firmware > loader ? firmware - loader : ABSENT;
        times->loader_length_usec = or_absent(loader);
        times->initrd_usec = or_absent(stamps[2].value);
        times->userspace_usec = stamps[3].value;
        times->finish_usec = or_absent(stamps[4].value);
        times->ready_usec = times->waiting_since_usec = ABSENT;

        char path[UNIT_PATH_MAX];
        uint64_t ready = 0;
        int r = path_of("default.target", path);
        if (r == 0)
                r = get_text(manager, path, UNIT, "Id", times->target, sizeof(times->target));
        if (r == 0)
                r = get_number(manager, path, UNIT, "ActiveEnterTimestampMonotonic", &ready);
        if (r < 0)
                return r;
        text_format(manager->target_name, sizeof(manager->target_name), "%s", times->target);
        /* One that was reached later, by hand, was not reached by the boot. */
        if (ready && (times->finish_usec == ABSENT || ready <= times->finish_usec))
                times->ready_usec = ready;
        return 0;
}

/* ---- while it starts ---- */

#define WAITING_MAX 32 /* jobs looked at */

int manager_read_waiting(struct manager *manager, struct boot_times *times)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        const char *unit, *type, *state;
        uint32_t looked_at = 0;
        int r = check_time(manager);
        if (r == 0)
                r = sd_bus_call_method(manager->bus, DESTINATION, MANAGER_PATH, MANAGER, "ListJobs", &error,
                                       &reply, "");
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(usssoo)");
        while (r >= 0 && looked_at < WAITING_MAX &&
               (r = sd_bus_message_read(reply, "(usssoo)", NULL, &unit, &type, &state, NULL, NULL)) > 0) {
                char path[UNIT_PATH_MAX];
                uint64_t since;
                if (strcmp(state, "running") != 0 || strcmp(type, "start") != 0 ||
                    strlen(unit) >= UNIT_NAME_MAX)
                        continue;
                looked_at++;
                if (path_of(unit, path) < 0 ||
                    get_number(manager, path, UNIT, "InactiveExitTimestampMonotonic", &since) < 0 || !since)
                        continue; /* a device that has not appeared has no beginning */
                if (since < times->waiting_since_usec) {
                        times->waiting_since_usec = since;
                        text_format(times->waiting, sizeof(times->waiting), "%s", unit);
                        text_sanitize(times->waiting, "");
                }
        }
        (void)sd_bus_message_unref(reply);
        sd_bus_error_free(&error);
        return r < 0 ? r : 0;
}

/* ---- afterwards ---- */

static int compare_nodes(const void *a, const void *b)
{
        const struct boot_node *x = a, *y = b;
        return strcmp(x->unit.name, y->unit.name);
}

/* node_count if there is none of that name. */
static size_t find_node(const struct manager *manager, const char *name)
{
        size_t low = 0, high = manager->nodes ? manager->node_count : 0;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int order = strcmp(manager->nodes[middle].unit.name, name);
                if (order == 0)
                        return middle;
                if (order < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return manager->node_count;
}

static int list_units(struct manager *manager)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        const char *name;
        int r = check_time(manager);
        manager->nodes = calloc(MANAGER_UNITS_MAX, sizeof(manager->nodes[0]));
        if (!manager->nodes)
                return -ENOMEM;
        if (r == 0)
                r = sd_bus_call_method(manager->bus, DESTINATION, MANAGER_PATH, MANAGER, "ListUnits", &error,
                                       &reply, "");
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
        while (r >= 0 && manager->node_count < MANAGER_UNITS_MAX &&
               (r = sd_bus_message_read(reply, "(ssssssouso)", &name, NULL, NULL, NULL, NULL, NULL, NULL,
                                        NULL, NULL, NULL)) > 0) {
                if (strlen(name) >= UNIT_NAME_MAX)
                        continue;
                struct boot_unit *unit = &manager->nodes[manager->node_count++].unit;
                text_format(unit->name, sizeof(unit->name), "%s", name);
                unit->activating_usec = unit->activated_usec = ABSENT;
                unit->cpu_usec = unit->read_bytes = unit->write_bytes = unit->memory_peak_bytes = ABSENT;
        }
        (void)sd_bus_message_unref(reply);
        sd_bus_error_free(&error);
        if (r >= 0)
                qsort(manager->nodes, manager->node_count, sizeof(manager->nodes[0]), compare_nodes);
        return r < 0 ? r : 0;
}

static int add_edge(struct manager *manager, size_t to)
{
        if (manager->edge_count == manager->edge_capacity) {
                size_t capacity = manager->edge_capacity ? 2 * manager->edge_capacity : 1024;
                uint32_t *edges = capacity <= MANAGER_EDGES_MAX
                                          ? realloc(manager->edges, capacity * sizeof(*edges))
                                          : NULL;
                if (!edges)
                        return -ENOMEM;
                manager->edges = edges;
                manager->edge_capacity = capacity;
        }
        manager->edges[manager->edge_count++] = (uint32_t)to;
        return 0;
}

static int read_after(struct manager *manager, struct boot_node *node, sd_bus_message *reply)
{
        const char *name;
        int r = sd_bus_message_enter_container(reply, 'a', "s");
        node->first_after = (uint32_t)manager->edge_count;
        while (r >= 0 && (r = sd_bus_message_read_basic(reply, 's', &name)) > 0) {
                size_t to = find_node(manager, name);
                if (to < manager->node_count)
                        r = add_edge(manager, to);
        }
        node->after_count = (uint32_t)manager->edge_count - node->first_after;
        return r < 0 ? r : sd_bus_message_exit_container(reply);
}

static int read_text(sd_bus_message *reply, char *buffer, size_t size)
{
        const char *text;
        int r = sd_bus_message_read_basic(reply, 's', &text);
        if (r < 0)
                return r;
        text_format(buffer, size, "%s", text);
        text_sanitize(buffer, "");
        return 0;
}

/* One property of a unit; those that are not wanted are passed over. */
static int read_property(struct manager *manager, struct boot_node *node, const char *name,
                         sd_bus_message *reply)
{
        uint64_t *number = NULL;
        char *text = NULL, state[BOOT_TYPE_MAX] = "";
        bool is_after = strcmp(name, "After") == 0;
        if (strcmp(name, "InactiveExitTimestampMonotonic") == 0)
                number = &node->unit.activating_usec;
        else if (strcmp(name, "ActiveEnterTimestampMonotonic") == 0)
                number = &node->unit.activated_usec;
        else if (strcmp(name, "InactiveEnterTimestampMonotonic") == 0)
                number = &node->deactivated_usec;
        else if (strcmp(name, "UnitFileState") == 0)
                text = node->unit.enabled;
        else if (strcmp(name, "ActiveState") == 0)
                text = state;
        if (!number && !text && !is_after)
                return sd_bus_message_skip(reply, "v");
        int r = sd_bus_message_enter_container(reply, 'v', number ? "t" : text ? "s" : "as");
        if (r >= 0)
                r = number ? sd_bus_message_read_basic(reply, 't', number)
                    : text ? read_text(reply, text, BOOT_TYPE_MAX)
                           : read_after(manager, node, reply);
        if (text == state)
                node->has_ended = strcmp(state, "inactive") == 0 || strcmp(state, "failed") == 0;
        return r < 0 ? r : sd_bus_message_exit_container(reply);
}

static int read_unit(struct manager *manager, struct boot_node *node, const char *path)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        const char *name;
        int r = check_time(manager);
        if (r == 0)
                r = sd_bus_call_method(manager->bus, DESTINATION, path, "org.freedesktop.DBus.Properties",
                                       "GetAll", &error, &reply, "s", UNIT);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
                r = sd_bus_message_read_basic(reply, 's', &name);
                if (r >= 0)
                        r = read_property(manager, node, name, reply);
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
        }
        bool is_gone = sd_bus_error_is_set(&error) && r != -ETIMEDOUT; /* unloaded meanwhile */
        (void)sd_bus_message_unref(reply);
        sd_bus_error_free(&error);
        node->unit.activating_usec = or_absent(node->unit.activating_usec);
        node->unit.activated_usec = or_absent(node->unit.activated_usec);
        return r < 0 && !is_gone ? r : 0;
}

static bool is_service(const struct boot_unit *unit)
{
        size_t length = strlen(unit->name);
        return length > 8 && strcmp(unit->name + length - 8, ".service") == 0;
}

/* Where nothing is accounted (IOAccounting= is off by default) systemd says 2^64-1, which is ABSENT. */
static void read_costs(struct manager *manager, struct boot_unit *unit, const char *path)
{
        uint64_t nsec = ABSENT;
        (void)get_text(manager, path, SERVICE, "Type", unit->type, sizeof(unit->type));
        if (get_number(manager, path, SERVICE, "CPUUsageNSec", &nsec) == 0 && nsec != ABSENT)
                unit->cpu_usec = nsec / NSEC_PER_USEC;
        (void)get_number(manager, path, SERVICE, "IOReadBytes", &unit->read_bytes);
        (void)get_number(manager, path, SERVICE, "IOWriteBytes", &unit->write_bytes);
        if (!manager->lacks_memory_peak) /* since systemd 255 */
                manager->lacks_memory_peak =
                        get_number(manager, path, SERVICE, "MemoryPeak", &unit->memory_peak_bytes) < 0;
}

int manager_read_units(struct manager *manager)
{
        int r = list_units(manager);
        struct boot_node *nodes = manager->nodes;
        if (r < 0 || !nodes)
                return r;
        for (size_t i = 0; i < manager->node_count && r >= 0; i++) {
                struct boot_node *node = &nodes[i];
                char path[UNIT_PATH_MAX];
                r = path_of(node->unit.name, path);
                if (r == 0)
                        r = read_unit(manager, node, path);
                if (r == 0 && is_service(&node->unit) && node->unit.activating_usec != ABSENT)
                        read_costs(manager, &node->unit, path);
                boot_node_length(node);
        }
        for (size_t i = 0; i < manager->node_count; i++)
                text_sanitize(manager->nodes[i].unit.name, "");
        manager->target = find_node(manager, manager->target_name);
        return r < 0 ? r : check_time(manager);
}
