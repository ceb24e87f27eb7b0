/* What the writer holds in memory and could not write: finished blocks and those being filled, packed as in
 * the file. A copy that does not change, shared by those who read it. */
#pragma once

#include "daemon/history/store_file.h"

struct unwritten_block {
        struct block_info info; /* its tags are those below */
        struct bytes tags, packed;
};

struct unwritten;

/* Room for so many blocks. NULL if there is no memory. */
struct unwritten *unwritten_new(size_t capacity);
/* The next block to be filled in, zeroed; at most `capacity` times, before it is shared. */
struct unwritten_block *unwritten_add(struct unwritten *unwritten);
/* Takes back the last one, with what it holds. */
void unwritten_drop_last(struct unwritten *unwritten);
struct unwritten *unwritten_ref(struct unwritten *unwritten);   /* any thread */
struct unwritten *unwritten_unref(struct unwritten *unwritten); /* returns NULL; accepts NULL; any thread */

/* In order; NULL past the end. */
const struct unwritten_block *unwritten_block(const struct unwritten *unwritten, size_t index);
/* Whether these frames of the journal are the beginning of a block that is here as a whole. */
bool unwritten_has_generation(const struct unwritten *unwritten, enum series series, uint64_t generation);
