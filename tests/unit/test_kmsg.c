/* Kernel messages: records, escapes, the cap and recorded logs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/sample/kmsg.h"
#include "tests/support/tree.h"

static struct kernel_message message;
static struct sample sample;

static int parse(const char *text)
{
        memset(&message, 0, sizeof(message));
        return kmsg_parse(span_of(text), &message);
}

static void test_bad(void **state)
{
        static const char *const bad[] = { "",           "\n",
                                           ";",          "6;text",
                                           "6,1;text",   "x,1,2,-;t",
                                           "6,x,2,-;t",  "6,1,x,-;t",
                                           "6,1,2,-",    " SUBSYSTEM=a;b",
                                           "-6,1,2,-;t", "6,1,99999999999999999999,-;t",
                                           "6,1,2,-\n;t" };
        (void)state;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                assert_int_equal(parse(bad[i]), -EINVAL);
}

static void test_good(void **state)
{
        (void)state;
        assert_int_equal(parse("6,187,255910,-;acpi PNP0A08:00: _OSC: OS supports [MSI]\n SUBSYSTEM=acpi\n"),
                         0);
        assert_int_equal(message.priority, 6);
        assert_int_equal(message.sequence, 187);
        assert_int_equal(message.monotonic_usec, 255910);
        assert_string_equal(message.text, "acpi PNP0A08:00: _OSC: OS supports [MSI]");
        /* user space's own lines (facility 1, 3) are no words of the kernel, whatever they claim */
        assert_int_equal(parse("12,188,1,-;Out of memory: Killed process 1 (init)"), -ENOMSG);
        assert_int_equal(message.sequence, 188);
        assert_int_equal(parse("3,1,2,-,caller=T1;a;b"), 0); /* a newer kernel's prefix */
        assert_string_equal(message.text, "a;b");
        assert_int_equal(parse("3,1,2;x"), 0); /* Linux 3.5: no flags */
        assert_int_equal(parse("3,1,2,-;"), 0);
        assert_string_equal(message.text, "");
}

static void test_escapes(void **state)
{
        char text[8000] = "3,1,2,-;";
        (void)state;
        assert_int_equal(parse("3,1,2,-;a\\x0ab\\x5cc\\x1b[1m\\xc3\\xa4\\xff\\x00\\xzz\\x"), 0);
        assert_string_equal(message.text, "a b\\c?[1m\xc3\xa4? \\xzz\\x");
        memset(text + 8, 'y', sizeof(text) - 9);
        assert_int_equal(parse(text), 0);
        assert_int_equal(strlen(message.text), MESSAGE_TEXT_MAX - 1);
}

static void keep(uint64_t sequence, int priority, const char *text)
{
        struct kernel_message one = { .sequence = sequence, .priority = priority };
        text_format(one.text, sizeof(one.text), "%s", text);
        kmsg_keep(&sample, &one);
}

/* A kill is not lost in a flood of chatter. */
static void test_flood(void **state)
{
        (void)state;
        sample_clear(&sample);
        for (uint64_t i = 0; i < 200; i++)
                keep(i, 6, "chatter");
        keep(200, 6, "oom-kill:constraint=CONSTRAINT_MEMCG,task=hog,pid=7");
        keep(201, 3, "Memory cgroup out of memory: Killed process 7 (hog)");
        for (uint64_t i = 202; i < 400; i++)
                keep(i, 6, "chatter");
        assert_int_equal(sample.message_count, KERNEL_MESSAGES_MAX);
        assert_int_equal(sample.messages_lost, 400 - KERNEL_MESSAGES_MAX);
        assert_int_equal(sample.messages[KERNEL_MESSAGES_MAX - 2].sequence, 200);
        assert_int_equal(sample.messages[KERNEL_MESSAGES_MAX - 1].sequence, 201);
        for (size_t i = 1; i < KERNEL_MESSAGES_MAX; i++)
                assert_true(sample.messages[i].sequence > sample.messages[i - 1].sequence);
}

static int collect(struct kmsg *kmsg, const struct tree *tree, usec_t now)
{
        sample_clear(&sample);
        sample.time.monotonic_usec = now;
        return kmsg_collect(kmsg, &tree->root, &sample);
}

static void test_recorded(void **state)
{
        static struct kmsg kmsg;
        struct tree tree;
        usec_t now = USEC_PER_HOUR;
        char text[512];
        size_t length = 0;
        (void)state;
        tree_init(&tree);
        kmsg_init(&kmsg);
        assert_int_equal(collect(&kmsg, &tree, now), -ENOENT);
        tree_write(&tree, "dev/kmsg", "garbage\n\n6,5,1000000,-;long ago\n");
        assert_int_equal(collect(&kmsg, &tree, now + 1), -ENOENT); /* not looked for at every tick */
        assert_int_equal(collect(&kmsg, &tree, now + USEC_PER_MINUTE), 0);
        assert_int_equal(sample.message_count, 0); /* older than 15 minutes */

        assert_true(text_append(text, sizeof(text), &length, "3,6,%" PRIu64 ",-;one\n KEY=6,9,9,-;no\n",
                                now - 14 * USEC_PER_MINUTE));
        assert_true(text_append(text, sizeof(text), &length, "3,9,%" PRIu64 ",-;two\n3,10,", now));
        tree_append(&tree, "dev/kmsg", text);
        assert_int_equal(collect(&kmsg, &tree, now + USEC_PER_MINUTE), 0);
        assert_int_equal(sample.message_count, 2);
        assert_string_equal(sample.messages[0].text, "one");
        assert_string_equal(sample.messages[1].text, "two");
        assert_int_equal(sample.messages_lost, 2); /* 7 and 8 */
        length = 0;
        assert_true(text_append(text, sizeof(text), &length, "%" PRIu64 ",-;half then whole\n", now));
        tree_append(&tree, "dev/kmsg", text);
        assert_int_equal(collect(&kmsg, &tree, now + USEC_PER_MINUTE), 0);
        assert_int_equal(sample.message_count, 1);
        assert_int_equal(sample.messages[0].sequence, 10);
        assert_int_equal(collect(&kmsg, &tree, now + USEC_PER_MINUTE), 0);
        assert_int_equal(sample.message_count, 0);
        kmsg_done(&kmsg);
        tree_done(&tree);
}

/* A line longer than any record must not stop what comes behind it. */
static void test_recorded_endless_line(void **state)
{
        static struct kmsg kmsg;
        static char text[3 * KMSG_RECORD_MAX];
        struct tree tree;
        (void)state;
        tree_init(&tree);
        kmsg_init(&kmsg);
        memset(text, 'z', sizeof(text) - 1);
        tree_write(&tree, "dev/kmsg", text);
        tree_append(&tree, "dev/kmsg", "\n3,1,1,-;behind\n");
        for (int i = 0; i < 5; i++) {
                assert_int_equal(collect(&kmsg, &tree, USEC_PER_SEC), 0);
                if (sample.message_count)
                        break;
        }
        assert_int_equal(sample.message_count, 1);
        assert_string_equal(sample.messages[0].text, "behind");
        kmsg_done(&kmsg);
        tree_done(&tree);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_bad),      cmocka_unit_test(test_good),
                cmocka_unit_test(test_escapes),  cmocka_unit_test(test_flood),
                cmocka_unit_test(test_recorded), cmocka_unit_test(test_recorded_endless_line),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
