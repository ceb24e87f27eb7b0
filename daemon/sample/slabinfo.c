/* /proc/slabinfo -> the caches that hold most of what the kernel does not give back. */
#include "daemon/sample/slabinfo.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "daemon/sample/buffer.h"

#define LINES_MAX 4096

/* Linux 6.1: "kmalloc-1k  2176  2176  1024  16  4 : tunables  0  0  0 : slabdata  136  136  0":
 * name, objects in use, objects, bytes of one, objects per slab, pages per slab; the last but one is slabs.
 */
static int parse_line(struct span line, uint64_t page_bytes, struct span *ret_name,
                      struct slab_sample *ret_slab)
{
        uint64_t used, objects, size, per_slab, pages, slabs, number;
        struct span word;
        if (!span_take_word(&line, ret_name) || span_take_u64(&line, &used) < 0 ||
            span_take_u64(&line, &objects) < 0 || span_take_u64(&line, &size) < 0 ||
            span_take_u64(&line, &per_slab) < 0 || span_take_u64(&line, &pages) < 0)
                return -EBADMSG;
        if (!span_take_word(&line, &word) || !span_equal(word, ":") || !span_take_word(&line, &word) ||
            !span_equal(word, "tunables"))
                return -EBADMSG;
        for (int i = 0; i < 3; i++)
                if (span_take_u64(&line, &number) < 0)
                        return -EBADMSG;
        if (!span_take_word(&line, &word) || !span_take_word(&line, &word) || !span_equal(word, "slabdata") ||
            span_take_u64(&line, &number) < 0 || span_take_u64(&line, &slabs) < 0)
                return -EBADMSG;
        ret_slab->objects = used;
        if (__builtin_mul_overflow(slabs, pages, &number) ||
            __builtin_mul_overflow(number, page_bytes, &ret_slab->bytes))
                return -ERANGE;
        return 0;
}

static void insert(struct slabs *slabs, const struct slab_sample *slab)
{
        size_t at = slabs->count;
        while (at > 0 && slabs->rows[at - 1].bytes < slab->bytes)
                at--;
        if (at == SLABS_MAX)
                return;
        size_t kept = slabs->count < SLABS_MAX ? slabs->count++ : SLABS_MAX - 1;
        memmove(&slabs->rows[at + 1], &slabs->rows[at], (kept - at) * sizeof(slabs->rows[0]));
        slabs->rows[at] = *slab;
}

int slabinfo_parse(struct span text, uint64_t page_bytes,
                   bool (*is_reclaimable)(const void *userdata, const char *name), const void *userdata,
                   struct slabs *ret_slabs)
{
        struct span line, name;
        memset(ret_slabs, 0, sizeof(*ret_slabs));
        if (!span_take_line(&text, &line) || line.length < 19 ||
            memcmp(line.at, "slabinfo - version: 2", 21) != 0)
                return -EBADMSG;
        for (size_t i = 0; i < LINES_MAX && span_take_line(&text, &line); i++) {
                struct slab_sample slab = { 0 };
                if (line.length == 0 || line.at[0] == '#' || parse_line(line, page_bytes, &name, &slab) < 0)
                        continue;
                (void)span_copy(name, slab.name, sizeof(slab.name));
                text_sanitize(slab.name, "");
                size_t last = ret_slabs->count;
                if (slab.bytes == 0 || (last == SLABS_MAX && ret_slabs->rows[last - 1].bytes >= slab.bytes))
                        continue;
                if (!is_reclaimable(userdata, slab.name))
                        insert(ret_slabs, &slab);
        }
        return 0;
}

/* SLUB says it of each cache; where it does not, the well-known ones are known. */
static bool is_reclaimable(const void *userdata, const char *name)
{
        static const char *const known[] = { "dentry", "buffer_head", "radix_tree_node", "inode_cache" };
        const struct root *root = userdata;
        char path[96], text[16];
        text_format(path, sizeof(path), "sys/kernel/slab/%s/reclaim_account", name);
        if (!strchr(name, '/') && root_read(root, path, text, sizeof(text)) > 0)
                return text[0] == '1';
        size_t length = strlen(name), suffix = strlen("_inode_cache");
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
                if (strcmp(name, known[i]) == 0)
                        return true;
        return length > suffix && strcmp(name + length - suffix, "_inode_cache") == 0;
}

static int look(const struct root *root, const struct clock *clock, void *state, void *ret_result)
{
        struct buffer *buffer = state;
        struct span text;
        (void)clock;
        int r = buffer->data ? 0 : buffer_init(buffer);
        if (r == 0)
                r = buffer_read(buffer, root, "proc/slabinfo", &text);
        if (r < 0 && r != -EFBIG)
                return r;
        return slabinfo_parse(text, (uint64_t)sysconf(_SC_PAGESIZE), is_reclaimable, root, ret_result);
}

static void done(void *state, void *result)
{
        (void)result;
        if (state)
                buffer_done(state);
}

const struct aside_source slabinfo_source = {
        .name = "slabinfo",
        .delay_usec = 5 * USEC_PER_SEC,
        .interval_usec = USEC_PER_MINUTE,
        .deadline_usec = 10 * USEC_PER_SEC,
        .is_polite = true,
        .state_size = sizeof(struct buffer),
        .result_size = sizeof(struct slabs),
        .look = look,
        .done = done,
};
