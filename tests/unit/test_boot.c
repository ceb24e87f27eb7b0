/* The critical chain, as systemd-analyze has it, and what is kept of a boot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/sample/boot.h"
#include "tests/support/boots.h"

#define NODES_MAX 80

static struct boot_node nodes[NODES_MAX];
static uint32_t edges[256];
static size_t count, edge_count;
static struct boot boot;

static int set_up(void **state)
{
        (void)state;
        memset(nodes, 0, sizeof(nodes));
        memset(&boot, 0, sizeof(boot));
        count = edge_count = 0;
        boot.times.stage = BOOT_FINISHED;
        boot.times.finish_usec = 100 * USEC_PER_SEC;
        return 0;
}

/* In seconds; activated 0: never. Edges are added with after(), in the order of the nodes. */
static size_t add(const char *name, double activating, double activated)
{
        struct boot_node *node = &nodes[count];
        (void)snprintf(node->unit.name, sizeof(node->unit.name), "%s", name);
        node->unit.activating_usec = activating > 0 ? (usec_t)(activating * 1e6) : ABSENT;
        node->unit.activated_usec = activated > 0 ? (usec_t)(activated * 1e6) : ABSENT;
        node->unit.cpu_usec = node->unit.read_bytes = node->unit.write_bytes = ABSENT;
        node->first_after = (uint32_t)edge_count;
        boot_node_length(node);
        return count++;
}

static void after(size_t unit, size_t other)
{
        assert_int_equal(nodes[unit].first_after + nodes[unit].after_count, edge_count);
        edges[edge_count++] = (uint32_t)other;
        nodes[unit].after_count++;
}

static void assert_unit(size_t index, const char *name, unsigned level, double held)
{
        assert_true(index < boot.unit_count);
        assert_string_equal(boot.units[index].name, name);
        assert_int_equal(boot.units[index].level, level);
        if (level)
                assert_int_equal(boot.units[index].held_usec, (usec_t)(held * 1e6 + 0.5));
        else
                assert_true(boot.units[index].held_usec == ABSENT);
}

static void test_nothing(void **state)
{
        (void)state;
        boot_choose_units(nodes, 0, edges, 0, &boot);
        assert_int_equal(boot.unit_count, 0);
        (void)add("a.service", 0, 0);
        boot_choose_units(nodes, count, edges, 1, &boot); /* the target is not loaded */
        assert_int_equal(boot.unit_count, 0);
        size_t target = add("multi-user.target", 5, 5);
        boot.times.finish_usec = ABSENT; /* still starting */
        boot_choose_units(nodes, count, edges, target, &boot);
        assert_int_equal(boot.unit_count, 0);
}

static void test_lengths(void **state)
{
        (void)state;
        assert_int_equal(nodes[add("never.service", 0, 0)].unit.length_usec, 0);
        assert_int_equal(nodes[add("slow.service", 3, 28)].unit.length_usec, 25 * USEC_PER_SEC);
        struct boot_node *oneshot = &nodes[add("once.service", 3, 0)]; /* ended without ever being active */
        oneshot->deactivated_usec = 7 * USEC_PER_SEC;
        boot_node_length(oneshot);
        assert_int_equal(oneshot->unit.length_usec, 4 * USEC_PER_SEC);
        struct boot_node *again = &nodes[add("again.service", 50, 9)]; /* was active before, starts again */
        boot_node_length(again);
        assert_int_equal(again->unit.length_usec, 0);
}

/* Type=oneshot sleep 25 before the target; another that takes longer, but that nothing waits for. */
static void test_chain(void **state)
{
        (void)state;
        size_t base = add("basic.target", 2, 2);
        size_t network = add("network.target", 4, 4);
        after(network, base);
        size_t slow = add("slow.service", 4.5, 29.5);
        after(slow, network);
        after(slow, base);
        size_t fast = add("fast.service", 2, 2.25);
        after(fast, base);
        size_t aside = add("aside.service", 5, 90);
        after(aside, base);
        size_t late = add("late.service", 120, 150); /* after the end of the boot */
        size_t failed = add("failed.service", 3, 0);
        size_t target = add("multi-user.target", 30, 30);
        after(target, fast);
        after(target, slow);
        after(target, late);
        after(target, failed);
        boot_choose_units(nodes, count, edges, target, &boot);
        assert_unit(0, "multi-user.target", 1, 0);
        assert_unit(1, "slow.service", 2, 25);
        assert_unit(2, "network.target", 3, 0);
        assert_unit(3, "basic.target", 4, 0);
        assert_unit(4, "aside.service", 0, 0); /* then by what they took */
        assert_unit(5, "late.service", 0, 0);
        assert_unit(6, "fast.service", 0, 0);
        assert_int_equal(boot.unit_count, 7); /* and not what took nothing */
        assert_ptr_equal(boot_find_unit(&boot, "aside.service"), &boot.units[4]);
        assert_null(boot_find_unit(&boot, "failed.service"));
}

/* Of what a unit took, the time in which it waited for another that came up later is not its own. */
static void test_held(void **state)
{
        (void)state;
        size_t socket = add("dbus.socket", 6, 8);
        size_t service = add("dbus.service", 5, 10);
        after(service, socket);
        size_t target = add("multi-user.target", 10, 10);
        after(target, service);
        boot_choose_units(nodes, count, edges, target, &boot);
        assert_unit(1, "dbus.service", 2, 2);
        assert_unit(2, "dbus.socket", 3, 2);
}

static void test_ties_and_circles(void **state)
{
        (void)state;
        size_t a = add("a.service", 1, 5), b = add("b.service", 2, 5);
        size_t target = add("multi-user.target", 5, 5.5);
        after(target, a);
        after(target, b);
        boot_choose_units(nodes, count, edges, target, &boot);
        assert_unit(1, "a.service", 2, 4);
        assert_unit(2, "b.service", 2, 3);

        (void)set_up(NULL);
        a = add("a.service", 1, 5);
        after(a, 1);
        b = add("b.service", 2, 5);
        after(b, a);
        after(b, b);
        boot_choose_units(nodes, count, edges, a, &boot);
        assert_int_equal(boot.unit_count, 2);
        assert_unit(1, "b.service", 2, 0);
}

/* A oneshot that does not remain is never active, and systemd-analyze knows nothing of it; the target waited
 * for it all the same. */
static void test_ended(void **state)
{
        (void)state;
        size_t base = add("basic.target", 2, 2);
        size_t getty = add("getty.target", 4, 4);
        after(getty, base);
        size_t brief = add("brief.service", 3, 0);
        nodes[brief].deactivated_usec = 4300 * USEC_PER_MSEC;
        size_t migrate = add("migrate.service", 2.5, 0);
        nodes[migrate].deactivated_usec = 27500 * USEC_PER_MSEC;
        boot_node_length(&nodes[migrate]);
        after(migrate, base);
        size_t target = add("multi-user.target", 27.6, 27.6);
        after(target, getty);
        after(target, brief);
        after(target, migrate);
        boot_choose_units(nodes, count, edges, target, &boot);
        assert_unit(0, "multi-user.target", 1, 0);
        assert_unit(1, "migrate.service", 2, 25);
        assert_unit(2, "basic.target", 3, 0);

        (void)set_up(
                NULL); /* without it, as systemd-analyze: the last that was active, and no other for 0.3 s */
        getty = add("getty.target", 4, 4);
        brief = add("brief.service", 3, 0);
        nodes[brief].deactivated_usec = 4300 * USEC_PER_MSEC;
        target = add("multi-user.target", 5, 5);
        after(target, getty);
        after(target, brief);
        boot_choose_units(nodes, count, edges, target, &boot);
        assert_unit(1, "getty.target", 2, 0);
}

static void test_caps(void **state)
{
        char name[32];
        (void)state;
        for (size_t i = 0; i < NODES_MAX; i++) {
                (void)snprintf(name, sizeof(name), "unit-%zu.service", i);
                (void)add(name, 1 + (double)i, 1.5 + (double)i);
                if (i > 0)
                        after(i, i - 1);
        }
        boot_choose_units(nodes, count, edges, NODES_MAX - 1, &boot);
        assert_int_equal(boot.unit_count, BOOT_UNITS_MAX);
        assert_unit(BOOT_CHAIN_MAX - 1, "unit-56.service", BOOT_CHAIN_MAX, 0.5);
        assert_int_equal(boot.units[BOOT_CHAIN_MAX].level, 0);
}

static void test_length(void **state)
{
        (void)state;
        struct boot one = fake_boot(1, 20);
        assert_int_equal(boot_length(&one.times), 20 * USEC_PER_SEC);
        one.times.ready_usec = ABSENT; /* its target was not reached: until nothing was left to start */
        assert_int_equal(boot_length(&one.times), 20 * USEC_PER_SEC + 100 * USEC_PER_MSEC);
        one.times.finish_usec = 1; /* nonsense */
        assert_true(boot_length(&one.times) == ABSENT);
        one = fake_boot(1, 20);
        one.times.stage = BOOT_STARTING;
        assert_true(boot_length(&one.times) == ABSENT);
}

static void test_better(void **state)
{
        (void)state;
        static const bool is_better[BOOT_STAGES][BOOT_STAGES] = {
                /* before:       starting finished settled late */
                [BOOT_STARTING] = { true, false, false, false },
                [BOOT_FINISHED] = { true, true, false, false },
                [BOOT_SETTLED] = { true, true, true, false },
                [BOOT_LATE] = { true, false, false, false },
        };
        for (unsigned now = 0; now < BOOT_STAGES; now++)
                for (unsigned before = 0; before < BOOT_STAGES; before++) {
                        struct boot a = fake_boot(1, 20), b = fake_boot(1, 20);
                        a.times.stage = (uint8_t)now;
                        b.times.stage = (uint8_t)before;
                        assert_int_equal(boot_is_better(&a, &b), is_better[now][before]);
                }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(test_nothing, set_up),
                cmocka_unit_test_setup(test_lengths, set_up),
                cmocka_unit_test_setup(test_chain, set_up),
                cmocka_unit_test_setup(test_held, set_up),
                cmocka_unit_test_setup(test_ties_and_circles, set_up),
                cmocka_unit_test_setup(test_ended, set_up),
                cmocka_unit_test_setup(test_caps, set_up),
                cmocka_unit_test(test_length),
                cmocka_unit_test(test_better),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
