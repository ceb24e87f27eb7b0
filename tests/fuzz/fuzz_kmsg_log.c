/* A recorded /dev/kmsg, which is read in pieces as it grows: the input is written in two parts. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/sample/kmsg.h"
#include "tests/support/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tree tree;

static void remove_tree(void)
{
        tree_done(&tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct sample sample;
        static struct kmsg kmsg;
        if (!tree.path[0]) {
                tree_init(&tree);
                (void)atexit(remove_tree);
        }
        size_t cut = size ? data[0] * size / 256 : 0;
        kmsg_init(&kmsg);
        for (int part = 0; part < 3; part++) {
                tree_write_bytes(&tree, "dev/kmsg", data, part == 0 ? cut : size);
                sample_clear(&sample);
                sample.time.monotonic_usec = 1000;
                assert(kmsg_collect(&kmsg, &tree.root, &sample) == 0);
                assert(sample.message_count <= KERNEL_MESSAGES_MAX);
                assert(part < 2 || sample.message_count == 0);
        }
        kmsg_done(&kmsg);
        return 0;
}
