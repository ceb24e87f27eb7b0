/* Host name, kernel release, boot id, clock ticks per second and page size. */
#include "daemon/sample/machine.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "daemon/sample/fields.h"

#define REREAD_USEC  USEC_PER_MINUTE
#define HZ_DEFAULT   100 /* USER_HZ of every architecture but alpha and ia64 */
#define HZ_MAX       10000
#define PAGE_DEFAULT 4096
#define PAGE_MAX     ((uint64_t)1 << 20)

/* The first word of a file. */
static int read_word(const struct root *root, const char *path, char *buffer, size_t size)
{
        char text[256];
        struct span span, word;

        ssize_t length = root_read(root, path, text, sizeof(text));
        if (length < 0)
                return (int)length;
        span = (struct span){ text, (size_t)length };
        if (!span_take_word(&span, &word))
                return -ENODATA;
        (void)span_copy(word, buffer, size);
        text_sanitize(buffer, "");
        return 0;
}

/* Written by whoever records a machine, as these two stand in no file of /proc:
 *   hz 100
 *   page_bytes 65536 */
int machine_parse_recorded(struct span text, struct machine *machine)
{
        static const struct keyed_field fields[] = {
                KEYED(struct machine, hz, "hz", 1),
                KEYED(struct machine, page_bytes, "page_bytes", 1),
        };
        struct machine recorded = { .hz = machine->hz, .page_bytes = machine->page_bytes };
        int r = fields_parse_keyed(text, fields, sizeof(fields) / sizeof(fields[0]), &recorded);
        if (recorded.hz > 0 && recorded.hz <= HZ_MAX)
                machine->hz = recorded.hz;
        if (recorded.page_bytes > 0 && recorded.page_bytes <= PAGE_MAX)
                machine->page_bytes = recorded.page_bytes;
        return r;
}

static void read_units(const struct root *root, struct machine *machine)
{
        char text[256];

        machine->hz = HZ_DEFAULT;
        machine->page_bytes = PAGE_DEFAULT;
        if (root->is_live) {
                long hz = sysconf(_SC_CLK_TCK), page = sysconf(_SC_PAGESIZE);
                if (hz > 0)
                        machine->hz = (uint64_t)hz;
                if (page > 0)
                        machine->page_bytes = (uint64_t)page;
                return;
        }
        ssize_t length = root_read(root, MACHINE_FILE, text, sizeof(text));
        if (length > 0) /* not recorded: the defaults stand */
                (void)machine_parse_recorded((struct span){ text, (size_t)length }, machine);
}

int machine_read(const struct root *root, struct machine *ret_machine)
{
        int error = 0;

        *ret_machine = (struct machine){ .cpus = ABSENT, .boot_realtime_usec = ABSENT };
        read_units(root, ret_machine);
        fields_note(read_word(root, "proc/sys/kernel/hostname", ret_machine->hostname,
                              sizeof(ret_machine->hostname)),
                    &error);
        fields_note(read_word(root, "proc/sys/kernel/osrelease", ret_machine->kernel,
                              sizeof(ret_machine->kernel)),
                    &error);
        fields_note(read_word(root, "proc/sys/kernel/random/boot_id", ret_machine->boot_id,
                              sizeof(ret_machine->boot_id)),
                    &error);
        return error;
}

int machine_collect(struct machine_facts *facts, const struct root *root, struct sample *sample)
{
        usec_t now = sample->time.monotonic_usec;
        int r = 0;

        if (!facts->was_collected || now - facts->read_usec >= REREAD_USEC) {
                r = machine_read(root, &facts->machine);
                facts->was_collected = true;
                facts->read_usec = now;
        }
        sample->machine = facts->machine;
        return r;
}
