/* Takes netlink messages of taskstats apart. The struct grew with the kernel's versions (6.1 has 13, 6.12 has
 * 14, 6.18 has 16): it is read by offset up to the length that the kernel gives, never by sizeof. */
#include "daemon/sample/taskstats_message.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/taskstats.h>
#include <string.h>

#include "daemon/sample/sample.h"

/* A multiple of the alignment of netlink (4). */
#define HEADERS (sizeof(struct nlmsghdr) + sizeof(struct genlmsghdr))

/* ---- the struct ---- */

/* Where the fields lie. Fields are only ever appended, but for version 15 (kernel 6.14 and 6.15), which put a
 * maximum and a minimum behind each delay; version 16 moved them to the end ("taskstats: fix struct taskstats
 * breaks backward compatibility since version 15"). */
struct layout {
        uint16_t slices, run_delay, block_count, block_delay, swapin_count, swapin_delay, run, voluntary,
                involuntary, reclaim_count, reclaim_delay, thrashing_count, thrashing_delay, compact_count,
                compact_delay, copy_count;
};

static const struct layout layout_usual = {
        .slices = 16,
        .run_delay = 24,
        .block_count = 32,
        .block_delay = 40,
        .swapin_count = 48,
        .swapin_delay = 56,
        .run = 72,
        .voluntary = 272,
        .involuntary = 280,
        .reclaim_count = 312,
        .reclaim_delay = 320,
        .thrashing_count = 328,
        .thrashing_delay = 336,
        .compact_count = 352,
        .compact_delay = 360,
        .copy_count = 400,
};
static const struct layout layout_15 = {
        .slices = 16,
        .run_delay = 24,
        .block_count = 48,
        .block_delay = 56,
        .swapin_count = 80,
        .swapin_delay = 88,
        .run = 120,
        .voluntary = 320,
        .involuntary = 328,
        .reclaim_count = 360,
        .reclaim_delay = 368,
        .thrashing_count = 392,
        .thrashing_delay = 400,
        .compact_count = 432,
        .compact_delay = 440,
        .copy_count = 496,
};
#define LAYOUT_15_BYTES 560
#define VERSION_COPIES  13

/* The header at hand confirms the offsets, where it is not version 15 itself. */
#if TASKSTATS_VERSION == 13 || TASKSTATS_VERSION == 14 || TASKSTATS_VERSION >= 16
#define HOLDS(field, offset) _Static_assert(offsetof(struct taskstats, field) == (offset), #field)
HOLDS(cpu_count, 16);
HOLDS(cpu_run_virtual_total, 72);
HOLDS(nivcsw, 280);
HOLDS(thrashing_delay_total, 336);
HOLDS(wpcopy_count, 400);
#endif

static uint64_t field_at(const unsigned char *stats, size_t length, size_t offset)
{
        uint64_t value;
        if (offset + sizeof(value) > length)
                return ABSENT;
        memcpy(&value, stats + offset, sizeof(value));
        return value;
}

static int parse_stats(const unsigned char *stats, size_t length, struct taskstats_values *ret)
{
        uint16_t version;
        const struct layout *at = &layout_usual;

        if (length < sizeof(version))
                return -EBADMSG;
        memcpy(&version, stats, sizeof(version));
        if (version == 15) {
                if (length != LAYOUT_15_BYTES)
                        return -EBADMSG;
                at = &layout_15;
        }
        struct taskstats_values v = {
                .slices = field_at(stats, length, at->slices),
                .run_nsec = field_at(stats, length, at->run),
                .run_delay_nsec = field_at(stats, length, at->run_delay),
                .block_delay_nsec = field_at(stats, length, at->block_delay),
                .swapin_delay_nsec = field_at(stats, length, at->swapin_delay),
                .reclaim_delay_nsec = field_at(stats, length, at->reclaim_delay),
                .thrashing_delay_nsec = field_at(stats, length, at->thrashing_delay),
                .compact_delay_nsec = field_at(stats, length, at->compact_delay),
                .voluntary_switches = field_at(stats, length, at->voluntary),
                .involuntary_switches = field_at(stats, length, at->involuntary),
        };
        if (v.run_nsec == ABSENT)
                return -EBADMSG;
        const uint16_t counts[] = { at->block_count,     at->swapin_count,  at->reclaim_count,
                                    at->thrashing_count, at->compact_count, at->copy_count };
        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
                uint64_t count = field_at(stats, length, counts[i]);
                v.has_delays |= count != ABSENT && count != 0;
        }
        v.counts_copies = version >= VERSION_COPIES && field_at(stats, length, at->copy_count) != ABSENT;
        *ret = v;
        return 0;
}

/* ---- netlink ---- */

/* Takes the next attribute from a run of them; false at the end or at garbage. */
static bool take_attribute(const unsigned char **at, size_t *length, uint16_t *ret_type,
                           const unsigned char **ret_data, size_t *ret_length)
{
        struct nlattr header;
        if (*length < sizeof(header))
                return false;
        memcpy(&header, *at, sizeof(header));
        if (header.nla_len < sizeof(header) || header.nla_len > *length)
                return false;
        *ret_type = header.nla_type & (uint16_t)NLA_TYPE_MASK;
        *ret_data = *at + sizeof(header);
        *ret_length = header.nla_len - sizeof(header);
        size_t step = (header.nla_len + 3u) & ~(size_t)3; /* NLA_ALIGNTO */
        step = step < *length ? step : *length;
        *at += step;
        *length -= step;
        return true;
}

bool taskstats_find_attribute(const unsigned char *at, size_t length, uint16_t type,
                              const unsigned char **ret_data, size_t *ret_length)
{
        uint16_t found;
        while (take_attribute(&at, &length, &found, ret_data, ret_length))
                if (found == type)
                        return true;
        return false;
}

int taskstats_open_message(const unsigned char *message, size_t length, uint16_t family,
                           uint32_t *ret_sequence, const unsigned char **ret_attributes, size_t *ret_length)
{
        struct nlmsghdr header;
        if (length < sizeof(header))
                return -EBADMSG;
        memcpy(&header, message, sizeof(header));
        if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > length)
                return -EBADMSG;
        *ret_sequence = header.nlmsg_seq;
        if (header.nlmsg_type == NLMSG_ERROR) {
                struct nlmsgerr error;
                if (header.nlmsg_len < sizeof(struct nlmsghdr) + sizeof(error))
                        return -EBADMSG;
                memcpy(&error, message + sizeof(struct nlmsghdr), sizeof(error));
                return error.error < 0 && error.error > -4096 && error.error != -EBADMSG ? error.error
                                                                                         : -EPROTO;
        }
        if (header.nlmsg_type != family || header.nlmsg_len < HEADERS)
                return -EBADMSG;
        *ret_attributes = message + HEADERS;
        *ret_length = header.nlmsg_len - HEADERS;
        return 0;
}

int taskstats_parse(const void *message, size_t length, uint16_t family, uint32_t *ret_sequence,
                    uint32_t *ret_pid, struct taskstats_values *ret_values)
{
        const unsigned char *attributes, *group, *data;
        size_t attributes_length, group_length, data_length;
        uint32_t sequence, pid;

        int r = taskstats_open_message(message, length, family, &sequence, &attributes, &attributes_length);
        if (r == -EBADMSG)
                return r;
        if (r < 0) {
                *ret_sequence = sequence;
                *ret_pid = 0;
                *ret_values = (struct taskstats_values){ .error = r };
                return 0;
        }
        if (!taskstats_find_attribute(attributes, attributes_length, TASKSTATS_TYPE_AGGR_TGID, &group,
                                      &group_length) ||
            !taskstats_find_attribute(group, group_length, TASKSTATS_TYPE_TGID, &data, &data_length) ||
            data_length != sizeof(pid))
                return -EBADMSG;
        memcpy(&pid, data, sizeof(pid));
        if (!taskstats_find_attribute(group, group_length, TASKSTATS_TYPE_STATS, &data, &data_length))
                return -EBADMSG;
        r = parse_stats(data, data_length, ret_values);
        if (r < 0)
                return r;
        *ret_sequence = sequence;
        *ret_pid = pid;
        return 0;
}
