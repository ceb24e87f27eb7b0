/* Known processes, sorted by pid; their memory comes in blocks and is used again, never given back, so that a
 * tick allocates only while the machine has more processes than ever before. */
#include "daemon/sample/process_table.h"

#include <stdlib.h>
#include <string.h>

/* About 120 kB a block. */
#define BLOCK_ENTRIES 64

/* What is looked at at every tick lies together, apart from the identities, which are large. */
struct process_block {
        struct process_block *next;
        struct process_entry entries[BLOCK_ENTRIES];
        struct process_identity identities[BLOCK_ENTRIES];
};

static struct process_entry *take_free(struct process_table *table, uint32_t pid)
{
        if (!table->free) {
                struct process_block *block = malloc(sizeof(*block));
                if (!block)
                        return NULL;
                block->next = table->blocks;
                table->blocks = block;
                for (size_t i = BLOCK_ENTRIES; i > 0; i--) {
                        block->entries[i - 1].identity = &block->identities[i - 1];
                        block->entries[i - 1].next = table->free;
                        table->free = &block->entries[i - 1];
                }
        }
        struct process_entry *entry = table->free;
        table->free = entry->next;
        struct process_identity *identity = entry->identity;
        *identity = (struct process_identity){ .pid = pid, .uid = UINT32_MAX, .is_partial = true };
        *entry = (struct process_entry){ .identity = identity, .pid = pid };
        for (size_t i = 0; i < PROCESS_FILE_MAX; i++)
                entry->fds[i] = -1;
        return entry;
}

/* Samples that name the entry are still around: the one before the present one at the most. */
static void bury_entry(struct process_table *table, struct process_entry *entry,
                       void (*bury)(void *userdata, struct process_entry *entry), void *userdata)
{
        bury(userdata, entry);
        entry->next = table->graves[1];
        table->graves[1] = entry;
}

static bool grow(struct process_table *table, size_t n)
{
        if (n <= table->capacity)
                return true;
        size_t capacity = table->capacity ? table->capacity : 512;
        while (capacity < n)
                capacity *= 2;
        struct process_entry **entries = realloc(table->entries, capacity * sizeof(struct process_entry *));
        if (entries)
                table->entries = entries;
        struct process_entry **spare = realloc(table->spare, capacity * sizeof(struct process_entry *));
        if (spare)
                table->spare = spare;
        if (!entries || !spare)
                return false;
        table->capacity = capacity;
        return true;
}

static void free_old_graves(struct process_table *table)
{
        struct process_entry *entry = table->graves[0];
        while (entry) {
                struct process_entry *next = entry->next;
                entry->next = table->free;
                table->free = entry;
                entry = next;
        }
        table->graves[0] = table->graves[1];
        table->graves[1] = NULL;
}

size_t process_table_update(struct process_table *table, const uint32_t *pids, size_t n,
                            void (*bury)(void *userdata, struct process_entry *entry), void *userdata)
{
        size_t old = 0, count = 0, lost = 0;

        free_old_graves(table);
        if (!grow(table, n)) {
                lost = n > table->capacity ? n - table->capacity : 0;
                n -= lost;
        }
        for (size_t i = 0; i < n; i++) {
                while (old < table->count && table->entries[old]->pid < pids[i])
                        bury_entry(table, table->entries[old++], bury, userdata);
                struct process_entry *entry;
                if (old < table->count && table->entries[old]->pid == pids[i])
                        entry = table->entries[old++];
                else
                        entry = take_free(table, pids[i]);
                if (entry)
                        table->spare[count++] = entry;
                else
                        lost++;
        }
        while (old < table->count)
                bury_entry(table, table->entries[old++], bury, userdata);

        struct process_entry **swap = table->entries;
        table->entries = table->spare;
        table->spare = swap;
        table->count = count;
        return lost;
}

struct process_entry *process_table_replace(struct process_table *table, size_t index,
                                            void (*bury)(void *userdata, struct process_entry *entry),
                                            void *userdata)
{
        struct process_entry *old = table->entries[index];
        struct process_entry *entry = take_free(table, old->pid);
        if (!entry) {
                old->is_gone = true;
                return NULL;
        }
        table->entries[index] = entry;
        bury_entry(table, old, bury, userdata);
        return entry;
}

void process_table_sweep(struct process_table *table,
                         void (*bury)(void *userdata, struct process_entry *entry), void *userdata)
{
        size_t kept = 0;
        for (size_t i = 0; i < table->count; i++) {
                if (table->entries[i]->is_gone)
                        bury_entry(table, table->entries[i], bury, userdata);
                else
                        table->entries[kept++] = table->entries[i];
        }
        table->count = kept;
}

struct process_entry *process_table_find(const struct process_table *table, uint32_t pid)
{
        size_t low = 0, high = table->count;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (table->entries[middle]->pid < pid)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low < table->count && table->entries[low]->pid == pid ? table->entries[low] : NULL;
}

void process_table_done(struct process_table *table)
{
        while (table->blocks) {
                struct process_block *next = table->blocks->next;
                free(table->blocks);
                table->blocks = next;
        }
        free(table->entries);
        free(table->spare);
        memset(table, 0, sizeof(*table));
}
