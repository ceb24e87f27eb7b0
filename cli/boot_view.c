/* How an answer of Boot looks: a few sentences, the critical chain as bars over time, a table of costs. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/block.h"
#include "cli/boot.h"
#include "cli/show.h"
#include "cli/table.h"
#include "cli/views.h"
#include "common/json.h"
#include "common/text.h"
#include "common/units.h"

#define ROWS_MAX 12 /* of the table */

/* ---- in words ---- */

static void append_phase(char *text, size_t size, size_t *length, const char *name, uint64_t usec)
{
        char number[UNITS_MAX];
        if (usec != UINT64_MAX && usec > 0)
                (void)text_append(text, size, length, "%s%s %s", *length > 0 ? ", " : "", name,
                                  boot_length_text(number, usec));
}

static void when_lines(struct page *page, struct json_object *reply, const struct options *options)
{
        char time[SHOW_TIME_MAX], text[256] = "";
        size_t length = 0;
        uint64_t began = boot_member(reply, "beganUSec");
        const char *kernel = json_string_or(reply, "kernel", "");
        if (began != UINT64_MAX)
                block_format(page, "started", "%s%s%s", show_time(time, began, options->now_usec),
                             kernel[0] ? ", Linux " : "", kernel);
        append_phase(text, sizeof(text), &length, "firmware", boot_member(reply, "firmwareUSec"));
        append_phase(text, sizeof(text), &length, "loader", boot_member(reply, "loaderUSec"));
        append_phase(text, sizeof(text), &length, "kernel", boot_member(reply, "kernelUSec"));
        append_phase(text, sizeof(text), &length, "initrd", boot_member(reply, "initrdUSec"));
        if (length > 0)
                block_line(page, "before", text);
}

static void length_lines(struct page *page, struct json_object *reply)
{
        char number[UNITS_MAX], usual[UNITS_MAX], over[UNITS_MAX];
        uint64_t taken = boot_member(reply, "lengthUSec"), usual_usec = boot_member(reply, "usualUSec");
        uint64_t finish = boot_member(reply, "finishUSec");
        int64_t compared = json_int_or(reply, "comparedBoots", 0),
                over_usec = json_int_or(reply, "overUSec", 0);
        const char *target = json_string_or(reply, "target", "the end");
        (void)boot_length_text(usual, usual_usec);
        const char *waiting = json_string_or(reply, "waitingFor", "");
        bool is_starting = strcmp(json_string_or(reply, "stage", ""), "starting") == 0;
        if (taken == UINT64_MAX)
                block_format(page, "ready", "not yet%s%s%s",
                             usual_usec != UINT64_MAX ? ", usually after " : "",
                             usual_usec != UINT64_MAX ? usual : "",
                             usual_usec != UINT64_MAX ? " of userspace" : "");
        if (is_starting && waiting[0])
                block_format(page, taken == UINT64_MAX ? "waits for" : "starts", "%s%s", waiting,
                             taken == UINT64_MAX ? "" : ", which nothing waits for");
        if (taken == UINT64_MAX)
                return;
        (void)boot_length_text(number, taken);
        if (usual_usec == UINT64_MAX)
                block_format(page, "ready", "after %s of userspace (%s); no earlier boot to compare with",
                             number, target);
        else if (over_usec >= (int64_t)(2 * USEC_PER_SEC))
                block_format(page, "ready",
                             "after %s of userspace (%s), %s longer than usual: %s (%lld boot%s)", number,
                             target, boot_length_text(over, (uint64_t)over_usec), usual, (long long)compared,
                             compared == 1 ? "" : "s");
        else
                block_format(page, "ready", "after %s of userspace (%s), usually %s (%lld boot%s)", number,
                             target, usual, (long long)compared, compared == 1 ? "" : "s");
        if (finish != UINT64_MAX && finish > taken + USEC_PER_SEC)
                block_format(page, "later", "the rest until %s, which nothing waited for",
                             boot_length_text(number, finish));
}

static void change_lines(struct page *page, struct json_object *reply, const struct options *options)
{
        char time[SHOW_TIME_MAX];
        const char *change = json_string_or(reply, "change", "usual"),
                   *once = json_string_or(reply, "once", "");
        uint64_t since = boot_member(reply, "changedUSec");
        if (once[0])
                block_format(page, "once", "%s: no measure of the next ones", once);
        if (since == UINT64_MAX)
                return;
        (void)show_time(time, since, options->now_usec);
        if (strcmp(change, "creep") == 0)
                block_format(page, "since", "little by little, since %s or earlier", time);
        else if (strcmp(change, "step") == 0)
                block_format(page, "since",
                             since == boot_member(reply, "beganUSec") ? "this boot" : "the boot of %s", time);
}

static void work_line(struct page *page, struct json_object *reply)
{
        char number[UNITS_MAX], text[256] = "";
        size_t length = 0;
        uint64_t services = boot_member(reply, "services"), cpu = boot_member(reply, "cpuUSec");
        uint64_t finish = boot_member(reply, "finishUSec");
        const struct {
                const char *name, *what;
        } waits[] = { { "cpuWaitedUSec", "a CPU" }, { "ioWaitedUSec", "a disk" } };
        if (services == UINT64_MAX || services == 0)
                return;
        (void)text_append(text, sizeof(text), &length, "%s started", format_count(number, (double)services));
        if (cpu != UINT64_MAX)
                (void)text_append(text, sizeof(text), &length, ", %s of CPU", boot_length_text(number, cpu));
        for (size_t i = 0; i < 2; i++) {
                uint64_t waited = boot_member(reply, waits[i].name);
                if (waited == UINT64_MAX || finish == UINT64_MAX || finish == 0)
                        continue;
                double permille = fmin(1000 * (double)waited / (double)finish, 1000);
                (void)text_append(text, sizeof(text), &length, "%s %s %s of the time",
                                  i == 0 ? "; something waited for" : ", for", waits[i].what,
                                  format_permille(number, permille));
        }
        block_line(page, "services", text);
}

static void earlier_line(struct page *page, struct json_object *reply)
{
        struct json_object *earlier;
        char number[UNITS_MAX], text[512] = "";
        size_t length = 0;
        if (json_get_array(reply, "earlier", &earlier) < 0)
                return;
        for (size_t i = 0; i < json_object_array_length(earlier); i++)
                (void)text_append(text, sizeof(text), &length, "%s%s", i > 0 ? ", " : "",
                                  boot_length_text(number, boot_member(json_object_array_get_idx(earlier, i),
                                                                       "lengthUSec")));
        if (length > 0)
                block_format(page, "earlier", "%s (newest first)", text);
}

#define HOLDERS_SHOWN 3
#define HOLDER_SHARE  20 /* a twentieth of the whole is worth a word */

/* The units in which most of the chain's time went. */
static void holder_line(struct page *page, struct json_object *reply, struct json_object *units)
{
        struct json_object *most[HOLDERS_SHOWN] = { NULL };
        char number[UNITS_MAX], name[BOOT_NAME_SIZE], text[512] = "";
        size_t length = 0;
        uint64_t taken = boot_member(reply, "lengthUSec");
        for (size_t i = 0; i < json_object_array_length(units); i++) {
                struct json_object *unit = json_object_array_get_idx(units, i);
                uint64_t held = boot_member(unit, "heldUSec");
                size_t at = HOLDERS_SHOWN;
                if (held == UINT64_MAX || taken == UINT64_MAX || held < taken / HOLDER_SHARE || held == 0)
                        continue;
                while (at > 0 && (!most[at - 1] || boot_member(most[at - 1], "heldUSec") < held))
                        at--;
                for (size_t k = HOLDERS_SHOWN - 1; k > at && at < HOLDERS_SHOWN; k--)
                        most[k] = most[k - 1];
                if (at < HOLDERS_SHOWN)
                        most[at] = unit;
        }
        for (size_t i = 0; i < HOLDERS_SHOWN && most[i]; i++)
                (void)text_append(text, sizeof(text), &length, "%s%s for %s", i > 0 ? ", " : "",
                                  boot_unit_name(name, most[i]),
                                  boot_length_text(number, boot_member(most[i], "heldUSec")));
        if (length > 0)
                block_line(page, "held up by", text);
}

/* ---- the table ---- */

enum {
        COLUMN_UNIT,
        COLUMN_TOOK,
        COLUMN_USUALLY,
        COLUMN_CPU,
        COLUMN_READ,
        COLUMN_WRITTEN,
        COLUMN_MEMORY,
        COLUMN_CHAIN,
        COLUMN_TYPE,
        COLUMN_ENABLED,
        COLUMN_COUNT
};

static const struct table_column columns[COLUMN_COUNT] = {
        [COLUMN_UNIT] = { .title = "UNIT", .importance = TABLE_ALWAYS, .shrinks_to = 24 },
        [COLUMN_TOOK] = { .title = "TOOK", .importance = TABLE_ALWAYS, .is_right = true },
        [COLUMN_USUALLY] = { .title = "USUALLY", .importance = 90, .is_right = true },
        [COLUMN_CPU] = { .title = "CPU", .importance = 80, .is_right = true },
        [COLUMN_READ] = { .title = "READ", .importance = 40, .is_right = true },
        [COLUMN_WRITTEN] = { .title = "WRITTEN", .importance = 40, .is_right = true },
        [COLUMN_MEMORY] = { .title = "MEMORY", .importance = 30, .is_right = true },
        [COLUMN_CHAIN] = { .title = "CHAIN", .importance = 70 },
        [COLUMN_TYPE] = { .title = "TYPE", .importance = 20 },
        [COLUMN_ENABLED] = { .title = "ENABLED", .importance = 60 },
};

static void set_length(struct table *table, size_t column, uint64_t usec)
{
        char number[UNITS_MAX];
        if (usec != UINT64_MAX)
                table_set(table, column, boot_length_text(number, usec));
}

static void set_bytes(struct table *table, size_t column, uint64_t bytes)
{
        char number[UNITS_MAX];
        if (bytes != UINT64_MAX)
                table_set(table, column, format_bytes(number, (double)bytes));
}

/* As slowd weighs what is worth keeping: seconds of waiting and of CPU. */
static double worth(struct json_object *unit)
{
        uint64_t length = boot_member(unit, "lengthUSec"), cpu = boot_member(unit, "cpuUSec");
        return (length == UINT64_MAX ? 0 : (double)length) + (cpu == UINT64_MAX ? 0 : (double)cpu);
}

struct ranked_unit {
        struct json_object *unit;
        double worth;
};

static int compare_worth(const void *a, const void *b)
{
        double x = ((const struct ranked_unit *)a)->worth, y = ((const struct ranked_unit *)b)->worth;
        return x > y ? -1 : x < y;
}

#define UNITS_SORTED_MAX 256
#define WORTH_LEAST      50e3 /* µs: less is not worth a line */

static int table_view(struct page *page, struct json_object *units)
{
        struct ranked_unit sorted[UNITS_SORTED_MAX];
        char name[BOOT_NAME_SIZE];
        size_t count = 0;
        bool has_usual = false;
        for (size_t i = 0; i < json_object_array_length(units) && count < UNITS_SORTED_MAX; i++) {
                struct json_object *unit = json_object_array_get_idx(units, i);
                has_usual |= boot_member(unit, "usualUSec") != UINT64_MAX;
                if (worth(unit) >= WORTH_LEAST)
                        sorted[count++] = (struct ranked_unit){ unit, worth(unit) };
        }
        if (count == 0)
                return 0;
        qsort(sorted, count, sizeof(sorted[0]), compare_worth);
        (void)fputc('\n', page->out);
        struct table *table = table_new(page, columns, COLUMN_COUNT);
        for (size_t i = 0; table && i < count && i < ROWS_MAX && table_add_line(table); i++) {
                struct json_object *unit = sorted[i].unit;
                uint64_t usual = boot_member(unit, "usualUSec");
                table_set(table, COLUMN_UNIT, boot_unit_name(name, unit));
                set_length(table, COLUMN_TOOK, boot_member(unit, "lengthUSec"));
                if (has_usual && usual == UINT64_MAX)
                        table_set(table, COLUMN_USUALLY, "new");
                set_length(table, COLUMN_USUALLY, usual);
                set_length(table, COLUMN_CPU, boot_member(unit, "cpuUSec"));
                set_bytes(table, COLUMN_READ, boot_member(unit, "readBytes"));
                set_bytes(table, COLUMN_WRITTEN, boot_member(unit, "writeBytes"));
                set_bytes(table, COLUMN_MEMORY, boot_member(unit, "memoryPeakBytes"));
                if (json_int_or(unit, "level", 0) > 0)
                        table_set(table, COLUMN_CHAIN, "on it");
                table_set(table, COLUMN_TYPE, json_string_or(unit, "type", NULL));
                table_set(table, COLUMN_ENABLED, json_string_or(unit, "enabled", NULL));
        }
        int r = table ? table_print(table, page) : -ENOMEM;
        table_free(table);
        return r;
}

int boot_view(struct page *page, struct json_object *reply, const struct options *options)
{
        struct json_object *units;
        if (json_get_array(reply, "units", &units) < 0)
                return -EBADMSG;
        when_lines(page, reply, options);
        length_lines(page, reply);
        holder_line(page, reply, units);
        change_lines(page, reply, options);
        work_line(page, reply);
        earlier_line(page, reply);
        boot_chain_view(page, reply, units);
        return table_view(page, units);
}
