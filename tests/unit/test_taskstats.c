/* Messages of taskstats: those of several kernels, and none at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/taskstats.h>

#include "daemon/sample/sample.h"
#include "daemon/sample/taskstats_message.h"

#define FAMILY 27

struct message {
        _Alignas(8) unsigned char bytes[2048];
        size_t length;
};

static void put(struct message *message, const void *data, size_t length)
{
        memcpy(message->bytes + message->length, data, length);
        message->length += (length + 3) & ~(size_t)3;
}

/* As the kernel builds it: AGGR_TGID { TGID, STATS }, with STATS filled by its own offsets: the value at
 * offset N is N. */
static void make(struct message *message, uint16_t version, uint16_t stats_length)
{
        unsigned char stats[1024] = { 0 };
        for (size_t at = 0; at + 8 <= stats_length; at += 8) {
                uint64_t value = at;
                memcpy(stats + at, &value, sizeof(value));
        }
        memcpy(stats, &version, sizeof(version));

        const uint32_t pid = 4711;
        const uint16_t group_length = (uint16_t)(4 + 8 + 4 + ((stats_length + 3) & ~3));
        memset(message, 0, sizeof(*message));
        struct nlmsghdr header = { .nlmsg_len = 20u + group_length, .nlmsg_type = FAMILY, .nlmsg_seq = 99 };
        put(message, &header, sizeof(header));
        put(message, &(struct genlmsghdr){ .cmd = TASKSTATS_CMD_NEW, .version = 1 },
            sizeof(struct genlmsghdr));
        put(message, &(struct nlattr){ group_length, TASKSTATS_TYPE_AGGR_TGID }, sizeof(struct nlattr));
        put(message, &(struct nlattr){ 8, TASKSTATS_TYPE_TGID }, sizeof(struct nlattr));
        put(message, &pid, sizeof(pid));
        put(message, &(struct nlattr){ (uint16_t)(4 + stats_length), TASKSTATS_TYPE_STATS },
            sizeof(struct nlattr));
        put(message, stats, stats_length);
}

static int parse(const struct message *message, struct taskstats_values *values)
{
        uint32_t sequence = 0, pid = 0;
        int r = taskstats_parse(message->bytes, message->length, FAMILY, &sequence, &pid, values);
        if (r == 0) {
                assert_int_equal(sequence, 99);
                assert_int_equal(pid, values->error ? 0 : 4711);
        }
        return r;
}

static void truncated_messages_are_refused(void **state)
{
        struct message message;
        struct taskstats_values values;
        (void)state;
        make(&message, 14, 432);
        const size_t whole = message.length;
        for (size_t length = 0; length < whole; length++) {
                message.length = length;
                assert_int_equal(parse(&message, &values), -EBADMSG);
        }
        message.length = whole;
        assert_int_equal(parse(&message, &values), 0);
        /* and one whose own length lies */
        uint32_t lie = UINT32_MAX;
        memcpy(message.bytes, &lie, sizeof(lie));
        assert_int_equal(parse(&message, &values), -EBADMSG);
}

static void other_messages_are_refused(void **state)
{
        struct message message;
        struct taskstats_values values;
        (void)state;
        make(&message, 14, 432);
        uint16_t other = FAMILY + 1;
        memcpy(message.bytes + offsetof(struct nlmsghdr, nlmsg_type), &other, sizeof(other));
        assert_int_equal(parse(&message, &values), -EBADMSG);
        make(&message, 14, 432);
        uint16_t by_thread = TASKSTATS_TYPE_AGGR_PID;
        memcpy(message.bytes + 22, &by_thread, sizeof(by_thread));
        assert_int_equal(parse(&message, &values), -EBADMSG);
        make(&message, 13, 64); /* ends before the run time */
        assert_int_equal(parse(&message, &values), -EBADMSG);
        make(&message, 15, 500); /* a version 15 that nobody released */
        assert_int_equal(parse(&message, &values), -EBADMSG);
}

static void errors_are_values(void **state)
{
        struct message message = { .length = 0 };
        struct taskstats_values values;
        struct nlmsghdr header = { .nlmsg_len = 36, .nlmsg_type = NLMSG_ERROR, .nlmsg_seq = 99 };
        struct nlmsgerr error = { .error = -ESRCH };
        (void)state;
        put(&message, &header, sizeof(header));
        put(&message, &error, sizeof(error));
        assert_int_equal(parse(&message, &values), 0);
        assert_int_equal(values.error, -ESRCH);
        message.length = 30;
        assert_int_equal(parse(&message, &values), -EBADMSG);
}

static void every_version_is_read_by_its_own_layout(void **state)
{
        static const struct {
                uint16_t version, length;
        } usual[] = { { 13, 416 }, { 14, 432 }, { 16, 560 }, { 17, 688 } };
        struct message message;
        struct taskstats_values v;
        (void)state;
        for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
                make(&message, usual[i].version, usual[i].length);
                assert_int_equal(parse(&message, &v), 0);
                assert_int_equal(v.slices, 16);
                assert_int_equal(v.run_delay_nsec, 24);
                assert_int_equal(v.block_delay_nsec, 40);
                assert_int_equal(v.swapin_delay_nsec, 56);
                assert_int_equal(v.run_nsec, 72);
                assert_int_equal(v.voluntary_switches, 272);
                assert_int_equal(v.involuntary_switches, 280);
                assert_int_equal(v.reclaim_delay_nsec, 320);
                assert_int_equal(v.thrashing_delay_nsec, 336);
                assert_int_equal(v.compact_delay_nsec, 360);
                assert_true(v.has_delays && v.counts_copies);
        }
        make(&message, 15, 560); /* Linux 6.14: a maximum and a minimum behind each delay */
        assert_int_equal(parse(&message, &v), 0);
        assert_int_equal(v.block_delay_nsec, 56);
        assert_int_equal(v.swapin_delay_nsec, 88);
        assert_int_equal(v.run_nsec, 120);
        assert_int_equal(v.voluntary_switches, 320);
        assert_int_equal(v.compact_delay_nsec, 440);
}

static void what_an_old_kernel_lacks_is_absent(void **state)
{
        struct message message;
        struct taskstats_values v;
        (void)state;
        make(&message, 8, 328); /* up to the reclaim delay */
        assert_int_equal(parse(&message, &v), 0);
        assert_int_equal(v.reclaim_delay_nsec, 320);
        assert_true(v.thrashing_delay_nsec == ABSENT && v.compact_delay_nsec == ABSENT);
        assert_false(v.counts_copies);
        make(&message, 1, 80);
        assert_int_equal(parse(&message, &v), 0);
        assert_int_equal(v.run_nsec, 72);
        assert_true(v.voluntary_switches == ABSENT && v.reclaim_delay_nsec == ABSENT);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(truncated_messages_are_refused),
                cmocka_unit_test(other_messages_are_refused),
                cmocka_unit_test(errors_are_values),
                cmocka_unit_test(every_version_is_read_by_its_own_layout),
                cmocka_unit_test(what_an_old_kernel_lacks_is_absent),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
