/* How the list of rows at one tick becomes that of the next: runs of (keep, remove, insert) rows; what
 * follows the last run is kept. Used by encoder.c; decoder.c reads it. */
#pragma once

#include "daemon/history/varint.h"

struct row_edits {
        uint64_t runs;
        uint64_t keep, remove, insert; /* the run that is not yet written */
        struct bytes written;
};

static inline void edits_flush(struct row_edits *edits)
{
        if (edits->remove == 0 && edits->insert == 0)
                return;
        bytes_put_varint(&edits->written, edits->keep);
        bytes_put_varint(&edits->written, edits->remove);
        bytes_put_varint(&edits->written, edits->insert);
        edits->runs++;
        edits->keep = edits->remove = edits->insert = 0;
}

static inline void edit_keep(struct row_edits *edits)
{
        edits_flush(edits);
        edits->keep++;
}

static inline void edit_remove(struct row_edits *edits)
{
        if (edits->insert)
                edits_flush(edits);
        edits->remove++;
}

static inline void edit_insert(struct row_edits *edits)
{
        edits->insert++;
}

/* Appends the runs to the stream and releases them. False if there was no memory. */
static inline bool edits_finish(struct row_edits *edits, struct bytes *stream)
{
        edits_flush(edits);
        bytes_put_varint(stream, edits->runs);
        bytes_put(stream, edits->written.data, edits->written.length);
        bool is_whole = !edits->written.failed;
        bytes_done(&edits->written);
        return is_whole;
}
