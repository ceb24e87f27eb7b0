/* What a boot's timestamps mean: its length, its critical chain, and which units are worth keeping. */
#include "daemon/sample/boot.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"

uint64_t boot_length(const struct boot_times *times)
{
        usec_t end_usec = times->ready_usec != ABSENT ? times->ready_usec : times->finish_usec;
        if (times->stage == BOOT_STARTING || end_usec == ABSENT || end_usec < times->userspace_usec)
                return ABSENT;
        return end_usec - times->userspace_usec;
}

const struct boot_unit *boot_find_unit(const struct boot *boot, const char *name)
{
        for (uint32_t i = 0; i < boot->unit_count; i++)
                if (strcmp(boot->units[i].name, name) == 0)
                        return &boot->units[i];
        return NULL;
}

bool boot_is_same(const struct boot_times *a, const struct boot_times *b)
{
        return strcmp(a->boot_id, b->boot_id) == 0 && a->userspace_usec == b->userspace_usec;
}

uint64_t boot_number(const struct boot_times *times)
{
        return text_hash(HASH_SEED, times->boot_id) ^ times->userspace_usec;
}

bool boot_is_better(const struct boot *now, const struct boot *before)
{
        /* A daemon started again at noon knows less of the morning's boot than the one that saw it. */
        if (now->times.stage == BOOT_LATE)
                return before->times.stage == BOOT_STARTING;
        return now->times.stage >= before->times.stage;
}

void boot_node_length(struct boot_node *node)
{
        struct boot_unit *unit = &node->unit;
        usec_t activated_usec = unit->activated_usec == ABSENT ? 0 : unit->activated_usec;
        if (unit->activating_usec == ABSENT)
                unit->length_usec = 0; /* never started */
        else if (activated_usec >= unit->activating_usec)
                unit->length_usec = activated_usec - unit->activating_usec;
        else if (node->deactivated_usec >= unit->activating_usec)
                unit->length_usec = node->deactivated_usec - unit->activating_usec;
        else
                unit->length_usec = 0;
}

struct chain {
        struct boot_node *nodes;
        const uint32_t *edges;
        struct boot *boot;
};

/* "times_in_range" of analyze-critical-chain.c. */
static bool is_in_range(const struct chain *chain, const struct boot_node *node)
{
        return node->unit.activated_usec != ABSENT && node->unit.activated_usec > 0 &&
               node->unit.activated_usec <= chain->boot->times.finish_usec;
}

/* Of what it took, the part after everything it was ordered after was there. */
static uint64_t held(const struct boot_unit *unit, usec_t before_usec)
{
        if (unit->length_usec == 0 || unit->activated_usec == ABSENT)
                return 0;
        usec_t from_usec = unit->activating_usec > before_usec ? unit->activating_usec : before_usec;
        return unit->activated_usec > from_usec ? unit->activated_usec - from_usec : 0;
}

/* systemd-analyze passes over units that were never active, and with them every oneshot that does not remain
 * after its end; but a target waits for them as well. One that ended so much later than all others were there
 * is the one that was waited for. */
#define ENDED_LATER_USEC (500 * USEC_PER_MSEC)

static usec_t ended_usec(const struct chain *chain, const struct boot_node *node)
{
        return node->unit.activated_usec == ABSENT && node->unit.activating_usec != ABSENT &&
                               node->deactivated_usec > node->unit.activating_usec &&
                               node->deactivated_usec <= chain->boot->times.finish_usec
                       ? node->deactivated_usec
                       : 0;
}

static struct boot_node *last_ended(const struct chain *chain, const struct boot_node *node, usec_t last_usec)
{
        struct boot_node *found = NULL;
        for (uint32_t i = 0; i < node->after_count; i++) {
                struct boot_node *after = &chain->nodes[chain->edges[node->first_after + i]];
                if (ended_usec(chain, after) > last_usec + ENDED_LATER_USEC &&
                    (!found || ended_usec(chain, after) > ended_usec(chain, found)))
                        found = after;
        }
        return found;
}

static void follow(struct chain *chain, struct boot_node *node, uint8_t level)
{
        usec_t last_usec = 0;
        for (uint32_t i = 0; i < node->after_count; i++) {
                const struct boot_node *after = &chain->nodes[chain->edges[node->first_after + i]];
                if (is_in_range(chain, after) && after->unit.activated_usec > last_usec)
                        last_usec = after->unit.activated_usec;
        }
        struct boot_node *ended = last_ended(chain, node, last_usec);
        if (ended) {
                last_usec = ended->deactivated_usec;
                ended->unit.activated_usec = last_usec; /* from here on it is as if it had been */
        }
        node->unit.level = level;
        node->unit.held_usec = held(&node->unit, last_usec);
        node->is_kept = true;
        chain->boot->units[chain->boot->unit_count++] = node->unit;
        if (last_usec == 0 || level == BOOT_CHAIN_MAX)
                return;
        for (uint32_t i = 0; i < node->after_count; i++) {
                struct boot_node *after = &chain->nodes[chain->edges[node->first_after + i]];
                if (is_in_range(chain, after) && after->unit.activated_usec == last_usec && !after->is_kept &&
                    chain->boot->unit_count < BOOT_CHAIN_MAX)
                        follow(chain, after, (uint8_t)(level + 1));
        }
}

/* What is worth a place: seconds of waiting, of CPU, or a hundred megabytes. */
static double worth(const struct boot_unit *unit)
{
        double seconds = (double)unit->length_usec / (double)USEC_PER_SEC;
        if (unit->cpu_usec != ABSENT)
                seconds += (double)unit->cpu_usec / (double)USEC_PER_SEC;
        if (unit->read_bytes != ABSENT)
                seconds += (double)unit->read_bytes / 1e8;
        if (unit->write_bytes != ABSENT)
                seconds += (double)unit->write_bytes / 1e8;
        return seconds;
}

#define WORTH_LEAST 0.005 /* what took and cost less than five milliseconds explains nothing */

void boot_choose_units(struct boot_node *nodes, size_t count, const uint32_t *edges, size_t target,
                       struct boot *ret_boot)
{
        struct chain chain = { .nodes = nodes, .edges = edges, .boot = ret_boot };
        ret_boot->unit_count = 0;
        for (size_t i = 0; i < count; i++) {
                nodes[i].is_kept = false;
                nodes[i].unit.level = 0;
                nodes[i].unit.held_usec = ABSENT;
        }
        if (target < count && ret_boot->times.finish_usec != ABSENT)
                follow(&chain, &nodes[target], 1);
        while (ret_boot->unit_count < BOOT_UNITS_MAX) {
                struct boot_node *best = NULL;
                for (size_t i = 0; i < count; i++)
                        if (!nodes[i].is_kept && (!best || worth(&nodes[i].unit) > worth(&best->unit)))
                                best = &nodes[i];
                if (!best || worth(&best->unit) < WORTH_LEAST)
                        break;
                best->is_kept = true;
                ret_boot->units[ret_boot->unit_count++] = best->unit;
        }
}
