/* Boot: how this machine started, now or an earlier time, held against its other boots. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "daemon/sample/boot.h"
#include "daemon/serve/past.h"

static int add_known(struct json_object *object, const char *name, uint64_t value)
{
        return value == ABSENT || value > (uint64_t)INT64_MAX ? json_add_null(object, name)
                                                              : json_add_int(object, name, (int64_t)value);
}

/* An instant, from the begin of userspace on; what lies before it is 0. */
static int add_instant(struct json_object *object, const char *name, usec_t usec,
                       const struct boot_times *times)
{
        return add_known(object, name,
                         usec == ABSENT                 ? ABSENT
                         : usec > times->userspace_usec ? usec - times->userspace_usec
                                                        : 0);
}

static struct json_object *unit_to_json(const struct boot_report *report, uint32_t index)
{
        const struct boot_unit *unit = &report->boot.units[index];
        const struct boot_times *times = &report->boot.times;
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        if (!object || json_add_string(object, "name", unit->name) < 0 ||
            json_add_string_or_null(object, "type", unit->type) < 0 ||
            json_add_string_or_null(object, "enabled", unit->enabled) < 0 ||
            (unit->level ? json_add_int(object, "level", unit->level) : json_add_null(object, "level")) < 0 ||
            add_instant(object, "beganUSec", unit->activating_usec, times) < 0 ||
            add_instant(object, "activeUSec", unit->activated_usec, times) < 0 ||
            add_known(object, "lengthUSec", unit->length_usec) < 0 ||
            add_known(object, "heldUSec", unit->held_usec) < 0 ||
            add_known(object, "usualUSec", report->unit_usual_usec[index]) < 0 ||
            add_known(object, "cpuUSec", unit->cpu_usec) < 0 ||
            add_known(object, "readBytes", unit->read_bytes) < 0 ||
            add_known(object, "writeBytes", unit->write_bytes) < 0 ||
            add_known(object, "memoryPeakBytes", unit->memory_peak_bytes) < 0)
                return NULL;
        return TAKE(object);
}

static struct json_object *earlier_to_json(const struct boot_times *times)
{
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        if (!object || add_known(object, "beganUSec", times->began_usec) < 0 ||
            add_known(object, "lengthUSec", boot_length(times)) < 0 ||
            json_add_string_or_null(object, "kernel", times->kernel) < 0)
                return NULL;
        return TAKE(object);
}

/* Adds an item to an array. */
static int append(struct json_object *array, struct json_object *item)
{
        if (item && json_object_array_add(array, item) == 0)
                return 0;
        json_object_put(item);
        return -ENOMEM;
}

static int add_times(struct json_object *object, const struct boot_times *times)
{
        static const char *const stages[BOOT_STAGES] = { "starting", "finished", "settled", "late" };
        uint64_t initrd_usec =
                times->initrd_usec != ABSENT ? times->userspace_usec - times->initrd_usec : ABSENT;
        uint64_t kernel_usec = times->initrd_usec != ABSENT ? times->initrd_usec : times->userspace_usec;
        uint64_t length_usec = boot_length(times);
        if (times->is_container)
                kernel_usec = initrd_usec = ABSENT;
        if (length_usec == ABSENT && times->ready_usec != ABSENT && times->ready_usec > times->userspace_usec)
                length_usec = times->ready_usec - times->userspace_usec; /* only the rest still starts */
        if (json_add_string(object, "bootId", times->boot_id) < 0 ||
            json_add_string_or_null(object, "kernel", times->kernel) < 0 ||
            json_add_string_or_null(object, "target", times->target) < 0 ||
            json_add_string(object, "stage", stages[times->stage < BOOT_STAGES ? times->stage : 0]) < 0 ||
            add_known(object, "beganUSec", times->began_usec) < 0 ||
            add_known(object, "firmwareUSec", times->firmware_length_usec) < 0 ||
            add_known(object, "loaderUSec", times->loader_length_usec) < 0 ||
            add_known(object, "kernelUSec", kernel_usec) < 0 ||
            add_known(object, "initrdUSec", initrd_usec) < 0 ||
            add_known(object, "lengthUSec", length_usec) < 0 ||
            add_instant(object, "finishUSec", times->finish_usec, times) < 0 ||
            json_add_string_or_null(object, "waitingFor", times->waiting) < 0 ||
            add_instant(object, "waitingSinceUSec", times->waiting_since_usec, times) < 0 ||
            add_known(object, "services", times->services) < 0 ||
            add_known(object, "cpuUSec", times->cpu_usec) < 0 ||
            add_known(object, "cpuWaitedUSec", times->cpu_waited_usec) < 0)
                return -ENOMEM;
        return add_known(object, "ioWaitedUSec", times->io_waited_usec);
}

static int add_comparison(struct json_object *object, const struct boot_comparison *comparison)
{
        static const char *const changes[] = { "usual", "step", "creep" };
        bool has_changed = comparison->change != BOOT_AS_USUAL;
        if (add_known(object, "usualUSec", comparison->usual_usec) < 0 ||
            json_add_int(object, "comparedBoots", comparison->count) < 0 ||
            json_add_int(object, "overUSec", (int64_t)comparison->over_usec) < 0 ||
            json_add_string(object, "change", changes[comparison->change]) < 0 ||
            add_known(object, "changedUSec", has_changed ? comparison->since_usec : ABSENT) < 0)
                return -ENOMEM;
        return json_add_string_or_null(object, "once", comparison->once);
}

static int report_to_answer(const struct boot_report *report, struct answer *ret_answer)
{
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        CLEANUP_JSON struct json_object *units = json_object_new_array();
        CLEANUP_JSON struct json_object *earlier = json_object_new_array();
        if (!object || !units || !earlier || add_times(object, &report->boot.times) < 0 ||
            add_comparison(object, &report->comparison) < 0)
                return -ENOMEM;
        for (uint32_t i = 0; i < report->boot.unit_count; i++)
                if (append(units, unit_to_json(report, i)) < 0)
                        return -ENOMEM;
        for (uint32_t i = 0; i < report->earlier_count; i++)
                if (append(earlier, earlier_to_json(&report->earlier[i])) < 0)
                        return -ENOMEM;
        if (json_add(object, "units", TAKE(units)) < 0 || json_add(object, "earlier", TAKE(earlier)) < 0)
                return -ENOMEM;
        *ret_answer = (struct answer){ .parameters = TAKE(object) };
        return 0;
}

/* ---- this boot ---- */

int method_boot(const struct served *served, const struct viewer *viewer, struct json_object *parameters,
                struct answer *ret_answer)
{
        (void)viewer;
        (void)parameters;
        const struct published *p = served->published;
        if (!p)
                return answer_error(ret_answer, INTERFACE_NAME ".NotReady", NULL, NULL);
        if (p->has_boot)
                return report_to_answer(&p->boot, ret_answer);
        const char *reason = "systemd has not told yet how this machine started";
        for (size_t i = 0; i < p->collector_count; i++)
                if (strcmp(p->collectors[i].name, "boot") == 0 && p->collectors[i].error < 0)
                        reason = p->collectors[i].error == -ENOENT
                                         ? "this machine was not started by systemd"
                                         : "systemd does not answer how this machine started";
        return answer_error(ret_answer, INTERFACE_NAME ".NoBoot", "reason", reason);
}

/* ---- an earlier one ---- */

/* `boot` as journalctl has it: 0 is this boot, -1 the one before, 1 the first that is kept. */
bool past_asks_boot(struct json_object *parameters)
{
        int64_t boot = 0;
        int r = parameters ? json_get_int(parameters, "boot", &boot) : -ENOENT;
        return r == -EINVAL || (r == 0 && boot != 0);
}

struct wanted {
        int64_t boot;
        const char *running_id; /* the boot that is running need not be kept yet: then all are before it */
        struct boot boots[1 + BOOT_EARLIER_MAX]; /* the one that was asked for, and those before it */
        size_t count;
        int64_t age;   /* of the next one that is read */
        int64_t first; /* age of the one asked for, once it is known; -1 */
};

static bool take(void *userdata, const struct boot *boot, uint64_t number)
{
        struct wanted *wanted = userdata;
        if (wanted->age == 0 && strcmp(boot->times.boot_id, wanted->running_id) != 0)
                wanted->age = 1;
        int64_t age = wanted->age++;
        if (wanted->boot < 0 ? age == -wanted->boot : (int64_t)number == wanted->boot)
                wanted->first = age;
        if (wanted->first >= 0)
                wanted->boots[wanted->count++] = *boot;
        return wanted->count <= BOOT_EARLIER_MAX;
}

int past_boot(struct past *past, struct json_object *parameters, struct answer *ret_answer)
{
        int64_t boot;
        if (json_get_int(parameters, "boot", &boot) < 0 || boot < -STORE_BOOTS_MAX || boot > STORE_BOOTS_MAX)
                return answer_invalid(ret_answer, "boot");
        struct store_reader *reader;
        int r = past_open(past, &reader, ret_answer);
        if (r != 0)
                return r < 0 ? r : 0;
        struct wanted *wanted = calloc(1, sizeof(*wanted));
        struct boot_report *report = calloc(1, sizeof(*report));
        r = wanted && report ? 0 : -ENOMEM;
        if (r == 0) {
                wanted->boot = boot;
                wanted->running_id = past->boot_id;
                wanted->first = -1;
                r = store_reader_boots(reader, UINT64_MAX, STORE_BOOTS_MAX, take, wanted);
                r = r == -EBADMSG ? 0 : r; /* the others were given */
        }
        (void)store_reader_close(reader);
        if (r == 0 && wanted->count > 0) {
                const struct boot *earlier[BOOT_EARLIER_MAX];
                for (size_t i = 1; i < wanted->count; i++)
                        earlier[i - 1] = &wanted->boots[i];
                boot_report_make(&wanted->boots[0], earlier, wanted->count - 1, report);
                r = report_to_answer(report, ret_answer);
        } else if (r == 0) {
                r = answer_error(ret_answer, INTERFACE_NAME ".NoBoot", "reason", "it was not recorded");
        } else {
                r = past_nothing(r, NULL, ret_answer);
        }
        free(wanted);
        free(report);
        return r;
}
