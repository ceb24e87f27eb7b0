/* The table, what comes before a method runs, and org.varlink.service. */
#include "daemon/serve/methods.h"

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/interface_text.h"
#include "common/json.h"
#include "daemon/serve/past.h"

#define SERVICE_INTERFACE_NAME "org.varlink.service"

/* varlink.org, "Service Interface": its names and types are the standard's. */
static const char service_interface_text[] =
        "# Provided by every Varlink service: what it is and which interfaces it has.\n"
        "interface org.varlink.service\n"
        "\n"
        "# What this service is, and the names of its interfaces.\n"
        "method GetInfo() -> (vendor: string, product: string, version: string, url: string, interfaces: "
        "[]string)\n"
        "\n"
        "# The text of one of them.\n"
        "method GetInterfaceDescription(interface: string) -> (description: string)\n"
        "\n"
        "# There is no interface of that name.\n"
        "error InterfaceNotFound (interface: string)\n"
        "\n"
        "# The interface has no method of that name.\n"
        "error MethodNotFound (method: string)\n"
        "\n"
        "# The interface has it, but this service does not.\n"
        "error MethodNotImplemented (method: string)\n"
        "\n"
        "# This parameter is missing, unknown, of the wrong type or out of range.\n"
        "error InvalidParameter (parameter: string)\n"
        "\n"
        "# The caller may not do this.\n"
        "error PermissionDenied ()\n"
        "\n"
        "# This method has to be called with 'more'.\n"
        "error ExpectedMore ()\n";

int answer_error(struct answer *ret_answer, const char *error, const char *name, const char *value)
{
        CLEANUP_JSON struct json_object *parameters = json_object_new_object();
        if (!parameters || (name && json_add_string(parameters, name, value) < 0))
                return -ENOMEM;
        *ret_answer = (struct answer){ .error = error, .parameters = TAKE(parameters) };
        return 0;
}

int answer_invalid(struct answer *ret_answer, const char *parameter)
{
        return answer_error(ret_answer, SERVICE_INTERFACE_NAME ".InvalidParameter", "parameter", parameter);
}

static int method_get_info(const struct served *served, const struct viewer *viewer,
                           struct json_object *parameters, struct answer *ret_answer)
{
        (void)served;
        (void)viewer;
        (void)parameters;
        CLEANUP_JSON struct json_object *info = json_object_new_object();
        if (!info || json_add_string(info, "vendor", "slowd") < 0 ||
            json_add_string(info, "product", "slowd") < 0 ||
            json_add_string(info, "version", SLOWD_VERSION) < 0 || json_add_string(info, "url", "") < 0 ||
            json_add(info, "interfaces", json_object_new_array()) < 0)
                return -ENOMEM;
        static const char *const names[] = { SERVICE_INTERFACE_NAME, INTERFACE_NAME };
        struct json_object *interfaces = json_object_object_get(info, "interfaces");
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                struct json_object *name = json_object_new_string(names[i]);
                if (!name || json_object_array_add(interfaces, name) < 0) {
                        json_object_put(name);
                        return -ENOMEM;
                }
        }
        *ret_answer = (struct answer){ .parameters = TAKE(info) };
        return 0;
}

static int method_get_interface_description(const struct served *served, const struct viewer *viewer,
                                            struct json_object *parameters, struct answer *ret_answer)
{
        (void)served;
        (void)viewer;
        const char *name, *text;
        if (json_get_string(parameters, "interface", &name) < 0)
                return answer_invalid(ret_answer, "interface");
        if (strcmp(name, INTERFACE_NAME) == 0)
                text = interface_text;
        else if (strcmp(name, SERVICE_INTERFACE_NAME) == 0)
                text = service_interface_text;
        else
                return answer_error(ret_answer, SERVICE_INTERFACE_NAME ".InterfaceNotFound", "interface",
                                    name);
        return answer_error(ret_answer, NULL, "description", text);
}

/* "a.b.C" is of interface a.b. */
static bool is_in_interface(const char *method, const char *interface)
{
        size_t length = strlen(interface);
        return strncmp(method, interface, length) == 0 && method[length] == '.' &&
               !strchr(method + length + 1, '.');
}

static int no_such_method(const char *name, struct answer *ret_error)
{
        if (is_in_interface(name, INTERFACE_NAME) || is_in_interface(name, SERVICE_INTERFACE_NAME))
                return answer_error(ret_error, SERVICE_INTERFACE_NAME ".MethodNotFound", "method", name);
        size_t length = (size_t)(strrchr(name, '.') - name); /* a parsed call has a qualified name */
        CLEANUP_JSON struct json_object *parameters = json_object_new_object();
        if (!parameters ||
            json_add(parameters, "interface", json_object_new_string_len(name, (int)length)) < 0)
                return -ENOMEM;
        *ret_error = (struct answer){ .error = SERVICE_INTERFACE_NAME ".InterfaceNotFound",
                                      .parameters = TAKE(parameters) };
        return 0;
}

static bool is_known(const char *const *names, const char *name)
{
        for (; *names; names++)
                if (strcmp(*names, name) == 0)
                        return true;
        return false;
}

int method_find(const struct varlink_call *call, const struct method **ret_method, struct answer *ret_error)
{
        const struct method *method = methods;
        while (method->name && strcmp(method->name, call->method) != 0)
                method++;
        *ret_method = NULL;
        if (!method->name)
                return no_such_method(call->method, ret_error);
        if (call->upgrade) /* no method here hands its connection to another protocol */
                return answer_invalid(ret_error, "upgrade");
        if (call->parameters) {
                json_object_object_foreach(call->parameters, name, value)
                {
                        (void)value;
                        if (!is_known(method->parameters, name))
                                return answer_invalid(ret_error, name);
                }
        }
        if (method->needs_more && !call->more)
                return answer_error(ret_error, INTERFACE_NAME ".NotStreamed", NULL, NULL);
        *ret_method = method;
        return 0;
}

/* The names of a method's parameters. */
#define NAMES(...) ((const char *const[]){ __VA_ARGS__ })

const struct method methods[] = {
        { SERVICE_INTERFACE_NAME ".GetInfo", NAMES(NULL), .run = method_get_info },
        { SERVICE_INTERFACE_NAME ".GetInterfaceDescription", NAMES("interface", NULL),
          .run = method_get_interface_description },
        { INTERFACE_NAME ".Diagnose", NAMES("atUSec", "sinceUSec", "untilUSec", NULL), .streams = true,
          .asks_past = past_asks_instant, .run_past = past_diagnose, .is_shared = true,
          .run = method_diagnose },
        { INTERFACE_NAME ".ListChecks", NAMES(NULL), .is_shared = true, .run = method_list_checks },
        { INTERFACE_NAME ".Explain", NAMES("check", NULL), .run = method_explain },
        { INTERFACE_NAME ".Top", NAMES("sort", "limit", "atUSec", NULL), .asks_past = past_asks_instant,
          .run_past = past_top, .run = method_top },
        { INTERFACE_NAME ".Mounts", NAMES(NULL), .run = method_mounts },
        { INTERFACE_NAME ".Alerts", NAMES("sinceUSec", "untilUSec", NULL), .asks_past = past_asks_always,
          .run_past = past_alerts, .needs_incidents = true },
        { INTERFACE_NAME ".History",
          NAMES("program", "pid", "unit", "sinceUSec", "untilUSec", "stepUSec", "metrics", "each", NULL),
          .asks_past = past_asks_always, .run_past = past_history, .needs_incidents = true },
        { INTERFACE_NAME ".Export", NAMES("sinceUSec", "untilUSec", "withCommandLines", NULL),
          .asks_past = past_asks_always, .run_past = past_export, .needs_more = true },
        { INTERFACE_NAME ".Boot", NAMES("boot", NULL), .asks_past = past_asks_boot, .run_past = past_boot,
          .run = method_boot },
        { INTERFACE_NAME ".ListLogs", NAMES(NULL), .is_shared = true, .run = method_list_logs },
        { INTERFACE_NAME ".Disks", NAMES(NULL), .is_shared = true, .run = method_disks },
        { INTERFACE_NAME ".Status", NAMES(NULL), .run = method_status },
        { 0 },
};
