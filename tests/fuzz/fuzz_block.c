/* Blocks from a stranger's file. The first byte says how the rest is taken: as a packed block, or as frames
 * (each after its length in two bytes) whose checksums are made right here, so that what lies behind them is
 * reached. What can be decoded goes on through the model, as in a replay. */
#include <stdlib.h>
#include <string.h>

#include "daemon/history/decoder.h"
#include "daemon/history/incident_codec.h"
#include "daemon/history/rollup.h"
#include "daemon/history/sample_codec.h"
#include "daemon/model/snapshot.h"

static void join_frames(struct block *block, const uint8_t *data, size_t size)
{
        struct bytes frame = { 0 };
        while (size >= 2) {
                size_t length = data[0] | (size_t)data[1] << 8;
                data += 2;
                size -= 2;
                if (length > size)
                        length = size;
                bytes_clear(&frame);
                bytes_put(&frame, data, length);
                bytes_put_u64(&frame, bytes_hash(frame.data, frame.length));
                if (block_append(block, frame.data, frame.length) < 0)
                        break;
                data += length;
                size -= length;
        }
        bytes_done(&frame);
}

static void replay(struct block *block)
{
        struct sample_decoder *decoder;
        if (sample_decoder_new(block, &decoder) < 0)
                return;
        struct sample *turn = calloc(2, sizeof(*turn));
        struct snapshot snapshot = { 0 };
        const struct sample *older = NULL;
        for (size_t i = 0; i < 16 && sample_decoder_next(decoder, &turn[i % 2]) == 1; i++) {
                (void)snapshot_make(older, &turn[i % 2], 5 * USEC_PER_SEC, &snapshot);
                older = &turn[i % 2];
        }
        snapshot_done(&snapshot);
        sample_done(&turn[0]);
        sample_done(&turn[1]);
        free(turn);
        (void)sample_decoder_free(decoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct block block;
        if (size < 1)
                return 0;
        if (data[0] % 2) {
                struct incident incident;
                (void)incident_read(data + 1, size - 1, &incident);
                if (block_read(&block, data + 1, size - 1) < 0)
                        return 0;
        } else {
                block_clear(&block);
                join_frames(&block, data + 1, size - 1);
        }
        struct decoder *rollups;
        if (decoder_new(&rollup_schema, &block, &rollups) == 0) {
                while (decoder_next(rollups) == 1)
                        ;
                (void)decoder_free(rollups);
        }
        replay(&block);
        return 0;
}
