/* slowctl history --csv: one line for each step, as RFC 4180 has it but for newlines of one byte. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/complain.h"
#include "cli/history.h"
#include "cli/views.h"
#include "common/json.h"
#include "common/text.h"

/* A cell of text, quoted if it must be. */
static void write_text(struct page *page, const char *text)
{
        char *clean = page_clean(page, text);
        if (clean && strpbrk(clean, ",\"")) {
                (void)fputc('"', page->out);
                for (const char *at = clean; *at; at++) {
                        if (*at == '"')
                                (void)fputc('"', page->out);
                        (void)fputc(*at, page->out);
                }
                (void)fputc('"', page->out);
        } else if (clean) {
                (void)fputs(clean, page->out);
        }
        free(clean);
}

static void write_header(struct page *page, const struct history_series *series, struct json_object *from)
{
        static const char *const kinds[] = { "", " minimum", " maximum" };
        const double *values[] = { series->means, series->minimums, series->maximums };
        for (size_t k = 0; k < 3; k++) {
                char title[256];
                if (!values[k])
                        continue;
                text_format(title, sizeof(title), "%s%s (%s)", series->name, kinds[k],
                            json_string_or(from, "unit", "count"));
                (void)fputc(',', page->out);
                write_text(page, title);
        }
}

/* "2024-11-22T14:14:02+01:00", with milliseconds if the steps do not begin on whole seconds. */
static void write_time(struct page *page, usec_t usec, bool has_fraction)
{
        time_t time = (time_t)(usec / USEC_PER_SEC);
        struct tm local;
        char text[64] = "", zone[16] = "";
        if (!localtime_r(&time, &local) || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &local) == 0 ||
            strftime(zone, sizeof(zone), "%z", &local) != 5) {
                (void)fprintf(page->out, "@%" PRIu64, usec / USEC_PER_SEC);
                return;
        }
        (void)fputs(text, page->out);
        if (has_fraction)
                (void)fprintf(page->out, ".%03" PRIu64, usec % USEC_PER_SEC / USEC_PER_MSEC);
        (void)fprintf(page->out, "%.3s:%s", zone, zone + 3);
}

/* Empty where nothing was recorded. */
static void write_value(struct page *page, const double *values, size_t index, size_t count)
{
        if (!values)
                return;
        (void)fputc(',', page->out);
        if (index < count && !isnan(values[index]))
                (void)fprintf(page->out, "%.0f", values[index]);
}

int history_csv(struct page *page, struct json_object *reply, const struct options *options)
{
        struct history_series series[HISTORY_SERIES_MAX];
        struct history_span span;
        struct json_object *array;
        const char *damaged, *memory_only;
        size_t count = 0, steps = 0;
        int r = history_read_span(reply, &span);
        (void)options;
        if (r < 0 || json_get_array(reply, "series", &array) < 0)
                return -EBADMSG;
        if (json_get_string(reply, "damaged", &damaged) == 0)
                complain("A part of the record cannot be read: %s", damaged);
        if (json_get_string(reply, "memoryOnly", &memory_only) == 0)
                complain("The newest part is from memory, not from the record: %s", memory_only);
        (void)fputs("time", page->out);
        while (r == 0 && count < HISTORY_SERIES_MAX && count < json_object_array_length(array)) {
                struct json_object *from = json_object_array_get_idx(array, count);
                r = history_series_init(&series[count], from);
                if (r == 0) {
                        write_header(page, &series[count], from);
                        steps = series[count].count > steps ? series[count].count : steps;
                        count++;
                }
        }
        (void)fputc('\n', page->out);
        bool has_fraction = span.since_usec % USEC_PER_SEC != 0 || span.step_usec % USEC_PER_SEC != 0;
        for (size_t i = 0; r == 0 && i < steps; i++) {
                usec_t at;
                if (__builtin_mul_overflow((usec_t)i, span.step_usec, &at) ||
                    __builtin_add_overflow(at, span.since_usec, &at))
                        break;
                write_time(page, at, has_fraction);
                for (size_t k = 0; k < count; k++) {
                        write_value(page, series[k].means, i, series[k].count);
                        write_value(page, series[k].minimums, i, series[k].count);
                        write_value(page, series[k].maximums, i, series[k].count);
                }
                (void)fputc('\n', page->out);
        }
        while (count > 0)
                history_series_done(&series[--count]);
        return r;
}
