/* Counted references to a list of packed blocks. */
#include "daemon/history/unwritten.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

struct unwritten {
        atomic_uint references;
        size_t count, capacity;
        struct unwritten_block blocks[];
};

struct unwritten *unwritten_new(size_t capacity)
{
        struct unwritten *unwritten = calloc(1, sizeof(*unwritten) + capacity * sizeof(unwritten->blocks[0]));
        if (!unwritten)
                return NULL;
        atomic_init(&unwritten->references, 1);
        unwritten->capacity = capacity;
        return unwritten;
}

struct unwritten_block *unwritten_add(struct unwritten *unwritten)
{
        assert(unwritten->count < unwritten->capacity);
        return &unwritten->blocks[unwritten->count++];
}

static void block_release(struct unwritten_block *block)
{
        bytes_done(&block->tags);
        bytes_done(&block->packed);
}

void unwritten_drop_last(struct unwritten *unwritten)
{
        assert(unwritten->count > 0);
        block_release(&unwritten->blocks[--unwritten->count]);
}

struct unwritten *unwritten_ref(struct unwritten *unwritten)
{
        (void)atomic_fetch_add(&unwritten->references, 1);
        return unwritten;
}

struct unwritten *unwritten_unref(struct unwritten *unwritten)
{
        if (!unwritten || atomic_fetch_sub(&unwritten->references, 1) > 1)
                return NULL;
        for (size_t i = 0; i < unwritten->count; i++)
                block_release(&unwritten->blocks[i]);
        free(unwritten);
        return NULL;
}

const struct unwritten_block *unwritten_block(const struct unwritten *unwritten, size_t index)
{
        return index < unwritten->count ? &unwritten->blocks[index] : NULL;
}

bool unwritten_has_generation(const struct unwritten *unwritten, enum series series, uint64_t generation)
{
        for (size_t i = 0; i < unwritten->count; i++)
                if (unwritten->blocks[i].info.series == series &&
                    unwritten->blocks[i].info.generation == generation)
                        return true;
        return false;
}
