/* Top: the programs of the last tick, sorted as asked. */
#include "daemon/serve/methods.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"

/* Unknown counts as nothing. */
static float known(float value)
{
        return isnan(value) ? 0 : value;
}

static float waits(const struct ledger *ledger)
{
        return known(ledger->cpu_wait) + known(ledger->throttled) + known(ledger->disk_wait) +
               known(ledger->swap_wait) + known(ledger->reclaim_wait) + known(ledger->stuck);
}

static float key_cpu(const struct top_row *row)
{
        return known(row->cpu);
}

static float key_memory(const struct top_row *row)
{
        return row->memory_bytes == ABSENT ? 0 : (float)row->memory_bytes;
}

static float key_io(const struct top_row *row)
{
        return known(row->read_bytes) + known(row->write_bytes);
}

static float key_wait(const struct top_row *row)
{
        return waits(&row->ledger);
}

static const struct sort {
        const char *name;
        float (*key)(const struct top_row *row);
} sorts[] = {
        { "lost", NULL }, /* the order in which they are published */
        { "cpu", key_cpu }, { "memory", key_memory }, { "io", key_io }, { "wait", key_wait },
};

struct sorted_row {
        float key;
        uint32_t index;
};

/* Most first; equal ones in the order in which they are published. */
static int compare_rows(const void *a, const void *b)
{
        const struct sorted_row *x = a, *y = b;
        if (x->key != y->key)
                return x->key > y->key ? -1 : 1;
        return x->index < y->index ? -1 : x->index > y->index;
}

/* A share as permille; unknown is null. */
static int add_share(struct json_object *object, const char *name, float share)
{
        return isnan(share) ? json_add_null(object, name)
                            : json_add_int(object, name, llroundf(share * 1000));
}

static int add_rate(struct json_object *object, const char *name, float per_sec)
{
        return isnan(per_sec) ? json_add_null(object, name) : json_add_int(object, name, llroundf(per_sec));
}

static int add_level(struct json_object *object, const char *name, uint64_t value)
{
        return value == ABSENT ? json_add_null(object, name) : json_add_int(object, name, (int64_t)value);
}

static struct json_object *row_to_json(const struct top_row *row, const struct viewer *viewer)
{
        const char *command_line = viewer_may_see(viewer, row->uid) ? row->command_line : NULL;
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        if (!object || json_add_string(object, "name", row->name) < 0 ||
            json_add_int(object, "count", row->count) < 0 ||
            json_add_int(object, "firstPid", row->first_pid) < 0 ||
            json_add_string_or_null(object, "unit", row->unit) < 0 ||
            json_add_string_or_null(object, "user", row->user) < 0 ||
            json_add_string_or_null(object, "commandLine", command_line) < 0 ||
            json_add_int(object, "cpuPermille", llroundf(known(row->cpu) * 1000)) < 0 ||
            add_share(object, "lostPermille", row->lost) < 0 ||
            add_share(object, "cpuWaitPermille", row->ledger.cpu_wait) < 0 ||
            add_share(object, "throttledPermille", row->ledger.throttled) < 0 ||
            add_share(object, "diskWaitPermille", row->ledger.disk_wait) < 0 ||
            add_share(object, "swapWaitPermille", row->ledger.swap_wait) < 0 ||
            add_share(object, "reclaimWaitPermille", row->ledger.reclaim_wait) < 0 ||
            add_share(object, "stuckPermille", row->ledger.stuck) < 0 ||
            add_level(object, "memoryBytes", row->memory_bytes) < 0 ||
            add_level(object, "swapBytes", row->swap_bytes) < 0 ||
            add_rate(object, "readBytesPerSecond", row->read_bytes) < 0 ||
            add_rate(object, "writeBytesPerSecond", row->write_bytes) < 0)
                return NULL;
        return TAKE(object);
}

static const struct sort *find_sort(const char *name)
{
        for (size_t i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++)
                if (strcmp(sorts[i].name, name) == 0)
                        return &sorts[i];
        return NULL;
}

/* The first `limit` rows in the order asked for. */
static struct json_object *rows_to_json(const struct published *published, const struct sort *sort,
                                        size_t limit, const struct viewer *viewer)
{
        struct sorted_row order[PUBLISHED_PROGRAMS_MAX];
        size_t count = published->top_count;
        for (size_t i = 0; i < count; i++)
                order[i] = (struct sorted_row){ sort->key ? sort->key(&published->top[i]) : 0, (uint32_t)i };
        qsort(order, count, sizeof(order[0]), compare_rows);
        CLEANUP_JSON struct json_object *array = json_object_new_array();
        for (size_t i = 0; array && i < count && i < limit; i++) {
                struct json_object *row = row_to_json(&published->top[order[i].index], viewer);
                if (!row || json_object_array_add(array, row) < 0) {
                        json_object_put(row);
                        return NULL;
                }
        }
        return TAKE(array);
}

int method_top(const struct served *served, const struct viewer *viewer, struct json_object *parameters,
               struct answer *ret_answer)
{
        const char *sort_name = "lost";
        int64_t limit = TOP_LIMIT_USUAL;
        if (parameters && json_get_string(parameters, "sort", &sort_name) == -EINVAL)
                return answer_invalid(ret_answer, "sort");
        const struct sort *sort = find_sort(sort_name);
        if (!sort)
                return answer_invalid(ret_answer, "sort");
        if (parameters && json_get_int(parameters, "limit", &limit) == -EINVAL)
                return answer_invalid(ret_answer, "limit");
        if (limit < 1 || limit > PUBLISHED_PROGRAMS_MAX)
                return answer_invalid(ret_answer, "limit");
        const struct published *p = served->published;
        if (!p)
                return answer_error(ret_answer, INTERFACE_NAME ".NotReady", NULL, NULL);
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        if (!object || json_add_int(object, "atUSec", (int64_t)p->self.last_tick_usec) < 0 ||
            json_add_int(object, "intervalUSec", (int64_t)p->self.interval_usec) < 0 ||
            json_add_int(object, "cpus", (int64_t)p->machine.cpus) < 0 ||
            json_add(object, "programs", rows_to_json(p, sort, (size_t)limit, viewer)) < 0)
                return -ENOMEM;
        *ret_answer = (struct answer){ .parameters = TAKE(object) };
        return 0;
}
