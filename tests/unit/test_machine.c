/* Facts of a machine, recorded and missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/sample/machine.h"
#include "tests/support/tree.h"

static void test_recorded_units(void **state)
{
        struct machine machine = { .hz = 100, .page_bytes = 4096 };
        (void)state;
        assert_int_equal(machine_parse_recorded(span_of(""), &machine), -ENODATA);
        assert_int_equal(machine_parse_recorded(span_of("hz 0\npage_bytes 18446744073709551615\n"), &machine),
                         0);
        assert_int_equal(machine.hz, 100); /* dividing by it must stay possible */
        assert_int_equal(machine.page_bytes, 4096);
        assert_int_equal(machine_parse_recorded(span_of("hz many\npage_bytes 65536\n"), &machine), -EINVAL);
        assert_int_equal(machine.hz, 100);
        assert_int_equal(machine.page_bytes, 65536);
        assert_int_equal(machine_parse_recorded(span_of("hz 1024"), &machine), 0);
        assert_int_equal(machine.hz, 1024);
}

static void test_nothing_there(void **state)
{
        struct machine machine;
        struct tree tree;
        (void)state;
        tree_init(&tree);
        assert_int_equal(machine_read(&tree.root, &machine), -ENOENT);
        assert_string_equal(machine.hostname, "");
        assert_int_equal(machine.hz, 100);
        assert_int_equal(machine.page_bytes, 4096);
        assert_int_equal(machine.cpus, ABSENT);
        tree_done(&tree);
}

static void test_tree(void **state)
{
        static struct sample sample;
        struct machine_facts facts = { .was_collected = false };
        struct machine machine;
        struct tree tree;
        (void)state;
        tree_init(&tree);
        tree_write(&tree, "proc/sys/kernel/hostname", "web\0331\n");
        tree_write(&tree, "proc/sys/kernel/osrelease", "");
        assert_int_equal(machine_read(&tree.root, &machine), -ENODATA);
        assert_string_equal(machine.hostname, "web?1");
        tree_write(&tree, "proc/sys/kernel/osrelease", "6.1.0-18-amd64\n");
        tree_write(&tree, "proc/sys/kernel/random/boot_id", "a0b1c2d3-0000-4000-8000-0123456789ab\n");
        tree_write(&tree, MACHINE_FILE, "hz 250\npage_bytes 16384\n");
        assert_int_equal(machine_read(&tree.root, &machine), 0);
        assert_string_equal(machine.kernel, "6.1.0-18-amd64");
        assert_string_equal(machine.boot_id, "a0b1c2d3-0000-4000-8000-0123456789ab");
        assert_int_equal(machine.hz, 250);
        assert_int_equal(machine.page_bytes, 16384);

        sample_clear(&sample);
        assert_int_equal(machine_collect(&facts, &tree.root, &sample), 0);
        tree_write(&tree, "proc/sys/kernel/hostname", "renamed\n");
        assert_int_equal(machine_collect(&facts, &tree.root, &sample), 0);
        assert_string_equal(sample.machine.hostname, "web?1");
        sample.time.monotonic_usec = USEC_PER_MINUTE;
        assert_int_equal(machine_collect(&facts, &tree.root, &sample), 0);
        assert_string_equal(sample.machine.hostname, "renamed");
        tree_done(&tree);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_recorded_units),
                cmocka_unit_test(test_nothing_there),
                cmocka_unit_test(test_tree),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
