/* All parsers of small kernel files; the first byte chooses which. Beside not crashing, an input must leave
 * lists within their caps, strings terminated, and the parser must say the same twice. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/sample/cgroup_files.h"
#include "daemon/sample/diskstats.h"
#include "daemon/sample/kmsg.h"
#include "daemon/sample/machine.h"
#include "daemon/sample/mountinfo.h"
#include "daemon/sample/parsers.h"
#include "daemon/sample/swaps.h"

static struct sample sample;

static int parse_swaps(struct span text, struct sample *ret_sample)
{
        static struct swaps swaps;
        (void)ret_sample;
        int r = swaps_parse(text, &swaps);
        assert(swaps.count <= SWAPS_MAX);
        for (size_t i = 0; i < swaps.count; i++)
                assert(memchr(swaps.rows[i].path, '\0', sizeof(swaps.rows[i].path)));
        return r;
}

static int parse_mountinfo(struct span text, struct sample *ret_sample)
{
        static struct mount_list list;
        (void)ret_sample;
        int r = mountinfo_parse(text, &list);
        assert(list.count <= MOUNTS_MAX && list.count <= list.capacity);
        for (size_t i = 0; i < list.count; i++)
                assert(memchr(list.rows[i].path, '\0', PATH_TEXT_MAX) &&
                       memchr(list.rows[i].type, '\0', DEVICE_NAME_MAX));
        return r;
}

static int parse_kmsg(struct span text, struct sample *ret_sample)
{
        struct kernel_message message = { 0 };
        int r = kmsg_parse(text, &message);
        if (r == 0) {
                assert(message.priority >= 0 && message.priority <= 7);
                assert(memchr(message.text, '\0', sizeof(message.text)));
                for (const char *c = message.text; *c; c++)
                        assert((unsigned char)*c >= 0x20 && *c != 0x7f);
                for (size_t i = 0; i < KERNEL_MESSAGES_MAX + 2; i++)
                        kmsg_keep(ret_sample, &message);
                assert(ret_sample->message_count == KERNEL_MESSAGES_MAX);
        }
        return r;
}

static int parse_machine(struct span text, struct sample *ret_sample)
{
        ret_sample->machine.hz = 100;
        ret_sample->machine.page_bytes = 4096;
        int r = machine_parse_recorded(text, &ret_sample->machine);
        assert(ret_sample->machine.hz > 0 && ret_sample->machine.page_bytes > 0);
        return r;
}

static int (*const parsers[])(struct span, struct sample *) = {
        stat_parse,         loadavg_parse,   uptime_parse, meminfo_parse,   vmstat_parse,
        netdev_parse,       diskstats_parse, parse_swaps,  parse_mountinfo, parse_kmsg,
        pressure_parse_cpu, parse_machine,   mdstat_parse,
};
#define PARSER_COUNT (sizeof(parsers) / sizeof(parsers[0]))

static int parse_cgroup_file(size_t number, struct span text)
{
        const struct cgroup_file *file = number < cgroup_files_v2_count
                                                 ? &cgroup_files_v2[number]
                                                 : &cgroup_files_v1[number - cgroup_files_v2_count];
        struct disk_sample disk = { .major = 8, .is_stacked = true };
        const struct cgroup_context context = { .disks = &disk, .disk_count = 1 };
        struct cgroup_sample group;
        memset(&group, 0xff, sizeof(group));
        return file->parse(text, &context, &group);
}

static int parse(size_t number, struct span text)
{
        if (number >= PARSER_COUNT)
                return parse_cgroup_file(number - PARSER_COUNT, text);
        sample_clear(&sample);
        int r = parsers[number](text, &sample);
        assert(sample.disk_count <= DISKS_MAX && sample.interface_count <= INTERFACES_MAX);
        for (size_t i = 0; i < sample.disk_count; i++)
                assert(memchr(sample.disks[i].name, '\0', DEVICE_NAME_MAX));
        for (size_t i = 0; i < sample.interface_count; i++)
                assert(memchr(sample.interfaces[i].name, '\0', DEVICE_NAME_MAX));
        return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size == 0)
                return 0;
        size_t number = data[0] % (PARSER_COUNT + cgroup_files_v2_count + cgroup_files_v1_count);
        struct span text = { (const char *)data + 1, size - 1 };
        int first = parse(number, text);
        assert(parse(number, text) == first);
        assert(first <= 0);
        return 0;
}
